"""Exports toolkits and goals to the formats of other tools. Nothing is generated, recorded or asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gitforge.build import Forge
from gitforge.errors import UserError
from gitforge.exportable import Source
from gitforge.exporting import agents, placing
from gitforge.exporting.formats import Format
from gitforge.exporting.layouts import lay_out
from gitforge.exporting.placing import Folder, Placed
from gitforge.exporting.prompt import Prompt, Refused
from gitforge.text import printable

_LARGE = 32 * 1024  # bytes of a file that agents read at every start


@dataclass(frozen=True)
class Exported:
    """What an export writes.

    Attributes:
        placed: Every file.
        names: The name in the format, by the source's name.
        missing: Paths of components for which a placeholder stands in.
        notes: What the user should know about the result.
        refused: What was left out, because the format has no way to say it.
    """

    placed: tuple[Placed, ...]
    names: Mapping[str, str]
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    refused: tuple[Left, ...] = ()


@dataclass(frozen=True)
class Left:
    """A source that was not exported.

    Attributes:
        name: The project's or goal's.
        why: What the format cannot have.
    """

    name: str
    why: Refused


class _Made(NamedTuple):
    prompt: Prompt
    name: str
    files: Mapping[str, str]  # of a format that shares its file, the block alone


def export(
    forge: Forge, sources: Sequence[Source], format_: Format, out: Folder, *,
    name: str | None = None, force: bool = False, skip_refused: bool = False,
) -> Exported:  # fmt: skip
    """Makes the files of an export, and looks at what is there; `placing.write` writes them.

    Args:
        forge: Where the layouts are.
        sources: What is exported.
        format_: To what.
        out: The folder that the files go to.
        name: The name of the only source in the format; its own by default.
        force: Whether other files, and blocks that were edited by hand, give way.
        skip_refused: Whether a source that the format cannot have is left out.

    Raises:
        Conflict: Other files are in the way, or a block was edited by hand.
        UserError: The format cannot have a text or name, or two sources would have the same name.
    """
    made, refused = _made(forge, sources, format_, name)
    if refused and (not skip_refused or not made):
        raise _all_refused(refused, len(sources), format_)
    names = _names(made)
    notes = [note for one in made for note in format_.notes(one.prompt)]
    if format_.block_file is not None:
        blocks = {one.name: one.files[format_.block_file].removesuffix("\n") for one in made}
        there = placing.read(out, format_.block_file)
        placed = [_with_blocks(format_.block_file, out, there, blocks, force=force)]
        notes += _of_size(placed[0])
    else:
        placed = [placing.look(out, path, text.encode()) for one in made for path, text in one.files.items()]
        if not force:
            placing.refuse_others(placed)
    exported = [one for one in sources if one.name in names]
    missing = tuple(dict.fromkeys(path for one in exported for path in one.origin.missing))
    return Exported(tuple(placed), names, missing, tuple(notes), tuple(refused))


def _made(
    forge: Forge, sources: Sequence[Source], format_: Format, name: str | None
) -> tuple[list[_Made], list[Left]]:
    """What each source becomes, and which ones the format cannot have."""
    made: list[_Made] = []
    refused: list[Left] = []
    for one in sources:
        try:
            called = format_.name_of(one.name if name is None else name)
            prompt = prompt_of(forge, one, format_)
            made.append(_Made(prompt, called, files_of(format_, prompt, called)))
        except Refused as why:
            refused.append(Left(one.name, why))
    return made, refused


def _all_refused(refused: Sequence[Left], count: int, format_: Format) -> UserError:
    """One error for all that the format cannot have."""
    if count == 1:
        return refused[0].why
    shown = "\n".join(f"  {one.why.message}" for one in refused)
    if len(refused) == count:
        return UserError(
            f"none of these can be exported to {format_.name}:\n{shown}", hint="Choose another format."
        )
    return UserError(
        f"{len(refused)} of {count} cannot be exported to {format_.name}, so nothing was written:\n{shown}",
        hint="Leave them out with --skip-refused, or choose another format.",
    )


def _of_size(placed: Placed) -> list[str]:
    """What is to be said of a file that agents read at every start."""
    size = len(placed.content or b"")
    if size <= _LARGE:
        return []
    return [f"{placed.name}: has {size / 1024:,.0f} KiB now, all of which agents read at every start"]


def remove(format_: Format, out: Folder, names: Sequence[str] | None, *, force: bool = False) -> Exported:
    """Takes blocks out of their file again, whether or not what they were made from is still there.

    Args:
        format_: One that shares its file.
        out: The folder of the file.
        names: Of projects or goals; None for every block.
        force: Whether blocks that were edited by hand go too.

    Raises:
        Conflict: A block lacks one of its marks, or was edited by hand.
        UserError: There is no such block.
    """
    file = format_.block_file or ""
    there = placing.read(out, file)
    if there is None:
        raise UserError(f"{out.name(file)}: there is no such file", hint="Name its folder with --out.")
    if names is None:
        found = {one: one for one in agents.names(there, out.name(file))}
    else:
        found = {one: format_.name_of(one) for one in names}
    last_first = dict.fromkeys(reversed(found.values()))  # as they came, so that what was there is as it was
    return Exported((_with_blocks(file, out, there, last_first, force=force),), found)


def _with_blocks(
    file: str, out: Folder, before: bytes | None, blocks: Mapping[str, str | None], *, force: bool
) -> Placed:
    content = agents.merged(before or b"", blocks, out.name(file), force=force)
    return Placed(out.path / file, out.name(file), content or None, before)


def files_of(format_: Format, prompt: Prompt, name: str) -> Mapping[str, str]:
    """The files of one prompt, by path; of a format that shares its file, the block alone."""
    if format_.files is not None:
        return format_.files(prompt, name)
    return {format_.block_file or name: _block(format_, prompt, name) + "\n"}


def _block(format_: Format, prompt: Prompt, name: str) -> str:
    format_.refuse(prompt)
    return agents.block(prompt, name)


def prompt_of(forge: Forge, source: Source, format_: Format) -> Prompt:
    """A source as the format's layout lays it out; UserError where that cannot be used."""
    return lay_out(
        forge.templates,
        format_.layout,
        source.name,
        source.project,
        source.goal,
        source.files,
        source.components,
        source.origin,
        source.templates,
    )


def _names(made: Sequence[_Made]) -> dict[str, str]:
    found = {one.prompt.name: one.name for one in made}
    for one, its in found.items():
        if same := [other for other in found if other != one and found[other] == its]:
            both = f"{printable(one)!r} and {printable(same[0])!r}"
            raise UserError(
                f"{both} would both be called {its!r}", hint="Export one of them alone, with --name."
            )
    return found
