"""Where texts come from and who has reviewed them, as far as the commit messages of a history say.

Everything is kept by blob, so it holds wherever the same text turns up: after a rename, a revert, a rebase.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import closing
from functools import cached_property

from gitforge.store import origins_file
from gitforge.store.dates import from_iso, seconds
from gitforge.store.messages import COMPONENT, REPLACES, WITHDRAWN, parse
from gitforge.store.repo import Repo
from gitforge.store.spoken import (
    GENERATIONS,
    OUTLINE,
    REVIEW,
    REVIEWS,
    SEEN_OUTLINE,
    WITHDRAWAL,
    Spoken,
    Statement,
)

__all__ = ["Origins", "Statement", "read"]


class Origins:
    """All that a history says.

    Args:
        spoken: The statements, the newest first.
    """

    def __init__(self, spoken: Spoken) -> None:
        self._spoken = spoken

    @property
    def paths(self) -> Collection[str]:
        """The components of which some text was generated."""
        return self._generated_at.keys()

    @cached_property
    def _generated_at(self) -> dict[str, list[int]]:
        """By path the statements that a text there was generated, the newest first."""
        found: dict[str, list[int]] = {}
        for number, (kind, path) in enumerate(zip(self._spoken.kinds, self._spoken.paths, strict=True)):
            if kind in GENERATIONS:
                found.setdefault(path, []).append(number)
        return found

    @cached_property
    def _generations(self) -> dict[str, int]:
        """By blob the newest statement that it was generated."""
        kinds, blobs = self._spoken.kinds, self._spoken.blobs
        numbers = range(len(kinds) - 1, -1, -1)  # so that the newest has the last word
        return {blobs[number]: number for number in numbers if kinds[number] in GENERATIONS and blobs[number]}

    @cached_property
    def _reviews(self) -> dict[str, list[int]]:
        """By blob the reviews that were not taken back, the newest first."""
        reviews: dict[str, list[int]] = {}
        closed: set[str] = set()  # blobs whose older reviews were taken back
        for number, (kind, blob) in enumerate(zip(self._spoken.kinds, self._spoken.blobs, strict=True)):
            if kind == WITHDRAWAL:
                closed.add(blob)
            elif kind in REVIEWS and blob and blob not in closed:
                reviews.setdefault(blob, []).append(number)
        return reviews

    def generation_of(self, blob: str) -> Statement | None:
        """The newest commit that says it generated a text."""
        number = self._generations.get(blob)
        return self._spoken.statement(number) if number is not None else None

    def generation_at(self, path: str) -> Statement | None:
        """The newest commit that says it generated some text of a component."""
        numbers = self._generated_at.get(path)
        return self._spoken.statement(numbers[0]) if numbers else None

    def generations_at(self, path: str) -> list[Statement]:
        """The commits that say they generated texts of a component, the newest first."""
        return [self._spoken.statement(number) for number in self._generated_at.get(path, ())]

    def written_before(self, path: str) -> str | None:
        """The blob that people had written before the first generation of a component replaced it."""
        numbers = self._generated_at.get(path)
        if not numbers or not self._spoken.mentions(numbers[-1], REPLACES):
            return None
        return self._spoken.statement(numbers[-1]).group.trailers.get(REPLACES)

    def is_reviewed(self, blob: str) -> bool:
        """Whether somebody has reviewed exactly this text."""
        return blob in self._reviews

    def is_generation(self, blob: str) -> bool:
        """Whether exactly this text was generated."""
        return blob in self._generations

    def is_generated(self, path: str, blob: str) -> bool:
        """Whether a text was generated, or is of a component of which some text was."""
        return path in self.paths or blob in self._generations

    def is_outline(self, blob: str) -> bool:
        """Whether a text was recorded as the offline outline."""
        number = self._generations.get(blob)
        return number is not None and self._spoken.kinds[number] in {OUTLINE, SEEN_OUTLINE}

    def reviewers_of(self, blob: str) -> tuple[str, ...]:
        """Who has reviewed exactly this text, newest first; those who took it back are left out."""
        said = (self._spoken.statement(number).group.reviewer for number in self._reviews.get(blob, ()))
        return tuple(dict.fromkeys(name for name in said if name is not None))

    def saying(self, name: str) -> Iterator[Statement]:
        """The statements that have a trailer of that name, the newest first."""
        if not self._spoken.ever_mentions(name):
            return
        for number in range(len(self._spoken.kinds)):
            if self._spoken.mentions(number, name):
                statement = self._spoken.statement(number)
                if name in statement.group.trailers:
                    yield statement

    def values(self, name: str) -> set[str]:
        """What the trailers of that name say, in whatever commit."""
        return self._spoken.values(name)

    def reviews(self, paths: Collection[str] | None = None) -> Iterator[Statement]:
        """The approvals of components and what took them back, the newest first; no generations.

        Args:
            paths: The components that are meant, by the names of then; None for all.
        """
        for number, (kind, path) in enumerate(zip(self._spoken.kinds, self._spoken.paths, strict=True)):
            if kind in {REVIEW, WITHDRAWAL} and (paths is None or path in paths):
                yield self._spoken.statement(number)


def read(repo: Repo, rev: str = "HEAD") -> Origins:
    """Reads the messages of all commits that a revision has; of HEAD, those that were not read before.

    Args:
        repo: The repository.
        rev: The id of a commit, or HEAD, which may have none yet.

    Raises:
        UserError: git cannot read its history.
    """
    tip = repo.head().commit if rev == "HEAD" else rev
    if tip is None:
        return Origins(Spoken.of(()))
    kept = origins_file.load(repo)
    if kept is not None and kept.tip == tip:
        return Origins(kept.spoken)
    spoken = None
    if kept is not None and repo.contains(tip, kept.tip):
        newer = Spoken.of(statements(repo, tip, f"^{kept.tip}"))
        if _is_after(newer, kept.spoken):
            spoken = newer + kept.spoken
    if spoken is None:
        spoken = Spoken.of(statements(repo, tip))
    if rev == "HEAD":
        origins_file.save(repo, origins_file.Kept(tip, spoken))
    return Origins(spoken)


def statements(repo: Repo, *revs: str) -> Iterator[Statement]:
    """What the commits say, one component after the other; the newest commit first.

    Args:
        repo: The repository.
        revs: Ids of commits; those with a `^` before them, and what they have, are left out.
    """
    layout = ("--format=tformat:%H%n%ct%n%aI%n%an <%ae>%n%B", "--encoding=UTF-8")
    plain = ("--no-show-signature", "--no-color", "--no-notes", "--no-patch", "--topo-order")
    grep = ("--fixed-strings", f"--grep={COMPONENT}: ")
    output = repo.git.stream("log", "-z", *layout, *plain, *grep, *revs, "--")
    with closing(output) as items:
        for item in items:
            yield from _statements_in(item)


def _statements_in(item: str) -> Iterator[Statement]:
    commit, committed, date, author, text = item.split("\n", 4)
    message = parse(text)
    purpose = " ".join(message.body.split()) if len(message.groups) == 1 else ""
    about = (commit, seconds(committed), from_iso(date), author, message.subject, purpose)
    # In a squash nobody can tell which came last: git writes the oldest first or last. A doubt is no approval.
    for group in sorted(message.groups, key=lambda group: WITHDRAWN not in group.trailers):
        yield Statement(*about, group)


def _is_after(newer: Spoken, older: Spoken) -> bool:
    """Whether newer statements can stand before older ones and mean what they mean when all are read at once.

    On branches side by side neither is newer, and git alone knows in which order it tells them: that matters where
    a review is taken back.
    """
    taken_back = {blob for spoken in (newer, older) for kind, blob in _said(spoken) if kind == WITHDRAWAL}
    return not any(kind in REVIEWS + WITHDRAWAL and blob in taken_back for kind, blob in _said(newer))


def _said(spoken: Spoken) -> Iterable[tuple[str, str]]:
    return zip(spoken.kinds, spoken.blobs, strict=True)
