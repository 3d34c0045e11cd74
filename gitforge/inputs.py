"""What a toolkit is made from, as its manifest is to say it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from gitforge.assemble import assemble
from gitforge.components import Component, split_front_matter
from gitforge.errors import UserError
from gitforge.goals import Goal, GoalBook, Need
from gitforge.manifest import Text
from gitforge.store import texts
from gitforge.templates import Renderer

if TYPE_CHECKING:
    from gitforge.store.repo import Repo


def component_of(need: Need, text: str | None) -> Component:
    """A component from the whole text of its file; None gives a missing one."""
    if text is None:
        return Component(need, None, {})
    meta, body = split_front_matter(text)
    return Component(need, body, meta)


def what_shows(
    project: str, goal: Goal, components: Sequence[Component], book: GoalBook, templates: Renderer,
    files: Mapping[str, str],
) -> tuple[Goal, GoalBook]:  # fmt: skip
    """The goal without purposes, and the book without kinds, where the toolkit is the same without them.

    So that a manifest changes only with what the toolkit depends on.

    Args:
        project: The toolkit's name.
        goal: What it is for.
        components: What it is made from.
        book: Says which kinds and which files there are.
        templates: Where the layouts are.
        files: What they make of all that.
    """

    def is_same(fewer: Sequence[Component], smaller: GoalBook) -> bool:
        try:
            return assemble(project, goal, fewer, smaller, templates) == files
        except UserError:
            return False

    silent = [replace(one, need=one.need._replace(purpose=None)) for one in components]
    if is_same(silent, book):
        goal = goal._replace(needs=tuple(one.need for one in silent))
        components = silent
    named = {need.kind.name for need in goal.needs}
    smaller = replace(book, kinds={name: kind for name, kind in book.kinds.items() if name in named})
    return goal, smaller if is_same(components, smaller) else book


class Used:
    """Notes which texts a toolkit is made from, and which of them no commit has."""

    def __init__(self, repo: Repo) -> None:
        self._repo = repo
        self.in_no_commit: list[bytes] = []

    def text(self, path: str | None, blob: str | None, text: str | None, *, is_committed: bool) -> Text:
        """A text that was read.

        Args:
            path: Its file, from the repository's root, if it is in the repository.
            blob: The id that git gives it.
            text: It; None where there is no file.
            is_committed: Whether the last commit has that blob.
        """
        if text is None:
            return Text(path, None)
        content = text.encode()
        id_ = texts.id_of(self._repo, content)
        if id_ != blob or not is_committed:
            self.in_no_commit.append(content)
        return Text(path, blob or id_, id_ if blob not in (None, id_) else None)
