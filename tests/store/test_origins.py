"""Where texts come from and who has reviewed them."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Git

from gitforge.errors import UserError
from gitforge.store import origins
from gitforge.store.origins import Origins
from gitforge.store.repo import Repo

PATH = "library/personas/x.md"
ADA, BOB = "Ada <ada@example.org>", "Bob <bob@example.org>"


@pytest.fixture
def root(tmp_path: Path, git: Git) -> Path:
    git("init", "-q", "-b", "main", str(tmp_path / "r"), cwd=tmp_path)
    return tmp_path / "r"


def read(root: Path) -> Origins:
    return origins.read(Repo.discover(root))


def generate(root: Path, git: Git, text: str, reviewer: str | None = None, path: str = PATH) -> str:
    """Commits a generated text; returns its blob."""
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    blob = git("hash-object", "-w", "--", path, cwd=root)
    lines = [f"Component: {path}", "Assisted-by: gitforge:model-1", f"Blob: {blob}"]
    lines += [f"Reviewed-by: {reviewer}"] if reviewer else []
    git("add", "--", path, cwd=root)
    git("commit", "-qm", "Generate persona x\n\n" + "\n".join(lines), cwd=root)
    return blob


def approve(
    root: Path, git: Git, blob: str, reviewer: str, word: str = "Reviewed-by", path: str = PATH
) -> None:
    message = f"Approve persona x\n\nComponent: {path}\nBlob: {blob}\n{word}: {reviewer}\n"
    git("commit", "-q", "--allow-empty", "-m", message, cwd=root)


def test_a_generation_that_nobody_saw_needs_review(root: Path, git: Git) -> None:
    blob = generate(root, git, "one\n")
    found = read(root)
    assert found.needs_review(PATH, blob)
    statement = found.generation_of(blob)
    assert statement is not None
    assert statement.group.model == "model-1"
    assert statement.commit == git("rev-parse", "HEAD", cwd=root)


def test_a_text_that_people_wrote_needs_none(root: Path, git: Git) -> None:
    generate(root, git, "one\n")
    assert not read(root).needs_review("library/personas/other.md", "1234")


def test_who_accepted_a_generation_or_approved_it_later_is_its_reviewer(root: Path, git: Git) -> None:
    seen = generate(root, git, "one\n", ADA)
    later = generate(root, git, "two\n")
    approve(root, git, later, BOB)
    approve(root, git, later, ADA)
    found = read(root)
    assert found.reviewers_of(seen) == (ADA,)
    assert found.reviewers_of(later) == (ADA, BOB)


def test_an_approval_is_for_one_text_and_an_edit_needs_another(root: Path, git: Git) -> None:
    approve(root, git, generate(root, git, "one\n"), ADA)
    (root / PATH).write_text("edited\n")
    git("commit", "-qam", "Edit", cwd=root)
    assert read(root).needs_review(PATH, git("rev-parse", f"HEAD:{PATH}", cwd=root))


def test_an_approval_holds_again_when_the_text_comes_back(root: Path, git: Git) -> None:
    blob = generate(root, git, "one\n")
    approve(root, git, blob, ADA)
    generate(root, git, "two\n")
    git("revert", "--no-edit", "HEAD", cwd=root)
    assert git("rev-parse", f"HEAD:{PATH}", cwd=root) == blob
    assert not read(root).needs_review(PATH, blob)


def test_an_approval_survives_a_rename_and_a_rebase(root: Path, git: Git) -> None:
    generate(root, git, "zero\n", path="library/personas/zero.md")
    git("branch", "upstream", cwd=root)
    blob = generate(root, git, "one\n")
    approve(root, git, blob, ADA)
    git("checkout", "-q", "upstream", cwd=root)
    git("commit", "-q", "--allow-empty", "-m", "Upstream", cwd=root)
    git("checkout", "-q", "main", cwd=root)
    git("rebase", "-q", "upstream", cwd=root)
    git("mv", PATH, "library/personas/y.md", cwd=root)
    git("commit", "-qm", "Rename", cwd=root)
    assert read(root).reviewers_of(blob) == (ADA,)


def test_what_is_taken_back_does_not_hold_until_it_is_approved_again(root: Path, git: Git) -> None:
    blob = generate(root, git, "one\n", ADA)
    approve(root, git, blob, ADA, "Review-withdrawn-by")
    assert read(root).needs_review(PATH, blob)
    approve(root, git, blob, BOB)
    assert read(root).reviewers_of(blob) == (BOB,)


def test_an_amended_generation_was_reviewed_by_nobody(root: Path, git: Git) -> None:
    generate(root, git, "one\n", ADA)
    (root / PATH).write_text("amended\n")
    git("commit", "-qa", "--amend", "--no-edit", cwd=root)
    assert read(root).needs_review(PATH, git("rev-parse", f"HEAD:{PATH}", cwd=root))


def test_a_repository_without_a_commit_says_nothing(root: Path) -> None:
    assert read(root) == Origins({}, {}, frozenset())


def test_a_revision_that_does_not_exist_is_an_error(root: Path, git: Git) -> None:
    generate(root, git, "one\n")
    with pytest.raises(UserError, match="deadbeef"):
        origins.read(Repo.discover(root), "deadbeef" * 5)
