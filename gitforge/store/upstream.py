"""What a branch follows: the remote and the branch there, by git's configuration, by an argument, or by custom."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gitforge.errors import UserError
from gitforge.store import addresses
from gitforge.store.process import harmless, succeed
from gitforge.store.records import fields
from gitforge.store.repo import Repo
from gitforge.store.transfer import Source
from gitforge.text import did_you_mean

_HEADS = "refs/heads/"
_PUSHED = "update by push"
_HOOK_SECONDS = 60.0  # for a hook of the user's that sees refs move


@dataclass(frozen=True)
class Upstream:
    """What a branch follows.

    Attributes:
        branch: The branch here, as `refs/heads/NAME`.
        source: The remote.
        ref: The branch there.
        is_set: Whether git's configuration says so.
        tracking: The ref that remembers here where the branch there was, as `remote.NAME.fetch` says; None where
            there is none, as for an address.
        is_named: Whether the user has said which remote is meant.
        pushed_to: The remote to which git's configuration has the branch pushed, where that is another one.
        pushes_elsewhere: Whether the remote has an address of its own for pushes, which may be another repository.
    """

    branch: str
    source: Source
    ref: str
    is_set: bool
    tracking: str | None = None
    is_named: bool = False
    pushed_to: str | None = None
    pushes_elsewhere: bool = False

    @property
    def name(self) -> str:
        """The branch there, without `refs/heads/`."""
        return self.ref.removeprefix(_HEADS)

    @property
    def shown(self) -> str:
        """What people call it: `origin/main`."""
        source = self.source if isinstance(self.source, str) else self.source.shown
        return harmless(f"{source}/{self.name}")


def find_upstream(repo: Repo, remote: str | None = None) -> Upstream:
    """What the current branch follows: as configured, else that branch of a remote which is called as it is here.

    Args:
        repo: The repository.
        remote: A remote's name or address; else the configured one, the only one, or `origin`.

    Raises:
        UserError: HEAD is on no branch, there is no remote, none of that name or several, or the address is refused.
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
    is_set = bool(configured and merge and remote in {None, configured})
    source = _source(repo, (configured if is_set else remote or configured) or _customary(repo))
    ref = merge if is_set and merge else branch
    if not isinstance(source, str):
        return Upstream(branch, source, ref, is_set, is_named=remote is not None)
    target = values.get(f"branch.{name}.pushremote") or values.get("remote.pushdefault") or source
    return Upstream(
        branch, source, ref, is_set, _tracking(repo, source, ref), is_named=remote is not None,
        pushed_to=target if target != source and remote is None else None,
        pushes_elsewhere=f"remote.{source}.pushurl" in values,
    )  # fmt: skip


def _tracking(repo: Repo, remote: str, ref: str) -> str | None:
    """Where `git fetch` notes a branch of a remote, by its refspecs (git-fetch(1))."""
    listed = repo.git.read("config", "-z", "--get-all", f"remote.{remote}.fetch", accept=(0, 1)).stdout
    found = None
    for refspec in fields(listed):
        pattern, _, target = refspec.removeprefix("+").partition(":")
        if pattern.startswith("^"):
            if _matched(pattern[1:], ref) is not None:
                return None
        elif found is None and target.startswith("refs/") and (part := _matched(pattern, ref)) is not None:
            found = target.replace("*", part)
    return found


def _matched(pattern: str, ref: str) -> str | None:
    """What `*` stands for where a ref is as a pattern says; None where it is not."""
    start, star, end = pattern.partition("*")
    if not star:
        return "" if pattern in {ref, ref.removeprefix(_HEADS)} else None
    fits = ref.startswith(start) and ref.endswith(end) and len(ref) >= len(start) + len(end)
    return ref[len(start) : len(ref) - len(end)] if fits else None


def follow(repo: Repo, upstream: Upstream) -> None:
    """Lets git's configuration say what the branch follows, as `git push --set-upstream` does.

    Raises:
        UserError: The configuration cannot be written.
    """
    name = upstream.branch.removeprefix(_HEADS)
    values = {"merge": upstream.ref, "remote": str(upstream.source)}
    for key, value in values.items():
        succeed(repo.git.run("config", f"branch.{name}.{key}", value, writes=True))


def seen_last(repo: Repo, upstream: Upstream) -> str | None:
    """Id of the commit at which the branch there was when git, or gitforge, saw it last; None where nobody noted it."""
    return repo.commit_of(upstream.tracking) if upstream.tracking is not None else None


def remember(repo: Repo, upstream: Upstream, tip: str) -> str | None:
    """Notes here where the branch there is, as `git fetch` does.

    Nothing depends on it, so where git refuses, that is told and no more.

    Args:
        repo: The repository.
        upstream: What the branch follows.
        tip: Id of the commit that the branch there is at.

    Returns:
        What the user should know, where it could not be noted.
    """
    if upstream.tracking is None:
        return None
    try:
        repo.make_refs({upstream.tracking: tip}, timeout=_HOOK_SECONDS)
    except UserError as error:
        return (
            f"it could not be noted here where {upstream.shown} is ({error.message}); a ref of a branch that is gone "
            f"there may be in the way, and `git remote prune {upstream.source}` removes such"
        )
    return None


def published_before(repo: Repo, upstream: Upstream, head: str, seen: str | None) -> set[str]:
    """Ids of the commits at which the branch there was seen, as far as the reflog of its tracking ref goes back.

    Args:
        repo: The repository.
        upstream: What the branch follows.
        head: Id of the branch's commit here.
        seen: What `seen_last` gives.
    """
    if upstream.tracking is None or seen is None:
        return set()
    listed = repo.git.read("log", "-g", "--format=%H %gs", "--no-show-signature", upstream.tracking, "--")
    entries = [line.partition(" ") for line in listed.stdout.decode(errors="replace").splitlines()]
    if upstream.pushes_elsewhere:  # git notes a push here wherever it went
        return {id_ for id_, _, what in entries if what and what != _PUSHED}
    # What a clone began with stands in no entry of its own, and git alone knows it.
    fork = repo.git.read("merge-base", "--fork-point", upstream.tracking, head, accept=(0, 1)).stdout
    return {seen, *(id_ for id_, *_ in entries), *fork.decode().split()}


def remotes(repo: Repo) -> list[str]:
    """The names of the remotes that the user has set up."""
    keys = (key for key in repo.configuration.values if key.startswith("remote.") and key.endswith(".url"))
    return sorted(key.removeprefix("remote.").removesuffix(".url") for key in keys)


def _source(repo: Repo, named: str) -> Source:
    names = remotes(repo)
    if named in names:
        return named
    if not set("/:\\") & set(named) and not Path(named).exists():  # a name, and no address
        told = f": there is {', '.join(map(harmless, names))}" if names else ""
        add = f"`git remote add {harmless(named)} URL` names one."
        raise UserError(
            f"no remote is called {harmless(named)!r}{told}", hint=did_you_mean(named, names) or add
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
