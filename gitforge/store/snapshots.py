"""All files that a commit has below a folder, with their sizes: one process, and nothing is read yet."""

from __future__ import annotations

from dataclasses import dataclass

from gitforge.store.records import Entry, fields
from gitforge.store.repo import Repo


@dataclass(frozen=True)
class Sized:
    """What a commit has at a path.

    Attributes:
        entry: It.
        size: A file's bytes; None for what is no file.
    """

    entry: Entry
    size: int | None


def files_below(repo: Repo, commit: str, folder: str = "") -> dict[str, Sized]:
    """What a commit has below a folder, folders inside left out, by path from the top.

    Args:
        repo: The repository.
        commit: Id of the commit.
        folder: Without a final `/`; empty for all.

    Raises:
        UserError: The repository has not got the commit.
    """
    specs = (folder + "/",) if folder else ()
    listed = repo.git.read("ls-tree", "-r", "-l", "-z", "--full-tree", commit, "--", *specs)
    found = {}
    for line in fields(listed.stdout):
        about, _, path = line.partition("\t")
        mode, _, id_, size = about.split()
        found[path] = Sized(Entry(mode, id_), int(size) if size.isdecimal() else None)
    return found
