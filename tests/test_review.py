"""A draft's way to a decision."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from gitforge.drafting.draft import Draft
from gitforge.errors import Cancelled
from gitforge.goals import DEFAULT_KINDS, Need
from gitforge.review import Accept, Decision, Edit, Leave, Quit, Regenerate, Reviewed, Skip, review
from gitforge.text import as_diff

DRAFT = Draft(Need(DEFAULT_KINDS[0], "p.md"), "purpose", "first\n", "sha256:1", "model", is_model=True)


SECOND = replace(DRAFT, text="second\n", problems=("it says nothing",), repairs=("a fence was taken off",))


def lead(*decisions: Decision, drafts: Sequence[Draft] = (DRAFT,)) -> tuple[object, list[str]]:
    """Leads drafts through decisions; gives the outcome and the texts that were shown."""
    shown: list[str] = []
    left: Iterator[Decision] = iter(decisions)

    def decide(drafts: Sequence[Draft]) -> Decision:
        shown.append(" | ".join(draft.text.strip() for draft in drafts))
        return next(left)

    def regenerate(index: int, draft: Draft, feedback: str) -> Draft:
        return replace(draft, text=f"{draft.text}{feedback}\n", prompt_id="sha256:2", is_edited=False)

    return review(drafts, decide, regenerate), shown


def test_an_accepted_draft_is_given_as_it_is() -> None:
    assert lead(Accept()) == (Reviewed(DRAFT, is_seen=True), ["first"])


def test_a_draft_accepted_unseen_has_no_reviewer() -> None:
    outcome, _ = lead(Accept(is_seen=False))
    assert isinstance(outcome, Reviewed)
    assert not outcome.is_seen


def test_an_edited_draft_is_shown_again_and_marked_as_edited() -> None:
    outcome, shown = lead(Edit("mine\n"), Accept())
    assert isinstance(outcome, Reviewed)
    assert (outcome.draft.text, outcome.draft.is_edited) == ("mine\n", True)
    assert shown == ["first", "mine"]


def test_a_regenerated_draft_is_shown_in_place_of_the_old_one_and_is_no_longer_edited() -> None:
    outcome, shown = lead(Edit("mine\n"), Regenerate("shorter"), Accept())
    assert isinstance(outcome, Reviewed)
    assert (outcome.draft.text, outcome.draft.is_edited) == ("mine\nshorter\n", False)
    assert shown == ["first", "mine", "mine\nshorter"]


def test_a_skipped_draft_is_nothing() -> None:
    assert lead(Regenerate("again"), Skip())[0] == Skip()


def test_a_draft_that_is_left_is_neither_accepted_nor_skipped() -> None:
    assert lead(Leave())[0] == Leave()


def test_of_several_drafts_one_is_taken() -> None:
    outcome, shown = lead(Accept(index=1), drafts=(DRAFT, SECOND))
    assert outcome == Reviewed(SECOND, is_seen=True, index=1)
    assert shown == ["first | second"]


def test_of_several_drafts_one_is_edited_or_regenerated_and_the_others_stay() -> None:
    decisions = (Edit("mine\n", index=1), Regenerate("shorter", index=0), Accept(index=1))
    outcome, shown = lead(*decisions, drafts=(DRAFT, SECOND))
    assert isinstance(outcome, Reviewed)
    assert (outcome.draft.text, outcome.draft.is_edited) == ("mine\n", True)
    assert shown == ["first | second", "first | mine", "first\nshorter | mine"]


def test_what_was_found_in_a_draft_is_settled_once_a_person_has_edited_it() -> None:
    outcome, _ = lead(Edit("mine\n"), Accept(), drafts=(SECOND,))
    assert isinstance(outcome, Reviewed)
    assert (outcome.draft.problems, outcome.draft.repairs) == ((), ())


def test_quitting_is_said() -> None:
    with pytest.raises(Cancelled, match="what was recorded stays recorded, and drafts are kept"):
        lead(Quit())


def test_a_new_file_is_a_diff_from_nothing() -> None:
    assert as_diff("a b.md", None, "one\ntwo") == (
        "--- /dev/null\n+++ b/a b.md\n@@ -0,0 +1,2 @@\n+one\n+two\n\\ No newline at end of file\n"
    )


def test_a_changed_file_is_a_diff_of_the_changed_lines() -> None:
    assert "-one\n+two\n" in as_diff("f", "same\none\n", "same\ntwo\n")
    assert as_diff("f", "same\n", "same\n") == ""
