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
from gitforge.store.messages import WITHDRAWN, parse

REVIEWER = "An Engineer <engineer@example.org>"
DRAFT = Draft(
    Need(DEFAULT_KINDS[1], "drill_down.md"), "Drill down.", "text\n", "sha256:abc", "model-1", is_model=True
)
PATH = "library/protocols/drill_down.md"
BLOB = "1" * 40
OTHER = commits.Text("library/personas/p.md", "2" * 40)


def trailers(git: Git, message: str, folder: Path) -> list[str]:
    return git("interpret-trailers", "--parse", cwd=folder, stdin=message).splitlines()


def test_a_generation_says_what_for_whom_by_what_and_who_reviewed_it(git: Git, tmp_path: Path) -> None:
    message = commits.generation(PATH, Reviewed(DRAFT, is_seen=True), "A_GOAL", REVIEWER, blob=BLOB)
    assert message.startswith("Generate protocol drill_down\n\nDrill down.\n\n")
    assert trailers(git, message, tmp_path) == [
        "Goal: A_GOAL",
        f"Component: {PATH}",
        "Assisted-by: gitforge:model-1",
        "Prompt-Id: sha256:abc",
        f"Blob: {BLOB}",
        f"Reviewed-by: {REVIEWER}",
    ]


def test_what_a_draft_took_stands_in_the_message_where_it_is_known(git: Git, tmp_path: Path) -> None:
    counted = replace(DRAFT, usage=Usage(2591, 874), cost=0.00593, is_edited=True)
    found = trailers(
        git,
        commits.generation(PATH, Reviewed(counted, is_seen=True), "A_GOAL", REVIEWER, blob=BLOB),
        tmp_path,
    )
    assert found[3:] == [
        "Prompt-Id: sha256:abc",
        "Tokens: 2591 in, 874 out",
        "Cost: about $0.0059 (estimate)",
        f"Edited-by: {REVIEWER}",
        f"Blob: {BLOB}",
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
        "Blob",
    ]
    assert parse(message).about(PATH) is not None
    assert len(parse(message).groups) == 1


def test_a_long_purpose_is_wrapped() -> None:
    message = commits.generation(
        PATH, Reviewed(replace(DRAFT, purpose="word " * 60), is_seen=False), "G", REVIEWER
    )
    body = message.split("\n\n")[1].splitlines()
    assert len(body) > 3
    assert all(len(line) <= 72 for line in body)


def test_a_purpose_that_would_read_as_trailers_once_it_is_wrapped_stays_one_line() -> None:
    lines = (f"Component: {OTHER.path} {'x' * 38}", f"Blob: {OTHER.blob} {'y' * 24}")
    purpose = " ".join((*lines, "Reviewed-by: Somebody <else@example.org>"))
    message = commits.generation(
        PATH, Reviewed(replace(DRAFT, purpose=purpose), is_seen=False), "G", REVIEWER, blob=BLOB
    )
    assert message.split("\n\n")[1] == purpose
    squashed = f"Squashed\n\n{message}\n\nOther words."
    assert [group.path for group in parse(squashed).groups] == [PATH]


def test_a_new_goal_names_each_component_that_was_made_for_it_and_who_saw_which() -> None:
    goal = Goal("A_GOAL", "Category", "To try it.", ())
    accepted = [(PATH, Reviewed(DRAFT, is_seen=True)), (OTHER.path, Reviewed(DRAFT, is_seen=False))]
    message = commits.new_goal(goal, accepted, REVIEWER, {PATH: BLOB, OTHER.path: str(OTHER.blob)})
    assert message.startswith("Add goal A_GOAL\n\nTo try it.\n\nGoal: A_GOAL\n")
    groups = parse(message).groups
    assert [(group.path, group.blob, group.reviewer) for group in groups] == [
        (PATH, BLOB, REVIEWER),
        (OTHER.path, OTHER.blob, None),
    ]


def test_an_approval_binds_each_reviewer_to_a_text_and_taking_it_back_withdraws_that() -> None:
    texts = [commits.Text(PATH, BLOB), OTHER]
    message = commits.approval("2 components", texts, REVIEWER)
    assert message.startswith("Approve 2 components\n\nComponent: ")
    approved = [(group.path, group.blob, group.reviewer) for group in parse(message).groups]
    assert approved == [(PATH, BLOB, REVIEWER), (OTHER.path, OTHER.blob, REVIEWER)]
    back = parse(
        commits.taken_back(
            "3" * 40, "Approve 2 components", "", [], said=texts, statement=(WITHDRAWN, REVIEWER)
        )
    )
    assert [(group.blob, group.trailers[WITHDRAWN], group.reviewer) for group in back.groups] == [
        (BLOB, REVIEWER, None),
        (OTHER.blob, REVIEWER, None),
    ]


def test_what_is_taken_back_is_said_as_git_says_it_with_the_reason(git: Git, tmp_path: Path) -> None:
    texts = [commits.Text(PATH, None), OTHER]
    message = commits.taken_back("3" * 40, "Generate x", "It is  too\nvague.", texts, is_undo=True)
    head = f'Revert "Generate x"\n\nThis reverts commit {"3" * 40}.\n\nIt is too vague.\n\n'
    assert message.startswith(head)
    assert trailers(git, message, tmp_path) == [
        f"Undoes: {'3' * 40}",
        f"Component: {PATH}",
        f"Component: {OTHER.path}",
        f"Blob: {OTHER.blob}",
    ]


def test_a_restored_text_names_where_it_comes_from(git: Git, tmp_path: Path) -> None:
    message = commits.restored("persona p", "3" * 40, OTHER)
    assert message.startswith(f"Restore persona p\n\nAs it was in {'3' * 40}.\n\n")
    assert trailers(git, message, tmp_path) == [f"Component: {OTHER.path}", f"Blob: {OTHER.blob}"]
