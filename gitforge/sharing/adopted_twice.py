"""Adopted components that both sides have merged with other commits of their library: merged as an update does it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gitforge.adopted_texts import Unmergeable, base_of, read
from gitforge.adoptions import Origin
from gitforge.goals import Pin
from gitforge.store.disputes import Join, Joined
from gitforge.store.merge import clashes, merge, settled
from gitforge.store.messages import ADOPTED, Group
from gitforge.store.repo import Repo
from gitforge.store.series import Member, read_series
from gitforge.store.texts import id_of


@dataclass(frozen=True)
class AdoptedTwice:
    """What is known of them.

    Attributes:
        joins: How each is merged, by path.
        outdated: Path and id of the texts of which this clone's commits name an older origin than the published one.
    """

    joins: Mapping[str, Join]
    outdated: frozenset[tuple[str, str]]


def find(
    repo: Repo,
    pins: Callable[[Collection[str]], Mapping[str, Pin]],
    base: str,
    head: str,
    published: Sequence[Member],
) -> AdoptedTwice:
    """The components that both sides say to have adopted, or merged with what was adopted.

    Args:
        repo: The repository.
        pins: Gives libraries by their names as the published goals.yaml has them, fetched where that can be.
        base: Id of the commit from which both sides went on.
        head: Id of this clone's last one.
        published: The commits that came, the oldest first.
    """
    theirs = {group.path: origin for group, origin in _said(published)}
    if not theirs:
        return AdoptedTwice({}, frozenset())
    texts: dict[str, dict[str, Origin]] = {}
    for group, origin in _said(read_series(repo, base, head)):
        other = theirs.get(group.path)
        if other is not None and other.library == origin.library and other.commit != origin.commit:
            texts.setdefault(group.path, {})[group.blob or ""] = origin
    libraries = pins({theirs[path].library for path in texts}) if texts else {}
    joins: dict[str, Join] = {}
    outdated: set[tuple[str, str]] = set()
    for path, mine in texts.items():
        if (pin := libraries.get(theirs[path].library)) is not None:
            joining = _Joining(repo, pin, mine, theirs[path])
            joins[path] = joining.joined
            outdated |= {(path, blob) for blob, one in mine.items() if joining.older(one) == one}
    return AdoptedTwice(joins, frozenset(outdated))


def _said(series: Sequence[Member]) -> Iterator[tuple[Group, Origin]]:
    for member in series:
        for group in member.message.groups:
            if (origin := Origin.parse(group.trailers.get(ADOPTED, ""))) is not None:
                yield group, origin


@dataclass(frozen=True)
class _Joining:
    """What both sides have made of the older one of two origins: the newer one has been merged with it, too.

    Args:
        repo: The repository.
        pin: The library.
        mine: This clone's origins, by the id of the text that came of each.
        theirs: The published one.
    """

    repo: Repo
    pin: Pin
    mine: Mapping[str, Origin]
    theirs: Origin

    def joined(self, _: str | None, ours: str, theirs: str) -> Joined | None:
        """The merged text; None where lines have to be merged as in any file; a `Join`."""
        origin = self.mine.get(id_of(self.repo, ours.encode()))
        older = self.older(origin) if origin is not None else None
        blob = base_of(self.repo, self.pin, older) if older is not None else None
        if blob is None or "\r" in ours + theirs:
            return None
        try:
            chunks = merge(self.repo, read(self.repo, blob, "it is no text"), ours, theirs)
        except Unmergeable:
            return None
        return None if clashes(chunks) else Joined(settled(chunks, lambda clash: clash.theirs))

    def older(self, mine: Origin) -> Origin | None:
        """The one of the two origins that the other one's history has."""
        commits = mine.commit, self.theirs.commit
        if any(self.repo.commit_of(one) is None for one in commits):
            return None
        if self.repo.contains(self.theirs.commit, mine.commit):
            return mine
        return self.theirs if self.repo.contains(mine.commit, self.theirs.commit) else None
