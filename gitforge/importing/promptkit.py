"""A PromptKit library: personas, protocols, formats, taxonomies and task templates, with a manifest.yaml.

Its guardrails are constraints here, and its task templates, which name all the others, are goals. Source:
docs/architecture.md and bootstrap.md of github.com/microsoft/PromptKit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from gitforge.components import split_front_matter
from gitforge.importing import naming
from gitforge.importing.records import Piece, Reading, Recipe
from gitforge.importing.source import Source
from gitforge.names import title
from gitforge.text import one_line, printable

TITLE = "PromptKit"
MANIFEST = "manifest.yaml"
_FOLDERS = (
    ("personas", "persona"),
    ("protocols/guardrails", "constraint"),
    ("protocols", "protocol"),
    ("taxonomies", "taxonomy"),
    ("formats", "format"),
    ("templates", "task_template"),
)
_NAMED = (("persona", "persona"), ("protocols", "protocol"), ("taxonomies", "taxonomy"), ("format", "format"))
_MAX_MANIFEST = 4 * 1024 * 1024
_MOST_TOLD = 10
_OPEN = re.compile(r"configurable|\{\{.*\}\}")  # whoever uses the template chooses
Index = Mapping[str, tuple[str, Mapping[str, Any]]]
Tails = Mapping[tuple[str, str], tuple[str, str]]


def is_there(source: Source) -> bool:
    """Whether the folder has a manifest.yaml and one of the folders that it lists."""
    tops = {path.partition("/")[0] for path in source.paths if path.endswith(".md")}
    return MANIFEST in source.paths and bool(tops & {"personas", "protocols", "templates", "formats"})


def read(source: Source) -> Reading:
    """Every component, and a goal for each task template."""
    index = _index(source)
    pieces: list[Piece] = []
    for folder, kind in _FOLDERS:
        for path in source.untouched(folder):
            if not path.endswith(".md"):
                source.skip(path, f"is no .md file, as every part of a {TITLE} library is")
            elif (found := source.take_prompt(path)) is not None:
                pieces.append(_piece(path, kind, *found))
    tails = _tails(pieces)
    recipes = [_recipe(piece, tails, index) for piece in pieces if piece.kind == "task_template"]
    if "bootstrap.md" in source.paths:
        source.skip("bootstrap.md", f"is {TITLE}'s guide to putting prompts together, which gitforge does")
    have = {piece.source for piece in pieces}
    gone = {skipped.path for skipped in source.skipped}
    for path in sorted(index.keys() - have - gone):
        source.skip(MANIFEST, f"names {printable(path)}, which is not there", is_read=True)
    return Reading(TITLE, pieces, recipes, source.skip_rest(f"is no part of a {TITLE} library"))


def _piece(path: str, kind: str, text: str, has_mark: bool) -> Piece:  # noqa: FBT001 -- from `take`
    name = PurePosixPath(path).name
    key = path.removesuffix(".md")
    return Piece(path, kind, key, naming.component_name(name), text, has_mark)


def _index(source: Source) -> Index:
    """By path, the category and the entry that the manifest has of it; empty where it cannot be read."""
    if MANIFEST not in source.paths:
        return {}
    found = source.take(MANIFEST, _MAX_MANIFEST)
    document = source.as_yaml(MANIFEST, found[0]) if found else None
    if document is None or not isinstance(document.data, dict):
        if document is not None:
            source.skip(MANIFEST, "is no mapping")
        return {}
    index: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for section, content in document.data.items():
        groups = content if isinstance(content, dict) else {section: content}
        for group, entries in groups.items():
            for entry in entries if isinstance(entries, list) else ():
                if isinstance(entry, dict) and isinstance(entry.get("path"), str):
                    index[entry["path"]] = group, entry
    lacking = [name for name in ("pipelines",) if document.data.get(name)]
    what = "read for categories and descriptions"
    source.skip(MANIFEST, what + "; its pipelines have no counterpart" * bool(lacking), is_read=True)
    return index


def _tails(pieces: Sequence[Piece]) -> Tails:
    """The pieces by kind and whatever their path ends in: `analysis/soil` and `soil` for one of the protocols."""
    tails: dict[tuple[str, str], tuple[str, str]] = {}
    for piece in pieces:
        parts = piece.key.split("/")
        for start in range(len(parts)):
            tails.setdefault((piece.kind, "/".join(parts[start:])), (piece.kind, piece.key))
    return tails


def _recipe(template: Piece, tails: Tails, index: Index) -> Recipe:
    """The goal of a task template: what its front matter names, then its own text."""
    meta, body = split_front_matter(template.text)
    group, entry = index.get(template.source, ("", {}))
    parts: dict[tuple[str, str], None] = {}
    absent: list[str] = []
    free: dict[str, None] = {}
    for key, kind in _NAMED:
        for name in _listed(meta.get(key, entry.get(key))):
            found = _named(name, kind, tails)
            if found is None and _OPEN.fullmatch(name):
                free[key] = None
            elif found is None:
                absent.append(f"{key} {printable(name)}")
            else:
                parts[found] = None
    description = naming.description(
        entry.get("description") or meta.get("description"), naming.first_words(body)
    )
    category = naming.label(title(group), TITLE) if group and group != "templates" else TITLE
    told = ", ".join(absent[:_MOST_TOLD]) + f" and {len(absent) - _MOST_TOLD} more" * (
        len(absent) > _MOST_TOLD
    )
    note = naming.notes(
        *(f"the {key} is yours to choose: name one in goals.yaml" for key in free),
        f"without {told}: the source has none of that name" if absent else None,
        naming.cut(entry.get("description") or meta.get("description")),
    )
    name = naming.goal_name(PurePosixPath(template.source).stem)
    return Recipe(
        template.source, name, category, description, (*parts, ("task_template", template.key)), note
    )


def _listed(value: object) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [one_line(one) for one in values if isinstance(one, str) and one.strip()]


def _named(name: str, kind: str, tails: Tails) -> tuple[str, str] | None:
    """The piece that a template means; a protocol may be a guardrail."""
    kinds = ("constraint", "protocol") if kind == "protocol" else (kind,)
    found = (tails.get((one, name.removesuffix(".md"))) for one in kinds)
    return next((one for one in found if one is not None), None)
