"""Watches a git that talks to another machine: its progress as it comes, its silence, its end.

git starts others (ssh, git-remote-https, index-pack), so where nobody can be asked anything all of them are one
process group, which ends as a whole. Where a person can be asked they stay in the terminal's group: ssh could
not read a passphrase in another one.
"""

from __future__ import annotations

import os
import resource
import selectors
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from subprocess import DEVNULL, PIPE, Popen, TimeoutExpired
from typing import IO, cast

from gitforge.errors import UserError
from gitforge.store.process import Done, Running

MAX_OUTPUT = 64 << 20  # bytes of answers and of messages each: a server could go on for ever
_GRACE = 5.0  # seconds to remove lock files in
_TICK = 0.2  # seconds
_GUARD = 'read -r word; [ "$word" = done ] || kill -s TERM -- "$1"'


def watch(
    running: Running,
    on_line: Callable[[str], None],
    *,
    silence: float,
    first_silence: float | None = None,
    has_group: bool,
    max_file: int | None = None,
) -> Done:
    """Follows it to its end; ends it, with all that it has started, where that does not come.

    Args:
        running: A git that has just been started.
        on_line: Given each line of its messages, as it comes; what it raises ends git.
        silence: Seconds without a word after which it is given up.
        first_silence: The same until it has said its first word, where a person may be asked meanwhile.
        has_group: Whether it was started in a process group of its own.
        max_file: How large a file git may write, in bytes, where this system can hold it to that.

    Raises:
        UserError: It says more than anybody would read.
    """
    process = running.process
    if max_file is not None and hasattr(resource, "prlimit"):
        with suppress(OSError):
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (max_file, max_file))
    guard = _guard(process.pid, has_group=has_group)
    try:
        done = _followed(running, on_line, silence, first_silence or silence)
        if done.timed_out:
            _end(process, has_group=has_group)
    except BaseException:
        _end(process, has_group=has_group)
        raise
    finally:
        _dismiss(guard)
        for stream in (process.stdout, process.stderr):
            cast("IO[bytes]", stream).close()
    return done


def _followed(running: Running, on_line: Callable[[str], None], silence: float, first: float) -> Done:
    process = running.process
    streams = (cast("IO[bytes]", process.stdout), cast("IO[bytes]", process.stderr))
    answer, said, line = bytearray(), bytearray(), bytearray()
    heard, limit = time.monotonic(), first
    with selectors.DefaultSelector() as selector:
        for stream in streams:
            selector.register(stream, selectors.EVENT_READ)
        while selector.get_map():
            # Its end is enough: what ssh leaves running for the next connection keeps the pipe open.
            has_ended = process.poll() is not None
            ready = selector.select(0 if has_ended else _TICK)
            if has_ended and not ready:
                break
            for key, _ in ready:
                chunk = os.read(key.fd, 1 << 16)
                if not chunk:
                    selector.unregister(key.fileobj)
                    continue
                heard, limit = time.monotonic(), silence
                if key.fileobj is streams[0]:
                    answer += chunk
                else:
                    said += chunk
                    line = _lines(line + chunk, on_line)
                if max(len(answer), len(said)) > MAX_OUTPUT:
                    raise UserError(f"git {running.verb} says more than {MAX_OUTPUT >> 20} MiB")
            if time.monotonic() - heard > limit:
                return Done(running.verb, -1, bytes(answer), _text(said), timed_out=True)
    on_line(_text(line))
    try:
        status = process.wait(limit)
    except TimeoutExpired:
        return Done(running.verb, -1, bytes(answer), _text(said), timed_out=True)
    return Done(running.verb, status, bytes(answer), _text(said))


def _lines(content: bytearray, on_line: Callable[[str], None]) -> bytearray:
    """Hands over the lines that are whole; progress ends its own with a return."""
    *whole, rest = content.replace(b"\r", b"\n").split(b"\n")
    for one in whole:
        on_line(_text(one))
    return rest


def _text(content: bytes | bytearray) -> str:
    return bytes(content).decode(errors="replace")


def _guard(pid: int, *, has_group: bool) -> Popen[bytes] | None:
    """Starts what ends git when this process is killed: it waits for a word, and hears its pipe close without one.

    In a session of its own, so that what kills this process's whole group leaves it; the kernel closes the pipe. A
    signal on the parent's death, which Linux has, would come when the thread ends that started git.
    """
    try:
        return Popen(  # noqa: S603 -- an argument list, of our own words
            ["/bin/sh", "-c", _GUARD, "gitforge", f"-{pid}" if has_group else str(pid)],
            stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL, start_new_session=True,
        )  # fmt: skip
    except OSError:  # no more processes, say: git talks all the same
        return None


def _dismiss(guard: Popen[bytes] | None) -> None:
    if guard is not None:
        with suppress(OSError):
            guard.communicate(b"done\n")


def _end(process: Popen[bytes], *, has_group: bool) -> None:
    """Ends it, with its group: gently first, because git removes its lock files then."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number) if has_group else process.send_signal(number)
        with suppress(TimeoutExpired):
            process.wait(_GRACE)
