"""Long results in the user's pager, as git shows its own."""

from __future__ import annotations

import io
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gitforge.cli import output

if TYPE_CHECKING:
    from gitforge.store.repo import Repo

NoPager = Annotated[bool, typer.Option("--no-pager", help="Print a long result at once, without a pager.")]

_DEFAULTS = {"LESS": "FRX", "LV": "-c"}
"""What git sets where the user has not: quit where it fits, show colours, leave the screen as it is (git-config(1))."""

_IN_SHELL = frozenset("|&;<>()$`\\\"'\n*?[#~=%")
"""With one of these only the shell knows which program a command starts."""

_NOT_STARTED = {126, 127}  # what a shell answers for a command that it cannot start
_MOST_IN_PIPE = 1 << 20  # bytes that nobody has read; a pipe of Linux holds a sixteenth of that


@contextmanager
def paged(repo: Repo, *, is_wanted: bool = True) -> Iterator[None]:
    """Sends standard output through the pager that git would use, where it is a terminal.

    A pager that ends before it has read everything ends the `with` block without an error. Where none can be started,
    that is said, and everything printed.

    Args:
        repo: Whose settings hold.
        is_wanted: Not, where the user said --no-pager or wants data.
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
    terminal = sys.stdout
    way = _ToPager(pager, command, terminal.fileno())
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(way), encoding=terminal.encoding, errors=terminal.errors, write_through=False
    )
    try:
        with _until_it_quits(), output.in_pager(width):
            yield
            sys.stdout.flush()
    finally:
        with suppress(BrokenPipeError):
            sys.stdout.close()  # what it did not read is not shown behind it
        sys.stdout = terminal
        way.finish()


class _ToPager(io.RawIOBase):
    """Bytes on their way to a pager, or to the terminal once it turns out that the pager could not be started.

    Until it certainly has read something they are remembered, for a shell takes a while to find out.
    """

    def __init__(self, pager: subprocess.Popen[bytes], command: str, terminal: int) -> None:
        super().__init__()
        assert pager.stdin is not None  # noqa: S101 -- for mypy: it is a pipe
        self._pager, self._command, self._terminal = pager, command, terminal
        self._pipe = pager.stdin.fileno()
        self._sent: bytearray | None = bytearray()  # None once it is not needed any more
        self._is_unpaged = False

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._pipe

    def write(self, content: Any, /) -> int:
        """Writes all of it."""
        data = bytes(content)
        if self._is_unpaged:
            _write_all(self._terminal, data)
            return len(data)
        try:
            _write_all(self._pipe, data)
        except BrokenPipeError:
            if not self._turn_to_terminal():
                raise
            _write_all(self._terminal, data)
            return len(data)
        if self._sent is not None:
            self._sent += data
            if len(self._sent) > _MOST_IN_PIPE:
                self._sent = None
        return len(data)

    def finish(self) -> None:
        """Waits until the person has read."""
        assert self._pager.stdin is not None  # noqa: S101 -- for mypy: it is a pipe
        with suppress(BrokenPipeError):
            self._pager.stdin.close()
        if not self._is_unpaged:
            self._turn_to_terminal()

    def _turn_to_terminal(self) -> bool:
        """Once the pager has ended: prints what it was sent, if it could not be started."""
        _wait(self._pager)
        if self._pager.returncode not in _NOT_STARTED or self._sent is None:
            return False
        self._is_unpaged = True
        output.say(("note: ", output.WARN), f"the pager could not be started: {self._command}")
        _write_all(self._terminal, self._sent)
        return True


def _write_all(descriptor: int, data: bytes | bytearray) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


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


def _wait(pager: subprocess.Popen[bytes]) -> None:
    """Until the person has read: Ctrl-C is the pager's own now."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        pager.wait()
    finally:
        signal.signal(signal.SIGINT, before)
