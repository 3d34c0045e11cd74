"""Findings as plain data: what a script gets with `--json`, and an agent from `gitforge mcp`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gitforge.catalog import Found, Listed, Readiness
    from gitforge.errors import Problem
    from gitforge.goals import Goal
    from gitforge.plan import Planned
    from gitforge.provenance import Provenance
    from gitforge.status import Status, ToolkitState
    from gitforge.store.records import FileChange, Generation
    from gitforge.store.spool import Kept


def goal(one: Readiness, library: str | None = None) -> dict[str, Any]:
    """A goal in a list; of another library where one is named."""
    return {
        "name": one.goal.name,
        "library": library,
        "category": one.goal.category,
        "description": one.goal.description,
        "components": [need.shown for need in one.goal.needs],
        "missing": [need.shown for need in one.missing],
    }


def goal_with_states(one: Goal, states: Iterable[Planned]) -> dict[str, Any]:
    """A goal, and how its components stand."""
    return {
        "name": one.name,
        "category": one.category,
        "description": one.description,
        "line": one.line,
        "components": [planned(state) for state in states],
    }


def component(one: Listed, adopted_from: str | None = None) -> dict[str, Any]:
    """A component in a list, and what it was adopted from."""
    return {
        "kind": one.need.kind.name,
        "name": one.need.name,
        "library": one.need.library,
        "path": one.need.shown,
        "description": one.description,
        "missing": one.is_missing,
        "usable": one.is_usable and not one.is_missing,
        "goals": list(one.goals),
        "adopted_from": adopted_from,
    }


def found(one: Found) -> dict[str, Any]:
    """A line that a search found."""
    return {"place": one.place, "text": one.text}


def planned(one: Planned) -> dict[str, Any]:
    """A component and how it stands."""
    return {
        "kind": one.need.kind.name,
        "name": one.need.name,
        "library": one.need.library,
        "path": one.path,
        "state": one.state.value,
        "blob": one.blob,
        "commit": one.commit,
        "outline": one.is_outline,
    }


def origin(last: FileChange | None) -> dict[str, Any] | None:
    """The last commit that changed a component, and what it says of the text that it has."""
    if last is None:
        return None
    return {
        "commit": last.commit.id,
        "date": last.commit.date.isoformat(),
        "author": last.commit.author,
        "subject": last.commit.subject,
        "trailers": dict(trailers(last)),
    }


def trailers(last: FileChange) -> Mapping[str, str]:
    """What a commit says of exactly the text that it holds."""
    from gitforge.store.messages import parse  # noqa: PLC0415 -- a list does without git

    said = parse(last.commit.message).of_text(last.path, last.new_blob)
    return said.trailers if said is not None else {}


def provenance(known: Provenance) -> dict[str, Any]:
    """Where a component's text comes from."""
    made = known.generation
    return {
        "model": known.model,
        "outline": known.is_outline,
        "purpose": known.purpose or None,
        "commit": made.commit if made else None,
        "date": made.date.isoformat() if made else None,
        "author": made.author if made else None,
        "trailers": dict(known.trailers),
        "edited": made is not None and known.is_edited,
        "amended": known.is_amended,
        "reviewers": list(known.reviewers),
        "changed_since": [_commit(commit) for commit in known.later],
        "messages": list(known.messages) if known.messages is not None else None,
    }


def _commit(commit: Generation) -> dict[str, str]:
    return {
        "commit": commit.commit,
        "date": commit.date.isoformat(),
        "author": commit.author,
        "subject": commit.subject,
    }


def problem(one: Problem) -> dict[str, Any]:
    """Something that a check found."""
    return {
        "file": one.file,
        "line": one.line,
        "severity": one.severity,
        "message": one.message,
        "hint": one.hint,
    }


def status(now: Status) -> dict[str, Any]:
    """What needs attention."""
    return {
        "goals": now.goals,
        "ready": now.ready,
        "operation": now.operation,
        "libraries_not_fetched": list(now.not_fetched),
        "missing": [{**_without_commit(one), "goals": list(goals)} for one, goals in now.missing],
        "edited": [_without_commit(one) for one in now.edited],
        "outlines": [_without_commit(one) for one in now.outlines],
        "unreviewed": None if now.unreviewed is None else list(now.unreviewed),
        "toolkits": [_toolkit(one) for one in now.toolkits],
        "drafts": [draft(one) for one in now.drafts.kept],
        "unusable_drafts": [one.id for one in now.drafts.unusable],
        "repair_pending": now.is_repair_pending,
    }


def _without_commit(one: Planned) -> dict[str, Any]:
    """Without the last commit, for which the history would have to be walked."""
    return {key: value for key, value in planned(one).items() if key != "commit"}


def _toolkit(one: ToolkitState) -> dict[str, Any]:
    return {
        "project": one.project,
        "goal": one.goal,
        "degraded": one.is_degraded,
        "edited": list(one.edited),
        "deleted": list(one.deleted),
        "odd": list(one.odd),
        "stale": [asdict(moved) for moved in one.moved],
        "problem": one.problem,
    }


def draft(one: Kept) -> dict[str, Any]:
    """A draft that is kept, without its text."""
    return {
        "id": one.id,
        "path": one.path,
        "purpose": one.purpose,
        "goal": one.goal,
        "prompt_id": one.prompt_id,
        "label": one.label,
        "edited": one.is_edited,
        "candidate": one.candidate,
        "problems": list(one.problems),
        "input_tokens": one.input_tokens,
        "output_tokens": one.output_tokens,
        "cost_usd": one.cost,
    }
