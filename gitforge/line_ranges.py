"""Ranges of lines, as `-L` of git-blame(1) has them: `n,m`  `n,+k`  `n,-k`  `/re/`  `n,`  `,m`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from gitforge.errors import UserError
from gitforge.text import counted, printable

_RANGE = re.compile(
    r"(?P<start>\^?/(?:\\.|[^/\\])*/|[0-9]{0,18})(?P<comma>,(?P<end>/(?:\\.|[^/\\])*/|[+-]?[0-9]{1,18})?)?",
    re.DOTALL,
)


class NoRange(UserError):
    """A text that says no range of lines, whatever the file."""


def selected(ranges: Iterable[str], lines: Sequence[str]) -> list[int]:
    """The numbers, from 1, of the lines that ranges select together; all of them where there is no range.

    Args:
        ranges: Each as `-L` takes it. A pattern is a Python regular expression; it is looked for behind the range
            before it, and `^/re/` from the first line on.
        lines: Without their line breaks.

    Raises:
        NoRange: A range cannot be read.
        UserError: It begins behind the last line, or finds nothing.
    """
    numbers: set[int] = set()
    is_any, after = False, 0
    for text in ranges:
        start, end = _parsed(text, lines, after)
        numbers.update(range(start, end + 1))
        is_any, after = True, end
    return sorted(numbers) if is_any else list(range(1, len(lines) + 1))


def _parsed(text: str, lines: Sequence[str], after: int) -> tuple[int, int]:
    found = _RANGE.fullmatch(text)
    if found is None or not text.strip(","):
        raise NoRange(
            f"-L {printable(text)}: is no range of lines",
            hint="For example 5,10 or 5,+3 or '/^## Task/,+5' or 20, or ,20.",
        )
    start = _start(text, found["start"], lines, after)
    end = _end(text, found["end"], lines, start)
    return max(1, min(start, end)), min(max(start, end), len(lines))


def _start(text: str, start: str, lines: Sequence[str], after: int) -> int:
    if start.startswith("^"):
        return _search(text, start[1:], lines, 0)
    if start.startswith("/"):
        return _search(text, start, lines, after)
    number = int(start) if start else 1
    if not 1 <= number <= len(lines):
        has = f"has only {counted(len(lines), 'line')}" if number else "begins with line 1"
        raise UserError(f"-L {printable(text)}: the file {has}")
    return number


def _end(text: str, end: str | None, lines: Sequence[str], start: int) -> int:
    if end is None:
        return len(lines)
    if end.startswith("/"):
        return _search(text, end, lines, start)
    number = int(end)
    if number == 0:
        raise NoRange(f"-L {printable(text)}: is an empty range")
    if end.startswith("+"):
        return start + number - 1
    return start + number + 1 if end.startswith("-") else number


def _search(text: str, pattern: str, lines: Sequence[str], after: int) -> int:
    """The number of the first matching line behind a line."""
    try:
        wanted = re.compile(pattern[1:-1].replace("\\/", "/"))
    except re.error as error:
        raise NoRange(f"-L {printable(text)}: is no regular expression: {error}") from None
    for number in range(after, len(lines)):
        if wanted.search(lines[number]):
            return number + 1
    raise UserError(
        f"-L {printable(text)}: no line {'behind it ' if after else ''}matches {printable(pattern)}"
    )
