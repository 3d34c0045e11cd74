"""A deletion goes the way of every edit: from HEAD, the index and the worktree, and never over the user's work."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import edit_set
import pytest
from edit_set import DELETED, LINE, NEW, REWRITTEN, TEXT
from harm import assert_sound, killed, snapshot, steps
from making import make_repository
from program import files, gitforge, run

from gitforge.errors import Conflict
from gitforge.store import placing, transaction
from gitforge.store.edits import NewFile, Rewrite
from gitforge.store.repo import Repo
from gitforge.store.transaction import record

Git = Callable[..., str]

DELETION = Rewrite(DELETED, lambda _: None)
PROGRAM = (sys.executable, str(Path(edit_set.__file__)))


@pytest.fixture
def root(tmp_path: Path, git: Git) -> Path:
    """A workspace with a component that is to be deleted."""
    files = {DELETED: "Never.\n", REWRITTEN: "goals: {}\n", "library/personas/p.md": "P\n"}
    return make_repository(tmp_path / "work", git, files)


def test_the_file_and_the_folder_that_it_leaves_empty_go_from_everywhere(root: Path, git: Git) -> None:
    done = record(Repo.discover(root), [DELETION], "Delete it")
    assert done.paths == (DELETED,)
    assert git("show", "--format=", "--name-status", "HEAD", cwd=root) == f"D\t{DELETED}"
    assert git("ls-tree", "-d", "--name-only", "HEAD:library", cwd=root) == "personas"
    assert not (root / DELETED).parent.exists()
    assert git("status", "--porcelain", cwd=root) == ""
    assert_sound(git, root)


def test_a_folder_in_which_something_else_is_or_the_user_stands_stays(
    root: Path, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = (root / DELETED).parent
    (folder / "mine.md").write_text("mine")
    record(Repo.discover(root), [DELETION], "Delete it")
    assert list(folder.iterdir()) == [folder / "mine.md"]
    assert git("status", "--porcelain", cwd=root) == "?? library/constraints/"
    git("rm", "-q", "--cached", "library/personas/p.md", cwd=root)
    git("reset", "-q", "--hard", cwd=root)
    monkeypatch.chdir(root / "library/personas")
    record(Repo.discover(root), [Rewrite("library/personas/p.md", lambda _: None)], "Delete that too")
    assert list((root / "library/personas").iterdir()) == []


@pytest.mark.parametrize("name", ["a.md", "z.md"])
def test_the_only_file_of_a_folder_can_get_another_name(root: Path, git: Git, name: str) -> None:
    new = f"library/constraints/{name}"
    record(Repo.discover(root), [DELETION, NewFile(new, b"Never.\n")], "Rename it")
    assert (root / new).read_text() == "Never.\n"
    assert git("status", "--porcelain", cwd=root) == ""
    assert_sound(git, root)


def test_the_last_file_of_all_can_go(tmp_path: Path, git: Git) -> None:
    repo = Repo.create(tmp_path / "fresh")
    (repo.root / "a").write_text("a")
    git("add", "a", cwd=repo.root)
    git("commit", "-qm", "start", cwd=repo.root)
    record(repo, [Rewrite("a", lambda _: None)], "Delete it")
    assert git("ls-tree", "HEAD", cwd=repo.root) == ""
    assert git("status", "--porcelain", cwd=repo.root) == ""
    assert_sound(git, repo.root)


def test_a_file_that_is_gone_already_from_worktree_or_index_is_no_obstacle(root: Path, git: Git) -> None:
    git("rm", "-q", "--cached", DELETED, cwd=root)
    record(Repo.discover(root), [DELETION], "Delete it")
    assert not (root / DELETED).exists()
    git("reset", "-q", "--hard", "HEAD^", cwd=root)
    (root / DELETED).unlink()
    record(Repo.discover(root), [DELETION], "Delete it again")
    git("reset", "-q", "--hard", "HEAD^", cwd=root)
    git("rm", "-q", DELETED, cwd=root)
    record(Repo.discover(root), [DELETION], "Delete it once more")
    assert git("status", "--porcelain", cwd=root) == ""
    assert git("ls-files", DELETED, cwd=root) == ""


def test_what_head_has_not_is_the_users_and_stays(root: Path, git: Git) -> None:
    record(Repo.discover(root), [DELETION], "Delete it")
    (root / DELETED).parent.mkdir()
    (root / DELETED).write_text("Mine.\n")
    assert not record(Repo.discover(root), [DELETION], "Delete it").is_new
    assert (root / DELETED).read_text() == "Mine.\n"


def changed(root: Path, git: Git) -> None:
    (root / DELETED).write_text("Mine.\n")


def staged(root: Path, git: Git) -> None:
    changed(root, git)
    git("add", DELETED, cwd=root)
    (root / DELETED).write_text("Never.\n")


def executable(root: Path, git: Git) -> None:
    git("update-index", "--chmod=+x", DELETED, cwd=root)


def symlink(root: Path, git: Git) -> None:
    (root / DELETED).unlink()
    (root / DELETED).symlink_to("../personas/p.md")


def conflicted(root: Path, git: Git) -> None:
    git("checkout", "-qb", "other", cwd=root)
    for branch in ("other", "main"):
        git("checkout", "-q", branch, cwd=root)
        (root / DELETED).write_text(f"{branch}\n")
        git("commit", "-qam", branch, cwd=root)
    entries = [f"100644 {git('rev-parse', f'{rev}:{DELETED}', cwd=root)} {stage}\t{DELETED}"
               for stage, rev in enumerate(("HEAD^", "HEAD", "other"), start=1)]  # fmt: skip
    git("update-index", "--index-info", cwd=root, stdin="\n".join([f"0 {'0' * 40}\t{DELETED}", *entries, ""]))


@pytest.mark.parametrize("obstacle", [changed, staged, executable, symlink, conflicted])
def test_a_version_that_the_user_has_changed_is_named_and_nothing_changes(
    root: Path, git: Git, obstacle: Callable[[Path, Git], None]
) -> None:
    obstacle(root, git)
    before = snapshot(git, root)
    with pytest.raises(Conflict, match=DELETED):
        record(Repo.discover(root), [DELETION], "Delete it")
    assert snapshot(git, root) == before


def test_a_file_that_line_ending_rules_change_counts_as_unchanged(root: Path, git: Git) -> None:
    git("config", "core.autocrlf", "true", cwd=root)
    (root / DELETED).unlink()
    git("checkout", "-q", DELETED, cwd=root)
    assert (root / DELETED).read_bytes() == b"Never.\r\n"
    record(Repo.discover(root), [DELETION], "Delete it")
    assert git("status", "--porcelain", cwd=root) == ""
    assert not (root / DELETED).exists()


@pytest.mark.parametrize(
    "setup",
    [
        ["update-index", "--index-version", "4"],
        ["update-index", "--split-index"],
        ["gc", "-q"],
        ["sparse-checkout", "set", "--cone", "--sparse-index", "library/personas"],
    ],
    ids=lambda setup: setup[1],
)
def test_it_works_in_odd_repositories_and_keeps_what_is_staged(
    root: Path, git: Git, setup: list[str]
) -> None:
    git(*setup, cwd=root)
    (root / "mine").write_text("mine")
    git("add", "--sparse", "mine", cwd=root)
    record(Repo.discover(root), [DELETION], "Delete it")
    assert git("status", "--porcelain", cwd=root) == "A  mine"
    assert git("ls-tree", "-r", "--name-only", "HEAD", cwd=root).split() == [
        "goals.yaml",
        "library/personas/p.md",
    ]
    assert_sound(git, root)


def test_hooks_see_the_commit_without_the_file_and_may_not_bring_it_back(root: Path, git: Git) -> None:
    hook = root / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\nmkdir -p {Path(DELETED).parent}; echo x > {DELETED}; git add {DELETED}\n")
    hook.chmod(0o755)
    before = snapshot(git, root)
    with pytest.raises(Exception, match=f"changes what is not gitforge's to commit: {DELETED}"):
        record(Repo.discover(root), [DELETION], "Delete it")
    assert snapshot(git, root) == before
    hook.write_text(f"#!/bin/sh\ntest ! -e {DELETED}\n")
    record(Repo.discover(root), [DELETION], "Delete it")
    assert git("ls-files", DELETED, cwd=root) == ""


def test_what_the_user_writes_at_the_last_moment_stays(
    root: Path, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = placing.write_worktree

    def write_first(*arguments: object) -> list[str]:
        (root / DELETED).write_text("Mine.\n")
        return original(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(transaction, "write_worktree", write_first)
    record(Repo.discover(root), [DELETION], "Delete it")
    assert (root / DELETED).read_text() == "Mine.\n"
    assert git("status", "--porcelain", cwd=root) == "?? library/constraints/"
    assert_sound(git, root)


STEPS = steps(
    [
        f"transaction:{name}"
        for name in (
            "merge_edits", "building_index", "build_commit", "stage_files", "write_journal", "lock_index",
            "publish", "reach_commit_point", "write_worktree", "unlock_index", "finish_index", "drop_journal",
        )
    ]
    + ["placing:remove_file"]
)  # fmt: skip


def users_work(root: Path, git: Git) -> None:
    """Staged, changed and untracked files of the user's."""
    (root / "staged.txt").write_text("staged\n")
    git("add", "staged.txt", cwd=root)
    (root / "library/personas/p.md").write_text("Mine.\n")
    (root / "untracked.txt").write_text("untracked\n")
    (root / REWRITTEN).write_text("# staged\n" + (root / REWRITTEN).read_text())
    git("add", REWRITTEN, cwd=root)
    (root / REWRITTEN).write_text("# changed\n" + (root / REWRITTEN).read_text())


