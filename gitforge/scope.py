"""Which of a commit's changes are a workspace's, and what the files are called today."""

from __future__ import annotations

from collections.abc import Mapping

from gitforge.errors import UserError
from gitforge.goals import FILE_NAME
from gitforge.store.process import harmless
from gitforge.store.renames import heirs
from gitforge.store.repo import Repo
from gitforge.store.revision import Revision
from gitforge.workspace import Workspace


def places(workspace: Workspace, repo: Repo) -> tuple[str, str]:
    """Where goals.yaml and the library are, from the repository's root."""
    return repo.relative(workspace.goals_file), repo.relative(workspace.root / "library")


def is_own(path: str, goals: str, folder: str) -> bool:
    """Whether a file is goals.yaml, or in the library."""
    return path == goals or path.startswith(f"{folder}/")


def names_today(workspace: Workspace, repo: Repo, found: Revision) -> Mapping[str, str]:
    """What the files that a commit changed are called today, by what they were called then.

    A file that was renamed since has its new name; one that it deleted is where the workspace is now.
    """
    goals, folder = places(workspace, repo)
    paths = [change.path for change in found.changes]
    roots = {path: path.partition("library/")[0] for path in paths if not is_own(path, goals, folder)}
    asked = {change.path for change in found.changes if change.became is not None}
    asked |= {f"{root}{FILE_NAME}" for root in roots.values()}
    there = repo.entries(sorted(asked)) if asked else {}
    new = heirs(repo, sorted(asked - there.keys()))
    names = {path: path for path in paths}
    for path, root in roots.items():
        if path not in there and new.get(f"{root}{FILE_NAME}") == goals:  # the workspace was moved as a whole
            names[path] = goals.removesuffix(FILE_NAME) + path.removeprefix(root)
    renamed = {path: new[path] for path in paths if path in asked and path in new}
    return names | {
        path: name for path, name in renamed.items() if is_own(name, goals, folder) and name not in names
    }


def refuse_others(workspace: Workspace, repo: Repo, found: Revision, *, is_undo: bool = False) -> None:
    """Refuses a commit that is not only about components and goals, or is the one that began the workspace.

    Raises:
        UserError: It is such a one.
    """
    short, (goals, folder) = found.commit[:12], places(workspace, repo)
    names = names_today(workspace, repo, found)
    is_move = any(change.became is None for change in found.changes)
    if not is_move and any(names[one.path] == goals and one.was is None for one in found.changes):
        raise UserError(f"the commit {short} is the workspace's first one: there is nothing to go back to")
    others = [change.path for change in found.changes if not is_own(names[change.path], goals, folder)]
    odd = [path for path in names.values() if harmless(path) != path or "\\" in path]
    then = ", and `gitforge undo` then goes on with what is before it" if is_undo else ""
    if others and len(others) == len(found.changes):
        raise UserError(
            f"the commit {short} changed no component: {harmless(others[0])}",
            hint=f"`git revert {short}` takes it back.",
        )
    if others:
        raise UserError(
            f"the commit {short} also changed {harmless(others[0])}, which is not gitforge's to change",
            hint=f"`git revert {short}` takes all of it back, `gitforge revert COMPONENT` one component{then}.",
        )
    if odd:
        raise UserError(
            f"the commit {short} changed {harmless(odd[0])}: gitforge writes no file of such a name",
            hint=f"`git revert {short}` takes it back{then}.",
        )
