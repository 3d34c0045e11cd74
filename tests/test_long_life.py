"""Builds one after the other in one process, as an editor's plugin or a server would make them, leak nothing."""

from __future__ import annotations

import gc
import os
import subprocess
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from llm_server import LlmServer, Say
from program import GOAL

from gitforge.build import Forge, make_toolkit
from gitforge.generate import generate
from gitforge.generation.records import Task
from gitforge.goals import Need
from gitforge.llm import ProviderSettings, choose_provider
from gitforge.review import Accept
from gitforge.store.repo import Repo
from gitforge.workspace import Workspace

Git = Callable[..., str]


def build(root: Path, url: str, number: int) -> None:
    """One build as a command makes it: everything opened anew, one component generated, the toolkit written."""
    forge = Forge.open(Workspace.find(root), Repo.discover(root))
    goal = forge.book.goals[GOAL]
    persona, protocol, *constraints = goal.needs
    goal = goal._replace(needs=(persona, Need(protocol.kind, f"number_{number}.md"), *constraints))
    settings = ProviderSettings(provider="openai", base_url=url, model="m")
    with closing(choose_provider(settings)) as provider:
        (missing,) = (one for one in forge.plan(goal).components if one.is_absent)
        task = Task(missing, goal, f"For number {number}.")
        done = generate(forge, [task], provider, lambda _: Accept(is_seen=False), lambda _: None)
    assert not done.failed
    make_toolkit(forge, "again", goal, forge.plan(goal), force=True)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("builds", [30, pytest.param(200, marks=pytest.mark.slow)])
def test_many_builds_in_one_process_leak_nothing(
    workspace: Path, llm: LlmServer, git: Git, builds: int
) -> None:
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("needs /proc")
    llm.otherwise = Say("## Drill down\n\n1. Ask why.\n")
    build(workspace, llm.url, 0)
    gc.collect()
    files, threads = open_files(), threading.active_count()
    for number in range(1, builds + 1):
        build(workspace, llm.url, number)
    gc.collect()
    assert abs(open_files() - files) <= 2, "the server's own, which come and go"
    assert threading.active_count() <= threads + 1
    children = subprocess.run(
        ["ps", "--ppid", str(os.getpid()), "-o", "comm="], capture_output=True, text=True, check=False
    )
    assert "git" not in children.stdout.split()
    count = git("rev-list", "--count", "--grep=^Generate protocol number", "HEAD", cwd=workspace)
    assert int(count) == builds + 1
    assert git("status", "--porcelain", cwd=workspace) == ""
