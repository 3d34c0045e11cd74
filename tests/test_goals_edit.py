"""A goal is added to goals.yaml as a careful person adds it: what stood there is not lost or tidied up."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitforge import goals_file
from gitforge.errors import Conflict, InvalidFile, UserError
from gitforge.goals import DEFAULT_KINDS, Goal, GoalBook, Need
from gitforge.goals_edit import add_goal, remove_goal

PERSONA, PROTOCOL, CONSTRAINT = DEFAULT_KINDS


def goal_with(*needs: Need) -> Goal:
    return Goal("NEW_GOAL", "New", "To be new.", needs)


def new_goal(
    category: str = "New", name: str = "NEW_GOAL", description: str = "To be new.", many: int = 2
) -> Goal:
    needs = [Need(PERSONA, "p.md"), Need(PROTOCOL, "x.md")]
    return Goal(name, category, description, (*needs, *(Need(CONSTRAINT, f"c{n}.md") for n in range(many))))


def recipe(goal: Goal) -> tuple[object, ...]:
    """The goal without its lines."""
    return (
        goal.name,
        goal.category,
        goal.description,
        [(need.kind, need.name, need.purpose) for need in goal.needs],
    )


def recipes(book: GoalBook) -> dict[str, object]:
    return {name: recipe(goal) for name, goal in book.goals.items()}


def assert_added(text: str, edited: str, goal: Goal) -> None:
    before, after = goals_file.parse(text), goals_file.parse(edited)
    assert recipes(after) == {**recipes(before), goal.name: recipe(goal)}
    assert (after.kinds, after.outputs) == (before.kinds, before.outputs)
    assert [name for name in after.goals if name != goal.name] == list(before.goals)


def is_subsequence(old: Sequence[str], new: Sequence[str]) -> bool:
    rest = iter(new)
    return all(any(line == other for other in rest) for line in old)


def assert_lines_kept(text: str, edited: str) -> None:
    old = text.splitlines(keepends=True)
    if old and not old[-1].endswith("\n"):
        old[-1] += "\r\n" if "\r\n" in text else "\n"  # a last line needs an end before another can follow
    new = edited.splitlines(keepends=True)
    new[-1] += "" if new[-1].endswith("\n") else "\n"
    assert is_subsequence(old, new), edited


# --- generated files --------------------------------------------------------------------------------------

COMMENTS = st.sampled_from(["# a comment", "#", "#no space", "#   - not: a [goal]", "# 'quoted\" \u00e9"])
NAMES = st.sampled_from(
    ["A", "B_2", "Technical & Execution", "caf\u00e9", "NO", "1", "it's", "x: y", "- d", "#h", "\U0001f600"]
)
SAID = st.sampled_from(
    [
        "To find it.",
        "a: b",
        "#1",
        "it's",
        '"q"',
        "- x",
        "yes",
        "3",
        "\u00fcber \U0001f600",
        "{a}",
        "a # b",
        "%",
        "\\n",
        "|",
    ]
)


def quoted(text: str, style: str) -> str:
    if style == '"':
        return json.dumps(text, ensure_ascii=False)
    if style == "'" or style + text == "" or not plain(text):
        return "'" + text.replace("'", "''") + "'"
    return text


def plain(text: str) -> bool:
    return text.isascii() and text.replace("_", "").replace(" ", "").replace(".", "").isalpha()


@dataclass(frozen=True)
class Style:
    """How somebody writes their YAML."""

    indent: int
    item: int
    quote: str
    newline: str
    final: bool
    gap: bool


STYLES = st.builds(
    Style,
    indent=st.sampled_from([1, 2, 3, 4]),
    item=st.sampled_from([0, 2, 4]),
    quote=st.sampled_from(["", "'", '"']),
    newline=st.sampled_from(["\n", "\r\n"]),
    final=st.booleans(),
    gap=st.booleans(),
)


@st.composite
def goals_files(draw: Any) -> tuple[str, list[str]]:
    """The text of a valid goals.yaml with block style categories, and the names of these."""
    style: Style = draw(STYLES)
    step = " " * style.indent
    lines: list[str] = []

    def write(depth: int, text: str) -> None:
        if draw(st.integers(0, 7)) == 0:
            lines.append(" " * draw(st.sampled_from([0, depth * style.indent])) + draw(COMMENTS))
        if draw(st.integers(0, 11)) == 0:
            lines.append("")
        tail = draw(st.sampled_from(["", "", "", "", "  # why", " #x"])) if text.strip() else ""
        lines.append(step * depth + text + tail)

    if draw(st.booleans()):
        write(0, "version: 1")
    if draw(st.booleans()):
        write(0, "outputs: {A.md: templates/a.md}")
    write(0, "goals:")
    categories = draw(st.lists(NAMES, unique=True, min_size=1, max_size=3))
    count = 0
    for category in categories:
        if style.gap:
            lines.append("")
        write(1, quoted(category, style.quote) + ":")
        for _ in range(draw(st.integers(0, 2))):
            count += 1
            write(2, f"GOAL_{count}:")
            write(3, f"description: {quoted(draw(SAID), style.quote)}")
            write(3, f"persona: {quoted('p.md', style.quote)}")
            write(3, "protocol: x.md")
            items = draw(st.lists(st.sampled_from(["a.md", "b.md", "c.md"]), unique=True, max_size=3))
            if items and draw(st.booleans()):
                write(3, "constraints:")
                for item in items:
                    write(3, " " * style.item + f"- {item}")
            elif items:
                write(3, f"constraints: [{', '.join(items)}]")
    if draw(st.booleans()):
        write(0, "descriptions:")
        write(1, "a.md: what a is for")
    if draw(st.booleans()):
        lines.append(draw(COMMENTS))
    text = style.newline.join(lines) + (style.newline if style.final else "")
    return text, categories


@settings(max_examples=250, deadline=None)
@given(goals_files(), st.data())
def test_every_line_that_stood_there_stays_and_the_goal_is_added(
    made: tuple[str, list[str]], data: Any
) -> None:
    text, categories = made
    category = data.draw(st.sampled_from([*categories, "Brand new"]))
    goal = new_goal(category, description=data.draw(SAID), many=data.draw(st.integers(0, 2)))
    edited = add_goal(text, goal)
    assert_added(text, edited, goal)
    assert_lines_kept(text, edited)


@settings(max_examples=60, deadline=None)
@given(goals_files())
def test_goals_are_added_one_after_the_other(made: tuple[str, list[str]]) -> None:
    text, categories = made
    first, second = new_goal(categories[0], "FIRST"), new_goal(categories[0], "SECOND")
    once = add_goal(text, first)
    twice = add_goal(once, second)
    assert_added(once, twice, second)
    assert_lines_kept(once, twice)


@settings(max_examples=100, deadline=None)
@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
)
def test_whatever_people_type_is_added_exactly_or_refused(description: str, category: str) -> None:
    text = "goals:\n  C:\n    G: {description: d, persona: p.md, protocol: x.md}\n"
    goal = new_goal(category, description=" ".join(description.split()))
    try:
        edited = add_goal(text, goal)
    except UserError:
        return
    assert_added(text, edited, goal)
    assert_lines_kept(text, edited)


# --- by hand ----------------------------------------------------------------------------------------------

STARTER = """\
# The recipe book.

