"""The bytes that files of a commit have in the worktree: after smudge filters and line ending rules.

The attributes are the commit's own, as with `git checkout`: they may come with the files that they are about.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path, PurePosixPath

from gitforge.errors import UserError
from gitforge.store.process import harmless, succeed
from gitforge.store.repo import Repo
from gitforge.store.worktree import scratch_folder

ATTRIBUTES = ".gitattributes"


def contents(
    repo: Repo, commit: str, files: Mapping[str, str], *, attributes: Collection[str], gone: Collection[str],
    work: Path,
) -> dict[str, bytes]:  # fmt: skip
    """The worktree's bytes of files, by path.

    Args:
        repo: The repository.
        commit: Id of the commit that has them.
        files: Ids of their blobs, by path.
        attributes: The files of attributes that index or commit have.
        gone: Files that the worktree may still have, and the commit has not.
        work: The folder of the commit lock, which the caller holds.

    Raises:
        UserError: git or a filter fails.
    """
    stored = repo.objects.read_many("blob", files.values())
    found = {path: stored[id_] for path, id_ in files.items()}
    folders = {path.rpartition("/")[0] for path in attributes}
    plain = {
        path for path in repo.objects.unfiltered(found) if not any(one in folders for one in _folders(path))
    }
    if filtered := found.keys() - plain:
        found |= _checked_out(repo, commit, filtered, gone, work)
    return found


def _checked_out(
    repo: Repo, commit: str, paths: Collection[str], gone: Collection[str], work: Path
) -> dict[str, bytes]:
    folder, index = scratch_folder(work), work / "filtered-index"
    index.unlink(missing_ok=True)
    git = repo.git.elsewhere(repo.git_dir, folder, index)
    try:
        succeed(git.run("read-tree", commit))
        _copy_untracked(repo, commit, paths, gone, folder)
        listed = b"".join(os.fsencode(path) + b"\0" for path in paths)
        done = git.run("checkout-index", "-z", "--stdin", stdin=listed)
        if done.status != 0:
            words = "; ".join(line for line in done.stderr.splitlines() if line)
            raise UserError(
                f"files that came could not be checked out: {harmless(words)}; nothing was changed",
                hint="Is the filter that gitattributes name for them installed? `git config --get-regexp ^filter` "
                "lists those that git knows.",
            )
        return {path: (folder / path).read_bytes() for path in paths}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _copy_untracked(
    repo: Repo, commit: str, paths: Collection[str], gone: Collection[str], folder: Path
) -> None:
    """Attributes of the user's own count where the commit has none; git takes the commit's for the others."""
    places = {f"{above}/{ATTRIBUTES}".lstrip("/") for path in paths for above in _folders(path)}
    there = sorted(one for one in places - set(gone) if (repo.root / one).is_file())
    for path in set(there) - repo.objects.entries(commit, there).keys():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(repo.root / path, folder / path)


def _folders(path: str) -> Iterator[str]:
    """The folders above a file, from the worktree's top, which is empty."""
    for parent in PurePosixPath(path).parents:
        yield "" if str(parent) == "." else str(parent)
