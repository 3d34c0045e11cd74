"""What came from upstream: looked at before anything here moves, and told of afterwards."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gitforge import documents, goals_file
from gitforge.components import MAX_BYTES
from gitforge.errors import InvalidFile, Problem, UserError
from gitforge.goals import FILE_NAME, Goal, GoalBook
from gitforge.payloads import Suspicion, suspicions
from gitforge.store.advance import colliding, refuse_outside
from gitforge.store.process import harmless
from gitforge.store.records import Entry
from gitforge.store.repo import Repo
from gitforge.store.series import Member, PathChange, compare, renamed
from gitforge.store.survey import MAX_TARGET, leads_out
from gitforge.workspace import Workspace

_REPAIR = "`git pull --rebase` brings it as it is; repair it, then sync again."
MAX_FILE = 32 << 20
"""Bytes of a file that comes into the worktree unasked."""


@dataclass(frozen=True)
class Arrivals:
    """What upstream had that was not here.

    Attributes:
        commits: How many commits.
        generations: The components that were generated.
        edits: The components that were written or edited by people.
        deletions: The components that are gone.
        renames: The components that have another name, the old one and the new one of each.
        approvals: How many commits say only that somebody has seen something.
        goals: The goals that are new, changed or gone.
        suspicious: Components with what may be meant for the model alone, each with its first places.
    """

    commits: int = 0
    generations: tuple[str, ...] = ()
    edits: tuple[str, ...] = ()
    deletions: tuple[str, ...] = ()
    renames: tuple[tuple[str, str], ...] = ()
    approvals: int = 0
    goals: tuple[str, ...] = ()
    suspicious: tuple[tuple[str, tuple[Suspicion, ...]], ...] = ()

    def __add__(self, later: Arrivals) -> Arrivals:
        """What came in two goes."""
        return Arrivals(
            commits=self.commits + later.commits,
            generations=tuple(dict.fromkeys((*self.generations, *later.generations))),
            edits=tuple(dict.fromkeys((*self.edits, *later.edits))),
            deletions=tuple(dict.fromkeys((*self.deletions, *later.deletions))),
            renames=tuple(dict.fromkeys((*self.renames, *later.renames))),
            approvals=self.approvals + later.approvals,
            goals=tuple(dict.fromkeys((*self.goals, *later.goals))),
            suspicious=tuple({**dict(self.suspicious), **dict(later.suspicious)}.items()),
        )


def inspect(workspace: Workspace, repo: Repo, base: str | None, tip: str, where: str) -> list[PathChange]:
    """Looks at a commit of somebody else's before it comes into the worktree.

    Args:
        workspace: Whose goals.yaml is meant.
        repo: The repository.
        base: Id of the newest commit that both sides have; None where there is none.
        tip: Id of the commit.
        where: What it is called, for errors.

    Returns:
        What it changed since the base.

    Raises:
        UserError: It has no goals.yaml (any more) or one that cannot be used, a path that no file here can have, two
            names that a file system may take for one, a link that leads out, or a file that is too large.
    """
    changes = compare(repo, base, tip)
    refuse_strange(workspace, repo, changes, where)
    path = repo.relative(workspace.goals_file)
    had = base is not None and path in repo.objects.entries(base, [path])
    if had or base is None:
        try:
            read_goals(repo, tip, path, where)
        except InvalidFile as error:
            error.hint = " ".join(filter(None, (error.hint, _REPAIR)))
            raise
    _refuse_large(repo, changes, where)
    refuse_colliding(repo, tip, changes, where)
    return changes


def refuse_strange(workspace: Workspace, repo: Repo, changes: Sequence[PathChange], where: str) -> None:
    """Raises UserError where a path is one that no file here can have, or a link leads out."""
    _refuse_strange_here(workspace, repo, changes, where)
    refuse_outside(changes)
    _refuse_escapes(repo, changes, where)


def _refuse_strange_here(workspace: Workspace, repo: Repo, changes: Sequence[PathChange], where: str) -> None:
    """Raises UserError where what the workspace reads or writes gets a name that it would not, or is no file.

    Git would bring that in as well as a file: so nobody is told to let it.
    """
    ours = (workspace.goals_file, workspace.root / "library", workspace.root / "output")
    places = [repo.relative(place) for place in ours]
    for change in changes:
        path = change.path
        if change.new is None or not any(_is_on_the_way(path, place) for place in places):
            continue
        if harmless(path) != path or "\\" in path:
            raise UserError(
                f"{harmless(path)} of {where} has characters in its name that no component's has; nothing was changed",
                hint="Rename it there.",
            )
        if not change.new.is_file:
            what = "a symbolic link" if change.new.is_link else "a submodule"
            raise UserError(
                f"{harmless(path)} of {where} is {what}, where a library has files; nothing was changed",
                hint="Ask who published it what it is for.",
            )


def _refuse_escapes(repo: Repo, changes: Sequence[PathChange], where: str) -> None:
    """Raises UserError where a link that came leads out of the repository."""
    links = {
        change.path: change.new.id for change in changes if change.new is not None and change.new.is_link
    }
    if not links:
        return
    sizes = repo.objects.sizes(links.values())
    targets = repo.objects.read_many("blob", [id_ for id_ in links.values() if sizes[id_] <= MAX_TARGET])
    for path, id_ in links.items():
        target = os.fsdecode(targets.get(id_, b""))
        if leads_out(path, target):
            to = f", to {harmless(target)[:200]}" if target else ", or to no place that can be one"
            raise UserError(
                f"{harmless(path)} of {where} is a symbolic link that leads out of the repository{to}; "
                "nothing was changed",
                hint="If you trust it, `git pull --rebase` brings it as it is; then sync again.",
            )


def _is_on_the_way(path: str, place: str) -> bool:
    """Whether a path is a place, below it, or above it."""
    return f"{path}/".startswith(f"{place}/") or place.startswith(f"{path}/")


def refuse_colliding(repo: Repo, tip: str, changes: Sequence[PathChange], where: str) -> None:
    """Raises UserError where two names of a commit may be one on somebody's file system."""
    added = [change.path for change in changes if change.old is None]
    for path, other in colliding(repo, tip, added) if added else ():
        raise UserError(
            f"{where} has {harmless(path)}, which many file systems take for {harmless(other)}; nothing was changed",
            hint="Rename one of them there.",
        )


