"""A draft and what people changed in the text that it is to replace: merged three ways, as git merges."""

from __future__ import annotations

from dataclasses import replace

from gitforge.components import split_front_matter
from gitforge.drafting.draft import Draft
from gitforge.generation.records import Prefer, Task
from gitforge.store.merge import clashes, merge, settled
from gitforge.store.repo import Repo


def with_edits(repo: Repo, task: Task, draft: Draft, prefer: Prefer | None) -> Draft:
    """The draft with the edits that people made since the last one; with clashes where somebody has to decide.

    Args:
        repo: Where git runs.
        task: Says what the component was when it was generated, and what it is now.
        draft: As the model wrote it; one that the engineer has edited already stays as it is.
        prefer: Whose lines are taken where both changed the same ones.

    Raises:
        UserError: git fails.
    """
    if task.base is None or task.current is None or draft.is_edited:
        return draft
    ours = split_front_matter(task.current)[1]
    chunks = merge(repo, task.base, ours, draft.text)
    if clashes(chunks):
        if prefer is None:
            return replace(draft, clashes=chunks)
        text = settled(chunks, lambda clash: clash.ours if prefer == "ours" else clash.theirs)
    else:
        text = settled(chunks, lambda clash: clash.ours)
    return (
        draft
        if text == draft.text or not text.strip()
        else replace(draft.edited(text), problems=draft.problems)
    )
