"""The words of a generation: a component to make, what happens to it meanwhile, and what became of them all."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from gitforge.cost import Estimate, Pricing
from gitforge.drafting.draft import Draft
from gitforge.drafting.prompting import Retry
from gitforge.errors import Conflict, ProviderError
from gitforge.goals import Goal, Need
from gitforge.llm import Usage
from gitforge.plan import Planned
from gitforge.store.records import Identity

DEFAULT_JOBS = 20

Prefer = Literal["ours", "theirs"]


@dataclass(frozen=True)
class Task:
    """One component to make, or to make anew.

    Attributes:
        planned: The component.
        goal: What it is made for, if for one goal in particular.
        purpose: What it is for, in one line; empty where it is to be left out.
        current: The file's text, which the draft is to replace; None where the component is missing.
        retry: What a model is shown of that text, and what should be different; None: it begins anew.
        base: What that text was before people changed it, without front matter; None where nobody knows, or did.
        is_unreviewed: Whether that text was generated and nobody has reviewed it: who accepts the draft has to see more
            than what it changes.
        reviewed: The newest text before it that needs no review; None where there is none.
    """

    planned: Planned
    goal: Goal | None
    purpose: str
    current: str | None = None
    retry: Retry | None = None
    base: str | None = None
    is_unreviewed: bool = False
    reviewed: str | None = None

    @property
    def need(self) -> Need:
        """The component."""
        return self.planned.need


@dataclass(frozen=True)
class Terms:
    """How a generation is done.

    Attributes:
        jobs: How many drafts are written at once, at most.
        in_order: Whether each waits for those before it in the plan, so that the same answers give the same history;
            else nobody waits for a slow one while another is there.
        candidates: How many drafts of each component there are to choose from.
        pricing: What the model costs.
        max_cost: US dollars that all of it may cost; None: whatever it costs.
        prefer: Whose lines are taken where the engineer's edits and a draft clash; None: that is asked.
        seed: The user's, for the first candidate; the next ones have the numbers after it. None: there is none.
        branch: The one that commits are made on, which is checked out nowhere; None: HEAD's.
    """

    jobs: int = DEFAULT_JOBS
    in_order: bool = False
    candidates: int = 1
    pricing: Pricing = field(default_factory=lambda: Pricing(""))
    max_cost: float | None = None
    prefer: Prefer | None = None
    seed: int | None = None
    branch: str | None = None


@dataclass(frozen=True)
class Event:
    """Something that happened to one component while its generation goes on.

    Attributes:
        what: `queued`, `drafting`, `text`, `drafted`, `failed`, `recording`, `recorded` or `skipped`;
            `unchanged`: the draft is what was there; `kept`: the draft of an earlier run is used; `unkept`: a draft
            could not be kept; `left`: a draft that has problems is kept and not recorded; `waiting`: another
            process makes it; `found`: another process has made it; `proposed`: the branch has it;
            `noticed`: the provider has something to say;
            `repaired`: something else was finished first.
        need: The component.
        text: The piece of text that arrived, the new commit's id, or what is to be said.
        error: Why it failed.
        candidate: Which of several drafts of it, from 1.
        draft: What was drafted.
        at: When, in seconds of the monotonic clock: a review can hold up who hears of it.
    """

    what: str
    need: Need
    text: str = ""
    error: ProviderError | Conflict | None = None
    candidate: int = 1
    draft: Draft | None = None
    at: float = field(default_factory=time.monotonic)


OnEvent = Callable[[Event], None]
OnEstimate = Callable[[Estimate], None]


@dataclass(frozen=True)
class Spent:
    """What the model was asked took in all, with what came to nothing.

    Attributes:
        usage: The tokens, where the server counted them.
        dollars: An estimate of what they cost, where the price is known.
    """

    usage: Usage | None = None
    dollars: float | None = None


@dataclass(frozen=True)
class Generated:
    """What became of the missing components.

    Attributes:
        commits: The commit that recorded each, by path below `library/`.
        skipped: Those left out, by an empty purpose or in review.
        failed: Those for which the provider failed, or gave nothing that may be recorded unseen, and how; a Conflict
            where it clashes with the engineer's edits.
        fallback: The stand-in identity of the commits, where the user has set none.
        found: Those that another process made meanwhile.
        drafts: What was recorded, by path below `library/`.
        spent: What was sent and answered now.
    """

    commits: Mapping[str, str]
    skipped: tuple[Need, ...] = ()
    failed: tuple[tuple[Need, ProviderError | Conflict], ...] = ()
    fallback: Identity | None = None
    found: tuple[Need, ...] = ()
    drafts: Mapping[str, Draft] = field(default_factory=dict)
    spent: Spent = Spent()
