"""Many drafts on a real terminal: the live lines, the review meanwhile, the choice among candidates, Ctrl-C."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from llm_server import HANG, Behaviour, LlmServer, Received, Say, Send, event
from program import gitforge
from terminal import CTRL_C, Terminal

from gitforge.store import spool
from gitforge.store.repo import Repo
from gitforge.store.spool import Kept

Git = Callable[..., str]

REVIEW = "Record this protocol?"
CHOICE = "Record which protocol?"


def name(number: int) -> str:
    return f"part_{number:02}_of_a_long_story.md"


def path(number: int) -> str:
    return f"library/protocols/{name(number)}"


def purpose(number: int) -> str:
    return f"It is for number {number:02}."


def asking(*numbers: int) -> tuple[str, ...]:
    names = [f"protocols/{name(number)}" for number in numbers]
    described = [word for n in numbers for word in ("--describe", f"{name(n)}={purpose(n)}")]
    return ("generate", *names, *described)


def number_in(received: Received) -> int:
    return int(received.prompt.partition("It is for number ")[2][:2])


def half(characters: int) -> Send:
    """An answer that begins, and never ends."""
    return Send((event({"content": "x" * characters}), "hang"))


def made(git: Git, root: Path) -> list[str]:
    listed = git("log", "--reverse", "--format=%(trailers:key=Component,valueonly)", cwd=root)
    return [line for line in listed.split("\n") if line]


def kept(root: Path) -> list[str]:
    return [one["path"] for one in gitforge("drafts", "--json", cwd=root).json["drafts"]]


class TestTheLiveLines:
    @pytest.mark.parametrize(
        ("columns", "line"),
        [
            (80, r"drafting part_\d\d_of_a_long_story\.md: 1,234 characters in \d+ s"),
            (40, r"part_\d\d_of_a_long_st\S*…: 1,234 in \d+ s"),
            (24, r"part_\d\d_?\S*…: 1,234 in \d+ s"),
        ],
    )
    def test_are_one_for_each_draft_and_one_for_all_and_none_is_broken(
        self, workspace: Path, llm: LlmServer, columns: int, line: str
    ) -> None:
        llm.otherwise = half(1234)
        with Terminal(*asking(*range(6)), "--yes", cwd=workspace, columns=columns, rows=24) as terminal:
            terminal.wait_for(": 1,234 ", times=6)
            shown = terminal.screen.splitlines()
            live = [one for one in shown if re.fullmatch(line, one)]
            assert len(live) == 6, terminal.screen
            last = next(one for one in reversed(shown) if one)
            done = "0 of 6 drafted" if columns >= 60 else "0/6"
            assert re.fullmatch(rf"{done}, 6 running, \d+\.\d s?…?", last), last
            terminal.send(CTRL_C)
            assert terminal.ended() == 130
            assert " running" not in terminal.told, "nothing of it stays behind"
            assert "1,234" not in terminal.told

    def test_of_many_drafts_fit_the_window(self, workspace: Path, llm: LlmServer) -> None:
        llm.otherwise = half(9)
        with Terminal(*asking(*range(20)), "--yes", cwd=workspace, columns=80, rows=12) as terminal:
            terminal.wait_for("20 running")
            terminal.wait_for("and 13 more")
            assert terminal.screen.count("drafting part_") == 7
            terminal.send(CTRL_C)
            assert terminal.ended() == 130
            assert " running" not in terminal.told
            assert "more" not in terminal.screen

    def test_give_way_to_what_is_said_and_end_with_the_last_draft(
        self, workspace: Path, llm: LlmServer, git: Git
    ) -> None:
        llm.otherwise = lambda received: Say(0.2 * number_in(received), f"## Part {number_in(received)}\n")
        with Terminal(*asking(0, 1, 2, 3), "--no-review", cwd=workspace, rows=24, columns=80) as terminal:
            assert terminal.ended() == 0
            lines = terminal.told.splitlines()
        recorded = [line for line in lines if line.startswith("recorded ")]
        assert [path(number) in " ".join(lines) for number in range(4)] == [True] * 4
        assert len(recorded) == 4
        assert not [line for line in lines if "running" in line or line.startswith("drafting")]

    def test_show_what_the_drafts_have_cost_so_far(self, workspace: Path, llm: LlmServer) -> None:
        counted = {"prompt_tokens": 1000, "completion_tokens": 500, "total_tokens": 1500}
        llm.otherwise = lambda one: Say("## Part\n", usage=counted) if number_in(one) == 2 else HANG
        with Terminal(
            *asking(0, 1, 2), "--yes", cwd=workspace, GITFORGE_PRICE_INPUT="1", GITFORGE_PRICE_OUTPUT="10"
        ) as terminal:
            terminal.wait_for("1 of 3 drafted, 2 running")
            terminal.wait_for(" s, about $0.0060")
            terminal.send(CTRL_C)
            assert terminal.ended() == 130

    def test_do_not_count_what_an_earlier_run_has_paid_for(self, workspace: Path, llm: LlmServer) -> None:
        repo = Repo.discover(workspace)
        spool.keep(
            repo,
            Kept(path(0), purpose(0), None, "## X\n", "id", "m", True, False, cost=0.02),
        )
        llm.otherwise = HANG
        with Terminal(*asking(0, 1, 2), "--yes", cwd=workspace) as terminal:
            terminal.wait_for("0 of 2 drafted, 2 running")
            assert "about $" not in terminal.screen, "that was paid for by an earlier run"
            terminal.send(CTRL_C)
            assert terminal.ended() == 130

    def test_show_a_name_that_would_move_the_cursor_as_it_is_spelt(
        self, workspace: Path, llm: LlmServer
    ) -> None:
        llm.otherwise = half(9)
        wide = "größe_語語語語.md"
        arguments = ("generate", f"protocols/{wide}", "--describe", f"{wide}=It.", "--yes")
        with Terminal(*arguments, cwd=workspace, columns=40) as terminal:
            terminal.wait_for(": 9 in ")
            assert "größe_" in terminal.screen
            terminal.send(CTRL_C)
            assert terminal.ended() == 130


class TestReviewMeanwhile:
    def test_begins_with_the_first_draft_that_is_there_and_the_others_go_on(
        self, workspace: Path, llm: LlmServer, git: Git
    ) -> None:
        go_on = threading.Event()

        def answer(received: Received) -> Behaviour:
            if number_in(received) != 2:
                go_on.wait(120)
            return Say(f"## Part {number_in(received)}\n")

        llm.otherwise = answer
        with Terminal(*asking(0, 1, 2), cwd=workspace) as terminal:
            terminal.wait_for(REVIEW)
            assert "+## Part 2" in terminal.told
            assert " running" not in terminal.screen
            go_on.set()
            while len(kept(workspace)) < 3:
                time.sleep(0.05)
            assert terminal.told.count(REVIEW) == 1, "one draft is read at a time"
            terminal.enter("a")
            terminal.wait_for("+## Part 0")
            terminal.wait_for(REVIEW, times=2)
            terminal.enter("s")
            terminal.wait_for("+## Part 1")
            terminal.wait_for(REVIEW, times=3)
            terminal.enter("a")
            assert terminal.ended() == 3
        assert made(git, workspace) == [path(2), path(1)]
        assert kept(workspace) == []

    def test_shows_the_live_lines_again_between_two_questions(
        self, workspace: Path, llm: LlmServer, git: Git
    ) -> None:
        go_on = threading.Event()

        def answer(received: Received) -> Behaviour:
            if number_in(received):
                go_on.wait(120)
            return Say(f"## Part {number_in(received)}\n")

        llm.otherwise = answer
        with Terminal(*asking(0, 1, 2), cwd=workspace) as terminal:
            terminal.wait_for(REVIEW)
            terminal.enter("a")
            terminal.wait_for("recorded ")
            terminal.wait_for("1 of 3 drafted, 2 running")
            assert made(git, workspace) == [path(0)]
            go_on.set()
            terminal.wait_for(REVIEW, times=2)
            assert " running" not in terminal.screen
            terminal.enter("q")
            assert terminal.ended() == 130
            assert "kept: `gitforge drafts`" in terminal.told
        assert made(git, workspace) == [path(0)]

    def test_a_regenerated_draft_need_not_wait_for_the_others(
        self, workspace: Path, llm: LlmServer, git: Git
    ) -> None:
        def answer(received: Received) -> Behaviour:
            if number_in(received):
                return HANG
            return Say("## Second\n" if "Shorter." in received.prompt else "## First\n")

        llm.otherwise = answer
        with Terminal(*asking(*range(25)), cwd=workspace, GITFORGE_TIMEOUT="1000") as terminal:
            terminal.wait_for(REVIEW)
            terminal.enter("r")
            terminal.wait_for("What should be different?")
            terminal.enter("Shorter.")
            terminal.wait_for("+## Second")
            terminal.wait_for(REVIEW, times=2)
            terminal.enter("a")
            terminal.wait_for("recorded")
            terminal.send(CTRL_C)
            assert terminal.ended() == 130
        assert made(git, workspace) == [path(0)]
        assert (workspace / path(0)).read_text() == "## Second\n"


class TestInterrupted:
    def test_ctrl_c_keeps_what_is_done_stops_what_runs_and_says_so(
        self, workspace: Path, llm: LlmServer, git: Git
    ) -> None:
        llm.otherwise = lambda received: HANG if number_in(received) < 2 else Say("## Done\n")
        with Terminal(*asking(*range(5)), "--yes", cwd=workspace) as terminal:
            terminal.wait_for("3 of 5 drafted, 2 running")
            terminal.send(CTRL_C)
            assert terminal.ended() == 130
            assert "3 drafts are kept: `gitforge drafts`" in terminal.told
            assert "Interrupted: nothing is half-written" in terminal.told
            assert "Traceback" not in terminal.told
            assert " running" not in terminal.told
        assert all(one.gone.wait(120) for one in llm.requests if number_in(one) < 2)
        assert sorted(kept(workspace)) == [path(2), path(3), path(4)]
        assert list((workspace / ".git/gitforge/making").iterdir()) == []
        assert git("status", "--porcelain", cwd=workspace) == ""


FIRST = "## Drill down\n\n1. Ask why.\n2. Test the answer.\n"
SECOND = "## Drill down\n\n1. Ask how.\n2. Test the answer twice.\n"
THIRD = "Something else altogether.\n"


class TestCandidates:
    @pytest.fixture
    def three(self, workspace: Path) -> Path:
        """A workspace with three candidates of one component."""
        one = Kept(path(1), purpose(1), None, FIRST, "sha256:1", "m", is_model=True, is_edited=False)
        for number, text in enumerate((FIRST, SECOND, THIRD), start=1):
            spool.keep(Repo.discover(workspace), replace(one, candidate=number, text=text))
        return workspace

    def test_are_shown_one_under_the_other_with_the_differences_marked_and_one_is_taken(
        self, three: Path, git: Git
    ) -> None:
        with Terminal(*asking(1), "--candidates", "3", cwd=three) as terminal:
            terminal.wait_for(CHOICE)
            told = terminal.told
            assert "candidate 1 of 3\n" in told
            assert "+1. Ask why." in told
            assert "candidate 2 of 3, compared with the first" in told
            assert "1. Ask [-why-]{+how+}." in told
            assert "{+ twice+}." in told
            assert "candidate 3 of 3: it has little in common with the first" in told
            assert "+Something else altogether." in told
            assert "[1] [2] [3] [e]dit [r]egenerate [s]kip [q]uit" in told
            terminal.enter("2")
            assert terminal.ended() == 0
        assert (three / path(1)).read_text() == SECOND
        assert kept(three) == []

    def test_stand_side_by_side_where_there_is_room(self, three: Path) -> None:
        with Terminal(*asking(1), cwd=three, columns=160) as terminal:
            terminal.wait_for(CHOICE)
            lines = terminal.told.splitlines()
            titles = next(line for line in lines if "candidate 1 of 3" in line)
            assert "candidate 2 of 3, compared with the first" in titles
            assert titles.endswith("candidate 3 of 3")
            (line,) = (line for line in lines if "1. Ask why." in line)
            assert "1. Ask {+how+}." in line
            assert any("2. Test the answer{+ twice+}." in line for line in lines)
            assert any(line.rstrip().endswith("Something else altogether.") for line in lines)
            terminal.enter("3")
            assert terminal.ended() == 0
        assert (three / path(1)).read_text() == THIRD

    def test_are_marked_without_colour_too(self, three: Path) -> None:
        with Terminal(*asking(1), cwd=three, NO_COLOR="1", columns=40) as terminal:
            terminal.wait_for("[-why-]{+how+}")
            terminal.wait_for("[q]uit")
            terminal.enter("s")
            assert terminal.ended() == 3
        assert kept(three) == []

    def test_can_be_edited_and_the_others_can_still_be_taken(self, three: Path, git: Git) -> None:
        with Terminal(*asking(1), cwd=three, EDITOR="echo Mine >>") as terminal:
            terminal.wait_for(CHOICE)
            terminal.enter("e")
            terminal.wait_for("Which one?")
            terminal.enter("2")
            terminal.wait_for("{+Mine+}")
            terminal.wait_for(CHOICE, times=2)
            assert terminal.told.count("+Something else altogether.") == 1, "only what is new is shown again"
            terminal.enter("2")
            assert terminal.ended() == 0
        assert (three / path(1)).read_text() == SECOND + "Mine\n"
        assert "Edited-by: Ada Engineer" in git("log", "-1", "--format=%B", cwd=three)
        assert kept(three) == []

    def test_can_be_regenerated_one_by_one(self, three: Path, llm: LlmServer) -> None:
        llm.queue(Say("## Again\n"))
        with Terminal(*asking(1), cwd=three) as terminal:
            terminal.wait_for(CHOICE)
            terminal.enter("r")
            terminal.wait_for("Which one?")
            terminal.enter("3")
            terminal.wait_for("What should be different?")
            terminal.enter("Shorter.")
            terminal.wait_for(CHOICE, times=2)
            terminal.enter("3")
            assert terminal.ended() == 0
        assert THIRD.strip() in llm.requests[0].prompt
        assert (three / path(1)).read_text() == "## Again\n"

    def test_stay_kept_where_the_engineer_quits(self, three: Path) -> None:
        with Terminal(*asking(1), cwd=three) as terminal:
            terminal.wait_for(CHOICE)
            terminal.enter("q")
            assert terminal.ended() == 130
            assert "3 drafts are kept" in terminal.told
        assert kept(three) == [path(1)] * 3


def test_problems_and_repairs_are_shown_before_the_question_and_the_engineer_decides(
    workspace: Path, llm: LlmServer, git: Git
) -> None:
    llm.otherwise = Say("```markdown\nI'm sorry, but I can't help with that request.\n```\n")
    with Terminal(*asking(1), cwd=workspace) as terminal:
        terminal.wait_for(REVIEW)
        lines = terminal.told.splitlines()
        question = next(number for number, line in enumerate(lines) if line.startswith(REVIEW))
        shown = lines[:question]
        assert any(line.startswith("problem: ") for line in shown), terminal.told
        assert any(line.startswith("repaired: ") for line in shown), terminal.told
        terminal.enter("a")
        assert terminal.ended() == 0
    assert made(git, workspace) == [path(1)]
