"""The repository that somebody else's folder is in: which commit it has, and where it came from.

Only what starts no program of the folder's own is asked of git there: no status, whose filters and monitors a
stranger's configuration names, and nothing that could fetch.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gitforge.errors import UserError
from gitforge.store.process import run

_NO_FETCH = {"GIT_ALLOW_PROTOCOL": "none", "GIT_NO_LAZY_FETCH": "1"}


@dataclass(frozen=True)
class Checkout:
    """A folder's repository.

    Attributes:
        root: Top of its worktree.
        commit: Id of its last commit.
        url: Where it was cloned from, as git has it; it may hold a password.
    """

    root: Path
    commit: str
    url: str | None


def checkout_of(folder: Path) -> Checkout | None:
    """The repository around a folder; None where there is none that git trusts and that has a commit."""
    try:
        asked = ("--path-format=absolute", "--show-toplevel", "HEAD^{commit}")
        done = run(folder, "rev-parse", *asked, environment=_NO_FETCH)
        if done.status != 0:
            return None
        root, _, commit = os.fsdecode(done.stdout).removesuffix("\n").rpartition("\n")
        told = run(folder, "config", "--get", "remote.origin.url", environment=_NO_FETCH)
    except UserError:
        return None
    url = os.fsdecode(told.stdout).removesuffix("\n") if told.status == 0 else None
    return Checkout(Path(root), commit, url or None)


def is_as_committed(checkout: Checkout, files: Mapping[str, bytes]) -> bool:
    """Whether files have the bytes of the commit, whatever their line endings.

    Args:
        checkout: The repository.
        files: Content by path from the worktree's top.
    """
    done = run(checkout.root, "ls-tree", "-r", "-z", "--full-tree", checkout.commit, environment=_NO_FETCH)
    entries = (entry.partition("\t") for entry in os.fsdecode(done.stdout).split("\0") if entry)
    ids = {path: about.rpartition(" ")[2] for about, _, path in entries}
    return (
        done.status == 0
        and all(
            ids.get(path) in {_id(content, ids[path]), _id(content.replace(b"\r\n", b"\n"), ids[path])}
            for path, content in files.items()
            if path in ids
        )
        and files.keys() <= ids.keys()
    )


def _id(content: bytes, like: str) -> str:
    algorithm = "sha1" if len(like) == 40 else "sha256"
    return hashlib.new(algorithm, b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
