"""The one moment from which a commit is recorded: its branch moves, or somebody else's has moved it before."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from gitforge.errors import UserError
from gitforge.store.journal import Journal
from gitforge.store.moved_refs import MOVE_SECONDS, free_dead_ref_locks, keep_refs
from gitforge.store.moving import moving_head

ATTEMPTS = 20
"""How often at least a commit is built anew because the branch or the index moved meanwhile."""
PATIENCE_SECONDS = 5.0
"""How long at least: on a busy machine an attempt takes long, and others are more likely to come in between."""

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
    deadline = time.monotonic() + PATIENCE_SECONDS
    number = 0
    while True:
        number += 1
        try:
            return attempt()
        except LostRace as lost:
            if number >= ATTEMPTS and time.monotonic() > deadline:
                raise UserError(
                    f"{lost}, {number} times in a row; nothing was recorded", hint="Try again."
                ) from lost
            time.sleep(random.uniform(0, 0.005) * min(number, ATTEMPTS))  # noqa: S311


def reach_commit_point(journal: Journal, publish: Callable[[], None] = lambda: None) -> None:
    """Moves the branch; from here on the generation is recorded.

    Args:
        journal: What is recorded.
        publish: Shows the new index to others. It is called when nothing can keep the branch from moving any more,
            and before it moves: `git commit` reads HEAD first, then the index, and takes its lock last, so one
            that finds the commit has to find its index too.

    Raises:
        LostRace: Somebody else has moved it, or is about to.
        UserError: git or the user's hook refuses.
        OSError: The system refuses to publish.
    """
    repo, head, commit = journal.repo, journal.head, journal.commit
    try:
        with moving_head(repo, head, commit, refs=journal.refs, reason=journal.reason, timeout=MOVE_SECONDS):
            publish()
    except UserError as error:
        is_killed = free_dead_ref_locks(journal)
        now = repo.commit_of(head.ref or "HEAD")
        if now is not None and repo.contains(now, commit):  # killed, but after that
            keep_refs(journal)
            return
        if is_killed or now != head.commit or ".lock': File exists" in error.message:
            raise LostRace(f"the branch could not be moved ({error.message})") from error
        raise
