"""A folder of templates of the `llm` tool: YAML with a system prompt, a prompt, and settings.

What gitforge has no place for (model, options, schema and the rest) is kept in the component's front matter.
Source: docs/templates.md and llm/templates.py of github.com/simonw/llm.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from gitforge.components import MAX_BYTES, split_front_matter
from gitforge.importing import naming
from gitforge.importing.records import Piece, Reading, Recipe
from gitforge.importing.source import Source
from gitforge.text import printable

TITLE = "llm"
CATEGORY = "llm templates"
_TEXTS = ("system", "prompt")
SETTINGS = {
    "name", "attachments", "attachment_types", "model", "defaults", "options", "extract", "extract_last",
    "schema_object", "fragments", "system_fragments", "tools", "functions",
}  # fmt: skip
_SUFFIXES = (".yaml", ".yml")
_BELOW = "is in a folder, and llm lists the templates of the top alone: import that folder by itself if it has some"
_MOST_LOOKED_AT = 50  # files, to see whether they are templates


def is_there(source: Source) -> bool:
    """Whether one of the YAML files at its top is a template."""
    found = [path for path in source.paths if _is_candidate(path)][:_MOST_LOOKED_AT]
    return any(_why_not(document.data) is None for path in found if (document := source.glance(path)))


def read(source: Source) -> Reading:
    """A goal for each template."""
    pieces: list[Piece] = []
    recipes: list[Recipe] = []
    for path in source.paths:
        if not _is_candidate(path) or (document := source.take_yaml(path)) is None:
            continue
        data = document.data
        if (reason := _why_not(data)) is not None:
            source.skip(path, reason)
            continue
        if document.duplicates:  # llm sends the last one
            source.put_aside(document.duplicates[0], path)
            continue
        template = {"prompt": data} if isinstance(data, str) else data
        mine = _pieces(path, template)
        pieces += mine
        name = PurePosixPath(path).stem
        parts = tuple((piece.kind, piece.key) for piece in mine)
        description = naming.first_words(
            next(text for key in _TEXTS if (text := (template.get(key) or "").strip()))
        )
        recipes.append(Recipe(path, naming.goal_name(name), CATEGORY, description, parts))
    for path in (one for one in source.untouched() if one.endswith(_SUFFIXES)):
        source.skip(path, _BELOW, is_foreign=True)
    return Reading(TITLE, pieces, recipes, source.skip_rest("is no llm template"))


def _is_candidate(path: str) -> bool:
    return "/" not in path and path.endswith(_SUFFIXES)


def _why_not(data: object) -> str | None:
    """Why data is no template with a text in it; None where it is one."""
    if isinstance(data, str):
        return None if data.strip() else "is empty"
    if not isinstance(data, dict):
        return "is no llm template: it is neither a mapping nor a text"
    unknown = sorted(data.keys() - SETTINGS - set(_TEXTS))
    if unknown:
        return f"is no llm template: it has the key {printable(unknown[0])!r}"
    wrong = [key for key in _TEXTS if data.get(key) is not None and not isinstance(data[key], str)]
    if wrong:
        return f"is no llm template: its {wrong[0]} is no text"
    if not any((data.get(key) or "").strip() for key in _TEXTS):
        return "has neither a system prompt nor a prompt"
    return None


def _pieces(path: str, template: Mapping[str, Any]) -> list[Piece]:
    """A component for each text; the first one keeps the settings."""
    stem = PurePosixPath(path).stem
    name = naming.component_name(stem)
    settings = {key: value for key, value in template.items() if key not in _TEXTS and value is not None}
    pieces: list[Piece] = []
    for key in _TEXTS:
        text = template.get(key) or ""
        if text.strip():
            full, note = _with_settings(text, settings if not pieces else {})
            pieces.append(Piece(path, key, stem, name, full, note=note))
    return pieces


def _with_settings(text: str, settings: Mapping[str, Any]) -> tuple[str, str | None]:
    """A component's whole text: front matter with the settings, then the text, and what is to be known of it."""
    if not settings and "$" not in text:
        if split_front_matter(text)[1] == text:
            return text, None
        return f"---\n---\n{text}", "gets empty front matter, so that its own beginning is text"
    kept = json.dumps({"llm": settings}, indent=2, ensure_ascii=False)
    full = f"---\nmetadata:\n{textwrap.indent(kept, '  ')}\n---\n{text}"
    keys = ", ".join(settings)
    meta, body = split_front_matter(full)
    is_right = meta.get("metadata") == {"llm": settings} and body.strip() == text.strip()
    if is_right and len(full.encode()) <= MAX_BYTES:
        if not settings:
            return (
                full,
                "gets front matter, which says that its $ are llm's: an export to llm writes them back",
            )
        return full, f"keeps {keys} in its front matter, which an export to llm writes back"
    return f"---\n---\n{text}", f"without {keys or 'a word on its $'}: they cannot be kept in front matter"
