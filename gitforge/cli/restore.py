"""`gitforge restore`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gitforge import restore as verb
from gitforge.cli import completing, output, reverting
from gitforge.cli.session import AsJson, Directory, WouldRecord, find_workspace, open_repo
from gitforge.named import refuse_foreign, usable_book

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command(epilog="Example: gitforge restore digital_detective.md --at HEAD~3")
def restore(
    ctx: typer.Context,
    component: Annotated[
        str,
        typer.Argument(
            metavar="COMPONENT",
            help="A file name, there or gone.",
            show_default=False,
            autocompletion=completing.components,
        ),
    ],
    at: Annotated[
        str,
        typer.Option(
            "--at",
            metavar="REV",
            help="The commit that has the text you want.",
            show_default=False,
            autocompletion=completing.commits,
        ),
    ],
    dry_run: WouldRecord = False,
    as_json: AsJson = False,
    directory: Directory = Path(),
) -> None:
    """Bring a component back as it was at another commit, as one new commit.

    Also one that was deleted since, or had another name then.
    """
    workspace = find_workspace(ctx, directory)
    repo = open_repo(workspace)
    refuse_foreign(usable_book(workspace), component, "be brought back")
    found = verb.find(workspace, repo, component, at)
    recorded = None
    if not dry_run and not found.is_empty:
        recorded = verb.carry_out(repo, found)
        reverting.show_recorded(recorded)
    commit = recorded.commit if recorded is not None else None
    if as_json:
        output.data(
            {
                "path": found.step.path,
                "at": found.commit,
                "was_called": found.was_called,
                "commit": commit,
                "changed": not found.is_empty,
            }
        )
    where = f"{found.step.path} as it was in {found.commit[:10]}"
    if found.is_empty:
        output.say(f"{where}: it is so already.")
    elif dry_run:
        if not as_json:
            reverting.show_diffs([found.step])
        output.say(f"Dry run: {where} would come back; nothing was recorded.")
    elif commit is not None:
        if not as_json:
            reverting.show_steps([found.step])
        output.say(("restored: ", output.GOOD), where, (f" by commit {commit[:10]}", output.DIM))
