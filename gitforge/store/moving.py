"""HEAD's branch, moved in two steps by one git: it is made certain to succeed, and then it is done.

The first is git's own `prepare` of a transaction of refs (git-update-ref(1)): its locks are taken, the old values
are seen, the user's `reference-transaction` hook has agreed, and nothing shows yet. What happens between the two
happens for a branch that nobody else can move. Killed there, or told to stop, git takes its locks back.
"""

from __future__ import annotations

import os
import selectors
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from subprocess import Popen, TimeoutExpired
from typing import IO, Self, cast

from gitforge.store.git import DURABLE
from gitforge.store.process import Done, failure
from gitforge.store.records import Head
from gitforge.store.repo import Repo

_GRACE = 5.0  # seconds to take locks back in


@contextmanager
def moving_head(
    repo: Repo, head: Head, commit: str, *, refs: Mapping[str, str], reason: str, timeout: float
) -> Iterator[None]:
    """Moves HEAD's branch, or a detached HEAD, by compare-and-swap: at the end of the block, which may still fail.

    Args:
        repo: The repository.
        head: What HEAD has to be still.
        commit: The commit to move to.
        refs: Ids of objects by the refs that are to keep them, which are made in the same transaction.
        reason: The reflog's message.
        timeout: Seconds after which a hook of the user's is given up.

    Raises:
        UserError: HEAD is elsewhere by now, or is being moved, or a hook refuses; nothing has moved, unless git
            was killed as it did.
    """
    no_deref = "option no-deref\0" if head.ref is None else ""
    old = head.commit or "0" * len(commit)
    updates = f"{no_deref}update {head.ref or 'HEAD'}\0{commit}\0{old}\0"
    updates += "".join(f"update {ref}\0{id_}\0\0" for ref, id_ in refs.items())
    process = repo.git.converse(
        "update-ref", "-m", reason, "-z", "--stdin", options=DURABLE, shielded=True, writes=True
    )
    with _Conversation("update-ref", process, timeout) as git:
        git.say(f"start\0{updates}prepare\0", until=b"prepare: ok")
        yield
        git.say("commit\0", until=b"commit: ok")


class _Conversation:
    """A git that is told what to do, and answers each time; without the last word it undoes what it prepared."""

    def __init__(self, verb: str, process: Popen[bytes], seconds: float) -> None:
        self._verb = verb
        self._process = process
        self._deadline = time.monotonic() + seconds
        self._heard = {cast("IO[bytes]", stream): bytearray() for stream in (process.stdout, process.stderr)}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(BrokenPipeError):
            cast("IO[bytes]", self._process.stdin).close()  # its end
        self._await_end(_GRACE)
        for stream in self._heard:
            stream.close()

    def say(self, words: str, *, until: bytes) -> None:
        """Tells it something, and waits for a line of its answer.

        Raises:
            UserError: It ended instead, or did not answer in time.
        """
        stdin = cast("IO[bytes]", self._process.stdin)
        with suppress(BrokenPipeError):  # it has ended: what it said last says why
            stdin.write(os.fsencode(words))
            stdin.flush()
        stdout, stderr = self._heard
        with selectors.DefaultSelector() as selector:
            for stream in self._heard:
                selector.register(stream, selectors.EVENT_READ)
            while until not in self._heard[stdout].splitlines():
                ready = selector.select(max(0.0, self._deadline - time.monotonic()))
                if not ready:
                    self._process.terminate()  # not killed: git removes its lock files first
                    raise failure(Done(self._verb, -1, b"", "", timed_out=True))
                for key, _ in ready:
                    stream = cast("IO[bytes]", key.fileobj)
                    if chunk := os.read(key.fd, 1 << 16):
                        self._heard[stream] += chunk
                        continue
                    selector.unregister(stream)
                    if stream is stdout:
                        self._await_end(_GRACE)
                        raise failure(self._done(selector, stderr))

    def _done(self, selector: selectors.BaseSelector, stderr: IO[bytes]) -> Done:
        """What it came to; a hook that goes on in the background may keep its messages open."""
        while stderr in selector.get_map() and selector.select(0):
            if not (chunk := os.read(stderr.fileno(), 1 << 16)):
                break
            self._heard[stderr] += chunk
        said = self._heard[stderr].decode(errors="replace")
        return Done(self._verb, self._process.returncode or -1, b"", said)

    def _await_end(self, seconds: float) -> None:
        for end in (self._process.terminate, self._process.kill):
            with suppress(TimeoutExpired):
                self._process.wait(seconds)
                return
            end()
        self._process.wait()
