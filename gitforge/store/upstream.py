"""What a branch follows: the remote and the branch there, by git's configuration, by an argument, or by custom."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from gitforge.errors import UserError
from gitforge.store import addresses
from gitforge.store.process import harmless, succeed
from gitforge.store.repo import Repo
from gitforge.store.transfer import Source
from gitforge.text import did_you_mean

_HEADS = "refs/heads/"
_WORD = re.compile(r"\w[\w.-]*")  # a name rather than an address
_HOOK_SECONDS = 60.0  # for a hook of the user's that sees refs move


@dataclass(frozen=True)
class Upstream:
    """What a branch follows.

    Attributes:
        branch: The branch here, as `refs/heads/NAME`.
        source: The remote.
        ref: The branch there.
        is_set: Whether git's configuration says so.
    """

    branch: str
    source: Source
    ref: str
    is_set: bool

    @property
    def name(self) -> str:
        """The branch there, without `refs/heads/`."""
        return self.ref.removeprefix(_HEADS)

    @property
    def shown(self) -> str:
        """What people call it: `origin/main`."""
        source = self.source if isinstance(self.source, str) else self.source.shown
        return harmless(f"{source}/{self.name}")

    @property
    def tracking(self) -> str | None:
        """The ref that remembers here where the branch there was; None for an address."""
        return f"refs/remotes/{self.source}/{self.name}" if isinstance(self.source, str) else None


def find_upstream(repo: Repo, remote: str | None = None) -> Upstream:
    """What the current branch follows: as configured, else that branch of a remote which is called as it is here.

    Args:
        repo: The repository.
        remote: A remote's name or address; else the configured one, the only one, or `origin`.

    Raises:
        UserError: HEAD is on no branch, there is no remote or several, or the address is refused.
    """
    branch = repo.head().ref
    if branch is None or not branch.startswith(_HEADS):
        raise UserError(
            "HEAD is on no branch, so there is nothing to share", hint="Switch to one: `git switch main`."
        )
    values, name = repo.configuration.values, branch.removeprefix(_HEADS)
    configured, merge = values.get(f"branch.{name}.remote"), values.get(f"branch.{name}.merge")
    if configured == "." and remote is None:
        raise UserError(
            f"the branch {harmless(name)} follows another branch of this repository, and no remote",
            hint="Name a remote: `gitforge sync REMOTE`.",
        )
    if configured and merge and remote in {None, configured}:
        return Upstream(branch, _source(repo, configured), merge, is_set=True)
    return Upstream(branch, _source(repo, remote or configured or _customary(repo)), branch, is_set=False)


def follow(repo: Repo, upstream: Upstream) -> None:
    """Lets git's configuration say what the branch follows, as `git push --set-upstream` does.

    Raises:
        UserError: The configuration cannot be written.
    """
    name = upstream.branch.removeprefix(_HEADS)
    values = {"merge": upstream.ref, "remote": str(upstream.source)}
    for key, value in values.items():
        succeed(repo.git.run("config", f"branch.{name}.{key}", value, writes=True))


def remember(repo: Repo, upstream: Upstream, tip: str) -> None:
    """Notes here where the branch there is, as `git fetch` does.

    Args:
        repo: The repository.
        upstream: What the branch follows.
        tip: Id of the commit that the branch there is at.

    Raises:
        UserError: git refuses.
    """
    if upstream.tracking is not None and repo.commit_of(upstream.tracking) != tip:
        repo.make_refs({upstream.tracking: tip}, timeout=_HOOK_SECONDS)


def remotes(repo: Repo) -> list[str]:
    """The names of the remotes that the user has set up."""
    keys = (key for key in repo.configuration.values if key.startswith("remote.") and key.endswith(".url"))
    return sorted(key.removeprefix("remote.").removesuffix(".url") for key in keys)


def _source(repo: Repo, named: str) -> Source:
    known = remotes(repo)
    if named in known:
        return named
    if known and _WORD.fullmatch(named) and not Path(named).exists():
        raise UserError(
            f"no remote is called {named!r}: there is {', '.join(map(harmless, known))}",
            hint=did_you_mean(named, known) or f"A folder of that name would be ./{named}.",
        )
    return addresses.parse(named, base=Path.cwd())


def _customary(repo: Repo) -> str:
    names = remotes(repo)
    if not names:
        raise UserError(
            "there is no remote to share with",
            hint="`git remote add origin URL` names one; an empty repository anywhere will do.",
        )
    if len(names) > 1 and "origin" not in names:
        raise UserError(
            f"there are several remotes ({', '.join(map(harmless, names))}), and none is called origin",
            hint="Say which: `gitforge sync REMOTE`.",
        )
    return names[0] if len(names) == 1 else "origin"
