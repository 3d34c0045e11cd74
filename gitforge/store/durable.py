"""Files of gitforge's own in the git directory, written so that they are there as a whole or not at all."""

from __future__ import annotations

import os
import time
from contextlib import suppress

TYPE_CHECKING = False  # pathlib and typing would be most of what this takes to import
if TYPE_CHECKING:
    from pathlib import Path

_ABANDONED = 60  # seconds after which nobody writes any more


class Unreadable(Exception):
    """A file of gitforge's own that cannot be used as it stands; the text is the reason."""


def write_durably(path: Path, content: bytes) -> None:
    """Writes a file that a power cut cannot take back or tear: temp file, fsync, rename, fsync of the folder.

    Two processes never write the same file at once. The temp file that a kill leaves, the next one replaces.

    Raises:
        OSError: The disk is full, or the folder cannot be written to; what was there before is still there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary(path)
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def replace_if_possible(path: Path, content: bytes) -> None:
    """Writes a file that can be made anew at any time, as a whole; not synced to the disk, nor where that cannot be.

    Of two who do so at once, either one's stays. Others cannot read it.
    """
    temporary = path.with_name(f"{path.name}.new")
    with suppress(OSError):
        path.parent.mkdir(exist_ok=True)
        with suppress(FileNotFoundError):
            if time.time() - temporary.stat().st_mtime > _ABANDONED:
                temporary.unlink()
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with open(descriptor, "wb") as file:  # noqa: PTH123 -- a descriptor
                file.write(content)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def remove(path: Path) -> None:
    """Removes a file, if it is there; a power cut may bring it back."""
    _temporary(path).unlink(missing_ok=True)
    path.unlink(missing_ok=True)


def remove_durably(path: Path) -> None:
    """Removes a file, if it is there, for good."""
    remove(path)
    sync_folder(path.parent)


def read_own(path: Path | str, limit: int) -> bytes:
    """The content of a file that this user wrote.

    Args:
        path: The file.
        limit: Bytes beyond which it is not read.

    Raises:
        FileNotFoundError: It is not there.
        Unreadable: It is no regular file, too large, somebody else's, or cannot be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Unreadable(f"it cannot be read ({error.strerror})") from error
    with open(descriptor, "rb") as file:  # noqa: PTH123 -- a descriptor
        status = os.fstat(descriptor)
        if status.st_uid != os.geteuid():  # what it says would be done in our name
            raise Unreadable(f"it belongs to another user (number {status.st_uid})")
        try:
            content = file.read(limit + 1)
        except OSError as error:
            raise Unreadable(f"it cannot be read ({error.strerror})") from error
    if len(content) > limit:
        raise Unreadable(f"it is larger than {limit} bytes")
    return content


def set_aside(path: Path) -> Path:
    """Gives a file another name beside it, so that nothing of it is lost; returns the name."""
    for number in range(1, 1000):
        aside = path.with_name(f"{path.name}.unusable-{number}")
        if not os.path.lexists(aside):
            path.rename(aside)
            sync_folder(path.parent)
            return aside
    raise FileExistsError(f"{path} could not be set aside: too many are already")


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.new")


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
