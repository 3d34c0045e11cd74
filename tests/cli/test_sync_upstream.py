"""`gitforge sync` and an upstream that others rewrite, delete, guard and split: nothing comes back or stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from harm import snapshot
from making import hook
from program import DESCRIBE, PROTOCOL, build, gitforge
from team import clone, commit, subjects, sync

Git = Callable[..., str]


def commit_naming_a_text(root: Path, git: Git, file: str = "named.txt") -> str:
    """Commits what names a kept text; returns the text's ref."""
    id_ = git("hash-object", "-w", "--stdin", cwd=root, stdin=f"a text of {file}")
    git("update-ref", f"refs/gitforge/texts/{id_}", id_, cwd=root)
    commit(root, git, {file: "x\n"}, f"Mine\n\nComponent: library/x.md\nDraft: {id_}\nBlob: {id_}")
    return f"refs/gitforge/texts/{id_}"


class TestRewritten:
    def test_a_commit_that_was_taken_back_stays_so_after_a_fetch(
        self, workspace: Path, bare: Path, other: Path, git: Git
    ) -> None:
        commit(workspace, git, {"secret.txt": "x\n"}, "Regretted")
        assert sync(workspace).code == sync(other).code == 0
        commit(other, git, {"mine.txt": "x\n"}, "Mine")
        git("reset", "-q", "--hard", "HEAD^", cwd=workspace)
        git("push", "-q", "--force", cwd=workspace)
        git("fetch", "-q", cwd=other)
        before = snapshot(git, other)
        done = sync(other)
        assert (done.code, "rewritten" in done.err) == (4, True), done.told
        assert "git rebase --onto" in done.err
        assert snapshot(git, other) == before
        assert "Regretted" not in subjects(bare, git, "main")

    def test_so_it_is_where_a_clone_began_with_it(
        self, workspace: Path, bare: Path, tmp_path: Path, git: Git
    ) -> None:
        commit(workspace, git, {"secret.txt": "x\n"}, "Regretted")
        assert sync(workspace).code == 0
        other = clone(bare, "carol", git)
        git("reset", "-q", "--hard", "HEAD^", cwd=workspace)
        git("push", "-q", "--force", cwd=workspace)
        git("fetch", "-q", cwd=other)
        assert sync(other).code == 4
        assert "Regretted" not in subjects(bare, git, "main")

    def test_after_a_rebase_that_gives_it_up_all_goes_on(
        self, workspace: Path, bare: Path, other: Path, git: Git
    ) -> None:
        lost = commit(workspace, git, {"secret.txt": "x\n"}, "Regretted")
        assert sync(workspace).code == sync(other).code == 0
        commit(other, git, {"mine.txt": "x\n"}, "Mine")
        git("reset", "-q", "--hard", "HEAD^", cwd=workspace)
        git("push", "-q", "--force", cwd=workspace)
        git("fetch", "-q", cwd=other)
        git("rebase", "-q", "--onto", "origin/main", lost, cwd=other)
        assert sync(other).code == 0
        assert subjects(bare, git, "main")[0] == "Mine"
        assert "Regretted" not in subjects(bare, git, "main")


