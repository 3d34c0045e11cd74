"""What git answers, as plain frozen records, and how they are read from its output."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from gitforge.store.dates import from_iso, seconds

_REVERTS = re.compile(r"^This reverts commit [0-9a-f]{7,64}\b", re.MULTILINE)

TREE = "040000"
FILE = "100644"
LINK = "120000"
SUBMODULE = "160000"


class Link(bytes):
    """What a symbolic link leads to, where else a file's bytes are: it equals no file."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Link) and bytes.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash((Link, bytes(self)))


@dataclass(frozen=True)
class Head:
    """Where HEAD points: `ref` is None if it is detached, `commit` is None on a branch without a commit."""

    ref: str | None
    commit: str | None


@dataclass(frozen=True)
class Identity:
    """Who a commit is by; `is_fallback` where the user has set no identity."""

    name: str
    email: str
    is_fallback: bool = False

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"


@dataclass(frozen=True)
class PathState:
    """One path in the three places where git knows it.

    Args:
        blob: Id that the worktree's file has after clean filters; None where there is no regular file.
        committed: Id of the blob in HEAD; None if HEAD lacks it.
        staged: The index differs from HEAD.
    """

    blob: str | None
    committed: str | None
    staged: bool

    @property
    def edited(self) -> bool:
        """The worktree or the index differs from HEAD."""
        return self.staged or self.blob != self.committed


@dataclass(frozen=True)
class Generation:
    """The commit that a path has its content from.

    Args:
        commit: Id of the commit.
        subject: First paragraph of its message, as one line.
        author: `Name <email>`.
        date: When it was written, with its time zone.
        trailer_lines: Name and value of each trailer, in the message's order.
    """

    commit: str
    subject: str
    author: str
    date: datetime
    trailer_lines: tuple[tuple[str, str], ...]

    @property
    def trailers(self) -> dict[str, str]:
        """Value by name; the values of a repeated name are joined by line breaks."""
        found: dict[str, str] = {}
        for name, value in self.trailer_lines:
            found[name] = f"{found[name]}\n{value}" if name in found else value
        return found


@dataclass(frozen=True)
class Commit:
    """A commit's header and message.

    Args:
        id: Its id.
        committed: When it was made, in seconds since 1970; by this git orders a log.
        date: When its content was written, with its time zone.
        author: `Name <email>`.
        message: The whole of its message.
    """

    id: str
    committed: int
    date: datetime
    author: str
    message: str

    @property
    def subject(self) -> str:
        """The first paragraph of its message, as one line."""
        return " ".join(self.message.strip().partition("\n\n")[0].split())


@dataclass(frozen=True)
class FileChange:
    """What one commit did to one file.

    Args:
        commit: The commit.
        status: git's letter: A added, M modified, D deleted, R renamed (edited too, where the blobs differ), T another
            type of file.
        path: The file, as it is called since then; what is gone, as it was called.
        old_path: What it was called before; `path` where it was not renamed.
        old_blob: Id of what it held before (in a merge: in the first parent); None where it was not there.
        new_blob: Id of what it holds since; None where it is gone.
        asked: The path that was asked for and led here.
    """

    commit: Commit
    status: str
    path: str
    old_path: str
    old_blob: str | None
    new_blob: str | None
    asked: str


@dataclass(frozen=True)
class Removal:
    """A commit that took a file away, or by a revert a text of it.

    Args:
        commit: Id of the commit.
        message: The whole of its message.
        blob: Id of what the file held before.
    """

    commit: str
    message: str
    blob: str


@dataclass(frozen=True)
class Entry:
    """What a tree or the index holds under a name: git's mode in six octal digits, and the object's id."""

    mode: str
    id: str

    @property
    def is_file(self) -> bool:
        """A regular file, executable or not: no symlink, folder or submodule."""
        return self.mode.startswith("100")

    @property
    def is_link(self) -> bool:
        """A symbolic link."""
        return self.mode == LINK

    @property
    def is_submodule(self) -> bool:
        """Another repository's commit."""
        return self.mode == SUBMODULE


@dataclass(frozen=True)
class IndexEntry(Entry):
    """An entry of the index; `stage` is 1 to 3 for the sides of a merge conflict, else 0."""

    path: str
    stage: int


def with_folders(path: str) -> Iterator[str]:
    """The folders above a path, from the top, and the path itself."""
    parts = path.split("/")
    for count in range(1, len(parts) + 1):
        yield "/".join(parts[:count])


def fields(output: bytes) -> list[str]:
    """NUL-terminated fields."""
    return os.fsdecode(output).split("\0")[:-1]


