"""Two versions of goals.yaml, merged as what they say: goals by name, lists as sets, values three ways.

Where a merge of the lines says the same, its text is taken, with the comments of both sides. Elsewhere our text
is changed as `goals_edit` changes it, and what is new comes with its comments from theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gitforge import documents, goals_file
from gitforge.errors import InvalidFile, UserError
from gitforge.goals import FILE_NAME
from gitforge.goals_edit import edited, unshared
from gitforge.three_way import lines
from gitforge.three_way.recipe_book import RecipeBook
from gitforge.three_way.recipes import Recipes
from gitforge.three_way.values import Decide, GoalClash

__all__ = ["Decide", "GoalClash", "Merged", "merge"]

_ORDERED = ("kinds", "outputs")  # a prompt's parts and a toolkit's files stand in their order


@dataclass(frozen=True)
class Merged:
    """A merged goals.yaml.

    Attributes:
        text: Always a valid one.
        clashes: What is left to a person: our value stands in the text for now.
    """

    text: str
    clashes: tuple[GoalClash, ...]


def merge(base: str | None, ours: str, theirs: str, decide: Decide | None = None) -> Merged:
    """Merges what two sides made of a goals.yaml.

    Args:
        base: The text that both began with; None or empty where both made their own.
        ours: What became of it here: what comes out is this text with what they changed.
        theirs: What became of it there.
        decide: Which side of a clash stands; without it, ours does and the clash is left to a person. It is
            not asked where theirs would give no valid file: a goal of a kind that ours has removed, say.

    Raises:
        InvalidFile: One of the texts is not a valid goals.yaml; the error says which.
        UserError: Ours is written in a way that gitforge cannot edit.
    """
    mine, other = _read(ours, "ours"), _read(theirs, "theirs")
    if theirs in (base, ours):
        return Merged(ours, ())
    was = _read(base, "base") if base else Recipes()
    if ours == base:
        return Merged(theirs, ())
    work = RecipeBook(was, mine, other, decide)
    wanted = work.merged()
    near = lines.merged(base or "", ours, theirs)
    try:
        text = _written(near, ours, theirs, wanted)
    except InvalidFile:
        text = _written(near, ours, theirs, work.mended())
    return Merged(text, tuple(work.values.clashes))


def _read(text: str, side: str) -> Recipes:
    document = documents.parse(text, f"{FILE_NAME} ({side})")
    book = goals_file.validated(document)
    return Recipes.of(unshared(document.data), book)


def _written(near: str, ours: str, theirs: str, wanted: dict[str, Any]) -> str:
    """The text of the wanted data: the merge of the lines where it says so, else what is as near as can be.

    Raises:
        InvalidFile: The wanted data would be no valid file.
        UserError: Ours is written in a way that gitforge cannot edit.
    """

    def become(data: dict[str, Any]) -> None:
        if not _say_the_same(data, wanted):
            data.clear()
            data.update(wanted)

    if near != ours and _is_valid(near):
        try:
            return edited(near, become, sources=[theirs, ours])
        except InvalidFile:
            raise
        except UserError:
            pass
    return edited(ours, become, sources=[theirs])


def _say_the_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether the data of two files is the same, in whatever order the goals stand."""
    return one == other and all(list(one.get(key) or ()) == list(other.get(key) or ()) for key in _ORDERED)


def _is_valid(text: str) -> bool:
    try:
        goals_file.parse(text)
    except InvalidFile:
        return False
    return True
