"""Components and templates in, the text of a toolkit's files out. Pure: nothing is written or asked."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from gitforge import names
from gitforge.components import Component
from gitforge.goals import Goal, GoalBook
from gitforge.templates import Renderer

PLACEHOLDER = "templates/missing.md"


def assemble(
    project: str, goal: Goal, components: Sequence[Component], book: GoalBook, templates: Renderer
) -> dict[str, str]:
    """Lays out every file of a toolkit.

    Args:
        project: The toolkit's name.
        goal: What it is for.
        components: What the goal needs, as read; a missing one becomes a visible placeholder.
        book: Says which kinds and which files there are.
        templates: Where the layouts are.

    Returns:
        File name to text.

    Raises:
        UserError: A template is missing, does not compile, or uses a name that is not given.
    """
    about = describe_goal(goal)
    parts = [_part(component, about, project, templates) for component in components]
    kinds: list[dict[str, Any]] = []
    for kind in book.kinds.values():
        mine = [part for part in parts if part["kind"] == kind.name]
        title = names.title(kind.key)
        kinds.append(
            {
                "name": kind.name,
                "title": title,
                "key": kind.key,
                "many": kind.many,
                "is_whole": kind.is_whole,
                "components": mine,
            }
        )
    values: dict[str, Any] = {"project": project, "goal": about, "kinds": kinds}
    for entry in kinds:
        mine = entry["components"]
        values[entry["key"]] = mine if entry["many"] else mine[0] if mine else None
    return {name: templates.render(template, values) for name, template in book.outputs.items()}


def describe_goal(goal: Goal) -> dict[str, str]:
    """What templates and generators see of a goal."""
    return {
        "name": goal.name,
        "title": goal.title,
        "description": goal.description,
        "category": goal.category,
    }


def _part(component: Component, goal: Mapping[str, str], project: str, templates: Renderer) -> dict[str, Any]:
    """What templates see of a component."""
    part: dict[str, Any] = {
        "kind": component.need.kind.name,
        "name": component.need.name,
        "path": component.need.shown,
        "title": component.title,
        "description": component.description,
        "missing": component.is_missing,
        "text": component.body,
    }
    if component.is_missing:
        command = shlex.join(["gitforge", "build", project, "--goal", goal["name"]])
        values = {"component": part, "goal": goal, "project": project, "command": command}
        part["text"] = templates.render(PLACEHOLDER, values)
    return part
