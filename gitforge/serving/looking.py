"""What the tools find that only look: each takes its arguments as they were checked, and gives plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from itertools import islice
from typing import Any

from gitforge import catalog, plain_data
from gitforge.build import Forge
from gitforge.check import check as find_problems
from gitforge.errors import Problem, UserError
from gitforge.goals import Pin
from gitforge.names import file_name
from gitforge.serving.assembling import assembled, project_of, refuse_unusable
from gitforge.serving.origin import adopted_from, not_reviewed, origin_of, suspicious
from gitforge.serving.records import Data
from gitforge.status import status as look
from gitforge.unreviewed import problems as unreviewed_problems
from gitforge.workspace import Workspace

Given = Mapping[str, Any]

MOST_LISTED = 500  # components
MOST_FOUND = 200  # lines that a search gives: an agent reads all of them


def list_goals(forge: Forge, given: Given) -> Data:
    """The goals: the workspace's own, or those of another library."""
    other = _other(forge, given)
    found = [
        one
        for one in catalog.readiness(forge.book, forge.workspace.library, other)
        if (one.missing or not given.get("missing"))
        and given.get("category", one.goal.category).casefold() == one.goal.category.casefold()
    ]
    name = other.name if other is not None else None
    return {"goals": [plain_data.goal(one, name) for one in found], "libraries": list(forge.book.libraries)}


def list_components(forge: Forge, given: Given) -> Data:
    """The components: the workspace's own and those that its goals use, or those of another library."""
    kind, library = given.get("kind"), forge.workspace.library
    if kind is not None and kind not in forge.book.kinds:
        hint = f"There is {', '.join(forge.book.kinds)}."
        raise UserError(f"there is no kind of component {kind!r}", hint=hint)
    other = _other(forge, given)
    found = [
        one
        for one in catalog.components(forge.book, library, other)
        if (one.is_missing or not given.get("missing")) and kind in {None, one.need.kind.name}
    ]
    adopted = adopted_from(forge) if other is None else {}
    top = forge.repo.relative(library.folder)
    return {
        "components": [
            plain_data.component(one, adopted.get(f"{top}/{one.need.path}")) for one in found[:MOST_LISTED]
        ],
        "truncated": len(found) > MOST_LISTED,
        "libraries": list(forge.book.libraries),
    }


def _other(forge: Forge, given: Given) -> Pin | None:
    """The other library that is asked about; None for the workspace's own."""
    return forge.book.library(given["library"]) if given.get("library") is not None else None


def search(forge: Forge, given: Given) -> Data:
    """The lines that have a text."""
    wanted = given["text"]
    if not wanted.strip():
        raise UserError("there is nothing to search for", hint="Name a text.")
    found = list(islice(catalog.search(forge.book, forge.workspace.library, wanted), MOST_FOUND + 1))
    return {
        "found": [plain_data.found(one) for one in found[:MOST_FOUND]],
        "truncated": len(found) > MOST_FOUND,
        "not_searched": [
            pin.name for pin in forge.book.libraries.values() if not forge.workspace.foreign.is_here(pin)
        ],
    }


def show_goal(forge: Forge, given: Given) -> Data:
    """A goal."""
    goal = forge.goal(given["name"])
    return plain_data.goal_with_states(goal, forge.states(goal.needs))


def show_component(forge: Forge, given: Given) -> Data:
    """A component, and where its text comes from."""
    library = forge.workspace.library
    need = forge.book.find(given["name"], library.known(forge.book, given["name"]))
    (planned,) = forge.states([need])
    last = None
    if planned.commit and need.pin is None:
        with closing(forge.repo.log.follow([planned.path])) as changes:
            last = next(changes, None)
    return {
        **plain_data.planned(planned),
        "goals": forge.book.users_of(need),
        "text": library.text(need) if planned.blob else None,
        "suspicious": suspicious(forge, [planned]),
        "adopted_from": adopted_from(forge).get(planned.path) if need.pin is None else None,
        "origin": plain_data.origin(last),
        "provenance": origin_of(forge, need, with_messages=given.get("prompt", False)),
    }


def status(forge: Forge, _given: Given) -> Data:
    """What needs attention."""
    found = look(forge.workspace, forge.repo)
    return {"clean": found.is_clean, **plain_data.status(found)}


def check(forge: Forge, _given: Given) -> Data:
    """What is wrong."""
    found = find_problems(forge.workspace)
    if forge.book.require_reviewed:
        found += unreviewed_problems(forge.workspace, forge.repo, forge.book)
    return _problems(found)


def check_alone(workspace: Workspace) -> Data:
    """What is wrong, where goals.yaml cannot be used."""
    return _problems(find_problems(workspace))


def _problems(found: Sequence[Problem]) -> Data:
    errors = sum(one.severity == "error" for one in found)
    return {
        "errors": errors,
        "warnings": len(found) - errors,
        "problems": [plain_data.problem(one) for one in found],
    }


def build(forge: Forge, given: Given) -> Data:
    """The toolkit of a goal, as texts."""
    goal = forge.goal(given["goal"])
    project = file_name(given.get("project") or project_of(goal), "project")
    planned = refuse_unusable(forge, goal)
    form = assembled(forge, goal, project)
    values = given.get("slots", {})
    contents = form.filled(values)
    return {
        "project": project,
        "goal": goal.name,
        "files": [
            {"name": name, "text": content} for name, content in zip(form.files, contents, strict=True)
        ],
        "degraded": any(one.is_absent for one in planned),
        "missing": [one.path for one in planned if one.is_absent],
        "outlines": [one.path for one in planned if one.is_outline],
        "unreviewed": not_reviewed(forge, planned),
        "suspicious": suspicious(forge, planned),
        "open_slots": [
            {"name": one.name, "title": one.title, "description": one.description}
            for one in form.arguments()
            if not values.get(one.name, "").strip()
        ],
    }
