"""A folder of Agent Skills: each a folder with a SKILL.md, and texts that it refers to.

Source: the specification at agentskills.io.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from gitforge.components import split_front_matter
from gitforge.importing import naming
from gitforge.importing.records import Piece, Reading, Recipe
from gitforge.importing.source import Source
from gitforge.names import COMPONENT_SUFFIXES

TITLE = "Agent Skills"
CATEGORY = "Skills"
FILE = "SKILL.md"
_LICENCE = re.compile(
    r"(?:(?:un)?licen[cs]es?|copying|copyright|notices?|ofl)(?![a-z]).*|.*[-_. ](?:ofl|licen[cs]e)\.txt",
    re.IGNORECASE,
)
_MUCH = 128  # KiB of references


def is_there(source: Source) -> bool:
    """Whether there is a SKILL.md anywhere in it."""
    return any(_is_skill(path) for path in source.paths)


def read(source: Source) -> Reading:
    """A goal for each skill, of its SKILL.md and the texts in its folder."""
    pieces: list[Piece] = []
    recipes: list[Recipe] = []
    skills = sorted((path for path in source.paths if _is_skill(path)), key=lambda path: -path.count("/"))
    for path in skills:  # the innermost first: what is in a skill within a skill is its own
        if source.is_left(path):  # else it is a text of the skill whose file differs in case alone
            _read_skill(source, path, pieces, recipes)
    pieces.sort(key=lambda one: one.source)
    recipes.sort(key=lambda one: one.source)
    return Reading(TITLE, pieces, recipes, source.skip_rest("is no part of a skill"))


def _is_skill(path: str) -> bool:
    return PurePosixPath(path).name in {FILE, FILE.lower()}


def _read_skill(source: Source, path: str, pieces: list[Piece], recipes: list[Recipe]) -> None:
    folder = path.rpartition("/")[0]
    found = source.take_prompt(path)
    if found is None:
        for one in source.untouched(folder):
            source.skip(one, f"belongs to {path}, which is skipped")
        return
    meta, body = split_front_matter(found[0])
    given = meta.get("name")
    name = given if isinstance(given, str) and given.strip() else PurePosixPath(folder).name or source.name
    note = None if name is given else "has no name in its front matter, so its folder's is taken"
    skill = Piece(path, "skill", path, naming.component_name(name), *found, note)
    mine = [skill, *_references(source, folder, name)]
    pieces += mine
    description = naming.description(meta.get("description"), naming.first_words(body))
    parts = tuple((piece.kind, piece.key) for piece in mine)
    told = naming.notes(naming.cut(meta.get("description")), _crowd(mine[1:]))
    recipes.append(Recipe(path, naming.goal_name(name), CATEGORY, description, parts, told))


def _crowd(references: Sequence[Piece]) -> str | None:
    """What is to be known where a skill's texts are more than an agent should read at once."""
    size = sum(len(one.text.encode()) for one in references) // 1024
    if size < _MUCH:
        return None
    return f"a toolkit of it has its {len(references)} references, {size:,} KiB: name fewer in goals.yaml"


def _references(source: Source, folder: str, skill: str) -> list[Piece]:
    """The texts in a skill's folder, which its SKILL.md may send its reader to."""
    pieces = []
    for path in source.untouched(folder):
        inner = path.removeprefix(f"{folder}/" if folder else "")
        if _LICENCE.fullmatch(PurePosixPath(path).name):
            source.skip(path, "is a licence or notice: heed what it says")
        elif not path.endswith(COMPONENT_SUFFIXES):
            source.skip(path, f"is no {' or '.join(COMPONENT_SUFFIXES)} file: a component is one text")
        elif (found := source.take_prompt(path)) is not None:
            name = naming.component_name(f"{skill}-{inner.removeprefix('references/').replace('/', '-')}")
            pieces.append(Piece(path, "reference", path, name, *found))
    return pieces
