"""`gitforge goal add`: a goal and what was made for it are one commit, and goals.yaml stays as it was."""

from __future__ import annotations

import json
from collections.abc import Callable
from difflib import SequenceMatcher
from pathlib import Path

import pytest
from llm_server import LlmServer, Say, error, fail
from program import DESCRIBE, Done, build, files, gitforge

Git = Callable[..., str]

NEW = "REVIEW_CONTRACT"
PASS = "library/protocols/contract_pass.md"
USE = (
    *("--use", "persona=meticulous_auditor.md"),
    *("--use", "protocol=contract_pass.md"),
    *("--use", "constraint=cite_the_evidence.md"),
    *("--use", "constraint=severity_scale.md"),
)
ABOUT = ("--category", "Legal", "--description", "To find what binds, and whom.")
DESCRIBE_PASS = ("--describe", "contract_pass.md=Clause by clause.")


def add(root: Path, *arguments: str, **environment: str) -> Done:
    return gitforge("goal", "add", NEW, *arguments, cwd=root, **environment)


def head(git: Git, root: Path) -> str:
    return git("rev-parse", "HEAD", cwd=root)


def inserted(old: str, new: str) -> str:
    """The lines that are new; all that were there must be there still, in their order."""
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    steps = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    assert {step[0] for step in steps} <= {"equal", "insert"}, "lines were changed or moved"
    return "".join("".join(after[first:last]) for tag, _, _, first, last in steps if tag == "insert")


def test_a_goal_and_the_components_made_for_it_are_one_commit(
    workspace: Path, llm: LlmServer, git: Git
) -> None:
    llm.queue(Say("## Contract pass\n"))
    before, goals = head(git, workspace), (workspace / "goals.yaml").read_text()
    done = add(workspace, *ABOUT, *USE, *DESCRIBE_PASS, "--yes")
    assert done.code == 0, done.err
    assert git("rev-list", "--count", f"{before}..", cwd=workspace) == "1"
    changed = git("diff", "--name-status", before, "HEAD", cwd=workspace).split("\n")
    assert sorted(changed) == [f"A\t{PASS}", "M\tgoals.yaml"]
    assert git("status", "--porcelain", cwd=workspace) == ""
    new = """
  Legal:
    REVIEW_CONTRACT:
      description: To find what binds, and whom.
      persona: meticulous_auditor.md
      protocol: contract_pass.md
      constraints: [cite_the_evidence.md, severity_scale.md]
"""
    assert (workspace / "goals.yaml").read_text() == goals + new
    message = git("log", "-1", "--format=%B", cwd=workspace)
    assert message.startswith("Add goal REVIEW_CONTRACT\n\nTo find what binds, and whom.\n\n")
    trailers = git("interpret-trailers", "--parse", cwd=workspace, stdin=message).split("\n")
    assert trailers[:3] == [f"Goal: {NEW}", f"Component: {PASS}", "Assisted-by: gitforge:test-model"]
    assert trailers[3].startswith("Prompt-Id: sha256:")
    assert trailers[4:] == [f"Blob: {git('rev-parse', f'HEAD:{PASS}', cwd=workspace)}"]
    built = gitforge("build", "lease", "--goal", NEW, cwd=workspace)
    assert built.code == 0, built.err


def test_comments_order_quoting_and_spacing_stay(workspace: Path, git: Git) -> None:
    goals = workspace / "goals.yaml"
    text = goals.read_text().replace(
        "description: To find the underlying", "description:   'To find  the' # why\n      #", 1
    )
    text = text.replace("  Diagnosis:\n", "  # before a category\n  Diagnosis:   # beside it\n\n\n", 1)
    text += "\n# the end\n"
    goals.write_text(text)
    git("commit", "-qam", "My style", cwd=workspace)
    assert add(workspace, "--category", "Diagnosis", "--description", "x", *USE[:2], "--use",
               "protocol=code_review_pass.md").code == 0  # fmt: skip
    assert (
        inserted(text, goals.read_text())
        == """\
    REVIEW_CONTRACT:
      description: x
      persona: meticulous_auditor.md
      protocol: code_review_pass.md
"""
    )
    names = [one["name"] for one in gitforge("list", "--json", cwd=workspace).json]
    assert names.index(NEW) < names.index("AUDIT_CODE"), "it stands in its category"


EXISTING = (*USE[:2], "--use", "protocol=code_review_pass.md")


def test_edits_of_goals_yaml_that_are_staged_or_not_stay_and_are_not_recorded(
    workspace: Path, git: Git
) -> None:
    goals = workspace / "goals.yaml"
    original = goals.read_text()
    staged = original.replace("# The recipe book:", "# My recipe book:", 1)
    goals.write_text(staged)
    git("add", "goals.yaml", cwd=workspace)
    unstaged = staged.replace("version: 1\n", "version: 1  # unstaged\n", 1)
    goals.write_text(unstaged)
    before = head(git, workspace)
    done = add(workspace, *ABOUT, *EXISTING)
    assert done.code == 0, done.err
    new = """
  Legal:
    REVIEW_CONTRACT:
      description: To find what binds, and whom.
      persona: meticulous_auditor.md
      protocol: code_review_pass.md
"""
    assert git("show", "HEAD:goals.yaml", cwd=workspace) + "\n" == original + new
    assert git("show", ":goals.yaml", cwd=workspace) + "\n" == staged + new
    assert goals.read_text() == unstaged + new
    assert git("diff", "--name-status", before, "HEAD", cwd=workspace) == "M\tgoals.yaml"
    assert git("status", "--porcelain", cwd=workspace) == "MM goals.yaml"


