"""What a person sees while components are generated: a live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from gitforge.cli import output
from gitforge.generate import Event
from gitforge.llm import Provider
from gitforge.text import printable

if TYPE_CHECKING:
    from rich.status import Status
    from rich.text import Text


class Progress:
    """Shows events as they come; use it as a context manager, so that the live line never stays behind.

    Args:
        provider: Who writes the drafts.
    """

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._live: Status | None = None
        self._size = 0
        self._since = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def __call__(self, event: Event) -> None:  # noqa: PLR0912 -- a table of what there is to say
        """Shows one event."""
        path = f"library/{event.need.path}"
        match event.what:
            case "drafting":
                self._start(path)
            case "text":
                self._size += len(event.text)
                if self._live is not None:
                    self._live.update(self._line(path))
            case "drafted":
                self._stop()
            case "failed":
                self._stop()
                output.say(("failed ", output.BAD), f"{path}: {event.error}")
            case "recorded":
                output.say(
                    ("recorded ", output.GOOD), f"{path} ", (f"as commit {event.text[:10]}", output.DIM)
                )
            case "kept":
                told = f"of {path} by {event.text}, from an earlier run: nothing is sent"
                output.say(("kept draft ", output.GOOD), told)
            case "unkept":
                self._stop()
                output.say(("warning: ", output.WARN), f"the draft of {path} could not be kept: {event.text}")
            case "waiting":
                output.say(("waiting ", output.WARN), f"{event.text} is making {path}; Ctrl-C stops waiting")
            case "found":
                output.say(("found ", output.GOOD), f"{path}: another gitforge has made it meanwhile")
            case "noticed":
                output.say(("note: ", output.WARN), f"{path}: {event.text}")
            case "repaired":
                output.say(("repaired: ", output.GOOD), event.text)
            case "skipped":
                output.say(("skipped ", output.WARN), path)

    def _start(self, path: str) -> None:
        self._size = 0
        self._since = time.monotonic()
        if sys.stderr.isatty():
            self._live = output.console(sys.stderr).status(self._line(path))
            self._live.start()
        else:
            output.say(f"drafting {path} with {self._provider.describe}")

    def _line(self, path: str) -> Text:
        """One line that never wraps: a live line is drawn over itself."""
        from rich.text import Text  # noqa: PLC0415

        name = path.rpartition("/")[2]
        seconds = time.monotonic() - self._since
        told = f"drafting {name}: {self._size:,} characters in {seconds:.0f} s"
        return Text(printable(told), no_wrap=True, overflow="ellipsis")

    def _stop(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None
