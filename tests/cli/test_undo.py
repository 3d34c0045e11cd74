"""`gitforge undo`: the last thing that gitforge recorded, then the one before it."""

from __future__ import annotations

from pathlib import Path

import pytest
from harm import TEXT
from llm_server import LlmServer, Say
from past import BETTER, STEM, Git, add_goal, approve, commit
from program import DESCRIBE, NAME, PERSONA, PROTOCOL, gitforge


@pytest.fixture
def history(incomplete: Path, llm: LlmServer, git: Git) -> Path:
    """A generation, a commit of the user's, and a regeneration."""
    llm.queue(Say(TEXT), Say(BETTER))
    assert gitforge("generate", NAME, *DESCRIBE, "--yes", cwd=incomplete).code == 0
    commit(incomplete, git, PERSONA, "You are another.\n", "Edit a persona")
    assert gitforge("regenerate", NAME, "--yes", cwd=incomplete).code == 0
    return incomplete


def undo(root: Path) -> str:
    """The subject of what was undone."""
    done = gitforge("undo", "--json", cwd=root)
    assert done.code == 0, done.err
    return str(done.json["subject"])


def test_it_goes_back_step_by_step_and_leaves_what_is_not_gitforges(history: Path, git: Git) -> None:
    newest = git("rev-parse", "HEAD", cwd=history)
    assert undo(history) == f"Regenerate protocol {STEM}"
    assert (history / PROTOCOL).read_text() == TEXT
    trailers = git("log", "-1", "--format=%(trailers)", cwd=history).splitlines()
    assert trailers == [
        f"Undoes: {newest}", f"Component: {PROTOCOL}", f"Blob: {git('rev-parse', f'HEAD:{PROTOCOL}', cwd=history)}",
    ]  # fmt: skip
    assert undo(history) == f"Generate protocol {STEM}"
    assert not (history / PROTOCOL).exists()
    assert (history / PERSONA).read_text() == "You are another.\n"
    done = gitforge("undo", cwd=history)
    assert done.code == 1
    assert "there is nothing to undo" in done.err
    assert git("status", "--porcelain", cwd=history) == ""


def test_it_says_how_to_have_it_back_and_that_works(history: Path, git: Git) -> None:
    done = gitforge("undo", cwd=history)
    command = done.err.rpartition("To take this undo back: gitforge ")[2].split()
    assert gitforge(*command, cwd=history).code == 0
    assert (history / PROTOCOL).read_text() == BETTER
    assert undo(history).startswith('Reapply "Regenerate')
    assert undo(history) == f"Generate protocol {STEM}", "the regeneration is undone by the first undo"


def test_a_dry_run_changes_nothing(history: Path, git: Git) -> None:
    head = git("rev-parse", "HEAD", cwd=history)
    done = gitforge("undo", "--dry-run", cwd=history)
    assert done.code == 0
    assert "would be taken back" in done.err
    assert git("rev-parse", "HEAD", cwd=history) == head


def test_what_plain_git_has_reverted_counts_as_undone(history: Path, git: Git) -> None:
    git("revert", "--no-edit", "HEAD", cwd=history)
    assert undo(history) == f"Generate protocol {STEM}"


def test_after_a_rebase_what_is_undone_stays_undone(history: Path, git: Git) -> None:
    assert undo(history) == f"Regenerate protocol {STEM}"
    git("rebase", "-q", "--force-rebase", "--root", cwd=history)
    assert undo(history) == f"Generate protocol {STEM}"


def test_a_goal_an_approval_and_a_revert_can_be_undone(workspace: Path, llm: LlmServer, git: Git) -> None:
    git("rm", "-q", PROTOCOL, cwd=workspace)
    git("commit", "-qm", "Drop a protocol", cwd=workspace)
    llm.queue(Say(TEXT), Say("# Review\n\nGo through it.\n"))
    assert gitforge("generate", NAME, *DESCRIBE, "--yes", cwd=workspace).code == 0
    approve(workspace, git)
    assert gitforge("revert", NAME, cwd=workspace).code == 0
    goals = (workspace / "goals.yaml").read_text()
    add_goal(workspace, "REVIEW_ONE")
    assert undo(workspace) == "Add goal REVIEW_ONE"
    assert (workspace / "goals.yaml").read_text() == goals
    assert undo(workspace) == f'Revert "Generate protocol {STEM}"'
    assert (workspace / PROTOCOL).read_text() == TEXT
    assert undo(workspace) == f"Approve protocol {STEM}"
    assert "Review-withdrawn-by: Ada Engineer" in git("log", "-1", "--format=%B", cwd=workspace)
    assert undo(workspace) == f"Generate protocol {STEM}"
    assert gitforge("undo", cwd=workspace).code == 1


