"""Where symbolic links lead, compared with where the file system says that they do."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

import pytest
from conftest import Git
from hypothesis import given
from hypothesis import strategies as st

from gitforge.store.advance import colliding
from gitforge.store.repo import Repo
from gitforge.store.survey import leads_out, survey

FOLDERS = ("", "a", "a/b", "a/b/c")
NAMES = ("x", "y", "z")
PARTS = st.sampled_from(["..", ".", "", "a", "b", "c", *NAMES])
LINKS = st.dictionaries(
    st.tuples(st.sampled_from(FOLDERS), st.sampled_from(NAMES)).map(
        lambda parts: "/".join(filter(None, parts))
    ),
    st.lists(PARTS, min_size=1, max_size=6).map("/".join),
    max_size=8,
)


@given(LINKS)
def test_links_that_are_let_through_stay_within_whatever_other_links_there_are(links: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve() / "root"
        (root / "a/b/c").mkdir(parents=True)
        kept = {path: target for path, target in links.items() if not leads_out(path, target)}
        for path, target in kept.items():
            (root / path).symlink_to(target)
        for path in kept:
            try:
                real = os.path.realpath(root / path, strict=True)
            except FileNotFoundError:
                real = os.path.realpath(root / path)  # something could be made there
            except OSError as error:
                if error.errno != errno.ELOOP:  # which leads nowhere
                    raise
                continue
            assert real == str(root) or real.startswith(f"{root}/")


@pytest.mark.parametrize(
    ("path", "target", "is_out"),
    [
        ("x", "a", False),
        ("x", "./a/b", False),
        ("a/x", "../y", False),
        ("a/b/x", "../..", False),
        ("x", "", True),
        ("x", "..", True),
        ("a/x", "../../y", True),
        ("x", "a/../b", True),
        ("x", "/", True),
        ("x", ".git/hooks", True),
        ("a/x", "../.GIT", True),
        ("x", ".gitignore", False),
        ("x", "a\0b", True),
    ],
)
def test_a_link_may_lead_to_what_is_plainly_below_the_top(path: str, target: str, is_out: bool) -> None:
    assert leads_out(path, target) is is_out


@pytest.mark.parametrize(
    ("one", "other", "is_one"),
    [("A/x", "a/x", True), ("caf\u00e9", "CAFE\u0301", True), ("x\u00b2", "x2", False), ("a/b", "ab", False)],
)
def test_a_clone_and_a_sync_find_the_same_names_that_are_one(
    tmp_path: Path, git: Git, one: str, other: str, *, is_one: bool
) -> None:
    repo = Repo.create(tmp_path / "both")
    blob = git("hash-object", "-w", "--stdin", cwd=repo.root, stdin="x")
    for path in (one, other):
        git("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", cwd=repo.root)
    git("commit", "-q", "-m", "Both", cwd=repo.root)
    assert bool(survey(repo, "HEAD", max_bytes=100).twins) is is_one
    assert bool([*colliding(repo, "HEAD", [one, other])]) is is_one
