"""Long results in the user's pager, as git shows its own."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from gitforge.cli import output
from gitforge.errors import UserError

if TYPE_CHECKING:
    from gitforge.store.repo import Repo

NoPager = Annotated[bool, typer.Option("--no-pager", help="Print a long result at once, without a pager.")]

_DEFAULTS = {"LESS": "FRX", "LV": "-c"}
"""What git sets where the user has not: quit where it fits, show colours, leave the screen as it is (git-config(1))."""

_IN_SHELL = frozenset("|&;<>()$`\\\"'\n*?[#~=%")
"""With one of these only the shell knows which program a command starts."""

_NOT_STARTED = {126, 127}  # what a shell answers for a command that it cannot start


@contextmanager
def paged(repo: Repo, *, is_wanted: bool = True) -> Iterator[None]:
    """Sends standard output through the pager that git would use, where it is a terminal.

    A pager that ends before it has read everything ends the `with` block without an error.

    Args:
        repo: Whose settings hold.
        is_wanted: Not, where the user said --no-pager or wants data.

    Raises:
        UserError: It cannot be started.
    """
    command = repo.pager() if is_wanted and sys.stdout.isatty() else "cat"
    if command in {"", "cat"} or not _is_there(command):
        yield
        return
    width = shutil.get_terminal_size().columns
    sys.stdout.flush()
    pager = subprocess.Popen(  # noqa: S603 -- what runs in the shell is the user's own setting
        ["sh", "-c", command],  # noqa: S607 -- the user's own setting, run as git runs it
        stdin=subprocess.PIPE,
        env={**_DEFAULTS, **os.environ},
    )
    terminal = os.dup(sys.stdout.fileno())
    with _until_it_quits(), output.in_pager(width):
        try:
            _lead_output_to(pager)
            yield
            sys.stdout.flush()
        finally:
            _lead_output_back(terminal)
            _wait(pager)
    if pager.returncode in _NOT_STARTED:
        hint = "Set core.pager or PAGER to one that is there, or say --no-pager."
        raise UserError(f"the pager could not be started: {command}", hint=hint)


def _is_there(command: str) -> bool:
    """Whether there is such a program; where nobody can tell, the shell will. Says so, where there is none, as git."""
    try:
        program = shlex.split(command)[0]
    except (ValueError, IndexError):
        return True
    if _IN_SHELL & set(command) or shutil.which(program) is not None:
        return True
    output.say(("note: ", output.WARN), f"the pager is not there: {program}")
    return False


@contextmanager
def _until_it_quits() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        pass
    except SystemExit as end:  # what rich makes of it
        if not isinstance(end.__context__, BrokenPipeError):
            raise


def _lead_output_to(pager: subprocess.Popen[bytes]) -> None:
    assert pager.stdin is not None  # noqa: S101 -- for mypy: it is a pipe
    os.dup2(pager.stdin.fileno(), sys.stdout.fileno())
    pager.stdin.close()


def _lead_output_back(terminal: int) -> None:
    """Closes the pipe to the pager; what it did not read is not shown behind it."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        output.discard_output()
        sys.stdout.flush()
    os.dup2(terminal, sys.stdout.fileno())
    os.close(terminal)


def _wait(pager: subprocess.Popen[bytes]) -> None:
    """Until the person has read: Ctrl-C is the pager's own now."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        pager.wait()
    finally:
        signal.signal(signal.SIGINT, before)
