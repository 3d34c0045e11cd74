"""`gitforge clone`."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from gitforge.cli import output
from gitforge.cli.main import PROBLEMS
from gitforge.cli.receiving import Meter, libraries_as_data, show_left, show_suspicions, suspicions_as_data
from gitforge.cli.session import MAX_MIB, AsJson, Directory, MaxSize, here
from gitforge.clone import Cloned, Found, folder_of
from gitforge.clone import clone as clone_workspace
from gitforge.errors import Problem
from gitforge.store import addresses
from gitforge.store.addresses import Address
from gitforge.store.remote_failures import RemoteFailed
from gitforge.text import counted, printable_line

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")

_MIB = 1 << 20
_SHOWN = 20  # problems
_OF_ANOTHER = (  # git-rev-parse(1), --local-env-vars: what a hook or an alias of git's is told of its own repository
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX", "GIT_NAMESPACE"),
    *("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_SHALLOW_FILE", "GIT_QUARANTINE_PATH"),
)


@app.command(epilog="Example: gitforge clone git@example.org:team/prompts.git && cd prompts && gitforge list")
def clone(
    ctx: typer.Context,
    url: Annotated[
        str, typer.Argument(metavar="URL", help="https, ssh, or the path of a repository on this machine.")
    ],
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="Where it is to be.", show_default=False)
    ] = None,
    branch: Annotated[
        str | None,
        typer.Option("--branch", "-b", metavar="NAME", help="The branch or tag. Default: the remote's own."),
    ] = None,
    recurse_submodules: Annotated[
        bool, typer.Option("--recurse-submodules", help="Fetch the repositories within it too.")
    ] = False,
    max_size: MaxSize = MAX_MIB,
    as_json: AsJson = False,
    directory: Directory = Path(),
) -> None:
    """Make a clone of somebody's workspace, safely.

    Everything is looked at before it is checked out, nothing of it runs, and what could not be used is not left
    behind. What may be meant for a model and not for you is shown. Exit code 3 where `gitforge check` finds
    errors, apart from components that are still to be generated.
    """
    for name in _OF_ANOTHER:
        os.environ.pop(name, None)
    base = here(ctx, directory)
    address = addresses.parse(url, base=base)
    target = Path(os.path.abspath(base / (folder or folder_of(address))))  # noqa: PTH100 -- as it was typed
    output.say(f"Cloning {address.shown} into {printable_line(str(target))}")
    with Meter() as meter, _mistaken_path_told(url):
        done = clone_workspace(
            address, target, branch=branch, with_submodules=recurse_submodules, max_bytes=max_size * _MIB,
            progress=meter.progress, before=meter.tell_fetch, can_ask=output.is_interactive(),
        )  # fmt: skip
    if as_json:
        output.data(_as_data(done, address))
    else:
        _show(done, address)
    if any(problem.severity == "error" for found in done.workspaces for problem in found.problems):
        raise typer.Exit(PROBLEMS)


@contextmanager
def _mistaken_path_told(url: str) -> Iterator[None]:
    """What looks like a page's address without its beginning is a path to git; says what may have been meant."""
    try:
        yield
    except RemoteFailed as error:
        if error.why == "missing" and re.fullmatch(r"[\w-]+(\.[\w-]+)+/[\w./~-]+", url):
            error.hint = f"Did you mean https://{url}?"
        raise


def _show(done: Cloned, address: Address) -> None:
    for found in done.workspaces:
        start = f"{found.folder}/" if found.folder else ""
        show_suspicions([(start + name, places) for name, places in found.suspicious])
        _show_problems(found.problems, start)
        show_left(found.left)
    _show_notes(done, address)
    for found in done.workspaces:
        where = printable_line(str(done.root / found.folder))
        parts = [counted(found.goals, "goal")]
        if found.missing:
            parts.append(counted(len(found.missing), "missing component"))
        if count := sum(len(places) for _, places in found.suspicious):
            parts.append(f"{counted(count, 'place')} to look at")
        output.result(f"Cloned {where}: {', '.join(parts)}, commit {done.commit[:10]}.")
    _show_next(done)


def _show_problems(problems: tuple[Problem, ...], start: str) -> None:
    errors = [one for one in problems if one.severity == "error"]
    for one in errors[:_SHOWN]:
        output.say(
            f"{printable_line(start + one.place)}: ", ("error: ", output.BAD), printable_line(one.message)
        )
    more = len(problems) - len(errors[:_SHOWN])
    if more:
        output.say((f"`gitforge check` has {more} more", output.DIM))


def _show_notes(done: Cloned, address: Address) -> None:
    notes = []
    if address.has_secret:
        notes.append(
            "the user name or password in the address was used, and is not stored: git asks for it, or a credential"
            " helper gives it"
        )
    if done.submodules:
        more = f" and {len(done.submodules) - 3} more" if len(done.submodules) > 3 else ""
        names = ", ".join(map(printable_line, done.submodules[:3]))
        notes.append(
            f"{names}{more}: another repository belongs there; `git submodule update --init` fetches it"
        )
    notes += [
        f"{printable_line(first)} and {printable_line(second)} are one file on some systems"
        for first, second in done.twins[:3]
    ]
    notes += [
        f"{printable_line(path)} is not as it is meant: the filter {printable_line(name)!r} is not set up in git"
        for name, path in done.filters[:3]
    ]
    if done.wrong:
        more = f" and {len(done.wrong) - 3} more" if len(done.wrong) > 3 else ""
        names = ", ".join(map(printable_line, done.wrong[:3]))
        notes.append(f"{names}{more}: not what it is named after, and left out")
    if done.branch is None:
        notes.append("a tag is checked out, so HEAD is on no branch; `git switch -c NAME` starts one")
    for note in notes:
        output.say(("note: ", output.WARN), note)


def _show_next(done: Cloned) -> None:
    if len(done.workspaces) > 1:
        output.say("Next: go to one of these folders; `gitforge list` shows its goals.")
        return
    (found,) = done.workspaces
    where = os.path.relpath(done.root / found.folder)
    where = str(done.root / found.folder) if where.startswith("..") else where
    go = "" if where == "." else f"`cd {shlex.quote(printable_line(where))}`, "
    if found.missing:
        output.say(f"Next: {go}`gitforge status` shows what is missing, `gitforge generate` makes it.")
    else:
        output.say(f"Next: {go}`gitforge list` shows the goals, `gitforge build` makes a toolkit.")


def _as_data(done: Cloned, address: Address) -> dict[str, Any]:
    return {
        "folder": str(done.root), "remote": address.stored, "branch": done.branch, "commit": done.commit,
        "workspaces": [_workspace_as_data(done, found) for found in done.workspaces],
        "submodules": list(done.submodules), "same_name": [list(pair) for pair in done.twins],
        "filters": [{"filter": name, "file": path} for name, path in done.filters],
        "wrong_refs": list(done.wrong),
    }  # fmt: skip


def _workspace_as_data(done: Cloned, found: Found) -> dict[str, Any]:
    return {
        "folder": str(done.root / found.folder), "goals": found.goals,
        "missing": [{"line": one.line, "message": one.message, "hint": one.hint} for one in found.missing],
        "problems": [
            {
                "file": one.file, "line": one.line, "severity": one.severity, "message": one.message,
                "hint": one.hint,
            }
            for one in found.problems
        ],
        "suspicions": suspicions_as_data(found.suspicious),
        "libraries": libraries_as_data(found.fetched, found.left),
    }  # fmt: skip
