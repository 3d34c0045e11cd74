"""One set of edits becomes exactly one commit, or nothing at all.

The steps are those of docs/commit-protocol.md. Nothing of the user's is touched: what they have staged,
changed or left untracked stays as it is, and whatever of it is in the way is refused first.
"""

from __future__ import annotations

import contextlib
import errno
import os
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from gitforge.errors import Conflict, UserError
from gitforge.store.edits import UNSTAGE, Change, Edit, NewFile, merge_edits
from gitforge.store.hooks import HOOK_SECONDS, Hooks, Rewritten, find_hooks, run_post_commit
from gitforge.store.index import Signature, copy_index, publish_refreshed, signature, start_index
from gitforge.store.journal import FileIdentity, FileStep, Journal, drop_journal, fingerprint, write_journal
from gitforge.store.locks import (
    await_index_lock,
    commit_lock,
    interrupts_held,
    release_index_lock,
    take_index_lock,
)
from gitforge.store.process import Asked, harmless
from gitforge.store.recovery import (
    MOVE_SECONDS,
    Repair,
    free_dead_ref_locks,
    is_withdrawn,
    keep_refs,
    recover,
)
from gitforge.store.repo import Head, Identity, Repo
from gitforge.store.spool import drop
from gitforge.store.tree import edit_tree
from gitforge.store.worktree import Staging, check_path

LOCK_SECONDS = 180.0
"""How long to wait for another gitforge, which may be waiting for its user to unlock a signing key."""
INDEX_LOCK_SECONDS = 5.0
"""How long to wait for a git command of the user's that holds `index.lock`."""
SIGN_SECONDS = 120.0
"""How long a signing program may ask for its passphrase."""
ATTEMPTS = 20
"""How often an edit is applied anew because the branch or the index moved meanwhile."""


@dataclass(frozen=True)
class Recorded:
    """What was recorded.

    Args:
        commit: The new commit; HEAD's, if it had everything already.
        paths: The paths that the commit changed; none, if HEAD had everything already.
        identity: Its author.
        repair: What a killed gitforge had begun, and was finished first.
    """

    commit: str
    paths: tuple[str, ...]
    identity: Identity
    repair: Repair | None = None


def record(
    repo: Repo,
    edits: Sequence[Edit],
    message: str,
    *,
    drafts: Sequence[str] = (),
    keeps: Mapping[str, bytes] | None = None,
    lock_seconds: float = LOCK_SECONDS,
    index_lock_seconds: float = INDEX_LOCK_SECONDS,
    sign_seconds: float = SIGN_SECONDS,
    hook_seconds: float = HOOK_SECONDS,
) -> Recorded:
    """Makes one commit of all the edits on HEAD's branch, and carries it into index and worktree.

    Args:
        repo: The repository.
        edits: At least one, at most one for each path.
        message: The commit's message, with trailers.
        drafts: Names of the kept drafts that it records; they are dropped with it.
        keeps: What the message refers to and git is to keep with the commit: contents by ref, below
            `refs/gitforge/`.
        lock_seconds: How long to wait for another gitforge.
        index_lock_seconds: How long to wait for another git.
        sign_seconds: How long to wait for a signature.
        hook_seconds: How long each of the user's hooks may take.

    Raises:
        Conflict: Something of the user's is in the way.
        UserError: A merge or the like is in progress, a path is ignored, a lock stays, a hook, git or the
            system refuses. Its message says so if the commit was made nevertheless.
    """
    _check(edits, message)
    try:
        with repo.ask_ignored([edit.path for edit in edits]) as ignored:
            # Before the lock: these do not depend on HEAD, and a filter may be slow.
            repo = repo.anew()
            author, committer = repo.identity(), repo.identity("COMMITTER")
            committer = author if committer.is_fallback else committer
            found = repo.commit_settings()
            hooks = find_hooks(found.hooks, hook_seconds)
            new = [edit for edit in edits if isinstance(edit, NewFile)]
            blobs = {edit.path: repo.objects.write_file(edit.content, edit.path) for edit in new}
            settings = _Settings(
                blobs, ignored, author, committer, found.sign, hooks, tuple(drafts),
                {ref: repo.objects.write_blob(content) for ref, content in (keeps or {}).items()},
                index_lock_seconds, sign_seconds,
            )  # fmt: skip
            with commit_lock(repo, timeout=lock_seconds) as work:
                repair = recover(repo, work)
                recorded = replace(_record(repo, edits, message, work, settings), repair=repair)
        if recorded.paths:
            run_post_commit(repo, hooks)
    except OSError as error:
        raise UserError(f"{_told(error)}; nothing was recorded") from error
    return recorded


