"""The repository as it was: which commit a revision or a date means, and what that commit has."""

from __future__ import annotations

import os
from datetime import datetime

from gitforge.errors import UserError
from gitforge.store.records import COMMIT_LAYOUT, Commit, parse_commit, parse_tree
from gitforge.store.repo import Repo


def commit_before(repo: Repo, when: datetime) -> str | None:
    """The last commit of HEAD's own line (its first parents) that was made before a time; None if there is none."""
    seconds = int(when.timestamp()) - 1
    if seconds < 0 or repo.head().commit is None:
        return None
    # In the form of a commit's header, which git takes as it is: --min-age ends in 2038.
    about = ("--first-parent", "--max-count=1", f"--before=@{seconds} +0000")
    return repo.git.read("rev-list", *about, "HEAD", "--").stdout.decode().strip() or None


def first_commit(repo: Repo) -> Commit | None:
    """The oldest commit of HEAD's own line (its first parents); None where there is no commit."""
    if repo.head().commit is None:
        return None
    done = repo.git.read("rev-list", "--first-parent", "--max-parents=0", "HEAD", "--")
    found = done.stdout.decode().split()
    return read_commit(repo, found[-1]) if found else None


def read_commit(repo: Repo, id_: str) -> Commit:
    """A commit's header and message.

    Raises:
        UserError: There is no such commit.
    """
    layout = ("-s", f"--format={COMMIT_LAYOUT}", "--no-show-signature", "--encoding=UTF-8")
    done = repo.git.read("show", *layout, "--end-of-options", f"{id_}^{{commit}}", "--")
    return parse_commit(os.fsdecode(done.stdout))


def place_of_blob(repo: Repo, blob: str) -> tuple[str, str] | None:
    """A path at which the history of HEAD has a blob, under whatever name, and the newest commit that put it there."""
    layout = ("--raw", "--no-abbrev", "--no-renames", "-z", "--format=tformat:%H", "--no-show-signature")
    which = ("--max-count=1", "--diff-filter=AM", f"--find-object={blob}")
    done = repo.git.read("log", *layout, *which, "HEAD", "--")
    commit, _, rest = os.fsdecode(done.stdout).partition("\0")
    words = rest.lstrip("\n").split("\0")
    pairs = zip(words[::2], words[1::2], strict=False)
    path = next((name for raw, name in pairs if raw.split(" ")[3:4] == [blob]), None)
    return None if path is None else (path, commit)


def path_of_blob(repo: Repo, commit: str, blob: str, name: str) -> str | None:
    """A path at which a commit has a blob, one with that file name rather than another; None where it has none.

    Args:
        repo: The repository.
        commit: The commit, which need not be there.
        blob: Id of the blob.
        name: The file's name.
    """
    done = repo.git.run("ls-tree", "-r", "-z", "--full-tree", commit, environment={"GIT_NO_LAZY_FETCH": "1"})
    if done.status != 0:
        return None
    paths = [path for path, entry in parse_tree(done.stdout).items() if entry.id == blob]
    return min(paths, key=lambda path: (path.rpartition("/")[2] != name, path), default=None)


def read_file(repo: Repo, commit: str, path: str) -> tuple[str, str] | None:
    """The id and the text of a file as a commit has it; None where it has no such file.

    Raises:
        UserError: It is no UTF-8 text, or the repository has not got it.
    """
    entry = repo.objects.entries(commit, [path]).get(path)
    if entry is None or not entry.is_file:
        return None
    try:
        return entry.id, repo.objects.read_blob(entry.id).decode("utf-8")
    except UnicodeDecodeError:
        raise UserError(f"{path} at {commit[:12]}: is not UTF-8 text") from None
