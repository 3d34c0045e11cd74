"""What files that are gone are called today."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Git

from gitforge.store.renames import heirs
from gitforge.store.repo import Repo

TEXT = "".join(f"{number}. Ask the question number {number}.\n" for number in range(20))


@pytest.fixture
def root(tmp_path: Path, git: Git) -> Path:
    root = tmp_path / "r"
    git("init", "-q", "-b", "main", str(root), cwd=tmp_path)
    for name in ("a", "b", "c"):
        (root / f"{name}.md").write_text(TEXT.replace("question", f"question of {name}"))
    commit(root, git)
    return root


def commit(root: Path, git: Git) -> None:
    git("add", "-A", cwd=root)
    git("commit", "-qm", "Change", cwd=root)


def asked(root: Path, *gone: str) -> dict[str, str]:
    return heirs(Repo.discover(root), gone)


def test_a_renamed_file_has_its_new_name_and_a_deleted_one_none(root: Path, git: Git) -> None:
    git("mv", "a.md", "x.md", cwd=root)
    git("rm", "-q", "b.md", cwd=root)
    commit(root, git)
    assert asked(root, "a.md", "b.md") == {"a.md": "x.md"}


def test_a_file_that_was_edited_while_it_was_renamed_is_found(root: Path, git: Git) -> None:
    git("mv", "a.md", "x.md", cwd=root)
    with (root / "x.md").open("a") as file:
        file.write("21. One more.\n")
    commit(root, git)
    assert asked(root, "a.md") == {"a.md": "x.md"}


def test_a_file_is_followed_through_all_its_names(root: Path, git: Git) -> None:
    for old, new in (("a.md", "x.md"), ("x.md", "y.md"), ("y.md", "z.md")):
        git("mv", old, new, cwd=root)
        commit(root, git)
    assert asked(root, "a.md", "x.md") == {"a.md": "z.md", "x.md": "z.md"}
    git("rm", "-q", "z.md", cwd=root)
    commit(root, git)
    assert asked(root, "a.md", "x.md") == {}


def test_the_answer_is_right_again_after_every_later_commit(root: Path, git: Git) -> None:
    git("mv", "a.md", "x.md", cwd=root)
    commit(root, git)
    assert asked(root, "a.md") == {"a.md": "x.md"}
    (root / "unrelated.txt").write_text("1\n")
    commit(root, git)
    assert asked(root, "a.md") == {"a.md": "x.md"}
    git("mv", "x.md", "y.md", cwd=root)
    commit(root, git)
    assert asked(root, "a.md") == {"a.md": "y.md"}
    git("reset", "-q", "--hard", "HEAD~2", cwd=root)
    assert asked(root, "a.md") == {"a.md": "x.md"}
    git("reset", "-q", "--hard", "HEAD~1", cwd=root)
    git("rm", "-q", "a.md", cwd=root)
    commit(root, git)
    assert asked(root, "a.md") == {}


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"tip": 1}', '{"history": "whole", "tip": "x", "heirs": []}']
)
def test_a_damaged_file_is_made_anew(root: Path, git: Git, content: str) -> None:
    git("mv", "a.md", "x.md", cwd=root)
    commit(root, git)
    asked(root, "a.md")
    (root / ".git/gitforge/renames").write_text(content)
    assert asked(root, "a.md") == {"a.md": "x.md"}


def test_nothing_is_kept_where_nothing_can_be_written(root: Path, git: Git) -> None:
    git("mv", "a.md", "x.md", cwd=root)
    commit(root, git)
    (root / ".git/gitforge").write_text("in the way\n")
    assert asked(root, "a.md") == {"a.md": "x.md"}


def test_a_repository_without_a_commit_has_none(tmp_path: Path, git: Git) -> None:
    git("init", "-q", str(tmp_path / "r"), cwd=tmp_path)
    assert heirs(Repo.discover(tmp_path / "r"), ["a.md"]) == {}
