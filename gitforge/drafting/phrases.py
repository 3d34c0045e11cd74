"""Phrases in plain words, as people write them into a file of rules, found in a text.

Upper and lower case, curly and straight apostrophes, and the amount of white space make no difference. `...` stands
for anything up to the end of the line. There are no regular expressions, so no phrase can take long.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator

_QUOTES = str.maketrans(
    {"\u2019": "'", "\u2018": "'", "\u201c": '"', "\u201d": '"', "\u2011": "-", "\xa0": " "}
)
_MARKUP = "*_#>~` \t-"


def plain(line: str) -> str:
    """A line as phrases are compared with it."""
    return " ".join(line.casefold().translate(_QUOTES).split())


def begins(line: str, phrases: Iterable[str]) -> str | None:
    """The phrase with which a line begins, whatever markup stands before it; None where there is none."""
    text = plain(line).lstrip(_MARKUP)
    return next((phrase for phrase in phrases if _match(text, _parts(phrase), at_start=True)), None)


def contains(line: str, phrases: Iterable[str]) -> Iterator[str]:
    """The phrases that stand somewhere in a line, as whole words."""
    text = plain(line)
    return (phrase for phrase in phrases if _match(text, _parts(phrase), at_start=False))


@functools.lru_cache(1000)
def _parts(phrase: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in plain(phrase).split("..."))


def _match(text: str, parts: tuple[str, ...], *, at_start: bool) -> bool:
    place = 0
    for number, part in enumerate(parts):
        is_last = number == len(parts) - 1
        found = _find(text, part, place, is_start=number == 0, is_end=is_last)
        if found is None or (number == 0 and at_start and part and found > 0):
            return False
        place = found + len(part)
    return True


def _find(text: str, part: str, start: int, *, is_start: bool, is_end: bool) -> int | None:
    """Where a part of a phrase stands, from a place on; whole words where the phrase starts and ends."""
    while (found := text.find(part, start)) >= 0:
        end = found + len(part)
        cuts_before = is_start and part[:1].isalnum() and found > 0 and text[found - 1].isalnum()
        cuts_behind = is_end and part[-1:].isalnum() and text[end : end + 1].isalnum()
        if not cuts_before and not cuts_behind:
            return found
        start = found + 1
    return None
