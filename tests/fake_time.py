"""Time that passes only where somebody waits for it."""

from __future__ import annotations

import threading


class FakeTime:
    """For a `Pace`: `FakeTime().pace_arguments`. `waits` is how long it was waited for, one after another."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.waits: list[float] = []

    def clock(self) -> float:
        """Seconds."""
        return self.now

    def wait(self, condition: threading.Condition, seconds: float | None) -> None:
        """Waits for another thread, or lets the seconds be over."""
        if seconds is None:
            condition.wait()
        else:
            self.waits.append(seconds)
            self.now += seconds
