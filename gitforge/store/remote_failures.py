"""Why another machine's repository could not be reached, in plain words: git's own are many, and made for experts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal

from gitforge.errors import UserError
from gitforge.store.process import Done, harmless

Why = Literal[
    "unreachable", "silent", "authentication", "host-key", "missing", "no-ref", "read-only", "rejected",
    "hook", "owner", "no-server", "unsound", "too-large", "protocol", "full", "other",
]  # fmt: skip


class RemoteFailed(UserError):
    """A remote could not be reached, or refused.

    Args:
        message: What was wrong; never a credential.
        why: The same for a program.
        hint: What the user can do.
    """

    def __init__(self, message: str, *, why: Why = "other", hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.why: Why = why


class Rejected(RemoteFailed):
    """The remote has commits that are not here, so that a push would lose them."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message, why="rejected", hint=hint)


_SIGNS: tuple[tuple[Why, str], ...] = (
    (
        "too-large",
        (
            r"died of signal (?:25|31)\b|File too large|File size limit exceeded"
            # said alone where the system has stopped index-pack, which else says itself what it does not like
            r"|\A(?!(?s:.)*(?:fatal|error): (?!fetch-pack))(?s:.)*fetch-pack: invalid index-pack output"
        ),
    ),
    ("full", r"No space left on device|Disk quota exceeded"),
    ("unsound", r"fsck error|^(?:fatal|error): (?:index-pack|unpack-objects)|: zeroPaddedFilemode|hasDot"),
    ("owner", r"detected dubious ownership"),
    ("host-key", r"Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED"),
    (
        "no-ref",
        r"couldn't find remote ref|not our ref|unadvertised object|remote ref|Remote branch .* not found",
    ),
    ("protocol", r"transport '[^']*' not allowed|Unable to find remote helper|disabled by"),
    (
        "read-only",
        (
            r"[Pp]ermission to \S+ denied|read-only|Read-only|service not enabled"
            r"|insufficient permission|unable to create temporary object directory|protected branch"
            r"|denied to push|not allowed to push|You are not permitted to push|archived"
        ),
    ),
    (
        "authentication",
        (
            r"Authentication failed|could not read (?:Username|Password)|terminal prompts disabled"
            r"|Permission denied|returned error: 40[13]|Too many authentication failures"
            r"|unable to read askpass|HTTP Basic: Access denied"
        ),
    ),
    (
        "unreachable",
        (
            r"[Cc]ould not resolve|[Ff]ailed to connect|Couldn't connect|[Uu]nable to connect|Connection refused"
            r"|No route to host|[Nn]etwork is unreachable|Name or service not known|name resolution"
            r"|unable to look up|Connection (?:reset|closed|timed out)|[Oo]peration timed out|timed out"
            r"|certificate|SSL|TLS|Empty reply from server|hung up unexpectedly|early EOF|RPC failed"
        ),
    ),
    (
        "no-server",
        r"protocol error|bad line length|HTTP/0\.9|nvalid server response|is this a git repository",
    ),
    (
        "missing",
        (
            r"does not appear to be a git repository|does not look like a v2 or v3 bundle|invalid gitfile"
            r"|[Rr]epository not found|repository '.*' not found"
            r"|returned error: 404|access denied or repository not exported|No such file or directory"
            r"|not a git repository|does not exist|not found"
        ),
    ),
)


def why_failed(said: str) -> Why:
    """The kind of a failure, by git's, ssh's and curl's messages in English."""
    return next((why for why, sign in _SIGNS if re.search(sign, said, re.MULTILINE)), "other")


