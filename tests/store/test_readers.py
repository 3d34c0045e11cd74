"""A git of the user's that reads while gitforge records: no commit made of what it read takes a generation back.

`git commit` reads HEAD, then the index, and takes `index.lock` last. The tests hold it up between the last two, where
git asks a file system monitor (`core.fsmonitor`, githooks(5)): a script that waits for a file.
"""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dying import die
from harm import assert_sound, killed, locks_in, snapshot
from making import hook, make_repository

from gitforge.errors import UserError
from gitforge.store import commit_point, transaction
from gitforge.store.edits import NewFile, Rewrite
from gitforge.store.index import publish
from gitforge.store.moving import moving_head
from gitforge.store.recovery import recover_if_needed
from gitforge.store.repo import Repo
from gitforge.store.transaction import record

Git = Callable[..., str]

PATH, GOALS = "library/protocols/x.md", "goals.yaml"
EDITS = (NewFile(PATH, b"# X\n"), Rewrite(GOALS, lambda old: (old or b"").replace(b"x\n", b"") + b"x\n"))
PROGRAM = (
    "import os, sys; sys.path.insert(0, os.environ['TESTS'])\n"
    "import dying; dying.arm() if os.environ.get('DIE_AT') else None\n"
    "from pathlib import Path; from gitforge.store import transaction; from gitforge.store.repo import Repo\n"
    "import test_readers\n"
    "transaction.record(Repo.discover(Path('.')), test_readers.EDITS, 'Generate x')\n"
)
WAIT = """#!/bin/sh
touch "$HELD/reading"
n=0
while [ ! -e "$HELD/go" ] && [ $n -lt 600 ]; do n=$((n + 1)); sleep 0.05; done
exit 1
"""
STEPS = ("lock_index", "reach_commit_point", "publish", "write_worktree", "unlock_index", "drop_journal")


@pytest.fixture
def root(tmp_path: Path, git: Git) -> Path:
    """A repository in which the user has staged something, so that their commit writes the index."""
    root = make_repository(tmp_path / "work", git, {"library/personas/p.md": "P\n", GOALS: "a\n"})
    (root / "own.txt").write_text("mine\n")
    git("add", "own.txt", cwd=root)
    return root


