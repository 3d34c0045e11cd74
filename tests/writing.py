"""goals.yaml as different people write it: data, and texts that mean it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

COMPONENTS = st.sampled_from(["a.md", "b.md", "c.md", "d.md"])
CATEGORIES = st.sampled_from(["First", "R & D", "caf\u00e9", "NO", "x: y", "it's"])
SAID = st.sampled_from(
    ["To find it.", "a: b", "#1", "it's", '"q"', "- x", "yes", "3", "\U0001f600 \u00fc", "{a}", "a # b", "", "a, b",
     "x\ny", "1e3", "null", "| x", "a\\n"]
)  # fmt: skip
COMMENTS = ["# a comment", "#", "#no space", "#   - not: a [goal]", "# 'quoted\" \u00e9"]


@dataclass(frozen=True)
class Style:
    """How somebody writes their YAML."""

    indent: int = 2
    item: int = 2
    quote: str = ""
    newline: str = "\n"
    is_final: bool = True
    is_apart: bool = False
    has_comments: bool = False
    form: str = "block"

    @property
    def is_json(self) -> bool:
        return self.form.startswith("json")


STYLES = st.builds(
    Style,
    indent=st.sampled_from([1, 2, 3, 4]),
    item=st.sampled_from([0, 2, 4]),
    quote=st.sampled_from(["", "'", '"']),
    newline=st.sampled_from(["\n", "\r\n"]),
    is_final=st.booleans(),
    is_apart=st.booleans(),
    has_comments=st.booleans(),
    form=st.sampled_from(["block", "block", "block", "flow", "json", "json 2"]),
)


@st.composite
def goals(draw: Any) -> dict[str, Any]:
    """A goal's data."""
    goal: dict[str, Any] = {}
    if draw(st.booleans()):
        goal["description"] = draw(SAID)
    goal["persona"], goal["protocol"] = draw(COMPONENTS), draw(COMPONENTS)
    if draw(st.booleans()):
        names = draw(st.lists(COMPONENTS, unique=True, max_size=3))
        goal["constraints"] = [
            {"file": name, "description": draw(SAID)} if draw(st.integers(0, 7)) == 0 else name
            for name in names
        ]
    return goal


@st.composite
def books(draw: Any) -> dict[str, Any]:
    """The data of a valid goals.yaml in the layered layout."""
    book: dict[str, Any] = {}
    if draw(st.booleans()):
        book["version"] = 1
    if draw(st.integers(0, 2)) == 0:
        many = {
            "constraint": {"many": True},
            "note": {"many": True, "folder": draw(st.sampled_from(["notes", "n"]))},
        }
        book["kinds"] = {"persona": None, "protocol": None, **many}
    if draw(st.integers(0, 2)) == 0:
        book["outputs"] = {
            "A.md": "templates/a.md",
            "B.md": draw(st.sampled_from(["templates/b.md", "b.md"])),
        }
    names = draw(st.lists(CATEGORIES, unique=True, max_size=3))
    free = draw(st.permutations(["G1", "G2", "G3", "G4", "G5"]))
    book["goals"] = {name: {} for name in names}
    for goal in free[: draw(st.integers(0, 5)) if names else 0]:
        book["goals"][draw(st.sampled_from(names))][goal] = draw(goals())
    if draw(st.integers(0, 2)) == 0:
        book["descriptions"] = draw(st.dictionaries(COMPONENTS, SAID, max_size=2))
    if draw(st.integers(0, 3)) == 0:
        book["policy"] = {"require_reviewed": draw(st.booleans())}
    return book


def written(data: dict[str, Any], style: Style, draw: Callable[[Any], Any]) -> str:
    """A text that means the data."""
    if style.is_json:
        return json.dumps(data, indent=2 if style.form == "json 2" else None)
    lines: list[str] = []

    def comment(column: int) -> None:
        if style.has_comments and draw(st.integers(0, 5)) == 0:
            lines.append(" " * draw(st.sampled_from([0, column])) + draw(st.sampled_from(COMMENTS)))

    def write(inner: Any, column: int) -> None:
        for number, (name, value) in enumerate(inner.items()):
            if style.is_apart and number and isinstance(value, dict):
                lines.append("")
            comment(column)
            head = " " * column + scalar(name, style) + ":"
            tail = draw(st.sampled_from(["", "", "  # why", " #x"])) if style.has_comments else ""
            if (
                isinstance(value, dict)
                and value
                and not (style.form == "flow" and column >= 2 * style.indent)
            ):
                lines.append(head + tail)
                write(value, column + style.indent)
            elif isinstance(value, list) and value and draw(st.booleans()):
                lines.append(head + tail)
                for item in value:
                    comment(column + style.item)
                    lines.append(" " * (column + style.item) + f"- {flow(item, style)}")
            elif value is None:
                lines.append(head + tail)
            else:
                lines.append(f"{head} {flow(value, style)}{tail}")

    write(data, 0)
    if style.has_comments:
        lines.append(draw(st.sampled_from(COMMENTS)))
    return style.newline.join(lines) + style.newline * style.is_final


def flow(value: Any, style: Style) -> str:
    if isinstance(value, dict):
        return (
            "{" + ", ".join(f"{scalar(name, style)}: {flow(one, style)}" for name, one in value.items()) + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(flow(one, style) for one in value) + "]"
    return scalar(value, style) if isinstance(value, str) else json.dumps(value)


def scalar(text: str, style: Style) -> str:
    is_plain = text.replace("_", "").replace(" ", "").replace(".", "").isalpha() and text.isascii()
    if "\n" in text or style.quote == '"':
        return json.dumps(text, ensure_ascii=False)
    if style.quote == "'" or not is_plain or text in {"yes", "null"}:
        return "'" + text.replace("'", "''") + "'"
    return text
