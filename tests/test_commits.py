"""The messages of gitforge's commits, as git reads them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from conftest import Git

from gitforge import commits
from gitforge.drafting.draft import Draft
from gitforge.goals import DEFAULT_KINDS, Goal, Need
from gitforge.llm import Usage
from gitforge.review import Reviewed

REVIEWER = "An Engineer <engineer@example.org>"
DRAFT = Draft(
    Need(DEFAULT_KINDS[1], "drill_down.md"), "Drill down.", "text\n", "sha256:abc", "model-1", is_model=True
)
PATH = "library/protocols/drill_down.md"


def trailers(git: Git, message: str, folder: Path) -> list[str]:
    return git("interpret-trailers", "--parse", cwd=folder, stdin=message).splitlines()


def test_a_generation_says_what_for_whom_by_what_and_who_reviewed_it(git: Git, tmp_path: Path) -> None:
    message = commits.generation(PATH, Reviewed(DRAFT, is_seen=True), "A_GOAL", REVIEWER)
    assert message.startswith("Generate protocol drill_down\n\nDrill down.\n\n")
    assert trailers(git, message, tmp_path) == [
        "Goal: A_GOAL",
        f"Component: {PATH}",
        "Assisted-by: gitforge:model-1",
        "Prompt-Id: sha256:abc",
        f"Reviewed-by: {REVIEWER}",
    ]


def test_what_a_draft_took_stands_in_the_message_where_it_is_known(git: Git, tmp_path: Path) -> None:
    counted = replace(DRAFT, usage=Usage(2591, 874), cost=0.00593, is_edited=True)
    found = trailers(
        git, commits.generation(PATH, Reviewed(counted, is_seen=True), "A_GOAL", REVIEWER), tmp_path
    )
    assert found[3:] == [
        "Prompt-Id: sha256:abc",
        "Tokens: 2591 in, 874 out",
        "Cost: about $0.0059 (estimate)",
        f"Edited-by: {REVIEWER}",
        f"Reviewed-by: {REVIEWER}",
    ]
    uncosted = replace(counted, cost=None)
    message = commits.generation(PATH, Reviewed(uncosted, is_seen=True), "A_GOAL", REVIEWER)
    assert "Tokens:" in message
    assert "Cost:" not in message


def test_a_draft_that_nobody_saw_names_no_reviewer_and_one_for_no_goal_names_no_goal() -> None:
    message = commits.generation(PATH, Reviewed(DRAFT, is_seen=False), None, REVIEWER)
    assert "Reviewed-by" not in message
    assert "\nGoal:" not in message


def test_what_stands_in_a_purpose_or_a_models_name_can_forge_no_trailer(git: Git, tmp_path: Path) -> None:
    nasty = replace(
        DRAFT, purpose="Fine.\n\nReviewed-by: Somebody <else@example.org>", label="m\nReviewed-by: Somebody"
    )
    message = commits.generation(PATH, Reviewed(nasty, is_seen=False), "G", REVIEWER)
    assert [line.split(":")[0] for line in trailers(git, message, tmp_path)] == [
        "Goal",
        "Component",
        "Assisted-by",
        "Prompt-Id",
    ]


def test_a_long_purpose_is_wrapped() -> None:
    message = commits.generation(
        PATH, Reviewed(replace(DRAFT, purpose="word " * 60), is_seen=False), "G", REVIEWER
    )
    body = message.split("\n\n")[1].splitlines()
    assert len(body) > 3
    assert all(len(line) <= 72 for line in body)


def test_a_new_goal_names_each_component_that_was_made_for_it(git: Git, tmp_path: Path) -> None:
    goal = Goal("A_GOAL", "Category", "To try it.", ())
    accepted = [
        (PATH, Reviewed(DRAFT, is_seen=True)),
        ("library/personas/p.md", Reviewed(DRAFT, is_seen=True)),
    ]
    message = commits.new_goal(goal, accepted, REVIEWER)
    assert message.startswith("Add goal A_GOAL\n\nTo try it.\n\n")
    found = trailers(git, message, tmp_path)
    assert [line for line in found if line.startswith("Component")] == [
        f"Component: {PATH}",
        "Component: library/personas/p.md",
    ]
    assert found[-1] == f"Reviewed-by: {REVIEWER}"
