"""How files stand in worktree, index and HEAD, put together from what git lists."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence

from gitforge.store.git import Git
from gitforge.store.records import Entry, PathState, parse_status

STATUS = ("--porcelain=v2", "-z", "--untracked-files=no", "--ignore-submodules=all", "--no-renames")
"""How git-status(1) has to be asked for `states_of`."""


def states_of(
    git: Git, paths: Sequence[str], listed: bytes, entries: Mapping[str, Entry]
) -> dict[str, PathState]:
    """How files stand; those that git does not know to be unchanged are hashed by one process.

    Args:
        git: git in the worktree.
        paths: The files, from the worktree's top.
        listed: What `git status` says of them, at least.
        entries: What HEAD has at these paths, at least.
    """
    committed = {path: entries[path].id for path in paths if path in entries and entries[path].is_file}
    changed = parse_status(listed)
    blobs: dict[str, str] = {}
    unknown = []
    root = f"{git.root}/"
    for path in paths:
        if not _is_regular(root + path):
            continue
        change = changed.get(path)
        if change is None and path in committed:
            blobs[path] = committed[path]
        elif change is not None and change.in_worktree == "." and change.in_index != "D":
            blobs[path] = change.id
        else:
            unknown.append(path)
    blobs.update(zip(unknown, _hash_files(git, unknown), strict=True))
    staged = {path for path, change in changed.items() if change.in_index != "."}
    return {path: PathState(blobs.get(path), committed.get(path), path in staged) for path in paths}


def _hash_files(git: Git, paths: Sequence[str]) -> list[str]:
    if not paths:
        return []
    listed = b"".join(b"%s\n" % _quoted(path) for path in paths)
    return git.read("hash-object", "--stdin-paths", stdin=listed).stdout.decode().split()


def _quoted(path: str) -> bytes:
    """As git reads a path in double quotes, where a line is a path."""
    escaped = path.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
    return b'"%s"' % os.fsencode(escaped)


def _is_regular(path: str) -> bool:
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except (OSError, ValueError):
        return False
