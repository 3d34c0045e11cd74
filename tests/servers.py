"""Real servers on loopback, and what misbehaves like one."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PATIENCE = 30.0  # seconds for a server to come up: a guard, not a measurement


def free_port() -> int:
    """A port on loopback that nobody listens on now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@contextmanager
def raw_server(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """A TCP server that does one thing with each connection; gives its port.

    Args:
        answer: What it does; the connection is closed when it returns.
    """
    held: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                held.append(connection)
                with contextlib.suppress(OSError):
                    answer(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
    for connection in held:
        connection.close()
    thread.join(PATIENCE)


def silent(connection: socket.socket) -> None:
    """Accepts, and never says a word."""


def garbage(connection: socket.socket) -> None:
    """Says what no git understands."""
    connection.recv(1 << 16)
    connection.sendall(b"\x1b[2J\x00\xff what did you expect?\r\n" * 10)
    connection.close()


def reset(connection: socket.socket) -> None:
    """Cuts the connection off as a dying machine does."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    connection.close()


@contextmanager
def git_daemon(folder: Path, *, writable: bool = False) -> Iterator[str]:
    """`git daemon` over a folder of repositories; gives the URL to put a repository's name behind."""
    port = free_port()
    command = ["git", "daemon", "--reuseaddr", "--export-all", "--listen=127.0.0.1", f"--port={port}"]
    command += [f"--base-path={folder}", *(["--enable=receive-pack"] if writable else []), str(folder)]
    with _running(command, port):
        yield f"git://127.0.0.1:{port}"


@contextmanager
def _running(command: list[str], port: int, **environment: str) -> Iterator[None]:
    """A server of its own process group, until the block ends."""
    server = subprocess.Popen(
        command, env={**os.environ, **environment}, process_group=0,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        _wait_for(port, server)
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, 15)
        server.communicate(timeout=PATIENCE)


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    pause = threading.Event()
    for _ in range(int(PATIENCE / 0.05)):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        if server.poll() is not None:
            pytest.fail(f"the server ended: {server.communicate()[1].decode()}")
        pause.wait(0.05)
    pytest.fail("the server does not come up")


def needs(program: str) -> str:
    """Where a program is; skips the test where it is not."""
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/lib/openssh")
    if found is None:
        pytest.skip(f"{program} is not installed here")
    return found
