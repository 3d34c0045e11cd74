"""Eight processes, a user at work and random kills: nothing lost, nothing doubled, one generation per component."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from harm import locks_in
from llm_server import LlmServer, Say, fail
from program import COMMAND, gitforge

Git = Callable[..., str]

PROCESSES = 8


def wanted(root: Path, git: Git, count: int) -> list[str]:
    """Drops so many protocols from the starter library, so that goals miss them."""
    names = sorted(path.name for path in (root / "library/protocols").iterdir())[:count]
    git("rm", "-q", *(f"library/protocols/{name}" for name in names), cwd=root)
    git("commit", "-qm", "Drop protocols", cwd=root)
    return names


def start(root: Path, chance: random.Random, names: list[str]) -> subprocess.Popen[bytes]:
    mine = chance.sample(names, chance.randint(1, 3))
    describe = [word for name in mine for word in ("--describe", f"{name}=It is for {name}.")]
    return subprocess.Popen(
        [*COMMAND, "generate", *mine, *describe, "--yes"], cwd=root, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def assert_nothing_lost_or_doubled(root: Path, git: Git, names: list[str], own: list[str]) -> None:
    made = Counter(git("log", "--format=%(trailers:key=Component,valueonly)", cwd=root).split())
    assert made == {f"library/protocols/{name}": 1 for name in names}
    subjects = git("log", "--format=%s", cwd=root).splitlines()
    assert [subject for subject in subjects if subject.startswith("own ")] == own[::-1]
    assert locks_in(root) == []
    assert git("status", "--porcelain", cwd=root).splitlines() == ["A  staged.txt", "?? untracked.txt"]
    git("fsck", "--full", "--strict", "--no-dangling", cwd=root)
    assert gitforge("drafts", "--json", cwd=root).json == {"drafts": [], "unusable": []}
    assert list((root / ".git/gitforge/making").iterdir()) == []


@pytest.mark.parametrize(
    ("seed", "is_killing", "seconds"),
    [
        (1, False, 4.0), (2, True, 4.0),
        *(pytest.param(seed, True, 12.0, marks=pytest.mark.slow) for seed in range(3, 9)),
    ],
)  # fmt: skip
def test_with_a_user_at_work(
    workspace: Path, git: Git, llm: LlmServer, seed: int, is_killing: bool, seconds: float
) -> None:
    chance = random.Random(seed)
    names = wanted(workspace, git, 6)
    llm.otherwise = Say(0.2, "# A protocol\n")
    (workspace / "untracked.txt").write_text("mine\n")
    own: list[str] = []
    running: list[subprocess.Popen[bytes]] = []
    kills = 0
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        running = [process for process in running if process.poll() is None]
        while len(running) < PROCESSES:
            running.append(start(workspace, chance, names))
        if is_killing and chance.random() < 0.5:
            os.killpg(chance.choice(running).pid, signal.SIGKILL)
            kills += 1
        subject = f"own {len(own)}"
        done = subprocess.run(
            ["git", "commit", "-q", "--allow-empty", "-m", subject], cwd=workspace, capture_output=True,
            text=True, check=False,
        )  # fmt: skip
        if done.returncode == 0:
            own.append(subject)
        else:
            assert "index.lock" in done.stderr or "cannot lock ref" in done.stderr, done.stderr
        time.sleep(chance.uniform(0.05, 0.4))
    for process in running:
        process.wait()
    describe = [word for name in names for word in ("--describe", f"{name}=It is for {name}.")]
    last = gitforge("generate", *names, *describe, "--yes", cwd=workspace)
    assert last.code == 0, last.told
    (workspace / "staged.txt").write_text("mine\n")
    git("add", "staged.txt", cwd=workspace)
    assert_nothing_lost_or_doubled(workspace, git, names, own)
    asked = Counter(str(one.json["messages"]) for one in llm.requests)
    # A process that is killed before the answer has arrived has to be asked for again, and no other.
    assert len(llm.requests) <= len(names) + kills
    assert is_killing or set(asked.values()) == {1}


def test_eight_that_want_the_same_ask_once(workspace: Path, git: Git, llm: LlmServer) -> None:
    (name,) = wanted(workspace, git, 1)
    llm.otherwise = Say(0.5, "# A protocol\n")
    command = [*COMMAND, "generate", name, "--describe", f"{name}=It.", "--yes"]
    running = [subprocess.Popen(command, cwd=workspace, stderr=subprocess.DEVNULL) for _ in range(PROCESSES)]
    assert [process.wait() for process in running] == [0] * PROCESSES
    assert len(llm.requests) == 1
    assert git("rev-list", "--count", "--grep=^Generate", "HEAD", cwd=workspace) == "1"


def test_eight_that_want_different_ones_run_side_by_side(workspace: Path, git: Git, llm: LlmServer) -> None:
    names = wanted(workspace, git, PROCESSES)
    together = Say("# A protocol\n")
    llm.otherwise = lambda _: together if llm.arrived(PROCESSES, 60) else fail(500)  # none is answered alone
    commands = [[*COMMAND, "generate", name, "--describe", f"{name}=It.", "--yes"] for name in names]
    running = [subprocess.Popen(one, cwd=workspace, stderr=subprocess.DEVNULL) for one in commands]
    assert [process.wait() for process in running] == [0] * PROCESSES
    assert len(llm.requests) == PROCESSES
    assert git("rev-list", "--count", "--grep=^Generate", "HEAD", cwd=workspace) == str(PROCESSES)
    assert git("status", "--porcelain", cwd=workspace) == ""
