"""Killed at any system call of the commit phase, git's included: the next command repairs."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest
from harm import GENERATE, Witness, answers, generate, locks_in, users_work
from llm_server import LlmServer
from program import PROTOCOL, files, gitforge

Git = Callable[..., str]
Recorder = Callable[[str, object], None]

CALLS = (
    "openat", "write", "pwrite64", "link", "linkat", "rename", "renameat", "renameat2", "unlink", "unlinkat",
    "fsync", "mkdir", "rmdir", "symlink", "flock", "close", "exit_group",
)  # fmt: skip
PATHS = (
    ".git/index.lock", ".git/index", ".git/HEAD.lock", ".git/refs/heads/main.lock", ".git/refs/heads/main",
    ".git/logs/HEAD", ".git/logs/refs/heads/main", ".git/gitforge/journal.json", ".git/gitforge/scratch/finished",
    ".git/gitforge/scratch/finished.noted", ".git/gitforge/scratch/index", ".git/gitforge/scratch/index.lock",
    ".git/refs/gitforge/prompts/{prompt}.lock", ".git/refs/gitforge/prompts/{prompt}", PROTOCOL,
)  # fmt: skip
SAMPLES = int(os.environ.get("SYSTEM_CALL_SAMPLES", "12"))  # kills for each call

pytestmark = [pytest.mark.slow]


def is_traceable() -> bool:
    if shutil.which("strace") is None:
        return False
    command = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=write", "true"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.fixture
def drafted(incomplete: Path, git: Git, llm: LlmServer) -> Path:
    """A workspace with the user's work in it and a draft that is kept, so that what follows is the commit."""
    answers(llm)
    users_work(incomplete, git)
    environment = {**os.environ, "DIE_AT": "gitforge.generate:review:before", "DIE_HOW": "alone"}
    dying = Path(__file__).parent.parent / "dying.py"
    subprocess.run([sys.executable, str(dying), *GENERATE], cwd=incomplete, env=environment, check=False,
                   capture_output=True)  # fmt: skip
    assert len(llm.requests) == 1
    return incomplete


def strace(root: Path, options: Sequence[str], arguments: Sequence[str] = GENERATE) -> str:
    """Runs gitforge in strace; returns what strace has seen."""
    if not is_traceable():
        pytest.skip("strace is not installed, or may not trace here")
    log = root.parent / "strace.log"
    command = ["strace", "-f", "-o", str(log), *options, sys.executable, "-m", "gitforge", *arguments]
    subprocess.run(command, cwd=root, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=120)
    return log.read_text(errors="replace")


def kill_at(
    drafted: Path, git: Git, folder: Path, select: Sequence[str], event: str, numbers: Iterable[int]
) -> int:
    """Kills gitforge or its git at the N-th such system call, for each N, and lets the next command repair."""
    kills = 0
    for number in numbers:
        root = folder / f"work-{number}"
        shutil.copytree(drafted, root, symlinks=True)
        witness = Witness(root, git)
        log = strace(root, [*select, "-e", f"inject={event}:signal=SIGKILL:when={number}"])
        kills += "killed by SIGKILL" in log
        done = generate(root)
        assert done.code == 0, f"{event} {number}: {done.told} {locks_in(root)}"
        witness.assert_one_commit_and_nothing_else()
        shutil.rmtree(root)
    return kills


