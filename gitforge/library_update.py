"""Moves a library's pin: what that changes for the components in use is known before, and is one commit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gitforge import adopted_texts, commits, libraries, library_entries
from gitforge.adopted_texts import Unmergeable
from gitforge.adopting import below_library
from gitforge.adoptions import Adoption, Origin
from gitforge.commits import Adopted
from gitforge.components import MAX_BYTES
from gitforge.errors import Conflict, UserError
from gitforge.goals import FILE_NAME, GoalBook, Need, Pin
from gitforge.libraries import SILENTLY, Terms
from gitforge.library_look import read_book
from gitforge.payloads import Suspicion, suspicions
from gitforge.store import addresses, pins, snapshots
from gitforge.store.differences import Difference, differences
from gitforge.store.edits import Edit, exchange
from gitforge.store.merge import Chunk, clashes, settled
from gitforge.store.transaction import Recorded, record
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
    """

    adoption: Adoption
    origin: Origin
    ours: str
    blob: str
    chunks: tuple[Chunk, ...]

    @property
    def clashes(self) -> int:
        """How many places have to be decided."""
        return len(clashes(self.chunks))


@dataclass(frozen=True)
class GoalChange:
    """A goal of the library: `added`, `removed` or `changed`."""

    name: str
    what: str


@dataclass(frozen=True)
class Update:
    """What moving a pin would do.

    Attributes:
        old: The library as goals.yaml has it.
        new: As it would be.
        commits: How many commits it moves on.
        lost: How many commits the old pin has that the new one has not: the history was rewritten.
        differences: What changes in the components that are in use.
        renamed: Components that goals use, by path, and what they are called there now.
        gone: Components that goals use and that are not there any more.
        left: Adopted components whose origin is not there any more, or cannot be merged, and why.
        goals: What changes in the library's own goals.
        suspicions: What the new texts hide, by component.
        merges: The adopted components that change.
    """

    old: Pin
    new: Pin
    commits: int
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
        UserError: It cannot be fetched, has no such branch any more, or its goals.yaml has errors.
    """
    address = addresses.parse(pin.url, base=workspace.root)
    commit = libraries.fetch_tip(repo, pin.name, address, rev or pin.rev, terms)
    new = replace(pin, commit=commit, rev=rev or pin.rev)
    if repo.commit_of(pin.commit) is None:  # what it moves on from is to be compared and merged with
        try:
            libraries.fetch_pin(repo, pin, address, terms)
        except libraries.Vanished:
            return _from_nothing(workspace, repo, pin, new)
    if new == pin:
        return Update(pin, new, 0, 0)
    return _compared(workspace, repo, pin, new)


def _from_nothing(workspace: Workspace, repo: Repo, old: Pin, new: Pin) -> Update:
    """Where the old pin is nowhere any more, all that is known is what the new one lacks."""
    book = workspace.book()
    there = _blobs(repo, new)
    used = {_inner(workspace, use.need): use.need for use in libraries.uses(book, old.name)}
    gone = tuple(need for path, need in used.items() if path not in there)
    adopted = _adopted(repo, book, old)
    left = tuple((one.path, _LOST.format(origin=f"{new.name}:{one.origin.path}")) for one in adopted)
    found = _suspicions(repo, {path: there.get(path) for path in used}, {})
    return Update(old, new, 0, 0, gone=gone, left=left, suspicions=tuple(found))


def _compared(workspace: Workspace, repo: Repo, old: Pin, new: Pin) -> Update:
    book = workspace.book()
    ahead, lost = pins.between(repo, old.commit, new.commit) or (0, 0)
    before, after = _blobs(repo, old), _blobs(repo, new)
    used = {_inner(workspace, use.need): use.need for use in libraries.uses(book, old.name)}
    adopted = _adopted(repo, book, old)
    start = f"{new.folder}/" if new.folder else ""
    wanted = {*used, *(one.origin.path for one in adopted)}
    found = differences(
        repo, old.commit, new.commit, [f"{start}library"], [f"{start}library/{path}" for path in sorted(wanted)]
    ) if wanted else []  # fmt: skip
    inner = f"{start}library/"
    heirs = {
        one.old_path.removeprefix(inner): one.path.removeprefix(inner) for one in found if one.status == "R"
    }
    renamed = {
        path: heirs[path]
        for path in used
        if path in heirs and heirs[path].rpartition("/")[0] == path.rpartition("/")[0]
    }
    gone = tuple(need for path, need in used.items() if path not in after and path not in renamed)
    merges, left = _merges(repo, new, adopted, after, heirs)
    texts = {heirs.get(path, path): after.get(heirs.get(path, path)) for path in wanted}
    return Update(
        old, new, ahead, lost,
        differences=tuple(one for one in found if {one.path, one.old_path} & {f"{inner}{path}" for path in wanted}),
        renamed=tuple((used[path].path, name) for path, name in renamed.items()),
        gone=gone,
        left=tuple(left),
        goals=tuple(_goal_changes(repo, old, new)),
        suspicions=tuple(_suspicions(repo, texts, {heirs.get(path, path): before.get(path) for path in wanted})),
        merges=tuple(merges),
    )  # fmt: skip


def _inner(workspace: Workspace, need: Need) -> str:
    """Where the library has a component, below its `library/`."""
    pin = need.pin
    try:
        path = workspace.foreign.path(need)
    except UserError:  # what is pinned is not here, or cannot be read
        path = None
    return (
        below_library(pin, path)
        if pin is not None and path is not None
        else f"{need.kind.folder}/{need.name}"
    )


def _adopted(repo: Repo, book: GoalBook, pin: Pin) -> list[Adoption]:
    found = libraries.adopted_here(repo, book).values()
    return [one for one in found if one.origin.library == pin.name]


def _blobs(repo: Repo, pin: Pin) -> dict[str, str]:
    """The files below `library/` that can be read, by path below it."""
    folder = f"{pin.folder}/library" if pin.folder else "library"
    return {
        path.removeprefix(f"{folder}/"): sized.entry.id
        for path, sized in snapshots.files_below(repo, pin.commit, folder).items()
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
    name = f"{origin.library}:{origin.path}"
    new = adopted_texts.read(repo, theirs, f"{name} is no UTF-8 text any more")
    return Merge(adoption, origin, ours, own, adopted_texts.merged(repo, base, ours, new, name))


# --- what else changes ---------------------------------------------------------------------------------------


def _goal_changes(repo: Repo, old: Pin, new: Pin) -> list[GoalChange]:
    before, after = _goals(repo, old), _goals(repo, new)
    names = [*after, *(name for name in before if name not in after)]
    words = {(False, True): "added", (True, False): "removed", (True, True): "changed"}
    return [
        GoalChange(name, words[name in before, name in after])
        for name in names
        if before.get(name) != after.get(name)
    ]


def _goals(repo: Repo, pin: Pin) -> dict[str, object]:
    """What its goals are and use, by name; none where it has no goals.yaml."""
    path = f"{pin.folder}/{FILE_NAME}" if pin.folder else FILE_NAME
    found = snapshots.files_below(repo, pin.commit, pin.folder).get(path)
    if found is None:
        return {}
    goals = read_book(repo, pin, found).goals.values()
    return {goal.name: (goal.description, [need.path for need in goal.needs]) for goal in goals}


def _suspicions(
    repo: Repo, texts: Mapping[str, str | None], before: Mapping[str, str | None]
) -> list[tuple[str, Suspicion]]:
    """What new texts hide, but for what the old ones did already."""
    found: list[tuple[str, Suspicion]] = []
    for path, blob in texts.items():
        if blob is None or blob == before.get(path):
            continue
        old = {(one.what, one.excerpt) for one in _suspicions_in(repo, before.get(path))}
        found += [(path, one) for one in _suspicions_in(repo, blob) if (one.what, one.excerpt) not in old]
    return found


def _suspicions_in(repo: Repo, blob: str | None) -> list[Suspicion]:
    return list(suspicions(repo.objects.read_blob(blob).decode(errors="replace"))) if blob is not None else []


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
        places = f"{one.clashes} place{'s' * (one.clashes != 1)}"
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
