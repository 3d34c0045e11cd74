"""Moves a library's pin: what that changes for the components in use is known before, and is one commit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gitforge import adopted_texts, commits, libraries, library_changes, library_entries, names
from gitforge.adopted_texts import Unmergeable
from gitforge.adopting import below_library
from gitforge.adoptions import Adoption, Origin
from gitforge.commits import Adopted
from gitforge.components import MAX_BYTES
from gitforge.errors import Conflict, UserError
from gitforge.goals import GoalBook, Need, Pin
from gitforge.libraries import SILENTLY, Terms
from gitforge.library_changes import GoalChange, Pair
from gitforge.library_look import refuse_other
from gitforge.payloads import Suspicion
from gitforge.store import addresses, pins, snapshots
from gitforge.store.differences import Difference, renames
from gitforge.store.edits import Edit, exchange
from gitforge.store.merge import Chunk, clashes, settled
from gitforge.store.transaction import Recorded, record
from gitforge.text import counted
from gitforge.workspace import Workspace

if TYPE_CHECKING:
    from gitforge.store.repo import Repo

_LOST = (
    "what it was merged with last is not here any more; `gitforge adopt {origin}` with --ours, --theirs or on a"
    " terminal begins anew"
)
Decide = Callable[[str, Sequence[Chunk]], str | None]
"""The whole text for a path whose merge has clashes; None where a person leaves it undecided."""


@dataclass(frozen=True)
class Merge:
    """An adopted component, and what became of its origin.

    Attributes:
        adoption: The own component.
        origin: What it is merged with.
        ours: Its own text.
        blob: Id of that.
        chunks: The merged text; its clashes are to be decided.
        texts: The library's own text, as it was merged last and as it is now.
    """

    adoption: Adoption
    origin: Origin
    ours: str
    blob: str
    chunks: tuple[Chunk, ...]
    texts: Pair

    @property
    def clashes(self) -> int:
        """How many places have to be decided."""
        return len(clashes(self.chunks))


@dataclass(frozen=True)
class Update:
    """What moving a pin would do.

    Attributes:
        old: The library as goals.yaml has it.
        new: As it would be.
        commits: How many commits it moves on; None where the old pin is nowhere any more, so that nothing can be
            compared, and all that is in use counts as new.
        lost: How many commits the old pin has that the new one has not: the history was rewritten.
        differences: What changes in the components that goals and toolkits use or that were adopted.
        renamed: Components that goals use, by path, and what they are called there now.
        gone: Components that goals use and that cannot be used any more.
        left: Adopted components whose origin is not there any more, or cannot be merged, and why.
        goals: What changes in the library's own goals.
        suspicions: What the new texts of all of its components hide, by component.
        merges: The adopted components that change.
    """

    old: Pin
    new: Pin
    commits: int | None
    lost: int
    differences: tuple[Difference, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    gone: tuple[Need, ...] = ()
    left: tuple[tuple[str, str], ...] = ()
    goals: tuple[GoalChange, ...] = ()
    suspicions: tuple[tuple[str, Suspicion], ...] = ()
    merges: tuple[Merge, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether goals.yaml says all of it already."""
        return self.old == self.new


def find(
    workspace: Workspace, repo: Repo, pin: Pin, rev: str | None = None, terms: Terms = SILENTLY
) -> Update:
    """Fetches what a library's branch or tag names now, and compares; nothing is recorded.

    Args:
        workspace: Whose library.
        repo: Its repository.
        pin: The library.
        rev: The branch, tag or full id of a commit to follow from now on; None for the one that goals.yaml has.
        terms: How it is fetched.

    Raises:
        UserError: It cannot be fetched, has no such branch any more, or is no library that can be used.
    """
    if rev is not None:
        names.rev(rev)
    address = addresses.parse(pin.url, base=workspace.root)
    commit = libraries.fetch_tip(repo, pin.name, address, rev or pin.rev, terms)
    new = replace(pin, commit=commit, rev=rev or pin.rev)
    if new == pin:
        return Update(pin, new, 0, 0)
    refuse_other(repo, new)
    if repo.commit_of(pin.commit) is None:  # what it moves on from is to be compared and merged with
        with suppress(libraries.Vanished):
            libraries.fetch_pin(repo, pin, address, terms)
    return _compared(workspace, repo, pin, new)


def _compared(workspace: Workspace, repo: Repo, old: Pin, new: Pin) -> Update:
    """What moving a pin would do; the old one may be nowhere any more."""
    book = workspace.book()
    between = pins.between(repo, old.commit, new.commit)
    moved = renames(repo, old.commit, new.commit, new.inside("library")) if between is not None else {}
    found = library_changes.compare(workspace, book, old, new, moved, is_old_here=between is not None)
    heirs = {below_library(new, was): below_library(new, path) for was, path in moved.items()}
    adopted = _adopted(repo, book, old)
    merges, left = _merges(repo, new, adopted, _blobs(repo, new) if adopted else {}, heirs)
    theirs = [one.texts for one in merges]
    return Update(
        old, new,
        commits=between[0] if between is not None else None,
        lost=between[1] if between is not None else 0,
        differences=library_changes.shown(repo, [*found.texts, *theirs]),
        renamed=found.renamed,
        gone=found.gone,
        left=tuple(left),
        goals=found.goals,
        suspicions=tuple(dict.fromkeys((*found.suspicions, *_suspicions(repo, theirs)))),
        merges=tuple(merges),
    )  # fmt: skip


