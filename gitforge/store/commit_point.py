"""The one moment from which a commit is recorded: its branch moves, or somebody else's has moved it before."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from gitforge.errors import UserError
from gitforge.store.journal import Journal
from gitforge.store.recovery import MOVE_SECONDS, free_dead_ref_locks, keep_refs

ATTEMPTS = 20
"""How often a commit is built anew because the branch or the index moved meanwhile."""

_Result = TypeVar("_Result")


class LostRace(Exception):
    """The branch or the index is not what the commit was built on any more."""


def until_won(attempt: Callable[[], _Result]) -> _Result:
    """What an attempt comes to that loses no race.

    Args:
        attempt: Builds a commit on what is there, and publishes it; raises LostRace.

    Raises:
        UserError: Every one was lost; or what the attempt raises.
    """
    for number in range(ATTEMPTS):
        try:
            return attempt()
        except LostRace as lost:
            reason = lost
            time.sleep(random.uniform(0, 0.005) * number)  # noqa: S311
    raise UserError(f"{reason}, {ATTEMPTS} times in a row; nothing was recorded", hint="Try again")


def reach_commit_point(journal: Journal) -> None:
    """Moves the branch; from here on the generation is recorded.

    Raises:
        LostRace: Somebody else has moved it, or is about to.
        UserError: git or the user's hook refuses.
    """
    repo, head, commit = journal.repo, journal.head, journal.commit
    try:
        repo.move_head(head, commit, refs=journal.refs, reason=journal.reason, timeout=MOVE_SECONDS)
    except UserError as error:
        is_killed = free_dead_ref_locks(journal)
        now = repo.commit_of(head.ref or "HEAD")
        if now == commit:  # killed, but after that
            keep_refs(journal)
            return
        if is_killed or now != head.commit or ".lock': File exists" in error.message:
            raise LostRace(f"The branch could not be moved ({error.message})") from error
        raise
