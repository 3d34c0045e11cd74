"""YAML from strangers: whatever it is, it gives a document or says which line is wrong."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitforge import documents
from gitforge.documents import Document
from gitforge.errors import InvalidFile, UserError

# Everything that JSON can say, except what YAML cannot: DEL and two not-characters are no text in it.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x7f"), max_size=40)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.floats(allow_nan=False, allow_infinity=False)
)
NESTED: st.SearchStrategy[Any] = st.recursive(
    SCALARS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
YAML_PIECES = st.lists(
    st.sampled_from(
        ["a", ":", " ", "\n", "  ", "- ", "? ", "&x ", "*x", "!t ", "!!str ", "|\n", ">-\n", "[", "]", "{",
         "}", ",", "'", '"', "#", "---\n", "...\n", "\t", "<<", "%YAML 1.2\n", "\ufeff", "\x00", "\x1b", "é",
         "\U0001f600", "\u2028", "1e9", "0x1", "~", "\\", "\\u12", "\r\n", "@", "`"]
    ),
    max_size=25,
).map("".join)  # fmt: skip


def parse(text: str) -> Any:
    return documents.parse(text, "f.yaml").data


def refusal(text: str) -> InvalidFile:
    with pytest.raises(InvalidFile) as refused:
        documents.parse(text, "f.yaml")
    return refused.value


@settings(max_examples=300, deadline=None)
@given(st.text() | YAML_PIECES)
def test_any_text_is_a_document_or_an_invalid_file_that_says_where(text: str) -> None:
    try:
        document = documents.parse(text, "f.yaml")
    except InvalidFile as error:
        (problem,) = error.problems
        assert problem.file == "f.yaml"
        assert problem.line is None or 1 <= problem.line <= len(text.splitlines()) + 1
        return
    assert isinstance(document, Document)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=60) | YAML_PIECES.map(str.encode))
def test_any_bytes_are_a_document_or_an_invalid_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes(content)
    try:
        text = documents.read_text(path, "f.yaml")
        documents.parse(text, "f.yaml")
    except InvalidFile:
        return
    assert text.encode() == content


@settings(max_examples=200, deadline=None)
@given(NESTED, st.sampled_from([None, 2, "\t"]))
def test_whatever_json_writes_is_read_as_equal_data(data: Any, indent: int | str | None) -> None:
    assert parse(json.dumps(data, indent=indent)) == data


@given(st.dictionaries(st.text("ab é😀.:#-'", max_size=5), st.text("ab é😀.:#-'", max_size=5)))
def test_json_may_hold_its_characters_as_they_are(data: dict[str, str]) -> None:
    assert parse(json.dumps(data, ensure_ascii=False)) == data


def test_the_escapes_of_json_are_read_and_those_in_yaml_text_are_left_alone() -> None:
    assert parse(r'{"a": "\ud83d\ude00 \/ \\ud83d\\ude00"}') == {"a": "\U0001f600 / \\ud83d\\ude00"}
    assert parse(r"a: \ud83d\ude00") == {"a": r"\ud83d\ude00"}
    assert "escape" in refusal(r'{"a": "\ud83d"}').message


def test_a_key_is_always_text_and_a_plain_word_is_what_yaml_1_2_says() -> None:
    assert parse("1: yes\nno: 010\ntrue: 0x1F\n~: off\n1.5: 1_000\nnull: 2020-01-01") == {
        "1": "yes", "no": 10, "true": "0x1F", "~": "off", "1.5": "1_000", "null": "2020-01-01",
    }  # fmt: skip
    assert parse("[~, null, true, False, 1, -2, .5, 1e3, '1', \"true\", !!str 1]") == [
        None, None, True, False, 1, -2, 0.5, 1000.0, "1", "true", "1",
    ]  # fmt: skip


def test_every_key_and_item_has_its_line() -> None:
    document = documents.parse("# comment\na:\n  b:\n  - x\n  - {c: 1,\n     d: 2}\n", "f.yaml")
    assert document.line(["a"]) == 2
    assert document.line(["a", "b"]) == 3
    assert document.line(["a", "b", 0]) == 4
    assert document.line(["a", "b", 1, "d"]) == 6
    assert document.line(["a", "b", 9, "z"]) == 3  # the nearest one above
    assert document.line([]) is None


def test_a_key_that_stands_twice_is_told_with_both_lines() -> None:
    (problem,) = documents.parse("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n", "f.yaml").duplicates
    assert str(problem) == "f.yaml:5: duplicate key 'c': it already stands in line 3"
    assert problem.hint


def test_a_tab_for_indentation_is_told_as_such() -> None:
    error = refusal("a:\n  b: 1\n\tc: 2\n")
    assert error.problems[0].line == 3
    assert error.hint == "There is a tab in that line: YAML is indented with spaces."


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: [1, 2\nb: 3\n", 2, "is not YAML"),
        ("a: 1\nb: 'x\n", 3, "is not YAML"),
        ("a: 1\n b: 2\n", 2, "is not YAML"),
        ("a: 1\n---\nb: 2\n", 2, "more than one YAML document"),
        ("a: 1\nb: *x\n", 2, "uses *x, which is not defined before that place"),
        ("a: &x [*x]\n", 1, "uses *x, which is not defined before that place"),
        ("a: &x 1\n*x : 2\n", 2, "uses an alias where a name is expected"),
        ("a: 1\n? [b]\n: 2\n", 2, "has a list or mapping where a name is expected"),
        ("a: !!python/object/apply:os.system [id]\n", 1, "has the tag"),
        ("a: 1\nb: !secret x\n", 2, "has the tag '!secret', which means nothing here"),
        ("a: 1\nb: \x1b\n", 2, "control characters are not allowed"),
        ("a: 1\n<<: !!binary aGk=\n", 2, "has the tag"),
    ],
)
def test_what_is_not_plain_yaml_is_refused_with_its_line(text: str, line: int, words: str) -> None:
    error = refusal(text)
    assert error.message.startswith(f"f.yaml:{line}: ")
    assert words in error.message


def test_a_billion_laughs_end_early() -> None:
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    assert "grows beyond all bounds" in refusal("\n".join(lines)).message


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "{a: " * 100_000, "- " * 100_000, '{"a":' * 40 + "1" + "}" * 40]
)
def test_nesting_has_a_bound(text: str) -> None:
    assert f"is nested more than {documents.MAX_DEPTH} levels deep" in refusal(text).message
    assert parse("[" * documents.MAX_DEPTH + "]" * documents.MAX_DEPTH)


def test_aliases_do_not_get_around_the_bound_on_nesting() -> None:
    chain = ["- &a0 [x]"] + [f"- &a{n} {'[' * 20}*a{n - 1}{']' * 20}" for n in range(1, 100)]
    error = refusal("\n".join(chain))
    assert f"f.yaml:3: is nested more than {documents.MAX_DEPTH} levels deep" in error.message


def test_a_file_of_50_mb_is_refused_without_reading_it_whole(tmp_path: Path) -> None:
    path = tmp_path / "goals.yaml"
    with path.open("wb") as file:
        file.truncate(50 * 1024 * 1024)
    tracemalloc.start()
    try:
        with pytest.raises(InvalidFile) as refused:
            documents.read_text(path, "goals.yaml")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert refused.value.message == "goals.yaml: is larger than 4096 KiB, which nobody writes by hand"
    assert peak < 3 * documents.MAX_BYTES


def test_a_limit_is_the_largest_size_that_is_read(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"12345")
    assert documents.read_text(path, "f", 5) == "12345"
    with pytest.raises(InvalidFile, match="is larger than"):
        documents.read_text(path, "f", 4)


def test_what_is_not_utf_8_is_told_with_byte_and_line(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"one\ntwo \xe9\n")
    with pytest.raises(InvalidFile) as refused:
        documents.read_text(path, "f")
    assert refused.value.message == "f:2: is not UTF-8 text (byte 0xe9)"
    assert refused.value.hint


def test_newlines_and_a_byte_order_mark_are_read_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: 2")
    text = documents.read_text(path, "f")
    assert text == "\ufeffa: 1\r\nb: 2"
    assert parse(text) == {"a": 1, "b": 2}


def test_what_cannot_be_read_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"goals\.yaml: cannot be read: No such file"):
        documents.read_text(tmp_path / "none", "goals.yaml")
    with pytest.raises(UserError, match=r"goals\.yaml: is not a file"):
        documents.read_text(tmp_path, "goals.yaml")


@pytest.mark.parametrize("form", ["a: &a {length}\nb: [{aliases}]\n", "a: &a {{x: {length}}}\nb: [{aliases}]\n",
                                  "a: &b\n- {length}\nc: &a [*b, *b]\nb: [{aliases}]\n"])  # fmt: skip
def test_a_long_text_cannot_be_repeated_without_end(form: str) -> None:
    few, many = (form.format(length="x y " * 50_000, aliases=", ".join(["*a"] * count)) for count in (2, 200))
    assert len(documents.parse(few, "f.yaml").data["b"]) == 2
    with pytest.raises(InvalidFile, match="beyond all bounds"):
        documents.parse(many, "f.yaml")
