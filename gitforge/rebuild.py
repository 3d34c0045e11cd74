"""Keeps what people edited in a toolkit when it is built again: a three-way merge of each edited file.

The base is the text that was assembled, made again from the manifest and verified by its hash; ours is the file as
it is; theirs is the text that is assembled now. What both changed in the same lines is decided by a person, or by
an option, and never left as markers in a file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gitforge import hand_edits, manifest, toolkits
from gitforge.errors import Conflict, UserError
from gitforge.goals import MANIFEST
from gitforge.hand_edits import Edited
from gitforge.remake import remake, sha256_of
from gitforge.store.merge import Chunk, Clean, clashes, merge, places, settled
from gitforge.text import printable
from gitforge.toolkits import EditedByHand, Place, UnknownFiles

if TYPE_CHECKING:
    from gitforge.store.repo import Repo

Decide = Callable[[str, Sequence[Chunk]], Sequence[str]]
"""Gives the text for each clash in a file, which is named from the workspace."""


@dataclass(frozen=True)
class Kept:
    """What a build makes of edits by hand.

    Attributes:
        files: File name to text, with the edits in it.
        seen: The SHA-256 that each of these files had when it was read.
        edited: Those of them that are not as they are assembled now.
        replaced: The edits that gave way.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    seen: Mapping[str, str] = field(default_factory=dict)
    edited: tuple[str, ...] = ()
    replaced: tuple[Place, ...] = ()


class Clashes(Conflict):
    """Lines that were edited by hand and have changed in the library too.

    Args:
        places: Where, with both versions.
        goals: What the toolkit was for and is for now, where that is another goal.

    Attributes:
        places: As given.
        diff: Each of them, with its place and both versions.
    """

    def __init__(self, places: Sequence[Place], goals: tuple[str, str] | None) -> None:
        count = "one place" if len(places) == 1 else f"{len(places)} places"
        why = f" (the toolkit was for {goals[0]}, and this build is for {goals[1]})" if goals else ""
        super().__init__(
            f"edited by hand and changed in the library in {count}{why}; nothing was written. "
            "Below, - is yours and + is what is assembled now.",
            hint="Decide each on a terminal, or all of them: --ours keeps yours, --theirs takes the new text.",
        )
        self.places = tuple(places)
        self.diff = "".join(f"@@ {printable(one.file)}:{one.line} @@\n{one.diff}" for one in places)


@dataclass(frozen=True)
class _Merged:
    """A file's chunks, all with the line endings of what is assembled; and those that the file has."""

    chunks: tuple[Chunk, ...]
    line_ending: str = "\n"


def ours(_: str, chunks: Sequence[Chunk]) -> list[str]:
    """Decides for what was edited by hand."""
    return [clash.ours for clash in clashes(chunks)]


def theirs(_: str, chunks: Sequence[Chunk]) -> list[str]:
    """Decides for what is assembled now."""
    return [clash.theirs for clash in clashes(chunks)]


def keep_edits(
    repo: Repo, folder: Path, assembled: Mapping[str, str], goal: str, decide: Decide | None
) -> Kept:
    """Merges the files of a toolkit that were edited by hand with what is assembled now.

    Args:
        repo: The repository that has the texts of the manifest.
        folder: The toolkit's.
        assembled: File name to text, as it is assembled now.
        goal: What the toolkit is for now.
        decide: What becomes of clashes; without it they are an error.

    Raises:
        EditedByHand: The text that was assembled cannot be made again.
        Clashes: Nobody decides what clashes.
    """
    edited = hand_edits.edits(folder, assembled)
    merged = _merged(repo, folder, edited, assembled)
    found = {name: _places(f"output/{folder.name}/{name}", one.chunks) for name, one in merged.items()}
    if any(found.values()) and decide is None:
        before = toolkits.goal_of(folder)
        goals = (before, goal) if before is not None and before != goal else None
        raise Clashes([place for places_ in found.values() for place in places_], goals)
    files: dict[str, str] = {}
    replaced: list[Place] = []
    for name, one in merged.items():
        taken = (decide or ours)(f"output/{folder.name}/{name}", one.chunks) if found[name] else ()
        answers = iter(taken)
        text = settled(one.chunks, lambda _, answers=answers: next(answers))  # type: ignore[misc]
        files[name] = text.replace("\n", one.line_ending)
        pairs = zip(found[name], taken, strict=True)
        replaced += [place for place, text in pairs if text in {place.theirs, ""} - {place.ours}]
    changed = tuple(name for name, text in files.items() if text != assembled[name])
    return Kept(files, {name: edited[name].sha256 for name in files}, changed, tuple(replaced))


