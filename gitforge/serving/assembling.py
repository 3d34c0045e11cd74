"""A goal's toolkit as texts: assembled and not written, its slots to be filled by whoever asked for it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gitforge.assemble import assemble
from gitforge.build import Forge
from gitforge.goals import Goal
from gitforge.inputs import component_of
from gitforge.plan import Planned, plan
from gitforge.serving import slots
from gitforge.serving.records import Argument
from gitforge.unreviewed import refuse_unreviewed


@dataclass(frozen=True)
class Form:
    """A toolkit's files.

    Attributes:
        files: Their texts by name.
        parts: The texts of the components that they were made from; empty where one is missing.
    """

    files: Mapping[str, str]
    parts: Sequence[str]

    def arguments(self) -> tuple[Argument, ...]:
        """What is to be filled in."""
        return slots.arguments(list(self.files.values()), self.parts)

    def filled(self, values: Mapping[str, str]) -> tuple[str, ...]:
        """The files' texts with values in their slots; raises UserError where there is no such argument."""
        return slots.filled(list(self.files.values()), values, self.parts)


def assembled(forge: Forge, goal: Goal, project: str | None = None) -> Form:
    """The files of a goal's toolkit, from the working tree; no edits by hand are looked for.

    Args:
        forge: Where.
        goal: What it is for.
        project: What the toolkit is called; None for the name that it has by its goal.

    Raises:
        UserError: A component or template cannot be used.
    """
    found = [(need, forge.workspace.library.text(need)) for need in goal.needs]
    components = [component_of(need, text) for need, text in found]
    files = assemble(project or project_of(goal), goal, components, forge.book, forge.templates)
    return Form(files, [text or "" for _, text in found])


def refuse_unusable(forge: Forge, goal: Goal) -> tuple[Planned, ...]:
    """How a goal's components stand, where they may be used.

    Raises:
        NotReviewed: goals.yaml wants components to be reviewed, and some are not.
        UserError: A library cannot be used, or git cannot tell.
    """
    planned = plan(forge.workspace.library, forge.repo, goal.needs, commits=False).components
    if forge.book.require_reviewed:
        refuse_unreviewed(forge.repo, planned)
    return planned


def project_of(goal: Goal) -> str:
    """What a toolkit is called that nobody has given a name: as its goal, in lower case."""
    return "_".join(re.findall(r"\w+", goal.name.casefold())) or "toolkit"
