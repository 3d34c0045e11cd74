"""What goes between this repository and others: refs listed, fetched, pushed. Nothing here waits for ever.

Without a terminal no one is asked: git's own prompt, its askpass programs and ssh's questions are off, and what
the user has set for that (a credential helper, GIT_ASKPASS, an ssh agent, core.sshCommand) is used
(gitcredentials(7), ssh_config(5)). What comes is checked as git checks what it is sent (fetch.fsckObjects).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from gitforge.errors import UserError
from gitforge.store.addresses import Address
from gitforge.store.incoming import swept
from gitforge.store.meter import Meter, OnProgress, Progress, too_large
from gitforge.store.process import Done, harmless
from gitforge.store.remote_environment import remote_environment
from gitforge.store.remote_failures import Rejected, RemoteFailed, remote_failed, without_secrets
from gitforge.store.repo import Repo

__all__ = [
    "Advertised",
    "Progress",
    "Pushed",
    "Rejected",
    "RemoteFailed",
    "fetch",
    "list_refs",
    "push",
    "refusal",
    "shown",
]

SILENCE = 60.0  # seconds
MAX_BYTES = 200 << 20  # of one pack
_PATIENCE = 300.0  # seconds for a person to find a password, or for a hook of the server's

_ONLY_THESE = (
    "--progress", "--refmap=", "--no-tags", "--no-recurse-submodules", "--no-auto-maintenance",
    "--no-write-fetch-head", "--no-prune", "--no-prune-tags", "--no-write-commit-graph",
)  # fmt: skip

Source = Address | str
"""An address, or the name of a remote that the user has set up in git."""


@dataclass(frozen=True)
class Advertised:
    """What a remote has.

    Args:
        refs: Ids by the refs' full names; `refs/tags/x^{}` is the commit that an annotated tag leads to.
        head: The branch that its HEAD names; None where it names none, or none that there is.
    """

    refs: Mapping[str, str]
    head: str | None


@dataclass(frozen=True)
class Pushed:
    """What became of one ref that was pushed.

    Args:
        ref: Its name at the remote.
        outcome: `rejected` where the remote has commits that are not here, `failed` where it refuses.
        reason: Why it was not taken, in the remote's words, safe for a terminal; else empty.
    """

    ref: str
    outcome: Literal["ok", "up-to-date", "rejected", "failed"]
    reason: str = ""


def shown(repo: Repo, source: Source) -> str:
    """A remote as people are told of it: without a secret, safe for a terminal."""
    if isinstance(source, Address):
        return source.shown
    url = repo.configuration.values.get(f"remote.{source}.url")
    return harmless(f"{source} ({without_secrets(url)})" if url else source)


def list_refs(
    repo: Repo, source: Source, *patterns: str, silence: float = SILENCE, can_ask: bool = False
) -> Advertised:
    """What a remote has.

    Args:
        repo: The repository whose settings hold; of it nothing is changed.
        source: The remote.
        patterns: Refs by their full names, with `*`; all of them where there is none.
        silence: Seconds after which a remote that says nothing is given up.
        can_ask: Whether a person is at the terminal.

    Raises:
        RemoteFailed: It cannot be reached, or refuses.
    """
    done = _talk(
        repo, source, "ls-remote", "--symref", "--", _named(source), *patterns,
        silence=silence, can_ask=can_ask,
    )  # fmt: skip
    refs: dict[str, str] = {}
    head = None
    for line in done.stdout.decode(errors="surrogateescape").splitlines():
        value, _, name = line.partition("\t")
        if value.startswith("ref: "):
            head = value.removeprefix("ref: ") if name == "HEAD" else head
        elif re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", value):
            refs[name] = value
    return Advertised(refs, head)


def fetch(
    repo: Repo,
    source: Source,
    refspecs: Sequence[str],
    *,
    progress: OnProgress | None = None,
    silence: float = SILENCE,
    max_bytes: int | None = MAX_BYTES,
    depth: int | None = None,
    can_ask: bool = False,
) -> None:
    """Brings what refspecs name; of tags, submodules, pruning and FETCH_HEAD nothing that they do not say.

    Args:
        repo: The repository.
        source: The remote.
        refspecs: As git-fetch(1) has them; at least one.
        progress: Told how far it has come, ten times a second at most.
        silence: Seconds after which a remote that says nothing is given up.
        max_bytes: How much may come; None for no limit.
        depth: How many commits of each history; None for all.
        can_ask: Whether a person is at the terminal.

    Raises:
        RemoteFailed: It cannot be reached, refuses, has none of them, sends too much or what is unsound.
        Rejected: A ref here has what the remote has not, and its refspec has no `+`.
    """
    shallow = () if depth is None else (f"--depth={depth}",)
    meter = Meter(progress, max_bytes, shown(repo, source))
    try:
        with swept(repo.common_dir / "objects"):
            done = _talk(
                repo, source, "fetch", *_ONLY_THESE, *shallow, "--", _named(source), *refspecs,
                silence=silence, can_ask=can_ask, writes=True, on_line=meter, accept=(0, 1),
                settings={"fetch.fsckObjects": "true", "core.bigFileThreshold": "16m"}, max_file=max_bytes,
            )  # fmt: skip
    except RemoteFailed as error:
        if error.why == "too-large" and max_bytes is not None:
            raise too_large(shown(repo, source), max_bytes) from error
        raise
    if done.status == 1:
        if "[rejected]" in done.stderr:
            raise Rejected(f"What {shown(repo, source)} has does not continue what is here; nothing was lost")
        raise remote_failed(done, shown(repo, source), silence)


def push(
    repo: Repo,
    target: Source,
    refspecs: Sequence[str],
    *,
    atomic: bool = True,
    progress: OnProgress | None = None,
    silence: float = SILENCE,
    can_ask: bool = False,
) -> tuple[Pushed, ...]:
    """Sends refs, never by force; the user's pre-push hook is asked.

    Args:
        repo: The repository.
        target: The remote.
        refspecs: Each `SOURCE:REF`, or `:REF` to delete it; at least one.
        atomic: All of them or none, where the remote can do that.
        progress: Told how far it has come, ten times a second at most.
        silence: Seconds after which a remote that says nothing is given up; more once it has begun to talk,
            for its hooks may take their time.
        can_ask: Whether a person is at the terminal.

    Returns:
        What became of each, in the remote's order; `refusal` makes an error of it.

    Raises:
        RemoteFailed: It cannot be reached, or lets nobody write.
    """
    if forced := [one for one in refspecs if one.startswith("+")]:
        raise ValueError(f"a push by force: {forced}")
    together = ("--atomic",) if atomic and len(refspecs) > 1 else ()
    done = _talk(
        repo, target, "push", "--porcelain", "--progress", "--no-follow-tags", "--recurse-submodules=no",
        *together, "--", _named(target), *refspecs,
        silence=max(silence, _PATIENCE), first_silence=silence, can_ask=can_ask, writes=True,
        on_line=Meter(progress), accept=(0, 1),
    )  # fmt: skip
    pushed = tuple(_outcomes(done))
    if done.status != 0 and not pushed:
        raise remote_failed(done, shown(repo, target), silence)
    return pushed


def refusal(repo: Repo, target: Source, pushed: Sequence[Pushed]) -> RemoteFailed | None:
    """Why a push did not do all that was wanted, as an error; None where it did."""
    where = shown(repo, target)
    failed = [one for one in pushed if one.outcome == "failed"]
    rejected = [one for one in pushed if one.outcome in {"rejected", "failed"}]
    if failed:
        told = "; ".join(f"{one.ref}: {one.reason}" for one in failed[:3])
        if any("hook declined" in one.reason for one in failed):
            return RemoteFailed(f"A hook of {where} refuses what was pushed ({told})", why="hook")
        hint = "Ask its owner for the right to push, or push to a fork."
        return RemoteFailed(f"{where} refuses what was pushed ({told})", why="read-only", hint=hint)
    if rejected:
        return Rejected(
            f"{where} has commits that are not here", hint="Bring them with `gitforge sync`, then push again."
        )
    return None


_OUTCOMES: dict[str, Literal["ok", "up-to-date", "rejected"]] = {
    " ": "ok", "*": "ok", "-": "ok", "+": "ok", "=": "up-to-date", "!": "rejected",
}  # fmt: skip


_OVERTAKEN = re.compile(
    r"cannot lock ref|failed to (?:lock|update ref)|incorrect old value|already exists|atomic"
)
"""What a remote says to the slower of two that push at the same moment."""


def _outcomes(done: Done) -> list[Pushed]:
    found = []
    for line in done.stdout.decode(errors="replace").splitlines():
        match = re.fullmatch(r"([ *+=!-])\t([^\t]*)\t\[?(.*)", line)
        if match is None:
            continue
        outcome, told = _OUTCOMES[match[1]], harmless(match[3])
        reason = told.partition("] (")[2].removesuffix(")") or told.removesuffix("]")
        if outcome == "rejected":
            is_refused = told.startswith(("remote ", "no match")) and not _OVERTAKEN.search(reason)
            kind: Literal["failed", "rejected"] = "failed" if is_refused else "rejected"
            found.append(Pushed(match[2].rpartition(":")[2], kind, reason))
        else:
            found.append(Pushed(match[2].rpartition(":")[2], outcome))
    return found


def _named(source: Source) -> str:
    return source.url if isinstance(source, Address) else source


def _talk(
    repo: Repo,
    source: Source,
    verb: str,
    *arguments: str,
    silence: float,
    can_ask: bool,
    first_silence: float | None = None,
    writes: bool = False,
    on_line: Callable[[str], None] = lambda _: None,
    settings: Mapping[str, str] | None = None,
    max_file: int | None = None,
    accept: Sequence[int] = (0,),
) -> Done:
    """Runs a git that talks to a remote."""
    if isinstance(source, str) and f"remote.{source}.url" not in repo.configuration.values:
        raise UserError(
            f"There is no remote {harmless(source)!r}", hint="`git remote -v` lists those that there are."
        )
    slow = {"http.lowSpeedLimit": "1", "http.lowSpeedTime": str(max(1, int(silence)))}
    chosen = {
        key: value for key, value in slow.items() if key.lower() not in repo.configuration.values
    } | dict(settings or {})
    first = first_silence or silence
    done = repo.git.watch(
        verb, *arguments,
        options=[part for key, value in chosen.items() for part in ("-c", f"{key}={value}")],
        environment=remote_environment(
            source.kind if isinstance(source, Address) else None, repo.configuration.values, os.environ,
            silence, can_ask=can_ask,
        ),
        on_line=on_line, silence=silence, first_silence=max(first, _PATIENCE) if can_ask else first,
        can_ask=can_ask, writes=writes, max_file=max_file,
    )  # fmt: skip
    if done.timed_out or done.status not in accept:
        raise remote_failed(done, shown(repo, source), silence)
    return done
