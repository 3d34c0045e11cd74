"""Edits recorded on a branch that is checked out nowhere, for a pull request: HEAD, index and worktree stay.

As `record`, but with nothing to carry anywhere: once the branch has moved, all is done. The journal is there for
what a killed git leaves behind. See docs/commit-protocol.md.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
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
    refuse_paths,
    run_hooks,
    worded,
)
from gitforge.store.commit_point import reach_commit_point, until_won
from gitforge.store.edits import Change, Edit, merge_committed
from gitforge.store.hooks import HOOK_SECONDS
from gitforge.store.journal import FileIdentity, Journal, drop_journal, write_journal
from gitforge.store.locks import commit_lock, interrupts_held
from gitforge.store.process import harmless, load_writer, succeed
from gitforge.store.records import Head, fields
from gitforge.store.recovery import is_withdrawn, recover
from gitforge.store.repo import Repo
from gitforge.store.spool import drop
from gitforge.store.transaction import LOCK_SECONDS, Recorded

FOLDER = "forge"
"""What the branches of proposals have in front of their names."""

_NO_INDEX = FileIdentity(0, 0, 0, 0)  # what no lock of an index is


def branch_for(name: str) -> str:
    """The branch on which something of that name is proposed; git's rules for names of refs are kept."""
    plain = re.sub(r"[^\w.-]+|\.{2,}", "-", name).strip(".-").removesuffix(".lock")
    return f"{FOLDER}/{plain or 'proposal'}"


def propose(
    repo: Repo,
    branch: str,
    edits: Sequence[Edit],
    message: Message,
    *,
    drafts: Sequence[str] = (),
    keeps: Mapping[str, bytes] | None = None,
    base: str | None = None,
    lock_seconds: float = LOCK_SECONDS,
    sign_seconds: float = SIGN_SECONDS,
    hook_seconds: float = HOOK_SECONDS,
) -> Recorded:
    """Makes one commit of all the edits on a branch of its own.

    Args:
        repo: The repository.
        branch: Its name, without `refs/heads/`. Where it does not exist, or the base has all of it, the
            commit is made on the base.
        edits: At least one, at most one for each path.
        message: The commit's message.
        drafts: Names of the kept drafts that it records.
        keeps: What git is to keep with the commit.
        base: Id of a commit; HEAD's by default.
        lock_seconds: How long to wait for another gitforge.
        sign_seconds: How long to wait for a signature.
        hook_seconds: How long each of the user's hooks may take.

    Raises:
        Conflict: The branch is checked out in a worktree, or has something else at a path.
        UserError: A path is ignored, there is no commit yet, a lock stays, a hook, git or the system refuses.
    """
    check(edits)
    try:
        with repo.ask_ignored([edit.path for edit in edits]) as ignored:
            repo = repo.anew(load_writer)
            settings = read_settings(repo, edits, ignored, drafts, keeps or {}, sign_seconds, hook_seconds)
            with commit_lock(repo, timeout=lock_seconds) as work:
                repair = recover(repo, work)
                ref = f"refs/heads/{branch}"
                recorded = until_won(lambda: _attempt(repo, ref, edits, message, base, work, settings))
    except OSError as error:
        raise UserError(f"{harmless(str(error))}; nothing was recorded") from error
    return replace(recorded, repair=repair)


def proposed(repo: Repo, branch: str, paths: Sequence[str]) -> set[str]:
    """Those of the paths that a branch has changed since it left HEAD's.

    Raises:
        UserError: git cannot compare them.
    """
    ref = f"refs/heads/{branch}"
    if not paths or repo.object_of(ref) is None:
        return set()
    about = ("--name-only", "-z", "--no-renames", "--no-ext-diff", "--no-color", "--diff-filter=d")
    return set(fields(repo.git.read("diff", *about, f"HEAD...{ref}", "--", *paths).stdout))


def content(repo: Repo, branch: str, path: str) -> bytes | None:
    """What a file holds on a branch, or in HEAD where there is no such branch; None where it is not there."""
    tip = repo.commit_of(f"refs/heads/{branch}")
    entry = repo.objects.entries(tip, [path]).get(path) if tip is not None else None
    if tip is None:
        return repo.committed(path)
    return repo.objects.read_blob(entry.id) if entry is not None and entry.is_file else None