def _record(repo: Repo, edits: Sequence[Edit], message: str, work: Path, settings: _Settings) -> Recorded:
    for attempt in range(ATTEMPTS):
        try:
            return _attempt(repo, edits, message, work, settings)
        except _LostRace as lost:
            reason = lost
            time.sleep(random.uniform(0, 0.005) * attempt)  # noqa: S311
    raise UserError(f"{reason}, {ATTEMPTS} times in a row; nothing was recorded", hint="Try again")


class _LostRace(Exception):
    """The branch or the index is not what the commit was built on any more."""


@dataclass(frozen=True)
class _Settings:
    blobs: Mapping[str, str]
    ignored: Asked[list[str]]
    author: Identity
    committer: Identity
    sign: bool
    hooks: Hooks
    drafts: tuple[str, ...]
    refs: Mapping[str, str]
    index_lock_seconds: float
    sign_seconds: float


def _attempt(repo: Repo, edits: Sequence[Edit], message: str, work: Path, settings: _Settings) -> Recorded:
    refuse_during_operation(repo)
    head = repo.head()
    new_index, before = copy_index(repo, work)
    changes = merge_edits(repo, head, edits, settings.blobs, new_index)
    if not changes and head.commit is not None:
        drop(repo, settings.drafts)
        return Recorded(head.commit, (), settings.author)
    with building_index(repo, changes, new_index):  # by git, beside what is done here
        tree = build_tree(repo, head, changes)
        refuse_ignored(changes, settings.ignored)
    if settings.hooks.before:
        changes, tree, message = run_hooks(repo, head, changes, tree, message, work, settings)
        with building_index(repo, changes, new_index):
            pass
    commit = build_commit(repo, head, tree, message, settings)
    await_index_lock(repo.index, timeout=settings.index_lock_seconds)
    with interrupts_held():
        staging = Staging(work)
        try:
            files = stage_files(repo, changes, staging)
            journal = journal_of(repo, head, commit, message, changes, new_index, settings)
            write_journal(journal)
            is_finished = True
            try:
                lock_index(repo, head, new_index, before)
                try:
                    reach_commit_point(journal)
                except BaseException:
                    is_finished = is_withdrawn(journal)
                    raise
                is_finished = False
                try:
                    failures = write_worktree(repo, changes, files, staging)
                finally:
                    staging.discard()  # the second name of a new file, before its times are noted
                    publish(repo, commit, new_index, work, [change.path for change in changes])
                drop(repo, settings.drafts)
                is_finished = True
            finally:
                release_index_lock(repo.index, new_index)
                if is_finished:  # else the next command finishes it
                    drop_journal(repo)
        finally:
            staging.discard()
    if failures:
        raise UserError(
            f"Recorded as {commit[:12]}, but not written to the worktree: {'; '.join(failures)}",
            hint="Free what is in the way, then run `git restore` with the file's name",
        )
    return Recorded(commit, tuple(change.path for change in changes), settings.author)


# --- before the lock -------------------------------------------------------------------------------------


