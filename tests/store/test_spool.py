"""Drafts are money: one that was paid for survives whatever comes after it, and is not asked for again."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from harm import GENERATE, TEXT, answers, generate, generated, killed, locks_in
from llm_server import LlmServer, Received, Say
from making import fill, mounted, small_disk
from program import COMMAND, DESCRIBE, NAME, PROTOCOL, PURPOSE, gitforge
from terminal import CTRL_C, Terminal

from gitforge.store import spool
from gitforge.store.repo import Repo
from gitforge.store.spool import Kept

Git = Callable[..., str]

DRAFT = Kept(PROTOCOL, PURPOSE, None, TEXT, "sha256:1", "test-model", is_model=True, is_edited=False)


@pytest.fixture
def repo(incomplete: Path) -> Repo:
    return Repo.discover(incomplete)


def file_of(root: Path) -> Path:
    (path,) = (root / ".git/gitforge/drafts").iterdir()
    return path


class TestASpool:
    def test_gives_back_what_was_kept(self, repo: Repo) -> None:
        spool.keep(repo, DRAFT)
        assert spool.find(repo, PROTOCOL, PURPOSE) == DRAFT
        assert spool.drafts(repo) == spool.Drafts((DRAFT,), ())
        spool.drop(repo, [DRAFT.id])
        assert spool.drafts(repo) == spool.Drafts((), ())

    def test_is_empty_where_there_is_none(self, repo: Repo) -> None:
        assert spool.find(repo, PROTOCOL, PURPOSE) is None
        assert spool.drafts(repo) == spool.Drafts()
        spool.drop(repo, [DRAFT.id])
        assert not (repo.common_dir / "gitforge/drafts").exists()

    def test_keeps_one_for_each_component_and_purpose(self, repo: Repo) -> None:
        others = [replace(DRAFT, purpose="Another."), replace(DRAFT, path="library/protocols/y.md")]
        for draft in (DRAFT, *others, replace(DRAFT, text="Again.\n")):
            spool.keep(repo, draft)
        assert len(spool.drafts(repo).kept) == 3
        found = spool.find(repo, PROTOCOL, PURPOSE)
        assert found is not None
        assert found.text == "Again.\n"

    def test_is_shared_by_worktrees(self, repo: Repo, git: Git) -> None:
        git("worktree", "add", "-q", "../linked", cwd=repo.root)
        spool.keep(repo, DRAFT)
        assert spool.find(Repo.discover(repo.root.parent / "linked"), PROTOCOL, PURPOSE) == DRAFT

    @pytest.mark.parametrize(
        "content",
        [
            b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"version": 2}', b"x" * (spool.MAX_BYTES + 1),
            json.dumps({"version": 1, "path": PROTOCOL}).encode(),
            json.dumps({"version": 1, **vars(DRAFT), "path": "../../outside.md"}).encode(),
            json.dumps({"version": 1, **vars(DRAFT), "is_model": "yes"}).encode(),
        ],
    )  # fmt: skip
    def test_leaves_what_is_no_draft_alone_and_names_it(
        self, incomplete: Path, llm: LlmServer, repo: Repo, content: bytes
    ) -> None:
        spool.keep(repo, DRAFT)
        path = file_of(incomplete)
        path.write_bytes(content)
        assert DRAFT.id in gitforge("status", cwd=incomplete).out
        assert len(gitforge("drafts", "--json", cwd=incomplete).json["unusable"]) == 1
        answers(llm)
        assert generate(incomplete).code == 0
        (aside,) = (incomplete / ".git/gitforge/drafts").iterdir()
        assert aside.read_bytes() == content
        assert gitforge("drafts", "drop", aside.name, cwd=incomplete).code == 0
        assert not aside.exists()

    def test_does_not_use_another_users(self, incomplete: Path, repo: Repo) -> None:
        if os.geteuid() != 0:
            pytest.skip("only root can give a file away")
        spool.keep(repo, DRAFT)
        os.chown(file_of(incomplete), 12345, 12345)
        assert spool.find(repo, PROTOCOL, PURPOSE) is None
        assert "belongs to another user" in spool.drafts(repo).unusable[0].reason

    def test_is_not_read_through_a_symlink(self, incomplete: Path, repo: Repo) -> None:
        spool.keep(repo, DRAFT)
        path = file_of(incomplete)
        path.rename(incomplete / "elsewhere.json")
        path.symlink_to(incomplete / "elsewhere.json")
        assert spool.find(repo, PROTOCOL, PURPOSE) is None


class TestADraftSurvives:
    def test_a_kill_in_review_and_is_offered_again(self, incomplete: Path, git: Git, llm: LlmServer) -> None:
        answers(llm)
        killed(incomplete, "gitforge.generate:review:before", "group")
        dry = gitforge(*GENERATE, "--dry-run", cwd=incomplete)
        assert "would use the kept draft" in dry.out
        status = gitforge("status", cwd=incomplete)
        assert f"draft kept  {PROTOCOL}" in status.out
        assert "Nothing needs attention" not in status.out
        with Terminal("generate", NAME, *DESCRIBE, cwd=incomplete) as terminal:
            terminal.wait_for("kept draft")
            terminal.wait_for("Record this protocol?")
            terminal.enter("a")
            assert terminal.ended() == 0
        assert len(generated(incomplete, git)) == len(llm.requests) == 1
        assert gitforge("drafts", "--json", cwd=incomplete).json == {"drafts": [], "unusable": []}

    def test_without_its_purpose_being_typed_again(self, incomplete: Path, git: Git, llm: LlmServer) -> None:
        answers(llm)
        killed(incomplete, "gitforge.generate:review:before", "group")
        with Terminal("generate", NAME, cwd=incomplete) as terminal:
            terminal.wait_for("Record this protocol?")
            assert "what are these for?" not in terminal.told
            terminal.enter("a")
            assert terminal.ended() == 0
        assert len(generated(incomplete, git)) == len(llm.requests) == 1

    def test_a_merge_that_began_meanwhile(self, incomplete: Path, git: Git, llm: LlmServer) -> None:
        answers(llm)
        with Terminal("generate", NAME, *DESCRIBE, cwd=incomplete) as terminal:
            terminal.wait_for("Record this protocol?")
            (incomplete / ".git/MERGE_HEAD").write_text(git("rev-parse", "HEAD", cwd=incomplete) + "\n")
            terminal.enter("a")
            assert terminal.ended() == 1
        (incomplete / ".git/MERGE_HEAD").unlink()
        assert generate(incomplete).code == 0
        assert len(generated(incomplete, git)) == len(llm.requests) == 1

    def test_the_engineers_edits_too_and_a_quit(self, incomplete: Path, git: Git, llm: LlmServer) -> None:
        answers(llm)
        with Terminal("generate", NAME, *DESCRIBE, cwd=incomplete, EDITOR="echo Mine >>") as terminal:
            terminal.wait_for("Record this protocol?")
            terminal.enter("e")
            terminal.wait_for("Record this protocol?", times=2)
            terminal.enter("q")
            assert terminal.ended() == 130
        shown = gitforge("drafts", "show", NAME, cwd=incomplete).out
        assert shown == TEXT + "Mine\n"
        assert generate(incomplete).code == 0
        assert (incomplete / PROTOCOL).read_text() == TEXT + "Mine\n"
        assert len(llm.requests) == 1

    def test_but_not_a_skip(self, incomplete: Path, llm: LlmServer) -> None:
        answers(llm)
        with Terminal("generate", NAME, *DESCRIBE, cwd=incomplete) as terminal:
            terminal.wait_for("Record this protocol?")
            terminal.enter("s")
            assert terminal.ended() == 3
        assert gitforge("drafts", "--json", cwd=incomplete).json["drafts"] == []

    def test_a_full_worktree(self, incomplete: Path, git: Git, llm: LlmServer) -> None:
        library = incomplete / "library/protocols"
        answers(llm)
        with small_disk(library, "1m"):
            filler = fill(library)
            done = generate(incomplete)
            assert done.code == 1, done.told
            assert "No space left on device" in done.err
            assert len(gitforge("drafts", "--json", cwd=incomplete).json["drafts"]) == 1
            filler.unlink()
            again = generate(incomplete)
            assert again.code == 0, again.told
        assert len(generated(incomplete, git)) == len(llm.requests) == 1

    def test_a_full_git_directory_outside_of_it(self, incomplete: Path, git: Git, llm: LlmServer) -> None:
        is_full = threading.Event()

        def answer(_: Received) -> Say:
            is_full.wait(60)
            return Say(TEXT)

        llm.queue(answer)
        with small_disk(incomplete / ".git", "8m"):
            process = subprocess.Popen(
                [*COMMAND, *GENERATE], cwd=incomplete, stderr=subprocess.PIPE, text=True
            )
            assert llm.arrived(1)
            filler = fill(incomplete / ".git")
            is_full.set()
            _, told = process.communicate()
            assert process.returncode == 1, told
            assert "could not be kept: No space left on device; it is in " in told
            elsewhere = Path(told.partition("; it is in ")[2].splitlines()[0])
            assert elsewhere.read_text() == TEXT
            elsewhere.unlink()
            filler.unlink()
            git("fsck", "--full", "--strict", "--no-dangling", cwd=incomplete)
            assert locks_in(incomplete) == []

    def test_a_full_git_directory_is_refused_before_it_is_paid_for(
        self, incomplete: Path, llm: LlmServer
    ) -> None:
        with small_disk(incomplete / ".git", "8m"):
            fill(incomplete / ".git")
            done = generate(incomplete)
        assert done.code == 1
        assert "No space left on device); nothing was generated" in done.err
        assert llm.requests == []

    def test_a_read_only_git_directory_is_refused_before_it_is_paid_for(
        self, incomplete: Path, llm: LlmServer
    ) -> None:
        answers(llm)
        with mounted(incomplete / ".git", "--bind", str(incomplete / ".git")):
            subprocess.run(["mount", "-o", "remount,bind,ro", str(incomplete / ".git")], check=True)
            done = generate(incomplete)
            assert gitforge("status", cwd=incomplete).code == 0
        assert done.code == 1
        assert "cannot write to the git directory" in done.err
        assert llm.requests == []

    def test_another_purpose_is_another_draft(self, incomplete: Path, git: Git, llm: LlmServer) -> None:
        llm.queue(Say(TEXT), Say("Other.\n"))
        killed(incomplete, "gitforge.generate:review:before", "alone")
        done = gitforge("generate", NAME, "--describe", f"{NAME}=Another purpose.", "--yes", cwd=incomplete)
        assert done.code == 0
        assert len(llm.requests) == 2
        (kept,) = gitforge("drafts", "--json", cwd=incomplete).json["drafts"]
        assert kept["purpose"] == PURPOSE
        assert gitforge("drafts", "drop", "--all", cwd=incomplete).code == 0
        assert gitforge("drafts", cwd=incomplete).out == ""

    def test_that_an_offline_outline_costs_nothing(self, incomplete: Path) -> None:
        killed(incomplete, "gitforge.generate:review:before", "alone")
        assert not (incomplete / ".git/gitforge/drafts").exists()


class TestDrafts:
    def test_are_shown_and_dropped_by_name(self, incomplete: Path, repo: Repo) -> None:
        other = replace(DRAFT, purpose="Another.")
        spool.keep(repo, DRAFT)
        spool.keep(repo, other)
        assert gitforge("drafts", "show", NAME, cwd=incomplete).code == 1
        assert gitforge("drafts", "show", DRAFT.id, cwd=incomplete).out == TEXT
        assert gitforge("drafts", "show", DRAFT.id, "--json", cwd=incomplete).json["text"] == TEXT
        assert gitforge("drafts", "drop", DRAFT.id, cwd=incomplete).code == 0
        assert gitforge("drafts", "show", PROTOCOL, cwd=incomplete).out == TEXT
        assert gitforge("drafts", "show", "nothing.md", cwd=incomplete).code == 1
        assert gitforge("drafts", "drop", cwd=incomplete).code == 2
        assert gitforge("-C", str(incomplete), "drafts", cwd=Path("/")).out.startswith(other.id)


class TestAComponentsLock:
    def test_who_wants_the_same_waits_says_for_whom_and_uses_it(
        self, incomplete: Path, git: Git, llm: LlmServer
    ) -> None:
        answers(llm)
        with Terminal("generate", NAME, *DESCRIBE, cwd=incomplete) as reviewer:
            reviewer.wait_for("Record this protocol?")
            waiting = subprocess.Popen(
                [*COMMAND, *GENERATE], cwd=incomplete, stderr=subprocess.PIPE, text=True
            )
            assert waiting.stderr is not None
            lines = iter(waiting.stderr.readline, "")
            told = next(line for line in lines if line.startswith("waiting"))
            assert "Another gitforge (process " in told
            assert waiting.poll() is None
            reviewer.enter("a")
            assert reviewer.ended() == 0
            rest = waiting.stderr.read()
            assert waiting.wait() == 0
        waiting.stderr.close()
        assert "another gitforge has made it meanwhile" in rest
        assert len(generated(incomplete, git)) == len(llm.requests) == 1

    def test_who_waits_can_be_interrupted(self, incomplete: Path, llm: LlmServer) -> None:
        answers(llm)
        with Terminal("generate", NAME, *DESCRIBE, cwd=incomplete) as reviewer:
            reviewer.wait_for("Record this protocol?")
            with Terminal("generate", NAME, *DESCRIBE, "--yes", cwd=incomplete) as waiting:
                waiting.wait_for("Ctrl-C stops waiting")
                waiting.send(CTRL_C)
                assert waiting.ended() == 130
            reviewer.enter("q")
            assert reviewer.ended() == 130

    def test_one_that_was_killed_holds_nobody(self, incomplete: Path, git: Git, llm: LlmServer) -> None:
        answers(llm, 2)
        killed(incomplete, "gitforge.generation.workers:write_draft:after", "alone")
        assert generate(incomplete).code == 0
        assert list((incomplete / ".git/gitforge/making").iterdir()) == []

    def test_a_skipped_one_is_made_by_who_waited(self, incomplete: Path, git: Git, llm: LlmServer) -> None:
        answers(llm, 2)
        with Terminal("generate", NAME, *DESCRIBE, cwd=incomplete) as reviewer:
            reviewer.wait_for("Record this protocol?")
            waiting = subprocess.Popen(
                [*COMMAND, *GENERATE], cwd=incomplete, stderr=subprocess.PIPE, text=True
            )
            assert waiting.stderr is not None
            assert any(line.startswith("waiting") for line in iter(waiting.stderr.readline, ""))
            reviewer.enter("s")
            assert reviewer.ended() == 3
            waiting.stderr.read()
        waiting.stderr.close()
        assert waiting.wait() == 0
        assert len(generated(incomplete, git)) == 1
