"""What was edited by hand in a toolkit since it was assembled, deleted, or put in a file's place."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gitforge.toolkits import RECORD, hash_of, hashes, read_if_there, read_manifest, sha256_of, staged_of


@dataclass(frozen=True)
class Found:
    """How the files of a toolkit stand that its manifest knows.

    Attributes:
        edited: Those that differ from what was assembled.
        deleted: Those that are not there.
        odd: Those that cannot be read, such as a folder of that name.
    """

    edited: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    odd: tuple[str, ...] = ()


def look(path: Path) -> Found:
    """How the files of the toolkit in a folder stand."""
    known = hashes(read_manifest(path))
    states = {name: _state(path / name, sha256) for name, sha256 in known.items()}
    return Found(
        *(tuple(name for name in states if states[name] == one) for one in ("edited", "deleted", "odd"))
    )


def _state(path: Path, sha256: str) -> str:
    try:
        if path.exists() and not path.is_file():
            return "odd"
        found = hash_of(path)
    except OSError:
        return "odd"
    if found is None:
        return "odd" if path.is_symlink() else "deleted"
    return "" if found == sha256 else "edited"


def unknown_files(path: Path, files: Iterable[str]) -> list[str]:
    """Those of the files that are there, where no manifest knows any of a toolkit's files."""
    if any(hashes(read_manifest(one)) for one in (path, staged_of(path))):
        return []
    return [name for name in files if (path / name).exists()]


def deleted_files(path: Path, files: Iterable[str]) -> tuple[str, ...]:
    """Those of the files that a toolkit's manifest knows and that are not there."""
    known = hashes(read_manifest(path))
    return tuple(name for name in files if name in known and hash_of(path / name) is None)


@dataclass(frozen=True)
class Edited:
    """A file of a toolkit as somebody edited it.

    Attributes:
        content: Its bytes.
        sha256: Of the file on disk; another one than the content's where a killed build had merged it already.
        manifest: What it was assembled from, as JSON data.
    """

    content: bytes
    sha256: str
    manifest: Mapping[str, Any]

    def assembled(self, name: str) -> str | None:
        """The SHA-256 of the text that it was before it was edited."""
        return hashes(self.manifest).get(name)


def edits(path: Path, files: Iterable[str]) -> dict[str, Edited]:
    """Those of the files that were edited since they were assembled, by name.

    Args:
        path: The toolkit's folder.
        files: Names; those that no manifest knows are somebody else's, and are left out.
    """
    staged = staged_of(path)
    manifests = [read_manifest(one) for one in (path, staged)]
    known = [hashes(one) for one in manifests]
    record = _read_record(staged)
    found = {}
    for name in files:
        content = read_if_there(path / name)
        if content is None or not any(name in one for one in known):
            continue
        sha256 = sha256_of(content)
        merged = record.get(name, {})
        ready = read_if_there(staged / name) if merged.get("from") == sha256 else None
        if merged.get("to") == sha256:  # moved into place by a build that was killed then
            found[name] = Edited(content, sha256, manifests[1])
        elif ready is not None and merged.get("to") == sha256_of(ready):  # or about to be
            found[name] = Edited(ready, sha256, manifests[1])
        elif sha256 not in {one.get(name) for one in known}:
            found[name] = Edited(content, sha256, manifests[0])
    return found


def _read_record(staged: Path) -> dict[str, dict[str, Any]]:
    """What a killed build had merged: by file name the SHA-256 before and after."""
    try:
        data = json.loads((staged / RECORD).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return {name: entry for name, entry in data.items() if isinstance(entry, dict)}
