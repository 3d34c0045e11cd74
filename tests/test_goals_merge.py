"""goals.yaml merges as what it says: nothing is lost, nothing is invented, and the text stays people's own."""

from __future__ import annotations

import json
from typing import Any

import pytest
from histories import data_of, meaning, names_of, versions
from hypothesis import given, settings
from hypothesis import strategies as st

from gitforge import goals_file
from gitforge.errors import InvalidFile
from gitforge.goals_merge import GoalClash, merge


@settings(max_examples=400, deadline=None)
@given(versions())
def test_every_merge_is_a_valid_file_that_has_every_goal(texts: tuple[str, ...]) -> None:
    base, ours, theirs = texts
    merged = merge(base, ours, theirs)
    kept = (names_of(ours) & names_of(theirs)) | (names_of(ours) | names_of(theirs)) - names_of(base)
    found = names_of(merged.text)
    in_doubt = {
        clash.path[1] for clash in merged.clashes if clash.path[0] == "goals" and len(clash.path) == 2
    }
    assert kept - in_doubt <= found
    assert found <= names_of(ours) | names_of(theirs)


@settings(max_examples=400, deadline=None)
@given(versions())
def test_which_side_is_ours_makes_no_difference_to_what_it_says(texts: tuple[str, ...]) -> None:
    base, one, other = texts
    here, there = merge(base, one, other), merge(base, other, one)
    assert bool(here.clashes) == bool(there.clashes)
    if not here.clashes:
        assert meaning(here.text) == meaning(there.text)


@settings(max_examples=150, deadline=None)
@given(versions())
def test_what_is_merged_already_merges_to_itself(texts: tuple[str, ...]) -> None:
    base, ours, theirs = texts
    assert merge(base, base, theirs).text == theirs
    assert merge(base, ours, base).text == ours
    assert merge(base, ours, ours).text == ours
    merged = merge(base, ours, theirs)
    assert meaning(merge(ours, ours, merged.text).text) == meaning(merged.text)
    if not merged.clashes:
        assert meaning(merge(base, merged.text, theirs).text) == meaning(merged.text)


@settings(max_examples=200, deadline=None)
@given(versions(3))
def test_three_people_may_merge_in_any_order(texts: tuple[str, ...]) -> None:
    base, a, b, c = texts
    first, last = merge(base, a, b), merge(base, b, c)
    one, other = merge(base, first.text, c), merge(base, a, last.text)
    if not (first.clashes or last.clashes or one.clashes or other.clashes):
        assert as_sets(meaning(one.text)) == as_sets(meaning(other.text))


@settings(max_examples=200, deadline=None)
@given(versions())
def test_a_decision_for_theirs_is_what_they_would_have_got(texts: tuple[str, ...]) -> None:
    base, ours, theirs = texts
    mine = merge(base, ours, theirs, lambda clash: "theirs")
    other = merge(base, theirs, ours)
    if not mine.clashes and len(other.clashes) == sum(len(clash.path) > 1 for clash in other.clashes):
        assert meaning(mine.text) == meaning(other.text)


def as_sets(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: as_sets(inner) for key, inner in value.items()}
    return sorted(map(json.dumps, value)) if isinstance(value, list) else value


# By hand


BASE = """\
# The recipe book.
version: 1

goals:
  # Finding out
  Diagnosis:
    # about a
    A:
      description: To be a.
      persona: p.md
      protocol: x.md
      constraints: [one.md, two.md]

    # about b
    B:
      description: "To be b."
      persona: p.md
      protocol: x.md

  # Looking again
  Review:
    C: {description: d, persona: p.md, protocol: x.md}
"""


def test_what_each_side_did_is_there_with_both_sides_comments() -> None:
    ours = BASE.replace("To be a.", "To be A!  # ours").replace("# The recipe book.", "# Our recipe book.")
    new = "\n  # new there\n  New:\n    # about n\n    N:  # n\n      persona: q.md\n      protocol: 'y.md'\n"
    theirs = BASE.replace("  # about b", "  # all about b") + new
    merged = merge(BASE, ours, theirs)
    assert merged.clashes == ()
    assert merged.text == ours.replace("  # about b", "  # all about b") + new
    assert merge(BASE, theirs, ours).text == merged.text


