"""What files that are gone are called today: followed through their renamings, and looked up once.

To look it up takes a walk through the history, so the answers are kept in a file of the git directory. It can be
deleted at any time, and is used only where it certainly says what git would say.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from gitforge.store.durable import Unreadable, read_own
from gitforge.store.origins_file import history_key
from gitforge.store.repo import Repo

_MOST = 1 << 24  # bytes


def heirs(repo: Repo, gone: Collection[str]) -> dict[str, str]:
    """Today's names of files that were renamed; those that were deleted are left out.

    Args:
        repo: The repository.
        gone: Files that some commit had, and that the last one has not.

    Raises:
        UserError: git cannot read its history.
    """
    tip = repo.head().commit
    if tip is None or not gone:
        return {}
    known = _still_true(repo, tip, gone)
    if new := [path for path in gone if path not in known]:
        known |= _looked_up(repo, new)
        _save(repo, tip, known)
    return {path: heir for path in gone if (heir := known[path]) is not None}


def _looked_up(repo: Repo, gone: Collection[str]) -> dict[str, str | None]:
    """For each path its name today, or None."""
    successors: dict[str, str | None] = {}
    there: set[str] = set()
    open_ = set(gone)
    while open_:
        successors |= repo.log.successors(sorted(open_))
        names = {name for name in successors.values() if name is not None} - successors.keys() - there
        there |= repo.entries(sorted(names)).keys() if names else set()
        open_ = names - there
    return {path: _last(path, successors, there) for path in gone}


def _last(path: str, successors: Mapping[str, str | None], there: Collection[str]) -> str | None:
    seen: set[str] = set()
    name: str | None = path
    while name is not None and name not in there:
        if name in seen:  # renamed to and fro
            return None
        seen.add(name)
        name = successors.get(name)
    return name


def _still_true(repo: Repo, tip: str, gone: Collection[str]) -> dict[str, str | None]:
    """What was looked up at the same commit, or at one before it since which none of it was touched."""
    kept = _load(repo)
    if kept is None:
        return {}
    before, known = kept
    wanted = {path: known[path] for path in gone if path in known}
    if before == tip or not wanted:
        return wanted
    if not repo.contains(tip, before):
        return {}
    names = {*wanted, *(name for name in wanted.values() if name is not None)}
    touched = set(repo.log.last_commits(sorted(names), f"{before}..{tip}"))
    return {path: name for path, name in wanted.items() if path not in touched and name not in touched}


def _load(repo: Repo) -> tuple[str, Mapping[str, str | None]] | None:
    history = history_key(repo)
    if history is None:
        return None
    try:
        data: Any = json.loads(read_own(_file(repo), _MOST))
        if data["history"] != history.decode() or not isinstance(data["heirs"], dict):
            return None
        return str(data["tip"]), data["heirs"]
    except (OSError, Unreadable, ValueError, KeyError, TypeError, RecursionError):
        return None


def _save(repo: Repo, tip: str, known: Mapping[str, str | None]) -> None:
    """Keeps it where that can be."""
    history = history_key(repo)
    if history is None:
        return
    file = _file(repo)
    temporary = file.with_name("renames.new")
    with contextlib.suppress(OSError):
        file.parent.mkdir(exist_ok=True)
        content = json.dumps({"history": history.decode(), "tip": tip, "heirs": dict(known)})
        temporary.write_text(content, encoding="utf-8")
        temporary.replace(file)


def _file(repo: Repo) -> Path:
    return repo.git_dir / "gitforge" / "renames"
