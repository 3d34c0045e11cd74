"""Which toolkits are out of date, and what has moved since they were built.

The blobs in their manifests are compared with those of the working tree; git is asked for commits only of what moved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gitforge import names, starter
from gitforge.components import InvalidLibrary, LibraryNotFetched
from gitforge.errors import UserError
from gitforge.goals import Goal, GoalBook, Kind, Need, Pin
from gitforge.manifest import Manifest, Part
from gitforge.plan import Planned, State
from gitforge.store import texts
from gitforge.workspace import Workspace

if TYPE_CHECKING:
    from gitforge.store.records import Generation, PathState
    from gitforge.store.repo import Repo

StatesOf = Callable[[Sequence[str]], Mapping[str, "PathState"]]

_UNCOMMITTED = "edited, not committed"
_CUT = "changed (the history is cut here)"
_TAKEN_BACK = "is as committed again: the edit that it was built with is gone"


@dataclass(frozen=True)
class Moved:
    """Something that a toolkit was made from and that is another now.

    Attributes:
        path: The file, from the repository's root; goals.yaml where the goal changed.
        how: What became of it, in a few words.
        commit: The commit that changed it last; None where the change is in no commit.
        subject: The first line of that commit's message.
    """

    path: str
    how: str
    commit: str | None = None
    subject: str | None = None

    def __str__(self) -> str:
        by = f" by {self.commit[:7]} ({self.subject})" if self.commit else ""
        return f"{self.path}: {self.how}{by}"


class GoalGone(Moved):
    """That goals.yaml does not have the goal any more."""


class Unknown(Moved):
    """That another library cannot be read, so that nobody can tell what has moved there."""


@dataclass(frozen=True)
class _Now:
    """A file of the working tree: its blob, and whether the last commit has it so."""

    blob: str | None
    is_committed: bool


def moved(
    workspace: Workspace,
    repo: Repo,
    book: GoalBook,
    found: Mapping[str, Manifest],
    known: Iterable[Planned] = (),
    states_of: StatesOf | None = None,
) -> dict[str, tuple[Moved, ...]]:
    """What has moved under each toolkit; nothing where it is as a build would make it.

    Args:
        workspace: Where.
        repo: The repository around it.
        book: goals.yaml as it is.
        found: The toolkits' manifests, by project.
        known: Components that were looked at already.
        states_of: Says how files stand, where git was asked for it already.

    Raises:
        UserError: git cannot tell.
    """
    compared = _Compared(workspace, repo, book)
    now = compared.look(found.values(), known, states_of or repo.states)
    changes = {project: list(compared.changes(project, manifest, now)) for project, manifest in found.items()}
    committed = {one.path for each in changes.values() for one in each if one.path in now}
    committed = {path for path in committed if now[path].is_committed}
    commits = repo.log.generation_of(sorted(committed))
    cut = repo.cut_at()
    return {
        project: tuple(_dated(one, commits.get(one.path), found[project], cut) for one in each)
        for project, each in changes.items()
    }


def _dated(one: Moved, commit: Generation | None, manifest: Manifest, cut: frozenset[str]) -> Moved:
    """With the commit that changed it, where one did after the toolkit was built."""
    if commit is None or commit.commit is None:
        return one
    if commit.commit in cut:
        return replace(one, how=_CUT)
    used = next((part for part in manifest.parts if part.text.path == one.path), None)
    if used is not None and used.is_uncommitted and used.commit == commit.commit:
        return replace(one, how=_TAKEN_BACK)
    return replace(one, commit=commit.commit, subject=commit.subject)


class _Compared:
    """Compares manifests with a workspace as it is now."""

    def __init__(self, workspace: Workspace, repo: Repo, book: GoalBook) -> None:
        self._library = workspace.library
        self._repo = repo
        self._book = book
        self._prefix = repo.relative(self._library.folder)
        self._output = repo.relative(workspace.output)
        self._goals = repo.relative(workspace.goals_file)
        self._starter: dict[str, str | None] = {}

    def look(
        self, manifests: Iterable[Manifest], known: Iterable[Planned], states_of: StatesOf
    ) -> dict[str, _Now]:
        """How every file of the manifests and of their goals stands."""
        now = {
            one.path: _Now(one.blob, one.state in {State.READY, State.MISSING})
            for one in known
            if one.need.pin is None
        }
        wanted: dict[str, None] = {}
        for manifest in manifests:
            goal = self._goal(manifest)
            needs = goal.needs if isinstance(goal, Goal) else [part.need for part in manifest.parts]
            own = (need.path for need in needs if need.kind.folder and need.pin is None)
            wanted.update(dict.fromkeys(map(self._path, own)))
            wanted.update(dict.fromkeys(self._templates(manifest).values()))
        rest = [path for path in wanted if path not in now]
        states = states_of(rest) if rest else {}
        now.update({path: _Now(state.blob, not state.edited) for path, state in states.items()})
        return now

    def changes(self, project: str, manifest: Manifest, now: Mapping[str, _Now]) -> Iterator[Moved]:
        """What is another now than a manifest says."""
        if project != manifest.project:
            yield Moved(f"{self._output}/{project}", f"was built under the name {manifest.project}")
        goal = self._goal(manifest)
        if not isinstance(goal, Goal):
            yield goal
            return
        yield from self._recipe(manifest, goal)
        before = {_key(part.need): part for part in manifest.parts}
        for need in goal.needs:
            if (part := before.get(_key(need))) is None:
                continue
            if need.pin is not None:
                yield from self._foreign(need, need.pin, part)
            else:
                yield from self._file(self._path(need.path), part.text.blob, now)
        for name, path in self._templates(manifest).items():
            text = manifest.templates[name]
            here = now[path].blob
            if text.path is not None:
                yield from self._file(path, text.blob, now)
            elif here is not None:
                yield Moved(path, "stands in place of gitforge's own now")
            elif self._starter_id(name) != text.used:
                yield Moved(f"gitforge:{name}", "another one, of this version of gitforge")

    def _goal(self, manifest: Manifest) -> Goal | Moved:
        """What a toolkit is for, as it is now; or what became of it."""
        name = manifest.goal.name
        if name in self._book.goals:
            return self._book.goals[name]
        if names.foreign_parts(name) is not None:
            try:
                return self._library.goal(self._book, name)
            except (LibraryNotFetched, InvalidLibrary) as error:
                return Unknown(name, f"nobody can tell: {error.message}")
            except UserError:
                pass
        return GoalGone(self._goals, f"the goal {name} is gone")

    def _foreign(self, need: Need, pin: Pin, part: Part) -> Iterator[Moved]:
        """What became of a component of another library: it is as its pin says."""
        if part.commit == pin.commit and part.text.blob is not None:
            return
        at = f"{pin.name} at {pin.commit[:10]}"
        try:
            here = self._library.foreign.blob(need)
        except LibraryNotFetched:
            yield Unknown(need.path, f"nobody can tell: {at} is not fetched")
            return
        except UserError as error:
            yield Unknown(need.path, f"nobody can tell: {error.message}")
            return
        if here != part.text.blob:
            how = "gone from" if here is None else "there now in" if part.text.blob is None else "changed in"
            yield Moved(need.path, f"{how} {at}")

    def _file(self, path: str, before: str | None, now: Mapping[str, _Now]) -> Iterator[Moved]:
        here = now[path]
        if here.blob == before:
            return
        if here.blob is None:
            yield Moved(path, "gone")
        elif before is None:
            yield Moved(path, "there now" if here.is_committed else "there now, not committed")
        else:
            yield Moved(path, "changed" if here.is_committed else _UNCOMMITTED)

    def _recipe(self, manifest: Manifest, goal: Goal) -> Iterator[Moved]:
        """What goals.yaml says of the toolkit's goal now."""
        before = {_key(need) for need in manifest.goal.needs}
        after = {_key(need) for need in goal.needs}
        for _, name in sorted(after - before):
            yield Moved(self._goals, f"the goal uses {name} now")
        for _, name in sorted(before - after):
            yield Moved(self._goals, f"the goal does not use {name} any more")
        if manifest.format < 2:
            return
        if before == after and not _is_same_order(manifest.goal.needs, goal.needs):
            yield Moved(self._goals, "the goal has its components in another order")
        for what in ("description", "category"):
            if getattr(manifest.goal, what) != getattr(goal, what):
                yield Moved(self._goals, f"the goal has another {what}")
        purposes = {need.path: need.purpose for need in manifest.goal.needs}
        shown = {need.path: need.purpose for need in goal.needs if need.path in purposes}
        if any(purposes.values()) and shown != purposes:
            yield Moved(self._goals, "what a component is for is said in other words")
        used = {need.kind.name for need in goal.needs}
        kinds = [kind for kind in self._book.kinds.values() if kind.name in used]
        declared = tuple(map(_shown, kinds)), tuple(map(_shown, self._book.kinds.values()))
        if manifest.kinds not in declared:
            yield Moved(self._goals, "the kinds are declared in another way")
        if dict(manifest.outputs) != dict(self._book.outputs):
            yield Moved(self._goals, "the files of a toolkit are others")

    def _templates(self, manifest: Manifest) -> dict[str, str]:
        """The path that each of a manifest's templates would have here, by name."""
        if manifest.format < 2:  # which has them by path
            return {path: path for path in manifest.templates}
        return {name: self._path(name) for name in manifest.templates}

    def _path(self, name: str) -> str:
        return f"{self._prefix}/{name}"

    def _starter_id(self, name: str) -> str | None:
        if name not in self._starter:
            path = starter.library() / name
            content = path.read_bytes() if path.is_file() else None
            self._starter[name] = None if content is None else texts.id_of(self._repo, content)
        return self._starter[name]


def _is_same_order(one: Iterable[Need], other: Iterable[Need]) -> bool:
    return [need.called for need in one] == [need.called for need in other]


def _key(need: Need) -> tuple[str, str]:
    return need.kind.name, need.called


def _shown(kind: Kind) -> Kind:
    """As much of a kind as a manifest says."""
    return Kind(kind.name, kind.folder, kind.many, kind.key)
