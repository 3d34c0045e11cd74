"""A stranger's folder, read with care: no link is followed, sizes and counts are limited, bad files are put aside."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator
from pathlib import Path

from gitforge import documents
from gitforge.components import MAX_BYTES, broken_front_matter
from gitforge.errors import InvalidFile, Problem, UserError
from gitforge.importing.records import Skipped
from gitforge.text import printable

MAX_FILES = 20_000
MAX_DEPTH = 20
MAX_TOTAL = 64 * 1024 * 1024  # bytes of text that one import reads
_MARK = "\ufeff"


class Source:
    """The files of a folder, each of which ends up read, taken or skipped.

    Args:
        folder: The folder.
        only: The names in it that are looked at; None for all.

    Attributes:
        name: The folder's own name.
        paths: The regular files in it.
        folders: The folders in it.
        skipped: What was not taken.
        contents: The bytes of what was read.

    Raises:
        UserError: It cannot be listed, or has too many files.
    """

    def __init__(self, folder: Path, only: Collection[str] | None = None) -> None:
        self.folder = folder
        self._only = only
        self.name = folder.resolve().name
        self.contents: dict[str, bytes] = {}
        self.folders: list[str] = []
        self.skipped: list[Skipped] = []
        self._left: dict[str, None] = {}
        self._total = 0
        for path in self._walk("", 0):
            self._left[path] = None
            self._refuse_crowd()
        self.paths = tuple(self._left)

    def _walk(self, below: str, depth: int) -> Iterator[str]:
        """The regular files, sorted; git's own folder is none of the source."""
        try:
            entries = sorted(os.scandir(self.folder / below), key=lambda one: one.name)
        except OSError as error:
            if not below:
                raise UserError(f"{self.folder}: cannot be listed: {error.strerror}") from error
            self.skipped.append(Skipped(below, f"cannot be listed: {error.strerror}"))
            return
        for entry in entries:
            path = f"{below}/{entry.name}" if below else entry.name
            if entry.name == ".git" or not (below or self._only is None or entry.name in self._only):
                continue
            if entry.is_symlink():
                self.skipped.append(Skipped(path, "is a symbolic link, which is not followed"))
            elif entry.is_dir(follow_symlinks=False):
                self.folders.append(path)
                self._refuse_crowd()
                if depth >= MAX_DEPTH:
                    self.skipped.append(Skipped(path, f"is more than {MAX_DEPTH} folders deep"))
                else:
                    yield from self._walk(path, depth + 1)
            elif entry.is_file(follow_symlinks=False):
                yield path
            else:
                self.skipped.append(Skipped(path, "is not a regular file"))

    def _refuse_crowd(self) -> None:
        if len(self._left) + len(self.folders) > MAX_FILES:
            raise UserError(
                f"{self.folder}: has more than {MAX_FILES:,} files and folders",
                hint="Name the folder in it that has prompts.",
            )

    def take(self, path: str, limit: int = MAX_BYTES) -> tuple[str, bool] | None:
        """The text of a file, and whether a byte order mark stood before it; None where it has to be skipped.

        Args:
            path: From the source's top.
            limit: The largest size that is accepted, in bytes.

        Raises:
            UserError: The source has too much text in all.
        """
        self._left.pop(path, None)
        try:
            content = _read(self.folder / path, limit + 1)
            self._total += len(content)
            self.contents[path] = content
            text = _text(content, path, limit)
        except InvalidFile as error:
            self.put_aside(error.problems[0], path)
            return None
        except OSError as error:
            self.skip(path, f"cannot be read: {error.strerror}")
            return None
        if self._total > MAX_TOTAL:
            raise UserError(
                f"{self.folder}: holds more than {MAX_TOTAL // 1024 // 1024} MiB of text",
                hint="Name the folder in it that has prompts.",
            )
        return text.removeprefix(_MARK), text.startswith(_MARK)

    def take_prompt(self, path: str) -> tuple[str, bool] | None:
        """As `take`, for a text that becomes a component: one that is empty or has broken front matter is skipped."""
        found = self.take(path)
        if found is None:
            return None
        problem = broken_front_matter(found[0], path)
        if problem is not None:
            self.put_aside(problem, path)
            return None
        if not found[0].strip():
            self.skip(path, "is empty")
            return None
        return found

    def take_yaml(self, path: str) -> documents.Document | None:
        """A file's YAML; None where it has to be skipped."""
        found = self.take(path)
        return self.as_yaml(path, found[0]) if found is not None else None

    def as_yaml(self, path: str, text: str) -> documents.Document | None:
        """The YAML of a file's text; None where the file has to be skipped."""
        try:
            return documents.parse(text, path)
        except InvalidFile as error:
            self.put_aside(error.problems[0], path)
            return None

    def glance(self, path: str) -> documents.Document | None:
        """A file's YAML, to see what the file is; None where it has none. It stays to be taken or skipped."""
        try:
            content = _read(self.folder / path, MAX_BYTES + 1)
            return documents.parse(_text(content, path, MAX_BYTES).removeprefix(_MARK), path)
        except (InvalidFile, OSError):
            return None

    def put_aside(self, problem: Problem, path: str) -> None:
        """Skips a file for what is wrong in it."""
        hint = f" ({problem.hint})" if problem.hint else ""
        self.skip(path, f"{problem.message}{hint}", problem.line)

    def skip(
        self,
        path: str,
        reason: str,
        line: int | None = None,
        *,
        is_read: bool = False,
        is_foreign: bool = False,
    ) -> None:
        """Leaves a file, and says why."""
        self._left.pop(path, None)
        self.skipped.append(Skipped(path, reason, line, is_read, is_foreign))

    def is_left(self, path: str) -> bool:
        """Whether nobody has taken or skipped a file yet."""
        return path in self._left

    def untouched(self, below: str = "") -> list[str]:
        """The files that nobody has taken or skipped yet, below a folder or anywhere."""
        return [path for path in self._left if path.startswith(f"{below}/" if below else "")]

    def skip_rest(self, reason: str) -> tuple[Skipped, ...]:
        """Leaves all that is left, and returns everything that was not taken, by path."""
        for path in self.untouched():
            self.skip(path, reason, is_foreign=True)
        return tuple(sorted(self.skipped, key=lambda one: one.path))


def _read(path: Path, limit: int) -> bytes:
    """The first bytes of a regular file: what stands there may have changed since it was listed."""
    file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with open(file, "rb") as stream:  # noqa: PTH123 -- a descriptor
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise InvalidFile([Problem(printable(path.name), "is not a regular file")])
        return stream.read(limit)


def _text(content: bytes, path: str, limit: int) -> str:
    text = documents.decoded(content, path, limit)
    if "\0" in text:
        raise InvalidFile([Problem(path, "is binary")])
    return text
