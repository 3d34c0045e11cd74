"""`gitforge regenerate`: a component written anew, compared with what is there, as one commit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from llm_server import LlmServer, Say
from program import DESCRIBE, NAME, PERSONA, PROTOCOL, PURPOSE, gitforge
from terminal import Terminal

Git = Callable[..., str]
TEXT = "## Drill down\n\n1. Ask why.\n"
BETTER = "## Drill down\n\n1. Ask why, and test the answer.\n"


@pytest.fixture
def generated(incomplete: Path, llm: LlmServer) -> Path:
    llm.queue(Say(TEXT))
    assert gitforge("generate", NAME, *DESCRIBE, "--yes", cwd=incomplete).code == 0
    return incomplete


def test_the_model_sees_the_text_and_the_feedback_and_the_draft_is_one_commit(
    generated: Path, llm: LlmServer, git: Git
) -> None:
    llm.queue(Say(BETTER))
    (generated / PERSONA).write_text("Mine.\n")
    done = gitforge("regenerate", NAME, "--feedback", "Test each answer.", "--yes", cwd=generated)
    assert done.code == 0, done.told
    assert "-1. Ask why.\n+1. Ask why, and test the answer." in done.err
    prompt = llm.requests[-1].prompt
    assert "<draft>\n## Drill down\n\n1. Ask why.\n</draft>" in prompt
    assert "Test each answer." in prompt
    assert PURPOSE in prompt, "it is known from the first commit"
    assert git("log", "-1", "--format=%s", cwd=generated) == f"Regenerate protocol {Path(NAME).stem}"
    assert git("show", "--format=", "--name-status", "HEAD", cwd=generated) == f"M\t{PROTOCOL}"
    assert (generated / PROTOCOL).read_text() == BETTER
    assert git("status", "--porcelain", cwd=generated) == f" M {PERSONA}"
    assert gitforge("show", NAME, "--provenance", "--json", cwd=generated).json["purpose"] == PURPOSE


def test_an_outline_is_upgraded_by_a_model_that_begins_anew(incomplete: Path, llm: LlmServer) -> None:
    made = gitforge("generate", NAME, *DESCRIBE, "--yes", "--provider", "offline", cwd=incomplete)
    assert made.code == 0
    llm.queue(Say(TEXT))
    done = gitforge("regenerate", NAME, "--yes", cwd=incomplete)
    assert done.code == 0, done.told
    assert "<draft>" not in llm.requests[-1].prompt
    assert PURPOSE in llm.requests[-1].prompt
    assert (incomplete / PROTOCOL).read_text() == TEXT


def test_front_matter_stays(generated: Path, llm: LlmServer, git: Git) -> None:
    head = "---\nname: drill\ndescription: To drill.\n---\n\n"
    (generated / PROTOCOL).write_text(head + TEXT)
    git("commit", "-qam", "Name it", cwd=generated)
    llm.queue(Say(BETTER))
    assert gitforge("regenerate", NAME, "--yes", cwd=generated).code == 0
    assert (generated / PROTOCOL).read_text() == head + BETTER


@pytest.mark.parametrize("how", ["edited", "staged", "deleted"])
def test_what_is_not_as_the_last_commit_has_it_is_never_replaced(
    generated: Path, llm: LlmServer, git: Git, how: str
) -> None:
    file = generated / PROTOCOL
    file.unlink() if how == "deleted" else file.write_text("Mine.\n")
    if how == "staged":
        git("add", PROTOCOL, cwd=generated)
    done = gitforge("regenerate", NAME, "--yes", cwd=generated)
    assert done.code == 4, done.told
    assert PROTOCOL in done.err
    assert len(llm.requests) == 1


def test_what_is_changed_while_the_model_writes_stays_and_the_draft_is_kept(
    generated: Path, llm: LlmServer
) -> None:
    llm.queue(Say(BETTER))
    with Terminal("regenerate", NAME, cwd=generated) as terminal:
        terminal.wait_for("Record this protocol?")
        (generated / PROTOCOL).write_text("Mine.\n")
        terminal.enter("a")
        assert terminal.ended() == 4
    assert (generated / PROTOCOL).read_text() == "Mine.\n"
    (kept,) = gitforge("drafts", "--json", cwd=generated).json["drafts"]
    assert kept["path"] == PROTOCOL


def test_without_a_model_nothing_is_made_worse(workspace: Path) -> None:
    done = gitforge("regenerate", PERSONA, "--yes", cwd=workspace)
    assert (done.code, done.out) == (1, "")
    assert "OPENAI_API_KEY" in done.err


def test_a_missing_component_is_for_generate(incomplete: Path, llm: LlmServer) -> None:
    done = gitforge("regenerate", NAME, "--yes", cwd=incomplete)
    assert done.code == 1
    assert f"gitforge generate protocols/{NAME}" in done.err


def test_a_dry_run_prints_what_would_be_sent(generated: Path, llm: LlmServer) -> None:
    dry = gitforge("regenerate", NAME, "--feedback", "Shorter.", "--dry-run", "--json", cwd=generated).json
    llm.queue(Say(BETTER))
    assert gitforge("regenerate", NAME, "--feedback", "Shorter.", "--yes", cwd=generated).code == 0
    (step,) = dry["would_regenerate"]
    assert step["messages"] == llm.requests[-1].json["messages"]


def test_without_a_terminal_somebody_has_to_accept(generated: Path, llm: LlmServer) -> None:
    assert gitforge("regenerate", NAME, cwd=generated).code == 2
    assert len(llm.requests) == 1


def test_the_same_text_again_is_no_commit(generated: Path, llm: LlmServer, git: Git) -> None:
    before = git("rev-parse", "HEAD", cwd=generated)
    llm.queue(Say(TEXT))
    done = gitforge("regenerate", NAME, "--yes", cwd=generated)
    assert done.code == 0, done.told
    assert git("rev-parse", "HEAD", cwd=generated) == before
    assert "as it was" in done.err


def test_without_a_purpose_it_is_asked_for_and_not_passed_over(
    generated: Path, llm: LlmServer, git: Git
) -> None:
    (generated / "library/personas/handmade.md").write_text("You listen.\n")
    git("add", "library", cwd=generated)
    git("commit", "-qm", "By hand", cwd=generated)
    done = gitforge("regenerate", "handmade.md", "--yes", cwd=generated)
    assert done.code in {0, 2}
    assert (done.code == 2) is ("--describe handmade.md" in done.err)
    assert done.code == 2 or git("log", "-1", "--format=%s", cwd=generated) == "Regenerate persona handmade"


def test_the_goal_is_the_first_that_uses_it(generated: Path, llm: LlmServer, git: Git) -> None:
    dry = gitforge(
        "regenerate", PERSONA, "--describe", "digital_detective.md=Detect", "--dry-run", cwd=generated
    )
    assert "Diagnose root cause" in dry.out
    assert "Reproduce bug" not in dry.out
