"""`gitforge list`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gitforge import catalog
from gitforge.cli import completing, output
from gitforge.cli.session import AsJson, Directory, find_workspace
from gitforge.errors import UserError
from gitforge.goals import GoalBook, Pin
from gitforge.text import did_you_mean, one_line, printable
from gitforge.workspace import Workspace

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command(name="list", epilog="Example: gitforge list --components")
def list_(
    ctx: typer.Context,
    components: Annotated[
        bool, typer.Option("--components", "-c", help="List the components instead of the goals.")
    ] = False,
    library: Annotated[
        str | None,
        typer.Option(
            "--library",
            "-l",
            metavar="NAME",
            help="List what another library has, at the commit that is pinned.",
            autocompletion=completing.libraries,
        ),
    ] = None,
    missing: Annotated[bool, typer.Option("--missing", "-m", help="List only what is not complete.")] = False,
    as_json: AsJson = False,
    directory: Directory = Path(),
) -> None:
    """List goals or components.

    Goals by category, each with how many of its components are there; or components by kind, each with the
    number of goals that use it. A component of another library is called NAME:its path.
    """
    workspace = find_workspace(ctx, directory)
    book = workspace.book()
    pin = _pin(book, library) if library is not None else None
    show = _list_components if components else _list_goals
    show(workspace, book, pin, only_missing=missing, as_json=as_json)
    if pin is None and book.libraries and not as_json:
        told = ", ".join(f"`gitforge list --library {name}`" for name in book.libraries)
        output.say((f"More in other libraries: {told}", output.DIM))


def _pin(book: GoalBook, name: str) -> Pin:
    if name in book.libraries:
        return book.libraries[name]
    hint = did_you_mean(name, iter(book.libraries)) or "`gitforge library list` shows them."
    raise UserError(f"{book.file} declares no library {printable(name)!r}", hint=hint)


def _list_goals(
    workspace: Workspace, book: GoalBook, pin: Pin | None, *, only_missing: bool, as_json: bool
) -> None:
    library = workspace.library
    found = catalog.readiness(book, library) if pin is None else catalog.foreign_goals(book, library, pin)
    goals = list(found)
    shown = [one for one in goals if one.missing or not only_missing]
    if as_json:
        output.data(
            [
                {
                    "name": one.goal.name,
                    "library": pin.name if pin else None,
                    "category": one.goal.category,
                    "description": one.goal.description,
                    "components": [need.shown for need in one.goal.needs],
                    "missing": [need.shown for need in one.missing],
                }
                for one in shown
            ]
        )
        return
    rows: list[tuple[output.Part, ...]] = []
    category = None
    for one in shown:
        if one.goal.category != category:
            category = one.goal.category
            rows.append(((category, output.BOLD), "", ""))
        style = output.WARN if one.missing else output.GOOD
        rows.append((f"  {one.goal.name}", (one.fraction, style), one_line(one.goal.description)))
    output.table(("", "", ""), rows)
    ready = sum(not one.missing for one in goals)
    output.say((f"{len(goals)} goals, {ready} of them ready.", output.DIM))


def _list_components(
    workspace: Workspace, book: GoalBook, pin: Pin | None, *, only_missing: bool, as_json: bool
) -> None:
    library = workspace.library
    listed = (
        catalog.components(book, library) if pin is None else catalog.foreign_components(book, library, pin)
    )
    found = list(listed)
    shown = [one for one in found if one.is_missing or not only_missing]
    if as_json:
        output.data(
            [
                {
                    "kind": one.need.kind.name,
                    "name": one.need.name,
                    "library": one.need.library,
                    "path": one.need.shown,
                    "description": one.description,
                    "missing": one.is_missing,
                    "goals": one.goals,
                }
                for one in shown
            ]
        )
        return
    rows: list[tuple[output.Part, ...]] = []
    for one in shown:
        state = ("missing", output.BAD) if one.is_missing else ("ready", output.GOOD)
        used = f"{len(one.goals)} goal{'s' * (len(one.goals) != 1)}"
        rows.append((one.need.path, state, used, one_line(one.description)))
    output.table(("", "", "", ""), rows)
    lacking = sum(one.is_missing for one in found)
    output.say((f"{len(found)} components, {lacking} of them missing.", output.DIM))
