"""A time limit for a whole exchange with a server, which the SDK's own time limits do not give."""

from __future__ import annotations

import time
from collections.abc import Callable


class DeadlineExceeded(Exception):
    """The time for the whole exchange is over."""


class Deadline:
    """The end of an exchange, whatever the server does: failures, silence, or bytes without text.

    Args:
        seconds: From its start on, which is when a request may first be sent.
        clock: Seconds, counted up.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._end: float | None = None

    def start(self) -> None:
        """Begins to count, the first time that it is called."""
        if self._end is None:
            self._end = self._clock() + self._seconds

    def postpone(self, seconds: float) -> None:
        """Leaves out time in which the exchange waited for others of ours, not for its server."""
        if self._end is not None:
            self._end += seconds

    def left(self) -> float:
        """Seconds until the deadline; negative after it."""
        return self._seconds if self._end is None else self._end - self._clock()

    def check(self) -> None:
        """Raises `DeadlineExceeded` after the deadline."""
        if self.left() <= 0:
            raise DeadlineExceeded
