"""Which of the own components were adopted from another library, and at which of its commits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitforge.store.messages import ADOPTED
from gitforge.store.renames import heirs, moves

if TYPE_CHECKING:
    from gitforge.store.origins import Origins
    from gitforge.store.repo import Repo
    from gitforge.store.spoken import Statement

_ORIGIN = re.compile(r"([A-Za-z0-9][\w-]*):([^\s:][^:]*)@([0-9a-f]{40}|[0-9a-f]{64})", re.ASCII)


@dataclass(frozen=True)
class Origin:
    """A component of another library at one of its commits.

    Attributes:
        library: What the library is called here.
        path: The component, below `library/` there.
        commit: Id of the commit.
    """

    library: str
    path: str
    commit: str

    @classmethod
    def parse(cls, text: str) -> Origin | None:
        """Reads `acme:personas/auditor.md@<id>`, from a commit that anybody may have written; None for other text."""
        found = _ORIGIN.fullmatch(text)
        if found is None or {"", ".", ".."} & set(found[2].split("/")):
            return None
        return cls(found[1], found[2], found[3])

    def __str__(self) -> str:
        return f"{self.library}:{self.path}@{self.commit}"

    @property
    def shown(self) -> str:
        """`acme@1234567`."""
        return f"{self.library}@{self.commit[:7]}"


@dataclass(frozen=True)
class Adoption:
    """An own component that was adopted.

    Attributes:
        path: From the repository's root, as it is called today.
        origin: What it was made from, or was last merged with.
        said: The commit that says so.
    """

    path: str
    origin: Origin
    said: Statement


def adoptions(repo: Repo, known: Origins, pins: Mapping[str, str]) -> dict[str, Adoption]:
    """The adopted components that the last commit has, by path.

    What an update merged is taken back together with the pin: what a commit says of a later one than the pin does not
    hold.

    Args:
        repo: The repository.
        known: What its history says.
        pins: Ids of the commits that libraries are pinned to, by name.

    Raises:
        UserError: git cannot read its history.
    """
    said: dict[str, list[tuple[Origin, Statement]]] = {}
    for statement in known.saying(ADOPTED):
        if (origin := Origin.parse(statement.group.trailers[ADOPTED])) is not None:
            said.setdefault(statement.group.path, []).append((origin, statement))
    if not said:
        return {}
    there = repo.entries([*said])
    today = {path: path for path in said if path in there} | heirs(repo, [p for p in said if p not in there])
    found: dict[str, Adoption] = {}
    for path, name in today.items():
        origin, statement = _holding(repo, said[path], pins)
        entry = there.get(path)
        if entry is not None and entry.id != statement.group.blob and _is_another(repo, path, statement):
            continue
        other = found.get(name)
        if other is None or other.said.committed < statement.committed:
            found[name] = Adoption(name, origin, statement)
    return found


def _holding(
    repo: Repo, said: list[tuple[Origin, Statement]], pins: Mapping[str, str]
) -> tuple[Origin, Statement]:
    """The newest that the pin has; where it has none, the newest."""
    if len(said) > 1:
        for origin, statement in said:
            pin = pins.get(origin.library)
            if pin is None or pin == origin.commit or repo.contains(pin, origin.commit):
                return origin, statement
    return said[0]


def _is_another(repo: Repo, path: str, statement: Statement) -> bool:
    """Whether the file was taken away since, so that what is there now is another one of the same name."""
    gone = next((move for move in moves(repo, [path]) if move.path == path), None)
    return gone is not None and repo.contains(gone.commit, statement.commit)
