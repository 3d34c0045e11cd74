"""Other libraries: somebody else's workspace at the commit that goals.yaml pins, read from git's objects alone.

Nothing of it is ever on disk, and nothing is written to it. Its kinds are those of ours that have the same name;
its own goals.yaml says in which folder it has them. What is found there is a stranger's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from gitforge import documents, goals_file, names
from gitforge.components import MAX_BYTES, InvalidLibrary, LibraryNotFetched
from gitforge.errors import InvalidFile, UserError
from gitforge.goals import FILE_NAME, Goal, GoalBook, Kind, Need, Pin
from gitforge.store.batch import Batch, Header
from gitforge.store.objects import Tree
from gitforge.store.records import TREE, Entry
from gitforge.text import printable

__all__ = ["File", "Foreign", "InvalidLibrary", "LibraryNotFetched"]

_MAX_TREE = 16 * 1024 * 1024


class File(NamedTuple):
    """A text of a library: the id of its blob, and the text."""

    blob: str
    text: str


class Foreign:
    """Reads other libraries, each at its pin; git is started with the first thing that is read.

    Every method raises LibraryNotFetched where the pin is not here, InvalidLibrary where what it has cannot
    be used, and UserError where git fails.

    Args:
        folder: A folder of the worktree whose repository has their objects.
    """

    def __init__(self, folder: Path) -> None:
        self._objects = Batch(folder)
        self._libraries: dict[Pin, _Library] = {}

    def close(self) -> None:
        """Ends the git that was started, for who lives on."""
        self._objects.close()

    def book(self, pin: Pin) -> GoalBook:
        """The library's goals.yaml, with what is wrong in it."""
        return self._at(pin).book

    def is_here(self, pin: Pin) -> bool:
        """Whether the pin's commit is in this repository."""
        return self._objects.header(pin.commit) is not None

    def blob(self, need: Need) -> str | None:
        """The id of the blob of a component; None where the library has no such file at its pin."""
        entry = self._entry(need)
        return None if entry is None else entry.id

    def file(self, need: Need) -> File | None:
        """A component's whole text, front matter included; None where the library has no such file at its pin."""
        entry = self._entry(need)
        return None if entry is None else File(entry.id, self._at(_pin(need)).text(entry, need.path))

    def text(self, need: Need) -> str | None:
        """As `file`, the text alone."""
        found = self.file(need)
        return None if found is None else found.text

    def path(self, need: Need) -> str | None:
        """Where the library has, or would have, the component's file in its own repository; None without the kind."""
        pin = _pin(need)
        theirs = self.book(pin).kinds.get(need.kind.name)
        if theirs is None:
            return None
        return pin.inside(f"library/{theirs.folder}/{need.name}")

    def names(self, pin: Pin, kind: Kind) -> frozenset[str]:
        """The names of the library's components of one kind of ours."""
        return frozenset(self._at(pin).listed(kind.name))

    def all(self, pin: Pin, kinds: Iterable[Kind]) -> list[Need]:
        """Every component of the library of these kinds of ours, sorted by name within its kind."""
        return [Need(kind, name, pin=pin) for kind in kinds for name in sorted(self.names(pin, kind))]

    def unmatched(self, pin: Pin, kinds: Mapping[str, Kind]) -> list[Kind]:
        """The library's kinds that ours lack, so that its components of them cannot be used."""
        return [kind for name, kind in self.book(pin).kinds.items() if name not in kinds]

    def goal(self, pin: Pin, name: str, book: GoalBook) -> Goal:
        """A goal of the library as one of ours, called `acme:GOAL`, with the library's components.

        Args:
            pin: Which library.
            name: The goal's name there.
            book: Our own goals and kinds.

        Raises:
            UserError: There is no such goal, or it has components that cannot be used here.
        """
        theirs = self.book(pin)
        where = f"{pin.name}:{FILE_NAME}"
        errors = [problem for problem in theirs.problems if problem.severity == "error"]
        if errors:
            raise InvalidLibrary(f"{where} at {pin.commit[:12]} has errors: {errors[0]}", hint=errors[0].hint)
        goal = theirs.goal(name)
        return goal._replace(name=f"{pin.name}:{goal.name}", line=None, needs=as_ours(goal, pin, book.kinds))

    def goal_names(self, pin: Pin) -> list[str]:
        """The goals that the library has, whether they can be used here or not."""
        return [*self.book(pin).goals]

    def goals(self, pin: Pin, book: GoalBook) -> Iterator[Goal]:
        """The goals of the library that can be used here, as `goal` gives them."""
        for name in self.goal_names(pin):
            try:
                yield self.goal(pin, name, book)
            except UserError:
                continue

    def _entry(self, need: Need) -> Entry | None:
        return self._at(_pin(need)).listed(need.kind.name).get(need.name)

    def _at(self, pin: Pin) -> _Library:
        if pin not in self._libraries:
            self._libraries[pin] = _Library(self._objects, pin)
        return self._libraries[pin]


def _pin(need: Need) -> Pin:
    assert need.pin is not None, need  # noqa: S101 -- the workspace's own are read from disk
    return need.pin


