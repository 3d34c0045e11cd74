"""What was decided, kept for the next attempt: nobody is asked twice because somebody else was faster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gitforge.errors import InvalidFile
from gitforge.goals_merge import GoalClash, merge
from gitforge.sharing.pins_moved import PinsMoved
from gitforge.sharing.records import DecideGoal
from gitforge.store.disputes import Decide, Dispute, Joined, Side

_Key = tuple[object, ...]


class Decisions:
    """Who decides, and what was decided.

    Args:
        decide: Who decides what clashes in files.
        decide_goal: Who decides what clashes in goals.yaml.
        pins: Decides first, where that is about a pin.
    """

    def __init__(self, decide: Decide, decide_goal: DecideGoal, pins: PinsMoved) -> None:
        self._decide, self._decide_goal, self.pins = decide, decide_goal, pins
        self._files: dict[_Key, Side | Sequence[str]] = {}
        self._goals: dict[_Key, Side] = {}

    def file(self, dispute: Dispute) -> Side | Sequence[str] | None:
        """What was decided, or is decided now, about a file."""
        key = (dispute.path, dispute.base, dispute.ours, dispute.theirs, dispute.names)
        answer = self._files.get(key) or self._decide(dispute)
        if answer is not None:
            self._files[key] = answer
        return answer

    def join_goals(self, base: str | None, ours: str, theirs: str) -> Joined | None:
        """goals.yaml merged as data: the published text, with what this clone has changed; a `Join`."""
        try:
            merged = merge(base, theirs, ours)
            sides = {_key(clash): self._goal(_turned(clash), ours, theirs) for clash in merged.clashes}
            if left := tuple(_turned(clash) for clash in merged.clashes if sides[_key(clash)] is None):
                return Joined(merged.text, left)
            if not sides:
                return Joined(merged.text)
            mine = {key for key, side in sides.items() if side == "ours"}
            return Joined(
                merge(base, theirs, ours, lambda one: "theirs" if _key(one) in mine else "ours").text
            )
        except InvalidFile:  # somewhere in between it was of no use; what comes out is looked at
            return None

    def _goal(self, clash: GoalClash, ours: str, theirs: str) -> Side | None:
        newer = self.pins.side(clash, ours, theirs)
        answer = newer or self._goals.get(_key(clash)) or self._decide_goal(clash)
        if answer is not None:
            self._goals[_key(clash)] = answer
        return answer


def _turned(clash: GoalClash) -> GoalClash:
    """The clash as this clone sees it: what was published is theirs."""
    return replace(clash, ours=clash.theirs, theirs=clash.ours)


def _key(clash: GoalClash) -> _Key:
    return (clash.place, clash.base, *sorted((str(clash.ours), str(clash.theirs))))
