"""Names for what comes from elsewhere: as they were where that can be, else the nearest."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitforge import names
from gitforge.importing import naming


@given(st.text())
def test_any_name_becomes_one_that_a_component_can_have_even_with_a_number(name: str) -> None:
    found = naming.component_name(name)
    for one in itertools.islice(naming.numbered(found), 12):
        assert names.component_name(one) == one


@pytest.mark.parametrize("name", ["a.md", "code-review.md", "x y.txt", "Ünder_score.md"])
def test_a_name_that_is_right_stays(name: str) -> None:
    assert naming.component_name(name) == name


@given(st.text())
def test_any_name_becomes_one_that_a_goal_can_have(name: str) -> None:
    found = naming.goal_name(name)
    assert names.label(found, "goal") == found


@pytest.mark.parametrize(
    ("name", "goal"),
    [
        ("extract_wisdom", "EXTRACT_WISDOM"),
        ("plan-bed", "PLAN_BED"),
        ("Summarize Pull Requests!", "SUMMARIZE_PULL_REQUESTS"),
        ("\x1b[2J", "2J"),
        ("--", "UNNAMED"),
    ],
)
def test_a_goal_is_written_as_goals_are(name: str, goal: str) -> None:
    assert naming.goal_name(name) == goal


@given(st.text())
def test_any_category_becomes_one_that_can_stand_in_goals_yaml(name: str) -> None:
    found = naming.label(name, "Other")
    assert names.label(found, "category") == found


@given(st.text() | st.none() | st.integers())
def test_a_description_is_one_line_of_bounded_length(text: object) -> None:
    found = naming.description(text)
    assert len(found) <= 1024
    assert "\n" not in found


def test_a_long_description_keeps_whole_sentences() -> None:
    assert naming.description("One. Two. " + "x" * 1020) == "One. Two."
    assert naming.description("word " * 300).endswith(" word\u2026")


def test_a_description_that_the_source_wrote_is_kept_up_to_what_a_skill_can_have() -> None:
    whole = "Makes tea. " * 60 + "Do NOT use it for coffee."
    assert (naming.description(whole), naming.cut(whole)) == (whole, None)
    assert naming.cut("word " * 300) == "its description is cut to 1,020 characters"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("# IDENTITY\n\nYou extract ideas. All of them.\n", "You extract ideas."),
        ("- A list item.\n", "A list item."),
        ("# Only a heading\n", ""),
        ("", ""),
    ],
)
def test_the_first_sentence_of_prose_tells_what_a_prompt_is_for(text: str, words: str) -> None:
    assert naming.first_words(text) == words
