"""A component as it was in some commit, also one that is gone or called otherwise today."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitforge.components import MAX_BYTES
from gitforge.errors import UserError
from gitforge.goals import GoalBook
from gitforge.named import candidates, paths_named
from gitforge.text import printable
from gitforge.workspace import Workspace

if TYPE_CHECKING:
    from gitforge.store.records import FileChange
    from gitforge.store.repo import Repo


@dataclass(frozen=True)
class Past:
    """A component in one commit.

    Attributes:
        path: What it was called there, from the repository's root.
        rev: Id of the commit.
        blob: Id of its text.
        text: Its whole text.
        change: The commit that it has the text from; None in a shallow clone, perhaps.
    """

    path: str
    rev: str
    blob: str
    text: str
    change: FileChange | None


def split(repo: Repo, name: str) -> tuple[str, str] | None:
    """The component's name and the commit's id in `NAME@REV`, where some part behind an `@` is a revision."""
    parts = name.split("@")
    for index in range(1, len(parts)):
        before, rev = "@".join(parts[:index]), "@".join(parts[index:])
        if before and rev and (commit := repo.commit_of(rev)) is not None:
            return before, commit
    return None


def past(workspace: Workspace, repo: Repo, book: GoalBook, name: str, rev: str) -> Past:
    """Reads a component as a commit has it.

    Args:
        workspace: Where.
        repo: The repository around it.
        book: The goals and kinds of today.
        name: What the component is called there, or today.
        rev: Id of the commit.

    Raises:
        UserError: No component is or was called so, or the commit has none, or it is no text.
    """
    path = _path_at(workspace, repo, book, name, rev)
    blob = repo.objects.entries(rev, [path])[path].id
    content = repo.objects.read_blob(blob)
    if len(content) > MAX_BYTES:
        raise UserError(f"{path}: is too large there: {len(content):,} bytes")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: is no UTF-8 text there") from error
    with closing(repo.log.follow([path], rev)) as changes:
        return Past(path, rev, blob, text, next(changes, None))


def _path_at(workspace: Workspace, repo: Repo, book: GoalBook, name: str, rev: str) -> str:
    for paths in candidates(workspace.library, repo, book, name):
        there = [path for path, entry in repo.objects.entries(rev, paths).items() if entry.is_file]
        if len(there) > 1:
            raise UserError(
                f"{printable(name)!r} is not unique in {rev[:10]}: it is {' or '.join(sorted(there))}",
                hint="Name it with its folder.",
            )
        if there:
            return there[0]
    path, *others = paths_named(workspace, repo, book, name)
    if others or name in book.goals:
        raise UserError(f"{name} is a goal", hint="Only a component can be shown as it was.")
    with closing(repo.log.follow([path])) as changes:
        for change in changes:
            there = [*repo.objects.entries(rev, [change.old_path])]
            if there:
                return there[0]
    raise UserError(
        f"{path}: is not in {rev[:10]}, under this name or one that it had before",
        hint=f"`gitforge log {path.rpartition('/')[2]}` shows the commits that have it.",
    )
