"""What can be exported: a toolkit as its files are, or a goal as a build would assemble it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gitforge import __version__, documents, hand_edits, manifest, toolkits
from gitforge.assemble import assemble
from gitforge.build import Forge
from gitforge.components import Component
from gitforge.errors import UserError
from gitforge.exporting.prompt import Origin, Template
from gitforge.goals import MANIFEST, Goal
from gitforge.inputs import component_of
from gitforge.manifest import Manifest
from gitforge.payloads import Suspicion, suspicions
from gitforge.plan import Planned, plan
from gitforge.remake import OtherText, TextLost, read_component

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
        written: What people wrote of it, as it stands there, by the name of the file.
        templates: Those of the components that are templates of the llm tool.
    """

    name: str
    project: str
    goal: Goal
    files: Mapping[str, str]
    components: tuple[str, ...]
    origin: Origin
    written: Mapping[str, str]
    templates: tuple[Template, ...]


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
    written = {f"{where}/{name}": text for name, text in files.items()}
    return _source(project, project, known.goal, files, _bodies(forge, known, where), origin, written)


def from_goals(forge: Forge, goals: Sequence[tuple[Goal, str]]) -> list[Source]:
    """What builds would make for goals of the library as it is now; a missing component is a placeholder.

    Args:
        forge: Where.
        goals: Each with what the files' layouts are to call its toolkit.

    Raises:
        UserError: A component or template cannot be used.
    """
    needs = [need for goal, _ in goals for need in goal.needs]
    planned = plan(forge.workspace.library, forge.repo, needs, commits=False).components
    states = {one.need.path: one for one in planned}
    return [
        _from_goal(forge, goal, project, [states[need.path] for need in goal.needs])
        for goal, project in goals
    ]


def _from_goal(forge: Forge, goal: Goal, project: str, planned: Sequence[Planned]) -> Source:
    library = forge.workspace.library
    texts = {need: library.text(need) for need in goal.needs}
    components = [component_of(need, text) for need, text in texts.items()]
    files = assemble(project, goal, components, forge.book, forge.templates)
    origin = Origin(
        None, goal.name, __version__,
        tuple(_named(one.path, one.need.path, one.blob) for one in planned if one.blob),
        missing=tuple(one.path for one in planned if one.is_absent),
    )  # fmt: skip
    written = {need.shown: text for need, text in texts.items() if text is not None}
    return _source(goal.name, project, goal, files, components, origin, written)


def suspicious(sources: Sequence[Source]) -> list[tuple[str, tuple[Suspicion, ...]]]:
    """What in the exported texts may be meant for the model alone, by the file that it stands in."""
    texts = {name: text for one in sources for name, text in one.written.items()}
    found = ((name, tuple(suspicions(text))) for name, text in texts.items())
    return [(name, places) for name, places in found if places]


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
    name: str, project: str, goal: Goal, files: Mapping[str, str], components: Sequence[Component], origin: Origin,
    written: Mapping[str, str],
) -> Source:  # fmt: skip
    texts = {file: _lines(text) for file, text in files.items()}
    bodies = tuple(_lines(one.body or "") for one in components)
    templates = tuple(template for one in components if (template := _template(one)) is not None)
    return Source(name, project, goal, texts, bodies, origin, written, templates)


def _template(component: Component) -> Template | None:
    """A component that `gitforge import` took from a template of the llm tool, with what it keeps of that."""
    kept = component.meta.get("metadata")
    settings = kept.get("llm") if isinstance(kept, dict) else None
    if not isinstance(settings, dict):
        return None
    return Template(_lines(component.body or "").strip(), settings)


def _lines(text: str) -> str:
    """With newlines as the only line ends, as every one of the tools reads it."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n")


def _named(path: str | None, need: str, blob: str | None) -> str:
    return f"{path or need}@{(blob or '')[:_ID]}"
