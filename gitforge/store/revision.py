"""One commit that a user names, with what it did to each file; and files that a user names, also those of the past."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

from gitforge.errors import UserError
from gitforge.store.process import harmless
from gitforge.store.records import Entry, fields
from gitforge.store.repo import Repo

_GLOB = str.maketrans({sign: f"\\{sign}" for sign in "*?[]\\"})


@dataclass(frozen=True)
class Change:
    """What a commit did to one file: its entry before and after; None where there was none."""

    path: str
    was: Entry | None
    became: Entry | None


@dataclass(frozen=True)
class Revision:
    """A commit with one parent.

    Attributes:
        commit: Its id.
        parent: Its parent's.
        message: The whole of its message.
        changes: What it did to files; none in an empty commit.
    """

    commit: str
    parent: str
    message: str
    changes: tuple[Change, ...]

    @property
    def subject(self) -> str:
        """The first paragraph of its message, as one line."""
        return " ".join(self.message.strip().partition("\n\n")[0].split())


def resolve(repo: Repo, name: str) -> str:
    """The id of the commit that a user means.

    Raises:
        UserError: There is none.
    """
    commit = repo.commit_of(name)
    if commit is None:
        raise UserError(
            f"there is no commit {harmless(name)!r}",
            hint=repo.hint_where_cut("`git log --oneline` shows those that there are."),
        )
    return commit


def read_revision(repo: Repo, commit: str) -> Revision:
    """Reads a commit that HEAD has.

    Args:
        repo: The repository.
        commit: Its id.

    Raises:
        UserError: HEAD has it not, or it has not exactly one parent here, because it is the first one, a merge,
            or where a shallow clone ends.
    """
    head = repo.head().commit
    if head is None or not repo.contains(head, commit):
        raise UserError(
            f"the commit {commit[:12]} is not in the history of the branch that is checked out",
            hint="`git log` shows that history; in a shallow clone `git fetch --unshallow` brings the rest.",
        )
    layout = ("-s", "--no-show-signature", "--encoding=UTF-8", "--format=tformat:%P%x00%B")
    parents, _, message = os.fsdecode(repo.git.read("show", *layout, commit, "--").stdout).partition("\0")
    parent = _only_parent(repo, commit, parents.split())
    about = ("-r", "-z", "--raw", "--no-abbrev", "--no-renames", "--no-ext-diff", "--no-commit-id")
    parts = fields(repo.git.read("diff-tree", *about, parent, commit, "--").stdout)
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return Revision(commit, parent, message.strip(), tuple(_change(*pair) for pair in pairs))


def _only_parent(repo: Repo, commit: str, parents: Sequence[str]) -> str:
    if len(parents) > 1:
        raise UserError(
            f"the commit {commit[:12]} is a merge: which of its sides is to be taken back?",
            hint=f"`git revert -m 1 {commit[:12]}` takes back what was merged in.",
        )
    if parents:
        return parents[0]
    header = repo.git.read("cat-file", "commit", commit).stdout.partition(b"\n\n")[0]
    if b"\nparent " in header:
        raise UserError(
            f"the commit {commit[:12]} is where this shallow clone ends: what was before it is not here",
            hint="`git fetch --unshallow` brings it.",
        )
    raise UserError(f"the commit {commit[:12]} is the first one: there is nothing before it to go back to")


def _change(description: str, path: str) -> Change:
    modes, became_mode, was, became, _ = description.removeprefix(":").split(" ")
    return Change(path, _entry(modes, was), _entry(became_mode, became))


def _entry(mode: str, id_: str) -> Entry | None:
    return Entry(mode, id_) if int(mode, 8) else None


def renaming(repo: Repo, found: Revision, path: str) -> tuple[str, str] | None:
    """The old and the new name of a file, where a commit renamed it; None where it did not.

    Args:
        repo: The repository.
        found: The commit.
        path: The file, by either name.
    """
    about = (
        "-r",
        "-z",
        "--name-status",
        "-M",
        "-l1000",
        "--diff-filter=R",
        "--no-ext-diff",
        "--no-commit-id",
    )
    parts = fields(repo.git.read("diff-tree", *about, found.parent, found.commit, "--").stdout)
    for old, new in zip(parts[1::3], parts[2::3], strict=True):
        if path in {old, new}:
            return old, new
    return None


def messages(repo: Repo) -> Generator[tuple[str, str]]:
    """Id and message of the commits that HEAD has, newest first, merges left out, as far as they are asked for.

    Close it where it is not read to its end.
    """
    plain = ("--no-show-signature", "--no-color", "--no-notes", "--encoding=UTF-8", "--no-patch")
    about = ("--no-merges", "--topo-order", "--format=tformat:%H%n%B")
    if repo.head().commit is None:
        return
    with closing(repo.git.stream("log", "-z", *about, *plain, "HEAD", "--")) as items:
        for item in items:
            commit, _, message = item.partition("\n")
            yield commit, message


def files_named(
    repo: Repo, folder: str, name: str, suffixes: Sequence[str], revs: Iterable[str] = ("HEAD",)
) -> list[str]:
    """The files below a folder that a name may mean: those that there are, else those that HEAD's history had.

    Args:
        repo: The repository.
        folder: From the worktree's top, without a final `/`.
        name: A file name, or a path from that folder.
        suffixes: What may be left out at its end.
        revs: HEAD, or ids of commits, of which the first that has one is taken.

    Raises:
        UserError: git cannot read them.
    """
    if repo.head().commit is None:
        return []
    spellings = (name, *(name + suffix for suffix in suffixes))
    for rev in revs:
        listed = repo.git.read("ls-tree", "-r", "-z", "--name-only", "--full-tree", rev, "--", f"{folder}/")
        paths = fields(listed.stdout)
        for wanted in spellings:
            if found := [path for path in paths if _is_called(path, folder, wanted)]:
                return found
    for wanted in spellings:
        spec = f":(top,glob){folder.translate(_GLOB)}/**/{wanted.translate(_GLOB)}"
        about = ("--format=", "--name-only", "--diff-filter=D", "--no-renames", "-z")
        listed = repo.git.read("log", *about, "HEAD", "--", spec, environment={"GIT_LITERAL_PATHSPECS": "0"})
        paths = [*dict.fromkeys(path.lstrip("\n") for path in fields(listed.stdout))]
        if found := [path for path in paths if _is_called(path, folder, wanted)]:
            return found
    return []


def _is_called(path: str, folder: str, name: str) -> bool:
    inner = path.removeprefix(f"{folder}/")
    return inner == name or ("/" not in name and inner.rpartition("/")[2] == name)


def last_change(repo: Repo, path: str) -> str | None:
    """Id of the newest commit with at most one parent that HEAD has and that changed a file."""
    about = ("-1", "--no-merges", "--no-show-signature", "--no-follow", "--format=%H")
    done = repo.git.read("log", *about, "HEAD", "--", path)
    return done.stdout.decode().strip() or None


def contents(repo: Repo, changes: Sequence[Change]) -> Mapping[str, tuple[bytes | None, bytes | None]]:
    """What each file held before and after, by path.

    Raises:
        UserError: One of them is no file.
    """
    for change in changes:
        for entry in (change.was, change.became):
            if entry is not None and not entry.is_file:
                raise UserError(f"{change.path} is or was something else than a file")
    read = repo.objects.read_blob
    return {
        one.path: (read(one.was.id) if one.was else None, read(one.became.id) if one.became else None)
        for one in changes
    }
