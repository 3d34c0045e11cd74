"""Ranges of lines mean what they mean to `git blame -L`."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from gitforge.errors import UserError
from gitforge.line_ranges import selected

LINES = ["one", "two", "three", "four/five", "two again", "six", ""]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("ranges")
    (root / "file").write_text("\n".join(LINES) + "\n")
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    for command in (("init", "-q"), ("add", "file"), (*identity, "commit", "-qm", "x")):
        subprocess.run(["git", *command], cwd=root, check=True, capture_output=True)
    return root / "file"


def by_git(file: Path, ranges: list[str]) -> list[int] | None:
    options = [f"-L{text}" for text in ranges]
    done = subprocess.run(
        ["git", "blame", "-s", *options, file.name],
        cwd=file.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        return None
    return [int(line.partition(")")[0].split()[-1]) for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    "ranges",
    [[], ["2,4"], ["4,2"], ["2,+3"], ["5,-3"], ["2,-9"], ["3"], ["3,"], [",3"], ["2,99"], ["7,7"], ["1,+1"],
     ["/two/"], ["/two/,+2"], ["/two/,/six/"], ["2,/two/"], ["/four\\/five/,+1"], ["/^t/,+1"],
     ["/two/,+1", "/two/,+1"], ["/two/,+1", "^/two/,+2"], ["5,6", "1,2"], ["2,4", "3,5"], ["/two/,-1"],
     ["0,3"], ["8"], ["99,100"], ["/nothing/"], ["2,/one/"], ["6,+0"], ["x"], ["1,x"], ["/two"]],
)  # fmt: skip
def test_a_range_selects_the_lines_that_git_selects(file: Path, ranges: list[str]) -> None:
    expected = by_git(file, ranges)
    if expected is None:
        with pytest.raises(UserError, match=r"^-L "):
            selected(ranges, LINES)
    else:
        assert selected(ranges, LINES) == expected


@pytest.mark.parametrize("text", ["", ",", "/(/", "--", ":name", "1,2,3", "-1", "\x1b", "1" * 5000])
def test_what_is_no_range_is_an_error(text: str) -> None:
    with pytest.raises(UserError, match=r"^-L "):
        selected([text], LINES)


def test_an_empty_file_has_no_lines() -> None:
    assert selected([], []) == []
    with pytest.raises(UserError, match="has only 0 lines"):
        selected(["1"], [])
