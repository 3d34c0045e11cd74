"""The user's files: what is in the way of a new one, and how one is written without overwriting anything."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Collection, Iterable
from pathlib import Path, PurePosixPath

from gitforge.errors import Conflict, UserError
from gitforge.store.process import harmless
from gitforge.store.records import Entry, Link


def check_path(path: str) -> None:
    """Refuses a path that is not plainly one below the worktree's top, or that gitforge would not give a file.

    Raises:
        UserError: It is absolute, climbs, enters a git directory, is no UTF-8 or has a control character.
    """
    check_inside(path)
    if harmless(path) != path or "\\" in path:
        raise UserError(f"'{harmless(path)}' is not a path inside the repository")


def check_inside(path: str) -> None:
    """Refuses a path that leads out of the worktree or into a git directory; any other name may be in it.

    Raises:
        UserError: It does.
    """
    for part in path.split("/"):
        visible = "".join(c for c in part if c.isprintable())  # some file systems pass over the others
        if part in {"", ".", ".."} or visible.lower() in {".git", "git~1"}:
            raise UserError(f"'{harmless(path)}' is not a path inside the repository")


def read_file(root: Path, path: str, *, going: Collection[str] | None = None) -> bytes | None:
    """The content of a worktree's file, or None if there is nothing.

    Args:
        root: The worktree's top.
        path: The file, from there.
        going: Where files and folders may take each other's place: the files that go first. They count as gone, and
            so does a folder in which there is nothing else.

    Raises:
        Conflict: Something else than a regular file is there, or a parent is not a folder of this repository.
    """
    content = read_entry(root, path, going=going)
    if isinstance(content, Link):
        raise Conflict(
            f"{harmless(path)} is a symbolic link, where a file should be", hint="Move it away or rename it."
        )
    return content


def read_entry(root: Path, path: str, *, going: Collection[str] | None = None) -> bytes | None:
    """The same, but a symbolic link is what it leads to, as a `Link`; it is not followed.

    Raises:
        Conflict: Neither a regular file nor a link is there, or a parent is not a folder of this repository.
    """
    for parent in reversed(PurePosixPath(path).parents[:-1]):
        if going is not None and str(parent) in going and is_no_folder(root / parent):
            return None
        _check_folder(root / parent, str(parent), path)
    try:
        mode = (root / path).lstat().st_mode
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(mode) and going is not None:
        check_emptied(root, path, going)
        return None
    if stat.S_ISLNK(mode):
        return Link(os.fsencode((root / path).readlink()))
    if not stat.S_ISREG(mode):
        raise Conflict(
            f"{harmless(path)} is {_kind(mode)}, where a file should be", hint="Move it away or rename it."
        )
    return (root / path).read_bytes()


def _stands_in(folder: Path) -> bool:
    """Whether the user has started gitforge there."""
    try:
        return folder.samefile(Path.cwd())
    except OSError:
        return False


def is_no_folder(path: Path) -> bool:
    """Whether a file or a link is there."""
    try:
        mode = path.lstat().st_mode
    except OSError:
        return False
    return stat.S_ISREG(mode) or stat.S_ISLNK(mode)


def check_emptied(root: Path, path: str, going: Collection[str], what: str = "a file") -> None:
    """Refuses a folder in the place of what is to come where it has more than empty folders.

    Args:
        root: The worktree's top.
        path: The folder, from there.
        going: Files and links that count as gone.
        what: What is to come.

    Raises:
        Conflict: Something else is in it, or the user stands there.
    """
    for folder, _, names in os.walk(root / path):
        if _stands_in(Path(folder)):
            raise Conflict(f"{harmless(path)} is to be {what}, and the folder that you are in is there")
        for name in names:
            other = str((Path(folder) / name).relative_to(root))
            if other not in going:
                raise Conflict(f"{harmless(path)} is to be {what}, and {harmless(other)} is in that folder")
    for folder, names, _ in os.walk(root / path):
        for name in names:
            other = str((Path(folder) / name).relative_to(root))
            is_link = (Path(folder) / name).is_symlink()
            if (is_link and other not in going) or name == ".git":
                raise Conflict(f"{harmless(path)} is to be {what}, and {harmless(other)} is in that folder")


def check_parents(root: Path, path: str) -> None:
    """Refuses a path of which something above it is there, and no folder of this repository.

    Raises:
        Conflict: A link, a file or another repository is there.
    """
    for parent in reversed(PurePosixPath(path).parents[:-1]):
        _check_folder(root / parent, str(parent), path)


def remove_file(root: Path, path: str) -> None:
    """Removes a worktree's file, if it is there.

    Raises:
        OSError: The system refuses.
    """
    (root / path).unlink(missing_ok=True)


def put_new(source: Path, target: Path) -> None:
    """Gives a staged file or link its name, over nothing; `source` stays too.

    Raises:
        FileExistsError: Something is there.
        OSError: The system refuses.
    """
    if source.is_symlink():
        target.symlink_to(source.readlink())
    else:
        os.link(source, target)


def prune(root: Path, paths: Iterable[str]) -> None:
    """Removes the folders that files have left empty, as git does.

    The one in which the user started gitforge stays, as with git: their shell stands in it.

    Args:
        root: The worktree's top.
        paths: The files, from there.
    """
    for path in paths:
        with contextlib.suppress(OSError, Conflict):  # not empty, or behind a link
            check_parents(root, path)
            for parent in PurePosixPath(path).parents[:-1]:
                if not (root / parent).exists():
                    continue
                if _stands_in(root / parent):
                    break
                (root / parent).rmdir()


def clear_folder(folder: Path) -> None:
    """Removes the empty folders at a place where a file is to be."""
    if folder.is_symlink() or not folder.is_dir():
        return
    for one, _, _ in os.walk(folder, topdown=False):
        with contextlib.suppress(OSError):  # something is in it by now
            Path(one).rmdir()


def is_replaced(root: Path, path: str) -> bool:
    """Whether a folder has the place of a file, or a file or link that of a folder above it: it is not there."""
    if (root / path).is_dir() and not (root / path).is_symlink():
        return True
    return any(is_no_folder(root / parent) for parent in PurePosixPath(path).parents[:-1])


def _check_folder(folder: Path, name: str, path: str) -> None:
    try:
        mode = folder.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(mode):
        raise Conflict(
            f"{harmless(name)} is {_kind(mode)}, where {harmless(path)} needs a folder",
            hint="Move it away or rename it.",
        )
    if os.path.lexists(folder / ".git"):
        raise Conflict(
            f"{harmless(name)} is another git repository, so {harmless(path)} cannot be recorded in this one"
        )


def _kind(mode: int) -> str:
    if stat.S_ISLNK(mode):
        return "a symbolic link"
    if stat.S_ISDIR(mode):
        return "a folder"
    return "a file" if stat.S_ISREG(mode) else "a special file"


def executable(committed: Entry | None, indexed: Entry | None, *, is_new: bool) -> bool | None:
    """Whether a written file is to be executable; None: as it is.

    Args:
        committed: What the commit has.
        indexed: What the index had.
        is_new: Whether the file was not there.
    """
    if committed is None or not (is_new or (indexed is not None and indexed.mode != committed.mode)):
        return None
    return committed.mode == "100755"


class Staging:
    """Files written under other names, to be put in place after the commit point.

    A full disk or a lacking permission shows here, while there is nothing to undo. What is made outside the
    work folder is noted in it first, as a symbolic link, so that `sweep` finds it after a kill.

    Args:
        work: A folder of gitforge's own, used wherever it is on the target's filesystem.
    """

    def __init__(self, work: Path) -> None:
        self._work = work
        self._sources: list[Path] = []
        self._folders: list[Path] = []

    def write(
        self, target: Path, content: bytes, *, is_executable: bool | None = None, durable: bool = True,
        within: Path | None = None,
    ) -> Path:  # fmt: skip
        """Writes a file's content under another name, with its permissions and in reach of a rename.

        Args:
            target: The file.
            content: What it is to hold; or what the link is to lead to that it is to be.
            is_executable: Whether it can be run by those who can read it; None: as it is.
            durable: Whether it is to survive a power cut that comes at once.
            within: A folder on its file system, where its own cannot be made yet.

        Raises:
            OSError: The disk is full, or the target's folder cannot be made or written to.
        """
        above = within or self.make_folder(target.parent)
        if not os.access(above, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(above))
        near = self._work.stat().st_dev == above.stat().st_dev
        folder = self._work if near else above
        if near and isinstance(content, Link):  # beside the notes, which are links
            folder = self._work / "links"
            folder.mkdir(exist_ok=True)
        source = folder / f".gitforge-{os.getpid()}-{time.monotonic_ns()}"
        self._sources.append(source)
        if not near:
            _note(self._work, "source", source)
        if isinstance(content, Link):
            source.symlink_to(os.fsdecode(content))
            return source
        with source.open("xb") as file:  # the umask gives a new file git's permissions
            if target.is_file() and not target.is_symlink():
                os.fchmod(file.fileno(), stat.S_IMODE(target.stat().st_mode))
            if is_executable is not None:
                mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
                os.fchmod(file.fileno(), mode | (mode & 0o444) >> 2 if is_executable else mode & ~0o111)
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        return source

    def make_folder(self, folder: Path) -> Path:
        """Makes a folder with those above it, and gives it; or the last one above a file that is still in its place.

        Raises:
            OSError: The system refuses.
        """
        if folder.is_dir():
            return folder
        for one in reversed([folder, *folder.parents]):
            if one.is_dir():
                continue
            if os.path.lexists(one):
                return one.parent
            _note(self._work, "folder", one)
            one.mkdir(exist_ok=True)
            self._folders.append(one)
        return folder

    def discard(self) -> None:
        """Removes what was not put in place, and those of the new folders that stayed empty."""
        for source in self._sources:
            with contextlib.suppress(OSError):
                source.unlink()
        for folder in reversed(self._folders):
            with contextlib.suppress(OSError):
                folder.rmdir()


def scratch_folder(work: Path) -> Path:
    """A new folder outside the repository, which `sweep` removes, also after a kill."""
    folder = Path(tempfile.gettempdir()) / f"gitforge-{os.getpid()}-{os.urandom(6).hex()}"
    _note(work, "scratch", folder)
    folder.mkdir(mode=0o700)
    return folder


def sweep(work: Path) -> None:
    """Empties the work folder and removes what is noted in it: scratch, and new folders that stayed empty."""
    for note in sorted((path for path in work.iterdir() if path.is_symlink()), reverse=True):
        made = note.readlink()
        with contextlib.suppress(OSError):
            if note.name.startswith("scratch"):
                shutil.rmtree(made)
            elif note.name.startswith("folder"):
                made.rmdir()
            else:
                made.unlink()
    for path in list(work.iterdir()):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _note(work: Path, kind: str, made: Path) -> None:
    (work / f"{kind}-{time.monotonic_ns():020}").symlink_to(made)
