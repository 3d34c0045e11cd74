"""A goal that goals.yaml has not got yet: the edit that adds it, and the recipe book as it will be."""

from __future__ import annotations

from dataclasses import dataclass

from gitforge import documents, goals_file
from gitforge.goals import FILE_NAME, Goal, GoalBook
from gitforge.goals_edit import add_goal, version_edited
from gitforge.workspace import Workspace


@dataclass(frozen=True)
class NewGoal:
    """A goal to be added.

    Attributes:
        goal: The goal, as it will be read.
        book: The recipe book with it.
    """

    goal: Goal
    book: GoalBook

    def edit(self, old: bytes | None) -> bytes:
        """One version of goals.yaml (HEAD's, the index's or the working tree's) with the goal added.

        Raises:
            Conflict: That version is not there, cannot be read, or has such a goal.
        """
        return version_edited(old, lambda text: add_goal(text, self.goal))


def propose(workspace: Workspace, goal: Goal) -> NewGoal:
    """Adds a goal in thought: nothing is written.

    Raises:
        Conflict: There is such a goal.
        UserError: goals.yaml, a name or a component of it will not do.
    """
    text = documents.read_text(workspace.goals_file, FILE_NAME)
    book = goals_file.parse(add_goal(text, goal))
    return NewGoal(book.goals[goal.name], book)
