"""What git keeps in plain files, read here because starting git takes a millisecond.

Whatever is not plain is for git to answer: a HEAD in a reftable, an index in version 4, which shortens names.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from gitforge.store.records import Entry, Head

_ID = re.compile(rb"(?:[0-9a-f]{40}|[0-9a-f]{64})\n")
_BRANCH = re.compile(rb"ref: (refs/heads/[^\s\0]+)\n")
_SIMPLE_PATTERN = re.compile(rb"[ -Z^-~]+")  # ASCII, without brackets and backslashes
_WILDCARDS = re.compile(rb"[*?]")
_HEADER = struct.Struct(">4sI")
_STAT = struct.Struct(">10I")  # ctime, mtime: seconds, nanoseconds; device, inode, mode, user, group, size
_MODE = 6  # its place among them
_LONGEST_NAME = 0xFFF  # a longer one's length does not fit into its flags


def read_head(git_dir: Path, common_dir: Path) -> Head | None:
    """HEAD, if it and its branch are plain files (gitrepository-layout(5)); else None.

    Args:
        git_dir: The worktree's git directory.
        common_dir: The one that all worktrees share.
    """
    try:
        path = git_dir / "HEAD"
        content = b"" if path.is_symlink() else path.read_bytes()
        if _ID.fullmatch(content):
            return Head(None, content.decode().strip())
        branch = _BRANCH.fullmatch(content)
        if branch is None or b".." in branch[1]:
            return None
        ref = os.fsdecode(branch[1])
        commit = (common_dir / ref).read_bytes()
    except OSError:
        return None  # packed, unborn, or somewhere else
    return Head(ref, commit.decode().strip()) if _ID.fullmatch(commit) else None


def has_replacements(common_dir: Path) -> bool:
    """Whether git may show other objects than those that are asked for (git-replace(1))."""
    try:
        packed = (common_dir / "packed-refs").read_bytes()
    except OSError:
        packed = b""
    return b" refs/replace/" in packed or (common_dir / "refs" / "replace").is_dir()


def attribute_files(
    root: Path, common_dir: Path, path: str, environment: Mapping[str, str]
) -> Iterator[Path]:
    """Where gitattributes(5) of a path may be, there or not.

    Args:
        root: The worktree's top.
        common_dir: The git directory that all worktrees share.
        path: A path from the worktree's top.
        environment: Where git looks for the user's files.
    """
    yield common_dir / "info" / "attributes"
    for parent in PurePosixPath(path).parents:
        yield root / parent / ".gitattributes"
    home = environment.get("HOME")
    if user := environment.get("XDG_CONFIG_HOME") or (home and f"{home}/.config"):
        yield Path(user, "git", "attributes")
    yield Path("/etc/gitattributes")
    if git := shutil.which("git", path=environment.get("PATH")):  # the prefix that it was installed with
        yield Path(os.path.realpath(git)).parents[1] / "etc" / "gitattributes"


def may_be_ignored(root: Path, path: str, others: Sequence[Path]) -> bool:
    """Whether a pattern of gitignore(5) can match a path or a folder that it is in: True where git may say no.

    Args:
        root: The worktree's top.
        path: A path from there.
        others: Files of patterns outside the worktree, there or not.
    """
    if not path.isascii():  # which may be written in several ways
        return True
    parts = path.lower().encode().split(b"/")  # the case may be nothing to git
    files = [(file, 0) for file in others]
    for depth in range(len(parts)):
        folder = root.joinpath(*path.split("/")[:depth])
        if depth and (
            folder.is_symlink() or os.path.lexists(folder / ".git")
        ):  # of which git has more to say
            return True
        files.append((folder / ".gitignore", depth))
    for file, depth in files:
        try:
            lines = file.read_bytes().lower().split(b"\n")
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            return True
        if any(_may_match(line.removesuffix(b"\r").rstrip(b" "), parts[depth:]) for line in lines):
            return True
    return False


def _may_match(pattern: bytes, parts: Sequence[bytes]) -> bool:
    """Whether a line can match a path, given from the line's folder on, or a folder in it."""
    if not pattern or pattern.startswith((b"#", b"!")):  # a comment; what only takes back
        return False
    if not _SIMPLE_PATTERN.fullmatch(pattern):
        return True
    segments = pattern.removesuffix(b"/").removeprefix(b"/").split(b"/")
    if b"" in segments or b"**" in segments:
        return True
    if b"/" not in pattern.removesuffix(b"/"):
        return any(_may_be(segments[0], part) for part in parts)
    return len(segments) <= len(parts) and all(map(_may_be, segments, parts))


def _may_be(segment: bytes, name: bytes) -> bool:
    """Whether a name agrees with a segment of a pattern up to the first wildcard, and from the last one on."""
    start, *others = _WILDCARDS.split(segment)
    return name.startswith(start) and name.endswith(others[-1]) if others else name == segment


def absent(index: bytes, paths: Sequence[str]) -> list[str]:
    """Those of the paths that an index certainly has not, nor anything below them: mostly all new files.

    Args:
        index: The whole content of the file (gitformat-index(5)), which must be neither split nor sparse.
        paths: From the worktree's top.
    """
    return [path for path in paths if os.fsencode(path) not in index] if _is_plain(index) else []


def note_unchanged(
    index: bytearray, files: Mapping[str, tuple[Entry, os.stat_result]], algorithm: str
) -> bool:
    """Puts into an index what tells git that files are as their entries say, so that it need not read them.

    Args:
        index: The file's content, which is changed.
        files: By path, the entry that the index has, and the status of the file, which has that content.
        algorithm: `sha1` or `sha256`.

    Returns:
        False where only git can tell; the content is spoiled then.
    """
    digest = hashlib.new(algorithm, usedforsecurity=False)
    if not _is_plain(index) or not any(index[-digest.digest_size :]):  # zeros: index.skipHash
        return False
    for path, (entry, status) in files.items():
        name = os.fsencode(path)
        ending = bytes.fromhex(entry.id) + struct.pack(">H", len(name)) + name + b"\0"
        start = index.find(ending) - _STAT.size
        mode = int(entry.mode, 8)
        if len(name) >= _LONGEST_NAME or start < 0:
            return False
        is_executable = bool(status.st_mode & stat.S_IXUSR)
        if _STAT.unpack_from(index, start)[_MODE] != mode or bool(mode & 0o100) != is_executable:
            return False  # marked as something else than the file is
        times = (*divmod(status.st_ctime_ns, 10**9), *divmod(status.st_mtime_ns, 10**9))
        numbers = (*times, status.st_dev, status.st_ino, mode, status.st_uid, status.st_gid, status.st_size)
        _STAT.pack_into(index, start, *(number & 0xFFFFFFFF for number in numbers))
    digest.update(memoryview(index)[: -digest.digest_size])
    index[-digest.digest_size :] = digest.digest()
    return True


def _is_plain(index: bytes | bytearray) -> bool:
    """Whether every entry's whole name stands in it."""
    if len(index) < _HEADER.size:
        return False
    signature, version = _HEADER.unpack_from(index)
    return signature == b"DIRC" and version in {2, 3}
