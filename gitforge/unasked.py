"""Fetches the libraries that are not here where nobody asked for it: those that a clone or a sync comes upon.

goals.yaml names their addresses, and a stranger may have written it. So only https and ssh are taken, and where the
user has been before; no password is asked for anywhere else; what does not answer cannot keep anybody waiting for long.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, replace

from gitforge.errors import UserError
from gitforge.goals import Pin
from gitforge.libraries import SILENTLY, Terms, fetch_pin, is_kept, trusted_url
from gitforge.named import usable_book
from gitforge.store import addresses
from gitforge.store.addresses import Address
from gitforge.store.remote_failures import RemoteFailed
from gitforge.store.repo import Repo
from gitforge.workspace import Workspace

MOST = 20  # libraries of one clone or sync
IN_VAIN = 30.0  # seconds for all that do not come, together
_AT_LEAST = 1.0  # seconds for one
_NO_ANSWER = {"unreachable", "silent", "host-key", "no-server"}


@dataclass(frozen=True)
class Left:
    """A library that was not fetched.

    Attributes:
        pin: The library.
        why: Why not, and what to do.
    """

    pin: Pin
    why: UserError


@dataclass(frozen=True)
class Brought:
    """What became of the pins that were not here.

    Attributes:
        fetched: Those that are now.
        left: Those that are still missing.
    """

    fetched: tuple[Pin, ...] = ()
    left: tuple[Left, ...] = ()


class Unasked:
    """Fetches what is missing, within one budget for all that it is asked for.

    Args:
        terms: How others are talked to; their silence is cut down to what is left of the budget.
        patience: Seconds for all libraries that do not come, together.
    """

    def __init__(self, terms: Terms = SILENTLY, *, patience: float = IN_VAIN) -> None:
        self._terms = terms
        self._patience = patience
        self._tried = 0
        self._silent: set[str] = set()

    def fetch_missing(self, workspace: Workspace, repo: Repo) -> Brought:
        """Fetches the pins of a goals.yaml that are not here.

        Raises:
            UserError: goals.yaml cannot be used.
        """
        found = Brought()
        for pin in usable_book(workspace).libraries.values():
            if is_kept(repo, pin):
                continue
            try:
                self._fetch(repo, pin, addresses.parse(pin.url, base=workspace.root))
                found = replace(found, fetched=(*found.fetched, pin))
            except UserError as error:
                found = replace(found, left=(*found.left, Left(pin, error)))
        return found

    def bring(self, workspace: Workspace, repo: Repo, pin: Pin) -> None:
        """Fetches a pin that somebody's goals.yaml has, if it can be done; within the same budget.

        Args:
            workspace: From where its address is meant.
            repo: The repository.
            pin: What is to be here.
        """
        with contextlib.suppress(UserError):
            self._fetch(repo, pin, addresses.parse(pin.url, base=workspace.root))

    def _fetch(self, repo: Repo, pin: Pin, address: Address) -> None:
        is_trusted = trusted_url(repo, pin.name) == pin.url
        if not is_trusted and not addresses.safe_for_strangers(address):
            raise _left(pin, f"comes from {address.shown}, which is fetched only if you say so")
        if self._tried >= MOST:
            raise _left(pin, f"is one library too many: no more than {MOST} are fetched unasked at once")
        if address.host in self._silent:
            raise _left(pin, f"comes from {address.shown}, whose host has not answered just now")
        if self._patience < _AT_LEAST:
            raise _left(pin, "was not looked for: other libraries have kept everybody waiting for too long")
        self._tried += 1
        terms = replace(
            self._terms,
            can_ask=self._terms.can_ask and is_trusted,
            silence=min(self._terms.silence, self._patience),
        )
        begun = time.monotonic()
        try:
            fetch_pin(repo, pin, address, terms)
        except UserError as error:
            self._patience -= time.monotonic() - begun
            if isinstance(error, RemoteFailed) and error.why in _NO_ANSWER and address.host is not None:
                self._silent.add(address.host)
            raise


def _left(pin: Pin, why: str) -> UserError:
    return UserError(f"{pin.name} {why}", hint=f"`gitforge library fetch {pin.name}` fetches it.")