version: 1

goals:
  # Finding out
  Diagnosis:   # the first
    A:
      description: "To  find: it"
      persona:   p.md
      protocol: 'x.md'
      constraints: [ a.md,  b.md ]

  # Looking again
  Review:
    B: {description: d, persona: p.md, protocol: x.md}
# the end
"""


def test_the_goal_stands_at_the_end_of_its_category_and_before_the_next_heading() -> None:
    edited = add_goal(STARTER, new_goal("Diagnosis", many=1))
    added = (
        "    NEW_GOAL:\n      description: To be new.\n      persona: p.md\n      protocol: x.md\n"
        "      constraints: [c0.md]\n"
    )
    assert edited == STARTER.replace("b.md ]\n", f"b.md ]\n{added}")


def test_a_new_category_stands_at_the_end_of_the_goals() -> None:
    edited = add_goal(STARTER, new_goal())
    assert edited.index("  New:\n    NEW_GOAL:") > edited.index("    B: {")
    assert_lines_kept(STARTER, edited)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("final", [True, False])
def test_the_newlines_of_the_file_are_those_of_the_new_lines(newline: str, final: bool) -> None:
    text = STARTER.replace("\n", newline)
    text = text if final else text.removesuffix(newline)
    edited = add_goal(text, new_goal("Review"))
    assert_lines_kept(text, edited)
    assert edited.count("\n") == edited.count(newline)
    assert_added(text, edited, new_goal("Review"))


@pytest.mark.parametrize(
    "text",
    ["goals:\n", "goals: {}\n", "goals:\n  New:\n", "goals:\n  New: {}\n", "version: 1\ngoals:\n  Old: {}\n",
     "{}\n",
     "goals: {New: {A: {persona: p.md, protocol: x.md}}}\n", "{goals: {New: {}}}\n", "---\ngoals:\n...\n",
     "goals: &g\n  New: &n\n    A: &a {persona: p.md, protocol: x.md}\n    B: *a\n"],
)  # fmt: skip
def test_a_goal_can_be_the_first_one(text: str) -> None:
    assert_added(text, add_goal(text, new_goal()), new_goal())


def test_lists_are_written_as_the_file_writes_them() -> None:
    text = (
        "goals:\n  C:\n    G:\n      persona: p.md\n      protocol: x.md\n      constraints:\n      - a.md\n"
    )
    assert add_goal(text, new_goal("C")).endswith("      constraints:\n      - c0.md\n      - c1.md\n")


@pytest.mark.parametrize("indent", [None, 2, 4, "\t"])
@pytest.mark.parametrize("flat", [True, False])
def test_json_stays_json(indent: int | str | None, flat: bool) -> None:
    categories = {"C\u00e9": {"G": {"description": "\U0001f600", "persona": "p.md", "protocol": "x.md"}}}
    data: dict[str, Any] = categories if flat else {"version": 1, "goals": categories}
    for ascii_only in (True, False):
        text = json.dumps(data, indent=indent, ensure_ascii=ascii_only) + "\n" * ascii_only
        goal = new_goal("C\u00e9", description="\U0001f680 off")
        edited = add_goal(text, goal)
        entry = json.loads(edited)
        found = (entry if flat else entry["goals"])["C\u00e9"]["NEW_GOAL"]
        assert found["constraints"] == ["c0.md", "c1.md"]
        assert edited.isascii() == ascii_only
        assert edited.endswith("\n") == text.endswith("\n")
        assert_added(text, edited, goal)
        if indent is not None:
            assert f"\n{' ' * indent if isinstance(indent, int) else indent}" in edited
            assert is_subsequence([line.rstrip(",") for line in text.splitlines()],
                                  [line.rstrip(",") for line in edited.splitlines()])  # fmt: skip


def test_a_goal_that_is_there_already_is_a_conflict() -> None:
    with pytest.raises(Conflict, match=r"goals\.yaml already has a goal 'A'") as refused:
        add_goal(STARTER, new_goal("Review", "A"))
    assert refused.value.hint


@pytest.mark.parametrize(
    ("category", "name"),
    [("", "G"), ("C", ""), ("C", " G"), ("C\n", "G"), ("C", "G\u202e"), ("C", "x" * 200)],
)
def test_a_name_that_cannot_stand_on_a_line_is_refused(category: str, name: str) -> None:
    with pytest.raises(UserError):
        add_goal(STARTER, new_goal(category, name))


def test_a_file_that_is_not_valid_is_not_edited() -> None:
    with pytest.raises(InvalidFile, match=r"goals\.yaml:2"):
        add_goal("goals:\n  C: [x]\n", new_goal())


def test_a_goal_that_would_make_the_file_invalid_is_refused() -> None:
    with pytest.raises(UserError, match="has no persona"):
        add_goal(STARTER, goal_with(Need(PROTOCOL, "x.md")))
    with pytest.raises(UserError, match="component name"):
        add_goal(STARTER, goal_with(Need(PERSONA, "../p.md"), Need(PROTOCOL, "x.md")))


# Removing


REMOVABLE = """\
version: 1  # the form

