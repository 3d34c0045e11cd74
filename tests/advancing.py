"""Moves HEAD's branch to a commit: a program for tests that kill it.

`python advancing.py COMMIT` in a repository; where to die is said as in dying.py.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import dying

from gitforge.store import advance
from gitforge.store.repo import Repo

if __name__ == "__main__":
    if os.environ.get("DIE_AT"):
        dying.arm()
    there = Repo.discover(Path())
    advance.advance(there, there.head(), sys.argv[1], "test")
