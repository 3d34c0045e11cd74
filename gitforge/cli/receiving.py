"""What is shown while something comes from elsewhere, and of what came before it is used."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Self

from gitforge.cli import output
from gitforge.text import counted, printable_line

if TYPE_CHECKING:
    from rich.status import Status

    from gitforge.goals import Pin
    from gitforge.payloads import Suspicion
    from gitforge.store.addresses import Address
    from gitforge.store.transfer import OnProgress, Progress
    from gitforge.unasked import Left

_PER_FILE = 3  # places of a file that are shown beside its orders
_FILES = 20  # files that are shown with such places; each further one has a line
_LIBRARIES = 10


class Meter:
    """How far git has come: one line that is written over, on a terminal; nothing elsewhere."""

    def __init__(self) -> None:
        self._status: Status | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    @property
    def progress(self) -> OnProgress | None:
        """What git's progress is told to; None where nobody would see it."""
        return self._tell if sys.stderr.isatty() else None

    def _tell(self, one: Progress) -> None:
        if self._status is None:  # not before git has begun: it may ask for a password until then
            from rich.status import Status  # noqa: PLC0415

            self._status = Status("", console=output.console(sys.stderr))
            self._status.start()
        of = f" of {one.total:,}" if one.total else ""
        self._status.update(f"{one.stage}: {one.done:,}{of}")

    def clear(self) -> None:
        """Takes the line away, before something else is shown."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def tell_fetch(self, pin: Pin, address: Address) -> None:
        """Says that another library is fetched, and from where."""
        self.clear()
        output.say(f"{printable_line(pin.name)}: fetching {pin.commit[:10]} from {address.shown}")


def show_left(left: Sequence[Left]) -> None:
    """The libraries that are not here, and why."""
    for one in left[:_LIBRARIES]:
        output.say(("not fetched: ", output.WARN), printable_line(one.why.message))
        if one.why.hint:
            output.say(("hint: ", output.WARN), one.why.hint)
    if len(left) > _LIBRARIES:
        output.say(f"and {len(left) - _LIBRARIES} more libraries; `gitforge library fetch` fetches them all")


def show_suspicions(found: Sequence[tuple[str, Sequence[Suspicion]]]) -> None:
    """Texts from elsewhere in which something may be meant for the model alone, the gravest first.

    Every order to a model is shown, and every file is named: harmless places cannot drown another one.
    """
    by_gravity = sorted((one for one in found if one[1]), key=lambda one: min(it.gravity for it in one[1]))
    for number, (name, places) in enumerate(by_gravity):
        ordered = sorted(places, key=lambda one: one.gravity)
        orders = sum(one.is_order for one in ordered)
        shown = max(1, orders) if number >= _FILES else orders + _PER_FILE
        for one in ordered[:shown]:
            place = f"{printable_line(name)}:{one.line}:{one.column}: "
            output.say((place, output.BOLD), (one.what, output.WARN))
            if number < _FILES or one.is_order:
                output.say(("    " + one.excerpt, output.DIM))
        if (more := len(ordered) - shown) > 0:
            output.say(f"{printable_line(name)}: and {counted(more, 'more place')}")


def suspicions_as_data(found: Iterable[tuple[str, Sequence[Suspicion]]]) -> list[dict[str, Any]]:
    """The same for a script."""
    return [
        {
            "file": name, "line": one.line, "column": one.column, "message": one.what,
            "excerpt": one.excerpt,
        }
        for name, places in found
        for one in places
    ]  # fmt: skip


def libraries_as_data(fetched: Iterable[Pin], left: Iterable[Left]) -> list[dict[str, Any]]:
    """What became of the libraries that were not here, for a script."""
    return [{"name": pin.name, "fetched": True, "message": None} for pin in fetched] + [
        {"name": one.pin.name, "fetched": False, "message": one.why.message} for one in left
    ]
