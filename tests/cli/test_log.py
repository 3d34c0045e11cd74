"""`gitforge log`: what became of components, in one table."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from llm_server import LlmServer, Say
from program import DESCRIBE, NAME, PERSONA, PROTOCOL, PURPOSE, gitforge
from terminal import Terminal

Git = Callable[..., str]


@pytest.fixture
def generated(incomplete: Path, llm: LlmServer) -> Path:
    llm.queue(Say("## Drill down\n\n1. Ask why.\n"))
    assert gitforge("generate", NAME, *DESCRIBE, "--yes", cwd=incomplete).code == 0
    return incomplete


def test_a_components_history_is_one_table(generated: Path, git: Git) -> None:
    (generated / PROTOCOL).write_text("Mine.\n")
    git("commit", "-qam", "Polish it", cwd=generated)
    done = gitforge("log", NAME, cwd=generated)
    assert (done.code, done.err) == (0, "")
    edited, made, deleted, added = done.out.splitlines()
    assert made.split()[2:4] == ["generated", f"protocols/{NAME}"]
    for said in ("Ada Engineer", "test-model", "nobody", PURPOSE):
        assert said in made
    assert "Polish it" in edited
    assert "deleted" in deleted
    assert "added" in added
    assert edited.startswith(git("rev-parse", "HEAD", cwd=generated)[:10])


def test_the_same_for_a_script(generated: Path, git: Git) -> None:
    made = gitforge("log", NAME, "--json", "-n", "1", cwd=generated).json
    assert [one["what"] for one in made] == ["generated"]
    assert made[0]["commit"] == git("rev-parse", "HEAD", cwd=generated)
    assert made[0]["blob"] == git("rev-parse", f"HEAD:{PROTOCOL}", cwd=generated)
    assert (made[0]["model"], made[0]["purpose"], made[0]["needs_review"]) == ("test-model", PURPOSE, True)


def test_a_goal_has_the_history_of_its_components(generated: Path) -> None:
    done = gitforge("log", "DIAGNOSE_ROOT_CAUSE", "--json", cwd=generated).json
    assert {PROTOCOL, PERSONA} <= {one["path"] for one in done}


def test_without_a_name_it_is_the_whole_librarys(generated: Path) -> None:
    done = gitforge("log", "--json", cwd=generated).json
    assert [one["what"] for one in done[:2]] == ["generated", "deleted"]
    assert {"goals.yaml", PERSONA} <= {one["path"] for one in done}


@pytest.mark.parametrize("name", [NAME, Path(NAME).stem, f"protocols/{NAME}", PROTOCOL])
def test_a_component_that_was_deleted_is_found_by_any_name(incomplete: Path, git: Git, name: str) -> None:
    goals = incomplete / "goals.yaml"
    goals.write_text(goals.read_text().replace(NAME, "other.md"))
    done = gitforge("log", name, "--json", cwd=incomplete).json
    assert [one["what"] for one in done] == ["deleted", "added"]


def test_the_name_before_a_renaming_says_what_it_is_called_now(workspace: Path, git: Git) -> None:
    git("mv", PROTOCOL, "library/protocols/rca.md", cwd=workspace)
    git("commit", "-qm", "Shorter", cwd=workspace)
    for name in ("rca", NAME):
        newest, *_ = gitforge("log", name, "--json", cwd=workspace).json
        assert (newest["what"], newest["old_path"]) == ("renamed", PROTOCOL)
        assert newest["path"] == "library/protocols/rca.md"


def test_a_component_that_never_was_is_an_error(workspace: Path) -> None:
    done = gitforge("log", "digital_detectiv", cwd=workspace)
    assert (done.code, done.out) == (1, "")
    assert "digital_detectiv" in done.err
    assert "Did you mean" in done.err


def test_a_component_that_no_commit_has_yet_is_an_error(workspace: Path) -> None:
    (workspace / "library/personas/mine.md").write_text("Mine.\n")
    done = gitforge("log", "mine.md", cwd=workspace)
    assert (done.code, done.out) == (1, "")
    assert "library/personas/mine.md: in no commit yet" in done.err


def test_a_shallow_clone_says_that_the_history_is_cut(generated: Path, git: Git, tmp_path: Path) -> None:
    git("clone", "-q", "--depth=1", generated.as_uri(), "clone", cwd=tmp_path)
    done = gitforge("log", PERSONA, cwd=tmp_path / "clone")
    assert done.code == 0
    assert "git fetch --unshallow" in done.err
    assert " older " in done.out


def test_what_hides_in_a_message_does_not_reach_the_terminal(workspace: Path, git: Git) -> None:
    (workspace / PERSONA).write_text("Mine.\n")
    git("commit", "-qam", "Red \x1b[31m", cwd=workspace)
    assert "\x1b" not in gitforge("log", PERSONA, cwd=workspace).out


@pytest.mark.parametrize(
    "broken", ["goals: [", "version: 1\ngoals: {A: {B: {persona: digital_detective.md}}}\n", None]
)
def test_what_was_recorded_is_told_whatever_is_in_goals_yaml_now(
    workspace: Path, git: Git, broken: str | None
) -> None:
    goals = workspace / "goals.yaml"
    goals.write_bytes(b"\xff") if broken is None else goals.write_text(broken)
    assert gitforge("log", "digital_detective", "--json", cwd=workspace).json[0]["what"] == "added"
    assert gitforge("log", "goals.yaml", "--json", cwd=workspace).json[0]["path"] == "goals.yaml"
    assert gitforge("log", cwd=workspace).code == 0
    shown = gitforge("diff", "HEAD", "--", "goals.yaml", cwd=workspace)
    assert (shown.code, shown.out.splitlines()[0]) == (0, "goals.yaml")


def test_an_empty_repository_has_no_history(tmp_path: Path, git: Git) -> None:
    git("init", "-q", str(tmp_path), cwd=tmp_path)
    (tmp_path / "goals.yaml").write_text("version: 1\ngoals: {}\n")
    done = gitforge("log", cwd=tmp_path)
    assert (done.code, done.out) == (0, "")
    assert "Nothing is recorded yet" in done.err


class TestPager:
    def script(self, folder: Path, text: str) -> str:
        file = folder / "pager"
        file.write_text(f"#!/bin/sh\n{text}\n")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
        return str(file)

    def test_on_a_terminal_the_users_pager_shows_it(self, workspace: Path, tmp_path: Path) -> None:
        seen = tmp_path / "seen"
        pager = self.script(tmp_path, f'cat > "{seen}"; echo "LESS=$LESS"')
        with Terminal("log", cwd=workspace, GIT_PAGER=pager, columns=160) as terminal:
            assert terminal.ended() == 0
        assert "LESS=FRX" in terminal.screen
        assert "Start a gitforge workspace" not in terminal.told
        assert "Start a gitforge workspace" in seen.read_text()
        assert "\x1b[" in seen.read_text(), "the pager gets the colours"

    def test_git_says_which_pager(self, workspace: Path, tmp_path: Path, git: Git) -> None:
        git("config", "core.pager", self.script(tmp_path, "echo configured; cat >/dev/null"), cwd=workspace)
        with Terminal("log", cwd=workspace) as terminal:
            assert terminal.ended() == 0
        assert terminal.screen.strip() == "configured"

    def test_a_pager_that_quits_early_is_no_error(self, workspace: Path, tmp_path: Path) -> None:
        pager = self.script(tmp_path, "head -n 1 >/dev/null; echo enough")
        with Terminal("log", cwd=workspace, GIT_PAGER=pager) as terminal:
            assert terminal.ended() == 0
        assert terminal.told.strip() == "enough"

    def test_without_a_pager_it_is_printed(self, workspace: Path, tmp_path: Path) -> None:
        pager = self.script(tmp_path, "echo paged; cat >/dev/null")
        with Terminal("log", "--no-pager", cwd=workspace, GIT_PAGER=pager) as terminal:
            assert terminal.ended() == 0
        assert "Start a gitforge workspace" in terminal.told
        assert "paged" not in terminal.told

    def test_a_pipe_and_a_script_get_no_pager(self, workspace: Path, tmp_path: Path) -> None:
        pager = self.script(tmp_path, "echo paged; cat >/dev/null")
        assert "paged" not in gitforge("log", cwd=workspace, GIT_PAGER=pager).out
        with Terminal("log", "--json", cwd=workspace, GIT_PAGER=pager, columns=400) as terminal:
            assert terminal.ended() == 0
        assert json.loads(terminal.told)[0]["what"] == "added"

    def test_without_the_pager_that_is_set_it_is_printed_and_that_is_said(self, workspace: Path) -> None:
        with Terminal("log", cwd=workspace, GIT_PAGER="no-such-pager -x") as terminal:
            assert terminal.ended() == 0
        assert "the pager is not there: no-such-pager" in terminal.told
        assert "Start a gitforge workspace" in terminal.told

    @pytest.mark.parametrize("long", [False, True])
    def test_without_a_pager_that_the_shell_can_start_everything_is_printed(
        self, workspace: Path, long: bool
    ) -> None:
        more = f" {'x' * 100}"  # with which it is more than a pipe holds
        text = "".join(f"unheard{number}{more}\n" for number in range(900 if long else 3))
        (workspace / PERSONA).write_text(text)
        for pager in ("X=1 no-such-pager", f"X=1 {workspace / PERSONA}"):
            with Terminal("diff", cwd=workspace, GIT_PAGER=pager, columns=160) as terminal:
                assert terminal.ended() == 0
            assert f"the pager could not be started: {pager}" in terminal.told
            assert terminal.told.count("unheard") == len(text.splitlines())

    def test_a_narrow_terminal_gets_two_lines_for_each(self, workspace: Path) -> None:
        with Terminal("log", "DIAGNOSE_ROOT_CAUSE", "--no-pager", cwd=workspace, columns=80) as terminal:
            assert terminal.ended() == 0
        first, second, *_ = terminal.screen.splitlines()
        assert first.rstrip().endswith(".md")
        assert second.split() == ["by", "Ada", "Engineer", "Start", "a", "gitforge", "workspace"]

    def test_a_terminal_is_not_told_the_one_component_again_in_each_row(self, workspace: Path) -> None:
        with Terminal("log", PERSONA, "--no-pager", cwd=workspace, columns=100) as terminal:
            assert terminal.ended() == 0
        heading, row, *_ = terminal.screen.splitlines()
        assert heading.split()[:3] == ["commit", "date", "what"]
        assert row.split()[2:5] == ["added", "Ada", "Engineer"]


@pytest.mark.parametrize(
    "command", [("log",), ("check",), ("list", "--components"), ("status",), ("diff", "HEAD~1")]
)
def test_a_file_name_cannot_forge_a_row(workspace: Path, git: Git, command: tuple[str, ...]) -> None:
    name = "library/protocols/x\ty\nforged row.md"
    (workspace / name).write_text("# X\n")
    git("add", ".", cwd=workspace)
    git("commit", "-qm", "Add it", cwd=workspace)
    told = gitforge(*command, cwd=workspace).told
    assert not [line for line in told.splitlines() if line.startswith("forged")]
    assert "\\x09y\\x0aforged row.md" in told or command == ("status",)


def test_a_description_of_several_lines_is_one_row(workspace: Path) -> None:
    goals = workspace / "goals.yaml"
    goals.write_text(goals.read_text().replace("      description: ", "      description: |\n        ", 1))
    first = gitforge("list", cwd=workspace).out.splitlines()[1]
    assert "\\x0a" not in first