def drop_edits(folder: Path, assembled: Mapping[str, str]) -> Kept:
    """What becomes of edits by hand where all of them are replaced."""
    lost = [
        Place(f"output/{folder.name}/{name}", None, one.content.decode("utf-8", "replace"), assembled[name])
        for name, one in hand_edits.edits(folder, assembled).items()
    ]
    return Kept(replaced=tuple(place for place in lost if place.ours != place.theirs))


def refuse_unmergeable(repo: Repo, folder: Path, files: Sequence[str]) -> None:
    """Raises Conflict where files may have been edited by hand and what they were cannot be made again."""
    if unknown := hand_edits.unknown_files(folder, files):
        raise UnknownFiles(folder, unknown)
    edited = hand_edits.edits(folder, files)
    for data in {id(one.manifest): one.manifest for one in edited.values()}.values():
        _bases(repo, folder, edited, [name for name, one in edited.items() if one.manifest is data])


def _merged(
    repo: Repo, folder: Path, edited: Mapping[str, Edited], assembled: Mapping[str, str]
) -> dict[str, _Merged]:
    """By file name what the edits and the news come to; without those that are as assembled now."""
    merged: dict[str, _Merged] = {}
    for name, one in edited.items():
        text = one.content.decode("utf-8", "surrogateescape")
        if text == assembled[name]:
            continue
        if one.assembled(name) == sha256_of(assembled[name]):  # nothing new: as it is
            merged[name] = _Merged((Clean(text),))
            continue
        base = _bases(repo, folder, edited, [name], assembled)[name]
        is_other = _has_windows_lines(text) and not _has_windows_lines(base + assembled[name])
        if is_other:  # an editor's doing: else every line would have been edited
            text = text.replace("\r\n", "\n")
        merged[name] = _Merged(merge(repo, base, text, assembled[name]), "\r\n" if is_other else "\n")
    return merged


def _has_windows_lines(text: str) -> bool:
    """Whether most lines end as Windows ends them."""
    return 2 * text.count("\r\n") > text.count("\n")


def _bases(
    repo: Repo, folder: Path, edited: Mapping[str, Edited], names: Sequence[str],
    assembled: Mapping[str, str] | None = None,
) -> dict[str, str]:  # fmt: skip
    """The texts of some files as they were assembled, all of the same manifest."""
    on_disk = {name: one.content.decode("utf-8", "replace") for name, one in edited.items()}
    where = f"output/{folder.name}/{MANIFEST}"
    try:
        known = manifest.parse(edited[names[0]].manifest, where)
        return remake(repo, known, where, on_disk=on_disk, only=names)
    except UserError as error:
        reason = error.message + (f" ({error.hint})" if error.hint else "")
        diff = "".join(
            toolkits.difference(folder, name, assembled[name].encode()) for name in names if assembled
        )
        raise EditedByHand(folder, names, diff, reason) from error


def _places(file: str, chunks: Sequence[Chunk]) -> list[Place]:
    pairs = zip(places(chunks), clashes(chunks), strict=True)
    return [Place(file, line, clash.ours, clash.theirs) for line, clash in pairs]
