"""`check` finds what would break a build or hide from a reviewer, and changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from making import GOALS, make_workspace
from program import files

from gitforge import starter
from gitforge.check import check
from gitforge.components import MAX_BYTES
from gitforge.errors import Problem
from gitforge.workspace import Workspace


def findings(workspace: Workspace) -> list[Problem]:
    before = files(workspace.root)
    found = check(workspace)
    assert files(workspace.root) == before
    return found


def only(workspace: Workspace) -> Problem:
    (problem,) = findings(workspace)
    return problem


def test_a_good_workspace_has_no_findings(tmp_path: Path) -> None:
    assert findings(make_workspace(tmp_path / "work")) == []


def test_the_starter_library_has_no_findings() -> None:
    assert check(Workspace(starter.directory())) == []


@pytest.mark.parametrize(
    ("old", "new", "line", "words", "hint"),
    [
        ("version: 1", "versoin: 1", 1, "unknown key 'versoin'", "Did you mean 'version'?"),
        ("constraints:", "constraint:", 8, "unknown key 'constraint'", "Did you mean 'constraints'?"),
        ("constraints:", "zebras:", 8, "unknown key 'zebras'", "The kinds have the keys"),  # an unknown kind
        ("persona: p.md", "persona: 5", 6, "must be text", "quotes"),
        ("version: 1", "version: one", 1, "'version' must be 1, but is 'one'", None),
        ("      persona: p.md\n", "      persona: p.md\n      persona: p.md\n", 7,
         "duplicate key 'persona'", "Rename"),
        ("  Category:\n",
         "  Other:\n    GOAL: {description: d, persona: p.md, protocol: x.md}\n  Category:\n",
         6,
         "goal 'GOAL' already stands in 'Other', line 4", "another name"),
        ("persona: p.md", "persona: ../../etc/passwd.md", 6, "component name", "Use letters"),
        ("persona: p.md", "persona: ../p.md", 6, "component name", "Use letters"),
        ("version: 1", "kinds: {persona: {folder: ../..}}", 1, "folder", "Use letters"),
        ("version: 1", "outputs: {A.md: ../../x}", 1, "template", "Use letters"),
        ("      persona: p.md\n", "", 4, "has no persona", "Add `persona:"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_goals_yaml_is_found_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, words: str, hint: str | None
) -> None:
    assert old in GOALS
    found = findings(make_workspace(tmp_path / "work", GOALS.replace(old, new, 1)))
    matching = [one for one in found if words in one.message]
    assert matching, found
    assert (matching[0].file, matching[0].line, matching[0].severity) == ("goals.yaml", line, "error")
    assert hint is None or hint in (matching[0].hint or "")


def test_hidden_characters_in_goals_yaml_are_found(tmp_path: Path) -> None:
    goals = GOALS.replace("To try it.", "To \u202etry\u202c it.")
    assert [(one.file, one.line) for one in findings(make_workspace(tmp_path / "work", goals))] == [
        ("goals.yaml", 5),
        ("goals.yaml", 5),
    ]


def test_a_byte_order_mark_and_crlf_in_goals_yaml_are_no_finding(tmp_path: Path) -> None:
    goals = "\ufeff" + GOALS.replace("\n", "\r\n")
    assert findings(make_workspace(tmp_path / "work", goals)) == []


@pytest.mark.parametrize("goals", ["", "- a\n", "goals: [", "goals:\n\tx: 1\n"])
def test_where_goals_yaml_cannot_be_used_only_its_own_problems_are_told(tmp_path: Path, goals: str) -> None:
    problem = only(make_workspace(tmp_path / "work", goals, {"personas/bad.md": b"\xff"}))
    assert problem.file == "goals.yaml"


def test_a_missing_component_is_found_once_with_the_line_that_names_it(tmp_path: Path) -> None:
    goals = (
        GOALS
        + "    SECOND: {description: d, persona: p.md, protocol: none.md}\n"
        + "    THIRD: {description: d, persona: p.md, protocol: none.md}\n"
    )
    problem = only(make_workspace(tmp_path / "work", goals))
    assert str(problem) == "goals.yaml:9: the goal SECOND needs library/protocols/none.md, which is missing"
    assert problem.hint == "Generate it: `gitforge generate protocols/none.md`."


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        (b"", None, "is empty"),
        (b"one\ntwo\xff\n", 2, "is not UTF-8 text"),
        (b"x" * (MAX_BYTES + 1), None, "is larger than"),
        (b"one\n\x1b[31mred\n", 2, "U+001B"),
        ("one\ntw\u200bo\n".encode(), 2, "U+200B ZERO WIDTH SPACE in column 3"),
        ("one \U000e0041\n".encode(), 1, "U+E0041"),
    ],
)
def test_a_bad_component_is_found(tmp_path: Path, content: bytes, line: int | None, words: str) -> None:
    problem = only(make_workspace(tmp_path / "work", library={"personas/p.md": content}))
    assert (problem.file, problem.line, problem.severity) == ("library/personas/p.md", line, "error")
    assert words in problem.message


@pytest.mark.parametrize("part", ["library/personas", "library/personas/p.md", "library"])
def test_a_path_that_leaves_the_workspace_is_found(tmp_path: Path, part: str) -> None:
    workspace = make_workspace(tmp_path / "work")
    (workspace.root / part).rename(tmp_path / "outside")
    (workspace.root / part).symlink_to(tmp_path / "outside")
    found = check(workspace)
    assert any("is a symbolic link that leads out of the workspace" in one.message for one in found)
    assert all(one.severity == "error" and one.file.startswith("library") for one in found)
    assert len(found) == len({(one.file, one.message) for one in found})


def test_a_component_that_no_goal_uses_is_a_warning(tmp_path: Path) -> None:
    problem = only(make_workspace(tmp_path / "work", library={"constraints/spare.md": "Spare."}))
    assert str(problem) == "library/constraints/spare.md: no goal uses this component"
    assert problem.severity == "warning"


def test_what_can_be_no_component_is_a_warning(tmp_path: Path) -> None:
    workspace = make_workspace(
        tmp_path / "work", library={"personas/notes.json": "{}", "personas/sub/a.md": "a"}
    )
    (workspace.root / "library/personas/gone.md").symlink_to("nowhere.md")
    found = {one.file: one for one in findings(workspace)}
    assert {file: one.message for file, one in found.items()} == {
        "library/personas/notes.json": "is no .md or .txt file, so no component",
        "library/personas/sub": "is a folder, so no component",
        "library/personas/gone.md": "is a broken link, so no component",
    }
    assert {one.severity for one in found.values()} == {"warning"}


def test_names_that_differ_in_case_only_are_found(tmp_path: Path) -> None:
    goals = GOALS.replace("[c.md, d.md]", "[c.md, d.md, C.md]")
    workspace = make_workspace(tmp_path / "work", goals, {"constraints/C.md": "big"})
    if len(workspace.library.names(workspace.book().kinds["constraint"])) < 3:
        pytest.skip("this file system does not tell upper and lower case apart")
    problem = only(workspace)
    assert problem.file == "library/constraints/c.md"
    assert "differs from C.md in upper and lower case only" in problem.message


def test_a_file_with_a_name_that_no_component_can_have_is_found(tmp_path: Path) -> None:
    workspace = make_workspace(
        tmp_path / "work", library={"constraints/-rf.md": "x", "constraints/a\nb.md": "x"}
    )
    errors = [one for one in findings(workspace) if one.severity == "error"]
    assert sorted(one.file for one in errors) == ["library/constraints/-rf.md", "library/constraints/a\nb.md"]


@pytest.mark.parametrize(
    ("source", "line", "words"),
    [
        ("ok\n{% if %}", 2, "does not compile"),
        ("{{ '", 1, "does not compile"),
        ("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}", None, "nested too deeply"),
        ("a\nb \u202e c", 2, "the hidden character U+202E"),
    ],
)
@pytest.mark.parametrize("folder", ["templates", "generators"])
def test_a_bad_template_is_found(
    tmp_path: Path, folder: str, source: str, line: int | None, words: str
) -> None:
    problem = only(make_workspace(tmp_path / "work", library={f"{folder}/t.md": source}))
    assert (problem.file, problem.line, problem.severity) == (f"library/{folder}/t.md", line, "error")
    assert words in problem.message


def test_an_output_without_its_template_is_found(tmp_path: Path) -> None:
    goals = GOALS.replace("version: 1", "outputs: {A.md: templates/none.md}")
    problem = only(make_workspace(tmp_path / "work", goals))
    assert problem.message == "the output A.md is laid out by library/templates/none.md, which is missing"


def test_a_workspace_without_a_library_lacks_every_component(tmp_path: Path) -> None:
    (tmp_path / "goals.yaml").write_text(GOALS)
    assert [one.line for one in findings(Workspace(tmp_path))] == [6, 7, 8, 8]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [("base.md", "hello", "has no block 'system'"), ("persona.md", "{{ purpos }}", "'purpos' is undefined")],
)
def test_a_generator_from_which_no_prompt_can_be_made_is_found(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    workspace = make_workspace(tmp_path / "w", library={f"generators/{name}": text})
    found = [problem for problem in check(workspace) if said in problem.message]
    assert found
    assert all(problem.file.startswith("library/generators/") for problem in found)
