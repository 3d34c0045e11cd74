"""Git's objects in this process: loose ones read and written, trees edited as the bytes that they are.

Starting git takes a millisecond, writing an object durably a fifth of that. Source: gitformat-loose(5); for
trees and commits "Git Internals, Git Objects" in the book Pro Git.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import threading
import zlib
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Generic, TypeVar

from gitforge.store.records import TREE, Entry, Identity

Value = TypeVar("Value")


@dataclass(frozen=True)
class Tree:
    """One folder as git stores it: entries in git's order, each a mode, a name and a binary id.

    Args:
        raw: The object's content.
        id_bytes: Length of an id: 20, or 32 for SHA-256.
    """

    raw: bytes
    id_bytes: int

    def get(self, name: str) -> Entry | None:
        """The entry of that name, if there is one."""
        found = self._find(os.fsencode(name))
        return Entry(found[1].decode().zfill(6), found[3].hex()) if found else None

    def __iter__(self) -> Iterator[tuple[str, Entry]]:
        """Each name with its entry, in git's order."""
        for found in self._entry.finditer(self.raw):
            yield os.fsdecode(found[2]), Entry(found[1].decode().zfill(6), found[3].hex())

    def edited(self, name: str, entry: Entry) -> Tree:
        """The same with one entry added, or replaced by one that is a folder only if the old one is."""
        encoded = os.fsencode(name)
        new = b"%s %s\0%s" % (entry.mode.lstrip("0").encode(), encoded, bytes.fromhex(entry.id))
        if old := self._find(encoded):
            start, end = old.span()
        else:
            start = end = self._first_from(encoded + b"/" if entry.mode == TREE else encoded)
        return Tree(self.raw[:start] + new + self.raw[end:], self.id_bytes)

    def removed(self, name: str) -> Tree:
        """The same without one entry."""
        start, end = found.span() if (found := self._find(os.fsencode(name))) else (0, 0)
        return Tree(self.raw[:start] + self.raw[end:], self.id_bytes)

    @cached_property
    def _entry(self) -> re.Pattern[bytes]:
        return re.compile(rb"([0-7]++) ([^\0]++)\0(.{%d})" % self.id_bytes, re.DOTALL)

    @cached_property
    def _starts(self) -> list[int]:
        return [found.start() for found in self._entry.finditer(self.raw)]

    def _at(self, start: int) -> re.Match[bytes]:
        found = self._entry.match(self.raw, start)
        assert found is not None  # noqa: S101 -- for mypy: it has matched there before
        return found

    def _first_from(self, key: bytes) -> int:
        """Where the first entry starts that is not sorted before a key, or where the last one ends."""
        number = bisect_left(self._starts, key, key=lambda start: _sort_key(self._at(start)))
        return self._starts[number] if number < len(self._starts) else len(self.raw)

    def _find(self, name: bytes) -> re.Match[bytes] | None:
        for key in (name, name + b"/"):  # a folder is sorted as if its name ended in a slash
            start = self._first_from(key)
            if start < len(self.raw) and _sort_key(found := self._at(start)) == key:
                return found
        return None


def _sort_key(found: re.Match[bytes]) -> bytes:
    return found[2] + b"/" if found[1].lstrip(b"0") == b"40000" else found[2]


@dataclass(frozen=True)
class Begun:
    """A loose object that is written under another name, and perhaps not on the disk yet.

    Attributes:
        descriptor: Its file, open.
        temporary: The file's name.
        target: The name that it is to have.
    """

    descriptor: int
    temporary: Path
    target: Path

    def give_up(self) -> None:
        """Leaves nothing of it."""
        os.close(self.descriptor)
        with contextlib.suppress(OSError):
            self.temporary.unlink()


def settle(begun: Sequence[Begun]) -> None:
    """Makes objects durable, side by side, which a disk does in the time of one or two; then they get their names.

    Raises:
        OSError: The disk is full, say; then none of them is there.
    """
    failures: list[OSError] = []

    def sync(one: Begun) -> None:
        try:
            os.fsync(one.descriptor)
        except OSError as error:
            failures.append(error)

    threads: list[threading.Thread] = []
    left = list(begun)
    try:
        for one in begun[1:]:
            thread = threading.Thread(target=sync, args=(one,))
            try:
                thread.start()
            except RuntimeError:  # the system has no more threads for us
                sync(one)
            else:
                threads.append(thread)
        for one in begun[:1]:
            sync(one)
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]
        while left:
            left[0].temporary.rename(left[0].target)
            os.close(left.pop(0).descriptor)
    finally:
        for one in left:
            one.give_up()


