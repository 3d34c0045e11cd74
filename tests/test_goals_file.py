"""Every rule of goals.yaml: what breaks it is told with its line, and with what to do where that is known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gitforge import goals_file
from gitforge.errors import InvalidFile, Problem, UserError
from gitforge.goals import DEFAULT_OUTPUTS, GoalBook

GOOD = """\
version: 1
goals:
  Technical & Execution:
    DIAGNOSE_ROOT_CAUSE:
      description: To find the underlying cause of a problem.
      persona: digital_detective.md
      protocol: root_cause_analysis_drilldown.md
      constraints: [principle_of_completeness.md]
"""
GOAL_MAP = """\
{
  "Technical & Execution": {
    "DIAGNOSE_ROOT_CAUSE": {
      "description": "To find the underlying cause of a problem.",
      "persona": "digital_detective.txt",
      "protocol": "root_cause_analysis_drilldown.txt",
      "constraints": ["principle_of_completeness.txt"]
    }
  }
}
"""


def problems(text: str) -> tuple[Problem, ...]:
    try:
        return goals_file.inspect(text).problems
    except InvalidFile as error:
        return error.problems


def errors(text: str) -> list[Problem]:
    return [problem for problem in problems(text) if problem.severity == "error"]


def goal(body: str, head: str = "") -> str:
    """A file with one goal, whose body starts in line 4 plus the head's lines."""
    return f"{head}goals:\n  C:\n    G:\n      description: d\n" + body


def test_a_good_file_gives_its_goals_in_order_with_their_lines() -> None:
    book = goals_file.parse(GOOD)
    found = book.goals["DIAGNOSE_ROOT_CAUSE"]
    assert (found.category, found.line, found.title) == ("Technical & Execution", 4, "Diagnose root cause")
    assert [(need.path, need.line) for need in found.needs] == [
        ("personas/digital_detective.md", 6),
        ("protocols/root_cause_analysis_drilldown.md", 7),
        ("constraints/principle_of_completeness.md", 8),
    ]
    assert dict(book.outputs) == DEFAULT_OUTPUTS
    assert book.problems == ()


def test_the_original_goal_map_loads_as_it_is() -> None:
    book = goals_file.parse(GOAL_MAP, "goal_map.json")
    assert book.is_flat
    assert [need.path for need in book.goals["DIAGNOSE_ROOT_CAUSE"].needs] == [
        "personas/digital_detective.txt",
        "protocols/root_cause_analysis_drilldown.txt",
        "constraints/principle_of_completeness.txt",
    ]


@pytest.mark.parametrize("value", ["persona: p.md\n      protocol: x.md"])
def test_a_goal_named_no_stays_a_goal_named_no(value: str) -> None:
    book = goals_file.parse(f"goals:\n  on:\n    NO:\n      {value}\n    1.0:\n      {value}\n")
    assert list(book.goals) == ["NO", "1.0"]
    assert book.goals["NO"].category == "on"


