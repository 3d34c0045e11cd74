"""Blocks in AGENTS.md: all else in the file stays byte for byte."""

from __future__ import annotations

import pytest
from exported import TEXTS, prompt
from hypothesis import assume, example, given
from hypothesis import strategies as st

from gitforge.errors import Conflict, UserError
from gitforge.exporting import agents

FILE = "AGENTS.md"


def put(existing: bytes, text: str = "Do this.", name: str = "outage", *, force: bool = False) -> bytes:
    return agents.merged(existing, {name: agents.block(prompt("", text), name)}, FILE, force=force)


def take_out(existing: bytes, name: str = "outage", *, force: bool = False) -> bytes:
    return agents.merged(existing, {name: None}, FILE, force=force)


def test_the_first_block_makes_the_file() -> None:
    assert put(b"").startswith(b"<!-- gitforge:begin outage sha256=")
    assert put(b"").endswith(b"-->\nDo this.\n<!-- gitforge:end outage -->\n")


@given(before=st.binary(max_size=60), text=TEXTS, other=TEXTS)
@example(before=b"\xff\xfe bytes\r\n", text="a\nb", other="c")
@example(before=b"no end of line", text="a\nb", other="c")
@example(before=b"\r", text="a\nb", other="c")
def test_whatever_stands_around_a_block_stays_as_it_is(before: bytes, text: str, other: str) -> None:
    assume(b"\0" not in before)
    first = put(before, text)
    assert first.startswith(before)
    with_more = first + b"more\xff\n"
    second = put(with_more, other)
    assert second.startswith(before)
    assert second.endswith(b"more\xff\n")
    assert put(second, text) == with_more
    assert put(second, other) == second


@given(before=st.binary(max_size=60), text=TEXTS)
def test_a_block_that_is_taken_out_leaves_what_was_there(before: bytes, text: str) -> None:
    assume(b"\0" not in before)
    assert take_out(put(before, text)) == before


@given(before=st.binary(max_size=60), text=TEXTS, other=TEXTS)
@example(before=b"no end of line", text="a", other="b")
@example(before=b"# Rules\r\nno end of line", text="a", other="b")
def test_blocks_that_are_taken_out_last_one_first_leave_what_was_there(
    before: bytes, text: str, other: str
) -> None:
    assume(b"\0" not in before)
    two = put(put(before, text), other, "other")
    assert agents.merged(two, {"other": None, "outage": None}, FILE, force=False) == before


def test_a_block_that_is_taken_out_joins_no_lines() -> None:
    assert take_out(put(b"no end of line") + b"more\n") == b"no end of line\nmore\n"


def test_a_file_with_carriage_returns_gets_a_block_with_them() -> None:
    found = put(b"# Rules\r\n", "a\nb")
    assert b"\n" not in found.replace(b"\r\n", b"")
    assert put(found, "a\nb") == found
    assert put(found, "c").replace(b"\r\n", b"").count(b"\n") == 0
    assert take_out(found) == b"# Rules\r\n"


def test_blocks_of_two_names_stand_beside_each_other() -> None:
    both = put(put(b"# Rules\n", "a", "one"), "b", "two")
    assert take_out(take_out(both, "one"), "two") == b"# Rules\n"
    assert b"\na\n" in take_out(both, "two")


def test_a_block_that_was_edited_by_hand_is_not_replaced_without_force() -> None:
    edited = put(b"# Rules\n").replace(b"Do this.", b"Do that.")
    for change in (put, take_out):
        with pytest.raises(Conflict, match="edited by hand"):
            change(edited)
    assert put(edited, force=True) == put(b"# Rules\n")
    assert take_out(edited, force=True) == b"# Rules\n"


BEGIN, END = b"<!-- gitforge:begin outage -->\n", b"<!-- gitforge:end outage -->\n"


@pytest.mark.parametrize(
    "broken",
    [
        BEGIN, END, END + BEGIN, BEGIN + BEGIN + END, BEGIN + END + END, BEGIN + END + BEGIN + END,
        BEGIN + END.replace(b"outage", b"other"), BEGIN + BEGIN.replace(b"outage", b"x") + END,
    ],
)  # fmt: skip
def test_marks_that_are_broken_are_named_with_their_line_and_nothing_is_guessed(broken: bytes) -> None:
    with pytest.raises(Conflict, match=r"AGENTS\.md:\d+: "):
        put(b"# Rules\n" + broken, force=True)


def test_a_block_that_is_not_there_cannot_be_taken_out() -> None:
    with pytest.raises(UserError, match="no block outage"):
        take_out(b"# Rules\n")


def test_a_text_with_a_mark_in_it_is_refused() -> None:
    with pytest.raises(UserError, match="marks a block"):
        agents.block(prompt(user="a\n<!-- gitforge:end outage -->\nb"), "outage")


def test_a_file_that_is_no_text_is_refused() -> None:
    with pytest.raises(UserError, match="UTF-8"):
        put("# Rules\n".encode("utf-16"))


@pytest.mark.parametrize("text", ["@README", "see @./a.md", "- @~/.netrc", "a `b` @c"])
def test_what_claude_code_would_import_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="import"):
        agents.refuse_imports(prompt(user=text))


def test_code_and_addresses_are_no_imports() -> None:
    agents.refuse_imports(prompt(user="`@a` ada@example.org @ x\n\n```\n@media\n```\n~~~\n@b\n~~~"))
