"""Many components at once: side by side, each its own commit, and one that fails costs no other its draft."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from harm import killed, locks_in
from llm_server import HANG, Behaviour, LlmServer, Received, Say, Send, error, event, fail
from program import COMMAND, gitforge

from gitforge.llm import Usage
from gitforge.store import spool
from gitforge.store.repo import Repo
from gitforge.store.spool import Kept

Git = Callable[..., str]

REFUSED = fail(401, error("bad key"))
STOP = fail(500, error("out of order"), x_should_retry="false")


def name(number: int) -> str:
    return f"part_{number:02}.md"


def path(number: int) -> str:
    return f"library/protocols/{name(number)}"


def purpose(number: int) -> str:
    return f"It is for number {number:02}."


def asking(*numbers: int) -> tuple[str, ...]:
    """The command line that asks for these components, which no goal names."""
    names = [f"protocols/{name(number)}" for number in numbers]
    described = [word for n in numbers for word in ("--describe", f"{name(n)}={purpose(n)}")]
    return ("generate", *names, *described)


def number_in(received: Received) -> int:
    """Which component a request is about."""
    return int(received.prompt.partition("It is for number ")[2][:2])


def text(number: int) -> str:
    return f"## Part {number:02}\n"


def answer(received: Received) -> Behaviour:
    """Each component's own text."""
    return Say(text(number_in(received)))


def all_at_once(count: int) -> Callable[[Received], Behaviour]:
    """Answers when so many have asked; fails where they never do."""
    barrier = threading.Barrier(count, timeout=120)

    def answer_together(received: Received) -> Behaviour:
        try:
            barrier.wait()
        except threading.BrokenBarrierError:
            return STOP
        return answer(received)

    return answer_together


def made(git: Git, root: Path) -> list[str]:
    """The components that were recorded, oldest first."""
    listed = git("log", "--reverse", "--format=%(trailers:key=Component,valueonly)", cwd=root)
    return [line for line in listed.split("\n") if line]


