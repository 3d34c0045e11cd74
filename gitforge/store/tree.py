"""A tree edited without an index: only the folders on the way to a changed file are read and written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from gitforge.errors import Conflict
from gitforge.store.objects import Tree
from gitforge.store.records import TREE
from gitforge.store.repo import Entry, Repo


def edit_tree(repo: Repo, base: str | None, files: Mapping[str, Entry | None], *, links: bool = False) -> str:
    """The id of a new tree that differs from another one by some files.

    Args:
        repo: Where the trees are.
        base: Id of the tree or commit to start from; None for an empty one.
        files: The new entries, by path from the tree's top; None for a file that goes, with the folders
            that it leaves empty.
        links: Whether symbolic links and submodules may be replaced too.

    Raises:
        Conflict: A folder is where a file is to be, or the reverse.
    """
    return repo.objects.write_tree(_edited(repo, base, files, "", links=links))


def _edited(
    repo: Repo, base: str | None, files: Mapping[str, Entry | None], folder: str, *, links: bool
) -> Tree:
    """The edited tree, which is not stored yet; `folder` is its own path with a final `/`."""
    tree = repo.objects.read_tree(base)
    below: defaultdict[str, dict[str, Entry | None]] = defaultdict(dict)
    for path, entry in files.items():
        name, _, rest = path.partition("/")
        if rest:
            below[name][rest] = entry
            continue
        old = tree.get(name)
        if old is not None and not (old.is_file or (links and old.mode != TREE)):
            raise Conflict(f"{folder}{name} is not a file in the last commit")
        tree = tree.removed(name) if entry is None else tree.edited(name, entry)
    for name, inner in below.items():
        old = tree.get(name)
        if old is not None and old.mode != TREE:
            raise Conflict(f"{folder}{name} is not a folder in the last commit, but {kind(old)}")
        new = _edited(repo, old.id if old is not None else None, inner, f"{folder}{name}/", links=links)
        sub = Entry(TREE, repo.objects.write_tree(new)) if new.raw else None  # git has no empty folders
        tree = tree.removed(name) if sub is None else tree.edited(name, sub)
    return tree


def kind(entry: Entry) -> str:
    """What an entry is, in words."""
    return {"040000": "a folder", "120000": "a symbolic link", "160000": "a submodule"}.get(
        entry.mode, "a file"
    )
