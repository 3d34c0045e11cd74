"""Builds a toolkit: reads the components of a goal, assembles them, writes the files.

Nothing here asks, prints or generates: what is missing becomes a placeholder. See `generate.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitforge import toolkits
from gitforge.assemble import PLACEHOLDER, assemble
from gitforge.goals import Goal, GoalBook, Need
from gitforge.plan import Plan, Planned, plan
from gitforge.templates import Templates
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
        return cls(workspace, repo, workspace.book(), Templates(workspace))

    def states(self, needs: Sequence[Need]) -> tuple[Planned, ...]:
        """How each of these components stands."""
        return plan(self.workspace.library, self.repo, needs).components

    def plan(self, goal: Goal) -> Plan:
        """What a toolkit for the goal would be made from."""
        templates = dict.fromkeys([*self.book.outputs.values(), PLACEHOLDER])
        return plan(self.workspace.library, self.repo, goal.needs, templates)


def make_toolkit(forge: Forge, project: str, goal: Goal, planned: Plan, *, force: bool = False) -> Toolkit:
    """Assembles a goal's toolkit from the working tree and writes it, as a whole or not at all.

    Args:
        forge: Where.
        project: The toolkit's name, a folder below `output/`.
        goal: What it is for.
        planned: What it is made from.
        force: Whether files that were edited by hand are replaced.

    Raises:
        Conflict: A file was edited by hand since it was assembled.
        UserError: A component or template cannot be used, or the folder cannot be written.
    """
    components = [forge.workspace.library.read(need) for need in goal.needs]
    files = assemble(project, goal, components, forge.book, forge.templates)
    used = dict.fromkeys(forge.book.outputs.values())
    if any(component.is_missing for component in components):
        used[PLACEHOLDER] = None
    manifest = toolkits.manifest(project, goal.name, planned, list(used), files)
    folder = toolkits.folder(forge.workspace, project)
    changed = toolkits.write(folder, files, manifest, force=force)
    shown = "".join(files.values())
    pairs = zip(planned.components, components, strict=True)
    unused = [one for one, component in pairs if (component.body or "") not in shown]
    return Toolkit(project, goal.name, folder, tuple(files), changed, planned.components, tuple(unused))
