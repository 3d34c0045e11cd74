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
    (root / "l").mkdir()
    for name in ("a", "b", "c"):
        (root / f"l/{name}.md").write_text(TEXT.replace("question", f"question of {name}"))
    commit(root, git)
    return root


def commit(root: Path, git: Git) -> None:
    git("add", "-A", cwd=root)
    git("commit", "-qm", "Change", cwd=root)


def asked(root: Path, *gone: str) -> dict[str, str]:
    return heirs(Repo.discover(root), gone)


def test_a_renamed_file_has_its_new_name_and_a_deleted_one_none(root: Path, git: Git) -> None:
    git("mv", "l/a.md", "l/x.md", cwd=root)
    git("rm", "-q", "l/b.md", cwd=root)
    commit(root, git)
    assert asked(root, "l/a.md", "l/b.md") == {"l/a.md": "l/x.md"}


def test_a_file_that_was_edited_while_it_was_renamed_is_found(root: Path, git: Git) -> None:
    git("mv", "l/a.md", "l/x.md", cwd=root)
    with (root / "l/x.md").open("a") as file:
        file.write("21. One more.\n")
    commit(root, git)
    assert asked(root, "l/a.md") == {"l/a.md": "l/x.md"}


def test_a_file_is_followed_through_all_its_names(root: Path, git: Git) -> None:
    for old, new in (("l/a.md", "l/x.md"), ("l/x.md", "l/y.md"), ("l/y.md", "l/z.md")):
        git("mv", old, new, cwd=root)
        commit(root, git)
    assert asked(root, "l/a.md", "l/x.md") == {"l/a.md": "l/z.md", "l/x.md": "l/z.md"}
    git("rm", "-q", "l/z.md", cwd=root)
    commit(root, git)
    assert asked(root, "l/a.md", "l/x.md") == {}


def test_the_answer_is_right_again_after_every_later_commit(root: Path, git: Git) -> None:
    git("mv", "l/a.md", "l/x.md", cwd=root)
    commit(root, git)
    assert asked(root, "l/a.md") == {"l/a.md": "l/x.md"}
    (root / "unrelated.txt").write_text("1\n")
    commit(root, git)
    assert asked(root, "l/a.md") == {"l/a.md": "l/x.md"}
    git("mv", "l/x.md", "l/y.md", cwd=root)
    commit(root, git)
    assert asked(root, "l/a.md") == {"l/a.md": "l/y.md"}
    git("reset", "-q", "--hard", "HEAD~2", cwd=root)
    assert asked(root, "l/a.md") == {"l/a.md": "l/x.md"}
    git("reset", "-q", "--hard", "HEAD~1", cwd=root)
    git("rm", "-q", "l/a.md", cwd=root)
    commit(root, git)
    assert asked(root, "l/a.md") == {}


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"history": "whole"}', '{"history": "whole", "walked": [{"tip": "x"}]}']
)
def test_a_damaged_file_is_made_anew(root: Path, git: Git, content: str) -> None:
    git("mv", "l/a.md", "l/x.md", cwd=root)
    commit(root, git)
    asked(root, "l/a.md")
    (root / ".git/gitforge/renames").write_text(content)
    assert asked(root, "l/a.md") == {"l/a.md": "l/x.md"}


def test_nothing_is_kept_where_nothing_can_be_written(root: Path, git: Git) -> None:
    git("mv", "l/a.md", "l/x.md", cwd=root)
    commit(root, git)
    (root / ".git/gitforge").write_text("in the way\n")
    assert asked(root, "l/a.md") == {"l/a.md": "l/x.md"}


def test_a_repository_without_a_commit_has_none(tmp_path: Path, git: Git) -> None:
    git("init", "-q", str(tmp_path / "r"), cwd=tmp_path)
    assert heirs(Repo.discover(tmp_path / "r"), ["l/a.md"]) == {}
