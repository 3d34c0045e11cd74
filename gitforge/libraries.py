"""Other libraries under a workspace: goals.yaml names each, pinned to a commit; git fetches it, and a ref keeps it.

No worktree, no submodule, no remote: what is read of one are the objects of its pin.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gitforge.adoptions import Adoption, adoptions
from gitforge.errors import UserError
from gitforge.goals import GoalBook, Need, Pin
from gitforge.store import addresses, origins, pins, transfer
from gitforge.store.addresses import Address
from gitforge.store.meter import OnProgress
from gitforge.store.remote_failures import Rejected, RemoteFailed, without_secrets
from gitforge.text import did_you_mean, printable
from gitforge.workspace import Workspace

if TYPE_CHECKING:
    from gitforge.store.repo import Repo

_INCOMING = "refs/gitforge/incoming"
_FULL_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_SHOWN = 8

OnFetch = Callable[[Pin, Address], None]
"""Told before a library is fetched, and from where."""


@dataclass(frozen=True)
class Terms:
    """How others are talked to.

    Attributes:
        progress: Told how far the fetching has come.
        before: Told before a pin is fetched, and from where.
        can_ask: Whether a person is at the terminal, so that git and ssh may ask for a password.
        max_bytes: How much may come of each library; None for no limit.
        silence: Seconds after which one that says nothing is given up.
    """

    progress: OnProgress | None = None
    before: OnFetch | None = None
    can_ask: bool = False
    max_bytes: int | None = transfer.MAX_BYTES
    silence: float = transfer.SILENCE


SILENTLY = Terms()


class Vanished(UserError):
    """A pinned commit that its library has not got any more."""


@dataclass(frozen=True)
class Use:
    """A goal that uses a component of another library."""

    goal: str
    need: Need


def uses(book: GoalBook, name: str) -> tuple[Use, ...]:
    """The goals that use components of a library."""
    return tuple(
        Use(goal.name, need) for goal in book.goals.values() for need in goal.needs if need.library == name
    )


def adopted_here(repo: Repo, book: GoalBook) -> dict[str, Adoption]:
    """The own components that were adopted, by path from the repository's root.

    Where goals.yaml calls a library by another name than the commit that says so, what it is called now counts.
    """
    pinned = {name: pin.commit for name, pin in book.libraries.items()}
    known: dict[tuple[str, str], str] = {}
    found = adoptions(repo, origins.read(repo), pinned)
    for path, one in found.items():
        library, commit = one.origin.library, one.origin.commit
        if library in pinned or not pinned:
            continue
        if (library, commit) not in known:
            names = [name for name, pin in pinned.items() if repo.contains(pin, commit)]
            known[library, commit] = names[0] if len(names) == 1 else library
        found[path] = replace(one, origin=replace(one.origin, library=known[library, commit]))
    return found


# --- trust --------------------------------------------------------------------------------------------------


def _key(name: str) -> str:
    return f"gitforge-library.{name}.url"


def trusted_url(repo: Repo, name: str) -> str | None:
    """The address of a library that this clone's user has fetched by themselves."""
    return repo.anew().configuration.values.get(_key(name))


def trust(repo: Repo, name: str, url: str | None) -> None:
    """Notes in this clone's configuration, which no commit has, that the user wanted a library from an address.

    Args:
        repo: The repository.
        name: The library.
        url: Its address as goals.yaml has it; None takes it back.
    """
    repo.configure(_key(name), url)


# --- fetching -----------------------------------------------------------------------------------------------


def fetch(workspace: Workspace, repo: Repo, pin: Pin, terms: Terms = SILENTLY) -> bool:
    """Fetches one pin, because the user says so.

    Returns:
        Whether something was fetched: not, where it is here.

    Raises:
        Vanished: Its library has not got the commit any more.
        UserError: The address will not do, or cannot be reached.
    """
    if is_kept(repo, pin):
        return False
    return fetch_pin(repo, pin, addresses.parse(pin.url, base=workspace.root), terms)


def is_kept(repo: Repo, pin: Pin) -> bool:
    """Whether a pin is here, and stays: it is kept from now on where it was here by chance."""
    kept = repo.commit_of(pins.library_ref(pin.name))
    if kept is not None and repo.contains(kept, pin.commit):
        return True
    if not pins.is_whole(repo, pin.commit):
        return False
    pins.keep(repo, pin.name, pin.commit)
    return True


def fetch_pin(repo: Repo, pin: Pin, address: Address, terms: Terms = SILENTLY) -> bool:
    """Fetches a pinned commit: by its id, else with its branch, else with all branches and tags.

    Raises:
        Vanished: None of them has it.
        RemoteFailed: The library cannot be reached.
    """
    if terms.before is not None:
        terms.before(pin, address)
    offered = _offered(repo, address, len(pin.commit), terms)
    place = f"{_INCOMING}/{pin.name}"
    ways = [[f"+{pin.commit}:{place}/pin"]]
    if (ref := _ref(offered, pin.rev)) is not None:
        ways.append([f"+{ref}:{place}/rev"])
    ways.append([f"+refs/heads/*:{place}/heads/*", f"+refs/tags/*:{place}/tags/*"])
    try:
        for refspecs in ways:
            try:
                _fetch(repo, address, refspecs, terms)
            except RemoteFailed as error:
                if error.why not in {"no-ref", "other"}:
                    raise
            if pins.is_whole(repo, pin.commit):
                pins.keep(repo, pin.name, pin.commit)
                return True
    finally:
        pins.drop(repo, pins.refs_below(repo, place))
    raise Vanished(
        f"{pin.name} is pinned to {pin.commit[:12]}, which {address.shown} has not got any more",
        hint=f"`gitforge library update {pin.name}` pins it to what is there; another clone may still have it.",
    )


