"""The names of resources: `gitforge://component/personas/x.md`, `gitforge://goal/NAME`, `gitforge://toolkit/P/FILE`.

A name from a stranger never becomes a path: it is looked up among what there is.
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import quote, unquote

from gitforge.errors import UserError
from gitforge.text import printable_line

COMPONENT, GOAL, TOOLKIT = "component", "goal", "toolkit"
_SCHEME = "gitforge://"
_MOST = 2000  # characters


class Uri(NamedTuple):
    """A resource's name in its parts: what it is one of, and which one."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{_SCHEME}{self.kind}/{quote(self.name, safe='/:')}"


def parse(text: str) -> Uri:
    """Takes a resource's name apart.

    Raises:
        UserError: It is none of ours.
    """
    kind, _, name = text.removeprefix(_SCHEME).partition("/")
    is_ours = text.startswith(_SCHEME) and kind in {COMPONENT, GOAL, TOOLKIT} and len(text) <= _MOST
    if not is_ours or not name:
        raise NoSuchResource(text)
    return Uri(kind, unquote(name))


class NoSuchResource(UserError):
    """Nothing has that name.

    Args:
        uri: What was asked for.
        hint: What to do.
    """

    def __init__(self, uri: str, hint: str | None = None) -> None:
        shown = printable_line(uri if len(uri) <= 200 else f"{uri[:200]}...")
        super().__init__(
            f"there is no resource {shown}",
            hint=hint
            or "A component is gitforge://component/FOLDER/FILE, a goal gitforge://goal/NAME, "
            "a file of a toolkit gitforge://toolkit/PROJECT/FILE.",
        )