def _adopted(repo: Repo, book: GoalBook, pin: Pin) -> list[Adoption]:
    found = libraries.adopted_here(repo, book).values()
    return [one for one in found if one.origin.library == pin.name]


def _blobs(repo: Repo, pin: Pin) -> dict[str, str]:
    """The files below `library/` that can be read, by path below it."""
    return {
        below_library(pin, path): sized.entry.id
        for path, sized in snapshots.files_below(repo, pin.commit, pin.inside("library")).items()
        if sized.entry.is_file and (sized.size or 0) <= MAX_BYTES
    }


# --- adopted components -------------------------------------------------------------------------------------


def _merges(
    repo: Repo, new: Pin, adopted: Sequence[Adoption], after: Mapping[str, str], heirs: Mapping[str, str]
) -> tuple[list[Merge], list[tuple[str, str]]]:
    merges: list[Merge] = []
    left: list[tuple[str, str]] = []
    for one in adopted:
        path = one.origin.path if one.origin.path in after else heirs.get(one.origin.path, "")
        blob = after.get(path)
        base = adopted_texts.base_of(repo, new, one.origin)
        if blob is None:
            left.append((one.path, f"{one.origin.library}:{one.origin.path} is not there any more"))
        elif base is None:
            left.append((one.path, _LOST.format(origin=f"{new.name}:{path}")))
        elif blob != base or path != one.origin.path:
            try:
                merges.append(_merge(repo, one, Origin(new.name, path, new.commit), base, blob))
            except Unmergeable as error:
                left.append((one.path, error.message))
    return merges, left


def _merge(repo: Repo, adoption: Adoption, origin: Origin, base: str, theirs: str) -> Merge:
    own, ours = adopted_texts.own(repo, adoption)
    was, name = (f"{one.library}:{one.path}" for one in (adoption.origin, origin))
    new = adopted_texts.read(repo, theirs, f"{name} is no UTF-8 text any more")
    chunks = adopted_texts.merged(repo, base, ours, new, name)
    return Merge(adoption, origin, ours, own, chunks, Pair(was, name, base, theirs))


def _suspicions(repo: Repo, pairs: Sequence[Pair]) -> Iterator[tuple[str, Suspicion]]:
    """What is merged into adopted components hides, wherever the library has it."""
    for pair in pairs:
        old, new = (
            repo.objects.read_blob(id_).decode(errors="replace") if id_ is not None else ""
            for id_ in (pair.old, pair.new)
        )
        for one in library_changes.new_suspicions(old, new):
            yield pair.name.partition(":")[2], one


# --- carried out -----------------------------------------------------------------------------------------------


def carry_out(workspace: Workspace, repo: Repo, update: Update, decide: Decide | None = None) -> Recorded:
    """Moves the pin, and merges what was adopted, as one commit.

    Args:
        workspace: Whose library.
        repo: Its repository.
        update: What `find` has found.
        decide: What becomes of places that both sides have changed.

    Raises:
        Conflict: Such a place is undecided, or changes that are not committed are in the way: nothing has moved.
        UserError: git refuses.
    """
    texts = {one.adoption.path: _settled(one, decide) for one in update.merges}
    changes = [library_entries.moving(update.old, update.new)]
    if update.renamed:
        names = {path: f"{update.new.name}:{name.rpartition('/')[2]}" for path, name in update.renamed}
        changes.append(library_entries.renaming(workspace.book(), names))
    edits: list[Edit] = [library_entries.rewriting(workspace, repo, *changes)]
    for one in update.merges:
        if (text := texts[one.adoption.path]) != one.ours:
            edits.append(exchange(one.adoption.path, one.ours.encode(), text.encode()))

    def message(blobs: Mapping[str, str]) -> str:
        merged = [
            Adopted(one.adoption.path, str(one.origin), blobs.get(one.adoption.path, one.blob))
            for one in update.merges
        ]
        return commits.library_updated(update.new.name, update.old.commit, update.new.commit, merged)

    points = pins.points(repo, update.new.name, update.new.commit)
    return record(repo, edits, message, points=points)


def _settled(one: Merge, decide: Decide | None) -> str:
    if not one.clashes:
        return settled(one.chunks, lambda clash: clash.ours)
    text = decide(one.adoption.path, one.chunks) if decide is not None else None
    if text is None:
        places = counted(one.clashes, "place")
        raise Conflict(
            f"{one.adoption.path}: you and {one.origin.library} changed the same lines in {places};"
            " nothing was recorded",
            hint="Decide them on a terminal, or all at once: --ours keeps yours, --theirs takes the library's.",
        )
    return text


def refuse_unfollowable(pin: Pin, rev: str | None) -> None:
    """Raises UserError where goals.yaml pins a library to one commit, which nothing can follow."""
    if rev is None and pin.rev == pin.commit:
        raise UserError(
            f"{pin.name} follows no branch: its rev is the commit that is pinned",
            hint=f"Name one: `gitforge library update {pin.name} --rev main`.",
        )
