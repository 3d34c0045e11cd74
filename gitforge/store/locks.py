"""The two locks of a commit: ours, which the kernel frees, and git's `index.lock`; and held interrupts."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from gitforge.errors import UserError
from gitforge.store.repo import Repo

_POLL = 0.01  # seconds between two tries


@contextmanager
def commit_lock(repo: Repo, *, timeout: float) -> Iterator[Path]:
    """Holds every other gitforge off this repository; yields an empty folder to work in.

    The lock is a `flock` of `gitforge/commit.lock` in the git directory that all worktrees share: it goes
    with the process, however that ends. The folder is beside it, on the index's filesystem; what a killed
    process left there is removed by the next one.

    Args:
        repo: The repository to lock.
        timeout: Seconds to wait for another gitforge.

    Raises:
        UserError: Another gitforge held it for all that time.
    """
    ours = repo.common_dir / "gitforge"
    ours.mkdir(exist_ok=True)
    with (ours / "commit.lock").open("ab") as lock:
        deadline = time.monotonic() + timeout
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    busy = f"Another gitforge has been recording in {repo.root} for {timeout:.0f} seconds"
                    raise UserError(
                        f"{busy}; nothing was recorded", hint="Wait for it, then try again"
                    ) from None
                time.sleep(_POLL)
        work = ours / "work"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        try:
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)


def await_index_lock(index: Path, *, timeout: float) -> None:
    """Waits until nobody holds git's lock on the index, which somebody may take again at once.

    Args:
        index: The index.
        timeout: Seconds to wait for somebody else's lock.

    Raises:
        UserError: Their lock stayed; it is never removed.
    """
    lock = _lock_of(index)
    deadline = time.monotonic() + timeout
    while os.path.lexists(lock):
        if time.monotonic() > deadline:
            raise _foreign(lock)
        time.sleep(_POLL)


def take_index_lock(index: Path, new_index: Path) -> None:
    """Takes git's lock on the index, with the finished new index as the lock's content.

    Args:
        index: The index to lock.
        new_index: A file on the same filesystem; the lock is a link to it, which proves whose lock it is.

    Raises:
        FileExistsError: Somebody else holds it.
    """
    os.link(new_index, _lock_of(index))


def publish_index(index: Path) -> None:
    """Makes the lock's content the index, which frees the lock."""
    _lock_of(index).replace(index)


def release_index_lock(index: Path, new_index: Path) -> None:
    """Frees the lock if it is ours, and leaves everything else."""
    with contextlib.suppress(FileNotFoundError):
        if _lock_of(index).samefile(new_index):
            _lock_of(index).unlink()


def _lock_of(index: Path) -> Path:
    return index.with_name(f"{index.name}.lock")


def _foreign(lock: Path) -> UserError:
    try:
        age = f", {max(0.0, time.time() - lock.stat().st_mtime):.0f} seconds old"
    except FileNotFoundError:
        age = ""
    return UserError(
        f"The index is locked by another git ({lock}{age}); nothing was recorded",
        hint="Wait for that git to end and try again; if none runs, it crashed: remove that file",
    )


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Lets the block finish before SIGINT, SIGTERM or SIGHUP takes effect.

    Python runs signal handlers in the main thread alone, so elsewhere there is nothing to hold.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[int] = []

    def hold(signum: int, _frame: FrameType | None) -> None:
        arrived.append(signum)

    before = {
        number: signal.signal(number, hold) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for signum in arrived:
            signal.raise_signal(signum)
