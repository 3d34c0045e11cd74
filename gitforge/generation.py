"""Generates what is missing: drafts, each led through review, each accepted one recorded as one commit.

Nothing here asks or prints: decisions and progress go through callbacks.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitforge import commits
from gitforge.build import Forge
from gitforge.errors import Conflict, ProviderError, UserError
from gitforge.generate import Draft, Prompt, Retry, make_prompt, write_draft
from gitforge.goals import Goal, Need
from gitforge.llm import Provider
from gitforge.plan import Planned, State
from gitforge.review import Decide, Reviewed, review
from gitforge.store.records import Identity
from gitforge.store.transaction import NewFile, Recorded, Rewrite, record, refuse_during_operation

if TYPE_CHECKING:
    from gitforge.new_goal import NewGoal


def prompt_for(
    forge: Forge, need: Need, goal: Goal | None, purpose: str, retry: Retry | None = None
) -> Prompt:
    """What a model is asked for a component."""
    return make_prompt(forge.templates, forge.workspace.library, need, goal, purpose, retry)


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
        what: `drafting`, `text`, `drafted`, `failed`, `recorded` or `skipped`.
        need: The component.
        text: The piece of text that arrived, or the new commit's id.
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
    """

    commits: Mapping[str, str]
    skipped: tuple[Need, ...] = ()
    failed: tuple[tuple[Need, ProviderError], ...] = ()
    fallback: Identity | None = None


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
    drafter = _Drafter(forge, provider, on_event)
    drafts, skipped, failed = drafter.draft_all(tasks)
    accepted: list[tuple[str, Reviewed]] = []
    made: dict[str, str] = {}
    recorded: Recorded | None = None
    for task, draft in drafts:
        path = task.planned.path
        reviewed = review(draft, decide, drafter.regenerator(task))
        if reviewed is None:
            skipped.append(task.need)
            on_event(Event("skipped", task.need))
        elif new_goal is not None:
            accepted.append((path, reviewed))
        else:
            message = message_for(forge, path, reviewed, task.goal)
            recorded = record(forge.repo, [_new_file(path, reviewed)], message)
            made[task.need.path] = recorded.commit
            on_event(Event("recorded", task.need, recorded.commit))
    if new_goal is not None:
        recorded = _record_goal(forge, new_goal, accepted)
        for _, reviewed in accepted:
            made[reviewed.draft.need.path] = recorded.commit
            on_event(Event("recorded", reviewed.draft.need, recorded.commit))
    fallback = recorded.identity if recorded and recorded.identity.is_fallback else None
    return Generated(made, tuple(skipped), tuple(failed), fallback)


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

    def _draft(self, task: Task, retry: Retry | None = None) -> Draft:
        prompt = prompt_for(self._forge, task.need, task.goal, task.purpose, retry)
        self._on_event(Event("drafting", task.need))
        draft = write_draft(
            self._provider,
            prompt,
            task.need,
            task.purpose,
            lambda text: self._on_event(Event("text", task.need, text)),
        )
        self._on_event(Event("drafted", task.need))
        return draft


def _new_file(path: str, reviewed: Reviewed) -> NewFile:
    return NewFile(path, reviewed.draft.text.encode())


def _record_goal(forge: Forge, new: NewGoal, accepted: Sequence[tuple[str, Reviewed]]) -> Recorded:
    edits: list[NewFile | Rewrite] = [Rewrite(forge.repo.relative(forge.workspace.goals_file), new.edit)]
    edits += [_new_file(path, reviewed) for path, reviewed in accepted]
    return record(forge.repo, edits, message_for_goal(forge, new, accepted))
