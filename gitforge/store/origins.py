"""Where texts come from and who has reviewed them, as far as the commit messages of a history say.

Everything is kept by blob, so it holds wherever the same text turns up: after a rename, a revert, a rebase.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

from gitforge.errors import UserError
from gitforge.store.messages import COMPONENT, WITHDRAWN, Group, parse
from gitforge.store.repo import Repo


@dataclass(frozen=True)
class Statement:
    """What one commit says about one component.

    Attributes:
        commit: Id of the commit.
        date: When it was written, with its time zone.
        author: `Name <email>`.
        subject: The first line of its message.
        group: What it says.
    """

    commit: str
    date: datetime
    author: str
    subject: str
    group: Group


@dataclass(frozen=True)
class Origins:
    """All that a history says.

    Attributes:
        generations: By blob the newest commit that says it generated it.
        reviewers: By blob who has reviewed it, newest first; those who took it back are left out.
        paths: The components of which some text was generated.
    """

    generations: Mapping[str, Statement]
    reviewers: Mapping[str, tuple[str, ...]]
    paths: frozenset[str]

    def generation_of(self, blob: str) -> Statement | None:
        """The commit that generated a text."""
        return self.generations.get(blob)

    def reviewers_of(self, blob: str) -> tuple[str, ...]:
        """Who has reviewed exactly this text."""
        return self.reviewers.get(blob, ())

    def needs_review(self, path: str, blob: str) -> bool:
        """Whether a text was generated, or comes from one that was, and nobody has reviewed it as it is."""
        is_generated = path in self.paths or blob in self.generations
        return is_generated and not self.reviewers_of(blob)


def read(repo: Repo, rev: str = "HEAD") -> Origins:
    """Reads the messages of all commits that a revision has.

    Args:
        repo: The repository.
        rev: The id of a commit, or HEAD, which may have none yet.

    Raises:
        UserError: git cannot read its history.
    """
    return gather(statements(repo, rev))


def statements(repo: Repo, rev: str) -> Iterable[Statement]:
    """What the commits say, one component after the other; the newest commit first."""
    layout = ("--format=tformat:%H%n%aI%n%an <%ae>%n%B", "--encoding=UTF-8")
    plain = ("--no-show-signature", "--no-color", "--no-notes", "--no-patch", "--topo-order")
    grep = ("--fixed-strings", f"--grep={COMPONENT}: ")
    output = repo.git.stream("log", "-z", *layout, *plain, *grep, rev, "--")
    try:
        with closing(output) as items:
            for item in items:
                commit, date, author, text = item.split("\n", 3)
                message = parse(text)
                for group in message.groups:
                    yield Statement(commit, datetime.fromisoformat(date), author, message.subject, group)
    except UserError:
        if rev != "HEAD" or repo.head().commit is not None:
            raise


def gather(spoken: Iterable[Statement]) -> Origins:
    """Sorts statements, the newest first, by blob."""
    generations: dict[str, Statement] = {}
    reviewers: dict[str, dict[str, None]] = {}
    closed: set[str] = set()  # blobs whose older reviews were taken back
    paths: set[str] = set()
    for one in spoken:
        group = one.group
        if group.is_generation:
            paths.add(group.path)
        if group.blob is None:
            continue
        if group.is_generation:
            generations.setdefault(group.blob, one)
        if WITHDRAWN in group.trailers:
            closed.add(group.blob)
        elif group.reviewer is not None and group.blob not in closed:
            reviewers.setdefault(group.blob, {})[group.reviewer] = None
    return Origins(generations, {blob: tuple(names) for blob, names in reviewers.items()}, frozenset(paths))
