"""`gitforge sync`: fetch, integrate, push; the user's work stays, what clashes is shown, nothing is forced."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from harm import assert_sound, snapshot
from libraries_of_others import Other, make_other
from program import CONSTRAINT, GOAL, PERSONA, PROTOCOL, build, gitforge
from team import clone, commit, edited, has, share, signs, subjects, sync

Git = Callable[..., str]


def read(root: Path, name: str) -> str:
    return (root / name).read_text()


def is_here(root: Path, commit: str) -> bool:
    """Whether a repository has a commit."""
    asked = subprocess.run(["git", "cat-file", "-e", commit], check=False, cwd=root, capture_output=True)
    return asked.returncode == 0


def test_what_came_is_told_as_it_is_in_the_end(workspace: Path, other: Path, git: Git) -> None:
    new = "library/personas/detective.md"
    git("mv", PERSONA, new, cwd=other)
    git("commit", "-q", "-m", "Rename", cwd=other)
    commit(other, git, {CONSTRAINT: None}, "Delete")
    commit(other, git, {PROTOCOL: read(other, PROTOCOL) + "More.\n"}, "Edit")
    commit(other, git, {"library/personas/passing.md": "Passing.\n"}, "Add")
    commit(other, git, {"library/personas/passing.md": None}, "Take it back")
    assert sync(other).code == 0
    received = json.loads(sync(workspace, "--dry-run", "--json").out)["received"]
    assert (received["edits"], received["deletions"]) == ([PROTOCOL], [CONSTRAINT])
    assert received["renames"] == [{"from": PERSONA, "to": new}]
    lines = sync(workspace).out.splitlines()
    assert lines[1:4] == [
        f"  edited    {PROTOCOL}",
        f"  deleted   {CONSTRAINT}",
        f"  renamed   {PERSONA} to {new}",
    ]


def test_a_component_that_both_sides_renamed_gets_the_name_that_is_decided(
    workspace: Path, other: Path, git: Git
) -> None:
    mine, theirs = "library/personas/mine.md", "library/personas/theirs.md"
    for root, name in ((other, theirs), (workspace, mine)):
        git("mv", PERSONA, name, cwd=root)
        git("commit", "-q", "-m", "Rename", cwd=root)
    assert sync(other).code == 0
    done = sync(workspace)
    assert done.code == 4
    assert f"{PERSONA}: renamed to {mine} here, to {theirs} there" in done.err
    (clash,) = json.loads(sync(workspace, "--json").out)["disputes"][0]["clashes"]
    assert (clash["base"], clash["ours"], clash["theirs"]) == (PERSONA, mine, theirs)
    assert sync(workspace, "--ours").code == 0
    assert ((workspace / mine).exists(), (workspace / theirs).exists()) == (True, False)
    assert git("status", "--porcelain", cwd=workspace) == ""


class TestFirst:
    def test_without_a_remote_it_says_what_to_do(self, workspace: Path) -> None:
        done = sync(workspace)
        assert done.code == 1
        assert "there is no remote" in done.err
        assert "git remote add" in done.err

    def test_an_empty_remote_gets_the_branch_and_is_followed_from_then_on(
        self, workspace: Path, tmp_path: Path, git: Git
    ) -> None:
        git("init", "-q", "--bare", str(tmp_path / "r.git"), cwd=tmp_path)
        git("remote", "add", "team", str(tmp_path / "r.git"), cwd=workspace)
        done = sync(workspace)
        assert (done.code, done.out) == (0, "sent: 1 commit to main\n")
        assert git("rev-parse", "main", cwd=tmp_path / "r.git") == git("rev-parse", "main", cwd=workspace)
        assert git("rev-parse", "--abbrev-ref", "@{u}", cwd=workspace) == "team/main"
        assert sync(workspace).out == "Nothing new: main is the same here and there.\n"

    def test_a_remote_that_is_not_there_is_no_address_and_those_that_are_there_are_named(
        self, workspace: Path, tmp_path: Path, git: Git
    ) -> None:
        git("init", "-q", "--bare", str(tmp_path / "r.git"), cwd=tmp_path)
        for name in ("origin", "team"):
            git("remote", "add", name, str(tmp_path / "r.git"), cwd=workspace)
        done = sync(workspace, "nope")
        assert (done.code, done.out) == (1, "")
        assert "error: no remote is called 'nope': there is origin, team\n" in done.err
        assert "origin" in sync(workspace, "orign").err.partition("hint: ")[2]

    def test_the_two_sides_exclude_each_other(self, workspace: Path) -> None:
        done = sync(workspace, "--ours", "--theirs")
        assert done.code == 2
        assert "--ours and --theirs: one at a time" in done.err

    def test_how_much_may_come_has_bounds(self, workspace: Path) -> None:
        for amount in ("0", str((1 << 20) + 1)):
            assert sync(workspace, "--max-size", amount).code == 2

    def test_an_address_will_do_and_is_not_noted(self, workspace: Path, tmp_path: Path, git: Git) -> None:
        git("init", "-q", "--bare", str(tmp_path / "r.git"), cwd=tmp_path)
        assert sync(workspace, str(tmp_path / "r.git")).code == 0
        assert "branch." not in git("config", "--local", "--list", cwd=workspace)

    def test_a_branch_without_a_commit_takes_what_was_published(
        self, bare: Path, tmp_path: Path, git: Git
    ) -> None:
        git("init", "-q", "-b", "main", "new", cwd=tmp_path)
        root = tmp_path / "new"
        git("remote", "add", "origin", str(bare), cwd=root)
        (root / "mine.txt").write_text("mine\n")
        assert sync(root).code == 0
        assert git("status", "--porcelain", cwd=root) == "?? mine.txt"
        assert gitforge("check", cwd=root).code == 0
        assert_sound(git, root)

    def test_several_remotes_of_which_none_is_origin_are_named(self, workspace: Path, git: Git) -> None:
        for name in ("one", "two"):
            git("remote", "add", name, "https://example.org/x.git", cwd=workspace)
        done = sync(workspace)
        assert done.code == 1
        assert "one, two" in done.err

    def test_a_program_is_no_address(self, workspace: Path, tmp_path: Path) -> None:
        done = sync(workspace, f"ext::touch {tmp_path}/was-run")
        assert done.code == 1
        assert not (tmp_path / "was-run").exists()


class TestLibraries:
    """What goals.yaml names of others is brought too, but only from where it is safe or wanted."""

    @pytest.fixture
    def acme(self, workspace: Path, bare: Path, tmp_path: Path, git: Git) -> Other:
        acme = make_other(tmp_path / "acme", git)
        added = gitforge("library", "add", "acme", str(acme.root), cwd=workspace)
        assert added.code == 0, added.told
        return acme

    def test_from_a_path_that_somebody_else_wrote_it_is_fetched_only_if_one_says_so(
        self, workspace: Path, other: Path, acme: Other, git: Git
    ) -> None:
        assert sync(workspace).code == 0
        done = sync(other)
        assert done.code == 0
        assert "fetched only if you say so" in done.err
        assert "gitforge library fetch acme" in done.err
        assert not is_here(other, acme.head)
        again = sync(other, "--json")
        assert [(one["name"], one["fetched"]) for one in again.json["libraries"]] == [("acme", False)]

    def test_from_where_one_has_fetched_before_it_comes(
        self, workspace: Path, other: Path, acme: Other, git: Git
    ) -> None:
        assert sync(workspace).code == 0
        git("config", "gitforge-library.acme.url", str(acme.root), cwd=other)
        done = sync(other)
        assert done.code == 0
        assert f"acme: fetching {acme.head[:10]}" in done.err
        assert is_here(other, acme.head)
        assert "fetching" not in sync(other).err

    def test_a_library_that_is_gone_holds_nothing_up(
        self, workspace: Path, other: Path, acme: Other, git: Git
    ) -> None:
        assert sync(workspace).code == 0
        git("config", "gitforge-library.acme.url", str(acme.root), cwd=other)
        shutil.rmtree(acme.root)
        commit(other, git, {"mine.txt": "mine\n"}, "Mine")
        done = sync(other)
        assert done.code == 0
        assert "not fetched: " in done.err
        assert "sent: 1 commit" in done.out
        assert subjects(other, git)[0] == "Mine"


class TestIntegrate:
    def test_what_was_published_is_brought_and_what_is_here_goes_on_top(
        self, workspace: Path, other: Path, bare: Path, git: Git
    ) -> None:
        commit(other, git, {"notes.txt": "theirs\n"}, "Theirs")
        assert sync(other).code == 0
        mine = commit(workspace, git, {"mine.txt": "mine\n"}, "Mine")
        git("commit", "-q", "--amend", "--no-edit", "--date=2001-02-03T04:05:06+0100",
            "--author=Carol <carol@example.org>", cwd=workspace)  # fmt: skip
        done = sync(workspace)
        assert done.code == 0, done.told
        assert subjects(workspace, git)[:2] == ["Mine", "Theirs"]
        assert git("rev-parse", "HEAD", cwd=workspace) == git("rev-parse", "main", cwd=bare)
        assert mine not in git("rev-list", "HEAD", cwd=workspace)
        told = git("log", "-1", "--format=%an|%ae|%aI|%cn", cwd=workspace)
        assert told == "Carol|carol@example.org|2001-02-03T04:05:06+01:00|Ada Engineer"
        assert read(workspace, "notes.txt") == "theirs\n"
        assert git("status", "--porcelain", cwd=workspace) == ""
        assert git("reflog", "-1", "--format=%gs", cwd=workspace) == "gitforge: sync: 1 commit of origin/main"
        assert_sound(git, workspace)

    def test_the_users_staged_changed_and_untracked_files_stay(
        self, workspace: Path, other: Path, git: Git
    ) -> None:
        commit(other, git, {PERSONA: read(other, PERSONA) + "More.\n", "bin/run": "#!/bin/sh\n"})
        (other / "bin/run").chmod(0o755)
        git("commit", "-qam", "Make it run", cwd=other)
        assert sync(other).code == 0
        (workspace / "staged.txt").write_text("staged\n")
        git("add", "staged.txt", cwd=workspace)
        (workspace / CONSTRAINT).write_text("Mine.\n")
        (workspace / "untracked.txt").write_text("untracked\n")
        goals = workspace / "goals.yaml"
        goals.write_text("# staged\n" + goals.read_text())
        git("add", "goals.yaml", cwd=workspace)
        goals.write_text("# changed\n" + goals.read_text())
        before = git("status", "--porcelain", cwd=workspace), git("diff", "--cached", cwd=workspace)
        texts = {
            name: read(workspace, name) for name in ("staged.txt", CONSTRAINT, "untracked.txt", "goals.yaml")
        }
        done = sync(workspace)
        assert done.code == 0, done.told
        assert before == (git("status", "--porcelain", cwd=workspace), git("diff", "--cached", cwd=workspace))
        assert texts == {name: read(workspace, name) for name in texts}
        assert read(workspace, PERSONA).endswith("More.\n")
        assert os.access(workspace / "bin/run", os.X_OK)
        assert_sound(git, workspace)

    @pytest.mark.parametrize(
        "how", ["changed", "staged", "deleted", "untracked", "a link", "a staged folder"]
    )
    def test_what_is_in_the_way_is_named_and_nothing_moves(
        self, workspace: Path, other: Path, git: Git, how: str
    ) -> None:
        is_new = how in {"untracked", "a link", "a staged folder"}
        path = "new.txt" if is_new else PERSONA
        commit(other, git, {path: "Theirs.\n"})
        assert sync(other).code == 0
        target = workspace / path
        if how in {"changed", "staged", "untracked"}:
            target.write_text("Mine.\n")
        if how == "deleted":
            target.unlink()
        if how == "a link":
            target.symlink_to("goals.yaml")
        if how == "a staged folder":
            target.mkdir()
            (target / "mine").write_text("Mine.\n")
            git("add", "new.txt/mine", cwd=workspace)
        if how == "staged":
            git("add", path, cwd=workspace)
        refs, *rest = snapshot(git, workspace)
        done = sync(workspace)
        assert done.code == 4, done.told
        assert path in done.err
        assert snapshot(git, workspace)[1:] == tuple(rest)
        assert git("rev-parse", "HEAD", cwd=workspace) in str(refs)

    def test_an_untracked_file_with_the_same_content_is_in_nobodys_way(
        self, workspace: Path, other: Path, git: Git
    ) -> None:
        commit(other, git, {"new.txt": "same\n"})
        sync(other)
        (workspace / "new.txt").write_text("same\n")
        assert sync(workspace).code == 0
        assert git("status", "--porcelain", cwd=workspace) == ""

    def test_a_commit_that_both_sides_have_is_there_once(
        self, workspace: Path, other: Path, git: Git
    ) -> None:
        commit(other, git, {"same.txt": "same\n"}, "Theirs")
        commit(workspace, git, {"same.txt": "same\n"}, "The same")
        assert sync(other).code == 0
        done = sync(workspace)
        assert (done.code, subjects(workspace, git)[0]) == (0, "Theirs")
        assert "left out: The same" in done.out

    def test_different_lines_of_one_file_and_different_values_of_goals_are_merged(
        self, workspace: Path, other: Path, git: Git
    ) -> None:
        text = read(workspace, PERSONA)
        commit(other, git, {PERSONA: text + "At the end.\n",
                            "goals.yaml": read(other, "goals.yaml") + "# a comment of theirs\n"})  # fmt: skip
        sync(other)
        commit(workspace, git, {PERSONA: text.replace("name: ", "name: The ", 1)})
        done = sync(workspace)
        assert done.code == 0, done.told
        assert read(workspace, PERSONA) == text.replace("name: ", "name: The ", 1) + "At the end.\n"
        assert read(workspace, "goals.yaml").endswith("# a comment of theirs\n")

    def test_a_merge_commit_is_refused_and_nothing_moves(
        self, workspace: Path, other: Path, git: Git
    ) -> None:
        commit(other, git, {"x.txt": "x\n"})
        sync(other)
        git("switch", "-qc", "side", cwd=workspace)
        commit(workspace, git, {"y.txt": "y\n"})
        git("switch", "-q", "main", cwd=workspace)
        git("merge", "-q", "--no-ff", "-m", "Merge", "side", cwd=workspace)
        before = git("rev-parse", "HEAD", cwd=workspace)
        done = sync(workspace)
        assert (done.code, git("rev-parse", "HEAD", cwd=workspace)) == (4, before)
        assert "install-driver" in done.err

    def test_an_edit_follows_a_file_that_the_other_side_has_renamed(
        self, workspace: Path, other: Path, git: Git
    ) -> None:
        git("mv", PERSONA, "library/personas/sleuth.md", cwd=other)
        goals = read(other, "goals.yaml").replace("digital_detective.md", "sleuth.md")
        (other / "goals.yaml").write_text(goals)
        git("commit", "-qam", "Rename", cwd=other)
        assert sync(other).code == 0
        commit(workspace, git, {PERSONA: read(workspace, PERSONA) + "Mine.\n"})
        done = sync(workspace)
        assert done.code == 0, done.told
        assert not (workspace / PERSONA).exists()
        assert read(workspace, "library/personas/sleuth.md").endswith("Mine.\n")

    def test_a_rename_here_takes_the_edit_of_the_other_side_with_it(
        self, workspace: Path, other: Path, git: Git
    ) -> None:
        commit(other, git, {PERSONA: read(other, PERSONA) + "Theirs.\n"})
        assert sync(other).code == 0
        git("mv", PERSONA, "library/personas/sleuth.md", cwd=workspace)
        goals = read(workspace, "goals.yaml").replace("digital_detective.md", "sleuth.md")
        (workspace / "goals.yaml").write_text(goals)
        git("commit", "-qam", "Rename", cwd=workspace)
        done = sync(workspace)
        assert done.code == 0, done.told
        assert not (workspace / PERSONA).exists()
        assert read(workspace, "library/personas/sleuth.md").endswith("Theirs.\n")

    def test_ids_in_messages_are_those_of_the_new_commits(
        self, workspace: Path, other: Path, git: Git
    ) -> None:
        commit(other, git, {"x.txt": "x\n"})
        sync(other)
        commit(workspace, git, {PERSONA: read(workspace, PERSONA) + "Mine.\n"}, "Edit persona")
        assert gitforge("revert", "HEAD", cwd=workspace).code == 0
        assert sync(workspace).code == 0
        new = git("rev-parse", "HEAD^", cwd=workspace)
        assert f"This reverts commit {new}." in git("log", "-1", "--format=%B", cwd=workspace)

    @pytest.mark.skipif(not has("ssh-keygen"), reason="needs ssh-keygen")
    def test_commits_are_signed_again_where_the_user_signs(
        self, workspace: Path, other: Path, git: Git, tmp_path: Path
    ) -> None:
        commit(other, git, {"x.txt": "x\n"})
        sync(other)
        commit(workspace, git, {"y.txt": "y\n"})
        commit(workspace, git, {"z.txt": "z\n"}, "Grüße\n\nmore")
        signs(workspace, git, tmp_path / "key")
        assert sync(workspace).code == 0
        assert git("log", "-3", "--format=%G? %s", cwd=workspace).splitlines() == [
            "G Grüße", "G Edit by hand", "N Edit by hand",
        ]  # fmt: skip

    def test_line_endings_of_the_worktree_are_as_git_writes_them(
        self, workspace: Path, other: Path, git: Git
    ) -> None:
        commit(other, git, {"x.txt": "x\ny\n"})
        sync(other)
        git("config", "core.autocrlf", "true", cwd=workspace)
        assert sync(workspace).code == 0
        assert (workspace / "x.txt").read_bytes() == b"x\r\ny\r\n"
        assert git("status", "--porcelain", cwd=workspace) == ""

    def test_sha256_will_do(self, workspace: Path, tmp_path: Path, git: Git) -> None:
        shutil.rmtree(workspace / ".git")
        git("init", "-q", "-b", "main", "--object-format=sha256", cwd=workspace)
        git("add", ".", cwd=workspace)
        git("commit", "-qm", "Start", cwd=workspace)
        other = clone(share(workspace, git), "bob", git)
        commit(other, git, {"x.txt": "x\n"})
        commit(workspace, git, {"y.txt": "y\n"})
        assert sync(other).code == sync(workspace).code == 0
        assert len(git("rev-parse", "HEAD", cwd=workspace)) == 64
        assert_sound(git, workspace)


class TestGenerations:
    @pytest.fixture(autouse=True)
    def missing(self, workspace: Path, bare: Path, other: Path, git: Git) -> None:
        commit(workspace, git, {PROTOCOL: None}, "Drop a protocol")
        assert sync(workspace).code == sync(other).code == 0

    def generated(self, root: Path, purpose: str) -> None:
        name = PROTOCOL.rpartition("/")[2]
        done = build(root, "--describe", f"{name}={purpose}", "--provider", "offline", "--yes")
        assert done.code == 0, done.told

    def test_of_one_component_that_both_made_the_published_one_stays_and_it_is_said(
        self, workspace: Path, other: Path, git: Git
    ) -> None:
        self.generated(workspace, "Ask why here.")
        self.generated(other, "Ask why there.")
        assert sync(other).code == 0
        mine = git("rev-parse", "HEAD", cwd=workspace)
        done = sync(workspace)
        assert done.code == 0, done.told
        assert f"left out: {PROTOCOL} of {mine[:12]}: the published one is used" in done.out
        assert "why there." in read(workspace, PROTOCOL)
        assert subjects(workspace, git).count("Generate protocol root_cause_analysis_drilldown") == 1
        assert mine in git("reflog", "--format=%H", cwd=workspace)

    def test_an_approval_of_the_text_that_gave_way_goes_with_it_and_another_one_stays(
        self, workspace: Path, other: Path, git: Git
    ) -> None:
        self.generated(workspace, "Ask why here.")
        self.generated(other, "Ask why there.")
        assert gitforge("review", "--approve", PROTOCOL.rpartition("/")[2], cwd=workspace).code == 0
        assert sync(other).code == 0
        done = sync(workspace)
        assert done.code == 0, done.told
        assert not [one for one in subjects(workspace, git) if one.startswith("Approve")]
        assert gitforge("review", "--approve", PROTOCOL.rpartition("/")[2], cwd=workspace).code == 0
        assert sync(workspace).code == sync(other).code == 0
        assert subjects(other, git)[0].startswith("Approve")

    def test_taking_back_what_gave_way_is_nothing_any_more(
        self, workspace: Path, other: Path, git: Git
    ) -> None:
        self.generated(workspace, "Ask why here.")
        self.generated(other, "Ask why there.")
        assert gitforge("undo", cwd=workspace).code == 0
        assert sync(other).code == 0
        assert sync(workspace).code == 0
        assert git("rev-parse", "HEAD", cwd=workspace) == git("rev-parse", "HEAD", cwd=other)

    def test_prompts_travel_with_the_commits_that_name_them(
        self, workspace: Path, other: Path, git: Git, llm: object
    ) -> None:
        from llm_server import LlmServer, Say  # noqa: PLC0415

        assert isinstance(llm, LlmServer)
        llm.queue(Say("# Drill down\n\nAsk why, and test each answer.\n"))
        self_made = gitforge("generate", PROTOCOL.rpartition("/")[2], "--describe",
                             f"{PROTOCOL.rpartition('/')[2]}=Ask.", "--yes", cwd=workspace)  # fmt: skip
        assert self_made.code == 0, self_made.told
        git("update-ref", "refs/gitforge/prompts/" + "0" * 64, git("hash-object", "-w", "goals.yaml", cwd=workspace),
            cwd=workspace)  # fmt: skip
        done = sync(workspace)
        assert "1 prompt" in done.out
        assert "1 prompt" in sync(other).out
        refs = git("for-each-ref", "--format=%(refname)", "refs/gitforge", cwd=other).splitlines()
        assert len(refs) == 1
        assert gitforge("show", "--provenance", PROTOCOL.rpartition("/")[2], cwd=other).code == 0


class TestDisputes:
    @pytest.fixture(autouse=True)
    def disputed(self, workspace: Path, other: Path, git: Git) -> None:
        text = read(workspace, PERSONA)
        goals = read(workspace, "goals.yaml")
        place = goals[goals.index(f"{GOAL}:") :].split("description: ", 1)[1].split("\n", 1)[0]
        for root, word in ((other, "theirs"), (workspace, "ours")):
            commit(
                root,
                git,
                {PERSONA: text + f"Is {word}.\n", CONSTRAINT: None if word == "ours" else "Kept.\n"},
            )
            commit(root, git, {"goals.yaml": edited(goals, place, f"It is {word}")})
        assert sync(other).code == 0

    def test_all_of_it_is_listed_with_both_versions_and_nothing_changes(
        self, workspace: Path, git: Git
    ) -> None:
        before = snapshot(git, workspace)
        done = sync(workspace)
        assert done.code == 4
        for text in (
            "Is ours.",
            "Is theirs.",
            "It is ours",
            "It is theirs",
            "Kept.",
            "(it is not there)",
            GOAL,
        ):
            assert text in done.err
        assert snapshot(git, workspace)[1:] == before[1:]
        assert git("rev-parse", "HEAD", cwd=workspace) in str(before[0])
        listed = sync(workspace, "--json")
        assert listed.code == 4
        assert {one["path"] for one in listed.json["disputes"]} == {PERSONA, CONSTRAINT, "goals.yaml"}

    @pytest.mark.parametrize("side", ["ours", "theirs"])
    def test_an_option_decides_all_of_it(self, workspace: Path, other: Path, git: Git, side: str) -> None:
        done = sync(workspace, f"--{side}")
        assert done.code == 0, done.told
        assert read(workspace, PERSONA).endswith(f"Is {side}.\n")
        assert f"It is {side}" in read(workspace, "goals.yaml")
        assert (workspace / CONSTRAINT).exists() == (side == "theirs")
        assert sync(other).code == 0
        assert git("rev-parse", "HEAD", cwd=workspace) == git("rev-parse", "HEAD", cwd=other)
        assert "<<<<" not in git("grep", "-c", "", "--", PERSONA, cwd=workspace)

    def test_both_options_at_once_are_a_wrong_command_line(self, workspace: Path) -> None:
        assert sync(workspace, "--ours", "--theirs").code == 2


class TestDryRun:
    def test_it_says_all_and_moves_nothing_here_or_there(
        self, workspace: Path, other: Path, bare: Path, git: Git
    ) -> None:
        commit(other, git, {"x.txt": "x\n"}, "Theirs")
        sync(other)
        commit(workspace, git, {"y.txt": "y\n"}, "Mine")
        before = snapshot(git, workspace), git("for-each-ref", cwd=bare)
        done = sync(workspace, "--dry-run")
        assert done.code == 0
        assert "would be received: 1 commit" in done.out
        assert "would be sent: 1 commit" in done.out
        assert (snapshot(git, workspace), git("for-each-ref", cwd=bare)) == before
        found = sync(workspace, "--dry-run", "--json").json
        assert (found["received"]["commits"], found["replayed"], found["sent"]["commits"]) == (1, 1, 1)

    def test_without_pushing_only_this_clone_changes(
        self, workspace: Path, other: Path, bare: Path, git: Git
    ) -> None:
        commit(other, git, {"x.txt": "x\n"})
        sync(other)
        commit(workspace, git, {"y.txt": "y\n"})
        before = git("for-each-ref", cwd=bare)
        assert sync(workspace, "--no-push").code == 0
        assert git("for-each-ref", cwd=bare) == before
        assert read(workspace, "x.txt") == "x\n"
