"""What became of components: every commit about them, the newest first, and what it did.

What git says a commit changed decides, not what the commit says of itself: after an amend or a rebase a message may
speak of a text that is not there any more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from gitforge.adoptions import Origin
from gitforge.provenance import generation
from gitforge.store.messages import ADOPTED, WITHDRAWN, Group, Message, parse
from gitforge.store.records import Entry, FileChange
from gitforge.unreviewed import need_review

if TYPE_CHECKING:
    from gitforge.store.origins import Origins
    from gitforge.store.repo import Repo
    from gitforge.store.spoken import Statement

_REVERTS = re.compile(r"^This reverts commit [0-9a-f]{7,64}", re.MULTILINE)
_RESTORES = re.compile(r"^As it was in [0-9a-f]{7,64}\.$", re.MULTILINE)
_DOLLARS = re.compile(r"\$(\d[\d,]*(?:\.\d+)?)")


class What(StrEnum):
    """What a commit did to a component."""

    GENERATED = "generated"
    REGENERATED = "regenerated"
    AMENDED = (
        "amended"  # a generation whose text somebody changed in the same commit, by an amend or a squash
    )
    EDITED = "edited"
    ADDED = "added"
    RENAMED = "renamed"
    REVERTED = "reverted"
    RESTORED = "restored"
    ADOPTED = "adopted"  # from another library
    MERGED = "merged"  # with what became of it there
    DELETED = "deleted"
    APPROVED = "approved"
    WITHDRAWN = "withdrawn"
    OLDER = "older"  # it was there when the history of a shallow clone begins


_BY_HAND = {
    What.ADDED,
    What.OLDER,
}  # what people wrote from the start, though the component was generated later


@dataclass(frozen=True)
class Event:
    """One commit about one component.

    Attributes:
        what: What it did.
        path: The component, from the repository's root, as it is called since then.
        old_path: What it was called before, if that is another name.
        commit: Id of the commit.
        date: When it was written, with its time zone.
        author: `Name <email>`.
        subject: The first paragraph of its message, as one line.
        purpose: What a generated component is for; empty where the commit does not say.
        model: The model that wrote the text, or "offline outline"; None where people did, or nobody says.
        cost: US dollars, an estimate; None where nobody knows.
        old_blob: Id of the text before; None where there was none.
        blob: Id of the text since; of an approval the one that was approved.
        reviewers: Who has reviewed the text since, or now takes that back.
        needs_review: Whether somebody should.
        adopted: The component of another library that it was copied from or merged with, and at which commit.
    """

    what: What
    path: str
    old_path: str | None
    commit: str
    date: datetime
    author: str
    subject: str
    purpose: str
    model: str | None
    cost: float | None
    old_blob: str | None
    blob: str | None
    reviewers: tuple[str, ...]
    needs_review: bool
    adopted: Origin | None = None


def history(repo: Repo, known: Origins, paths: Sequence[str], rev: str = "HEAD") -> Generator[Event]:
    """All that became of components, also under the names that they had before, the newest first.

    Close it where it is not read to its end.

    Args:
        repo: The repository.
        known: What its messages say.
        paths: The components, from the repository's root, there or not.
        rev: From which commit on: `HEAD`, or an id.

    Raises:
        UserError: git cannot read its history.
    """
    names = set(paths)
    there = repo.objects.entries(tip, paths) if (tip := _tip(repo, rev)) is not None else {}
    blobs: set[str | None] = {entry.id for entry in there.values()}

    def is_about(said: Statement) -> bool:
        return said.group.path in names or said.group.blob in blobs

    cut = repo.cut_at()
    heirs = _heirs(repo, known, there)
    with closing(repo.log.follow(paths, rev)) as changes:
        for change in _with_reviews(changes, known.reviews(), is_about):
            if isinstance(change, FileChange):
                names.add(change.old_path)
                blobs |= {change.old_blob, change.new_blob} - {None}
                yield _event(change, known, cut, heirs)
            else:
                yield _review(change)


def history_below(repo: Repo, known: Origins, folders: Sequence[str]) -> Generator[Event]:
    """The same of all components below folders, and of single files; arguments and errors as in `history`."""
    prefixes = tuple(folder.rstrip("/") + "/" for folder in folders)

    def is_about(said: Statement) -> bool:
        return said.group.path.startswith(prefixes) or said.group.blob in blobs

    cut = repo.cut_at()
    there = _below(repo, folders)
    blobs = {entry.id for entry in there.values()}
    heirs = _heirs(repo, known, there)
    with closing(repo.log.changes_below(folders)) as changes:
        for change in _with_reviews(changes, known.reviews(), is_about):
            yield _event(change, known, cut, heirs) if isinstance(change, FileChange) else _review(change)


def _with_reviews(
    changes: Iterator[FileChange], reviews: Iterator[Statement], is_about: Callable[[Statement], bool]
) -> Iterator[FileChange | Statement]:
    """Both, in the order of their commits; an approval changes no file, so no log of files has it."""
    said = next(reviews, None)
    for change in changes:
        while said is not None and _is_newer(said, change):
            if is_about(said):
                yield said
            said = next(reviews, None)
        yield change
    while said is not None:
        if is_about(said):
            yield said
        said = next(reviews, None)


def _is_newer(said: Statement, change: FileChange) -> bool:
    if said.committed == change.commit.committed:  # of the same second: a text is reviewed once it is there
        is_new = change.new_blob != change.old_blob
        return said.group.blob != change.old_blob or (is_new and said.group.blob == change.new_blob)
    return said.committed > change.commit.committed


def _tip(repo: Repo, rev: str) -> str | None:
    return repo.head().commit if rev == "HEAD" else rev


def _below(repo: Repo, folders: Sequence[str]) -> dict[str, Entry]:
    """The files that HEAD has below folders."""
    tip = repo.head().commit
    if tip is None:
        return {}
    with repo.objects.ask_below(tip, folders) as asked:
        return asked.answer()


def _heirs(repo: Repo, known: Origins, there: Mapping[str, Entry]) -> set[str]:
    """Those of the files that wait for a review because they were renamed, and edited at once, after a generation."""
    texts = {path: entry.id for path, entry in there.items() if entry.is_file}
    return {path for path in need_review(repo, texts, known) if not known.is_generated(path, texts[path])}


def _event(change: FileChange, known: Origins, cut: Collection[str], heirs: Collection[str]) -> Event:
    message = parse(change.commit.message)
    group = _generation(change, message)
    what = _what(change, message, group)
    if what is What.ADDED and change.commit.id in cut:
        what = What.OLDER
    adopted = _adopted(change, message)
    if adopted is not None and what in {What.ADDED, What.EDITED}:
        what = What.ADOPTED if change.status == "A" else What.MERGED
    commit, blob = change.commit, change.new_blob
    reviewers = known.reviewers_of(blob) if blob else ()
    is_generated = blob is not None and (change.asked in heirs or known.is_generated(change.path, blob))
    is_alone = len(message.groups) == 1
    return Event(
        what=what,
        path=change.path,
        old_path=change.old_path if change.old_path != change.path else None,
        commit=commit.id,
        date=commit.date,
        author=commit.author,
        subject=message.subject,
        purpose=" ".join(message.body.split()) if group is not None and is_alone else "",
        model=group.writer if group is not None else None,
        cost=_cost(group),
        old_blob=change.old_blob,
        blob=blob,
        reviewers=reviewers,
        needs_review=is_generated and not reviewers and what not in _BY_HAND,
        adopted=adopted,
    )


def _generation(change: FileChange, message: Message) -> Group | None:
    """What a commit says of a generation; also of one under another name, where its folder was moved since."""
    said = generation(change, message.groups)
    if said is None and message.about(change.path) is None:
        said = message.of_text(change.path, change.new_blob)
    return said if said is not None and said.is_generation else None


def _adopted(change: FileChange, message: Message) -> Origin | None:
    """Where the commit says that exactly the text that it has is from."""
    said = message.of_text(change.path, change.new_blob)
    return Origin.parse(said.trailers.get(ADOPTED, "")) if said is not None else None


def _what(change: FileChange, message: Message, group: Group | None) -> What:
    if group is not None and change.new_blob is not None:
        if group.blob not in {None, change.new_blob}:
            return What.AMENDED
        return What.GENERATED if change.status == "A" else What.REGENERATED
    if _REVERTS.search(message.body):
        return What.REVERTED
    if _RESTORES.search(message.body):
        return What.RESTORED
    by_status = {"A": What.ADDED, "D": What.DELETED, "R": What.RENAMED}
    return by_status.get(change.status, What.EDITED)


def _review(said: Statement) -> Event:
    taken_back = said.group.trailers.get(WITHDRAWN)
    who = taken_back or said.group.reviewer
    return Event(
        what=What.APPROVED if taken_back is None else What.WITHDRAWN,
        path=said.group.path,
        old_path=None,
        commit=said.commit,
        date=said.date,
        author=said.author,
        subject=said.subject,
        purpose="",
        model=None,
        cost=None,
        old_blob=said.group.blob,
        blob=said.group.blob,
        reviewers=(who,) if who else (),
        needs_review=False,
    )


def _cost(group: Group | None) -> float | None:
    found = _DOLLARS.search(group.trailers.get("Cost", "")) if group is not None else None
    return float(found[1].replace(",", "")) if found else None
