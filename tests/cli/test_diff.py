"""`gitforge diff`: components compared word by word."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from program import PERSONA, PROTOCOL, gitforge
from terminal import Terminal

Git = Callable[..., str]
X = "library/personas/x.md"
BEFORE = "You are a detective — naïve, don't you think?\nThe second line, it stays.\n"
AFTER = "You are the best detective — naïf, don't you think?\nThe second line it stays.\n"


@pytest.fixture
def edited(workspace: Path, git: Git) -> Path:
    (workspace / X).write_text(BEFORE)
    git("add", X, cwd=workspace)
    git("commit", "-qm", "Write x", cwd=workspace)
    (workspace / X).write_text(AFTER)
    return workspace


def test_the_worktree_is_compared_with_the_last_commit_word_by_word(edited: Path) -> None:
    done = gitforge("diff", cwd=edited)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        X,
        "@@ -1,2 +1,2 @@",
        "You are [-a-]{+the best+} detective — [-naïve-]{+naïf+}, don't you think?",
        "The second line[-,-] it stays.",
    ]


def test_what_is_staged_is_part_of_the_worktree(edited: Path, git: Git) -> None:
    git("add", X, cwd=edited)
    assert "{+the best+}" in gitforge("diff", cwd=edited).out


def test_one_commit_is_compared_with_the_worktree_and_two_with_each_other(edited: Path, git: Git) -> None:
    git("commit", "-qam", "Edit x", cwd=edited)
    (edited / X).write_text("You are somebody else.\n")
    assert "somebody else" in gitforge("diff", "HEAD~1", cwd=edited).out
    between = gitforge("diff", "HEAD~1", "HEAD", cwd=edited).out
    assert "{+the best+}" in between
    assert "somebody" not in between
    assert gitforge("diff", "HEAD~1..HEAD", cwd=edited).out == between
    backwards = gitforge("diff", "HEAD", "HEAD~1", "--", "x", cwd=edited).out
    assert "[-the best-]{+a+}" in backwards


def test_components_and_goals_limit_it(edited: Path) -> None:
    (edited / PROTOCOL).write_text("Anew.\n")
    assert X not in gitforge("diff", "--", "root_cause_analysis_drilldown.md", cwd=edited).out
    assert X not in gitforge("diff", "HEAD", "--", "DIAGNOSE_ROOT_CAUSE", cwd=edited).out
    both = gitforge("diff", "x.md", PROTOCOL, "--stat", cwd=edited)
    assert [line.split()[0] for line in both.out.splitlines()] == [X, PROTOCOL]


@pytest.mark.parametrize("name", ["new_name.md", "digital_detective.md"])
def test_a_renamed_component_is_compared_with_what_it_was_called(
    workspace: Path, git: Git, name: str
) -> None:
    git("mv", PERSONA, "library/personas/new_name.md", cwd=workspace)
    file = workspace / "library/personas/new_name.md"
    file.write_text(file.read_text() + "One more.\n")
    git("commit", "-qam", "Rename and edit", cwd=workspace)
    done = gitforge("diff", "HEAD~1", "HEAD", "--", name, cwd=workspace)
    assert done.code == 0, done.told
    title, *rest = done.out.splitlines()
    assert title == f"{PERSONA} -> library/personas/new_name.md  renamed"
    assert "{+One more.+}" in rest
    assert "[-" not in done.out


def test_counts_of_words(edited: Path) -> None:
    assert gitforge("diff", "--stat", cwd=edited).out.split() == [X, "+3", "-3", "words"]


def test_the_same_for_a_script(edited: Path, git: Git) -> None:
    (edited / PERSONA).unlink()
    deleted, changed = gitforge("diff", "--json", cwd=edited).json
    assert (deleted["path"], deleted["status"]) == (PERSONA, "D")
    assert (changed["added_words"], changed["removed_words"]) == (3, 3)
    first, _ = changed["hunks"][0]["lines"]
    assert first[:3] == [["same", "You are "], ["removed", "a"], ["added", "the best"]]
    for kind, text in (("removed", BEFORE), ("added", AFTER)):
        lines = changed["hunks"][0]["lines"]
        told = "".join("".join(t for k, t in line if k in {"same", kind}) + "\n" for line in lines)
        assert told == text


def test_white_space_alone_is_told(edited: Path) -> None:
    (edited / X).write_text(BEFORE.replace("\nThe", "\n\n   The"))
    assert "Only white space differs." in gitforge("diff", cwd=edited).out


def test_what_is_no_text_is_told(workspace: Path, git: Git) -> None:
    (workspace / X).write_bytes(b"\0\1")
    git("add", X, cwd=workspace)
    assert gitforge("diff", cwd=workspace).out.splitlines() == [f"{X}  added", "It is no text."]


def test_lines_that_look_like_gits_own_are_text(workspace: Path, git: Git) -> None:
    odd = "diff --git a/x b/x\n@@ -1 +1 @@\n~\n+plus\n-minus\n--- a\n+++ b\n\\ No newline\n"
    (workspace / X).write_text(odd)
    git("add", X, cwd=workspace)
    (shown,) = gitforge("diff", "--json", cwd=workspace).json
    assert "".join(text + "\n" for ((_, text),) in shown["hunks"][0]["lines"]) == odd


def test_odd_names_and_settings_change_nothing(edited: Path, git: Git) -> None:
    before = gitforge("diff", cwd=edited).out
    for key, value in {
        "diff.wordRegex": ".", "color.ui": "always", "diff.noprefix": "true", "diff.external": "false",
        "diff.mnemonicPrefix": "true", "diff.relative": "true", "diff.renames": "false",
    }.items():  # fmt: skip
        git("config", key, value, cwd=edited)
    assert gitforge("diff", cwd=edited / "library").out == before
    odd = 'library/personas/é "quoted".md'
    (edited / odd).write_text("Odd.\n")
    git("add", odd, cwd=edited)
    assert gitforge("diff", "--json", "--", odd, cwd=edited).json[0]["path"] == odd


def test_what_git_does_not_know_is_named(edited: Path) -> None:
    (edited / "library/personas/untracked.md").write_text("New.\n")
    done = gitforge("diff", cwd=edited)
    assert "library/personas/untracked.md" in done.err
    assert "untracked" not in gitforge("diff", "HEAD", "HEAD", cwd=edited).told


def test_nothing_differs_is_said(workspace: Path) -> None:
    done = gitforge("diff", cwd=workspace)
    assert (done.code, done.out, done.err) == (0, "", "Nothing differs.\n")


def test_before_the_first_commit_everything_is_new(tmp_path: Path, git: Git) -> None:
    git("init", "-q", str(tmp_path), cwd=tmp_path)
    (tmp_path / "goals.yaml").write_text("version: 1\n")
    git("add", ".", cwd=tmp_path)
    assert "{+version: 1+}" in gitforge("diff", cwd=tmp_path).out


def test_during_a_merge_the_worktree_is_shown_as_it_is(edited: Path, git: Git) -> None:
    git("switch", "-qc", "side", cwd=edited)
    git("commit", "-qam", "Side", cwd=edited)
    git("switch", "-q", "main", cwd=edited)
    (edited / X).write_text("Main.\n")
    git("commit", "-qam", "Main", cwd=edited)
    with pytest.raises(AssertionError):
        git("merge", "-q", "side", cwd=edited)
    done = gitforge("diff", cwd=edited)
    assert done.code == 0
    assert "{+<<<<<<< HEAD+}" in done.out


@pytest.mark.parametrize("arguments", [("nowhere", "--", "x.md"), ("HEAD", "HEAD~99", "--"), ("HEAD~99",)])
def test_a_revision_that_does_not_exist_is_an_error(edited: Path, arguments: tuple[str, ...]) -> None:
    done = gitforge("diff", *arguments, cwd=edited)
    assert (done.code, done.out) == (1, "")
    assert "nowhere" in done.err or "HEAD~99" in done.err


def test_more_than_two_commits_are_too_many(edited: Path) -> None:
    assert gitforge("diff", "HEAD", "HEAD", "HEAD", cwd=edited).code == 2


def test_on_a_terminal_it_is_coloured_and_harmless(workspace: Path, git: Git) -> None:
    (workspace / X).write_text("Evil \x1b]0;title\x07 text\n")
    git("add", X, cwd=workspace)
    with Terminal("diff", "--no-pager", cwd=workspace) as terminal:
        assert terminal.ended() == 0
    assert b"\x1b]0" not in terminal.raw
    assert b"\x1b[32m" in terminal.raw
    assert "{+Evil \\x1b]0;title\\x07 text+}" in terminal.screen
