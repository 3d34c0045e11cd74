"""What is written is read alike by PyYAML (1.1), our own reader (1.2) and strictyaml."""

from __future__ import annotations

import pytest
import strictyaml
import yaml
from exported import TEXTS
from hypothesis import example, given
from hypothesis import strategies as st

from gitforge import documents
from gitforge.yaml_output import as_yaml

ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | TEXTS


@given(ANY, st.booleans())
@example("1e3", False)
@example("0o14", False)
@example("off", False)
@example("=", False)
@example("12:30:45", False)
@example("a: b\nc #d\n", False)
@example("  indented\nfirst line", False)
@example("trailing \nblank", False)
@example("\n\nlines\n\n", False)
@example("\tTab\n\tlines", True)
@example("---\n---", True)
@example("\\---\\", True)
@example("\r\n\x85\u2028", True)
def test_any_text_is_read_back_by_every_parser(text: str, is_front_matter: bool) -> None:
    data = {"a": text, "b": {"c": [text, text]}}
    written = as_yaml(data, is_front_matter=is_front_matter)
    assert yaml.safe_load(written) == data
    assert documents.parse(written, "x").data == data
    assert strictyaml.load(written).data == data
    if is_front_matter:
        assert "---" not in written
        assert "+++" not in written


def test_lines_are_a_literal_block_and_words_stand_as_they_are() -> None:
    data = {"a": "one\ntwo", "b": "some words", "c": True, "d": ["x"], "e": "yes", "f": "7"}
    assert as_yaml(data) == (
        "a: |-\n  one\n  two\nb: some words\nc: true\nd:\n  - x\ne: \"yes\"\nf: \"7\"\n"
    )  # fmt: skip


@pytest.mark.parametrize("text", ["0o14", "1e3", "12:30:45", "+1", "-1_000", ".5", "0x1F", "2026-01-01"])
def test_what_the_versions_of_yaml_read_differently_stands_in_quotes(text: str) -> None:
    assert as_yaml({"a": text}) in {f'a: "{text}"\n', f"a: '{text}'\n"}


@pytest.mark.parametrize("value", [1, 1.5, None, False])
def test_what_is_no_text_stays_what_it_is(value: object) -> None:
    assert documents.parse(as_yaml({"a": value}), "x").data == {"a": value}
