"""Commits one after the other, as they are stored, and what each changed: read with three processes, however many."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from gitforge.store import messages
from gitforge.store.objects import CommitObject
from gitforge.store.records import Entry, fields
from gitforge.store.repo import Repo

_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True)
class PathChange:
    """What became of one path; None where it was not, or is not any more.

    Attributes:
        path: From the worktree's top.
        old: Its entry before.
        new: Its entry after.
    """

    path: str
    old: Entry | None
    new: Entry | None


@dataclass(frozen=True)
class Member:
    """One commit of a series.

    Attributes:
        id: Its id.
        stored: As it is stored.
        changes: What it changed; nothing is told of a merge.
    """

    id: str
    stored: CommitObject
    changes: tuple[PathChange, ...]

    @cached_property
    def text(self) -> str:
        """Its message."""
        encoding = (self.stored.encoding or b"utf-8").decode("ascii", "replace")
        try:
            return self.stored.message.decode(encoding, "surrogateescape")
        except (LookupError, UnicodeError):
            return self.stored.message.decode("utf-8", "surrogateescape")

    @cached_property
    def message(self) -> messages.Message:
        """What its message says."""
        return messages.parse(self.text)

    @property
    def is_merge(self) -> bool:
        """Whether it has more than one parent."""
        return len(self.stored.parents) > 1


def read_series(repo: Repo, base: str | None, tip: str) -> list[Member]:
    """The commits that one commit has and another has not, the oldest first.

    Args:
        repo: The repository.
        base: The one that has not; None for all from the first on.
        tip: The one that has.

    Raises:
        UserError: git fails; objects are missing, say.
    """
    if base == tip:
        return []
    range_ = [tip, *([f"^{base}"] if base is not None else [])]
    listed = repo.git.read("rev-list", "--reverse", "--topo-order", *range_, "--").stdout
    ids = listed.decode().split()
    changes = _changes(repo, listed)
    stored = repo.objects.read_many("commit", ids)
    return [Member(id_, CommitObject.parse(stored[id_]), tuple(changes.get(id_, ()))) for id_ in ids]


def compare(repo: Repo, old: str | None, new: str) -> list[PathChange]:
    """What differs between two commits or trees; None for nothing at all."""
    return [change for change, _ in _compared(repo, old, new, "--no-renames")]


def renamed(repo: Repo, old: str, new: str) -> dict[str, str]:
    """The files that have another name, and perhaps other lines, in the newer one: the new name by the old."""
    found = _compared(repo, old, new, "-M", "-l1000")
    return {source: change.path for change, source in found if source is not None}


def _compared(repo: Repo, old: str | None, new: str, *how: str) -> Iterator[tuple[PathChange, str | None]]:
    about = ("-r", "-z", "--raw", "--no-abbrev", *how)
    done = repo.git.read("diff-tree", *about, old or repo.objects.empty_tree(), new, "--")
    items = iter(fields(done.stdout))
    for item in items:
        yield _change(item, items)


def _changes(repo: Repo, listed: bytes) -> Mapping[str, Sequence[PathChange]]:
    about = ("-r", "-z", "--raw", "--no-abbrev", "--no-renames", "--root", "--stdin")
    found: dict[str, list[PathChange]] = {}
    current: list[PathChange] = []
    items = iter(fields(repo.git.read("diff-tree", *about, stdin=listed).stdout))
    for item in items:
        if item.startswith(":"):
            current.append(_change(item, items)[0])
        else:
            current = found.setdefault(_ID.findall(item)[0], [])
    return found


def _change(item: str, names: Iterator[str]) -> tuple[PathChange, str | None]:
    """One change from `:mode mode id id status` and its path or paths, and what a renamed one was called."""
    old_mode, new_mode, old, new, status = item[1:].split(" ")
    path, source = next(names), None
    if status[0] in "RC":
        source, path = path, next(names)
    return PathChange(path, _entry(old_mode, old), _entry(new_mode, new)), source if status[
        0
    ] == "R" else None


def _entry(mode: str, id_: str) -> Entry | None:
    return Entry(mode, id_) if id_.strip("0") else None
