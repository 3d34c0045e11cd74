"""Which commits took files away, and what they renamed them to.

To find that out takes a walk through the history, so it is kept in a file of the git directory, and each commit is
looked at once. The file can be deleted at any time, and is used only where it certainly says what git would say.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from gitforge.store.durable import Unreadable, read_own
from gitforge.store.origins_file import history_key
from gitforge.store.repo import Repo

_MOST = 1 << 24  # bytes
_KEPT = 4  # histories, so that going to and fro between branches costs nothing


class Move(NamedTuple):
    """A commit that took a file away.

    Attributes:
        commit: Its id.
        path: The file.
        heir: What it was renamed to; None where it was deleted.
    """

    commit: str
    path: str
    heir: str | None


class _Walked(NamedTuple):
    """The moves that the history of a commit has below some folders, the newest first."""

    tip: str
    folders: frozenset[str]
    moves: tuple[Move, ...]


def heirs(repo: Repo, gone: Collection[str]) -> dict[str, str]:
    """Today's names of files that were renamed; those that were deleted are left out.

    Args:
        repo: The repository.
        gone: Files that some commit had, and that the last one has not.

    Raises:
        UserError: git cannot read its history.
    """
    newest: dict[str, str | None] = {}
    for move in moves(repo, gone):
        newest.setdefault(move.path, move.heir)
    names = {name for name in newest.values() if name is not None}
    there = repo.entries(sorted(names)) if names else {}
    found = {path: _last(path, newest, there) for path in gone}
    return {path: name for path, name in found.items() if name is not None}


def _last(path: str, newest: Mapping[str, str | None], there: Collection[str]) -> str | None:
    seen: set[str] = set()
    name: str | None = path
    while name is not None and name not in there:
        if name in seen:  # renamed to and fro
            return None
        seen.add(name)
        name = newest.get(name)
    return name


def moves(repo: Repo, paths: Iterable[str]) -> Sequence[Move]:
    """What took files away from the folders of some files, and of what those were renamed to; the newest first.

    Args:
        repo: The repository.
        paths: Files, there or not.

    Raises:
        UserError: git cannot read its history.
    """
    tip = repo.head().commit
    folders = _folders(paths)
    if tip is None or not folders:
        return ()
    while True:
        found = _walk(repo, tip, folders)
        further = folders | _folders(move.heir for move in found if move.heir is not None)
        if further == folders:
            return found
        folders = further


def _folders(paths: Iterable[str]) -> frozenset[str]:
    return frozenset(folder for folder, _, _ in (path.rpartition("/") for path in paths) if folder)


def _walk(repo: Repo, tip: str, folders: frozenset[str]) -> Sequence[Move]:
    kept = _load(repo)
    usable = [one for one in kept if folders <= one.folders]
    if (same := next((one for one in usable if one.tip == tip), None)) is not None:
        return same.moves
    known = next((one for one in usable if repo.contains(tip, one.tip)), None)
    folders = folders if known is None else known.folders
    removed = repo.log.removals_below(sorted(folders), tip, since=known.tip if known is not None else None)
    renamed = repo.log.renames([commit for commit, _ in removed])
    found = tuple(Move(commit, path, renamed.get((commit, path))) for commit, path in removed)
    walked = _Walked(tip, folders, found + (known.moves if known is not None else ()))
    _save(repo, [walked, *(one for one in kept if one is not known)][:_KEPT])
    return walked.moves


def _load(repo: Repo) -> Sequence[_Walked]:
    history = history_key(repo)
    if history is None:
        return []
    if repo.memory is not None:
        known, walked = repo.memory.get("renames", (b"", []))
        return walked if known == history else []
    try:
        data: Any = json.loads(read_own(_file(repo), _MOST))
        if data["history"] != history.decode():
            return []
        return [
            _Walked(
                str(one["tip"]), frozenset(map(str, one["folders"])),
                tuple(Move(str(c), str(path), None if heir is None else str(heir)) for c, path, heir in one["moves"]),
            )
            for one in data["walked"]
        ]  # fmt: skip
    except (OSError, Unreadable, ValueError, KeyError, TypeError, RecursionError):
        return []


def _save(repo: Repo, walked: Sequence[_Walked]) -> None:
    """Keeps it where that can be."""
    history = history_key(repo)
    if history is None:
        return
    if repo.memory is not None:
        repo.memory["renames"] = history, walked
        return
    data = [{"tip": one.tip, "folders": sorted(one.folders), "moves": one.moves} for one in walked]
    file = _file(repo)
    temporary = file.with_name("renames.new")
    with contextlib.suppress(OSError):
        file.parent.mkdir(exist_ok=True)
        content = json.dumps({"history": history.decode(), "walked": data})
        temporary.write_bytes(content.encode())
        temporary.replace(file)


def _file(repo: Repo) -> Path:
    return repo.git_dir / "gitforge" / "renames"
