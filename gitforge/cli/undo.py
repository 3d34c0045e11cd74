"""`gitforge undo`."""

from __future__ import annotations

from pathlib import Path

import typer

from gitforge import undo as verb
from gitforge.cli import output, reverting
from gitforge.cli.session import AsJson, Directory, WouldRecord, find_workspace, open_repo
from gitforge.text import printable_line

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command(epilog="Example: gitforge undo")
def undo(
    ctx: typer.Context,
    dry_run: WouldRecord = False,
    as_json: AsJson = False,
    directory: Directory = Path(),
) -> None:
    """Take back the last thing that gitforge recorded, as one new commit.

    Whatever it was: a generation, a goal, an approval, a revert. Run again, it goes one further back. Commits that
    are not gitforge's stay as they are. One that changes other files too, after a squash merge say, is left to you:
    `gitforge revert COMPONENT` takes one component of it back, `git revert` all of it, and `undo` then goes on.
    """
    workspace = find_workspace(ctx, directory)
    repo = open_repo(workspace)
    found = verb.newest(workspace, repo)
    author = verb.author_beside(repo, found.of.commit)
    if author is not None:
        output.say(("note: ", output.WARN), f"that is by {printable_line(author)}, and not by you")
    commit = reverting.settle(workspace, repo, found, "", is_undo=True, dry_run=dry_run, as_json=as_json)
    if commit is not None:
        output.say("To take this undo back: ", (f"gitforge revert {commit[:12]}", output.BOLD))
