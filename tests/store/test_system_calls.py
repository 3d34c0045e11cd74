"""Killed at any system call of the commit phase, git's included: the next command repairs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from harm import GENERATE, Witness, answers, generate, locks_in, users_work
from llm_server import LlmServer

Git = Callable[..., str]

CALLS = (
    "openat", "write", "pwrite64", "link", "linkat", "rename", "renameat", "renameat2", "unlink", "unlinkat",
    "fsync", "mkdir", "rmdir", "symlink", "flock", "close", "exit_group",
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
    environment = {**os.environ, "DIE_AT": "gitforge.generation:review:before", "DIE_HOW": "alone"}
    dying = Path(__file__).parent.parent / "dying.py"
    subprocess.run([sys.executable, str(dying), *GENERATE], cwd=incomplete, env=environment, check=False,
                   capture_output=True)  # fmt: skip
    assert len(llm.requests) == 1
    return incomplete


def strace(root: Path, call: str, inject: str | None, log: Path) -> int:
    """Runs gitforge in strace, with one system call of one of its processes replaced by a kill."""
    how = ["-e", f"trace={call}"] if inject is None else ["-e", f"inject={call}:{inject}"]
    command = ["strace", "-f", "-qq", "-y", "-o", str(log), *how, sys.executable, "-m", "gitforge", *GENERATE]
    return subprocess.run(
        command, cwd=root, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=120
    ).returncode


@pytest.mark.parametrize("call", CALLS)
def test_killed_at_a_system_call_the_next_command_repairs(
    drafted: Path,
    git: Git,
    llm: LlmServer,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
    call: str,
) -> None:
    if not is_traceable():
        pytest.skip("strace is not installed, or may not trace here")
    log = tmp_path / "log"
    copy = shutil.copytree(drafted, tmp_path / "count", symlinks=True)
    strace(copy, call, None, log)
    calls: dict[str, list[str]] = {}
    for line in log.read_text(errors="replace").splitlines():
        process, _, rest = line.partition(" ")
        if re.match(rf"\s*{call}\(", rest):
            calls.setdefault(process, []).append(rest)
    # `when=N` counts in each process by itself: each N kills the first process that gets so far.
    most = max(map(len, calls.values()), default=0)
    if not most:
        pytest.skip(f"nobody calls {call} here")
    # What Python does at its start is not the commit phase, and git's processes are short.
    late = [number for process in calls.values() for number, one in enumerate(process, 1) if ".git" in one]
    numbers = sorted(set(late) or set(range(1, most + 1)))
    if len(numbers) > SAMPLES:
        numbers = [numbers[index * len(numbers) // SAMPLES] for index in range(SAMPLES)]
    for number in numbers:
        root = tmp_path / f"{call}-{number}"
        shutil.copytree(drafted, root, symlinks=True)
        witness = Witness(root, git)
        strace(root, call, f"signal=SIGKILL:when={number}", log)
        done = generate(root)
        assert done.code == 0, f"{call} {number}: {done.told} {locks_in(root)}"
        witness.assert_one_commit_and_nothing_else()
        shutil.rmtree(root)
    record_property("kills", len(numbers))
    assert len(llm.requests) == 1
