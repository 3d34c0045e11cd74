"""`gitforge init`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gitforge.cli import output
from gitforge.cli.session import AsJson, Directory, here
from gitforge.initialise import initialise

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command(epilog="Example: gitforge init prompts && cd prompts && gitforge build")
def init(
    ctx: typer.Context,
    folder: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="The workspace's folder.", show_default=False)
    ] = Path(),
    origin: Annotated[
        Path | None,
        typer.Option(
            "--from", metavar="FILE", help="Take over a goal_map.json and the components/ beside it."
        ),
    ] = None,
    as_json: AsJson = False,
    directory: Directory = Path(),
) -> None:
    """Make a workspace with a starter library.

    In a new git repository, or in the one around DIR. The new files are one commit; nothing that is there
    already is overwritten.
    """
    base = here(ctx, directory)
    done = initialise(base / folder, base / origin if origin else None)
    if as_json:
        output.data(
            {
                "workspace": str(done.root.resolve()), "commit": done.commit, "written": done.written,
                "kept": done.kept, "skipped": done.skipped, "new_repository": done.is_new_repository,
            }
        )  # fmt: skip
        return
    for reason in done.skipped:
        output.say(("skipped: ", output.WARN), reason)
    if done.commit is None and done.is_new_repository:
        output.result(f"Made a git repository around the workspace in {done.root.resolve()}.")
        output.say("Next: record what is in it, with `git add .` and `git commit`.")
        return
    if done.commit is None:
        output.result(f"{done.root.resolve()} is a workspace already: nothing to do.")
        return
    if done.kept:
        output.say(("kept as it was: ", output.WARN), ", ".join(done.kept))
    if done.fallback:
        output.say(("note: ", output.WARN), f"no git identity is set, so the commit is by {done.fallback}")
    what = "a new repository" if done.is_new_repository else "the repository around it"
    made = f"{len(done.written)} files, commit {done.commit[:10]} in {what}"
    output.result(f"Made a workspace in {done.root.resolve()}: {made}.")
    output.say("Next: `gitforge list` shows the goals, `gitforge build` makes a toolkit.")
