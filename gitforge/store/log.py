"""Which commits changed what, as git-log(1) tells it."""

from __future__ import annotations

import heapq
import os
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from itertools import count

from gitforge.errors import UserError
from gitforge.store.git import Git, pathspecs
from gitforge.store.process import succeed
from gitforge.store.records import (
    COMMIT_LAYOUT,
    FileChange,
    Generation,
    Removal,
    fields,
    parse_file_change,
    parse_file_changes,
    parse_generation,
    parse_removals,
)

_LAYOUT = "%H%n%aI%n%an <%ae>%n%s%n%(trailers:only,unfold,key_value_separator=%x3A%x20)"

_RENAMES = ("-M", "-l1000")
"""Renames as git finds them, at most so many that are no exact ones: whatever the user has set."""


class Log:
    """The commits that HEAD has, newest first; none on a branch without a commit.

    Args:
        git: git in a worktree.
    """

    def __init__(self, git: Git) -> None:
        self._git = git

    def last_commits(self, paths: Sequence[str], rev: str = "HEAD") -> dict[str, str]:
        """For each path the newest commit that HEAD or another commit has and that changed it, if there is one."""
        return dict(self._last_changes("%H", paths, rev))

    def generation_of(self, paths: Sequence[str]) -> dict[str, Generation]:
        """As `last_commits`, with what the commit's message says."""
        return {path: parse_generation(header) for path, header in self._last_changes(_LAYOUT, paths)}

    def follow(self, paths: Sequence[str], rev: str = "HEAD") -> Generator[FileChange]:
        """What commits did to files, newest first, also under the names that the files had before.

        A file that was deleted and made again has both its lives told. Close it where it is not read to its end.

        Args:
            paths: Files, there or not.
            rev: From which commit on: `HEAD`, or an id.

        Raises:
            UserError: git fails.
        """
        order = count()  # for commits of the same second
        heads: list[tuple[int, int, FileChange, Generator[FileChange], Mapping[str, str]]] = []
        begun: set[tuple[str, str]] = set()
        with ExitStack() as streams:

            def advance(changes: Generator[FileChange], asked: Mapping[str, str]) -> None:
                for change in changes:
                    if change.path in asked and (change.commit.id, change.path) not in begun:
                        begun.add((change.commit.id, change.path))
                        heapq.heappush(heads, (-change.commit.committed, next(order), change, changes, asked))
                        return

            def begin(asked: Mapping[str, str], rev: str) -> None:
                changes = self._file_changes(pathspecs([*asked]), rev, "--no-renames")
                advance(streams.enter_context(closing(changes)), asked)

            begin(dict(zip(paths, paths, strict=True)), rev)
            while heads:
                *_, change, changes, asked = heapq.heappop(heads)
                origin = asked[change.path]
                if change.status in "AD":
                    change = self._as_renamed(change)
                if change.status == "R" and change.path in asked:
                    begin({change.old_path: origin}, f"{change.commit.id}^@")
                yield replace(change, asked=origin)
                advance(changes, asked)

    def changes_below(self, folders: Sequence[str], rev: str = "HEAD") -> Generator[FileChange]:
        """What commits did to all files below folders (or to files), newest first; arguments as in `follow`.

        Where a file came from outside of the folders, it was added.
        """
        return self._file_changes(folders, rev, *_RENAMES)

    def _file_changes(self, specs: Sequence[str], rev: str, *renames: str) -> Generator[FileChange]:
        diff = ("--raw", "--no-abbrev", "--diff-merges=combined", "--combined-all-paths", *renames)
        with closing(self._log(COMMIT_LAYOUT, diff, specs, rev)) as items:
            yield from parse_file_changes(items)

    def _as_renamed(self, change: FileChange) -> FileChange:
        """The same, as a renaming where the commit took away one file and added a similar one.

        A merge is compared with each of its parents.
        """
        about = ("-r", "-m", "-z", "--no-commit-id", "--raw", "--no-abbrev", *_RENAMES)
        fields_ = iter(fields(self._git.read("diff-tree", *about, change.commit.id).stdout))
        for item in fields_:
            other = parse_file_change(item, fields_, change.commit)
            if other.status == "R" and change.path in {other.path, other.old_path}:
                return other
        return change

    def newest(self, count: int) -> Iterator[tuple[str, str]]:
        """Short id and subject of the newest commits."""
        layout = ("--format=%h%x09%s", "--no-show-signature", "--no-color", "--encoding=UTF-8")
        done = self._git.run("log", f"-n{count}", *layout, options=("--no-optional-locks",))
        lines = os.fsdecode(done.stdout).splitlines() if done.status == 0 else []
        return ((id_, subject) for id_, _, subject in (line.partition("\t") for line in lines))

    def removals_below(
        self, folders: Sequence[str], rev: str, *, since: str | None = None
    ) -> list[tuple[str, str]]:
        """Each commit that took a file away from a folder, with the file; the newest first.

        Args:
            folders: From the worktree's top.
            rev: From which commit on.
            since: A commit before it: what that has is left out.
        """
        about = ("--name-only", "--diff-filter=D", "--no-renames", "--full-history", "--diff-merges=combined")
        found, commit = [], ""
        revs = rev if since is None else f"{since}..{rev}"
        with closing(self._log("%H", about, folders, revs)) as items:
            for item in items:
                if item.startswith("/"):
                    commit = item[1:].strip()
                else:
                    found.append((commit, item.removeprefix("\n")))
        return found

    def renames(self, commits: Iterable[str]) -> dict[tuple[str, str], str]:
        """What commits renamed: the new name by commit and old name; of a merge what it did to any parent."""
        listed = "".join(f"{commit}\n" for commit in dict.fromkeys(commits)).encode()
        if not listed:
            return {}
        about = ("-r", "-m", "-z", "--raw", "--no-abbrev", "--diff-filter=R", "--stdin", *_RENAMES)
        renamed: dict[tuple[str, str], str] = {}
        commit = ""
        items = iter(fields(self._git.read("diff-tree", *about, stdin=listed).stdout))
        for item in items:
            if item.startswith(":"):
                old, new = next(items), next(items)
                renamed[commit, old] = new
            else:
                commit = item.strip().partition(" ")[0]
        return renamed

    def removals(self, paths: Sequence[str]) -> dict[str, list[Removal]]:
        """For each path the commits that took it, or by a revert its text, away, on whatever branch."""
        # A leading `/` tells a header from the raw lines, which name the blob as it was before.
        about = ("--diff-filter=DM", "--raw", "--no-abbrev", "--no-renames", "--full-history")
        plain = ("--no-show-signature", "--no-color", "--encoding=UTF-8", "--format=tformat:/%H%n%B")
        options = ("--no-optional-locks", "-c", "log.follow=false")
        done = self._git.run("log", "-z", *about, *plain, "HEAD", "--", *pathspecs(paths), options=options)
        if done.status != 0 and not self._has_commit():
            return {}
        wanted, found = set(paths), parse_removals(succeed(done))
        return {path: removals for path, removals in found.items() if path in wanted}

    def _last_changes(
        self, layout: str, paths: Sequence[str], rev: str = "HEAD"
    ) -> Iterator[tuple[str, str]]:
        """Each path with the header of its newest change; reads only as far back as it has to."""
        wanted = set(paths)
        if not wanted:
            return
        with closing(self._changes(layout, pathspecs(paths), rev)) as changes:
            for path, header in changes:
                if path in wanted:
                    wanted.remove(path)
                    yield path, header
                if not wanted:
                    return

    def _changes(self, layout: str, specs: Sequence[str], rev: str = "HEAD") -> Generator[tuple[str, str]]:
        """Each path that a commit changed, with the commit's header, newest first."""
        # Combined diffs, so that a merge counts only where it changed what every parent has.
        diff = ("--name-only", "--diff-merges=combined", "--no-renames")
        header = ""
        with closing(self._log(layout, diff, specs, rev)) as items:
            for item in items:
                if item.startswith("/"):
                    header = item[1:]
                else:
                    yield item.removeprefix("\n"), header

    def _log(self, layout: str, diff: Sequence[str], specs: Sequence[str], rev: str) -> Generator[str]:
        """The fields of a log, each commit's after a header; none on a branch without a commit."""
        # A leading `/` tells a header from a path. The other options undo what a user's configuration may add.
        layout = f"--format=tformat:/{layout}"
        plain = ("--no-show-signature", "--no-color", "--encoding=UTF-8")
        options = ("-c", "log.showRoot=true", "-c", "log.follow=false")
        command = ("log", "-z", layout, *diff, *plain, rev, "--", *specs)
        try:
            with closing(self._git.stream(*command, options=options)) as items:
                yield from items
        except UserError:
            if self._has_commit():
                raise

    def _has_commit(self) -> bool:
        return self._git.run("rev-parse", "--verify", "--quiet", "HEAD").status == 0
