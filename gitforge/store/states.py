"""How files stand in worktree, index and HEAD, put together from what git lists."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from gitforge.store.git import Git
from gitforge.store.records import Entry, PathState, fields, parse_status

_FEW = 100  # paths that are looked at one by one


@dataclass(frozen=True)
class Listed:
    """What git has listed of a worktree: says how files stand.

    Args:
        git: git in the worktree.
        commit: The commit whose entries they are; None where there is none yet.
        folders: The files and folders that git was asked of, from the worktree's top.
        output: What `git status` says of them.
        entries: What the commit has there.
        hashed: Files that git did not know to be unchanged, with their ids: it was asked for them.
    """

    git: Git
    commit: str | None
    folders: Sequence[str]
    output: bytes
    entries: Mapping[str, Entry]
    hashed: dict[str, str] = field(default_factory=dict)

    def __call__(self, paths: Sequence[str]) -> dict[str, PathState]:
        """How files stand; those that git does not know to be unchanged are hashed by one process.

        Args:
            paths: The files, from the worktree's top, below what git was asked of.
        """
        entries = self.entries
        committed = {path: entries[path].id for path in paths if path in entries and entries[path].is_file}
        changed = parse_status(self.output)
        blobs: dict[str, str] = {}
        unknown = []
        regular = _regular(f"{self.git.root}/", paths)
        for path in paths:
            if path not in regular:
                continue
            change = changed.get(path)
            if change is None and path in committed:
                blobs[path] = committed[path]
            elif change is not None and change.in_worktree == "." and change.in_index != "D":
                blobs[path] = change.id
            else:
                unknown.append(path)
        hashed = dict(zip(unknown, _hash_files(self.git, unknown), strict=True))
        self.hashed.update(hashed)
        blobs.update(hashed)
        staged = {path for path, change in changed.items() if change.in_index != "."}
        return {path: PathState(blobs.get(path), committed.get(path), path in staged) for path in paths}

    @property
    def is_of_its_commit(self) -> bool:
        """Whether HEAD was at that commit when git listed what differs from it."""
        return f"# branch.oid {self.commit or '(initial)'}" in fields(self.output)


def _hash_files(git: Git, paths: Sequence[str]) -> list[str]:
    if not paths:
        return []
    listed = b"".join(b"%s\n" % _quoted(path) for path in paths)
    return git.read("hash-object", "--stdin-paths", stdin=listed).stdout.decode().split()


def _quoted(path: str) -> bytes:
    """As git reads a path in double quotes, where a line is a path."""
    escaped = path.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
    return b'"%s"' % os.fsencode(escaped)


def _regular(root: str, paths: Sequence[str]) -> set[str]:
    """Those of the paths at which a regular file is; where there are many, at one look at each folder."""
    if len(paths) <= _FEW:
        return {path for path in paths if _is_regular(root + path)}
    found: set[str] = set()
    for folder in {path.rpartition("/")[0] for path in paths}:
        below = f"{folder}/" if folder else ""
        with suppress(OSError, ValueError), os.scandir(root + below) as entries:
            found.update(below + one.name for one in entries if one.is_file(follow_symlinks=False))
    return found


def _is_regular(path: str) -> bool:
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except (OSError, ValueError):
        return False
