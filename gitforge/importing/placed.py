"""The words of an import's other end: what each text and each whole prompt becomes in a workspace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from gitforge.goals import Goal, Kind, Need
from gitforge.importing.records import Piece, Recipe

Outcome = Literal["new", "there already"]


@dataclass(frozen=True)
class Component:
    """A piece, and the file that it becomes.

    Attributes:
        piece: What it was.
        need: Its kind and name here.
        outcome: Whether the file is new.
        renamed: Why its name is not the source's; None where it is.
        is_committed: Whether the last commit has it.
    """

    piece: Piece
    need: Need
    outcome: Outcome
    renamed: str | None
    is_committed: bool

    @property
    def content(self) -> bytes:
        """The file's bytes."""
        return self.piece.text.encode()


@dataclass(frozen=True)
class PlacedGoal:
    """A recipe, and the goal that it becomes.

    Attributes:
        recipe: What it was.
        goal: The goal.
        outcome: Whether it is new.
        renamed: Why its name is not the source's; None where it is.
        missing: Names of files that it needs and that neither the source nor the library has.
        is_edited: Whether it is there with other components than the source's: somebody chose among them.
    """

    recipe: Recipe
    goal: Goal
    outcome: Outcome
    renamed: str | None
    missing: tuple[str, ...]
    is_edited: bool = False


@dataclass(frozen=True)
class Placed:
    """Everything that was read, in its place.

    Attributes:
        components: The texts.
        goals: The whole prompts.
        kinds: Every kind as it will be, by name.
        changed: The kinds that goals.yaml has to declare anew or otherwise, by name, each with the reason.
    """

    components: tuple[Component, ...]
    goals: tuple[PlacedGoal, ...]
    kinds: Mapping[str, Kind]
    changed: Mapping[str, str]

    @property
    def new_components(self) -> list[Component]:
        """Those that are not in the library yet, each file once."""
        return [one for one in self.components if one.outcome == "new"]

    @property
    def new_goals(self) -> list[PlacedGoal]:
        """Those that goals.yaml has not got."""
        return [one for one in self.goals if one.outcome == "new"]
