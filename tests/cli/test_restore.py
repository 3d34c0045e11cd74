"""`gitforge restore`: a component as it was, by one commit."""

from __future__ import annotations

from pathlib import Path

import pytest
from harm import snapshot
from past import Git, commit
from program import CONSTRAINT, PERSONA, gitforge

NAME = Path(PERSONA).name


@pytest.fixture
def edited(workspace: Path, git: Git) -> Path:
    """A persona with three texts."""
    commit(workspace, git, PERSONA, "Second.\n")
    commit(workspace, git, PERSONA, "Third.\n")
    return workspace


def restore(root: Path, at: str, *more: str, name: str = NAME) -> str:
    done = gitforge("restore", name, "--at", at, *more, cwd=root)
    assert done.code == 0, done.err
    return done.err


def test_the_text_of_another_commit_comes_back_by_one_commit(edited: Path, git: Git) -> None:
    (edited / CONSTRAINT).write_text("Mine.\n")
    at = git("rev-parse", "HEAD^", cwd=edited)
    assert "restored: " in restore(edited, "HEAD^")
    assert (edited / PERSONA).read_text() == "Second.\n"
    blob = git("rev-parse", f"HEAD:{PERSONA}", cwd=edited)
    assert git("log", "-1", "--format=%B", cwd=edited).rstrip("\n") == (
        f"Restore persona digital_detective\n\nAs it was in {at}.\n\nComponent: {PERSONA}\nBlob: {blob}"
    )
    assert git("status", "--porcelain", cwd=edited) == f" M {CONSTRAINT}"


def test_what_is_so_already_is_said_and_makes_no_commit(edited: Path, git: Git) -> None:
    before = snapshot(git, edited)
    assert "it is so already" in restore(edited, "HEAD")
    assert gitforge("restore", NAME, "--at", "HEAD", "--json", cwd=edited).json["commit"] is None
    assert snapshot(git, edited) == before


def test_a_deleted_component_comes_back(edited: Path, git: Git) -> None:
    git("rm", "-q", PERSONA, cwd=edited)
    git("commit", "-qm", "Drop it", cwd=edited)
    done = gitforge("restore", "digital_detective", "--at", "HEAD~2", "--json", cwd=edited)
    assert done.code == 0, done.err
    assert done.json["path"] == done.json["was_called"] == PERSONA
    assert (edited / PERSONA).read_text() == "Second.\n"


def test_a_component_that_had_another_name_then_is_found(edited: Path, git: Git) -> None:
    text = "\n".join(f"Line {number}." for number in range(30))
    at = commit(edited, git, PERSONA, f"{text}\n")
    git("mv", PERSONA, "library/personas/sleuth.md", cwd=edited)
    git("commit", "-qm", "Rename it", cwd=edited)
    git("mv", "library/personas/sleuth.md", "library/personas/private_eye.md", cwd=edited)
    (edited / "library/personas/private_eye.md").write_text(f"{text}\nMore.\n")
    git("commit", "-qam", "Rename and edit it", cwd=edited)
    done = gitforge("restore", "private_eye", "--at", at, "--json", cwd=edited)
    assert done.code == 0, done.err
    assert (done.json["path"], done.json["was_called"]) == ("library/personas/private_eye.md", PERSONA)
    assert (edited / "library/personas/private_eye.md").read_text() == f"{text}\n"
    assert not (edited / PERSONA).exists()


def test_a_component_of_another_branch_can_be_brought_here(edited: Path, git: Git) -> None:
    git("checkout", "-qb", "side", cwd=edited)
    commit(edited, git, "library/personas/only_there.md", "There.\n")
    git("checkout", "-q", "main", cwd=edited)
    restore(edited, "side", name="only_there.md")
    assert (edited / "library/personas/only_there.md").read_text() == "There.\n"


def test_a_dry_run_shows_the_diff(edited: Path, git: Git) -> None:
    before = snapshot(git, edited)
    assert "-Third.\n+Second.\n" in restore(edited, "HEAD^", "--dry-run")
    assert snapshot(git, edited) == before


@pytest.mark.parametrize(
    ("name", "at", "words"),
    [
        (NAME, "nope", "there is no commit 'nope'"),
        (NAME, "--all", "there is no commit '--all'"),
        ("goals.yaml", "HEAD", "goals.yaml is no component"),
        ("nope", "HEAD", "never was a component of that name"),
        ("added_later.md", "HEAD^", "has not got it, under no name that it had"),
        ("twice.md", "HEAD", "is not unique: it is library/"),
    ],
)
def test_what_cannot_be_is_said(edited: Path, git: Git, name: str, at: str, words: str) -> None:
    for folder in ("personas", "protocols"):
        (edited / f"library/{folder}/twice.md").write_text("Twice.\n")
    git("add", "-A", cwd=edited)
    git("commit", "-qm", "Twice", cwd=edited)
    commit(edited, git, "library/personas/added_later.md", "Later.\n")
    before = snapshot(git, edited)
    done = gitforge("restore", name, f"--at={at}", cwd=edited)
    assert done.code == 1
    assert words in done.err
    assert snapshot(git, edited) == before


def test_a_deletion_that_is_not_committed_is_not_taken_for_the_text(edited: Path, git: Git) -> None:
    git("rm", "-q", PERSONA, cwd=edited)
    done = gitforge("restore", NAME, "--at", "HEAD", cwd=edited)
    assert done.code == 4
    assert "the last commit has that text already, but the file is deleted here" in done.err
    git(*done.err.partition("`git ")[2].partition("`")[0].split(), cwd=edited / "library")
    assert (edited / PERSONA).read_text() == "Third.\n"
    (edited / PERSONA).write_text("Mine.\n")
    done = gitforge("restore", NAME, "--at", "HEAD", cwd=edited)
    assert done.code == 4
    assert "the file has changes that are not committed" in done.err
    assert (edited / PERSONA).read_text() == "Mine.\n"


def test_changes_that_are_not_committed_are_in_the_way(edited: Path, git: Git) -> None:
    (edited / PERSONA).write_text("Mine.\n")
    before = snapshot(git, edited)
    done = gitforge("restore", NAME, "--at", "HEAD^", cwd=edited)
    assert done.code == 4
    assert "is not as it was in the last commit" in done.err
    assert f"`git restore --staged --worktree :/{PERSONA}`" in done.err
    assert snapshot(git, edited) == before
