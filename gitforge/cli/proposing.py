"""`--propose`: the branch on which generations are recorded, and what is said of it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gitforge.cli import output
from gitforge.errors import Conflict
from gitforge.text import counted

if TYPE_CHECKING:
    from gitforge.store.repo import Repo


def branch_for(name: str, *, is_wanted: bool) -> str | None:
    """The branch for something of that name; None where nothing is to be proposed."""
    if not is_wanted:
        return None
    from gitforge.store import proposal  # noqa: PLC0415 -- transactions, where something is recorded

    return proposal.branch_for(name)


def refuse_again(repo: Repo, branch: str | None, paths: Sequence[str]) -> None:
    """Refuses to write anew what a branch proposes already, because that is not what the new draft would begin with.

    Raises:
        Conflict: It proposes one of the paths.
    """
    from gitforge.store.proposal import proposed  # noqa: PLC0415

    if branch is not None and (found := sorted(proposed(repo, branch, paths))):
        name = shlex.quote(branch)
        raise Conflict(
            f"the branch {branch} proposes {', '.join(found)} already, so your feedback would reach nobody",
            hint=f"`git switch {name}`, and regenerate it there, without --propose; or give the proposal up: "
            f"`git branch -D {name}`.",
        )


def as_json(repo: Repo, branch: str | None) -> dict[str, Any]:
    """The branch and its commits that HEAD has not, for a script; nothing without `--propose`."""
    if branch is None:
        return {}
    ahead = _ahead(repo, branch)
    return {"branch": branch if ahead is not None else None, "commits": ahead or 0}


def show(repo: Repo, branch: str | None) -> None:
    """The branch, and what publishes it."""
    if branch is None:
        return
    ahead = _ahead(repo, branch)
    if not ahead:
        output.say("Nothing is proposed: there is no commit that HEAD has not.")
        return
    output.say(
        ("proposed: ", output.GOOD),
        f"{counted(ahead, 'commit')} on the branch {branch}. To publish it, type:",
    )
    remote = repo.configuration.values.get("remote.pushdefault", "origin")
    output.result(f"git push -u {shlex.quote(remote)} {shlex.quote(branch)}")


def _ahead(repo: Repo, branch: str) -> int | None:
    from gitforge.store.proposal import commits_ahead  # noqa: PLC0415

    return commits_ahead(repo, branch)
