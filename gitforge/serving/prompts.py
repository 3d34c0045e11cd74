"""Goals as prompts: a toolkit's files as messages, its slots as arguments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from gitforge import catalog
from gitforge.build import Forge, assembled
from gitforge.errors import UserError
from gitforge.goals import Goal
from gitforge.plan import Planned, plan
from gitforge.serving.records import Prompt, Rendered
from gitforge.serving.slots import arguments, filled
from gitforge.store import origins
from gitforge.text import one_line
from gitforge.unreviewed import need_review, refuse_unreviewed


def offered(forge: Forge) -> Iterator[Prompt]:
    """Every goal; one whose components are missing or cannot be read says so."""
    for one in catalog.readiness(forge.book, forge.workspace.library):
        goal = one.goal
        missing = [f"library/{need.path}" for need in one.missing]
        note = f" (Not complete: {', '.join(missing)} is missing.)" if missing else ""
        try:
            slots = arguments(list(assembled(forge, project_of(goal), goal).values()))
        except UserError as error:
            slots, note = (), f" (It cannot be used: {one_line(error.message)})"
        yield Prompt(goal.name, goal.title, goal.description + note, slots)


def rendered(forge: Forge, name: str, values: Mapping[str, str]) -> Rendered:
    """A goal's toolkit as messages, one for each of its files.

    Args:
        forge: Where.
        name: The goal.
        values: What stands in its slots, by the names of the arguments.

    Raises:
        UserError: There is no such goal or argument, or a component or template cannot be used.
        NotReviewed: goals.yaml wants components to be reviewed, and some are not.
    """
    goal = forge.book.goal(name)
    planned = plan(forge.workspace.library, forge.repo, goal.needs, commits=False).components
    if forge.book.require_reviewed:
        refuse_unreviewed(forge.repo, planned)
    texts = filled(list(assembled(forge, project_of(goal), goal).values()), values)
    return Rendered(" ".join([goal.description, *notes(forge, planned)]), texts)


def notes(forge: Forge, planned: Sequence[Planned]) -> Iterator[str]:
    """What to know of a toolkit's components before it is used, each in a sentence."""
    if missing := [one.path for one in planned if one.is_absent]:
        yield f"Not complete: a placeholder stands in for {', '.join(missing)}."
    if outlines := [one.path for one in planned if one.is_outline]:
        yield f"An outline with TODO points, to be filled in by a person: {', '.join(outlines)}."
    if unreviewed := not_reviewed(forge, planned):
        yield f"Generated, and nobody has reviewed it yet: {', '.join(unreviewed)}."


def not_reviewed(forge: Forge, planned: Sequence[Planned]) -> list[str]:
    """The generated components whose text nobody has reviewed, by path; of a shallow clone none."""
    if forge.repo.is_shallow():
        return []
    texts = {one.path: one.blob for one in planned if one.blob is not None}
    return need_review(forge.repo, texts, origins.read(forge.repo))


def project_of(goal: Goal) -> str:
    """What a toolkit is called that nobody has given a name: as its goal, in lower case."""
    return "_".join(re.findall(r"\w+", goal.name.casefold())) or "toolkit"
