"""A fabric `patterns/` folder: one folder a pattern, whose system.md is sent as the system message.

Source: github.com/danielmiessler/fabric, data/patterns.
"""

from __future__ import annotations

import re

from gitforge.components import split_front_matter
from gitforge.importing import naming
from gitforge.importing.records import Piece, Reading, Recipe
from gitforge.importing.source import Source

TITLE = "fabric"
CATEGORY = "Fabric patterns"
SYSTEM, USER = "system.md", "user.md"
_EXPLANATIONS = "pattern_explanations.md"
_EXPLANATION = re.compile(r"\d+\.\s+\*\*([^*\n]{1,200})\*\*:\s*(.+)")
_PLACES = ("", "patterns/", "data/patterns/")


def is_there(source: Source) -> bool:
    """Whether the folder has patterns, or a `patterns/` that has some, or is one pattern."""
    return SYSTEM in source.paths or _place(source) is not None


def read(source: Source) -> Reading:
    """A goal for each pattern, of its system.md and its user.md."""
    place = _place(source) or ""
    explained = _explanations(source, place + _EXPLANATIONS)
    pieces: list[Piece] = []
    recipes: list[Recipe] = []
    for folder, name in _patterns(source, place):
        mine = [
            piece
            for file, kind in ((SYSTEM, "system"), (USER, "prompt"))
            if (piece := _piece(source, f"{folder}{file}", kind, name)) is not None
        ]
        pieces += mine
        if mine:
            told = naming.first_words(split_front_matter(mine[0].text)[1])
            description = naming.description(explained.get(name), told)
            parts = tuple((piece.kind, piece.key) for piece in mine)
            note = naming.cut(explained.get(name))
            recipes.append(Recipe(mine[0].source, naming.goal_name(name), CATEGORY, description, parts, note))
        for path in source.untouched(folder.removesuffix("/")):
            is_readme = path.lower().endswith("readme.md")
            source.skip(
                path,
                "is documentation"
                if is_readme
                else f"is neither {SYSTEM} nor {USER}: fabric does not send it",
            )
    return Reading(TITLE, pieces, recipes, source.skip_rest("is no part of a pattern"))


def _place(source: Source) -> str | None:
    """Where the patterns are, from the source's top; None where there are none."""
    for place in _PLACES:
        if any(
            path.startswith(place) and path.count("/") == place.count("/") + 1 and path.endswith(f"/{SYSTEM}")
            for path in source.paths
        ):
            return place
    return None


def _patterns(source: Source, place: str) -> list[tuple[str, str]]:
    """Folder and name of each pattern; the source itself may be the only one."""
    if SYSTEM in source.paths and not place:
        return [("", source.name)]
    files = [path.removeprefix(place).split("/") for path in source.paths if path.startswith(place)]
    found = dict.fromkeys(parts[0] for parts in files if len(parts) == 2 and parts[1] in {SYSTEM, USER})
    return [(f"{place}{name}/", name) for name in found]


def _piece(source: Source, path: str, kind: str, name: str) -> Piece | None:
    if path not in source.paths or (found := source.take_prompt(path)) is None:
        return None
    return Piece(path, kind, name, naming.component_name(name), *found)


def _explanations(source: Source, path: str) -> dict[str, str]:
    """What each pattern is for, from the list that comes with them."""
    if path not in source.paths or (found := source.take(path)) is None:
        return {}
    source.skip(path, "read for descriptions", is_read=True)
    matches = map(_EXPLANATION.fullmatch, found[0].splitlines())
    return {match[1]: match[2] for match in matches if match is not None}
