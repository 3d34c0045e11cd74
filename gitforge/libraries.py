"""Other libraries under a workspace: goals.yaml names each, pinned to a commit; git fetches it, and a ref keeps it.

No worktree, no submodule, no remote: what is read of one are the objects of its pin.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gitforge import commits, library_entries, names
from gitforge.adoptions import Adoption, adoptions
from gitforge.errors import Conflict, UserError
from gitforge.goals import FILE_NAME, GoalBook, Need, Pin
from gitforge.library_look import Look, look
from gitforge.named import usable_book
from gitforge.store import addresses, origins, pins, transfer
from gitforge.store.addresses import Address
from gitforge.store.meter import OnProgress
from gitforge.store.transaction import Recorded, record
from gitforge.store.transfer import RemoteFailed
from gitforge.text import did_you_mean, printable
from gitforge.workspace import Workspace

if TYPE_CHECKING:
    from gitforge.store.repo import Repo

_INCOMING = "refs/gitforge/incoming"
_FULL_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_SHOWN = 8

OnFetch = Callable[[Pin, Address], None]
"""Told before a library is fetched, and from where."""


class Vanished(UserError):
    """A pinned commit that its library has not got any more."""


@dataclass(frozen=True)
class Addition:
    """A library that goals.yaml is to name.

    Attributes:
        pin: Its entry.
        look: What the commit has.
        address: Where it was fetched from.
    """

    pin: Pin
    look: Look
    address: Address


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


@dataclass(frozen=True)
class Use:
    """A goal that uses a component of another library."""

    goal: str
    need: Need


@dataclass(frozen=True)
class Standing:
    """How a library stands here, without asking anybody.

    Attributes:
        pin: Its entry in goals.yaml.
        is_here: Whether the pinned commit is.
        behind: How many commits what was fetched last has more than the pin; None where nobody knows.
        lost: How many commits the pin has that what was fetched last has not: its history was rewritten.
        uses: The goals that use it.
        adopted: The own components that were adopted from it.
    """

    pin: Pin
    is_here: bool
    behind: int | None
    lost: int
    uses: tuple[Use, ...]
    adopted: tuple[Adoption, ...]


def pin_of(book: GoalBook, name: str) -> Pin:
    """The library of that name.

    Raises:
        UserError: There is none.
    """
    if name in book.libraries:
        return book.libraries[name]
    hint = did_you_mean(name, list(book.libraries)) or "`gitforge library list` shows them."
    raise UserError(f"{book.file} has no library {printable(name)!r}", hint=hint)


def uses(book: GoalBook, name: str) -> tuple[Use, ...]:
    """The goals that use components of a library."""
    return tuple(
        Use(goal.name, need) for goal in book.goals.values() for need in goal.needs if need.library == name
    )


def adopted_here(repo: Repo, book: GoalBook) -> dict[str, Adoption]:
    """The own components that were adopted, by path from the repository's root."""
    return adoptions(repo, origins.read(repo), {name: pin.commit for name, pin in book.libraries.items()})


def standings(repo: Repo, book: GoalBook) -> list[Standing]:
    """How each library stands, in the order of goals.yaml."""
    adopted = adopted_here(repo, book).values() if book.libraries else ()
    found = []
    for pin in book.libraries.values():
        fetched = repo.commit_of(pins.fetched_ref(pin.name))
        ahead = pins.between(repo, pin.commit, fetched) if fetched is not None else None
        found.append(
            Standing(
                pin,
                repo.commit_of(pin.commit) is not None,
                ahead[0] if ahead is not None else None,
                ahead[1] if ahead is not None else 0,
                uses(book, pin.name),
                tuple(one for one in adopted if one.origin.library == pin.name),
            )
        )
    return found


# --- adding and removing ------------------------------------------------------------------------------------


def prepare(
    workspace: Workspace,
    repo: Repo,
    name: str,
    url: str,
    *,
    rev: str | None = None,
    folder: str = "",
    base: Path,
    progress: OnProgress | None = None,
) -> Addition:
    """Fetches a library and looks at it; goals.yaml is not touched yet.

    Args:
        workspace: Where it is to be used.
        repo: Its repository.
        name: What it is to be called.
        url: Its address, as the user typed it.
        rev: The branch, tag or full id of a commit; None for what its HEAD names.
        folder: The folder of the workspace in it; empty for its top.
        base: What a relative path is relative to.
        progress: Told how far the fetching has come.

    Raises:
        UserError: A name or the address will not do, it cannot be fetched, or is no library.
    """
    names.library_name(name)
    book = workspace.book()
    if (there := _of_that_name(book, name)) is not None:
        raise Conflict(
            f"{FILE_NAME} has a library {there.name} already: {printable(there.url)}",
            hint=f"Choose another name, or move it on with `gitforge library update {there.name}`.",
        )
    address = addresses.parse(url, base=base)
    if address.has_secret:
        raise UserError(
            f"the address {address.shown} was given with a user name or password, which everybody would read in"
            f" {FILE_NAME}",
            hint="Leave it out: git asks a credential helper, see gitcredentials(7).",
        )
    if rev is not None:
        names.rev(rev)
    folder = folder.strip("/")
    if folder:
        names.folder_path(folder, "folder")
    commit = fetch_tip(repo, name, address, rev, progress=progress)
    try:
        pin = Pin(name, address.stored, commit, rev, folder)
        return Addition(pin, look(repo, pin, book), address)
    except BaseException:
        give_up(repo, name)
        raise


