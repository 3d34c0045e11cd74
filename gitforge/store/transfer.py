"""What goes between this repository and others: refs listed, fetched, pushed. Nothing here waits for ever.

What comes is checked as git checks what it is sent (fetch.fsckObjects).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gitforge.store.addresses import Address
from gitforge.store.incoming import swept
from gitforge.store.meter import Meter, OnProgress, Progress, too_large
from gitforge.store.process import Done, harmless
from gitforge.store.remote_failures import Rejected, RemoteFailed, as_lines, quoted, remote_failed
from gitforge.store.repo import Repo
from gitforge.store.talking import PATIENCE, Source, named, shown, talk

__all__ = [
    "OnProgress",
    "Progress",
    "Pushed",
    "Rejected",
    "RemoteFailed",
    "Source",
    "clone",
    "fetch",
    "list_refs",
    "push",
    "refusal",
    "shown",
    "update_submodules",
]

SILENCE = 60.0  # seconds
MAX_BYTES = 200 << 20  # of one pack

_CAREFULLY = {
    "fetch.fsckObjects": "true",
    "core.bigFileThreshold": "16m",  # larger ones are never in memory
    "core.fsync": "committed",  # by default git fsyncs packs, but not the loose objects that few come as
}
_ONLY_THESE = (
    "--progress", "--refmap=", "--no-tags", "--no-recurse-submodules", "--no-auto-maintenance",
    "--no-write-fetch-head", "--no-prune", "--no-prune-tags", "--no-write-commit-graph",
)  # fmt: skip


@dataclass(frozen=True)
class Pushed:
    """What became of one ref that was pushed.

    Args:
        ref: Its name at the remote.
        outcome: `rejected` where the remote has commits that are not here, `failed` where it refuses.
        reason: Why it was not taken, in the remote's words, safe for a terminal; else empty.
        said: What the remote's hooks said to the whole push, line by line, safe for a terminal.
    """

    ref: str
    outcome: Literal["ok", "up-to-date", "rejected", "failed"]
    reason: str = ""
    said: tuple[str, ...] = ()


def list_refs(
    repo: Repo, source: Source, *patterns: str, silence: float = SILENCE, can_ask: bool = False
) -> dict[str, str]:
    """Ids by full name of the refs that a remote has; `refs/tags/x^{}` is the commit that an annotated tag leads to.

    Args:
        repo: The repository whose settings hold; of it nothing is changed.
        source: The remote.
        patterns: Refs by their full names, with `*`; all of them where there is none.
        silence: Seconds after which a remote that says nothing is given up.
        can_ask: Whether a person is at the terminal.

    Raises:
        RemoteFailed: It cannot be reached, or refuses.
    """
    done = talk(
        repo, source, "ls-remote", "--", named(source), *patterns,
        silence=silence, can_ask=can_ask,
    )  # fmt: skip
    refs: dict[str, str] = {}
    for line in done.stdout.decode(errors="surrogateescape").splitlines():
        id_, _, name = line.partition("\t")
        if re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", id_):
            refs[name] = id_
    return refs


def fetch(
    repo: Repo,
    source: Source,
    refspecs: Sequence[str],
    *,
    progress: OnProgress | None = None,
    silence: float = SILENCE,
    max_bytes: int | None = MAX_BYTES,
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
        can_ask: Whether a person is at the terminal.

    Raises:
        RemoteFailed: It cannot be reached, refuses, has none of them, sends too much or what is unsound.
        Rejected: A ref here has what the remote has not, and its refspec has no `+`.
    """
    meter = Meter(progress, max_bytes, shown(repo, source))
    with _size_told(shown(repo, source), max_bytes), swept(repo.common_dir):
        done = talk(
            repo, source, "fetch", *_ONLY_THESE, "--", named(source), *refspecs,
            silence=silence, can_ask=can_ask, writes=True, on_line=meter, accept=(0, 1),
            settings=_CAREFULLY, max_file=max_bytes,
        )  # fmt: skip
    if done.status == 1:
        if "[rejected]" in done.stderr:
            raise Rejected(f"what {shown(repo, source)} has does not continue what is here; nothing was lost")
        raise remote_failed(done, shown(repo, source), silence)


