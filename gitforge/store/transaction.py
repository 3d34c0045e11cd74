"""One set of edits becomes exactly one commit, or nothing at all.

The steps are those of docs/commit-protocol.md. Nothing of the user's is touched: what they have staged,
changed or left untracked stays as it is, and whatever of it is in the way is refused first.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from gitforge.errors import Conflict, UserError
from gitforge.store.commit import (
    SIGN_SECONDS,
    Message,
    Settings,
    blobs_of,
    build_commit,
    build_tree,
    check,
    first_line,
    read_settings,
    refuse_during_operation,
    refuse_ignored,
    run_hooks,
    worded,
)
from gitforge.store.commit_point import LostRace, reach_commit_point, until_won
from gitforge.store.edits import UNSTAGE, Change, Edit, merge_edits
from gitforge.store.hooks import HOOK_SECONDS, run_post_commit
from gitforge.store.index import Signature, copy_index, finish_index, publish, signature, start_index
from gitforge.store.journal import FileIdentity, FileStep, Journal, drop_journal, fingerprint, write_journal
from gitforge.store.locks import (
    INDEX_LOCK_SECONDS,
    await_index_lock,
    commit_lock,
    interrupts_held,
    release_index_lock,
    take_index_lock,
)
from gitforge.store.placing import stage_files, told, write_worktree
from gitforge.store.process import load_writer
from gitforge.store.recovery import Repair, is_withdrawn, recover, take_back
from gitforge.store.repo import Head, Identity, Repo
from gitforge.store.spool import drop
from gitforge.store.worktree import Staging

LOCK_SECONDS = 180.0
"""How long to wait for another gitforge, which may be waiting for its user to unlock a signing key."""


@dataclass(frozen=True)
class Recorded:
    """What was recorded.

    Args:
        commit: The new commit; HEAD's, if it had everything already.
        paths: The paths that the commit changed; none, if HEAD had everything already.
        identity: Its author.
        repair: What a killed gitforge had begun, and was finished first.
        is_new: Whether the commit was made; an empty one has no paths.
    """

    commit: str
    paths: tuple[str, ...]
    identity: Identity
    repair: Repair | None = None
    is_new: bool = True


def record(
    repo: Repo,
    edits: Sequence[Edit],
    message: Message,
    *,
    drafts: Sequence[str] = (),
    keeps: Mapping[str, bytes] | None = None,
    points: Mapping[str, str] | None = None,
    lock_seconds: float = LOCK_SECONDS,
    index_lock_seconds: float = INDEX_LOCK_SECONDS,
    sign_seconds: float = SIGN_SECONDS,
    hook_seconds: float = HOOK_SECONDS,
) -> Recorded:
    """Makes one commit of all the edits on HEAD's branch, and carries it into index and worktree.

    Args:
        repo: The repository.
        edits: At most one for each path; none at all make an empty commit, which says something.
        message: The commit's message, with trailers; or what makes it of the ids of the blobs that the
            commit has at the edits' paths, without those that it deletes.
        drafts: Names of the kept drafts that it records; they are dropped with it.
        keeps: What the message refers to and git is to keep with the commit: contents by ref, below
            `refs/gitforge/`.
        points: What else git is to keep with the commit: ids of objects that it has, by ref below `refs/gitforge/`,
            which are moved in the commit's own transaction of refs; not where no commit is made.
        lock_seconds: How long to wait for another gitforge.
        index_lock_seconds: How long to wait for another git.
        sign_seconds: How long to wait for a signature.
        hook_seconds: How long each of the user's hooks may take.

    Raises:
        Conflict: Something of the user's is in the way.
        UserError: A merge or the like is in progress, a path is ignored, a lock stays, a hook, git or the
            system refuses. Its message says so if the commit was made nevertheless.
    """
    check(edits)
    try:
        with repo.ask_ignored([edit.path for edit in edits]) as ignored:
            # Before the lock: these do not depend on HEAD, and a filter may be slow.
            repo = repo.anew(load_writer)
            with repo.objects.together():  # durable with the commit, all at once
                settings = read_settings(
                    repo, edits, ignored, drafts, keeps or {}, sign_seconds, hook_seconds
                )
                settings = replace(settings, refs={**settings.refs, **(points or {})})
                with commit_lock(repo, timeout=lock_seconds) as work:
                    repair = recover(repo, work)
                    recorded = until_won(
                        lambda: _attempt(repo, edits, message, work, settings, index_lock_seconds)
                    )
        if recorded.is_new:
            run_post_commit(repo, settings.hooks)
    except OSError as error:
        raise UserError(f"{told(error)}; nothing was recorded") from error
    return replace(recorded, repair=repair)


@dataclass(frozen=True)
class Built:
    """A commit that no ref points at yet, and what it was built on.

    Attributes:
        head: Where HEAD is.
        changes: What differs between HEAD and the commit.
        commit: Its id.
        message: Its message, or what the reflog is to say.
        new_index: The complete new index.
        before: What tells whether the index has changed since.
        drafts: Names of the kept drafts that it records.
        refs: Ids of blobs by the refs that are to keep them.
    """

    head: Head
    changes: Sequence[Change]
    commit: str
    message: str
    new_index: Path
    before: Signature | None
    drafts: tuple[str, ...] = ()
    refs: Mapping[str, str] = field(default_factory=dict)


def _attempt(
    repo: Repo,
    edits: Sequence[Edit],
    message: Message,
    work: Path,
    settings: Settings,
    index_lock_seconds: float,
) -> Recorded:
    refuse_during_operation(repo)
    head = repo.head()
    new_index, before = copy_index(repo, work)
    changes = merge_edits(repo, head, edits, settings.blobs, new_index)
    if head.commit is None and not changes:
        raise UserError(
            "the branch has no commit yet, so there is nothing to speak of", hint="Commit something first."
        )
    if head.commit is not None and edits and not changes:
        drop(repo, settings.drafts)
        return Recorded(head.commit, (), settings.author, is_new=False)
    text = worded(message, blobs_of(repo, head, edits, changes))
    with building_index(repo, changes, new_index):  # by git, beside what is done here
        tree = build_tree(repo, head.commit, {change.path: change.committed for change in changes})
        refuse_ignored(changes, settings.ignored)
    if settings.hooks.before:
        changes, tree, text = run_hooks(repo, head, changes, tree, text, work, settings)
        with building_index(repo, changes, new_index):
            pass
    commit = build_commit(repo, head.commit, tree, text, settings)
    await_index_lock(repo.index, timeout=index_lock_seconds)
    built = Built(head, changes, commit, text, new_index, before, settings.drafts, settings.refs)
    failures = carry_out(built, repo, work)
    if failures:
        raise UserError(
            f"recorded as {commit[:12]}, but not written to the worktree: {'; '.join(failures)}",
            hint="Free what is in the way, then run `git restore` with the file's name.",
        )
    return Recorded(commit, tuple(change.path for change in changes), settings.author)


def carry_out(built: Built, repo: Repo, work: Path) -> list[str]:
    """Makes the commit HEAD's, and carries it into worktree and index; returns what could not be written.

    Args:
        built: The commit.
        repo: The repository.
        work: The folder of the commit lock, which the caller holds.

    Raises:
        LostRace: HEAD or the index is not what it was built on any more.
        UserError: git, a hook or the system refuses.
    """
    with interrupts_held():
        staging = Staging(work)
        try:
            files = stage_files(repo, built.changes, staging)
            journal = journal_of(repo, built)
            write_journal(journal)
            is_finished = True
            try:
                lock_index(repo, built.head, built.new_index, built.before)
                is_finished = False
                try:
                    reach_commit_point(journal, lambda: publish(repo, built.new_index, work))
                except BaseException:
                    if is_withdrawn(journal):
                        take_back(journal, work)
                        is_finished = True
                    raise
                try:
                    failures = write_worktree(repo, built.changes, files, staging)
                finally:
                    staging.discard()  # the second name of a new file, before its times are noted
                    there = [change.path for change in built.changes if not change.is_deletion]
                    unlock_index(repo, built.commit, built.new_index, work, there)
                drop(repo, built.drafts)
                is_finished = True
            finally:
                release_index_lock(repo.index, built.new_index)
                if is_finished:  # else the next command finishes it
                    drop_journal(repo)
        finally:
            staging.discard()
    return failures


# --- step 5: the new index --------------------------------------------------------------------------------


@contextmanager
def building_index(
    repo: Repo, changes: Sequence[Change], new_index: Path, *, is_clear: bool = False
) -> Iterator[None]:
    """Makes the copy the complete new index, by the end of the block; `is_clear` is that of `start_index`.

    Raises:
        Conflict: A staged file is where a folder would have to be.
    """
    entries = {
        change.path: change.staged
        for change in changes
        if change.staged is not None or (change.is_deletion and change.indexed is not None)
    }
    with start_index(repo, entries, index=new_index, is_clear=is_clear) as asked:
        yield
        try:
            asked.answer()
        except UserError as error:
            if "both a file and as a directory" in error.message:
                raise Conflict(error.message, hint=UNSTAGE) from error
            raise


# --- steps 7 to 10: git's lock, the commit point, the worktree, the index --------------------------------


def lock_index(repo: Repo, head: Head, new_index: Path, before: Signature | None) -> None:
    """Takes git's lock, and sees whether HEAD and the index are still those that the commit was built on.

    Raises:
        LostRace: They are not, or somebody else has the lock.
        UserError: The user has begun a merge or the like.
    """
    try:
        take_index_lock(repo.index, new_index)
    except FileExistsError as error:
        raise LostRace("another git locked the index meanwhile") from error
    refuse_during_operation(repo)
    if signature(repo.index) != before:
        raise LostRace("the index changed meanwhile")
    if repo.head() != head:
        raise LostRace("the branch moved meanwhile")


def journal_of(repo: Repo, built: Built) -> Journal:
    """All that `recover` needs to finish the commit."""
    steps = tuple(
        FileStep(c.path, c.committed, c.indexed, c.staged, fingerprint(c.seen), c.content)
        for c in built.changes
    )
    identity = FileIdentity.of(built.new_index)
    if identity is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(built.new_index))
    reason = f"gitforge: {first_line(built.message)}"
    return Journal(repo, built.head, built.commit, reason, identity, steps, built.drafts, built.refs)


def unlock_index(repo: Repo, commit: str, new_index: Path, work: Path, paths: Sequence[str]) -> None:
    """Notes in the index that the new files are unchanged, and frees git's lock.

    Raises:
        UserError: The system refuses.
    """
    try:
        finish_index(repo, new_index, work, paths)
    except OSError as error:
        raise UserError(
            f"recorded as {commit[:12]}, but the index could not be written: {told(error)}",
            hint="Correct that, and run `gitforge status`, which finishes it.",
        ) from error
