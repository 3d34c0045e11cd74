"""Where a component is, what its text is, and what may be wrong with it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import make_workspace

from gitforge.components import MAX_BYTES, Library, broken_front_matter, problems, split_front_matter
from gitforge.errors import InvalidFile, UserError
from gitforge.goals import DEFAULT_KINDS, Need

PERSONA, PROTOCOL, CONSTRAINT = DEFAULT_KINDS
NEED = Need(PERSONA, "p.md", "from goals.yaml")


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return make_workspace(tmp_path / "work").library


def write(library: Library, content: bytes) -> None:
    (library.folder / "personas/p.md").write_bytes(content)


def test_a_component_without_front_matter_is_its_whole_text(library: Library) -> None:
    write(library, b"You are P.\r\n\r\nno final newline")
    found = library.read(NEED)
    assert found.body == "You are P.\r\n\r\nno final newline"
    assert (found.title, found.description, found.is_missing) == ("P", "from goals.yaml", False)


def test_front_matter_names_and_describes_and_never_reaches_the_text(library: Library) -> None:
    write(library, b"---\nname: The  Detective\ndescription: |\n  finds\n  causes\n---\n\n\n    indented\n")
    found = library.read(NEED)
    assert found.body == "    indented\n"
    assert (found.title, found.description) == ("The Detective", "finds causes")


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ("---\n---\ntext\n", "text\n"),
        ("---\nname: x\n---", ""),
        ("---\r\nname: x\r\n---\r\ntext\r\n", "text\r\n"),
        ("--- \nname: x\n---\t\ntext", "text"),
        ("---\n# nothing\n---\ntext", "text"),
        ("<!-- SPDX-License-Identifier: MIT -->\n<!-- (c)\nall -->\n\n---\nname: x\n---\n\ntext\n", "text\n"),
        ("<!-- one --> <!-- two -->\r\n---\r\nname: x\r\n---\r\ntext", "text"),
    ],
)
def test_front_matter_stands_between_two_lines_of_dashes(text: str, body: str) -> None:
    assert split_front_matter(text)[1] == body


@pytest.mark.parametrize(
    "text",
    [
        "---\n\nA thematic break, then text.\n",
        "---\njust words\n---\ntext\n",
        "---\n- a\n- list\n---\ntext\n",
        "---\nname: [broken\n---\ntext\n",
        "---\na: *b\n---\ntext\n",
        " ---\nname: x\n---\n",
        "\n---\nname: x\n---\n",
        "----\nname: x\n----\n",
        "text\n---\nname: x\n---\n",
        "---\nname: x\n--- text\n",
        "",
    ],
)
def test_anything_else_at_the_beginning_is_text(text: str) -> None:
    assert split_front_matter(text) == ({}, text)


@given(
    st.text()
    | st.lists(
        st.sampled_from(["---", "<!--", "-->", "\n", "\r\n", "a: 1", " ", "[", "x", "\t"]), max_size=14
    ).map("".join)
)
def test_the_text_behind_front_matter_is_a_tail_of_the_file(text: str) -> None:
    meta, body = split_front_matter(text)
    assert text.endswith(body)
    assert not meta or body != text


def test_front_matter_of_the_wrong_types_is_passed_over(library: Library) -> None:
    write(library, b"---\nname: 5\ndescription: [x]\nmetadata: {a: b}\n---\ntext\n")
    found = library.read(NEED)
    assert (found.title, found.description) == ("P", "from goals.yaml")


def test_a_missing_file_is_a_missing_component(library: Library) -> None:
    found = library.read(Need(PERSONA, "none.md", "to be"))
    assert found.is_missing
    assert found.body is None
    assert found.description == "to be"
    assert library.text(Need(PERSONA, "none.md")) is None


def test_the_largest_component_is_read_and_a_larger_one_refused(library: Library) -> None:
    write(library, b"x" * MAX_BYTES)
    assert library.read(NEED).body == "x" * MAX_BYTES
    write(library, b"x" * (MAX_BYTES + 1))
    with pytest.raises(InvalidFile, match=r"library/personas/p\.md: is larger than 256 KiB"):
        library.read(NEED)


@pytest.mark.parametrize("content", [b"ok\nna\xefve", "x".encode("utf-16"), b"\xed\xa0\x80", b"\xc0\x80"])
def test_another_encoding_than_utf_8_is_refused(library: Library, content: bytes) -> None:
    write(library, content)
    with pytest.raises(InvalidFile, match=r"library/personas/p\.md:\d+: is not UTF-8 text"):
        library.read(NEED)


def test_a_folder_or_a_pipe_is_no_component(library: Library) -> None:
    (library.folder / "personas/folder.md").mkdir()
    os.mkfifo(library.folder / "personas/pipe.md")
    for name in ("folder.md", "pipe.md"):
        with pytest.raises(UserError, match=f"library/personas/{name}: is not a file"):
            library.read(Need(PERSONA, name))
    assert library.names(PERSONA) == {"p.md"}


@pytest.mark.parametrize("part", ["library", "library/personas", "library/personas/p.md"])
def test_a_link_out_of_the_workspace_is_refused_wherever_it_is(
    library: Library, tmp_path: Path, part: str
) -> None:
    outside = tmp_path / "outside"
    (library.root / part).rename(outside)
    (library.root / part).symlink_to(outside)
    for look in (library.read, library.text, library.path):
        with pytest.raises(UserError, match=r"library/personas/p\.md: is a symbolic link that leads out"):
            look(NEED)
    if part != "library/personas/p.md":
        with pytest.raises(UserError, match="library/personas: is a symbolic link that leads out"):
            library.names(PERSONA)


@pytest.mark.parametrize("target", [".git/config", "sub/.git/config"])
def test_a_link_into_gits_own_folder_is_refused(library: Library, target: str) -> None:
    (library.root / target).parent.mkdir(parents=True)
    (library.root / target).write_text("[remote]\n  url = https://user:secret@example.org\n")
    (library.folder / "personas/leak.md").symlink_to(library.root / target)
    with pytest.raises(UserError, match=r"library/personas/leak\.md: is a symbolic link"):
        library.read(Need(PERSONA, "leak.md"))


@pytest.mark.parametrize("target", ["p.md", "none.md", "alias.md"], ids=["inside", "broken", "loop"])
def test_a_component_that_is_a_link_is_refused_because_git_would_not_follow_it(
    library: Library, target: str
) -> None:
    (library.folder / "personas/alias.md").symlink_to(target)
    with pytest.raises(UserError, match=r"library/personas/alias\.md: is (or lies behind a|a) symbolic link"):
        library.read(Need(PERSONA, "alias.md"))


def test_a_component_behind_a_linked_folder_is_refused(library: Library) -> None:
    (library.folder / "personas").rename(library.folder / "people")
    (library.folder / "personas").symlink_to("people")
    with pytest.raises(UserError, match="lies behind a symbolic link"):
        library.read(Need(PERSONA, "p.md"))


def test_a_folder_where_a_component_should_be_is_refused(library: Library) -> None:
    (library.folder / "personas/folder.md").mkdir()
    with pytest.raises(UserError, match="is not a file"):
        library.path(Need(PERSONA, "folder.md"))


def test_the_contents_of_many_components_are_read_without_those_that_are_no_files(library: Library) -> None:
    folder = library.folder / "personas"
    (folder / "long.md").write_bytes(b"x" * 100)
    (folder / "link.md").symlink_to(folder / "p.md")
    os.mkfifo(folder / "pipe.md")
    (folder / "folder.md").mkdir()
    names = ["p.md", "long.md", "link.md", "pipe.md", "folder.md", "gone.md"]
    assert list(library.contents(PERSONA, names, limit=20)) == [
        ("p.md", b"You are P.\n"),
        ("long.md", b"x" * 20),
        ("pipe.md", b""),
    ]


def test_components_are_listed_by_kind_and_name_whatever_else_is_there(library: Library) -> None:
    for name in ("b.txt", "a.md", "notes.json", ".hidden"):
        (library.folder / "constraints" / name).write_text("x")
    listed = [need.path for need in library.all([CONSTRAINT, PERSONA])]
    expected = [
        "constraints/a.md",
        "constraints/b.txt",
        "constraints/c.md",
        "constraints/d.md",
        "personas/p.md",
    ]
    assert listed == expected


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        (b"", None, "is empty"),
        (b" \n\t\n", None, "is empty"),
        (b"---\nname: x\n---\n\n", None, "is empty"),
        (b"a\nb \xe2\x80\xae c\n", 2, "the hidden character U+202E RIGHT-TO-LEFT OVERRIDE in column 3"),
        (b"a\n\x1b[2J\n", 2, "the hidden character U+001B control character in column 1"),
        (b"---\nname: \xe2\x80\x8bx\n---\ntext\n", 2, "U+200B ZERO WIDTH SPACE"),
        (b"\xef\xbb\xbftext\n", 1, "U+FEFF ZERO WIDTH NO-BREAK SPACE"),
        (b"one\xff\n", 1, "is not UTF-8"),
        (b"x" * (MAX_BYTES + 1), None, "is larger than"),
    ],
)
def test_what_is_wrong_with_a_component_is_told(
    library: Library, content: bytes, line: int | None, words: str
) -> None:
    write(library, content)
    (problem,) = problems(library, NEED)
    assert (problem.file, problem.line) == ("library/personas/p.md", line)
    assert words in problem.message


def test_many_hidden_characters_are_told_as_three_and_more(library: Library) -> None:
    write(library, "\u200b\n".encode() * 50)
    assert [problem.line for problem in problems(library, NEED)] == [1, 2, 3, 4]


def test_nothing_is_wrong_with_a_good_component_or_a_missing_one(library: Library) -> None:
    assert list(problems(library, NEED)) == []
    assert list(problems(library, Need(PERSONA, "none.md"))) == []


def test_a_misspelt_key_of_front_matter_is_told_and_another_tools_key_is_not(library: Library) -> None:
    write(library, b"---\nname: x\ndescripton: y\ntone: dry\nparams: {a: b}\nlicense: MIT\n---\ntext\n")
    (problem,) = problems(library, NEED)
    assert (problem.severity, problem.hint) == ("warning", "Did you mean 'description'?")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("---\nname: x\nlist: [a\n---\ntext\n", 4),
        ("<!-- a\ncomment -->\n---\na: b\n\tc: d\n---\ntext\n", 5),
        ("---\n- a: b\n---\ntext\n", 1),
    ],
)
def test_what_is_wrong_in_front_matter_is_told_with_its_line(text: str, line: int) -> None:
    problem = broken_front_matter(text, "p.md")
    assert problem is not None
    assert (problem.file, problem.line) == ("p.md", line)


@pytest.mark.parametrize(
    "text", ["", "text\n", "---\nname: x\n---\n", "---\n\nA thematic break.\n", "---\n---\nx: y\n"]
)
def test_nothing_is_wrong_with_front_matter_that_is_right_or_not_there(text: str) -> None:
    assert broken_front_matter(text, "p.md") is None
