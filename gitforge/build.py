"""Builds a toolkit: reads the components of a goal, assembles them, writes the files.

Nothing here asks, prints or generates: what is missing becomes a placeholder. See `generate.py`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitforge import hand_edits, rebuild, toolkits
from gitforge.assemble import PLACEHOLDER, assemble
from gitforge.goals import MANIFEST, Goal, GoalBook, Need
from gitforge.inputs import Used, component_of, what_shows
from gitforge.manifest import Manifest, Part, Text, refuse_newer
from gitforge.plan import Plan, Planned, State, plan
from gitforge.rebuild import Decide
from gitforge.remake import sha256_of
from gitforge.store import texts
from gitforge.templates import Templates, compiled_folder
from gitforge.toolkits import Toolkit
from gitforge.workspace import Workspace

if TYPE_CHECKING:
    from gitforge.store.repo import Repo


@dataclass(frozen=True)
class Forge:
    """What every step works with: the workspace, its repository, its recipe book and templates."""

    workspace: Workspace
    repo: Repo
    book: GoalBook
    templates: Templates

    @classmethod
    def open(cls, workspace: Workspace, repo: Repo) -> Forge:
        """Reads what there is.

        Raises:
            UserError: goals.yaml cannot be used.
        """
        return cls(workspace, repo, workspace.book(), _templates_of(workspace, repo))

    def states(self, needs: Sequence[Need]) -> tuple[Planned, ...]:
        """How each of these components stands."""
        return plan(self.workspace.library, self.repo, needs).components

    def goal(self, name: str) -> Goal:
        """The goal of that name: the workspace's own, or `acme:GOAL` of another library.

        Raises:
            UserError: There is none, or the library cannot be read.
        """
        return self.workspace.library.goal(self.book, name)

    def plan(self, goal: Goal) -> Plan:
        """What a toolkit for the goal would be made from.

        Raises:
            LibraryNotFetched: It needs a library that is not here.
            UserError: A library cannot be used, a path leads out of the workspace, or git cannot tell.
        """
        for need in {need.library: need for need in goal.needs if need.pin is not None}.values():
            self.workspace.library.foreign.blob(need)
        templates = dict.fromkeys([*self.book.outputs.values(), PLACEHOLDER])
        return plan(self.workspace.library, self.repo, goal.needs, templates)


def _templates_of(workspace: Workspace, repo: Repo) -> Templates:
    """The templates, compiled once for all commands; of who only looks nothing is kept."""
    return Templates(workspace, compiled_folder(os.environ, repo.root) if repo.memory is None else None)


def make_toolkit(
    forge: Forge,
    project: str,
    goal: Goal,
    planned: Plan,
    *,
    force: bool = False,
    decide: Decide | None = None,
    dry_run: bool = False,
) -> Toolkit:
    """Assembles a goal's toolkit from the working tree and writes it, as a whole or not at all.

    What was edited by hand since it was assembled is merged with what has changed.

    Args:
        forge: Where.
        project: The toolkit's name, a folder below `output/`.
        goal: What it is for.
        planned: What it is made from.
        force: Whether files that were edited by hand are replaced.
        decide: What becomes of lines that were edited by hand and changed in the library too.
        dry_run: Whether nothing is written.

    Raises:
        Conflict: A file was edited by hand, and cannot be merged or has clashes that nobody decides.
        UserError: A component or template cannot be used, or the folder cannot be written.
    """
    folder = toolkits.folder(forge.workspace, project)
    if not force:
        refuse_newer(toolkits.read_manifest(folder), f"output/{project}/{MANIFEST}")
    library = forge.workspace.library
    found = {need: library.text(need) for need in goal.needs}
    components = [component_of(need, text) for need, text in found.items()]
    # Anew, so that it knows what this toolkit alone is laid out with.
    templates = _templates_of(forge.workspace, forge.repo)
    files = assemble(project, goal, components, forge.book, templates)
    goal, book = what_shows(project, goal, components, forge.book, templates, files)
    used = Used(forge.repo)
    manifest = Manifest(
        project=project,
        goal=goal,
        kinds=tuple(book.kinds.values()),
        parts=tuple(
            _part(used, one, need, text)
            for one, need, text in zip(planned.components, goal.needs, found.values(), strict=True)
        ),
        templates=_templates(forge, planned, templates, used),
        outputs=book.outputs,
        hashes={name: sha256_of(text) for name, text in files.items()},
    )
    if force:
        kept = rebuild.drop_edits(folder, files)
    else:
        kept = rebuild.keep_edits(forge.repo, folder, files, goal.name, decide)
    restored = hand_edits.deleted_files(folder, files)
    contents = {**files, **kept.files}
    if dry_run:
        changed = toolkits.would_change(folder, contents, manifest.as_json())
    else:
        texts.keep(forge.repo, used.in_no_commit)
        changed = toolkits.write(folder, contents, manifest.as_json(), force=force, merged=kept.seen)
    shown = "".join(files.values())
    pairs = zip(planned.components, components, strict=True)
    unused = [one for one, component in pairs if (component.body or "") not in shown]
    return Toolkit(
        project, goal.name, folder, tuple(files), changed, planned.components, tuple(unused),
        kept=kept.edited, replaced=kept.replaced, restored=restored,
    )  # fmt: skip


def _part(used: Used, planned: Planned, need: Need, text: str | None) -> Part:
    # What another library has is kept beside its ref, which moves with the pin and goes with the library.
    is_committed = planned.state is State.READY and need.pin is None
    noted = used.text(planned.path, planned.blob, text, is_committed=is_committed)
    return Part(need, noted, planned.commit, planned.is_uncommitted)


def _templates(forge: Forge, planned: Plan, templates: Templates, used: Used) -> dict[str, Text]:
    """Every template that was loaded; those that the workspace has not got are gitforge's own."""
    folder = forge.workspace.library.folder
    places = {name: folder / name for name in templates.loaded}
    paths = {name: forge.repo.relative(place) for name, place in places.items() if place.is_file()}
    others = [path for path in paths.values() if path not in planned.templates]
    states = {**planned.templates, **(forge.repo.states(others) if others else {})}
    found = {}
    for name, text in templates.loaded.items():
        path = paths.get(name)
        state = states.get(path or "")
        is_committed = state is not None and not state.edited
        found[name] = used.text(path, state.blob if state else None, text, is_committed=is_committed)
    return found
