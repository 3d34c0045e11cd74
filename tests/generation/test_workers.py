"""Drafts side by side, in one process: what a provider's usage comes to, and how threads come to an end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from conftest import Git

from gitforge.cost import Pricing
from gitforge.drafting.prompting import Prompt
from gitforge.errors import ProviderError, UserError
from gitforge.generation.records import Event, Task, Terms
from gitforge.generation.workers import Ended, Job, Workers
from gitforge.goals import DEFAULT_KINDS, Need
from gitforge.llm import Message, Piece, Request, Usage
from gitforge.plan import Planned, State
from gitforge.store import spool
from gitforge.store.repo import Repo

DOLLAR = Pricing("m", None, (1_000_000.0, 1_000_000.0))  # a dollar a token


@dataclass
class Speaker:
    """A provider of a test's own: it answers as it is told, and counts tokens as a server does."""

    answer: Callable[[Request], Generator[Piece]]
    name: str = "test"
    model: str = "m"
    label: str = "m"
    is_model: bool = True
    describe: str = "a test's own"
    endpoint: None = None
    concurrency: int = 1
    requests: list[Request] = field(default_factory=list)

    def stream(self, request: Request) -> Generator[Piece]:
        self.requests.append(request)
        yield from self.answer(request)

    def cancel(self) -> None: ...

    def close(self) -> None: ...


def says(*pieces: Piece) -> Callable[[Request], Generator[Piece]]:
    def answer(_: Request) -> Generator[Piece]:
        yield from pieces

    return answer


@pytest.fixture
def repo(tmp_path: Path, git: Git) -> Repo:
    git("init", "-q", str(tmp_path), cwd=tmp_path)
    return Repo.discover(tmp_path)


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    """However it ends, no worker stays behind."""
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        thread.join(60)
        assert not thread.is_alive()


def job(number: int, candidate: int = 1, *, is_urgent: bool = False) -> Job:
    need = Need(DEFAULT_KINDS[1], f"part_{number}.md")
    planned = Planned(need, f"library/{need.path}", State.MISSING, None, None, is_outline=False)
    prompt = Prompt((Message("user", f"Write {number}."),), "")
    return Job(Task(planned, None, f"For {number}."), prompt, candidate, is_urgent)


def ends(workers: Workers, count: int) -> list[Ended]:
    """Waits for so many jobs."""
    found: list[Ended] = []
    while len(found) < count:
        found += workers.wait()
    return found


def nothing(_: Event) -> None:
    pass


def test_what_is_counted_comes_to_a_cost_of_each_draft_and_of_all(repo: Repo) -> None:
    speaker = Speaker(says("text", Usage(3, 4)))
    with Workers(repo, speaker, Terms(pricing=DOLLAR), nothing) as workers:
        workers.start([job(1), job(2)])
        found = ends(workers, 2)
        spent = workers.spent
    assert [one.draft.cost for one in found if one.draft] == [7.0, 7.0]
    assert (spent.usage, spent.dollars) == (Usage(6, 8), 14.0)
    kept = spool.drafts(repo).kept
    assert [(one.input_tokens, one.output_tokens, one.cost) for one in kept] == [(3, 4, 7.0)] * 2


def test_what_came_to_nothing_is_counted_too(repo: Repo) -> None:
    def fails(_: Request) -> Generator[Piece]:
        yield Usage(3, 4)
        raise ProviderError("no")

    with Workers(repo, Speaker(fails), Terms(pricing=DOLLAR), nothing) as workers:
        workers.start([job(1)])
        (end,) = ends(workers, 1)
        assert workers.spent.dollars == 7.0
    assert str(end.error) == "no"


def test_a_cost_that_passes_its_limit_stops_the_rest_and_keeps_what_is_there(repo: Repo) -> None:
    speaker = Speaker(says("text", Usage(3, 4)))
    with Workers(repo, speaker, Terms(jobs=1, pricing=DOLLAR, max_cost=10.0), nothing) as workers:
        workers.start([job(number) for number in range(9)])
        with pytest.raises(UserError, match=r"about \$14.00 .*\$10.00 was allowed"):
            ends(workers, 9)
    assert len(speaker.requests) == 2
    assert len(spool.drafts(repo).kept) == 2


def test_a_cost_that_nobody_counted_is_guessed_for_the_limit(repo: Repo) -> None:
    speaker = Speaker(says("text " * 100))
    with Workers(repo, speaker, Terms(jobs=1, pricing=DOLLAR, max_cost=100.0), nothing) as workers:
        workers.start([job(1), job(2)])
        with pytest.raises(UserError, match="was allowed"):
            ends(workers, 2)
    assert len(speaker.requests) == 1