def test_a_goal_that_is_there_already_is_a_conflict(workspace: Path, git: Git) -> None:
    before = head(git, workspace), files(workspace)
    done = gitforge("goal", "add", "AUDIT_CODE", *ABOUT, *EXISTING, cwd=workspace)
    assert done.code == 4
    assert "already has a goal 'AUDIT_CODE'" in done.err
    assert (head(git, workspace), files(workspace)) == before


def test_a_json_goals_file_stays_json(workspace: Path, git: Git) -> None:
    data = {
        "Technical": {
            "DIAGNOSE": {"description": "Why?", "persona": "digital_detective.md", "protocol": "premortem.md"}
        }
    }
    (workspace / "goals.yaml").write_text(json.dumps(data, indent=4) + "\n")
    git("commit", "-qam", "As JSON", cwd=workspace)
    done = add(workspace, *ABOUT, *EXISTING, "--use", "constraints=severity_scale.md")
    assert done.code == 0, done.err
    data["Legal"] = {
        NEW: {
            "description": "To find what binds, and whom.",
            "persona": "meticulous_auditor.md",
            "protocol": "code_review_pass.md",
            "constraints": ["severity_scale.md"],  # type: ignore[dict-item]
        }
    }
    assert (workspace / "goals.yaml").read_text() == json.dumps(data, indent=4) + "\n"
    assert git("status", "--porcelain", cwd=workspace) == ""


def test_line_ends_stay_as_they_are(workspace: Path, git: Git) -> None:
    goals = workspace / "goals.yaml"
    old = goals.read_bytes().replace(b"\n", b"\r\n")
    goals.write_bytes(old)
    git("commit", "-qam", "CRLF", cwd=workspace)
    assert add(workspace, *ABOUT, *EXISTING).code == 0
    new = goals.read_bytes()
    assert new.startswith(old)
    assert new[len(old) :].count(b"\r\n") == new[len(old) :].count(b"\n") == 6


def test_a_goals_file_that_is_not_committed_yet_is_in_the_way(workspace: Path, git: Git) -> None:
    git("rm", "-q", "--cached", "goals.yaml", cwd=workspace)
    git("commit", "-qm", "Untrack", cwd=workspace)
    before = head(git, workspace), files(workspace)
    done = add(workspace, *ABOUT, *EXISTING)
    assert done.code == 4
    assert "git add goals.yaml" in done.err
    assert (head(git, workspace), files(workspace)) == before


def test_a_goal_whose_component_is_left_out_is_recorded_as_incomplete(workspace: Path, git: Git) -> None:
    done = add(workspace, *ABOUT, *USE, "--describe", "contract_pass.md=", "--json")
    assert done.code == 3
    assert done.json == {
        "goal": NEW, "category": "Legal", "missing": ["protocols/contract_pass.md"],
        "generated": [], "skipped": [PASS], "failed": [],
        "spent": {"input_tokens": None, "output_tokens": None, "cost_usd": None},
    }  # fmt: skip
    assert git("show", "--name-only", "--format=%s", cwd=workspace) == f"Add goal {NEW}\n\ngoals.yaml"
    assert gitforge("list", "--missing", "--json", cwd=workspace).json[0]["name"] == NEW


def test_a_goal_whose_draft_fails_is_recorded_without_it(workspace: Path, llm: LlmServer, git: Git) -> None:
    llm.queue(fail(500, error("out of order"), x_should_retry="false"))
    done = add(workspace, *ABOUT, *USE, *DESCRIBE_PASS, "--yes")
    assert done.code == 5
    assert "out of order" in done.err
    assert git("show", "--name-only", "--format=%s", cwd=workspace) == f"Add goal {NEW}\n\ngoals.yaml"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((NEW,), 2),
        ((), 2),
        ((NEW, *ABOUT), 1),
        ((NEW, *ABOUT, "--use", "persona"), 1),
        ((NEW, *ABOUT, *EXISTING, "--use", "exmaple=a.md"), 1),
        ((NEW, *ABOUT, *EXISTING, "--use", "constraint=../../x.md"), 1),
        ((NEW, *ABOUT, *EXISTING, "--use", "constraint=.git/config.md"), 1),
        (("A\nB", *ABOUT, *EXISTING), 1),
        ((NEW, "--category", "", "--description", "x", *EXISTING), 1),
        ((NEW, *ABOUT, *EXISTING, "--use", "persona=line_editor.md"), 1),
    ],
)
def test_what_cannot_be_a_goal_is_refused_and_nothing_happens(
    workspace: Path, git: Git, arguments: tuple[str, ...], code: int
) -> None:
    before = head(git, workspace), files(workspace)
    done = gitforge("goal", "add", *arguments, cwd=workspace)
    assert done.code == code, done.err
    assert "Traceback" not in done.err
    assert (head(git, workspace), files(workspace)) == before


def test_a_new_goal_without_new_components_needs_no_provider(workspace: Path, git: Git) -> None:
    git("config", "gitforge.provider", "no-such-provider", cwd=workspace)
    assert add(workspace, *ABOUT, *EXISTING).code == 0
    assert build(workspace, *DESCRIBE).code == 0