def give_up(repo: Repo, name: str) -> None:
    """Lets go of what was fetched of a library that is not added after all."""
    pins.drop(repo, [pins.fetched_ref(name)])


def _of_that_name(book: GoalBook, name: str) -> Pin | None:
    return next((pin for other, pin in book.libraries.items() if other.casefold() == name.casefold()), None)


def add(workspace: Workspace, repo: Repo, addition: Addition) -> Recorded:
    """Names the library in goals.yaml, as one commit, and notes its address as one that this clone's user trusts.

    Raises:
        Conflict: Changes that are not committed are in the way.
        UserError: git refuses.
    """
    pin = addition.pin
    before = trusted_url(repo, pin.name)
    trust(repo, pin)  # first: a kill in between leaves no library that sync does not fetch
    try:
        return record(
            repo,
            [library_entries.rewriting(workspace, repo, library_entries.declaring(pin))],
            commits.library_added(pin.name, addition.address.shown, pin.commit),
            points=pins.points(repo, pin.name, pin.commit),
        )
    except BaseException:
        if pin.name not in usable_book(workspace).libraries:
            repo.configure(_key(pin.name), before)
            give_up(repo, pin.name)
        raise


def forget(repo: Repo, name: str) -> None:
    """Drops all that was kept of a library; git may collect it then."""
    if refs := pins.refs_of(repo, name):
        pins.drop(repo, list(refs))


def remove(workspace: Workspace, repo: Repo, pin: Pin) -> Recorded:
    """Takes a library out of goals.yaml, as one commit, and lets git collect it.

    Raises:
        Conflict: Changes that are not committed are in the way.
        UserError: Goals use it, or git refuses.
    """
    refuse_used(workspace.book(), pin)
    recorded = record(
        repo,
        [library_entries.rewriting(workspace, repo, library_entries.removing(pin))],
        commits.library_removed(pin.name, printable(pin.url), pin.commit),
    )
    forget(repo, pin.name)
    distrust(repo, pin.name)
    return recorded


def refuse_used(book: GoalBook, pin: Pin) -> None:
    """Raises UserError, with the goals and their lines, where goals use a library."""
    used = uses(book, pin.name)
    if not used:
        return
    shown = [f"{book.file}:{one.need.line}: {one.goal} uses {one.need.path}" for one in used]
    rest = [f"... and {len(shown) - 50} more"] if len(shown) > 50 else []
    raise UserError(
        "\n".join([f"the library {pin.name} is in use:", *(printable(line) for line in shown[:50]), *rest]),
        hint=f"Let these goals use something else, or take a component over: `gitforge adopt {used[0].need.path}`.",
    )


# --- trust --------------------------------------------------------------------------------------------------


def _key(name: str) -> str:
    return f"gitforge-library.{name}.url"


def trusted_url(repo: Repo, name: str) -> str | None:
    """The address of a library that this clone's user has fetched by themselves."""
    return repo.anew().configuration.values.get(_key(name))


def trust(repo: Repo, pin: Pin) -> None:
    """Notes in this clone's configuration, which no commit has, that the user wanted a library from its address."""
    repo.configure(_key(pin.name), pin.url)


def distrust(repo: Repo, name: str) -> None:
    """Takes that back."""
    repo.configure(_key(name), None)


# --- fetching -----------------------------------------------------------------------------------------------


def missing(repo: Repo, book: GoalBook) -> list[Pin]:
    """The libraries whose pinned commit is not here."""
    return [pin for pin in book.libraries.values() if repo.commit_of(pin.commit) is None]


def fetch_missing(
    workspace: Workspace, repo: Repo, *, progress: OnProgress | None = None, before: OnFetch | None = None
) -> Brought:
    """Fetches the pins that are not here, where nobody was asked: from https, ssh, and what the user trusts.

    Args:
        workspace: Whose goals.yaml.
        repo: Its repository.
        progress: Told how far the fetching has come.
        before: Told before each.
    """
    found = Brought()
    for pin in usable_book(workspace).libraries.values():
        if _is_kept(repo, pin):
            continue
        try:
            address = addresses.parse(pin.url, base=workspace.root)
            _refuse_untrusted(repo, pin, address)
            fetch_pin(repo, pin, address, progress=progress, before=before)
            found = replace(found, fetched=(*found.fetched, pin))
        except UserError as error:
            found = replace(found, left=(*found.left, Left(pin, error)))
    return found


