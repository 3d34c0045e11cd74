"""Histories of edits of goals.yaml, as people make them side by side."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from writing import CATEGORIES, COMMENTS, COMPONENTS, SAID, STYLES, books, goals, written

from gitforge import documents, goals_file
from gitforge.errors import UserError
from gitforge.goals_edit import edited

_ALWAYS: dict[str, Any] = {"persona": None, "protocol": None, "constraint": {"many": True}}
KINDS: list[Any] = [
    None,
    _ALWAYS | {"note": {"many": True}},
    _ALWAYS | {"note": {"key": "notes"}},
    _ALWAYS | {"note": {"many": True, "required": True}},
    _ALWAYS | {"memo": {"many": True, "folder": "notes"}},
    {"note": {"many": True}} | _ALWAYS,
]
NEW_GOALS = st.sampled_from(["G1", "G2", "N1", "N2", "N3", "A0"])


def data_of(text: str) -> Any:
    return documents.parse(text, "goals.yaml").data


def meaning(text: str) -> Any:
    """What a file says: goals in any order, kinds and outputs in theirs, nothing where nothing is said."""
    data = data_of(text)
    data = {"goals": data} if goals_file.is_flat(data) else data
    found = {key: one for key, one in data.items() if one and key != "goals"}
    found["categories"] = {name: inner or {} for name, inner in (data["goals"] or {}).items()}
    found["order"] = [list(data.get(key) or ()) for key in ("kinds", "outputs")]
    return json.loads(
        json.dumps(found), object_hook=lambda one: {key: inner for key, inner in one.items() if inner != []}
    )


def names_of(text: str) -> set[str]:
    return set(goals_file.parse(text).goals)


@st.composite
def an_edit(draw: Any, data: dict[str, Any]) -> Callable[[dict[str, Any]], None]:
    """One change that somebody may make of such data, in place."""
    places = [(category, name) for category, inner in data["goals"].items() for name in inner or ()]
    kind = draw(st.integers(0, 13))
    if kind <= 1 or not places:
        category, name, goal = draw(CATEGORIES), draw(NEW_GOALS), draw(goals())
        if name in {one for _, one in places}:
            return lambda found: None
        return lambda found: found["goals"].update(
            {category: {**(found["goals"].get(category) or {}), name: goal}}
        )
    category, name = draw(st.sampled_from(places))
    if kind == 2:
        return lambda found: found["goals"][category].pop(name) and None
    if kind == 3:
        new = draw(NEW_GOALS)
        if new in {one for _, one in places}:
            return lambda found: None
        return lambda found: found["goals"][category].update({new: found["goals"][category].pop(name)})
    if kind == 4:
        new = draw(CATEGORIES)

        def move(found: dict[str, Any]) -> None:
            goal = found["goals"][category].pop(name)
            found["goals"][new] = {**(found["goals"].get(new) or {}), name: goal}

        return move
    if kind == 5:
        new = draw(CATEGORIES)
        if new in data["goals"]:
            return lambda found: None
        renamed = {new if one == category else one: inner for one, inner in data["goals"].items()}
        return lambda found: found.update(goals=renamed)
    if kind == 6:
        key, said = draw(st.sampled_from(["persona", "protocol"])), draw(COMPONENTS)
        return lambda found: found["goals"][category][name].update({key: said})
    if kind == 7:
        said = draw(SAID)
        return lambda found: found["goals"][category][name].update(description=said)
    if kind == 8:
        chosen = draw(st.lists(COMPONENTS, unique=True, max_size=4))
        return lambda found: found["goals"][category][name].update(constraints=chosen)
    if kind == 9:
        key, said = draw(COMPONENTS), draw(SAID)
        return lambda found: found.update(descriptions={**(found.get("descriptions") or {}), key: said})
    if kind == 10:
        output = draw(st.sampled_from(["C.md", "c.md", "D.md"]))
        return lambda found: found.update(
            outputs={**(found.get("outputs") or {"A.md": "a.md"}), output: "c.md"}
        )
    if kind == 11:
        chosen = draw(st.lists(COMPONENTS, unique=True, max_size=2))
        return lambda found: found["goals"][category][name].update(notes=chosen)
    if kind == 12:
        kinds = draw(st.sampled_from(KINDS))
        return lambda found: found.pop("kinds", None) if kinds is None else found.update(kinds=kinds)
    said = draw(st.booleans())
    return lambda found: found.update(policy={"require_reviewed": said})


@st.composite
def versions(draw: Any, count: int = 2) -> tuple[str, ...]:
    """A goals.yaml and what so many people made of it, as texts, each valid."""
    style = draw(STYLES)
    base = written(draw(books()), style, draw)
    return (base, *(draw(later(base)) for _ in range(count)))


@st.composite
def later(draw: Any, base: str) -> str:
    """What became of a text in some edits."""
    text = base
    for _ in range(draw(st.integers(0, 4))):
        if draw(st.integers(0, 5)) == 0:
            text = draw(commented(text))
            continue
        change = draw(an_edit(data_of(text)))
        try:
            text = edited(text, change)
        except UserError:  # such an edit is no valid file: nobody commits it
            continue
    if draw(st.integers(0, 9)) == 0:
        text = written(data_of(text), draw(STYLES), draw)
    return text


@st.composite
def commented(draw: Any, text: str) -> str:
    """The text with another comment line, where that is a comment."""
    lines = text.splitlines(keepends=True)
    if text.startswith("{") or not text.endswith("\n"):
        return text
    at = draw(st.integers(0, len(lines)))
    end = "\r\n" if "\r\n" in text else "\n"
    new = "".join([*lines[:at], draw(st.sampled_from(COMMENTS)) + end, *lines[at:]])
    return new if repr(data_of(new)) == repr(data_of(text)) else text
