"""What hides in a text is found, and shown without harm."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gitforge.text import (
    MAX_TASK,
    as_role,
    as_task,
    counted,
    did_you_mean,
    excerpt,
    hidden_characters,
    one_line,
    printable,
    without_hidden,
)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a\x1b[31m", "U+001B control character"),
        ("a\x00", "U+0000 control character"),
        ("a\x7f", "U+007F control character"),
        ("a\x9b31m", "U+009B control character"),
        ("a\u202eb", "U+202E RIGHT-TO-LEFT OVERRIDE"),
        ("a\u2066b", "U+2066 LEFT-TO-RIGHT ISOLATE"),
        ("a\u200bb", "U+200B ZERO WIDTH SPACE"),
        ("a\u200db", "U+200D ZERO WIDTH JOINER"),
        ("a\u00adb", "U+00AD SOFT HYPHEN"),
        ("\ufeffa", "U+FEFF ZERO WIDTH NO-BREAK SPACE"),
        ("a\u2028b", "U+2028 LINE SEPARATOR"),
        ("a\ufe0fb", "U+FE0F VARIATION SELECTOR-16"),
        ("a\U000e0101", "U+E0101 VARIATION SELECTOR-18"),
        ("a\U000e0041", "U+E0041 TAG LATIN CAPITAL LETTER A"),
        ("a\ue000", "U+E000 control character"),
        ("a\rb", "U+000D control character"),
    ],
)
def test_a_character_that_a_reader_does_not_see_is_found(text: str, name: str) -> None:
    assert [hidden.name for hidden in hidden_characters(text)] == [name]


@pytest.mark.parametrize(
    "text",
    [
        "plain text\n\twith a tab\r\nand both newlines",
        "naïve café, «quotes», 中文, עברית, العربية",
        "\U0001f469\u200d\U0001f4bb",  # woman technologist, held together by a joiner
        "\u2764\ufe0f and 1\ufe0f\u20e3",  # a heart and a keycap in colour
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian needs the non-joiner
    ],
)
def test_text_of_any_script_and_emoji_are_not_suspect(text: str) -> None:
    assert list(hidden_characters(text)) == []


def test_line_and_column_count_from_one() -> None:
    (hidden,) = hidden_characters("first\r\n  ab\u200bc\n")
    assert (hidden.line, hidden.column) == (2, 5)


@given(st.text())
def test_what_is_printable_has_no_control_character_left_but_newline_and_tab(text: str) -> None:
    shown = printable(text)
    allowed = {"\n", "\r", "\t"}
    assert all(character in allowed or unicodedata.category(character) != "Cc" for character in shown)
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert printable(shown) == shown


@given(st.text(alphabet=st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
def test_plain_text_is_shown_as_it_is(text: str) -> None:
    assert printable(text) == text


@given(st.text())
@example("\U000e0100")
@example("a\ufe00")
def test_a_text_is_suspect_exactly_where_showing_it_changes_it(text: str) -> None:
    assert any(hidden_characters(text)) == (printable(text) != text)


def test_a_typing_error_leads_to_the_nearest_known_word() -> None:
    assert did_you_mean("constraint", ["persona", "constraints"]) == "Did you mean 'constraints'?"
    assert did_you_mean("PERSONA", ["persona"]) == "Did you mean 'persona'?"
    assert did_you_mean("zebra", ["persona", "constraints"]) is None


def test_one_line_is_one_line() -> None:
    assert one_line("  a\n b\t\u2028c ") == "a b c"


def test_a_text_within_the_limit_is_its_own_excerpt() -> None:
    assert excerpt("abc", 3) == "abc"


def test_an_excerpt_ends_between_lines_or_words_and_says_how_much_was_cut() -> None:
    assert excerpt("first line\nsecond line", 15) == "first line\n[cut here: 12 more characters]"
    assert excerpt("one two three", 9) == "one two\n[cut here: 6 more characters]"
    assert excerpt("x" * 2000, 500) == "x" * 500 + "\n[cut here: 1,500 more characters]"


@given(st.text())
def test_without_what_is_hidden_a_text_keeps_its_length_and_is_not_suspect(text: str) -> None:
    shown = without_hidden(text)
    assert not any(hidden_characters(shown))
    assert len(shown) == len(text)
    assert shown == text or any(hidden_characters(text))


@pytest.mark.parametrize(
    ("title", "role"),
    [
        ("Digital detective", "a digital detective"),
        ("API steward", "an API steward"),
        ("Incident commander", "an incident commander"),
        ("Usability tester", "a usability tester"),
        ("Unit tester", "a unit tester"),
        ("Upgrade planner", "an upgrade planner"),
        ("Understudy", "an understudy"),
        ("One time reviewer", "a one time reviewer"),
        ("Honest broker", "an honest broker"),
        ("European lawyer", "a european lawyer"),
        ("", ""),
    ],
)
def test_a_title_is_a_role_with_its_article(title: str, role: str) -> None:
    assert as_role(title) == role


@pytest.mark.parametrize(
    ("purpose", "task", "more"),
    [
        ("To find the cause.", "find the cause", ""),
        ("to find it, and prove it", "find it, and prove it", ""),
        ("In order to find it. At night!", "find it", "At night!"),
        ("To see e.g. the U.S. market. Soon.", "see e.g. the U.S. market", "Soon."),
        ("To be, or not to be?  Ask.", "be, or not to be", "Ask."),
        ("For whoever is awake.", "", ""),
        ("Tools of the trade.", "", ""),
        ("To Paris.", "Paris", ""),
        ("To ", "", ""),
        ("", "", ""),
        ("To " + "x" * (MAX_TASK + 1), "", ""),
    ],
)
def test_a_purpose_says_what_is_to_be_done_and_the_rest(purpose: str, task: str, more: str) -> None:
    assert as_task(purpose) == (task, more)


@given(st.text())
def test_a_task_is_a_part_of_its_purpose_on_one_line(purpose: str) -> None:
    task, more = as_task(purpose)
    assert task in one_line(purpose)
    assert more in one_line(purpose)


def test_things_are_counted_in_words_that_agree_with_their_number() -> None:
    assert [counted(number, "commit") for number in (0, 1, 2, 1000)] == [
        *("0 commits", "1 commit", "2 commits"),
        "1,000 commits",
    ]
    assert [counted(number, "prompt or text", "prompts and texts") for number in (1, 2)] == [
        "1 prompt or text",
        "2 prompts and texts",
    ]
