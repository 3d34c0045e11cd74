"""Phrases in plain words, found in a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitforge.drafting.phrases import begins, contains


@pytest.mark.parametrize(
    ("line", "phrase", "is_there"),
    [
        ("Sure, here it is:", "Sure", True),
        ("Surely not.", "Sure", False),
        ("**Sure!** Here", "sure", True),
        ("I\u2019m   sorry, but", "I'm sorry", True),
        ("Well, sure", "Sure", False),
        ("This is the persona you asked for", "This is the ... you asked", True),
        ("This is the persona", "This is the ... you asked", False),
        ("", "Sure", False),
        ("Sure", "Sure", True),
    ],
)
def test_a_line_begins_with_a_phrase_whatever_its_case_markup_and_quotes(
    line: str, phrase: str, is_there: bool
) -> None:
    assert (begins(line, ["never this", phrase]) == phrase) is is_there


@pytest.mark.parametrize(
    ("line", "phrase", "is_there"),
    [
        ("- TODO: fill in", "TODO", True),
        ("the todos of it", "TODO", False),
        ("Write [insert name here].", "[insert...]", True),
        ("- **Do**: x", "**Do**", True),
        ("- Do: x", "**Do**", False),
        ("a b a c", "a c", True),
        ("xa c a cx", "a c", False),
        ("[your name", "[your ...]", False),
        ("anything", "...", True),
    ],
)
def test_a_phrase_stands_in_a_line_as_whole_words_and_three_dots_are_anything(
    line: str, phrase: str, is_there: bool
) -> None:
    assert (list(contains(line, [phrase])) == [phrase]) is is_there


@given(st.text(alphabet="a. ", max_size=60), st.text(alphabet="a.", min_size=1, max_size=12))
def test_a_phrase_is_found_or_not_in_any_text(line: str, phrase: str) -> None:
    if begins(line, [phrase]) is not None and not phrase.startswith("..."):
        assert list(contains(line, [phrase])) == [phrase]
