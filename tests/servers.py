"""Real servers on loopback, and what misbehaves like one."""

from __future__ import annotations

import base64
import contextlib
import getpass
import os
import shlex
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

PATIENCE = 60.0  # seconds for a server to come up: a guard, not a measurement


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


def stalling(port: int, amount: int) -> Callable[[socket.socket], None]:
    """Passes on what a server on another port says, and falls silent after so many bytes of it."""

    def answer(connection: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", port)) as server:

            def ask() -> None:
                with contextlib.suppress(OSError):
                    while chunk := connection.recv(1 << 16):
                        server.sendall(chunk)

            threading.Thread(target=ask, daemon=True).start()
            left = amount
            while left and (chunk := server.recv(min(left, 1 << 16))):
                connection.sendall(chunk)
                left -= len(chunk)

    return answer


@contextmanager
def git_daemon(folder: Path, *, writable: bool = False) -> Iterator[str]:
    """`git daemon` over a folder of repositories; gives the URL to put a repository's name behind."""
    port = free_port()
    command = ["git", "daemon", "--reuseaddr", "--export-all", "--listen=127.0.0.1", f"--port={port}"]
    command += [f"--base-path={folder}", *(["--enable=receive-pack"] if writable else []), str(folder)]
    with _running(command, port):
        yield f"git://127.0.0.1:{port}"


@contextmanager
def git_http(folder: Path, *, credentials: str | None = None) -> Iterator[str]:
    """`git http-backend` over a folder of repositories; gives the URL to put a repository's name behind.

    Args:
        folder: The repositories; who may read one may write to it.
        credentials: `USER:PASSWORD`, without which nobody gets in.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self._body())

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def _answer(self, body: bytes) -> None:
            wanted = base64.b64encode((credentials or "").encode()).decode()
            if credentials is not None and self.headers.get("Authorization") != f"Basic {wanted}":
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="git"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            path, _, query = self.path.partition("?")
            done = subprocess.run(
                ["git", "http-backend"], input=body, capture_output=True, check=False,
                env={
                    "PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": str(folder), "GIT_HTTP_EXPORT_ALL": "1",
                    "REQUEST_METHOD": self.command, "PATH_INFO": path, "QUERY_STRING": query,
                    "CONTENT_TYPE": self.headers.get("Content-Type", ""), "REMOTE_USER": "ada",
                    "REMOTE_ADDR": "127.0.0.1", "HTTP_GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                    "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                    "CONTENT_LENGTH": str(len(body)), "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1",
                },
            )  # fmt: skip
            head, _, content = done.stdout.partition(b"\r\n\r\n")
            fields = [line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line]
            status = next((value for name, value in fields if name == "Status"), "200")
            self.send_response(int(status.split()[0]))
            for name, value in fields:
                if name != "Status":
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join(PATIENCE)


@dataclass(frozen=True)
class Ssh:
    """An ssh server on loopback.

    Attributes:
        url: To put a repository's absolute path behind.
        command: For GIT_SSH_COMMAND: an ssh that knows the host, and nothing of the machine's own settings.
        stranger: The same for somebody who has another key.
        unknowing: The same for somebody who does not know the host.
    """

    url: str
    command: str
    stranger: str
    unknowing: str


@contextmanager
def ssh_server(folder: Path) -> Iterator[Ssh]:
    """A real sshd with keys, port and settings of its own; skips the test where there is none.

    Args:
        folder: An empty folder for its files.
    """
    sshd, keygen, port = needs("sshd"), needs("ssh-keygen"), free_port()
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # as the system's own service makes it
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("host", "ada", "carol"):
        subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    shutil.copyfile(folder / "ada.pub", folder / "authorized_keys")
    known = f"[127.0.0.1]:{port} {(folder / 'host.pub').read_text()}"
    (folder / "known_hosts").write_text(known)
    (folder / "empty").touch()
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile none\nUsePAM no\n"
        f"AuthorizedKeysFile {folder}/authorized_keys\nStrictModes no\nPermitRootLogin yes\n"
        "PasswordAuthentication yes\nLogLevel ERROR\n"
    )
    with _running([sshd, "-D", "-e", "-f", str(folder / "sshd_config")], port):
        yield Ssh(
            f"ssh://{getpass.getuser()}@127.0.0.1:{port}",
            _client(folder, "ada", "known_hosts"),
            _client(folder, "carol", "known_hosts"),
            _client(folder, "ada", "empty"),
        )


def _client(folder: Path, key: str, known: str) -> str:
    options = (
        f"IdentityFile={folder / key}",
        "IdentitiesOnly=yes",
        "IdentityAgent=none",
        f"UserKnownHostsFile={folder / known}",
        "GlobalKnownHostsFile=none",
    )
    return shlex.join(["ssh", "-F", "none", *(part for one in options for part in ("-o", one))])


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
