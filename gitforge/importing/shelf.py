"""The folders of the library, and where in them what comes from elsewhere has room."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gitforge import names
from gitforge.components import Library
from gitforge.goals import Kind, Need
from gitforge.importing import naming
from gitforge.importing.placed import Component, Outcome
from gitforge.importing.records import Piece
from gitforge.store.repo import Repo

_NAMED_BY_FILE = {"persona", "protocol", "constraint", "taxonomy", "format", "task_template"}


class Shelf:
    """What stands in the folders of the library, on disk and in the last commit, and what is put there now."""

    def __init__(self, library: Library, repo: Repo) -> None:
        self._library = library
        self._repo = repo
        self._names: dict[str, dict[str, str]] = {}
        self._put: dict[str, str] = {}
        self._committed: dict[str, str | None] = {}

    def look_up(self, needs: Sequence[Need]) -> None:
        """Asks git once for what it has at the paths of many."""
        paths = [self.path(need) for need in needs]
        entries = self._repo.entries(paths)
        self._committed |= {path: entries[path].id if path in entries else None for path in paths}

    def path(self, need: Need) -> str:
        """Where a component is, from the repository's top."""
        return f"{self._repo.relative(self._library.folder)}/{need.path}"

    def is_committed(self, need: Need) -> bool:
        """Whether the last commit has it."""
        return self._committed.get(self.path(need)) is not None

    def put(self, need: Need, text: str) -> None:
        """Puts a text there, for those that come after it."""
        self._put[need.path] = text
        self._names_in(need.kind)[need.name.casefold()] = need.name

    def holds(self, need: Need, text: str) -> str | None:
        """Whether a text can be the component: None where its place is free, `same`, or what is in the way."""
        if need.path in self._put:
            return "same" if self._put[need.path] == text else "another file of the source has that name"
        if (other := self._names_in(need.kind).get(need.name.casefold(), need.name)) != need.name:
            return f"{other} differs in upper and lower case only"
        path = self.path(need)
        if path not in self._committed:
            self.look_up([need])
        committed, seen = self._committed[path], _bytes(self._library.folder / need.path)
        new = text.encode()
        if seen is None:
            is_free = committed is None and need.name.casefold() not in self._names_in(need.kind)
            return None if is_free else "the library has, or had in its last commit, another of that name"
        is_same = seen == new or self._id(seen, path) == self._id(new, path)
        if is_same and committed in {None, self._id(new, path)}:
            return "same"
        return "the library has another text of that name"

    def _id(self, content: bytes, path: str) -> str:
        return self._repo.objects.id_of_file(content, path)

    def _names_in(self, kind: Kind) -> dict[str, str]:
        if kind.folder not in self._names:
            self._names[kind.folder] = {name.casefold(): name for name in self._library.entries(kind)}
        return self._names[kind.folder]


def _bytes(path: Path) -> bytes | None:
    """A regular file's content; None where there is none."""
    try:
        return path.read_bytes() if path.is_file() and not path.is_symlink() else None
    except OSError:
        return None


def component(piece: Piece, kind: Kind, shelf: Shelf) -> Component:
    """The file that a piece becomes, which takes its place on the shelf."""
    wanted = piece.source.rpartition("/")[2]
    is_fitted = (
        wanted.endswith(names.COMPONENT_SUFFIXES) and piece.kind in _NAMED_BY_FILE and wanted != piece.name
    )
    renamed = "no file of a library can have that name" if is_fitted else None
    for name in naming.numbered(piece.name):
        need = Need(kind, name)
        found = shelf.holds(need, piece.text)
        if found in {None, "same"}:
            break
        renamed = renamed or found
    shelf.put(need, piece.text)
    outcome: Outcome = "new" if found is None else "there already"
    return Component(piece, need, outcome, renamed, shelf.is_committed(need))
