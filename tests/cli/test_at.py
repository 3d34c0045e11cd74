"""`gitforge build --at`: a toolkit as it was, byte for byte, from git's objects alone."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from llm_server import LlmServer
from program import CONSTRAINT, GOAL, PERSONA, PROTOCOL, build, files, gitforge

Git = Callable[..., str]
TOOLKIT = "output/outage"


@pytest.fixture
def moved_on(workspace: Path, git: Git, tmp_path: Path) -> Path:
    """A workspace whose toolkit was built at the tag `then`, and copied to `kept`; all has moved on since."""
    git("tag", "then", cwd=workspace)
    assert build(workspace).code == 0
    shutil.copytree(workspace / TOOLKIT, tmp_path / "kept")
    for path in (PERSONA, PROTOCOL, CONSTRAINT):
        (workspace / path).write_text("## Another\n")
    (workspace / "library/templates/persona.md").write_text("{{ persona.text }}")
    goals = workspace / "goals.yaml"
    goals.write_text(goals.read_text().replace("description: To find", "description: To really find"))
    git("commit", "-qam", "Move on", cwd=workspace)
    assert build(workspace).code == 0
    (workspace / PERSONA).write_text("## Not committed\n")
    return workspace


def same(folder: Path, other: Path) -> bool:
    return files(folder) == files(other)


@pytest.mark.parametrize("at", ["then", "HEAD~1", "HEAD^", "main~1"])
def test_a_toolkit_is_as_it_was_at_a_revision(
    moved_on: Path, tmp_path: Path, git: Git, llm: LlmServer, at: str
) -> None:
    before = {name: content for name, content in files(moved_on).items() if not name.startswith("output/")}
    head, status = git("rev-parse", "HEAD", cwd=moved_on), git("status", "--porcelain", cwd=moved_on)
    done = gitforge("build", "outage", "--at", at, cwd=moved_on)
    assert done.code == 0, done.told
    assert done.out.split() == [f"{TOOLKIT}/00_PERSONA.md", f"{TOOLKIT}/01_PROMPT_TEMPLATE.md"]
    assert git("rev-parse", "--short=12", "then", cwd=moved_on) in done.err
    assert same(moved_on / TOOLKIT, tmp_path / "kept")
    after = {name: content for name, content in files(moved_on).items() if not name.startswith("output/")}
    assert after == before
    assert (git("rev-parse", "HEAD", cwd=moved_on), git("status", "--porcelain", cwd=moved_on)) == (
        head,
        status,
    )
    assert llm.requests == []


def test_a_toolkit_is_as_its_manifest_says(moved_on: Path, tmp_path: Path) -> None:
    done = gitforge("build", "outage", "--at", str(tmp_path / "kept/toolkit.json"), cwd=moved_on)
    assert done.code == 0, done.told
    assert "verified" in done.err
    assert same(moved_on / TOOLKIT, tmp_path / "kept")


def test_a_manifest_of_what_was_never_committed_is_made_again(
    moved_on: Path, tmp_path: Path, git: Git
) -> None:
    assert build(moved_on).code == 0
    shutil.copytree(moved_on / TOOLKIT, tmp_path / "edited")
    assert "Not committed" in (tmp_path / "edited/00_PERSONA.md").read_text()
    git("checkout", "-q", "--", ".", cwd=moved_on)
    manifest = tmp_path / "edited/toolkit.json"
    done = gitforge("build", "--at", str(manifest), "--to", str(tmp_path / "new"), cwd=moved_on)
    assert done.code == 0, done.told
    assert same(tmp_path / "new", tmp_path / "edited")


def test_a_toolkit_is_as_it_was_at_a_date(workspace: Path, git: Git, tmp_path: Path) -> None:
    assert build(workspace).code == 0
    shutil.copytree(workspace / TOOLKIT, tmp_path / "kept")
    (workspace / PERSONA).write_text("## Another\n")
    git(
        "-c",
        "alias.at=!GIT_COMMITTER_DATE=2098-01-01T00:00:00Z git commit",
        "at",
        "-qam",
        "Later",
        cwd=workspace,
    )
    assert gitforge("build", "outage", "--at", "2097-01-01", cwd=workspace).code == 0
    assert same(workspace / TOOLKIT, tmp_path / "kept")
    done = gitforge("build", "outage", "--at", "1999-01-01", cwd=workspace)
    assert done.code == 1
    assert "there is no commit before 1999-01-01" in done.err


def test_another_folder_is_made_and_never_overwritten(moved_on: Path, tmp_path: Path) -> None:
    before = files(moved_on)
    arguments = ("build", "outage", "--at", "then", "--to", "../other/deep")
    done = gitforge(*arguments, cwd=moved_on)
    assert done.code == 0, done.told
    assert done.out.split()[0] == "../other/deep/00_PERSONA.md"
    assert same(tmp_path / "other/deep", tmp_path / "kept")
    assert gitforge(*arguments, cwd=moved_on).code == 0, "the same files again are no conflict"
    (tmp_path / "other/deep/00_PERSONA.md").write_text("Mine.\n")
    (tmp_path / "other/deep/toolkit.json").unlink()
    done = gitforge(*arguments, cwd=moved_on)
    assert done.code == 4
    assert "00_PERSONA.md" in done.err
    assert not (tmp_path / "other/deep/toolkit.json").exists()
    assert files(moved_on) == before


def test_the_folder_is_relative_to_where_it_is_run(moved_on: Path, tmp_path: Path) -> None:
    arguments = ("-C", "work/library", "build", "outage", "--at", "then", "--to", "../../there")
    assert gitforge(*arguments, cwd=tmp_path).code == 0
    assert same(tmp_path / "there", tmp_path / "kept")


def test_edits_by_hand_are_not_overwritten(moved_on: Path, tmp_path: Path) -> None:
    (moved_on / TOOLKIT / "00_PERSONA.md").write_text("Mine.\n")
    done = gitforge("build", "outage", "--at", "then", cwd=moved_on)
    assert done.code == 4
    assert "--force" in done.err
    assert (moved_on / TOOLKIT / "00_PERSONA.md").read_text() == "Mine.\n"
    assert gitforge("build", "outage", "--at", "then", "--force", cwd=moved_on).code == 0
    assert same(moved_on / TOOLKIT, tmp_path / "kept")


def test_another_project_has_its_own_name_in_it(moved_on: Path) -> None:
    done = gitforge("build", "drill", "--at", "then", cwd=moved_on)
    assert done.code == 2
    assert "--goal" in done.err
    assert gitforge("build", "drill", "--at", "then", "--goal", GOAL, cwd=moved_on).code == 0
    assert (moved_on / "output/drill/00_PERSONA.md").read_text().startswith("# Persona: drill\n")


def test_a_component_that_was_missing_then_is_a_placeholder(incomplete: Path, git: Git) -> None:
    git("tag", "then", cwd=incomplete)
    (incomplete / PROTOCOL).write_text("## There\n")
    git("add", PROTOCOL, cwd=incomplete)
    git("commit", "-qm", "Write it", cwd=incomplete)
    done = gitforge("build", "outage", "--goal", GOAL, "--at", "then", "--json", cwd=incomplete)
    assert done.code == 3
    assert (done.json["degraded"], done.json["missing"]) == (True, [PROTOCOL])
    assert done.json["at"]["commit"] == git("rev-parse", "then", cwd=incomplete)
    assert "MISSING" in (incomplete / TOOLKIT / "01_PROMPT_TEMPLATE.md").read_text()


@pytest.mark.parametrize("at", ["tea", "HEAD~99", "", "--help", "no/such/toolkit.json", "library"])
def test_what_is_neither_revision_nor_date_nor_manifest_is_refused(moved_on: Path, at: str) -> None:
    before = files(moved_on)
    done = gitforge("build", "outage", f"--at={at}", cwd=moved_on)
    assert done.code == 1
    assert "no revision, no date" in done.err
    assert files(moved_on) == before


def test_a_goal_that_was_not_there_then_is_an_error(moved_on: Path) -> None:
    done = gitforge("build", "outage", "--goal", "LATER", "--at", "then", cwd=moved_on)
    assert done.code == 1
    assert "has no goal 'LATER'" in done.err


def test_a_commit_without_a_workspace_is_an_error(moved_on: Path, git: Git) -> None:
    empty = git("commit-tree", "4b825dc642cb6eb9a060e54bf8d69288fbee4904", "-m", "Empty", cwd=moved_on)
    done = gitforge("build", "outage", "--at", empty, cwd=moved_on)
    assert done.code == 1
    assert "the commit has no goals.yaml" in done.err


def test_a_manifest_whose_hash_is_another_is_never_silently_used(moved_on: Path, tmp_path: Path) -> None:
    path = tmp_path / "kept/toolkit.json"
    data = json.loads(path.read_text())
    data["description"] = "Something else."
    path.write_text(json.dumps(data))
    done = gitforge("build", "outage", "--at", str(path), "--to", "../new", cwd=moved_on)
    assert done.code == 1
    assert "gives another text than was assembled" in done.err
    assert not (tmp_path / "new").exists()


def test_a_broken_goals_file_of_today_is_no_obstacle(moved_on: Path, tmp_path: Path) -> None:
    (moved_on / "goals.yaml").write_text("goals: [\n")
    assert gitforge("build", "outage", "--at", "then", cwd=moved_on).code == 0
    assert same(moved_on / TOOLKIT, tmp_path / "kept")


def test_a_dry_run_and_options_that_do_not_fit_write_nothing(moved_on: Path) -> None:
    before = files(moved_on)
    assert gitforge("build", "outage", "--at", "then", "--dry-run", cwd=moved_on).code == 0
    assert gitforge("build", "outage", "--to", "x", cwd=moved_on).code == 2
    assert gitforge("build", "--at", "then", cwd=moved_on).code == 2
    assert files(moved_on) == before


@pytest.mark.parametrize(
    "options",
    [("--stale",), ("--propose",), ("--ours",), ("--theirs",), ("--yes",), ("--require-reviewed",), ("--model=m",),
     ("--keep-going",), ("--to=x", "--force")],
)  # fmt: skip
def test_options_that_a_toolkit_of_the_past_cannot_heed_are_refused(
    moved_on: Path, options: tuple[str, ...]
) -> None:
    before = files(moved_on)
    done = gitforge("build", "outage", "--at", "then", *options, cwd=moved_on)
    assert done.code == 2
    assert "cannot both hold" in done.err
    assert files(moved_on) == before


def test_a_goal_beside_a_manifest_is_refused(moved_on: Path) -> None:
    done = gitforge("build", "--at", f"{TOOLKIT}/toolkit.json", "--goal", GOAL, cwd=moved_on)
    assert done.code == 2
    assert "a manifest says the goal itself" in done.err


def test_a_toolkit_that_is_not_there_is_said_not_to_be(moved_on: Path) -> None:
    done = gitforge("build", "nobodys", "--at", "then", cwd=moved_on)
    assert done.code == 2
    assert "there is no toolkit output/nobodys/" in done.err


def test_a_template_that_a_commit_has_not_got_is_said_to_be_todays_and_a_dry_run_keeps_nothing(
    workspace: Path, git: Git
) -> None:
    git("rm", "-q", "library/templates/persona.md", cwd=workspace)
    git("commit", "-qm", "Use gitforge's", cwd=workspace)
    at = ("build", "outage", "--goal", GOAL, "--at", "HEAD")
    done = gitforge(*at, "--dry-run", cwd=workspace)
    assert done.code == 0, done.told
    assert "has no library/templates/persona.md: gitforge's own of today is used" in done.err
    assert git("for-each-ref", "refs/gitforge", cwd=workspace) == ""
    assert gitforge(*at, cwd=workspace).code == 0
    assert git("for-each-ref", "refs/gitforge/texts", cwd=workspace)


def test_a_date_before_the_first_commit_names_that_of_the_first(moved_on: Path, git: Git) -> None:
    first = git("rev-list", "--max-parents=0", "HEAD", cwd=moved_on)
    done = gitforge("build", "outage", "--at", "1999-01-01", cwd=moved_on)
    assert done.code == 1
    assert first[:12] in done.err


def test_hours_are_counted_too(moved_on: Path) -> None:
    done = gitforge("build", "outage", "--at", "9000 hours ago", cwd=moved_on)
    assert done.code == 1
    assert "no commit before" in done.err
