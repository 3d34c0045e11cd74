"""git's progress, read as it comes: told on, and stopped where it has become too much (git-index-pack(1))."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from gitforge.store.remote_failures import RemoteFailed

_PAUSE = 0.1  # seconds between two calls
_STAGE = re.compile(r"(?:remote: )?([A-Z][a-z]+ [a-z]{1,20}): +(?:\d+% \((\d+)/(\d+)\)|(\d+))(.*)")
_AMOUNT = re.compile(r", ([\d.]+) (bytes|KiB|MiB|GiB)")
_UNITS = {"bytes": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


@dataclass(frozen=True)
class Progress:
    """How far git has come.

    Args:
        stage: In git's words, such as `Receiving objects`.
        done: How many are done.
        total: Of how many; None where that is not known.
    """

    stage: str
    done: int
    total: int | None


OnProgress = Callable[[Progress], None]


@dataclass
class Meter:
    """Takes git's messages, line by line.

    Args:
        progress: Told at each new stage, at its end, and ten times a second between.
        max_bytes: How much may be received; None for no limit.
        where: Who sends it, for people.
    """

    progress: OnProgress | None = None
    max_bytes: int | None = None
    where: str = ""
    _told: float = field(default=0.0, init=False)
    _stage: str = field(default="", init=False)

    def __call__(self, line: str) -> None:
        """Reads one line.

        Raises:
            RemoteFailed: More than may be was received.
        """
        found = _STAGE.match(line)
        if found is None:
            return
        stage, done, total, alone, rest = found.groups()
        amount = None if line.startswith("remote: ") else _AMOUNT.match(rest)  # the remote's own words
        received = float(amount[1]) * _UNITS[amount[2]] if amount else 0
        if self.max_bytes is not None and received > self.max_bytes:
            raise too_large(self.where, self.max_bytes)
        now = time.monotonic()
        is_due = stage != self._stage or now - self._told >= _PAUSE or "done." in rest
        if self.progress is not None and is_due:
            self._told, self._stage = now, stage
            self.progress(Progress(stage, int(done or alone), int(total) if total else None))


def too_large(where: str, max_bytes: int) -> RemoteFailed:
    """That a remote sends more than was allowed."""
    return RemoteFailed(
        f"{where} sends more than {max_bytes / (1 << 20):g} MiB, so it was stopped",
        why="too-large",
        hint="If you expect that much, allow it with --max-size, or fetch it with git first.",
    )