def as_ours(goal: Goal, pin: Pin, kinds: Mapping[str, Kind]) -> tuple[Need, ...]:
    """A foreign goal's components, each with our kind of that name; raises UserError where it cannot be used here."""
    where = f"the goal {printable(pin.name)}:{printable(goal.name)}"
    found: list[Need] = []
    for need in goal.needs:
        if need.pin is not None:
            raise UserError(
                f"{where} uses {need.called} of a third library, which is not followed",
                hint=f"Make a goal of your own of its components, and declare {need.library} as well.",
            )
        if need.kind.name not in kinds:
            raise UserError(
                f"{where} has a {printable(need.kind.name)}, a kind that {FILE_NAME} does not declare here",
                hint="Declare it under `kinds`, or make a goal of your own of its other components.",
            )
        kind = kinds[need.kind.name]
        if not kind.many and any(other.kind == kind for other in found):
            raise UserError(
                f"{where} has more than one {kind.name}, of which a goal takes one here",
                hint="Declare the kind with `many: true`.",
            )
        found.append(Need(kind, need.name, need.purpose, pin=pin))
    lacking = [kind for kind in kinds.values() if kind.required and kind not in {need.kind for need in found}]
    if lacking:
        raise UserError(
            f"{where} has no {lacking[0].name}, which every goal must have here",
            hint="Make a goal of your own of its components.",
        )
    order = list(kinds)
    return tuple(sorted(found, key=lambda need: order.index(need.kind.name)))


class _Library:
    """One library at one commit."""

    def __init__(self, objects: Batch, pin: Pin) -> None:
        self._objects = objects
        self._pin = pin
        self._listed: dict[str, dict[str, Entry]] = {}

    @cached_property
    def book(self) -> GoalBook:
        """Its goals.yaml, with what is wrong in it."""
        name = f"{self._pin.name}:{FILE_NAME}"
        entry = self._top.get(FILE_NAME) if self._top else None
        if entry is None:
            folder = f" in {printable(self._pin.folder)}" if self._pin.folder else ""
            raise self._invalid(f"has no {FILE_NAME}{folder}", "Correct `folder`, or pin another commit.")
        if not entry.is_file:
            raise self._invalid(f"has a {FILE_NAME} that is no regular file", "Pin another commit.")
        try:
            return goals_file.inspect(self.text(entry, name, documents.MAX_BYTES), name)
        except InvalidFile as error:
            first = error.problems[0]
            raise self._invalid(f"has a {FILE_NAME} that cannot be used: {first}", first.hint) from None

    def listed(self, kind: str) -> dict[str, Entry]:
        """The files of one kind that can be components, by name."""
        if kind not in self._listed:
            self._listed[kind] = dict(self._files(self.book.kinds[kind])) if kind in self.book.kinds else {}
        return self._listed[kind]

    def text(self, entry: Entry, name: str, limit: int = MAX_BYTES) -> str:
        """The text of a file; `name` is what errors call it."""
        header = self._header(entry.id)
        if header.kind != "blob" or header.size > limit:
            why = "is too large" if header.kind == "blob" else "is no file"
            raise InvalidLibrary(f"{printable(name)}: {why}: {header.size:,} bytes, {limit:,} at most")
        try:
            return self._objects.content(entry.id).decode("utf-8")
        except UnicodeDecodeError:
            raise InvalidLibrary(f"{printable(name)}: is not UTF-8 text") from None

    def _files(self, kind: Kind) -> Iterator[tuple[str, Entry]]:
        tree = self._below(self._top, ["library", *kind.folder.split("/")])
        for name, entry in tree or ():
            if entry.is_file and _can_be_component(name):
                yield name, entry

    @cached_property
    def _top(self) -> Tree | None:
        """The folder of its workspace."""
        header = self._objects.header(self._pin.commit)
        if header is None:
            raise LibraryNotFetched(self._pin)
        if header.kind != "commit":
            raise self._invalid(f"is a {header.kind}, no commit", "Give the full id of a commit as `commit`.")
        if header.size > _MAX_TREE:
            raise self._invalid("is too large a commit", "Pin another commit.")
        content = self._objects.content(self._pin.commit)
        tree = self._tree(content[len("tree ") : content.index(b"\n")].decode("ascii"))
        return self._below(tree, list(filter(None, self._pin.folder.split("/"))))

    def _below(self, tree: Tree | None, folders: list[str]) -> Tree | None:
        """A folder in a folder; None where there is none, or something else, such as a symbolic link."""
        for folder in folders:
            entry = tree.get(folder) if tree is not None else None
            tree = self._tree(entry.id) if entry is not None and entry.mode == TREE else None
        return tree

    def _tree(self, id_: str) -> Tree:
        header = self._header(id_)
        if header.kind != "tree" or header.size > _MAX_TREE:
            raise self._invalid("has a folder that is too large", "Pin another commit.")
        return Tree(self._objects.content(id_), len(id_) // 2)

    def _header(self, id_: str) -> Header:
        """What an object of the commit is, which has to be here where the commit is."""
        if (header := self._objects.header(id_)) is None:
            hint = "`git fsck` tells more; `git fetch --refetch` with the library's address brings all of it again."
            raise self._invalid(f"is not whole here: object {id_[:12]} is missing or damaged", hint)
        return header

    def _invalid(self, what: str, hint: str | None) -> InvalidLibrary:
        return InvalidLibrary(f"the library {self._pin.name} at {self._pin.commit[:12]} {what}", hint=hint)


def _can_be_component(name: str) -> bool:
    try:
        names.component_name(name)
    except UserError:
        return False
    return True
