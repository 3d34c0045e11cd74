"""Components, goals and toolkits' files as resources: listed, read, and their names completed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

from gitforge import catalog, documents, plain_data, toolkits
from gitforge.build import Forge
from gitforge.errors import UserError
from gitforge.foreign import LibraryNotFetched
from gitforge.goals import MANIFEST, Goal
from gitforge.serving import uris
from gitforge.serving.origin import origin_of, suspicious
from gitforge.serving.pages import Key, Page, page
from gitforge.serving.records import Content, Resource, ResourceTemplate
from gitforge.serving.uris import COMPONENT, GOAL, TOOLKIT, NoSuchResource, Uri
from gitforge.text import did_you_mean

_JSON = "application/json"
_TYPES = {".md": "text/markdown", ".json": _JSON}
_MAX_FILE = 4 * 1024 * 1024  # bytes of a toolkit's file, which holds several components

TEMPLATES = (
    ResourceTemplate(
        "gitforge://component/{+path}",
        "component",
        "A component's text, by its path below library/: personas/digital_detective.md",
    ),
    ResourceTemplate(
        "gitforge://goal/{name}", "goal", "A goal: what it is for, and how its components stand", _JSON
    ),
    ResourceTemplate(
        "gitforge://toolkit/{project}/{file}", "toolkit", "A file of a toolkit that was built, as it is now"
    ),
)


def listed(forge: Forge, cursor: str | None = None) -> Page[Resource]:
    """What can be read: goals, components, files of toolkits, each by name, and other libraries' behind our own.

    Args:
        forge: Where.
        cursor: The one of the page before; None for the first page.

    Raises:
        UserError: No page has such a cursor.
    """
    return page(_readable(forge), cursor, lambda resource: resource())


def _readable(forge: Forge) -> Iterator[tuple[Key, Callable[[], Resource]]]:
    for goal in _goals(forge):
        yield ("1", *_whose(goal.name)), partial(_of_goal, goal)
    for one in _components(forge):
        if not one.is_missing:
            yield ("2", *_whose(one.need.path)), partial(_of_component, forge, one)
    for name, path in _files(forge).items():
        yield ("3", name), partial(_of_file, name, path)


def _whose(name: str) -> tuple[str, str]:
    """The library of a name, which is empty for our own, and the name."""
    library, colon, rest = name.rpartition(":")
    return (library, rest) if colon else ("", name)


def _of_goal(goal: Goal) -> Resource:
    return Resource(str(Uri(GOAL, goal.name)), goal.name, goal.description, _JSON)


def _of_component(forge: Forge, one: catalog.Listed) -> Resource:
    size = None if one.need.pin else _size(forge.workspace.library.folder / one.need.path)
    uri = str(Uri(COMPONENT, one.need.path))
    return Resource(uri, one.need.path, one.description, _type_of(one.need.name), size)


def _of_file(name: str, path: Path) -> Resource:
    about = f"Of the toolkit {path.parent.name}"
    return Resource(str(Uri(TOOLKIT, name)), name, about, _type_of(name), _size(path))


def _goals(forge: Forge) -> Iterator[Goal]:
    yield from forge.book.goals.values()
    for pin in forge.book.libraries.values():
        with suppress(UserError):  # status names a library that is not fetched
            yield from forge.workspace.library.foreign.goals(pin, forge.book)


def _components(forge: Forge) -> Iterator[catalog.Listed]:
    book, library = forge.book, forge.workspace.library
    own = list(catalog.components(book, library))
    yield from own
    known = {one.need.path for one in own}
    for pin in book.libraries.values():
        with suppress(UserError):  # as above
            found = catalog.components(book, library, pin)
            yield from (one for one in found if one.need.path not in known)


def read(forge: Forge, uri: str) -> Content:
    """The text of a resource.

    Raises:
        NoSuchResource: There is none of that name.
        UserError: It cannot be read.
    """
    asked = uris.parse(uri)
    if asked.kind == GOAL:
        return _goal(forge, uri, asked.name)
    return (_component if asked.kind == COMPONENT else _toolkit_file)(forge, uri, asked.name)


def names(forge: Forge, uri_template: str, argument: str, begun: str, others: dict[str, str]) -> list[str]:
    """What can stand for a variable in the form of a resource's name.

    Args:
        forge: Where.
        uri_template: The form.
        argument: The variable.
        begun: What was typed of it.
        others: The variables that are known already.
    """
    known = {
        (TEMPLATES[0].uri_template, "path"): lambda: [one.need.path for one in _components(forge)],
        (TEMPLATES[1].uri_template, "name"): lambda: [goal.name for goal in _goals(forge)],
        (TEMPLATES[2].uri_template, "project"): lambda: [name.partition("/")[0] for name in _files(forge)],
        (TEMPLATES[2].uri_template, "file"): lambda: _files_of(forge, others.get("project")),
    }
    find = known.get((uri_template, argument))
    choices = find() if find is not None else []
    wanted = begun.casefold()
    starting = [one for one in choices if one.casefold().startswith(wanted)]
    within = [one for one in choices if wanted in one.casefold() and one not in starting]
    return list(dict.fromkeys([*starting, *within]))


def _goal(forge: Forge, uri: str, name: str) -> Content:
    try:
        goal = forge.goal(name)
    except LibraryNotFetched:
        raise
    except UserError as error:
        raise NoSuchResource(uri, error.hint) from None
    data = plain_data.goal_with_states(goal, forge.states(goal.needs))
    return Content(uri, _JSON, json.dumps(data, indent=2, ensure_ascii=False))


def _component(forge: Forge, uri: str, path: str) -> Content:
    library = forge.workspace.library
    try:
        needs = library.known(forge.book, path)
    except LibraryNotFetched:
        raise
    except UserError as error:
        raise NoSuchResource(uri, error.hint) from None
    known = {need.path: need for need in needs} | forge.book.needs()
    text = library.text(known[path]) if path in known else None
    if text is None:
        missing = (
            f"{known[path].shown} is missing: it is named, but there is no text." if path in known else None
        )
        raise NoSuchResource(uri, missing or did_you_mean(path, list(known)))
    need = known[path]
    (state,) = forge.states([need])
    origin = origin_of(forge, need)
    about = {
        **plain_data.planned(state),
        "goals": forge.book.users_of(need),
        "suspicious": suspicious(forge, [state]),
        "provenance": origin,
    }
    return Content(uri, _type_of(path), text, about)


def _toolkit_file(forge: Forge, uri: str, name: str) -> Content:
    files = _files(forge)
    if name not in files:
        raise NoSuchResource(uri, did_you_mean(name, list(files)))
    text = documents.read_text(files[name], f"output/{name}", _MAX_FILE)
    return Content(uri, _type_of(name), text)


def _files(forge: Forge) -> dict[str, Path]:
    """The files of all toolkits that their manifests know, by project and name; no links, nothing else in output/."""
    found = {}
    output = forge.workspace.output
    for folder in sorted(output.iterdir()) if output.is_dir() and not output.is_symlink() else ():
        if folder.name.startswith(".") or folder.is_symlink() or not folder.is_dir():
            continue
        known = toolkits.hashes(toolkits.read_manifest(folder))
        for name in (*known, *([MANIFEST] if known else [])):
            path = folder / name
            if path.is_file() and not path.is_symlink():
                found[f"{folder.name}/{name}"] = path
    return found


def _files_of(forge: Forge, project: str | None) -> list[str]:
    """The names of the files of one toolkit, or of all."""
    files = (name.partition("/") for name in _files(forge))
    return [file for one, _, file in files if project in {None, one}]


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _type_of(name: str) -> str:
    return _TYPES.get(Path(name).suffix, "text/plain")