def assert_recorded_once(root: Path, git: Git, before: dict[str, bytes]) -> None:
    """One commit with the three edits; the user's files, index and status are as they were."""
    assert git("log", "--format=%s", cwd=root).split("\n") == ["Edit three", "start"]
    changed = git("show", "--format=", "--name-status", "HEAD", cwd=root).split("\n")
    assert changed == [f"M\t{REWRITTEN}", f"D\t{DELETED}", f"A\t{NEW}"]
    after = {**before, NEW: TEXT, REWRITTEN: before[REWRITTEN] + LINE}
    del after[DELETED]
    assert files(root) == after
    assert not (root / DELETED).parent.exists()
    status = ["MM goals.yaml", " M library/personas/p.md", "A  staged.txt", "?? untracked.txt"]
    assert git("status", "--porcelain", cwd=root).split("\n") == status
    assert git("show", f":{REWRITTEN}", cwd=root) == "# staged\ngoals: {}\n# added"
    assert_sound(git, root)


@pytest.mark.parametrize("how", ["alone", pytest.param("group", marks=pytest.mark.slow)])
@pytest.mark.parametrize("step", STEPS)
def test_a_new_a_rewritten_and_a_deleted_file_survive_a_kill_at_every_step(
    root: Path, git: Git, step: str, how: str
) -> None:
    users_work(root, git)
    before = files(root)
    killed(root, step, how, program=PROGRAM)
    assert gitforge("status", cwd=root).code == 0
    assert run(*PROGRAM, cwd=root).code == 0
    assert_recorded_once(root, git, before)


