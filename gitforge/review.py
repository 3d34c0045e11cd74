"""The review of a draft: a state machine without a terminal.

A `decide` callback is shown the draft and answers with one of the decisions below; the terminal's is in
`cli/reviewing.py`, a test's is a list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from gitforge.drafting import Draft
from gitforge.errors import Cancelled


@dataclass(frozen=True)
class Accept:
    """Record the draft as it is.

    Attributes:
        is_seen: Whether a person looked at it; only then is there a reviewer to name.
    """

    is_seen: bool = True


@dataclass(frozen=True)
class Edit:
    """Go on with this text instead."""

    text: str


@dataclass(frozen=True)
class Regenerate:
    """Ask for another draft."""

    feedback: str


@dataclass(frozen=True)
class Skip:
    """Do without the component: the toolkit will be degraded."""


@dataclass(frozen=True)
class Quit:
    """Stop here; what was accepted before stays recorded."""


Decision = Accept | Edit | Regenerate | Skip | Quit
Decide = Callable[[Draft], Decision]


@dataclass(frozen=True)
class Reviewed:
    """An accepted draft, and whether a person saw it."""

    draft: Draft
    is_seen: bool


def review(draft: Draft, decide: Decide, regenerate: Callable[[Draft, str], Draft]) -> Reviewed | None:
    """Leads one draft to a decision.

    Args:
        draft: The first draft.
        decide: Says what to do with a draft, as often as it is asked.
        regenerate: Makes another draft from one and the engineer's feedback; may raise ProviderError.

    Returns:
        The accepted draft, or None where it is skipped.

    Raises:
        Cancelled: The engineer quits.
    """
    while True:
        match decide(draft):
            case Accept(is_seen):
                return Reviewed(draft, is_seen)
            case Edit(text):
                draft = replace(draft, text=text, is_edited=True)
            case Regenerate(feedback):
                draft = regenerate(draft, feedback)
            case Skip():
                return None
            case Quit():
                raise Cancelled("at your request; what was recorded stays recorded, and drafts are kept")