def test_a_cost_that_passes_its_limit_with_the_last_draft_stops_nothing(repo: Repo) -> None:
    speaker = Speaker(says("text", Usage(3, 4)))
    with Workers(repo, speaker, Terms(jobs=1, pricing=DOLLAR, max_cost=10.0), nothing) as workers:
        workers.start([job(1), job(2)])
        assert len(ends(workers, 2)) == 2
        assert workers.is_at_limit


def test_candidates_have_seeds_of_their_own_where_there_is_one(repo: Repo) -> None:
    speaker = Speaker(says("text"))
    with Workers(repo, speaker, Terms(jobs=1, seed=7), nothing) as workers:
        workers.start([job(1, candidate) for candidate in (1, 2, 3)])
        ends(workers, 3)
    assert [request.seed for request in speaker.requests] == [7, 8, 9]


def test_no_more_are_written_at_once_than_may_be_but_for_one_that_a_person_waits_for(repo: Repo) -> None:
    go_on = threading.Semaphore(0)
    begun = threading.Semaphore(0)

    def waits(_: Request) -> Generator[Piece]:
        begun.release()
        go_on.acquire(timeout=120)
        yield "text"

    speaker = Speaker(waits)
    with Workers(repo, speaker, Terms(jobs=2), nothing) as workers:
        workers.start([job(number) for number in range(6)])
        assert begun.acquire(timeout=120)
        assert begun.acquire(timeout=120)
        assert not begun.acquire(timeout=0.1)
        workers.start([job(9, is_urgent=True)])
        assert begun.acquire(timeout=120)
        assert speaker.requests[2].messages[0].content == "Write 9."
        assert [request.is_urgent for request in speaker.requests] == [False, False, True]
        go_on.release()
        ends(workers, 1)
        assert not begun.acquire(timeout=0.1), "two others still run"
        go_on.release(6)
        ends(workers, 6)


def test_whoever_leaves_stops_what_runs_and_nothing_more_is_kept(repo: Repo) -> None:
    begun = threading.Event()
    go_on = threading.Event()
    is_closed = threading.Event()

    def waits(_: Request) -> Generator[Piece]:
        try:
            yield "a"
            begun.set()
            go_on.wait(120)
            yield "b"
        finally:
            is_closed.set()

    with Workers(repo, Speaker(waits), Terms(), nothing) as workers:
        workers.start([job(1)])
        assert begun.wait(120)
    go_on.set()
    assert is_closed.wait(120), "the provider's stream is closed, which tells the server"
    assert spool.drafts(repo).kept == ()


def test_a_bug_in_a_thread_is_raised_where_somebody_hears_it(repo: Repo) -> None:
    def breaks(_: Request) -> Generator[Piece]:
        yield "a"
        raise ZeroDivisionError

    with Workers(repo, Speaker(breaks), Terms(), nothing) as workers:
        workers.start([job(1)])
        with pytest.raises(ZeroDivisionError):
            ends(workers, 1)


def test_events_come_in_the_thread_that_waits_and_say_what_was_drafted(repo: Repo) -> None:
    heard: list[tuple[str, threading.Thread]] = []
    drafted: list[str] = []

    def on_event(event: Event) -> None:
        heard.append((event.what, threading.current_thread()))
        if event.draft is not None:
            drafted.append(event.draft.text)

    with Workers(repo, Speaker(says("te", "xt")), Terms(), on_event) as workers:
        workers.start([job(1)])
        ends(workers, 1)
    assert [what for what, _ in heard] == ["queued", "drafting", "text", "text", "drafted"]
    assert {thread for _, thread in heard} == {threading.current_thread()}
    assert drafted == ["text\n"]


def test_after_failures_that_are_alike_nothing_more_is_asked_for(repo: Repo) -> None:
    def fails(_: Request) -> Generator[Piece]:
        raise ProviderError("refused the key", hint="Check it.")
        yield ""

    speaker = Speaker(fails)
    with Workers(repo, speaker, Terms(jobs=1), nothing) as workers:
        workers.start([job(number) for number in range(6)])
        found = ends(workers, 6)
    assert len(speaker.requests) == 3
    assert "not asked, because the others failed: refused the key" in str(found[-1].error)
    assert found[-1].error is not None
    assert found[-1].error.hint == "Check it."


def test_failures_that_differ_are_each_ones_own(repo: Repo) -> None:
    def fails(request: Request) -> Generator[Piece]:
        raise ProviderError(f"no to {request.messages[0].content}")
        yield ""

    speaker = Speaker(fails)
    with Workers(repo, speaker, Terms(jobs=1), nothing) as workers:
        workers.start([job(number) for number in range(6)])
        ends(workers, 6)
    assert len(speaker.requests) == 6