def drafts(root: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = gitforge("drafts", "--json", cwd=root).json["drafts"]
    return found


def assert_nothing_is_left(root: Path, git: Git) -> None:
    assert list((root / ".git/gitforge/making").glob("*")) == []
    assert locks_in(root) == []
    assert git("status", "--porcelain", cwd=root) == ""


class TestSideBySide:
    def test_twenty_are_asked_for_at_once_and_recorded_one_by_one_in_the_plans_order(
        self, workspace: Path, llm: LlmServer, git: Git
    ) -> None:
        llm.otherwise = all_at_once(20)
        done = gitforge(*asking(*range(20)), "--yes", cwd=workspace)
        assert done.code == 0, done.told
        assert made(git, workspace) == [path(number) for number in range(20)]
        changed = git("log", "--format=", "--name-status", "-20", cwd=workspace).split()
        assert Counter(changed[::2]) == {"A": 20}
        for number in range(20):
            assert (workspace / path(number)).read_text() == text(number)
        assert drafts(workspace) == []
        assert_nothing_is_left(workspace, git)

    def test_a_pipe_gets_a_plain_line_for_each_beginning_and_each_end(
        self, workspace: Path, llm: LlmServer
    ) -> None:
        llm.otherwise = all_at_once(3)
        done = gitforge(*asking(1, 2, 3), "--no-review", cwd=workspace)
        lines = done.err.splitlines()
        for number in (1, 2, 3):
            assert f"drafting {path(number)} with test-model at {llm.url}" in lines
            assert any(line.startswith(f"drafted {path(number)}: 11 characters in ") for line in lines)
        assert "\x1b" not in done.told

    def test_the_prompts_are_those_that_a_dry_run_shows_whoever_is_recorded_first(
        self, workspace: Path, llm: LlmServer
    ) -> None:
        llm.otherwise = answer
        dry = gitforge(*asking(1, 2, 3), "--yes", "--dry-run", "--json", cwd=workspace)
        assert gitforge(*asking(1, 2, 3), "--yes", cwd=workspace).code == 0
        shown = {json.dumps(step["messages"]) for step in dry.json["would_generate"]}
        assert shown == {json.dumps(one.json["messages"]) for one in llm.requests}

    def test_one_that_fails_costs_no_other_its_draft(self, workspace: Path, llm: LlmServer, git: Git) -> None:
        llm.otherwise = lambda received: STOP if number_in(received) in {0, 4} else answer(received)
        done = gitforge(*asking(*range(6)), "--yes", "--json", cwd=workspace)
        assert done.code == 5
        assert made(git, workspace) == [path(number) for number in (1, 2, 3, 5)]
        assert [one["path"] for one in done.json["failed"]] == [path(0), path(4)]
        assert done.err.count("out of order") == 1, "what is the same is said once"
        assert_nothing_is_left(workspace, git)

    def test_where_all_fail_alike_the_rest_is_not_asked_for(
        self, workspace: Path, llm: LlmServer, git: Git
    ) -> None:
        llm.otherwise = REFUSED
        done = gitforge(*asking(*range(40)), "--yes", "--json", cwd=workspace)
        assert done.code == 5
        assert len(done.json["failed"]) == 40
        assert len(llm.requests) <= 22, "those under way, and those begun before the third had failed"
        assert "OPENAI_API_KEY" in done.err
        assert_nothing_is_left(workspace, git)

    def test_offline_outlines_come_in_the_plans_order_too(self, workspace: Path, git: Git) -> None:
        assert gitforge(*asking(*range(9)), "--no-review", cwd=workspace).code == 0
        assert made(git, workspace) == [path(number) for number in range(9)]


class TestInterrupted:
    def test_what_is_done_is_kept_and_said_and_what_runs_is_stopped(
        self, workspace: Path, llm: LlmServer, git: Git
    ) -> None:
        half = Send((event({"content": "## Half"}), "hang"))
        llm.otherwise = lambda one: {0: half, 1: HANG}.get(number_in(one), answer(one))
        process = subprocess.Popen(
            [*COMMAND, *asking(0, 1, 2, 3, 4), "--yes"], cwd=workspace, stderr=subprocess.PIPE, text=True
        )
        assert process.stderr is not None
        told = ""
        while told.count("drafted ") < 3:
            told += process.stderr.readline()
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
        process.stderr.close()
        assert process.wait(120) == 130
        assert "3 drafts are kept: `gitforge drafts` lists them" in rest
        assert "Interrupted: nothing is half-written" in rest
        assert "Traceback" not in told + rest
        assert all(one.gone.wait(120) for one in llm.requests if number_in(one) in {0, 1})
        assert {one["path"] for one in drafts(workspace)} == {path(2), path(3), path(4)}
        assert made(git, workspace) == []
        assert_nothing_is_left(workspace, git)
        llm.otherwise = answer
        before = len(llm.requests)
        assert gitforge(*asking(0, 1, 2, 3, 4), "--yes", cwd=workspace).code == 0
        assert sorted(map(number_in, llm.requests[before:])) == [0, 1]
        assert made(git, workspace) == [path(number) for number in range(5)]

    @pytest.mark.parametrize("how", ["alone", "group"])
    def test_a_kill_loses_no_draft_that_is_there(
        self, workspace: Path, llm: LlmServer, git: Git, how: str
    ) -> None:
        llm.otherwise = all_at_once(5)
        killed(workspace, "gitforge.generation.recording:record:before", how, *asking(*range(5)), "--yes")
        there = {str(one["path"]) for one in drafts(workspace)}
        assert path(0) in there
        llm.otherwise = answer
        before = len(llm.requests)
        assert gitforge(*asking(*range(5)), "--yes", cwd=workspace).code == 0
        assert {path(number_in(one)) for one in llm.requests[before:]} == {path(n) for n in range(5)} - there
        assert made(git, workspace) == [path(number) for number in range(5)]
        assert_nothing_is_left(workspace, git)

    def test_two_that_want_overlapping_components_make_each_once(
        self, workspace: Path, llm: LlmServer, git: Git
    ) -> None:
        llm.otherwise = lambda one: Say(0.3, text(number_in(one)))
        running = [
            subprocess.Popen([*COMMAND, *asking(*numbers), "--yes"], cwd=workspace, stderr=subprocess.DEVNULL)
            for numbers in ((0, 1, 2, 3), (2, 3, 4, 5), (5, 3, 1))
        ]
        assert [process.wait(120) for process in running] == [0, 0, 0]
        assert Counter(made(git, workspace)) == {path(number): 1 for number in range(6)}
        assert Counter(map(number_in, llm.requests)) == dict.fromkeys(range(6), 1)
        assert_nothing_is_left(workspace, git)


class TestCandidates:
    def test_are_written_side_by_side_and_unattended_the_first_is_taken(
        self, workspace: Path, llm: LlmServer, git: Git
    ) -> None:
        llm.otherwise = all_at_once(6)
        done = gitforge(*asking(1, 2), "--candidates", "3", "--yes", cwd=workspace)
        assert done.code == 0, done.told
        assert len(llm.requests) == 6
        assert made(git, workspace) == [path(1), path(2)]
        assert f"candidate 1 of 3 for {path(1)}: it is the first" in done.err
        assert drafts(workspace) == []

    def test_of_which_one_fails_leave_the_others(self, workspace: Path, llm: LlmServer, git: Git) -> None:
        llm.queue(STOP)
        llm.otherwise = answer
        done = gitforge(*asking(1), "--candidates", "3", "--yes", cwd=workspace)
        assert done.code == 0, done.told
        assert "1 of 2" in done.err
        assert "out of order" in done.err
        assert made(git, workspace) == [path(1)]

    def test_survive_a_kill_and_are_all_offered_again(
        self, workspace: Path, llm: LlmServer, git: Git
    ) -> None:
        llm.otherwise = answer
        arguments = (*asking(1), "--candidates", "3", "--yes")
        killed(workspace, "gitforge.generate:review:before", "alone", *arguments)
        assert sorted(one["candidate"] for one in drafts(workspace)) == [1, 2, 3]
        dry = gitforge(*asking(1), "--dry-run", cwd=workspace)
        assert "would use the kept draft" in dry.out
        done = gitforge(*asking(1), "--yes", cwd=workspace)
        assert "candidate 1 of 3" in done.err
        assert len(llm.requests) == 3
        assert drafts(workspace) == []

    def test_that_are_not_taken_are_listed_after_a_kill(
        self, workspace: Path, llm: LlmServer, git: Git
    ) -> None:
        llm.otherwise = answer
        arguments = (*asking(1), "--candidates", "2", "--yes")
        killed(workspace, "gitforge.generation.recording:record:after", "alone", *arguments)
        assert [one["candidate"] for one in drafts(workspace)] == [2]
        assert made(git, workspace) == [path(1)]

    def test_that_are_kept_remember_what_they_are_for(self, workspace: Path, llm: LlmServer) -> None:
        llm.otherwise = answer
        killed(
            workspace, "gitforge.generate:review:before", "alone", *asking(1), "--candidates", "2", "--yes"
        )
        done = gitforge("generate", path(1).removeprefix("library/"), "--yes", cwd=workspace)
        assert done.code == 0, done.told
        assert len(llm.requests) == 2

    @pytest.mark.parametrize("count", ["0", "9", "many"])
    def test_are_one_to_eight(self, workspace: Path, count: str) -> None:
        assert gitforge(*asking(1), "--candidates", count, "--yes", cwd=workspace).code == 2

    def test_of_an_outline_there_is_one(self, workspace: Path, git: Git) -> None:
        done = gitforge(*asking(1), "--candidates", "3", "--yes", cwd=workspace)
        assert done.code == 0
        assert "one outline is like the other" in done.err
        assert made(git, workspace) == [path(1)]


KEPT = Kept(path(1), purpose(1), None, text(1), "sha256:1", "test-model", is_model=True, is_edited=False)
SECRET = f"{text(1)}Sign in with AKIAABCDEFGHIJKLMNOP.\n"
PROBLEM = "line 2 has what looks like an AWS access key"


class TestADraftWithProblems:
    @pytest.mark.parametrize("option", ["--yes", "--no-review"])
    def test_is_kept_and_not_recorded_where_nobody_looks(
        self, workspace: Path, llm: LlmServer, git: Git, option: str
    ) -> None:
        repo = Repo.discover(workspace)
        spool.keep(repo, replace(KEPT, text=SECRET, problems=(PROBLEM,)))
        llm.otherwise = answer
        done = gitforge(*asking(1, 2), option, "--json", cwd=workspace)
        assert done.code == 5
        assert made(git, workspace) == [path(2)]
        assert PROBLEM in done.json["failed"][0]["error"]
        assert PROBLEM in done.err
        assert f"gitforge drafts show {name(1)}" in done.err
        (kept,) = drafts(workspace)
        assert kept["problems"] == [PROBLEM]
        assert PROBLEM in gitforge("drafts", cwd=workspace).out
        assert f"problem: {PROBLEM}" in gitforge("drafts", "show", name(1), cwd=workspace).err

    def test_stands_back_for_a_candidate_with_fewer(self, workspace: Path, llm: LlmServer, git: Git) -> None:
        repo = Repo.discover(workspace)
        spool.keep(repo, replace(KEPT, text=SECRET, problems=(PROBLEM,)))
        spool.keep(repo, replace(KEPT, candidate=2, text="## Better\n"))
        done = gitforge(*asking(1), "--yes", cwd=workspace)
        assert done.code == 0, done.told
        assert "candidate 2 of 2" in done.err
        assert "fewest problems" in done.err
        assert (workspace / path(1)).read_text() == "## Better\n"
        assert drafts(workspace) == []


class TestCost:
    PRICES: ClassVar = {"GITFORGE_PRICE_INPUT": "1", "GITFORGE_PRICE_OUTPUT": "10"}

    def test_is_estimated_before_anything_is_sent_with_yes_too(self, workspace: Path, llm: LlmServer) -> None:
        llm.otherwise = answer
        done = gitforge(*asking(1, 2), "--yes", cwd=workspace)
        assert "Estimate for 2 drafts: " in done.err
        assert "2,400 out" in done.err
        assert "$" not in done.err, "nobody knows what this server costs"
        done = gitforge(*asking(3), "--yes", cwd=workspace, **self.PRICES)
        assert "out, about $0.0" in done.err

    @pytest.mark.parametrize(
        ("arguments", "environment"),
        [(("--max-cost", "0.001"), PRICES), ((), {**PRICES, "GITFORGE_MAX_COST": "0.001"})],
        ids=["option", "setting"],
    )
    def test_beyond_the_limit_stops_before_anything_is_sent(
        self,
        workspace: Path,
        llm: LlmServer,
        git: Git,
        arguments: tuple[str, ...],
        environment: dict[str, str],
    ) -> None:
        done = gitforge(*asking(1, 2), "--yes", *arguments, cwd=workspace, **environment)
        assert done.code == 1
        assert "nothing was sent" in done.err
        assert "$0.0010 was allowed" in done.err
        assert llm.requests == []
        assert_nothing_is_left(workspace, git)

    def test_that_nobody_knows_cannot_be_limited(self, workspace: Path, llm: LlmServer) -> None:
        done = gitforge(*asking(1), "--yes", "--max-cost", "5", cwd=workspace)
        assert done.code == 1
        assert "gitforge.price-input" in done.err
        assert llm.requests == []

    @pytest.mark.parametrize("limit", ["nan", "inf"])
    def test_has_a_limit_that_is_an_amount(self, workspace: Path, llm: LlmServer, limit: str) -> None:
        done = gitforge(*asking(1), "--yes", "--max-cost", limit, cwd=workspace, **self.PRICES)
        assert (done.code, llm.requests) == (2, [])

    def test_of_outlines_is_nothing(self, workspace: Path) -> None:
        done = gitforge(*asking(1), "--yes", "--max-cost", "0", cwd=workspace)
        assert done.code == 0, done.told
        assert "Estimate" not in done.err

    @pytest.mark.parametrize(
        ("variable", "value"),
        [("GITFORGE_MAX_COST", "cheap"), ("GITFORGE_PRICE_INPUT", "-1"), ("GITFORGE_PRICE_INPUT", "1")],
    )
    def test_settings_that_cannot_be_meant_are_refused(
        self, workspace: Path, llm: LlmServer, variable: str, value: str
    ) -> None:
        done = gitforge(*asking(1), "--yes", cwd=workspace, **{variable: value})
        assert done.code == 1
        assert "Traceback" not in done.err
        assert llm.requests == []

    def test_that_was_counted_stands_in_the_json_and_in_the_commit(self, workspace: Path, git: Git) -> None:
        counted = Usage(2591, 874)
        kept = replace(
            KEPT, input_tokens=counted.input_tokens, output_tokens=counted.output_tokens, cost=0.00593
        )
        spool.keep(Repo.discover(workspace), kept)
        done = gitforge(*asking(1), "--yes", "--json", cwd=workspace)
        (one,) = done.json["generated"]
        assert (one["input_tokens"], one["output_tokens"], one["cost_usd"]) == (2591, 874, 0.00593)
        assert done.json["spent"]["input_tokens"] is None, "this run has sent nothing"
        message = git("log", "-1", "--format=%B", cwd=workspace)
        assert "\nTokens: 2591 in, 874 out\nCost: about $0.0059 (estimate)\n" in message

    def test_that_a_server_counts_is_said_and_stands_in_the_json_and_in_the_commits(
        self, workspace: Path, llm: LlmServer, git: Git
    ) -> None:
        counted = {"prompt_tokens": 1000, "completion_tokens": 500, "total_tokens": 1500}
        llm.otherwise = lambda one: Say(text(number_in(one)), usage=counted)
        done = gitforge(*asking(1, 2), "--yes", "--json", cwd=workspace, **self.PRICES)
        assert done.code == 0, done.told
        expected = {"input_tokens": 1000, "output_tokens": 500, "cost_usd": pytest.approx(0.006)}
        for one in done.json["generated"]:
            assert {key: one[key] for key in expected} == expected
        spent = {"input_tokens": 2000, "output_tokens": 1000, "cost_usd": pytest.approx(0.012)}
        assert done.json["spent"] == spent
        assert "It took 2,000 tokens in and 1,000 out, about $0.0120 (estimate)." in done.err
        for commit in ("HEAD", "HEAD~"):
            message = git("log", "-1", "--format=%B", commit, cwd=workspace)
            assert "\nTokens: 1000 in, 500 out\nCost: about $0.0060 (estimate)\n" in message

    def test_that_passes_the_limit_in_the_middle_keeps_what_is_there(
        self, workspace: Path, llm: LlmServer, git: Git
    ) -> None:
        counted = {"prompt_tokens": 100_000, "completion_tokens": 100_000, "total_tokens": 200_000}
        llm.otherwise = lambda one: Say(text(number_in(one)), usage=counted)
        arguments = (*asking(1, 2, 3), "--yes", "--max-cost", "0.5")
        done = gitforge(*arguments, cwd=workspace, GITFORGE_CONCURRENCY="1", **self.PRICES)
        assert done.code == 1
        assert "have cost about $1.10 (an estimate), and at most $0.5000 was allowed" in done.err
        assert "is kept: `gitforge drafts`" in done.err or made(git, workspace) == [path(1)]
        assert len(llm.requests) == 1
        assert_nothing_is_left(workspace, git)

    def test_of_each_component_stands_in_a_dry_run(self, workspace: Path, llm: LlmServer) -> None:
        arguments = (*asking(1, 2), "--candidates", "2", "--dry-run")
        steps = gitforge(*arguments, "--json", cwd=workspace, **self.PRICES).json["would_generate"]
        assert [step["estimate"]["output_tokens"] for step in steps] == [2400, 2400]
        assert all(0.024 < step["estimate"]["cost_usd"] < 0.1 for step in steps)
        shown = gitforge(*arguments, cwd=workspace, **self.PRICES).out
        assert shown.count("--- estimate: 2 drafts, ") == 2


class TestTheExactPrompt:
    def test_of_a_missing_component_is_what_is_sent(self, incomplete: Path, llm: LlmServer) -> None:
        component = "root_cause_analysis_drilldown.md"
        describe = ("--describe", f"{component}=Ask why.")
        shown = gitforge("show", component, "--prompt", *describe, "--json", cwd=incomplete).json
        people = gitforge("show", component, "--prompt", *describe, cwd=incomplete).out
        assert llm.requests == []
        llm.queue(Say("## X\n"))
        assert gitforge("generate", component, *describe, "--yes", cwd=incomplete).code == 0
        assert shown["messages"] == llm.requests[0].json["messages"]
        assert all(message["content"] in people for message in shown["messages"])

    def test_of_a_component_that_is_there_can_be_seen_too(self, workspace: Path, git: Git) -> None:
        done = gitforge("show", "digital_detective.md", "--prompt", cwd=workspace)
        assert done.code == 0
        assert "--- user message" in done.out
        assert "--describe digital_detective.md=" in done.err

    def test_of_a_goal_there_is_none(self, workspace: Path) -> None:
        done = gitforge("show", "DIAGNOSE_ROOT_CAUSE", "--prompt", cwd=workspace)
        assert done.code == 1
        assert "digital_detective.md" in done.err
        assert gitforge("show", "digital_detective.md", "--describe", "a=b", cwd=workspace).code == 2