def _check(edits: Sequence[Edit], message: str) -> None:
    paths = [edit.path for edit in edits]
    if not paths or len(set(paths)) != len(paths):
        raise ValueError(f"edits need at least one path, and each once: {paths}")
    if not message.strip() or "\0" in message:
        raise ValueError("a commit needs a message without NUL")
    for path in paths:
        check_path(path)


# --- step 3: refuse while an operation is in progress ----------------------------------------------------


def refuse_during_operation(repo: Repo) -> None:
    """A commit in the middle of a rebase would become part of it.

    Raises:
        UserError: One is in progress.
    """
    if operation := repo.operation_in_progress():
        give_up = "git bisect reset" if operation == "bisect" else f"git {operation} --abort"
        raise UserError(
            f"A {operation} is in progress; nothing was recorded",
            hint=f"Finish it, or give it up with `{give_up}`",
        )


# --- step 4: blobs, tree and commit, invisible until a ref points at them --------------------------------


def build_tree(repo: Repo, head: Head, changes: Sequence[Change]) -> str:
    """The id of HEAD's tree with the changes and nothing else."""
    return edit_tree(repo, head.commit, {change.path: change.committed for change in changes})


def build_commit(repo: Repo, head: Head, tree: str, message: str, settings: _Settings) -> str:
    """The id of the commit on top of HEAD's that has the tree."""
    return repo.objects.write_commit(
        tree, head.commit, message, author=settings.author, committer=settings.committer,
        sign=settings.sign, timeout=settings.sign_seconds,
    )  # fmt: skip


def run_hooks(
    repo: Repo,
    head: Head,
    changes: Sequence[Change],
    tree: str,
    message: str,
    work: Path,
    settings: _Settings,
) -> tuple[list[Change], str, str]:
    """Runs the user's hooks on the commit to be; returns changes, tree and message as they leave them.

    Raises:
        UserError: A hook refuses, or changes something else than our files.
    """
    checked = settings.hooks.run(repo, tree, message, [change.path for change in changes], work)
    changes = [_as_rewritten(change, checked.files.get(change.path)) for change in changes]
    return changes, build_tree(repo, head, changes) if checked.files else tree, checked.message


def _as_rewritten(change: Change, new: Rewritten | None) -> Change:
    """The change with a hook's version, in index and worktree where they would have the commit's."""
    if new is None:
        return change
    is_in_index = change.committed == (change.staged or change.indexed)
    in_worktree = change.content if change.content is not None else change.seen
    is_in_worktree = isinstance(change.edit, NewFile) or in_worktree == new.before
    return replace(
        change,
        committed=new.entry,
        staged=new.entry if is_in_index else change.staged,
        content=new.content if is_in_worktree else change.content,
    )


def refuse_ignored(changes: Sequence[Change], asked: Asked[list[str]]) -> None:
    """As `git add` does, because git's own commands would pass over the file from then on.

    Raises:
        UserError: A path is ignored and not tracked.
    """
    untracked = {change.path for change in changes if change.indexed is None}
    if ignored := [path for path in asked.answer() if path in untracked]:
        rest = f" and {len(ignored) - 3} more" if len(ignored) > 3 else ""
        are = "is" if len(ignored) == 1 else "are"
        raise UserError(
            f"{', '.join(ignored[:3])}{rest} {are} ignored by .gitignore; nothing was recorded",
            hint="`git check-ignore -v` with its name shows the line that does it",
        )


@contextmanager
def building_index(repo: Repo, changes: Sequence[Change], new_index: Path) -> Iterator[None]:
    """Makes the copy the complete new index, by the end of the block.

    Raises:
        Conflict: A staged file is where a folder would have to be.
    """
    entries = {change.path: change.staged for change in changes if change.staged is not None}
    with start_index(repo, entries, index=new_index) as asked:
        yield
        try:
            asked.answer()
        except UserError as error:
            if "both a file and as a directory" in error.message:
                raise Conflict(error.message, hint=UNSTAGE) from error
            raise


