"""Finishes what a killed gitforge began; see docs/commit-protocol.md."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gitforge.errors import Conflict, UserError
from gitforge.store.durable import Unreadable, set_aside
from gitforge.store.index import (
    finish_index,
    is_whole,
    publish,
    put_entries,
    restore_torn,
)
from gitforge.store.journal import (
    FileIdentity,
    FileStep,
    Journal,
    OtherVersion,
    drop_journal,
    fingerprint,
    journal_file,
    read_journal,
)
from gitforge.store.locks import (
    Busy,
    commit_lock,
    foreign_lock,
    interrupts_held,
    lock_of,
    sweep_component_locks,
)
from gitforge.store.moved_refs import MOVE_SECONDS, free_dead_ref_locks, keep_refs, ref_locks
from gitforge.store.moving import moving_head
from gitforge.store.process import harmless
from gitforge.store.records import TREE, Link
from gitforge.store.repo import Repo
from gitforge.store.spool import drop
from gitforge.store.submodules import left_empty, make_folders
from gitforge.store.worktree import (
    Staging,
    clear_folder,
    executable,
    is_replaced,
    prune,
    put_new,
    read_entry,
    remove_file,
    sweep,
)

BUSY_SECONDS = 10.0
"""How long a command waits for a gitforge that is just recording, before it looks anyway."""
_SHOWN = 5  # files that are named


@dataclass(frozen=True)
class Repair:
    """What recovery did.

    Attributes:
        done: In a sentence.
        commit: The commit that is complete now, if there is one.
    """

    done: str
    commit: str | None = None


def is_pending(repo: Repo) -> bool:
    """Whether a killed gitforge may have left something to finish, or another one is recording now."""
    return os.path.lexists(journal_file(repo))


def recover_if_needed(repo: Repo) -> Repair | None:
    """Recovery for commands that look at the repository: three system calls where there is nothing to do.

    Raises:
        UserError: It cannot be done now; nothing is lost.
    """
    sweep_component_locks(repo)
    is_certain = is_pending(repo)
    if not is_certain and not (repo.common_dir / "gitforge" / "scratch").exists():
        return None
    try:
        with commit_lock(repo, timeout=BUSY_SECONDS if is_certain else 0) as work:
            return recover(repo, work)
    except Busy:  # alive, or it will itself recover first
        return None
    except OSError as error:
        if not is_certain:
            return None
        raise UserError(
            f"a recording was interrupted, and cannot be finished now: {harmless(str(error))}",
            hint="Give gitforge access to the git directory, and run it again.",
        ) from error


def recover(repo: Repo, work: Path) -> Repair | None:
    """Finishes the commit that the journal tells of, or takes it back, and empties the work folder.

    Args:
        repo: Any worktree of the repository.
        work: The folder of the commit lock, which the caller holds.

    Returns:
        What was done; None if there was no journal.

    Raises:
        UserError: Somebody else's lock is in the way, or the journal is another gitforge's or another user's.
    """
    repair = None
    try:
        journal = read_journal(repo)
    except OtherVersion as error:
        raise _unusable(
            repo, error, hint="Run a gitforge that is as new as the one that was interrupted."
        ) from error
    except Unreadable as error:
        if "another user" in str(error):
            raise _unusable(
                repo, error, hint="Let that user run `gitforge status`, which finishes it."
            ) from error
        aside = set_aside(journal_file(repo))
        return Repair(f"The journal of an interrupted recording was set aside as {aside}: {error}")
    if journal is not None:
        with interrupts_held():
            repair = _finish_or_withdraw(journal, work)
            drop_journal(repo)
    sweep(work)
    sweep_component_locks(repo)
    return repair


def _unusable(repo: Repo, error: Unreadable, *, hint: str) -> UserError:
    return UserError(
        f"an interrupted recording is to be finished first, but {journal_file(repo)} is not usable: {error}",
        hint=hint,
    )


def _finish_or_withdraw(journal: Journal, work: Path) -> Repair:
    repo = journal.repo
    paths = _named([step.path for step in journal.steps]) or journal.reason.removeprefix("gitforge: ")
    if not repo.git_dir.is_dir() or not repo.root.is_dir():
        return Repair(f"An interrupted recording of {paths} was given up: its worktree is not there any more")
    kept = "; its draft is kept" if journal.drafts else ""
    taken_back = f"An interrupted recording of {paths} was taken back{kept}"
    free_dead_ref_locks(journal)
    restore_torn(repo, work)
    if not _is_recorded(journal) and not (_is_locked(journal) and _move_again(journal, work)):
        take_back(journal, work)
        return Repair(taken_back)
    keep_refs(journal)
    left = _finish(journal, work)
    drop(repo, journal.drafts)
    done = f"An interrupted recording of {paths} was finished: commit {journal.commit[:12]}"
    if left:
        done += f"; left as you have it meanwhile: {_named(left)}"
    return Repair(done, journal.commit)


def _named(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return harmless(", ".join(paths[:_SHOWN])) + more


def _is_recorded(journal: Journal) -> bool:
    """Whether the branch contains the commit."""
    tip = journal.repo.commit_of(journal.head.ref or "HEAD")
    return tip is not None and journal.repo.contains(tip, journal.commit)


def is_withdrawn(journal: Journal) -> bool:
    """Whether the branch certainly does not contain the commit."""
    try:
        return not _is_recorded(journal)
    except UserError:
        return False


def _is_locked(journal: Journal) -> bool:
    """Whether `index.lock` is the link to the new index that the journal tells of."""
    return FileIdentity.of(lock_of(journal.repo.index)) == journal.new_index


def _is_ours(journal: Journal, work: Path) -> bool:
    """Whether `index.lock` is that, or the link to what a killed recovery has made."""
    with contextlib.suppress(FileNotFoundError):
        if lock_of(journal.repo.index).samefile(work / "index"):
            return True
    return _is_locked(journal)


def _move_again(journal: Journal, work: Path) -> bool:
    """Tries the commit point again; a killed parent's git may still reach it, so it is not undone first.

    Raises:
        UserError: Somebody else's lock is in the way.
    """
    repo, lock = journal.repo, lock_of(journal.repo.index)
    try:
        with moving_head(
            repo, journal.head, journal.commit, refs=journal.refs, reason=journal.reason, timeout=MOVE_SECONDS
        ):
            if is_whole(repo, lock):
                publish(repo, lock, work)
    except UserError as error:
        if _is_recorded(journal):
            return True
        locks = [lock for lock, _ in ref_locks(journal) if lock.exists()]
        if locks and ".lock': File exists" in error.message:
            raise foreign_lock(locks[0]) from error
        return False
    return True


def take_back(journal: Journal, work: Path) -> None:
    """Frees `index.lock` if it is ours, and takes out of the index what no commit has come of.

    Args:
        journal: A commit that the branch does not contain.
        work: The folder of the commit lock.

    Raises:
        UserError: Somebody else's lock is in the way.
    """
    repo = journal.repo
    is_published = FileIdentity.of(repo.index) == journal.new_index
    if _is_ours(journal, work):
        lock_of(repo.index).unlink(missing_ok=True)
    if not is_published:
        return
    tip = repo.head().commit
    paths = [step.path for step in journal.steps]
    now = repo.objects.entries(tip, paths) if tip is not None else {}
    # What somebody has committed out of it meanwhile is theirs.
    taken = {
        step.path: (step.staged, step.indexed) for step in journal.steps
        if step.changes_index and now.get(step.path) != step.staged
    }  # fmt: skip
    put_entries(repo, taken, work)


def _finish(journal: Journal, work: Path) -> list[str]:
    """Completes worktree and index; returns the paths that the user has changed meanwhile."""
    repo = journal.repo
    is_ours = _is_ours(journal, work)
    head = repo.head()
    paths = [step.path for step in journal.steps]
    entries = repo.objects.entries(head.commit, paths) if head.commit is not None else {}
    now = {path: entry for path, entry in entries.items() if entry.mode != TREE}
    # What the user has committed or switched to meanwhile is theirs.
    steps = [s for s in journal.steps if head.ref == journal.head.ref and now.get(s.path) == s.committed]
    left = sorted(set(paths) - {step.path for step in steps})
    going = [step for step in steps if step.is_going]  # first: a folder may take a file's place
    left += [step.path for step in going if not _finish_deletion(repo, step)]
    coming = [step for step in steps if not step.is_going]
    left += [step.path for step in coming if not _finish_file(repo, step, work)]
    prune(repo.root, left_empty(going))
    left += [path for path in make_folders(repo.root, steps) if path not in left]
    if not steps and not is_ours:  # nothing of it is in index and worktree
        return left
    lock = lock_of(repo.index)
    if is_ours and is_whole(repo, lock):
        finish_index(repo, lock, work, [step.path for step in steps if not step.is_deletion])
        return left
    if is_ours:
        lock.unlink()
    put_entries(repo, {s.path: (s.indexed, s.staged) for s in steps if s.changes_index}, work)
    return left


def _finish_file(repo: Repo, step: FileStep, work: Path) -> bool:
    """Puts one file in place; False if the user has changed it meanwhile."""
    if step.content is None:
        return True
    target = repo.root / step.path
    mode = executable(step.committed, step.indexed, is_new=step.is_new_file)
    try:
        now = read_entry(repo.root, step.path, going=())
    except Conflict:
        return False
    if now == step.content and (mode is None or isinstance(now, Link)):
        return True
    is_torn = now is not None and _is_torn(target, now, step.content)
    if now != step.content and fingerprint(now) != step.seen and not is_torn:
        return False
    source = Staging(work).write(target, step.content, is_executable=mode)
    if now is None:
        clear_folder(target)
        with contextlib.suppress(FileExistsError):
            put_new(source, target)
        source.unlink()
        return True
    source.replace(target)
    return True


def _is_torn(target: Path, now: bytes, content: bytes) -> bool:
    """Whether a power cut has left the beginning of a file, or zeros: what a kill leaves is whole or the user's."""
    began = time.time() - time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
    is_older = target.lstat().st_mtime < began
    is_file = not isinstance(now, Link) and not isinstance(content, Link)
    return is_older and is_file and len(now) <= len(content) and content.startswith(now.rstrip(b"\0"))


def _finish_deletion(repo: Repo, step: FileStep) -> bool:
    if step.seen is None:  # what is there by now is the user's
        return True
    try:
        now = read_entry(repo.root, step.path)
    except Conflict:
        return is_replaced(repo.root, step.path)  # by what has taken its place
    if now is not None and fingerprint(now) != step.seen:
        return False
    remove_file(repo.root, step.path)
    return True
