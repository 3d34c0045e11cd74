"""What two sides made of a value of goals.yaml, shown one below the other."""

from __future__ import annotations

from collections.abc import Sequence

from gitforge.cli import output
from gitforge.goals_merge import GoalClash

_GONE = "(not there)"


def show(clashes: Sequence[GoalClash]) -> None:
    """Tells each clash: where it is, and both values, with what they were before."""
    for clash in clashes:
        output.say((f"  {clash.place}", output.BOLD))
        for label, text, style in (
            ("before", clash.base, output.DIM),
            ("ours", clash.ours, output.WARN),
            ("theirs", clash.theirs, output.GOOD),
        ):
            lines = _GONE if text is None else text or "''"
            output.say(f"    {label:8}", (lines.replace("\n", "\n            "), style))
