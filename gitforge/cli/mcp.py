"""`gitforge mcp`."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from gitforge.cli import output
from gitforge.cli.session import Directory, here
from gitforge.errors import UserError
from gitforge.workspace import Workspace

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")

_EXTRA = {"mcp", "mcp_types", "anyio"}


@app.command(epilog="Example: gitforge mcp -C ~/prompts --print-config")
def mcp(
    ctx: typer.Context,
    allow_write: Annotated[
        bool,
        typer.Option(
            "--allow-write", help="Offer tools that write toolkits and record generated components."
        ),
    ] = False,
    print_config: Annotated[
        bool,
        typer.Option("--print-config", help="Print what to put into a client's settings, and serve nothing."),
    ] = False,
    directory: Directory = Path(),
) -> None:
    """Serve the library to agents.

    A Model Context Protocol server on standard input and output, for a client to start: goals are prompts,
    components resources, listing and building tools. Everything is read anew for each request. Without
    --allow-write nothing is ever written. It ends with its input, or with Ctrl-C.
    """
    start = here(ctx, directory)
    if print_config:
        Workspace.find(start)
        output.data(_config(start, allow_write=allow_write))
        return
    if not start.is_dir():
        raise UserError(f"{start}: there is no such folder")
    try:
        Workspace.find(start)
    except UserError as error:  # which may change while the server runs
        output.say(("warning: ", output.WARN), error.message)
    try:
        from gitforge.cli.mcp_server import serve  # noqa: PLC0415 -- the extra, and 400 ms
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        raise UserError(
            f"the server needs the extra `mcp`: there is no module {error.name}",
            hint="Install it: `pip install 'gitforge[mcp]'`.",
        ) from None
    serve(start.resolve(), may_write=allow_write)


def _config(start: Path, *, allow_write: bool) -> dict[str, object]:
    """What clients want to know, in the form that most of them share; a client may have another PATH."""
    is_script = Path(sys.argv[0]).name in {"gitforge", "git-forge"}
    program = shutil.which(sys.argv[0]) if is_script else None
    command = [os.path.abspath(program)] if program else [sys.executable, "-m", "gitforge"]  # noqa: PTH100
    arguments = [*command[1:], "mcp", "-C", str(start.resolve()), *(["--allow-write"] if allow_write else [])]
    return {"mcpServers": {"gitforge": {"command": command[0], "args": arguments}}}
