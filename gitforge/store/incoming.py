"""What git leaves of a transfer that was stopped: index-pack's temporary files, which it never removes itself.

Each transfer has a note of what was there before it, locked for as long as gitforge lives. Where gitforge was killed,
the next transfer or sync finds a note that nobody holds, and removes what has come since and is nobody's any more.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

_PATIENCE = 2.0  # seconds for the last of git's processes to end
_PAUSE = 0.1
_OLD = 60.0  # seconds: index-pack closes an index a moment before it gives it its name
_UNSEEN = (
    1800.0  # seconds without a byte after which nobody can be writing any more, where that cannot be seen
)
_PROCESSES = Path("/proc")


@contextmanager
def swept(common_dir: Path) -> Iterator[None]:
    """Where the block fails, removes what it has left half-received; and what a killed one has left before.

    Args:
        common_dir: The git directory that all worktrees share. Another git may be receiving into it at the same
            time: what was there before, and what somebody still writes, stays.
    """
    sweep_abandoned(common_dir)
    folder = _packs(common_dir)
    before = set(_temporaries(folder))
    with _noted(common_dir, before) as note:
        try:
            yield
        except BaseException:
            came = set(_temporaries(folder)) - before
            left = [path for path in came if not _is_gone(path)]
            if not left:  # else the note stays, for who comes next
                _drop(note)
            raise
        _drop(note)


def _is_gone(path: Path) -> bool:
    """Removes what has just come; False where somebody may still write it."""
    with suppress(OSError):
        if path.lstat().st_uid == os.geteuid():
            if not _is_released(path):
                return False
            path.unlink()
    return True


def sweep_abandoned(common_dir: Path) -> None:
    """Removes what transfers have left whose gitforge was killed, once it is old and nobody has it open.

    Args:
        common_dir: The git directory that all worktrees share.
    """
    for note in _files(_notes(common_dir)):
        with suppress(OSError), note.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # BlockingIOError: it is at work
            status = os.fstat(file.fileno())
            if not _is_old(status):
                continue  # perhaps not locked yet
            known = set(os.fsdecode(file.read()).split("\n"))
            left = [path for path in _temporaries(_packs(common_dir)) if path.name not in known]
            if all(_removed(path, status) for path in left):
                note.unlink()


def _removed(path: Path, note: os.stat_result) -> bool:
    """Removes a file that has come since the note; False where somebody may still need it."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return True
    if status.st_uid != note.st_uid or status.st_mtime < note.st_mtime:
        return True  # not that transfer's
    if not _is_old(status) or _is_open(path):
        return False
    path.unlink(missing_ok=True)
    return True


def _is_old(status: os.stat_result) -> bool:
    return time.time() - status.st_mtime > _OLD


@contextmanager
def _noted(common_dir: Path, before: set[Path]) -> Iterator[Path | None]:
    """Says what was there before, for who comes after a kill; without a note nothing is lost but disk space."""
    note = _notes(common_dir) / f"{os.getpid()}-{time.monotonic_ns()}"
    with ExitStack() as stack:
        try:
            note.parent.mkdir(parents=True, exist_ok=True)
            file = stack.enter_context(note.open("xb", buffering=0))
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(b"\n".join(os.fsencode(path.name) for path in before))
        except OSError:  # the disk is full, say
            _drop(note)
            yield None
            return
        yield note


def _drop(note: Path | None) -> None:
    if note is not None:
        with suppress(OSError):
            note.unlink()
        with suppress(OSError):
            note.parent.rmdir()  # others may have notes in it


def _notes(common_dir: Path) -> Path:
    return common_dir / "gitforge" / "receiving"


def _packs(common_dir: Path) -> Path:
    return common_dir / "objects" / "pack"


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _temporaries(folder: Path) -> list[Path]:
    return [path for path in _files(folder) if path.name.startswith("tmp_")]


def _is_released(path: Path) -> bool:
    """Waits until nobody has the file open, as far as this system tells."""
    until = time.monotonic() + _PATIENCE
    while _is_open(path):
        if time.monotonic() > until:
            return False
        time.sleep(_PAUSE)
    return True


def _is_open(path: Path) -> bool:
    wanted = path.resolve()
    if not (_PROCESSES / "self" / "fd").is_dir():
        return time.time() - wanted.stat().st_mtime < _UNSEEN
    for process in _PROCESSES.glob("[0-9]*/fd"):
        with suppress(OSError):  # it has ended, or is another user's
            if any(one.is_symlink() and one.readlink() == wanted for one in process.iterdir()):
                return True
    return False
