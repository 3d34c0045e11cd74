"""Three-way merges: what git makes of the lines, and never a marker in the text."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitforge.store.merge import Chunk, Clash, Clean, both, clashes, merge, settled
from gitforge.store.repo import Repo

LINES = (
    "a", "b", "c", "", "<<<<<<< ours", "||||||| base", "=======", ">>>>>>> theirs", "<" * 40, "=" * 12,
    "\u00e9\u4e2d", "\ue000", "x\r", "lone\rreturn", "nul\0", "form\x0cfeed\u2028",
)  # fmt: skip
TEXTS = st.builds(
    lambda lines, end, is_open: end.join(lines) + ("" if is_open else end if lines else ""),
    st.lists(st.sampled_from(LINES), max_size=8),
    st.sampled_from(["\n", "\n", "\r\n"]),
    st.booleans(),
)


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    root = tmp_path_factory.mktemp("merge")
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    return Repo.discover(root)


def side(chunks: tuple[Chunk, ...], name: str) -> str:
    return settled(chunks, lambda clash: str(getattr(clash, name)))


def by_git(base: str, ours: str, theirs: str, *options: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, name) for name in ("ours", "base", "theirs")]
        for path, text in zip(paths, (ours, base, theirs), strict=True):
            path.write_bytes(text.encode())
        command = ["git", "merge-file", "-p", *options, *map(str, paths)]
        return subprocess.run(command, check=True, capture_output=True).stdout


def test_what_only_one_side_changed_is_taken_from_it(repo: Repo) -> None:
    merged = merge(repo, "a\nb\nc\nd\ne\n", "A\nb\nc\nd\ne\n", "a\nb\nc\nd\nE\n")
    assert merged == (Clean("A\nb\nc\nd\nE\n"),)


def test_what_both_changed_is_a_clash_with_all_three_versions(repo: Repo) -> None:
    merged = merge(repo, "1\nx\n2\n", "1\nmine\n2\n", "1\nyours\n2\n")
    assert merged == (Clean("1\n"), Clash("x\n", "mine\n", "yours\n"), Clean("2\n"))
    assert clashes(merged) == [merged[1]]


def test_a_side_that_took_lines_away_is_empty_in_the_clash(repo: Repo) -> None:
    assert merge(repo, "1\nx\n2\n", "1\n2\n", "1\ny\n2\n") == (
        Clean("1\n"),
        Clash("x\n", "", "y\n"),
        Clean("2\n"),
    )


def test_what_both_sides_added_alike_around_a_clash_is_no_part_of_it(repo: Repo) -> None:
    merged = merge(repo, "0\n", "0\nsame\nmine\n", "0\nsame\nyours\n")
    assert merged == (Clean("0\nsame\n"), Clash("", "mine\n", "yours\n"))
    assert settled(merged, both) == "0\nsame\nmine\nyours\n"


def test_a_missing_final_line_break_stays_missing_on_its_side_alone(repo: Repo) -> None:
    merged = merge(repo, "x\n", "mine", "yours\n")
    assert merged == (Clash("x\n", "mine", "yours\n"),)
    assert side(merged, "ours") == "mine"
    assert settled(merged, both) == "mine\nyours\n"
    assert merge(repo, "a\nb\nc\nd", "A\nb\nc\nd", "a\nb\nc\nd\n") == (Clean("A\nb\nc\nd\n"),)


def test_line_endings_stay_as_they_are(repo: Repo) -> None:
    merged = merge(repo, "a\r\nb\r\nc\r\n", "A\r\nb\r\nc\r\n", "x\r\nb\r\nC\r\n")
    assert merged == (Clash("a\r\n", "A\r\n", "x\r\n"), Clean("b\r\nC\r\n"))


def test_no_file_is_left(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = sorted(repo.root.rglob("*"))
    merge(repo, "1\nx\n2\n", "1\nmine\n2\n", "1\nyours\n2\n")
    assert list(tmp_path.iterdir()) == []
    assert sorted(repo.root.rglob("*")) == before


@settings(max_examples=60, deadline=None)
@given(TEXTS, TEXTS, TEXTS)
def test_merging_obeys_its_laws(repo: Repo, base: str, one: str, other: str) -> None:
    assert side(merge(repo, base, base, one), "ours") == one
    assert side(merge(repo, base, one, base), "theirs") == one
    assert clashes(merge(repo, base, one, one)) == []
    assert side(merge(repo, base, one, one), "base") == one
    there, back = merge(repo, base, one, other), merge(repo, base, other, one)
    assert side(there, "ours") == side(back, "theirs")
    assert side(there, "theirs") == side(back, "ours")


@settings(max_examples=100, deadline=None)
@given(TEXTS, TEXTS, TEXTS)
def test_the_sides_of_the_chunks_are_what_git_makes_of_each_side(
    repo: Repo, base: str, one: str, other: str
) -> None:
    if "\0" in base + one + other:  # which git alone refuses as binary
        base, one, other = (text.replace("\0", "0") for text in (base, one, other))
    chunks = merge(repo, base, one, other)
    assert side(chunks, "ours").encode() == by_git(base, one, other, "--ours")
    assert side(chunks, "theirs").encode() == by_git(base, one, other, "--theirs")


@settings(max_examples=60, deadline=None)
@given(st.text(), st.text(), st.text())
def test_any_text_can_be_merged(repo: Repo, base: str, one: str, other: str) -> None:
    chunks = merge(repo, base, one, other)
    lines = set((base + "\n" + one + "\n" + other).split("\n"))
    assert set(side(chunks, "ours").split("\n")) <= lines | {""}
