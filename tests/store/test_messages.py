"""What commit messages say about components."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gitforge.store.messages import Group, parse

GENERATION = """\
Generate protocol x

What it is for.

Goal: GOAL
Component: library/protocols/x.md
Assisted-by: gitforge:model-1
Prompt-Id: sha256:00
Blob: 1111
Reviewed-by: Ada <ada@example.org>
"""
OUTLINE = "Generate persona p\n\nComponent: library/personas/p.md\nAssisted-by: gitforge:offline-outline\nBlob: 2222\n"


def test_a_generation_names_its_component_model_text_and_reviewer() -> None:
    message = parse(GENERATION)
    (group,) = message.groups
    assert (message.subject, message.body) == ("Generate protocol x", "What it is for.")
    assert (group.path, group.blob, group.model) == ("library/protocols/x.md", "1111", "model-1")
    assert group.reviewer == "Ada <ada@example.org>"
    assert group.trailers["Goal"] == "GOAL"


def test_an_outline_has_no_model() -> None:
    (group,) = parse(OUTLINE).groups
    assert group.is_generation
    assert group.is_outline
    assert group.model is None
    assert group.reviewer is None


def test_each_component_of_a_commit_has_its_own_reviewer() -> None:
    message = parse(
        "Add goal G\n\nGoal: G\nComponent: a\nBlob: 1\nReviewed-by: Ada <a@example.org>\nComponent: b\nBlob: 2\n"
    )
    assert [(group.path, group.reviewer) for group in message.groups] == [
        ("a", "Ada <a@example.org>"),
        ("b", None),
    ]
    assert message.common == (("Goal", "G"),)
    assert message.about("b") == Group("b", {"Goal": "G", "Component": "b", "Blob": "2"})


def test_a_squash_merge_keeps_what_each_of_its_commits_says() -> None:
    forge = f"A pull request (#7)\n\n* {GENERATION}\n* {OUTLINE}\nCo-authored-by: Ada <ada@example.org>\n"
    indented = "".join(f"    {line}\n" for line in f"{GENERATION}\n{OUTLINE}".splitlines())
    for message in (forge, f"Squashed commit of the following:\n\ncommit 1234\n\n{indented}"):
        assert [(group.path, group.blob) for group in parse(message).groups] == [
            ("library/protocols/x.md", "1111"),
            ("library/personas/p.md", "2222"),
        ]


def test_one_line_that_looks_like_a_trailer_says_nothing() -> None:
    assert parse("Subject\n\nComponent: library/x.md\n\nGoal: G").groups == ()


def test_prose_beside_a_trailer_says_nothing() -> None:
    assert parse("Subject\n\nComponent: library/x.md\nBlob: 1\nas I said\n").groups == ()


def test_a_cherry_pick_is_still_about_its_component() -> None:
    assert parse(GENERATION.rstrip() + "\n(cherry picked from commit 1234)\n").groups[0].blob == "1111"


def test_an_empty_message_says_nothing() -> None:
    assert parse("").groups == ()
    assert parse("\n\n").subject == ""


@given(st.text(alphabet=st.sampled_from("Component: Blob\n\t x#") | st.characters(), max_size=200))
def test_no_message_is_too_odd_to_be_read(message: str) -> None:
    parse(message)


def test_what_somebody_quotes_indented_says_nothing() -> None:
    quoted = "    Component: library/x.md\n    Blob: 1\n    Reviewed-by: Ada <ada@example.org>\n"
    assert parse(f"Explain approvals\n\nSuch a commit says:\n\n{quoted}\nThat is all.").groups == ()
    assert parse(f"Explain approvals\n\n{quoted}").groups == ()


def test_a_quotation_in_a_commit_that_was_squashed_says_nothing_either() -> None:
    head = "Squashed commit of the following:\n\ncommit 1234\n\n    Explain approvals\n\n"
    trailers = "Component: library/x.md", "Blob: 1", "Reviewed-by: Ada <ada@example.org>"
    for depth, count in ((4, 1), (8, 0), (2, 0)):
        lines = "".join(f"{' ' * depth}{line}\n" for line in trailers)
        assert len(parse(head + lines).groups) == count


def test_a_squash_of_a_squash_keeps_what_its_commits_say() -> None:
    message = GENERATION
    for _ in range(2):
        indented = "".join(f"    {line}\n" for line in message.splitlines())
        message = f"Squashed commit of the following:\n\ncommit 1234\n\n{indented}"
    (group,) = parse(message).groups
    assert group.blob == "1111"
    assert parse(message.replace("    Squashed", "    Once squashed")).groups == ()


def test_a_text_that_was_moved_is_found_by_its_blob() -> None:
    message = parse(f"A squash\n\n{GENERATION}\n{OUTLINE}")
    for path, blob, model in (("sub/library/protocols/x.md", "1111", "model-1"), ("sub/x.md", "3333", None)):
        found = message.of_text(path, blob)
        assert (found.model if found else None) == model
    assert (
        message.of_text("library/protocols/x.md", "2222") is None
    )  # it speaks of that path, and of another text
    assert message.of_text("gone.md", None) is None