@pytest.mark.parametrize("step", ["recovery:_finish", "recovery:remove_file", "recovery:finish_index"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_its_recovery_may_be_killed_too(root: Path, git: Git, step: str, moment: str) -> None:
    users_work(root, git)
    before = files(root)
    killed(root, "gitforge.store.transaction:reach_commit_point:after", "alone", program=PROGRAM)
    killed(root, f"gitforge.store.{step}:{moment}", "alone", "status")
    assert gitforge("status", cwd=root).code == 0
    assert_recorded_once(root, git, before)


def test_where_somebody_removed_the_lock_the_entry_is_taken_out_of_the_index(root: Path, git: Git) -> None:
    users_work(root, git)
    before = files(root)
    killed(root, "gitforge.store.transaction:reach_commit_point:after", "alone", program=PROGRAM)
    (root / ".git/index.lock").unlink()
    assert "was finished" in gitforge("status", cwd=root).err
    assert_recorded_once(root, git, before)


def test_what_the_user_wrote_after_the_kill_stays(root: Path, git: Git) -> None:
    killed(root, "gitforge.store.transaction:reach_commit_point:after", "alone", program=PROGRAM)
    (root / DELETED).write_text("Mine.\n")
    assert f"left as you have it meanwhile: {DELETED}" in gitforge("status", cwd=root).told
    assert (root / DELETED).read_text() == "Mine.\n"
    assert git("status", "--porcelain", cwd=root) == "?? library/constraints/"
