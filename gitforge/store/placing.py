"""The files of a commit on their way into the worktree: staged under other names, then put in place or removed.

Nothing is written over what the user has written meanwhile. Steps 5 and 9 of docs/commit-protocol.md.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Collection, Sequence
from pathlib import Path

from gitforge.errors import Conflict
from gitforge.store.edits import Change, NewFile
from gitforge.store.process import harmless
from gitforge.store.records import Link, with_folders
from gitforge.store.repo import Repo
from gitforge.store.submodules import left_empty, make_folders
from gitforge.store.worktree import (
    Staging,
    check_parents,
    clear_folder,
    executable,
    prune,
    put_new,
    read_entry,
    remove_file,
)

_DURABLE = 50  # files; more, from upstream, git has durably, and it writes none so into the worktree itself


def stage_files(repo: Repo, changes: Sequence[Change], staging: Staging) -> dict[str, Path]:
    """The new content of the worktree's files under other names, by path."""
    durable = len(changes) <= _DURABLE
    links = {c.path for c in changes if c.is_going and isinstance(c.seen, Link)}
    files = {}
    for c in changes:
        if c.content is not None:
            mode = executable(c.committed, c.indexed, is_new=c.is_new_file)
            files[c.path] = staging.write(
                repo.root / c.path, c.content, is_executable=mode, durable=durable,
                within=_beside_link(repo.root, c.path, links),
            )  # fmt: skip
    return files


def _beside_link(root: Path, path: str, links: Collection[str]) -> Path | None:
    """The folder of the link that gives way to a folder above a path; None where there is none."""
    return next(((root / one).parent for one in with_folders(path) if one in links and one != path), None)


def write_worktree(
    repo: Repo, changes: Sequence[Change], files: dict[str, Path], staging: Staging
) -> list[str]:
    """Deletes files and puts others in place, over nothing that the user has written; returns what failed.

    What goes makes room first: a folder may take a file's place. Folders go last: a file may come into an emptied one.
    """
    failures = []
    going = [change for change in changes if change.is_going]
    coming = [change for change in changes if change.path in files]
    for change in (*going, *coming):
        try:
            if change.is_going:
                _delete(repo, change)
            else:
                _put_in_place(repo.root, change, files[change.path], staging)
        except (OSError, Conflict) as error:
            failures.append(_said(error))
    prune(repo.root, left_empty(going))
    failures += [_said(error) for error in make_folders(repo.root, changes).values()]
    return failures


def _delete(repo: Repo, change: Change) -> None:
    if change.seen is not None and read_entry(repo.root, change.path) in (change.seen, None):
        remove_file(repo.root, change.path)


def _put_in_place(root: Path, change: Change, source: Path, staging: Staging) -> None:
    target = root / change.path
    if change.seen is None:
        check_parents(root, change.path)
        staging.make_folder(target.parent)
        clear_folder(target)
        with contextlib.suppress(FileExistsError):  # the user's own by now: theirs stays, as a change
            put_new(source, target)
        return
    now = read_entry(root, change.path)
    if now is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(target))
    if now != change.seen:
        if isinstance(change.edit, NewFile) or isinstance(now, Link):
            return
        content = change.edit.edit(now)
        if content is None:
            return
        source = staging.write(target, content)
    source.replace(target)


def _said(error: OSError | Conflict) -> str:
    return told(error) if isinstance(error, OSError) else error.message


def told(error: OSError) -> str:
    """What the system said, safe for a terminal."""
    said = error.strerror or str(error)
    return harmless(f"{error.filename}: {said}" if error.filename else said)
