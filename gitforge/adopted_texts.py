"""The texts of an adopted component: its own, the one that it was merged with last, and the library's of now.

Line endings are one side's own business: texts are merged without them, and an edit puts back those that a file has.
"""

from __future__ import annotations

from gitforge.adoptions import Adoption, Origin
from gitforge.errors import UserError
from gitforge.goals import Pin
from gitforge.store.merge import Chunk, apart, merge
from gitforge.store.repo import Repo
from gitforge.store.tree import kind
from gitforge.text import printable


class Unmergeable(UserError):
    """A text that cannot be merged; the message says which, and why."""


def base_of(repo: Repo, pin: Pin, origin: Origin) -> str | None:
    """Id of the text that a component was merged with last; None where the repository has not got it.

    Args:
        repo: The repository.
        pin: The library, which says in which folder its workspace is.
        origin: What the component was merged with last.
    """
    if repo.commit_of(origin.commit) is None:
        return None
    path = pin.inside(f"library/{origin.path}")
    entry = repo.objects.entries(origin.commit, [path]).get(path)
    return entry.id if entry is not None and entry.is_file else None


def own(repo: Repo, adoption: Adoption) -> tuple[str, str]:
    """The id and the text of an adopted component as the last commit has it.

    Raises:
        Unmergeable: It is no file, or no text.
    """
    entry = repo.entries([adoption.path])[adoption.path]
    if not entry.is_file:
        raise Unmergeable(f"it is {kind(entry)} here, and no file")
    return entry.id, read(repo, entry.id, "it is no UTF-8 text here")


def read(repo: Repo, blob: str, otherwise: str) -> str:
    """A text without its line endings' form.

    Raises:
        Unmergeable: It is no UTF-8 text, in these words.
    """
    try:
        return plain(repo.objects.read_blob(blob).decode())
    except UnicodeDecodeError:
        raise Unmergeable(otherwise) from None


def plain(text: str) -> str:
    """The text with line feeds alone."""
    return text.replace("\r\n", "\n")


def merged(repo: Repo, base: str | None, ours: str, theirs: str, name: str) -> tuple[Chunk, ...]:
    """What both sides made of a text.

    Args:
        repo: The repository.
        base: Id of the text that both began with; None where nobody knows it: every difference is a clash then.
        ours: Our text.
        theirs: Theirs.
        name: What the library calls it, for an error.

    Raises:
        Unmergeable: The base is no text.
    """
    if base is None:
        return apart(ours, plain(theirs))
    was = read(repo, base, f"{printable(name)} was no UTF-8 text when it was merged last")
    return merge(repo, was, ours, plain(theirs))
