"""Takes back what a commit did, wherever it is in the history, as one commit.

Where HEAD has a file as the commit left it, the parent's comes back; where it has moved on since, the inverse change
is merged into it; where it was renamed since, that is done under its name of today. What clashes goes to a person:
nothing is ever half taken back.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gitforge import commits, goals_file
from gitforge.commits import Text
from gitforge.errors import Conflict, UserError
from gitforge.goals import FILE_NAME
from gitforge.goals_file import RESERVED_FOLDERS
from gitforge.inverse import Change, taken_back
from gitforge.names import COMPONENT_SUFFIXES
from gitforge.scope import is_own, names_today, places, refuse_others
from gitforge.store import origins, revision, spool
from gitforge.store.edits import Edit, NewFile, Rewrite, exchange
from gitforge.store.messages import REVIEWED, WITHDRAWN, Group, parse
from gitforge.store.repo import Repo
from gitforge.store.revision import Revision
from gitforge.store.transaction import Recorded, record
from gitforge.text import printable
from gitforge.workspace import Workspace


@dataclass(frozen=True)
class Step:
    """What becomes of one file: what HEAD has, and what comes; None where there is no file."""

    path: str
    before: bytes | None
    after: bytes | None

    @property
    def action(self) -> str:
        """In a word."""
        if self.after is None:
            return "deleted"
        return "brought back" if self.before is None else "changed"


@dataclass(frozen=True)
class Reversal:
    """A commit, and what taking it back does.

    Attributes:
        of: The commit.
        steps: What becomes of each file that is not as it was before it already.
        changes: What the commit did to those files.
        statements: The approvals that are withdrawn, or made again.
        components: Those of the files that are components.
    """

    of: Revision
    steps: tuple[Step, ...] = ()
    changes: Mapping[str, Change] | None = None
    statements: tuple[Group, ...] = ()
    components: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether HEAD has all of it as it was before."""
        return not self.steps and not self.statements


def find(workspace: Workspace, repo: Repo, what: str) -> Reversal:
    """What a user wants to be taken back.

    Args:
        workspace: Where components are.
        repo: Its repository.
        what: A commit, as git names it; or a component, of which the last change is meant.

    Raises:
        Conflict: What the commit changed has been changed since.
        UserError: There is no such thing, or it cannot be taken back here.
    """
    if not what.endswith(COMPONENT_SUFFIXES) and (commit := repo.commit_of(what)) is not None:
        return of_commit(workspace, repo, commit)
    path = component_path(workspace, repo, what)
    last = revision.last_change(repo, path)
    if last is None:
        raise UserError(f"{path}: no commit here changed it", hint=f"`git log -- {path}` shows its history.")
    return of_commit(workspace, repo, last, only=path)


def component_path(workspace: Workspace, repo: Repo, name: str, rev: str = "HEAD") -> str:
    """The component that a name means, from the repository's root, also where it is gone by now.

    Args:
        workspace: Where components are.
        repo: Its repository.
        name: Its file name, with its kind's folder where that is not unique; the suffix may be left out.
        rev: Id of another commit that may have it.

    Raises:
        UserError: There never was one; or it may be several.
    """
    folder = repo.relative(workspace.root / "library")
    if name.rpartition("/")[2] == FILE_NAME:
        raise UserError(
            f"{FILE_NAME} is no component",
            hint=f"`git log -- {FILE_NAME}` shows the commits that changed it; `gitforge revert COMMIT` takes one "
            f"back, `git restore --source=COMMIT {FILE_NAME}` brings back all that it said then.",
        )
    wanted = name.removeprefix(f"{folder}/").removeprefix("library/")
    found = revision.files_named(repo, folder, wanted, COMPONENT_SUFFIXES, dict.fromkeys(("HEAD", rev)))
    paths = [path for path in found if _is_component(path, folder)]
    if len(paths) == 1:
        return paths[0]
    if not paths:
        raise UserError(
            f"there is no commit {printable(name)!r} here, and never was a component of that name"
            if not name.endswith(COMPONENT_SUFFIXES)
            else f"no component is or was called {printable(name)!r} in this history",
            hint="`gitforge list --components` shows the components, `git log --oneline` the commits.",
        )
    raise UserError(
        f"{printable(name)!r} is not unique: it is {' or '.join(paths)}", hint="Name it with its folder."
    )


def _is_component(path: str, folder: str) -> bool:
    inner = path.removeprefix(f"{folder}/")
    is_inside = path != inner and inner.partition("/")[0] not in RESERVED_FOLDERS
    return is_inside and inner.endswith(COMPONENT_SUFFIXES)


def of_commit(workspace: Workspace, repo: Repo, commit: str, *, only: str | None = None) -> Reversal:
    """What taking a commit back does.

    Args:
        workspace: Where components are.
        repo: Its repository.
        commit: Id of the commit.
        only: The one file that is meant, by its name then; None: all.

    Raises:
        Conflict: What the commit changed has been changed since.
        UserError: It cannot be taken back here.
    """
    found = revision.read_revision(repo, commit)
    if only is not None:
        found = _about(repo, found, only)
    refuse_others(workspace, repo, found)
    reversal = of_own(workspace, repo, found)
    if not found.changes and not _said(found):
        raise UserError(f"the commit {commit[:12]} changed no component: it is empty")
    return reversal if only is None else replace(reversal, statements=())


