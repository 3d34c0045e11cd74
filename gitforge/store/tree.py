"""A tree edited without an index: only the folders on the way to a changed file are read and written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from gitforge.errors import Conflict
from gitforge.store.records import TREE
from gitforge.store.repo import Entry, Repo


def edit_tree(repo: Repo, base: str | None, files: Mapping[str, Entry], *, folder: str = "") -> str:
    """The id of a new tree that differs from another one by some files.

    Args:
        repo: Where the trees are.
        base: Id of the tree or commit to start from; None for an empty one.
        files: The new entries, by path from the tree's top.
        folder: The tree's own path with a final `/`, for messages.

    Raises:
        Conflict: A folder is where a file is to be, or the reverse.
    """
    tree = repo.objects.read_tree(base)
    below: defaultdict[str, dict[str, Entry]] = defaultdict(dict)
    for path, entry in files.items():
        name, _, rest = path.partition("/")
        if rest:
            below[name][rest] = entry
        else:
            old = tree.get(name)
            if old is not None and not old.is_file:
                raise Conflict(f"{folder}{name} is not a file in the last commit")
            tree = tree.edited(name, entry)
    for name, inner in below.items():
        old = tree.get(name)
        if old is not None and old.mode != TREE:
            raise Conflict(f"{folder}{name} is not a folder in the last commit, but {kind(old)}")
        id_ = edit_tree(repo, old.id if old is not None else None, inner, folder=f"{folder}{name}/")
        tree = tree.edited(name, Entry(TREE, id_))
    return repo.objects.write_tree(tree)


def kind(entry: Entry) -> str:
    """What an entry is, in words."""
    return {"040000": "a folder", "120000": "a symbolic link", "160000": "a submodule"}.get(
        entry.mode, "a file"
    )
