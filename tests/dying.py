"""gitforge, killed at a step: a test's own entry, which the product knows nothing of.

`DIE_AT` is `module:function:moment`, for example `gitforge.store.transaction:lock_index:after`; `DIE_HOW` is `alone`
or `group`. Everything else is as in `python -m gitforge`.
"""

from __future__ import annotations

import importlib
import os
import signal
from typing import Any


def die() -> None:
    """As `kill -9` does it, to this process, or to its whole group."""
    if os.environ["DIE_HOW"] == "group":
        os.killpg(0, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


def arm() -> None:
    """Replaces the step that is named by one that dies."""
    where, name, moment = os.environ["DIE_AT"].split(":")
    module = importlib.import_module(where)
    original = getattr(module, name)

    def dying(*arguments: Any, **options: Any) -> Any:
        if moment == "before":
            die()
        result = original(*arguments, **options)
        die()
        return result

    setattr(module, name, dying)


if __name__ == "__main__":
    from gitforge.cli.entry import entry

    if os.environ.get("DIE_AT"):
        arm()
    entry()