def _about(repo: Repo, found: Revision, path: str) -> Revision:
    """The commit as far as it is about one file; a renaming is about both names, or half of it would be a loss.

    Raises:
        UserError: It renamed the file and did more, which belongs to that.
    """
    names = revision.renaming(repo, found, path) or (path,)
    about = tuple(change for change in found.changes if change.path in names)
    if len(names) == 1 or len(about) == len(found.changes):
        return replace(found, changes=about)
    others = [change.path for change in found.changes if change.path not in names]
    old, new = (printable(name) for name in names)
    raise UserError(
        f"the last change of {printable(path)} renamed {old} to {new}, in a commit that also changed "
        f"{printable(others[0])}",
        hint=f"`gitforge revert {found.commit[:12]}` takes all of that commit back.",
    )


def of_own(workspace: Workspace, repo: Repo, found: Revision, *, passing_deleted: bool = False) -> Reversal:
    """What taking back those of a commit's changes does that are of this workspace.

    Args:
        workspace: Where components are.
        repo: Its repository.
        found: The commit.
        passing_deleted: Whether files that were deleted since are passed over, else they are a Conflict.

    Raises:
        Conflict: What the commit changed has been changed since.
        UserError: It changed something else than files.
    """
    goals, folder = places(workspace, repo)
    names = names_today(workspace, repo, found)
    own = [change for change in found.changes if is_own(names[change.path], goals, folder)]
    steps, changes = [], {}
    for then, (was, became) in revision.contents(repo, own).items():
        path = names[then]
        change = Change(path, was, became, is_goals=path == goals)
        now = repo.committed(path)
        if now is None and became is not None and passing_deleted:
            continue
        after = taken_back(repo, change, now)
        if after != now:
            steps.append(Step(path, now, after))
            changes[path] = change
    components = tuple(step.path for step in steps if _is_component(step.path, folder))
    return Reversal(found, tuple(steps), changes, _still_said(repo, found), components)


def _said(found: Revision) -> list[Group]:
    """What a commit approves, or takes back, of texts that it does not itself record."""
    recorded = {(change.path, change.became.id) for change in found.changes if change.became is not None}
    return [
        group
        for group in parse(found.message).groups
        if group.blob is not None
        and not group.is_generation
        and (group.reviewer or WITHDRAWN in group.trailers)
        and (group.path, group.blob) not in recorded
    ]


def _still_said(repo: Repo, found: Revision) -> tuple[Group, ...]:
    """That of it which holds today."""
    said = _said(found)
    if not said:
        return ()
    known = origins.read(repo)
    is_held = {group.blob: bool(known.reviewers_of(group.blob or "")) for group in said}
    return tuple(group for group in said if is_held[group.blob] == (group.reviewer is not None))


def carry_out(repo: Repo, reversal: Reversal, why: str = "", *, is_undo: bool = False) -> Recorded:
    """Records it as one commit.

    Args:
        repo: The repository.
        reversal: What is taken back; not an empty one.
        why: The reason, which the next generation of what is gone is told.
        is_undo: Whether it is the newest thing that was not undone yet.

    Raises:
        Conflict: Changes that are not committed, or a kept draft, are in the way.
        UserError: git refuses.
    """
    _refuse_drafts(repo, reversal)
    commit, subject = reversal.of.commit, reversal.of.subject

    said = [Text(group.path, group.blob) for group in reversal.statements]
    statement = None
    if reversal.statements:
        name = WITHDRAWN if reversal.statements[0].reviewer else REVIEWED
        statement = name, str(repo.identity())

    def message(blobs: Mapping[str, str]) -> str:
        texts = [Text(path, blobs.get(path)) for path in reversal.components]
        left = [text for text in texts if text not in said]
        return commits.taken_back(commit, subject, why, left, is_undo=is_undo, said=said, statement=statement)

    return record(repo, [_edit(repo, step, reversal) for step in reversal.steps], message)


def _refuse_drafts(repo: Repo, reversal: Reversal) -> None:
    paths = {step.path for step in reversal.steps}
    for draft in spool.drafts(repo).kept:
        if draft.path in paths:
            name = shlex.quote(draft.path.rpartition("/")[2])
            raise Conflict(
                f"a draft of {draft.path} is kept, which would be recorded next",
                hint=f"`gitforge drafts show {name}` shows it, `gitforge drafts drop {name}` gives it up.",
            )


def _edit(repo: Repo, step: Step, reversal: Reversal) -> Edit:
    change = (reversal.changes or {})[step.path]
    if step.before is None and step.after is not None:
        return NewFile(step.path, step.after)
    if change.is_goals:  # the user's own edits of it, staged or not, survive apart
        return Rewrite(step.path, lambda content: taken_back(repo, change, content))
    return exchange(step.path, step.before or b"", step.after)


def outlines(repo: Repo, paths: Sequence[str]) -> set[str]:
    """Those of the components that HEAD has as the offline outline: no later generation is told of such a text.

    Args:
        repo: The repository.
        paths: The components, from its root.
    """
    known = origins.read(repo) if paths else None
    return {path for path, entry in repo.entries(paths).items() if known and known.is_outline(entry.id)}


def goals_missing(workspace: Workspace, repo: Repo, steps: Sequence[Step]) -> list[tuple[str, str]]:
    """Each goal that misses a component once the steps are made, with the component's path.

    Args:
        workspace: Where goals.yaml is.
        repo: Its repository.
        steps: The steps.
    """
    gone = {step.path for step in steps if step.after is None}
    goals, folder = repo.relative(workspace.goals_file), repo.relative(workspace.root / "library")
    text = next((step.after for step in steps if step.path == goals), None) or repo.committed(goals) or b""
    try:
        book = goals_file.inspect(text.decode(errors="replace"), FILE_NAME)
    except UserError:
        return []
    needed = ((goal.name, f"{folder}/{need.path}") for goal in book.goals.values() for need in goal.needs)
    return [(goal, path) for goal, path in needed if path in gone]
