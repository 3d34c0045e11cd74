"""What git leaves of a transfer that was stopped: index-pack's temporary files, which it never removes itself."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PATIENCE = 2.0  # seconds for the last of git's processes to end
_PAUSE = 0.1
_PROCESSES = Path("/proc")


@contextmanager
def swept(objects: Path) -> Iterator[None]:
    """Where the block fails, removes what it has left half-received.

    Args:
        objects: The repository's folder of objects. Another git may be receiving into it at the same time: what
            was there before, and what somebody still writes, stays.
    """
    folder = objects / "pack"
    before = set(_temporaries(folder))
    try:
        yield
    except BaseException:
        for path in set(_temporaries(folder)) - before:
            if _is_released(path):
                with suppress(OSError):
                    path.unlink()
        raise


def _temporaries(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.name.startswith("tmp_")]
    except OSError:
        return []


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
    for process in _PROCESSES.glob("[0-9]*/fd"):  # nothing at all where there is no /proc
        with suppress(OSError):  # it has ended, or is another user's
            if any(one.is_symlink() and one.readlink() == wanted for one in process.iterdir()):
                return True
    return False
