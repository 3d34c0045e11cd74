"""The words of a sync: what is asked for, what was done, what nobody has decided."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from gitforge.errors import Conflict, UserError
from gitforge.goals_merge import GoalClash
from gitforge.libraries import OnFetch
from gitforge.sharing.arrivals import Arrivals
from gitforge.sharing.pins_moved import PinMoved
from gitforge.store import transfer
from gitforge.store.disputes import Decide, Dispute, Side
from gitforge.store.meter import OnProgress
from gitforge.store.recovery import Repair
from gitforge.store.replay import Dropped, shown
from gitforge.store.upstream import Upstream
from gitforge.unasked import Brought

DecideGoal = Callable[[GoalClash], Side | None]
"""Gives the side of a clash in goals.yaml that stands; None where nobody decides."""


class Disputed(Conflict):
    """Both sides have changed the same, each in its own way, and nobody has decided.

    Args:
        disputes: What.
        unfetched: The libraries of which nobody knows yet whose pin is the newer one: nothing was to be fetched.
    """

    def __init__(self, disputes: Sequence[Dispute], unfetched: Sequence[str] = ()) -> None:
        self.disputes = tuple(disputes)
        hint = (
            "Decide: --ours takes this clone's versions, --theirs those that were published; or on a terminal, one by "
            "one."
        )
        if unfetched:
            hint += (
                f" Which pin of {', '.join(unfetched)} is the newer one is known once it is fetched, which a dry run"
                " does not do: without --dry-run that may need no decision."
            )
        super().__init__(
            "both sides have changed the same, each in its own way; nothing was changed here:\n"
            + "\n".join(f"  {shown(one)}" for one in self.disputes),
            hint=hint,
        )


@dataclass(frozen=True)
class Plan:
    """What is asked for.

    Attributes:
        remote: A remote's name or address; None for the branch's own.
        push: Whether to send what is here.
        dry_run: Whether nothing is to move, here or there.
        decide: Who decides what clashes in files.
        decide_goal: Who decides what clashes in goals.yaml.
        progress: Told how far it has come.
        silence: Seconds after which a remote that says nothing is given up.
        max_bytes: How much may come at once; None for no limit.
        can_ask: Whether a person is at the terminal.
        before_library: Told before another library that goals.yaml names is fetched.
    """

    remote: str | None = None
    push: bool = True
    dry_run: bool = False
    decide: Decide = lambda _: None
    decide_goal: DecideGoal = lambda _: None
    progress: OnProgress | None = None
    silence: float = transfer.SILENCE
    max_bytes: int | None = transfer.MAX_BYTES
    can_ask: bool = False
    before_library: OnFetch | None = None


@dataclass
class Synced:
    """What was done, or in a dry run would be: a run writes it down as it goes on, from attempt to attempt.

    Attributes:
        upstream: What the branch follows.
        before: Id of HEAD's commit before; None where there was none.
        after: Id of its commit since.
        arrivals: What came.
        replayed: How many commits were made again on top of it.
        dropped: What was left out of them.
        sent: How many commits were pushed.
        is_new_branch: Whether the branch was not there before.
        kept_received: How many prompts and texts came.
        kept_sent: How many went.
        libraries: What became of the libraries that goals.yaml names and that were not here.
        warnings: What the user should know.
        refused: Why nothing could be sent, though all the rest is done.
        repair: What a killed gitforge had begun, and was finished first.
        pins: The libraries that both sides have pinned anew, and what stands.
    """

    upstream: Upstream
    before: str | None
    after: str | None
    arrivals: Arrivals = field(default_factory=Arrivals)
    replayed: int = 0
    dropped: tuple[Dropped, ...] = ()
    sent: int = 0
    is_new_branch: bool = False
    kept_received: int = 0
    kept_sent: int = 0
    libraries: Brought = field(default_factory=Brought)
    warnings: list[str] = field(default_factory=list)
    refused: UserError | None = None
    repair: Repair | None = None
    pins: tuple[PinMoved, ...] = ()

    def warn(self, *warnings: str | None) -> None:
        """Notes what the user should know, once."""
        self.warnings += [one for one in dict.fromkeys(warnings) if one and one not in self.warnings]
