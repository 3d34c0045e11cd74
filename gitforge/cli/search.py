"""`gitforge search`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gitforge import catalog, plain_data
from gitforge.cli import output
from gitforge.cli.main import DONE, FIXABLE
from gitforge.cli.session import AsJson, Directory, find_workspace
from gitforge.components import LibraryNotFetched
from gitforge.errors import UserError

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command(epilog="Example: gitforge search 'trust boundary'")
def search(
    ctx: typer.Context,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to look for.", show_default=False)],
    as_json: AsJson = False,
    directory: Directory = Path(),
) -> None:
    """Search goals and components for a text.

    Prints each line that has it, with its file and number; upper and lower case are the same. What other libraries
    have at their pins comes last, as NAME:file. Exit code 1 where there is none, as of grep.
    """
    if not text.strip():
        raise UserError("there is nothing to search for", hint="Name a text: `gitforge search TEXT`.")
    workspace = find_workspace(ctx, directory)
    book = workspace.book()
    for pin in book.libraries.values():
        if not workspace.library.foreign.is_here(pin):
            missing = LibraryNotFetched(pin)
            output.say(("not searched: ", output.WARN), missing.message, (f" ({missing.hint})", output.DIM))
    found = list(catalog.search(book, workspace.library, text))
    if as_json:
        output.data([plain_data.found(one) for one in found])
    else:
        for one in found:
            output.result((one.place, output.DIM), f": {one.text}")
    raise typer.Exit(DONE if found else FIXABLE)
