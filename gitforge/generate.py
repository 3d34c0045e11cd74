"""Generates what is missing: drafts, each led through review, each accepted one recorded as one commit.

Nothing here asks or prints: decisions and progress go through callbacks.
"""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitforge import commits
from gitforge.build import Forge
from gitforge.drafting import Draft, Prompt, Retry, judged, make_prompt, tidy, write_draft
from gitforge.errors import Conflict, ProviderError, UserError
from gitforge.goals import Goal, Need
from gitforge.llm import Notice, Piece, Provider, Usage
from gitforge.plan import Planned, State
from gitforge.review import Decide, Decision, Reviewed, review
from gitforge.store import spool
from gitforge.store.edits import NewFile, Rewrite
from gitforge.store.history import earlier_texts
from gitforge.store.locks import ComponentLock, component_lock
from gitforge.store.prompts import ref_of
from gitforge.store.records import Identity
from gitforge.store.spool import Kept
from gitforge.store.transaction import Recorded, record, refuse_during_operation
from gitforge.text import one_line

if TYPE_CHECKING:
    from gitforge.new_goal import NewGoal


def prompt_for(
    forge: Forge, need: Need, goal: Goal | None, purpose: str, retry: Retry | None = None
) -> Prompt:
    """What a model is asked for a component."""
    library = forge.workspace.library
    earlier = earlier_texts(forge.repo, forge.repo.relative(library.folder / need.path))
    return make_prompt(forge.templates, library, need, goal, purpose, retry, earlier)


def message_for(forge: Forge, path: str, reviewed: Reviewed, goal: Goal | None) -> str:
    """The message of the commit that records a draft."""
    return commits.generation(path, reviewed, goal.name if goal else None, str(forge.repo.identity()))


def message_for_goal(forge: Forge, new: NewGoal, accepted: Sequence[tuple[str, Reviewed]]) -> str:
    """The message of the commit that records a new goal, with the drafts made for it."""
    return commits.new_goal(new.goal, accepted, str(forge.repo.identity()))


@dataclass(frozen=True)
class Event:
    """Something that happened to one component while its generation goes on.

    Attributes:
        what: `drafting`, `text`, `drafted`, `failed`, `recorded` or `skipped`; `kept`: the draft of an
            earlier run is used; `unkept`: a draft could not be kept; `waiting`: another process makes it;
            `found`: another process has made it; `noticed`: the provider has something to say;
            `repaired`: something else was finished first.
        need: The component.
        text: The piece of text that arrived, the new commit's id, or what is to be said.
        error: Why it failed.
    """

    what: str
    need: Need
    text: str = ""
    error: ProviderError | None = None


@dataclass(frozen=True)
class Generated:
    """What became of the missing components.

    Attributes:
        commits: The commit that recorded each, by path below `library/`.
        skipped: Those left out, by an empty purpose or in review.
        failed: Those for which the provider failed, and how.
        fallback: The stand-in identity of the commits, where the user has set none.
        found: Those that another process made meanwhile.
    """

    commits: Mapping[str, str]
    skipped: tuple[Need, ...] = ()
    failed: tuple[tuple[Need, ProviderError], ...] = ()
    fallback: Identity | None = None
    found: tuple[Need, ...] = ()


@dataclass(frozen=True)
class Task:
    """One missing component to make.

    Attributes:
        planned: The component.
        goal: What it is made for, if for one goal in particular.
        purpose: What it is for, in one line; empty where it is to be left out.
    """

    planned: Planned
    goal: Goal | None
    purpose: str

    @property
    def need(self) -> Need:
        """The component."""
        return self.planned.need


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
    on_event: Callable[[Event], None],
    new_goal: NewGoal | None = None,
) -> Generated:
    """Drafts every missing component, leads each through review, and records each accepted one as one commit.

    A provider that fails for one component does not cost the others theirs.

    Args:
        forge: Where.
        tasks: The components to make.
        provider: Who drafts them.
        decide: The review.
        on_event: Told what happens.
        new_goal: A goal to put into goals.yaml: it and its components become one commit.

    Raises:
        Cancelled: The engineer quit; what was accepted before is recorded.
        Conflict: Something of the user's is in the way.
        UserError: git refuses.
    """
    if new_goal is not None or any(task.purpose for task in tasks):
        refuse_during_operation(forge.repo)  # now, not once drafts are paid for
    run = _Run(forge, provider, decide, on_event)
    busy = run.make(tasks, new_goal)
    for task in busy:  # one at a time, so that nobody waits for a process that waits
        run.make([task], is_waiting=True)
    return run.generated()


