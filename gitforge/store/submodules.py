"""The folders of submodules, as `git pull` leaves them: empty for a new one, else as the user has them."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterable
from pathlib import Path

from gitforge.errors import Conflict
from gitforge.store.edits import Change
from gitforge.store.journal import FileStep
from gitforge.store.process import harmless
from gitforge.store.worktree import check_emptied, check_parents, is_no_folder


def refuse_occupied(root: Path, path: str, going: Collection[str]) -> None:
    """Refuses a new submodule where something of the user's is; another repository may be there, as with git.

    Args:
        root: The worktree's top.
        path: The submodule, from there.
        going: Files and links that count as gone.

    Raises:
        Conflict: Something is.
    """
    above = [str(parent) for parent in Path(path).parents[:-1]]
    if any(one in going and is_no_folder(root / one) for one in above):
        return
    check_parents(root, path)
    try:
        mode = (root / path).lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(mode):
        raise Conflict(f"{harmless(path)} is there already, untracked")
    if not os.path.lexists(root / path / ".git"):
        check_emptied(root, path, going, "a submodule")


def make_folders(root: Path, steps: Iterable[Change | FileStep]) -> dict[str, OSError | Conflict]:
    """Makes the folders of submodules that are not there; why one could not be made, by its path."""
    failures: dict[str, OSError | Conflict] = {}
    for step in steps:
        if step.committed is not None and step.committed.is_submodule:
            try:
                check_parents(root, step.path)
                (root / step.path).mkdir(parents=True, exist_ok=True)
            except (OSError, Conflict) as error:
                failures[step.path] = error
    return failures


def left_empty(steps: Iterable[Change | FileStep]) -> list[str]:
    """What `prune` is to look above: the files that went, and of a submodule what would be in its own folder."""
    paths = []
    for step in steps:
        if step.is_deletion and step.indexed is not None and step.indexed.is_submodule:
            paths.append(f"{step.path}/.git")
        elif step.seen is not None:
            paths.append(step.path)
    return paths
