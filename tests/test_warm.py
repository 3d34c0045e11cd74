"""A fork of the warm process is as a process that is started: else the other tests would be about something else."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
import warm
from harm import GENERATE
from program import COMMAND, Done, gitforge, run

pytestmark = pytest.mark.skipif(not warm.is_on(), reason="every process is started")


def forked(*arguments: str, cwd: Path, **environment: str) -> Done:
    code, out, err = warm.run(arguments, cwd, {**os.environ, **environment})
    return Done(code, out.decode(), err.decode())


@pytest.mark.parametrize(
    "arguments",
    [
        ("--version",), ("list", "--json"), ("check",), ("no-such-command",), ("show", "no_such_component"),
        ("build", "p"), ("-C", "/", "status"), ("build", "p", "--goal", "DIAGNOSE_ROOT_CAUSE", "--dry-run"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_it_says_and_returns_the_same(workspace: Path, arguments: tuple[str, ...]) -> None:
    assert forked(*arguments, cwd=workspace) == run(*COMMAND, *arguments, cwd=workspace)


def test_it_has_the_folder_and_the_environment_that_it_is_given(workspace: Path, tmp_path: Path) -> None:
    assert forked("status", cwd=tmp_path).code == 1
    assert forked("status", cwd=workspace).code == 0
    done = forked("doctor", cwd=workspace, GITFORGE_TIMEOUT="77")
    assert "77" in done.out


def test_it_has_the_umask_of_the_test(tmp_path: Path) -> None:
    for _ in range(2):  # so that each warm process is there, with the umask of its own time
        assert forked("--version", cwd=tmp_path).code == 0
    before = os.umask(0o027)
    try:
        assert forked("init", "prompts", cwd=tmp_path).code == 0
    finally:
        os.umask(before)
    assert (tmp_path / "prompts/goals.yaml").stat().st_mode & 0o777 == 0o640


def test_each_is_a_process_of_its_own(workspace: Path) -> None:
    first = forked("build", "p", "--goal", "DIAGNOSE_ROOT_CAUSE", cwd=workspace)
    (workspace / "library/personas/digital_detective.md").write_text("Another.\n")
    second = forked("build", "p", "--goal", "DIAGNOSE_ROOT_CAUSE", cwd=workspace)
    assert (first.code, second.code) == (0, 0)
    assert "Another." in (workspace / "output/p/00_PERSONA.md").read_text()


def test_one_that_is_killed_says_so_and_takes_nothing_with_it(incomplete: Path) -> None:
    environment = {**os.environ, "DIE_AT": "gitforge.generation.recording:record:before", "DIE_HOW": "group"}
    arguments = ("generate", *GENERATE[1:], "--provider", "offline")
    code, _, _ = warm.run(arguments, incomplete, environment, is_dying=True)
    assert code == -signal.SIGKILL
    assert forked("--version", cwd=incomplete).code == 0


@pytest.mark.parametrize("name", ["PYTHONIOENCODING", "PATH", "LC_ALL", "OPENAI_LOG"])
def test_what_is_read_at_the_start_needs_one(workspace: Path, name: str) -> None:
    assert warm.is_true(os.environ)
    assert not warm.is_true({**os.environ, name: "other"})
    assert gitforge("--version", cwd=workspace, PYTHONHASHSEED="1").code == 0
