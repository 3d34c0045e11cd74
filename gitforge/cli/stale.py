"""`gitforge build --stale`: every toolkit that is out of date, built again."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from gitforge.build import Forge, make_toolkit
from gitforge.cli import output
from gitforge.cli.main import CONFLICT, DONE, FIXABLE, PROBLEMS, explain
from gitforge.cli.merging import clashes_as_json, merged_as_json, show_toolkit
from gitforge.errors import Cancelled, GitforgeError, UserError
from gitforge.goals import MANIFEST
from gitforge.plan import Plan
from gitforge.rebuild import Decide
from gitforge.status import ToolkitState, toolkit_states

_WORST_FIRST = (CONFLICT, PROBLEMS, FIXABLE)


def build_stale(
    forge: Forge,
    decide: Decide | None,
    refuse: Callable[[Plan], None],
    *,
    force: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Builds what is out of date, one after the other, and goes on where one cannot be built.

    Args:
        forge: Where.
        decide: What becomes of clashes with edits by hand.
        refuse: Raises where components may not be used.
        force: Whether edits by hand are replaced.
        dry_run: Whether it is only told.
        as_json: Whether the result is JSON.

    Returns:
        The exit code: that of the worst that happened.
    """
    found = toolkit_states(forge.workspace, forge.repo, forge.book)
    stale = [one for one in found if one.is_stale]
    done: list[dict[str, Any]] = []
    codes = set()
    for one in stale:
        output.say(
            (f"output/{one.project}/", output.BOLD), f" for {one.goal or 'a goal that it does not name'}:"
        )
        for moved in one.moved:
            output.say(f"  {moved}")
        for name in one.deleted:
            output.say(f"  output/{one.project}/{name}: deleted")
        if dry_run:
            done.append(_as_json(one))
            continue
        try:
            code, files = _build(forge, one, decide, refuse, force=force, as_json=as_json)
            done.append({**_as_json(one), **files})
        except Cancelled:
            raise
        except GitforgeError as error:
            code = explain(error)
            done.append({**_as_json(one), "error": error.message, **clashes_as_json(error)})
        codes.add(code)
    if as_json:
        output.data({"would_build" if dry_run else "toolkits": done})
    elif not stale:
        output.say(("Every toolkit is up to date.", output.GOOD))
    elif dry_run:
        output.say("Dry run: nothing was written.")
    return next((code for code in _WORST_FIRST if code in codes), max(codes, default=DONE))


def _build(
    forge: Forge,
    one: ToolkitState,
    decide: Decide | None,
    refuse: Callable[[Plan], None],
    *,
    force: bool,
    as_json: bool,
) -> tuple[int, dict[str, Any]]:
    if one.goal is None:
        raise UserError(
            f"output/{one.project}/{MANIFEST} does not say what the toolkit is for: {one.problem}",
            hint=f"Build it once: `gitforge build {shlex.quote(one.project)} --goal GOAL`.",
        )
    goal = forge.goal(one.goal)
    planned = forge.plan(goal)
    refuse(planned)
    toolkit = make_toolkit(forge, one.project, goal, planned, force=force, decide=decide)
    if not as_json:
        show_toolkit(forge, toolkit)
    files = {
        "files": [*toolkit.files, MANIFEST],
        "changed": list(toolkit.changed),
        **merged_as_json(toolkit),
        "degraded": toolkit.is_degraded,
    }
    return (PROBLEMS if toolkit.is_degraded else DONE), files


def _as_json(one: ToolkitState) -> dict[str, Any]:
    return {
        "project": one.project,
        "goal": one.goal,
        "stale": [asdict(moved) for moved in one.moved],
        "deleted": list(one.deleted),
        "problem": one.problem,
    }
