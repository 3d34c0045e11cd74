"""`gitforge list`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gitforge import catalog, plain_data
from gitforge.cli import completing, output
from gitforge.cli.session import AsJson, Directory, find_workspace
from gitforge.goals import GoalBook, Pin
from gitforge.text import counted, one_line
from gitforge.workspace import Workspace

if TYPE_CHECKING:
    from gitforge.adoptions import Origin
    from gitforge.catalog import Listed

_NAMED = 5  # libraries
_UNUSABLE = 20  # goals

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
    pin = book.library(library) if library is not None else None
    show = _list_components if components else _list_goals
    show(workspace, book, pin, only_missing=missing, as_json=as_json)
    if pin is None and book.libraries and not as_json:
        first = [f"`gitforge list --library {name}`" for name in [*book.libraries][:_NAMED]]
        more = len(book.libraries) - len(first)
        rest = f" and {more} more, which `gitforge library list` shows" if more else ""
        output.say((f"More in other libraries: {', '.join(first)}{rest}", output.DIM))


def _list_goals(
    workspace: Workspace, book: GoalBook, pin: Pin | None, *, only_missing: bool, as_json: bool
) -> None:
    library = workspace.library
    goals = list(catalog.readiness(book, library, pin))
    shown = [one for one in goals if one.missing or not only_missing]
    if as_json:
        name = pin.name if pin else None
        output.data([plain_data.goal(one, name) for one in shown])
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
    output.say((f"{counted(len(goals), 'goal')}, {ready} of them ready.", output.DIM))
    if pin is not None:
        for name, why in [*catalog.unusable_goals(book, library, pin).items()][:_UNUSABLE]:
            output.say(("not usable: ", output.WARN), f"{pin.name}:{name}: {why}")


def _list_components(
    workspace: Workspace, book: GoalBook, pin: Pin | None, *, only_missing: bool, as_json: bool
) -> None:
    found = list(catalog.components(book, workspace.library, pin))
    shown = [one for one in found if one.is_missing or not only_missing]
    adopted = _adopted(workspace, book) if pin is None else {}
    if as_json:
        from_ = {path: str(origin) for path, origin in adopted.items()}
        output.data([plain_data.component(one, from_.get(one.need.path)) for one in shown])
        return
    rows: list[tuple[output.Part, ...]] = []
    for one in shown:
        state = _state(one)
        used = counted(len(one.goals), "goal")
        origin = f"adopted from {adopted[one.need.path].shown}" if one.need.path in adopted else ""
        about = ": ".join(filter(None, (origin, one_line(one.description))))
        rows.append((one.need.path, state, used, about))
    output.table(("", "", "", ""), rows)
    lacking = sum(one.is_missing for one in found)
    output.say((f"{counted(len(found), 'component')}, {lacking} of them missing.", output.DIM))


def _state(one: Listed) -> output.Part:
    if one.is_missing:
        return ("missing", output.BAD)
    return ("ready", output.GOOD) if one.is_usable else ("not usable", output.BAD)


def _adopted(workspace: Workspace, book: GoalBook) -> dict[str, Origin]:
    """Where own components were adopted from, by path below `library/`; none where there is no repository."""
    from gitforge.libraries import adopted_here  # noqa: PLC0415 -- git, which the goals do without
    from gitforge.store.repo import NoRepository, Repo  # noqa: PLC0415

    try:
        repo = Repo.discover(workspace.root)
    except NoRepository:
        return {}
    folder = repo.relative(workspace.library.folder)
    return {
        path.removeprefix(f"{folder}/"): one.origin
        for path, one in adopted_here(repo, book).items()
        if path.startswith(f"{folder}/")
    }
