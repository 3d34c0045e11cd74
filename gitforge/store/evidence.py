"""What an answer about a workspace rests on, so that it can be given again where nothing of that has changed.

An answer rests on what git says (its configuration, what differs from HEAD and which commit that is, the ids of files
that it does not know), on the environment, and on files, of which only the status is looked at, as git does with its
index. A file that was written just before it was looked at may be written again without a trace, so an answer that
rests on one is not kept. What a commit has cannot change, so all that is read from the history rests on HEAD's id.

Nearly nothing is imported: the whole point is to be quick.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

import gitforge
from gitforge.store.spawn import Spawned

CONFIGURATION = ("config", "--list", "--show-scope", "-z")
"""The question what is set in git."""
STATUS = (
    "status", "--porcelain=v2", "-z", "--branch", "--no-ahead-behind", "--untracked-files=no",
    "--ignore-submodules=all", "--no-renames", "--",
)  # fmt: skip
"""The question what differs from HEAD, and which commit that is; files and folders follow."""

_HASHES = ("hash-object", "--")
_VARIABLES = ("GIT_", "GITFORGE_", "OPENAI_")
_PLACES = ("HOME", "PATH", "XDG_CONFIG_HOME")
ABSENT = "-"


def place(root: str) -> tuple[str, str] | None:
    """The top of the worktree and the git directory around a folder, where nothing but the usual is set.

    Args:
        root: An absolute path without symbolic links.
    """
    top = root
    while True:
        git = os.path.join(top, ".git")
        if os.path.isdir(git):
            return top, git
        if os.path.lexists(git):
            return top, _linked(git)
        above = os.path.dirname(top)
        if above == top:
            return None
        top = above


def _linked(file: str) -> str:
    """Where a linked worktree's git directory is (gitrepository-layout(5))."""
    with open(file, "rb") as content:
        said = os.fsdecode(content.read(4096)).strip()
    return os.path.normpath(os.path.join(os.path.dirname(file), said.removeprefix("gitdir: ")))


class Question:
    """What git is asked of a worktree, at work.

    Args:
        top: The worktree's top.
        folders: The files and folders of which it is to say what differs from HEAD, from the top.
        hashed: Files of which it is to say the ids.

    Raises:
        OSError: git cannot be started.
    """

    def __init__(self, top: str, folders: Sequence[str], hashed: Sequence[str]) -> None:
        self._status = Spawned(top, *STATUS, *folders)
        self._configuration = Spawned(top, *CONFIGURATION)
        self._hashed = hashed
        self._ids = Spawned(top, *_HASHES, *self._hashed) if self._hashed else None

    def answers(self) -> tuple[bytes, bytes, dict[str, str]] | None:
        """What differs, what is set, and the ids by file; None where git fails."""
        status, configuration = self._status.finish(), self._configuration.finish()
        ids = self._ids.finish() if self._ids is not None else b""
        if status is None or configuration is None or ids is None:
            return None
        return status, configuration, dict(zip(self._hashed, ids.decode().split(), strict=False))


def key(root: str, said: tuple[bytes, bytes, Mapping[str, str]], files: Mapping[str, str]) -> str:
    """What answers for the same evidence have in common, and no others.

    Args:
        root: The workspace.
        said: What git answers, as in `Question`.
        files: What `look` says of each file.
    """
    import hashlib  # noqa: PLC0415 -- while git is at work

    status, configuration, ids = said
    digest = hashlib.sha256()
    program = (gitforge.__version__, gitforge.__file__)
    mattering = sorted(
        f"{name}={value}"
        for name, value in os.environ.items()
        if name.startswith(_VARIABLES) or name in _PLACES
    )
    listed = (*(f"{name}\0{id_}" for name, id_ in ids.items()), "", *(f"{n}\0{s}" for n, s in files.items()))
    texts = (*program, root, *mattering, "", *listed)
    for part in (status, configuration, *map(os.fsencode, texts)):
        digest.update(b"%d:%s" % (len(part), part))
    return digest.hexdigest()


def look(path: str) -> str:
    """All that tells whether a file or folder is the same as before (lstat(2)), in a line.

    Raises:
        OSError: Nobody can tell.
    """
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return ABSENT
    numbers = (found.st_ctime_ns, found.st_mtime_ns, found.st_mode, found.st_size)
    return " ".join(map(str, (*numbers, found.st_ino, found.st_dev, found.st_uid)))


def look_at(files: Iterable[str]) -> dict[str, str]:
    """What `look` says of each."""
    return {path: look(path) for path in files}
