"""Edits of goals.yaml that keep its comments, order, quoting and spacing: only what is new is written anew.

An edit is a change of the data; `rewriting` finds the characters that have to change for it. A file written in
JSON stays JSON. What comes out is read again and compared with the data that was wanted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from gitforge import documents, goals_file, names
from gitforge.documents import Document
from gitforge.errors import Conflict, InvalidFile, UserError
from gitforge.goals import FILE_NAME, Goal
from gitforge.rewriting import patches
from gitforge.rewriting.layout import Layout
from gitforge.rewriting.nodes import NoPlace
from gitforge.text import printable

Change = Callable[[dict[str, Any]], None]
"""Changes the data of a goals.yaml in place; may raise Conflict."""

_BOM = "\ufeff"
_GOAL_DEPTH = 3  # goals, category, goal: where no smaller part can be changed, a goal is written anew


def edited(text: str, change: Change, *, sources: Sequence[str] = ()) -> str:
    """Changes the data of a goals.yaml, and keeps its text wherever the data stays as it was.

    Args:
        text: A goals.yaml; what is wrong in a valid form has to be right after the change.
        change: Changes the data that it is given, in place: plain dicts, lists and scalars. In the flat
            layout these are the categories; `categories` finds them in either, `layered` makes room for more.
        sources: Other versions of the file; an entry that is new takes its text with comments from the
            first in which it stands with the same data.

    Raises:
        InvalidFile: The text is not a valid goals.yaml, or would not be one any more.
        UserError: It is written in a way that gitforge cannot edit, or would be too large.
    """
    mark, plain = (_BOM, text[1:]) if text.startswith(_BOM) else ("", text)
    before = documents.parse(plain, FILE_NAME)
    goals_file.inspected(before)
    data = before.data
    wanted = unshared(data)
    change(wanted)
    if repr(data) == repr(wanted):
        return text
    if len(repr(wanted)) > 2 * documents.MAX_BYTES:  # nobody writes so much by hand
        raise _too_large()
    for candidate in _candidates(plain, data, wanted, sources):
        after = _meant(candidate, wanted)
        if after is None:
            continue
        if len(candidate.encode()) > documents.MAX_BYTES:
            raise _too_large()
        try:
            goals_file.validated(after)
        except InvalidFile:
            goals_file.validated(before)  # what was wrong before is told with the lines that the user sees
            raise
        return mark + candidate
    raise UserError(
        f"{FILE_NAME} is written in a way that gitforge cannot edit",
        hint="Edit it by hand; `gitforge check` tells whether it is right.",
    )


def _too_large() -> UserError:
    return UserError(f"{FILE_NAME} would be larger than {documents.MAX_BYTES // 1024} KiB")


def categories(data: dict[str, Any]) -> dict[str, Any]:
    """The categories in the data of a goals.yaml, in either layout, to be changed in place."""
    if goals_file.is_flat(data):
        return data
    if data.get("goals") is None:
        data["goals"] = {}
    found: dict[str, Any] = data["goals"]
    return found


def layered(data: dict[str, Any]) -> None:
    """Turns the flat layout, which has categories alone, into the one with room for other sections."""
    if goals_file.is_flat(data):
        inner = dict(data)
        data.clear()
        data.update(version=1, goals=inner)


def unshared(data: Any) -> Any:
    """A copy of plain data in which nothing stands in two places, as it does where YAML has an alias."""
    if isinstance(data, dict):
        return {key: unshared(value) for key, value in data.items()}
    if isinstance(data, list):
        return [unshared(value) for value in data]
    return data


def version_edited(old: bytes | None, edit: Callable[[str], str]) -> bytes:
    """One version of goals.yaml, edited: HEAD's, the index's or the working tree's.

    Args:
        old: What it holds; None where there is no such version.
        edit: Makes the new text of the old one.

    Raises:
        Conflict: The version is not there, or cannot be edited.
    """
    if old is None:
        raise Conflict(
            f"{FILE_NAME} is not committed yet, so nothing can be recorded in it",
            hint=f"Commit it first: `git add {FILE_NAME} && git commit`.",
        )
    try:
        return edit(old.decode()).encode()
    except Conflict:
        raise
    except (UserError, UnicodeDecodeError) as error:
        message = f"a version of {FILE_NAME} in git or in the working tree cannot be edited: {error}"
        raise Conflict(message, hint="Correct and commit it first.") from error


def adding(goal: Goal, hint: str = "Choose another name, or edit the goal there.") -> Change:
    """The change that adds a goal at the end of its category, which is made where there is none.

    Args:
        goal: The new goal; its kinds are declared.
        hint: What to do where there is one of that name already, which is a Conflict.
    """

    def change(data: dict[str, Any]) -> None:
        found = categories(data)
        if any(goal.name in (inner or {}) for inner in found.values()):
            raise Conflict(f"{FILE_NAME} already has a goal {printable(goal.name)!r}", hint=hint)
        found[goal.category] = {**(found.get(goal.category) or {}), goal.name: _entry(goal)}

    return change


def add_goal(text: str, goal: Goal) -> str:
    """Adds a goal at the end of its category, which is made where there is none.

    Args:
        text: A valid goals.yaml.
        goal: The new goal; its kinds are declared in the text.

    Raises:
        Conflict: The text has a goal of that name already.
        InvalidFile: The text is not a valid goals.yaml.
        UserError: A name is not possible.
    """
    names.label(goal.name, "goal")
    names.label(goal.category, "category")
    return edited(text, adding(goal))


def remove_goal(text: str, name: str) -> str:
    """Removes a goal, and its category where nothing else is in it; comments of others stay.

    Args:
        text: A valid goals.yaml.
        name: The goal.

    Raises:
        Conflict: The text has no goal of that name.
        InvalidFile: The text is not a valid goals.yaml.
        UserError: It is written in a way that gitforge cannot edit.
    """

    def remove(data: dict[str, Any]) -> None:
        found = categories(data)
        category = next((category for category, inner in found.items() if name in (inner or {})), None)
        if category is None:
            raise Conflict(f"{FILE_NAME} has no goal {printable(name)!r}")
        del found[category][name]
        if not found[category]:
            del found[category]

    return edited(text, remove)


def _entry(goal: Goal) -> dict[str, Any]:
    """A goal's data, as it stands in the file."""
    made: dict[str, Any] = {"description": goal.description} if goal.description else {}
    for need in goal.needs:
        if need.kind.many:
            made.setdefault(need.kind.key, []).append(need.called)
        else:
            made[need.kind.key] = need.called
    return made