def read_goals(repo: Repo, commit: str, path: str, where: str) -> dict[str, Goal]:
    """The goals of a commit, by name.

    Args:
        repo: The repository.
        commit: Its id.
        path: goals.yaml, from the repository's root.
        where: What the commit is called, for errors.

    Raises:
        UserError: There is no such file.
        InvalidFile: It cannot be used.
    """
    return dict(read_book(repo, commit, path, where).goals)


def read_book(repo: Repo, commit: str, path: str, where: str) -> GoalBook:
    """All that a commit's goals.yaml says; arguments and errors are those of `read_goals`."""
    text = goals_text(repo, repo.objects.entries(commit, [path]).get(path), f"{path} of {where}")
    return goals_file.parse(text, f"{path} of {where}")


def goals_text(repo: Repo, entry: Entry | None, name: str) -> str:
    """The text of a goals.yaml in git. Raises as `read_goals` does."""
    if entry is None or not entry.is_file:
        what = "is missing" if entry is None else "is no file"
        hint = f"A gitforge library has a {FILE_NAME} there."
        if entry is None:
            hint += " If it was moved, `git pull --rebase` brings that; then sync in its new folder."
        raise UserError(f"{name} {what}; nothing was changed", hint=hint)
    if repo.objects.sizes([entry.id]).get(entry.id, 0) > documents.MAX_BYTES:
        raise InvalidFile(
            [Problem(name, f"is larger than {documents.MAX_BYTES >> 10} KiB, which nobody writes by hand")]
        )
    try:
        return repo.objects.read_blob(entry.id).decode()
    except UnicodeDecodeError:
        raise InvalidFile([Problem(name, "is not UTF-8 text")]) from None


