"""Takes back what a commit did, wherever it is in the history, as one commit; `undo` takes back the newest thing.

Three ways: where HEAD has a file as the commit left it, the parent's comes back; where it has moved on since, the
inverse change is merged into it. What clashes goes to a person: nothing is ever half taken back.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

from gitforge import commits, goals_file
from gitforge.commits import UNDOES, Text
from gitforge.errors import Conflict, UserError
from gitforge.goals import FILE_NAME
from gitforge.goals_file import RESERVED_FOLDERS
from gitforge.inverse import Change, taken_back
from gitforge.names import COMPONENT_SUFFIXES
from gitforge.store import origins, revision, spool
from gitforge.store.edits import Edit, NewFile, Rewrite, exchange
from gitforge.store.messages import BLOB, COMPONENT, REVIEWED, WITHDRAWN, Group, parse
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
        statements: The approvals that are withdrawn, or made again, where the commit holds nothing else.
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
    wanted = name.removeprefix(f"{folder}/").removeprefix("library/")
    found = revision.files_named(repo, folder, wanted, COMPONENT_SUFFIXES, dict.fromkeys(("HEAD", rev)))
    paths = [path for path in found if _is_component(path, folder)]
    if len(paths) == 1:
        return paths[0]
    if not paths:
        raise UserError(
            f"There is no commit {printable(name)!r} here, and never was a component of that name"
            if not name.endswith(COMPONENT_SUFFIXES)
            else f"No component is or was called {printable(name)!r} in this history",
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
        only: The one file that is meant; None: all.

    Raises:
        Conflict: What the commit changed has been changed since.
        UserError: It cannot be taken back here.
    """
    found = revision.read_revision(repo, commit)
    if not found.changes:
        return _of_statements(repo, found)
    goals = repo.relative(workspace.goals_file)
    folder = repo.relative(workspace.root / "library")
    _refuse_others(found, goals, folder, only)
    meant = [change for change in found.changes if only in (None, change.path)]
    texts = revision.contents(repo, meant)
    steps, changes = [], {}
    for path, (was, became) in texts.items():
        change = Change(path, was, became, is_goals=path == goals)
        now = repo.committed(path)
        after = taken_back(repo, change, now)
        if after != now:
            steps.append(Step(path, now, after))
            changes[path] = change
    components = tuple(step.path for step in steps if _is_component(step.path, folder))
    return Reversal(found, tuple(steps), changes, (), components)


def _refuse_others(found: Revision, goals: str, folder: str, only: str | None) -> None:
    """Raises UserError where a commit is not only about components and goals, or is a workspace's first one."""
    short = found.commit[:12]
    if any(change.path == goals and change.was is None for change in found.changes):
        raise UserError(f"The commit {short} is the workspace's first one: there is nothing to go back to")
    others = [c.path for c in found.changes if c.path != goals and not c.path.startswith(f"{folder}/")]
    if not others or only is not None:
        return
    if len(others) == len(found.changes):
        raise UserError(
            f"The commit {short} changed no component: {printable(others[0])}",
            hint=f"`git revert {short}` takes it back.",
        )
    raise UserError(
        f"The commit {short} also changed {printable(others[0])}, which is not gitforge's to change",
        hint=f"`git revert {short}` takes all of it back; `gitforge revert COMPONENT` one component.",
    )


def _of_statements(repo: Repo, found: Revision) -> Reversal:
    """Taking back an empty commit, which approves texts, or takes approvals back."""
    groups = [group for group in parse(found.message).groups if group.blob is not None]
    said = [group for group in groups if group.reviewer or WITHDRAWN in group.trailers]
    if not said:
        raise UserError(f"The commit {found.commit[:12]} changed no component: it is empty")
    known = origins.read(repo)
    holding = [
        group for group in said if bool(known.reviewers_of(group.blob or "")) == (group.reviewer is not None)
    ]
    return Reversal(found, statements=tuple(holding))


def newest(workspace: Workspace, repo: Repo) -> Reversal:
    """The newest thing that gitforge recorded and that is not undone yet.

    Undo commits name what they undo. After a rebase that is another commit's id: what HEAD has as it was before
    counts as undone too.

    Raises:
        Conflict: What it changed has been changed since.
        UserError: There is nothing, or it cannot be taken back here.
    """
    undone: set[str] = set()
    with closing(revision.messages(repo)) as found:
        for commit, message in found:
            said = parse(message)
            if (undoes := dict(said.common).get(UNDOES)) is not None:
                undone.add(undoes)
            elif commit not in undone and is_recorded(message):
                reversal = of_commit(workspace, repo, commit)
                if not reversal.is_empty:
                    return reversal
    raise UserError(
        "There is nothing to undo: no commit here is gitforge's, but for what is undone already",
        hint="`gitforge revert COMMIT` takes any other commit back.",
    )


def is_recorded(message: str) -> bool:
    """Whether a commit's message is one that gitforge wrote about components or goals."""
    said = parse(message)
    last = message.strip().rpartition("\n\n")[2]  # of a text that is gone nothing but its name is said
    names = {name for name, _ in said.common}
    return bool(said.groups) or "Goal" in names or last.startswith(f"{COMPONENT}: ")


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

    def message(blobs: Mapping[str, str]) -> str:
        texts = [Text(path, blobs.get(path)) for path in reversal.components]
        return commits.taken_back(commit, subject, why, texts, is_undo=is_undo)

    if reversal.statements:
        texts = [Text(group.path, group.trailers[BLOB]) for group in reversal.statements]
        name = WITHDRAWN if reversal.statements[0].reviewer else REVIEWED
        statement = (name, str(repo.identity()))
        return record(
            repo, [], commits.taken_back(commit, subject, why, texts, is_undo=is_undo, statement=statement)
        )
    return record(repo, [_edit(repo, step, reversal) for step in reversal.steps], message)


def _refuse_drafts(repo: Repo, reversal: Reversal) -> None:
    paths = {step.path for step in reversal.steps}
    for draft in spool.drafts(repo).kept:
        if draft.path in paths:
            name = shlex.quote(draft.path.rpartition("/")[2])
            raise Conflict(
                f"A draft of {draft.path} is kept, which would be recorded next",
                hint=f"`gitforge drafts show {name}` shows it, `gitforge drafts drop {name}` gives it up.",
            )


def _edit(repo: Repo, step: Step, reversal: Reversal) -> Edit:
    change = (reversal.changes or {})[step.path]
    if step.before is None and step.after is not None:
        return NewFile(step.path, step.after)
    if change.is_goals:  # the user's own edits of it, staged or not, survive apart
        return Rewrite(step.path, lambda content: taken_back(repo, change, content))
    return exchange(step.path, step.before or b"", step.after)


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
