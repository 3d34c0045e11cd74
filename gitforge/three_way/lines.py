"""Lines merged three ways, where they can be: a clash keeps our lines, and whoever asked judges the result.

Patience diff: lines that are alone of their kind on both sides, as most keys of a recipe book are, hold the rest
together. Source: Bram Cohen, "Patience Diff Advantages" (2010).
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

_FEW = 200  # lines for which a diff of any kind is quick
_BOM = "\ufeff"


def merged(base: str, ours: str, theirs: str) -> str:
    """Our text with what they changed, but for the places that both sides changed.

    Line breaks and a byte order mark are ours, unless they alone changed them.
    """
    sides = [_Side(text) for text in (base, ours, theirs)]
    lines = _merged(*(side.lines for side in sides))
    was, mine, other = (side.newline for side in sides)
    newline = other if mine == was else mine
    return (_BOM if ours.startswith(_BOM) else "") + "".join(lines).replace("\n", newline)


class _Side:
    def __init__(self, text: str) -> None:
        plain = text.removeprefix(_BOM)
        is_crlf = "\r\n" in plain and plain.count("\r\n") == plain.count("\n")
        self.newline = "\r\n" if is_crlf else "\n"
        plain = plain.replace("\r\n", "\n") if is_crlf else plain
        self.lines = re.findall(r"[^\n]*\n|[^\n]+", plain)


def _merged(base: Sequence[str], ours: Sequence[str], theirs: Sequence[str]) -> Iterator[str]:
    in_ours, in_theirs = dict(_matches(base, ours)), dict(_matches(base, theirs))
    done = (0, 0, 0)
    stable = [(at, in_ours[at], in_theirs[at]) for at in sorted(in_ours.keys() & in_theirs.keys())]
    for ends in [*stable, (len(base), len(ours), len(theirs))]:
        was, mine, other = (
            side[start:end] for side, start, end in zip((base, ours, theirs), done, ends, strict=True)
        )
        yield from other if mine == was else mine
        yield from ours[ends[1] : ends[1] + 1]
        done = (ends[0] + 1, ends[1] + 1, ends[2] + 1)


def _matches(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Pairs of lines that are the same, in rising order on both sides; not in order themselves."""
    todo = [(0, len(old), 0, len(new))]
    while todo:
        start, end, first, last = todo.pop()
        while start < end and first < last and old[start] == new[first]:
            yield start, first
            start, first = start + 1, first + 1
        while start < end and first < last and old[end - 1] == new[last - 1]:
            end, last = end - 1, last - 1
            yield end, last
        if start == end or first == last:
            continue
        anchors = _anchors(old, new, start, end, first, last)
        if not anchors and end - start <= _FEW and last - first <= _FEW:
            blocks = SequenceMatcher(
                None, old[start:end], new[first:last], autojunk=False
            ).get_matching_blocks()
            yield from (
                (start + block.a + n, first + block.b + n) for block in blocks for n in range(block.size)
            )
        elif anchors:
            for here, there in [*anchors, (end, last)]:
                todo.append((start, here, first, there))
                start, first = here, there


def _anchors(
    old: Sequence[str], new: Sequence[str], start: int, end: int, first: int, last: int
) -> list[tuple[int, int]]:
    """The longest rising run of lines that stand once on either side."""
    counts, others = Counter(old[start:end]), Counter(new[first:last])
    where = {new[at]: at for at in range(first, last) if others[new[at]] == 1}
    pairs = [(at, where[old[at]]) for at in range(start, end) if counts[old[at]] == 1 and old[at] in where]
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for number, (_, there) in enumerate(pairs):
        at = bisect_left(tails, there)
        before.append(ends[at - 1] if at else -1)
        if at == len(tails):
            tails.append(there)
            ends.append(number)
        else:
            tails[at], ends[at] = there, number
    run: list[tuple[int, int]] = []
    number = ends[-1] if ends else -1
    while number >= 0:
        run.append(pairs[number])
        number = before[number]
    return run[::-1]
