"""Exports toolkits and goals to the formats of other tools. Nothing is generated, recorded or asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gitforge import __version__, documents, hand_edits, manifest, toolkits
from gitforge.assemble import assemble
from gitforge.build import Forge
from gitforge.components import Component
from gitforge.errors import UserError
from gitforge.exporting import agents, placing
from gitforge.exporting.formats import Format
from gitforge.exporting.layouts import lay_out
from gitforge.exporting.placing import Folder, Placed
from gitforge.exporting.prompt import Origin, Prompt
from gitforge.goals import MANIFEST, Goal
from gitforge.inputs import component_of
from gitforge.manifest import Manifest
from gitforge.remake import OtherText, TextLost, read_component
from gitforge.text import printable

_ID = 12  # characters of a blob's id that are exported


@dataclass(frozen=True)
class Source:
    """A toolkit or goal to be exported.

    Attributes:
        name: The project's or goal's.
        project: As the files' layouts call it.
        goal: What it is for.
        files: File name to text.
        components: The texts that went into the files.
        origin: What it was made from.
    """

    name: str
    project: str
    goal: Goal
    files: Mapping[str, str]
    components: tuple[str, ...]
    origin: Origin


@dataclass(frozen=True)
class Exported:
    """What an export writes.

    Attributes:
        placed: Every file.
        names: The name in the format, by the source's name.
        missing: Paths of components for which a placeholder stands in.
        notes: What the user should know about the result.
    """

    placed: tuple[Placed, ...]
    names: Mapping[str, str]
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def from_toolkit(forge: Forge, project: str) -> Source:
    """A toolkit in `output/` as its files are now.

    Raises:
        UserError: There is none, it has no manifest, or one of its files is gone or is no text.
    """
    folder = toolkits.folder(forge.workspace, project)
    where = f"output/{project}"
    if not folder.exists():
        raise UserError(
            f"{where}: there is no such toolkit",
            hint=f"`gitforge build {project} --goal GOAL` makes it; --goal exports a goal without one.",
        )
    known = manifest.load(folder / MANIFEST, f"{where}/{MANIFEST}")
    found = hand_edits.look(folder)
    if found.deleted:
        raise UserError(
            f"{where}: files were deleted by hand: {', '.join(found.deleted)}",
            hint=f"`gitforge build {project}` brings them back.",
        )
    files = {}
    for name in known.outputs or known.hashes:
        forge.workspace.library.refuse_escape(folder / name, f"{where}/{name}")
        files[name] = documents.read_text(folder / name, f"{where}/{name}")
    components = [part for part in known.parts if part.text.blob is not None]
    origin = Origin(
        project, known.goal.name, __version__,
        tuple(_named(part.text.path, part.need.path, part.text.blob) for part in components),
        edited=found.edited,
        missing=tuple(part.text.path or part.need.path for part in known.parts if part.text.blob is None),
    )  # fmt: skip
    return _source(project, project, known.goal, files, _bodies(forge, known, where), origin)


def from_goal(forge: Forge, goal: Goal, project: str) -> Source:
    """What a build would make for a goal of the library as it is now; a missing component is a placeholder.

    Args:
        forge: Where.
        goal: The goal.
        project: As the files' layouts are to call the toolkit.

    Raises:
        UserError: A component or template cannot be used.
    """
    planned = forge.plan(goal)
    library = forge.workspace.library
    components = [component_of(need, library.text(need)) for need in goal.needs]
    files = assemble(project, goal, components, forge.book, forge.templates)
    origin = Origin(
        None, goal.name, __version__,
        tuple(_named(one.path, one.need.path, one.blob) for one in planned.components if one.blob),
        missing=tuple(one.path for one in planned.components if one.is_absent),
    )  # fmt: skip
    return _source(goal.name, project, goal, files, components, origin)


def export(
    forge: Forge, sources: Sequence[Source], format_: Format, out: Folder, *,
    name: str | None = None, force: bool = False,
) -> Exported:  # fmt: skip
    """Makes the files of an export, and looks at what is there; `placing.write` writes them.

    Args:
        forge: Where the layouts are.
        sources: What is exported.
        format_: To what.
        out: The folder that the files go to.
        name: The name of the only source in the format; its own by default.
        force: Whether other files, and blocks that were edited by hand, give way.

    Raises:
        Conflict: Other files are in the way, or a block was edited by hand.
        UserError: The format cannot have a text or name, or two sources would have the same name.
    """
    names = _names(format_, sources, name)
    prompts = {one.name: prompt_of(forge, one, format_) for one in sources}
    if format_.block_file is not None:
        blocks = {names[one]: _block(format_, prompt, names[one]) for one, prompt in prompts.items()}
        placed = [_with_blocks(format_.block_file, out, blocks, force=force)]
    else:
        placed = [
            placing.look(out, path, text.encode())
            for one in prompts.values()
            for path, text in files_of(format_, one, names[one.name]).items()
        ]
        if not force:
            placing.refuse_others(placed)
    notes = tuple(note for one in prompts.values() for note in format_.notes(one))
    missing = tuple(dict.fromkeys(path for one in sources for path in one.origin.missing))
    return Exported(tuple(placed), names, missing, notes)


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
    if names is None:
        found = {one: one for one in agents.names(placing.read(out, file) or b"", out.name(file))}
    else:
        found = {one: format_.name_of(one) for one in names}
    return Exported((_with_blocks(file, out, dict.fromkeys(found.values()), force=force),), found)


def _with_blocks(file: str, out: Folder, blocks: Mapping[str, str | None], *, force: bool) -> Placed:
    before = placing.read(out, file)
    content = agents.merged(before or b"", blocks, out.name(file), force=force)
    return placing.look(out, file, content or None)


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
    )


def _names(format_: Format, sources: Sequence[Source], name: str | None) -> dict[str, str]:
    found = {one.name: format_.name_of(name or one.name) for one in sources}
    for one, its in found.items():
        if same := [other for other in found if other != one and found[other] == its]:
            both = f"{printable(one)!r} and {printable(same[0])!r}"
            raise UserError(
                f"{both} would both be called {its!r}", hint="Export one of them alone, with --name."
            )
    return found


def _bodies(forge: Forge, known: Manifest, where: str) -> list[Component]:
    """The components of a toolkit as it used them; those that git has lost are left out."""
    found = []
    for part in known.parts:
        try:
            found.append(read_component(forge.repo, part, f"{where}/{MANIFEST}"))
        except (TextLost, OtherText):
            continue
    return found


def _source(
    name: str, project: str, goal: Goal, files: Mapping[str, str], components: Sequence[Component], origin: Origin
) -> Source:  # fmt: skip
    texts = {file: _lines(text) for file, text in files.items()}
    return Source(name, project, goal, texts, tuple(_lines(one.body or "") for one in components), origin)


def _lines(text: str) -> str:
    """With newlines as the only line ends, as every one of the tools reads it."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n")


def _named(path: str | None, need: str, blob: str | None) -> str:
    return f"{path or need}@{(blob or '')[:_ID]}"
