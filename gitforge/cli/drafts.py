"""`gitforge drafts`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from gitforge import plain_data
from gitforge.cli import output
from gitforge.cli.session import AsJson, Directory, find_workspace, open_repo
from gitforge.errors import AnswerMissing, UserError
from gitforge.store import spool
from gitforge.store.spool import Drafts, Kept, Unusable
from gitforge.text import one_line

app = typer.Typer(
    add_completion=False, rich_markup_mode="markdown", help="Show and drop the drafts that are kept."
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The draft's, its component's, or its path.")]


@app.callback(invoke_without_command=True, epilog="Example: gitforge drafts drop --all")
def drafts(ctx: typer.Context, as_json: AsJson = False, directory: Directory = Path()) -> None:
    """Show and drop the drafts that are kept.

    A draft is kept from the moment that the provider has answered until it is recorded or skipped. The next
    build that misses the same component, for the same purpose, uses it and asks nobody.
    """
    ctx.meta["directory"] = directory
    if ctx.invoked_subcommand is not None:
        return
    found = _open(ctx, directory)[1]
    if as_json:
        unusable = [{"id": one.id, "file": str(one.file), "reason": one.reason} for one in found.unusable]
        output.data({"drafts": [plain_data.draft(one) for one in found.kept], "unusable": unusable})
        return
    rows: list[tuple[output.Part, ...]] = [
        (one.id, one.path, one_line(one.purpose), one.label, ("; ".join(one.problems), output.WARN))
        for one in found.kept
    ]
    rows += [(one.id, str(one.file), "", "", (one.reason, output.BAD)) for one in found.unusable]
    output.table(("draft", "component", "purpose", "by", "problems"), rows)
    if not rows:
        output.say("No drafts are kept.")


@app.command(epilog="Example: gitforge drafts show root_cause_analysis_drilldown.md")
def show(ctx: typer.Context, name: Name, as_json: AsJson = False, directory: Directory = Path()) -> None:
    """Show the text of a draft."""
    one = _find(_open(ctx, directory)[1].kept, name)
    if as_json:
        output.data({**plain_data.draft(one), "text": one.text})
    else:
        output.result(one.text.removesuffix("\n"))
        for problem in one.problems:
            output.say(("problem: ", output.BAD), (problem, output.WARN))


@app.command(epilog="Example: gitforge drafts drop root_cause_analysis_drilldown.md")
def drop(
    ctx: typer.Context,
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="As for show.", show_default=False)
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All of them, the unusable too.")] = False,
    directory: Directory = Path(),
) -> None:
    """Remove a draft for good."""
    if (name is None) != everything:
        raise AnswerMissing("say which draft to drop", hint="Name one, or give --all.")
    repo, found = _open(ctx, directory)
    chosen: list[Kept | Unusable] = [*found.kept, *found.unusable]
    if name is not None:
        chosen = [next((one for one in found.unusable if one.id == name), None) or _find(found.kept, name)]
    for one in chosen:
        if isinstance(one, Kept):
            spool.drop(repo, [one.id])
        else:
            spool.drop_unusable(one)
        output.say(("dropped ", output.WARN), one.id)


def _open(ctx: typer.Context, directory: Path) -> tuple[Any, Drafts]:
    """The repository, and what is kept in it."""
    given = ctx.meta["directory"]
    repo = open_repo(find_workspace(ctx, given / directory))
    return repo, spool.drafts(repo)


def _find(kept: Sequence[Kept], name: str) -> Kept:
    found = [one for one in kept if name in {one.id, one.path, one.path.rpartition("/")[2]}]
    if not found:
        raise UserError(f"no draft is kept of {name!r}", hint="`gitforge drafts` lists them.")
    if len(found) > 1:
        raise UserError(
            f"{name!r} is more than one draft", hint=f"Name one: {', '.join(one.id for one in found)}."
        )
    return found[0]
