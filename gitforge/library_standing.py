"""How the libraries that goals.yaml names stand here; nobody is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitforge import libraries
from gitforge.adoptions import Adoption
from gitforge.goals import GoalBook, Pin
from gitforge.libraries import Use
from gitforge.store import pins

if TYPE_CHECKING:
    from gitforge.store.repo import Repo


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


def standings(repo: Repo, book: GoalBook) -> list[Standing]:
    """How each library stands, in the order of goals.yaml."""
    adopted = libraries.adopted_here(repo, book).values() if book.libraries else ()
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
                libraries.uses(book, pin.name),
                tuple(one for one in adopted if one.origin.library == pin.name),
            )
        )
    return found
