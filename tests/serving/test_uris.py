"""The names of resources."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gitforge.serving.uris import NoSuchResource, Uri, parse
from gitforge.text import hidden_characters

KINDS = st.sampled_from(["component", "goal", "toolkit"])


@given(KINDS, st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=100))
def test_every_name_can_be_written_and_read_back(kind: str, name: str) -> None:
    uri = str(Uri(kind, name))
    assert uri.isascii()
    assert uri.isprintable()
    assert " " not in uri
    assert parse(uri) == Uri(kind, name)


@given(st.text(max_size=100) | st.text(max_size=60).map(lambda text: f"gitforge://{text}"))
def test_whatever_is_not_one_of_ours_is_refused_on_one_line(text: str) -> None:
    assume(not text.startswith(("gitforge://component/", "gitforge://goal/", "gitforge://toolkit/")))
    with pytest.raises(NoSuchResource) as caught:
        parse(text)
    assert not any(hidden_characters(caught.value.message))
    assert len(caught.value.message.split("\n")) == 1
    assert caught.value.hint


def test_one_that_is_longer_than_any_is_refused_in_a_line() -> None:
    with pytest.raises(NoSuchResource) as caught:
        parse("gitforge://goal/" + "x" * 10_000)
    assert len(caught.value.message) < 300
