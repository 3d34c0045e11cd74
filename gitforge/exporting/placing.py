"""Exported files on disk: whole or not at all, over nothing that somebody else wrote, through no symbolic link."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gitforge.errors import Conflict, UserError
from gitforge.text import as_diff, printable
from gitforge.workspace import Workspace

MAX_BYTES = 16 * 1024 * 1024
_NAMED = 10
_FEW = 3  # files of which the differences can be read in one go


@dataclass(frozen=True)
class Folder:
    """Where files go.

    Attributes:
        path: Of the folder.
        shown: What the user called it.
    """

    path: Path
    shown: str

    def name(self, file: str) -> str:
        """How people are told of a file below it."""
        return os.path.normpath(os.path.join(self.shown, file))  # noqa: PTH118 -- as the user wrote it


@dataclass(frozen=True)
class Placed:
    """A file, and what becomes of it.

    Attributes:
        path: Where.
        name: How people are told of it.
        content: Its bytes; None where it goes.
        before: The bytes that are there; None where there is no file.
    """

    path: Path
    name: str
    content: bytes | None
    before: bytes | None

    @property
    def state(self) -> Literal["same", "new", "changed", "removed"]:
        """What writing it does."""
        if self.content == self.before:
            return "same"
        if self.content is None:
            return "removed"
        return "new" if self.before is None else "changed"


def refuse_folder(workspace: Workspace, folder: Folder) -> None:
    """Raises UserError for a folder that no export belongs in: the library, the toolkits, or a git directory."""
    real = os.path.realpath(folder.path)
    for taken, what in ((workspace.library.folder, "components"), (workspace.output, "toolkits")):
        if Path(real).is_relative_to(os.path.realpath(taken)):
            raise UserError(
                f"{folder.shown}: is in {taken.name}/, which holds {what}, not exports",
                hint="Name another folder with --out.",
            )
    if ".git" in Path(real.lower()).parts:
        raise UserError(f"{folder.shown}: is in a git directory", hint="Name another folder with --out.")


def look(folder: Folder, file: str, content: bytes | None) -> Placed:
    """What becomes of a file; arguments and errors are those of `read`."""
    return Placed(folder.path / file, folder.name(file), content, read(folder, file))


def read(folder: Folder, file: str) -> bytes | None:
    """The bytes of a file below a folder; None where there is none.

    Raises:
        UserError: It, or a folder on the way to it, is a symbolic link or no file, or cannot be read.
    """
    path, shown = folder.path, folder.name(file)
    *above, _ = parts = file.split("/")
    try:
        if path.exists() and not path.is_dir():
            raise UserError(f"{shown}: its folder is a file", hint="Name a folder with --out.")
        for depth, part in enumerate(parts):
            path /= part
            if path.is_symlink():
                raise UserError(
                    f"{shown}: is or lies behind a symbolic link, which is not followed",
                    hint="Name the real folder with --out.",
                )
            if path.exists() and path.is_dir() != (depth < len(above)):
                what = "a file is in the way of its folder" if depth < len(above) else "is a folder"
                raise UserError(f"{shown}: {what}", hint="Move it away, or name another folder with --out.")
        if not path.exists():
            return None
        if not path.is_file():
            raise UserError(f"{shown}: is not a file", hint="Move it away.")
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise UserError(f"{shown}: cannot be read: {error.strerror or error}") from error
    if len(content) > MAX_BYTES:
        raise UserError(f"{shown}: is larger than {MAX_BYTES // 1024 // 1024} MiB")
    return content


class OtherFiles(Conflict):
    """Files that differ are in the way.

    Attributes:
        diff: What would change in them, where they are few.
    """

    def __init__(self, others: Sequence[Placed]) -> None:
        shown = ", ".join(one.name for one in others[:_NAMED])
        more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
        super().__init__(
            f"there are other files of these names, so not overwritten: {shown}{more}",
            hint="Name another folder with --out, or replace them with --force.",
        )
        self.diff = "".join(map(_difference, others)) if len(others) <= _FEW else ""


def refuse_others(placed: Sequence[Placed]) -> None:
    """Raises OtherFiles where other files are in the way."""
    if others := [one for one in placed if one.state == "changed"]:
        raise OtherFiles(others)


def _difference(one: Placed) -> str:
    before, after = ((text or b"").decode("utf-8", "replace") for text in (one.before, one.content))
    return as_diff(printable(one.name), before, after)


def write(folder: Folder, placed: Sequence[Placed]) -> None:
    """Writes all of the files, or none.

    Raises:
        Conflict: Somebody changed a file meanwhile.
        UserError: One cannot be written.
    """
    moving = [one for one in placed if one.state != "same"]
    made: list[Path] = []
    fresh: dict[Path, Path] = {}
    done: list[Placed] = []
    try:
        for one in moving:
            if one.content is not None:
                _make_folder(one.path.parent, made)
                _stage(one.path, one.content, fresh)
        for one in moving:
            _refuse_race(one)
            done.append(one)
            _move(one, fresh)
    except BaseException as error:
        _take_back(done, fresh, made)
        if isinstance(error, OSError):
            raise UserError(
                f"{folder.shown}: cannot be written: {error.strerror or error}; nothing in it was changed"
            ) from error
        raise


def _refuse_race(one: Placed) -> None:
    if _bytes(one.path) != one.before:
        raise Conflict(f"{one.name}: somebody changed it just now", hint="Export again.")


def _move(one: Placed, fresh: Mapping[Path, Path]) -> None:
    if one.content is None:
        one.path.unlink()
    else:
        fresh[one.path].replace(one.path)


def _make_folder(folder: Path, made: list[Path]) -> None:
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    made += missing


def _stage(path: Path, content: bytes, fresh: dict[Path, Path]) -> None:
    """Writes a file aside, under a name that nobody has, with the permissions of the one that it replaces."""
    aside = path.with_name(f".gitforge-{secrets.token_hex(8)}")
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666)
    fresh[path] = aside  # before it is whole: half a file has to go too
    with os.fdopen(handle, "wb") as file:
        if path.exists():
            os.fchmod(handle, path.stat().st_mode & 0o777)
        file.write(content)


def _take_back(done: Sequence[Placed], fresh: dict[Path, Path], made: Sequence[Path]) -> None:
    for one in done:
        with suppress(OSError):
            if one.before is None:
                one.path.unlink(missing_ok=True)
            elif _bytes(one.path) != one.before:
                _stage(one.path, one.before, fresh)
                fresh[one.path].replace(one.path)
    for path in fresh.values():
        with suppress(OSError):
            path.unlink(missing_ok=True)
    for folder in sorted(made, key=lambda one: len(one.parts), reverse=True):
        with suppress(OSError):
            folder.rmdir()


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None
