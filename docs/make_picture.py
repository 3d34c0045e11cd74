"""Makes the pictures in the README from a real run: `python docs/make_picture.py`.

A workspace is made in a temporary folder, one of its protocols is taken away, and `gitforge build` is driven
through a pseudo-terminal as a person would. What the screen shows becomes docs/goal.svg and docs/build.svg. Then
somebody else edits the protocol, and `gitforge review` becomes docs/review.svg.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pexpect
import pyte
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.style import Style
from rich.text import Text

COLUMNS, ROWS = 104, 72
HERE = Path(__file__).parent
PROTOCOL = "library/protocols/root_cause_analysis_drilldown.md"
# The fonts that rich would load from the network are left out: the picture is complete in itself.
LAYOUT = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)


class Terminal:
    """A program on a pseudo-terminal, and the screen that it draws."""

    def __init__(self, command: list[str], folder: Path, environment: dict[str, str]) -> None:
        self.screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self.screen)
        self._program = pexpect.spawn(
            command[0], command[1:], cwd=str(folder), env=environment, dimensions=(ROWS, COLUMNS), timeout=30
        )

    def wait_for(self, text: str) -> None:
        """Reads until the screen shows the text."""
        while not any(text in line for line in self.screen.display):
            self._stream.feed(self._program.read_nonblocking(65536, timeout=30))

    def type(self, keys: str) -> None:
        """Types keys."""
        self._program.send(keys)

    def finish(self) -> None:
        """Reads to the end."""
        while True:
            try:
                self._stream.feed(self._program.read_nonblocking(65536, timeout=30))
            except pexpect.EOF:
                return

    def lines(self) -> list[Text]:
        """The screen as styled text, without the empty lines at its end."""
        lines = []
        for row in range(ROWS):
            line = Text(no_wrap=True)
            for column in range(COLUMNS):
                cell = self.screen.buffer[row][column]
                line.append(cell.data, _style(cell))
            line.rstrip()
            lines.append(line)
        while lines and not lines[-1].plain:
            lines.pop()
        return lines


def _style(cell: pyte.screens.Char) -> Style:
    names = {"brown": "yellow", "default": None, "brightblack": "bright_black"}
    colour = names.get(cell.fg, cell.fg)
    if colour is not None and re.fullmatch(r"[0-9a-f]{6}", colour):
        colour = f"#{colour}"
    if colour is not None and colour.startswith("bright") and "_" not in colour:
        colour = colour.replace("bright", "bright_")
    return Style(color=colour, bold=cell.bold)


def draw(lines: list[Text], title: str, path: Path) -> None:
    """Writes lines of a screen as a picture."""
    console = Console(record=True, width=COLUMNS, file=open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123
    for line in lines:
        console.print(line)
    picture = console.export_svg(title=title, code_format=LAYOUT, unique_id="gitforge")
    path.write_text("\n".join(line.rstrip() for line in picture.splitlines()) + "\n", encoding="utf-8")


def main() -> None:
    """Runs the build and draws it."""
    with tempfile.TemporaryDirectory() as scratch:
        environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": scratch,
            "TERM": "xterm-256color",
            "LC_ALL": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_DATE": "2026-01-01T12:00:00Z",
            "GIT_COMMITTER_DATE": "2026-01-01T12:00:00Z",
        }
        workspace = Path(scratch) / "prompts"
        for command in (
            ["git", "config", "--global", "user.name", "An Engineer"],
            ["git", "config", "--global", "user.email", "engineer@example.org"],
            ["gitforge", "init", str(workspace)],
            ["git", "-C", str(workspace), "rm", "--quiet", PROTOCOL],
            ["git", "-C", str(workspace), "commit", "--quiet", "-m", "Take the protocol away"],
        ):
            subprocess.run(command, env=environment, check=True, capture_output=True)
        terminal = Terminal(["gitforge", "build"], workspace, environment)
        terminal.wait_for("Project name:")
        terminal.type("checkout_outage\r")
        terminal.wait_for("WRITE_POSTMORTEM")
        draw(terminal.lines()[:22], "gitforge build", HERE / "goal.svg")
        terminal.type("cause")
        terminal.wait_for("Goal: cause")
        terminal.type("\r")
        terminal.wait_for("what are these for?")
        terminal.wait_for("root_cause_analysis_drilldown.md:")
        terminal.type("Drill from the symptom to a cause that can be switched off and on\r")
        terminal.wait_for("Record this protocol?")
        terminal.type("a\r")
        terminal.finish()
        draw(terminal.lines(), "gitforge build", HERE / "build.svg")
        _edit_by_another(workspace, environment)
        command = f"gitforge review && gitforge log --no-pager {Path(PROTOCOL).name}"
        terminal = Terminal(["sh", "-c", command], workspace, environment)
        terminal.wait_for("Approve this protocol?")
        terminal.type("a\r")
        terminal.finish()
        draw(terminal.lines(), "gitforge review", HERE / "review.svg")


def _edit_by_another(workspace: Path, environment: dict[str, str]) -> None:
    """Commits a change of the generated protocol, by plain git."""
    file = workspace / PROTOCOL
    text = file.read_text(encoding="utf-8")
    changed = text.replace("Conclude**: answer", "Conclude**: be confident, and answer")
    assert changed != text
    file.write_text(changed, encoding="utf-8")
    author = {"GIT_AUTHOR_NAME": "A Colleague", "GIT_AUTHOR_EMAIL": "colleague@example.org"}
    subprocess.run(
        ["git", "-C", str(workspace), "commit", "--quiet", "--all", "-m", "Sound more confident"],
        env={**environment, **author}, check=True, capture_output=True,
    )  # fmt: skip


if __name__ == "__main__":
    main()
