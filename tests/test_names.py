"""What may become a file, a folder or a line of output."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitforge import names
from gitforge.errors import UserError

NO_FILE_NAMES = [
    "", " ", ".", "..", "../../etc/passwd", "/etc/passwd", "a/b", "a\\b", ".git", ".git/config", "-rf",
    "--help", "a\nb", "a\tb", "a\x1bb", "a\x00b", "a\u202eb", "a\u200bb", "a:b", "a*b", "a?b", "a|b",
    '"a"', "<a>", " a", "a ", "a.", "con",
    "NUL.md", "com1.txt", "cafe\u0301", "x" * 300, "\u20ac" * 60, "\ud800",
]  # fmt: skip


@pytest.mark.parametrize("name", NO_FILE_NAMES)
def test_a_name_that_is_no_file_name_everywhere_is_refused(name: str) -> None:
    with pytest.raises(UserError) as refused:
        names.file_name(name, "project")
    assert refused.value.message.startswith("the project name ")
    assert refused.value.message.isprintable()
    assert len(refused.value.message) < 600
    assert refused.value.hint


@pytest.mark.parametrize("name", ["outage", "My project 2", "naïve", "ü", "v1.2", "a'b", "日本語", "x" * 150])
def test_an_ordinary_name_is_accepted_as_it_is(name: str) -> None:
    assert names.file_name(name, "project") == name


@pytest.mark.parametrize("name", [f"{name}.md" for name in NO_FILE_NAMES if name not in {"a ", "a."}])
def test_a_component_has_a_file_name(name: str) -> None:
    with pytest.raises(UserError) as refused:
        names.component_name(name)
    assert refused.value.message.startswith("the component name ")
    assert refused.value.message.isprintable()


@pytest.mark.parametrize("name", ["a", "a.json", "a.md.exe", ".md", ".txt", "a/b", "a.MD"])
def test_a_component_ends_in_md_or_txt(name: str) -> None:
    with pytest.raises(UserError, match=r"does not end in|contains a path"):
        names.component_name(name)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Docs/README.md", "docs/readme.MD"),
        ("caf\u00e9.md", "CAFE\u0301.md"),  # composed, and in two characters
        ("\u1fd3.md", "\u0390.md"),
        ("stra\u00dfe.md", "STRASSE.md"),
        ("a\u200cb.md", "ab.md"),
    ],
)
def test_names_that_some_file_system_takes_for_one_fold_to_one(one: str, other: str) -> None:
    assert names.folded(one) == names.folded(other)


@pytest.mark.parametrize(
    ("one", "other"), [("x\u00b2", "x2"), ("\uff21", "A"), ("\u2460", "1"), ("cafe", "caf\u00e9")]
)
def test_names_that_only_look_alike_stay_two(one: str, other: str) -> None:
    assert names.folded(one) != names.folded(other)


@pytest.mark.parametrize("path", ["../x", "a/../b", "/a", "a/", "a//b", ".git/x", "a/.git", "C:/x", "a\\b"])
def test_a_folder_path_stays_below_the_library(path: str) -> None:
    with pytest.raises(UserError):
        names.folder_path(path, "kind")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(max_size=80) | st.text(alphabet="./\\-a:~ \n\x00é", max_size=8))
def test_whatever_is_accepted_makes_exactly_one_file_in_its_folder(tmp_path: Path, name: str) -> None:
    try:
        accepted = names.file_name(name, "project")
    except UserError:
        return
    path = tmp_path / accepted
    path.write_text("x")
    assert [one.name for one in tmp_path.iterdir()] == [name]
    path.unlink()


@given(st.text(max_size=200))
def test_a_label_stands_on_one_line(name: str) -> None:
    try:
        label = names.label(name, "goal")
    except UserError:
        return
    assert label == name.strip() == name
    assert len(label.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("root_cause_analysis.md", "Root cause analysis"),
        ("ROOT_CAUSE_ANALYSIS", "Root cause analysis"),
        ("a-b  c.txt", "A b c"),
        ("API review", "API review"),
        ("", ""),
    ],
)
def test_a_title_is_the_name_as_people_write_it(name: str, title: str) -> None:
    assert names.title(name) == title