def clone(
    folder: Path,
    source: Address,
    target: Path,
    *,
    branch: str | None,
    refspecs: Sequence[str],
    settings: Mapping[str, str],
    progress: OnProgress | None = None,
    silence: float = SILENCE,
    max_bytes: int | None = MAX_BYTES,
    can_ask: bool = False,
) -> None:
    """Makes a repository of all that a remote has, with nothing checked out, in one connection.

    No template, so no hook; the remote is `origin`, as `git clone` sets it up.

    Args:
        folder: Where git starts.
        source: The remote.
        target: The new repository's folder, which git removes itself where it fails.
        branch: The branch or tag that HEAD is to be at; None for the remote's own.
        refspecs: What to bring beside branches and tags; this is not kept in the configuration.
        settings: Of git.
        progress: Told how far it has come, ten times a second at most.
        silence: Seconds after which a remote that says nothing is given up.
        max_bytes: How much may come; None for no limit.
        can_ask: Whether a person is at the terminal.

    Raises:
        RemoteFailed: It cannot be reached, refuses, has no such branch, sends too much or what is unsound.
    """
    repo = Repo.outside(folder)
    wanted = () if branch is None else (f"--branch={branch}",)
    more = [f"--config=remote.origin.fetch={refspec}" for refspec in refspecs]
    with _size_told(source.shown, max_bytes):
        talk(
            repo, source, "clone", "--progress", "--no-checkout", "--template=", "--origin=origin", "--no-local",
            "--no-single-branch", "--no-recurse-submodules", *wanted, *more, "--", source.stored, str(target),
            silence=silence, can_ask=can_ask, writes=True, on_line=Meter(progress, max_bytes, source.shown),
            settings={**_CAREFULLY, **settings}, max_file=max_bytes,
        )  # fmt: skip


def push(
    repo: Repo,
    target: Source,
    refspecs: Sequence[str],
    *,
    progress: OnProgress | None = None,
    silence: float = SILENCE,
    can_ask: bool = False,
) -> tuple[Pushed, ...]:
    """Sends refs, all or none where the remote can do that, never by force; the user's pre-push hook is asked.

    Args:
        repo: The repository.
        target: The remote.
        refspecs: Each `SOURCE:REF`, or `:REF` to delete it; at least one.
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
    together = ("--atomic",) if len(refspecs) > 1 else ()
    done = talk(
        repo, target, "push", "--porcelain", "--progress", "--no-follow-tags", "--recurse-submodules=no",
        *together, "--", named(target), *refspecs,
        silence=max(silence, PATIENCE), first_silence=silence, can_ask=can_ask, writes=True,
        on_line=Meter(progress), accept=(0, 1),
    )  # fmt: skip
    pushed = tuple(_outcomes(done))
    if done.status != 0 and not pushed:
        raise _pre_push_failed(repo, done) or remote_failed(done, shown(repo, target), silence)
    return pushed


def _pre_push_failed(repo: Repo, done: Done) -> RemoteFailed | None:
    """What a hook of the user's said against a push that did not come as far as the remote; None without one."""
    asked = repo.git.read("rev-parse", "--path-format=absolute", "--git-path", "hooks/pre-push").stdout
    is_other = re.search(r"^(?:fatal|ssh|remote): ", done.stderr, re.MULTILINE)
    if is_other or _NOT_PUSHED not in done.stderr or not os.access(os.fsdecode(asked).rstrip("\n"), os.X_OK):
        return None
    lines = (*done.stdout.decode(errors="replace").splitlines(), *done.stderr.splitlines())
    told = quoted(line for line in lines if _NOT_PUSHED not in line and not re.match(r"To |Done$", line))
    return RemoteFailed(
        f"your pre-push hook refuses the push{as_lines(told)}", why="hook",
        hint="It is a program of yours or of this repository's, and git runs it before each push.",
    )  # fmt: skip


