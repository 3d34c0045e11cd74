"""A recipe book three ways: each goal by its name, wherever it stands, lists of components as sets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from gitforge import goals_file
from gitforge.errors import InvalidFile
from gitforge.three_way import sequences
from gitforge.three_way.recipes import Recipes, put_together, renamed
from gitforge.three_way.values import ABSENT, Decide, Values, alike

_PROSE = "descriptions"  # cannot make a goal invalid


class RecipeBook:
    """One merge of recipe books.

    Args:
        base: What both sides began with.
        ours: What became of it here.
        theirs: What became of it there.
        decide: Which side of a clash stands.
    """

    def __init__(self, base: Recipes, ours: Recipes, theirs: Recipes, decide: Decide | None) -> None:
        self.values = Values(decide)
        self._sides = (base, ours, theirs)
        self._sections: dict[str, Any] = {}
        self._entries: dict[str, Any] = {}
        self._categories = _Categories(*self._sides, self.values)

    def merged(self) -> dict[str, Any]:
        """The data of the merged file, which may be no valid one."""
        for key in _all_of(*(side.sections for side in self._sides)):
            found = self._section(key, *(side.sections.get(key, ABSENT) for side in self._sides))
            if found is not ABSENT:
                self._sections[key] = found
        for name in _all_of(*(side.homes for side in self._sides)):
            found = self._goal(name, *(side.entry(name) for side in self._sides))
            if found is not ABSENT:
                self._entries[name] = found
                self._categories.settle(name)
        return self._data()

    def mended(self) -> dict[str, Any]:
        """The data of a valid file, after `merged`: what does not go with ours is left out, and clashes."""
        _, ours, _ = self._sides
        wrong = self._wrong(self._entries)
        if not self._is_valid({}) or self._wrong(
            {name: ours.entry(name) for name in wrong & ours.homes.keys()}
        ):
            for key in _all_of(*(side.sections for side in self._sides)):
                values = [side.sections.get(key, ABSENT) for side in self._sides]
                if not alike(self._sections.get(key, ABSENT), values[1]):
                    self.values.leave((key,), *values)
            self._sections = dict(ours.sections)
            wrong = self._wrong(self._entries)
        for name in [name for name in self._entries if name in wrong]:
            self.values.leave(("goals", name), *(side.entry(name) for side in self._sides))
            if name in ours.homes:
                self._entries[name] = ours.entry(name)
            else:
                del self._entries[name]
        return self._data()

    def _data(self) -> dict[str, Any]:
        is_flat = all(side.is_flat for side in self._sides[1:])
        return put_together(self._sections, self._categories.filled(self._entries), is_flat=is_flat)

    def _wrong(self, entries: Mapping[str, Any]) -> set[str]:
        """The goals that are not valid beside the merged sections."""
        return {name for name, entry in entries.items() if not self._is_valid({"C": {name: entry}})}

    def _is_valid(self, categories: dict[str, Any]) -> bool:
        sections = {key: value for key, value in self._sections.items() if key != _PROSE}
        try:
            goals_file.parse(json.dumps(sections | {"goals": categories}))
        except InvalidFile:
            return False
        return True

    def _section(self, key: str, base: Any, ours: Any, theirs: Any) -> Any:
        path = (key,)
        if key == "goals":
            return None
        if key == "version":
            # The flat layout has no place for it: it is not taken away by what stays silent.
            return self.values.value(path, base, ours, theirs) if ours and theirs else ours or theirs
        sides = (base or {}, ours or {}, theirs or {})
        merge = (
            self.values.each if key == "libraries" else self.values.mapping
        )  # an address and its pin are one
        merged = merge(path, *sides)
        if alike(merged, ours) and list(merged) == list(ours or ()):
            return ours
        return merged or (theirs if not theirs else {})

    # Goals

    def _goal(self, name: str, base: Any, ours: Any, theirs: Any) -> Any:
        path = ("goals", name)
        if ours is not ABSENT and theirs is not ABSENT:
            sides = (base or {}, ours, theirs)
            merged = {
                key: self._need((*path, key), *(side.get(key, ABSENT) for side in sides))
                for key in _all_of(*sides)
            }
            return {key: value for key, value in merged.items() if value is not ABSENT}
        left = theirs if ours is ABSENT else ours
        if base is ABSENT:
            return left
        if alike(base, left) and not self._categories.is_moved(name):
            return ABSENT
        return self.values.choice(path, base, ours, theirs)

    def _need(self, path: tuple[str, ...], base: Any, ours: Any, theirs: Any) -> Any:
        if path[-1] == "description" or any(
            alike(*two) for two in ((ours, theirs), (base, ours), (base, theirs))
        ):
            return self.values.value(path, base, ours, theirs)
        sides = [_components(one) for one in (base, ours, theirs)]
        is_many = all(side.many.get(path[-1], False) for side in self._sides[1:])
        if not is_many and sides[1].keys() != sides[2].keys():
            return self.values.value(path, base, ours, theirs)
        found = [
            self._component(path if len(sides[1]) == len(sides[2]) == 1 else (*path, name), name, sides)
            for name in _all_of(*sides)
        ]
        items = [one for one in found if one is not ABSENT]
        as_written = [
            one for one in (ours, theirs) if one is not ABSENT and list(_components(one).values()) == items
        ]
        return as_written[0] if as_written else items or ABSENT

    def _component(self, path: tuple[str, ...], name: str, sides: Iterable[Mapping[str, Any]]) -> Any:
        base, ours, theirs = (side.get(name, ABSENT) for side in sides)
        if ABSENT in (ours, theirs):
            left = theirs if ours is ABSENT else ours
            if base is ABSENT:
                return left
            return (
                ABSENT
                if _as_mapping(base) == _as_mapping(left)
                else self.values.choice(path, base, ours, theirs)
            )
        merged = self.values.mapping(path, *(_as_mapping(one) for one in (base, ours, theirs)))
        return next((one for one in (ours, theirs) if _as_mapping(one) == merged), merged)


class _Categories:
    """Where each goal stands. A category that a side renamed is the same one, under both names."""

    def __init__(self, base: Recipes, ours: Recipes, theirs: Recipes, values: Values) -> None:
        self._sides = (base, ours, theirs)
        self._values = values
        self._olds: tuple[Mapping[str, str], ...] = ({}, renamed(base, ours), renamed(base, theirs))
        self._homes: dict[str, str] = {}
        news = [{old: new for new, old in olds.items()} for olds in self._olds[1:]]
        self._names = {
            old: values.value(("goals", old), old, *(new.get(old, old) for new in news))
            for old in [*news[0], *(old for old in news[1] if old not in news[0])]
        }

    def is_moved(self, goal: str) -> bool:
        """Whether a goal stands in another category than before on the side that has it still."""
        return len({home for home in self._all(goal) if home is not ABSENT}) > 1

    def settle(self, goal: str) -> None:
        """Finds the category of a goal that is to be there."""
        base, ours, theirs = self._all(goal)
        if ABSENT in (ours, theirs):
            self._homes[goal] = theirs if ours is ABSENT else ours
        else:
            self._homes[goal] = self._values.value(("goals", goal, "category"), base, ours, theirs)

    def filled(self, entries: Mapping[str, Any]) -> dict[str, Any]:
        """The categories with their goals, in order."""
        found: dict[str, Any] = {}
        base, ours, theirs = (
            [olds.get(name, name) for name in side.categories]
            for side, olds in zip(self._sides, self._olds, strict=True)
        )
        kept = set(sequences.merged(base, ours, theirs))
        inner: dict[str, dict[str, Any]] = {}
        for goal, entry in entries.items():
            inner.setdefault(self._homes[goal], {})[goal] = entry
        for old in sequences.ordered(base, ours, theirs, {*ours, *theirs}):
            name = self._names.get(old, old)
            if old in inner or (old in kept and name not in found):
                found[name] = (found.get(name) or {}) | inner.get(old, {})
        empty = {name: inner for name, inner in self._sides[1].categories.items() if not inner}
        return {name: inner or empty.get(name, {}) for name, inner in found.items()}

    def _all(self, goal: str) -> list[Any]:
        return [
            olds.get(side.homes[goal], side.homes[goal]) if goal in side.homes else ABSENT
            for side, olds in zip(self._sides, self._olds, strict=True)
        ]


def _all_of(base: Mapping[str, Any], ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    """Every name of either side, in order."""
    return sequences.ordered(list(base), list(ours), list(theirs), {*ours, *theirs})


def _components(value: Any) -> dict[str, Any]:
    """By their names, as they are written."""
    items = [] if value is ABSENT else value if isinstance(value, list) else [value]
    return {item if isinstance(item, str) else item["file"]: item for item in items}


def _as_mapping(component: Any) -> dict[str, Any]:
    if component is ABSENT:
        return {}
    return {"file": component} if isinstance(component, str) else component
