"""Fetch, integrate, push: what is here and what a team has published become one line of commits.

Nothing is ever forced, and nothing of the user's is touched; docs/sync.md tells the steps by the names of the
functions here, and what git would do beside it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping

from gitforge.errors import UserError
from gitforge.goals import Pin
from gitforge.libraries import Terms
from gitforge.sharing.decisions import Decisions
from gitforge.sharing.integrating import integrate, refuse_rewritten
from gitforge.sharing.pins_moved import PinsMoved
from gitforge.sharing.publishing import has_branches, look, publish
from gitforge.sharing.records import Disputed, Plan, Synced
from gitforge.store import kept, transfer
from gitforge.store.commit import refuse_during_operation
from gitforge.store.commit_point import LostRace
from gitforge.store.incoming import sweep_abandoned
from gitforge.store.process import harmless
from gitforge.store.repo import Repo
from gitforge.store.upstream import Upstream, find_upstream, remember, seen_last
from gitforge.unasked import Unasked
from gitforge.workspace import Workspace

__all__ = ["Disputed", "Plan", "Synced", "sync"]

ATTEMPTS = 12
"""How often all is done again because somebody else has pushed, or recorded something here, meanwhile."""
_LONGEST_PAUSE = 4.0  # seconds
_SHOWN = 5  # refs in a sentence


def sync(workspace: Workspace, repo: Repo, plan: Plan) -> Synced:
    """Brings what was published, puts what is here on top of it, and publishes that.

    Args:
        workspace: The workspace.
        repo: Its repository.
        plan: What is asked for.

    Raises:
        Disputed: Both sides have changed the same.
        Conflict: Something of the user's is in the way, or a merge by hand is needed.
        RemoteFailed: The remote cannot be reached, or refuses.
        UserError: There is no remote, what came cannot be used, or git refuses.
    """
    refuse_during_operation(repo)
    sweep_abandoned(repo.common_dir)
    work = _Sync(workspace, repo, plan)
    for number in range(ATTEMPTS):
        try:
            return work.once()
        except (LostRace, transfer.Rejected) as error:
            reason = error
        pause = min(_LONGEST_PAUSE, 0.05 * 2**number)
        time.sleep(random.uniform(pause / 4, pause))  # noqa: S311
    raise UserError(
        f"others were faster {ATTEMPTS} times in a row; all that they published until then is here",
        hint="Try again.",
    ) from reason


class _Sync:
    """One run, of one attempt or several.

    Args:
        workspace: The workspace.
        repo: Its repository.
        plan: What is asked for.
    """

    def __init__(self, workspace: Workspace, repo: Repo, plan: Plan) -> None:
        self._workspace, self._repo, self._plan = workspace, repo, plan
        self._upstream: Upstream = find_upstream(repo, plan.remote)
        self._unasked = Unasked(
            Terms(plan.progress, plan.before_library, plan.can_ask, plan.max_bytes, plan.silence)
        )
        self._pins = PinsMoved(repo, None if plan.dry_run else self._bring_pin)
        self._decisions = Decisions(plan.decide, plan.decide_goal, self._pins)
        head = repo.head().commit
        self._done = Synced(self._upstream, head, head)
        self._is_library_done = False

    def once(self) -> Synced:
        """One attempt.

        Raises:
            LostRace: Somebody recorded something here meanwhile.
            Rejected: Somebody pushed something meanwhile.
        """
        there = look(self._repo, self._upstream, self._plan)
        self._bring(there.get(self._upstream.ref))
        if not self._plan.dry_run:
            self._fetch_kept(there)
            self._fetch_libraries()
        if self._plan.push and self._done.after is not None:
            done = self._done
            sent = publish(self._workspace, self._repo, self._upstream, self._plan, there, self._done.after)
            done.sent, done.kept_sent, done.is_new_branch = sent.commits, sent.kept, sent.is_new
            done.refused = sent.refused
            done.warn(*sent.warnings)
        return self._done

    def _bring(self, tip: str | None) -> None:
        """Fetches the branch and integrates it, where it has something new."""
        head, seen = self._repo.head(), seen_last(self._repo, self._upstream)
        self._done.after = head.commit
        if tip is None:
            self._refuse_deleted(was_there=seen is not None)
            if head.commit is None:
                raise UserError(
                    f"{self._upstream.shown} has no commit yet, and neither has this branch",
                    hint="Record something first: `gitforge init` starts a library.",
                )
            return
        if tip not in {head.commit, seen}:
            self._fetch_branch(tip)
        refuse_rewritten(self._repo, self._upstream, head, tip, seen)
        if tip != seen and not self._plan.dry_run:
            self._done.warn(remember(self._repo, self._upstream, tip))
        if head.commit is None or (head.commit != tip and not self._repo.contains(head.commit, tip)):
            new = integrate(
                self._workspace, self._repo, self._upstream, head, tip, self._decisions,
                dry_run=self._plan.dry_run,
            )  # fmt: skip
            done = self._done
            done.after, done.replayed = new.tip, new.replayed
            done.arrivals += new.arrivals
            done.dropped = tuple(dict.fromkeys((*done.dropped, *new.dropped)))
            done.repair = done.repair or new.repair
            done.pins = self._pins.taken

    def _refuse_deleted(self, *, was_there: bool) -> None:
        """Raises UserError where somebody has deleted the branch there, after they merged it say."""
        upstream = self._upstream
        if upstream.is_named:
            return
        if was_there or (upstream.is_set and has_branches(self._repo, upstream, self._plan)):
            raise UserError(
                f"{upstream.shown} is not there any more: somebody has deleted or renamed it; nothing was changed",
                hint=f"`gitforge sync {upstream.source}` makes it there again. Where it was merged, go on with the "
                "branch that has it.",
            )

    def _fetch_branch(self, tip: str) -> None:
        """Brings the branch's commits; no ref moves."""
        transfer.fetch(
            self._repo, self._upstream.source, [self._upstream.ref], progress=self._plan.progress,
            silence=self._plan.silence, max_bytes=self._plan.max_bytes, can_ask=self._plan.can_ask,
        )  # fmt: skip
        if self._repo.commit_of(tip) is None:
            raise LostRace("the branch moved there meanwhile")

    def _fetch_kept(self, there: Mapping[str, str]) -> None:
        """Brings prompts and texts."""
        refs = {ref: id_ for ref, id_ in there.items() if ref != self._upstream.ref}
        brought = kept.bring(
            self._repo, self._upstream.source, refs, progress=self._plan.progress,
            silence=self._plan.silence, can_ask=self._plan.can_ask,
        )  # fmt: skip
        self._done.kept_received += len(brought.refs)
        if brought.wrong:
            some = ", ".join(map(harmless, brought.wrong[:_SHOWN]))
            more = f" and {len(brought.wrong) - _SHOWN} more" if len(brought.wrong) > _SHOWN else ""
            self._done.warn(
                f"{some}{more}: not the same here and in {self._upstream.shown}, or not what it is named after; it is "
                "left there, and not told again"
            )

    def _bring_pin(self, pin: Pin) -> None:
        self._unasked.bring(self._workspace, self._repo, pin)

    def _fetch_libraries(self) -> None:
        """Brings the pins of goals.yaml that are not here, in the first attempt that comes so far."""
        if self._is_library_done or not self._workspace.goals_file.exists():
            return
        self._is_library_done = True
        try:
            brought = self._unasked.fetch_missing(self._workspace, self._repo)
        except UserError as error:  # a goals.yaml that the user is in the middle of editing, say
            self._done.warn(f"the libraries in it are not looked for: {error.message}")
            return
        self._done.libraries = brought
