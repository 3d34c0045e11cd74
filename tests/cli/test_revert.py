"""`gitforge revert`: what a commit did is taken back by one commit, wherever it is, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from harm import TEXT, snapshot
from llm_server import LlmServer, Say
from past import BETTER, STEM, add_goal, approve, commit
from program import CONSTRAINT, DESCRIBE, GOAL, NAME, PERSONA, PROTOCOL, gitforge

Git = Callable[..., str]


@pytest.fixture
def generated(incomplete: Path, llm: LlmServer) -> Path:
    """A workspace whose protocol was just generated."""
    llm.queue(Say(TEXT))
    assert gitforge("generate", NAME, *DESCRIBE, "--yes", cwd=incomplete).code == 0
    return incomplete


def assert_refused(root: Path, git: Git, code: int, words: str, *arguments: str) -> None:
    before = snapshot(git, root)
    done = gitforge("revert", *arguments, cwd=root)
    assert done.code == code, done.told
    assert words in done.err
    assert "hint: " in done.err or code == 1
    assert snapshot(git, root) == before


# A component


def test_a_generation_is_gone_and_said_as_git_says_it(generated: Path, git: Git) -> None:
    (generated / "mine.txt").write_text("mine\n")
    git("add", "mine.txt", cwd=generated)
    made = git("rev-parse", "HEAD", cwd=generated)
    done = gitforge("revert", NAME, "--why", "It flatters\nthe reader.", cwd=generated)
    assert done.code == 0, done.err
    assert done.out == f"deleted  {PROTOCOL}\n"
    assert f"missing now: {PROTOCOL} of the goal {GOAL}" in done.err
    assert "The next generation of it is told the text that was taken back, and the reason." in done.err
    assert git("log", "-1", "--format=%B", cwd=generated).rstrip("\n") == (
        f'Revert "Generate protocol {STEM}"\n\nThis reverts commit {made}.\n\nIt flatters the reader.\n\n'
        f"Component: {PROTOCOL}"
    )
    assert git("show", "--format=", "--name-status", "HEAD", cwd=generated) == f"D\t{PROTOCOL}"
    assert git("status", "--porcelain", cwd=generated) == "A  mine.txt"
    assert not (generated / PROTOCOL).exists()


def test_the_next_generation_is_told_the_text_and_the_reason(generated: Path, llm: LlmServer) -> None:
    assert gitforge("revert", STEM, "--why", "It flatters the reader.", cwd=generated).code == 0
    llm.queue(Say(BETTER))
    assert gitforge("generate", NAME, *DESCRIBE, "--yes", cwd=generated).code == 0
    prompt = llm.requests[-1].prompt
    assert "It flatters the reader." in prompt
    assert TEXT.splitlines()[-1] in prompt


def test_of_a_component_its_last_change_alone_is_taken_back(
    generated: Path, llm: LlmServer, git: Git
) -> None:
    llm.queue(Say(BETTER))
    assert gitforge("regenerate", NAME, "--yes", cwd=generated).code == 0
    commit(generated, git, PERSONA, "You are another.\n")
    done = gitforge("revert", NAME, "--why", "It rambles.", "--json", cwd=generated)
    assert done.code == 0, done.err
    assert (generated / PROTOCOL).read_text() == TEXT
    assert done.json["files"] == [{"path": PROTOCOL, "action": "changed"}]
    assert done.json["goals_missing"] == []
    assert done.json["commit"] == git("rev-parse", "HEAD", cwd=generated)
    assert done.json["subject"] == f"Regenerate protocol {STEM}"
    llm.queue(Say("# Drill down\n\nA third.\n"))
    assert gitforge("regenerate", NAME, "--yes", cwd=generated).code == 0
    assert "It rambles." in llm.requests[-1].prompt


def test_of_a_commit_with_several_only_the_named_component_is_taken_back(workspace: Path, git: Git) -> None:
    (workspace / PERSONA).write_text("You are another.\n")
    (workspace / "README.md").write_text("Mine.\n")
    git("add", "-A", cwd=workspace)
    commit(workspace, git, CONSTRAINT, "Another.\n")
    git("commit", "-qam", "Edit two", cwd=workspace)
    old = git("show", f"HEAD^:{PERSONA}", cwd=workspace) + "\n"
    assert gitforge("revert", "digital_detective", cwd=workspace).code == 0
    assert (workspace / PERSONA).read_text() == old
    assert (workspace / CONSTRAINT).read_text() == "Another.\n"
    assert (workspace / "README.md").read_text() == "Mine.\n"


def test_a_deleted_component_comes_back_by_its_name(generated: Path, git: Git) -> None:
    git("rm", "-q", PROTOCOL, cwd=generated)
    git("commit", "-qm", "Drop it", cwd=generated)
    done = gitforge("revert", NAME, cwd=generated)
    assert done.out == f"brought back  {PROTOCOL}\n"
    assert (generated / PROTOCOL).read_text() == TEXT
    blob = git("rev-parse", f"HEAD:{PROTOCOL}", cwd=generated)
    assert git("log", "-1", "--format=%(trailers)", cwd=generated).splitlines() == [
        f"Component: {PROTOCOL}",
        f"Blob: {blob}",
    ]


# A commit


def test_a_commit_that_is_not_the_latest_is_merged_out(generated: Path, git: Git) -> None:
    lines = [f"{number}. Step.\n" for number in range(20)]
    commit(generated, git, PROTOCOL, "".join(lines))
    middle = commit(generated, git, PROTOCOL, "".join([*lines[:10], "And this.\n", *lines[10:]]), "Middle")
    commit(generated, git, PROTOCOL, "".join(["First.\n", *lines[:10], "And this.\n", *lines[10:]]))
    assert gitforge("revert", middle[:12], cwd=generated).code == 0
    assert (generated / PROTOCOL).read_text() == "".join(["First.\n", *lines])
    assert git("status", "--porcelain", cwd=generated) == ""


def test_what_has_been_changed_since_is_named_and_nothing_changes(generated: Path, git: Git) -> None:
    middle = commit(generated, git, PROTOCOL, "# Drill down\n\nAsk who.\n")
    commit(generated, git, PROTOCOL, "# Drill down\n\nAsk whom.\n")
    assert_refused(generated, git, 4, f"{PROTOCOL}: what that commit changed has been changed since", middle)
    done = gitforge("revert", middle, cwd=generated)
    assert "Ask who.\n" in done.err
    assert "Ask whom.\n" in done.err
    assert_refused(generated, git, 4, f"{PROTOCOL} was added by that commit, and edited since", "HEAD~2")


def test_a_rename_is_taken_back(generated: Path, git: Git) -> None:
    git("mv", PROTOCOL, "library/protocols/other_name.md", cwd=generated)
    git("commit", "-qm", "Rename it", cwd=generated)
    assert gitforge("revert", "HEAD", cwd=generated).code == 0
    assert git("show", "--format=", "--name-status", "-M", "HEAD", cwd=generated).startswith("R100\t")
    assert (generated / PROTOCOL).read_text() == TEXT


OTHER = "library/protocols/other_name.md"


def rename(root: Path, git: Git, *, with_goals: bool = False) -> str:
    """Commits a renaming of the protocol, and of its name in goals.yaml."""
    git("mv", PROTOCOL, OTHER, cwd=root)
    if with_goals:
        goals = root / "goals.yaml"
        goals.write_text(goals.read_text().replace(NAME, "other_name.md"))
    git("commit", "-qam", "Rename it", cwd=root)
    return git("rev-parse", "HEAD", cwd=root)


@pytest.mark.parametrize("name", ["other_name.md", NAME])
def test_of_a_renamed_component_the_renaming_is_taken_back_and_nothing_is_deleted(
    generated: Path, git: Git, name: str
) -> None:
    rename(generated, git)
    done = gitforge("revert", name, cwd=generated)
    assert done.code == 0, done.err
    assert (generated / PROTOCOL).read_text() == TEXT
    assert not (generated / OTHER).exists()


@pytest.mark.parametrize("name", ["other_name.md", NAME])
def test_a_renaming_that_goals_yaml_follows_is_refused_with_the_command_that_does_it(
    generated: Path, git: Git, name: str
) -> None:
    before = (generated / "goals.yaml").read_text()
    moved = rename(generated, git, with_goals=True)
    assert_refused(generated, git, 1, "in a commit that also changed goals.yaml", name)
    done = gitforge("revert", name, cwd=generated)
    assert f"`gitforge revert {moved[:12]}`" in done.err
    assert gitforge("revert", moved[:12], cwd=generated).code == 0
    assert (generated / PROTOCOL).read_text() == TEXT
    assert (generated / "goals.yaml").read_text() == before


def test_what_was_renamed_since_is_taken_back_under_its_name_of_today(
    generated: Path, llm: LlmServer, git: Git
) -> None:
    first = git("rev-parse", "HEAD", cwd=generated)
    llm.queue(Say(BETTER))
    assert gitforge("regenerate", NAME, "--yes", cwd=generated).code == 0
    second = git("rev-parse", "HEAD", cwd=generated)
    rename(generated, git, with_goals=True)
    assert_refused(generated, git, 4, f"{OTHER} was added by that commit, and edited since", first)
    done = gitforge("revert", second, cwd=generated)
    assert done.out == f"changed  {OTHER}\n", done.err
    assert (generated / OTHER).read_text() == TEXT
    assert gitforge("revert", first, cwd=generated).out == f"deleted  {OTHER}\n"


def test_an_outline_is_not_said_to_be_told_to_anybody(incomplete: Path) -> None:
    assert gitforge("generate", NAME, *DESCRIBE, "--yes", cwd=incomplete).code == 0
    done = gitforge("revert", NAME, "--why", "Empty.", cwd=incomplete)
    assert done.code == 0, done.err
    assert "It was an outline: the next generation begins anew" in done.err
    assert "is told" not in done.err


def test_a_file_whose_name_gitforge_would_not_write_is_left_to_git(workspace: Path, git: Git) -> None:
    odd = commit(workspace, git, "library/protocols/a\nb.md", "Odd.\n")
    assert_refused(workspace, git, 1, "gitforge writes no file of such a name", odd)


def test_what_is_as_before_already_makes_no_commit(generated: Path, git: Git) -> None:
    made = git("rev-parse", "HEAD", cwd=generated)
    git("revert", "--no-edit", "HEAD", cwd=generated)
    head = git("rev-parse", "HEAD", cwd=generated)
    done = gitforge("revert", made, "--json", cwd=generated)
    assert done.code == 0, done.err
    assert (done.json["commit"], done.json["files"]) == (None, [])
    assert "Nothing to take back" in done.err
    assert git("rev-parse", "HEAD", cwd=generated) == head


def test_a_dry_run_shows_the_diff_and_does_nothing(generated: Path, git: Git) -> None:
    before = snapshot(git, generated)
    done = gitforge("revert", NAME, "--dry-run", cwd=generated)
    assert done.code == 0, done.err
    assert f"--- a/{PROTOCOL}\n+++ /dev/null\n" in done.err
    assert f"missing then: {PROTOCOL} of the goal {GOAL}" in done.err
    assert snapshot(git, generated) == before


# goals.yaml


def test_a_goal_is_taken_back_where_goals_yaml_has_moved_on(
    workspace: Path, llm: LlmServer, git: Git
) -> None:
    before = (workspace / "goals.yaml").read_text()
    for name in ("REVIEW_ONE", "REVIEW_TWO", "REVIEW_THREE"):
        llm.queue(Say(f"# {name}\n\nGo through it.\n"))
        add_goal(workspace, name)
    middle = git("rev-parse", "HEAD^", cwd=workspace)
    goals = workspace / "goals.yaml"
    goals.write_text(f"# staged\n{goals.read_text()}")
    git("add", "goals.yaml", cwd=workspace)
    goals.write_text(f"{goals.read_text()}# changed\n")
    done = gitforge("revert", middle, "--json", cwd=workspace)
    assert done.code == 0, done.err
    assert [one["action"] for one in done.json["files"]] == ["changed", "deleted"]
    assert "REVIEW_TWO" not in goals.read_text()
    assert goals.read_text().startswith("# staged\n")
    assert goals.read_text().endswith("# changed\n")
    now = git("show", "HEAD:goals.yaml", cwd=workspace)
    assert now.startswith(before)
    assert "REVIEW_ONE" in now
    assert "REVIEW_THREE" in now
    assert "# staged" not in now
    assert git("status", "--porcelain", cwd=workspace) == "MM goals.yaml"
    assert git("log", "-1", "--format=%s%n%(trailers)", cwd=workspace).split("\n")[:2] == [
        'Revert "Add goal REVIEW_TWO"',
        "Component: library/protocols/review_two.md",
    ]
    assert gitforge("check", cwd=workspace).code == 0


def test_a_goal_that_was_edited_since_is_a_conflict(workspace: Path, llm: LlmServer, git: Git) -> None:
    for name in ("REVIEW_ONE", "REVIEW_TWO"):
        llm.queue(Say(f"# {name}\n\nGo through it.\n"))
        add_goal(workspace, name)
    goals = workspace / "goals.yaml"
    commit(workspace, git, "goals.yaml", goals.read_text().replace("To review_one.", "To review it."))
    assert_refused(workspace, git, 4, "goals.yaml: the goal REVIEW_ONE has been changed since", "HEAD~2")


def test_a_goals_yaml_that_could_not_be_used_is_a_conflict(workspace: Path, git: Git) -> None:
    goals = (workspace / "goals.yaml").read_text()
    commit(workspace, git, "goals.yaml", "goals: [\n", "Break it")
    mended = commit(workspace, git, "goals.yaml", goals, "Mend it")
    assert_refused(workspace, git, 4, "goals.yaml could not be used any more", mended)
    broken = commit(workspace, git, "goals.yaml", "goals: [\n", "Break it again")
    assert gitforge("revert", broken, cwd=workspace).code == 0, "a file that cannot be read can be mended"
    assert (workspace / "goals.yaml").read_text() == goals


# In the way


def test_changes_that_are_not_committed_are_in_the_way(generated: Path, git: Git) -> None:
    (generated / PROTOCOL).write_text("Mine.\n")
    assert_refused(generated, git, 4, f"{PROTOCOL} is to be deleted, but has changes", NAME)
    git("add", PROTOCOL, cwd=generated)
    assert_refused(generated, git, 4, f"{PROTOCOL} is to be deleted, but has changes that are staged", NAME)
    git("reset", "-q", "--hard", cwd=generated)
    commit(generated, git, PROTOCOL, BETTER)
    (generated / PROTOCOL).write_text("Mine.\n")
    assert_refused(generated, git, 4, f"{PROTOCOL} is not as it was in the last commit", NAME)
    git("rm", "-qf", PROTOCOL, cwd=generated)
    git("commit", "-qm", "Drop it", cwd=generated)
    (generated / PROTOCOL).parent.mkdir(exist_ok=True)
    (generated / PROTOCOL).write_text("Untracked.\n")
    assert_refused(generated, git, 4, f"{PROTOCOL} exists already, with other content", NAME)


def test_a_kept_draft_is_in_the_way(generated: Path, llm: LlmServer, git: Git) -> None:
    llm.queue(Say("TODO: all of it.\n"), Say("TODO: all of it, again.\n"))
    assert gitforge("regenerate", NAME, "--yes", cwd=generated).code == 5
    assert_refused(generated, git, 4, f"a draft of {PROTOCOL} is kept", NAME)
    assert gitforge("drafts", "drop", NAME, cwd=generated).code == 0
    assert gitforge("revert", NAME, cwd=generated).code == 0


# What cannot be


def test_what_is_no_commit_and_no_component_is_said(generated: Path, git: Git, tmp_path: Path) -> None:
    assert_refused(generated, git, 1, "there is no commit 'nope' here", "nope")
    assert_refused(generated, git, 1, "no component is or was called 'nope.md'", "nope.md")
    assert_refused(generated, git, 1, "there is no commit ", "\x1b[31m")
    assert "\x1b" not in gitforge("revert", "\x1b[31m", cwd=generated).told
    git("checkout", "-qb", "side", cwd=generated)
    other = commit(generated, git, PERSONA, "On the side.\n")
    git("checkout", "-q", "main", cwd=generated)
    assert_refused(generated, git, 1, "is not in the history of the branch that is checked out", other)
    root = git("rev-list", "--max-parents=0", "HEAD", cwd=generated)
    assert_refused(generated, git, 1, "is the first one", root)
    readme = commit(generated, git, "README.md", "Mine.\n")
    assert_refused(generated, git, 1, f"the commit {readme[:12]} changed no component: README.md", readme)
    git("merge", "-q", "--no-ff", "-m", "Merge side", "side", cwd=generated)
    assert_refused(generated, git, 1, "git revert -m 1", "HEAD")
    git("commit", "-q", "--allow-empty", "-m", "Empty", cwd=generated)
    assert_refused(generated, git, 1, "changed no component: it is empty", "HEAD")


def test_a_commit_that_changed_other_files_too_is_left_to_git(workspace: Path, git: Git) -> None:
    (workspace / PERSONA).write_text("You are another.\n")
    (workspace / "README.md").write_text("Mine.\n")
    git("add", "-A", cwd=workspace)
    git("commit", "-qm", "Both", cwd=workspace)
    assert_refused(workspace, git, 1, "also changed README.md", "HEAD")


def test_the_first_commit_of_a_workspace_in_an_older_repository_is_refused(tmp_path: Path, git: Git) -> None:
    git("init", "-q", "-b", "main", "old", cwd=tmp_path)
    git("commit", "-q", "--allow-empty", "-m", "Old", cwd=tmp_path / "old")
    assert gitforge("init", cwd=tmp_path / "old").code == 0
    done = gitforge("revert", "HEAD", cwd=tmp_path / "old")
    assert done.code == 1
    assert "is the workspace's first one" in done.err


def test_where_a_shallow_clone_ends_it_says_so(generated: Path, git: Git, tmp_path: Path) -> None:
    git("clone", "-q", "--depth", "1", generated.as_uri(), str(tmp_path / "shallow"), cwd=tmp_path)
    done = gitforge("revert", NAME, cwd=tmp_path / "shallow")
    assert done.code == 1
    assert "is where this shallow clone ends" in done.err
    assert "git fetch --unshallow" in done.err


def test_a_workspace_below_the_repositorys_root_has_its_own_paths(tmp_path: Path, git: Git) -> None:
    git("init", "-q", "-b", "main", "repo", cwd=tmp_path)
    git("commit", "-q", "--allow-empty", "-m", "Old", cwd=tmp_path / "repo")
    assert gitforge("init", "prompts", cwd=tmp_path / "repo").code == 0
    root = tmp_path / "repo/prompts"
    old = (root / PERSONA).read_text()
    (root / PERSONA).write_text("You are another.\n")
    git("commit", "-qam", "Edit", cwd=root)
    done = gitforge("revert", "digital_detective", cwd=root / "library")
    assert done.code == 0, done.err
    assert done.out == f"changed  prompts/{PERSONA}\n"
    assert (root / PERSONA).read_text() == old


def test_line_endings_of_the_worktree_stay(generated: Path, git: Git) -> None:
    git("config", "core.autocrlf", "true", cwd=generated)
    commit(generated, git, PROTOCOL, BETTER)
    (generated / PROTOCOL).unlink()
    git("checkout", "-q", PROTOCOL, cwd=generated)
    assert gitforge("revert", NAME, cwd=generated).code == 0
    assert (generated / PROTOCOL).read_bytes() == TEXT.replace("\n", "\r\n").encode()
    assert git("status", "--porcelain", cwd=generated) == ""
    assert gitforge("revert", "HEAD~2", cwd=generated).code == 0
    assert not (generated / PROTOCOL).exists()


# Approvals


def test_reverting_an_approval_withdraws_it_and_reverting_that_gives_it_again(
    generated: Path, git: Git
) -> None:
    blob = approve(generated, git)
    assert gitforge("revert", "HEAD", "--why", "Too early.", cwd=generated).code == 0
    group = [f"Component: {PROTOCOL}", f"Blob: {blob}"]
    ada = "Ada Engineer <ada@example.org>"
    trailers = git("log", "-1", "--format=%(trailers)", cwd=generated).splitlines()
    assert trailers == [*group, f"Review-withdrawn-by: {ada}"]
    assert git("rev-parse", "HEAD^{tree}", cwd=generated) == git("rev-parse", "HEAD^^{tree}", cwd=generated)
    again = gitforge("revert", "HEAD~1", "--json", cwd=generated)
    assert (again.code, again.json["commit"]) == (0, None)
    assert gitforge("revert", "HEAD", cwd=generated).code == 0
    assert git("log", "-1", "--format=%(trailers)", cwd=generated).splitlines() == [
        *group,
        f"Reviewed-by: {ada}",
    ]
