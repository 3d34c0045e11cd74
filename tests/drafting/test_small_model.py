"""What a real small model (SmolLM2, 135 million parameters) answered: wrong in many ways, and refused for the right one.

Each line of the data is one answer, its beginning where it was long, with words of the reasons to refuse it. Half
answer gitforge's own prompts, half a plain request; most purposes are harmless, some are not.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gitforge import starter
from gitforge.drafting.checks import problems
from gitforge.drafting.prompting import Brief
from gitforge.drafting.repairs import repair
from gitforge.goals import Need
from gitforge.templates import Templates
from gitforge.workspace import Workspace

ANSWERS = [
    json.loads(line)
    for line in (Path(__file__).parent / "data/small_model_answers.jsonl").read_text("utf-8").splitlines()
]
STARTER = Workspace(starter.directory())
BOOK = STARTER.book()


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer["name"])
def test_a_wrong_answer_is_refused_for_the_right_reasons(answer: dict[str, Any]) -> None:
    need = Need(BOOK.kinds[answer["kind"]], answer["name"])
    goal = BOOK.goals[answer["goal"]] if answer["goal"] else None
    setting = Brief(Templates(STARTER), STARTER.library, need, goal, answer["purpose"]).prompt().setting
    assert setting is not None
    text, _ = repair(answer["answer"], setting.rules)
    found = problems(text, setting)
    assert answer["reasons"]
    for reason in answer["reasons"]:
        assert any(reason in problem for problem in found), (reason, found)


def test_there_are_enough_answers_of_every_kind() -> None:
    assert len(ANSWERS) >= 40
    assert {answer["kind"] for answer in ANSWERS} == {"persona", "protocol", "constraint"}
