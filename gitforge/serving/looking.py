"""What the tools find that only look: each takes its arguments as they were checked, and gives plain data."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from itertools import islice
from typing import Any

from gitforge import catalog, plain_data
from gitforge.build import assembled
from gitforge.check import check as find_problems
from gitforge.errors import InvalidFile, Problem, UserError
from gitforge.goals import FILE_NAME
from gitforge.names import file_name
from gitforge.plan import plan
from gitforge.provenance import provenance
from gitforge.serving.desk import Desk
from gitforge.serving.prompts import not_reviewed, project_of
from gitforge.serving.records import Data
from gitforge.serving.slots import arguments as slots_of
from gitforge.serving.slots import filled
from gitforge.status import status as look
from gitforge.unreviewed import problems as unreviewed_problems
from gitforge.unreviewed import refuse_unreviewed

Given = Mapping[str, Any]

MOST_FOUND = 200  # lines that a search gives: an agent reads all of them


def list_goals(desk: Desk, given: Given) -> Data:
    """The goals."""
    forge = desk.open()
    found = [
        one
        for one in catalog.readiness(forge.book, forge.workspace.library)
        if (one.missing or not given.get("missing"))
        and given.get("category", one.goal.category).casefold() == one.goal.category.casefold()
    ]
    return {"goals": [plain_data.goal(one) for one in found]}


def list_components(desk: Desk, given: Given) -> Data:
    """The components."""
    forge = desk.open()
    kind = given.get("kind")
    if kind is not None and kind not in forge.book.kinds:
        raise UserError(
            f"there is no kind of component {kind!r}", hint=f"There is {', '.join(forge.book.kinds)}."
        )
    found = [
        one
        for one in catalog.components(forge.book, forge.workspace.library)
        if (one.is_missing or not given.get("missing")) and kind in {None, one.need.kind.name}
    ]
    return {"components": [plain_data.component(one) for one in found]}


def search(desk: Desk, given: Given) -> Data:
    """The lines that have a text."""
    forge = desk.open()
    wanted = given["text"]
    if not wanted.strip():
        raise UserError("there is nothing to search for", hint="Name a text.")
    found = list(islice(catalog.search(forge.book, forge.workspace.library, wanted), MOST_FOUND + 1))
    return {
        "found": [plain_data.found(one) for one in found[:MOST_FOUND]],
        "truncated": len(found) > MOST_FOUND,
    }


def show_goal(desk: Desk, given: Given) -> Data:
    """A goal."""
    forge = desk.open()
    goal = forge.book.goal(given["name"])
    return {
        "name": goal.name,
        "category": goal.category,
        "description": goal.description,
        "components": [plain_data.planned(one) for one in forge.states(goal.needs)],
    }


def show_component(desk: Desk, given: Given) -> Data:
    """A component, and where its text comes from."""
    forge = desk.open()
    library = forge.workspace.library
    need = forge.book.find(given["name"], library.all(forge.book.kinds.values()))
    (planned,) = forge.states([need])
    known = plain_data.provenance(provenance(forge.repo, planned.path))
    with closing(forge.repo.log.follow([planned.path])) as changes:
        last = next(changes, None) if planned.commit else None
    return {
        **plain_data.planned(planned),
        "goals": [
            one.name for one in forge.book.goals.values() if need.path in {each.path for each in one.needs}
        ],
        "text": library.text(need),
        "origin": plain_data.origin(last),
        "provenance": {**known, "messages": known["messages"] if given.get("prompt") else None},
    }


def status(desk: Desk, _given: Given) -> Data:
    """What needs attention."""
    forge = desk.open()
    found = look(forge.workspace, forge.repo)
    return {"clean": found.is_clean, **plain_data.status(found)}


def check(desk: Desk, _given: Given) -> Data:
    """What is wrong."""
    workspace = desk.workspace()
    found = find_problems(workspace)
    try:
        forge = desk.open()
    except UserError as error:  # what is wrong in goals.yaml is told already
        found += (
            [] if isinstance(error, InvalidFile) else [Problem(FILE_NAME, error.message, hint=error.hint)]
        )
    else:
        found += unreviewed_problems(workspace, forge.repo, forge.book) if forge.book.require_reviewed else ()
    errors = sum(one.severity == "error" for one in found)
    return {
        "errors": errors,
        "warnings": len(found) - errors,
        "problems": [plain_data.problem(one) for one in found],
    }


def build(desk: Desk, given: Given) -> Data:
    """The toolkit of a goal, as texts."""
    forge = desk.open()
    goal = forge.book.goal(given["goal"])
    project = file_name(given.get("project") or project_of(goal), "project")
    planned = plan(forge.workspace.library, forge.repo, goal.needs, commits=False).components
    if forge.book.require_reviewed:
        refuse_unreviewed(forge.repo, planned)
    files = assembled(forge, project, goal)
    values = given.get("slots", {})
    contents = filled(list(files.values()), values)
    return {
        "project": project,
        "goal": goal.name,
        "files": [{"name": name, "text": content} for name, content in zip(files, contents, strict=True)],
        "degraded": any(one.is_absent for one in planned),
        "missing": [one.path for one in planned if one.is_absent],
        "outlines": [one.path for one in planned if one.is_outline],
        "unreviewed": not_reviewed(forge, planned),
        "open_slots": [
            {"name": one.name, "title": one.title, "description": one.description}
            for one in slots_of(list(files.values()))
            if not values.get(one.name, "").strip()
        ],
    }
