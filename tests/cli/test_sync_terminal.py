"""`gitforge sync` at a terminal: what both sides changed is decided place by place, or left."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from harm import snapshot
from program import CONSTRAINT, GOAL, PERSONA
from team import clone, commit, edited, share, sync
from terminal import Terminal

Git = Callable[..., str]


@pytest.fixture
def disputed(workspace: Path, git: Git) -> Path:
    """A clone that has something else than what was published: a line, a value of a goal, and a file that is gone."""
    other = clone(share(workspace, git), "bob", git)
    text, goals = (workspace / PERSONA).read_text(), (workspace / "goals.yaml").read_text()
    place = goals[goals.index(f"{GOAL}:") :].split("description: ", 1)[1].split("\n", 1)[0]
    for root, word in ((other, "theirs"), (workspace, "ours")):
        commit(root, git, {
            PERSONA: f"{text}Is {word}.\n", CONSTRAINT: None if word == "ours" else "Kept.\n",
            "goals.yaml": edited(goals, place, f"It is {word}"),
        })  # fmt: skip
    assert sync(other).code == 0
    return workspace


def test_each_place_is_asked_about_and_the_answers_hold(disputed: Path, git: Git) -> None:
    with Terminal("sync", cwd=disputed, rows=60) as terminal:
        terminal.wait_for("goals.yaml, goals >")
        terminal.wait_for("Which version?")
        terminal.enter("t")
        terminal.wait_for(CONSTRAINT)
        terminal.wait_for("(it is not there)")
        terminal.enter("o")
        terminal.wait_for("Clash 1 of 1")
        terminal.enter("b")
        assert terminal.ended() == 0
    assert "It is theirs" in (disputed / "goals.yaml").read_text()
    assert (disputed / PERSONA).read_text().endswith("Is ours.\nIs theirs.\n")
    assert not (disputed / CONSTRAINT).exists()
    assert git("status", "--porcelain", cwd=disputed) == ""
    assert git("rev-parse", "HEAD", cwd=disputed) == git("rev-parse", "@{u}", cwd=disputed)


def test_who_leaves_it_finds_everything_as_it_was_and_is_not_asked_again(disputed: Path, git: Git) -> None:
    before = snapshot(git, disputed)[1:]
    with Terminal("sync", cwd=disputed, rows=60) as terminal:
        terminal.wait_for("Which version?")
        terminal.enter("l")
        terminal.wait_for("Decide: --ours")
        assert terminal.ended() == 4
    assert snapshot(git, disputed)[1:] == before
