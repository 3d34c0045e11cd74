"""Standard input and output as the streams of the protocol.

Not the SDK's own: that one cannot end while it waits for a line, takes a line of any length, and drops what is no
message without a word.
"""

from __future__ import annotations

import fcntl
import os
import threading
import warnings
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import anyio
import mcp_types as types
from anyio.lowlevel import EventLoopToken, current_token
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage

MAX_LINE = 4 * 1024 * 1024  # bytes: more than every prompt with every argument
_CHUNK = 1 << 16

Incoming = MemoryObjectReceiveStream[SessionMessage | Exception]
Outgoing = MemoryObjectSendStream[SessionMessage]


@dataclass(frozen=True)
class Wire:
    """Where the protocol goes, once nothing else can: descriptors of our own."""

    source: int
    target: int

    @classmethod
    def claim(cls) -> Wire:
        """Takes standard input and output for the protocol; whatever else is read finds nothing, or goes to stderr."""
        wire = cls(*(fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 3) for number in (0, 1)))
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 0)
        try:
            os.dup2(2, 1)
        except OSError:  # there is no standard error
            os.dup2(nothing, 1)
        os.close(nothing)
        return wire


@asynccontextmanager
async def streams(
    wire: Wire, settle: Callable[[], Coroutine[Any, Any, None]]
) -> AsyncIterator[tuple[Incoming, Outgoing]]:
    """The messages that come in, and where to put those that go out.

    Args:
        wire: Where they go.
        settle: Waits until everything is answered; the input ends for the server only then.
    """
    heard, incoming = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    outgoing, said = anyio.create_memory_object_stream[SessionMessage](0)
    complaints = outgoing.clone()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_write, wire.target, said)
        arguments = (wire.source, heard, complaints, settle, current_token())
        # A daemon: nobody can interrupt it while it waits for a line.
        threading.Thread(target=_read, args=arguments, daemon=True).start()
        try:
            yield incoming, outgoing
        finally:  # what the thread hands over from now on goes with the loop, which Python would complain of
            warnings.filterwarnings("ignore", r"coroutine .* was never awaited", RuntimeWarning)


def _read(
    source: int, heard: MemoryObjectSendStream[SessionMessage | Exception], complaints: Outgoing,
    settle: Callable[[], Coroutine[Any, Any, None]], token: EventLoopToken,
) -> None:  # fmt: skip
    """Reads messages, in a thread of its own, until the end of the input or of the loop."""
    with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.RunFinishedError):
        for line in _lines(source):
            try:
                message = types.jsonrpc_message_adapter.validate_json(line or b"", by_name=False)
            except ValueError:
                what = "is no JSON-RPC message" if line is not None else f"is longer than {MAX_LINE:,} bytes"
                error = types.ErrorData(code=types.PARSE_ERROR, message=f"Parse error: the line {what}")
                refusal = types.JSONRPCError(jsonrpc="2.0", id=None, error=error)
                anyio.from_thread.run(_unless_ended, complaints.send, SessionMessage(refusal), token=token)
            else:
                anyio.from_thread.run(_unless_ended, heard.send, SessionMessage(message), token=token)
        anyio.from_thread.run(_unless_ended, settle, token=token)
        anyio.from_thread.run_sync(complaints.close, token=token)
        anyio.from_thread.run_sync(heard.close, token=token)


async def _unless_ended(do: Callable[..., Coroutine[Any, Any, None]], *arguments: object) -> None:
    """Does it; where the loop ends in the middle, nobody is told, for nobody waits for it any more."""
    with suppress(anyio.get_cancelled_exc_class()):
        await do(*arguments)


def _lines(source: int) -> Iterator[bytes | None]:
    """The lines of an input that are not empty; None for one that is too long, of which nothing is kept."""
    begun, is_too_long = b"", False
    while chunk := _chunk(source):
        *complete, rest = chunk.split(b"\n")
        for line in complete:
            whole = begun + line
            if is_too_long or len(whole) > MAX_LINE:
                yield None
            elif whole.strip():
                yield whole
            begun, is_too_long = b"", False
        begun += rest
        if len(begun) > MAX_LINE:
            begun, is_too_long = b"", True
    if begun.strip():
        yield begun


def _chunk(source: int) -> bytes:
    try:
        return os.read(source, _CHUNK)
    except OSError:  # a terminal that is gone
        return b""


async def _write(target: int, said: MemoryObjectReceiveStream[SessionMessage]) -> None:
    """Writes messages, one a line, until nobody reads them any more."""
    async with said:
        async for one in said:
            line = one.message.model_dump_json(by_alias=True, exclude_unset=True) + "\n"
            try:
                await anyio.to_thread.run_sync(_write_all, target, line.encode(), abandon_on_cancel=True)
            except OSError:
                return


def _write_all(target: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(target, left) :]
