"""Copies components of another library into the own one, which then can be edited; later updates are merged in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gitforge import adopted_texts, commits, libraries, library_entries, names
from gitforge.adoptions import Origin
from gitforge.commits import Adopted
from gitforge.components import split_front_matter
from gitforge.errors import Conflict, UserError
from gitforge.goals import Goal, GoalBook, Need, Pin
from gitforge.goals_edit import adding
from gitforge.names import COMPONENT_SUFFIXES, foreign_parts
from gitforge.payloads import Suspicion, suspicions
from gitforge.store import pins, snapshots
from gitforge.store.edits import Edit, NewFile, exchange
from gitforge.store.merge import Chunk, clashes, settled
from gitforge.store.transaction import Recorded, record
from gitforge.store.tree import kind as entry_kind
from gitforge.text import one_line, printable
from gitforge.workspace import Workspace

if TYPE_CHECKING:
    from gitforge.store.repo import Repo

Decide = Callable[[str, Sequence[Chunk]], str | None]
"""The whole text for a path that has another one; None where a person leaves it undecided."""


_OTHER_NAME = "Adopt its components one by one, and make a goal of another name of them."


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
        ours: The other text that the own library has of that name, with line feeds alone; None where it has none.
        chunks: What is to become of that; its clashes are to be decided.
        suspicions: What a reader would not see in it.
    """

    origin: Origin
    foreign: str
    need: Need
    path: str
    text: str
    blob: str
    users: tuple[str, ...]
    ours: str | None
    chunks: tuple[Chunk, ...]
    suspicions: tuple[Suspicion, ...]

    @property
    def clashes(self) -> int:
        """How many places have to be decided."""
        return len(clashes(self.chunks))


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
        Conflict: The own library has a name that is the same to some systems, or such a goal.
        UserError: There is no such library, component or goal, or it cannot be used.
    """
    found: dict[str, Copy] = {}
    goals: list[Goal] = []
    for name in wanted:
        needs, goal = _named(workspace, repo, book, name)
        goals += [goal] if goal is not None else []
        for need in needs:
            copy = _copy(workspace, repo, book, need, called)
            other = found.setdefault(copy.path.casefold(), copy)
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
        book.library(name.partition(":")[0])
    if parts is None:
        raise UserError(
            f"{printable(name)!r} is of no other library",
            hint="Name it with its library, for example acme:auditor.md.",
        )
    pin = book.library(parts[0])
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
    users = tuple(book.users_of(need))
    origin = Origin(need.pin.name, below_library(need.pin, path), need.pin.commit)
    _refuse_twin(workspace, own)
    found = tuple(suspicions(file.text))
    copy = Copy(origin, need.path, own, place, file.text, file.blob, users, None, (), found)
    there = workspace.library.text(own)
    if there is None or adopted_texts.plain(there) == adopted_texts.plain(file.text):
        return copy
    ours = adopted_texts.plain(there)
    base = _base(repo, book, need.pin, copy)
    return replace(copy, ours=ours, chunks=adopted_texts.merged(repo, base, ours, file.text, need.path))


def _base(repo: Repo, book: GoalBook, pin: Pin, copy: Copy) -> str | None:
    """Id of the text that an own component was merged with last, where it is a copy of the same one."""
    known = libraries.adopted_here(repo, book).get(copy.path)
    if known is None or (known.origin.library, known.origin.path) != (pin.name, copy.origin.path):
        return None
    return adopted_texts.base_of(repo, pin, known.origin)


def _refuse_twin(workspace: Workspace, own: Need) -> None:
    """Raises Conflict where the own library has a file whose name is the same but for upper and lower case."""
    for name in workspace.library.entries(own.kind):
        if name != own.name and name.casefold() == own.name.casefold():
            raise Conflict(
                f"library/{own.kind.folder}/{printable(name)} is there already, and to some systems {own.name} is"
                " the same name",
                hint="Adopt it under another name: --as NAME.",
            )


def below_library(pin: Pin, path: str) -> str:
    """A path of a library's repository, from the `library/` of its workspace."""
    return path.removeprefix(pin.inside("library/"))


def _as_name(called: str | None, file: str) -> str:
    if called is None:
        return file
    return called if called.endswith(COMPONENT_SUFFIXES) else f"{called}.{file.rpartition('.')[2]}"


def _refuse_unusable(workspace: Workspace, repo: Repo, book: GoalBook, pin: Pin, wanted: str) -> None:
    """Raises UserError where a library has something of that name, but nothing that can be used here."""
    for path, sized in snapshots.files_below(repo, pin.commit, pin.inside("library")).items():
        inner = below_library(pin, path)
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


def carry_out(
    workspace: Workspace, repo: Repo, book: GoalBook, adopting: Adopting, decide: Decide | None = None
) -> Recorded:
    """Copies the components, and lets the goals that used them use the copies, as one commit.

    Args:
        workspace: Where to.
        repo: Its repository.
        book: Its goals.
        adopting: What `find` has found.
        decide: What becomes of places in which the own library has another text.

    Raises:
        Conflict: Such a place is undecided, or something of the user's is in the way.
        UserError: git refuses.
    """
    copies = adopting.copies
    edits: list[Edit] = [_edit(one, decide) for one in copies]
    changes = [adding(goal, _OTHER_NAME) for goal in adopting.goals]
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
    there = {path: entry.id for path, entry in repo.anew().entries([one.path for one in copies]).items()}
    return record(
        repo, [], message(there), points=points
    )  # the texts are there, but no commit says where from


def _edit(copy: Copy, decide: Decide | None) -> Edit:
    if copy.ours is None:
        return NewFile(copy.path, copy.text.encode())
    if not copy.clashes:
        text: str | None = settled(copy.chunks, lambda clash: clash.ours)
    else:
        text = decide(copy.path, copy.chunks) if decide is not None else None
    if text is None:
        raise Conflict(
            f"{copy.path} is there already, with another text than {printable(copy.foreign)}; nothing was recorded",
            hint="Adopt it under another name: --as NAME. Or decide: --ours keeps your text, --theirs takes the"
            " library's; later updates are merged with it.",
        )
    return exchange(copy.path, copy.ours.encode(), text.encode())


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
