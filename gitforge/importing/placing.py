"""Where everything that was read goes in a workspace: kinds, file names, goals. Nothing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from gitforge import names
from gitforge.components import Library
from gitforge.errors import UserError
from gitforge.goals import Goal, GoalBook, Kind, Need
from gitforge.importing import naming
from gitforge.importing.records import KINDS, Piece, Reading, Recipe
from gitforge.store.repo import Repo

Outcome = Literal["new", "there already"]


@dataclass(frozen=True)
class Component:
    """A piece, and the file that it becomes.

    Attributes:
        piece: What it was.
        need: Its kind and name here.
        outcome: Whether the file is new.
        renamed: Why its name is not the source's; None where it is.
        is_committed: Whether the last commit has it.
    """

    piece: Piece
    need: Need
    outcome: Outcome
    renamed: str | None
    is_committed: bool

    @property
    def content(self) -> bytes:
        """The file's bytes."""
        return self.piece.text.encode()


@dataclass(frozen=True)
class PlacedGoal:
    """A recipe, and the goal that it becomes.

    Attributes:
        recipe: What it was.
        goal: The goal.
        outcome: Whether it is new.
        renamed: Why its name is not the source's; None where it is.
        missing: Names of files that it needs and that neither the source nor the library has.
    """

    recipe: Recipe
    goal: Goal
    outcome: Outcome
    renamed: str | None
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Placed:
    """Everything that was read, in its place.

    Attributes:
        components: The texts.
        goals: The whole prompts.
        kinds: Every kind as it will be, by name.
        changed: The kinds that goals.yaml has to declare anew or otherwise, by name, each with the reason.
    """

    components: tuple[Component, ...]
    goals: tuple[PlacedGoal, ...]
    kinds: Mapping[str, Kind]
    changed: Mapping[str, str]

    @property
    def new_components(self) -> list[Component]:
        """Those that are not in the library yet, each file once."""
        return [one for one in self.components if one.outcome == "new"]

    @property
    def new_goals(self) -> list[PlacedGoal]:
        """Those that goals.yaml has not got."""
        return [one for one in self.goals if one.outcome == "new"]


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
    kinds, changed = _kinds(reading, book)
    by_role = {role: _kind_for(role, kinds) or KINDS[role] for role in KINDS}
    shelf = _Shelf(library, repo)
    shelf.look_up([Need(by_role[piece.kind], piece.name) for piece in reading.pieces])
    components = tuple(_component(piece, by_role[piece.kind], shelf) for piece in reading.pieces)
    goals = _Goals(book, components, by_role, library, category)
    return Placed(components, tuple(map(goals.placed, reading.recipes)), kinds, changed)


# --- kinds -------------------------------------------------------------------------------------------------


def _kind_for(role: str, kinds: Mapping[str, Kind]) -> Kind | None:
    """The workspace's kind for a role: the one of that name, or that has its folder or key already."""
    wanted = KINDS[role]
    if role in kinds:
        return kinds[role]
    same = (
        kind for kind in kinds.values() if kind.folder == wanted.folder or wanted.key in {kind.key, kind.name}
    )
    return next(same, None)


def _kinds(reading: Reading, book: GoalBook) -> tuple[dict[str, Kind], dict[str, str]]:
    """The kinds as the goals that were read need them, and why any of them is new or changed."""
    kinds = dict(book.kinds)
    why: dict[str, str] = {}
    used = {piece.kind for piece in reading.pieces} | {
        kind for recipe in reading.recipes for kind, _ in recipe.parts
    }
    for role in (one for one in KINDS if one in used and _kind_for(one, kinds) is None):
        kinds[role] = replace(KINDS[role], required=False)
        why[role] = "is new"
    for recipe in reading.recipes:
        counts: dict[str, int] = {}
        for role, _ in recipe.parts:
            kind = _kind_for(role, kinds)
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


# --- components --------------------------------------------------------------------------------------------