class TestKept:
    def test_a_text_that_was_refused_follows_when_it_is_taken(
        self, workspace: Path, bare: Path, git: Git
    ) -> None:
        ref = commit_naming_a_text(workspace, git)
        hook(bare, "update", "case $1 in refs/gitforge/*) exit 1;; esac")
        assert "takes no prompts" in sync(workspace).err
        (bare / "hooks/update").unlink()
        assert sync(workspace).out == "sent: 1 prompt or text to main\n"
        assert git("for-each-ref", "--format=%(refname)", "refs/gitforge", cwd=bare) == ref
        assert sync(workspace).out == "Nothing new: main is the same here and there.\n"

    def test_a_text_follows_a_plain_push(self, workspace: Path, bare: Path, git: Git) -> None:
        ref = commit_naming_a_text(workspace, git)
        git("push", "-q", cwd=workspace)
        assert sync(workspace).code == 0
        assert git("for-each-ref", "--format=%(refname)", "refs/gitforge", cwd=bare) == ref

    def test_a_text_that_no_commit_names_stays_here(self, workspace: Path, bare: Path, git: Git) -> None:
        id_ = git("hash-object", "-w", "--stdin", cwd=workspace, stdin="nobody names it")
        git("update-ref", f"refs/gitforge/texts/{id_}", id_, cwd=workspace)
        assert sync(workspace).code == 0
        assert git("for-each-ref", "refs/gitforge", cwd=bare) == ""

    def test_a_pre_push_hook_that_fails_is_a_failure_and_runs_once(
        self, workspace: Path, bare: Path, git: Git
    ) -> None:
        commit_naming_a_text(workspace, git)
        hook(
            workspace,
            "pre-push",
            "echo run >>ran; printf 'lint failed on \\033[31mfoo.md\\n' >&2; exit 1",
        )
        done = sync(workspace)
        assert (done.code, "nothing was sent" in done.err) == (1, True), done.told
        assert "your pre-push hook refuses the push" in done.err
        assert "lint failed on \\x1b[31mfoo.md" in done.err
        assert (workspace / "ran").read_text() == "run\n"
        assert git("for-each-ref", "refs/gitforge", cwd=bare) == ""
        (workspace / ".git/hooks/pre-push").unlink()
        assert sync(workspace).out == "sent: 1 commit and 1 prompt or text to main\n"

    def test_what_a_servers_hook_says_is_told(self, workspace: Path, bare: Path, git: Git) -> None:
        commit(workspace, git, {"p.md": "x\n"}, "Mine")
        hook(bare, "pre-receive", "printf 'GH013: secret in \\033[31mp.md line 3\\n' >&2; exit 1")
        done = sync(workspace)
        assert done.code == 1
        assert "GH013: secret in \\x1b[31mp.md line 3" in done.err

    def test_a_wrong_ref_is_told_once_and_left_out_of_a_clone(
        self, workspace: Path, bare: Path, tmp_path: Path, git: Git
    ) -> None:
        name = f"refs/gitforge/prompts/{'0' * 64}"
        git("update-ref", name, "main", cwd=bare)
        assert name in sync(workspace).err
        assert name not in sync(workspace).err
        done = gitforge("clone", str(bare), "new", cwd=tmp_path)
        assert (done.code, name in done.err) == (0, True), done.told
        assert git("for-each-ref", "refs/gitforge", cwd=tmp_path / "new") == ""
        assert name not in sync(tmp_path / "new").err


class TestGoals:
    def test_a_line_above_them_changes_no_goal(self, workspace: Path, other: Path, git: Git) -> None:
        commit(other, git, {"goals.yaml": "# a comment\n" + (other / "goals.yaml").read_text()})
        assert sync(other).code == 0
        done = sync(workspace)
        assert (done.code, done.out) == (0, "received: 1 commit\n"), done.told

    def test_one_that_does_not_load_is_not_published(
        self, workspace: Path, bare: Path, other: Path, git: Git
    ) -> None:
        text = (other / "goals.yaml").read_text()
        commit(other, git, {"goals.yaml": "goals: [\n"}, "Broken")
        done = sync(other)
        assert (done.code, "goals.yaml of this branch" in done.err) == (1, True), done.told
        assert "Broken" not in subjects(bare, git, "main")
        git("push", "-q", cwd=other)
        told = sync(workspace)
        assert (told.code, "git pull --rebase" in told.err) == (1, True), told.told
        commit(other, git, {"goals.yaml": text}, "Mended")
        assert sync(other).code == sync(workspace).code == 0

    def test_one_that_was_moved_says_how_to_go_on(self, workspace: Path, other: Path, git: Git) -> None:
        (other / "sub").mkdir()
        git("mv", "goals.yaml", "library", "sub", cwd=other)
        git("commit", "-q", "-m", "Move", cwd=other)
        git("push", "-q", cwd=other)
        done = sync(workspace)
        assert (done.code, "git pull --rebase" in done.err) == (1, True), done.told


