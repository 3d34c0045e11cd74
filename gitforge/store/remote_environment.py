"""Which ways git may take to another machine, and whom it may ask (git(1), gitcredentials(7), ssh_config(5)).

Without a terminal no one is asked: git's own prompt, its askpass programs and ssh's questions are off, and what the
user has set for that (a credential helper, GIT_ASKPASS, an ssh agent, core.sshCommand) is used.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import PurePath

from gitforge.store.addresses import Address, Kind

# The user's own url.*.insteadOf may lead from https to ssh and back.
_ALLOWED: Mapping[Kind | None, str] = {
    "https": "https:ssh", "ssh": "https:ssh", "http": "http:https", "git": "git", "file": "file",
    None: "https:ssh:file:http:git",
}  # fmt: skip


def remote_environment(
    kind: Kind | None, settings: Mapping[str, str], environment: Mapping[str, str], silence: float, *,
    can_ask: bool,
) -> dict[str, str]:  # fmt: skip
    """Variables for a git that talks to a remote.

    Args:
        kind: How the remote is reached; None for one that the user has set up in git.
        settings: git's configuration.
        environment: This process's variables.
        silence: Seconds that a host may take to answer.
        can_ask: Whether a person is at the terminal; else nobody and no window is asked.
    """
    variables = {"GIT_ALLOW_PROTOCOL": _ALLOWED[kind], "GIT_TERMINAL_PROMPT": "1" if can_ask else "0"}
    if not can_ask:
        if "GIT_ASKPASS" not in environment and "core.askpass" not in settings:
            variables["GIT_ASKPASS"] = ""  # else git would go on to SSH_ASKPASS, which is a window
        variables["SSH_ASKPASS_REQUIRE"] = "never"
    if (command := _ssh(settings, environment, silence, can_ask=can_ask)) is not None:
        variables["GIT_SSH_COMMAND"] = command
    return variables


def with_secret(address: Address, environment: Mapping[str, str]) -> dict[str, str]:
    """Variables by which git reaches an address with the secret in it, where it is given the one without.

    On a command line every user of the machine could read it, and git would write it into reflogs.

    Args:
        address: The address.
        environment: This process's variables.
    """
    if not address.has_secret:
        return {}
    given = environment.get("GIT_CONFIG_COUNT", "0")
    count = int(given) if given.isdecimal() else 0
    return {
        "GIT_CONFIG_COUNT": str(count + 1),
        f"GIT_CONFIG_KEY_{count}": f"url.{address.url}.insteadOf",
        f"GIT_CONFIG_VALUE_{count}": address.stored,
    }


def _ssh(
    settings: Mapping[str, str], environment: Mapping[str, str], silence: float, *, can_ask: bool
) -> str | None:
    """The user's ssh, that asks nobody and waits for a host only so long; None where it is another program."""
    command = environment.get("GIT_SSH_COMMAND") or settings.get("core.sshcommand")
    if not command:
        program = environment.get("GIT_SSH")
        command = shlex.quote(program) if program else "ssh"
    try:
        words = shlex.split(command)
    except ValueError:
        return None
    if not words or PurePath(words[0]).name not in {"ssh", "ssh.exe"}:
        return None
    batch = "" if can_ask else " -o BatchMode=yes"
    # ssh takes the first value that it is given, so what the user has set there holds.
    return (
        f"{command}{batch} -o ConnectTimeout={max(1, int(silence))}"
        " -o ServerAliveInterval=15 -o ServerAliveCountMax=4"
    )
