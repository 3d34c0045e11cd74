"""What goes between this repository and others: refs listed, fetched, pushed. Nothing here waits for ever.

Without a terminal no one is asked: git's own prompt, its askpass programs and ssh's questions are off, and what
the user has set for that (a credential helper, GIT_ASKPASS, an ssh agent, core.sshCommand) is used
(gitcredentials(7), ssh_config(5)). What comes is checked as git checks what it is sent (fetch.fsckObjects).
"""

from __future__ import annotations

import os
import re
import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from gitforge.errors import UserError
from gitforge.store.addresses import Address
from gitforge.store.process import Done, harmless
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
_PAUSE = 0.1  # seconds between two calls with progress

_ONLY_THESE = (
    "--progress", "--refmap=", "--no-tags", "--no-recurse-submodules", "--no-auto-maintenance",
    "--no-write-fetch-head", "--no-prune", "--no-prune-tags", "--no-write-commit-graph",
)  # fmt: skip

Source = Address | str
"""An address, or the name of a remote that the user has set up in git."""


@dataclass(frozen=True)
class Progress:
    """How far git has come.

    Args:
        stage: In git's words, such as `Receiving objects`.
        done: How many are done.
        total: Of how many; None where that is not known.
    """

    stage: str
    done: int
    total: int | None


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


OnProgress = Callable[[Progress], None]


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
    meter = _Meter(progress, max_bytes, shown(repo, source))
    done = _talk(
        repo, source, "fetch", *_ONLY_THESE, *shallow, "--", _named(source), *refspecs,
        silence=silence, can_ask=can_ask, writes=True, on_line=meter,
        settings={"fetch.fsckObjects": "true", "core.bigFileThreshold": "16m", "fetch.parallel": "1"},
        accept=(0, 1),
    )  # fmt: skip
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
        on_line=_Meter(progress, None, ""), accept=(0, 1),
    )  # fmt: skip
    pushed = tuple(_outcomes(done))
    if done.status != 0 and not pushed:
        raise remote_failed(done, shown(repo, target), silence)
    return pushed


def refusal(repo: Repo, target: Source, pushed: Sequence[Pushed]) -> RemoteFailed | None:
    """Why a push did not do all that was wanted, as an error; None where it did."""
    where = shown(repo, target)
    failed = [one for one in pushed if one.outcome == "failed" and "atomic" not in one.reason]
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


def _outcomes(done: Done) -> list[Pushed]:
    found = []
    for line in done.stdout.decode(errors="replace").splitlines():
        match = re.fullmatch(r"([ *+=!-])\t([^\t]*)\t\[?(.*)", line)
        if match is None:
            continue
        outcome, told = _OUTCOMES[match[1]], harmless(match[3])
        reason = told.partition("] (")[2].removesuffix(")") or told.removesuffix("]")
        if outcome == "rejected":
            by_remote = told.startswith(("remote rejected", "remote failure", "no match", "remote unpacker"))
            kind: Literal["failed", "rejected"] = "failed" if by_remote else "rejected"
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
        environment=_environment(repo, source, silence, can_ask=can_ask),
        on_line=on_line, silence=silence, first_silence=max(first, _PATIENCE) if can_ask else first,
        can_ask=can_ask, writes=writes,
    )  # fmt: skip
    if done.timed_out or done.status not in accept:
        raise remote_failed(done, shown(repo, source), silence)
    return done


def _environment(repo: Repo, source: Source, silence: float, *, can_ask: bool) -> dict[str, str]:
    """Which ways git may take, and whom it may ask."""
    kind = source.kind if isinstance(source, Address) else None
    # The user's own url.*.insteadOf may lead from https to ssh and back.
    allowed = {"https": "https:ssh", "ssh": "https:ssh", "http": "http:https", "git": "git", "file": "file"}
    variables = {
        "GIT_ALLOW_PROTOCOL": allowed[kind] if kind else "https:ssh:file:http:git",
        "GIT_TERMINAL_PROMPT": "1" if can_ask else "0",
    }
    if not can_ask:
        if "GIT_ASKPASS" not in os.environ and "core.askpass" not in repo.configuration.values:
            variables["GIT_ASKPASS"] = ""  # else git would go on to SSH_ASKPASS, which is a window
        variables["SSH_ASKPASS_REQUIRE"] = "never"
    if (command := _ssh(repo, silence, can_ask=can_ask)) is not None:
        variables["GIT_SSH_COMMAND"] = command
    return variables


def _ssh(repo: Repo, silence: float, *, can_ask: bool) -> str | None:
    """The user's ssh, that asks nobody and waits for a host only so long; None where it is another program."""
    command = os.environ.get("GIT_SSH_COMMAND") or repo.configuration.values.get("core.sshcommand")
    if not command:
        program = os.environ.get("GIT_SSH")
        command = shlex.quote(program) if program else "ssh"
    try:
        words = shlex.split(command)
    except ValueError:
        return None
    if not words or os.path.basename(words[0]) not in {"ssh", "ssh.exe"}:  # noqa: PTH119
        return None
    batch = "" if can_ask else " -o BatchMode=yes"
    alive = f" -o ConnectTimeout={max(1, int(silence))} -o ServerAliveInterval=15 -o ServerAliveCountMax=4"
    return f"{command}{batch}{alive}"


_STAGE = re.compile(r"(?:remote: )?([A-Z][a-z]+ [a-z]{1,20}): +(?:\d+% \((\d+)/(\d+)\)|(\d+))(.*)")
_AMOUNT = re.compile(r", ([\d.]+) (bytes|KiB|MiB|GiB)")
_UNITS = {"bytes": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


@dataclass
class _Meter:
    """Reads git's progress: tells of it, and stops what has become too much."""

    progress: OnProgress | None
    max_bytes: int | None
    where: str
    _told: float = field(default=0.0, init=False)
    _stage: str = field(default="", init=False)

    def __call__(self, line: str) -> None:
        found = _STAGE.match(line)
        if found is None:
            return
        stage, done, total, alone, rest = found.groups()
        amount = _AMOUNT.match(rest)
        if amount and self.max_bytes is not None and not line.startswith("remote: "):
            received = float(amount[1]) * _UNITS[amount[2]]
            if received > self.max_bytes:
                raise too_large(self.where, self.max_bytes)
        now = time.monotonic()
        is_due = stage != self._stage or now - self._told >= _PAUSE or "done." in rest
        if self.progress is not None and is_due:
            self._told, self._stage = now, stage
            self.progress(Progress(stage, int(done or alone), int(total) if total else None))


def too_large(where: str, max_bytes: int) -> RemoteFailed:
    """That a remote sends more than was allowed."""
    return RemoteFailed(
        f"{where} sends more than {max_bytes / (1 << 20):g} MiB, so it was stopped",
        why="too-large",
        hint="If you expect that much, allow it with --max-size.",
    )
