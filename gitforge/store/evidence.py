"""What an answer about a workspace rests on, so that it can be given again where nothing of that has changed.

An answer rests on what git says (its configuration, what differs from HEAD and which commit that is, the ids of files
that it does not know), on the environment, and on files, of which only the status is looked at, as git does with its
index. A file that was written just before it was looked at may be written again without a trace, so an answer that
rests on one is not kept. What a commit has cannot change, so all that is read from the history rests on HEAD's id.

Nearly nothing is imported: the whole point is to be quick.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

import gitforge
from gitforge.store.spawn import Spawned

COMMANDS = {
    "status": (
        "--porcelain=v2", "-z", "--branch", "--no-ahead-behind", "--untracked-files=no",
        "--ignore-submodules=all", "--no-renames", "--",
    ),
    "config": ("--list", "--show-scope", "-z"),
    "hash-object": ("--",),
    "rev-list": ("--no-walk=unsorted", "--ignore-missing", "--end-of-options"),
}  # fmt: skip
"""What git is asked, by verb: what differs from HEAD, what is set, the ids of files, which commits are here."""

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
        about: The operands by verb: paths from the top, or ids. What is set is asked in any case.

    Raises:
        OSError: git cannot be started.
    """

    def __init__(self, top: str, about: Mapping[str, Sequence[str]]) -> None:
        wanted = {verb: about.get(verb, ()) for verb in COMMANDS if about.get(verb) or verb == "config"}
        self._asked = {verb: Spawned(top, verb, *COMMANDS[verb], *wanted[verb]) for verb in wanted}

    def answers(self) -> dict[str, bytes] | None:
        """What git prints, by verb; None where it fails."""
        said = {verb: spawned.finish() for verb, spawned in self._asked.items()}
        return None if None in said.values() else {verb: one for verb, one in said.items() if one is not None}


def key(root: str, said: Mapping[str, bytes]) -> str:
    """What is the same where git says the same in the same environment, and nowhere else: a hash, for a key is in it.

    Args:
        root: The workspace.
        said: What git prints, by verb.
    """
    import hashlib  # noqa: PLC0415 -- while git is at work

    variables = sorted(
        f"{name}={value}"
        for name, value in os.environ.items()
        if name.startswith(_VARIABLES) or name in _PLACES
    )
    program = (
        gitforge.__version__,
        gitforge.__file__,
        look(gitforge.__file__),
    )  # installed again, it is another file
    texts = (*program, sys.getfilesystemencoding(), root, *variables)
    printed = (part for verb in sorted(said) for part in (verb.encode(), said[verb]))
    digest = hashlib.sha256()
    for part in (*map(os.fsencode, texts), b"", *printed):
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
