"""What a person or a script gets to see. Results go to standard output, everything else to standard error.

Text from files is made harmless before it reaches a terminal. Colour only where a terminal is at the other
end and `NO_COLOR` is not set; rich is imported only then.
"""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from gitforge.text import printable, printable_line

TYPE_CHECKING = False  # typing's own takes longer to import than all the rest here
if TYPE_CHECKING:
    from typing import Any, TextIO

    from rich.console import Console

Part = str | tuple[str, str]  # plain text, or text with a rich style

GOOD, BAD, WARN, DIM, BOLD = "green", "red", "yellow", "dim", "bold"
STYLES = {"ready": GOOD, "missing": BAD, "edited, not committed": WARN, "deleted, not committed": BAD}


_LAST_COLUMN = 12  # characters in which a column of words can still be read
_SENTENCES = 28  # the same for more than _WORDS characters
_WORDS = 40
_COLUMN = 48  # characters in which prose can be read


def is_terminal(stream: TextIO) -> bool:
    """Whether a person reads it: on a terminal, or in a pager on one."""
    return stream.isatty() or (stream is sys.stdout and _paged_width is not None)


_paged_width: int | None = None  # columns of the terminal that standard output's pager has


@contextmanager
def in_pager(width: int) -> Iterator[None]:
    """While it lasts, standard output leads to a pager on a terminal.

    Args:
        width: The terminal's, in columns.
    """
    global _paged_width  # noqa: PLW0603 -- as global as standard output
    _paged_width = width
    try:
        yield
    finally:
        _paged_width = None
        _console.cache_clear()  # rich's console is silent for ever once a pager has quit


def room() -> int | None:
    """How many columns the person who reads standard output has; None where nobody does."""
    return console(sys.stdout).width if is_terminal(sys.stdout) else None


def is_interactive() -> bool:
    """Whether there is a person to ask: on standard input, with the questions on standard error."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def say(*parts: Part) -> None:
    """Tells the person something: progress, notes, warnings."""
    _write(sys.stderr, parts)


def result(*parts: Part) -> None:
    """Gives a result."""
    _write(sys.stdout, parts)


def text(value: str) -> None:
    """Gives a text as a result: to a program or file exactly as it is, in UTF-8, to a terminal without harm."""
    if is_terminal(sys.stdout):
        print(printable(value), end="")  # noqa: T201
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(value.encode())


def data(value: Any) -> None:
    """Gives a result for a script, as JSON."""
    # On a terminal nothing may hide in it, and what another encoding lacks has JSON's own escapes.
    is_plain = is_terminal(sys.stdout) or sys.stdout.encoding.casefold() not in {"utf-8", "utf8"}
    print(json.dumps(value, indent=2, ensure_ascii=is_plain))  # noqa: T201


def table(columns: Sequence[str], rows: Iterable[Sequence[Part]], *, to_stderr: bool = False) -> None:
    """A table: with rules of rich on a terminal, as aligned columns of plain text elsewhere."""
    stream = sys.stderr if to_stderr else sys.stdout
    rows = list(rows)
    if not rows:
        return
    if not is_terminal(stream):
        _plain_table(stream, rows)
        return
    from rich.table import Table  # noqa: PLC0415 -- 25 ms that a pipe need not pay
    from rich.text import Text  # noqa: PLC0415

    # Nothing is ever cut: where the others leave no room for the last column, they are folded too.
    *others, last = [max(len(_cell(cell)) for cell in column) for column in zip(*rows, strict=True)]
    least = _SENTENCES if last > _WORDS else _LAST_COLUMN
    fits = sum(others) + 2 * len(others) + least <= console(stream).width
    grid = Table(
        box=None, pad_edge=False, show_header=bool(any(columns)), header_style=DIM, padding=(0, 2, 0, 0)
    )
    for index, column in enumerate(columns):
        is_last = index == len(columns) - 1  # it takes what is left
        grid.add_column(column, overflow="fold", no_wrap=fits and not is_last, ratio=1 if is_last else None)
    for row in rows:
        grid.add_row(
            *(Text.assemble((_cell(part), "" if isinstance(part, str) else part[1])) for part in row)
        )
    console(stream).print(grid)


def width() -> int | None:
    """Columns of the terminal that results go to, perhaps through a pager; None where it is none."""
    if _paged_width is not None:
        return _paged_width
    return console(sys.stdout).width if sys.stdout.isatty() else None


def has_room_for(count: int) -> bool:
    """Whether texts can be read in so many columns beside each other."""
    return sys.stderr.isatty() and console(sys.stderr).width // count >= _COLUMN


def columns(texts: Sequence[tuple[str, Sequence[Part]]]) -> None:
    """Tells texts beside each other, each with a title; for a terminal that has room for them."""
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), expand=True, header_style=BOLD)
    for title, _ in texts:
        grid.add_column(printable(title), ratio=1, overflow="fold")
    grid.add_row(*(Text.assemble(*map(_clean, parts)) for _, parts in texts))
    console(sys.stderr).print(grid)


def diff(text: str, *, to_stdout: bool = False) -> None:
    """A unified diff, coloured as git colours it."""
    show = result if to_stdout else say
    styles = {"+++": BOLD, "---": BOLD, "@@": "cyan", "+": GOOD, "-": BAD}
    for line in text.removesuffix("\n").split("\n"):
        style = next((style for start, style in styles.items() if line.startswith(start)), "")
        show((line, style))


def console(stream: TextIO) -> Console:
    """Rich's console for a stream; it decides on colour by the usual rules."""
    paged = _paged_width if stream is sys.stdout else None
    return _console(stream.fileno() if stream.isatty() else -1, stream is sys.stderr, paged)


@functools.cache
def _console(_handle: int, is_stderr: bool, paged: int | None) -> Console:
    from rich.console import Console  # noqa: PLC0415

    is_paged = None if paged is None else True  # None: rich looks itself
    return Console(stderr=is_stderr, highlight=False, soft_wrap=False, width=paged, force_terminal=is_paged)


def _write(stream: TextIO, parts: Sequence[Part]) -> None:
    if not is_terminal(stream):
        print("".join(map(_plain, parts)), file=stream)
        return
    from rich.text import Text  # noqa: PLC0415

    # What is told is wrapped between words; a result is left whole, so that it can be copied.
    console(stream).print(Text.assemble(*map(_clean, parts)), soft_wrap=stream is sys.stdout)


def _plain(part: Part) -> str:
    return printable(part if isinstance(part, str) else part[0])


def _clean(part: Part) -> Part:
    return printable(part) if isinstance(part, str) else (printable(part[0]), part[1])


def _cell(part: Part) -> str:
    return printable_line(part if isinstance(part, str) else part[0])


def _plain_table(stream: TextIO, rows: Sequence[Sequence[Part]]) -> None:
    cells = [[_cell(part) for part in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in cells)
    print("\n".join(lines), file=stream)


def prepare_streams() -> None:
    """Makes both streams able to print any text, whatever the locale, even where they were closed."""
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: PTH123, SIM115 -- open as long as the process
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: PTH123, SIM115
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def discard_output() -> None:
    """After the reader of a pipe went away: lets the interpreter end without a complaint."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
