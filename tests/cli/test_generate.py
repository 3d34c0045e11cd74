"""`gitforge generate`: the same generation and commits as in a build, without a toolkit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from llm_server import LlmServer, Say, about, error, fail
from program import CONSTRAINT, DESCRIBE, GOAL, NAME, PERSONA, PROTOCOL, PURPOSE, files, gitforge

Git = Callable[..., str]

STOP = fail(500, error("out of order"), x_should_retry="false")


@pytest.fixture
def lacking(incomplete: Path, git: Git) -> Path:
    """A workspace without two components of DIAGNOSE_ROOT_CAUSE, one of which other goals use too."""
    git("rm", "-q", CONSTRAINT, cwd=incomplete)
    git("commit", "-qm", "Drop another", cwd=incomplete)
    return incomplete


def changes(git: Git, root: Path, before: str) -> list[str]:
    listed = git("log", "--reverse", "--name-status", "--no-renames", "--format=", f"{before}..", cwd=root)
    return [line for line in listed.split("\n") if line]


def head(git: Git, root: Path) -> str:
    return git("rev-parse", "HEAD", cwd=root)


@pytest.mark.parametrize("name", [NAME, f"protocols/{NAME}", PROTOCOL, Path(NAME).stem])
def test_a_component_is_named_by_its_file_its_folder_is_optional(lacking: Path, git: Git, name: str) -> None:
    before = head(git, lacking)
    done = gitforge("generate", name, *DESCRIBE, "--yes", cwd=lacking)
    assert done.code == 0, done.err
    assert changes(git, lacking, before) == [f"A\t{PROTOCOL}"]
    assert f"\nGoal: {GOAL}\n" in git("log", "-1", "--format=%B", cwd=lacking)
    assert not (lacking / "output").exists()
    assert done.out == ""


def test_a_goal_gets_everything_that_it_misses_each_as_its_own_commit(lacking: Path, git: Git) -> None:
    before = head(git, lacking)
    describe = (*DESCRIBE, "--describe", "principle_of_completeness.md=Nothing is left out.")
    assert gitforge("generate", "--goal", GOAL, *describe, "--yes", cwd=lacking).code == 0
    assert changes(git, lacking, before) == [f"A\t{PROTOCOL}", f"A\t{CONSTRAINT}"]
    assert head(git, lacking) != before
    again = gitforge("generate", "--goal", GOAL, cwd=lacking)
    assert again.code == 0
    assert "Nothing is missing." in again.err
    assert len(changes(git, lacking, before)) == 2


def test_all_makes_what_any_goal_misses(lacking: Path, git: Git) -> None:
    before = head(git, lacking)
    describe = (*DESCRIBE, "--describe", "principle_of_completeness.md=Nothing is left out.")
    assert gitforge("generate", "--all", *describe, "--no-review", cwd=lacking).code == 0
    assert sorted(changes(git, lacking, before)) == [f"A\t{CONSTRAINT}", f"A\t{PROTOCOL}"]
    assert gitforge("list", "--missing", "--json", cwd=lacking).json == []


def test_a_component_that_no_goal_names_is_made_where_its_folder_is_said(workspace: Path, git: Git) -> None:
    before = head(git, workspace)
    done = gitforge(
        "generate", "protocols/bisect.md", "--describe", "bisect.md=Halve it.", "--yes", cwd=workspace
    )
    assert done.code == 0, done.err
    assert changes(git, workspace, before) == ["A\tlibrary/protocols/bisect.md"]
    trailers = git("log", "-1", "--format=%(trailers:key=Goal)", cwd=workspace)
    assert trailers.strip() == "", "it was made for no goal in particular"


def test_a_component_that_is_there_is_left_alone(workspace: Path, git: Git) -> None:
    before = head(git, workspace), files(workspace)
    done = gitforge("generate", NAME, *DESCRIBE, "--yes", cwd=workspace)
    assert done.code == 0
    assert (head(git, workspace), files(workspace)) == before


def test_a_name_that_two_kinds_share_needs_its_folder(lacking: Path, git: Git) -> None:
    goals = lacking / "goals.yaml"
    goals.write_text(goals.read_text().replace(
        "constraints: [principle_of_completeness.md]", f"constraints: [{NAME}]", 1))  # fmt: skip
    done = gitforge("generate", NAME, "--describe", f"{NAME}=x", "--yes", cwd=lacking)
    assert done.code == 1
    assert f"protocols/{NAME} or constraints/{NAME}" in done.err
    before = head(git, lacking)
    path = f"constraints/{NAME}"
    done = gitforge("generate", path, "--describe", f"{path}=A rule.", "--yes", cwd=lacking)
    assert done.code == 0, done.err
    assert changes(git, lacking, before) == [f"A\tlibrary/{path}"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), 2),
        (("--all", "--goal", GOAL), 2),
        ((NAME, "--all"), 2),
        (("--goal", "NO_SUCH_GOAL"), 1),
        (("no_such_component.md",), 1),
        (("../../etc/passwd",), 1),
        (("protocols/../../x.md",), 1),
        (("protocols/-rf",), 1),
        (("protocols/.git/config",), 1),
        (("protocols/a\nb.md",), 1),
        ((f"protocols/{'x' * 300}.md",), 1),
        ((NAME, "--describe", "root_cause"), 1),
        ((NAME, "--describe", "no_such_component.md=x"), 1),
    ],
)
def test_what_cannot_be_meant_is_refused_and_nothing_happens(
    lacking: Path, git: Git, arguments: tuple[str, ...], code: int
) -> None:
    before = head(git, lacking), files(lacking)
    done = gitforge("generate", "--yes", *arguments, cwd=lacking)
    assert done.code == code, done.err
    assert "hint: " in done.err
    assert "Traceback" not in done.err
    assert (head(git, lacking), files(lacking)) == before


def test_a_misspelt_name_gets_a_suggestion(lacking: Path) -> None:
    done = gitforge("generate", "root_cause_analysis_drildown.md", cwd=lacking)
    assert done.code == 1
    assert f"Did you mean 'protocols/{NAME}'?" in done.err or f"Did you mean '{NAME}'?" in done.err


def test_an_empty_purpose_leaves_a_component_out_and_says_so(lacking: Path, git: Git) -> None:
    before = head(git, lacking)
    describe = (*DESCRIBE, "--describe", "principle_of_completeness.md=")
    done = gitforge("generate", "--goal", GOAL, *describe, "--yes", "--json", cwd=lacking)
    assert done.code == 3
    assert changes(git, lacking, before) == [f"A\t{PROTOCOL}"]
    assert done.json["skipped"] == [CONSTRAINT]


def test_the_json_tells_what_became_of_each(lacking: Path, llm: LlmServer, git: Git) -> None:
    llm.otherwise = about({PURPOSE: STOP, "Nothing is left out": Say("### Completeness\n")})
    describe = (*DESCRIBE, "--describe", "principle_of_completeness.md=Nothing is left out.")
    done = gitforge("generate", "--goal", GOAL, *describe, "--yes", "--json", cwd=lacking)
    assert done.code == 5
    result = done.json
    assert [(one["path"], one["state"]) for one in result["components"]] == [
        (PERSONA, "ready"), (PROTOCOL, "missing"), (CONSTRAINT, "ready"),
    ]  # fmt: skip
    (made,) = result["generated"]
    assert (made["path"], made["commit"]) == (CONSTRAINT, head(git, lacking))
    assert [one["path"] for one in result["failed"]] == [PROTOCOL]
    assert result["skipped"] == []


def test_a_dry_run_shows_what_the_server_would_be_asked(lacking: Path, llm: LlmServer, git: Git) -> None:
    before = head(git, lacking)
    dry = gitforge("generate", NAME, *DESCRIBE, "--yes", "--dry-run", "--json", cwd=lacking)
    assert dry.code == 0
    assert llm.requests == []
    assert head(git, lacking) == before
    llm.queue(Say("## Drill down\n"))
    assert gitforge("generate", NAME, *DESCRIBE, "--yes", cwd=lacking).code == 0
    (step,) = dry.json["would_generate"]
    assert step["messages"] == llm.requests[0].json["messages"]
    assert PURPOSE in step["commit"]
    assert (step["provider"], step["model"], step["path"]) == ("openai", "test-model", PROTOCOL)


def test_the_prompt_has_the_goal_its_other_components_and_examples_of_the_kind(
    incomplete: Path, llm: LlmServer
) -> None:
    llm.queue(Say("## Drill down\n"))
    assert gitforge("generate", NAME, *DESCRIBE, "--yes", cwd=incomplete).code == 0
    prompt = llm.requests[0].prompt
    assert PURPOSE in prompt
    assert "To find the underlying cause of a problem" in prompt
    for sibling in (PERSONA, CONSTRAINT):
        body = (incomplete / sibling).read_text().rpartition("---\n")[2].strip()
        assert body in prompt
    protocols = [
        p.read_text().rpartition("---\n")[2].strip() for p in (incomplete / PROTOCOL).parent.iterdir()
    ]
    assert sum(body in prompt for body in protocols) == 2


def test_the_same_command_can_be_given_twice(incomplete: Path) -> None:
    command = (
        "generate",
        "protocols/again.md",
        "--describe",
        "again.md=Once.",
        "--yes",
        "--provider",
        "offline",
    )
    assert gitforge(*command, cwd=incomplete).code == 0
    done = gitforge(*command, cwd=incomplete)
    assert (done.code, "Nothing is missing." in done.err) == (0, True)
