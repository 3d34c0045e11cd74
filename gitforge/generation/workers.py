"""Drafts written side by side, in threads; everything that they have to say is said by the thread that waits.

A worker asks the provider, counts what that takes, and keeps the draft before anybody hears of it. It neither
renders a prompt nor records anything: both belong to the thread that has the workers.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator, Iterable
from dataclasses import dataclass, replace
from queue import SimpleQueue
from types import TracebackType
from typing import Self

from gitforge import cost
from gitforge.drafting.draft import Draft, write_draft
from gitforge.drafting.prompting import Prompt
from gitforge.errors import Cancelled, ProviderError, UserError
from gitforge.generation import keeping
from gitforge.generation.records import Event, OnEvent, Spent, Task, Terms
from gitforge.llm import Notice, Piece, Provider, Usage
from gitforge.store.repo import Repo

ALIKE = 3
"""So many failures of the same kind, and no success, mean that it is of no use to ask for more."""

_KEEPING_SECONDS = 10.0  # for a draft that is being written to a slow disk when everything is to stop


@dataclass(frozen=True)
class Job:
    """One draft to be written; an urgent one is waited for by a person."""

    task: Task
    prompt: Prompt
    candidate: int = 1
    is_urgent: bool = False


@dataclass(frozen=True)
class Ended:
    """A job that has come to its end: with a draft, or with the reason why there is none."""

    job: Job
    draft: Draft | None = None
    error: ProviderError | None = None


class _Abandoned(Exception):
    """Nobody waits for this draft any more."""


class Workers:
    """Writes drafts, a bounded number at once. Use it as a context manager: whoever leaves stops what still runs.

    All methods are for one thread, the one that hears of the events.

    Args:
        repo: Where drafts are kept.
        provider: Who writes them.
        terms: How many at once, what they cost, and may cost.
        on_event: Told what happens.
    """

    def __init__(self, repo: Repo, provider: Provider, terms: Terms, on_event: OnEvent) -> None:
        self._repo = repo
        self._provider = provider
        self._terms = terms
        self._on_event = on_event
        self._told: SimpleQueue[Event | Ended | BaseException] = SimpleQueue()
        self._state = threading.Condition()  # guards everything below
        self._waiting: deque[Job] = deque()
        self._threads = 0
        self._busy = 0
        self._keeping = 0
        self._is_abandoned = False
        self._has_succeeded = False
        self._failures: list[ProviderError] = []
        self._usages: list[Usage] = []
        self._dollars: list[float | None] = []
        self._assumed = 0.0  # dollars for what the server did not count

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    @property
    def is_model(self) -> bool:
        """Whether a language model writes them."""
        return self._provider.is_model

    @property
    def spent(self) -> Spent:
        """What everything until now took."""
        with self._state:
            return Spent(cost.add_usage(self._usages), cost.add_dollars(self._dollars))

    @property
    def is_at_limit(self) -> bool:
        """Whether as much is spent as may be."""
        with self._state:
            return self._terms.max_cost is not None and self._total() > self._terms.max_cost

    def start(self, jobs: Iterable[Job]) -> None:
        """Has drafts written, in this order as far as there is a free hand; urgent ones get hands beyond the limit."""
        jobs = list(jobs)
        for job in jobs:
            self._on_event(Event("queued", job.task.need, candidate=job.candidate))
        if not self._provider.is_model:  # nothing to wait for, and always the same order
            for job in jobs:
                self._write(job)
            return
        with self._state:
            urgent = [job for job in jobs if job.is_urgent]
            self._waiting.extendleft(reversed(urgent))
            self._waiting.extend(job for job in jobs if not job.is_urgent)
            free = max(0, self._terms.jobs - self._threads)
            for _ in range(len(urgent) + min(len(jobs) - len(urgent), free)):
                self._threads += 1
                # A daemon: a server that says nothing must not hold up the end of the process.
                threading.Thread(target=self._work, daemon=True).start()

    def ended(self) -> Generator[Ended]:
        """The jobs that have ended since it was asked last; does not wait.

        Raises:
            UserError: The cost has passed its limit while there was more to send.
        """
        while not self._told.empty():
            yield from self._hear(self._told.get())

    def wait(self) -> Generator[Ended]:
        """Waits until something happens; else as `ended`."""
        yield from self._hear(self._told.get())
        yield from self.ended()

    def _hear(self, told: Event | Ended | BaseException) -> Generator[Ended]:
        if isinstance(told, BaseException):
            raise told
        if isinstance(told, Event):
            self._on_event(told)
        else:
            yield told

    def _stop(self) -> None:
        """Stops what still runs; waits for nothing but a draft that is being kept right now."""
        with self._state:
            self._is_abandoned = True
            self._waiting.clear()
            is_running = self._busy > 0
        if is_running:
            self._provider.cancel()
        with self._state:
            self._state.wait_for(lambda: not self._keeping, _KEEPING_SECONDS)

    # In the workers' threads

    def _work(self) -> None:
        while (job := self._next()) is not None:
            try:
                self._write(job)
            except BaseException as error:  # noqa: BLE001 -- raised again where somebody hears it
                self._told.put(error)
            finally:
                with self._state:
                    self._busy -= 1

    def _next(self) -> Job | None:
        with self._state:
            if self._is_abandoned or not self._waiting or self._is_one_too_many():
                self._threads -= 1
                return None
            self._busy += 1
            return self._waiting.popleft()

    def _is_one_too_many(self) -> bool:
        """Whether a thread was started for an urgent draft, and what waits is not urgent."""
        return self._busy >= self._terms.jobs and not self._waiting[0].is_urgent

    def _write(self, job: Job) -> None:
        """Writes one draft and keeps it; whatever becomes of it is told."""
        need = job.task.need
        if (hopeless := self._why_hopeless()) is not None:
            self._failed(job, hopeless)
            return
        self._told.put(Event("drafting", need, candidate=job.candidate))
        seed = self._terms.seed
        if seed is not None:  # with the same one, all candidates would be the same
            seed += job.candidate - 1
        try:
            draft = write_draft(
                self._provider,
                job.prompt,
                need,
                job.task.purpose,
                lambda piece: self._take(job, piece),
                seed=seed,
                on_refused=lambda refused: self._keep(job, self._priced(refused)),
                is_urgent=job.is_urgent,
            )
            draft = self._priced(draft)
            self._keep(job, draft)
        except (_Abandoned, Cancelled):
            return
        except ProviderError as error:
            if not self._is_abandoned:
                with self._state:
                    self._failures.append(error)
                self._failed(job, error)
            return
        self._told.put(Event("drafted", need, candidate=job.candidate, draft=draft))
        self._told.put(Ended(job, draft))
        self._succeeded(job, draft)

    def _keep(self, job: Job, draft: Draft) -> None:
        """Keeps a draft, unless nobody waits for it any more."""
        with self._state:
            if self._is_abandoned:
                raise _Abandoned
            self._keeping += 1
        try:
            unkept = keeping.keep(self._repo, job.task.planned.path, draft, job.task.goal, job.candidate)
        finally:
            with self._state:
                self._keeping -= 1
                self._state.notify_all()
        if unkept is not None:
            self._told.put(Event("unkept", job.task.need, unkept, candidate=job.candidate))

    def _priced(self, draft: Draft) -> Draft:
        return replace(draft, cost=self._terms.pricing.dollars(draft.usage))

    def _take(self, job: Job, piece: Piece) -> None:
        """Hears one piece of a draft."""
        if self._is_abandoned:
            raise _Abandoned
        match piece:
            case str():
                self._told.put(Event("text", job.task.need, piece, candidate=job.candidate))
            case Notice(text):
                self._told.put(Event("noticed", job.task.need, text, candidate=job.candidate))
            case Usage():
                with self._state:
                    self._usages.append(piece)
                    self._dollars.append(self._terms.pricing.dollars(piece))

    def _failed(self, job: Job, error: ProviderError) -> None:
        self._told.put(Event("failed", job.task.need, error=error, candidate=job.candidate))
        self._told.put(Ended(job, error=error))

    def _succeeded(self, job: Job, draft: Draft) -> None:
        """Counts what a draft took, and stops where that is more than all of them may."""
        limit = self._terms.max_cost
        with self._state:
            self._has_succeeded = True
            if limit is None or not draft.is_model:
                return
            if draft.usage is None:
                counted = Usage(cost.prompt_tokens(job.prompt.messages), cost.tokens(draft.text))
                self._assumed += self._terms.pricing.dollars(counted) or 0.0
            total = self._total()
            is_more_to_come = bool(self._waiting) or self._busy > 1
            if total <= limit or not is_more_to_come or self._is_abandoned:
                return
            self._is_abandoned = True
            self._waiting.clear()
        self._told.put(
            UserError(
                f"the drafts have cost about {cost.amount(total)} (an estimate), and at most "
                f"{cost.amount(limit)} was allowed; the rest was not waited for",
                hint="`gitforge drafts` lists what is kept. Go on with a higher --max-cost.",
            )
        )

    def _total(self) -> float:
        return self._assumed + (cost.add_dollars(self._dollars) or 0.0)

    def _why_hopeless(self) -> ProviderError | None:
        """Why the next draft need not be asked for: the first ones failed, all in the same way."""
        with self._state:
            reasons = {error.message for error in self._failures}
            if self._has_succeeded or len(self._failures) < ALIKE or len(reasons) > 1:
                return None
            first = self._failures[0]
            return ProviderError(f"not asked, because the others failed: {first.message}", hint=first.hint)
