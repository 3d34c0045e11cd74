"""An agent's client: the SDK's own, with the program over real standard input and output.

def conversation(client): ...
found = talk(root, lambda client: client.list_prompts())
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Any, Self, TypeVar

import anyio
from mcp import Client, MCPError, StdioServerParameters, stdio_client
from mcp.types import CallToolResult
from program import COMMAND

Answer = TypeVar("Answer")

PATIENCE = 60  # seconds for a whole conversation: a guard against a test that hangs, not a measurement


@asynccontextmanager
async def connected(root: Path, *options: str, mode: str = "auto") -> AsyncIterator[Client]:
    """A client with its server, which works in a folder."""
    command, *arguments = (*COMMAND, "mcp", "-C", str(root), *options)
    server = StdioServerParameters(command=command, args=arguments, env=dict(os.environ), cwd=root.parent)
    async with Client(stdio_client(server), mode=mode) as client:
        yield client


def talk(
    root: Path, conversation: Callable[[Client], Awaitable[Answer]], *options: str, mode: str = "auto"
) -> Answer:
    """Has a conversation with a server of its own, and gives what comes of it."""

    async def whole() -> Answer:
        with anyio.fail_after(PATIENCE):
            async with connected(root, *options, mode=mode) as client:
                return await conversation(client)

    try:
        return anyio.run(whole)
    except BaseExceptionGroup as group:  # one for each of the SDK's layers, around what is to be read
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
            (error,) = error.exceptions
        raise error from None


def told(result: CallToolResult) -> str:
    """All that a tool's result says to a reader."""
    return "\n".join(block.text for block in result.content if block.type == "text")


async def refused(asked: Awaitable[object]) -> MCPError:
    """The error that a request gets."""
    try:
        await asked
    except MCPError as error:
        return error
    raise AssertionError("it was answered")


class Server:
    """The server with bare pipes, for what no client would send."""

    def __init__(self, root: Path, *options: str, command: Sequence[str] = COMMAND) -> None:
        self.process = subprocess.Popen(
            [*command, "mcp", "-C", str(root), *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self._number = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def send(self, line: bytes) -> None:
        """Writes a line."""
        _there(self.process.stdin).write(line + b"\n")
        _there(self.process.stdin).flush()

    def receive(self) -> Any:
        """The next message."""
        return json.loads(_there(self.process.stdout).readline())

    def ask(self, method: str, **params: Any) -> Any:
        """Sends a request of the handshake's era, and gives the answer to it."""
        self.send(self.request(method, **params))
        return self.receive()

    def request(self, method: str, **params: Any) -> bytes:
        """A request as a line."""
        self._number += 1
        message = {"jsonrpc": "2.0", "id": self._number, "method": method, "params": params}
        return json.dumps(message).encode()

    def shake_hands(self) -> None:
        """What a client begins with."""
        about = {"name": "test", "version": "1"}
        self.ask("initialize", protocolVersion="2025-06-18", capabilities={}, clientInfo=about)
        self.send(b'{"jsonrpc": "2.0", "method": "notifications/initialized"}')

    def end(self) -> tuple[int, str, str]:
        """Closes its input; its exit code, and what it said since."""
        out, err = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, out.decode(), err.decode()


def _there(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None
    return stream
