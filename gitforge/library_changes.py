"""What a library gives us at one pin and at another: each component is looked up at both, and the texts compared.

A path says nothing of that: it is the library's own goals.yaml that says in which folder it has which kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from gitforge import libraries, manifest
from gitforge.errors import UserError
from gitforge.goals import GoalBook, Need, Pin
from gitforge.names import foreign_parts
from gitforge.payloads import Suspicion, suspicions
from gitforge.store.differences import Difference, of_texts
from gitforge.workspace import Workspace

if TYPE_CHECKING:
    from gitforge.store.repo import Repo


class Pair(NamedTuple):
    """A text at the old pin and at the new one.

    Attributes:
        was: What it is called at the old pin: `acme:personas/auditor.md`.
        name: What it is called at the new one.
        old: Id of its blob; None where it was not there.
        new: The same at the new pin.
    """

    was: str
    name: str
    old: str | None
    new: str | None


@dataclass(frozen=True)
class GoalChange:
    """A goal of the library: `added`, `removed` or `changed`."""

    name: str
    what: str


@dataclass(frozen=True)
class Changes:
    """What changes for those who use a library.

    Attributes:
        texts: The components that are in use, each with its text at both pins, the same or not.
        renamed: Components that goals here use, by path, and what they are called there now.
        gone: Components that goals here use and that cannot be used any more.
        goals: What changes in the library's own goals.
        suspicions: What the new texts of all of its components hide, but for what the old ones did already; by path.
    """

    texts: tuple[Pair, ...]
    renamed: tuple[tuple[str, str], ...]
    gone: tuple[Need, ...]
    goals: tuple[GoalChange, ...]
    suspicions: tuple[tuple[str, Suspicion], ...]


def compare(
    workspace: Workspace, book: GoalBook, old: Pin, new: Pin, heirs: Mapping[str, str], *, is_old_here: bool
) -> Changes:
    """Compares what a library has at two pins; at the old one it may be missing, or no library at all.

    Args:
        workspace: Who uses it.
        book: Its goals and kinds.
        old: The old pin.
        new: The new one, which can be used.
        heirs: Files that have another name at the new pin, by path from the top of the library's repository.
        is_old_here: Whether the old pin's commit is here.

    Raises:
        UserError: The new pin cannot be read.
    """
    before, after = _Side(workspace, book, old, is_here=is_old_here), _Side(workspace, book, new)
    by_path = {after.path(need): need for need in after.all()}

    def heir(need: Need) -> Need:
        """What a component is called at the new pin."""
        other = by_path.get(heirs.get(before.path(need) or "", ""))
        return other if after.blob(need) is None and other is not None and other.kind == need.kind else need

    own = {use.need.path: use.need for use in libraries.uses(book, old.name)}
    used = own | {need.path: need for need in built_with(workspace, book, (old, new))}
    names = {path: heir(need) for path, need in used.items()}
    origins = {heir(need).path: need for need in before.all()}
    return Changes(
        texts=tuple(
            Pair(path, name.path, before.blob(used[path]), after.blob(name)) for path, name in names.items()
        ),
        renamed=tuple((path, names[path].path.partition(":")[2]) for path in own if names[path].path != path),
        gone=tuple(
            need
            for path, need in own.items()
            if after.text(names[path]) is None and (not before.is_known or before.text(need) is not None)
        ),
        goals=tuple(_goal_changes(before.goals(), after.goals())),
        suspicions=tuple(
            (need.path.partition(":")[2], one)
            for need in after.all()
            for one in _new_suspicions(before, origins.get(need.path), after, need)
        ),
    )


def built_with(workspace: Workspace, book: GoalBook, pins: Sequence[Pin]) -> Iterator[Need]:
    """Libraries' components in our toolkits, and those that a build of these toolkits would take at each pin.

    Args:
        workspace: Whose toolkits.
        book: Its goals and kinds.
        pins: The libraries, each at one commit or several; what is in a toolkit is told of the first of them.
    """
    first = {pin.name: pin for pin in reversed(pins)}
    for known in manifest.all_in(workspace.output):
        for part in known.parts:
            kind, there = book.kinds.get(part.need.kind.name), first.get(part.need.library or "")
            if there is not None and kind is not None:
                yield part.need._replace(kind=kind, pin=there)
        parts = foreign_parts(known.goal.name)
        for pin in pins if parts is not None else ():
            with suppress(UserError):  # not here, or a goal that cannot be used any more: the build says so
                if parts is not None and parts[0] == pin.name and known.goal.name not in book.goals:
                    yield from workspace.foreign.goal(pin, parts[1], book).needs


def shown(repo: Repo, pairs: Iterable[Pair]) -> tuple[Difference, ...]:
    """Those that differ, word by word; each name once.

    Raises:
        UserError: git fails.
    """
    changed = [*{one.was: one for one in pairs if one.old != one.new}.values()]
    found = of_texts(repo, [(one.old, one.new) for one in changed])
    return tuple(
        replace(
            found[place],
            path=one.name,
            old_path=one.was,
            status="R" if one.name != one.was else found[place].status,
        )
        for place, one in enumerate(changed)
        if place in found
    )


def new_suspicions(old: str | None, new: str) -> Iterator[Suspicion]:
    """What a text hides that an older one did not."""
    known = {(one.what, one.excerpt) for one in suspicions(old or "")}
    yield from (one for one in suspicions(new) if (one.what, one.excerpt) not in known)


class _Side:
    """A library at one pin; one that is not here, or is no library, has nothing.

    Args:
        workspace: Who uses it.
        book: Its kinds.
        pin: The pin.
        is_here: Whether its commit is here.
    """

    def __init__(self, workspace: Workspace, book: GoalBook, pin: Pin, *, is_here: bool = True) -> None:
        self._foreign, self._book, self._pin = workspace.foreign, book, pin
        try:
            self._there = self._foreign.book(pin) if is_here else None
        except UserError:
            self._there = None

    def all(self) -> list[Need]:
        """Its components of our kinds."""
        return self._foreign.all(self._pin, self._book.kinds.values()) if self._there is not None else []

    def path(self, need: Need) -> str | None:
        """Where its repository has, or would have, a component."""
        return self._foreign.path(need._replace(pin=self._pin)) if self._there is not None else None

    def blob(self, need: Need) -> str | None:
        """The id of a component's text; None where it has none."""
        return self._foreign.blob(need._replace(pin=self._pin)) if self._there is not None else None

    def text(self, need: Need) -> str | None:
        """The text; None also where it cannot be used."""
        try:
            return self._foreign.text(need._replace(pin=self._pin)) if self._there is not None else None
        except UserError:
            return None

    def goals(self) -> dict[str, object]:
        """What its goals are and use, by name."""
        goals = self._there.goals.values() if self._there is not None else ()
        return {goal.name: (goal.description, [need.path for need in goal.needs]) for goal in goals}

    @property
    def is_known(self) -> bool:
        """Whether anybody can tell what it has."""
        return self._there is not None


def _goal_changes(before: Mapping[str, object], after: Mapping[str, object]) -> Iterator[GoalChange]:
    words = {(False, True): "added", (True, False): "removed", (True, True): "changed"}
    for name in [*after, *(name for name in before if name not in after)]:
        if before.get(name) != after.get(name):
            yield GoalChange(name, words[name in before, name in after])


def _new_suspicions(before: _Side, was: Need | None, after: _Side, need: Need) -> Iterator[Suspicion]:
    if was is not None and before.blob(was) == after.blob(need):
        return
    if (text := after.text(need)) is not None:
        yield from new_suspicions(before.text(was) if was is not None else None, text)
