"""What a goals.yaml says, taken apart for a merge: in either layout, each goal by its name alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gitforge import goals_file
from gitforge.goals import GoalBook
from gitforge.three_way.values import ABSENT


@dataclass(frozen=True)
class Recipes:
    """The data of a valid goals.yaml.

    Attributes:
        sections: All that stands at the top beside the goals, in order; `goals` itself is None.
        categories: The goals by category, in order.
        homes: The category of each goal, in order.
        many: By a kind's key, whether a goal takes a list of them.
        is_flat: Whether the file has categories alone.
    """

    sections: Mapping[str, Any] = field(default_factory=dict)
    categories: Mapping[str, Any] = field(default_factory=dict)
    homes: Mapping[str, str] = field(default_factory=dict)
    many: Mapping[str, bool] = field(default_factory=dict)
    is_flat: bool = True

    @classmethod
    def of(cls, data: dict[str, Any], book: GoalBook) -> Recipes:
        """Takes apart what was read."""
        categories = (data if book.is_flat else data["goals"]) or {}
        return cls(
            sections={} if book.is_flat else data | {"goals": None},
            categories=categories,
            homes={name: category for category, inner in categories.items() for name in inner or ()},
            many={kind.key: kind.many for kind in book.kinds.values()},
            is_flat=book.is_flat,
        )

    def entry(self, goal: str) -> Any:
        """A goal's data; ABSENT where there is no such goal."""
        return self.categories[self.homes[goal]][goal] if goal in self.homes else ABSENT


def renamed(base: Recipes, side: Recipes) -> dict[str, str]:
    """The categories that a side renamed: the new name, and the old one.

    That is one whose goals, as far as they are still there, stand for the greater part in a new category.
    """
    moved: dict[tuple[str, str], int] = {}
    left: dict[str, int] = {}
    for goal, old in base.homes.items():
        if goal not in side.homes or old in side.categories:
            continue
        left[old] = left.get(old, 0) + 1
        new = side.homes[goal]
        if new not in base.categories:
            moved[new, old] = moved.get((new, old), 0) + 1
    found: dict[str, str] = {}
    for (new, old), count in sorted(moved.items(), key=lambda one: (-one[1], one[0])):
        if count * 2 > left[old] and new not in found:
            found[new] = old
    return found


def put_together(sections: dict[str, Any], categories: dict[str, Any], *, is_flat: bool) -> dict[str, Any]:
    """The data of a file.

    Args:
        sections: As in Recipes: everything beside the goals, with None where these belong.
        categories: The goals by category.
        is_flat: Whether the flat layout is wanted; it is taken where it can hold everything.
    """
    if is_flat and sections.keys() <= {"goals"} and goals_file.is_flat(categories):
        return categories
    return sections | {"goals": categories}
