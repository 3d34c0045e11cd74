"""A time limit for a whole exchange with a server, which the SDK's own time limits do not give."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any


class DeadlineExceeded(Exception):
    """The time for the whole exchange is over."""


class Deadline:
    """The end of an exchange, whatever the server does: failures, silence, or bytes without text.

    Args:
        seconds: From now on.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds until the deadline; negative after it."""
        return self._end - time.monotonic()

    def check(self) -> None:
        """Raises `DeadlineExceeded` after the deadline."""
        if self.left() <= 0:
            raise DeadlineExceeded

    def hooks(self) -> dict[str, list[Callable[..., Any]]]:
        """For the HTTP client: no attempt outlasts the deadline, and none starts after it."""
        return {"request": [self._shorten], "response": [self._forbid_long_wait]}

    def _shorten(self, request: Any) -> None:
        self.check()
        limits = request.extensions["timeout"]
        request.extensions["timeout"] = {what: min(limit, self.left()) for what, limit in limits.items()}

    def _forbid_long_wait(self, response: Any) -> None:
        for name, unit in ("retry-after-ms", 0.001), ("retry-after", 1):
            with suppress(KeyError, ValueError):  # absent, or a date, which model servers do not send
                if float(response.headers[name]) * unit >= self.left():
                    response.headers["x-should-retry"] = "false"  # which the SDK obeys

    @contextmanager
    def ends(self, stream: Any) -> Iterator[None]:
        """Ends the stream at the deadline: the read timeout alone starts anew with every byte.

        Args:
            stream: The SDK's stream, whose socket is shut down.
        """
        connection = stream.response.extensions["network_stream"].get_extra_info("socket")

        def shut_down() -> None:
            with suppress(OSError):
                # Wakes a waiting `recv`, as `close` would not; and not `SSLSocket.shutdown`, which drops the
                # TLS state under the reader.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)

        timer = threading.Timer(max(self.left(), 0), shut_down)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
