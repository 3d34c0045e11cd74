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

from gitforge import manifest, toolkits
from gitforge.errors import Conflict, UserError
from gitforge.goals import MANIFEST
from gitforge.remake import remake, sha256_of
from gitforge.store.merge import Chunk, Clash, Clean, clashes, merge, places, settled
from gitforge.text import printable
from gitforge.toolkits import Edited, EditedByHand

if TYPE_CHECKING:
    from gitforge.store.repo import Repo

Decide = Callable[[str, Sequence[Chunk]], str]
"""Gives the whole text of a file, named from the workspace, in which there are clashes."""


@dataclass(frozen=True)
class Kept:
    """Edits by hand that a build keeps.

    Attributes:
        files: File name to text, with the edits in it.
        seen: The SHA-256 that each of these files had when it was read.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    seen: Mapping[str, str] = field(default_factory=dict)


class Clashes(Conflict):
    """Lines that were edited by hand and have changed in the library too.

    Attributes:
        diff: Each of them, with its place and both versions.
    """

    def __init__(self, found: Mapping[str, Sequence[Chunk]]) -> None:
        shown = [
            _shown(file, line, clash)
            for file, chunks in found.items()
            for line, clash in zip(places(chunks), clashes(chunks), strict=True)
        ]
        count = "one place" if len(shown) == 1 else f"{len(shown)} places"
        super().__init__(
            f"edited by hand and changed in the library in {count}; nothing was written. "
            "Below, - is yours and + is what is assembled now.",
            hint="Decide each on a terminal, or all of them: --ours keeps yours, --theirs takes the new text.",
        )
        self.diff = "".join(shown)


def ours(_: str, chunks: Sequence[Chunk]) -> str:
    """Decides for what was edited by hand."""
    return settled(chunks, lambda clash: clash.ours)


def theirs(_: str, chunks: Sequence[Chunk]) -> str:
    """Decides for what is assembled now."""
    return settled(chunks, lambda clash: clash.theirs)


def keep_edits(repo: Repo, folder: Path, assembled: Mapping[str, str], decide: Decide | None) -> Kept:
    """Merges the files of a toolkit that were edited by hand with what is assembled now.

    Args:
        repo: The repository that has the texts of the manifest.
        folder: The toolkit's.
        assembled: File name to text, as it is assembled now.
        decide: What becomes of clashes; without it they are an error.

    Raises:
        EditedByHand: The text that was assembled cannot be made again.
        Clashes: Nobody decides what clashes.
    """
    edited = toolkits.edits(folder, assembled)
    merged = _merged(repo, folder, edited, assembled)
    clashing = {f"output/{folder.name}/{name}": chunks for name, chunks in merged.items() if clashes(chunks)}
    if clashing and decide is None:
        raise Clashes(clashing)
    choose = decide or ours
    files = {
        name: choose(f"output/{folder.name}/{name}", chunks) if clashes(chunks) else ours(name, chunks)
        for name, chunks in merged.items()
    }
    return Kept(files, {name: edited[name].sha256 for name in files})


def refuse_unmergeable(repo: Repo, folder: Path, files: Sequence[str]) -> None:
    """Raises EditedByHand where files were edited by hand and what they were cannot be made again."""
    edited = toolkits.edits(folder, files)
    for data in {id(one.manifest): one.manifest for one in edited.values()}.values():
        _bases(repo, folder, edited, [name for name, one in edited.items() if one.manifest is data])


def _merged(
    repo: Repo, folder: Path, edited: Mapping[str, Edited], assembled: Mapping[str, str]
) -> dict[str, tuple[Chunk, ...]]:
    """By file name what the edits and the news come to; without those that are as assembled now."""
    merged: dict[str, tuple[Chunk, ...]] = {}
    for name, one in edited.items():
        text = one.content.decode("utf-8", "surrogateescape")
        if text == assembled[name]:
            continue
        if one.assembled(name) == sha256_of(assembled[name]):  # nothing new: as it is
            merged[name] = (Clean(text),)
            continue
        base = _bases(repo, folder, edited, [name], assembled)[name]
        merged[name] = merge(repo, base, text, assembled[name])
    return merged


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


def _shown(file: str, line: int, clash: Clash) -> str:
    sides = (("-", clash.ours), ("+", clash.theirs))
    lines = (f"{sign}{one}\n" for sign, text in sides for one in text.removesuffix("\n").split("\n") if text)
    return f"@@ {printable(file)}:{line} @@\n{''.join(lines)}"
