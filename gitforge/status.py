"""What needs attention in a workspace."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gitforge import hand_edits, manifest, starter, toolkits
from gitforge.errors import UserError
from gitforge.goals import MANIFEST, GoalBook
from gitforge.manifest import Manifest
from gitforge.plan import Planned, State, is_edited_outline, plan
from gitforge.stale import GoalGone, Moved, StatesOf, Unknown, moved
from gitforge.store import origins, spool
from gitforge.store.answered import Evidence
from gitforge.store.recovery import is_pending
from gitforge.store.spool import Drafts
from gitforge.unreviewed import need_review, with_gone
from gitforge.workspace import Workspace

if TYPE_CHECKING:
    from gitforge.store.process import Asked
    from gitforge.store.repo import Repo
    from gitforge.store.states import Listed


@dataclass(frozen=True)
class ToolkitState:
    """One toolkit in `output/`.

    Attributes:
        project: Its name.
        goal: What it was made for; None where its manifest does not say.
        is_degraded: Whether a placeholder stood in for a component.
        edited: The files that were changed by hand since.
        deleted: The files that are not there any more.
        odd: The files that cannot be read, such as a folder in a file's place.
        moved: What it was made from and is another now: it is out of date.
        problem: Why nobody can tell what has moved.
    """

    project: str
    goal: str | None
    is_degraded: bool
    edited: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    odd: tuple[str, ...] = ()
    moved: tuple[Moved, ...] = ()
    problem: str | None = None

    @property
    def is_clean(self) -> bool:
        """Whether it needs no attention."""
        return not (self.is_degraded or self.edited or self.odd or self.is_stale)

    @property
    def can_be_rebuilt(self) -> bool:
        """Whether building it again is what it needs: not where its goal is gone."""
        return bool(self.moved or self.deleted) and not any(isinstance(one, GoalGone) for one in self.moved)

    @property
    def is_stale(self) -> bool:
        """Whether a build would make another one, or nobody can tell."""
        return bool(self.moved or self.deleted or self.problem)


@dataclass(frozen=True)
class Status:
    """What needs attention.

    Attributes:
        goals: How many goals there are.
        ready: How many of them have all their components.
        operation: What git is in the middle of, for example `merge`.
        missing: Components that goals need and that are not there, with the goals.
        edited: Components with edits that are not committed.
        outlines: Components of which the last commit has an offline outline.
        unreviewed: Generated components of which nobody has reviewed what the last commit has, by path; None in a
            shallow clone, where the commits that would tell are not there.
        toolkits: What is in `output/`.
        not_fetched: Libraries that goals.yaml names and whose pins are not in this repository.
        drafts: Drafts that are kept until they are recorded.
        is_repair_pending: Whether a recording was interrupted and is not finished yet.
    """

    goals: int
    ready: int
    operation: str | None
    missing: tuple[tuple[Planned, tuple[str, ...]], ...]
    edited: tuple[Planned, ...]
    outlines: tuple[Planned, ...]
    unreviewed: tuple[str, ...] | None
    toolkits: tuple[ToolkitState, ...]
    drafts: Drafts
    is_repair_pending: bool
    not_fetched: tuple[str, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Whether nothing needs attention."""
        concerns: tuple[object, ...] = (
            self.operation,
            self.missing,
            self.edited,
            self.outlines,
            self.unreviewed,
        )
        concerns += (self.not_fetched, self.is_repair_pending, self.drafts.kept, self.drafts.unusable)
        return not any(concerns) and all(one.is_clean for one in self.toolkits)


def status(workspace: Workspace, repo: Repo, seen: Evidence | None = None) -> Status:
    """Looks at every component that a goal uses or that is in the library, and at every toolkit.

    Args:
        workspace: Where.
        repo: The repository around it.
        seen: Notes all that the answer rests on.

    Raises:
        UserError: goals.yaml cannot be used, a path leads out of the workspace, or git cannot tell.
    """
    seen = seen or Evidence(workspace.root)
    seen.file(workspace.goals_file)
    with repo.ask_states_below([repo.relative(workspace.library.folder)]) as asked:
        return _status(workspace, repo, workspace.book(), asked, seen)  # git looks while we read


