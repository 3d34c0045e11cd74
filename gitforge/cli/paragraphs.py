"""What a command says, as data: shown now, and again where nothing has changed since."""

from __future__ import annotations

from gitforge.cli import output

TYPE_CHECKING = False  # typing's own takes longer to import than all the rest here
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from gitforge.cli.output import Part

    Paragraph = tuple[str, Sequence[Any]]

_RESULT, _NOTE, _TABLE = "result", "note", "table"


def result(*parts: Part) -> Paragraph:
    """A result."""
    return _RESULT, parts


def note(*parts: Part) -> Paragraph:
    """Something that is for the person alone."""
    return _NOTE, parts


def table(rows: Sequence[Sequence[Part]]) -> Paragraph:
    """A table without a header."""
    return _TABLE, rows


def show(paragraphs: Iterable[Paragraph]) -> None:
    """Shows them, also as JSON has made lists of them."""
    for kind, parts in paragraphs:
        if kind == _TABLE:
            width = len(parts[0]) if parts else 0
            output.table([""] * width, parts)
        elif kind == _NOTE:
            output.say(*parts)
        else:
            output.result(*parts)
