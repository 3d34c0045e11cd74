"""Three clones that generate, edit and sync at once, and are killed at random: one line, each component once."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from harm import locks_in
from program import COMMAND, gitforge
from team import PERSONA, clone, commit, share, sync

Git = Callable[..., str]

SHARED = [f"shared_{number}.md" for number in range(6)]
NAMES = ("bob", "carol", "dora")
DIRTY = {PERSONA: "Dirty.\n", "untracked.txt": "untracked\n", "staged.txt": "staged\n"}


def own(name: str) -> list[str]:
    return [f"{name}_{number}.md" for number in range(3)]


class Member(threading.Thread):
    """Somebody who works in a clone until the time is over, and whose computer crashes now and then."""

    def __init__(self, root: Path, git: Git, seed: int, until: float) -> None:
        super().__init__()
        self.root, self.git, self.until = root, git, until
        self.random = random.Random(f"{root.name} {seed}")
        self.edits = 0
        self.kills = 0
        self.has_to_be_killed = False
        self.bugs: list[str] = []

    def run(self) -> None:
        missing = [*SHARED, *own(self.root.name)]
        self.random.shuffle(missing)
        while time.monotonic() < self.until or (self.kills == 0 and self.has_to_be_killed):
            what = self.random.random()
            if what < 0.35 and missing:
                name = missing.pop()
                self.one("generate", name, "--describe", f"{name}=As {self.root.name} wants it.",
                         "--provider", "offline", "--yes")  # fmt: skip
            elif what < 0.5:
                self.edit()
            else:
                self.one("sync")

    def edit(self) -> None:
        path = self.root / f"notes/{self.root.name}.txt"
        self.edits += 1
        path.parent.mkdir(exist_ok=True)
        with contextlib.suppress(AssertionError):  # gitforge holds the index just now
            path.write_text(path.read_text() + f"{self.edits}\n" if path.exists() else f"{self.edits}\n")
            self.git("add", "--", str(path), cwd=self.root)
            self.git(
                "commit", "-q", "-m", f"Note {self.edits} of {self.root.name}", "--", str(path), cwd=self.root
            )

    def one(self, *arguments: str) -> None:
        process = subprocess.Popen(
            [*COMMAND, *arguments], cwd=self.root, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        if self.random.random() < 0.4:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(self.random.uniform(0.05, 1.2))
            if process.poll() is None:
                self.kills += 1
                if self.random.random() < 0.5:
                    os.killpg(process.pid, signal.SIGKILL)
                else:
                    process.kill()
        told, _ = process.communicate()
        if process.returncode == 70:
            self.bugs.append(told.decode())


def work(roots: list[Path], git: Git, seed: int, seconds: float) -> list[Member]:
    members = [Member(root, git, seed, time.monotonic() + seconds) for root in roots]
    members[0].has_to_be_killed = True
    for member in members:
        member.start()
    for member in members:
        member.join()
    return members


@pytest.mark.parametrize(
    ("seed", "seconds"),
    [(1, 4.0), *(pytest.param(seed, 30.0, marks=pytest.mark.slow) for seed in range(2, 7))],
)
def test_they_converge_with_every_component_once_and_nobodys_file_touched(
    workspace: Path, git: Git, seed: int, seconds: float
) -> None:
    names = [*SHARED, *(name for one in NAMES for name in own(one))]
    text = (workspace / "goals.yaml").read_text()
    more = "".join(
        f"    {name.removesuffix('.md').upper()}:\n      description: To try {name}.\n"
        f"      persona: digital_detective.md\n      protocol: {name}\n"
        for name in names
    )  # fmt: skip
    at = text.index("\n", text.index("\ngoals:") + 1) + 1
    commit(workspace, git, {"goals.yaml": f"{text[:at]}  Tried together:\n{more}{text[at:]}"}, "Add goals")
    bare = share(workspace, git)
    roots = [clone(bare, name, git) for name in NAMES]
    for root in roots:
        for path, content in DIRTY.items():
            (root / path).write_text(content)
        git("add", "staged.txt", cwd=root)
    members = work(roots, git, seed, seconds)
    for root in roots * 2:
        done = sync(root)
        assert done.code == 0, done.told
    assert [bug for member in members for bug in member.bugs] == []
    tips = {git("rev-parse", "HEAD", cwd=root) for root in roots} | {git("rev-parse", "main", cwd=bare)}
    assert len(tips) == 1
    assert git("rev-list", "--merges", "main", cwd=bare) == ""
    for name in names:
        path = f"library/protocols/{name}"
        made = git("log", "--format=%H", "--diff-filter=A", "main", "--", path, cwd=bare).splitlines()
        is_there = git("ls-tree", "--name-only", "main", path, cwd=bare) != ""
        assert len(made) == is_there, name
    said = git("log", "--format=%s", "--grep=^Generate protocol", "main", cwd=bare).splitlines()
    assert len(said) == len(set(said))
    for root in roots:
        assert {path: (root / path).read_text() for path in DIRTY} == DIRTY
        status = git("status", "--porcelain", cwd=root).splitlines()
        assert [one for one in status if "notes" not in one] == [
            f" M {PERSONA}",
            "A  staged.txt",
            "?? untracked.txt",
        ]
        git("fsck", "--full", "--strict", "--no-dangling", cwd=root)
        assert locks_in(root) == []
        assert gitforge("status", cwd=root).code == 0
    git("fsck", "--full", "--strict", cwd=bare)
    assert sum(member.kills for member in members) > 0
    for root, member in zip(roots, members, strict=True):  # nobody's commit is lost
        notes = (root / f"notes/{root.name}.txt").read_text().splitlines() if member.edits else []
        assert notes == [str(number + 1) for number in range(member.edits)]