@dataclass(frozen=True)
class LooseObjects:
    """The loose objects of a repository.

    Args:
        folder: Its `objects` folder.
        algorithm: `sha1` or `sha256`.
        level: How much zlib compresses, -1 to 9.
    """

    folder: Path
    algorithm: str
    level: int

    def id_of(self, kind: str, content: bytes) -> str:
        """The id that an object has."""
        return hashlib.new(
            self.algorithm, _header(kind, content) + content, usedforsecurity=False
        ).hexdigest()

    def read(self, kind: str, id_: str) -> bytes | None:
        """The content of an object of that kind, or None if it is not loose, or torn: then git knows more."""
        try:
            stored = zlib.decompress(self._path(id_).read_bytes())
        except (OSError, zlib.error):
            return None
        head, _, content = stored.partition(b"\0")
        return content if head + b"\0" == _header(kind, content) else None

    def write(self, kind: str, content: bytes) -> str:
        """Stores an object durably and gives its id; one that is loose already is only marked as used.

        Raises:
            OSError: The disk is full, or the folder cannot be written to.
        """
        id_, begun = self.begin(kind, content)
        settle([begun] if begun is not None else [])
        return id_

    def begin(self, kind: str, content: bytes) -> tuple[str, Begun | None]:
        """As `write`, up to where `settle` goes on; None where there is nothing more to do."""
        id_ = self.id_of(kind, content)
        target = self._path(id_)
        with contextlib.suppress(FileNotFoundError, PermissionError):
            os.utime(target)  # git prunes what is old and not referenced yet
            return id_, None
        target.parent.mkdir(exist_ok=True)
        # By this name `git gc` knows what a killed process has left.
        temporary = target.with_name(f"tmp_obj_{os.getpid()}_{os.urandom(4).hex()}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o444)
        begun = Begun(descriptor, temporary, target)
        try:
            with open(descriptor, "wb", closefd=False) as file:
                file.write(zlib.compress(_header(kind, content) + content, self.level))
        except BaseException:
            begun.give_up()
            raise
        return id_, begun

    def _path(self, id_: str) -> Path:
        return self.folder / id_[:2] / id_[2:]


def _header(kind: str, content: bytes) -> bytes:
    return b"%s %d\0" % (kind.encode(), len(content))


def commit_object(
    tree: str, parent: str | None, message: bytes, author: Identity, committer: Identity
) -> bytes:
    """The content of a commit that is made now."""
    parents = (parent,) if parent else ()
    return CommitObject(tree, parents, timed_now(author), None, message).content(timed_now(committer))


@dataclass(frozen=True)
class CommitObject:
    """A commit as it is stored.

    Attributes:
        tree: Id of its tree.
        parents: Ids of the commits before it.
        author: Its author, with the time: `Name <email> 1700000000 +0100`.
        encoding: Of author and message, where it is not UTF-8.
        message: All behind the headers.
    """

    tree: str
    parents: tuple[str, ...]
    author: bytes
    encoding: bytes | None
    message: bytes

    @classmethod
    def parse(cls, content: bytes) -> CommitObject:
        """Reads an object's content; other headers, as of a signature, are passed over."""
        head, _, message = content.partition(b"\n\n")
        lines = [line.partition(b" ") for line in head.split(b"\n")]
        values = {name: value for name, _, value in lines if name}
        parents = tuple(value.decode() for name, _, value in lines if name == b"parent")
        return cls(
            values[b"tree"].decode(), parents, values.get(b"author", b""), values.get(b"encoding"), message
        )

    def content(self, committer: bytes) -> bytes:
        """The object's content, by a committer, with the time as in `author`."""
        headers = [b"tree " + self.tree.encode(), *(b"parent " + one.encode() for one in self.parents)]
        headers += [b"author " + self.author, b"committer " + committer]
        headers += [b"encoding " + self.encoding] if self.encoding is not None else []
        return b"\n".join((*headers, b"", self.message))


def timed_now(identity: Identity) -> bytes:
    """Who does something at this moment, as a commit has it."""
    now = datetime.now().astimezone()
    return os.fsencode(
        f"{identity} {int(now.timestamp())} {f'{now:%z}'[:5]}"
    )  # git knows no seconds of a time zone


class Kept(Generic[Value]):
    """Values by key, the newest ones: what is asked for again is not made again.

    Args:
        most: How many are kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: dict[str, Value] = {}

    def get(self, key: str) -> Value | None:
        """The value, if it is kept."""
        return self._values.get(key)

    def __setitem__(self, key: str, value: Value) -> None:
        self._values.pop(key, None)
        self._values[key] = value
        if len(self._values) > self._most:
            del self._values[next(iter(self._values))]