def _fetch(repo: Repo, address: Address, refspecs: Sequence[str], terms: Terms) -> None:
    try:
        transfer.fetch(
            repo, address, refspecs,
            progress=terms.progress, max_bytes=terms.max_bytes, can_ask=terms.can_ask,
            silence=terms.silence,
        )  # fmt: skip
    except RemoteFailed as error:  # what is forced is rejected for no other reason
        if isinstance(error, Rejected) or "revision walk setup failed" in error.message:
            raise _shallow(address) from error
        raise


def _shallow(address: Address) -> UserError:
    return UserError(
        f"{address.shown} is a shallow clone: its history is cut, and cannot be taken over",
        hint="Use the repository that it was cloned from, or run `git fetch --unshallow` there.",
    )


def shown_url(pin: Pin) -> str:
    """A library's address for people: without a secret that somebody has written into goals.yaml."""
    return printable(without_secrets(pin.url))


def fetch_tip(repo: Repo, name: str, address: Address, rev: str | None, terms: Terms = SILENTLY) -> str:
    """The id of the commit that a library's branch or tag names now, which is fetched.

    Args:
        repo: The repository.
        name: The library.
        address: Where it is.
        rev: A branch, a tag or the full id of a commit; None for what its HEAD names.
        terms: How it is fetched.

    Raises:
        RemoteFailed: It cannot be reached.
        UserError: It has no such branch or tag, or its ids are made by another algorithm.
    """
    offered = _offered(repo, address, _digits(repo), terms)
    target = rev if rev is not None and _FULL_ID.fullmatch(rev) else _ref(offered, rev)
    if target is None:
        raise _no_such_rev(address, offered, rev)
    place = f"{_INCOMING}/{name}"
    pins.drop(repo, pins.refs_below(repo, place))
    try:
        _fetch_target(repo, address, target, f"{place}/tip", terms)
        if not pins.refs_below(repo, place):  # git passes over what is cut, and says nothing
            raise _shallow(address)
        if (commit := repo.commit_of(f"{place}/tip")) is None:
            raise UserError(f"{target} of {address.shown} is no commit", hint="Name a branch with --rev.")
        pins.keep_fetched(repo, name, commit)
        return commit
    finally:
        pins.drop(repo, pins.refs_below(repo, place))


def _fetch_target(repo: Repo, address: Address, target: str, place: str, terms: Terms) -> None:
    try:
        _fetch(repo, address, [f"+{target}:{place}"], terms)
    except RemoteFailed as error:
        if error.why not in {"no-ref", "other"} or _FULL_ID.fullmatch(target) is None:
            raise
        raise UserError(
            f"{address.shown} does not give the commit {target[:12]}",
            hint="Name a branch or tag that has it: not every server gives commits by their ids.",
        ) from error


def _digits(repo: Repo) -> int:
    return 64 if repo.algorithm == "sha256" else 40


def _offered(repo: Repo, address: Address, digits: int, terms: Terms) -> Mapping[str, str]:
    """Ids by ref of what a remote has, which must be of so many digits."""
    offered = transfer.list_refs(repo, address, silence=terms.silence, can_ask=terms.can_ask)
    if any(len(id_) != _digits(repo) for id_ in offered.values()) or digits != _digits(repo):
        theirs = "SHA-1" if repo.algorithm == "sha256" else "SHA-256"
        raise UserError(
            f"{address.shown} names its objects by {theirs}, and this repository by {repo.algorithm.upper()}:"
            " git cannot have both in one",
            hint=f"Use a library whose repository is in the format of this one ({repo.algorithm}).",
        )
    return offered


def _ref(offered: Mapping[str, str], rev: str | None) -> str | None:
    """The ref by its full name that a branch or tag is; None where there is none."""
    if rev is None:
        branches = [ref for ref in offered if ref.startswith("refs/heads/")]
        only = branches[0] if len(branches) == 1 else None  # HEAD may name a branch that was never pushed
        return "HEAD" if "HEAD" in offered else only
    names_ = (rev, f"refs/heads/{rev}", f"refs/tags/{rev}")
    found = [ref for ref in names_ if ref in offered and not ref.endswith("^{}")]
    if len(found) > 1:
        raise UserError(
            f"{printable(rev)!r} is a branch and a tag", hint=f"Say which: --rev {' or --rev '.join(found)}."
        )
    return found[0] if found else None


def _no_such_rev(address: Address, offered: Mapping[str, str], rev: str | None) -> UserError:
    known = _short(offered)
    if not known:
        return UserError(f"{address.shown} is empty: it has no branch", hint="Push a commit to it first.")
    what = f"no branch and no tag {printable(rev)!r}" if rev is not None else "no HEAD"
    shown = ", ".join(map(printable, known[:_SHOWN])) + (" and more" if len(known) > _SHOWN else "")
    close = did_you_mean(rev, list(known)) if rev is not None else None
    return UserError(f"{address.shown} has {what}", hint=close or f"Choose one with --rev: {shown}.")


def _short(refs: Iterable[str]) -> list[str]:
    """Branches, then tags, by their short names."""
    listed = [ref for ref in refs if not ref.endswith("^{}")]
    starts = ("refs/heads/", "refs/tags/")
    return [ref.removeprefix(start) for start in starts for ref in listed if ref.startswith(start)]