def _refuse_large(repo: Repo, changes: Sequence[PathChange], where: str) -> None:
    there = [(change.path, change.new) for change in changes if change.new is not None]
    blobs = {entry.id: path for path, entry in there if not entry.is_submodule}
    for id_, size in repo.objects.sizes(blobs).items():
        if size > MAX_FILE:
            raise UserError(
                f"{harmless(blobs[id_])} of {where} has {size >> 20} MiB; nothing was changed",
                hint=f"Files of more than {MAX_FILE >> 20} MiB come by git's own hand: `git pull --rebase`.",
            )


def arrivals(
    workspace: Workspace, repo: Repo, base: str | None, tip: str, series: Sequence[Member],
    changes: Sequence[PathChange],
) -> Arrivals:  # fmt: skip
    """What came with commits.

    Args:
        workspace: Whose components are meant.
        repo: The repository.
        base: Id of the commit after which they are; None for the first one.
        tip: Id of the last one.
        series: The commits.
        changes: What all of them together have changed.
    """
    library = repo.relative(workspace.root / "library")
    # What was taken back or given another name on the way is told as it is in the end.
    last = {one.path: one for one in changes if one.path.startswith(f"{library}/")}
    deleted = [path for path, one in last.items() if one.new is None]
    moved = renamed(repo, base, tip) if base is not None and deleted else {}
    renames = tuple((path, moved[path]) for path in deleted if path in moved)
    same = {new for old, new in renames if new in last and last[new].new == last[old].old}
    written = [
        (change.path, _is_generation(member, change))
        for member in series
        for change in member.changes
        if change.path in last and last[change.path].new is not None and change.new is not None
        and change.path not in same
    ]  # fmt: skip
    generated = tuple(dict.fromkeys(path for path, is_generated in written if is_generated))
    edited = tuple(dict.fromkeys(path for path, is_generated in written if not is_generated))
    approvals = sum(
        1 for one in series if not one.changes and any(group.reviewer for group in one.message.groups)
    )
    book = repo.relative(workspace.goals_file)
    goals = tuple(_changed_goals(repo, book, base, tip)) if any(one.path == book for one in changes) else ()
    suspicious = tuple(_suspicious(repo, changes, library))
    gone = tuple(path for path in deleted if path not in moved)
    return Arrivals(len(series), generated, edited, gone, renames, approvals, goals, suspicious)


def generated_in(series: Sequence[Member]) -> frozenset[tuple[str, str]]:
    """Path and id of each text that commits recorded as a generation."""
    return frozenset(
        (change.path, change.new.id)
        for member in series
        for change in member.changes
        if change.new is not None and _is_generation(member, change)
    )


def _is_generation(member: Member, change: PathChange) -> bool:
    group = member.message.of_text(change.path, change.new.id) if change.new is not None else None
    return group is not None and group.path == change.path and group.is_generation


def _changed_goals(repo: Repo, path: str, base: str | None, tip: str) -> Iterator[str]:
    try:
        old, new = (_goals_at(repo, path, commit) for commit in (base, tip))
    except UserError:  # the older one was of no use
        return
    for name in {**old, **new}:
        before, now = old.get(name), new.get(name)
        if before is None or now is None or before.anywhere != now.anywhere:
            yield name


def _goals_at(repo: Repo, path: str, commit: str | None) -> dict[str, Goal]:
    if commit is None or path not in repo.objects.entries(commit, [path]):
        return {}
    return read_goals(repo, commit, path, commit[:12])


def _suspicious(
    repo: Repo, changes: Sequence[PathChange], library: str
) -> Iterator[tuple[str, tuple[Suspicion, ...]]]:
    blobs = {
        change.path: change.new.id
        for change in changes
        if change.new is not None and change.path.startswith(f"{library}/")
    }
    sizes = repo.objects.sizes(blobs.values())
    small = {path: id_ for path, id_ in blobs.items() if sizes.get(id_, 0) <= MAX_BYTES}
    contents = repo.objects.read_many("blob", small.values())
    for path, id_ in small.items():
        if found := tuple(suspicions(contents[id_].decode(errors="replace"))):
            yield path, found
