"""The refs that a commit moves, where git was killed on the way: what it left is removed, what it lacks is made."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

from gitforge.store.journal import FileIdentity, Journal, journal_file

MOVE_SECONDS = 60.0
"""How long moving the branch may take, with the user's `reference-transaction` hook."""
DEAD_SECONDS = 1.0
"""How long an empty lock of a ref stays unchanged until nobody can be writing it any more."""


def keep_refs(journal: Journal) -> None:
    """Makes the refs that a git was killed before, because it moves one after the other."""
    repo = journal.repo
    refs = {ref: id_ for ref, id_ in journal.refs.items() if repo.object_of(ref) != id_}
    if refs:
        repo.make_refs(refs, timeout=MOVE_SECONDS)


def ref_locks(journal: Journal) -> Iterator[tuple[Path, str]]:
    """The locks of what the commit point moves, each with the id that our git writes into it."""
    yield journal.repo.git_dir / "HEAD.lock", journal.commit
    moved = {journal.head.ref: journal.commit} if journal.head.ref is not None else {}
    for ref, id_ in {**moved, **journal.refs}.items():
        yield journal.repo.common_dir / f"{ref}.lock", id_


def free_dead_ref_locks(journal: Journal) -> bool:
    """Removes the locks that a killed `update-ref` of ours left: nobody else writes our ids.

    A kill before the id was written leaves an empty one, and git never writes into that of HEAD. An empty
    lock is ours if it is younger than the journal and nothing happens to it: a living git fills or removes
    its own at once.

    Returns:
        Whether there was one.
    """
    empty = []
    is_freed = False
    for lock, id_ in ref_locks(journal):
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            content = lock.read_bytes()
            if content.strip() == id_.encode():
                lock.unlink()
                is_freed = True
            elif not content and lock.stat().st_mtime_ns >= _written_ns(journal):
                empty.append((lock, FileIdentity.of(lock)))
    if empty:
        time.sleep(DEAD_SECONDS)
    for lock, identity in empty:
        if FileIdentity.of(lock) == identity:
            lock.unlink(missing_ok=True)
            is_freed = True
    return is_freed


def _written_ns(journal: Journal) -> int:
    return journal_file(journal.repo).stat().st_mtime_ns
