"""What users do with plain git leaves gitforge right about what it says."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from llm_server import LlmServer, Say
from program import DESCRIBE, GOAL, NAME, PROTOCOL, gitforge
from terminal import Terminal

Git = Callable[..., str]
TEXT = "## Drill down\n\n" + "".join(
    f"{number}. Ask the question number {number}.\n" for number in range(1, 12)
)
BETTER = TEXT.replace("1. Ask", "1. Ask, and write down,")
RENAMED = "library/protocols/drill.md"
ADA = "Ada <ada@example.org>"


@pytest.fixture
def generated(incomplete: Path, llm: LlmServer) -> Path:
    """A workspace with one generation that nobody has seen."""
    llm.queue(Say(TEXT))
    assert gitforge("generate", NAME, *DESCRIBE, "--no-review", cwd=incomplete).code == 0
    return incomplete


@pytest.fixture
def approved(generated: Path) -> Path:
    """The same with an approval."""
    assert gitforge("review", "--approve", NAME, cwd=generated).code == 0
    return generated


def history(root: Path, name: str = NAME) -> list[dict[str, Any]]:
    done = gitforge("log", name, "--json", cwd=root)
    assert done.code == 0, done.told
    changes: list[dict[str, Any]] = done.json
    return changes


def whats(root: Path, name: str = NAME) -> list[str]:
    """What happened since the starter's own protocol of that name was dropped."""
    *since, deleted, added = (one["what"] for one in history(root, name))
    assert (deleted, added) == ("deleted", "added")
    return since


def waiting(root: Path) -> list[str]:
    return [one["path"] for one in gitforge("review", "--list", "--json", cwd=root).json]


def provenance(root: Path, name: str = NAME) -> dict[str, Any]:
    found: dict[str, Any] = gitforge("show", name, "--provenance", "--json", cwd=root).json
    return found


def commit(root: Path, git: Git, text: str, message: str = "By hand") -> None:
    (root / PROTOCOL).write_text(text)
    git("commit", "-qam", message, cwd=root)


def test_git_revert_of_a_generation_is_a_missing_component_again(approved: Path, git: Git) -> None:
    generation = history(approved)[1]["commit"]
    git("revert", "--no-edit", generation, cwd=approved)
    assert whats(approved) == ["reverted", "approved", "generated"]
    (missing,) = gitforge("status", "--json", cwd=approved).json["missing"]
    assert missing["path"] == PROTOCOL
    assert waiting(approved) == []
    git("revert", "--no-edit", "HEAD", cwd=approved)
    assert waiting(approved) == [], "the text that was approved is back"
    assert provenance(approved)["model"] == "test-model"


def test_git_checkout_of_an_older_text_is_reviewed_as_that_was(approved: Path, git: Git) -> None:
    before = git("rev-parse", "HEAD", cwd=approved)
    commit(approved, git, BETTER)
    assert waiting(approved) == [PROTOCOL]
    git("checkout", "-q", before, "--", PROTOCOL, cwd=approved)
    git("commit", "-qm", "Back", cwd=approved)
    assert waiting(approved) == []


def test_after_git_commit_amend_nobody_is_said_to_have_written_or_reviewed_the_text(
    generated: Path, git: Git
) -> None:
    (generated / PROTOCOL).write_text(BETTER)
    git("commit", "-qa", "--amend", "--no-edit", cwd=generated)
    assert whats(generated) == ["amended"]
    assert waiting(generated) == [PROTOCOL]
    assert gitforge("review", "--approve", NAME, cwd=generated).code == 0
    assert waiting(generated) == []


def test_an_amended_message_alone_changes_nothing(approved: Path, git: Git) -> None:
    git("reset", "-q", "--hard", "HEAD^", cwd=approved)
    message = git("log", "-1", "--format=%B", cwd=approved)
    better = message.replace("Generate protocol", "feat: Generate protocol")
    git("commit", "-q", "--amend", "-m", better, cwd=approved)
    assert whats(approved) == ["generated"]
    assert provenance(approved)["model"] == "test-model"


