"""`gitforge install-driver`."""

from __future__ import annotations

import shutil
import sysconfig
from pathlib import Path
from typing import Annotated

import typer

from gitforge.cli import output
from gitforge.cli.session import AsJson, Directory, find_workspace, open_repo
from gitforge.store import merge_driver

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command(epilog="Example: gitforge install-driver && git pull --rebase")
def install_driver(
    ctx: typer.Context,
    is_removal: Annotated[bool, typer.Option("--remove", help="Take it back.")] = False,
    as_json: AsJson = False,
    directory: Directory = Path(),
) -> None:
    """Have plain git merge goals.yaml as what it says, in this clone.

    `git merge`, `rebase`, `cherry-pick`, `pull` and `stash pop` then merge goals by name and lists as sets, and leave
    no conflict markers. It is noted in the clone's own configuration and `info/attributes`: nothing is committed, and
    other clones are not concerned. `gitforge sync` needs no installation.
    """
    workspace = find_workspace(ctx, directory)
    repo = open_repo(workspace)
    path = repo.relative(workspace.goals_file)
    is_news = merge_driver.remove(repo, path) if is_removal else merge_driver.install(repo, path, _program())
    if as_json:
        output.data({"path": path, "installed": not is_removal, "changed": is_news})
    elif is_removal:
        output.result(
            f"git merges {path} as lines again." if is_news else "It was not installed: nothing to do."
        )
    else:
        already = "" if is_news else " already"
        output.result(f"git merges {path} as what it says{already}, in this clone.")


def _program() -> str:
    """The program that runs now, by its path where it has one: git may be started with another PATH."""
    script = Path(sysconfig.get_path("scripts"), "gitforge")
    return str(script) if script.is_file() else shutil.which("gitforge") or "gitforge"
