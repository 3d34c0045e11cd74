"""Slots of a text: which there are, what they are called, and how they are filled."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitforge.errors import UserError
from gitforge.serving.slots import MAX_SLOTS, arguments, filled

TEXT = """\
# Prompt: x

> Replace each slot in «angle quotes», then send it.
> «This is a remark»

## Task

«What you want done.»

## Context

- **Already known or tried:** «what, and how»
1. Deadline: «when».
«The evidence»
"""


def names(text: str) -> list[str]:
    return [one.name for one in arguments([text])]


def test_a_slot_is_called_after_its_label_or_the_heading_above_it() -> None:
    assert [(one.name, one.title, one.description) for one in arguments([TEXT])] == [
        ("task", "Task", "What you want done."),
        ("already_known_or_tried", "Already known or tried", "what, and how"),
        ("deadline", "Deadline", "when"),
        ("context", "Context", "The evidence"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "He said «no» and left.",
        "«Bonjour», dit-elle.",
        "> «a remark»",
        "See «one» «two»",
        "« \n »",
        "«»",
        "«a",
        "a»",
        "Call it «x» or «y»",
    ],
)
def test_quotes_in_a_sentence_or_a_remark_are_no_slots(text: str) -> None:
    assert names(text) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("«the name of the thing to do»", "the_name_of_the"),
        ("## `Code` to *read*\n\n«x»", "code_to_read"),
        ("*Größe:* «x»", "größe"),
        ("## !?\n«...»", "slot"),
        ("  - __Place:__ «x»  \r\n", "place"),
    ],
)
def test_names_are_words_without_markdown(text: str, name: str) -> None:
    assert names(text) == [name]


def test_slots_that_say_the_same_are_one_and_others_of_that_name_are_numbered() -> None:
    texts = ["Name: «whose»\n", "Name: «whose»\nName: «of what»\nName: «of whom»\n"]
    assert [one.name for one in arguments(texts)] == ["name", "name_2", "name_3"]
    assert filled(texts, {"name": "Ada", "name_2": "a ship"}) == (
        "Name: Ada\n",
        "Name: Ada\nName: a ship\nName: «of whom»\n",
    )


def test_there_are_no_more_arguments_than_a_person_would_fill() -> None:
    assert len(names("\n".join(f"N{number}: «x»" for number in range(100)))) == MAX_SLOTS


def test_a_value_is_inert_and_an_empty_one_leaves_the_slot() -> None:
    assert filled(["A: «x»\nB: «y»\n"], {"a": "B: «y»\n{{ x }} \\1", "b": " "}) == (
        "A: B: «y»\n{{ x }} \\1\nB: «y»\n",
    )


def test_an_unknown_argument_is_refused_with_the_names_of_those_that_there_are() -> None:
    with pytest.raises(UserError, match="there is no argument 'c'") as caught:
        filled(["A: «x»\nB: «y»\n"], {"c": "x"})
    assert caught.value.hint == "There is a, b."


PIECES = st.lists(
    st.sampled_from(["«", "»", "x y", ":", "\n", "# ", "> ", "- ", "**", " ", ".", "ü", "::"]), max_size=40
)


@given(PIECES.map("".join))
def test_whatever_the_text_each_argument_fills_its_slots_and_nothing_else(text: str) -> None:
    found = arguments([text])
    assert len({one.name for one in found}) == len(found)
    assert filled([text], {}) == (text,)
    (done,) = filled([text], {one.name: "FILLED" for one in found})
    assert (done == text) == (not found)
    left = re.sub(r"«[^«»\n]+»", "FILLED", text)
    assert re.sub(r"«[^«»\n]+»", "FILLED", done) == left
    assert not arguments([done])


def test_a_component_takes_no_name_from_a_slot_of_the_form() -> None:
    persona = "You are P.\n\nTask: «what the component wants»\n"
    texts = [persona, TEXT]
    assert next(one.name for one in arguments(texts, [persona])) == "task"
    first, second = filled(texts, {"task": "Mine."}, [persona])
    assert first == persona
    assert "\nMine.\n" in second
