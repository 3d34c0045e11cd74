"""Fetch, integrate, push: what is here and what a team has published become one line of commits.

Nothing is ever forced, and nothing of the user's is touched; docs/sync.md tells the steps by the names of the
functions here, and what git would do beside it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from gitforge import arrivals as came
from gitforge.arrivals import Arrivals
from gitforge.errors import Conflict, InvalidFile, UserError
from gitforge.goals_merge import GoalClash, merge
from gitforge.store import kept, transfer
from gitforge.store.advance import advance
from gitforge.store.commit import refuse_during_operation
from gitforge.store.commit_point import LostRace
from gitforge.store.disputes import Decide, Dispute, Joined, Side
from gitforge.store.meter import OnProgress
from gitforge.store.records import Head
from gitforge.store.recovery import Repair
from gitforge.store.replay import Dropped, Replayed, replay, shown
from gitforge.store.repo import Repo
from gitforge.store.series import Member, PathChange, compare, read_series
from gitforge.store.upstream import Upstream, find_upstream, follow
from gitforge.workspace import Workspace

ATTEMPTS = 12
"""How often all is done again because somebody else has pushed, or recorded something here, meanwhile."""
_LONGEST_PAUSE = 4.0  # seconds

DecideGoal = Callable[[GoalClash], Side | None]
"""Gives the side of a clash in goals.yaml that stands; None where nobody decides."""


class Disputed(Conflict):
    """Both sides have changed the same, each in its own way, and nobody has decided.

    Args:
        disputes: What.
    """

    def __init__(self, disputes: Sequence[Dispute]) -> None:
        self.disputes = tuple(disputes)
        super().__init__(
            "Both sides have changed the same, each in its own way; nothing was changed here:\n"
            + "\n".join(f"  {shown(one)}" for one in self.disputes),
            hint="Decide: --ours takes this clone's versions, --theirs those that were published; or on a terminal, "
            "one by one.",
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
        bring_libraries: Called once what was published is here: brings what its goals.yaml names and is not here yet.
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
    bring_libraries: Callable[[], None] | None = None


@dataclass(frozen=True)
class Synced:
    """What was done, or in a dry run would be.

    Attributes:
        upstream: What the branch follows.
        before: Id of HEAD's commit before; None where there was none.
        after: Id of its commit since.
        arrivals: What came.
        replayed: How many commits were made again on top of it.
        dropped: What was left out of them.
        sent: How many commits were pushed.
        kept_received: How many prompts and texts came.
        kept_sent: How many went.
        warnings: What the user should know.
        refused: Why nothing could be sent, though all the rest is done.
        repair: What a killed gitforge had begun, and was finished first.
    """

    upstream: Upstream
    before: str | None
    after: str | None
    arrivals: Arrivals = field(default_factory=Arrivals)
    replayed: int = 0
    dropped: tuple[Dropped, ...] = ()
    sent: int = 0
    kept_received: int = 0
    kept_sent: int = 0
    warnings: tuple[str, ...] = ()
    refused: UserError | None = None
    repair: Repair | None = None


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
    work = _Sync(workspace, repo, plan, find_upstream(repo, plan.remote))
    for number in range(ATTEMPTS):
        try:
            return work.once()
        except (LostRace, transfer.Rejected) as error:
            reason = error
        pause = min(_LONGEST_PAUSE, 0.05 * 2**number)
        time.sleep(random.uniform(pause / 4, pause))  # noqa: S311
    raise UserError(
        f"Others were faster {ATTEMPTS} times in a row; all that they published until then is here",
        hint="Try again.",
    ) from reason


@dataclass
class _Sync:
    """One run; what was decided once is not asked again where somebody else was faster.

    Args:
        workspace: The workspace.
        repo: Its repository.
        plan: What is asked for.
        upstream: What the branch follows.
    """

    workspace: Workspace
    repo: Repo
    plan: Plan
    upstream: Upstream
    _tip: str | None = None
    _done: Synced | None = None
    _answers: dict[object, object] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """What the branch there is called."""
        source = self.upstream.source
        return f"{source if isinstance(source, str) else source.shown}/{self.upstream.name}"

    def once(self) -> Synced:
        """One attempt.

        Raises:
            LostRace: Somebody recorded something here meanwhile.
            Rejected: Somebody pushed something meanwhile.
        """
        there = self.look()
        tip = self._tip = there.refs.get(self.upstream.ref)
        head = self.repo.head()
        if self._done is None:
            self._done = Synced(self.upstream, head.commit, head.commit)
        if tip is not None:
            self.fetch_branch(tip)
            if head.commit is None or not self.repo.contains(head.commit, tip):
                self.integrate(head, tip)
            if not self.plan.dry_run:
                self.remember(tip)
        elif head.commit is None:
            raise UserError(
                f"{self.where} has no commit yet, and neither has this branch",
                hint="Record something first: `gitforge init` starts a library.",
            )
        if not self.plan.dry_run:
            self.fetch_kept(there)
            if self.plan.bring_libraries is not None:
                self.plan.bring_libraries()
        return self.push(there, tip)

    # --- fetch -------------------------------------------------------------------------------------------

    def look(self) -> transfer.Advertised:
        """What the remote has of the branch, of prompts and of texts."""
        return transfer.list_refs(
            self.repo, self.upstream.source, self.upstream.ref, *kept.PATTERNS,
            silence=self.plan.silence, can_ask=self.plan.can_ask,
        )  # fmt: skip

    def fetch_branch(self, tip: str) -> None:
        """Brings the branch's commits; no ref moves."""
        if self._is_here(tip):
            return
        transfer.fetch(
            self.repo, self.upstream.source, [self.upstream.ref], progress=self.plan.progress,
            silence=self.plan.silence, max_bytes=self.plan.max_bytes, can_ask=self.plan.can_ask,
        )  # fmt: skip
        if self.repo.commit_of(tip) is None:
            raise LostRace("The branch moved there meanwhile")

    def _is_here(self, tip: str) -> bool:
        tracking = self.upstream.tracking
        known = {self.repo.head().commit, self.repo.commit_of(tracking) if tracking else None}
        return tip in known

    def fetch_kept(self, there: transfer.Advertised) -> None:
        """Brings prompts and texts."""
        refs = {ref: id_ for ref, id_ in there.refs.items() if ref != self.upstream.ref}
        brought = kept.bring(
            self.repo, self.upstream.source, refs, progress=self.plan.progress, silence=self.plan.silence,
            can_ask=self.plan.can_ask,
        )  # fmt: skip
        for ref in brought.wrong:
            self._warn(
                f"{ref} is not the same here and in {self.where}, or not what it is named after; it was left"
            )
        self._add(kept_received=self._so_far.kept_received + len(brought.refs))

    def remember(self, tip: str) -> None:
        """Notes here where the branch there is, as `git fetch` does."""
        if (ref := self.upstream.tracking) is not None and self.repo.commit_of(ref) != tip:
            self.repo.make_refs({ref: tip}, timeout=60)

    # --- integrate ---------------------------------------------------------------------------------------

    def integrate(self, head: Head, tip: str) -> None:
        """Looks at what came, makes unpublished commits again on top of it, and moves the branch there."""
        self._refuse_rewritten(head, tip)
        base = self._base(head, tip)
        changes = came.inspect(self.workspace, self.repo, base, tip, self.where)
        published = read_series(self.repo, base, tip)
        new = tip
        if head.commit is not None and head.commit != base:
            replayed = self._replay(base or "", head.commit, tip, published)
            new = replayed.tip
            path = self.repo.relative(self.workspace.goals_file)
            if path in self.repo.objects.entries(new, [path]):
                came.read_goals(self.repo, new, path, "both sides together")
            mine = compare(self.repo, tip, new)
            came.refuse_colliding(self.repo, new, mine, "What both sides have made")
            self._add(
                replayed=len(replayed.commits),
                dropped=tuple(dict.fromkeys((*self._so_far.dropped, *replayed.dropped))),
            )
        if not self.plan.dry_run:
            done = advance(self.repo, head, new, f"sync: {len(published)} commits of {self.where}")
            self._add(repair=self._so_far.repair or done.repair)
        self._tell(base, tip, published, changes)
        self._add(after=new)

    def _base(self, head: Head, tip: str) -> str | None:
        if head.commit is None:
            return None
        done = self.repo.git.read("merge-base", head.commit, tip, accept=(0, 1))
        if done.status == 0:
            return done.stdout.decode().strip()
        if self.repo.is_shallow():
            raise UserError(
                f"This is a shallow clone, and the commit from which it and {self.where} went on is not here",
                hint="`git fetch --unshallow` brings it.",
            )
        raise UserError(
            f"{self.where} and this branch have no commit in common, so they are two histories; nothing was changed",
            hint="Is it the right remote? `git remote -v` lists them.",
        )

    def _refuse_rewritten(self, head: Head, tip: str) -> None:
        tracking = self.upstream.tracking
        known = self.repo.commit_of(tracking) if tracking else None
        if known is None or head.commit is None or self.repo.contains(tip, known):
            return
        if self.repo.contains(head.commit, known):
            raise Conflict(
                f"{self.where} was rewritten: commits that it had, and that are here, are not in it any more; "
                "nothing was changed",
                hint=f"`git rebase --onto {tip[:12]} {known[:12]}` keeps your own commits and gives those up.",
            )

    def _replay(self, base: str, head: str, tip: str, published: Sequence[Member]) -> Replayed:
        path = self.repo.relative(self.workspace.goals_file)
        replayed = replay(
            self.repo, base, head, tip, decide=self._decided, joins={path: self._join_goals},
            generated=came.generated_in(published),
        )  # fmt: skip
        if replayed.disputes:
            raise Disputed(replayed.disputes)
        return replayed

    def _decided(self, dispute: Dispute) -> Side | Sequence[str] | None:
        key = (dispute.path, dispute.base, dispute.ours, dispute.theirs)
        if self._answers.get(key) is None:
            self._answers[key] = self.plan.decide(dispute)
        return self._answers[key]  # type: ignore[return-value]

    def _join_goals(self, base: str | None, ours: str, theirs: str) -> Joined | None:
        """goals.yaml merged as data: the published text, with what this clone has changed."""
        try:
            merged = merge(base, theirs, ours)
            if not merged.clashes:
                return Joined(merged.text)
            sides = {_key(clash): self._decided_goal(_turned(clash)) for clash in merged.clashes}
            if any(side is None for side in sides.values()):
                return Joined(
                    merged.text,
                    tuple(_turned(clash) for clash in merged.clashes if sides[_key(clash)] is None),
                )
            taken = merge(
                base, theirs, ours, lambda one: "theirs" if sides.get(_key(one)) == "ours" else "ours"
            )
            return Joined(taken.text)
        except InvalidFile:  # somewhere in between it was of no use; what comes out is looked at
            return None

    def _decided_goal(self, clash: GoalClash) -> Side | None:
        if self._answers.get(_key(clash)) is None:
            self._answers[_key(clash)] = self.plan.decide_goal(clash)
        return self._answers[_key(clash)]  # type: ignore[return-value]

    def _tell(
        self, base: str | None, tip: str, series: Sequence[Member], changes: Sequence[PathChange]
    ) -> None:
        found = came.arrivals(self.workspace, self.repo, base, tip, series, changes)
        self._add(arrivals=self._so_far.arrivals + found)

    # --- push --------------------------------------------------------------------------------------------

    def push(self, there: transfer.Advertised, tip: str | None) -> Synced:
        """Sends the branch, and the prompts and texts that its new commits name."""
        after = self._so_far.after
        assert after is not None  # noqa: S101 -- for mypy: else nothing was there to be done
        if after == tip or not self.plan.push:
            return self._so_far
        count = self.repo.git.read("rev-list", "--count", after, *([f"^{tip}"] if tip else []), "--")
        here = kept.kept_here(self.repo)
        refs = [ref for ref in kept.named_by(self.repo, tip, after) if ref not in there.refs]
        if not self.plan.dry_run:
            refs = self._send(after, {ref: here[ref] for ref in refs})
        if self._so_far.refused is None:
            self._add(sent=int(count.stdout), kept_sent=len(refs))
        return self._so_far

    def _send(self, commit: str, refs: dict[str, str]) -> list[str]:
        """Pushes, and returns which of the refs went."""
        upstream = self.upstream
        branch = f"{commit}:{upstream.ref}"
        specs = [f"{id_}:{ref}" for ref, id_ in refs.items()]
        try:
            if specs and not self._pushed(specs, branch):
                self._warn(f"{self.where} takes no prompts (refs/gitforge), so the branch alone was sent")
                specs = []
                self._pushed([], branch)
            elif not specs:
                self._pushed([], branch)
        except transfer.Rejected:
            raise
        except transfer.RemoteFailed as error:
            self._add(refused=error)
            return []
        self.remember(commit)
        if not upstream.is_set and isinstance(upstream.source, str):
            follow(self.repo, upstream)
        return list(refs) if specs else []

    def _pushed(self, specs: Sequence[str], branch: str) -> bool:
        """Sends the branch with other refs, all or none; False where the others alone are refused."""
        *before, last = [specs[at : at + kept.AT_ONCE] for at in range(0, len(specs), kept.AT_ONCE)] or [[]]
        target = self.upstream.source
        outcomes: list[transfer.Pushed] = []
        try:
            for some in (*before, [*last, branch]):
                outcomes += transfer.push(
                    self.repo, target, some, progress=self.plan.progress, silence=self.plan.silence,
                    can_ask=self.plan.can_ask,
                )  # fmt: skip
        except transfer.RemoteFailed:
            if specs and self.plan.push:
                return False
            raise
        failed = transfer.refusal(self.repo, target, outcomes)
        if failed is None:
            return True
        others = [one for one in outcomes if one.outcome == "failed" and one.ref != self.upstream.ref]
        if specs and others:
            return False
        if self.look().refs.get(self.upstream.ref) != self._tip:
            raise transfer.Rejected(failed.message, hint=failed.hint)
        raise failed

    # --- what is told ------------------------------------------------------------------------------------

    @property
    def _so_far(self) -> Synced:
        assert self._done is not None  # noqa: S101 -- for mypy
        return self._done

    def _add(self, **values: object) -> None:
        self._done = replace(self._so_far, **values)  # type: ignore[arg-type]

    def _warn(self, text: str) -> None:
        if text not in self._so_far.warnings:
            self._add(warnings=(*self._so_far.warnings, text))


def _turned(clash: GoalClash) -> GoalClash:
    """The clash as this clone sees it."""
    return replace(clash, ours=clash.theirs, theirs=clash.ours)


def _key(clash: GoalClash) -> tuple[object, ...]:
    return (clash.place, clash.base, *sorted((str(clash.ours), str(clash.theirs))))