def commits_ahead(repo: Repo, branch: str) -> int | None:
    """How many commits a branch has that HEAD has not; None if there is no such branch."""
    ref = f"refs/heads/{branch}"
    if repo.object_of(ref) is None:
        return None
    return int(repo.git.read("rev-list", "--count", f"HEAD..{ref}", "--").stdout)


def refuse_checked_out(repo: Repo, branch: str) -> None:
    """Moving a branch under a worktree would show there as if the user had taken its commits back.

    Raises:
        Conflict: It is checked out in a worktree; or another branch is named so that this one cannot be there.
        UserError: git does not take the name.
    """
    ref = f"refs/heads/{branch}"
    succeed(repo.git.run("check-ref-format", ref))
    _refuse_neighbours(repo, branch)
    for entry in os.fsdecode(repo.git.read("worktree", "list", "--porcelain", "-z").stdout).split("\0\0"):
        lines = entry.split("\0")
        if f"branch {ref}" in lines:
            where = lines[0].removeprefix("worktree ")
            raise Conflict(
                f"the branch {branch} is checked out in {harmless(where)}, so nothing can be proposed on it",
                hint="Switch to the branch that it is for, and try again.",
            )
    for folder in (repo.common_dir, *repo.common_dir.glob("worktrees/*")):
        for rebase in ("rebase-merge", "rebase-apply"):
            with suppress(OSError):
                if (folder / rebase / "head-name").read_bytes().strip() == os.fsencode(ref):
                    raise Conflict(f"a rebase of the branch {branch} is in progress", hint="Finish it first.")


def _refuse_neighbours(repo: Repo, branch: str) -> None:
    """Raises Conflict where another branch is a folder of this one, or in it: to git names are paths."""
    parts = branch.split("/")
    above = [f"refs/heads/{'/'.join(parts[:count])}" for count in range(1, len(parts))]
    listed = repo.git.read("for-each-ref", "--format=%(refname)", *above, f"refs/heads/{branch}/")
    names = [name.removeprefix("refs/heads/") for name in os.fsdecode(listed.stdout).splitlines()]
    for name in names:
        if branch.startswith(f"{name}/") or name.startswith(f"{branch}/"):
            raise Conflict(
                f"there is a branch {harmless(name)}, so git can have none that is called {branch}",
                hint=f"Give it another name: `git branch -m {shlex.quote(name)} NEW-NAME`.",
            )


def _attempt(
    repo: Repo, ref: str, edits: Sequence[Edit], message: Message, base: str | None, work: Path,
    settings: Settings,
) -> Recorded:  # fmt: skip
    refuse_checked_out(repo, ref.removeprefix("refs/heads/"))
    old = repo.commit_of(ref)
    start = base or repo.head().commit
    if start is None:
        raise UserError(
            "the branch has no commit yet, so nothing can be proposed", hint="Commit something first."
        )
    tip = start if old is None or repo.contains(start, old) else old
    entries = merge_committed(repo, tip, edits, settings.blobs)
    if not entries:
        drop(repo, settings.drafts)
        return Recorded(tip, (), settings.author, is_new=False)
    changes = [
        Change(edit, entries[edit.path], None, None, None, None) for edit in edits if edit.path in entries
    ]
    text = worded(message, blobs_of(repo, Head(ref, tip), edits, changes))
    tree = build_tree(repo, tip, entries)
    known = repo.objects.entries(tip, list(entries))
    refuse_paths({path for path, entry in entries.items() if entry and path not in known}, settings.ignored)
    if settings.hooks.before:
        changes, tree, text = run_hooks(repo, Head(ref, tip), changes, tree, text, work, settings)
    commit = build_commit(repo, tip, tree, text, settings)
    _publish(repo, Head(ref, old), commit, text, settings)
    return Recorded(commit, tuple(entries), settings.author)


def _publish(repo: Repo, head: Head, commit: str, message: str, settings: Settings) -> None:
    """Moves the branch from where it was; a kill leaves it there, or moved."""
    reason = f"gitforge: {first_line(message)}"
    journal = Journal(repo, head, commit, reason, _NO_INDEX, (), settings.drafts, settings.refs)
    with interrupts_held():
        write_journal(journal)
        is_finished = True
        try:
            try:
                reach_commit_point(journal)
            except BaseException:
                is_finished = is_withdrawn(journal)
                raise
            drop(repo, settings.drafts)
        finally:
            if is_finished:  # else the next command finishes it
                drop_journal(repo)
