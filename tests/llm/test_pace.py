"""The one retry policy: how many requests at once, how long to wait, and when to give up. Time is not real here."""

from __future__ import annotations

import threading

import pytest
from fake_time import FakeTime

from gitforge.errors import Cancelled
from gitforge.llm.deadline import Deadline, DeadlineExceeded
from gitforge.llm.pace import (
    FAILURES,
    FIRST_PAUSE,
    LONGEST_PAUSE,
    REFUSALS,
    Pace,
    PauseTooLong,
    Trouble,
    Turn,
)

BUSY = Trouble("is busy (HTTP 429)", is_busy=True)
FAILED = Trouble("failed (HTTP 503)")


def paced(time: FakeTime, limit: int = 20) -> Pace:
    """A pace without chance in it."""
    return Pace(limit, clock=time.clock, chance=lambda: 0.0, wait=time.wait)


def turn(pace: Pace, time: FakeTime, deadline: float = 600.0, *, is_urgent: bool = False) -> Turn:
    """A turn that has its place."""
    one = pace.turn(Deadline(deadline, time.clock), is_urgent=is_urgent)
    one.take()
    return one


def wait_of(turn: Turn, trouble: Trouble) -> float:
    wait = turn.retry(trouble)
    assert wait is not None
    return wait


# How many at once


