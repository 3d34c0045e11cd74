"""What must hold after something terrible: exactly one commit, nothing left, nothing of the user's touched."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import warm
from llm_server import LlmServer, Say
from program import DESCRIBE, NAME, PROTOCOL, Done, files, gitforge

from gitforge.store.repo import Repo

Git = Callable[..., str]

TEXT = "# Drill down\n\nAsk why, and test each answer.\n"
DYING = (sys.executable, str(Path(__file__).parent / "dying.py"))
CACHES = {"origins", "renames", "status"}
"""What can be made anew at any time, in gitforge's own folder of the git directory."""
GENERATE = ("generate", NAME, *DESCRIBE, "--yes")


def users_work(root: Path, git: Git) -> None:
    """Staged, changed and untracked files of the user's, and one that is staged and changed on top."""
    (root / "staged.txt").write_text("staged\n")
    git("add", "staged.txt", cwd=root)
    (root / "both.txt").write_text("staged\n")
    git("add", "both.txt", cwd=root)
    (root / "both.txt").write_text("changed\n")
    (root / "library/personas/digital_detective.md").write_text("Mine.\n")
    (root / "untracked.txt").write_text("untracked\n")
    goals = root / "goals.yaml"
    goals.write_text("# staged\n" + goals.read_text())
    git("add", "goals.yaml", cwd=root)
    goals.write_text("# changed\n" + goals.read_text())


def killed(root: Path, where: str, how: str, *arguments: str, program: Sequence[str] = DYING) -> None:
    """Runs gitforge until it is killed at a step, in a process group of its own."""
    environment = {**os.environ, "DIE_AT": where, "DIE_HOW": how}
    if program is DYING and warm.is_true(environment):
        code, *told = warm.run(arguments or GENERATE, root, environment, is_dying=True)
        assert code == -signal.SIGKILL, told
        return
    process = subprocess.Popen(
        [*program, *(arguments or GENERATE)], cwd=root, env=environment,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    output, _ = process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL, output.decode()


def locks_in(root: Path) -> list[Path]:
    """Every lock file in the git directory but ours, which is one that the kernel frees."""
    return [path for path in Repo.discover(root).common_dir.rglob("*.lock") if path.name != "commit.lock"]


def snapshot(git: Git, root: Path) -> tuple[object, ...]:
    """Everything that must not change: branch, index, status, every file's bytes, and git's lock files."""
    found = {
        p.relative_to(root): (p.readlink() if p.is_symlink() else p.read_bytes())
        for p in sorted(root.rglob("*"))
        if ".git" not in p.parts and not p.is_dir()
    }
    folders = [p for p in sorted(root.rglob("*")) if ".git" not in p.parts and p.is_dir()]
    refs = git("for-each-ref", cwd=root)
    index = git("ls-files", "-s", "-v", cwd=root)
    status = git("status", "--porcelain", "-z", "--ignored", cwd=root)
    return (refs, index, status, found, folders, locks_in(root))


def left_in(ours: Path) -> set[str]:
    """Which files, and folders with any, are in gitforge's own folder beside what can be made anew at any time."""
    return {path.relative_to(ours).parts[0] for path in ours.rglob("*") if path.is_file()} - CACHES


def assert_sound(git: Git, root: Path) -> None:
    """No damage, no lock, nothing pending."""
    git("fsck", "--full", "--strict", "--no-dangling", cwd=root)
    assert locks_in(root) == []
    ours = Repo.discover(root).common_dir / "gitforge"
    assert {path.name for path in ours.iterdir()} - CACHES == {"commit.lock"}, list(ours.iterdir())


def generated(root: Path, git: Git) -> list[str]:
    """The commits that recorded the component."""
    return git("log", "--format=%H", "--grep=^Generate protocol", cwd=root).splitlines()


def porcelain(root: Path, git: Git) -> str:
    """`git status`, every untracked file too."""
    return git("status", "--porcelain", "-z", "--untracked-files=all", cwd=root)


class Witness:
    """Looks at a workspace before and after.

    Args:
        root: The workspace.
        git: Runs git.
    """

    def __init__(self, root: Path, git: Git) -> None:
        self._root = root
        self._git = git
        self._files = files(root)
        self._status = porcelain(root, git)
        self._staged = git("diff", "--cached", "--no-ext-diff", cwd=root)
        self._commits = self._count()

    def assert_one_commit_and_nothing_else(self, text: str = TEXT) -> None:
        """One commit of the component alone; the user's files, index and status as before; no lock, no damage."""
        root, git = self._root, self._git
        assert self._count() == self._commits + 1
        (commit,) = generated(root, git)
        assert git("show", "--format=", "--name-status", commit, cwd=root) == f"A\t{PROTOCOL}"
        assert (root / PROTOCOL).read_text() == text
        assert git("show", f"HEAD:{PROTOCOL}", cwd=root) + "\n" == text
        prompt = git("log", "-1", "--format=%(trailers:key=Prompt-Id,valueonly)", commit, cwd=root).strip()
        kept = git("cat-file", "blob", prompt.replace("sha256:", "refs/gitforge/prompts/"), cwd=root)
        assert f"sha256:{hashlib.sha256(kept.encode()).hexdigest()}" == prompt
        self.assert_unharmed({PROTOCOL: text.encode()})

    def assert_unharmed(self, more: dict[str, bytes] | None = None) -> None:
        """The user's files, index and status as before; no lock, no damage, nothing pending."""
        root, git = self._root, self._git
        assert locks_in(root) == []
        assert files(root) == {**self._files, **(more or {})}
        assert porcelain(root, git) == self._status
        assert git("diff", "--cached", "--no-ext-diff", cwd=root) == self._staged
        git("fsck", "--full", "--strict", "--no-dangling", cwd=root)
        left = left_in(root / ".git/gitforge")
        assert left == {"commit.lock"}, left

    def _count(self) -> int:
        return int(self._git("rev-list", "--count", "--all", cwd=self._root))


def answers(llm: LlmServer, times: int = 1) -> None:
    """Lets the model answer so often; what it is asked beyond fails."""
    llm.queue(*[Say(TEXT)] * times)


def generate(root: Path, *more: str) -> Done:
    """The next command."""
    return gitforge(*GENERATE, *more, cwd=root)


def steps(names: Sequence[str]) -> list[str]:
    """Each step, before and after."""
    return [f"gitforge.store.{name}:{moment}" for name in names for moment in ("before", "after")]
