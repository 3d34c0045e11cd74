"""The locks: a component's and the commit's, which the kernel frees; git's `index.lock`; held interrupts."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from gitforge.errors import UserError
from gitforge.store.process import harmless
from gitforge.store.repo import Repo
from gitforge.store.worktree import sweep

COMPONENT_SECONDS = 3600.0
"""How long to wait for a gitforge that makes the same component, whose user may be reading the draft."""
INDEX_LOCK_SECONDS = 5.0
"""How long to wait for a git command of the user's that holds `index.lock`."""

_POLL = 0.01  # seconds between two tries
_PATIENT_POLL = 0.1


class Busy(UserError):
    """Another gitforge holds a lock."""


class ComponentLock:
    """The right to generate one component: a `flock` that goes with the process, however that ends.

    Args:
        file: The locked file, which is removed with the lock.
        descriptor: It, open.
    """

    def __init__(self, file: Path, descriptor: int) -> None:
        self._file = file
        self._descriptor = descriptor

    def free(self) -> None:
        """Lets others have the component; once is enough."""
        with interrupts_held():  # else a Ctrl-C in the middle would let it be closed twice
            if self._descriptor < 0:
                return
            with contextlib.suppress(OSError):  # removed while it is ours, so that nobody else's is
                self._file.unlink()
            os.close(self._descriptor)
            self._descriptor = -1


def component_lock(
    repo: Repo, path: str, *, wait: Callable[[str], None] | None = None, timeout: float = COMPONENT_SECONDS
) -> ComponentLock | None:
    """Takes the lock of one component, so that two processes do not pay for the same draft.

    Args:
        repo: The repository; all its worktrees share the lock.
        path: The component, from the repository's root.
        wait: Told once who is waited for. None: do not wait.
        timeout: Seconds to wait.

    Returns:
        The lock; None if another process has it and `wait` is None.

    Raises:
        UserError: The other held it for all that time, or the git directory cannot be written to.
    """
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()
    file = repo.common_dir / "gitforge" / "making" / digest[:32]
    deadline = time.monotonic() + timeout
    is_told = False
    while True:
        try:
            descriptor = _try_to_lock(file)
        except OSError as error:
            raise UserError(
                f"gitforge cannot write to the git directory ({harmless(str(error.filename or file))}: "
                f"{error.strerror}); nothing was generated"
            ) from error
        if descriptor is not None:
            return ComponentLock(file, descriptor)
        if wait is None:
            return None
        if not is_told:
            wait(_holder(file))
            is_told = True
        if time.monotonic() > deadline:
            raise Busy(
                f"{_holder(file)} has been making {path} for {timeout:.0f} seconds; nothing was generated"
            )
        time.sleep(_PATIENT_POLL)


def sweep_component_locks(repo: Repo) -> None:
    """Removes what killed processes left of components' locks."""
    for file in (repo.common_dir / "gitforge" / "making").glob("*"):
        with contextlib.suppress(OSError):
            if (descriptor := _try_to_lock(file)) is not None:
                ComponentLock(file, descriptor).free()


def _try_to_lock(file: Path) -> int | None:
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), file.stat()):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, b"%d" % os.getpid(), 0)
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)  # held by another process, or removed by its holder just now
    return None


def _holder(file: Path) -> str:
    try:
        number = file.read_text("ascii")
    except (OSError, UnicodeDecodeError):
        number = ""
    return f"Another gitforge (process {number})" if number.isdecimal() else "Another gitforge"


@contextmanager
def commit_lock(repo: Repo, *, timeout: float) -> Iterator[Path]:
    """Holds every other gitforge off this repository; yields a folder to work in.

    The lock is a `flock` of `gitforge/commit.lock` in the git directory that all worktrees share: it goes
    with the process, however that ends. The folder is beside it, on the index's filesystem; what a killed
    process left there is for `recover` to look at and remove.

    Args:
        repo: The repository to lock.
        timeout: Seconds to wait for another gitforge.

    Raises:
        Busy: Another gitforge held it for all that time.
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
                    raise Busy(f"{busy}; nothing was recorded", hint="Wait for it, then try again.") from None
                time.sleep(_POLL)
        work = ours / "scratch"
        work.mkdir(exist_ok=True)
        try:
            yield work
        finally:
            sweep(work)
            with contextlib.suppress(OSError):
                work.rmdir()


def await_index_lock(index: Path, *, timeout: float) -> None:
    """Waits until nobody holds git's lock on the index, which somebody may take again at once.

    Args:
        index: The index.
        timeout: Seconds to wait for somebody else's lock.

    Raises:
        UserError: Their lock stayed; it is never removed.
    """
    lock = lock_of(index)
    deadline = time.monotonic() + timeout
    while os.path.lexists(lock):
        if time.monotonic() > deadline:
            raise foreign_lock(lock)
        time.sleep(_POLL)


def take_index_lock(index: Path, new_index: Path) -> None:
    """Takes git's lock on the index, with the finished new index as the lock's content.

    Args:
        index: The index to lock.
        new_index: A file on the same filesystem; the lock is a link to it, which proves whose lock it is.

    Raises:
        FileExistsError: Somebody else holds it.
    """
    os.link(new_index, lock_of(index))


def release_index_lock(index: Path, new_index: Path) -> None:
    """Frees the lock if it is ours, and leaves everything else."""
    with contextlib.suppress(FileNotFoundError):
        if lock_of(index).samefile(new_index):
            lock_of(index).unlink()


def lock_of(index: Path) -> Path:
    """Git's lock on the index."""
    return index.with_name(f"{index.name}.lock")


def foreign_lock(lock: Path) -> UserError:
    """Somebody else's lock, with its age and what to do."""
    try:
        age = f", {max(0.0, time.time() - lock.stat().st_mtime):.0f} seconds old"
    except FileNotFoundError:
        age = ""
    return UserError(
        f"the index is locked by another git ({lock}{age}); nothing was recorded",
        hint="Wait for that git to end and try again; if none runs, it crashed: remove that file.",
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
