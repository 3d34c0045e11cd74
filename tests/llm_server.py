"""A real OpenAI-compatible server on loopback, which does what a test tells it.

    with LlmServer(Say("Hello, ", "world")) as server:
        ... ProviderSettings(base_url=server.url) ...
        server.requests[0].json["model"]

It does one behaviour a request, in order, then `otherwise`; for requests side by side a behaviour can be a function.
"""

from __future__ import annotations

import json
import socket
import ssl
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self


@dataclass(frozen=True)
class Say:
    """A stream of chat completion chunks.

    Args:
        chunks: Pieces of text; a float among them is a pause in seconds.
        finish: The last chunk's `finish_reason`; None: no such chunk.
        refusal: Said in `refusal` instead of `content`, before the chunks.
        done: Whether `[DONE]` follows.
        usage: What is said to have been used, in a chunk of its own at the end, if the request wants it.
    """

    chunks: tuple[str | float, ...]
    finish: str | None = "stop"
    refusal: str = ""
    done: bool = True
    usage: object = None

    def __init__(
        self,
        *chunks: str | float,
        finish: str | None = "stop",
        refusal: str = "",
        done: bool = True,
        usage: object = None,
    ) -> None:
        object.__setattr__(self, "chunks", chunks)
        object.__setattr__(self, "finish", finish)
        object.__setattr__(self, "refusal", refusal)
        object.__setattr__(self, "done", done)
        object.__setattr__(self, "usage", usage)

    def parts(self, request: Mapping[str, Any]) -> list[bytes | float]:
        """What goes through the wire."""
        model = str(request["model"])
        parts: list[bytes | float] = [event({"role": "assistant"}, model=model)]
        if self.refusal:
            parts.append(event({"refusal": self.refusal}, model=model))
        parts += [c if isinstance(c, float) else event({"content": c}, model=model) for c in self.chunks]
        if self.finish:
            parts.append(event({}, finish=self.finish, model=model))
        if self.usage is not None and request.get("stream_options") == {"include_usage": True}:
            parts.append(f"data: {json.dumps({'choices': [], 'usage': self.usage})}\n\n".encode())
        if self.done:
            parts.append(b"data: [DONE]\n\n")
        return parts


@dataclass(frozen=True)
class Send:
    """Raw parts of a body, for everything that is not a well-formed answer.

    Args:
        parts: Bytes; a float among them is a pause in seconds, "hang" waits until the client is gone, "drop"
            closes the connection without an end of the body, "reset" resets it.
        status: The HTTP status.
        headers: Further headers; `Content-Type` is `text/event-stream` unless given.
        framed: False: the body's end is the end of the connection, as in HTTP/1.0.
    """

    parts: tuple[bytes | float | str, ...] = ()
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    framed: bool = True


HANG = Send(("hang",))
SILENT = "silent"  # not even a status line until the client is gone
CLOSE = "close"  # closes the connection instead of answering
RESET = "reset"  # the same, as a crash does it

Behaviour = Say | Send | str
Answer = Behaviour | Callable[["Received"], Behaviour]
"""A function chooses by the request: of requests that come side by side nobody knows the order."""


def fail(status: int, body: object = None, **headers: str) -> Send:
    """An HTTP error with a JSON body (or raw bytes). `retry_after=...` becomes `Retry-After`, and so on."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Send((raw,), status, {"Content-Type": "application/json", **named})


def error(message: str, **more: object) -> dict[str, object]:
    """The body of an error, as api.openai.com words it."""
    return {"error": {"message": message, "type": "invalid_request_error", **more}}


def event(delta: object, *, finish: str | None = None, model: str = "test-model") -> bytes:
    """One chunk as a server-sent event."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    chunk = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": model, "choices": [choice]}
    return f"data: {json.dumps(chunk)}\n\n".encode()


@dataclass(frozen=True)
class Received:
    """A request as it came in, header names in lower case. `gone` is set when its client has left early."""

    path: str
    headers: dict[str, str]
    json: Any
    gone: threading.Event = field(default_factory=threading.Event)

    @property
    def prompt(self) -> str:
        """The last message's text."""
        return str(self.json["messages"][-1]["content"])


def about(answers: Mapping[str, Behaviour]) -> Callable[[Received], Behaviour]:
    """Chooses by words that stand in the prompt, such as a component's purpose."""
    return lambda received: next(answer for words, answer in answers.items() if words in received.prompt)


