"""A draft's way to a decision."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gitforge.drafting import Draft
from gitforge.errors import Cancelled
from gitforge.goals import DEFAULT_KINDS, Need
from gitforge.review import Accept, Decision, Edit, Quit, Regenerate, Reviewed, Skip, review
from gitforge.text import as_diff

DRAFT = Draft(Need(DEFAULT_KINDS[0], "p.md"), "purpose", "first\n", "sha256:1", "model", is_model=True)


def lead(*decisions: Decision) -> tuple[Reviewed | None, list[str]]:
    """Leads the draft through decisions; gives the outcome and the texts that were shown."""
    shown: list[str] = []
    left: Iterator[Decision] = iter(decisions)

    def decide(draft: Draft) -> Decision:
        shown.append(draft.text)
        return next(left)

    def regenerate(draft: Draft, feedback: str) -> Draft:
        return Draft(
            draft.need, draft.purpose, f"{draft.text}{feedback}\n", "sha256:2", "model", is_model=True
        )

    return review(DRAFT, decide, regenerate), shown


def test_an_accepted_draft_is_given_as_it_is() -> None:
    assert lead(Accept()) == (Reviewed(DRAFT, is_seen=True), ["first\n"])


def test_a_draft_accepted_unseen_has_no_reviewer() -> None:
    outcome, _ = lead(Accept(is_seen=False))
    assert outcome is not None
    assert not outcome.is_seen


def test_an_edited_draft_is_shown_again_and_marked_as_edited() -> None:
    outcome, shown = lead(Edit("mine\n"), Accept())
    assert outcome is not None
    assert (outcome.draft.text, outcome.draft.is_edited) == ("mine\n", True)
    assert shown == ["first\n", "mine\n"]


def test_a_regenerated_draft_is_shown_in_place_of_the_old_one_and_is_no_longer_edited() -> None:
    outcome, shown = lead(Edit("mine\n"), Regenerate("shorter"), Accept())
    assert outcome is not None
    assert (outcome.draft.text, outcome.draft.is_edited) == ("mine\nshorter\n", False)
    assert shown == ["first\n", "mine\n", "mine\nshorter\n"]


def test_a_skipped_draft_is_nothing() -> None:
    assert lead(Regenerate("again"), Skip())[0] is None


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