class _Shelf:
    """What stands in the folders of the library, on disk and in the last commit, and what is put there now."""

    def __init__(self, library: Library, repo: Repo) -> None:
        self._library = library
        self._repo = repo
        self._names: dict[str, dict[str, str]] = {}
        self._put: dict[str, str] = {}
        self._committed: dict[str, str | None] = {}

    def look_up(self, needs: Sequence[Need]) -> None:
        """Asks git once for what it has at the paths of many."""
        paths = [self.path(need) for need in needs]
        entries = self._repo.entries(paths)
        self._committed |= {path: entries[path].id if path in entries else None for path in paths}

    def path(self, need: Need) -> str:
        return f"{self._repo.relative(self._library.folder)}/{need.path}"

    def is_committed(self, need: Need) -> bool:
        return self._committed.get(self.path(need)) is not None

    def put(self, need: Need, text: str) -> None:
        self._put[need.path] = text
        self._names_in(need.kind)[need.name.casefold()] = need.name

    def holds(self, need: Need, text: str) -> str | None:
        """Whether a text can be the component: None where its place is free, `same`, or what is in the way."""
        if need.path in self._put:
            return "same" if self._put[need.path] == text else "another file of the source has that name"
        if (other := self._names_in(need.kind).get(need.name.casefold(), need.name)) != need.name:
            return f"{other} differs in upper and lower case only"
        path = self.path(need)
        if path not in self._committed:
            self.look_up([need])
        committed, seen = self._committed[path], _bytes(self._library.folder / need.path)
        new = text.encode()
        if seen is None:
            is_free = committed is None and need.name.casefold() not in self._names_in(need.kind)
            return None if is_free else "the library has, or had in its last commit, another of that name"
        is_same = seen == new or self._id(seen, path) == self._id(new, path)
        if is_same and committed in {None, self._id(new, path)}:
            return "same"
        return "the library has another text of that name"

    def _id(self, content: bytes, path: str) -> str:
        return self._repo.objects.id_of_file(content, path)

    def _names_in(self, kind: Kind) -> dict[str, str]:
        if kind.folder not in self._names:
            self._names[kind.folder] = {name.casefold(): name for name in self._library.entries(kind)}
        return self._names[kind.folder]


def _bytes(path: Path) -> bytes | None:
    """A regular file's content; None where there is none."""
    try:
        return path.read_bytes() if path.is_file() and not path.is_symlink() else None
    except OSError:
        return None


def _component(piece: Piece, kind: Kind, shelf: _Shelf) -> Component:
    wanted = piece.source.rpartition("/")[2]
    is_fitted = (
        wanted.endswith(names.COMPONENT_SUFFIXES) and piece.kind in _NAMED_BY_FILE and wanted != piece.name
    )
    renamed = "no file of a library can have that name" if is_fitted else None
    for name in naming.numbered(piece.name):
        need = Need(kind, name)
        found = shelf.holds(need, piece.text)
        if found in {None, "same"}:
            break
        renamed = renamed or found
    shelf.put(need, piece.text)
    outcome: Outcome = "new" if found is None else "there already"
    return Component(piece, need, outcome, renamed, shelf.is_committed(need))


_NAMED_BY_FILE = {"persona", "protocol", "constraint", "taxonomy", "format", "task_template"}


# --- goals -------------------------------------------------------------------------------------------------


class _Goals:
    """Turns recipes into goals, among those that there are."""

    def __init__(
        self, book: GoalBook, components: Sequence[Component], by_role: Mapping[str, Kind], library: Library,
        category: str | None,
    ) -> None:  # fmt: skip
        self._known = dict(book.goals)
        self._folded = {name.casefold() for name in book.goals}
        self._components = {(one.piece.kind, one.piece.key): one for one in components}
        self._by_role = by_role
        self._order = list(by_role)
        self._library = library
        self._category = category

    def placed(self, recipe: Recipe) -> PlacedGoal:
        needs: dict[str, Need] = {}
        missing = []
        for role, key in sorted(recipe.parts, key=lambda part: self._order.index(part[0])):
            component = self._components.get((role, key))
            need = component.need if component else Need(self._by_role[role], naming.component_name(key))
            needs[need.path] = need
            if component is None and not (self._library.folder / need.path).is_file():
                missing.append(need.path)
        renamed = None
        for name in naming.numbered(recipe.name):
            known = self._known.get(name)
            if known is not None and {need.path for need in known.needs} == needs.keys():
                return PlacedGoal(recipe, known, "there already", renamed, tuple(missing))
            if name.casefold() not in self._folded:
                break
            renamed = "goals.yaml has another goal of that name"
        category = self._category if self._category is not None else recipe.category
        goal = Goal(name, category, recipe.description, tuple(needs.values()))
        self._known[name] = goal
        self._folded.add(name.casefold())
        return PlacedGoal(recipe, goal, "new", renamed, tuple(missing))


def refuse_nothing(reading: Reading, where: str) -> None:
    """Raises UserError where a source has nothing that could be imported."""
    if not reading.pieces and not reading.recipes:
        raise UserError(
            f"{where}: holds nothing of the format that can be imported",
            hint="`gitforge import SOURCE --dry-run --json` says why of every file."
            if reading.skipped
            else None,
        )
