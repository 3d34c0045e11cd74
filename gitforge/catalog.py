"""What a library has and what it lacks, seen without git: for lists and for the choice of a goal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass

from gitforge.components import Library, LibraryNotFetched
from gitforge.errors import UserError
from gitforge.goals import FILE_NAME, Goal, GoalBook, Need, Pin


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
    """A component in a list.

    Attributes:
        need: It.
        description: What it is for; of one that cannot be used why not.
        is_missing: Whether it is not there.
        goals: Those that use it.
        is_usable: Whether it can be read, where it is there.
    """

    need: Need
    description: str
    is_missing: bool
    goals: tuple[str, ...]
    is_usable: bool = True


def readiness(book: GoalBook, library: Library, pin: Pin | None = None) -> Iterator[Readiness]:
    """Each goal with what it lacks, at the cost of one look at each kind's folder.

    Args:
        book: Our goals and kinds.
        library: Our components.
        pin: Whose goals; None for our own. Of another library come those that can be used here.

    Raises:
        UserError: The other library cannot be read.
    """
    have: dict[str, frozenset[str]] = {}
    if pin is None:
        have = {kind.name: library.entries(kind) for kind in book.kinds.values()}
    for goal in book.goals.values() if pin is None else library.foreign.goals(pin, book):
        missing = (need for need in goal.needs if not _is_there(library, need, have))
        yield Readiness(goal, tuple(missing))


def _is_there(library: Library, need: Need, have: Mapping[str, frozenset[str]]) -> bool:
    if need.pin is None:
        return need.name in have[need.kind.name]
    try:
        return library.foreign.blob(need) is not None
    except UserError:  # it cannot be built either
        return False


def unusable_goals(book: GoalBook, library: Library, pin: Pin) -> dict[str, str]:
    """Why some goals of another library cannot be used here, by name; raises UserError where it cannot be read."""
    found = {}
    for name in library.foreign.goal_names(pin):
        try:
            library.foreign.goal(pin, name, book)
        except UserError as error:
            found[name] = error.message
    return found


def components(book: GoalBook, library: Library, pin: Pin | None = None) -> Iterator[Listed]:
    """Every component that is in our library or that our goals need, by kind and name, own ones first.

    Args:
        book: Our goals and kinds.
        library: Our components.
        pin: Of another library, every component that can be used here instead.

    Raises:
        UserError: The other library cannot be read.
    """
    if pin is not None:
        yield from _listed(book, library, library.foreign.all(pin, book.kinds.values()))
        return
    known = {need.path: need for need in library.all(book.kinds.values())} | book.needs()
    order = list(book.kinds)

    def place(need: Need) -> tuple[int, bool, str]:
        return order.index(need.kind.name), need.pin is not None, need.path

    yield from _listed(book, library, sorted(known.values(), key=place))


def _listed(book: GoalBook, library: Library, needs: Iterable[Need]) -> Iterator[Listed]:
    users: dict[str, list[str]] = {}
    for goal in book.goals.values():
        for need in goal.needs:
            users.setdefault(need.path, []).append(goal.name)
    for need in needs:
        path = need.path
        try:
            found = library.read(need)
            description = found.description
        except UserError as error:  # a list goes on where one file cannot be read
            is_missing = isinstance(error, LibraryNotFetched)
            goals = tuple(users.get(path, ()))
            yield Listed(need, f"({error.message})", is_missing, goals, is_usable=False)
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

    Goals are searched by name, category and description; a component by its file name and its text. What other
    libraries have comes behind the workspace's own; one that is not fetched is left out.
    """
    wanted = words.casefold()
    for goal in book.goals.values():
        if wanted in f"{goal.name} {goal.category} {goal.description}".casefold():
            yield Found(f"{book.file}:{goal.line}", f"{goal.name}: {goal.description}")
    needs = library.all(book.kinds.values())
    for pin in book.libraries.values():
        with suppress(UserError):  # it is somebody else's, and `gitforge check` tells what is wrong with it
            for goal in library.foreign.goals(pin, book):
                if wanted in f"{goal.name} {goal.category} {goal.description}".casefold():
                    yield Found(f"{pin.name}:{FILE_NAME}", f"{goal.name}: {goal.description}")
            needs += library.foreign.all(pin, book.kinds.values())
    for need in needs:
        with suppress(UserError) if need.pin else nullcontext():
            yield from _lines(library, need, wanted)


def _lines(library: Library, need: Need, wanted: str) -> Iterator[Found]:
    """The lines of one component that have the words."""
    if wanted in need.name.casefold():
        yield Found(need.shown, library.read(need).description)
    for number, line in enumerate((library.text(need) or "").splitlines(), 1):
        if wanted in line.casefold():
            yield Found(f"{need.shown}:{number}", line.strip())
