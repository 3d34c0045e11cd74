"""What is mended in a model's answer, and what is left as it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import make_workspace

from gitforge.drafting.repairs import repair
from gitforge.drafting.rules import Rules, load
from gitforge.templates import Templates

TEXT = "## Title\n\nYou are a title.\n\n### Part\n\n- A point."
RULES = Rules(
    chat_before=("Sure", "Here is", "Here's"),
    chat_after=("Let me know", "I hope this"),
    reasoning=("think",),
    heading_level=2,
)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (f"```markdown\n{TEXT}\n```", "took off the code fence around the text"),
        (f"~~~\n{TEXT}\n~~~", "took off the code fence around the text"),
        (f"```md\n{TEXT}", "took off the code fence around the text"),
        (
            f"Sure, here is the persona:\n\n{TEXT}",
            "took off the remark before the text: Sure, here is the persona:",
        ),
        (
            f"Here is what you asked for:\n{TEXT}",
            "took off the remark before the text: Here is what you asked for:",
        ),
        (f"Sure!\n\n---\n\n{TEXT}", "took off the remark before the text: Sure!"),
        (
            f"{TEXT}\n\nLet me know if it fits.",
            "took off the remark behind the text: Let me know if it fits.",
        ),
        (f"{TEXT}\n\n---\n\nI hope this helps!", "took off the remark behind the text: I hope this helps!"),
        (f"<think>\nThey want a title.\n</think>\n\n{TEXT}", "took off the reasoning in <think>"),
        (f'<component name="x">\n{TEXT}\n</component>', "took off the tag <component> around the text"),
        (f"{TEXT}\n</outline>", "took off </outline> behind the text"),
        (f"<outline>\n{TEXT}", "took off <outline> before the text"),
        (f"\ufeff{TEXT}", "took out characters of no width"),
        (TEXT.replace("Part", "Pa\u200br\u00adt"), "took out characters of no width"),
        (TEXT.replace("## ", "# ").replace("### ", "## "), "moved the headings"),
        (TEXT.replace("# ", "## "), "moved the headings"),
    ],
)
def test_what_is_around_a_text_is_taken_off_and_it_is_said(answer: str, said: str) -> None:
    text, repairs = repair(answer, RULES)
    assert text == TEXT
    assert len(repairs) == 1
    assert said in repairs[0]


def test_a_remark_before_a_fence_and_one_behind_it_are_taken_off_together() -> None:
    text, repairs = repair(f"Sure:\n\n```markdown\n{TEXT}\n```\n\nLet me know!", RULES)
    assert text == TEXT
    assert len(repairs) == 3


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        "Use\n```\ncode\n```",
        "```\na\n```\ntext\n```\nb\n```",
        "## Sure things\n\nText.",
        "Sure.",
        "## A\n\nSurely not.\n\nNow let me know.",
        "## A\n\n```\nfirst\n\nLet me know\n```",
        "---\nname: x\n---\n\n## A",
        "## A\n\n```sh\n# a comment\n```",
        "No heading at all.",
        "## A\n\n<details>\nMore.\n</details>",
        "<details>\nMore.\n</details>\n\n## A",
        "\U0001f469\u200d\U0001f4bb writes",
    ],
)
def test_a_text_that_needs_no_repair_is_left_as_it_is(text: str) -> None:
    assert repair(text, RULES) == (text, ())


def test_front_matter_behind_a_remark_stays() -> None:
    assert repair("Sure:\n\n---\nname: x\n---\n\n## A", RULES)[0] == "---\nname: x\n---\n\n## A"


def test_headings_move_together_and_those_in_code_do_not() -> None:
    text, _ = repair("#### A\n\n##### B\n\n```\n#### C\n```\n", RULES)
    assert text == "## A\n\n### B\n\n```\n#### C\n```"
    deep, _ = repair("# A\n\n###### B", Rules(heading_level=3))
    assert deep == "### A\n\n###### B"


def test_what_would_leave_nothing_is_not_taken_off() -> None:
    assert repair("Sure, here is the persona:", RULES) == ("Sure, here is the persona:", ())


@pytest.fixture(scope="module")
def starter_rules(tmp_path_factory: pytest.TempPathFactory) -> Rules:
    root: Path = tmp_path_factory.mktemp("rules") / "w"
    return load(Templates(make_workspace(root)), "persona")


PIECES = st.sampled_from(
    [
        *(
            "```",
            "```markdown",
            "~~~~",
            "\n",
            "\n\n",
            "Sure, here is it:",
            "Let me know",
            "## A",
            "#### B",
            "text",
        ),
        *(
            "<think>",
            "</think>",
            "<component>",
            "</component>",
            "\u200b",
            "\ufeff",
            "---",
            "- a",
            " ",
            "\u202e",
        ),
    ]
)


@given(st.lists(PIECES | st.text(max_size=5), max_size=14).map("".join))
def test_a_repaired_text_needs_no_further_repair(starter_rules: Rules, answer: str) -> None:
    text, repairs = repair(answer, starter_rules)
    assert repair(text, starter_rules) == (text, ())
    assert (text, repairs) == repair(answer, starter_rules)
    assert bool(repairs) is (text != answer.strip())
