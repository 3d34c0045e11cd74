"""`gitforge show --provenance`: everything about a generated component can be read back from git."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from llm_server import LlmServer, Say
from program import DESCRIBE, NAME, PERSONA, PROTOCOL, PURPOSE, gitforge

Git = Callable[..., str]
TEXT = "## Drill down\n\nAsk why, and test each answer.\n"


@pytest.fixture
def generated(incomplete: Path, llm: LlmServer) -> Path:
    llm.otherwise = Say(TEXT)
    assert gitforge("generate", NAME, *DESCRIBE, "--yes", cwd=incomplete).code == 0
    return incomplete


def test_model_purpose_commit_and_the_exact_prompt_are_told(
    generated: Path, llm: LlmServer, git: Git
) -> None:
    done = gitforge("show", NAME, "--provenance", "--json", cwd=generated).json
    assert (done["model"], done["purpose"], done["outline"]) == ("test-model", PURPOSE, False)
    assert done["commit"] == git("rev-parse", "HEAD", cwd=generated)
    assert done["messages"] == llm.requests[-1].json["messages"]
    shown = gitforge("show", NAME, "--provenance", cwd=generated).out
    for message in done["messages"]:
        assert message["content"] in shown
    assert "nobody: it was accepted unseen" in shown


def test_later_changes_do_not_hide_the_generation(generated: Path, git: Git) -> None:
    made = git("rev-parse", "HEAD", cwd=generated)
    (generated / PROTOCOL).write_text(TEXT + "\nMine.\n")
    git("commit", "-qam", "Polish it", cwd=generated)
    done = gitforge("show", NAME, "--provenance", "--json", cwd=generated).json
    assert done["commit"] == made
    assert [one["subject"] for one in done["changed_since"]] == ["Polish it"]


def test_a_component_that_people_wrote_has_no_generation(generated: Path) -> None:
    done = gitforge("show", PERSONA, "--provenance", cwd=generated)
    assert done.code == 0
    assert "people wrote it" in done.out


def test_a_goal_has_no_provenance(generated: Path) -> None:
    done = gitforge("show", "DIAGNOSE_ROOT_CAUSE", "--provenance", cwd=generated)
    assert (done.code, done.out) == (1, "")
    assert "is a goal" in done.err


def test_a_clone_gets_the_prompt_with_the_command_that_is_named(
    generated: Path, git: Git, tmp_path: Path
) -> None:
    git("clone", "-q", str(generated), "clone", cwd=tmp_path)
    done = gitforge("show", NAME, "--provenance", cwd=tmp_path / "clone")
    assert done.code == 0
    assert "not in this clone" in done.out
    assert "git fetch origin 'refs/gitforge/prompts/*:refs/gitforge/prompts/*'" in done.out
    git("fetch", "-q", "origin", "refs/gitforge/prompts/*:refs/gitforge/prompts/*", cwd=tmp_path / "clone")
    assert gitforge("show", NAME, "--provenance", "--json", cwd=tmp_path / "clone").json["messages"]


def test_a_prompt_that_was_exchanged_is_not_shown_as_the_one_that_was_sent(generated: Path, git: Git) -> None:
    (ref,) = git("for-each-ref", "--format=%(refname)", "refs/gitforge/", cwd=generated).splitlines()
    other = git("hash-object", "-w", "--stdin", cwd=generated, stdin=json.dumps([]))
    git("update-ref", ref, other, cwd=generated)
    done = gitforge("show", NAME, "--provenance", cwd=generated)
    assert done.code == 1
    assert "does not keep the prompt that it is named after" in done.err


def test_prompts_survive_garbage_collection(generated: Path, git: Git) -> None:
    git("gc", "-q", "--prune=now", cwd=generated)
    git("fsck", "--strict", cwd=generated)
    assert gitforge("show", NAME, "--provenance", "--json", cwd=generated).json["messages"]


def test_a_text_that_was_amended_says_that_it_is_not_the_generated_one(generated: Path, git: Git) -> None:
    before = gitforge("show", NAME, "--provenance", "--json", cwd=generated).json
    assert (before["edited"], before["amended"]) == (False, False)
    (generated / PROTOCOL).write_text("Mine.\n")
    git("commit", "-qa", "--amend", "--no-edit", cwd=generated)
    done = gitforge("show", NAME, "--provenance", "--json", cwd=generated).json
    assert (done["edited"], done["amended"], done["model"]) == (True, True, "test-model")
    assert done["changed_since"] == []
    told = gitforge("show", NAME, "--provenance", cwd=generated).out
    assert "amended or squashed" in told
    assert "nobody, as it is now" in told
    assert gitforge("show", NAME, "--json", cwd=generated).json["origin"]["trailers"] == {}


def test_a_text_that_came_back_has_the_generation_that_made_it(
    generated: Path, git: Git, llm: LlmServer
) -> None:
    made = git("rev-parse", "HEAD", cwd=generated)
    llm.queue(Say("## Drill down\n\nAnother text.\n"))
    assert gitforge("regenerate", NAME, "--yes", cwd=generated).code == 0
    git("revert", "--no-edit", "HEAD", cwd=generated)
    done = gitforge("show", NAME, "--provenance", "--json", cwd=generated).json
    assert (done["commit"], done["edited"], done["changed_since"]) == (made, False, [])


def test_a_renamed_component_keeps_its_provenance(generated: Path, git: Git) -> None:
    made = git("rev-parse", "HEAD", cwd=generated)
    git("mv", PROTOCOL, "library/protocols/rca.md", cwd=generated)
    git("commit", "-qm", "Shorter", cwd=generated)
    (generated / "library/protocols/rca.md").write_text(TEXT + "Mine.\n")
    git("commit", "-qam", "Polish", cwd=generated)
    done = gitforge("show", "rca", "--provenance", "--json", cwd=generated).json
    assert (done["commit"], done["edited"]) == (made, True)
    assert [one["subject"] for one in done["changed_since"]] == ["Polish", "Shorter"]


def test_who_approved_it_later_is_told(generated: Path, git: Git) -> None:
    blob = git("rev-parse", f"HEAD:{PROTOCOL}", cwd=generated)
    said = f"Approve\n\nComponent: {PROTOCOL}\nBlob: {blob}\nReviewed-by: Bob <bob@example.org>"
    git("commit", "-q", "--allow-empty", "-m", said, cwd=generated)
    done = gitforge("show", NAME, "--provenance", "--json", cwd=generated).json
    assert done["reviewers"] == ["Bob <bob@example.org>"]