RULES = [
    # text, line, words of the message, words of the hint
    ("", None, "is empty", "gitforge init"),
    ("# only a comment\n", None, "is empty", "gitforge init"),
    ("- a\n- b\n", None, "'the file' must be a mapping|the file must be a mapping, but is a list", None),
    ("just words\n", None, "must be a mapping, but is text", None),
    ("42\n", None, "must be a mapping, but is the number 42", None),
    ("goals: [\n", 2, "is not YAML", None),
    ("goals:\n\tC:\n", 2, "is not YAML", "tab"),
    ("version: 1\n", None, "lacks the key 'goals'", None),
    ("version: 2\ngoals: {}\n", 1, "is of version 2, and this gitforge knows version 1", "Update gitforge."),
    ("version: 1\ngaols: {}\ngoals: {}\n", 2, "unknown key 'gaols'", "Did you mean 'goals'?"),
    ("goals: []\n", 1, "'goals' must be a mapping, but is a list", None),
    ("goals:\n  C: [a]\n", 2, "'goals.C' must be a mapping, but is a list", None),
    ("goals:\n  '1': x\n  '01': y\n", 2, "'goals.1' must be a mapping, but is text", None),
    ("goals:\n  C:\n    '': x.md\n", 3, "an empty name", "Give it a name."),
    ("goals:\n  C:\n    G: x.md\n", 3, "'goals.C.G' must be a mapping, but is text", None),
    ("goals:\n  C:\n    G:\n", 3, "'goals.C.G' must be a mapping, but is empty", None),
    ("goals:\n  C: {}\n  C: {}\n", 3, "duplicate key 'C': it already stands in line 2", "Rename or remove"),
    (goal("      persona: 5\n"), 5, "must be text, but is the number 5", "quotes"),
    (goal("      persona: true\n"), 5, "must be text, but is true or false", "quotes"),
    (goal("      persona:\n        fiel: p.md\n"), 5, "lacks the key 'file'", None),
    (goal("      persona: {file: p.md, descripton: x}\n"), 5, "unknown key 'descripton'", "'description'"),
    (goal("      description: 5\n").replace("description: d\n      ", ""), 4, "must be text", "quotes"),
    (goal("      protocol: x.md\n"), 3, "the goal 'G' has no persona", "Add `persona: some_name.md`"),
    (goal("      persona: p.md\n"), 3, "the goal 'G' has no protocol", "Add `protocol: some_name.md`"),
    (goal("      persona: []\n      protocol: x.md\n"), 5, "takes one persona, but has 0", "many: true"),
    (goal("      persona: [a.md, b.md]\n      protocol: x.md\n"), 5,
     "takes one persona, but has 2", "many: true"),
    (goal("      persona: p.md\n      protocol: x.md\n      constraint: [c.md]\n"), 7,
     "unknown key 'constraint' in the goal 'G'", "Did you mean 'constraints'?"),
    (goal("      persona: p.md\n      protocol: x.md\n      zebra: c.md\n"), 7,
     "unknown key 'zebra' in the goal 'G'", "The kinds have the keys persona, protocol, constraints."),
    (goal("      persona: p.md\n      protocol: x.md\n      constraints:\n      - c.md\n      - c.md\n"), 9,
     "names 'c.md' twice", "Remove one"),
    ("goals:\n  A:\n    G: {persona: p.md, protocol: x.md}\n  B:\n    G: {persona: p.md, protocol: x.md}\n",
     5,
     "goal 'G' already stands in 'A', line 3", "another name"),
    ("goals:\n  ' C':\n    G: {persona: p.md, protocol: x.md}\n", 2, "white space at its ends", None),
    ("goals:\n  '  ':\n    G: {persona: p.md, protocol: x.md}\n", 2, "the category name is empty", None),
    ("goals:\n  C:\n    'G\u202e': {persona: p.md, protocol: x.md}\n", 3, "hidden characters", None),
    (f"goals:\n  C:\n    {'G' * 200}: {{persona: p.md, protocol: x.md}}\n", 3, "is longer than 150", None),
    ("kinds: {my kind: {}}\ngoals: {}\n", 1, "'my kind' is no word for templates", "letters, digits"),
    ("kinds:\n  a: {}\n  b: {key: a}\ngoals: {}\n", 3, "has the key 'a', which is taken", None),
    ("kinds:\n  a: {key: description}\ngoals: {}\n", 2, "has the key 'description', which is taken", None),
    ("kinds:\n  goal: {}\ngoals: {}\n", 2, "has the key 'goal', which is taken", None),
    ("kinds:\n  project: {}\ngoals: {}\n", 2, "has the key 'project', which is taken", None),
    ("kinds:\n  a: {key: kinds}\ngoals: {}\n", 2, "has the key 'kinds', which is taken", None),
    ("kinds:\n  a: {folder: templates}\ngoals: {}\n", 2, "the folder 'templates', which is reserved", None),
    ("kinds:\n  a: {folder: generators/x}\ngoals: {}\n", 2, "which is reserved", None),
    ("kinds:\n  a: {folder: x}\n  b: {folder: x}\ngoals: {}\n", 3, "shares the folder 'x' with", None),
    ("kinds:\n  a: {folder: ../x}\ngoals: {}\n", 2, "starts with '.'", "Use letters"),
    ("kinds:\n  a: {folder: /etc}\ngoals: {}\n", 2, "is an absolute path", "folder inside"),
    ("kinds:\n  self: {}\ngoals: {}\n", 2, "the key 'self', which is taken", None),
    ("kinds:\n  a: {key: for}\ngoals: {}\n", 2, "'for' is no word for templates", "letters, digits"),
    ("outputs:\n  A.md: a\n  a.md: b\ngoals: {}\n", 3, "upper and lower case only", "another name"),
    ("goals:\n  G: {persona: p.md}\n", 2, "'goals.G.persona' must be a mapping", "Is a category missing?"),
    ("goals:\n  C:\n    G:\n      <<: {persona: p.md}\n", 4, "merge keys (<<) are not supported", "Write the keys"),
    ("version: '1'\ngoals: {}\n", 1, "'version' must be 1, but is '1'", None),
    ("kinds:\n  a: {folder: .git}\ngoals: {}\n", 2, "starts with '.'", "Use letters"),
    ("kinds:\n  a: {foldr: x}\ngoals: {}\n", 2, "unknown key 'foldr'", "Did you mean 'folder'?"),
    ("kinds:\n  a: {many: 1}\ngoals: {}\n", 2, "must be true or false, but is the number 1", None),
    ("kinds:\n  a: {folder: ''}\ngoals: {}\n", 2, "'kinds.a.folder' is empty", None),
    ("kinds: [a]\ngoals: {}\n", 1, "'kinds' must be a mapping, but is a list", None),
    ("outputs:\n  ../a.md: templates/x.md\ngoals: {}\n", 2, "the output name '../a.md'", "Use letters"),
    ("outputs:\n  toolkit.json: templates/x.md\ngoals: {}\n", 2, "name of a toolkit's manifest", "another"),
    ("outputs:\n  a.md: ../../etc/passwd\ngoals: {}\n", 2, "starts with '.'", "Use letters"),
    ("outputs:\n  a.md: /etc/passwd\ngoals: {}\n", 2, "is an absolute path", "folder inside"),
    ("outputs:\n  a.md: 5\ngoals: {}\n", 2, "must be text, but is the number 5", "quotes"),
    ("descriptions: {a.md: 5}\ngoals: {}\n", 1, "must be text, but is the number 5", "quotes"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "words", "hint"), RULES)