def parse_tree(output: bytes) -> dict[str, Entry]:
    """The entries that `ls-tree -z` lists, by name."""
    entries = {}
    for item in fields(output):
        description, _, name = item.partition("\t")
        mode, _, id_ = description.split(" ")
        entries[name] = Entry(mode, id_)
    return entries


def parse_staged(output: bytes) -> list[IndexEntry]:
    """The entries that `ls-files -z --stage` lists."""
    entries = []
    for item in fields(output):
        description, _, path = item.partition("\t")
        mode, id_, stage = description.split(" ")
        entries.append(IndexEntry(mode, id_, path, int(stage)))
    return entries


class Change(NamedTuple):
    """What git-status(1) reports of a path: a letter for each step from HEAD to the worktree."""

    in_index: str
    in_worktree: str
    id: str


def parse_status(output: bytes) -> dict[str, Change]:
    """The changes that `status --porcelain=v2 -z --no-renames` lists, by path."""
    changes = {}
    for item in fields(output):
        if item.startswith("1 "):  # ordinary: 1 XY sub mH mI mW hH hI path
            *_, id_, path = item.split(" ", 8)
            changes[path] = Change(item[2], item[3], id_)
        elif item.startswith("u "):  # unmerged: u XY sub m1 m2 m3 mW h1 h2 h3 path
            changes[item.split(" ", 10)[-1]] = Change("U", "U", "")
    return changes


def parse_generation(header: str) -> Generation:
    """A commit from lines: id, date, author, subject, trailers."""
    commit, date, author, subject, *lines = header.rstrip("\n").split("\n")
    pairs = (line.partition(": ") for line in lines)
    trailers = tuple((name, value) for name, separator, value in pairs if separator)
    return Generation(commit, subject, author, from_iso(date), trailers)


def parse_removals(output: bytes) -> dict[str, list[Removal]]:
    """The removals by path that `log -z --raw` lists, each commit's after a header of `/`, id and message.

    A change that is no deletion counts where the message says that it reverts a commit.
    """
    found: dict[str, list[Removal]] = {}
    commit, message = "", ""
    items = iter(fields(output))
    for item in items:
        if item.startswith("/"):
            commit, _, message = item[1:].partition("\n")
        elif item.lstrip("\n").startswith(":"):  # :mode mode blob blob D, then the path
            *_, blob, _, status = item.split(" ")
            path = next(items)
            if status == "D" or _REVERTS.search(message):
                found.setdefault(path, []).append(Removal(commit, message.strip(), blob))
    return found


COMMIT_LAYOUT = "%H%n%ct%n%aI%n%an <%ae>%n%B"
"""What to ask git-log(1) for, for `parse_commit`."""


def parse_commit(header: str) -> Commit:
    """A commit from lines as in `COMMIT_LAYOUT`."""
    id_, committed, date, author, message = header.split("\n", 4)
    return Commit(id_, seconds(committed), from_iso(date), author, message)


def parse_file_changes(items: Iterable[str]) -> Iterator[FileChange]:
    """The changes that `log -z --raw` lists, each commit's after a header of `/` and `COMMIT_LAYOUT`."""
    header, commit = "", None
    fields_ = iter(items)
    for item in fields_:
        if item.startswith("/"):
            header, commit = item[1:], None
        elif item.lstrip("\n").startswith(":"):
            commit = commit or parse_commit(header)
            yield parse_file_change(item, fields_, commit)


def parse_file_change(item: str, names: Iterator[str], commit: Commit) -> FileChange:
    """One change from `:mode mode blob blob status` and its paths.

    Of a merge, as `--combined-all-paths` tells it, there is one more mode, blob, letter and path for each parent.
    """
    words = item.strip("\n:").split(" ")
    ids, status = words[len(words) // 2 : -1], words[-1]
    parents = len(ids) - 1
    path = old_path = next(names)
    if parents > 1:
        old_paths = [path, *islice(names, parents - 1)]
        path = next(names)
        status, old_path = _combined(status, old_paths, path)
    elif status[0] == "R":
        path = next(names)
    old, new = (None if not one.strip("0") else one for one in (ids[0], ids[-1]))
    return FileChange(commit, status[0], path, old_path, old, new, path)


def _combined(letters: str, old_paths: Sequence[str], path: str) -> tuple[str, str]:
    """What a merge itself did to a file, by git's letter for each parent, and what it was called before."""
    if set(letters) <= {"R", "A"} and "R" in letters:
        return "R", old_paths[letters.index("R")]
    return (letters[0] if len({*letters}) == 1 and letters[0] in "AD" else "M"), path
