"""Whether what is imported shows in toolkits, and whether the toolkits that there are stay as they are."""

from __future__ import annotations

from collections.abc import Iterator

from gitforge.assemble import assemble
from gitforge.components import Component
from gitforge.errors import UserError
from gitforge.goals import GoalBook
from gitforge.importing.placed import Placed
from gitforge.inputs import component_of
from gitforge.templates import Templates
from gitforge.workspace import Workspace

_PROJECT = "import"


def remarks(workspace: Workspace, placed: Placed, before: GoalBook, after: GoalBook) -> Iterator[str]:
    """What is to be known about toolkits, each as a sentence.

    Args:
        workspace: Whose templates lay the toolkits out.
        placed: What comes.
        before: The goals as they are.
        after: The goals as they will be.

    Raises:
        UserError: A template cannot lay out a goal any more that it lays out today.
    """
    templates = Templates(workspace)
    yield from _hidden(placed, after, templates)
    if placed.changed:
        yield from _moved(workspace, before, after, templates)


def _hidden(placed: Placed, after: GoalBook, templates: Templates) -> Iterator[str]:
    """The kinds of which a text does not reach its goal's toolkit."""
    texts = {one.need.path: one.piece.text for one in placed.components}
    hidden: dict[str, str] = {}
    for one in placed.new_goals:
        goal = after.goals[one.goal.name]
        components = [component_of(need, texts.get(need.path)) for need in goal.needs]
        try:
            files = assemble(_PROJECT, goal, components, after, templates)
        except UserError as error:
            yield f"No toolkit of {goal.name} can be made with your templates: {error.message}"
            return
        for part in components:
            if part.body is not None and not any(part.body.strip() in text for text in files.values()):
                hidden.setdefault(part.need.kind.name, part.need.path)
    for kind, path in hidden.items():
        yield f"No template of yours lays out the kind {kind}, so library/{path} would not show in a toolkit."


def _moved(workspace: Workspace, before: GoalBook, after: GoalBook, templates: Templates) -> Iterator[str]:
    """Says it where toolkits of goals that are there change with the kinds: one goal of each shape tells."""
    seen: set[frozenset[str]] = set()
    for goal in before.goals.values():
        shape = frozenset(need.kind.name for need in goal.needs)
        if shape in seen:
            continue
        seen.add(shape)
        try:
            components = [workspace.library.read(need) for need in goal.needs]
            old = assemble(_PROJECT, goal, components, before, templates)
        except UserError:
            continue  # it cannot be made today either
        now = after.goals[goal.name]
        moved = [Component(need, one.body, one.meta) for need, one in zip(now.needs, components, strict=True)]
        try:
            new = assemble(_PROJECT, now, moved, after, templates)
        except UserError as error:
            raise UserError(
                f"your templates could not lay out the goal {goal.name} any more: {error.message}",
                hint="Let them go through `kinds`, as gitforge's own do, instead of naming a kind.",
            ) from error
        if new != old:
            yield f"Toolkits of {goal.name} and goals like it change, because your templates lay out every kind."
