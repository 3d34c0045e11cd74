"""Where everything that was read goes in a workspace: kinds, file names, goals. Nothing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Literal

from gitforge import names
from gitforge.components import Library
from gitforge.errors import UserError
from gitforge.goals import Goal, GoalBook, Kind, Need
from gitforge.importing import naming
from gitforge.importing.kinds import kind_for, kinds_of
from gitforge.importing.placed import Component, Placed, PlacedGoal
from gitforge.importing.records import KINDS, Reading, Recipe
from gitforge.importing.shelf import Shelf, component
from gitforge.store.repo import Repo


def place(reading: Reading, book: GoalBook, library: Library, repo: Repo, category: str | None) -> Placed:
    """Finds a place for everything.

    Args:
        reading: What was read.
        book: The goals and kinds that there are.
        library: The components that there are.
        repo: The repository around them.
        category: Where the goals go; None for what their source says.

    Raises:
        UserError: The category's name is not possible, or the library cannot be looked at.
    """
    if category is not None:
        names.label(category, "category")
    kinds, changed = kinds_of(reading, book)
    by_role = {role: kind_for(role, kinds) or KINDS[role] for role in KINDS}
    shelf = Shelf(library, repo)
    shelf.look_up([Need(by_role[piece.kind], piece.name) for piece in reading.pieces])
    components = tuple(component(piece, by_role[piece.kind], shelf) for piece in reading.pieces)
    goals = _Goals(book, components, by_role, library, category)
    return Placed(components, tuple(map(goals.placed, reading.recipes)), kinds, changed)


class _Goals:
    """Turns recipes into goals, among those that there are."""

    def __init__(
        self, book: GoalBook, components: Sequence[Component], by_role: Mapping[str, Kind], library: Library,
        category: str | None,
    ) -> None:  # fmt: skip
        self._known = dict(book.goals)
        self._come: set[str] = set()
        self._folded = {name.casefold() for name in book.goals}
        self._components = {(one.piece.kind, one.piece.key): one for one in components}
        self._by_role = by_role
        self._order = list(by_role)
        self._library = library
        self._category = category

    def placed(self, recipe: Recipe) -> PlacedGoal:
        """The goal that a recipe becomes, or the one that it is already."""
        needs: dict[str, Need] = {}
        missing = []
        parts = sorted(recipe.parts, key=lambda part: self._order.index(part[0]))
        for role, key in parts:
            component = self._components.get((role, key))
            need = component.need if component else Need(self._by_role[role], naming.component_name(key))
            needs[need.path] = need
            if component is None and not (self._library.folder / need.path).is_file():
                missing.append(need.path)
        main = self._main(parts)
        renamed = None
        for name in naming.numbered(recipe.name):
            known = self._known.get(name)
            if known is not None and (likeness := _likeness(known, needs.keys(), main)) is not None:
                lacking = tuple(path for path in missing if path in {need.path for need in known.needs})
                if likeness == "same" or name.casefold() not in self._come:
                    is_edited = likeness == "edited"
                    return PlacedGoal(recipe, known, "there already", renamed, lacking, is_edited)
            if name.casefold() not in self._folded:
                break
            is_own = name.casefold() in self._come
            renamed = f"{'the source' if is_own else 'goals.yaml'} has another goal of that name"
        category = self._category if self._category is not None else recipe.category
        goal = Goal(name, category, recipe.description, tuple(needs.values()))
        self._known[name] = goal
        self._folded.add(name.casefold())
        self._come.add(name.casefold())
        return PlacedGoal(recipe, goal, "new", renamed, tuple(missing))

    def _main(self, parts: Sequence[tuple[str, str]]) -> str | None:
        """The first component that carries the whole prompt, whatever else the goal names; None where none does."""
        found = (self._components.get(part) for part in parts if KINDS[part[0]].is_whole)
        return next((one.need.path for one in found if one is not None), None)


def _likeness(known: Goal, wanted: AbstractSet[str], main: str | None) -> Literal["same", "edited"] | None:
    """Whether a goal that is there is the source's: as it was, or with components that somebody chose otherwise."""
    there = {need.path for need in known.needs}
    if there == wanted:
        return "same"
    is_chosen = main in there if main is not None else there < wanted or there > wanted
    return "edited" if is_chosen else None


def refuse_nothing(reading: Reading, where: str) -> None:
    """Raises UserError where a source has nothing that could be imported."""
    if not reading.pieces and not reading.recipes:
        raise UserError(
            f"{where}: holds nothing of the format that can be imported",
            hint="`gitforge import SOURCE --dry-run --json` says why of every file."
            if reading.skipped
            else None,
        )
