"""Why a folder's repository cannot be used: no git, one that is too old, none around the folder."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from gitforge.errors import UserError
from gitforge.store.process import Done, failure, harmless, run, succeed

MINIMUM_GIT = (2, 36)
"""The first git with `core.fsync`, on which a recorded generation relies to survive a power cut."""


class NoRepository(UserError):
    """There is no git repository around a folder."""


def git_version(folder: Path) -> str:
    """The number of the git on the PATH, or what that says of itself.

    Raises:
        UserError: git is not installed.
    """
    return _version(run(folder, "version"))


def _version(done: Done) -> str:
    said = succeed(done).decode(errors="replace")
    number = re.search(r"\d+\.\d+\S*", said)
    return number[0] if number else harmless(said.strip())


def check_version(done: Done) -> None:
    """Refuses a git that is too old, given what `git version` says."""
    version = _version(done)
    found = re.match(r"(\d+)\.(\d+)", version)
    if found is None or (int(found[1]), int(found[2])) < MINIMUM_GIT:
        least = ".".join(map(str, MINIMUM_GIT))
        raise UserError(
            f"git {version} is too old: gitforge needs {least} or newer",
            hint="Install a newer git: https://git-scm.com/downloads has it.",
        )


def undiscovered(path: Path, answers: Sequence[str], done: Done) -> UserError:
    """Why rev-parse found no worktree; `answers` is how far it came."""
    trust = re.search(r"git config --global --add safe\.directory .*", done.stderr)
    if trust is not None:
        owner = f"git distrusts the repository around {path}, because somebody else owns it"
        return UserError(harmless(owner), hint=f"If you trust it, run `{harmless(trust[0])}`.")
    if "not a git repository" in done.stderr:
        return NoRepository(
            harmless(f"no git repository in {path} or above it"), hint="Run `gitforge init` to make one."
        )
    if answers[:1] == ["true"]:
        bare = f"the repository in {path} is bare: it has no worktree to put a component in"
        return UserError(harmless(bare), hint="Clone it, or add a worktree with `git worktree add`.")
    if answers[1:2] == ["false"]:
        return UserError(harmless(f"{path} is inside git's own folder"), hint="Go to the worktree's folder.")
    return failure(done)