class _Http(ThreadingHTTPServer):
    request_queue_size = 128  # with the default of five, of twenty clients most would wait for a second

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exception(), OSError):  # the client has gone, or found the certificate bad
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class LlmServer:
    """Serves on a free port of 127.0.0.1 inside `with`.

    Args:
        behaviours: One for each request to come; more with `queue`.
        otherwise: For requests after those.
        rejects: Parameters with which every request gets an error, and that error's body.
        most: How many requests it answers at once; more are too many.
        tls: Makes it a server for https.
    """

    def __init__(
        self,
        *behaviours: Answer,
        otherwise: Answer | None = None,
        rejects: Mapping[str, Send] | None = None,
        most: int | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._places = threading.BoundedSemaphore(most or 10_000)
        self.rejects = rejects or {}
        self._scheme = "https" if tls else "http"
        self.otherwise: Answer = otherwise or fail(500, error("nothing queued"), x_should_retry="false")
        self.requests: list[Received] = []
        self._queue = list(behaviours)
        self._lock = threading.RLock()
        self._came = threading.Condition(self._lock)
        self._stopping = threading.Event()
        self._http = _Http(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = False  # `server_close` waits for them
        if tls:
            # Each connection's own thread shakes hands, when it first reads.
            self._http.socket = tls.wrap_socket(
                self._http.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def url(self) -> str:
        """The base URL."""
        return f"{self._scheme}://127.0.0.1:{self._http.server_port}/v1"

    def queue(self, *behaviours: Answer) -> None:
        """Appends behaviours."""
        with self._lock:
            self._queue += behaviours

    def arrived(self, number: int, seconds: float = 60) -> bool:
        """Waits until so many requests have come."""
        with self._came:
            return self._came.wait_for(lambda: len(self.requests) >= number, seconds)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def _next(self, received: Received) -> Behaviour:
        with self._lock:
            self.requests.append(received)
            self._came.notify_all()
            for name, behaviour in self.rejects.items():
                if name in received.json:
                    return behaviour
            answer = self._queue.pop(0) if self._queue else self.otherwise
        return answer if isinstance(answer, Say | Send | str) else answer(received)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *_: object) -> None:
                pass

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                received = Received(
                    self.path, {n.lower(): v for n, v in self.headers.items()}, json.loads(raw or b"null")
                )
                self._has_place = server._places.acquire(blocking=False)
                busy = fail(429, error("too many at once"), retry_after_ms="20")
                behaviour = server._next(received) if self._has_place else busy
                self.close_connection = True  # one request a connection: nothing waits for a second one
                try:
                    self._answer(behaviour, received)
                except OSError:
                    received.gone.set()
                finally:
                    self._free()

            def _free(self) -> None:
                if self._has_place:
                    server._places.release()
                self._has_place = False

            def _answer(self, behaviour: Behaviour, received: Received) -> None:
                if behaviour == SILENT:
                    return self._wait(received)
                if behaviour == RESET:
                    return self._reset()
                if isinstance(behaviour, str):
                    return None
                if isinstance(behaviour, Say):
                    behaviour = Send(tuple(behaviour.parts(received.json)))
                self.send_response(behaviour.status)
                for name, value in {"Content-Type": "text/event-stream", **behaviour.headers}.items():
                    self.send_header(name, value)
                if behaviour.framed:
                    self.send_header("Transfer-Encoding", "chunked")
                self.send_header("Connection", "close")
                self.end_headers()
                for number, part in enumerate(behaviour.parts, start=1):
                    if number == len(behaviour.parts):
                        self._free()  # who has the end of an answer may ask at once for another
                    if isinstance(part, float):
                        server._stopping.wait(part)
                    elif part == "hang":
                        return self._wait(received)
                    elif part == "drop":
                        return None
                    elif part == "reset":
                        return self._reset()
                    elif isinstance(part, bytes) and part:
                        self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part) if behaviour.framed else part)
                if behaviour.framed:
                    self.wfile.write(b"0\r\n\r\n")
                return None

            def _reset(self) -> None:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()

            def _wait(self, received: Received) -> None:
                self.connection.settimeout(0.01)
                while not server._stopping.is_set():
                    try:
                        if not self.connection.recv(1):
                            received.gone.set()
                            return
                    except TimeoutError:
                        continue

        return Handler


def refused_url() -> str:
    """A base URL at which nothing listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unused.getsockname()[1]}/v1"


def certificate(folder: Path, host: str = "127.0.0.1") -> Path:
    """A new certificate with its key in one file, signed by nobody but itself."""
    path = folder / "certificate.pem"
    name = f"subjectAltName=IP:{host}" if host[0].isdigit() else f"subjectAltName=DNS:{host}"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
    ]
    command += ["-subj", f"/CN={host}", "-addext", name, "-days", "1"]
    command += ["-keyout", str(path), "-out", str(folder / "public.pem")]
    subprocess.run(command, check=True, capture_output=True)
    with path.open("a") as file:
        file.write((folder / "public.pem").read_text())
    return path


def tls(certificate: Path) -> ssl.SSLContext:
    """What a server with that certificate needs."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context
