"""The edit of goals.yaml: kinds and goals come in, and nothing else changes."""

from __future__ import annotations

import pytest
from making import GOALS

from gitforge import goals_file
from gitforge.errors import Conflict
from gitforge.goals import Goal, Kind, Need
from gitforge.importing import recipes
from gitforge.importing.placed import Placed, PlacedGoal
from gitforge.importing.records import KINDS, Recipe

SYSTEM = KINDS["system"]
PERSONA = Kind("persona", "personas", key="persona")


def placed(name: str = "RATE", **kinds: Kind) -> Placed:
    goal = Goal(name, "Fabric", "Rates: it.", (Need(SYSTEM, "rate.md"),))
    recipe = Recipe("rate/system.md", name, "Fabric", "Rates: it.", (("system", "rate"),))
    changed = {
        "system": SYSTEM,
        "persona": PERSONA,
        "protocol": Kind("protocol", "protocols", key="protocol"),
    }
    changed |= kinds
    return Placed((), (PlacedGoal(recipe, goal, "new", None, ()),), changed, dict.fromkeys(changed, "is new"))


DECLARED = """\
# mine
version: 1
kinds:
  persona: {folder: people, required: true}  # who
  protocol:
    required: true
  layout:
goals: {}  # none yet
"""


@pytest.mark.parametrize(
    "text",
    [
        GOALS,
        GOALS.replace("\n", "\r\n"),
        "\ufeff" + GOALS,
        '{"version": 1, "goals": {}}\n',
        "goals:\nversion: 1\n",
        "C:\n  G: {persona: p.md, protocol: x.md}  # flat\n",
        '{"C": {"G": {"persona": "p.md", "protocol": "x.md"}}}',
    ],
    ids=["block", "crlf", "mark", "json", "empty", "flat", "flat json"],
)
def test_kinds_and_goals_come_into_every_way_of_writing_it(text: str) -> None:
    before, after = goals_file.parse(text), goals_file.parse(recipes.with_goals(text, placed()))
    assert list(after.goals) == [*before.goals, "RATE"]
    assert after.goals["RATE"].needs[0].path == "system_prompts/rate.md"
    assert after.goals["RATE"].description == "Rates: it."
    assert list(after.kinds) == ["persona", "protocol", "constraint", "system"]
    assert not any(kind.required for kind in after.kinds.values())


def test_comments_and_the_users_own_kinds_stay() -> None:
    people = Kind("persona", "people", key="persona")
    text = recipes.with_goals(DECLARED, placed(persona=people))
    after = goals_file.parse(text)
    assert {name: kind.folder for name, kind in after.kinds.items()} == {
        "persona": "people", "protocol": "protocols", "layout": "layouts", "system": "system_prompts",
    }  # fmt: skip
    for comment in ("# mine", "# who", "# none yet"):
        assert comment in text


def test_twice_is_once() -> None:
    once = recipes.with_goals(GOALS, placed())
    assert recipes.with_goals(once, placed()) == once


def test_another_goal_of_that_name_in_a_version_of_the_file_is_a_conflict() -> None:
    with pytest.raises(Conflict, match="another goal GOAL"):
        recipes.edit(GOALS.encode(), placed("GOAL"))


@pytest.mark.parametrize("old", [None, b"\xff", b"goals: [", b"version: 9\n"])
def test_a_version_that_is_not_there_or_not_valid_is_a_conflict(old: bytes | None) -> None:
    with pytest.raises(Conflict):
        recipes.edit(old, placed())
