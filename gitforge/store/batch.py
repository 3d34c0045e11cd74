"""Objects of a repository, one after the other, from one git that is asked for each (git-cat-file(1))."""

from __future__ import annotations

import weakref
from contextlib import suppress
from pathlib import Path
from subprocess import Popen
from threading import Lock
from typing import IO, NamedTuple, cast

from gitforge.errors import UserError
from gitforge.store import process
from gitforge.store.process import Done, failure

_ONLY_HERE = {"GIT_NO_LAZY_FETCH": "1"}  # else a partial clone asks its remote for what is missing


class Header(NamedTuple):
    """What an object is, and its size in bytes."""

    kind: str
    size: int


class Batch:
    """Reads objects; git is started with the first of them, and ends with this.

    Args:
        folder: Any folder of the worktree.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: Popen[bytes] | None = None
        self._finalizer: weakref.finalize[..., Batch] | None = None
        self._lock = Lock()

    def header(self, id_: str) -> Header | None:
        """What an object is; None where the repository has not got it.

        Args:
            id_: Its full id.

        Raises:
            UserError: git cannot be started or fails, for example because there is no repository.
        """
        with self._lock:
            return self._asked("info", id_)

    def content(self, id_: str) -> bytes:
        """The content of an object, all of which is read: ask for its header first.

        Raises:
            UserError: The repository has not got it, or git fails.
        """
        with self._lock:
            header = self._asked("contents", id_)
            if header is None:
                raise UserError(f"the repository has no object {id_}", hint="`git fsck` says what it lacks.")
            content = _pipe(self._running().stdout).read(header.size + 1)
            if len(content) != header.size + 1:
                raise self._failed()
            return content[:-1]

    def _asked(self, what: str, id_: str) -> Header | None:
        running = self._running()
        try:
            _pipe(running.stdin).write(f"{what} {id_}\n".encode("ascii"))
            _pipe(running.stdin).flush()
        except BrokenPipeError:
            raise self._failed() from None
        words = _pipe(running.stdout).readline().decode("ascii", "replace").split()
        if len(words) == 2 and words[1] == "missing":
            return None
        if len(words) != 3:
            raise self._failed()
        return Header(words[1], int(words[2]))

    def _running(self) -> Popen[bytes]:
        if self._process is None:
            self._process = process.converse(
                self._folder, "cat-file", "--batch-command", environment=_ONLY_HERE
            )
            self._finalizer = weakref.finalize(self, _end, self._process)
        return self._process

    def close(self) -> None:
        """Ends git now; what is asked for later starts another one."""
        with self._lock:
            if self._finalizer is not None:
                self._finalizer()
            self._process = self._finalizer = None

    def _failed(self) -> UserError:
        running = self._running()
        said = _pipe(running.stderr).read().decode(errors="replace")
        return failure(Done("cat-file", running.wait(), b"", said))


def _pipe(file: IO[bytes] | None) -> IO[bytes]:
    return cast("IO[bytes]", file)


def _end(running: Popen[bytes]) -> None:
    for file in (running.stdin, running.stdout, running.stderr):
        with suppress(OSError):  # it may have ended before it was told everything
            _pipe(file).close()
    running.wait()