def _candidates(text: str, data: Any, wanted: Any, sources: Sequence[str]) -> Iterator[str]:
    """Texts that may be right, the best first."""
    as_json = _json_form(text, data)
    if as_json is not None and as_json(data) == text:
        yield as_json(wanted)
        return
    try:
        others = [layout for source in sources if (layout := _layout(source)) is not None]
        layout = Layout(text, data)
        if layout.root.is_block and not text.endswith("\n"):
            layout = Layout(text + layout.newline, data)
        yield from _patched(layout, wanted, others)
        if "*" in text:
            yield from _patched(Layout(patches.without_aliases(layout), data), wanted, others)
    except NoPlace:
        pass
    if as_json is not None:
        yield as_json(wanted)


def _patched(layout: Layout, wanted: Any, sources: Sequence[Layout]) -> Iterator[str]:
    for finest in (documents.MAX_DEPTH, _GOAL_DEPTH - goals_file.is_flat(layout.data)):
        try:
            yield patches.rewritten(layout, wanted, sources, finest)
        except NoPlace:
            continue


def _layout(source: str) -> Layout | None:
    try:
        plain = source.removeprefix(_BOM)
        return Layout(plain, documents.parse(plain, FILE_NAME).data)
    except (InvalidFile, NoPlace):
        return None


def _meant(text: str, wanted: Any) -> Document | None:
    """A text, parsed, where it means the wanted data."""
    try:
        document = documents.parse(text, FILE_NAME)
    except InvalidFile:
        return None
    return document if not document.duplicates and repr(document.data) == repr(wanted) else None


def _json_form(text: str, data: Any) -> Callable[[Any], str] | None:
    """How data is written as JSON in the manner of a text; None where it is not JSON."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        if repr(json.loads(text)) != repr(data):
            return None
    except (ValueError, RecursionError):
        return None
    newline = "\r\n" if "\r\n" in text else "\n"
    indent = re.search(r"\n([ \t]+)", text)
    end = newline if text.endswith("\n") else ""

    def written(value: Any) -> str:
        made = json.dumps(value, indent=indent[1] if indent else None, ensure_ascii=text.isascii())
        return made.replace("\n", newline) + end

    return written
