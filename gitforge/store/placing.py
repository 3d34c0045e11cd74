"""The files of a commit on their way into the worktree: staged under other names, then put in place or removed.

Nothing is written over what the user has written meanwhile. Steps 5 and 9 of docs/commit-protocol.md.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

from gitforge.errors import Conflict
from gitforge.store.edits import Change, NewFile
from gitforge.store.process import harmless
from gitforge.store.repo import Repo
from gitforge.store.worktree import Staging, clear_folder, executable, prune, read_file, remove_file

_DURABLE = 50  # files; more, from upstream, git has durably, and it writes none so into the worktree itself


def stage_files(repo: Repo, changes: Sequence[Change], staging: Staging) -> dict[str, Path]:
    """The new content of the worktree's files under other names, by path."""
    durable = len(changes) <= _DURABLE
    files = {}
    for c in changes:
        if c.content is not None:
            mode = executable(c.committed, c.indexed, is_new=c.seen is None)
            files[c.path] = staging.write(repo.root / c.path, c.content, is_executable=mode, durable=durable)
    return files


def write_worktree(
    repo: Repo, changes: Sequence[Change], files: dict[str, Path], staging: Staging
) -> list[str]:
    """Deletes files and puts others in place, over nothing that the user has written; returns what failed.

    What goes makes room first: a folder may take a file's place. Folders go last: a file may come into an emptied one.
    """
    failures = []
    going = [change for change in changes if change.is_deletion]
    coming = [change for change in changes if change.path in files]
    for change in (*going, *coming):
        try:
            if change.is_deletion:
                _delete(repo, change)
            else:
                _put_in_place(repo.root / change.path, change, files[change.path], staging)
        except (OSError, Conflict) as error:
            failures.append(told(error) if isinstance(error, OSError) else error.message)
    prune(repo.root, [change.path for change in going if change.seen is not None])
    return failures


def _delete(repo: Repo, change: Change) -> None:
    if change.seen is not None and read_file(repo.root, change.path) in (change.seen, None):
        remove_file(repo.root, change.path)


def _put_in_place(target: Path, change: Change, source: Path, staging: Staging) -> None:
    if change.seen is None:
        staging.make_folder(target.parent)
        clear_folder(target)
        with contextlib.suppress(FileExistsError):  # the user's own by now: theirs stays, as a change
            os.link(source, target)
        return
    now = target.read_bytes()
    if now != change.seen:
        if isinstance(change.edit, NewFile):
            return
        content = change.edit.edit(now)
        if content is None:
            return
        source = staging.write(target, content)
    source.replace(target)


def told(error: OSError) -> str:
    """What the system said, safe for a terminal."""
    said = error.strerror or str(error)
    return harmless(f"{error.filename}: {said}" if error.filename else said)
