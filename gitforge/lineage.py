"""Which texts come from generated ones, although they are not as they were generated: edited, renamed, brought back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from gitforge.store.messages import parse
from gitforge.store.renames import Move, moves

if TYPE_CHECKING:
    from gitforge.store.origins import Origins
    from gitforge.store.repo import Repo


def edited(repo: Repo, texts: Mapping[str, str], known: Origins) -> list[str]:
    """Those of the components that were generated and changed since, and that nobody has reviewed.

    Args:
        repo: The repository.
        texts: The blob that the last commit has, by path.
        known: What the history says.

    Raises:
        UserError: git cannot read its history.
    """
    rest = {
        path: blob
        for path, blob in texts.items()
        if not known.is_generation(blob) and not known.is_reviewed(blob)
    }
    if not rest or not known.paths:
        return []
    moved = moves(repo, known.paths)
    names = _names(repo, known, moved, texts)
    came_back = {move.path for move in moved} & rest.keys() & names
    found = [path for path in rest if path in names and path not in came_back]
    found += [path for path in came_back if _descends(repo, known, path)]
    # Taken back to what people had written before the first generation, it is theirs.
    return [path for path in found if rest[path] != known.written_before(path)]


def _names(repo: Repo, known: Origins, moved: Sequence[Move], texts: Mapping[str, str]) -> set[str]:
    """All names that generated components had at some time."""
    names = set(known.paths)
    while more := {move.heir for move in moved if move.path in names and move.heir is not None} - names:
        names |= more
    # A rewritten history may have them elsewhere from the start: commit messages keep the old folder.
    unknown = names - texts.keys() - {move.path for move in moved}
    strays = unknown - repo.entries(sorted(unknown)).keys() if unknown else set()
    if strays:
        names |= {path for path in texts if not strays.isdisjoint(_without_folders(path))}
        names |= {path for stray in strays for path in _without_folders(stray) if path in texts}
    return names


def _without_folders(path: str) -> Iterator[str]:
    """The path without its first folder, without its first two, and so on."""
    while path:
        _, _, path = path.partition("/")
        if path:
            yield path


def _descends(repo: Repo, known: Origins, path: str) -> bool:
    """Whether a text comes from a generated one, where another file may have had its name before."""
    wanted: str | None = None  # the text with which the file came back
    with closing(repo.log.follow([path])) as changes:
        for change in changes:
            if wanted is not None and wanted not in {change.old_blob, change.new_blob}:
                continue
            wanted = None
            if change.new_blob is not None and known.is_generation(change.new_blob):
                return True
            group = parse(change.commit.message).about(change.path)
            if group is not None and group.is_generation:
                return True
            if change.status == "A":
                wanted = change.new_blob
    return False
