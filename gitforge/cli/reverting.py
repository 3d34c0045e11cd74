"""What `revert`, `undo` and `restore` show."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from gitforge.cli import output
from gitforge.revert import Reversal, Step
from gitforge.store.repo import Repo
from gitforge.store.transaction import Recorded
from gitforge.text import as_diff
from gitforge.workspace import Workspace


def show_diffs(steps: Sequence[Step]) -> None:
    """What would become of each file."""
    for step in steps:
        before, after = (
            None if content is None else content.decode(errors="replace")
            for content in (step.before, step.after)
        )
        diff = as_diff(step.path, before, after or "")
        if after is None:
            diff = diff.replace(f"\n+++ b/{step.path}\n", "\n+++ /dev/null\n", 1)
        output.diff(diff)


def show_steps(steps: Sequence[Step]) -> None:
    """What has become of each file."""
    output.table(("", ""), [(step.action, step.path) for step in steps])


def show_recorded(recorded: Recorded) -> None:
    """What is to be known of a commit, besides what it holds."""
    if recorded.repair is not None:
        output.say(("repaired: ", output.GOOD), recorded.repair.done)
    if recorded.identity.is_fallback:
        output.say(
            ("note: ", output.WARN), f"no git identity is set, so the commit is by {recorded.identity}"
        )


def show_missing(
    missing: Sequence[tuple[str, str]], outlines: Collection[str], why: str, *, dry_run: bool
) -> None:
    """The goals that miss a component by that, and what the next generation is told.

    Args:
        missing: Each goal with the component's path.
        outlines: Those of the paths that held an outline.
        why: The reason, if one was given.
        dry_run: Whether it has not happened.
    """
    for goal, path in missing:
        output.say(
            ("missing then: " if dry_run else "missing now: ", output.WARN), f"{path} of the goal {goal}"
        )
    paths = {path for _, path in missing}
    if paths - set(outlines):
        reason = ", and the reason" if why else ""
        output.say(f"The next generation of it is told the text that was taken back{reason}.")
    elif paths:
        reason = " The reason stays in the commit's message." if why else ""
        output.say(f"It was an outline: the next generation begins anew, without it.{reason}")


def settle(
    workspace: Workspace,
    repo: Repo,
    reversal: Reversal,
    why: str,
    *,
    is_undo: bool,
    dry_run: bool,
    as_json: bool,
) -> str | None:
    """Takes something back and shows it; returns the new commit, None where there is none."""
    from gitforge import revert  # noqa: PLC0415

    missing = revert.goals_missing(workspace, repo, reversal.steps)
    outlines = revert.outlines(repo, [path for _, path in missing])
    recorded = None
    if not dry_run and not reversal.is_empty:
        recorded = revert.carry_out(repo, reversal, why, is_undo=is_undo)
        show_recorded(recorded)
    commit = recorded.commit if recorded is not None else None
    if as_json:
        output.data(_as_json(reversal, commit, missing))
    elif not dry_run:
        show_steps(reversal.steps)
    subject, short = reversal.of.subject, reversal.of.commit[:10]
    if dry_run:
        if not as_json:
            show_diffs(reversal.steps)
        output.say(f"Dry run: {short} ({subject}) would be taken back; nothing was recorded.")
    elif commit is None:
        output.say(f"Nothing to take back: all that {short} ({subject}) did is as it was before it.")
    else:
        verb = "undone: " if is_undo else "reverted: "
        output.say((verb, output.GOOD), f"{subject} ", (f"({short}) by commit {commit[:10]}", output.DIM))
    show_missing(missing, outlines, why, dry_run=dry_run)
    return commit


def _as_json(reversal: Reversal, commit: str | None, missing: Sequence[tuple[str, str]]) -> dict[str, Any]:
    return {
        "reverts": reversal.of.commit,
        "subject": reversal.of.subject,
        "commit": commit,
        "files": [{"path": step.path, "action": step.action} for step in reversal.steps],
        "reviews": [{"path": group.path, "blob": group.blob} for group in reversal.statements],
        "goals_missing": [{"goal": goal, "path": path} for goal, path in missing],
    }