def test_goals_added_at_the_same_place_both_stand_with_their_comments() -> None:
    def with_goal(name: str) -> str:
        return (
            BASE
            + f"    # about {name}\n    {name}:\n      persona:  p.md  # said by {name}\n      protocol: x.md\n"
        )

    merged = merge(BASE, with_goal("Z"), with_goal("D"))
    assert merged.clashes == ()
    assert merged.text == with_goal("D") + with_goal("Z").removeprefix(BASE)
    assert merge(BASE, with_goal("D"), with_goal("Z")).text == merged.text


def test_lists_of_components_are_sets() -> None:
    ours = BASE.replace("[one.md, two.md]", "[one.md, two.md, zebra.md]")
    theirs = BASE.replace("[one.md, two.md]", "[apple.md, two.md]  # fewer")
    for merged in (merge(BASE, ours, theirs), merge(BASE, theirs, ours)):
        assert merged.clashes == ()
        assert data_of(merged.text)["goals"]["Diagnosis"]["A"]["constraints"] == [
            "apple.md",
            "two.md",
            "zebra.md",
        ]


def test_a_goal_that_one_side_moved_is_changed_where_it_went() -> None:
    lines = BASE[BASE.index("    # about a") : BASE.index("\n    # about b")]
    ours = BASE.replace(f"{lines}\n", "") + lines
    theirs = BASE.replace("To be a.", "To be changed.")
    for merged in (merge(BASE, ours, theirs), merge(BASE, theirs, ours)):
        assert merged.clashes == ()
        assert data_of(merged.text)["goals"]["Review"]["A"]["description"] == "To be changed."
        assert "A" not in data_of(merged.text)["goals"]["Diagnosis"]
        assert "# about a" in merged.text


def test_a_goal_added_to_a_category_that_the_other_side_renamed_goes_along() -> None:
    ours = BASE.replace("  Review:", "  Audits:")
    theirs = BASE + "    D: {persona: p.md, protocol: x.md}\n"
    for merged in (merge(BASE, ours, theirs), merge(BASE, theirs, ours)):
        assert merged.clashes == ()
        assert list(data_of(merged.text)["goals"]) == ["Diagnosis", "Audits"]
        assert list(data_of(merged.text)["goals"]["Audits"]) == ["C", "D"]


@pytest.mark.parametrize(
    ("ours", "theirs", "clash"),
    [
        (("To be a.", "Mine"), ("To be a.", "'Theirs: it'"),
         ("goals > A > description", "To be a.", "Mine", "'Theirs: it'")),
        (("C: {description: d, persona: p.md", "C: {description: d, persona: q.md"),
         ("C: {description: d, persona: p.md", "C: {description: d, persona: {file: p.md, description: who}"),
         ("goals > C > persona", "p.md", "q.md", "file: p.md\ndescription: who")),
        (("  Review:", "  Mine:"), ("  Review:", "  Yours:"), ("goals > Review", "Review", "Mine", "Yours")),
        (("version: 1\n", "version: 1\npolicy: {require_reviewed: true}\n"),
         ("version: 1\n", "version: 1\npolicy: {require_reviewed: false}\n"),
         ("policy > require_reviewed", None, "true", "false")),
    ],
)  # fmt: skip
def test_a_value_that_both_sides_changed_is_a_clash_and_ours_stands(
    ours: tuple[str, str], theirs: tuple[str, str], clash: tuple[str | None, ...]
) -> None:
    mine, other = BASE.replace(*ours), BASE.replace(*theirs)
    merged = merge(BASE, mine, other)
    (found,) = merged.clashes
    assert (found.place, found.base, found.ours, found.theirs) == clash
    assert merged.text == mine
    asked: list[GoalClash] = []

    def theirs_stands(one: GoalClash) -> Any:
        asked.append(one)
        return "theirs"

    decided = merge(BASE, mine, other, theirs_stands)
    assert asked == [found]
    assert decided.clashes == ()
    assert meaning(decided.text) == meaning(other)


