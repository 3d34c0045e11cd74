"""Pins of other libraries that both sides have moved: the newer one stands where its history has the older one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from gitforge import goals_file
from gitforge.goals import Pin
from gitforge.goals_merge import GoalClash
from gitforge.store import pins
from gitforge.store.disputes import Side
from gitforge.store.repo import Repo


@dataclass(frozen=True)
class PinMoved:
    """A library's pin that stands because it is the newer one of two.

    Attributes:
        name: The library.
        commit: Id of the commit that it is pinned to.
        older: Id of the one that the other side pins.
        side: Whose it is.
    """

    name: str
    commit: str
    older: str
    side: Side


class PinsMoved:
    """Decides about pins by the histories of their libraries, and notes what it has decided.

    Args:
        repo: The repository.
        bring: Fetches a pin that is not here, if it can be done unasked.
    """

    def __init__(self, repo: Repo, bring: Callable[[Pin], None] | None = None) -> None:
        self._repo, self._bring = repo, bring
        self._taken: dict[str, PinMoved] = {}
        self.unfetched: list[str] = []
        """The libraries whose pins could not be compared, because nothing was to be fetched."""

    @property
    def taken(self) -> tuple[PinMoved, ...]:
        """The pins that were decided about, each as it is in the end."""
        return tuple(self._taken.values())

    def bring(self, pin: Pin) -> None:
        """Fetches a pin, if it is not here and can be fetched unasked."""
        if self._bring is not None and self._repo.commit_of(pin.commit) is None:
            self._bring(pin)

    def side(self, clash: GoalClash, ours: str, theirs: str) -> Side | None:
        """The side whose pin is the newer one; None where it is not about that, or only a person can say.

        Args:
            clash: In goals.yaml.
            ours: This clone's goals.yaml, which is valid.
            theirs: The published one, which is too.
        """
        if len(clash.path) != 2 or clash.path[0] != "libraries":
            return None
        name = clash.path[1]
        mine, other = (goals_file.parse(text).libraries.get(name) for text in (ours, theirs))
        if mine is None or other is None or replace(mine, commit=other.commit) != other:
            return None
        moved = self._newer(mine, other)
        if moved is None:
            return None
        self._taken[name] = moved
        return moved.side

    def _newer(self, mine: Pin, other: Pin) -> PinMoved | None:
        for pin in (mine, other):
            self.bring(pin)
        between = pins.between(self._repo, mine.commit, other.commit)
        if between is None and self._bring is None and mine.name not in self.unfetched:
            self.unfetched.append(mine.name)
        if between is None or 0 not in between:
            return None
        if between[1] == 0:
            return PinMoved(mine.name, other.commit, mine.commit, "theirs")
        return PinMoved(mine.name, mine.commit, other.commit, "ours")