def test_a_new_workspace_has_nothing_to_undo(workspace: Path) -> None:
    done = gitforge("undo", cwd=workspace)
    assert done.code == 1
    assert "there is nothing to undo" in done.err


def test_what_has_been_changed_since_is_a_conflict(history: Path, git: Git) -> None:
    commit(history, git, PROTOCOL, BETTER.replace("write both down", "forget both"))
    done = gitforge("undo", cwd=history)
    assert done.code == 4
    assert "has been changed since" in done.err


def test_a_commit_of_the_users_own_with_a_trailer_that_is_called_goal_is_theirs(
    history: Path, git: Git
) -> None:
    said = ("Reword it\n\nGoal: clearer", "Reword it\n\nComponent: personas", "Add goal\n\nGoal: clearer")
    for number, message in enumerate(said):
        commit(history, git, PERSONA, f"You are number {number}.\n", message)
    assert undo(history) == f"Regenerate protocol {STEM}"
    assert (history / PERSONA).read_text() == "You are number 2.\n"


def test_a_renamed_text_is_undone_under_its_name_of_today(history: Path, git: Git) -> None:
    other = "library/protocols/other_name.md"
    git("mv", PROTOCOL, other, cwd=history)
    git("commit", "-qm", "Rename it", cwd=history)
    assert undo(history) == f"Regenerate protocol {STEM}"
    assert (history / other).read_text() == TEXT
    assert undo(history) == f"Generate protocol {STEM}"
    assert not (history / other).exists()
    assert "there is nothing to undo" in gitforge("undo", cwd=history).err


def test_what_was_deleted_since_counts_as_undone(history: Path, git: Git) -> None:
    git("rm", "-q", PROTOCOL, cwd=history)
    git("commit", "-qm", "Drop it", cwd=history)
    done = gitforge("undo", cwd=history)
    assert (done.code, "there is nothing to undo" in done.err) == (1, True), done.err


def test_after_a_rebase_it_goes_back_to_the_end(history: Path, llm: LlmServer, git: Git) -> None:
    llm.queue(Say("# Drill down\n\nA third.\n"))
    assert gitforge("regenerate", NAME, "--yes", cwd=history).code == 0
    assert undo(history) == undo(history) == f"Regenerate protocol {STEM}"
    git("rebase", "-q", "--force-rebase", "--root", cwd=history)
    assert undo(history) == f"Generate protocol {STEM}"
    done = gitforge("undo", cwd=history)
    assert (done.code, "there is nothing to undo" in done.err) == (1, True), done.err


def test_after_the_workspace_was_moved_it_goes_on_where_it_is_now(history: Path, git: Git) -> None:
    (history / "prompts").mkdir()
    git("mv", "goals.yaml", "library", "prompts", cwd=history)
    git("commit", "-qm", "Move it", cwd=history)
    root = history / "prompts"
    assert undo(root) == f"Regenerate protocol {STEM}"
    assert (root / PROTOCOL).read_text() == TEXT
    assert undo(root) == f"Generate protocol {STEM}"
    assert not (root / PROTOCOL).exists()


def test_what_also_changed_other_files_is_named_and_undo_goes_on_once_git_took_it_back(
    history: Path, git: Git
) -> None:
    (history / "main.py").write_text("print()\n")
    git("add", "main.py", cwd=history)
    git("commit", "-q", "--amend", "--no-edit", cwd=history)
    done = gitforge("undo", cwd=history)
    assert done.code == 1
    assert "also changed main.py" in done.err
    assert "`gitforge undo` then goes on" in done.err
    git("revert", "--no-edit", "HEAD", cwd=history)
    assert undo(history) == f"Generate protocol {STEM}"


def test_an_approval_with_an_edit_amended_into_it_is_undone_as_a_whole(history: Path, git: Git) -> None:
    blob = approve(history, git)
    (history / PROTOCOL).write_text(BETTER + "More.\n")
    git("commit", "-qa", "--amend", "--no-edit", cwd=history)
    assert undo(history) == f"Approve protocol {STEM}"
    assert (history / PROTOCOL).read_text() == BETTER
    said = git("log", "-1", "--format=%(trailers)", cwd=history).splitlines()[1:]
    assert said[:2] == [f"Component: {PROTOCOL}", f"Blob: {blob}"]
    assert said[2].startswith("Review-withdrawn-by: ")
    assert len(said) == 3
