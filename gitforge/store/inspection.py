"""What of the store's promises can be seen from outside; it changes nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from gitforge.errors import Problem, UserError
from gitforge.store import spool
from gitforge.store.index import index_entries
from gitforge.store.journal import journal_file
from gitforge.store.locks import lock_of
from gitforge.store.recovery import is_pending
from gitforge.store.repo import Repo

STALE_SECONDS = 10.0
"""Younger locks belong to a git that is at work."""


def inspect(repo: Repo, paths: Sequence[str]) -> Iterator[Problem]:
    """Everything that is not as the protocol leaves it.

    Args:
        repo: The repository.
        paths: The components, from its root.
    """
    if is_pending(repo):
        message = "a recording was interrupted and is not finished"
        yield Problem(
            _shown(repo, journal_file(repo)), message, hint="Run `gitforge status`, which says why."
        )
    yield from _stale_locks(repo)
    yield from _set_aside(repo)
    for check in (_index, _objects):
        try:
            yield from check(repo, paths)
        except UserError as error:
            hint = error.hint or "Run `git fsck`; a clone of the repository may have what is lost here."
            yield Problem(_shown(repo, repo.git_dir), error.message, hint=hint)


def _stale_locks(repo: Repo) -> Iterator[Problem]:
    refs = repo.common_dir / "refs"
    heads = (lock_of(repo.index), repo.git_dir / "HEAD.lock", repo.common_dir / "packed-refs.lock")
    for lock in [*heads, *sorted(refs.rglob("*.lock"))]:
        try:
            age = time.time() - lock.stat().st_mtime
        except FileNotFoundError:
            continue
        if abs(age) > STALE_SECONDS:  # in the future, if the clock has jumped
            hint = "If no git is at work, the one that made it was killed: remove that file."
            yield Problem(_shown(repo, lock), f"a lock of git's, {max(age, 0):.0f} seconds old", hint=hint)


def _set_aside(repo: Repo) -> Iterator[Problem]:
    for one in spool.drafts(repo).unusable:
        hint = f"Look into it, then: `gitforge drafts drop {one.id}`."
        yield Problem(_shown(repo, one.file), f"is no draft: {one.reason}", hint=hint, severity="warning")
    for path in sorted(journal_file(repo).parent.glob(f"{journal_file(repo).name}.unusable-*")):
        message = "the journal of an interrupted recording, which could not be used"
        yield Problem(_shown(repo, path), message, hint="Look into it, then remove it.", severity="warning")


def _index(repo: Repo, paths: Sequence[str]) -> Iterator[Problem]:
    committed = repo.entries(paths) if paths else {}
    indexed = (
        {entry.path for entry in index_entries(repo, list(committed), index=repo.index)}
        if committed
        else set()
    )
    for path in sorted(committed.keys() - indexed):
        hint = f"If you did not delete it: `git restore --staged -- {path}`."
        yield Problem(path, "is in the last commit, but not in the index", hint=hint, severity="warning")


def _objects(repo: Repo, paths: Sequence[str]) -> Iterator[Problem]:
    if commits := sorted(set(repo.log.last_commits(paths).values())):
        repo.objects.verify(commits)
    yield from ()


def _shown(repo: Repo, path: Path) -> str:
    return path.relative_to(repo.root).as_posix() if path.is_relative_to(repo.root) else str(path)