def test_git_rebase_keeps_generations_and_approvals(approved: Path, git: Git) -> None:
    git("checkout", "-q", "-b", "upstream", "HEAD~2", cwd=approved)
    git("commit", "-q", "--allow-empty", "-m", "Upstream", cwd=approved)
    git("checkout", "-q", "main", cwd=approved)
    git("rebase", "-q", "upstream", cwd=approved)
    assert whats(approved) == ["approved", "generated"]
    assert waiting(approved) == []
    assert provenance(approved)["messages"], "the prompt is still found"


def test_git_merge_squash_keeps_what_each_commit_says(approved: Path, git: Git) -> None:
    git("branch", "work", cwd=approved)
    git("reset", "-q", "--hard", "HEAD~2", cwd=approved)
    git("merge", "-q", "--squash", "work", cwd=approved)
    git("commit", "-q", "--no-edit", cwd=approved)
    assert whats(approved)[-1] == "generated"
    assert waiting(approved) == []


def test_git_cherry_pick_brings_a_generation_with_its_approval(approved: Path, git: Git) -> None:
    approval, generation = (one["commit"] for one in history(approved)[:2])
    git("checkout", "-q", "-b", "release", "HEAD~2", cwd=approved)
    git("cherry-pick", "-x", "--allow-empty", generation, approval, cwd=approved)
    assert whats(approved) == ["approved", "generated"]
    assert waiting(approved) == []


def test_git_mv_keeps_the_history_the_provenance_and_the_approval(approved: Path, git: Git) -> None:
    git("mv", PROTOCOL, RENAMED, cwd=approved)
    git("commit", "-qm", "Rename", cwd=approved)
    assert [one["what"] for one in history(approved, "drill.md")][:3] == ["renamed", "approved", "generated"]
    assert waiting(approved) == []
    assert provenance(approved, "drill.md")["model"] == "test-model"


def test_git_mv_with_an_edit_in_the_same_commit_needs_review(approved: Path, git: Git) -> None:
    git("mv", PROTOCOL, RENAMED, cwd=approved)
    (approved / RENAMED).write_text(BETTER)
    git("commit", "-qam", "Rename and slip something in", cwd=approved)
    assert waiting(approved) == [RENAMED]
    assert gitforge("check", "--require-reviewed", cwd=approved).code == 3
    assert gitforge("review", "--approve", "drill.md", cwd=approved).code == 0
    assert waiting(approved) == []


def test_git_filter_repo_changes_every_commit_and_no_answer(approved: Path, git: Git, tmp_path: Path) -> None:
    (approved / "secret.txt").write_text("hunter2\n")
    git("add", "-A", cwd=approved)
    git("commit", "-qm", "A mistake", cwd=approved)
    assert gitforge("build", "demo", "--goal", GOAL, cwd=approved).code == 0
    before = git("rev-parse", "HEAD", cwd=approved)
    rewrite = ("--force", "--quiet", "--path", "secret.txt", "--invert-paths")
    subprocess.run(
        [sys.executable, "-m", "git_filter_repo", *rewrite], cwd=approved, check=True, capture_output=True
    )
    assert git("rev-parse", "HEAD", cwd=approved) != before
    assert whats(approved) == ["approved", "generated"]
    assert waiting(approved) == []
    assert gitforge("build", "demo", "--goal", GOAL, "--require-reviewed", cwd=approved).code == 0
    again = gitforge(
        "build", "demo", "--at", "output/demo/toolkit.json", "--to", str(tmp_path / "x"), cwd=approved
    )
    assert again.code == 0, again.told
    assert (tmp_path / "x/00_PERSONA.md").read_bytes() == (
        approved / "output/demo/00_PERSONA.md"
    ).read_bytes()


def test_in_a_linked_worktree_and_on_a_detached_head_the_answers_are_those_of_its_commit(
    approved: Path, git: Git, tmp_path: Path
) -> None:
    git("worktree", "add", "-q", "--detach", str(tmp_path / "other"), "HEAD^", cwd=approved)
    assert waiting(tmp_path / "other") == [PROTOCOL], "the approval is not in its history"
    assert waiting(approved) == []


