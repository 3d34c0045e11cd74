"""Components: where they are in a library, what their text is, and what may be wrong with it.

A component is plain text; optional YAML front matter (`name`, `description`, `metadata`) never reaches a
toolkit. Everything behind the front matter is inert: it goes into a toolkit byte for byte.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from gitforge import documents, names
from gitforge.errors import InvalidFile, Problem, UserError
from gitforge.goals import Goal, GoalBook, Kind, Need, Pin
from gitforge.text import did_you_mean, hidden_characters, one_line, printable

MAX_BYTES = 256 * 1024
Entry = TypeVar("Entry")
_FRONT_MATTER = re.compile(r"---[ \t]*\r?\n(.*?\r?\n)??---[ \t]*(?:\r?\n[ \t]*)*(?:\r?\n|\Z)", re.DOTALL)


@dataclass(frozen=True)
class Component:
    """One component as it is in the working tree, or a missing one.

    Attributes:
        need: Its kind, file name and purpose.
        body: The text that goes into a toolkit; None where the file is missing.
        meta: The front matter; empty where there is none.
    """

    need: Need
    body: str | None
    meta: Mapping[str, Any]

    @property
    def is_missing(self) -> bool:
        """Whether there is no file."""
        return self.body is None

    @property
    def title(self) -> str:
        """What people call it: the front matter's `name`, else the file name in words."""
        name = self.meta.get("name")
        return one_line(name) if isinstance(name, str) and name.strip() else names.title(self.need.name)

    @property
    def description(self) -> str:
        """One line on what it is for: from the front matter, else from goals.yaml, else empty."""
        described = self.meta.get("description")
        return one_line(described) if isinstance(described, str) else self.need.purpose or ""


class NotOurs(UserError):
    """A component of another library, which is only read.

    Args:
        name: The component, `acme:personas/x.md` or what it was called.
        library: Whose it is.
        what: What cannot be done with it, for example "be edited".
    """

    def __init__(self, name: str, library: str, what: str = "be changed") -> None:
        shown = printable(name)
        super().__init__(
            f"{shown} belongs to the library {library}, so it cannot {what} here",
            hint=f"`gitforge adopt {shown}` makes it a component of your own.",
        )


class LibraryNotFetched(UserError):
    """The commit at which another library is pinned is not in this repository.

    Args:
        pin: Where it is pinned.
    """

    def __init__(self, pin: Pin) -> None:
        super().__init__(
            f"the library {pin.name} is not fetched: commit {pin.commit[:12]}, which goals.yaml pins, is not here",
            hint=f"`gitforge library fetch {pin.name}` brings it.",
        )
        self.pin = pin


class InvalidLibrary(UserError):
    """What another library has at its pin cannot be used."""


class Reader(Protocol):
    """Reads components of other libraries."""

    def text(self, need: Need) -> str | None:
        """A component's whole text; None where the library has no such file at its pin."""

    def blob(self, need: Need) -> str | None:
        """The id of that text's blob."""

    def file(self, need: Need) -> tuple[str, str] | None:
        """Both: the id, and the text."""

    def all(self, pin: Pin, kinds: Iterable[Kind]) -> list[Need]:
        """Every component of these kinds that a library has."""

    def goal(self, pin: Pin, name: str, book: GoalBook) -> Goal:
        """A goal of a library, as one of ours."""

    def goal_names(self, pin: Pin) -> list[str]:
        """The goals that a library has, whether they can be used here or not."""

    def goals(self, pin: Pin, book: GoalBook) -> Iterator[Goal]:
        """Those that can be used here."""

    def is_here(self, pin: Pin) -> bool:
        """Whether the library is fetched."""


