"""`gitforge log`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import chain, islice
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

import typer

from gitforge.changes import Event, What, history, history_below
from gitforge.cli import completing, output
from gitforge.cli.pager import NoPager, paged
from gitforge.cli.session import AsJson, Directory, find_workspace, open_repo
from gitforge.cost import amount
from gitforge.errors import UserError
from gitforge.named import paths_named, usable_book
from gitforge.store import origins
from gitforge.text import printable_line

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")

_STYLES = {
    What.GENERATED: output.GOOD, What.REGENERATED: output.GOOD, What.APPROVED: output.GOOD,
    What.DELETED: output.BAD, What.REVERTED: output.WARN, What.WITHDRAWN: output.WARN, What.AMENDED: output.WARN,
}  # fmt: skip
_COLUMNS = ("commit", "date", "what", "component", "who", "model", "cost", "reviewed", "about")
_MEASURED = 200  # rows that decide how wide the columns are: the others are not waited for
_ABOUT = 24  # characters of a subject that have to fit on the line of the rest


@app.command(epilog="Example: gitforge log root_cause_analysis_drilldown.md")
def log(
    ctx: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="[COMPONENT|GOAL]",
            help="Whose history; all by default.",
            show_default=False,
            autocompletion=completing.components_and_goals,
        ),
    ] = "",
    count: Annotated[
        int | None,
        typer.Option("--max-count", "-n", metavar="N", min=1, help="At most so many.", show_default=False),
    ] = None,
    no_pager: NoPager = False,
    as_json: AsJson = False,
    directory: Directory = Path(),
) -> None:
    """Show what became of components, the newest first.

    Generations, edits, reverts and approvals: who, which model, what it cost, and who has reviewed the text. A
    component is followed through its names, and one that was deleted has its history still.
    """
    workspace = find_workspace(ctx, directory)
    repo = open_repo(workspace)
    known = origins.read(repo)
    if name:
        paths = paths_named(workspace, repo, usable_book(workspace), name)
        events = history(repo, known, paths)
    else:
        folders = (workspace.library.folder, workspace.goals_file)
        events = history_below(repo, known, [repo.relative(path) for path in folders])
    if repo.is_shallow():
        output.say(
            ("note: ", output.WARN), "this is a shallow clone, so the history is cut; ",
            "`git fetch --unshallow` brings the rest",
        )  # fmt: skip
    with closing(events):
        first = next(events, None)
        if first is None and name:
            raise UserError(f"{', '.join(paths)}: in no commit yet", hint="What is committed has a history.")
        found = islice(chain([] if first is None else [first], events), count)
        if as_json:
            output.data([event_as_json(one) for one in found])
            return
        with paged(repo, is_wanted=not no_pager):
            show_events(found, of=paths[0] if name and len(paths) == 1 else None)


def show_events(events: Iterable[Event], *, of: str | None = None) -> None:
    """One row each, as they come; on a terminal without room for a row, two lines.

    Args:
        events: What happened.
        of: The one component that all of it is about, which a terminal is told only where it was called otherwise.
    """
    room = output.room()
    of = of if room is not None else None
    rows = (_row(one, of) for one in events)
    headings = ["" if of is not None and name == "component" else name for name in _COLUMNS]
    measured = list(islice(rows, _MEASURED))
    widths = [max(len(_text(cell)) for cell in column) for column in zip(headings, *measured, strict=True)]
    if not measured:
        output.say("Nothing is recorded yet.")
        return
    split = None if room is None or sum(widths[:-1]) + 2 * len(widths) + _ABOUT <= room else 4
    if room is not None and split is None:
        output.result(*_line([(name, output.DIM) for name in headings], widths))
    for row in chain(measured, rows):
        output.result(*_line(row[:split], widths))
        if split is not None:
            output.result("    ", *_line(_second_line(row), [0] * len(row)))


def _line(cells: Sequence[output.Part], widths: Sequence[int]) -> Iterator[output.Part]:
    for number, (cell, width) in enumerate(zip(cells, widths, strict=False)):
        yield cell
        if number < len(cells) - 1:
            yield " " * (max(width - len(_text(cell)), 0) + 2)


def _text(cell: output.Part) -> str:
    return cell if isinstance(cell, str) else cell[0]


def _second_line(row: Sequence[output.Part]) -> list[output.Part]:
    """What has no room in the first: without columns it takes a word to tell an author from a reviewer."""
    *_, author, model, cost, reviewed, about = row
    by = f"by {_text(model)}, {_text(author)}" if _text(model) else f"by {_text(author)}"
    style = "" if isinstance(reviewed, str) else reviewed[1]
    seen = (f"reviewed by {_text(reviewed)}", style) if _text(reviewed) else ""
    return [cell for cell in (by, cost, seen, about) if _text(cell)]


def _row(one: Event, of: str | None) -> list[output.Part]:
    return [
        (one.commit[:10], output.WARN),
        f"{one.date:%Y-%m-%d}",
        (one.what.value, _STYLES.get(one.what, "")),
        _component(one) if one.path != of else "",
        printable_line(one.author.rpartition(" <")[0]),
        printable_line(one.model or ""),
        amount(one.cost) if one.cost is not None else "",
        _reviewed(one),
        (_about(one), output.DIM),
    ]


def _component(one: Event) -> str:
    path = PurePosixPath(one.path)
    return printable_line(f"{path.parent.name}/{path.name}" if path.parent.name else path.name)


def _about(one: Event) -> str:
    was = f"was {PurePosixPath(one.old_path).name}: " if one.old_path is not None else ""
    origin = f"from {one.adopted.shown}: " if one.adopted is not None else ""
    return printable_line(was + origin + (one.purpose or one.subject))


def _reviewed(one: Event) -> output.Part:
    if one.reviewers:
        return printable_line(", ".join(who.rpartition(" <")[0] or who for who in one.reviewers))
    return ("nobody", output.WARN) if one.needs_review else ""


def event_as_json(one: Event) -> dict[str, Any]:
    """One commit about one component, for a script."""
    return {
        "what": one.what.value, "path": one.path, "old_path": one.old_path, "commit": one.commit,
        "date": one.date.isoformat(), "author": one.author, "subject": one.subject, "purpose": one.purpose or None,
        "model": one.model, "cost_usd": one.cost, "old_blob": one.old_blob, "blob": one.blob,
        "reviewers": list(one.reviewers), "needs_review": one.needs_review,
        "adopted_from": str(one.adopted) if one.adopted is not None else None,
    }  # fmt: skip
