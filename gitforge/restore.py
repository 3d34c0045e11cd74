"""Brings a component back as it was at another commit, also under the name that it had then."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import PurePosixPath

from gitforge import commits
from gitforge.commits import Text
from gitforge.errors import UserError
from gitforge.goals import DEFAULT_KINDS
from gitforge.revert import Step, component_path
from gitforge.store import revision
from gitforge.store.edits import NewFile, exchange
from gitforge.store.repo import Entry, Repo
from gitforge.store.transaction import Recorded, record
from gitforge.text import printable
from gitforge.workspace import Workspace


@dataclass(frozen=True)
class Restoration:
    """A component, and the text that comes back.

    Attributes:
        step: What becomes of the file.
        commit: Id of the commit that has the text.
        was_called: The component's path there.
        named: The component in words: `protocol drill_down`.
    """

    step: Step
    commit: str
    was_called: str
    named: str

    @property
    def is_empty(self) -> bool:
        """Whether HEAD has that text already."""
        return self.step.before == self.step.after


def find(workspace: Workspace, repo: Repo, name: str, at: str) -> Restoration:
    """Looks for the text.

    Args:
        workspace: Where components are.
        repo: Its repository.
        name: The component, there or gone.
        at: A commit, as git names it.

    Raises:
        UserError: There is no such commit or component, or the commit has not got it.
    """
    commit = revision.resolve(repo, at)
    path = component_path(workspace, repo, name, commit)
    found = _entry(repo, commit, path)
    if found is None:
        raise UserError(
            f"{path}: the commit {commit[:12]} ({printable(at)}) has not got it, under no name that it had",
            hint=repo.hint_where_cut(f"`git log --follow -- {path}` shows which commits have."),
        )
    was_called, entry = found
    step = Step(path, repo.committed(path), repo.objects.read_blob(entry.id))
    return Restoration(step, commit, was_called, _named(workspace, path))


def _entry(repo: Repo, commit: str, path: str) -> tuple[str, Entry] | None:
    """Where a commit has a component, looked for under each name that it had, from the newest back."""
    entry = repo.objects.entries(commit, [path]).get(path)
    if entry is None:
        with closing(repo.log.follow([path])) as changes:
            for change in changes:
                if change.status != "R":
                    continue
                path = change.old_path
                entry = repo.objects.entries(commit, [path]).get(path)
                if entry is not None:
                    break
    if entry is not None and not entry.is_file:
        raise UserError(f"{path}: was no file at {commit[:12]}")
    return (path, entry) if entry is not None else None


def _named(workspace: Workspace, path: str) -> str:
    try:
        kinds = list(workspace.book().kinds.values())
    except UserError:  # to be mended perhaps by just this
        kinds = list(DEFAULT_KINDS)
    folder = PurePosixPath(path.partition("library/")[2]).parent.as_posix()
    kind = next((kind.name for kind in kinds if kind.folder == folder), "component")
    return f"{kind} {PurePosixPath(path).stem}"


def carry_out(repo: Repo, found: Restoration) -> Recorded:
    """Records it as one commit.

    Raises:
        Conflict: Changes that are not committed are in the way.
        UserError: git refuses.
    """
    path, before, after = found.step.path, found.step.before, found.step.after or b""
    edit = NewFile(path, after) if before is None else exchange(path, before, after)
    return record(
        repo, [edit], lambda blobs: commits.restored(found.named, found.commit, Text(path, blobs[path]))
    )
