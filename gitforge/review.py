"""The review of a draft, or of several to choose from: a state machine without a terminal.

A `decide` callback is shown the drafts and answers with one of the decisions below; the terminal's is in
`cli/reviewing.py`, a test's is a list. A decision that is about one draft gives its index.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gitforge.drafting.draft import Draft
from gitforge.errors import Cancelled


@dataclass(frozen=True)
class Accept:
    """Record a draft as it is.

    Attributes:
        is_seen: Whether a person looked at it; only then is there a reviewer to name.
        index: Which one.
    """

    is_seen: bool = True
    index: int = 0


@dataclass(frozen=True)
class Edit:
    """Go on with this text in place of a draft's."""

    text: str
    index: int = 0


@dataclass(frozen=True)
class Regenerate:
    """Ask for another draft in place of one."""

    feedback: str
    index: int = 0


@dataclass(frozen=True)
class Skip:
    """Do without the component: the toolkit will be degraded."""


@dataclass(frozen=True)
class Leave:
    """Do not record it now: the drafts stay kept, for a person to look at."""


@dataclass(frozen=True)
class Quit:
    """Stop here; what was accepted before stays recorded."""


Decision = Accept | Edit | Regenerate | Skip | Leave | Quit
Decide = Callable[[Sequence[Draft]], Decision]


@dataclass(frozen=True)
class Reviewed:
    """An accepted draft, whether a person saw it, and which of the drafts it was."""

    draft: Draft
    is_seen: bool
    index: int = 0


def review(
    drafts: Sequence[Draft], decide: Decide, regenerate: Callable[[int, Draft, str], Draft]
) -> Reviewed | Skip | Leave:
    """Leads the drafts of one component to a decision.

    Args:
        drafts: What there is to choose from; at least one.
        decide: Says what to do, as often as it is asked.
        regenerate: Makes another draft from an index, the draft there, and the engineer's feedback.

    Raises:
        Cancelled: The engineer quits.
    """
    drafts = list(drafts)
    while True:
        match decide(tuple(drafts)):
            case Accept(is_seen, index):
                return Reviewed(drafts[index], is_seen, index)
            case Edit(text, index):  # by a person, who has seen what was found in it
                drafts[index] = drafts[index].edited(text)
            case Regenerate(feedback, index):
                drafts[index] = regenerate(index, drafts[index], feedback)
            case Skip() | Leave() as decision:
                return decision
            case Quit():
                raise Cancelled("at your request; what was recorded stays recorded, and drafts are kept")
