"""Fetches a branch, and is killed as soon as its pack begins to come: a program for tests.

`python receiving.py REPOSITORY URL REFSPEC alone|group [ask]`; `ask`: as if a person were at the terminal.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from gitforge.store import addresses, transfer
from gitforge.store.repo import Repo
from gitforge.store.transfer import Progress


def die(progress: Progress) -> None:
    """As `kill -9` does it, to this process, or to its whole group."""
    if progress.stage == "Receiving objects":
        if sys.argv[4] == "group":
            os.killpg(0, signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    transfer.fetch(
        Repo.discover(Path(sys.argv[1])), addresses.parse(sys.argv[2], base=Path("/")), [sys.argv[3]],
        progress=die, can_ask="ask" in sys.argv,
    )  # fmt: skip
