"""The refs that keep what goals.yaml pins of other repositories: git collects nothing that a ref leads to.

`refs/gitforge/libraries/NAME` leads to the pin, or to a commit that has it; `refs/gitforge/fetched/NAME` to what was
fetched last. A pin that no later one has, because its history was rewritten, keeps a ref of its own below
`refs/gitforge/pins`: an older goals.yaml of the same history still names it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence

from gitforge.store.repo import Repo

_LIBRARIES, _FETCHED, _PINS = "refs/gitforge/libraries", "refs/gitforge/fetched", "refs/gitforge/pins"
_MOVE_SECONDS = 60.0
_AT_ONCE = 500  # revisions on a command line


def library_ref(name: str) -> str:
    """The ref that keeps a library's pin."""
    return f"{_LIBRARIES}/{name}"


def fetched_ref(name: str) -> str:
    """The ref that keeps what was fetched of a library last."""
    return f"{_FETCHED}/{name}"


def points(repo: Repo, name: str, commit: str) -> dict[str, str]:
    """What the refs have to be so that a commit is kept, and all that was kept before; none where that is so.

    Args:
        repo: The repository, which has the commit.
        name: The library.
        commit: Its new pin.
    """
    before = repo.commit_of(library_ref(name))
    if before is None or before == commit or repo.contains(commit, before):
        return {} if before == commit else {library_ref(name): commit}
    return {library_ref(name): commit, f"{_PINS}/{before}-{name}": before}


def keep(repo: Repo, name: str, commit: str) -> None:
    """Keeps a commit as a library's pin, beside all that was kept before.

    Raises:
        UserError: git cannot move the ref.
    """
    before = repo.commit_of(library_ref(name))
    if before is not None and repo.contains(before, commit):
        return  # an older pin, of another branch, say
    refs = points(repo, name, commit)
    fetched = repo.commit_of(fetched_ref(name))
    if fetched not in {None, commit} and repo.contains(commit, str(fetched)):
        refs[fetched_ref(name)] = commit  # a colleague has looked later than anybody here
    if refs:
        repo.make_refs(refs, timeout=_MOVE_SECONDS)


def keep_fetched(repo: Repo, name: str, commit: str) -> None:
    """Notes what was fetched of a library last.

    Raises:
        UserError: git cannot move the ref.
    """
    repo.make_refs({fetched_ref(name): commit}, timeout=_MOVE_SECONDS)


def refs_of(repo: Repo, name: str) -> dict[str, str]:
    """All refs of a library, each with the id that it leads to."""
    layout = "--format=%(refname)%09%(objectname)"
    listed = repo.git.read("for-each-ref", layout, library_ref(name), fetched_ref(name), _PINS).stdout
    found = dict(line.split("\t") for line in os.fsdecode(listed).splitlines())
    own = re.compile(rf"{_PINS}/[0-9a-f]+-{re.escape(name)}")
    return {ref: id_ for ref, id_ in found.items() if not ref.startswith(f"{_PINS}/") or own.fullmatch(ref)}


def refs_below(repo: Repo, place: str) -> list[str]:
    """The refs whose names begin with a path."""
    listed = repo.git.read("for-each-ref", "--format=%(refname)", f"{place}/").stdout
    return os.fsdecode(listed).splitlines()


def drop(repo: Repo, refs: Sequence[str]) -> None:
    """Removes refs, there or not.

    Raises:
        UserError: git cannot.
    """
    repo.drop_refs(refs, timeout=_MOVE_SECONDS)


def release(repo: Repo, name: str, needed: Iterable[str]) -> None:
    """Lets git collect what was kept of a library, but for commits that somebody still needs.

    Args:
        repo: The repository.
        name: The library.
        needed: Ids of commits, of this library or not; each that this library's refs keep gets a ref of its own.

    Raises:
        UserError: git cannot move the refs.
    """
    before = refs_of(repo, name)
    mine = [one for one in dict.fromkeys(needed) if any(repo.contains(tip, one) for tip in before.values())]
    ends = [one for one in mine if not any(one != other and repo.contains(other, one) for other in mine)]
    kept = {f"{_PINS}/{one}-{name}": one for one in ends}
    if new := {ref: one for ref, one in kept.items() if before.get(ref) != one}:
        repo.make_refs(new, timeout=_MOVE_SECONDS)
    drop(repo, [ref for ref in before if ref not in kept])


def named_elsewhere(repo: Repo, path: str) -> set[str]:
    """All that could be ids of commits in a file of the branches and other worktrees.

    Args:
        repo: The repository.
        path: The file, from the top.

    Raises:
        UserError: git fails.
    """
    listed = repo.git.read("for-each-ref", "--format=%(objectname)", "refs/heads").stdout.split()
    shown = repo.git.read("worktree", "list", "--porcelain", "-z").stdout.split(b"\0")
    heads = [line.removeprefix(b"HEAD ") for line in shown if line.startswith(b"HEAD ")]
    commits = [os.fsdecode(one) for one in dict.fromkeys([*listed, *heads]) if one.strip(b"0")]
    found: set[str] = set()
    for start in range(0, len(commits), _AT_ONCE):
        some = commits[start : start + _AT_ONCE]
        how = ("--only-matching", "-h", "--no-line-number", "--no-column", "--no-color", "--extended-regexp")
        told = repo.git.read("grep", *how, "-e", "[0-9a-f]{40,64}", *some, "--", path, accept=(0, 1))
        found.update(os.fsdecode(told.stdout).split())
    return {one for one in found if len(one) in {40, 64}}


def is_whole(repo: Repo, commit: str) -> bool:
    """Whether the repository has a commit with all its history and files, so that a ref may lead to it."""
    if repo.commit_of(commit) is None:
        return False
    done = repo.git.run("rev-list", "--objects", "--quiet", commit, "--not", "--all", "--")
    return done.status == 0


def between(repo: Repo, old: str, new: str) -> tuple[int, int] | None:
    """How many commits the newer side has more, and how many the older one; None where one of them is not here."""
    done = repo.git.run("rev-list", "--count", "--left-right", f"{old}...{new}", "--")
    if done.status != 0:
        return None
    less, more = done.stdout.split()
    return int(more), int(less)
