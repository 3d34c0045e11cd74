"""The user's repository as it is: each oddity works, or is refused with what to do, and the draft is kept."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from harm import Witness, answers, generate, generated, locks_in, users_work
from llm_server import LlmServer
from making import fill, small_disk
from program import NAME, PROTOCOL, gitforge

from gitforge.errors import UserError
from gitforge.store.edits import NewFile
from gitforge.store.repo import Repo
from gitforge.store.transaction import record

Git = Callable[..., str]


def test_in_a_submodule(incomplete: Path, git: Git, llm: LlmServer, tmp_path: Path) -> None:
    git("init", "-q", "-b", "main", "outer", cwd=tmp_path)
    outer = tmp_path / "outer"
    git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(incomplete), "inner", cwd=outer)
    git("commit", "-qm", "inner", cwd=outer)
    answers(llm)
    assert generate(outer / "inner").code == 0
    assert len(generated(outer / "inner", git)) == 1
    assert git("status", "--porcelain", cwd=outer / "inner") == ""
    assert git("status", "--porcelain", cwd=outer) == " M inner"
    assert gitforge("check", "--store", cwd=outer / "inner").code == 0


def test_with_a_sparse_index(incomplete: Path, git: Git, llm: LlmServer) -> None:
    git("sparse-checkout", "init", "--cone", "--sparse-index", cwd=incomplete)
    git("sparse-checkout", "set", "library", "docs", cwd=incomplete)
    answers(llm)
    assert generate(incomplete).code == 0
    assert git("status", "--porcelain", cwd=incomplete) == ""
    assert git("config", "index.sparse", cwd=incomplete) == "true"


def test_in_a_shallow_clone(incomplete: Path, git: Git, llm: LlmServer, tmp_path: Path) -> None:
    git("clone", "-q", "--depth=1", f"file://{incomplete}", "shallow", cwd=tmp_path)
    answers(llm)
    root = tmp_path / "shallow"
    assert generate(root).code == 0
    assert git("rev-list", "--count", "HEAD", cwd=root) == "2"
    assert gitforge("check", "--store", cwd=root).code == 0


def test_a_head_that_points_nowhere_is_named_and_nothing_is_paid_for(
    incomplete: Path, git: Git, llm: LlmServer
) -> None:
    (incomplete / ".git/refs/heads/main").write_text("1" * 40 + "\n")
    done = generate(incomplete)
    assert done.code == 1
    assert f"HEAD points nowhere: the repository has no whole commit {'1' * 40}" in done.err
    assert llm.requests == []
    assert locks_in(incomplete) == []


def test_a_damaged_head_is_named(incomplete: Path, llm: LlmServer) -> None:
    (incomplete / ".git/HEAD").write_text("nonsense\n")
    done = generate(incomplete)
    assert done.code == 1
    assert llm.requests == []


def test_alternates_that_miss_an_object_are_named(incomplete: Path, git: Git, tmp_path: Path) -> None:
    git("clone", "-q", "--shared", str(incomplete), "shared", cwd=tmp_path)
    blob = git("rev-parse", "HEAD:library/personas/digital_detective.md", cwd=incomplete)
    objects = incomplete / ".git/objects"
    path = objects / blob[:2] / blob[2:]
    assert path.exists()
    path.unlink()
    done = gitforge("check", "--store", cwd=tmp_path / "shared")
    assert done.code == 3
    assert blob in done.out


def test_a_passphrase_prompt_that_hangs_is_given_up_and_the_draft_kept(
    incomplete: Path, git: Git, tmp_path: Path
) -> None:
    signer = tmp_path / "signer"
    signer.write_text("#!/bin/sh\nsleep 60\n")
    signer.chmod(0o755)
    git("config", "commit.gpgsign", "true", cwd=incomplete)
    git("config", "gpg.program", str(signer), cwd=incomplete)
    witness = Witness(incomplete, git)
    with pytest.raises(UserError, match="did not end in time"):
        record(Repo.discover(incomplete), [NewFile(PROTOCOL, b"x\n")], "Generate x", sign_seconds=0.5)
    witness.assert_unharmed()


def test_a_signing_program_that_fails_keeps_the_draft(incomplete: Path, git: Git, llm: LlmServer) -> None:
    answers(llm)
    git("config", "commit.gpgsign", "true", cwd=incomplete)
    git("config", "gpg.program", "false", cwd=incomplete)
    assert generate(incomplete).code == 1
    assert NAME in gitforge("drafts", cwd=incomplete).out
    git("config", "commit.gpgsign", "false", cwd=incomplete)
    assert generate(incomplete).code == 0
    assert len(llm.requests) == 1


@pytest.mark.parametrize("room", [0, 8, 40, 120, 400, 1000])
def test_a_disk_that_gets_full_in_the_middle(incomplete: Path, git: Git, llm: LlmServer, room: int) -> None:
    """There are so many KiB left when the draft arrives, which is kept already."""
    answers(llm, 2)
    users_work(incomplete, git)
    with small_disk(incomplete, "24m"):
        witness = Witness(incomplete, git)
        hook = incomplete / ".git/hooks/pre-commit"
        hook.write_text("#!/bin/sh\nexit 1\n")
        hook.chmod(0o755)
        assert generate(incomplete).code == 1
        hook.unlink()
        ballast = incomplete / ".git/ballast"
        ballast.write_bytes(b"x" * room * 1024)
        filler = fill(incomplete)
        ballast.unlink()
        full = generate(incomplete)
        assert full.code in {0, 1}, full.told
        assert "Traceback" not in full.told
        filler.unlink()
        assert generate(incomplete).code == 0
        witness.assert_one_commit_and_nothing_else()
    assert len(llm.requests) == 1


def test_a_clock_that_jumps_back_changes_nothing(incomplete: Path, git: Git, llm: LlmServer) -> None:
    answers(llm)
    future = 4_000_000_000
    for path in (incomplete / ".git").rglob("*"):
        if path.is_file():
            os.utime(path, (future, future))
    assert generate(incomplete).code == 0
    assert git("status", "--porcelain", cwd=incomplete) == ""


class TestCheckStore:
    def test_finds_nothing_in_a_sound_one(self, incomplete: Path, llm: LlmServer) -> None:
        answers(llm)
        assert generate(incomplete).code == 0
        done = gitforge("check", "--store", cwd=incomplete)
        assert done.code == 0, done.told

    def test_names_what_is_not_as_it_should_be(self, workspace: Path, git: Git) -> None:
        for lock in ("index.lock", "refs/heads/main.lock", "HEAD.lock"):
            (workspace / ".git" / lock).write_text("")
            os.utime(workspace / ".git" / lock, (1, 1))
        (workspace / ".git/gitforge/drafts").mkdir(parents=True)
        (workspace / ".git/gitforge/drafts/x.json").write_text("{")
        (workspace / ".git/gitforge/journal.json.unusable-1").write_text("{")
        done = gitforge("check", "--store", cwd=workspace)
        assert done.code == 3
        for name in ("index.lock", "main.lock", "HEAD.lock", "x.json", "journal.json.unusable-1"):
            assert name in done.out
        assert (workspace / ".git/index.lock").exists()

    def test_finds_damage(self, workspace: Path, git: Git) -> None:
        blob = git("rev-parse", f"HEAD:{PROTOCOL}", cwd=workspace)
        path = workspace / ".git/objects" / blob[:2] / blob[2:]
        path.chmod(0o644)
        path.write_bytes(b"damage")
        assert gitforge("check", cwd=workspace).code == 0
        assert gitforge("check", "--store", cwd=workspace).code == 3

    def test_sees_a_component_that_the_index_has_lost(self, workspace: Path, git: Git) -> None:
        git("rm", "-q", "--cached", PROTOCOL, cwd=workspace)
        done = gitforge("check", "--store", cwd=workspace)
        assert "in the last commit, but not in the index" in done.out
