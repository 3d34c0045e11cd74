"""Two texts compared word by word."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gitforge.compare import MAX_WORDS, Span, likeness, word_diff


def marked(old: str, new: str) -> str:
    """The comparison as `git diff --word-diff` marks it."""
    marks = {"same": "{}", "removed": "[-{}-]", "added": "{{+{}+}}"}
    return "".join(marks[span.kind].format(span.text) for span in word_diff(old, new))


def test_equal_texts_have_nothing_marked() -> None:
    assert word_diff("one\ntwo\n", "one\ntwo\n") == [Span("same", "one\ntwo\n")]
    assert word_diff("", "") == []


def test_a_changed_word_is_marked_and_no_more() -> None:
    assert marked("Ask why.\nThen stop.\n", "Ask how.\nThen stop.\n") == "Ask [-why-]{+how+}.\nThen stop.\n"


def test_lines_that_only_one_has_are_marked_whole() -> None:
    assert marked("a\nb\n", "a\nnew\nb\n") == "a\n{+new\n+}b\n"
    assert marked("a\nold\nb\n", "a\nb\n") == "a\n[-old\n-]b\n"


def test_spaces_between_two_changes_do_not_part_them() -> None:
    assert marked("one two three\n", "four five three\n") == "[-one two-]{+four five+} three\n"


def test_a_long_passage_without_an_equal_line_is_not_compared_by_words() -> None:
    old = " ".join(f"old{number}" for number in range(MAX_WORDS))
    assert [span.kind for span in word_diff(old, f"new {old}")] == ["removed", "added"]


def test_likeness_is_the_part_of_the_new_text_that_the_old_one_has() -> None:
    assert likeness(word_diff("a\nb\n", "a\nb\n")) == 1
    assert likeness(word_diff("one\n", "two\n")) < 0.5
    assert likeness(word_diff("x\n", "")) == 1


words = st.lists(st.sampled_from(["a", "bb", " ", "\n", ",", "ü", "語"]), max_size=30).map("".join)


@given(words, words)
def test_the_marks_give_both_texts_back(old: str, new: str) -> None:
    spans = word_diff(old, new)
    assert "".join(span.text for span in spans if span.kind != "added") == old
    assert "".join(span.text for span in spans if span.kind != "removed") == new
