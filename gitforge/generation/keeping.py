"""Drafts on their way to the spool and back: what was paid for is kept before anything else can go wrong."""

from __future__ import annotations

import tempfile

from gitforge.drafting.draft import Draft, tidy
from gitforge.errors import ProviderError
from gitforge.goals import Goal, Need
from gitforge.llm import Usage
from gitforge.plan import Planned
from gitforge.store import spool
from gitforge.store.repo import Repo
from gitforge.store.spool import Kept
from gitforge.text import one_line


def as_kept(path: str, draft: Draft, goal: Goal | None, candidate: int = 1) -> Kept:
    """A draft as it is kept on disk."""
    usage = draft.usage
    return Kept(
        path, draft.purpose, goal.name if goal else None, draft.text, draft.prompt_id, draft.label,
        draft.is_model, draft.is_edited, draft.prompt, usage.input_tokens if usage else None,
        usage.output_tokens if usage else None, draft.cost, draft.seconds, candidate, draft.problems, draft.written,
    )  # fmt: skip


def keep(repo: Repo, path: str, draft: Draft, goal: Goal | None, candidate: int = 1) -> str | None:
    """Keeps a draft that costs money or work.

    Returns:
        None; or why it could not be kept, and where it is instead.
    """
    if not draft.is_model and not draft.is_edited:
        return None
    try:
        spool.keep(repo, as_kept(path, draft, goal, candidate))
    except OSError as error:
        return f"{error.strerror}; {_keep_elsewhere(draft)}"
    return None


def kept_drafts(repo: Repo, planned: Planned, purpose: str) -> dict[int, Draft]:
    """The drafts of earlier runs for the same component and purpose that can be used, by candidate."""
    found = spool.candidates(repo, planned.path, one_line(purpose))
    return {kept.candidate: _as_draft(kept, planned.need) for kept in found if _is_usable(kept, planned.need)}


def _is_usable(kept: Kept, need: Need) -> bool:
    try:
        return tidy(kept.text, need.name) == kept.text
    except ProviderError:
        return False


def _as_draft(kept: Kept, need: Need) -> Draft:
    usage = None
    if kept.input_tokens is not None and kept.output_tokens is not None:
        usage = Usage(kept.input_tokens, kept.output_tokens)
    return Draft(
        need, kept.purpose, kept.text, kept.prompt_id, kept.label, kept.is_model, kept.is_edited,
        prompt=kept.prompt, usage=usage, cost=kept.cost, seconds=kept.seconds, problems=kept.problems,
        written=kept.written,
    )  # fmt: skip


def _keep_elsewhere(draft: Draft) -> str:
    """Where a draft is, whose place in the git directory could not be written to."""
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="gitforge-draft-", suffix=f"-{draft.need.name}", delete=False, encoding="utf-8"
        ) as file:
            file.write(draft.text)
    except OSError as error:
        return f"nor elsewhere: {error.strerror}"
    return f"it is in {file.name}"
