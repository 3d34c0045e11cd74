"""A git that talks to another machine: with the user's settings, in time, and without asking where nobody is."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

from gitforge.errors import UserError
from gitforge.store.addresses import Address
from gitforge.store.process import Done, harmless
from gitforge.store.remote_environment import remote_environment, with_secret
from gitforge.store.remote_failures import remote_failed, without_secrets
from gitforge.store.repo import Repo

PATIENCE = 300.0  # seconds for a person to find a password, or for a hook of the server's

Source = Address | str
"""An address, or the name of a remote that the user has set up in git."""


def shown(repo: Repo, source: Source) -> str:
    """A remote as people are told of it: without a secret, safe for a terminal."""
    if isinstance(source, Address):
        return source.shown
    url = repo.configuration.values.get(f"remote.{source}.url")
    return harmless(f"{source} ({without_secrets(url)})" if url else source)


def named(source: Source) -> str:
    """What git is given for a remote: its name, or its address without a secret."""
    return source.stored if isinstance(source, Address) else source


def talk(
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
    environment: Mapping[str, str] | None = None,
    max_file: int | None = None,
    accept: Sequence[int] = (0,),
) -> Done:
    """Runs a git that talks to a remote.

    Args:
        repo: The repository whose settings hold.
        source: The remote.
        verb: The git command.
        arguments: Its arguments.
        silence: Seconds after which a remote that says nothing is given up.
        can_ask: Whether a person is at the terminal.
        first_silence: The same until its first word.
        writes: Whether it changes the repository.
        on_line: Given each line of its messages, as it comes.
        settings: Of git, beyond the user's.
        environment: Variables beyond those of every git that talks to a remote.
        max_file: How large a file it may write, in bytes.
        accept: Exit statuses that are no failure.

    Raises:
        RemoteFailed: It failed.
        UserError: There is no remote of that name.
    """
    if isinstance(source, str) and f"remote.{source}.url" not in repo.configuration.values:
        raise UserError(
            f"there is no remote {harmless(source)!r}", hint="`git remote -v` lists those that there are."
        )
    slow = {"http.lowSpeedLimit": "1", "http.lowSpeedTime": str(max(1, int(silence)))}
    chosen = {
        key: value for key, value in slow.items() if key.lower() not in repo.configuration.values
    } | dict(settings or {})
    first = first_silence or silence
    done = repo.git.watch(
        verb, *arguments,
        options=[part for key, value in chosen.items() for part in ("-c", f"{key}={value}")],
        environment=_variables(repo, source, silence, can_ask=can_ask) | dict(environment or {}),
        on_line=on_line, silence=silence, first_silence=max(first, PATIENCE) if can_ask else first,
        can_ask=can_ask, writes=writes, max_file=max_file,
    )  # fmt: skip
    if done.timed_out or done.status not in accept:
        raise remote_failed(done, shown(repo, source), silence)
    return done


def _variables(repo: Repo, source: Source, silence: float, *, can_ask: bool) -> dict[str, str]:
    address = source if isinstance(source, Address) else None
    kind = address.kind if address is not None else None
    return {
        **remote_environment(kind, repo.configuration.values, os.environ, silence, can_ask=can_ask),
        **(with_secret(address, os.environ) if address is not None else {}),
        "GIT_REFLOG_ACTION": f"fetch {named(source)}",
    }
