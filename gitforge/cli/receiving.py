"""What is shown while something comes from elsewhere, and of what came before it is used."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from gitforge.cli import output
from gitforge.payloads import Suspicion
from gitforge.store.transfer import OnProgress, Progress

_PER_FILE = 5  # places that are shown
_FILES = 20


@contextmanager
def progress() -> Iterator[OnProgress | None]:
    """How far git has come: one line that is written over on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.status import Status  # noqa: PLC0415 -- where there is a terminal

    status = Status("", console=output.console(sys.stderr))
    is_shown = False

    def tell(one: Progress) -> None:
        nonlocal is_shown
        if not is_shown:  # not before git has begun: it may ask for a password until then
            status.start()
            is_shown = True
        of = f" of {one.total:,}" if one.total else ""
        status.update(f"{one.stage}: {one.done:,}{of}")

    try:
        yield tell
    finally:
        status.stop()


def show_suspicions(found: Sequence[tuple[str, Sequence[Suspicion]]]) -> None:
    """Texts from elsewhere in which something may be meant for the model alone, each with its first places."""
    for name, places in found[:_FILES]:
        for one in places[:_PER_FILE]:
            output.say((f"{name}:{one.line}:{one.column}: ", output.BOLD), (one.what, output.WARN))
            output.say(("    " + one.excerpt, output.DIM))
        if len(places) > _PER_FILE:
            output.say(f"{name}: and {len(places) - _PER_FILE} more places")
    if len(found) > _FILES:
        output.say(f"and {len(found) - _FILES} more files")


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