_HINTS: dict[Why, str] = {
    "unreachable": "Check the address and the network; a proxy or VPN may be needed.",
    "authentication": "Try `git ls-remote` with that address: git needs a credential helper, or ssh an agent"
    " with your key, because nobody can be asked here.",
    "host-key": "Connect once with `ssh` to see and accept the host's key.",
    "missing": "Check the address; a private repository is said to be missing to those who may not see it.",
    "owner": "If you trust it, allow it with `git config --global --add safe.directory PATH`.",
    "no-server": "Check the address, and the port in it.",
    "read-only": "Ask its owner for the right to push, or push to a fork.",
    "protocol": "Use an https or ssh address.",
    "unsound": "Ask its owner to look with `git fsck`; old and harmless faults can be accepted with"
    " `git config --global fetch.fsck.NAME ignore`, see git-config(1).",
    "full": "Make room on the disk and try again.",
}
_WORDS: dict[Why, str] = {
    "unreachable": "cannot be reached",
    "authentication": "wants to know who you are, and was not told or did not accept it",
    "host-key": "is on a host whose key ssh does not know or no longer trusts",
    "missing": "is no repository, or none that you may see",
    "owner": "is another user's, which git does not read unasked",
    "no-server": "does not answer as a git server does",
    "no-ref": "does not have what was asked for",
    "read-only": "does not let you write, or is no repository",
    "protocol": "is reached in a way that is not allowed",
    "unsound": "sends objects that are broken or dangerous",
    "full": "could not be received: the disk is full",
}


_NOISE = re.compile(
    r"^remote: [A-Z][a-z]+ objects: |Could not read from remote repository|^fatal: repository '.*' does not exist"
    r"|the remote end hung up unexpectedly$|invalid index-pack output|early EOF"
)
_PROGRESS = re.compile(r"[A-Z][a-z]+ [a-z]+: +\d+(?:%|$|, done)|Total \d+ \(delta")
_MOST = 20  # lines of a hook
_WIDEST = 300  # characters
_OPENING = re.compile(r"^(?:(?:fatal|error): (?:remote error: )?)?(?:unable to access '[^']*': )?")


def remote_failed(done: Done, shown: str, silence: float) -> RemoteFailed:
    """What git said when a remote failed it.

    Args:
        done: The git that failed.
        shown: The remote's address, without a secret.
        silence: Seconds for which it was waited.
    """
    if done.timed_out:
        return RemoteFailed(
            f"{shown} said nothing for {silence:g} seconds and was given up",
            why="silent",
            hint=_HINTS["unreachable"],
        )
    why = why_failed(done.stderr)
    if done.verb == "push" and why == "missing":
        why = "read-only"  # git daemon says the same for both
    words = _WORDS.get(why, f"failed git {done.verb}")
    return RemoteFailed(f"{shown} {words}{_said(done)}", why=why, hint=_HINTS.get(why))


def _said(done: Done) -> str:
    """The lines of git's that tell, without progress, advice and what is always said beside them."""
    lines = (line.strip() for line in re.split(r"[\r\n]+", done.stderr))
    told = [
        line for line in lines if re.match(r"(fatal|error|ssh|remote): ", line) and not _NOISE.search(line)
    ]
    words = list(dict.fromkeys(_OPENING.sub("", without_secrets(line)) for line in told))[:3]
    return f" ({harmless('; '.join(words))[:600]})" if words else ""


def quoted(lines: Iterable[str]) -> tuple[str, ...]:
    """What a hook said, as far as people read it: without secrets and progress, safe for a terminal."""
    told = [line.strip() for line in lines]
    told = [harmless(without_secrets(line))[:_WIDEST] for line in told if line and not _PROGRESS.match(line)]
    more = (f"... and {len(told) - _MOST} more lines",) if len(told) > _MOST else ()
    return (*told[:_MOST], *more)


def as_lines(said: Sequence[str]) -> str:
    """What was said, below the sentence that says by whom."""
    return "".join(f"\n  {line}" for line in said)


def without_secrets(text: str) -> str:
    """The text without the userinfo of any URL of the web."""
    return re.sub(r"(?<=://)[^\s/@']+:[^\s/@']*@|(?<=https://)[^\s/@']+@", "", text)