class TestBranches:
    def test_one_that_was_deleted_is_made_again_only_where_its_remote_is_named(
        self, workspace: Path, bare: Path, git: Git
    ) -> None:
        git("switch", "-q", "-c", "feat", cwd=workspace)
        commit(workspace, git, {"x.txt": "x\n"}, "Mine")
        assert sync(workspace).out == "sent: 1 commit to feat\n"
        for prune in (False, True):
            git("update-ref", "-d", "refs/heads/feat", cwd=bare)
            if prune:
                git("fetch", "-q", "--prune", cwd=workspace)
            done = sync(workspace)
            assert (done.code, "not there any more" in done.err) == (1, True), done.told
            assert "gitforge sync origin" in done.err
            assert git("branch", "--list", "feat", cwd=bare) == ""
            assert sync(workspace, "origin").code == 0
            assert subjects(bare, git, "feat")[0] == "Mine"

    def test_a_new_one_counts_what_no_branch_there_has(self, workspace: Path, bare: Path, git: Git) -> None:
        git("switch", "-q", "-c", "wt", cwd=workspace)
        assert sync(workspace).out == "sent: the new branch to wt\n"

    def test_a_stale_tracking_ref_in_the_way_is_told_and_holds_nothing_up(
        self, workspace: Path, bare: Path, git: Git
    ) -> None:
        git("update-ref", "refs/remotes/origin/feat", "HEAD", cwd=workspace)
        git("switch", "-q", "-c", "feat/x", cwd=workspace)
        commit(workspace, git, {"x.txt": "x\n"}, "Mine")
        for _ in range(2):
            done = sync(workspace)
            assert (done.code, "git remote prune origin" in done.err) == (0, True), done.told
        assert subjects(bare, git, "feat/x")[0] == "Mine"

    def test_where_fetch_notes_it_sync_does(self, workspace: Path, bare: Path, git: Git) -> None:
        git("update-ref", "-d", "refs/remotes/origin/main", cwd=workspace)
        git("config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/up/*", cwd=workspace)
        assert sync(workspace).code == 0
        names = git("for-each-ref", "--format=%(refname)", "refs/remotes", cwd=workspace).split()
        assert names == ["refs/remotes/up/main"]


class TestRemotes:
    def test_a_name_that_no_remote_has_is_no_path(self, workspace: Path, bare: Path) -> None:
        done = sync(workspace, "upstream")
        assert (done.code, "no remote is called 'upstream'" in done.err) == (1, True), done.told

    def test_a_push_address_elsewhere_is_pushed_to_and_harms_no_later_sync(
        self, workspace: Path, bare: Path, other: Path, tmp_path: Path, git: Git
    ) -> None:
        fork = tmp_path / "fork.git"
        git("clone", "-q", "--bare", str(bare), str(fork), cwd=tmp_path)
        git("config", "remote.origin.pushurl", str(fork), cwd=workspace)
        commit(workspace, git, {"x.txt": "x\n"}, "Mine")
        assert sync(workspace).out == "sent: 1 commit to main\n"
        assert subjects(fork, git, "main")[0] == "Mine"
        assert sync(workspace).code == 0
        commit(other, git, {"y.txt": "y\n"}, "Theirs")
        assert sync(other).code == 0
        done = sync(workspace)
        assert (done.code, "pushurl" in done.err) == (1, True), done.told
        assert subjects(workspace, git)[:2] == ["Mine", "Theirs"]

    @pytest.mark.parametrize("key", ["branch.main.pushRemote", "remote.pushDefault"])
    def test_another_remote_to_push_to_is_left_to_git(
        self, workspace: Path, bare: Path, git: Git, key: str
    ) -> None:
        git("config", key, "fork", cwd=workspace)
        commit(workspace, git, {"x.txt": "x\n"}, "Mine")
        done = sync(workspace)
        assert (done.code, "nothing was sent" in done.err) == (0, True), done.told
        assert subjects(bare, git, "main")[0] != "Mine"
        assert sync(workspace, "origin").code == 0
        assert subjects(bare, git, "main")[0] == "Mine"


def test_undo_says_whose_it_is_where_it_is_not_ones_own(workspace: Path, other: Path, git: Git) -> None:
    commit(other, git, {PROTOCOL: None}, "Drop a protocol")
    made = build(other, *DESCRIBE, "--provider", "offline", "--yes")
    assert made.code == 0, made.told
    assert "not by you" not in gitforge("undo", "--dry-run", cwd=other).err
    assert sync(other).code == sync(workspace).code == 0
    assert "that is by Bob, and not by you" in gitforge("undo", "--dry-run", cwd=workspace).err


def test_ctrl_c_while_modules_are_imported_prints_no_traceback(workspace: Path, tmp_path: Path) -> None:
    slow = tmp_path / "slow"
    slow.mkdir()
    (slow / "typer.py").write_text("import sys, time\nprint('importing', flush=True)\ntime.sleep(60)\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "gitforge", "list"], cwd=workspace, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(slow)}, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "importing\n"
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert (process.returncode, told) == (130, "Interrupted: nothing is half-written.\n")
