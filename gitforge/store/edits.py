"""Edits, and what each does to the versions of its path in HEAD, index and worktree.

Step 5 of docs/commit-protocol.md: nothing is written here, but what is in the way is refused.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gitforge.errors import Conflict
from gitforge.store.index import index_entries
from gitforge.store.records import FILE, Link
from gitforge.store.repo import Entry, Head, IndexEntry, Repo
from gitforge.store.tree import kind
from gitforge.store.worktree import read_file

UNSTAGE = "Commit it, or take it back with `git restore --staged` and its name."


def restoring(path: str, *options: str) -> str:
    """The command that takes changes of a file back, from whatever folder.

    Args:
        path: From the worktree's top.
        options: `--staged`, `--worktree`; git's default is the worktree.
    """
    return " ".join(["`git restore", *options, f"{shlex.quote(f':/{path}')}`"])


def _unstage(path: str) -> str:
    return f"Commit it, or take it back with {restoring(path, '--staged')}."


def _commit(path: str, *options: str) -> str:
    return f"Commit them, or take them back with {restoring(path, *options)}."


@dataclass(frozen=True)
class NewFile:
    """A file that does not exist yet.

    Args:
        path: Its path from the worktree's top.
        content: Its bytes in the worktree; clean filters and line ending rules apply on the way into git.
    """

    path: str
    content: bytes


@dataclass(frozen=True)
class Rewrite:
    """A change of a file, made separately to its versions in HEAD, index and worktree.

    Args:
        path: Its path from the worktree's top.
        edit: Gives a version's new bytes from its old ones, None for a file that is nowhere yet. It is
            pure, as it is called again after a lost race, and keeps the line endings that it finds. It may
            raise Conflict. If it gives None for HEAD's version, the file is deleted everywhere, unless the
            user has changed it.
    """

    path: str
    edit: Callable[[bytes | None], bytes | None]


Edit = NewFile | Rewrite


def exchange(path: str, seen: bytes, new: bytes | None) -> Rewrite:
    """Puts content in the place of what somebody has looked at, and of nothing else.

    Args:
        path: The file, from the worktree's top.
        seen: What each of its versions has to be, but for line endings; else the edit raises Conflict.
        new: What it becomes, with the line endings that line ending rules have given a version; None: it is deleted.
    """

    def change(content: bytes | None) -> bytes | None:
        if content is None or _plain(content) != _plain(seen):
            raise Conflict(
                f"{path} is not as it was in the last commit; nothing was recorded",
                hint="Commit that change, or take it back with "
                f"{restoring(path, '--staged', '--worktree')}; then look again.",
            )
        is_crlf = content != seen and b"\r\n" in content
        return _plain(new).replace(b"\n", b"\r\n") if new is not None and is_crlf else new

    return Rewrite(path, change)


def _plain(content: bytes) -> bytes:
    return content.replace(b"\r\n", b"\n")


@dataclass(frozen=True)
class Change:
    """What an edit does to a path that HEAD does not have that way yet.

    Args:
        edit: The edit.
        committed: The commit's entry; None if the file is deleted, from index and worktree too.
        indexed: The index's entry now; None if it has none.
        staged: The index's new entry; None leaves the index's as it is, or deletes it with the commit's.
        seen: The worktree's bytes now, or the link; None if the file is absent.
        content: The worktree's new bytes, or link; None leaves the file as it is, or deletes it with the commit's.
    """

    edit: Edit
    committed: Entry | None
    indexed: Entry | None
    staged: Entry | None
    seen: bytes | None
    content: bytes | None

    @property
    def path(self) -> str:
        """The edit's path, from the worktree's top."""
        return self.edit.path

    @property
    def is_deletion(self) -> bool:
        """Whether the file goes."""
        return self.committed is None

    @property
    def is_going(self) -> bool:
        """Whether what is in the worktree goes: deleted, or for a submodule's folder."""
        return self.committed is None or self.committed.is_submodule

    @property
    def is_new_file(self) -> bool:
        """Whether no file is there, but nothing, or a link."""
        return self.seen is None or isinstance(self.seen, Link)


def merge_edits(
    repo: Repo, head: Head, edits: Sequence[Edit], blobs: Mapping[str, str], index: Path
) -> list[Change]:
    """What each edit does to each version of its path; edits that HEAD has already are left out.

    Args:
        repo: The repository.
        head: Where HEAD is.
        edits: The edits.
        blobs: Ids of the new files' blobs, by path.
        index: The index, or a copy of it.

    Raises:
        Conflict: Something of the user's is in the way.
    """
    paths = [edit.path for edit in edits]
    committed = repo.objects.entries(head.commit, paths) if head.commit is not None else {}
    staged = index_entries(repo, paths, index=index)
    changes = []
    for edit in edits:
        entry = _only_file(edit.path, [e for e in staged if f"{e.path}/".startswith(f"{edit.path}/")])
        old = committed.get(edit.path)
        new = _committed(repo, edit, old, blobs)
        if isinstance(edit, NewFile):
            change = _merge_new(repo, edit, new, old, entry)
        elif new is None:
            change = _merge_deletion(repo, edit, old, entry)
        else:
            change = _merge_rewrite(repo, edit, new, old, entry)
        if change is not None:
            changes.append(change)
    return changes