def test_a_broken_rule_is_told_with_line_and_hint(
    text: str, line: int | None, words: str, hint: str | None
) -> None:
    found = errors(text)
    matching = [
        one for one in found if any(part in one.message for part in words.split("|")) and one.line == line
    ]
    assert matching, [str(one) for one in found]
    assert hint is None or any(one.hint and hint in one.hint for one in matching)
    with pytest.raises(InvalidFile):
        goals_file.parse(text)


NAMES = [
    "../../etc/passwd", "../../etc/passwd.md", "-rf", "-rf.md", "a/b.md", ".git/config", ".git/config.md",
    '"a\\nb.md"', f"{'x' * 300}.md", "a\\b.md", "NUL.md", '"\\e[31m.md"', '""', ".md", "x.exe",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", ["{}", "{{file: {}}}"])
def test_a_component_name_that_is_no_file_name_is_refused_with_its_line(name: str, shape: str) -> None:
    text = goal(f"      persona: {shape.format(name)}\n      protocol: x.md\n")
    (problem,) = errors(text)
    assert problem.line == 5
    assert "component name" in problem.message
    assert problem.hint
    assert str(problem).isprintable()


def test_every_problem_is_told_at_once_and_in_the_order_of_the_lines() -> None:
    text = "goals:\n  C:\n    A: {persona: a/b.md, protocol: x.md}\n    B: {zebra: x.md, protocol: -}\n"
    with pytest.raises(InvalidFile) as refused:
        goals_file.parse(text)
    lines = [problem.line for problem in refused.value.problems]
    assert lines == sorted(lines, key=lambda line: line or 0)
    assert {3, 4} <= set(lines)
    assert all(place in refused.value.message for place in ("goals.yaml:3: ", "goals.yaml:4: "))


def test_hundreds_of_problems_are_told_as_twenty_and_a_number() -> None:
    entries = "".join(f"    G{n}: {{persona: p.md}}\n" for n in range(300))
    with pytest.raises(InvalidFile) as refused:
        goals_file.parse(f"goals:\n  C:\n{entries}")
    assert len(refused.value.problems) == 300
    assert len(refused.value.message.splitlines()) == 21
    assert "280 more" in refused.value.message


def test_what_is_only_odd_is_a_warning_and_does_not_stop_a_build() -> None:
    text = "descriptions: {ghost.md: x}\ngoals:\n  C:\n    G: {persona: p.md, protocol: x.md}\n"
    found = goals_file.parse(text).problems
    assert [(one.severity, one.line) for one in found] == [("warning", 1), ("warning", 4)]


def test_a_fourth_kind_and_a_third_output_need_no_python() -> None:
    head = "kinds:\n  persona:\n  example: {many: true}\n  tone: {folder: voices}\n"
    head += "outputs: {A.md: templates/a.md}\n"
    text = goal("      persona: p.md\n      examples: [e.md]\n      tone: t.md\n", head)
    book = goals_file.parse(text)
    assert [need.path for need in book.goals["G"].needs] == ["personas/p.md", "examples/e.md", "voices/t.md"]
    assert dict(book.outputs) == {"A.md": "templates/a.md"}


def test_a_purpose_stands_with_the_component_or_among_the_descriptions() -> None:
    head = "descriptions:\n  protocols/x.md: by path\n  c.md: |\n    by\n    name\n"
    text = goal(
        "      persona: {file: p.md, description: its own}\n      protocol: x.md\n      constraints: c.md\n",
        head,
    )
    purposes = [need.purpose for need in goals_file.parse(text).goals["G"].needs]
    assert purposes == ["its own", "by path", "by name"]


WORDS = st.sampled_from(
    ["1", "01", "persona", "protocol", "constraints", "description", "file", "folder", "many", "key",
     "required", "goals", "kinds", "version", "outputs", "descriptions", "p.md", "a/b.md", "-rf",
     "", " ", "é", "\x1b", "x" * 200, "G"]
)  # fmt: skip
VALUES: st.SearchStrategy[Any] = st.recursive(
    WORDS | st.none() | st.booleans() | st.integers(-2, 10**20) | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
GOALS = st.fixed_dictionaries(
    {},
    optional={
        "description": st.just("d") | VALUES,
        "persona": st.just("p.md") | VALUES,
        "protocol": st.just("x.md") | VALUES,
        "constraints": st.lists(st.just("c.md") | VALUES, max_size=3) | VALUES,
        "zebra": VALUES,
    },
)
KINDS = st.dictionaries(
    WORDS,
    st.fixed_dictionaries(
        {},
        optional={
            "folder": WORDS | VALUES,
            "many": st.booleans() | VALUES,
            "key": WORDS | VALUES,
            "required": VALUES,
        },
    )
    | VALUES,
    max_size=3,
)
CATEGORIES = st.dictionaries(WORDS, st.dictionaries(WORDS, GOALS | VALUES, max_size=3) | VALUES, max_size=3)
FILES = st.fixed_dictionaries(
    {},
    optional={
        "version": st.just(1) | VALUES,
        "kinds": KINDS | VALUES,
        "outputs": st.dictionaries(WORDS, WORDS | VALUES, max_size=2) | VALUES,
        "descriptions": st.dictionaries(WORDS, WORDS | VALUES, max_size=2) | VALUES,
        "goals": CATEGORIES | VALUES,
    },
)


@settings(max_examples=400, deadline=None)
@given(FILES | CATEGORIES, st.booleans())
def test_any_nearly_valid_file_is_a_book_or_an_invalid_file(data: Any, in_json: bool) -> None:
    text = json.dumps(data) if in_json else yaml.safe_dump(data, allow_unicode=True, sort_keys=False)
    try:
        book = goals_file.parse(text)
    except InvalidFile:
        return
    assert isinstance(book, GoalBook)
    assert all(need.path.count("/") == need.kind.folder.count("/") + 1 for need in book.needs().values())


def test_a_file_that_is_not_there_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"goals\.yaml: cannot be read"):
        goals_file.load(tmp_path / "goals.yaml")
    (tmp_path / "goals.yaml").write_text(GOOD)
    assert list(goals_file.load(tmp_path / "goals.yaml").goals) == ["DIAGNOSE_ROOT_CAUSE"]


def test_a_goal_is_found_in_any_case_and_a_typing_error_has_a_hint() -> None:
    book = goals_file.parse(GOOD)
    assert book.goal("diagnose_root_cause").name == "DIAGNOSE_ROOT_CAUSE"
    with pytest.raises(UserError, match=r"goals\.yaml has no goal 'DIAGNOSE'") as refused:
        book.goal("DIAGNOSE_ROOT_CUASE"[:8])
    assert refused.value.hint


def test_a_component_is_found_by_name_path_or_stem_where_that_is_unique() -> None:
    body = "      persona: same.md\n      protocol: same.md\n      constraints: [other.txt]\n"
    book = goals_file.parse(goal(body))
    for name in ("other.txt", "other", "constraints/other.txt", "library/constraints/other"):
        assert book.find(name).path == "constraints/other.txt"
    assert book.find("protocols/same.md").kind.name == "protocol"
    with pytest.raises(UserError, match=r"is not unique: it is personas/same\.md or protocols/same\.md"):
        book.find("same.md")
    with pytest.raises(UserError, match="no component is called 'othr'") as refused:
        book.find("othr")
    assert refused.value.hint
