"""`gitforge revert`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gitforge import revert as verb
from gitforge.cli import completing, reverting
from gitforge.cli.session import AsJson, Directory, WouldRecord, find_workspace, open_repo
from gitforge.named import refuse_foreign, usable_book

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command(
    epilog="Example: gitforge revert root_cause_analysis_drilldown.md --why 'It flatters the reader.'"
)
def revert(
    ctx: typer.Context,
    what: Annotated[
        str,
        typer.Argument(
            metavar="COMMIT|COMPONENT",
            help="A commit; or a component, of which the last change is meant.",
            show_default=False,
            autocompletion=completing.commits_and_components,
        ),
    ],
    why: Annotated[
        str,
        typer.Option(
            "--why",
            "-m",
            metavar="TEXT",
            help="The reason: the next generation is told it, but for an outline.",
        ),
    ] = "",
    dry_run: WouldRecord = False,
    as_json: AsJson = False,
    directory: Directory = Path(),
) -> None:
    """Take back what a commit did, as one new commit.

    Also where it is not the latest: what was changed since stays, and what clashes is named and left to you. A
    component that is gone is generated anew by the next build, which is told the text and your reason.
    """
    workspace = find_workspace(ctx, directory)
    repo = open_repo(workspace)
    refuse_foreign(usable_book(workspace), what, "be taken back")
    found = verb.find(workspace, repo, what)
    reverting.settle(workspace, repo, found, why, is_undo=False, dry_run=dry_run, as_json=as_json)
