"""Copies components of another library into the own one, which then can be edited; later updates are merged in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitforge import commits, libraries, library_entries, names
from gitforge.adoptions import Origin
from gitforge.commits import Adopted
from gitforge.components import split_front_matter
from gitforge.errors import Conflict, UserError
from gitforge.goals import Goal, GoalBook, Need, Pin
from gitforge.names import COMPONENT_SUFFIXES, foreign_parts
from gitforge.payloads import Suspicion, suspicions
from gitforge.store import pins, snapshots
from gitforge.store.edits import Edit, NewFile
from gitforge.store.transaction import Recorded, record
from gitforge.store.tree import kind as entry_kind
from gitforge.text import one_line, printable
from gitforge.workspace import Workspace

if TYPE_CHECKING:
    from gitforge.store.repo import Repo


@dataclass(frozen=True)
class Copy:
    """A component of another library, and the own one that it becomes.

    Attributes:
        origin: What is copied.
        foreign: What goals.yaml can call that: `acme:personas/auditor.md`.
        need: What it becomes.
        path: That from the repository's root.
        text: It.
        blob: Id of that, as the other library has it.
        users: The goals that use it, and will use the own one.
        is_there: Whether the own library has exactly this text already.
        suspicions: What a reader would not see in it.
    """

    origin: Origin
    foreign: str
    need: Need
    path: str
    text: str
    blob: str
    users: tuple[str, ...]
    is_there: bool
    suspicions: tuple[Suspicion, ...]


@dataclass(frozen=True)
class Adopting:
    """What is to be adopted.

    Attributes:
        copies: The components.
        goals: Goals of other libraries, as own ones that use the copies.
    """

    copies: tuple[Copy, ...]
    goals: tuple[Goal, ...]


def find(
    workspace: Workspace, repo: Repo, book: GoalBook, wanted: Sequence[str], called: str | None = None
) -> Adopting:
    """Looks for components and goals, and whether each can be copied; nothing is written.

    Args:
        workspace: Where to.
        repo: Its repository.
        book: Its goals.
        wanted: `acme:auditor.md`, with its folder or without its suffix too; `acme:GOAL` for all of a goal.
        called: What the one component is to be called; None for the name that it has.

    Raises:
        Conflict: The own library has another text of that name, or such a goal.
        UserError: There is no such library, component or goal, or it cannot be used.
    """
    found: dict[str, Copy] = {}
    goals: list[Goal] = []
    for name in wanted:
        needs, goal = _named(workspace, repo, book, name)
        goals += [goal] if goal is not None else []
        for need in needs:
            copy = _copy(workspace, repo, book, need, called)
            other = found.setdefault(copy.path, copy)
            if other.origin != copy.origin:
                raise Conflict(
                    f"{other.foreign} and {copy.foreign} would both become {copy.path}",
                    hint="Adopt one of them under another name: --as NAME.",
                )
    if called is not None and (goals or len(found) != 1):
        raise UserError("a goal and its components keep their names", hint="Leave --as.")
    return Adopting(tuple(found.values()), tuple(goals))


def _named(workspace: Workspace, repo: Repo, book: GoalBook, name: str) -> tuple[list[Need], Goal | None]:
    """The components of other libraries that a name means, and the goal whose they are."""
    parts = foreign_parts(name)
    if parts is None and ":" in name:  # of a library that cannot be, such as x
        libraries.pin_of(book, name.partition(":")[0])
    if parts is None:
        raise UserError(
            f"{printable(name)!r} is of no other library",
            hint="Name it with its library, for example acme:auditor.md.",
        )
    pin = libraries.pin_of(book, parts[0])
    known = workspace.library.known(book, name)
    if book.matching(name, known):
        return [book.find(name, known)], None
    if parts[1] in workspace.foreign.book(pin).goals:
        goal = workspace.foreign.goal(pin, parts[1], book)
        own = tuple(need._replace(pin=None) for need in goal.needs)
        return list(goal.needs), goal._replace(name=parts[1], needs=own)
    _refuse_unusable(workspace, repo, book, pin, parts[1])
    return [book.find(name, known)], None


def _copy(workspace: Workspace, repo: Repo, book: GoalBook, need: Need, called: str | None) -> Copy:
    """How a component of another library becomes an own one."""
    file, path = workspace.foreign.file(need), workspace.foreign.path(need)
    if need.pin is None or file is None or path is None:
        raise UserError(f"{need.path} is missing there, so it cannot be adopted")
    own = Need(need.kind, names.component_name(_as_name(called, need.name)))
    place = repo.relative(workspace.library.path(own))
    users = tuple(goal.name for goal in book.goals.values() if need.path in {one.path for one in goal.needs})
    origin = Origin(need.pin.name, below_library(need.pin, path), need.pin.commit)
    is_there = _is_there(workspace, own, file.text, need.path)
    found = tuple(suspicions(file.text))
    return Copy(origin, need.path, own, place, file.text, file.blob, users, is_there, found)


def below_library(pin: Pin, path: str) -> str:
    """A path of a library's repository, from the `library/` of its workspace."""
    return path.removeprefix(f"{pin.folder}/" if pin.folder else "").removeprefix("library/")


