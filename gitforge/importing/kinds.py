"""The kinds that an import needs, among those that goals.yaml has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gitforge.goals import GoalBook, Kind
from gitforge.importing.records import KINDS, Reading


def kind_for(role: str, kinds: Mapping[str, Kind]) -> Kind | None:
    """The workspace's kind for a role: the one of that name, or that has its folder or key already."""
    wanted = KINDS[role]
    if role in kinds:
        return kinds[role]
    same = (
        kind for kind in kinds.values() if kind.folder == wanted.folder or wanted.key in {kind.key, kind.name}
    )
    return next(same, None)


def kinds_of(reading: Reading, book: GoalBook) -> tuple[dict[str, Kind], dict[str, str]]:
    """The kinds as the goals that were read need them, and why any of them is new or changed."""
    kinds = dict(book.kinds)
    why: dict[str, str] = {}
    used = {piece.kind for piece in reading.pieces} | {
        kind for recipe in reading.recipes for kind, _ in recipe.parts
    }
    for role in (one for one in KINDS if one in used and kind_for(one, kinds) is None):
        kinds[role] = replace(KINDS[role], required=False)
        why[role] = "is new"
    for recipe in reading.recipes:
        counts: dict[str, int] = {}
        for role, _ in recipe.parts:
            kind = kind_for(role, kinds)
            if kind is not None:
                counts[kind.name] = counts.get(kind.name, 0) + 1
        for kind in list(kinds.values()):
            if kind.required and not counts.get(kind.name):
                kinds[kind.name] = replace(kind, required=False)
                _say(why, kind.name, "need not be named by every goal any more")
            if not kind.many and counts.get(kind.name, 0) > 1:
                kinds[kind.name] = replace(kinds[kind.name], many=True)
                _say(why, kind.name, "can be named more than once by a goal now")
    return kinds, why


def _say(why: dict[str, str], kind: str, reason: str) -> None:
    said = why.get(kind)
    if said is None:
        why[kind] = reason
    elif reason not in said:
        why[kind] = f"{said}, and {reason}"
