"""Values three ways: what one side alone changed is taken; what both changed differently is a clash."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from gitforge.rewriting import snippets
from gitforge.text import printable
from gitforge.three_way import sequences


class _Absent:
    """Where a value is not there, which differs from YAML's null."""

    def __repr__(self) -> str:
        return "ABSENT"

    def __bool__(self) -> bool:
        return False


ABSENT: Any = _Absent()


@dataclass(frozen=True)
class GoalClash:
    """A value that both sides changed, each in its own way, or that one changed and the other removed.

    Attributes:
        place: Where it stands, fit for a terminal: `goals > FIND_BUG > persona`.
        base: What both began with, as YAML without a final line break; None where there was nothing.
        ours: What it is here; None where it is not there any more.
        theirs: What it is there; None where it is not there any more.
        path: The place, name by name, as written.
    """

    place: str
    base: str | None
    ours: str | None
    theirs: str | None
    path: tuple[str, ...]


_Mapping = Mapping[str, Any]
Decide = Callable[[GoalClash], Literal["ours", "theirs"]]


class Values:
    """Merges values, and notes the clashes that are left to a person.

    Args:
        decide: Which side of a clash stands; without it, ours does and the clash is left.
    """

    def __init__(self, decide: Decide | None = None) -> None:
        self._decide = decide
        self.clashes: list[GoalClash] = []

    def value(self, path: tuple[str, ...], base: Any, ours: Any, theirs: Any) -> Any:
        """A value as a whole; ABSENT where it is not to be there."""
        if alike(ours, theirs) or alike(base, theirs):
            return ours
        if alike(base, ours):
            return theirs
        return self.choice(path, base, ours, theirs)

    def choice(self, path: tuple[str, ...], base: Any, ours: Any, theirs: Any) -> Any:
        """One side of a clash."""
        if self._decide is None:
            self.leave(path, base, ours, theirs)
            return ours
        return theirs if self._decide(_clash(path, base, ours, theirs)) == "theirs" else ours

    def each(self, path: tuple[str, ...], base: _Mapping, ours: _Mapping, theirs: _Mapping) -> dict[str, Any]:
        """A mapping key by key, each value as a whole."""
        return self._by_key(self.value, path, base, ours, theirs)

    def mapping(
        self, path: tuple[str, ...], base: _Mapping, ours: _Mapping, theirs: _Mapping
    ) -> dict[str, Any]:
        """A mapping key by key, and the mappings in it likewise."""
        return self._by_key(self._inner, path, base, ours, theirs)

    def _inner(self, path: tuple[str, ...], base: Any, ours: Any, theirs: Any) -> Any:
        if not all(one is None or isinstance(one, dict) for one in (ours, theirs)):
            return self.value(path, base, ours, theirs)
        merged = self.mapping(path, base or {}, ours or {}, theirs or {})
        return ours if alike(merged, ours) else merged

    def _by_key(
        self,
        merge: Callable[[tuple[str, ...], Any, Any, Any], Any],
        path: tuple[str, ...],
        *sides: _Mapping,
    ) -> dict[str, Any]:
        base, ours, theirs = (list(side) for side in sides)
        merged: dict[str, Any] = {}
        for name in sequences.ordered(base, ours, theirs, {*ours, *theirs}):
            found = merge((*path, name), *(side.get(name, ABSENT) for side in sides))
            if found is not ABSENT:
                merged[name] = found
        return merged

    def leave(self, path: tuple[str, ...], base: Any, ours: Any, theirs: Any) -> None:
        """Notes a clash in which ours has to stand."""
        self.clashes.append(_clash(path, base, ours, theirs))


def alike(one: Any, other: Any) -> bool:
    """Whether two values mean the same: nothing said below a key is the same as an empty mapping there."""
    return bool(({} if one is None else one) == ({} if other is None else other))


def _clash(path: tuple[str, ...], base: Any, ours: Any, theirs: Any) -> GoalClash:
    place = " > ".join(printable(name) for name in path)
    return GoalClash(place, _shown(base), _shown(ours), _shown(theirs), path)


def _shown(value: Any) -> str | None:
    if value is ABSENT:
        return None
    style = snippets.Style()
    if isinstance(value, dict) and value:
        return "\n".join(line for name, one in value.items() for line in snippets.entry(name, one, style))
    return snippets.plain(value, style)
