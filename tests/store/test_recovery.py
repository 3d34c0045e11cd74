"""Killed at any step, the next command repairs: one commit, one request, nothing left, nothing of the user's lost."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from harm import GENERATE, TEXT, Witness, answers, generate, generated, killed, locks_in, steps, users_work
from llm_server import LlmServer
from program import PROTOCOL, gitforge

Git = Callable[..., str]

STEPS = steps(
    [
        f"transaction:{name}"
        for name in (
            "commit_lock", "recover", "refuse_during_operation", "copy_index", "merge_edits", "building_index",
            "refuse_ignored", "build_tree", "build_commit", "await_index_lock", "stage_files", "write_journal",
            "take_index_lock", "lock_index", "reach_commit_point", "publish", "write_worktree", "unlock_index",
            "finish_index", "drop", "release_index_lock", "drop_journal",
        )
    ]
    + ["spool:keep", "spool:write_durably", "durable:sync_folder"]
)  # fmt: skip


@pytest.mark.parametrize("how", ["alone", pytest.param("group", marks=pytest.mark.slow)])
@pytest.mark.parametrize("step", STEPS)
def test_killed_at_a_step_the_next_command_repairs(
    incomplete: Path, git: Git, llm: LlmServer, step: str, how: str
) -> None:
    users_work(incomplete, git)
    witness = Witness(incomplete, git)
    is_before_the_draft = step.endswith(("spool:keep:before", "spool:write_durably:before"))
    answers(llm, 2 if is_before_the_draft else 1)
    killed(incomplete, step, how)
    done = generate(incomplete)
    assert done.code == 0, done.told
    witness.assert_one_commit_and_nothing_else()
    assert len(llm.requests) == (2 if is_before_the_draft else 1)


IN_THE_JOURNAL = steps(
    [
        f"transaction:{name}"
        for name in (
            "take_index_lock", "lock_index", "publish", "reach_commit_point", "write_worktree", "finish_index",
        )
    ]
)  # fmt: skip


@pytest.mark.parametrize(
    "command", [("status",), ("check",), ("drafts",), ("build", "p", "--goal", "DIAGNOSE_ROOT_CAUSE")]
)
@pytest.mark.parametrize("step", ["lock_index:after", "reach_commit_point:after"])
def test_every_command_that_looks_repairs_and_says_so(
    incomplete: Path, git: Git, llm: LlmServer, step: str, command: tuple[str, ...]
) -> None:
    answers(llm)
    witness = Witness(incomplete, git)
    killed(incomplete, f"gitforge.store.transaction:{step}", "alone")
    done = gitforge(*command, cwd=incomplete)
    assert "repaired: An interrupted recording of library/protocols/" in done.err
    shutil.rmtree(incomplete / "output", ignore_errors=True)
    witness.assert_one_commit_and_nothing_else()
    assert "repaired" not in gitforge("status", cwd=incomplete).err


@pytest.mark.parametrize(
    "victim",
    [
        step if "lock_index:after" in step else pytest.param(step, marks=pytest.mark.slow)
        for step in IN_THE_JOURNAL
    ],
)
@pytest.mark.parametrize(
    "step", ["recovery:_finish", "recovery:drop", "recovery:finish_index", "recovery:sweep"]
)
@pytest.mark.parametrize("moment", ["before", "after"])
def test_recovery_itself_may_be_killed(
    incomplete: Path, git: Git, llm: LlmServer, victim: str, step: str, moment: str
) -> None:
    answers(llm)
    users_work(incomplete, git)
    witness = Witness(incomplete, git)
    killed(incomplete, victim, "alone")
    environment = {"DIE_AT": f"gitforge.store.{step}:{moment}", "DIE_HOW": "alone"}
    dying = Path(__file__).parent.parent / "dying.py"
    subprocess.run(
        [sys.executable, str(dying), "status"], cwd=incomplete, env={**os.environ, **environment},
        check=False, capture_output=True,
    )  # fmt: skip
    assert generate(incomplete).code == 0
    witness.assert_one_commit_and_nothing_else()
    assert len(llm.requests) == 1


@pytest.mark.parametrize("left", ["nothing", "a lock with its id"])
def test_a_prompt_that_git_was_killed_before_is_kept_by_the_next_command(
    incomplete: Path, git: Git, llm: LlmServer, left: str
) -> None:
    answers(llm)
    users_work(incomplete, git)
    witness = Witness(incomplete, git)
    killed(incomplete, "gitforge.store.transaction:reach_commit_point:after", "alone")
    ref, id_ = git(
        "for-each-ref", "--format=%(refname) %(objectname)", "refs/gitforge/", cwd=incomplete
    ).split()
    git("update-ref", "-d", ref, cwd=incomplete)
    if left == "a lock with its id":
        (incomplete / ".git" / ref).parent.mkdir(parents=True, exist_ok=True)
        (incomplete / ".git" / f"{ref}.lock").write_text(f"{id_}\n")
    assert gitforge("status", cwd=incomplete).code == 0
    witness.assert_one_commit_and_nothing_else()


def test_a_killed_commit_of_another_worktree_is_finished_there(
    incomplete: Path, git: Git, llm: LlmServer, tmp_path: Path
) -> None:
    git("worktree", "add", "-q", "../linked", cwd=incomplete)
    answers(llm)
    killed(tmp_path / "linked", "gitforge.store.transaction:reach_commit_point:after", "alone")
    assert "repaired" in gitforge("status", cwd=incomplete).err
    assert (tmp_path / "linked" / PROTOCOL).read_text() == TEXT
    assert (
        git("status", "--porcelain", cwd=tmp_path / "linked")
        == git("status", "--porcelain", cwd=incomplete)
        == ""
    )
    assert not (incomplete / PROTOCOL).exists()
    assert locks_in(incomplete) == []


def test_what_the_user_did_after_the_kill_stays(incomplete: Path, git: Git, llm: LlmServer) -> None:
    answers(llm)
    killed(incomplete, "gitforge.store.transaction:reach_commit_point:after", "alone")
    (incomplete / PROTOCOL).parent.mkdir(exist_ok=True)
    (incomplete / PROTOCOL).write_text("Mine.\n")
    told = gitforge("status", cwd=incomplete).told
    assert f"left as you have it meanwhile: {PROTOCOL}" in told
    assert (incomplete / PROTOCOL).read_text() == "Mine.\n"
    assert git("status", "--porcelain", cwd=incomplete) == f" M {PROTOCOL}"
    assert locks_in(incomplete) == []


def test_a_user_who_removes_the_lock_by_hand_gets_the_index_repaired(
    incomplete: Path, git: Git, llm: LlmServer
) -> None:
    answers(llm)
    witness = Witness(incomplete, git)
    killed(incomplete, "gitforge.store.transaction:reach_commit_point:after", "alone")
    (incomplete / ".git/index.lock").unlink()
    assert "was finished" in gitforge("status", cwd=incomplete).err
    witness.assert_one_commit_and_nothing_else()


def test_where_the_branch_went_on_without_it_the_draft_is_recorded_on_the_new_tip(
    incomplete: Path, git: Git, llm: LlmServer
) -> None:
    answers(llm)
    killed(incomplete, "gitforge.store.transaction:lock_index:after", "alone")
    theirs = git("commit-tree", "-m", "theirs", "-p", "HEAD", "HEAD^{tree}", cwd=incomplete)
    git("update-ref", "refs/heads/main", theirs, cwd=incomplete)
    done = generate(incomplete)
    assert done.code == 0
    assert "was taken back; its draft is kept" in done.err
    assert git("rev-parse", "HEAD^", cwd=incomplete) == theirs
    assert len(generated(incomplete, git)) == len(llm.requests) == 1
    assert locks_in(incomplete) == []


def test_a_ref_lock_of_ours_is_removed_and_somebody_elses_is_named(
    incomplete: Path, git: Git, llm: LlmServer
) -> None:
    answers(llm)
    killed(incomplete, "gitforge.store.transaction:lock_index:after", "alone")
    journal = json.loads((incomplete / ".git/gitforge/journal.json").read_text())
    lock = incomplete / ".git/refs/heads/main.lock"
    lock.write_text("1" * 40 + "\n")
    done = generate(incomplete)
    assert done.code == 1
    assert "main.lock" in done.err
    assert "seconds old" in done.err
    assert lock.exists()
    assert "a repair" in gitforge("status", cwd=incomplete).out
    lock.write_text(f"{journal['new']}\n")
    assert generate(incomplete).code == 0
    assert locks_in(incomplete) == []
    assert len(generated(incomplete, git)) == len(llm.requests) == 1


@pytest.mark.parametrize(
    ("content", "is_set_aside"),
    [
        (b"", True), (b"{", True), (b"[]", True), (b"\0" * 99, True), (b'{"version": 1}', True),
        (b'{"version": 0}', True), (b'{"version": 99, "new": "x"}', False), (b"[" * 100_000, True),
    ],
)  # fmt: skip
def test_a_journal_that_cannot_be_used_is_named_and_nothing_is_lost(
    incomplete: Path, git: Git, llm: LlmServer, content: bytes, is_set_aside: bool
) -> None:
    answers(llm)
    ours = incomplete / ".git/gitforge"
    ours.mkdir(exist_ok=True)
    (ours / "journal.json").write_bytes(content)
    status = gitforge("status", cwd=incomplete)
    assert status.code == 0
    assert "journal" in status.err
    done = generate(incomplete)
    if is_set_aside:
        assert done.code == 0, done.told
        assert (ours / "journal.json.unusable-1").read_bytes() == content
        assert len(generated(incomplete, git)) == 1
    else:
        assert done.code == 1
        assert "as new as the one that was interrupted" in done.err
        assert (ours / "journal.json").read_bytes() == content
        assert llm.requests == []


def test_a_journal_of_another_user_is_left_to_them(incomplete: Path, git: Git, llm: LlmServer) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    answers(llm)
    killed(incomplete, "gitforge.store.transaction:lock_index:after", "alone")
    journal = incomplete / ".git/gitforge/journal.json"
    os.chown(journal, 12345, 12345)
    done = generate(incomplete)
    assert done.code == 1
    assert "belongs to another user (number 12345)" in done.err
    os.chown(journal, os.geteuid(), os.getegid())
    assert generate(incomplete).code == 0
    assert len(generated(incomplete, git)) == len(llm.requests) == 1


@pytest.mark.parametrize("key", ["new", "steps", "git_dir", "drafts"])
def test_a_journal_that_was_tampered_with_is_set_aside(
    incomplete: Path, git: Git, llm: LlmServer, key: str
) -> None:
    answers(llm)
    killed(incomplete, "gitforge.store.transaction:write_journal:after", "alone")
    journal = incomplete / ".git/gitforge/journal.json"
    data = json.loads(journal.read_text())
    evil = {"new": "--x", "git_dir": "/tmp", "drafts": ["../../config"]}
    if key == "steps":
        data["steps"][0]["path"] = "../outside"
    else:
        data[key] = evil[key]
    journal.write_text(json.dumps(data))
    assert "was set aside" in gitforge("status", cwd=incomplete).err
    assert generate(incomplete).code == 0
    assert len(generated(incomplete, git)) == 1
    assert GENERATE
