"""What a commit is made of, as objects that no ref points at yet: settings, tree, hooks, message.

Steps 3 to 5 of docs/commit-protocol.md, as far as they need neither index nor worktree. `record` and `propose`
share them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gitforge.errors import UserError
from gitforge.store.edits import Change, Edit, NewFile
from gitforge.store.hooks import Hooks, Rewritten, find_hooks
from gitforge.store.messages import BLOB, COMPONENT
from gitforge.store.process import Asked
from gitforge.store.records import Entry, Head, Identity
from gitforge.store.repo import Repo
from gitforge.store.tree import edit_tree
from gitforge.store.worktree import check_path

SIGN_SECONDS = 120.0
"""How long a signing program may ask for its passphrase."""

Message = str | Callable[[Mapping[str, str]], str]
"""A commit's message, or what makes it of the ids of the blobs that the commit records, by path."""


@dataclass(frozen=True)
class Settings:
    """What does not depend on where the branch is.

    Attributes:
        blobs: Ids of the new files' blobs, by path.
        ignored: Those of the paths that git ignores, once it has answered.
        author: Whose work it is.
        committer: Who records it.
        sign: Whether commits are signed.
        hooks: The user's hooks.
        drafts: Names of the kept drafts that go with the commit.
        refs: Ids of blobs by the refs that keep them.
        sign_seconds: How long to wait for a signature.
    """

    blobs: Mapping[str, str]
    ignored: Asked[list[str]]
    author: Identity
    committer: Identity
    sign: bool
    hooks: Hooks
    drafts: tuple[str, ...]
    refs: Mapping[str, str]
    sign_seconds: float


def check(edits: Sequence[Edit]) -> None:
    """Refuses what is no edit set.

    Raises:
        UserError: A path is not plainly one below the worktree's top.
    """
    paths = [edit.path for edit in edits]
    if len(set(paths)) != len(paths):
        raise ValueError(f"edits need each path once: {paths}")
    for path in paths:
        check_path(path)


def read_settings(
    repo: Repo,
    edits: Sequence[Edit],
    ignored: Asked[list[str]],
    drafts: Sequence[str],
    keeps: Mapping[str, bytes],
    sign_seconds: float,
    hook_seconds: float,
) -> Settings:
    """Asks for them, and writes the blobs that are known already; arguments as in `record`."""
    author, committer = repo.identity(), repo.identity("COMMITTER")
    committer = author if committer.is_fallback else committer
    found = repo.commit_settings()
    hooks = find_hooks(found.hooks, hook_seconds)
    new = [edit for edit in edits if isinstance(edit, NewFile)]
    with repo.objects.together():
        blobs = {edit.path: repo.objects.write_file(edit.content, edit.path) for edit in new}
        refs = {ref: repo.objects.write_blob(content) for ref, content in keeps.items()}
    return Settings(blobs, ignored, author, committer, found.sign, hooks, tuple(drafts), refs, sign_seconds)


def refuse_during_operation(repo: Repo) -> None:
    """A commit in the middle of a rebase would become part of it.

    Raises:
        UserError: One is in progress.
    """
    if operation := repo.operation_in_progress():
        give_up = "git bisect reset" if operation == "bisect" else f"git {operation} --abort"
        raise UserError(
            f"a {operation} is in progress; nothing was recorded",
            hint=f"Finish it, or give it up with `{give_up}`.",
        )


def refuse_ignored(changes: Sequence[Change], asked: Asked[list[str]]) -> None:
    """As `git add` does, because git's own commands would pass over the file from then on.

    Raises:
        UserError: A path is ignored and not tracked.
    """
    refuse_paths(
        {change.path for change in changes if change.indexed is None and not change.is_deletion}, asked
    )


def refuse_paths(untracked: set[str], asked: Asked[list[str]]) -> None:
    """As `refuse_ignored`, of paths that are not tracked."""
    if ignored := [path for path in asked.answer() if path in untracked]:
        rest = f" and {len(ignored) - 3} more" if len(ignored) > 3 else ""
        are = "is" if len(ignored) == 1 else "are"
        raise UserError(
            f"{', '.join(ignored[:3])}{rest} {are} ignored by .gitignore; nothing was recorded",
            hint="`git check-ignore -v` with its name shows the line that does it.",
        )


# --- the message -----------------------------------------------------------------------------------------


def blobs_of(repo: Repo, head: Head, edits: Sequence[Edit], changes: Sequence[Change]) -> dict[str, str]:
    """The ids of the blobs that the commit will have at the edits' paths, without those that it deletes."""
    entries = {change.path: change.committed for change in changes}
    others = [edit.path for edit in edits if edit.path not in entries]
    if others and head.commit is not None:
        entries |= repo.objects.entries(head.commit, others)
    return {path: entry.id for path, entry in entries.items() if entry is not None}


def worded(message: Message, blobs: Mapping[str, str]) -> str:
    """The message's text; `blobs` are those that the commit records, by path."""
    text = message if isinstance(message, str) else message(blobs)
    if not text.strip() or "\0" in text:
        raise ValueError("a commit needs a message without NUL")
    return text


def first_line(message: str) -> str:
    """What a reflog says."""
    return message.strip().splitlines()[0]


def _speaking_of(message: str, rewritten: Mapping[str, tuple[str, str]]) -> str:
    """The message with other blobs: ids before and after by component."""
    lines, component = [], ""
    for line in message.split("\n"):
        name, _, value = line.partition(": ")
        component = value if name == COMPONENT else component
        before, after = rewritten.get(component, ("", ""))
        lines.append(f"{BLOB}: {after}" if line == f"{BLOB}: {before}" else line)
    return "\n".join(lines)


# --- tree and commit -------------------------------------------------------------------------------------


def build_tree(repo: Repo, base: str | None, entries: Mapping[str, Entry | None]) -> str:
    """The id of a commit's tree with other entries, and nothing else changed; None takes one out."""
    with repo.objects.together():
        return edit_tree(repo, base, entries)


def build_commit(repo: Repo, parent: str | None, tree: str, message: str, settings: Settings) -> str:
    """The id of the commit on top of another one that has the tree."""
    return repo.objects.write_commit(
        tree, parent, message, author=settings.author, committer=settings.committer,
        sign=settings.sign, timeout=settings.sign_seconds,
    )  # fmt: skip


def run_hooks(
    repo: Repo,
    head: Head,
    changes: Sequence[Change],
    tree: str,
    message: str,
    work: Path,
    settings: Settings,
) -> tuple[list[Change], str, str]:
    """Runs the user's hooks on the commit to be; returns changes, tree and message as they leave them.

    Raises:
        UserError: A hook refuses, or changes something else than our files.
    """
    repo.objects.settle()  # they read the tree
    paths = [change.path for change in changes if not change.is_deletion]
    checked = settings.hooks.run(repo, tree, message, paths, work)
    if not checked.files:
        return list(changes), tree, checked.message
    ids = {
        change.path: (change.committed.id, checked.files[change.path].entry.id)
        for change in changes
        if change.committed is not None and change.path in checked.files
    }
    changes = [_as_rewritten(change, checked.files.get(change.path)) for change in changes]
    tree = build_tree(repo, head.commit, {change.path: change.committed for change in changes})
    return changes, tree, _speaking_of(checked.message, ids)


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