# --- steps 7 to 10: git's lock, the commit point, the worktree, the index --------------------------------


def stage_files(repo: Repo, changes: Sequence[Change], staging: Staging) -> dict[str, Path]:
    """The new content of the worktree's files under other names, by path."""
    return {c.path: staging.write(repo.root / c.path, c.content) for c in changes if c.content is not None}


def lock_index(repo: Repo, head: Head, new_index: Path, before: Signature | None) -> None:
    """Takes git's lock, and sees whether HEAD and the index are still those that the commit was built on.

    Raises:
        _LostRace: They are not, or somebody else has the lock.
        UserError: The user has begun a merge or the like.
    """
    try:
        take_index_lock(repo.index, new_index)
    except FileExistsError as error:
        raise _LostRace("Another git locked the index meanwhile") from error
    refuse_during_operation(repo)
    if signature(repo.index) != before:
        raise _LostRace("The index changed meanwhile")
    if repo.head() != head:
        raise _LostRace("The branch moved meanwhile")


def journal_of(
    repo: Repo, head: Head, commit: str, message: str, changes: Sequence[Change], new_index: Path,
    settings: _Settings,
) -> Journal:  # fmt: skip
    """All that `recover` needs to finish the commit."""
    steps = tuple(
        FileStep(c.path, c.committed, c.indexed, c.staged, fingerprint(c.seen), c.content) for c in changes
    )
    identity = FileIdentity.of(new_index)
    if identity is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(new_index))
    return Journal(repo, head, commit, _reason(message), identity, steps, settings.drafts, settings.refs)


def _reason(message: str) -> str:
    return f"gitforge: {message.strip().splitlines()[0]}"


def reach_commit_point(journal: Journal) -> None:
    """Moves the branch; from here on the generation is recorded.

    Raises:
        _LostRace: Somebody else has moved it, or is about to.
        UserError: git or the user's hook refuses.
    """
    repo, head, commit = journal.repo, journal.head, journal.commit
    try:
        repo.move_head(head, commit, refs=journal.refs, reason=journal.reason, timeout=MOVE_SECONDS)
    except UserError as error:
        is_killed = free_dead_ref_locks(journal)
        now = repo.head()
        if now.commit == commit:  # killed, but after that
            keep_refs(journal)
            return
        if is_killed or now != head or ".lock': File exists" in error.message:
            raise _LostRace(f"The branch could not be moved ({error.message})") from error
        raise


def write_worktree(
    repo: Repo, changes: Sequence[Change], files: dict[str, Path], staging: Staging
) -> list[str]:
    """Puts the files in place, over nothing that the user has written meanwhile; returns what failed."""
    failures = []
    for change in changes:
        if change.path not in files:
            continue
        try:
            _put_in_place(repo.root / change.path, change, files[change.path], staging)
        except (OSError, Conflict) as error:
            failures.append(_told(error) if isinstance(error, OSError) else error.message)
    return failures


def _put_in_place(target: Path, change: Change, source: Path, staging: Staging) -> None:
    if change.seen is None:
        with contextlib.suppress(FileExistsError):  # the user's own by now: theirs stays, as a change
            os.link(source, target)
        return
    now = target.read_bytes()
    if now != change.seen:
        if isinstance(change.edit, NewFile):
            return
        source = staging.write(target, change.edit.edit(now))
    source.replace(target)


def publish(repo: Repo, commit: str, new_index: Path, work: Path, paths: Sequence[str]) -> None:
    """Makes the new index the index.

    Raises:
        UserError: The system refuses.
    """
    try:
        publish_refreshed(repo, new_index, work, paths)
    except OSError as error:
        raise UserError(
            f"Recorded as {commit[:12]}, but the index could not be written: {_told(error)}",
            hint="Correct that, and run `gitforge status`, which finishes it",
        ) from error


def _told(error: OSError) -> str:
    return harmless(f"{error.filename}: {error.strerror}" if error.filename else str(error))