def edit_and_rename(root: Path, git: Git) -> None:
    git("mv", PROTOCOL, RENAMED, cwd=root)
    (root / RENAMED).write_text(BETTER)


def test_what_was_renamed_and_edited_is_shown_with_all_that_nobody_has_reviewed(
    generated: Path, git: Git
) -> None:
    edit_and_rename(generated, git)
    git("commit", "-qam", "Rename and edit", cwd=generated)
    (generated / RENAMED).write_text(BETTER.replace("2. Ask", "2. Wonder about"))
    git("commit", "-qam", "Edit again", cwd=generated)
    assert waiting(generated) == [RENAMED]
    with Terminal("review", cwd=generated) as terminal:
        terminal.wait_for("Approve this protocol?")
        assert "3. Ask the question number 3." in terminal.told, "also the lines that were only generated"
        terminal.enter("a")
        assert terminal.ended() == 0
    assert waiting(generated) == []


def test_a_new_file_of_the_old_name_neither_hides_the_renamed_one_nor_is_taken_for_it(
    generated: Path, git: Git
) -> None:
    edit_and_rename(generated, git)
    git("commit", "-qam", "Rename and edit", cwd=generated)
    (generated / PROTOCOL).write_text("Written by hand.\n")
    git("add", "-A", cwd=generated)
    git("commit", "-qm", "Write another", cwd=generated)
    assert waiting(generated) == [RENAMED]


def test_a_rename_in_a_merge_is_seen_too(generated: Path, git: Git) -> None:
    git("checkout", "-q", "-b", "other", cwd=generated)
    git("commit", "-q", "--allow-empty", "-m", "Other", cwd=generated)
    git("checkout", "-q", "main", cwd=generated)
    git("commit", "-q", "--allow-empty", "-m", "Mine", cwd=generated)
    git("merge", "-q", "--no-commit", "--no-ff", "other", cwd=generated)
    edit_and_rename(generated, git)
    git("commit", "-qam", "Merge", cwd=generated)
    assert waiting(generated) == [RENAMED]


def test_a_text_that_was_deleted_edited_and_brought_back_needs_review(generated: Path, git: Git) -> None:
    commit(generated, git, BETTER)
    git("rm", "-q", PROTOCOL, cwd=generated)
    git("commit", "-qm", "Remove", cwd=generated)
    git("revert", "--no-edit", "HEAD", cwd=generated)
    assert waiting(generated) == [PROTOCOL]


def test_a_workspace_that_was_moved_by_rewriting_history_is_still_told_what_was_generated(
    generated: Path, git: Git
) -> None:
    command = [
        sys.executable,
        "-m",
        "git_filter_repo",
        "--force",
        "--quiet",
        "--to-subdirectory-filter",
        "sub",
    ]
    subprocess.run(command, cwd=generated, check=True, capture_output=True)
    assert waiting(generated / "sub") == [f"sub/{PROTOCOL}"]
    (generated / "sub" / PROTOCOL).write_text(BETTER)
    git("commit", "-qam", "Edit", cwd=generated)
    assert waiting(generated / "sub") == [f"sub/{PROTOCOL}"]


def test_what_people_had_written_is_theirs_again_once_a_regeneration_is_taken_back(
    workspace: Path, llm: LlmServer, git: Git
) -> None:
    before = (workspace / PROTOCOL).read_text()
    llm.queue(Say(TEXT))
    assert gitforge("regenerate", NAME, *DESCRIBE, "--yes", cwd=workspace).code == 0
    assert waiting(workspace) == [PROTOCOL]
    with Terminal("review", cwd=workspace, GIT_PAGER="cat") as terminal:
        terminal.wait_for("Approve this protocol?")
        terminal.enter("v")
        terminal.wait_for("Why?")
        terminal.enter("No.")
        assert terminal.ended() == 0
    assert (workspace / PROTOCOL).read_text() == before, "not deleted: people wrote it"
    assert waiting(workspace) == []
