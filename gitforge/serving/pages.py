"""Long lists in pages: each goes on behind the last name of the one before, whatever came or went in between."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from gitforge.errors import UserError

SIZE = 100
"""How many there are on a page."""

Item = TypeVar("Item")
Shown = TypeVar("Shown")
Key = tuple[str, ...]


@dataclass(frozen=True)
class Page(Generic[Shown]):
    """A part of a list.

    Attributes:
        items: Those on it.
        cursor: What asks for the next page; None on the last one.
    """

    items: tuple[Shown, ...]
    cursor: str | None = None


def page(found: Iterable[tuple[Key, Item]], cursor: str | None, show: Callable[[Item], Shown]) -> Page[Shown]:
    """One page of a list.

    Args:
        found: All of it, in any order; each with the names that it is ordered by.
        cursor: The one of the page before; None for the first page.
        show: Makes what the page has, of those that are on it alone.

    Raises:
        UserError: No page has such a cursor.
    """
    last = _key(cursor) if cursor is not None else None
    rest = sorted((one for one in found if last is None or one[0] > last), key=lambda one: one[0])
    items = tuple(show(item) for _, item in rest[:SIZE])
    return Page(items, _cursor(rest[SIZE - 1][0]) if len(rest) > SIZE else None)


def _cursor(key: Key) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode()


def _key(cursor: str) -> Key:
    try:
        names = json.loads(base64.b64decode(cursor, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise UserError("no page has that cursor", hint="Leave it, to begin with the first page.")
    return tuple(names)