@pytest.mark.parametrize("change", [("To be b.", "To be changed."), None])
def test_a_goal_changed_here_and_removed_there_is_a_clash(change: tuple[str, str] | None) -> None:
    lines = BASE[BASE.index("    # about b") : BASE.index("\n  # Looking")]
    removed = BASE.replace(lines, "")
    kept = BASE.replace(*change) if change else BASE.replace(lines, "") + lines  # moved to another category
    merged = merge(BASE, kept, removed)
    assert [clash.place for clash in merged.clashes] == ["goals > B"]
    assert merged.clashes[0].theirs is None
    assert merged.text == kept
    other = merge(BASE, removed, kept)
    assert other.clashes[0].ours is None
    assert meaning(other.text) == meaning(removed)
    assert meaning(merge(BASE, removed, kept, lambda clash: "theirs").text) == meaning(kept)


def test_a_goal_of_a_kind_that_the_other_side_removed_is_a_clash_and_the_file_stays_valid() -> None:
    kinds = "kinds: {persona: , protocol: , constraint: {many: true}, note: {many: true}}\n"
    base = BASE.replace("goals:", f"{kinds}goals:")
    ours = BASE
    theirs = base + "    D: {persona: p.md, protocol: x.md, notes: [n.md]}\n"
    merged = merge(base, ours, theirs)
    assert [clash.place for clash in merged.clashes] == ["goals > D"]
    assert meaning(merged.text) == meaning(ours)
    merged = merge(base, theirs, ours)
    assert [clash.place for clash in merged.clashes] == ["kinds"]
    assert meaning(merged.text) == meaning(theirs)


def test_without_a_common_beginning_both_sides_are_added() -> None:
    other = "goals:\n  Review:\n    C: {description: d, persona: p.md, protocol: x.md}\n    D: {persona: p.md, protocol: x.md}\n"
    for base in (None, ""):
        merged = merge(base, BASE, other)
        assert merged.clashes == ()
        assert names_of(merged.text) == {"A", "B", "C", "D"}
        assert merged.text == f"{BASE}    D: {{persona: p.md, protocol: x.md}}\n"


@pytest.mark.parametrize("indent", [None, 2])
def test_flat_json_and_yaml_merge_as_data(indent: int | None) -> None:
    flat = data_of(BASE)["goals"]
    flat["Review"]["N"] = {"persona": "p.md", "protocol": "x.md"}
    theirs = json.dumps(flat, indent=indent)
    ours = BASE.replace("To be a.", "Ours")
    merged, other = merge(BASE, ours, theirs), merge(BASE, theirs, ours)
    assert merged.text.startswith(
        "# The recipe book.\nversion: 1"
    )  # they took the version away, but the file stays
    assert meaning(merged.text)["categories"] == meaning(other.text)["categories"]
    assert json.loads(other.text)
    assert names_of(other.text) == {"A", "B", "C", "N"}


@pytest.mark.parametrize("side", ["base", "ours", "theirs"])
@pytest.mark.parametrize(
    "garbage",
    ["goals:\n\tA:\n", "a: [", "\0", "goals: {}\ngoals: {}\n", "version: 2\ngoals: {}\n", "[" * 4000, "- x\n",
     "<<<<<<< ours\n" + BASE, "&a [*a]", "goals: " + "x" * 5_000_000, "\ud800", "# nothing\n"],
    ids=range(12),
)  # fmt: skip
def test_a_side_that_is_no_goals_yaml_is_named(side: str, garbage: str) -> None:
    texts: Any = {
        "base": BASE,
        "ours": BASE.replace("To be a.", "Mine"),
        "theirs": BASE.replace("p.md", "q.md"),
    }
    with pytest.raises(InvalidFile, match=rf"goals\.yaml \({side}\)"):
        merge(**{**texts, side: garbage})


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["base", "ours", "theirs"]),
    st.integers(0, len(BASE)),
    st.text(max_size=6),
    st.integers(0, 9),
)
def test_garbage_anywhere_is_merged_or_refused_in_words(side: str, at: int, garbage: str, cut: int) -> None:
    texts: Any = {
        "base": BASE,
        "ours": BASE.replace("To be a.", "Mine"),
        "theirs": BASE + "  D:\n",
    }
    texts[side] = texts[side][:at] + garbage + texts[side][at + cut :]
    try:
        merged = merge(**texts)
    except InvalidFile as refused:
        assert f"({side})" in str(refused)  # noqa: PT017 -- or it is merged
    else:
        goals_file.parse(merged.text)


