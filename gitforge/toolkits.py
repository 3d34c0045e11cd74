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

from gitforge import names
from gitforge.errors import Conflict, UserError
from gitforge.goals import MANIFEST
from gitforge.plan import Planned
from gitforge.text import as_diff, printable
from gitforge.workspace import Workspace

RECORD = ".merged.json"  # in the staging folder: what was merged, for the build after a kill


@dataclass(frozen=True)
class Place:
    """Lines of a toolkit's file that were edited by hand, where something else was assembled since.

    Attributes:
        file: From the workspace.
        line: Of the file as it was edited, from 1; None for the whole file.
        ours: The lines as they were edited.
        theirs: The lines as they are assembled now.
    """

    file: str
    line: int | None
    ours: str
    theirs: str

    @property
    def diff(self) -> str:
        """Both versions, signed as in a diff."""
        sides = (("-", self.ours), ("+", self.theirs))
        return "".join(
            f"{sign}{one}\n" for sign, text in sides for one in text.removesuffix("\n").split("\n") if text
        )


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
        kept: The files in which edits by hand were kept.
        replaced: Edits by hand that gave way to what is assembled now.
        restored: The files that had been deleted by hand and are there again.
    """

    project: str
    goal: str
    folder: Path
    files: tuple[str, ...]
    changed: tuple[str, ...]
    components: tuple[Planned, ...]
    unused: tuple[Planned, ...] = ()
    kept: tuple[str, ...] = ()
    replaced: tuple[Place, ...] = ()
    restored: tuple[str, ...] = ()

    @property
    def is_degraded(self) -> bool:
        """Whether a placeholder stands in for a missing component."""
        return any(one.is_absent for one in self.components)


class EditedByHand(Conflict):
    """Files of a toolkit differ from what was assembled.

    Attributes:
        diff: What a build would change in them.
    """

    def __init__(self, folder: Path, edited: Sequence[str], diff: str = "", reason: str = "") -> None:
        names_ = ", ".join(edited)
        super().__init__(
            f"output/{folder.name}: edited by hand since it was assembled, so not overwritten: {names_}"
            + (f"; it cannot be merged, because {reason}" if reason else ""),
            hint="Keep it by building under another project name, or replace your edits with --force.",
        )
        self.diff = diff


class UnknownFiles(Conflict):
    """Files are in the way of a toolkit, and no manifest says whether somebody edited them.

    Attributes:
        diff: What a build would change in them.
    """

    def __init__(self, folder: Path, files: Sequence[str], diff: str = "") -> None:
        there = "cannot be read" if (folder / MANIFEST).exists() else "is not there"
        super().__init__(
            f"output/{folder.name}/{MANIFEST} {there}, so nobody can tell what was edited by hand; "
            f"not overwritten: {', '.join(files)}",
            hint=f"Bring {MANIFEST} back (--ours and --theirs cannot help without it), build under another "
            "project name, or replace the files with --force.",
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


def read_manifest(path: Path) -> dict[str, Any]:
    """The manifest in a toolkit's folder, or in a staged one; empty where there is none that can be used."""
    try:
        data = json.loads((path / MANIFEST).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def goal_of(path: Path) -> str | None:
    """What a toolkit is for; None where no manifest says it."""
    goal = read_manifest(path).get("goal")
    return goal if isinstance(goal, str) else None


def write(
    path: Path,
    files: Mapping[str, str],
    new: Mapping[str, Any],
    *,
    force: bool,
    merged: Mapping[str, str] | None = None,
) -> tuple[str, ...]:
    """Writes a toolkit, as a whole or not at all.

    Args:
        path: The toolkit's folder.
        files: File name to text.
        new: The manifest.
        force: Whether files that were edited by hand are replaced.
        merged: The files whose text has edits by hand in it already, with the SHA-256 that they had then.

    Returns:
        The names of the files that changed.

    Raises:
        EditedByHand: A file is not as it was assembled, nor as it was when it was merged, and is not forced.
        UserError: The folder cannot be written.
    """
    contents = contents_of(files, new)
    try:
        if not staged_of(path).exists() and all(
            read_if_there(path / name) == contents[name] for name in contents
        ):
            return ()
        path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(path.parent):
            return _publish(path, contents, merged or {}, force=force)
    except OSError as error:
        where = f"output/{path.name}"
        reason = error.strerror or str(error)
        raise UserError(f"{where}: cannot be written: {reason}; nothing in it was changed") from error


def would_change(path: Path, files: Mapping[str, str], new: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the files that `write` would change; arguments are its own."""
    return tuple(
        name for name, content in contents_of(files, new).items() if read_if_there(path / name) != content
    )


def contents_of(files: Mapping[str, str], new: Mapping[str, Any]) -> dict[str, bytes]:
    """The bytes of a toolkit's files and of its manifest."""
    contents = {name: text.encode("utf-8", "surrogateescape") for name, text in files.items()}
    contents[MANIFEST] = (json.dumps(new, indent=2, ensure_ascii=False) + "\n").encode()
    return contents


def _publish(
    path: Path, contents: Mapping[str, bytes], merged: Mapping[str, str], *, force: bool
) -> tuple[str, ...]:
    """Checks, stages, moves; with the output folder locked."""
    staged = staged_of(path)
    # What a killed build had staged is ours too: its files are not edits.
    known = [hashes(read_manifest(one)) for one in (path, staged)] + [merged]
    changed = [name for name, content in contents.items() if read_if_there(path / name) != content]
    edited = [name for name in changed if name != MANIFEST and _is_edited(path / name, name, known)]
    if edited and not force:
        refused = EditedByHand if any(known) else UnknownFiles
        raise refused(path, edited, "".join(difference(path, name, contents[name]) for name in edited))
    was_killed = staged.exists()
    try:
        record = {name: {"from": sha256, "to": sha256_of(contents[name])} for name, sha256 in merged.items()}
        extra = {RECORD: json.dumps(record).encode()} if record else {}
        _stage(staged, {**contents, **extra})
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
            before[name] = read_if_there(path / name)
            (staged / name).replace(path / name)
        for name in outdated:  # while the old manifest still knows them
            before[name] = read_if_there(path / name)
            (path / name).unlink(missing_ok=True)
        if is_new:
            (staged / MANIFEST).replace(path / MANIFEST)
    except OSError:
        for name, content in before.items():
            if content is None:
                (path / name).unlink(missing_ok=True)
            elif read_if_there(path / name) != content:
                (staged / name).write_bytes(content)
                (staged / name).replace(path / name)
        shutil.rmtree(staged, ignore_errors=True)
        raise


def _stage(staged: Path, contents: Mapping[str, bytes]) -> None:
    """Writes the new files aside, the manifest first: a second kill must not forget what the first knew."""
    staged.mkdir(exist_ok=True)
    for name in sorted(contents, key=lambda name: name not in {MANIFEST, RECORD}):
        fresh = staged / f".{name}.new"
        fresh.write_bytes(contents[name])
        fresh.replace(staged / name)
    for path in staged.iterdir():
        if path.name not in contents:
            path.unlink()


def staged_of(path: Path) -> Path:
    """The folder in which a toolkit's new files are made ready."""
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


def hashes(data: Mapping[str, Any]) -> dict[str, str]:
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
    found = hash_of(path)
    return found is not None and found not in {one.get(name) for one in known}


def hash_of(path: Path) -> str | None:
    """The SHA-256 of a file; None where it is not there."""
    content = read_if_there(path)
    return None if content is None else sha256_of(content)


def read_if_there(path: Path) -> bytes | None:
    """A file's bytes; None where it is not there."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def sha256_of(content: bytes) -> str:
    """The hash of a file with these bytes."""
    return hashlib.sha256(content).hexdigest()


def difference(path: Path, name: str, content: bytes) -> str:
    """What a file of a toolkit would lose and gain if this content replaced it, as a diff."""
    old = (read_if_there(path / name) or b"").decode("utf-8", "replace")
    return as_diff(printable(f"output/{path.name}/{name}"), old, content.decode())
