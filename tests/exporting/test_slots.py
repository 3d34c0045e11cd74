from __future__ import annotations

import pytest
from exported import SLOTTED
from hypothesis import given

from gitforge.exporting import slots
from gitforge.exporting.prompt import Slot, write


def names(text: str, *components: str) -> list[str]:
    return [part.name for part in slots.find(text, components) if isinstance(part, Slot)]


def test_a_slot_is_named_after_its_label_else_its_heading_else_its_own_words() -> None:
    text = "«first of all»\n\n## Big Task\n\n«do it»\n\n- **Out of scope:** «not this»\n- **Known**: «that»"
    assert names(text) == ["first_of_all", "big_task", "out_of_scope", "known"]


def test_two_slots_of_one_name_are_numbered_and_a_repeated_slot_is_one() -> None:
    assert names("## Task\n«a» «b» «a»") == ["task", "task_2", "task"]


@pytest.mark.parametrize("heading", ["Role", "History", "Input", "If", "None", "Prompt", "Loop", "This"])
def test_no_slot_is_called_what_a_template_language_means_something_by(heading: str) -> None:
    assert names(f"## {heading}\n«x»") == [f"{heading.lower()}_text"]


def test_names_are_ascii_and_never_begin_with_a_digit() -> None:
    assert names("## Prüfung\n«x»\n## 分析\n«分析»\n## 3 wishes\n«y»") == ["prufung", "slot", "slot_3_wishes"]


def test_what_a_component_quotes_is_no_slot() -> None:
    assert names("Il dit «bonjour».\n\n«what to say»", "Il dit «bonjour».") == ["what_to_say"]


def test_a_slot_does_not_reach_over_a_blank_line_and_is_not_empty() -> None:
    assert names("« \n » «a\n\nb» «»") == []
    assert names("«over\ntwo lines»") == ["over_two_lines"]


@given(SLOTTED)
def test_nothing_is_lost(text: str) -> None:
    found = slots.find(text)
    assert write(found, str, lambda slot: slot.written) == text
