"""A goal that goals.yaml has not got yet: the edit that adds it, and the recipe book as it will be."""

from __future__ import annotations

from dataclasses import dataclass

from gitforge import documents, goals_file
from gitforge.errors import Conflict, UserError
from gitforge.goals import FILE_NAME, Goal, GoalBook
from gitforge.goals_edit import add_goal
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
        if old is None:
            raise Conflict(
                f"{FILE_NAME} is not committed yet, so a goal cannot be recorded in it",
                hint=f"Commit it first: git add {FILE_NAME} && git commit",
            )
        try:
            return add_goal(old.decode(), self.goal).encode()
        except Conflict:
            raise
        except (UserError, UnicodeDecodeError) as error:
            message = f"a version of {FILE_NAME} in git or in the working tree is not valid: {error}"
            raise Conflict(message, hint="Correct and commit it first.") from error


def propose(workspace: Workspace, goal: Goal) -> NewGoal:
    """Adds a goal in thought: nothing is written.

    Raises:
        Conflict: There is such a goal.
        UserError: goals.yaml, a name or a component of it will not do.
    """
    text = documents.read_text(workspace.goals_file, FILE_NAME)
    book = goals_file.parse(add_goal(text, goal))
    return NewGoal(book.goals[goal.name], book)
