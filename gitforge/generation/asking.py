"""Which drafts are asked for, which are there from earlier runs, and whose turn it is to be reviewed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from gitforge import cost
from gitforge.build import Forge
from gitforge.drafting.draft import Draft, judged
from gitforge.drafting.prompting import Brief, Prompt, Retry
from gitforge.errors import ProviderError
from gitforge.generation import keeping
from gitforge.generation.records import Event, OnEstimate, OnEvent, Task, Terms
from gitforge.generation.workers import Ended, Job, Workers
from gitforge.goals import Goal, Need
from gitforge.store.history import earlier_texts
from gitforge.store.spool import MAX_CANDIDATES


def prompts_for(
    forge: Forge,
    wanted: Sequence[tuple[Need, Goal | None, str, Retry | None]],
    *,
    for_model: bool = True,
) -> list[Prompt]:
    """What a model is asked for components; git's history is read once for all of them.

    Args:
        forge: Where.
        wanted: For each component the goal that it is for, if any, its purpose, and an earlier draft with what was
            wrong with it, if there is one.
        for_model: Whether one is asked; else there is the outline alone.
    """
    library, templates = forge.workspace.library, forge.templates
    if not for_model:
        return [Brief(templates, library, *one).outlined() for one in wanted]
    paths = [forge.repo.relative(library.folder / need.path) for need, *_ in wanted]
    earlier = earlier_texts(forge.repo, paths)
    return [
        Brief(templates, library, *one, tuple(earlier.get(path, ()))).prompt()
        for one, path in zip(wanted, paths, strict=True)
    ]


@dataclass
class Asked:
    """One component, with the drafts of it that are there, by their number, and how many are still written."""

    task: Task
    drafts: dict[int, Draft]
    open: int = 0
    failures: list[ProviderError] = field(default_factory=list)

    def take(self, ended: Ended) -> None:
        """Notes that one of its drafts is there, or never will be."""
        self.open -= 1
        if ended.draft is not None:
            self.drafts[ended.job.candidate] = ended.draft
        elif ended.error is not None:
            self.failures.append(ended.error)

    def id(self, number: int) -> str:
        """The name under which one of its drafts is kept."""
        return keeping.as_kept(self.task.planned.path, self.drafts[number], None, number).id


class Asking:
    """The drafts of some components, from the first request until the last of them is reviewed.

    Args:
        forge: Where.
        workers: Who has them written.
        terms: How many of each, and what they may cost.
        on_event: Told what happens.
    """

    def __init__(self, forge: Forge, workers: Workers, terms: Terms, on_event: OnEvent) -> None:
        self._forge = forge
        self._workers = workers
        self._terms = terms
        self._on_event = on_event
        self._left: list[Asked] = []

    def ask(self, tasks: Sequence[Task], on_estimate: OnEstimate) -> None:
        """Has every draft written that no earlier run has left.

        Raises:
            UserError: They would cost more than they may; then nothing is sent.
        """
        jobs = []
        wanted = [(task.need, task.goal, task.purpose, task.retry) for task in tasks]
        prompts = prompts_for(self._forge, wanted, for_model=self._workers.is_model)
        for task, prompt in zip(tasks, prompts, strict=True):
            kept = {}
            if not (task.retry and task.retry.feedback):  # which no earlier run's draft has heard
                kept = keeping.kept_drafts(self._forge.repo, task.planned, task.purpose)
            # Judged anew: the rules may be others by now.
            asked = Asked(task, {number: judged(draft, prompt) for number, draft in kept.items()})
            self._left.append(asked)
            for number, draft in asked.drafts.items():
                self._on_event(Event("kept", task.need, draft.label, candidate=number))
            free = [number for number in range(1, MAX_CANDIDATES + 1) if number not in asked.drafts]
            asked.open = max(0, self._terms.candidates - len(asked.drafts))
            jobs += [Job(task, prompt, number) for number in free[: asked.open]]
        if jobs:
            expected = cost.estimate([job.prompt.messages for job in jobs], self._terms.pricing)
            on_estimate(expected)
            cost.refuse_beyond(self._terms.max_cost, expected)
            self._workers.start(jobs)

    def next(self) -> Asked | None:
        """The next component whose drafts are all there; waits for it. None after the last."""
        self._share_out(self._workers.ended(), self._left)
        while self._left:
            turn = self._left[:1] if self._terms.in_order else self._left
            ready = next((asked for asked in turn if not asked.open), None)
            if ready is not None:
                self._left.remove(ready)
                return ready
            self._share_out(self._workers.wait(), self._left)
        return None

    def regenerator(self, asked: Asked) -> Callable[[int, Draft, str], Draft]:
        """What has a draft written again, from its number and the engineer's feedback.

        Where that fails it gives the draft at hand, because that was paid for.
        """

        def again(number: int, draft: Draft, feedback: str) -> Draft:
            task = asked.task
            if self._workers.is_at_limit:
                error = ProviderError("the drafts have cost as much as they may; nothing was sent")
                self._on_event(Event("failed", task.need, error=error, candidate=number))
                return draft
            retry = Retry(draft.text, feedback)
            wanted = [(task.need, task.goal, task.purpose, retry)]
            (prompt,) = prompts_for(self._forge, wanted, for_model=self._workers.is_model)
            fresh = Asked(task, {}, open=1)
            self._workers.start([Job(task, prompt, number, is_urgent=True)])
            while fresh.open:
                self._share_out(self._workers.wait(), [fresh, *self._left])
            return fresh.drafts.get(number, draft)

        return again

    def _share_out(self, every: Iterable[Ended], among: Sequence[Asked]) -> None:
        for ended in every:
            next(asked for asked in among if asked.task is ended.job.task).take(ended)
