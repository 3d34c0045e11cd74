"""`gitforge merge-driver`: git calls it, where `gitforge install-driver` has said so."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gitforge import documents
from gitforge.cli import goal_clashes, output
from gitforge.errors import GitforgeError
from gitforge.goals import FILE_NAME
from gitforge.goals_merge import merge

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")

_CONFLICT = 1  # what git takes for one: above 128 it would stop


@app.command(epilog="Example: gitforge merge-driver base.yaml ours.yaml theirs.yaml")
def merge_driver(
    base: Annotated[Path, typer.Argument(metavar="BASE", help="What both sides began with; may be empty.")],
    ours: Annotated[Path, typer.Argument(metavar="OURS", help="Our version, which becomes the merged one.")],
    theirs: Annotated[Path, typer.Argument(metavar="THEIRS", help="Their version.")],
    size: Annotated[
        int, typer.Argument(metavar="[SIZE]", help="Of markers; there are none.", show_default=False)
    ] = 7,
    name: Annotated[str, typer.Argument(metavar="[PATH]", help="How messages call the file.")] = FILE_NAME,
) -> None:
    """Merge goals.yaml as what it says, for git.

    Where both sides changed a value, each in its own way, ours stands in the file, which stays a valid one, and the
    exit code is 1: a conflict for git, to be settled and added. The same where a side is no valid goals.yaml: OURS
    then stays as it is.
    """
    try:
        before, mine, other = (
            documents.read_text(path, f"{FILE_NAME} ({side})")
            for side, path in (("base", base), ("ours", ours), ("theirs", theirs))
        )
        merged = merge(before, mine, other)
    except GitforgeError as error:
        output.say(("error: ", output.BAD), error.message)
        if error.hint:
            output.say(("hint: ", output.WARN), error.hint)
        output.say(f"{name}: not merged: it stays as ours has it. Put in what theirs did, then `git add` it.")
        raise typer.Exit(_CONFLICT) from None
    if merged.text != mine:
        ours.write_bytes(merged.text.encode())
    if merged.clashes:
        count = len(merged.clashes)
        what = "value was" if count == 1 else "values were"
        output.say(f"{name}: {count} {what} changed on both sides. Ours stands in the file for now:")
        goal_clashes.show(merged.clashes)
        output.say(("hint: ", output.WARN), f"Edit {name} where theirs is right, then `git add` it.")
        raise typer.Exit(_CONFLICT)
