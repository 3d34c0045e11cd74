"""Toolkits on disk: `output/<project>/` with its files and their manifest, `toolkit.json`.

A new toolkit appears by one rename. A rebuilt one keeps its folder (people stand in it, editors have its
files open): every new file is complete in a staging folder before the first of them is moved, and the
manifest moves last. If a kill comes in between, the staged manifest still knows the new files, so the next
build completes them instead of taking them for edits. Files that gitforge did not make are left alone.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gitforge import __version__, names
from gitforge.errors import Conflict, UserError
from gitforge.goals import MANIFEST
from gitforge.plan import Plan, Planned
from gitforge.text import as_diff, printable
from gitforge.workspace import Workspace

FORMAT = 1


@dataclass(frozen=True)
class Toolkit:
    """An assembled toolkit.

    Attributes:
        project: Its name.
        goal: What it is for.
        folder: Where it is.
        files: The names of its files, without the manifest.
        changed: The files that this build wrote; empty where all were as they should be.
        components: What it was made from.
        unused: Those of them that no file shows: its templates leave them out.
    """

    project: str
    goal: str
    folder: Path
    files: tuple[str, ...]
    changed: tuple[str, ...]
    components: tuple[Planned, ...]
    unused: tuple[Planned, ...] = ()

    @property
    def is_degraded(self) -> bool:
        """Whether a placeholder stands in for a missing component."""
        return any(one.is_absent for one in self.components)


class EditedByHand(Conflict):
    """Files of a toolkit differ from what was assembled.

    Attributes:
        diff: What a build would change in them.
    """

    def __init__(self, folder: Path, edited: Sequence[str], diff: str = "") -> None:
        names_ = ", ".join(edited)
        super().__init__(
            f"output/{folder.name}: edited by hand since it was assembled, so not overwritten: {names_}",
            hint="Keep it by building under another project name, or replace your edits with --force.",
        )
        self.diff = diff


def folder(workspace: Workspace, project: str) -> Path:
    """The toolkit's folder.

    Raises:
        UserError: The name cannot be a folder's, `output` is a file, or a link leads out of the workspace.
    """
    names.file_name(project, "project")
    output = workspace.output
    if output.exists() and not output.is_dir():
        raise UserError("output: is a file, but has to be a folder", hint="Move it away.")
    path = output / project
    workspace.library.refuse_escape(path, f"output/{project}")
    if path.exists() and not path.is_dir():
        raise UserError(f"output/{project}: is a file, but has to be a folder", hint="Move it away.")
    return path


def manifest(
    project: str, goal: str, planned: Plan, templates: Sequence[str], files: Mapping[str, str]
) -> dict[str, Any]:
    """What a toolkit was made from. It has no time in it: the same input gives the same bytes.

    A template that the workspace has not got is gitforge's own, `gitforge:<name>`, of the version named.
    """
    places = {name: planned.templates.get(name, f"gitforge:{name}") for name in templates}
    return {
        "format": FORMAT,
        "gitforge": __version__,
        "project": project,
        "goal": goal,
        "degraded": any(one.is_absent for one in planned.components),
        "components": [
            {
                "kind": one.need.kind.name,
                "name": one.need.name,
                "path": one.path,
                "blob": one.blob,
                "commit": one.commit,
                "uncommitted": one.is_uncommitted,
            }
            for one in planned.components
        ],
        "templates": [{"path": path, "blob": planned.blobs.get(path)} for path in places.values()],
        "outputs": {name: {"sha256": _sha256(text.encode())} for name, text in files.items()},
    }


def read_manifest(path: Path) -> dict[str, Any]:
    """The manifest in a toolkit's folder, or in a staged one; empty where there is none that can be used."""
    try:
        data = json.loads((path / MANIFEST).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def edited_files(path: Path) -> list[str]:
    """The files of a toolkit that differ from what its manifest says was assembled."""
    known = _hashes(read_manifest(path))
    return [name for name, sha256 in known.items() if _hash_of(path / name) not in {sha256, None}]


def refuse_edited(path: Path) -> None:
    """Raises EditedByHand where files of a toolkit differ from what was assembled."""
    edited = edited_files(path)
    if edited:
        raise EditedByHand(path, edited)


def write(path: Path, files: Mapping[str, str], new: Mapping[str, Any], *, force: bool) -> tuple[str, ...]:
    """Writes a toolkit, as a whole or not at all.

    Args:
        path: The toolkit's folder.
        files: File name to text.
        new: The manifest.
        force: Whether files that were edited by hand are replaced.

    Returns:
        The names of the files that changed.

    Raises:
        EditedByHand: A file is not as it was assembled, and is not forced.
        UserError: The folder cannot be written.
    """
    contents = {name: text.encode() for name, text in files.items()}
    contents[MANIFEST] = (json.dumps(new, indent=2, ensure_ascii=False) + "\n").encode()
    try:
        if not _staged(path).exists() and all(_read(path / name) == contents[name] for name in contents):
            return ()
        path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(path.parent):
            return _publish(path, contents, force=force)
    except OSError as error:
        where = f"output/{path.name}"
        reason = error.strerror or str(error)
        raise UserError(f"{where}: cannot be written: {reason}; nothing in it was changed") from error


def _publish(path: Path, contents: Mapping[str, bytes], *, force: bool) -> tuple[str, ...]:
    """Checks, stages, moves; with the output folder locked."""
    staged = _staged(path)
    # What a killed build had staged is ours too: its files are not edits.
    known = [_hashes(read_manifest(one)) for one in (path, staged)]
    changed = [name for name, content in contents.items() if _read(path / name) != content]
    edited = [name for name in changed if name != MANIFEST and _is_edited(path / name, name, known)]
    if edited and not force:
        raise EditedByHand(path, edited, "".join(_difference(path, name, contents[name]) for name in edited))
    was_killed = staged.exists()
    try:
        _stage(staged, contents)
        if not path.exists():
            staged.rename(path)
            return tuple(changed)
    except BaseException:
        if not was_killed:
            shutil.rmtree(staged, ignore_errors=True)
        raise
    outdated = [
        name for name in known[0] if name not in contents and not _is_edited(path / name, name, known)
    ]
    moved = [name for name in changed if name != MANIFEST]
    _move(path, staged, moved, outdated, is_new=MANIFEST in changed)
    shutil.rmtree(staged, ignore_errors=True)
    return tuple(changed)


def _move(path: Path, staged: Path, changed: Sequence[str], outdated: Sequence[str], *, is_new: bool) -> None:
    """Moves what is staged into place, the manifest last; where the system refuses, moves it all back."""
    before: dict[str, bytes | None] = {}
    try:
        for name in changed:
            before[name] = _read(path / name)
            (staged / name).replace(path / name)
        for name in outdated:  # while the old manifest still knows them
            before[name] = _read(path / name)
            (path / name).unlink(missing_ok=True)
        if is_new:
            (staged / MANIFEST).replace(path / MANIFEST)
    except OSError:
        for name, content in before.items():
            if content is None:
                (path / name).unlink(missing_ok=True)
            elif _read(path / name) != content:
                (staged / name).write_bytes(content)
                (staged / name).replace(path / name)
        shutil.rmtree(staged, ignore_errors=True)
        raise


def _stage(staged: Path, contents: Mapping[str, bytes]) -> None:
    """Writes the new files aside, the manifest first: a second kill must not forget what the first knew."""
    staged.mkdir(exist_ok=True)
    for name in sorted(contents, key=lambda name: name != MANIFEST):
        fresh = staged / f".{name}.new"
        fresh.write_bytes(contents[name])
        fresh.replace(staged / name)
    for path in staged.iterdir():
        if path.name not in contents:
            path.unlink()


def _staged(path: Path) -> Path:
    return path.with_name(f".{path.name}.staged")


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Holds a folder's lock; the kernel frees it when the process ends, however it ends."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _hashes(data: Mapping[str, Any]) -> dict[str, str]:
    """File name to SHA-256, from a manifest that may have been tampered with."""
    outputs = data.get("outputs")
    if not isinstance(outputs, dict):
        return {}
    return {
        name: str(entry.get("sha256"))
        for name, entry in outputs.items()
        if isinstance(entry, dict) and _is_file_name(name)
    }


def _is_file_name(name: str) -> bool:
    try:
        names.file_name(name, "output")
    except UserError:
        return False
    return True


def _is_edited(path: Path, name: str, known: Sequence[Mapping[str, str]]) -> bool:
    found = _hash_of(path)
    return found is not None and found not in {hashes.get(name) for hashes in known}


def _hash_of(path: Path) -> str | None:
    content = _read(path)
    return None if content is None else _sha256(content)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _difference(path: Path, name: str, content: bytes) -> str:
    old = (_read(path / name) or b"").decode("utf-8", "replace")
    return as_diff(printable(f"output/{path.name}/{name}"), old, content.decode())
