"""From accepted drafts to their commit, with what it refers to: the prompts, and the texts before they were edited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitforge import commits
from gitforge.build import Forge
from gitforge.components import replaced_text
from gitforge.drafting.draft import Draft
from gitforge.generation.records import Task
from gitforge.review import Reviewed
from gitforge.store import texts
from gitforge.store.commit import Message
from gitforge.store.edits import Edit, NewFile, Rewrite, exchange
from gitforge.store.prompts import ref_of
from gitforge.store.proposal import propose
from gitforge.store.repo import Repo
from gitforge.store.transaction import Recorded, record

if TYPE_CHECKING:
    from gitforge.new_goal import NewGoal


@dataclass(frozen=True)
class Accepted:
    """A draft that is to be recorded.

    Attributes:
        task: The component that it is for.
        reviewed: The draft.
        id: The name under which it is kept until then.
    """

    task: Task
    reviewed: Reviewed
    id: str

    @property
    def path(self) -> str:
        """The component, from the repository's root."""
        return self.task.planned.path

    @property
    def draft(self) -> Draft:
        """The draft itself."""
        return self.reviewed.draft

    def edit(self) -> Edit:
        """What it does to the component."""
        if self.task.current is None:
            return NewFile(self.path, self.draft.text.encode())
        new = replaced_text(self.task.current, self.draft.text)
        return exchange(self.path, self.task.current.encode(), new.encode())


def record_one(repo: Repo, one: Accepted, reviewer: str, branch: str | None) -> Recorded:
    """Records a component that is not part of a new goal.

    Args:
        repo: The repository.
        one: The draft.
        reviewer: Who sits at the prompt, as `Name <email>`.
        branch: The branch to propose it on; None: it goes to the one that is checked out.

    Raises:
        Conflict: Something of the user's is in the way.
        UserError: git refuses.
    """
    goal = one.task.goal.name if one.task.goal else None
    is_anew = one.task.current is not None
    before = repo.entries([one.path]).get(one.path) if is_anew else None

    def message(blobs: Mapping[str, str]) -> str:
        written = _written(repo, one.draft)
        return commits.generation(
            one.path,
            one.reviewed,
            goal,
            reviewer,
            is_anew=is_anew,
            blob=blobs[one.path],
            written=written,
            replaces=before.id if before is not None else None,
        )

    return _record(repo, [one.edit()], message, [one], branch)


def record_goal(
    forge: Forge, new_goal: NewGoal, accepted: Sequence[Accepted], reviewer: str, branch: str | None
) -> Recorded:
    """Records a goal with the components that were made for it; arguments and errors as in `record_one`."""
    goals = Rewrite(forge.repo.relative(forge.workspace.goals_file), new_goal.edit)
    pairs = [(one.path, one.reviewed) for one in accepted]
    known = ((one.path, _written(forge.repo, one.draft)) for one in accepted)
    written = {path: id_ for path, id_ in known if id_ is not None}

    def message(blobs: Mapping[str, str]) -> str:
        return commits.new_goal(new_goal.goal, pairs, reviewer, blobs, written)

    return _record(forge.repo, [goals, *(one.edit() for one in accepted)], message, accepted, branch)


def _record(
    repo: Repo, edits: Sequence[Edit], message: Message, accepted: Sequence[Accepted], branch: str | None
) -> Recorded:
    drafts = [one.id for one in accepted]
    keeps = {}
    for draft in (one.draft for one in accepted if one.draft.prompt):
        keeps[ref_of(draft.prompt_id)] = draft.prompt.encode()
        if (id_ := _written(repo, draft)) is not None:
            keeps[f"{texts.REFS}/{id_}"] = draft.written.encode()
    if branch is not None:
        return propose(repo, branch, edits, message, drafts=drafts, keeps=keeps)
    return record(repo, edits, message, drafts=drafts, keeps=keeps)


def _written(repo: Repo, draft: Draft) -> str | None:
    """Id of a draft as a model wrote it, where the engineer changed it: the base of the next merge."""
    is_wanted = draft.is_model and draft.written
    return texts.id_of(repo, draft.written.encode()) if is_wanted else None
