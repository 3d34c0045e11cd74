"""The repository that a stranger's folder is in, asked without running anything of theirs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gitforge.store.checkouts import checkout_of, is_as_committed

Git = Callable[..., str]


@pytest.fixture
def clone(tmp_path: Path, git: Git) -> Path:
    root = tmp_path / "clone"
    (root / "sub").mkdir(parents=True)
    (root / "sub/a.md").write_bytes(b"one\ntwo\n")
    git("init", "-q", cwd=root)
    git("add", ".", cwd=root)
    git("commit", "-qm", "All", cwd=root)
    return root


def test_a_folder_in_it_knows_its_commit_and_where_it_came_from(clone: Path, git: Git) -> None:
    found = checkout_of(clone / "sub")
    assert found is not None
    assert (found.root, found.commit, found.url) == (clone, git("rev-parse", "HEAD", cwd=clone), None)
    git("remote", "add", "origin", "https://example.org/x.git", cwd=clone)
    again = checkout_of(clone)
    assert again is not None
    assert again.url == "https://example.org/x.git"


def test_a_folder_in_no_repository_or_one_without_a_commit_has_none(tmp_path: Path, git: Git) -> None:
    assert checkout_of(tmp_path) is None
    git("init", "-q", cwd=tmp_path)
    assert checkout_of(tmp_path) is None


@pytest.mark.parametrize("form", ["sha1", "sha256"])
def test_files_are_compared_with_the_commit_but_for_their_line_endings(
    tmp_path: Path, git: Git, form: str
) -> None:
    git("init", "-q", f"--object-format={form}", cwd=tmp_path)
    (tmp_path / "a.md").write_bytes(b"one\ntwo\n")
    git("add", ".", cwd=tmp_path)
    git("commit", "-qm", "All", cwd=tmp_path)
    found = checkout_of(tmp_path)
    assert found is not None
    assert is_as_committed(found, {"a.md": b"one\ntwo\n"})
    assert is_as_committed(found, {"a.md": b"one\r\ntwo\r\n"})
    assert not is_as_committed(found, {"a.md": b"one\nthree\n"})
    assert not is_as_committed(found, {"a.md": b"one\ntwo\n", "new.md": b""})
