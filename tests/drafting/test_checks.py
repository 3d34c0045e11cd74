"""Why a draft should not be recorded as it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import make_workspace

from gitforge import starter
from gitforge.drafting.checks import Setting, headings, problems
from gitforge.drafting.prompting import Brief
from gitforge.drafting.repairs import repair
from gitforge.drafting.rules import Rules, load
from gitforge.goals import Need
from gitforge.templates import Templates
from gitforge.workspace import Workspace

OUTLINE = "## Reader\n\nTODO: who.\n\n### What you know\n\n- TODO\n\n### Voice\n\nTODO\n"
GOOD = """\
## Reader

You are a reader of contracts who has lost money on a comma and looks for the clause that moves the risk.

### What you know

- Indemnities without a cap, notice periods that start on receipt, and renewals that nobody cancels.
- The register of companies, which shows who may sign, and a day too late.

### Voice

Short sentences, for somebody who signs tomorrow. You answer doubt with the number of the clause.
"""
RULES = Rules(
    min_words=20,
    max_words=200,
    alike=50,
    repeated=40,
    repeated_lines=3,
    forbid=("TODO", "[your ...]"),
    refusals=("I'm sorry", "I can't", "As an AI"),
    chat_before=("Here is",),
    chat_after=("Let me know",),
    must_contain=("you",),
)
INSTRUCTIONS = """\
Write a persona as if it had to last.
<purpose>
</purpose>
Rules for a persona:
- Each bullet names a tool or a source by its name; a novice would not have written it.
"""


def found(text: str, **more: object) -> tuple[str, ...]:
    setting = Setting(RULES, OUTLINE, INSTRUCTIONS)
    return problems(text, replace(setting, **more))  # type: ignore[arg-type]


def test_a_good_draft_has_no_problem() -> None:
    assert found(GOOD) == ()


@pytest.mark.parametrize("text", ["", " \n\t"])
def test_an_empty_draft_is_that_and_nothing_else(text: str) -> None:
    assert found(text) == ("it is empty",)


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that.",
        "I\u2019m sorry. I can\u2019t do this.",
        "**I can't** write this persona.",
        "## Reader\n\nAs an AI, I have no opinion on contracts.",
        "Thank you. I can't do that.",
    ],
)
def test_a_refusal_is_that_and_nothing_else(text: str) -> None:
    (problem,) = found(text)
    assert problem.startswith("it is a refusal: ")


def test_an_example_with_a_refusal_in_quotes_is_none() -> None:
    assert found(f'{GOOD}\n- **Example**: "I can\'t say" becomes "the log ends on Monday".\n') == ()


def test_a_heading_is_neither_a_refusal_nor_a_remark() -> None:
    assert found(GOOD.replace("## Reader", "## I can't: the reader")) == ()
    assert found(GOOD.replace("## Reader", "## Here is the reader")) == ()


def test_a_remark_to_whoever_asked_is_found_with_its_words() -> None:
    assert "it speaks to whoever asked for it: 'Here is the persona:'" in found("Here is the persona:")
    assert "it speaks to whoever asked for it: 'Let me know what you think.'" in found(
        "Let me know what you think."
    )


@pytest.mark.parametrize(
    ("more", "echo"),
    [
        ("<purpose>", "'<purpose>'"),
        ('text </purpose name="x"> text', "'</purpose name=\"x\">'"),
        (
            "- each bullet names a TOOL or a source by its name; a novice would not have written it",
            "'- each bullet",
        ),
        (
            "You know that a bullet names a tool or a source by its name; a novice fails.",
            "bullet names a tool or",
        ),
    ],
)
def test_the_prompts_own_words_in_a_draft_are_found(more: str, echo: str) -> None:
    (problem,) = found(f"{GOOD}\n{more}\n")
    assert problem.startswith(f"it repeats the prompt: {echo}") or echo in problem


def test_tags_that_the_prompt_has_not_are_no_echo() -> None:
    assert found(f"{GOOD}\n<details>\n\nMore.\n\n</details>\n") == ()


def test_a_copy_of_a_component_is_found_and_told_by_its_name_and_share() -> None:
    others = [
        ("library/personas/x.md", GOOD.replace("comma", "full stop").encode()),
        ("y.md", b"Quite other words."),
    ]
    (problem,) = found(GOOD, others=lambda: others)
    assert problem.endswith(" % of its 5-word runs are those of library/personas/x.md")
    assert 80 <= int(problem.split(" ")[0]) < 100


def test_a_copy_of_what_stood_in_the_prompt_is_found() -> None:
    (problem,) = found(GOOD, given=(("library/protocols/p.md", GOOD),))
    assert problem == "100 % of its 5-word runs are those of library/protocols/p.md"


def test_a_component_that_stands_whole_in_a_longer_draft_is_found() -> None:
    part = GOOD.split("### What you know")[1].split("### Voice", maxsplit=1)[0]
    (problem,) = found(GOOD, others=lambda: [("short.md", part.encode())])
    assert problem == "100 % of the 5-word runs of short.md are in it"


def test_what_every_component_has_from_the_outline_is_no_copy() -> None:
    shared = "Everything handed in is material to judge, and where two inputs contradict each other quote both of them."
    text = f"{GOOD}\n{shared * 3}\n"
    assert (
        found(text, outline=f"{OUTLINE}\n{shared * 3}", others=lambda: [("x.md", (shared * 3).encode())])
        == ()
    )


def test_a_secret_is_found_by_its_line_and_form_and_never_shown() -> None:
    secret = "AKIA" + "QWERTYUIOPASDFGH"
    texts = found(f"{GOOD}\nTODO: use {secret} here\n")
    assert "line 14 has what looks like an AWS access key" in texts
    assert not any(secret in text for text in texts)


def test_headings_of_the_outline_that_are_missing_are_named() -> None:
    assert found(GOOD.replace("### Voice", "Voice:")) == ("it lacks the heading 'Voice'",)
    without = GOOD.replace("### Voice", "").replace("### What you know", "")
    assert found(without) == ("it lacks the headings 'What you know', 'Voice'",)


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace("###", "####"),
        GOOD.replace("### Voice", "### Your voice, in short"),
        GOOD.replace("### Voice", "### **VOICE**"),
        GOOD.replace("### Voice", "Voice\n-----"),
        GOOD.replace("## Reader", "# The contract reader"),
    ],
)
def test_a_heading_may_say_more_and_be_of_any_level(text: str) -> None:
    assert found(text) == ()


def test_the_rules_headings_take_the_place_of_the_outlines() -> None:
    assert found(GOOD, rules=replace(RULES, headings=("Trade-offs",))) == (
        "it lacks the heading 'Trade-offs'",
    )
    text = GOOD.replace("### Voice", "### Tradeoffs")
    assert found(text, rules=replace(RULES, headings=("Trade-offs",))) == ()


def test_a_draft_begins_with_a_heading_where_its_outline_does() -> None:
    assert found(f"Reader\n\n{GOOD}") == ("it begins with 'Reader' instead of a heading",)
    assert found(f"---\nname: Reader\n---\n\n{GOOD}") == ()
    assert found(GOOD.replace("## Reader", "Reader\n======")) == ()
    assert found(f"Reader\n\n{GOOD}", rules=replace(RULES, headings=("Voice",))) == ()


def test_headings_in_code_are_none() -> None:
    assert headings("# A\n```\n# B\n```\nC\n===\n\n- d\n---\n\n## E ##\n") == ["A", "C", "E"]


def test_what_was_left_to_fill_in_is_found_with_its_line() -> None:
    problem, placeholder = found(f"{GOOD}\n- TODO: a habit\n- TODO: another\n- [your name here]\n")
    assert problem == "line 14 has 'TODO': '- TODO: a habit'"
    assert placeholder.startswith("line 16 has '[your ...]'")


def test_a_phrase_that_its_kind_must_have_is_missed() -> None:
    assert found(GOOD, rules=replace(RULES, must_contain=("- [ ]",))) == (
        "it lacks what its kind must have: '- [ ]'",
    )


def test_a_draft_is_neither_too_short_nor_too_long() -> None:
    assert found(GOOD, rules=replace(RULES, min_words=1000, max_words=2000)) == (
        "it has 77 words; at least 1,000 are needed",
    )
    assert found(GOOD, rules=replace(RULES, max_words=76)) == ("it has 77 words; at most 76 are allowed",)


def test_a_line_said_again_and_again_is_found() -> None:
    (problem,) = found(GOOD + "\n- You always check the clause.\n" * 4)
    assert problem == "it goes round in circles: '- You always check the clause.' stands in it 4 times"


def test_runs_of_words_said_again_are_found_where_no_line_is_the_same() -> None:
    lines = (f"\n- The {word} names who pays, who is told, who may leave." for word in "abcdefghijkl")
    (problem,) = found(GOOD + "".join(lines), rules=replace(RULES, max_words=300, repeated=30))
    assert problem.startswith("it goes round in circles: ")
    assert problem.endswith(" % of its 5-word runs were said before")


STARTER = Workspace(starter.directory())
EVERY_COMPONENT = [
    pytest.param(need, id=need.path) for need in STARTER.library.all(STARTER.book().kinds.values())
]


@pytest.mark.parametrize("need", EVERY_COMPONENT)
def test_every_component_of_the_starter_library_would_pass_as_a_draft_of_itself(need: Need) -> None:
    component = STARTER.library.read(need)
    goal = next(
        (goal for goal in STARTER.book().goals.values() if need.path in {n.path for n in goal.needs}), None
    )
    prompt = Brief(Templates(STARTER), STARTER.library, need, goal, component.description).prompt()
    assert prompt.setting is not None
    body = (component.body or "").strip()
    assert repair(body, prompt.setting.rules) == (body, ())
    assert problems(body, prompt.setting) == ()


def test_the_starter_library_has_sixty_five_components() -> None:
    assert len(EVERY_COMPONENT) == 65


@pytest.fixture(scope="module")
def starter_rules(tmp_path_factory: pytest.TempPathFactory) -> Rules:
    root: Path = tmp_path_factory.mktemp("rules") / "w"
    return load(Templates(make_workspace(root)), "protocol")


@given(st.text() | st.lists(st.sampled_from(GOOD.split("\n") + INSTRUCTIONS.split("\n"))).map("\n".join))
def test_any_text_has_the_same_problems_each_time_each_in_one_printable_line(
    starter_rules: Rules, text: str
) -> None:
    setting = Setting(
        starter_rules, OUTLINE, INSTRUCTIONS, (("x.md", GOOD),), lambda: [("y.md", GOOD.encode())]
    )
    first = problems(text, setting)
    assert first == problems(text, setting)
    assert all(problem.isprintable() for problem in first)
