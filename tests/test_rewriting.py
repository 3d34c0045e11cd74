"""Whatever data a goals.yaml shall have, its text is changed to it, and what stays as it was keeps its characters."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from writing import STYLES, Style, books, written

from gitforge import documents, goals_file
from gitforge.errors import InvalidFile, UserError
from gitforge.goals_edit import categories, edited, layered, unshared

BOOK = """\
# The recipe book.

version: 1

# what there is
kinds:
  persona: {folder: personas}   # who
  protocol:
  constraint: {many: true}

goals:
  # Finding out
  Diagnosis:   # the first
    # about a
    A:
      description: "To  find: it"  # said
      persona:   p.md
      protocol: 'x.md'
      constraints: [ a.md,  b.md ] # two

    # about b
    B:
      description: >-
        To be
        b.
      persona: p.md
      protocol: x.md

  # Looking again
  Review:
    C: {description: d, persona: p.md, protocol: x.md}
# the end
"""


def data_of(text: str) -> Any:
    return documents.parse(text, "goals.yaml").data


def becomes(wanted: Any) -> Any:
    def change(data: dict[str, Any]) -> None:
        data.clear()
        data.update(deepcopy(wanted))

    return change


@settings(max_examples=300, deadline=None)
@given(books(), books(), STYLES, st.data())
def test_any_data_becomes_any_other(old: Any, new: Any, style: Style, data: Any) -> None:
    text = written(old, style, data.draw)
    assert repr(data_of(text)) == repr(old)
    found = edited(text, becomes(new))
    assert repr(data_of(found)) == repr(new)
    assert repr(data_of(edited(found, becomes(old)))) == repr(old)


@settings(max_examples=150, deadline=None)
@given(books(), STYLES, st.data())
def test_a_changed_value_changes_its_own_line_alone(book: Any, style: Style, data: Any) -> None:
    text = written(book, style, data.draw)
    goals = [(category, name) for category, inner in book["goals"].items() for name in inner]
    if not goals or style.is_json:
        return
    category, name = data.draw(st.sampled_from(goals))
    new = edited(text, lambda found: found["goals"][category][name].update(persona="new.md"))
    old_lines, new_lines = text.splitlines(keepends=True), new.splitlines(keepends=True)
    assert len(old_lines) == len(new_lines)
    changed = [one for one, other in zip(old_lines, new_lines, strict=True) if one.rstrip() != other.rstrip()]
    assert len(changed) == 1


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_each_change_is_made_where_it_belongs(newline: str) -> None:
    def change(data: dict[str, Any]) -> None:
        found = data["goals"]
        found["Diagnosis"]["A"]["constraints"] = ["b.md", "c.md"]
        found["Diagnosis"]["A"]["description"] = "To 'prove' it"
        found["Review"]["C"]["persona"] = "q.md"
        data["policy"] = {"require_reviewed": True}

    expected = (
        BOOK.replace("[ a.md,  b.md ]", "[ b.md, c.md ]")
        .replace('"To  find: it"', '''"To 'prove' it"''')
        .replace("d, persona: p.md", "d, persona: q.md")
        .replace("# the end\n", "\npolicy:\n  require_reviewed: true\n# the end\n")
    )
    assert edited(BOOK.replace("\n", newline), change) == expected.replace("\n", newline)


def test_a_goal_that_moves_takes_its_comment_with_it() -> None:
    def move(data: dict[str, Any]) -> None:
        data["goals"]["Review"]["A"] = data["goals"]["Diagnosis"].pop("A")

    found = edited(BOOK, move)
    lines = BOOK[BOOK.index("    # about a") : BOOK.index("\n    # about b")]
    assert found == BOOK.replace(f"{lines}\n", "").replace("# the end\n", f"{lines}# the end\n")


def test_a_category_that_is_renamed_keeps_every_other_character() -> None:
    def rename(data: dict[str, Any]) -> None:
        data["goals"] = {
            "Look: again" if name == "Review" else name: one for name, one in data["goals"].items()
        }

    assert edited(BOOK, rename) == BOOK.replace("  Review:", "  'Look: again':")


def test_a_new_goal_is_taken_from_a_source_as_it_stands_there() -> None:
    lines = "    # about N\n    N:   # new\n      persona:  p.md\n      protocol: 'x.md'\n"
    source = f"goals:\n  Else:\n{lines}"
    new = data_of(source)["goals"]["Else"]["N"]
    found = edited(BOOK, lambda data: data["goals"]["Review"].update(N=new), sources=[source])
    assert found == BOOK.replace("# the end\n", f"{lines}# the end\n")


def test_data_that_stays_leaves_the_text_alone() -> None:
    odd = "\ufeff# x\r\ngoals:   \n  C :  {}\n"
    assert edited(odd, lambda data: None) == odd


def test_a_byte_order_mark_stays() -> None:
    found = edited("\ufeffgoals:\n  C:\n", lambda data: data.update(policy={"require_reviewed": True}))
    assert found.startswith("\ufeffgoals:")
    assert goals_file.parse(found).require_reviewed


def test_the_flat_layout_makes_room_for_other_sections() -> None:
    flat = "# all\nC:\n  # about G\n  G:\n    persona: p.md\n    protocol: x.md\n"

    def change(data: dict[str, Any]) -> None:
        layered(data)
        data["descriptions"] = {"p.md": "who"}

    found = edited(flat, change)
    assert data_of(found) == {"version": 1, "goals": data_of(flat), "descriptions": {"p.md": "who"}}
    assert "# about G" in found
    edited(flat, lambda data: categories(data).pop("C"))


def test_json_keeps_its_own_layout() -> None:
    text = '{"version": 1,\n "goals": {"C": {"G": {"persona": "p.md", "protocol": "x.md"}}}}'
    found = edited(text, lambda data: data["goals"]["C"]["G"].update(persona="\u00e9.md"))
    assert found == text.replace('"p.md"', json.dumps("\u00e9.md"))


@pytest.mark.parametrize(
    "text",
    ["goals:\n\tC:\n", "goals: [", "", "goals: {}\ngoals: {}\n", "version: 2\ngoals:\n", "\0", "[" * 100],
)
def test_a_text_that_is_not_valid_is_not_edited(text: str) -> None:
    with pytest.raises(InvalidFile):
        edited(text, lambda data: None)


def test_an_edit_that_would_make_the_file_invalid_says_what_is_wrong() -> None:
    with pytest.raises(InvalidFile, match="has no persona"):
        edited(BOOK, lambda data: data["goals"]["Review"]["C"].pop("persona"))


@pytest.mark.parametrize(
    ("before", "added"), [(0, 3 * documents.MAX_BYTES), (documents.MAX_BYTES - 1000, 999)]
)
def test_a_file_does_not_grow_beyond_the_limit(before: int, added: int) -> None:
    text = BOOK + f"# {'x' * before}\n"
    with pytest.raises(UserError, match="larger than"):
        edited(text, lambda data: data["goals"]["Review"]["C"].update(description="x" * added))


@pytest.mark.parametrize(
    "text",
    [
        "? goals\n: ? C\n  : G: {persona: p.md, protocol: x.md}\n",
        "--- {goals: {C: {G: {persona: p.md, protocol: x.md}}}}\n...\n",
        "goals: &g\n  C: &c\n    G: &a\n      persona: &p p.md\n      protocol: x.md\n    H: *a\n    I: {persona: *p, protocol: *p}\n",
        '"goals":\n    "C" :\n        G: {persona: p.md,\n            protocol: x.md # why\n            }\n',
        "goals:\n  C:\n    G:\n      persona:\n        file: p.md\n      protocol: x.md\n      constraints:\n      - file: a.md\n      -\n        file: b.md\n",
    ],
)
def test_unusual_forms_are_edited_too(text: str) -> None:
    def change(data: dict[str, Any]) -> None:
        data["goals"]["C"]["G"]["persona"] = "q.md"
        data["goals"]["C"]["N"] = {"persona": "p.md", "protocol": "x.md", "constraints": ["a.md"]}
        data["goals"].pop("D", None)

    wanted = unshared(data_of(text))
    change(wanted)
    assert data_of(edited(text, change)) == wanted


@pytest.mark.parametrize(
    "line", ["a: # " * 300_000, "# " + ": " * 700_000, "a:" + " " * 1_000_000 + "# x", "\n" * 1_000_000 + "#"]
)
def test_a_line_made_to_cost_time_costs_none(line: str) -> None:
    text = f"# {line}\n{BOOK}# {line}\n"
    assert edited(text, lambda data: data["goals"].pop("Review")).count(line) == 2
