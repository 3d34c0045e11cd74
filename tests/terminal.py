"""The program on a real pseudo-terminal, with the screen that a person would see.

with Terminal("build", cwd=workspace) as terminal:
    terminal.wait_for("Project name:")
    terminal.enter("outage")
    ...
    assert terminal.ended() == 0
"""

from __future__ import annotations

import os
import termios
import time
from pathlib import Path
from typing import Any, Self

import pexpect  # type: ignore[import-untyped]
import pyte
from program import COMMAND

UP, DOWN, ENTER, ESCAPE = "\x1b[A", "\x1b[B", "\r", "\x1b"
CTRL_C, CTRL_D = "\x03", "\x04"

PATIENCE = 60.0  # seconds for anything to happen: a guard against a test that hangs, not a measurement
LONGEST = 120.0  # seconds for what is waited for, where something else happens all the time


class Terminal:
    """A terminal in which gitforge runs.

    Args:
        arguments: The command line, without the program.
        cwd: Where it runs.
        columns: The terminal's width.
        rows: The terminal's height.
        output: A file to which standard output goes instead of the terminal.
        environment: Variables beyond the test's own.
    """

    def __init__(
        self,
        *arguments: str,
        cwd: Path,
        columns: int = 100,
        rows: int = 40,
        output: Path | None = None,
        **environment: str,
    ) -> None:
        variables = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES"}}
        self._screen = _Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self.raw = b""
        command = [*COMMAND, *arguments]
        if output is not None:
            command = ["sh", "-c", 'target=$1; shift; exec "$@" > "$target"', "sh", str(output), *command]
        self._child: Any = pexpect.spawn(
            command[0], command[1:], cwd=str(cwd), env=variables | environment,
            dimensions=(rows, columns), echo=True,
        )  # fmt: skip
        self._child.delaybeforesend = None
        self._screen.answer = self._child.send
        self._modes = _modes(self._child.child_fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._child.close(force=True)

    @property
    def screen(self) -> str:
        """What is on the screen now, line by line."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    @property
    def told(self) -> str:
        """What is on the screen, and what has scrolled off its top; lines that it broke are still broken."""
        above = (
            "".join(line[x].data for x in range(self._screen.columns)) for line in self._screen.history.top
        )
        return "\n".join([*(line.rstrip() for line in above), self.screen])

    def wait_for(self, text: str, *, times: int = 1) -> None:
        """Waits until a text has been shown, as often as said."""
        until = time.monotonic() + LONGEST
        while self.told.count(text) < times:
            assert time.monotonic() < until, f"{text!r} was not shown {times} times:\n{self.told}"
            assert self._read(), f"ended before it showed {text!r} {times} times:\n{self.told}"

    def wait_until_gone(self, text: str) -> None:
        """Waits until a text is not on the screen any more."""
        while text in self.screen:
            assert self._read(), f"ended with {text!r} on the screen:\n{self.told}"

    def send(self, keys: str) -> None:
        """Presses keys."""
        self._child.send(keys)

    def enter(self, line: str) -> None:
        """Types a line, and the Enter key."""
        self.send(line + ENTER)

    def ended(self) -> int:
        """Waits for the program's end and returns its exit code; the terminal must be as it was before."""
        while self._read():
            pass
        modes = _modes(self._child.child_fd)
        self._child.wait()
        assert modes == self._modes, "the terminal's modes are not what they were"
        assert not self._screen.cursor.hidden, "the cursor is hidden"
        assert self._child.signalstatus is None
        return int(self._child.exitstatus)

    def _read(self) -> bool:
        """Takes in what comes; False at the end."""
        try:
            chunk: bytes = self._child.read_nonblocking(65536, PATIENCE)
        except pexpect.EOF:
            return False
        except pexpect.TIMEOUT:
            raise AssertionError(f"nothing happens any more:\n{self.told}") from None
        self.raw += chunk
        self._stream.feed(chunk)
        return True


class _Screen(pyte.HistoryScreen):
    """A screen that answers the program's questions, such as where the cursor is."""

    def __init__(self, columns: int, rows: int) -> None:
        self.answer: Any = None
        super().__init__(columns, rows, history=10_000)

    def write_process_input(self, data: str) -> None:
        self.answer(data)


def _modes(terminal: int) -> list[Any]:
    """Echo, line editing, signals and the rest."""
    return termios.tcgetattr(terminal)