class HeldCommit:
    """A `git commit` that has read HEAD and the index, and takes its lock when it is let go."""

    def __init__(self, root: Path, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()
        monitor = folder / "monitor"
        monitor.write_text(WAIT)
        monitor.chmod(0o755)
        command = ["git", "-c", f"core.fsmonitor={monitor}", "commit", "-q", "-m", "own"]
        environment = {**os.environ, "HELD": str(folder), "GIT_TEST_PRELOAD_INDEX": "1"}
        self._process = subprocess.Popen(
            command, cwd=root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        deadline = time.monotonic() + 30
        while not (folder / "reading").exists():
            assert self._process.poll() is None, self._process.communicate()[0]
            assert time.monotonic() < deadline, "git does not ask its monitor"
            time.sleep(0.01)

    def let_go(self) -> tuple[int, str]:
        """Its exit status, and what it said."""
        (self._folder / "go").touch()
        said, _ = self._process.communicate(timeout=30)
        return self._process.returncode, said


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_a_commit_made_of_what_was_read_at_a_step_has_the_generation_or_is_refused(
    root: Path, git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, moment: str
) -> None:
    original, held = getattr(transaction, step), list[HeldCommit]()

    def reading(*arguments: object) -> object:
        if moment == "before" and not held:
            held.append(HeldCommit(root, tmp_path / "held"))
        result = original(*arguments)
        if moment == "after" and not held:
            held.append(HeldCommit(root, tmp_path / "held"))
        return result

    monkeypatch.setattr(transaction, step, reading)
    done = record(Repo.discover(root), EDITS, "Generate x")
    status, said = held[0].let_go()
    assert git("show", f"HEAD:{PATH}", cwd=root) == "# X"
    assert git("show", f"HEAD:{GOALS}", cwd=root) == "a\nx"
    if status == 0:
        assert git("log", "--format=%s", cwd=root).split("\n") == ["own", "Generate x", "start"]
        assert git("show", "--format=", "--name-status", "HEAD", cwd=root) == "A\town.txt"
        assert git("status", "--porcelain", cwd=root) == ""
    else:
        assert "cannot lock ref 'HEAD'" in said
        assert git("rev-parse", "HEAD", cwd=root) == done.commit
    assert_sound(git, root)


def test_the_index_shows_a_commit_before_head_does_and_nobody_moves_the_branch_in_between(
    root: Path, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    tip = git("rev-parse", "HEAD", cwd=root)

    def looking(repo: Repo, new_index: Path, work: Path) -> None:
        publish(repo, new_index, work)
        assert git("rev-parse", "HEAD", cwd=root) == tip
        assert git("ls-files", PATH, cwd=root) == PATH
        other = git("commit-tree", "-m", "theirs", "-p", "HEAD", "HEAD^{tree}", cwd=root)
        done = subprocess.run(
            ["git", "update-ref", "HEAD", other], cwd=root, capture_output=True, text=True, check=False
        )
        assert "File exists" in done.stderr
        assert (root / ".git/index.lock").exists()

    monkeypatch.setattr(transaction, "publish", looking)
    record(Repo.discover(root), EDITS, "Generate x")
    assert git("log", "--format=%s", cwd=root).split("\n") == ["Generate x", "start"]
    assert_sound(git, root)


def test_a_failure_between_index_and_branch_takes_the_index_back(
    root: Path, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = snapshot(git, root)

    def failing(repo: Repo, new_index: Path, work: Path) -> None:
        publish(repo, new_index, work)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/some/path")

    monkeypatch.setattr(transaction, "publish", failing)
    with pytest.raises(UserError, match="No space left on device; nothing was recorded"):
        record(Repo.discover(root), EDITS, "Generate x")
    assert snapshot(git, root) == before
    assert_sound(git, root)


SPEAK = "head -c 100000 /dev/zero | tr '\\0' x >&2"
STAY = "(n=0; while [ ! -e .git/ended ] && [ $n -lt 600 ]; do n=$((n + 1)); sleep 0.05; done; echo >> .git/over) &"


@pytest.mark.parametrize("what", [SPEAK, STAY])
def test_a_hook_that_says_much_or_leaves_a_process_with_its_messages_open_holds_nothing_up(
    root: Path, git: Git, what: str
) -> None:
    hook(root, "reference-transaction", what)
    record(Repo.discover(root), EDITS, "Generate x")
    assert not (root / ".git/over").exists(), "it was waited for"
    (root / ".git/ended").touch()
    assert git("log", "--format=%s", cwd=root).split("\n") == ["Generate x", "start"]
    assert_sound(git, root)


@pytest.mark.parametrize("what", [SPEAK, STAY])
def test_it_may_refuse_too_and_is_quoted_in_short(root: Path, git: Git, what: str) -> None:
    before = snapshot(git, root)
    hook(root, "reference-transaction", f"{what}\n[ $1 != prepared ]")
    with pytest.raises(UserError, match="git update-ref failed") as error:
        record(Repo.discover(root), EDITS, "Generate x")
    assert not (root / ".git/over").exists(), "it was waited for"
    (root / ".git/ended").touch()
    assert len(error.value.message) < 5000
    (root / ".git/hooks/reference-transaction").unlink()
    assert snapshot(git, root) == before
    assert_sound(git, root)


def test_a_git_that_is_killed_between_index_and_branch_is_a_race_that_is_run_again(
    root: Path, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, killed_ones = moving_head, list[int]()

    def told(*arguments: object, **options: object) -> object:
        moving = original(*arguments, **options)  # type: ignore[arg-type]
        return _Killing(moving, killed_ones)

    monkeypatch.setattr(commit_point, "moving_head", told)
    record(Repo.discover(root), EDITS, "Generate x")
    assert len(killed_ones) == 1
    assert git("log", "--format=%s", cwd=root).split("\n") == ["Generate x", "start"]
    assert git("status", "--porcelain", cwd=root) == "A  own.txt"
    assert_sound(git, root)


class _Killing:
    """Kills the git that has prepared the move, once."""

    def __init__(self, moving: object, done: list[int]) -> None:
        self._moving, self._done = moving, done

    def __enter__(self) -> None:
        self._moving.__enter__()  # type: ignore[attr-defined]

    def __exit__(self, *raised: object) -> object:
        if not self._done:
            for number in _children():
                os.kill(number, 9)
                self._done.append(number)
        return self._moving.__exit__(*raised)  # type: ignore[attr-defined]


def _children() -> Iterator[int]:
    """The `git update-ref` that this process has started."""
    listed = subprocess.run(
        ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(os.getpid())],
        capture_output=True,
        text=True,
        check=True,
    )
    for line in listed.stdout.splitlines():
        number, _, command = line.strip().partition(" ")
        if "update-ref" in command:
            yield int(number)


def kill(root: Path, step: str) -> None:
    """Kills a gitforge that records, at a step."""
    killed(root, f"gitforge.store.{step}", "alone", program=[sys.executable, "-c", PROGRAM])


class TestKilledInBetween:
    """The index has the commit's entries, and the branch has not moved."""

    @pytest.fixture(autouse=True)
    def _where_the_tests_are(self, monkeypatch: pytest.MonkeyPatch) -> None:
        here = Path(__file__).parent
        monkeypatch.setenv("TESTS", os.pathsep.join((str(here.parent), str(here))))
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(here.parent), str(here))))

    @pytest.mark.parametrize("step", ["transaction:publish:before", "transaction:publish:after"])
    def test_the_next_command_moves_the_branch(self, root: Path, git: Git, step: str) -> None:
        kill(root, step)
        repair = recover_if_needed(Repo.discover(root))
        assert repair is not None
        assert "was finished" in repair.done
        assert git("log", "--format=%s", cwd=root).split("\n") == ["Generate x", "start"]
        assert git("status", "--porcelain", cwd=root) == "A  own.txt"
        assert_sound(git, root)

    def test_where_the_branch_went_on_the_index_is_taken_back(self, root: Path, git: Git) -> None:
        status = git("status", "--porcelain", cwd=root)
        kill(root, "transaction:publish:after")
        assert locks_in(root) == [root / ".git/index.lock"]
        other = git("commit-tree", "-m", "theirs", "-p", "HEAD", "HEAD^{tree}", cwd=root)
        git("update-ref", "HEAD", other, cwd=root)
        repair = recover_if_needed(Repo.discover(root))
        assert repair is not None
        assert "taken back" in repair.done
        assert git("status", "--porcelain", cwd=root) == status
        assert git("log", "--format=%s", cwd=root).split("\n") == ["theirs", "start"]
        assert_sound(git, root)

    def test_where_a_hook_refuses_by_now_the_index_is_taken_back(self, root: Path, git: Git) -> None:
        status = git("status", "--porcelain", cwd=root)
        kill(root, "transaction:publish:after")
        hook(root, "reference-transaction", "[ $1 != prepared ]")
        repair = recover_if_needed(Repo.discover(root))
        assert repair is not None
        assert "taken back" in repair.done
        assert git("status", "--porcelain", cwd=root) == status
        assert_sound(git, root)

    def test_where_somebody_removed_the_lock_the_index_is_taken_back(self, root: Path, git: Git) -> None:
        status = git("status", "--porcelain", cwd=root)
        kill(root, "transaction:publish:after")
        (root / ".git/index.lock").unlink()
        assert recover_if_needed(Repo.discover(root)) is not None
        assert git("status", "--porcelain", cwd=root) == status
        assert_sound(git, root)

    def test_what_somebody_committed_out_of_it_stays_theirs(self, root: Path, git: Git) -> None:
        kill(root, "transaction:publish:after")
        (root / ".git/index.lock").unlink()
        git("commit", "-q", "-m", "own", cwd=root)
        assert recover_if_needed(Repo.discover(root)) is not None
        assert git("log", "--format=%s", cwd=root).split("\n") == ["own", "start"]
        assert git("show", f"HEAD:{PATH}", cwd=root) == "# X"
        assert git("diff", "--cached", "--name-only", cwd=root) == ""
        assert_sound(git, root)

    def test_a_torn_index_is_replaced_by_the_one_before(self, root: Path, git: Git) -> None:
        for number in range(400):
            (root / f"library/f{number}.md").write_text("text\n")
        git("add", "library", cwd=root)
        status = git("status", "--porcelain", cwd=root)
        kill(root, "transaction:publish:after")
        index = root / ".git/index"
        content = index.read_bytes()
        index.write_bytes(content[:4096] + bytes(len(content) - 4096))
        repair = recover_if_needed(Repo.discover(root))
        assert repair is not None
        assert "taken back" in repair.done
        assert git("status", "--porcelain", cwd=root) == status
        assert_sound(git, root)

    @pytest.mark.parametrize("is_later", [True, False])
    def test_a_torn_index_goes_where_there_was_none_before(
        self, tmp_path: Path, git: Git, is_later: bool
    ) -> None:
        root = make_repository(tmp_path / "unborn", git)
        kill(root, "transaction:publish:after")
        index = root / ".git/index"
        times = index.stat()
        index.write_bytes(bytes(times.st_size))
        if not is_later:  # then it is known by its time, too
            os.utime(index, ns=(times.st_atime_ns, times.st_mtime_ns))
        repair = recover_if_needed(Repo.discover(root))
        assert repair is not None
        assert ("taken back" in repair.done) is is_later
        assert git("status", "--porcelain", cwd=root) == ""
        assert_sound(git, root)

    @pytest.mark.parametrize("moment", ["before", "after"])
    @pytest.mark.parametrize("step", ["moving_head", "publish", "take_back", "_put_entries", "finish_index"])
    @pytest.mark.parametrize("went_on", [True, False])
    def test_recovery_may_be_killed_too(
        self, root: Path, git: Git, step: str, moment: str, went_on: bool
    ) -> None:
        status = git("status", "--porcelain", cwd=root)
        kill(root, "transaction:publish:after")
        if went_on:
            other = git("commit-tree", "-m", "theirs", "-p", "HEAD", "HEAD^{tree}", cwd=root)
            git("update-ref", "HEAD", other, cwd=root)
        if (pid := os.fork()) == 0:
            _die_in_recovery(root, step, moment)
        os.waitpid(pid, 0)
        recover_if_needed(Repo.discover(root))
        assert git("log", "--format=%s", cwd=root).split("\n")[0] == ("theirs" if went_on else "Generate x")
        assert git("status", "--porcelain", cwd=root) == status
        assert_sound(git, root)


def _die_in_recovery(root: Path, step: str, moment: str) -> None:
    """In a process of its own: recovers, and dies at a step, or at the end."""
    os.environ.update(DIE_AT=f"gitforge.store.recovery:{step}:{moment}", DIE_HOW="alone")
    import dying  # noqa: PLC0415

    try:
        dying.arm()
        recover_if_needed(Repo.discover(root))
    finally:
        die()
