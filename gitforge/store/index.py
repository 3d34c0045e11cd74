"""The index as a file: a copy to build on, what tells that it has changed, how a new one is published."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

from gitforge.errors import UserError
from gitforge.store.locks import publish_index
from gitforge.store.repo import Repo

Signature = tuple[int, ...]


def copy_index(repo: Repo, work: Path) -> tuple[Path, Signature | None]:
    """A copy of the index to build the new one from, and what tells whether the index has changed since."""
    copy = work / "index"
    copy.unlink(missing_ok=True)
    try:
        with repo.index.open("rb") as source, copy.open("wb") as target:
            target.write(source.read())  # at once: a large one in small pieces takes twice as long
            status = os.fstat(source.fileno())
    except FileNotFoundError:
        return copy, None
    # git takes a file for unchanged if it is older than the index: a younger copy would hide a change.
    os.utime(copy, ns=(status.st_atime_ns, status.st_mtime_ns))
    return copy, _of(status)


def signature(index: Path) -> Signature | None:
    """What tells whether the index has changed; None if it is not there."""
    try:
        return _of(index.stat())
    except FileNotFoundError:
        return None


def _of(status: os.stat_result) -> Signature:
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def publish_refreshed(repo: Repo, new_index: Path, work: Path, paths: Sequence[str]) -> None:
    """Makes the new index the index and frees the lock; git has noted in it which files are unchanged.

    git notes that in a copy, because a git that is killed while it holds `index.lock` leaves it behind.

    Raises:
        OSError: The system refuses.
    """
    finished = work / "finished"
    finished.unlink(missing_ok=True)
    os.link(new_index, finished)
    with contextlib.suppress(UserError):  # it only saves git the time to find out
        repo.refresh_copy(paths, index=finished)
    publish_index(repo.index, finished)
