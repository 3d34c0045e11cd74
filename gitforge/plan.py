"""What a build would find: each component that a goal needs, and its state in git and in the working tree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from gitforge.components import Library
from gitforge.errors import UserError
from gitforge.goals import Need

if TYPE_CHECKING:
    from gitforge.store.repo import Repo

OUTLINE_LABEL = "offline-outline"


class State(StrEnum):
    """How a component stands."""

    READY = "ready"
    EDITED = "edited, not committed"
    DELETED = "deleted, not committed"
    MISSING = "missing"


@dataclass(frozen=True)
class Planned:
    """One component of a plan.

    Attributes:
        need: Which component.
        path: Its path from the repository's root.
        state: How it stands.
        blob: The id of the text in the working tree, as git would record it; None where there is no file.
        commit: The last commit that changed it; None where it was never committed.
        is_outline: Whether that commit recorded an offline outline, which an engineer has yet to fill in.
    """

    need: Need
    path: str
    state: State
    blob: str | None
    commit: str | None
    is_outline: bool

    @property
    def is_absent(self) -> bool:
        """Whether there is no file to assemble."""
        return self.blob is None


@dataclass(frozen=True)
class Plan:
    """What a toolkit would be made from.

    Attributes:
        components: What the goal needs, in order.
        templates: The workspace's own templates: path from the repository's root, by name below `library/`.
        blobs: The id of each template's text in the working tree, by that path.
    """

    components: tuple[Planned, ...]
    templates: Mapping[str, str]
    blobs: Mapping[str, str | None]


def plan(library: Library, repo: Repo, needs: Iterable[Need], templates: Iterable[str] = ()) -> Plan:
    """Looks at each component and template once.

    Args:
        library: Where they are.
        repo: The repository around it.
        needs: The components.
        templates: Names below `library/`; those that are not there are left out.

    Raises:
        UserError: A path leads out of the workspace, or git cannot tell.
    """
    paths = {repo.relative(library.path(need)): need for need in needs}
    own = {name: library.folder / name for name in templates}
    laid_out = {name: repo.relative(path) for name, path in own.items() if path.is_file()}
    try:
        states = repo.states([*paths, *laid_out.values()])
    except UserError:
        repo.refuse_lost_head()
        raise
    generations = repo.generation_of([path for path in paths if states[path].committed])
    planned = []
    for path, need in paths.items():
        found = states[path]
        generation = generations.get(path)
        if found.blob is not None:
            state = State.EDITED if found.edited else State.READY
        else:
            state = State.DELETED if found.committed or found.staged else State.MISSING
        label = generation.trailers.get("Assisted-by", "") if generation else ""
        commit = generation.commit if generation else None
        planned.append(Planned(need, path, state, found.blob, commit, label == f"gitforge:{OUTLINE_LABEL}"))
    return Plan(tuple(planned), laid_out, {path: states[path].blob for path in laid_out.values()})
