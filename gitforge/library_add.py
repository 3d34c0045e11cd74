"""Names a library in goals.yaml, once its commit was looked at, or takes it out again; each by one commit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gitforge import commits, documents, libraries, library_entries, names
from gitforge.errors import Conflict, InvalidFile, UserError
from gitforge.goals import FILE_NAME, GoalBook, Pin
from gitforge.goals_edit import edited
from gitforge.libraries import SILENTLY, Terms
from gitforge.library_look import Look, look
from gitforge.named import usable_book
from gitforge.store import addresses, pins
from gitforge.store.addresses import Address
from gitforge.store.transaction import Recorded, record
from gitforge.text import printable
from gitforge.workspace import Workspace

if TYPE_CHECKING:
    from gitforge.store.repo import Repo


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


def prepare(
    workspace: Workspace,
    repo: Repo,
    name: str,
    url: str,
    *,
    rev: str | None = None,
    folder: str = "",
    base: Path,
    terms: Terms = SILENTLY,
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
        terms: How it is fetched.

    Raises:
        UserError: A name or the address will not do, it cannot be fetched, or is no library.
    """
    names.library_name(name)
    book = usable_book(workspace)
    if (there := _of_that_name(book, name)) is not None:
        raise Conflict(
            f"{FILE_NAME} has a library {there.name} already: {libraries.shown_url(there)}",
            hint=f"Choose another name, or move it on with `gitforge library update {there.name}`.",
        )
    address = addresses.parse(url, base=base)
    if address.has_secret:
        raise UserError(
            f"the address {address.shown} was given with a user name or password, which everybody would read in"
            f" {FILE_NAME}",
            hint="Leave it out: git asks a credential helper, see gitcredentials(7).",
        )
    _refuse_invalid(workspace, name, address)
    if rev is not None:
        names.rev(rev)
    folder = folder.strip("/")
    if folder:
        names.folder_path(folder, "folder")
    commit = libraries.fetch_tip(repo, name, address, rev, terms)
    try:
        pin = Pin(name, address.stored, commit, rev, folder)
        return Addition(pin, look(repo, pin, book), address)
    except BaseException:
        give_up(repo, name)
        raise


def _refuse_invalid(workspace: Workspace, name: str, address: Address) -> None:
    """Raises as `Workspace.book` does, but not where all that is wrong is that the library is not declared yet."""
    try:
        workspace.book()
    except InvalidFile as error:
        try:
            text = documents.read_text(workspace.goals_file, FILE_NAME)
            edited(text, library_entries.declaring(Pin(name, address.stored, "0" * 40)))
        except UserError:
            raise error from None


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
    before = libraries.trusted_url(repo, pin.name)
    libraries.trust(
        repo, pin.name, pin.url
    )  # first: a kill in between leaves no library that sync does not fetch
    try:
        return record(
            repo,
            [library_entries.rewriting(workspace, repo, library_entries.declaring(pin))],
            commits.library_added(pin.name, addition.address.shown, pin.commit),
            points=pins.points(repo, pin.name, pin.commit),
        )
    except BaseException:
        if pin.name not in usable_book(workspace).libraries:
            libraries.trust(repo, pin.name, before)
            give_up(repo, pin.name)
        raise


def let_go(workspace: Workspace, repo: Repo, name: str) -> bool:
    """Drops what was kept of a library that goals.yaml does not name, and the trust in its address.

    What another branch or worktree pins stays, and what adopted components were merged with last.

    Returns:
        Whether there was anything.

    Raises:
        UserError: git cannot.
    """
    names.library_name(name)
    was_trusted = libraries.trusted_url(repo, name) is not None
    before = pins.refs_of(repo, name)
    if before:
        adopted = libraries.adopted_here(repo, usable_book(workspace)).values()
        needed = pins.named_elsewhere(repo, repo.relative(workspace.goals_file)) | {
            one.origin.commit for one in adopted
        }
        pins.release(repo, name, sorted(needed))
    if was_trusted:
        libraries.trust(repo, name, None)
    return was_trusted or pins.refs_of(repo, name) != before


def remove(workspace: Workspace, repo: Repo, pin: Pin) -> Recorded:
    """Takes a library out of goals.yaml, as one commit, and lets git collect what nobody needs of it.

    Raises:
        Conflict: Changes that are not committed are in the way.
        UserError: Goals use it, or git refuses.
    """
    refuse_used(workspace.book(), pin)
    recorded = record(
        repo,
        [library_entries.rewriting(workspace, repo, library_entries.removing(pin))],
        commits.library_removed(pin.name, libraries.shown_url(pin), pin.commit),
    )
    let_go(workspace, repo.anew(), pin.name)
    return recorded


def refuse_used(book: GoalBook, pin: Pin) -> None:
    """Raises UserError, with the goals and their lines, where goals use a library."""
    used = libraries.uses(book, pin.name)
    if not used:
        return
    shown = [f"{book.file}:{one.need.line}: {one.goal} uses {one.need.path}" for one in used]
    rest = [f"... and {len(shown) - 50} more"] if len(shown) > 50 else []
    raise UserError(
        "\n".join([f"the library {pin.name} is in use:", *(printable(line) for line in shown[:50]), *rest]),
        hint=f"Let these goals use something else, or take a component over: `gitforge adopt {used[0].need.path}`.",
    )
