"""`gitforge blame`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from gitforge.blame import BlamedLine
from gitforge.blame import blame as look
from gitforge.cli import completing, output
from gitforge.cli.pager import NoPager, paged
from gitforge.cli.session import AsJson, Directory, find_workspace, here, open_repo
from gitforge.line_ranges import NoRange, selected
from gitforge.names import foreign_parts
from gitforge.text import printable

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")

_COMMIT = 8  # characters, as git blame shows them
_SHARE = 0.5  # of a terminal's width that is left to the text at least
_LEAST = 6  # characters of a column in which a name can still be told


@app.command(epilog="Example: gitforge blame output/checkout_outage/01_PROMPT_TEMPLATE.md -L 20,+5")
def blame(
    ctx: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="A file of a toolkit: output/PROJECT/NAME.",
            show_default=False,
            autocompletion=completing.outputs,
        ),
    ],
    ranges: Annotated[
        list[str] | None,
        typer.Option("-L", metavar="START,END", help="These lines alone, as in git; repeatable."),
    ] = None,
    no_pager: NoPager = False,
    as_json: AsJson = False,
    directory: Directory = Path(),
) -> None:
    """Say where each line of a toolkit comes from.

    The component or template, the commit that wrote the line, the model or the author, and who has reviewed the
    component. Lines that you polished by hand are shown as yours.
    """
    workspace = find_workspace(ctx, directory)
    repo = open_repo(workspace)
    lines = look(workspace, repo, here(ctx, directory) / file)
    try:
        wanted = [lines[number - 1] for number in selected(ranges or (), [line.text for line in lines])]
    except NoRange as error:
        hint = f" {error.hint}" if error.hint else ""
        raise typer.BadParameter(f"{error.message.removeprefix('-L ')}.{hint}", param_hint="-L") from None
    if as_json:
        output.data({"file": str(file), "lines": [_as_json(line) for line in wanted]})
    else:
        with paged(repo, is_wanted=not no_pager):
            _print(wanted)


def _as_json(line: BlamedLine) -> dict[str, Any]:
    date = line.date.isoformat() if line.date is not None else None
    return {**asdict(line), "date": date, "text": line.text}


def _print(lines: Sequence[BlamedLine]) -> None:
    """All of each line in a pipe; on a terminal what fits, in colour."""
    rows = [_columns(line) for line in lines]
    digits = len(str(lines[-1].number)) if lines else 1
    room = output.width()
    measure, cut = (len, str.ljust) if room is None else _of_a_terminal()
    widths = [max((measure(cell) for cell, _ in column), default=0) for column in zip(*rows, strict=True)]
    if room is not None:
        widths = _fitted(widths, int(room * (1 - _SHARE)) - digits - 2)
    for line, row in zip(lines, rows, strict=True):
        parts: list[output.Part] = []
        for (cell, style), size in zip(row, widths, strict=True):
            parts += [(cut(cell, size), style), " "]
        text = printable(line.text)
        if room is not None:
            text = cut(text, room - sum(widths) - len(widths) - digits - 2).rstrip()
        output.result(*parts, (f"{line.number:>{digits}}) ", output.DIM), text)


def _of_a_terminal() -> tuple[Callable[[str], int], Callable[[str, int], str]]:
    """How wide a text is in a terminal's columns, and how it is made to take so many of them."""
    from rich.cells import cell_len, set_cell_size  # noqa: PLC0415 -- loaded anyway where there is colour

    def cut(text: str, size: int) -> str:
        return (
            set_cell_size(text, size) if cell_len(text) <= size else set_cell_size(text, size - 1) + "\u2026"
        )

    return cell_len, cut


def _columns(line: BlamedLine) -> list[tuple[str, str]]:
    """Commit, component, who, reviewer; each with its style."""
    mark = "^" if line.is_boundary else ""
    commit = (mark + line.commit)[:_COMMIT] if line.commit else "-" * _COMMIT
    name = _short(line.path) if line.path else "gitforge" if line.source == "template" else "-"
    author = line.author.partition(" <")[0]
    style = {"component": "", "template": output.DIM, "hand": output.WARN, "unknown": output.DIM}[line.source]
    who = (line.model, "cyan") if line.model else (author, style)
    seen = (", ".join(one.partition(" <")[0] for one in line.reviewers), output.GOOD)
    if line.needs_review:
        seen = ("unreviewed", output.BAD)
    cells = [(commit, style or output.WARN), (name, style), who, seen if seen[0] else ("-", output.DIM)]
    return [(printable(cell), one) for cell, one in cells]


def _short(path: str) -> str:
    """The file's name, and the library's in front where it is of another one."""
    name, parts = path.rpartition("/")[2], foreign_parts(path)
    return f"{parts[0]}:{name}" if parts is not None else name


def _fitted(widths: list[int], room: int) -> list[int]:
    """The widths of the columns, but for the commit's, made smaller until they fit; the widest ones first."""
    widths = list(widths)
    while sum(widths) + len(widths) > room:
        widest = max(range(1, len(widths)), key=lambda index: widths[index])
        if widths[widest] <= _LEAST:
            break
        widths[widest] -= 1
    return widths
