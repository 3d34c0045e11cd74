"""A repository made from another one: beside its place first, and moved there when all of it is good.

`git clone` receives, and no more: what it would check out nobody has looked at. A folder that a killed gitforge
leaves has a name that nothing takes for a workspace, and the next clone to the same place removes it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from gitforge.errors import UserError
from gitforge.store import prompts, texts, transfer
from gitforge.store.addresses import Address
from gitforge.store.process import harmless, succeed
from gitforge.store.remote_failures import RemoteFailed
from gitforge.store.repo import Repo
from gitforge.store.transfer import OnProgress

SAFELY = {
    "core.hooksPath": "/dev/null", "core.fsmonitor": "false",
    "core.protectHFS": "true", "core.protectNTFS": "true",
}  # fmt: skip
"""git's settings for what puts a stranger's files on disk: no hook runs, no other system's `.git` gets through."""

_MARK = ".gitforge-clone-"
_LOCK = "in-progress"
_OURS = tuple(f"{refs}/*:{refs}/*" for refs in (prompts.REFS, texts.REFS))


@contextmanager
def beside(target: Path) -> Iterator[Path]:
    """A folder next to one that is to be, for as long as the block lasts.

    Args:
        target: Where it is to be in the end; folders above it are made, and removed where nothing came of it.

    Raises:
        UserError: Something is there already, or the folder cannot be made.
    """
    refuse_taken(target)
    made = _missing_parents(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        sweep(target)
        folder = Path(tempfile.mkdtemp(prefix=f".{target.name}{_MARK}", dir=target.parent))
    except OSError as error:
        raise UserError(f"{target.parent}: cannot be written to: {error.strerror}") from error
    try:
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield folder / "clone"
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)
    finally:
        for parent in made:  # only those that are still empty go
            with suppress(OSError):
                parent.rmdir()


def refuse_taken(target: Path) -> None:
    """Raises UserError where something stands in a folder's place that is not an empty folder."""
    if not os.path.lexists(target):
        return
    if target.is_symlink() or not target.is_dir():
        raise UserError(f"{target} is there already, and is no folder", hint="Name another folder.")
    if any(target.iterdir()):
        raise UserError(f"{target} is there already, and is not empty", hint="Name another folder.")


def _missing_parents(target: Path) -> list[Path]:
    return [parent for parent in target.parents if not parent.exists()]


def sweep(target: Path) -> list[Path]:
    """Removes what killed clones to the same place have left; those that are at work keep theirs."""
    swept = []
    for folder in target.parent.glob(f".{_literal(target.name)}{_MARK}*"):
        with suppress(OSError):
            lock = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
                swept.append(folder)
            finally:
                os.close(lock)
    return swept


def _literal(name: str) -> str:
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in name)


def place(staged: Path, target: Path, last: str) -> None:
    """Moves a finished clone to its place.

    Args:
        staged: The clone.
        target: Its place: nothing, or an empty folder, which stays the same folder: a shell may stand in it.
        last: The name in the clone without which it is no workspace.

    Raises:
        UserError: Somebody has put something there meanwhile, or the system refuses.
    """
    moved: list[Path] = []
    try:
        if not os.path.lexists(target):
            staged.rename(target)
            return
        refuse_taken(target)
        for path in sorted(staged.iterdir(), key=lambda path: (path.name == last, path.name)):
            path.rename(target / path.name)
            moved.append(target / path.name)
    except BaseException as error:
        for path in moved:
            path.rename(staged / path.name)
        if isinstance(error, OSError):
            raise UserError(f"{target}: cannot be written to: {error.strerror}") from error
        raise


def receive(
    staged: Path,
    source: Address,
    *,
    branch: str | None,
    max_bytes: int,
    progress: OnProgress | None,
    can_ask: bool,
) -> Repo:
    """A new repository with all that a remote has, prompts and kept texts too, and nothing checked out.

    Args:
        staged: Where it is to be.
        source: The remote.
        branch: The branch or tag that HEAD is to be at; None for the remote's own.
        max_bytes: How much may come.
        progress: Told how far it has come.
        can_ask: Whether a person is at the terminal.

    Raises:
        UserError: It has no commit for HEAD.
        RemoteFailed: It cannot be reached, refuses, sends too much or what is unsound.
    """
    try:
        transfer.clone(
            staged.parent, source, staged, branch=branch, refspecs=_OURS, settings=SAFELY, progress=progress,
            max_bytes=max_bytes, can_ask=can_ask,
        )  # fmt: skip
    except RemoteFailed as error:
        if error.why == "too-large":
            error.hint = "If you expect that much, allow it with --max-size."
        if error.why == "no-ref":
            error.hint = f"`git ls-remote {source.shown}` lists its branches and tags."
        raise
    repo = Repo.discover(staged)
    for refspec in _OURS:
        succeed(
            repo.git.run("config", "--unset", "--fixed-value", "remote.origin.fetch", refspec, writes=True)
        )
    if repo.commit_of("HEAD") is None:
        branches = [
            name.removeprefix("origin/") for name, kind in repo.names() if kind == "a remote's branch"
        ]
        if len(branches) != 1 or branch is not None:
            raise _headless(source, branches)
        _take_branch(repo, branches[0])
    return repo.anew()


def _take_branch(repo: Repo, name: str) -> None:
    """Lets HEAD be at the one branch that there is, where the remote's HEAD names another that was never pushed."""
    succeed(
        repo.git.run("branch", "--quiet", "--track", "--", name, f"refs/remotes/origin/{name}", writes=True)
    )
    succeed(repo.git.run("symbolic-ref", "HEAD", f"refs/heads/{name}", writes=True))


def _headless(source: Address, branches: Sequence[str]) -> UserError:
    if not branches:
        hint = "Fill it from a workspace: `git push` with its address."
        return UserError(f"{source.shown} has no branch: it is empty", hint=hint)
    told = ", ".join(map(harmless, branches[:10])) + (", ..." if len(branches) > 10 else "")
    return UserError(
        f"{source.shown} does not say which of its branches to take",
        hint=f"It has {told}: name one with --branch.",
    )


def check_out(repo: Repo, commit: str) -> None:
    """Writes the files of a commit; no hook runs, and of filters those alone that the user has set up.

    Raises:
        UserError: git refuses.
    """
    options = [part for key, value in SAFELY.items() for part in ("-c", f"{key}={value}")]
    succeed(repo.git.run("read-tree", "-m", "-u", commit, options=options, writes=True))


def unfiltered(repo: Repo) -> dict[str, str]:
    """Files that want a program to be read, by the name of the filter that the user has not set up."""
    listed_paths = repo.git.read("ls-files", "-z").stdout
    answer = repo.git.read("check-attr", "-z", "--cached", "--stdin", "filter", stdin=listed_paths).stdout
    fields = os.fsdecode(answer).split("\0")[:-1]
    found: dict[str, str] = {}
    for path, value in zip(fields[::3], fields[2::3], strict=True):
        if value in {"unspecified", "unset", "set", ""}:
            continue
        if not any(repo.configuration.values.get(f"filter.{value}.{way}") for way in ("smudge", "process")):
            found.setdefault(value, path)
    return found