def _status(workspace: Workspace, repo: Repo, book: GoalBook, asked: Asked[Listed], seen: Evidence) -> Status:
    used = book.needs()
    seen.look_for(repo, [pin.commit for pin in book.libraries.values()])
    _note_library(workspace, book, seen)
    others = {need.path: need for need in workspace.library.all(book.kinds.values())}
    known = origins.read(repo)
    needs = (others | used).values()
    seen.listed = states_of = asked.answer()
    planned = plan(workspace.library, repo, needs, known=known, commits=False, states_of=states_of).components
    for one in planned:  # whose text was read: were one written meanwhile, its time would tell
        if one.committed is not None and is_edited_outline(one.committed, known):
            seen.file(workspace.library.folder / one.need.path)
    absent = {one.need.path for one in planned if one.is_absent}
    users: dict[str, list[str]] = {}
    ready = 0
    for goal in book.goals.values():
        lacking = [need.path for need in goal.needs if need.path in absent]
        ready += not lacking
        for path in lacking:
            users.setdefault(path, []).append(goal.name)
    own = (one for one in planned if one.need.pin is None)  # the others are reviewed when their pin moves
    committed = {one.path: one.committed for one in own if one.committed is not None}
    texts = with_gone(workspace, repo, book, committed, known)
    found = Status(
        goals=len(book.goals),
        ready=ready,
        operation=repo.operation_in_progress(),
        missing=tuple((one, tuple(users[one.need.path])) for one in planned if one.need.path in users),
        edited=tuple(one for one in planned if one.is_uncommitted),
        outlines=tuple(one for one in planned if one.is_outline and one.state is State.READY),
        unreviewed=None if repo.is_shallow() else tuple(need_review(repo, texts, known)),
        toolkits=toolkit_states(workspace, repo, book, planned, states_of, seen),
        drafts=spool.drafts(repo, seen),
        is_repair_pending=is_pending(repo),
        not_fetched=tuple(
            name for name, pin in book.libraries.items() if not workspace.library.foreign.is_here(pin)
        ),
    )
    if found.operation or found.is_repair_pending:
        seen.give_up()  # what goes on just now may end at any moment
    unknown = (isinstance(one, Unknown) for toolkit in found.toolkits for one in toolkit.moved)
    if any(unknown) or any(one.state is State.UNUSABLE for one in planned):
        seen.give_up()  # of a library only the commit is looked for, and what that lacks may come
    return found


def _note_library(workspace: Workspace, book: GoalBook, seen: Evidence) -> None:
    """Notes which components are there."""
    for folder in (workspace.library.folder / kind.folder for kind in book.kinds.values()):
        seen.tree(folder)
        with suppress(OSError), os.scandir(folder) as entries:
            if any(entry.is_symlink() for entry in entries):
                seen.give_up()  # what it leads to may change, and no folder of ours shows it


def toolkit_states(
    workspace: Workspace,
    repo: Repo,
    book: GoalBook,
    known: Iterable[Planned] = (),
    states_of: StatesOf | None = None,
    seen: Evidence | None = None,
) -> tuple[ToolkitState, ...]:
    """How each toolkit in `output/` stands, sorted by name.

    Args:
        workspace: Where.
        repo: The repository around it.
        book: goals.yaml as it is.
        known: Components that were looked at already.
        states_of: Says how files stand, where git was asked for it already.
        seen: Notes what is looked at.

    Raises:
        UserError: git cannot tell.
    """
    seen = seen or Evidence(workspace.root)
    seen.file(workspace.output)
    found: dict[str, ToolkitState] = {}
    manifests: dict[str, Manifest] = {}
    names = (*book.outputs, MANIFEST)
    for path in sorted(workspace.output.iterdir()) if workspace.output.is_dir() else ():
        if path.name.startswith("."):
            continue
        seen.file(path)
        if not any(os.path.lexists(path / name) for name in names):
            continue
        problem = None
        seen.file(path / MANIFEST)
        try:
            manifests[path.name] = manifest.load(path / MANIFEST, f"output/{path.name}/{MANIFEST}")
        except UserError as error:
            problem = error.message
        data = toolkits.read_manifest(path)
        for name in toolkits.hashes(data):
            seen.file(path / name)
        files = hand_edits.look(path)
        found[path.name] = ToolkitState(
            path.name, toolkits.goal_of(path), data.get("degraded") is True,
            files.edited, files.deleted, files.odd, problem=problem,
        )  # fmt: skip
    _note_sources(workspace, repo, manifests.values(), seen)
    changes = moved(workspace, repo, book, manifests, known, states_of) if manifests else {}
    return tuple(replace(one, moved=changes.get(project, ())) for project, one in found.items())


def _note_sources(workspace: Workspace, repo: Repo, manifests: Iterable[Manifest], seen: Evidence) -> None:
    """Notes where the templates of toolkits are looked for; of what git lists, only the folders."""
    for one in manifests:
        for name, text in one.templates.items():
            is_by_path = one.format < 2
            path = repo.root / name if is_by_path else workspace.library.folder / name
            seen.tree(path.parent)
            if text.path is None:
                seen.file(starter.library() / name)