def _refuse_untrusted(repo: Repo, pin: Pin, address: Address) -> None:
    if not addresses.safe_for_strangers(address) and trusted_url(repo, pin.name) != pin.url:
        raise UserError(
            f"{pin.name} comes from {address.shown}, which is fetched only if you say so",
            hint=f"`gitforge library fetch {pin.name}` fetches it.",
        )


def fetch(
    workspace: Workspace,
    repo: Repo,
    pin: Pin,
    *,
    progress: OnProgress | None = None,
    before: OnFetch | None = None,
) -> bool:
    """Fetches one pin, because the user says so; arguments as in `fetch_missing`.

    Returns:
        Whether something was fetched: not, where it is here.

    Raises:
        Vanished: Its library has not got the commit any more.
        UserError: The address will not do, or cannot be reached.
    """
    if _is_kept(repo, pin):
        return False
    return fetch_pin(
        repo, pin, addresses.parse(pin.url, base=workspace.root), progress=progress, before=before
    )


def _is_kept(repo: Repo, pin: Pin) -> bool:
    """Whether a pin is here, and stays: it is kept from now on where it was here by chance."""
    kept = repo.commit_of(pins.library_ref(pin.name))
    if kept is not None and repo.contains(kept, pin.commit):
        return True
    if not pins.is_whole(repo, pin.commit):
        return False
    pins.keep(repo, pin.name, pin.commit)
    return True


def fetch_pin(
    repo: Repo,
    pin: Pin,
    address: Address,
    *,
    progress: OnProgress | None = None,
    before: OnFetch | None = None,
) -> bool:
    """Fetches a pinned commit: by its id, else with its branch, else with all branches and tags.

    Raises:
        Vanished: None of them has it.
        RemoteFailed: The library cannot be reached.
    """
    if before is not None:
        before(pin, address)
    offered = _offered(repo, address, len(pin.commit))
    place = f"{_INCOMING}/{pin.name}"
    ways = [[f"+{pin.commit}:{place}/pin"]]
    if (ref := _ref(offered, pin.rev)) is not None:
        ways.append([f"+{ref}:{place}/rev"])
    ways.append([f"+refs/heads/*:{place}/heads/*", f"+refs/tags/*:{place}/tags/*"])
    try:
        for refspecs in ways:
            try:
                transfer.fetch(repo, address, refspecs, progress=progress)
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


def fetch_tip(
    repo: Repo, name: str, address: Address, rev: str | None, *, progress: OnProgress | None = None
) -> str:
    """The id of the commit that a library's branch or tag names now, which is fetched.

    Args:
        repo: The repository.
        name: The library.
        address: Where it is.
        rev: A branch, a tag or the full id of a commit; None for what its HEAD names.
        progress: Told how far it has come.

    Raises:
        RemoteFailed: It cannot be reached.
        UserError: It has no such branch or tag, or its ids are made by another algorithm.
    """
    offered = _offered(repo, address, _digits(repo))
    target = rev if rev is not None and _FULL_ID.fullmatch(rev) else _ref(offered, rev)
    if target is None:
        raise _no_such_rev(address, offered, rev)
    transfer.fetch(repo, address, [f"+{target}:{pins.fetched_ref(name)}"], progress=progress)
    commit = repo.commit_of(pins.fetched_ref(name))
    if commit is None:
        pins.drop(repo, [pins.fetched_ref(name)])
        raise UserError(f"{target} of {address.shown} is no commit", hint="Name a branch with --rev.")
    pins.keep_fetched(repo, name, commit)
    return commit


def _digits(repo: Repo) -> int:
    return 64 if repo.algorithm == "sha256" else 40


def _offered(repo: Repo, address: Address, digits: int) -> transfer.Advertised:
    """What a remote has, whose ids must be of so many digits."""
    offered = transfer.list_refs(repo, address)
    if any(len(id_) != _digits(repo) for id_ in offered.refs.values()) or digits != _digits(repo):
        theirs = "SHA-1" if repo.algorithm == "sha256" else "SHA-256"
        raise UserError(
            f"{address.shown} names its objects by {theirs}, and this repository by {repo.algorithm.upper()}:"
            " git cannot have both in one",
            hint=f"Use a library whose repository is in the format of this one ({repo.algorithm}).",
        )
    return offered


def _ref(offered: transfer.Advertised, rev: str | None) -> str | None:
    """The ref by its full name that a branch or tag is; None where there is none."""
    if rev is None:
        return "HEAD" if "HEAD" in offered.refs else None
    found = [ref for ref in (rev, f"refs/heads/{rev}", f"refs/tags/{rev}") if ref in offered.refs]
    if len(found) > 1:
        raise UserError(
            f"{printable(rev)!r} is a branch and a tag", hint=f"Say which: --rev {' or --rev '.join(found)}."
        )
    return found[0] if found else None


def _no_such_rev(address: Address, offered: transfer.Advertised, rev: str | None) -> UserError:
    known = _short(offered.refs)
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