class _Run:
    """What became of the components so far."""

    def __init__(
        self, forge: Forge, provider: Provider, decide: Decide, on_event: Callable[[Event], None]
    ) -> None:
        self._forge = forge
        self._drafter = _Drafter(forge, provider, on_event)
        self._decide = decide
        self._on_event = on_event
        self._made: dict[str, str] = {}
        self._skipped: list[Need] = []
        self._failed: list[tuple[Need, ProviderError]] = []
        self._found: list[Need] = []
        self._fallback: Identity | None = None

    def generated(self) -> Generated:
        """The result."""
        skipped, failed, found = tuple(self._skipped), tuple(self._failed), tuple(self._found)
        return Generated(self._made, skipped, failed, self._fallback, found)

    def make(
        self, tasks: Sequence[Task], new_goal: NewGoal | None = None, *, is_waiting: bool = False
    ) -> list[Task]:
        """Makes components; returns those that another process is making, which a new goal waits for."""
        with ExitStack() as held:
            locks, busy = self._lock(tasks, held, is_waiting=is_waiting or new_goal is not None)
            mine = self._leave_out_found([task for task in tasks if task not in busy], locks)
            drafts, skipped, failed = self._drafter.draft_all(mine)
            self._skipped += skipped
            self._failed += failed
            accepted: list[tuple[str, Reviewed]] = []
            for task, draft in drafts:
                path = task.planned.path
                reviewed = review(draft, self._deciding(task), self._drafter.regenerator(task))
                if reviewed is None:
                    spool.drop(self._forge.repo, [as_kept(path, draft, None).id])
                    self._skipped.append(task.need)
                    self._on_event(Event("skipped", task.need))
                elif new_goal is not None:
                    accepted.append((path, reviewed))
                    continue
                else:
                    message = message_for(self._forge, path, reviewed, task.goal)
                    self._record([_new_file(path, reviewed)], message, [(path, reviewed)])
                locks[path].free()
            if new_goal is not None:
                goals = Rewrite(self._forge.repo.relative(self._forge.workspace.goals_file), new_goal.edit)
                edits: list[NewFile | Rewrite] = [goals]
                edits += [_new_file(path, reviewed) for path, reviewed in accepted]
                self._record(edits, message_for_goal(self._forge, new_goal, accepted), accepted)
        return busy

    def _lock(
        self, tasks: Sequence[Task], held: ExitStack, *, is_waiting: bool
    ) -> tuple[dict[str, ComponentLock], list[Task]]:
        """Takes the locks, in the order of the paths, so that two processes cannot block each other."""
        locks: dict[str, ComponentLock] = {}
        busy = []
        for task in sorted(tasks, key=lambda task: task.planned.path):
            if not task.purpose:
                continue

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
        """The tasks but for those that another process has recorded since they were planned."""
        there = self._forge.repo.entries(list(locks)) if locks else {}
        for task in tasks:
            if task.planned.path in there:
                locks[task.planned.path].free()
                self._found.append(task.need)
                self._on_event(Event("found", task.need))
        return [task for task in tasks if task.planned.path not in there]

    def _deciding(self, task: Task) -> Decide:
        """The review, which keeps what the engineer has edited."""

        def decide(draft: Draft) -> Decision:
            if draft.is_edited:
                self._drafter.keep(task.planned.path, draft, task.goal)
            return self._decide(draft)

        return decide

    def _record(
        self, edits: Sequence[NewFile | Rewrite], message: str, accepted: Sequence[tuple[str, Reviewed]]
    ) -> None:
        drafts = [as_kept(path, reviewed.draft, None).id for path, reviewed in accepted]
        answered = [reviewed.draft for _, reviewed in accepted if reviewed.draft.prompt]
        keeps = {ref_of(draft.prompt_id): draft.prompt.encode() for draft in answered}
        recorded: Recorded = record(self._forge.repo, edits, message, drafts=drafts, keeps=keeps)
        for _, reviewed in accepted:
            need = reviewed.draft.need
            if recorded.repair is not None:
                self._on_event(Event("repaired", need, recorded.repair.done))
            self._made[need.path] = recorded.commit
            self._on_event(Event("recorded", need, recorded.commit))
        self._fallback = recorded.identity if recorded.identity.is_fallback else None


