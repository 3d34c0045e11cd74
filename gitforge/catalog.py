"""What a library has and what it lacks, seen without git: for lists and for the choice of a goal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gitforge.components import Library
from gitforge.errors import UserError
from gitforge.goals import Goal, GoalBook, Need


@dataclass(frozen=True)
class Readiness:
    """A goal, and which of its components are not there."""

    goal: Goal
    missing: tuple[Need, ...]

    @property
    def fraction(self) -> str:
        """`2/3 ready`."""
        return f"{len(self.goal.needs) - len(self.missing)}/{len(self.goal.needs)} ready"


@dataclass(frozen=True)
class Listed:
    """A component in a list: what it is for, whether it is there, and which goals use it."""

    need: Need
    description: str
    is_missing: bool
    goals: tuple[str, ...]


def readiness(book: GoalBook, library: Library) -> Iterator[Readiness]:
    """Each goal with what it lacks, at the cost of one look at each kind's folder."""
    have = {kind.name: library.entries(kind) for kind in book.kinds.values()}
    for goal in book.goals.values():
        yield Readiness(goal, tuple(need for need in goal.needs if need.name not in have[need.kind.name]))


def components(book: GoalBook, library: Library) -> Iterator[Listed]:
    """Every component that is in the library or that a goal needs, by kind and name."""
    users: dict[str, list[str]] = {}
    for goal in book.goals.values():
        for need in goal.needs:
            users.setdefault(need.path, []).append(goal.name)
    known = {need.path: need for need in library.all(book.kinds.values())} | book.needs()
    order = list(book.kinds)
    for path, need in sorted(known.items(), key=lambda item: (order.index(item[1].kind.name), item[0])):
        try:
            found = library.read(need)
            description = found.description
        except UserError as error:  # a list goes on where one file cannot be read
            yield Listed(need, f"({error.message})", is_missing=False, goals=tuple(users.get(path, ())))
            continue
        yield Listed(need, description, found.is_missing, tuple(users.get(path, ())))


@dataclass(frozen=True)
class Found:
    """A line in which a text was found.

    Attributes:
        place: The file and line, or the file alone, as compilers write it.
        text: The line.
    """

    place: str
    text: str


def search(book: GoalBook, library: Library, words: str) -> Iterator[Found]:
    """Every line of goals and components that has the words, upper and lower case being the same.

    Goals are searched by name, category and description; a component by its file name and its text.
    """
    wanted = words.casefold()
    for goal in book.goals.values():
        if wanted in f"{goal.name} {goal.category} {goal.description}".casefold():
            yield Found(f"{book.file}:{goal.line}", f"{goal.name}: {goal.description}")
    for need in library.all(book.kinds.values()):
        path = f"library/{need.path}"
        if wanted in need.name.casefold():
            yield Found(path, library.read(need).description)
        for number, line in enumerate((library.text(need) or "").splitlines(), 1):
            if wanted in line.casefold():
                yield Found(f"{path}:{number}", line.strip())
