"""The connection of one exchange with a server, which any thread can end at any time.

A thread that waits for a server's bytes hears nothing else. What wakes it is the end of its connection, from
the first byte of TLS to the last of the answer.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any


class Connection:
    """One TCP connection, known from the moment that it stands.

    It holds a handle of its own: TLS takes the first one over, and a number that is closed elsewhere may
    already stand for another connection.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._is_cut = False

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Takes note of the connection: httpcore's `trace` extension, called in the thread that connects."""
        if not event.endswith("connect_tcp.complete"):
            return
        with self._lock:
            self._close()
            self._socket = info["return_value"].get_extra_info("socket").dup()
            if self._is_cut:
                self._shut_down()

    def cut(self) -> None:
        """Ends the connection, and each that this exchange may still make: who reads from it wakes up."""
        with self._lock:
            self._is_cut = True
            self._shut_down()

    @contextmanager
    def for_seconds(self, seconds: float) -> Iterator[None]:
        """Cuts the connection after a time, and lets go of it at the end."""
        timer = threading.Timer(max(seconds, 0), self.cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            with self._lock:
                self._close()

    def _shut_down(self) -> None:
        if self._socket is not None:
            with suppress(OSError):  # the server was faster
                self._socket.shutdown(socket.SHUT_RDWR)

    def _close(self) -> None:
        if self._socket is not None:
            self._shut_down()
            self._socket.close()
            self._socket = None