def sampled(numbers: Sequence[int]) -> Sequence[int]:
    return (
        [numbers[index * len(numbers) // SAMPLES] for index in range(SAMPLES)]
        if len(numbers) > SAMPLES
        else numbers
    )


def by_process(log: str) -> list[list[str]]:
    calls: dict[str, list[str]] = {}
    for line in log.splitlines():
        process, _, rest = line.partition(" ")
        if re.match(r"\s*\w+\(", rest):
            calls.setdefault(process, []).append(rest)
    return list(calls.values())


@pytest.mark.parametrize("call", CALLS)
def test_killed_at_a_call_on_the_git_directory_the_next_command_repairs(
    drafted: Path, git: Git, llm: LlmServer, tmp_path: Path, record_property: Recorder, call: str
) -> None:
    copy = shutil.copytree(drafted, tmp_path / "count", symlinks=True)
    processes = by_process(strace(copy, ["-y", "-e", f"trace={call}"]))
    # `when=N` counts in each process by itself: each N kills the first process that gets so far.
    late = {number for calls in processes for number, one in enumerate(calls, 1) if ".git" in one}
    if not late:
        pytest.skip(f"nobody calls {call} on the git directory")
    kills = kill_at(drafted, git, tmp_path, [], call, sampled(sorted(late)))
    record_property("kills", kills)
    assert kills
    assert len(llm.requests) == 1


@pytest.mark.parametrize("path", PATHS)
def test_killed_at_a_call_on_a_file_the_next_command_repairs(
    drafted: Path, git: Git, llm: LlmServer, tmp_path: Path, record_property: Recorder, path: str
) -> None:
    """Of git's processes too, which work with paths relative to the worktree."""
    (kept,) = (drafted / ".git/gitforge/drafts").glob("*.json")
    path = path.format(prompt=json.loads(kept.read_bytes())["prompt_id"].removeprefix("sha256:"))
    copy = shutil.copytree(drafted, tmp_path / "count", symlinks=True)
    log = strace(copy, ["-P", path, "-P", str(copy / path)])
    most = max(map(len, by_process(log)), default=0)
    assert most, "nobody touches it"
    kills = 0
    for number in sampled(range(1, most + 1)):
        select = ["-P", path, "-P", str(tmp_path / f"work-{number}" / path)]
        kills += kill_at(drafted, git, tmp_path, select, "all", [number])
    record_property("kills", kills)
    assert kills
    assert len(llm.requests) == 1


@pytest.mark.parametrize("call", ["openat", "rename", "unlink", "fsync"])
def test_a_proposal_killed_at_a_call_on_the_git_directory_is_one_commit_on_its_branch(
    drafted: Path, git: Git, llm: LlmServer, tmp_path: Path, call: str
) -> None:
    arguments = [*GENERATE, "--propose"]
    copy = shutil.copytree(drafted, tmp_path / "count", symlinks=True)
    processes = by_process(strace(copy, ["-y", "-e", f"trace={call}"], arguments))
    late = {number for calls in processes for number, one in enumerate(calls, 1) if ".git" in one}
    if not late:
        pytest.skip(f"nobody calls {call} on the git directory")
    kills = 0
    for number in sampled(sorted(late)):
        root = tmp_path / f"work-{number}"
        shutil.copytree(drafted, root, symlinks=True)
        before = git("rev-parse", "HEAD", cwd=root), files(root), git("status", "--porcelain", cwd=root)
        log = strace(root, ["-e", f"inject={call}:signal=SIGKILL:when={number}"], arguments)
        kills += "killed by SIGKILL" in log
        done = gitforge(*arguments, cwd=root)
        assert done.code == 0, f"{call} {number}: {done.told} {locks_in(root)}"
        (branch,) = git("branch", "--list", "--format=%(refname)", "forge/*", cwd=root).splitlines()
        changed = git("log", "--format=", "--name-status", f"HEAD..{branch}", cwd=root)
        assert changed == f"A\t{PROTOCOL}", f"{call} {number}"
        assert (
            git("rev-parse", "HEAD", cwd=root),
            files(root),
            git("status", "--porcelain", cwd=root),
        ) == before
        git("fsck", "--full", "--strict", "--no-dangling", cwd=root)
        assert locks_in(root) == []
        kept = [path for path in (root / ".git/gitforge").rglob("*") if path.is_file()]
        assert {path.name for path in kept} <= {"commit.lock", "origins", "renames", "status"}, (
            f"{call} {number}"
        )
        shutil.rmtree(root)
    assert kills
    assert len(llm.requests) == 1
