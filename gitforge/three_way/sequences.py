"""Ordered names merged three ways: the same order comes out, whichever side is called ours."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence


def merged(base: Sequence[str], ours: Sequence[str], theirs: Sequence[str]) -> list[str]:
    """What both kept and what either added, as a three-way set, in order."""
    was, mine, other = set(base), set(ours), set(theirs)
    return ordered(base, ours, theirs, mine & other | mine - was | other - was)


def ordered(
    base: Sequence[str], ours: Sequence[str], theirs: Sequence[str], keep: Collection[str]
) -> list[str]:
    """Puts names in order: as the side has them that changed the order, new ones behind their neighbours.

    Args:
        base: The names before, each once.
        ours: Those of one side.
        theirs: Those of the other.
        keep: What shall come out; each stands on one side at least.
    """
    wanted = set(keep)
    sides = [[name for name in side if name in wanted] for side in (ours, theirs)]
    shared = set(sides[0]) & set(sides[1])
    common = _common(
        [name for name in base if name in shared], *([n for n in s if n in shared] for s in sides)
    )
    additions = [_additions(side, shared) for side in sides]
    found: list[str] = []
    for anchor in (None, *common):
        found += [] if anchor is None else [anchor]
        found += _interleaved(*(runs.get(anchor, []) for runs in additions))
    return found


def _common(base: list[str], ours: list[str], theirs: list[str]) -> list[str]:
    known = set(base)
    if ours == theirs or [name for name in theirs if name in known] == base:
        changed = [name for name in ours if name in known] != base
        return ours if ours == theirs or changed else min(ours, theirs)
    return theirs if [name for name in ours if name in known] == base else min(ours, theirs)


def _additions(side: Sequence[str], shared: Collection[str]) -> dict[str | None, list[str]]:
    """What a side alone has, by the name before it that both have."""
    runs: dict[str | None, list[str]] = {}
    anchor: str | None = None
    for name in side:
        if name in shared:
            anchor = name
        else:
            runs.setdefault(anchor, []).append(name)
    return runs


def _interleaved(ours: list[str], theirs: list[str]) -> Iterator[str]:
    """Both runs in one, each in its own order, the smaller name first: with a third run, in any sequence."""
    ours, theirs = ours[::-1], theirs[::-1]
    while ours and theirs:
        yield (ours if ours[-1] < theirs[-1] else theirs).pop()
    yield from ours[::-1] or theirs[::-1]
