"""What a draft has to be like: files of rules, one laid over the other, and what can be wrong in them."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest
import yaml
from making import make_workspace

from gitforge import starter
from gitforge.check import check
from gitforge.drafting.rules import MAX_PHRASES, Rules, load, problems
from gitforge.errors import InvalidFile, UserError
from gitforge.templates import Templates

DEFAULT = "generators/default.rules.yaml"
PERSONA = "generators/persona.rules.yaml"


def loaded(tmp_path: Path, kind: str = "persona", **files: str) -> Rules:
    named = {f"generators/{name}.rules.yaml": text for name, text in files.items()}
    return load(Templates(make_workspace(tmp_path / "w", library=dict(named))), kind)


def test_a_library_without_rules_has_those_of_gitforge(tmp_path: Path) -> None:
    persona, other = loaded(tmp_path), loaded(tmp_path / "2", kind="unheard_of")
    own = yaml.safe_load((starter.library() / PERSONA).read_text("utf-8"))
    assert (persona.min_words, persona.max_words) == (own["min_words"], own["max_words"])
    assert persona.refusals == other.refusals != ()
    assert persona.headings is None
    assert other.must_contain == ()


def test_a_file_says_only_what_is_different(tmp_path: Path) -> None:
    rules = loaded(tmp_path, default="min_words: 7\nforbid: [gibberish]\n", persona="min_words: 8\n")
    assert rules.min_words == 8
    assert rules.forbid == ("gibberish",)
    assert rules.max_words == loaded(tmp_path / "2").max_words


def test_what_a_library_says_of_all_kinds_stands_above_what_gitforge_says_of_one(tmp_path: Path) -> None:
    assert loaded(tmp_path, default="min_words: 7\n").min_words == 7


def test_headings_are_a_list_or_those_of_the_outline(tmp_path: Path) -> None:
    assert loaded(tmp_path, default="headings: [Inputs]").headings == ("Inputs",)
    assert loaded(tmp_path / "2", default="headings: []", persona="headings: outline").headings is None


def test_gitforges_own_default_explains_every_rule(tmp_path: Path) -> None:
    explained = yaml.safe_load((starter.library() / DEFAULT).read_text("utf-8"))
    assert list(explained) != []
    assert set(explained) == {field.name for field in fields(Rules)}


@pytest.mark.parametrize(
    ("source", "line", "message", "hint"),
    [
        ("retry: true\nmin_word: 3", 2, "unknown rule 'min_word'", "Did you mean 'min_words'?"),
        ("zzz: 3", 1, "unknown rule 'zzz'", "The rules are retry,"),
        ("min_words: many", 1, "'min_words' must be a whole number, 0 to 100000", None),
        ("min_words: true", 1, "'min_words' must be a whole number", None),
        ("alike: 0", 1, "'alike' must be a whole number, 1 to 100", None),
        ("retry: sometimes", 1, "'retry' must be true or false", None),
        ("forbid: TODO", 1, "'forbid' must be a list of phrases", "[first phrase, second phrase]"),
        ("headings: all", 1, "'headings' must be a list, or `outline`", None),
        (
            "forbid:\n  - one\n  - 2",
            3,
            "'forbid' has something that is not text",
            "Put quotes around it.",
        ),
        ("forbid: ['...']", 1, "'forbid' has a phrase that is empty", None),
        (f"forbid: [{'x' * 201}]", 1, "longer than 200 characters", None),
        (f"forbid: [{'x, ' * (MAX_PHRASES + 1)}]", 1, f"{MAX_PHRASES} are allowed", None),
        ("min_words: 9\nmax_words: 8", 2, "min_words is 9, and max_words only 8", None),
        ("- a", 1, "must be a mapping of rules", None),
        ("a: [}", 1, "is not YAML", None),
        ("alike: 50\nalike: 60", 2, "duplicate key 'alike'", None),
    ],
)
def test_what_is_wrong_is_said_with_file_and_line(
    tmp_path: Path, source: str, line: int, message: str, hint: str | None
) -> None:
    workspace = make_workspace(tmp_path / "w", library={PERSONA: source})
    with pytest.raises(InvalidFile) as refused:
        load(Templates(workspace), "persona")
    problem = refused.value.problems[0]
    assert (problem.file, problem.line) == (f"library/{PERSONA}", line)
    assert message in problem.message
    assert hint is None or hint in str(problem.hint)
    assert list(problems(workspace.library.folder / PERSONA, f"library/{PERSONA}")) == list(
        refused.value.problems
    )
    assert problem in check(workspace)


def test_every_problem_of_a_file_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile) as refused:
        loaded(tmp_path, persona="alike: 0\nretry: 1\nzebra: 2\n")
    assert [problem.line for problem in refused.value.problems] == [1, 2, 3]


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    assert loaded(tmp_path, persona="# nothing yet\n") == loaded(tmp_path / "2")


def test_a_file_that_nobody_wrote_by_hand_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match="larger than 64 KiB"):
        loaded(tmp_path, persona="#" * 70_000)


def test_a_file_that_is_a_link_out_of_the_workspace_is_refused(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w", library={PERSONA: ""})
    (tmp_path / "elsewhere.yaml").write_text("min_words: 1\n")
    path = workspace.library.folder / PERSONA
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere.yaml")
    with pytest.raises(UserError, match="leads out of the workspace"):
        load(Templates(workspace), "persona")


def test_check_finds_rules_for_a_kind_that_does_not_exist(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w", library={"generators/personna.rules.yaml": "alike: 50\n"})
    (problem,) = check(workspace)
    assert (problem.severity, problem.message) == ("warning", "there is no kind 'personna'")
    assert problem.hint == "Did you mean 'persona'?"


def test_check_finds_a_hidden_character_in_rules(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w", library={PERSONA: "alike: 50 # a\u202eb\n"})
    (problem,) = check(workspace)
    assert "U+202E" in problem.message
