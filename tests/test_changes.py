"""What became of components, told by what git has and by what messages say."""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path

import pytest
from conftest import Git

from gitforge.changes import Event, What, history, history_below
from gitforge.store import origins
from gitforge.store.repo import Repo

X, Y = "library/personas/x.md", "library/personas/y.md"
ADA = "Ada <ada@example.org>"
SECONDS = count(1_700_000_000)
TEXT = "".join(f"Line {number} of a text that is long enough to be known again.\n" for number in range(12))


@pytest.fixture
def root(tmp_path: Path, git: Git, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GIT_COMMITTER_DATE", f"@{next(SECONDS)} +0000")
    git("init", "-q", "-b", "main", str(tmp_path / "r"), cwd=tmp_path)
    return tmp_path / "r"


def commit(root: Path, git: Git, message: str, *options: str) -> str:
    os.environ["GIT_COMMITTER_DATE"] = f"@{next(SECONDS)} +0000"  # the fixture sets it back
    git("commit", "-qm", message, *options, cwd=root)
    return git("rev-parse", "HEAD", cwd=root)


def write(root: Path, git: Git, text: str, path: str = X) -> str:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    git("add", "--", path, cwd=root)
    return git("rev-parse", f":{path}", cwd=root)


def generate(root: Path, git: Git, text: str, path: str = X, label: str = "model-1", *more: str) -> str:
    blob = write(root, git, text, path)
    lines = ["Goal: G", f"Component: {path}", f"Assisted-by: gitforge:{label}"]
    lines += ["Cost: about $1,234.50 (estimate)", f"Blob: {blob}", *more]
    commit(root, git, "Generate persona x\n\nTo try\nit.\n\n" + "\n".join(lines))
    return blob


def approve(root: Path, git: Git, blob: str, path: str = X, word: str = "Reviewed-by") -> None:
    message = f"Approve persona x\n\nComponent: {path}\nBlob: {blob}\n{word}: {ADA}\n"
    commit(root, git, message, "--allow-empty")


def events(root: Path, *paths: str) -> list[Event]:
    repo = Repo.discover(root)
    return list(history(repo, origins.read(repo), paths or (X,)))


def told(found: list[Event]) -> list[str]:
    return [one.what.value for one in found]


def test_a_generation_says_who_model_cost_purpose_and_reviewer(root: Path, git: Git) -> None:
    blob = generate(root, git, "one\n", X, "model-1", f"Reviewed-by: {ADA}")
    (one,) = events(root)
    assert (one.what, one.model, one.cost, one.purpose) == (What.GENERATED, "model-1", 1234.5, "To try it.")
    assert (one.blob, one.old_blob, one.path, one.old_path) == (blob, None, X, None)
    assert (one.reviewers, one.needs_review) == ((ADA,), False)
    assert one.author == "Test User <test@example.org>"
    assert one.commit == git("rev-parse", "HEAD", cwd=root)


def test_the_offline_outline_is_named(root: Path, git: Git) -> None:
    generate(root, git, "one\n", X, "offline-outline")
    assert events(root)[0].model == "offline outline"


def test_whatever_people_and_gitforge_do_is_told_apart(root: Path, git: Git) -> None:
    generate(root, git, TEXT)
    generate(root, git, TEXT + "two\n")
    write(root, git, TEXT + "by hand\n")
    commit(root, git, "Polish it")
    git("mv", X, Y, cwd=root)
    commit(root, git, "Call it y")
    git("rm", "-q", Y, cwd=root)
    commit(root, git, "Drop it")
    git("revert", "--no-edit", "HEAD", cwd=root)
    write(root, git, "old\n", Y)
    commit(root, git, f"Restore persona y\n\nAs it was in {'a' * 40}.\n\nComponent: {Y}\nBlob: 1")
    found = events(root, Y)
    assert told(found) == [
        "restored", "reverted", "deleted", "renamed", "edited", "regenerated", "generated",
    ]  # fmt: skip
    assert found[3].old_path == X


def test_what_people_wrote_was_added_and_needs_no_review(root: Path, git: Git) -> None:
    write(root, git, "by hand\n")
    commit(root, git, "Write x")
    generate(root, git, "anew\n")
    newer, older = events(root)
    assert (newer.what, newer.needs_review) == (What.REGENERATED, True)
    assert (older.what, older.needs_review, older.model) == (What.ADDED, False, None)


@pytest.mark.parametrize("how", ["git", "gitforge"])
def test_a_revert_is_known_by_its_message(root: Path, git: Git, how: str) -> None:
    first = generate(root, git, "one\n")
    second = generate(root, git, "two\n")
    if how == "git":
        git("revert", "--no-edit", "HEAD", cwd=root)
    else:
        sha = git("rev-parse", "HEAD", cwd=root)
        write(root, git, "one\n")
        body = f"This reverts commit {sha}.\n\nIt flatters.\n\nUndoes: {sha}\nComponent: {X}\nBlob: {first}"
        commit(root, git, f'Revert "Generate persona x"\n\n{body}')
    newest = events(root)[0]
    assert (newest.what, newest.old_blob, newest.blob) == (What.REVERTED, second, first)


def test_a_commit_that_only_speaks_of_a_revert_is_an_edit(root: Path, git: Git) -> None:
    write(root, git, "one\n")
    commit(root, git, "Write x")
    write(root, git, "two\n")
    commit(root, git, "Edit x\n\nLike what this reverts commit abcdef1 did.")
    assert events(root)[0].what is What.EDITED


def test_a_generation_that_was_amended_says_so(root: Path, git: Git) -> None:
    generate(root, git, "one\n", X, "model-1", f"Reviewed-by: {ADA}")
    write(root, git, "amended\n")
    commit(root, git, git("log", "-1", "--format=%B", cwd=root), "--amend")
    (one,) = events(root)
    assert (one.what, one.reviewers, one.needs_review) == (What.AMENDED, (), True)


def test_a_squash_of_generations_is_about_the_last_text(root: Path, git: Git) -> None:
    write(root, git, "by hand\n", Y)
    commit(root, git, "Write y")
    git("switch", "-qc", "side", cwd=root)
    generate(root, git, "one\n")
    generate(root, git, "two\n", X, "model-2")
    git("switch", "-q", "main", cwd=root)
    git("merge", "-q", "--squash", "side", cwd=root)
    git("commit", "-q", "--no-edit", cwd=root)
    (one,) = events(root)
    assert (one.what, one.model) == (What.GENERATED, "model-2")


def test_a_rebase_changes_nothing_that_is_told(root: Path, git: Git) -> None:
    write(root, git, "base\n", Y)
    commit(root, git, "Base")
    git("branch", "upstream", cwd=root)
    approve(root, git, generate(root, git, "one\n"))
    before = [(one.what, one.blob, one.reviewers) for one in events(root)]
    git("switch", "-q", "upstream", cwd=root)
    commit(root, git, "Upstream", "--allow-empty")
    git("switch", "-q", "main", cwd=root)
    git("rebase", "-q", "upstream", cwd=root)
    assert [(one.what, one.blob, one.reviewers) for one in events(root)] == before


def test_approvals_stand_among_the_changes_also_of_the_name_before(root: Path, git: Git) -> None:
    first = generate(root, git, TEXT)
    approve(root, git, first)
    approve(root, git, first, word="Review-withdrawn-by")
    git("mv", X, Y, cwd=root)
    commit(root, git, "Call it y")
    approve(root, git, first, Y)
    approve(root, git, "1" * 40, "library/personas/other.md")
    found = events(root, Y)
    assert told(found) == ["approved", "renamed", "withdrawn", "approved", "generated"]
    assert [one.reviewers for one in found] == [(ADA,)] * 5


def test_an_approval_of_the_same_second_comes_after_what_it_approves(root: Path, git: Git) -> None:
    blob = write(root, git, "one\n")
    git("commit", "-qm", "Write x", cwd=root)
    message = f"Approve\n\nComponent: {X}\nBlob: {blob}\nReviewed-by: {ADA}\n"
    git("commit", "-q", "--allow-empty", "-m", message, cwd=root)
    write(root, git, "two\n")
    git("commit", "-qm", "Edit x", cwd=root)
    assert len(set(git("log", "--format=%ct", cwd=root).split())) == 1
    assert told(events(root)) == ["edited", "approved", "added"]


def test_everything_below_folders_is_told_in_one_go(root: Path, git: Git) -> None:
    approve(root, git, generate(root, git, TEXT))
    git("mv", X, Y, cwd=root)
    commit(root, git, "Call it y")
    write(root, git, "elsewhere\n", "README.md")
    commit(root, git, "Write a README")
    repo = Repo.discover(root)
    found = list(history_below(repo, origins.read(repo), ["library"]))
    assert told(found) == ["renamed", "approved", "generated"]


def test_where_the_history_is_cut_nobody_is_said_to_have_added_it(
    root: Path, git: Git, tmp_path: Path
) -> None:
    write(root, git, "one\n")
    commit(root, git, "Write x")
    write(root, git, "other\n", Y)
    commit(root, git, "Write y")
    write(root, git, "two\n")
    commit(root, git, "Edit x")
    git("clone", "-q", "--depth=2", root.as_uri(), "clone", cwd=tmp_path)
    assert told(events(tmp_path / "clone")) == ["edited", "older"]


def test_a_component_that_never_was_has_no_history(root: Path, git: Git) -> None:
    assert events(root) == []
    generate(root, git, "one\n")
    assert events(root, Y) == []


@pytest.mark.parametrize("below", [False, True])
def test_a_generated_text_that_was_renamed_and_edited_at_once_waits_for_a_review(
    root: Path, git: Git, below: bool
) -> None:
    generate(root, git, TEXT)
    git("mv", X, Y, cwd=root)
    write(root, git, TEXT + "More.\n", Y)
    commit(root, git, "Call it y, and edit it")
    edited = write(root, git, TEXT + "Still more.\n", Y)
    commit(root, git, "Edit y")
    repo = Repo.discover(root)
    found = list(history_below(repo, origins.read(repo), ["library"])) if below else events(root, Y)
    assert [(one.what, one.needs_review) for one in found] == [
        (What.EDITED, True), (What.RENAMED, True), (What.GENERATED, True),
    ]  # fmt: skip
    approve(root, git, edited, Y)
    assert [one.needs_review for one in events(root, Y)][:2] == [False, False]


def test_a_generation_is_one_where_the_whole_workspace_was_moved_since(root: Path, git: Git) -> None:
    blob = write(root, git, TEXT, f"sub/{X}")
    said = f"Component: {X}\nAssisted-by: gitforge:model-1\nBlob: {blob}\n"
    commit(root, git, f"Generate persona x\n\nTo try it.\n\n{said}")
    approve(root, git, blob)
    repo = Repo.discover(root)
    for found in (events(root, f"sub/{X}"), [*history_below(repo, origins.read(repo), ["sub/library"])]):
        assert told(found) == ["approved", "generated"]
        assert (found[1].model, found[1].purpose, found[1].reviewers) == ("model-1", "To try it.", (ADA,))
