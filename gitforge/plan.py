"""What a build would find: each component that a goal needs, and its state in git and in the working tree."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from gitforge.components import InvalidLibrary, Library, LibraryNotFetched
from gitforge.errors import UserError
from gitforge.goals import Need
from gitforge.store import origins

if TYPE_CHECKING:
    from gitforge.store.origins import Origins
    from gitforge.store.repo import PathState, Repo


class State(StrEnum):
    """How a component stands."""

    READY = "ready"
    EDITED = "edited, not committed"
    NEW = "new, not committed"
    DELETED = "deleted, not committed"
    MISSING = "missing"
    ABSENT = "absent at the pin"
    NOT_FETCHED = "library not fetched"
    UNUSABLE = "library cannot be used"


@dataclass(frozen=True)
class Planned:
    """One component of a plan.

    Attributes:
        need: Which component.
        path: Its path from the repository's root; of another library what it is called: `acme:personas/x.md`.
        state: How it stands.
        blob: The id of the text in the working tree, as git would record it; None where there is no file.
        commit: The last commit that changed it; None where it was never committed, or nobody asked for it. Of
            another library the commit at which that is pinned.
        is_outline: Whether the last commit has an offline outline there, which an engineer has yet to fill in.
        committed: The id of the text in the last commit; None where that lacks it.
    """

    need: Need
    path: str
    state: State
    blob: str | None
    commit: str | None
    is_outline: bool
    committed: str | None = None

    @property
    def is_uncommitted(self) -> bool:
        """Whether the text in the working tree is not that of the last commit."""
        return self.state in {State.EDITED, State.NEW}

    @property
    def is_only_staged(self) -> bool:
        """Whether the working tree has the text of the last commit, and the index another one or none."""
        return self.state is State.EDITED and self.blob == self.committed

    @property
    def is_absent(self) -> bool:
        """Whether there is no file to assemble."""
        return self.blob is None


@dataclass(frozen=True)
class Plan:
    """What a toolkit would be made from.

    Attributes:
        components: What the goal needs, in order.
        templates: How the workspace's own templates stand, by path from the repository's root.
    """

    components: tuple[Planned, ...]
    templates: Mapping[str, PathState]


def plan(
    library: Library, repo: Repo, needs: Iterable[Need], templates: Iterable[str] = (), *, known: Origins | None = None,
    commits: bool = True, states_of: Callable[[Sequence[str]], Mapping[str, PathState]] | None = None,
) -> Plan:  # fmt: skip
    """Looks at each component and template once.

    Args:
        library: Where they are.
        repo: The repository around it.
        needs: The components.
        templates: Names below `library/`; those that are not there are left out.
        known: What the history says, where it is read already.
        commits: Whether to look for the last commit of each, as far back as it takes.
        states_of: Says how files stand, where git was asked for it already.

    Raises:
        UserError: A path leads out of the workspace, or git cannot tell.
    """
    needs = list(needs)
    library.refuse_links(needs)
    top = repo.relative(library.folder)
    paths = {f"{top}/{need.path}": need for need in needs if need.pin is None}
    own = (library.folder / name for name in templates)
    laid_out = [repo.relative(path) for path in own if path.is_file()]
    try:
        states = (states_of or repo.states)([*paths, *laid_out])
    except UserError:
        repo.refuse_lost_head()
        raise
    committed = [path for path in paths if states[path].committed]
    last = repo.log.last_commits(committed) if commits else {}
    known = origins.read(repo) if known is None and committed else known
    planned = []
    for need in dict.fromkeys(needs):
        if need.pin is not None:
            planned.append(foreign(library, need))
            continue
        path = f"{top}/{need.path}"
        found = states[path]
        is_outline = known is not None and _is_outline(found.committed, known, library, need)
        planned.append(
            Planned(need, path, _state(found), found.blob, last.get(path), is_outline, found.committed)
        )
    return Plan(tuple(planned), {path: states[path] for path in laid_out})


def foreign(library: Library, need: Need) -> Planned:
    """How a component of another library stands: it is as it is at the pin, which goals.yaml says."""
    blob = None
    try:
        blob = library.foreign.blob(need)
        state = State.READY if blob is not None else State.ABSENT
    except LibraryNotFetched:
        state = State.NOT_FETCHED
    except InvalidLibrary:
        state = State.UNUSABLE
    commit = need.pin.commit if need.pin is not None else None
    return Planned(need, need.path, state, blob, commit, is_outline=False, committed=blob)


def _state(found: PathState) -> State:
    if found.blob is None:
        return State.DELETED if found.committed or found.staged else State.MISSING
    if found.committed is None:
        return State.NEW
    return State.EDITED if found.edited else State.READY


def _is_outline(blob: str | None, known: Origins, library: Library, need: Need) -> bool:
    """Whether an offline outline was recorded, and nobody has edited all its TODO points away."""
    if blob is None or not known.is_outline(blob):
        return False
    return not is_edited_outline(blob, known) or "TODO" in (library.read(need).body or "")


def is_edited_outline(blob: str, known: Origins) -> bool:
    """Whether a text was recorded as an offline outline with edits, so that only the text tells what it is."""
    generation = known.generation_of(blob) if known.is_outline(blob) else None
    return generation is not None and "Edited-by" in generation.group.trailers