def _as_name(called: str | None, file: str) -> str:
    if called is None:
        return file
    return called if called.endswith(COMPONENT_SUFFIXES) else f"{called}.{file.rpartition('.')[2]}"


def _refuse_unusable(workspace: Workspace, repo: Repo, book: GoalBook, pin: Pin, wanted: str) -> None:
    """Raises UserError where a library has something of that name, but nothing that can be used here."""
    start = f"{pin.folder}/library/" if pin.folder else "library/"
    for path, sized in snapshots.files_below(repo, pin.commit, start.rstrip("/")).items():
        inner = path.removeprefix(start)
        if wanted not in {
            inner,
            inner.rpartition("/")[2],
            *(inner.removesuffix(s) for s in COMPONENT_SUFFIXES),
        }:
            continue
        shown = f"{pin.name}:{printable(inner)}"
        if not sized.entry.is_file:
            raise UserError(f"{shown} is {entry_kind(sized.entry)}, and no file: it is not copied")
        for kind in workspace.foreign.unmatched(pin, book.kinds):
            if inner.startswith(f"{kind.folder}/"):
                raise UserError(
                    f"{shown} is a {printable(kind.name)}, a kind that goals.yaml does not declare here",
                    hint="Declare it under `kinds` first.",
                )


def _is_there(workspace: Workspace, own: Need, text: str, foreign: str) -> bool:
    there = workspace.library.text(own)
    if there is not None and there.replace("\r\n", "\n") != text.replace("\r\n", "\n"):
        raise Conflict(
            f"library/{own.path} is there already, with another text than {printable(foreign)}",
            hint="Adopt it under another name: --as NAME.",
        )
    return there is not None


def carry_out(workspace: Workspace, repo: Repo, book: GoalBook, adopting: Adopting) -> Recorded:
    """Copies the components, and lets the goals that used them use the copies, as one commit.

    Raises:
        Conflict: Something of the user's is in the way.
        UserError: git refuses.
    """
    copies = adopting.copies
    edits: list[Edit] = [NewFile(one.path, one.text.encode()) for one in copies]
    changes = [library_entries.adding_goal(goal) for goal in adopting.goals]
    if used := {one.foreign: one.need.name for one in copies if one.users}:
        changes.append(library_entries.renaming(book, used))
    if changes:
        edits.append(library_entries.rewriting(workspace, repo, *changes))

    def message(blobs: Mapping[str, str]) -> str:
        adopted = [Adopted(one.path, str(one.origin), blobs.get(one.path, one.blob)) for one in copies]
        return commits.adoption(_in_words(adopting), _libraries(copies), _said(adopting), adopted)

    points: dict[str, str] = {}
    for one in copies:
        points |= pins.points(repo, one.origin.library, one.origin.commit)
    recorded = record(repo, edits, message, points=points)
    if recorded.is_new or _is_said(repo, book, copies):
        return recorded
    return record(repo, [], message({}), points=points)  # the texts are there, but no commit says where from


def _is_said(repo: Repo, book: GoalBook, copies: Sequence[Copy]) -> bool:
    known = libraries.adopted_here(repo, book)
    return all(one.path in known and known[one.path].origin == one.origin for one in copies)


def _in_words(adopting: Adopting) -> str:
    if len(adopting.goals) == 1:
        return f"goal {adopting.goals[0].name}"
    if len(adopting.copies) == 1:
        need = adopting.copies[0].need
        return f"{need.kind.name} {need.name.rpartition('.')[0]}"
    return f"{len(adopting.copies)} components"


def _libraries(copies: Sequence[Copy]) -> str:
    return ", ".join(dict.fromkeys(one.origin.library for one in copies))


def _said(adopting: Adopting) -> str:
    if len(adopting.goals) == 1:
        return adopting.goals[0].description
    return description(adopting.copies[0].text) if len(adopting.copies) == 1 else ""


def description(text: str) -> str:
    """What a component is for, as its front matter says in one line; else empty."""
    said = split_front_matter(text)[0].get("description")
    return one_line(said) if isinstance(said, str) else ""
