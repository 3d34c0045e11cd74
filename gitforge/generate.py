"""Generates what is missing: drafts side by side, each led through review, each accepted one recorded as one commit.

Nothing here asks or prints: decisions and progress go through callbacks.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING

from gitforge.build import Forge
from gitforge.drafting.draft import Draft
from gitforge.errors import Conflict, ProviderError, UserError
from gitforge.generation import keeping
from gitforge.generation.asking import Asked, Asking
from gitforge.generation.merging import with_edits
from gitforge.generation.recording import Accepted, record_goal, record_one
from gitforge.generation.records import Event, Generated, OnEstimate, OnEvent, Spent, Task, Terms
from gitforge.generation.workers import Workers
from gitforge.goals import Need
from gitforge.llm import Provider
from gitforge.plan import Planned, State
from gitforge.review import Decide, Decision, Leave, Reviewed, Skip, review
from gitforge.store import spool
from gitforge.store.commit import refuse_during_operation
from gitforge.store.locks import ComponentLock, component_lock
from gitforge.store.proposal import content, proposed, refuse_checked_out
from gitforge.store.records import Identity
from gitforge.store.transaction import Recorded

if TYPE_CHECKING:
    from gitforge.new_goal import NewGoal


def refuse_in_the_way(forge: Forge, planned: Sequence[Planned], new_goal: NewGoal | None = None) -> None:
    """Finds early, before anything is asked or paid for, what a commit would be refused for.

    Raises:
        Conflict: A component is deleted in the working tree but not in git, or goals.yaml is not in git.
        UserError: git ignores a component that is to be made.
    """
    if new_goal is not None:
        path = forge.repo.relative(forge.workspace.goals_file)
        new_goal.edit(forge.repo.committed(path))
    missing = [one.path for one in planned if one.state is State.MISSING]
    if missing and (ignored := forge.repo.ignored(missing)):
        raise UserError(
            f"{', '.join(ignored)}: git ignores it, so it cannot be recorded",
            hint=f"`git check-ignore -v {shlex.quote(ignored[0])}` shows the line that does it.",
        )
    deleted = [one for one in planned if one.state is State.DELETED]
    if deleted:
        paths = ", ".join(one.path for one in deleted)
        restored = " ".join(shlex.quote(f":/{one.path}") for one in deleted)  # from any folder
        raise Conflict(
            f"{paths}: deleted here, but still in git",
            hint=f"Bring it back with `git restore --staged --worktree {restored}`, or commit the deletion.",
        )


def generate(
    forge: Forge,
    tasks: Sequence[Task],
    provider: Provider,
    decide: Decide,
    on_event: OnEvent,
    new_goal: NewGoal | None = None,
    terms: Terms | None = None,
    on_estimate: OnEstimate = lambda _: None,
    on_spent: Callable[[Spent], None] = lambda _: None,
) -> Generated:
    """Drafts every missing component, leads each through review, and records each accepted one as one commit.

    Drafts are written side by side; review begins with the first that is there, and meanwhile the others go on.
    Of those that are there the first in the plan comes first; with `terms.in_order` the plan's order is kept
    whatever is slow. All prompts are made before the first is sent: none holds a component that the same run
    makes, so what is asked depends on nobody's speed. A provider that fails for one component does not cost the
    others theirs.

    Args:
        forge: Where.
        tasks: The components to make.
        provider: Who drafts them.
        decide: The review.
        on_event: Told what happens; like the review, only ever called by the caller's own thread.
        new_goal: A goal to put into goals.yaml: it and its components become one commit.
        terms: How many drafts at once and of each, and what they may cost.
        on_estimate: Told what the drafts will cost, before any is asked for.
        on_spent: Told what they took, however it ends.

    Raises:
        Cancelled: The engineer quit; what was accepted before is recorded.
        Conflict: Something of the user's is in the way.
        UserError: git refuses; or the cost has reached its limit.
    """
    terms = terms or Terms()
    if new_goal is not None or any(task.purpose for task in tasks):  # now, not once drafts are paid for
        if terms.branch is not None:
            refuse_checked_out(forge.repo, terms.branch)
            if new_goal is not None:  # which the branch may have already
                goals = forge.repo.relative(forge.workspace.goals_file)
                new_goal.edit(content(forge.repo, terms.branch, goals))
        refuse_during_operation(forge.repo)
    with Workers(forge.repo, provider, terms, on_event) as workers:
        asking = Asking(forge, workers, terms, on_event)
        run = _Run(forge, asking, decide, on_event, on_estimate, terms)
        try:
            busy = run.make(tasks, new_goal)
            for task in busy:  # one at a time, so that nobody waits for a process that waits
                run.make([task], is_waiting=True)
        finally:
            run.drop_rest()
            on_spent(workers.spent)
        return run.generated(workers.spent)


class _Run:
    """What became of the components so far."""

    def __init__(
        self,
        forge: Forge,
        asking: Asking,
        decide: Decide,
        on_event: OnEvent,
        on_estimate: OnEstimate,
        terms: Terms,
    ) -> None:
        self._forge = forge
        self._branch = terms.branch
        self._asking = asking
        self._decide = decide
        self._on_event = on_event
        self._on_estimate = on_estimate
        self._prefer = terms.prefer
        self._made: dict[str, str] = {}
        self._drafts: dict[str, Draft] = {}
        self._skipped: list[Need] = []
        self._failed: list[tuple[Need, ProviderError | Conflict]] = []
        self._found: list[Need] = []
        self._others: dict[str, list[str]] = {}
        self._rest: list[str] = []
        self._fallback: Identity | None = None

    def generated(self, spent: Spent) -> Generated:
        """The result."""
        skipped, failed, found = tuple(self._skipped), tuple(self._failed), tuple(self._found)
        return Generated(self._made, skipped, failed, self._fallback, found, self._drafts, spent)

    def drop_rest(self) -> None:
        """Removes the kept drafts of recorded components that were not chosen."""
        spool.drop(self._forge.repo, self._rest)

    @cached_property
    def _reviewer(self) -> str:
        """Who sits at the prompt; git is asked once."""
        return str(self._forge.repo.identity())

    def make(
        self, tasks: Sequence[Task], new_goal: NewGoal | None = None, *, is_waiting: bool = False
    ) -> list[Task]:
        """Makes components; returns those that another process is making, which a new goal waits for."""
        with ExitStack() as held:
            wanted = self._leave_out_unwanted(tasks)
            locks, busy = self._lock(wanted, held, is_waiting=is_waiting or new_goal is not None)
            mine = self._leave_out_found([task for task in wanted if task not in busy], locks)
            accepted: dict[str, Accepted] = {}
            self._asking.ask(mine, self._on_estimate)
            while (asked := self._asking.next()) is not None:
                path = asked.task.planned.path
                one = self._review(asked)
                if one is not None and new_goal is not None:
                    accepted[path] = one
                    continue
                if one is not None:
                    self._on_event(Event("recording", one.draft.need))
                    self._note(record_one(self._forge.repo, one, self._reviewer, self._branch), [one])
                locks[path].free()
            if new_goal is not None:
                paths = [task.planned.path for task in mine if task.planned.path in accepted]
                self._record_goal(new_goal, [accepted[path] for path in paths])
        return busy

    def _record_goal(self, new_goal: NewGoal, accepted: Sequence[Accepted]) -> None:
        for one in accepted:
            self._on_event(Event("recording", one.draft.need))
        self._note(record_goal(self._forge, new_goal, accepted, self._reviewer, self._branch), accepted)

    # Who makes what

    def _leave_out_unwanted(self, tasks: Iterable[Task]) -> list[Task]:
        """The tasks but for those without a purpose."""
        wanted = []
        for task in tasks:
            if task.purpose:
                wanted.append(task)
            else:
                self._skip(task.need)
        return wanted

    def _lock(
        self, tasks: Sequence[Task], held: ExitStack, *, is_waiting: bool
    ) -> tuple[dict[str, ComponentLock], list[Task]]:
        """Takes the locks, in the order of the paths, so that two processes cannot block each other."""
        locks: dict[str, ComponentLock] = {}
        busy = []
        for task in sorted(tasks, key=lambda task: task.planned.path):

            def wait(holder: str, need: Need = task.need) -> None:
                self._on_event(Event("waiting", need, holder))

            lock = component_lock(self._forge.repo, task.planned.path, wait=wait if is_waiting else None)
            if lock is None:
                busy.append(task)
            else:
                held.callback(lock.free)
                locks[task.planned.path] = lock
        return locks, busy

    def _leave_out_found(self, tasks: Sequence[Task], locks: Mapping[str, ComponentLock]) -> list[Task]:
        """The tasks but for those that are recorded by now, by another process or on the branch."""
        repo, branch = self._forge.repo, self._branch
        missing = [task.planned.path for task in tasks if task.current is None]
        there = set(repo.entries(missing)) if missing else set()
        on_branch = proposed(repo, branch, [task.planned.path for task in tasks]) if branch else set()
        for task in tasks:
            if task.planned.path in there | on_branch:
                locks[task.planned.path].free()
                self._found.append(task.need)
                what = "found" if task.planned.path in there else "proposed"
                self._on_event(Event(what, task.need, branch or ""))
        return [task for task in tasks if task.planned.path not in there | on_branch]

    # Decisions

    def _review(self, asked: Asked) -> Accepted | None:
        """Leads the drafts of a component to a decision; None where none of them is to be recorded."""
        task, numbers = asked.task, sorted(asked.drafts)
        if not numbers:
            self._failed.append((task.need, asked.failures[0]))
            return None

        for number in numbers:
            asked.drafts[number] = self._merged(task, asked.drafts[number])

        def decide(drafts: Sequence[Draft]) -> Decision:
            for number, draft in zip(numbers, drafts, strict=True):
                if draft.is_edited and draft != asked.drafts[number]:
                    self._keep(task, draft, number)
                asked.drafts[number] = draft
            return self._decide(drafts)

        again = self._asking.regenerator(asked)
        outcome = review(
            [asked.drafts[number] for number in numbers],
            decide,
            lambda index, draft, feedback: self._merged(task, again(numbers[index], draft, feedback)),
        )
        ids = [asked.id(number) for number in numbers]
        match outcome:
            case Reviewed(index=index):
                id_ = ids.pop(index)
                self._others[task.planned.path] = ids
                return Accepted(task, outcome, id_)
            case Skip():
                spool.drop(self._forge.repo, ids)
                self._skip(task.need)
            case Leave():
                self._leave(task, list(asked.drafts.values()))
        return None

    def _merged(self, task: Task, draft: Draft) -> Draft:
        return with_edits(self._forge.repo, task, draft, self._prefer)

    def _keep(self, task: Task, draft: Draft, number: int) -> None:
        """Keeps what the engineer has edited."""
        unkept = keeping.keep(self._forge.repo, task.planned.path, draft, task.goal, number)
        if unkept is not None:
            self._on_event(Event("unkept", task.need, unkept))

    def _skip(self, need: Need) -> None:
        self._skipped.append(need)
        self._on_event(Event("skipped", need))

    def _leave(self, task: Task, drafts: Sequence[Draft]) -> None:
        """Leaves the drafts of a component to a person."""
        problems = list(dict.fromkeys(problem for draft in drafts for problem in draft.problems))
        error: ProviderError | Conflict = ProviderError(
            f"the draft has problems: {'; '.join(problems)}",
            hint=f"It is kept: `gitforge drafts show {shlex.quote(task.need.name)}` shows it. Run it again on a "
            "terminal, without --yes or --no-review, to edit it, accept it or have it written again; or "
            f"`gitforge drafts drop {shlex.quote(task.need.name)}`, and the next run asks anew.",
        )
        if not problems:
            error = Conflict(
                f"{task.planned.path}: your edits and the new draft change the same lines in another way",
                hint="The draft is kept. Run it again on a terminal to decide each place, or add --ours or --theirs.",
            )
        self._failed.append((task.need, error))
        self._on_event(Event("left", task.need, error=error))

    def _note(self, recorded: Recorded, accepted: Sequence[Accepted]) -> None:
        """What became of components that are recorded."""
        for one in accepted:
            self._rest += self._others[one.path]
            need = one.draft.need
            if recorded.repair is not None:
                self._on_event(Event("repaired", need, recorded.repair.done))
            if not recorded.paths:
                self._on_event(Event("unchanged", need))
                continue
            self._made[need.path] = recorded.commit
            self._drafts[need.path] = one.draft
            self._on_event(Event("recorded", need, recorded.commit))
        self._fallback = recorded.identity if recorded.identity.is_fallback else None
