"""`gitforge status`."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from gitforge import plain_data
from gitforge.cli import again, output, paragraphs
from gitforge.cli.session import AsJson, Directory, find_workspace, open_provider, repair, settings
from gitforge.errors import UserError
from gitforge.plan import Planned, State
from gitforge.status import Status
from gitforge.status import status as look
from gitforge.store import answered
from gitforge.store.answered import Evidence
from gitforge.store.repo import Repo
from gitforge.store.spool import Kept
from gitforge.text import counted
from gitforge.unreviewed import SHALLOW_HINT

if TYPE_CHECKING:
    from gitforge.cli.paragraphs import Paragraph

_LACKING = {State.ABSENT: "absent", State.UNUSABLE: "unusable"}

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command(epilog="Example: gitforge status --json")
def status(ctx: typer.Context, as_json: AsJson = False, directory: Directory = Path()) -> None:
    """Say what needs attention.

    Missing components and the goals that need them, edits that are not committed, outlines that are to be
    filled in, generated components that nobody has reviewed, drafts that are kept, toolkits that are out of date,
    degraded or edited by hand, and who would write drafts. Finishes a recording that was interrupted, and says so.
    """
    workspace = find_workspace(ctx, directory)
    repo = Repo.discover(workspace.root)
    try:
        repair(repo)
    except UserError as error:
        output.say(
            ("warning: ", output.WARN), error.message, (f" ({error.hint})" if error.hint else "", output.DIM)
        )
    seen = answered.begin(repo, workspace.root)
    found = look(workspace, repo, seen)
    provider = _provider(repo, seen)
    said = [*_said(found), paragraphs.result((f"provider  {provider}", output.DIM))]
    data = {"workspace": str(workspace.root), **plain_data.status(found), "provider": provider}
    if as_json:
        output.data(data)
    else:
        paragraphs.show(said)
    answered.keep(again.STATUS, repo, seen, [json.dumps(one).encode() for one in (said, data)])


def _said(found: Status) -> Iterator[Paragraph]:
    kept = len(found.toolkits)
    are = "is" if found.goals == 1 else "are"
    are_there = f"{counted(kept, 'toolkit')} in output/"
    yield paragraphs.result(f"{found.ready} of {found.goals} goals {are} ready, {are_there}.")
    if found.operation:
        yield paragraphs.result(
            (f"A {found.operation} is in progress: ", output.WARN),
            "gitforge records nothing until it is over.",
        )
    rows: list[tuple[output.Part, ...]] = [
        (("not fetched", output.BAD), name, f"`gitforge library fetch {name}` brings it")
        for name in found.not_fetched
    ]
    rows += [
        ((_LACKING.get(one.state, "missing"), output.BAD), one.need.shown, ", ".join(goals))
        for one, goals in found.missing
        if one.state is not State.NOT_FETCHED
    ]
    rows += [(("edited", output.WARN), one.path, _edit(one)) for one in found.edited]
    rows += [
        (("outline", output.WARN), one.path, "no language model wrote it: fill in its TODO points")
        for one in found.outlines
    ]
    if found.unreviewed is None:
        rows.append((("unknown", output.WARN), "reviews", SHALLOW_HINT))
    elif found.unreviewed:
        several = counted(len(found.unreviewed), "component")
        rows.append((("unreviewed", output.WARN), several, "`gitforge review` walks through them"))
    for toolkit in found.toolkits:
        if toolkit.is_degraded:
            rows.append(
                (("degraded", output.WARN), f"output/{toolkit.project}/", "a placeholder stands in it")
            )
        rows += [
            (("by hand", output.WARN), f"output/{toolkit.project}/{name}", "edited since it was assembled")
            for name in toolkit.edited
        ]
        rows += [
            (("odd", output.BAD), f"output/{toolkit.project}/{name}", "is no file that can be read")
            for name in toolkit.odd
        ]
        rows += [
            (("stale", output.WARN), f"output/{toolkit.project}/", f"{name}: deleted")
            for name in toolkit.deleted
        ]
        rows += [(("stale", output.WARN), f"output/{toolkit.project}/", str(one)) for one in toolkit.moved]
        if toolkit.problem:
            rows.append((("unreadable", output.BAD), f"output/{toolkit.project}/", toolkit.problem))
    rows += [(("draft kept", output.WARN), one.path, _about(one)) for one in found.drafts.kept]
    rows += [(("unusable", output.BAD), one.id, f"a draft: {one.reason}") for one in found.drafts.unusable]
    if found.is_repair_pending:
        rows.append((("pending", output.BAD), "a repair", "a recording was interrupted, or goes on just now"))
    yield paragraphs.table(rows)
    if any(toolkit.can_be_rebuilt for toolkit in found.toolkits):
        yield paragraphs.note(
            ("hint: ", output.WARN), "`gitforge build --stale` builds again what is out of date."
        )
    if found.is_clean:
        yield paragraphs.result(("Nothing needs attention.", output.GOOD))


def _edit(one: Planned) -> str:
    if one.is_only_staged:
        return f"in the index alone: `git restore --staged -- {shlex.quote(one.path)}` takes that back"
    return "not committed"


def _provider(repo: Repo, seen: Evidence) -> str:
    """Who would write drafts, or what is wrong with the settings."""
    if settings(repo).get("provider") == "llm":
        seen.give_up()  # that tool has settings of its own
    try:
        return open_provider(repo, None, None).describe
    except UserError as error:
        return f"unusable: {error.message}"


def _about(draft: Kept) -> str:
    return "it has problems: the next build shows it" if draft.problems else "the next build uses it"