def as_kept(path: str, draft: Draft, goal: Goal | None) -> Kept:
    """A draft as it is kept on disk."""
    usage = draft.usage
    return Kept(
        path, draft.purpose, goal.name if goal else None, draft.text, draft.prompt_id, draft.label,
        draft.is_model, draft.is_edited, draft.prompt, usage.input_tokens if usage else None,
        usage.output_tokens if usage else None, draft.cost, draft.seconds,
    )  # fmt: skip


def kept_draft(forge: Forge, planned: Planned, purpose: str) -> Draft | None:
    """The draft of an earlier run for the same component and purpose, if there is one that can be used."""
    kept = spool.find(forge.repo, planned.path, one_line(purpose))
    try:
        if kept is None or tidy(kept.text, planned.need.name) != kept.text:
            return None
    except ProviderError:
        return None
    usage = None
    if kept.input_tokens is not None and kept.output_tokens is not None:
        usage = Usage(kept.input_tokens, kept.output_tokens)
    return Draft(
        planned.need, kept.purpose, kept.text, kept.prompt_id, kept.label, kept.is_model, kept.is_edited,
        prompt=kept.prompt, usage=usage, cost=kept.cost, seconds=kept.seconds,
    )  # fmt: skip


class _Drafter:
    """Asks the provider, and says what happens."""

    def __init__(self, forge: Forge, provider: Provider, on_event: Callable[[Event], None]) -> None:
        self._forge = forge
        self._provider = provider
        self._on_event = on_event

    def draft_all(
        self, tasks: Sequence[Task]
    ) -> tuple[list[tuple[Task, Draft]], list[Need], list[tuple[Need, ProviderError]]]:
        """The drafts, the components without a purpose, and those for which the provider failed."""
        drafts: list[tuple[Task, Draft]] = []
        skipped: list[Need] = []
        failed: list[tuple[Need, ProviderError]] = []
        for task in tasks:
            if not task.purpose:
                skipped.append(task.need)
                self._on_event(Event("skipped", task.need))
                continue
            try:
                drafts.append((task, self._draft(task)))
            except ProviderError as error:
                failed.append((task.need, error))
                self._on_event(Event("failed", task.need, error=error))
        return drafts, skipped, failed

    def regenerator(self, task: Task) -> Callable[[Draft, str], Draft]:
        """What makes another draft from one and the engineer's feedback."""

        def again(draft: Draft, feedback: str) -> Draft:
            try:
                return self._draft(task, Retry(draft.text, feedback))
            except ProviderError as error:  # the draft at hand is kept: it was paid for
                self._on_event(Event("failed", task.need, error=error))
                return draft

        return again

    def keep(self, path: str, draft: Draft, goal: Goal | None) -> None:
        """Keeps a draft that costs money or work, before anything else can go wrong with it."""
        if not draft.is_model and not draft.is_edited:
            return
        try:
            spool.keep(self._forge.repo, as_kept(path, draft, goal))
        except OSError as error:
            self._on_event(Event("unkept", draft.need, f"{error.strerror}; {_keep_elsewhere(draft)}"))

    def _draft(self, task: Task, retry: Retry | None = None) -> Draft:
        kept = kept_draft(self._forge, task.planned, task.purpose) if retry is None else None
        if kept is not None:
            self._on_event(Event("kept", task.need, kept.label))
            return judged(kept, prompt_for(self._forge, task.need, task.goal, task.purpose))
        prompt = prompt_for(self._forge, task.need, task.goal, task.purpose, retry)
        self._on_event(Event("drafting", task.need))
        draft = write_draft(
            self._provider,
            prompt,
            task.need,
            task.purpose,
            lambda piece: self._tell(task.need, piece),
        )
        self.keep(task.planned.path, draft, task.goal)
        self._on_event(Event("drafted", task.need))
        return draft

    def _tell(self, need: Need, piece: Piece) -> None:
        if isinstance(piece, str):
            self._on_event(Event("text", need, piece))
        elif isinstance(piece, Notice):
            self._on_event(Event("noticed", need, piece.text))


def _keep_elsewhere(draft: Draft) -> str:
    """Where a draft is, whose place in the git directory could not be written to."""
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="gitforge-draft-", suffix=f"-{draft.need.name}", delete=False, encoding="utf-8"
        ) as file:
            file.write(draft.text)
    except OSError as error:
        return f"nor elsewhere: {error.strerror}"
    return f"it is in {file.name}"


def _new_file(path: str, reviewed: Reviewed) -> NewFile:
    return NewFile(path, reviewed.draft.text.encode())
