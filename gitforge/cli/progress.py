"""What a person sees while components are generated: live lines on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Self

from gitforge import cost
from gitforge.cli import output
from gitforge.drafting.draft import Draft
from gitforge.generation.records import Event
from gitforge.llm import Provider
from gitforge.review import Decide, Decision
from gitforge.text import printable

if TYPE_CHECKING:
    from rich.live import Live
    from rich.text import Text

_FRAMES = 8  # a second
_WIDE = 60  # columns from which on words are written out
_BESIDE = 4  # rows that stay for what was said before


@dataclass
class _Running:
    """A draft that is being written."""

    name: str
    since: float
    size: int = 0


@dataclass
class _Board:
    """What there is to show while drafts are written."""

    running: dict[tuple[str, int], _Running] = field(default_factory=dict)
    since: float = 0.0
    wanted: int = 0
    drafted: int = 0
    dollars: list[float | None] = field(default_factory=list)

    def lines(self, now: float, width: int, height: int) -> list[str]:
        """One line for each draft that is being written, as far as there is room, and one for all of them.

        Args:
            now: Seconds of the clock that the events go by.
            width: Columns of the screen.
            height: Its rows.
        """
        running = list(self.running.values())
        room = max(1, height - _BESIDE)
        shown = running if len(running) <= room else running[: max(1, room - 1)]
        lines = [_line(one, now, width) for one in shown]
        if len(shown) < len(running):
            lines.append(f"and {len(running) - len(shown)} more")
        return [*lines, self._summary(now, width)] if self.wanted > 1 else lines

    def _summary(self, now: float, width: int) -> str:
        dollars = cost.add_dollars(self.dollars)
        done = (
            f"{self.drafted} of {self.wanted} drafted" if width >= _WIDE else f"{self.drafted}/{self.wanted}"
        )
        told = [done, f"{len(self.running)} running", f"{now - self.since:.1f} s"]
        return ", ".join([*told, *([f"about {cost.amount(dollars)}"] if dollars is not None else [])])


def _line(one: _Running, now: float, width: int) -> str:
    """A line that keeps its numbers, and shortens the name where there is no room for both."""
    from rich.cells import cell_len, set_cell_size  # noqa: PLC0415

    seconds = now - one.since
    verb, told = "", f": {one.size:,} in {seconds:.0f} s"
    if width >= _WIDE:
        verb, told = "drafting ", f": {one.size:,} characters in {seconds:.0f} s"
    name = printable(one.name)
    room = max(width - cell_len(verb + told), 1)
    if cell_len(name) > room:
        name = set_cell_size(name, room - 1).rstrip() + "\u2026"
    return verb + name + told


_LINES = {
    "unchanged": ("unchanged ", output.WARN, "{path}: the draft is as it was, so there is no commit"),
    "kept": ("kept draft ", output.GOOD, "of {path} by {text}, from an earlier run: nothing is sent"),
    "unkept": ("warning: ", output.WARN, "the draft of {path} could not be kept: {text}"),
    "waiting": ("waiting ", output.WARN, "{text} is making {path}; Ctrl-C stops waiting"),
    "found": ("found ", output.GOOD, "{path}: another gitforge has made it meanwhile"),
    "proposed": ("found ", output.GOOD, "{path}: {text} has it already"),
    "noticed": ("note: ", output.WARN, "{path}: {text}"),
    "repaired": ("repaired: ", output.GOOD, "{text}"),
    "skipped": ("skipped ", output.WARN, "{path}"),
}


class Progress:
    """Shows events as they come; use it as a context manager, so that no live line ever stays behind.

    Args:
        provider: Who writes the drafts.
    """

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._live: Live | None = None
        self._board = _Board()
        self._said: set[str] = set()
        self._is_used = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
        if error is not None and self._is_used:  # an interrupt can have come while the lines were taken down
            output.console(sys.stderr).show_cursor()

    def pausing(self, decide: Decide) -> Decide:
        """The review, with nothing moving under its questions."""

        def paused(drafts: Sequence[Draft]) -> Decision:
            self._stop()
            decision = decide(drafts)
            self._go_on()
            return decision

        return paused

    def __call__(self, event: Event) -> None:
        """Shows one event."""
        path = f"library/{event.need.path}{_number(event)}"
        match event.what:
            case "queued" | "drafting" | "text" | "drafted":
                self._count(event)
            case "failed":
                self._count(event)
                told = f"{event.error}"
                output.say(("failed ", output.BAD), f"{path}: {'the same' if told in self._said else told}")
                self._said.add(told)
            case "recording":
                self._stop()  # git may ask for the passphrase of a key
            case "recorded":
                output.say(
                    ("recorded ", output.GOOD), f"{path} ", (f"as commit {event.text[:10]}", output.DIM)
                )
                self._go_on()
            case "left":
                output.say(("not recorded ", output.BAD), f"{path}: {event.error}")
            case "noticed" if event.text in self._said:  # twenty drafts are told the same by one server
                pass
            case what:
                self._said.add(event.text)
                label, style, told = _LINES[what]
                output.say((label, style), told.format(path=path, text=event.text))

    def _count(self, event: Event) -> None:
        """Keeps the board; where there is no terminal says in plain lines what begins and ends."""
        board, key = self._board, (event.need.path, event.candidate)
        path = f"library/{event.need.path}{_number(event)}"
        match event.what:
            case "queued":
                board.since = board.since or event.at
                board.wanted += 1
            case "drafting":
                board.running[key] = _Running(event.need.name + _number(event), event.at)
                self._go_on()
                if not sys.stderr.isatty():
                    output.say(f"drafting {path} with {self._provider.describe}")
            case "text" if key in board.running:
                board.running[key].size += len(event.text)
            case "drafted" | "failed":
                board.running.pop(key, None)
                if event.draft is None:
                    board.wanted -= 1
                else:
                    board.drafted += 1
                    board.dollars.append(event.draft.cost)
                    if not sys.stderr.isatty():
                        size, seconds = len(event.draft.text), event.draft.seconds
                        output.say(f"drafted {path}: {size:,} characters in {seconds:.1f} s")
                if not board.running:
                    self._stop()

    def _go_on(self) -> None:
        """Shows the live lines, if there is anything to show and a terminal to show it on."""
        if self._live is not None or not self._board.running or not sys.stderr.isatty():
            return
        from rich.live import Live  # noqa: PLC0415 -- where there is a terminal

        self._live = Live(
            get_renderable=self._rendered, console=output.console(sys.stderr), refresh_per_second=_FRAMES,
            transient=True, redirect_stdout=False, redirect_stderr=False, vertical_overflow="crop",
        )  # fmt: skip
        self._is_used = True
        self._live.start(refresh=True)

    def _rendered(self) -> Text:
        """The board as it is now; called from the thread that draws."""
        from rich.text import Text  # noqa: PLC0415

        size = output.console(sys.stderr).size
        lines = self._board.lines(time.monotonic(), size.width - 1, size.height)
        return Text("\n".join(lines), no_wrap=True, overflow="ellipsis")

    def _stop(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None


def _number(event: Event) -> str:
    """Which of several drafts of a component it is about."""
    return f" ({event.candidate})" if event.candidate > 1 else ""
