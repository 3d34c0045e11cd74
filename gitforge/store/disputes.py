"""One path that two lines of commits have made something else of: merged, decided by somebody, or left in dispute."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from gitforge.store.merge import Chunk, Clash, clashes, merge, settled
from gitforge.store.records import Entry
from gitforge.store.repo import Repo

Side = Literal["ours", "theirs"]
"""This clone's version, or the published one."""


Sides = tuple[Entry | None, Entry | None, Entry | None]
"""What both began with, what this clone made of it, what was published; None: nothing."""


@dataclass(frozen=True)
class Dispute:
    """What only a person can decide about one path.

    Attributes:
        path: From the worktree's top.
        commit: Id of the commit of this clone that changes it.
        base: What both began with; None: nothing was there.
        ours: What this clone made of it; None: it is deleted.
        theirs: What was published; None: it is deleted.
        chunks: The text, merged as far as it can be, where all three are texts.
        places: Where the two clash, as a `Join` tells it.
        names: What this clone and what was published call it, where each has given it another name.
    """

    path: str
    commit: str
    base: Entry | None
    ours: Entry | None
    theirs: Entry | None
    chunks: tuple[Chunk, ...] = ()
    places: tuple[object, ...] = ()
    names: tuple[str, str] | None = None


Decide = Callable[[Dispute], Side | Sequence[str] | None]
"""Gives the version to take, or the text for each clash, or None where nobody decides."""


@dataclass(frozen=True)
class Joined:
    """What two sides of a file come to.

    Attributes:
        text: The merged text.
        open: Where nobody has decided; the published version stands there.
    """

    text: str
    open: tuple[object, ...] = ()


Join = Callable[[str | None, str, str], Joined | None]
"""Merges a file of a form of its own: base, ours, theirs; None where it has to be merged by lines."""


def resolve(
    repo: Repo, path: str, commit: str, sides: Sides,
    decide: Decide, join: Join | None,
) -> tuple[Entry | None, Dispute | None]:  # fmt: skip
    """What becomes of a path; where that is left in dispute, the published version with it.

    Args:
        repo: The repository.
        path: From the worktree's top.
        commit: Id of the commit of this clone that changes it.
        sides: Base, ours, theirs; ours is neither the base nor theirs.
        decide: Who decides what clashes.
        join: How files of this name are merged, if not by lines.

    Raises:
        UserError: git fails.
    """
    base, ours, theirs = sides
    texts = _texts(repo, base, ours, theirs)
    if texts is None or ours is None or theirs is None:
        return _whole(Dispute(path, commit, base, ours, theirs), decide)
    mode = ours.mode if base is None or ours.mode != base.mode else theirs.mode
    merged, dispute = _merged(repo, Dispute(path, commit, base, ours, theirs), texts, decide, join)
    return (theirs if merged is None else Entry(mode, repo.objects.write_blob(merged.encode()))), dispute


def _merged(
    repo: Repo, dispute: Dispute, texts: tuple[str, str, str], decide: Decide, join: Join | None
) -> tuple[str | None, Dispute | None]:
    """The merged text; None, and what nobody has decided."""
    base, ours, theirs = texts
    if join is not None and (joined := join(base if dispute.base else None, ours, theirs)) is not None:
        return (None, replace(dispute, places=joined.open)) if joined.open else (joined.text, None)
    chunks = merge(repo, base, ours, theirs)
    if not clashes(chunks):
        return settled(chunks, _never), None
    dispute = replace(dispute, chunks=chunks)
    taken = decide(dispute)
    if taken is None:
        return None, dispute
    answers = (
        iter(taken) if not isinstance(taken, str) else iter([_side(one, taken) for one in clashes(chunks)])
    )
    return settled(chunks, lambda _: next(answers)), None


def _whole(dispute: Dispute, decide: Decide) -> tuple[Entry | None, Dispute | None]:
    taken = decide(dispute)
    if taken is None:
        return dispute.theirs, dispute
    return (dispute.ours if taken == "ours" else dispute.theirs), None


def _side(clash: Clash, side: str) -> str:
    return clash.ours if side == "ours" else clash.theirs


def _never(clash: Clash) -> str:
    raise ValueError(clash)


def _texts(repo: Repo, *entries: Entry | None) -> tuple[str, str, str] | None:
    """The three texts; None where one is no file, or no text."""
    if any(entry is not None and not entry.is_file for entry in entries):
        return None
    contents = repo.objects.read_many("blob", [entry.id for entry in entries if entry is not None])
    try:
        base, ours, theirs = ("" if entry is None else contents[entry.id].decode() for entry in entries)
    except UnicodeDecodeError:
        return None
    return base, ours, theirs
