"""`gitforge regenerate` keeps what people changed since the last draft, and asks where both changed the same lines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from llm_server import LlmServer, Say
from program import DESCRIBE, NAME, PROTOCOL, gitforge
from terminal import Terminal

Git = Callable[..., str]
TEXT = "## Drill down\n\n1. Ask why.\n2. Test the answer.\n3. Ask again.\n4. Stop at the cause.\n"
MINE = TEXT.replace("4. Stop at the cause.", "4. Stop at a cause that you can switch.")
NEW = TEXT.replace("1. Ask why.", "1. Ask why it happened.")
MERGED = NEW.replace("4. Stop at the cause.", "4. Stop at a cause that you can switch.")
CLASHING = TEXT.replace("4. Stop at the cause.", "4. Stop when it is proven.")


@pytest.fixture
def edited(incomplete: Path, llm: LlmServer, git: Git) -> Path:
    """A component that a model wrote and a person has changed since, by plain git."""
    llm.queue(Say(TEXT))
    assert gitforge("generate", NAME, *DESCRIBE, "--yes", cwd=incomplete).code == 0
    (incomplete / PROTOCOL).write_text(MINE)
    git("commit", "-qam", "Say what a cause is", cwd=incomplete)
    return incomplete


def text_of(root: Path) -> str:
    return (root / PROTOCOL).read_text()


def test_a_draft_that_forgets_an_edit_is_merged_with_it(edited: Path, llm: LlmServer, git: Git) -> None:
    llm.queue(Say(NEW))
    done = gitforge("regenerate", NAME, "--feedback", "Say what happened.", "--yes", cwd=edited)
    assert done.code == 0, done.told
    assert text_of(edited) == MERGED
    trailers = git("log", "-1", "--format=%(trailers)", cwd=edited)
    assert "Assisted-by: gitforge:" in trailers
    assert "Edited-by: " in trailers


def test_edits_are_kept_through_one_regeneration_after_the_other(edited: Path, llm: LlmServer) -> None:
    for answer in (NEW, NEW.replace("2. Test", "2. Check"), NEW.replace("1. Ask", "1. Wonder")):
        llm.queue(Say(answer))
        assert gitforge("regenerate", NAME, "--feedback", "Other words.", "--yes", cwd=edited).code == 0
        assert "4. Stop at a cause that you can switch." in text_of(edited)
    assert "1. Wonder" in text_of(edited)
    assert "2. Check" not in text_of(edited), "the last draft took that back"


def test_what_was_edited_before_it_was_recorded_is_kept_too(incomplete: Path, llm: LlmServer) -> None:
    llm.queue(Say(TEXT))
    editor = f"sed -i 's/{'4. Stop at the cause.'}/4. Stop where I say./'"
    with Terminal("generate", NAME, *DESCRIBE, cwd=incomplete, EDITOR=editor) as terminal:
        terminal.wait_for("Record this protocol?")
        terminal.enter("e")
        terminal.wait_for("+4. Stop where I say.")
        terminal.enter("a")
        assert terminal.ended() == 0
    llm.queue(Say(NEW))
    assert gitforge("regenerate", NAME, "--feedback", "More.", "--yes", cwd=incomplete).code == 0
    assert text_of(incomplete) == NEW.replace("4. Stop at the cause.", "4. Stop where I say.")


def test_front_matter_is_no_edit_of_the_text(edited: Path, llm: LlmServer, git: Git) -> None:
    head = "---\nname: drill\n---\n\n"
    (edited / PROTOCOL).write_text(head + MINE)
    git("commit", "-qam", "Name it", cwd=edited)
    llm.queue(Say(NEW))
    assert gitforge("regenerate", NAME, "--feedback", "More.", "--yes", cwd=edited).code == 0
    assert text_of(edited) == head + MERGED


def test_unattended_a_clash_changes_nothing_and_keeps_the_draft(
    edited: Path, llm: LlmServer, git: Git
) -> None:
    before = git("rev-parse", "HEAD", cwd=edited)
    llm.queue(Say(CLASHING))
    done = gitforge("regenerate", NAME, "--yes", cwd=edited)
    assert done.code == 4, done.told
    assert "4. Stop at a cause that you can switch." in done.err
    assert "4. Stop when it is proven." in done.err
    assert "--ours or --theirs" in done.err
    assert git("rev-parse", "HEAD", cwd=edited) == before
    assert text_of(edited) == MINE
    (kept,) = gitforge("drafts", "--json", cwd=edited).json["drafts"]
    assert kept["path"] == PROTOCOL


@pytest.mark.parametrize(("option", "text"), [("--ours", MINE), ("--theirs", CLASHING)])
def test_a_clash_is_decided_by_an_option(edited: Path, llm: LlmServer, option: str, text: str) -> None:
    llm.queue(Say(CLASHING.replace("1. Ask why.", "1. Ask why it happened.")))
    done = gitforge("regenerate", NAME, "--yes", option, cwd=edited)
    assert done.code == 0, done.told
    assert text_of(edited) == text.replace("1. Ask why.", "1. Ask why it happened.")


def test_both_options_are_one_too_many(edited: Path, llm: LlmServer) -> None:
    assert gitforge("regenerate", NAME, "--yes", "--ours", "--theirs", cwd=edited).code == 2


@pytest.mark.parametrize(
    ("letter", "lines"),
    [
        ("o", "4. Stop at a cause that you can switch.\n"),
        ("t", "4. Stop when it is proven.\n"),
        ("b", "4. Stop at a cause that you can switch.\n4. Stop when it is proven.\n"),
        ("e", "4. Stop.\n"),
    ],
)
def test_on_a_terminal_each_clash_is_decided(edited: Path, llm: LlmServer, letter: str, lines: str) -> None:
    llm.queue(Say(CLASHING))
    with Terminal("regenerate", NAME, cwd=edited, EDITOR="echo '4. Stop.' >") as terminal:
        terminal.wait_for("Merge it with your edits?")
        terminal.enter("m")
        terminal.wait_for("Which lines?")
        assert "Clash 1 of 1" in terminal.screen
        terminal.enter(letter)
        terminal.wait_for("Record this protocol?")
        terminal.enter("a")
        assert terminal.ended() == 0
    assert text_of(edited) == TEXT.replace("4. Stop at the cause.\n", lines)
    assert not any(mark in text_of(edited) for mark in ("<<<<<<<", "|||||||", "=======", ">>>>>>>"))


def test_a_clash_can_be_left_and_the_draft_skipped(edited: Path, llm: LlmServer) -> None:
    llm.queue(Say(CLASHING))
    with Terminal("regenerate", NAME, cwd=edited) as terminal:
        terminal.wait_for("Merge it with your edits?")
        terminal.enter("m")
        terminal.wait_for("Which lines?")
        terminal.enter("l")
        terminal.wait_for("Merge it with your edits?")
        terminal.enter("s")
        assert terminal.ended() == 3
    assert text_of(edited) == MINE


def test_who_accepts_a_draft_sees_also_what_nobody_has_reviewed_before(
    edited: Path, llm: LlmServer, git: Git
) -> None:
    """Else `Reviewed-by` would stand for lines that were never shown."""
    llm.queue(Say(NEW))
    with Terminal("regenerate", NAME, "--feedback", "More.", cwd=edited) as terminal:
        terminal.wait_for("Record this protocol?")
        for line in (
            "+3. Ask again.",
            "+4. Stop at a cause that you can switch.",
            "so this is the whole of it",
        ):
            assert line in terminal.told
        terminal.enter("a")
        assert terminal.ended() == 0
    assert gitforge("review", "--list", "--json", cwd=edited).json == []
    llm.queue(Say(NEW.replace("2. Test", "2. Check")))
    with Terminal("regenerate", NAME, "--feedback", "Again.", cwd=edited) as terminal:
        terminal.wait_for("Record this protocol?")
        assert "+2. Check the answer." in terminal.told
        assert "+3. Ask again." not in terminal.told, "that was reviewed"
        terminal.enter("q")
        terminal.ended()


def test_once_a_regeneration_is_undone_nothing_of_it_is_taken_for_an_edit(
    edited: Path, llm: LlmServer, git: Git
) -> None:
    llm.queue(Say(NEW))
    assert gitforge("regenerate", NAME, "--feedback", "More.", "--yes", cwd=edited).code == 0
    assert gitforge("undo", cwd=edited).code == 0
    assert text_of(edited) == MINE
    llm.queue(Say(NEW.replace("1. Ask why it happened.", "1. Ask what happened.")))
    done = gitforge("regenerate", NAME, "--feedback", "Other.", "--yes", cwd=edited)
    assert done.code == 0, done.told
    assert text_of(edited) == MERGED.replace("1. Ask why it happened.", "1. Ask what happened.")


def test_a_text_that_people_wrote_is_the_base_again_once_its_regeneration_is_undone(
    workspace: Path, llm: LlmServer
) -> None:
    before = text_of(workspace)
    llm.queue(Say(TEXT))
    assert gitforge("regenerate", NAME, *DESCRIBE, "--yes", cwd=workspace).code == 0
    assert gitforge("undo", cwd=workspace).code == 0
    assert text_of(workspace) == before
    llm.queue(Say(NEW))
    assert gitforge("regenerate", NAME, *DESCRIBE, "--feedback", "Other.", "--yes", cwd=workspace).code == 0
    assert text_of(workspace).endswith(NEW)
