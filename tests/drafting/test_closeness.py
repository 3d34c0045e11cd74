"""How alike two texts are, and which of many are about the same thing."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitforge.drafting.closeness import alike, closest, likeness, runs, shortlist, words

VOCABULARY = [f"word{number}" for number in range(2000)]


def prose(seed: int, length: int = 300) -> str:
    return " ".join(random.Random(seed).choices(VOCABULARY, k=length))


def changed(text: str, every: int) -> str:
    """The text with one word in so many replaced."""
    return " ".join("other" if place % every == 0 else word for place, word in enumerate(text.split()))


def test_words_are_without_markup_punctuation_and_case() -> None:
    assert words("## The *Cause*, don't-panic: \u00c4rger_2") == [
        *(b"the", b"cause", b"don", b"t", b"panic"),
        *("\u00c4rger".encode(), b"2"),
    ]


def test_a_text_is_wholly_like_itself_and_not_like_another() -> None:
    assert likeness(prose(1), "x", prose(1)).most == 1
    assert likeness(prose(1), "x", prose(2)).most < 0.02


def test_the_share_falls_with_the_words_that_are_changed() -> None:
    few, many = (likeness(changed(prose(1), every), "x", prose(1)).share for every in (50, 6))
    assert 0.85 < few < 1
    assert 0.1 < many < 0.3


def test_a_text_that_holds_the_whole_of_a_shorter_one_is_like_it() -> None:
    found = likeness(f"{prose(3)} {prose(1, 100)} {prose(4)}", "x", prose(1, 100))
    assert found.of_other == 1
    assert found.share < 0.2


def test_texts_of_a_few_words_are_not_alike() -> None:
    assert likeness("Do one thing and do it well.", "x", "Do one thing and do it well.").most == 0


def test_runs_that_both_were_given_do_not_count() -> None:
    given_to_both = prose(9, 100)
    first, second = f"{given_to_both} {prose(1, 60)}", f"{given_to_both} {prose(2, 60)}"
    assert likeness(first, "x", second).share > 0.5
    assert likeness(first, "x", second, frozenset(runs(given_to_both))).share < 0.1


@pytest.mark.parametrize("every", [1000, 20, 8])
def test_among_many_texts_the_one_that_is_a_copy_is_found(every: int) -> None:
    others = [(f"{seed}.md", prose(seed).encode()) for seed in range(200)]
    found = list(alike(changed(prose(77), every), others))
    assert [one.name for one in found] == ["77.md"]
    assert found[0] == likeness(changed(prose(77), every), "77.md", prose(77))


def test_a_short_component_inside_a_long_draft_is_found() -> None:
    others = [("short.md", prose(1, 150).encode()), ("other.md", prose(2, 150).encode())]
    assert [one.name for one in alike(f"{prose(3, 300)} {prose(1, 150)}", others)] == ["short.md"]


def test_the_closest_texts_share_rare_words_in_their_names_or_in_what_they_say() -> None:
    texts = {
        "review.md": ("review.md", b"to look at a thing for defects"),
        "schema.md": ("data.md", b"to change a schema of a database without losing a row"),
        "letter.md": ("letter.md", b"to write a letter to a friend"),
        "schema_change.md": ("schema_change.md", b"to do a thing"),
    }
    assert closest(["new.md", "To migrate a database schema"], texts, 2) == ["schema.md", "schema_change.md"]
    assert closest(["review_all.md", ""], texts, 1) == ["review.md"]


def test_without_a_word_in_common_the_order_is_that_of_the_names() -> None:
    texts = {name: (name, b"some words here") for name in ("c.md", "a.md", "b.md")}
    assert closest(["zebra", "Something else"], texts, 2) == ["a.md", "b.md"]
    assert closest(["zebra"], {}, 2) == []


def test_of_very_many_names_those_with_the_most_words_in_common_are_read() -> None:
    names = [*(f"other_{number}.md" for number in range(50)), "api_review.md", "review.md"]
    assert list(shortlist(["review of an api"], names, 2)) == ["api_review.md", "review.md"]
    assert sorted(shortlist(["x"], names[:2], 2)) == sorted(names[:2])


@given(st.text(), st.text())
def test_the_shares_of_any_two_texts_are_between_none_and_all(first: str, second: str) -> None:
    found = likeness(first, "x", second)
    assert 0 <= found.share <= 1
    assert 0 <= found.of_other <= 1
    assert list(alike(first, [("x", second.encode())])) == list(alike(first, [("x", second.encode())]))