def update_submodules(
    repo: Repo,
    source: Source,
    *,
    settings: Mapping[str, str],
    silence: float = SILENCE,
    max_bytes: int | None = MAX_BYTES,
    can_ask: bool = False,
) -> None:
    """Fetches and checks out the repositories within, from where `.gitmodules` says; only on the user's word.

    Args:
        repo: The repository.
        source: Where it came from: they may come by https, by ssh, and in the same way as it.
        settings: Of git, for what it puts on disk.
        silence: Seconds after which a remote that says nothing is given up.
        max_bytes: How much may come of each; None for no limit.
        can_ask: Whether a person is at the terminal.

    Raises:
        RemoteFailed: One cannot be reached, refuses, or sends too much.
    """
    kind = source.kind if isinstance(source, Address) else "https"
    talk(
        repo, source, "submodule", "update", "--init", "--recursive", "--progress",
        silence=silence, can_ask=can_ask, writes=True, max_file=max_bytes,
        settings={**_CAREFULLY, **settings},
        environment={"GIT_ALLOW_PROTOCOL": f"https:ssh:{kind}", "GIT_TEMPLATE_DIR": ""},
    )  # fmt: skip


def refusal(repo: Repo, target: Source, pushed: Sequence[Pushed]) -> RemoteFailed | None:
    """Why a push did not do all that was wanted, as an error; None where it did."""
    where, said = shown(repo, target), as_lines(pushed[0].said if pushed else ())
    failed = [one for one in pushed if one.outcome == "failed"]
    rejected = [one for one in pushed if one.outcome in {"rejected", "failed"}]
    if failed:
        told = "; ".join(f"{one.ref}: {one.reason}" for one in failed[:3])
        if any("hook declined" in one.reason for one in failed):
            return RemoteFailed(f"a hook of {where} refuses what was pushed ({told}){said}", why="hook")
        hint = "Ask its owner for the right to push, or push to a fork."
        return RemoteFailed(f"{where} refuses what was pushed ({told}){said}", why="read-only", hint=hint)
    if rejected:
        return Rejected(
            f"{where} has commits that are not here", hint="Bring them with `gitforge sync`, then push again."
        )
    return None


_NOT_PUSHED = "error: failed to push some refs to "
_OUTCOMES: dict[str, Literal["ok", "up-to-date", "rejected"]] = {
    " ": "ok", "*": "ok", "-": "ok", "+": "ok", "=": "up-to-date", "!": "rejected",
}  # fmt: skip


_OVERTAKEN = re.compile(
    r"cannot lock ref|failed to (?:lock|update ref)|incorrect old value|already exists|atomic"
)
"""What a remote says to the slower of two that push at the same moment."""


def _outcomes(done: Done) -> list[Pushed]:
    found = []
    said = quoted(line[len("remote: ") :] for line in done.stderr.splitlines() if line.startswith("remote: "))
    for line in done.stdout.decode(errors="replace").splitlines():
        match = re.fullmatch(r"([ *+=!-])\t([^\t]*)\t\[?(.*)", line)
        if match is None:
            continue
        outcome, told = _OUTCOMES[match[1]], harmless(match[3])
        reason = told.partition("] (")[2].removesuffix(")") or told.removesuffix("]")
        if outcome == "rejected":
            is_refused = told.startswith(("remote ", "no match")) and not _OVERTAKEN.search(reason)
            kind: Literal["failed", "rejected"] = "failed" if is_refused else "rejected"
            found.append(Pushed(match[2].rpartition(":")[2], kind, reason, said))
        else:
            found.append(Pushed(match[2].rpartition(":")[2], outcome))
    return found


@contextmanager
def _size_told(where: str, max_bytes: int | None) -> Iterator[None]:
    """Says in plain words that git was not let write so large a file."""
    try:
        yield
    except RemoteFailed as error:
        if error.why == "too-large" and max_bytes is not None:
            raise too_large(where, max_bytes) from error
        raise
