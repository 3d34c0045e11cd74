"""The words of an import: the texts and recipes that a format finds, and what it leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gitforge.goals import DEFAULT_KINDS, Kind

KINDS = {
    kind.name: kind
    for kind in (
        *DEFAULT_KINDS,
        Kind("taxonomy", "taxonomies", many=True, key="taxonomies"),
        Kind("format", "formats", key="format"),
        Kind("task_template", "task_templates", key="task_template"),
        Kind("system", "system_prompts", key="system"),
        Kind("prompt", "prompts", key="prompt"),
        Kind("skill", "skills", key="skill"),
        Kind("reference", "references", many=True, key="references"),
    )
}
"""What a format's texts are here, in the order in which a toolkit has them."""


@dataclass(frozen=True)
class Piece:
    """A text of the source that becomes a component.

    Attributes:
        source: Its file, from the source's top.
        kind: A name in `KINDS`.
        key: What recipes call it, unique within its kind.
        name: The file name that it should have.
        text: The component's whole text.
        has_mark: Whether a byte order mark stood before it.
        note: What is to be known about how it was taken.
    """

    source: str
    kind: str
    key: str
    name: str
    text: str
    has_mark: bool = False
    note: str | None = None


@dataclass(frozen=True)
class Recipe:
    """A whole prompt of the source, which becomes a goal.

    Attributes:
        source: Its file, from the source's top.
        name: The goal's name.
        category: The goal's category.
        description: What it is for.
        parts: Kind and key of each of its pieces; a key without a piece is the name of a file that the source lacks.
        note: What of the prompt the goal cannot say.
    """

    source: str
    name: str
    category: str
    description: str
    parts: tuple[tuple[str, str], ...]
    note: str | None = None


@dataclass(frozen=True)
class Skipped:
    """A file or folder of the source that does not become a component.

    Attributes:
        path: From the source's top.
        reason: Why.
        line: Where in it.
        is_read: Whether what it says was used nevertheless.
        is_foreign: Whether it is merely no part of the format, as others beside it are.
    """

    path: str
    reason: str
    line: int | None = None
    is_read: bool = False
    is_foreign: bool = False


@dataclass(frozen=True)
class Reading:
    """All that a format finds in a source.

    Attributes:
        title: What the source's format is called, for people.
        pieces: The texts.
        recipes: The whole prompts.
        skipped: Everything else.
    """

    title: str
    pieces: Sequence[Piece]
    recipes: Sequence[Recipe]
    skipped: Sequence[Skipped]