def test_no_more_requests_are_in_flight_than_the_limit() -> None:
    pace, active, most = Pace(3), 0, 0
    lock = threading.Lock()
    full = threading.Barrier(3)

    def work() -> None:
        nonlocal active, most
        with pace.turn(Deadline(60)) as one:
            one.take()
            with lock:
                active += 1
                most = max(most, active)
            full.wait(60)  # three are there together, or this test fails
            with lock:
                active -= 1

    threads = [threading.Thread(target=work) for _ in range(9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 3


def test_too_many_requests_halve_the_limit_and_answers_let_it_grow_slowly_to_where_it_was() -> None:
    time = FakeTime()
    pace = paced(time)
    assert wait_of(turn(pace, time), BUSY) == FIRST_PAUSE
    assert pace.limit == 10
    answers = 0
    while pace.limit < 20:
        with turn(pace, time) as one:
            one.done()
        answers += 1
    assert 100 < answers < 200
    with turn(pace, time) as one:
        one.done()
    assert pace.limit == 20


def test_a_burst_of_refusals_is_one_sign_and_not_twenty() -> None:
    time = FakeTime()
    pace = paced(time)
    turns = [turn(pace, time) for _ in range(20)]
    assert [one.retry(BUSY) for one in turns] == [FIRST_PAUSE] * 20
    assert pace.limit == 10


def test_the_limit_never_falls_below_one() -> None:
    time = FakeTime()
    pace = paced(time, limit=2)
    for _ in range(5):
        turn(pace, time).retry(BUSY)
    assert pace.limit == 1


@pytest.mark.parametrize(
    ("limit", "is_refused", "is_sent"), [(20, False, True), (20, True, False), (1, False, False)]
)
def test_one_urgent_request_goes_beyond_the_limit_where_the_server_can_take_more_than_one(
    limit: int, is_refused: bool, is_sent: bool
) -> None:
    time = FakeTime()

    def wait(condition: threading.Condition, seconds: float | None) -> None:
        if seconds is None:
            raise TimeoutError("waits for others")
        time.wait(condition, seconds)

    pace = Pace(limit, clock=time.clock, chance=lambda: 0.0, wait=wait)
    if is_refused:
        turn(pace, time).retry(BUSY)
    for _ in range(pace.limit):
        turn(pace, time)

    for _ in range(is_sent):
        turn(pace, time, is_urgent=True)
    with pytest.raises(TimeoutError):
        turn(pace, time, is_urgent=True)


def test_an_urgent_request_gets_the_next_place_before_those_that_wait_longer() -> None:
    waiting = threading.Semaphore(0)

    def wait(condition: threading.Condition, seconds: float | None) -> None:
        waiting.release()
        condition.wait(seconds)

    pace = Pace(1, wait=wait)
    order: list[str] = []

    def work(name: str) -> None:
        with pace.turn(Deadline(600), is_urgent=name == "urgent") as one:
            one.take()
            order.append(name)

    threads = [threading.Thread(target=work, args=(name,)) for name in ("first", "second", "urgent")]
    with pace.turn(Deadline(600)) as one:
        one.take()
        for thread in threads:
            thread.start()
            assert waiting.acquire(timeout=120)
    for thread in threads:
        thread.join(120)
    assert order[0] == "urgent"
    assert sorted(order) == ["first", "second", "urgent"]


def test_a_failure_lets_the_limit_be() -> None:
    time = FakeTime()
    pace = paced(time)
    turn(pace, time).retry(FAILED)
    assert pace.limit == 20


# Pauses


def test_everyone_waits_as_long_as_the_server_asks() -> None:
    time = FakeTime()
    pace = paced(time)
    assert wait_of(turn(pace, time), Trouble("is busy", is_busy=True, wait=7.0)) == 7.0
    turn(pace, time)
    assert time.waits == [7.0]


def test_a_longer_wait_that_the_server_asks_for_meanwhile_holds() -> None:
    time = FakeTime()
    pace = paced(time)
    first, second = turn(pace, time), turn(pace, time)
    first.retry(Trouble("is busy", is_busy=True, wait=2.0))
    assert wait_of(second, Trouble("is busy", is_busy=True, wait=5.0)) == 5.0


def test_a_failure_is_a_pause_for_all() -> None:
    time = FakeTime()
    pace = paced(time)
    assert wait_of(turn(pace, time), FAILED) == FIRST_PAUSE
    turn(pace, time)
    assert time.waits == [FIRST_PAUSE]


def test_the_pauses_of_a_request_double_to_a_limit() -> None:
    time = FakeTime()
    one = turn(paced(time), time)
    pauses = []
    for _ in range(REFUSALS):
        pauses.append(wait_of(one, BUSY))
        one.take()
    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, LONGEST_PAUSE, LONGEST_PAUSE]


def test_pauses_have_jitter_and_do_not_end_for_all_at_once() -> None:
    time = FakeTime()
    chances = iter([0.0, 1.0, 0.5])
    pace = Pace(20, clock=time.clock, chance=lambda: next(chances), wait=time.wait)
    assert wait_of(turn(pace, time), FAILED) == FIRST_PAUSE * 0.75
    turn(pace, time)
    assert time.waits == [FIRST_PAUSE * 0.75 * 1.125]


def test_a_pause_that_the_server_asks_for_is_never_shortened() -> None:
    time = FakeTime()
    pace = Pace(20, clock=time.clock, chance=lambda: 1.0, wait=time.wait)
    asked = Trouble("is busy", is_busy=True, wait=4.0)
    assert wait_of(turn(pace, time), asked) == 4.0
    turn(pace, time)
    assert time.waits == [4.25]


# Giving up


@pytest.mark.parametrize(("trouble", "times"), [(FAILED, FAILURES), (BUSY, REFUSALS)])
def test_a_request_is_sent_again_only_so_often(trouble: Trouble, times: int) -> None:
    time = FakeTime()
    one = turn(paced(time), time)
    for _ in range(times):
        assert one.retry(trouble) is not None
        one.take()
    assert one.retry(trouble) is None


def test_a_wait_beyond_the_deadline_is_not_begun() -> None:
    time = FakeTime()
    pace = paced(time)
    asked = Trouble("is busy", is_busy=True, wait=60.0)
    assert turn(pace, time, deadline=60.0).retry(asked) is None
    with pytest.raises(PauseTooLong) as caught:
        turn(pace, time, deadline=60.0)
    assert (caught.value.what, caught.value.seconds) == ("is busy", 60.0)
    assert time.waits == []


def test_pauses_count_as_time_of_the_request_that_caused_them() -> None:
    time = FakeTime()
    one = turn(paced(time), time, deadline=60.0)
    one.retry(Trouble("is busy", is_busy=True, wait=40.0))
    one.take()
    assert one.retry(Trouble("is busy", is_busy=True, wait=20.0)) is None


def test_waiting_for_other_requests_does_not_count_as_time_of_this_one() -> None:
    time = FakeTime()
    pace = paced(time, limit=1)
    deadline = Deadline(60.0, time.clock)
    with pace.turn(deadline) as one:
        one.take()
        one.retry(Trouble("is busy", is_busy=True, wait=0.0))
        other = turn(pace, time)  # has the only place

        def answered() -> None:
            with pace._changed:  # the one waits by now, for it had this lock
                time.now += 1000.0
            other.done()
            other.__exit__()

        waiting = threading.Timer(0, answered)
        with pace._changed:
            waiting.start()
            one.take()
        waiting.join()
        assert deadline.left() == 60.0


def test_no_request_is_sent_after_its_deadline() -> None:
    time = FakeTime()
    one = turn(paced(time), time, deadline=60.0)
    one.retry(FAILED)
    time.now += 60.0
    with pytest.raises(DeadlineExceeded):
        one.take()


# Stopping


@pytest.mark.parametrize("what", ["a place", "a pause"])
def test_stopping_ends_all_waiting_and_lets_nobody_begin(what: str) -> None:
    pace = Pace(1)
    first = pace.turn(Deadline(1000))
    first.take()
    if what == "a pause":
        first.retry(Trouble("is busy", is_busy=True, wait=900.0))
    ended = []

    def work() -> None:
        with pytest.raises(Cancelled):
            pace.turn(Deadline(1000)).take()
        ended.append(what)

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    pace.stop()
    for thread in threads:
        thread.join(60)
    assert ended == [what] * 5
    with pytest.raises(Cancelled):
        pace.turn(Deadline(1000)).take()


def test_a_place_is_given_back_however_a_turn_ends() -> None:
    time = FakeTime()
    pace = paced(time, limit=1)

    def interrupted() -> None:
        with pace.turn(Deadline(60, time.clock)) as one:
            one.take()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    turn(pace, time)