def test_anchors_and_aliases_merge_as_what_they_mean() -> None:
    ours = "goals:\n  C:\n    A: &a {persona: p.md, protocol: x.md}\n    B: *a\n"
    theirs = "goals:\n  C:\n    A: {persona: q.md, protocol: x.md}\n    B: {persona: p.md, protocol: x.md}\n"
    merged = merge(ours, ours + "    D: *a\n", theirs)
    assert {name: one["persona"] for name, one in data_of(merged.text)["goals"]["C"].items()} == {
        "A": "q.md",
        "B": "p.md",
        "D": "p.md",
    }


def test_line_breaks_and_byte_order_marks_are_ours() -> None:
    ours = "\ufeff" + BASE.replace("To be a.", "Mine").replace("\n", "\r\n")
    theirs = BASE.replace("To be b.", "Theirs")
    merged = merge(BASE, ours, theirs)
    assert merged.text == ours.replace("To be b.", "Theirs")
    assert merge(BASE, theirs, ours).text == merged.text.removeprefix("\ufeff")


def test_a_large_file_is_merged_in_a_moment() -> None:
    base = "goals:\n" + "".join(
        f"  C{n}:\n"
        + "".join(f"    G{n}_{m}:\n      persona: p.md\n      protocol: x.md\n" for m in range(50))
        for n in range(100)
    )
    ours = base.replace("G7_7:\n      persona: p.md", "G7_7:\n      persona: q.md")
    theirs = base.replace("    G9_9:", "    # a comment\n    G9_9:").replace("C50:", "Fifty:")
    merged = merge(base, ours, theirs)
    assert merged.clashes == ()
    assert "    # a comment\n    G9_9:" in merged.text
    assert len(names_of(merged.text)) == 5000


PIN = "libraries:\n  acme:\n    url: https://example.org/acme.git\n    commit: {}\n"


def test_libraries_merge_by_name_and_a_pin_as_a_whole() -> None:
    base = BASE.replace("goals:", PIN.format("a" * 40) + "goals:")
    moved = base.replace("a" * 40, "b" * 40)
    other = base.replace(
        "goals:", "  other:\n    url: https://example.org/other.git\n    commit: " + "c" * 40 + "\ngoals:"
    )
    for merged in (merge(base, moved, other), merge(base, other, moved)):
        assert merged.clashes == ()
        assert {name: pin["commit"][0] for name, pin in data_of(merged.text)["libraries"].items()} == {
            "acme": "b",
            "other": "c",
        }
    elsewhere = base.replace("https://example.org/acme", "https://example.org/else")
    (clash,) = merge(base, moved, elsewhere).clashes
    assert clash.place == "libraries > acme"
    assert clash.theirs == f"url: https://example.org/else.git\ncommit: {'a' * 40}"


def test_a_library_that_the_other_side_uses_is_not_removed() -> None:
    base = BASE.replace("goals:", PIN.format("a" * 40) + "goals:")
    used = base + "    D: {persona: 'acme:q.md', protocol: x.md}\n"
    merged = merge(base, used, BASE)
    assert [clash.place for clash in merged.clashes] == ["libraries"]
    assert merged.text == used
    merged = merge(base, BASE, used)
    assert [clash.place for clash in merged.clashes] == ["goals > D"]
    assert meaning(merged.text) == meaning(BASE)


def test_the_order_of_kinds_is_that_of_the_side_that_changed_it() -> None:
    kinds = ["persona: {}", "protocol: {}", "constraint: {many: true}", "note: {many: true}"]

    def with_kinds(*order: int) -> str:
        return BASE.replace("goals:", "kinds:\n" + "".join(f"  {kinds[at]}\n" for at in order) + "goals:")

    for base, one, other in (
        (with_kinds(0, 1, 2), with_kinds(0, 1, 2, 3), with_kinds(2, 1, 0)),
        (BASE, with_kinds(0, 1, 2, 3), with_kinds(3, 0, 1, 2)),
        (with_kinds(0, 1, 2, 3), with_kinds(0, 1, 2, 3).replace("To be a.", "New"), with_kinds(3, 2, 1, 0)),
    ):
        here, there = merge(base, one, other), merge(base, other, one)
        assert (here.clashes, there.clashes) == ((), ())
        assert meaning(here.text) == meaning(there.text)
    assert list(data_of(here.text)["kinds"]) == ["note", "constraint", "protocol", "persona"]
