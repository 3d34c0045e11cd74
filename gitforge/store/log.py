"""Which commits changed what, as git-log(1) tells it."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing

from gitforge.errors import UserError
from gitforge.store.git import Git, pathspecs
from gitforge.store.process import succeed
from gitforge.store.records import Generation, Removal, parse_generation, parse_removals

_LAYOUT = "%H%n%aI%n%an <%ae>%n%s%n%(trailers:only,unfold,key_value_separator=%x3A%x20)"


class Log:
    """The commits that HEAD has, newest first; none on a branch without a commit.

    Args:
        git: git in a worktree.
    """

    def __init__(self, git: Git) -> None:
        self._git = git

    def last_commits(self, paths: Sequence[str]) -> dict[str, str]:
        """For each path the newest commit that HEAD has and that changed it, if there is one."""
        return dict(self._last_changes("%H", paths))

    def generation_of(self, paths: Sequence[str]) -> dict[str, Generation]:
        """As `last_commits`, with what the commit's message says."""
        return {path: parse_generation(header) for path, header in self._last_changes(_LAYOUT, paths)}

    def commits_of(self, path: str) -> Iterator[Generation]:
        """The commits that changed a path, newest first, as far as they are asked for."""
        with closing(self._changes(_LAYOUT, [path])) as changes:
            for changed, header in changes:
                if changed == path:
                    yield parse_generation(header)

    def purpose_of(self, commit: str) -> str:
        """A commit's message without subject and trailers, as one line."""
        layout = ("--format=%b%x00%(trailers)", "--no-show-signature", "--encoding=UTF-8")
        body, _, trailers = os.fsdecode(self._git.read("show", "-s", *layout, commit).stdout).partition("\0")
        return " ".join(body.strip().removesuffix(trailers.strip()).split())

    def removals(self, paths: Sequence[str]) -> dict[str, list[Removal]]:
        """For each path the commits that took it away, on whatever branch; those never taken away are left out."""
        # A leading `/` tells a header from the raw lines, which name the blob as it was before.
        about = ("--diff-filter=D", "--raw", "--no-abbrev", "--no-renames", "--full-history")
        plain = ("--no-show-signature", "--no-color", "--encoding=UTF-8", "--format=tformat:/%H%n%B")
        options = ("--no-optional-locks", "-c", "log.follow=false")
        done = self._git.run("log", "-z", *about, *plain, "HEAD", "--", *pathspecs(paths), options=options)
        if done.status != 0 and not self._has_commit():
            return {}
        wanted, found = set(paths), parse_removals(succeed(done))
        return {path: removals for path, removals in found.items() if path in wanted}

    def _last_changes(self, layout: str, paths: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Each path with the header of its newest change; reads only as far back as it has to."""
        wanted = set(paths)
        if not wanted:
            return
        with closing(self._changes(layout, pathspecs(paths))) as changes:
            for path, header in changes:
                if path in wanted:
                    wanted.remove(path)
                    yield path, header
                if not wanted:
                    return

    def _changes(self, layout: str, specs: Sequence[str]) -> Generator[tuple[str, str]]:
        """Each path that a commit changed, with the commit's header, newest first."""
        # A leading `/` tells a header from a path. Combined diffs, so that a merge counts only where it
        # changed what every parent has. The other options undo what a user's configuration may add.
        layout = f"--format=tformat:/{layout}"
        diff = ("--name-only", "--diff-merges=combined", "--no-renames")
        plain = ("--no-show-signature", "--no-color", "--encoding=UTF-8")
        options = ("-c", "log.showRoot=true", "-c", "log.follow=false")
        command = ("log", "-z", layout, *diff, *plain, "HEAD", "--", *specs)
        output = self._git.stream(*command, options=options)
        header = ""
        try:
            with closing(output) as items:
                for item in items:
                    if item.startswith("/"):
                        header = item[1:]
                    else:
                        yield item.removeprefix("\n"), header
        except UserError:
            if self._has_commit():
                raise

    def _has_commit(self) -> bool:
        return self._git.run("rev-parse", "--verify", "--quiet", "HEAD").status == 0
