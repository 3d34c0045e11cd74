"""What the commits of a history say about components, in columns: quick to keep in a file, to load and to extend.

Most questions need to know only that somebody said something about a text. What exactly is read where it is asked for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from gitforge.store.dates import from_iso
from gitforge.store.messages import WITHDRAWN, Group


@dataclass(frozen=True)
class Statement:
    """What one commit says about one component.

    Attributes:
        commit: Id of the commit.
        committed: When it was made, in seconds since 1970; by this git orders a log.
        date: When it was written, with its time zone.
        author: `Name <email>`.
        subject: The first line of its message.
        purpose: The rest of its message, but for trailers, as one line; empty where it speaks of several components.
        group: What it says.
    """

    commit: str
    committed: int
    date: datetime
    author: str
    subject: str
    purpose: str
    group: Group


GENERATION, OUTLINE, SEEN_GENERATION, SEEN_OUTLINE, REVIEW, WITHDRAWAL, OTHER = "goGORW-"
GENERATIONS, REVIEWS = "goGO", "GOR"


@dataclass(frozen=True)
class Spoken:
    """Statements, the newest first; number N is in place N of every column.

    Attributes:
        kinds: A letter each: one of the constants of this module.
        blobs: Ids of the texts that they are about; empty where one does not say.
        paths: The components.
        details: All of it, a line of JSON each.
    """

    kinds: str
    blobs: tuple[str, ...]
    paths: tuple[str, ...]
    details: bytes | memoryview

    @classmethod
    def of(cls, statements: Iterable[Statement]) -> Spoken:
        """The columns of statements."""
        all_ = list(statements)
        groups = [one.group for one in all_]
        details = b"".join(_detail(one) for one in all_)
        kinds = "".join(map(_kind, groups))
        return cls(kinds, tuple(group.blob or "" for group in groups), tuple(g.path for g in groups), details)

    def __add__(self, older: Spoken) -> Spoken:
        """These statements, and older ones."""
        return Spoken(
            self.kinds + older.kinds, self.blobs + older.blobs, self.paths + older.paths,
            bytes(self.details) + older.details,
        )  # fmt: skip

    def statement(self, number: int) -> Statement:
        """One of them."""
        commit, committed, date, author, subject, purpose, trailers = json.loads(self._lines[number])
        group = Group(self.paths[number], trailers)
        return Statement(commit, committed, from_iso(date), author, subject, purpose, group)

    def mentions(self, number: int, name: str) -> bool:
        """Whether a statement may have a trailer of that name, without a closer look."""
        return self.ever_mentions(name) and f'"{name}"'.encode() in self._lines[number]

    def ever_mentions(self, name: str) -> bool:
        """Whether any statement may have a trailer of that name."""
        if name not in self._mentioned:
            self._mentioned[name] = f'"{name}"'.encode() in bytes(self.details)
        return self._mentioned[name]

    def values(self, name: str) -> set[str]:
        """All that statements say under one name, without a look at each of them."""
        said = re.findall(rb'"%s": ("(?:[^"\\]|\\.)*")' % name.encode(), bytes(self.details))
        return {json.loads(one) for one in set(said)}

    @cached_property
    def _mentioned(self) -> dict[str, bool]:
        return {}

    @cached_property
    def _lines(self) -> list[bytes]:
        return bytes(self.details).splitlines()

    def encode(self) -> bytes:
        """The columns without the details."""
        columns = (self.kinds, "\n".join(self.blobs), "\n".join(self.paths))
        return "\0".join(columns).encode("utf-8", "surrogatepass")

    @classmethod
    def decode(cls, columns: bytes, details: bytes | memoryview) -> Spoken:
        """What `encode` has made, with the details again.

        Raises:
            ValueError: It is something else.
        """
        kinds, blobs, paths = columns.decode("utf-8", "surrogatepass").split("\0")
        if not kinds:
            return cls("", (), (), b"")
        found = cls(kinds, tuple(blobs.split("\n")), tuple(paths.split("\n")), details)
        if not len(found.kinds) == len(found.blobs) == len(found.paths):
            raise ValueError("its columns have not the same length")
        return found


def _kind(group: Group) -> str:
    if WITHDRAWN in group.trailers:
        return WITHDRAWAL
    if group.is_generation:
        return (GENERATION + OUTLINE if group.reviewer is None else SEEN_GENERATION + SEEN_OUTLINE)[
            group.is_outline
        ]
    return OTHER if group.reviewer is None else REVIEW


def _detail(one: Statement) -> bytes:
    values = (one.commit, one.committed, one.date.isoformat(), one.author, one.subject, one.purpose)
    return json.dumps([*values, dict(one.group.trailers)]).encode() + b"\n"
