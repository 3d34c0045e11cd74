"""The messages of the commits that gitforge makes.

What was generated, by whom and for what stands in trailers, because they travel with every clone and every
git tool reads them. Source: git-interpret-trailers(1).
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from gitforge.cost import amount
from gitforge.goals import Goal
from gitforge.review import Reviewed
from gitforge.text import one_line, printable

Trailer = tuple[str, str]


def generation(
    path: str, reviewed: Reviewed, goal: str | None, reviewer: str, *, is_anew: bool = False
) -> str:
    """The message of one generation.

    Args:
        path: The component, from the repository's root.
        reviewed: The accepted draft.
        goal: The goal that it was generated for, if any.
        reviewer: The person at the prompt, as `Name <email>`; named only where they saw the draft.
        is_anew: Whether it replaces a text that was there.
    """
    draft = reviewed.draft
    subject = f"{'Regenerate' if is_anew else 'Generate'} {draft.need.kind.name} {PurePosixPath(draft.need.name).stem}"
    trailers = [("Goal", goal)] if goal else []
    trailers += _provenance(path, reviewed, reviewer)
    if reviewed.is_seen:
        trailers.append(("Reviewed-by", reviewer))
    return _message(subject, draft.purpose, trailers)


def new_goal(goal: Goal, accepted: Iterable[tuple[str, Reviewed]], reviewer: str) -> str:
    """The message of a goal's first commit, with the components that were made for it."""
    trailers: list[Trailer] = [("Goal", goal.name)]
    is_seen = False
    for path, reviewed in accepted:
        trailers += _provenance(path, reviewed, reviewer)
        is_seen = is_seen or reviewed.is_seen
    if is_seen:
        trailers.append(("Reviewed-by", reviewer))
    return _message(f"Add goal {goal.name}", goal.description, trailers)


def starter(count: int, origin: str | None) -> str:
    """The message of a workspace's first commit."""
    if origin is not None:
        return _message(
            "Start a gitforge workspace",
            f"The goals and components of {origin}, and gitforge's templates.",
            [],
        )
    return _message("Start a gitforge workspace", f"The starter library: {count} files.", [])


def _provenance(path: str, reviewed: Reviewed, reviewer: str) -> list[Trailer]:
    draft = reviewed.draft
    trailers = [("Component", path), ("Assisted-by", f"gitforge:{draft.label}")]
    if draft.prompt_id:
        trailers.append(("Prompt-Id", draft.prompt_id))
    if draft.usage is not None:
        trailers.append(("Tokens", f"{draft.usage.input_tokens} in, {draft.usage.output_tokens} out"))
    if draft.cost is not None:
        trailers.append(("Cost", f"about {amount(draft.cost)} (estimate)"))
    if draft.is_edited:
        trailers.append(("Edited-by", reviewer))
    return trailers


def _message(subject: str, body: str, trailers: Sequence[Trailer]) -> str:
    parts = [one_line(printable(subject))]
    if body:
        parts.append(
            textwrap.fill(printable(one_line(body)), 72, break_long_words=False, break_on_hyphens=False)
        )
    if trailers:
        parts.append("\n".join(f"{key}: {printable(one_line(value))}" for key, value in trailers))
    return "\n\n".join(parts) + "\n"