class Library:
    """The components of a workspace, read-only: those in its `library/` folder, and those of other libraries.

    Args:
        root: The folder of the workspace.
        foreign: Gives what reads the components of other libraries, once there is one to be read.
    """

    def __init__(self, root: Path, foreign: Callable[[], Reader]) -> None:
        self.root = root
        self._foreign = foreign
        self.folder = root / "library"
        self._real_root = os.path.realpath(root)

    @property
    def foreign(self) -> Reader:
        """What reads the components of other libraries."""
        return self._foreign()

    def path(self, need: Need) -> Path:
        """Where the component's file is, or will be.

        Raises:
            NotOurs: It is of another library.
            UserError: It is or lies behind a symbolic link, which git would not follow; or it is no file.
        """
        if need.pin is not None:
            raise NotOurs(need.path, need.pin.name)
        path = self.folder / need.path
        name = f"library/{need.path}"
        real = self.refuse_escape(path, name)
        if path.is_symlink() or real != f"{self._real_root}/library/{need.path}":
            hint = "Replace the link with the real file or folder: git does not follow it."
            raise UserError(f"{name}: is or lies behind a symbolic link", hint=hint)
        if path.exists() and not path.is_file():
            raise UserError(f"{name}: is not a file", hint="Move it away: a component is one text file.")
        return path

    def refuse_links(self, needs: Iterable[Need]) -> None:
        """Raises as `path` does for any of many own components, at the cost of one look at each kind's folder."""
        needs = [need for need in needs if need.pin is None]
        for kind in {need.kind.name: need.kind for need in needs}.values():
            folder = f"library/{kind.folder}"
            listed = {one.name: one for one in self._listed(kind, os.scandir)}
            is_plain = self.refuse_escape(self.folder / kind.folder, folder) == f"{self._real_root}/{folder}"
            for need in needs:
                if need.kind.name == kind.name:
                    entry = listed.get(need.name)
                    if not is_plain or (entry is not None and not entry.is_file(follow_symlinks=False)):
                        self.path(need)

    def text(self, need: Need) -> str | None:
        """The component's whole text, front matter included; None where the file is missing.

        Raises:
            UserError: It is no regular file, leads out of the workspace, or cannot be read; or it is of another
                library, which is not fetched.
            InvalidFile: It is too large, or not UTF-8.
        """
        if need.pin is not None:
            return self.foreign.text(need)
        path = self.path(need)
        return documents.read_text(path, f"library/{need.path}", MAX_BYTES) if path.exists() else None

    def read(self, need: Need) -> Component:
        """Reads a component; a missing file gives a missing component. Raises as `text` does."""
        text = self.text(need)
        if text is None:
            return Component(need, None, {})
        meta, body = split_front_matter(text)
        return Component(need, body, meta)

    def all(self, kinds: Iterable[Kind]) -> list[Need]:
        """Every own component file of those kinds, sorted by path within its kind, used by a goal or not."""
        return [Need(kind, name) for kind in kinds for name in sorted(self.names(kind))]

    def known(self, book: GoalBook, name: str) -> list[Need]:
        """The components that a name can mean: the workspace's own, or those of the library that it is of.

        Raises:
            UserError: goals.yaml declares no such library, or what it has at its pin cannot be used.
        """
        own = self.all(book.kinds.values())
        if names.foreign_parts(name) is None or (not book.libraries and book.matching(name, own)):
            return own  # a file whose name has a colon, where nothing else is meant by that
        pin = book.pin_of(name)
        return own if pin is None else self.foreign.all(pin, book.kinds.values())

    def goal(self, book: GoalBook, name: str) -> Goal:
        """The goal of that name: the workspace's own, or `acme:GOAL` of another library.

        Raises:
            UserError: There is none, or the library cannot be read.
        """
        if any(own.casefold() == name.casefold() for own in book.goals) or (pin := book.pin_of(name)) is None:
            return book.goal(name)
        return self.foreign.goal(pin, name.partition(":")[2], book)

    def names(self, kind: Kind) -> frozenset[str]:
        """The names of the component files of one kind."""
        listed = self._listed(kind, os.scandir)  # which mostly knows without a look at each file
        return frozenset(
            one.name for one in listed if one.name.endswith(names.COMPONENT_SUFFIXES) and one.is_file()
        )

    def contents(
        self, kind: Kind, names_: Iterable[str], limit: int = MAX_BYTES
    ) -> Iterator[tuple[str, bytes]]:
        """The first bytes of many components of one kind, without a closer look at each; unreadable ones are left out.

        Args:
            kind: Whose folder is read.
            names_: Names in it, as `names` gives them.
            limit: How many bytes of each.
        """
        folder = self.folder / kind.folder
        self.refuse_escape(folder, f"library/{kind.folder}")
        for name in names_:
            try:  # no link and no pipe is followed: what stands there may have changed since it was listed
                file = os.open(f"{folder}/{name}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            except OSError:
                continue
            try:
                yield name, os.read(file, limit)
            except OSError:
                continue
            finally:
                os.close(file)

    def entries(self, kind: Kind) -> frozenset[str]:
        """Whatever stands in the folder of one kind: one look at it instead of one at each file."""
        return frozenset(self._listed(kind, os.listdir))

    def _listed(self, kind: Kind, look: Callable[[Path], Iterable[Entry]]) -> list[Entry]:
        folder = self.folder / kind.folder
        self.refuse_escape(folder, f"library/{kind.folder}")
        try:
            return list(look(folder))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise UserError(f"library/{kind.folder}: cannot be listed: {error.strerror}") from error

    def refuse_escape(self, path: Path, name: str) -> str:
        """Where symbolic links on the way to the path lead; raises UserError if out of the workspace."""
        root = self._real_root
        real = os.path.realpath(path)
        inside = real == root or real.startswith(root + os.sep)
        if not inside or ".git" in Path(real[len(root) :].lower()).parts:
            raise UserError(
                f"{name}: is a symbolic link that leads out of the workspace",
                hint="Replace it with a real file or folder: a library must not reach into your other files.",
            )
        return real


def split_front_matter(text: str) -> tuple[Mapping[str, Any], str]:
    """Splits a component's text into its front matter and the rest.

    Front matter is a YAML mapping between two lines of `---` at the very beginning, or behind nothing but HTML
    comments (a licence's, say), which then belong to it, as the blank lines behind it do. Anything else at the
    beginning (a thematic break, say) is text.
    """
    match = _front_matter(text)
    if match is None:
        return {}, text
    try:
        data = documents.parse(match[1] or "", "front matter").data
    except InvalidFile:
        return {}, text
    if data is not None and not isinstance(data, dict):
        return {}, text
    return data or {}, text[match.end() :]


def _front_matter(text: str) -> re.Match[str] | None:
    """What may be front matter, whatever stands between its lines."""
    start = 0
    while text.startswith("<!--", start):
        end = text.find("-->", start)
        if end < 0:
            return None
        start = end + len("-->")
        while text[start : start + 1].isspace():
            start += 1
    is_alone = start == 0 or text[start - 1] == "\n"
    return _FRONT_MATTER.match(text, start) if is_alone and text.startswith("---", start) else None


def broken_front_matter(text: str, name: str) -> Problem | None:
    """Why what looks like front matter is none, with the line; None where it is right, or there is none.

    Args:
        text: The component's whole text.
        name: How the problem calls it.
    """
    match = _front_matter(text)
    if match is None or ":" not in (match[1] or ""):
        return None
    first = text.count("\n", 0, match.start()) + 1
    try:
        data = documents.parse(match[1], name).data
    except InvalidFile as error:
        problem = error.problems[0]
        message = f"its front matter {problem.message}"
        return Problem(name, message, first + (problem.line or 0), problem.hint)
    return None if isinstance(data, dict | None) else Problem(name, "its front matter is no mapping", first)


def replaced_text(current: str | None, body: str) -> str:
    """A component's file with another body: its front matter stays.

    Args:
        current: The file's text; None where there is none.
        body: The new text without front matter.
    """
    if current is None:
        return body
    _, old = split_front_matter(current)
    return current.removesuffix(old) + body if old and current.endswith(old) else body


def problems(library: Library, need: Need) -> Iterator[Problem]:
    """What is wrong with a component's file; nothing where it is missing."""
    name = need.shown
    try:
        names.component_name(need.name)
        text = library.text(need)
    except InvalidFile as error:
        yield from error.problems
        return
    except UserError as error:
        yield Problem(name, error.message.removeprefix(f"{name}: "), hint=error.hint)
        return
    if text is None:
        return
    meta, body = split_front_matter(text)
    if not body.strip():
        yield Problem(name, "is empty", hint="Write it, or delete it so that it is generated.")
    broken = broken_front_matter(text, name)
    if broken is not None:
        hint = "Correct it: as it stands it goes into every toolkit."
        yield Problem(name, broken.message, broken.line, hint)
    yield from _unknown_keys(meta, name)
    yield from text_problems(text, name)


def _unknown_keys(meta: Mapping[str, Any], name: str) -> Iterator[Problem]:
    """Keys of front matter that look like misspelt ones."""
    for key in sorted(meta.keys() - {"name", "description", "metadata"}):
        close = did_you_mean(key, ["name", "description", "metadata"])
        if close is not None:  # else it is another tool's, and means something there
            message = f"has the unknown key {printable(key)!r} in its front matter"
            yield Problem(name, message, 1, close, "warning")


def text_problems(text: str, name: str) -> Iterator[Problem]:
    """Hidden characters in a component's, template's or generator's text: three at most."""
    for count, hidden in enumerate(hidden_characters(text)):
        if count == 3:
            yield Problem(name, "has more hidden characters", hidden.line)
            return
        message = f"has the hidden character {hidden.name} in column {hidden.column}"
        yield Problem(name, message, hidden.line, "Delete it: what a reader cannot see, they cannot review.")
