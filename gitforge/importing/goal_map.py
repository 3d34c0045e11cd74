"""The original format: a goal_map.json, and `components/` beside it."""

from __future__ import annotations

from collections.abc import Collection

from gitforge import documents, goals_file, names
from gitforge.errors import InvalidFile, Problem, UserError
from gitforge.goals import FILE_NAME, GoalBook, Kind
from gitforge.importing import naming
from gitforge.importing.records import Piece, Reading, Recipe, Skipped
from gitforge.importing.source import Source

TITLE = "goal map"
FILE = "goal_map.json"
FOLDER = "components"


def is_there(source: Source) -> bool:
    """Whether the folder holds a goal_map.json."""
    return FILE in source.paths


def read(source: Source, file: str = FILE) -> Reading:
    """Every goal of the map, and every component beside it.

    Raises:
        InvalidFile: The map is not valid.
        UserError: It is in another format.
    """
    found = source.take(file, documents.MAX_BYTES)
    if found is None:
        last = source.skipped[-1]
        raise InvalidFile([Problem(file, last.reason, last.line)])
    book = parse(found[0], file)
    source.skip(file, "read for its goals", is_read=True)
    pieces = pieces_of(source, book)
    recipes = [
        Recipe(
            file, goal.name, goal.category, goal.description,
            tuple((need.kind.name, need.name) for need in goal.needs),
        )
        for goal in book.goals.values()
    ]  # fmt: skip
    rest = source.skip_rest(f"is no part of {FILE} and {FOLDER}/")
    return Reading(TITLE, pieces, recipes, rest)


def parse(text: str, file: str) -> GoalBook:
    """The map's goals.

    Raises:
        InvalidFile: It is not valid.
        UserError: It is in gitforge's own format.
    """
    book = goals_file.parse(text, file)
    if not book.is_flat:
        hint = f"Rename it to {FILE_NAME}: it loads as it is."
        raise UserError(f"{file}: is not in the two-level format", hint=hint)
    return book


def pieces_of(source: Source, book: GoalBook) -> list[Piece]:
    """The components of the map's kinds; what is beside them is put aside."""
    pieces = []
    for kind in book.kinds.values():
        for path in source.untouched(f"{FOLDER}/{kind.folder}"):
            name = path.removeprefix(f"{FOLDER}/{kind.folder}/")
            if "/" in name or not name.endswith(names.COMPONENT_SUFFIXES):
                source.skip(path, _no_component(name))
            elif (found := source.take_prompt(path)) is not None:
                pieces.append(_piece(path, kind, name, *found))
    pieces += _flat(source, book, {(one.kind, one.key) for one in pieces})
    known = {f"{FOLDER}/{kind.folder}" for kind in book.kinds.values()}
    for folder in (one for one in source.folders if one.count("/") == 1 and one.startswith(f"{FOLDER}/")):
        if folder not in known:
            source.skipped.append(Skipped(folder, "belongs to no kind"))
            for path in source.untouched(folder):
                source.skip(path, "belongs to no kind")
    return pieces


def _flat(source: Source, book: GoalBook, have: Collection[tuple[str, str]]) -> list[Piece]:
    """The files of `components/` itself: each is of the kind as which goals need it."""
    pieces = []
    for path in source.untouched(FOLDER):
        name = path.removeprefix(f"{FOLDER}/")
        if "/" in name:
            continue
        needed = {need.kind.name: need.kind for need in book.needs().values() if need.name == name}
        kinds = [kind for kind in needed.values() if (kind.name, name) not in have]
        if len(kinds) != 1:
            where = ", ".join(f"{FOLDER}/{kind.folder}/" for kind in kinds or book.kinds.values())
            why = "no goal needs it"
            if needed:
                why = "goals need it as several kinds" if kinds else "another of that name is in its kind's"
            source.skip(path, f"is in no kind's folder ({where}), and {why}")
        elif (found := source.take_prompt(path)) is not None:
            pieces.append(_piece(path, kinds[0], name, *found))
    return pieces


def _no_component(name: str) -> str:
    if "/" in name:
        return "is in a folder of its own, where no component is looked for"
    return f"does not end in {' or '.join(names.COMPONENT_SUFFIXES)}"


def _piece(path: str, kind: Kind, name: str, text: str, has_mark: bool) -> Piece:  # noqa: FBT001 -- from `take`
    return Piece(path, kind.name, name, naming.component_name(name), text, has_mark)
