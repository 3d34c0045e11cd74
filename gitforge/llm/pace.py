"""How fast a server is asked: the one retry policy, and the one limit of requests at once.

All requests of a provider share a `Pace`, from as many threads as there are. The number of requests in flight
adapts by additive increase and multiplicative decrease (Chiu and Jain, 1989): the server's "too many requests"
halves it, answers let it grow again. Where a server asks for a pause, or fails, nobody asks it until the pause is
over; the pauses grow exponentially, with jitter, so that they do not end for all at the same moment.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

from gitforge.errors import Cancelled
from gitforge.llm.deadline import Deadline

FAILURES: Final = 2
"""How often one request is sent again after a failure."""
REFUSALS: Final = 8
"""How often one request is sent again because the server was busy: that costs it nothing, and is no failure."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 16.0  # seconds


@dataclass(frozen=True)
class Trouble:
    """Why a request got no answer, where another may get one.

    Args:
        what: Said of the server: "is busy (HTTP 429)".
        is_busy: Whether the server wants fewer requests.
        wait: Seconds that it asks to wait; None where it does not say.
    """

    what: str
    is_busy: bool = False
    wait: float | None = None


class PauseTooLong(Exception):
    """The server asked for a pause that is longer than a request may take in all."""

    def __init__(self, what: str, seconds: float) -> None:
        super().__init__(what)
        self.what = what
        self.seconds = seconds


def stopped() -> Cancelled:
    """What ends a request after `Pace.stop`."""
    return Cancelled("the drafts under way were stopped")


class Pace:
    """What the requests to one server know of it together.

    Args:
        limit: Requests in flight at once, at the start and at most.
        clock: Seconds, counted up.
        chance: A random number from 0 to 1.
        wait: Waits for a condition for some seconds, or for as long as it takes.
    """

    def __init__(
        self,
        limit: int,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
        wait: Callable[[threading.Condition, float | None], object] = threading.Condition.wait,
    ) -> None:
        self._most: Final = limit
        self._limit = float(limit)
        self._clock: Final = clock
        self._chance: Final = chance
        self._wait: Final = wait
        self._changed: Final = threading.Condition()
        self._in_flight = 0
        self._urgent = 0  # waiting requests before which nobody else is sent
        self._is_stopped = False
        self._until, self._what = -float("inf"), ""  # when the pause ends, and what it is for
        self._reaction = 0  # how often the pace has changed: a burst of failures is one trouble, not twenty

    @property
    def limit(self) -> int:
        """Requests in flight at once, as it is now."""
        return int(self._limit)

    @property
    def is_stopped(self) -> bool:
        """Whether nobody may ask any more."""
        return self._is_stopped

    def stop(self) -> None:
        """Ends all waiting, now and ever."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()

    def turn(self, deadline: Deadline, *, is_urgent: bool = False) -> Turn:
        """The way of one more request; use it in `with`.

        Args:
            deadline: Its time.
            is_urgent: It goes before all others, and as the only one beyond the limit where that is more than one and
                the server has not wanted fewer: so it need not wait for answers that take their time.
        """
        return Turn(self, deadline, is_urgent=is_urgent)

    # What a turn does, which holds `_changed`

    def _has_room(self, *, is_urgent: bool) -> bool:
        """Whether one more request may be in flight."""
        if not is_urgent:
            return self._in_flight < self.limit and not self._urgent
        return self._in_flight < self.limit + (self._limit == self._most > 1)

    def _pause(self, trouble: Trouble, tries: int, reaction: int) -> float:
        """Slows down, and returns for how many seconds nobody asks."""
        now = self._clock()
        is_first = reaction == self._reaction
        is_news = is_first or now >= self._until
        if is_first and trouble.is_busy:
            self._limit = max(1.0, self._limit / 2)
        if is_news:
            self._reaction += 1
        seconds = trouble.wait
        if seconds is None:
            seconds = min(FIRST_PAUSE * 2 ** (tries - 1), LONGEST_PAUSE)
            seconds *= 1 - self._chance() / 4
        if (is_news or trouble.wait is not None) and now + seconds > self._until:
            self._until, self._what = now + seconds, trouble.what
        self._changed.notify_all()
        return max(self._until - now, 0.0)


class Turn:
    """The way of one request to its answer: waits for its place, and says whether to send it again."""

    def __init__(self, pace: Pace, deadline: Deadline, *, is_urgent: bool = False) -> None:
        self._pace = pace
        self._deadline = deadline
        self._is_urgent = is_urgent
        self._has_place = False
        self._reaction = 0
        self._failures = self._refusals = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._pace._changed:
            self._leave()

    def check(self) -> None:
        """Raises `Cancelled` where everything was stopped, and `DeadlineExceeded` where time is over."""
        if self._pace.is_stopped:
            raise stopped()
        self._deadline.check()

    def take(self) -> None:
        """Waits until the server may be asked. Waiting for other requests does not count as this one's time.

        Raises:
            Cancelled: The pace was stopped.
            PauseTooLong: The server wants a longer pause than this request has time.
            DeadlineExceeded: The time for this request is over.
        """
        pace = self._pace
        with pace._changed:
            if self._has_place:
                return
            pace._urgent += self._is_urgent
            try:
                self._wait_for_place()
            finally:
                if self._is_urgent:
                    pace._urgent -= 1
                    pace._changed.notify_all()  # the others may go
            pace._in_flight += 1
            self._has_place = True
            self._reaction = pace._reaction
        self._deadline.start()

    def _wait_for_place(self) -> None:
        pace = self._pace
        spread = pace._chance()
        while True:
            self.check()
            now = pace._clock()
            pause = max(pace._until - now, 0.0)
            if pause >= self._deadline.left():
                raise PauseTooLong(pace._what, pause)
            pause += spread * min(pause, 1) / 4
            if pause == 0 and pace._has_room(is_urgent=self._is_urgent):
                return
            pace._wait(pace._changed, pause if pause > 0 else None)
            if pause == 0:
                self._deadline.postpone(pace._clock() - now)

    def retry(self, trouble: Trouble) -> float | None:
        """Gives the place up, and says in how many seconds to take one again; None: do not.

        Args:
            trouble: Why there is no answer.
        """
        with self._pace._changed:
            self._leave()
            if trouble.is_busy:
                self._refusals += 1
            else:
                self._failures += 1
            wait = self._pace._pause(trouble, self._failures + self._refusals, self._reaction)
            if self._failures > FAILURES or self._refusals > REFUSALS or wait >= self._deadline.left():
                return None
            return wait

    def done(self) -> None:
        """The answer is complete: the server can take a little more."""
        with self._pace._changed:
            self._pace._limit = min(self._pace._most, self._pace._limit + 1 / self._pace._limit)
            self._pace._changed.notify_all()

    def _leave(self) -> None:
        if self._has_place:
            self._has_place = False
            self._pace._in_flight -= 1
            self._pace._changed.notify_all()