def merge_committed(
    repo: Repo, commit: str | None, edits: Sequence[Edit], blobs: Mapping[str, str]
) -> dict[str, Entry | None]:
    """By path what a commit has after the edits, where that is something else; arguments as in `merge_edits`.

    Raises:
        Conflict: The commit has something else already.
    """
    committed = repo.objects.entries(commit, [e.path for e in edits]) if commit is not None else {}
    new = {edit.path: _committed(repo, edit, committed.get(edit.path), blobs) for edit in edits}
    return {path: entry for path, entry in new.items() if entry != committed.get(path)}


def _committed(repo: Repo, edit: Edit, old: Entry | None, blobs: Mapping[str, str]) -> Entry | None:
    if old is not None and not old.is_file:
        raise Conflict(f"{edit.path} is {kind(old)} in the last commit, where a file should be")
    if isinstance(edit, Rewrite):
        return _rewrite(repo, edit, old)
    if old is not None and old.id != blobs[edit.path]:
        raise Conflict(f"{edit.path} is in the last commit already, with other content")
    return old or Entry(FILE, blobs[edit.path])


def _only_file(path: str, entries: Sequence[IndexEntry]) -> Entry | None:
    for entry in entries:
        if entry.stage:
            raise Conflict(
                f"{path} has an unresolved merge conflict", hint="Resolve it and `git add` it first."
            )
        if entry.path != path or not entry.is_file:
            raise Conflict(f"{path} is staged as something else than a file", hint=_unstage(path))
        return Entry(entry.mode, entry.id)
    return None


def _merge_new(
    repo: Repo, edit: NewFile, new: Entry | None, old: Entry | None, staged: Entry | None
) -> Change | None:
    if new is None or new == old:
        return None
    if staged is not None and staged.id != new.id:
        raise Conflict(f"{edit.path} is staged already, with other content", hint=_unstage(edit.path))
    seen = read_file(repo.root, edit.path)
    if staged is not None and seen is None:
        raise Conflict(f"{edit.path} is staged, but missing in the worktree", hint=_unstage(edit.path))
    if seen is not None and seen != edit.content:
        raise Conflict(
            f"{edit.path} exists already, with other content",
            hint="Move it away, or `git add` and commit it.",
        )
    return Change(
        edit, new, staged, new if staged is None else None, seen, edit.content if seen is None else None
    )


def _merge_rewrite(
    repo: Repo, edit: Rewrite, new: Entry, old: Entry | None, staged: Entry | None
) -> Change | None:
    seen = read_file(repo.root, edit.path)
    if old is not None and staged is None:
        raise Conflict(
            f"the deletion of {edit.path} is staged",
            hint=f"{restoring(edit.path, '--staged')} takes it back.",
        )
    if staged is not None and seen is None:
        raise Conflict(
            f"{edit.path} is missing in the worktree", hint=f"{restoring(edit.path)} brings it back."
        )
    if new == old:
        return None
    index = new if staged is None or staged == old else _rewrite(repo, edit, staged)
    content = edit.edit(seen)
    if index is None or content is None:
        raise Conflict(
            f"{edit.path} has changes that are not committed",
            hint=_commit(edit.path, "--staged", "--worktree"),
        )
    return Change(
        edit, new, staged, index if index != staged else None, seen, content if content != seen else None
    )


def _merge_deletion(repo: Repo, edit: Rewrite, old: Entry | None, staged: Entry | None) -> Change | None:
    if old is None:  # what index and worktree may have is the user's
        return None
    if staged not in (None, old):
        raise Conflict(
            f"{edit.path} is to be deleted, but has changes that are staged", hint=_unstage(edit.path)
        )
    seen = read_file(repo.root, edit.path)
    if seen is not None and repo.objects.id_of_file(seen, edit.path) != old.id:
        raise Conflict(
            f"{edit.path} is to be deleted, but has changes that are not committed", hint=_commit(edit.path)
        )
    return Change(edit, None, staged, None, seen, None)


def _rewrite(repo: Repo, edit: Rewrite, old: Entry | None) -> Entry | None:
    before = repo.objects.read_blob(old.id) if old is not None else None
    after = edit.edit(before)
    if after is None or old is None:
        return Entry(FILE, repo.objects.write_file(after, edit.path)) if after is not None else None
    # Unfiltered: what came out of a blob is as the repository has it.
    return old if after == before else Entry(old.mode, repo.objects.write_blob(after))
