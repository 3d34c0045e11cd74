"""Addresses of repositories, as people type them and as strangers write them into goals.yaml.

git takes more for an address than a place: `ext::` and every other `NAME::` start a program, a leading `-` is an
option for git or ssh, and `%2d` and `%0a` are decoded first. So what is accepted here is spelled out part by part,
and all else is refused (git-remote-ext(1), gitprotocol-pack(5); CVE-2017-1000117, CVE-2020-5260, CVE-2023-51385).
"""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import unquote

from gitforge.errors import UserError
from gitforge.text import printable_line

MAX_LENGTH = 2048  # characters

Kind = Literal["https", "ssh", "file", "http", "git"]

_HELPER = re.compile(r"[\w+.-]*::")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
_USER = r"(?P<user>\w[\w.+~-]*)"
_HOST = r"(?P<host>\w[\w.-]*|\[[0-9A-Fa-f:.]+(?:%\w+)?\])"
_SSH = re.compile(rf"(?:{_USER}@)?{_HOST}(?::(?P<port>\d{{1,5}}))?(?P<path>/.+)")
_SCP = re.compile(
    r"(?:(?P<user>\w[\w.+~-]*)@)?(?P<host>\w[\w.-]*|\[(?:\w[\w.-]*:\d{1,5}|[0-9A-Fa-f:.]+(?:%\w+)?)\])"
    r":(?P<path>.+)"
)
_WEB = re.compile(rf"(?:(?P<user>[^/?#@\\]*)@)?{_HOST}(?::(?P<port>\d{{1,5}}))?(?P<path>/[^?#\\]*)?")
_HINT = "Use https://HOST/PATH, ssh://HOST/PATH, USER@HOST:PATH or the path of a folder."


@dataclass(frozen=True)
class Address:
    """Where a repository is.

    Args:
        url: As git takes it, whether the user has said who they are in it or not.
        kind: How it is reached.
        stored: The same without a secret, for git's configuration and for commits.
    """

    url: str
    kind: Kind
    stored: str

    @property
    def shown(self) -> str:
        """For people: without a secret, and safe for a terminal."""
        return printable_line(self.stored)

    @property
    def host(self) -> str | None:
        """Who is asked, with the port where one is named; None for a folder of this machine."""
        if self.kind == "file":
            return None
        if (found := _SCHEME.fullmatch(self.stored)) is not None:
            authority = found[2].partition("/")[0]
        else:
            authority = (
                self.stored.partition(":")[0] if "[" not in self.stored else self.stored.partition("]")[0]
            )
        return authority.rpartition("@")[2].casefold()

    @property
    def has_secret(self) -> bool:
        """Whether a user name or a password stood in it that is not to be stored."""
        return self.url != self.stored


def parse(text: str, *, base: Path) -> Address:
    """What a text means as the address of a repository.

    Args:
        text: https, ssh (as a URL or as `USER@HOST:PATH`), file, or a path; http and git only to this machine.
        base: The folder that a relative path is relative to.

    Raises:
        UserError: It is none of these, or would start a program or an option of git's or ssh's.
    """
    if not text:
        raise UserError("an empty text is no address of a repository", hint=_HINT)
    if len(text) > MAX_LENGTH:
        raise UserError(
            f"an address of {len(text):,} characters is too long: {MAX_LENGTH:,} at most", hint=_HINT
        )
    if any(not sign.isprintable() for sign in unquote(text) + text if not "\udc80" <= sign <= "\udcff"):
        raise _refused(text, "has hidden or control characters in it")
    if text.startswith("-"):
        raise _refused(text, "would be an option, because it begins with -")
    if _HELPER.match(text):
        raise _refused(text, "would start a program: NAME:: is git's notation for that")
    if (found := _SCHEME.fullmatch(text)) is not None:
        return _url(text, found[1].lower(), found[2])
    colon, slash = text.find(":"), text.find("/")
    if colon >= 0 and (slash < 0 or colon < slash):  # git's own rule
        return _scp(text)
    path = os.path.abspath(base / text)  # noqa: PTH100 -- a symlink on the way stays as it was typed
    return Address(path, "file", path)


def safe_for_strangers(address: Address) -> bool:
    """Whether an address that somebody else wrote may be asked without the user's word for it."""
    return address.kind in {"https", "ssh"}


def _url(text: str, scheme: str, rest: str) -> Address:
    if scheme == "file":
        if not rest.startswith("/"):
            raise _refused(text, "has no absolute path", "Write file:///PATH, with three slashes.")
        return Address(f"file://{rest}", "file", f"file://{rest}")
    if scheme == "ssh":
        found = _SSH.fullmatch(rest)
        if found is None:
            raise _refused(text, "is no address that ssh understands: ssh://[USER@]HOST[:PORT]/PATH")
        _refuse_option(text, found["path"].removeprefix("/"), found["path"])
        return Address(f"ssh://{rest}", "ssh", f"ssh://{rest}")
    if scheme not in {"https", "http", "git"}:
        raise _refused(text, f"is reached by {scheme}, which gitforge does not use")
    found = _WEB.fullmatch(rest)
    if found is None:
        raise _refused(text, f"is no address of the form {scheme}://HOST/PATH")
    if scheme != "https" and not _is_loopback(found["host"]):
        why = f"is reached by {scheme}, by which anybody on the way can change what comes"
        raise _refused(text, why, "Use https or ssh; http and git are for servers on this machine alone.")
    kind: Kind = "https" if scheme == "https" else "http" if scheme == "http" else "git"
    if kind == "git" and found["user"] is not None:
        raise _refused(text, "names a user, which git:// knows nothing of")
    return Address(f"{scheme}://{rest}", kind, f"{scheme}://{rest[found.start('host') :]}")


def _scp(text: str) -> Address:
    found = _SCP.fullmatch(text)
    if found is None:
        raise _refused(text, "is no address that ssh understands: [USER@]HOST:PATH", _HINT)
    _refuse_option(text, found["path"])
    return Address(text, "ssh", text)


def _refuse_option(text: str, *paths: str) -> None:
    # `/~user` reaches the server as `~user`, and `%2d` as `-`.
    if any(unquote(path).startswith("-") for path in paths):
        raise _refused(text, "has a path that begins with -, which would be an option")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.casefold() == "localhost"


def _refused(text: str, why: str, hint: str = _HINT) -> UserError:
    without = re.sub(r"(?<=://)[^/]*@", "", text)
    return UserError(f"{printable_line(without[:200])} {why}", hint=hint)