# what we do
goals:
  First:  # a category
    A:
      description: To be a.   # said so
      persona: p.md
      protocol: x.md

    # about B
    B:
      description: >-
        To be
        b.
      persona: p.md
      protocol: x.md
      constraints:
        - c.md
        # and
        - d.md
  # about the second
  Second:
    C: {description: To be c., persona: p.md, protocol: x.md}
"""


@pytest.mark.parametrize("name", ["A", "B", "C"])
@pytest.mark.parametrize("is_crlf", [False, True])
def test_a_goal_is_removed_with_its_lines_alone(name: str, is_crlf: bool) -> None:
    text = REMOVABLE.replace("\n", "\r\n") if is_crlf else REMOVABLE
    edited = remove_goal(text, name)
    before, after = goals_file.parse(text), goals_file.parse(edited)
    assert recipes(after) == {other: one for other, one in recipes(before).items() if other != name}
    assert is_subsequence(edited.splitlines(keepends=True), text.splitlines(keepends=True))
    for comment in ("# the form", "# what we do", "# about B", "# about the second"):
        assert comment in edited
    assert ("Second:" in edited) == (name != "C")


@pytest.mark.parametrize("many", [0, 2])
@pytest.mark.parametrize("category", ["First", "Second", "New"])
@pytest.mark.parametrize("form", ["yaml", "crlf", "flow", "json", "flat json"])
def test_what_was_added_can_be_removed_and_the_text_is_as_before(form: str, category: str, many: int) -> None:
    data = {"First": {"A": {"description": "To be a.", "persona": "p.md", "protocol": "x.md"}},
            "Second": {"C": {"description": "To be c.", "persona": "p.md", "protocol": "x.md"}}}  # fmt: skip
    text = {
        "yaml": REMOVABLE, "crlf": REMOVABLE.replace("\n", "\r\n"),
        "flow": "goals: " + json.dumps(data)[:-1] + ",}\n",
        "json": json.dumps({"version": 1, "goals": data}, indent=2) + "\n", "flat json": json.dumps(data, indent=4),
    }[form]  # fmt: skip
    goal = new_goal(category, many=many)
    back = remove_goal(add_goal(text, goal), goal.name)
    assert recipes(goals_file.parse(back)) == recipes(goals_file.parse(text))
    if form != "flow":
        assert back == text


def test_the_only_goal_can_be_removed() -> None:
    text = "goals:\n  First:\n    A: {description: To be a., persona: p.md, protocol: x.md}\n"
    assert goals_file.parse(remove_goal(text, "A")).goals == {}


def test_a_goal_that_is_not_there_cannot_be_removed() -> None:
    with pytest.raises(Conflict, match="no goal 'NOPE'"):
        remove_goal(REMOVABLE, "NOPE")


def test_a_goal_whose_anchor_others_need_is_removed_and_they_are_written_out() -> None:
    text = (
        "goals:\n  First:\n    A: &a {description: To be a., persona: p.md, protocol: x.md}\n    B: *a # b\n"
    )
    edited = remove_goal(text, "A")
    assert recipes(goals_file.parse(edited)).keys() == {"B"}
    assert edited.endswith("    B: {description: To be a., persona: p.md, protocol: x.md} # b\n")
