"""The edit of goals.yaml that an import makes: kinds and goals that it has not got, and nothing else."""

from __future__ import annotations

from typing import Any

from gitforge import goals_file
from gitforge.errors import Conflict
from gitforge.goals import DEFAULT_KINDS, FILE_NAME, Goal, GoalBook, Kind
from gitforge.goals_edit import adding, edited, layered, version_edited
from gitforge.importing.placed import Placed
from gitforge.text import printable


def with_goals(text: str, placed: Placed) -> str:
    """The text of a goals.yaml with what was imported added.

    Raises:
        Conflict: It has another goal of one of the names.
        InvalidFile: It is not valid, or would not be.
        UserError: It is written in a way that cannot be edited.
    """
    before = goals_file.parse(text)

    def change(data: dict[str, Any]) -> None:
        if placed.changed:
            _declare(data, placed)
        for one in placed.new_goals:
            if not _is_there(before, one.goal):
                adding(_declared_goal(one.goal, placed))(data)

    return edited(text, change)


def edit(old: bytes | None, placed: Placed) -> bytes:
    """The same for one version of the file: HEAD's, the index's or the working tree's.

    Raises:
        Conflict: That version is not there, is not valid, or has another goal of one of the names.
    """
    return version_edited(old, lambda text: with_goals(text, placed))


def _is_there(book: GoalBook, goal: Goal) -> bool:
    """Whether a goal is there already; raises Conflict where another one has its name."""
    known = book.goals.get(goal.name)
    if known is None:
        return False
    if {need.path for need in known.needs} != {need.path for need in goal.needs}:
        raise Conflict(
            f"a version of {FILE_NAME} has another goal {printable(goal.name)}",
            hint="Commit or take back its changes first.",
        )
    return True


def _declared_goal(goal: Goal, placed: Placed) -> Goal:
    """A goal with its kinds as goals.yaml will declare them."""
    return goal._replace(needs=tuple(need._replace(kind=placed.kinds[need.kind.name]) for need in goal.needs))


def _declare(data: dict[str, Any], placed: Placed) -> None:
    """Declares the kinds that are new or changed; those that hold by default are written out then."""
    layered(data)
    if not data.get("kinds"):
        rest = {key: data.pop(key) for key in list(data) if key not in {"version", "kinds"}}
        data["kinds"] = {kind.name: _declared(kind) for kind in DEFAULT_KINDS}
        data.update(rest)
    for name in placed.changed:
        data["kinds"][name] = {**(data["kinds"].get(name) or {}), **_declared(placed.kinds[name])}


def _declared(kind: Kind) -> dict[str, Any]:
    """A kind as it stands in goals.yaml: what its name would not give by itself."""
    told: dict[str, Any] = {"folder": kind.folder}
    if kind.many:
        told["many"] = True
    if kind.many or kind.key != kind.name:
        told["key"] = kind.key
    is_required_by_default = any(one.required for one in DEFAULT_KINDS if one.name == kind.name)
    if kind.required or is_required_by_default:
        told["required"] = kind.required
    return told
