"""Goals as prompts: a toolkit's files as messages, its slots as arguments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from gitforge import catalog
from gitforge.build import Forge
from gitforge.errors import UserError
from gitforge.plan import Planned
from gitforge.serving.assembling import assembled, refuse_unusable
from gitforge.serving.origin import not_reviewed, suspicious
from gitforge.serving.pages import Key, Page, page
from gitforge.serving.records import Argument, Prompt, Rendered
from gitforge.text import one_line


def offered(forge: Forge, cursor: str | None = None) -> Page[Prompt]:
    """The goals by name, other libraries' last; one whose components are missing or cannot be read says so.

    Args:
        forge: Where.
        cursor: The one of the page before; None for the first page.

    Raises:
        UserError: No page has such a cursor.
    """
    return page(_goals(forge), cursor, lambda one: _offered(forge, *one))


def _goals(forge: Forge) -> Iterator[tuple[Key, tuple[catalog.Readiness, str]]]:
    """All of them, each with the library that it is of."""
    book, library = forge.book, forge.workspace.library
    for one in catalog.readiness(book, library):
        yield ("", one.goal.name), (one, "")
    for pin in book.libraries.values():
        with suppress(UserError):  # status names a library that is not fetched
            for one in catalog.readiness(book, library, pin):
                yield (pin.name, one.goal.name), (one, pin.name)


def _offered(forge: Forge, one: catalog.Readiness, of: str) -> Prompt:
    goal, note = one.goal, f" (Of the library {of}.)" if of else ""
    if missing := [need.shown for need in one.missing]:
        note += f" (Not complete: {', '.join(missing)} is missing.)"
    slots: tuple[Argument, ...] = ()
    try:
        slots = assembled(forge, goal).arguments()
    except UserError as error:
        note += f" (It cannot be used: {one_line(error.message)})"
    return Prompt(goal.name, goal.title, goal.description + note, slots)


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
    goal = forge.goal(name)
    planned = refuse_unusable(forge, goal)
    texts = assembled(forge, goal).filled(values)
    return Rendered(" ".join([goal.description, *notes(forge, planned)]), texts)


def notes(forge: Forge, planned: Sequence[Planned]) -> Iterator[str]:
    """What to know of a toolkit's components before it is used, each in a sentence."""
    if missing := [one.path for one in planned if one.is_absent]:
        yield f"Not complete: a placeholder stands in for {', '.join(missing)}."
    if outlines := [one.path for one in planned if one.is_outline]:
        yield f"An outline with TODO points, to be filled in by a person: {', '.join(outlines)}."
    if unreviewed := not_reviewed(forge, planned):
        yield f"Generated, and nobody has reviewed it yet: {', '.join(unreviewed)}."
    if places := suspicious(forge, planned):
        yield f"Of another library, and perhaps meant to mislead: {'; '.join(places)}."
