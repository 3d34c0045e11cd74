"""A small workspace, made by hand, and what a test leaves in it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from gitforge.goals import Goal, GoalBook
from gitforge.workspace import Workspace

GOALS = """\
version: 1
goals:
  Category:
    GOAL:
      description: To try it.
      persona: p.md
      protocol: x.md
      constraints: [c.md, d.md]
"""
COMPONENTS = {
    "personas/p.md": "You are P.\n",
    "protocols/x.md": "Do X.\n",
    "constraints/c.md": "Never C.\n",
    "constraints/d.md": "Never D.\n",
}


def make_workspace(
    root: Path, goals: str = GOALS, library: Mapping[str, str | bytes] | None = None
) -> Workspace:
    """A folder with a goals.yaml and the four components of its goal, without git."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "goals.yaml").write_text(goals, encoding="utf-8", newline="")
    (root / "library").mkdir()
    for name, text in {**COMPONENTS, **(library or {})}.items():
        path = root / "library" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Workspace(root)


def make_repository(
    root: Path, git: Callable[..., str], files: Mapping[str, str] | None = None, *, algorithm: str = "sha1",
    name: str = "Ada",
) -> Path:  # fmt: skip
    """A repository with an identity, and with one commit where it is to have files; returns its folder."""
    root.mkdir(parents=True, exist_ok=True)
    git("init", "-q", "-b", "main", f"--object-format={algorithm}", str(root), cwd=root)
    git("config", "user.name", name, cwd=root)
    git("config", "user.email", f"{name.lower()}@example.org", cwd=root)
    for path, text in (files or {}).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    if files:
        git("add", ".", cwd=root)
        git("commit", "-qm", "start", cwd=root)
    return root


def hook(repository: Path, name: str, script: str, folder: str = "") -> Path:
    """A hook of a repository, as a shell script; returns its file.

    Args:
        repository: It, bare or not.
        name: The hook's.
        script: What it does.
        folder: Where it is, if not where git looks by itself.
    """
    usual = "hooks" if (repository / "HEAD").exists() else ".git/hooks"
    path = repository / (folder or usual) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def accept_any_draft(root: Path) -> None:
    """Rules by which a draft may be short and free in form; copies, refusals, remarks and the like stay refused."""
    generators = root / "library/generators"
    generators.mkdir(exist_ok=True)
    for rules in generators.glob("*.rules.yaml"):
        rules.unlink()
    free = "min_words: 0\nheadings: []\nmust_contain: []\nheading_level: 0\n"
    (generators / "default.rules.yaml").write_text(free)


def only_goal(book: GoalBook) -> Goal:
    """The one goal of a small workspace."""
    (goal,) = book.goals.values()
    return goal


@contextmanager
def mounted(folder: Path, *arguments: str) -> Iterator[None]:
    """Mounts something over a folder for a while; skips the test where this system does not let us."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting needs root and mount(8)")
    done = subprocess.run(["mount", *arguments, str(folder)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"mounting is not permitted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True, capture_output=True)


@contextmanager
def small_disk(folder: Path, size: str = "64k") -> Iterator[None]:
    """A disk of that size over a folder; what is in the folder is copied onto it first."""
    kept = folder.with_name(f"{folder.name}.before")
    shutil.copytree(folder, kept, symlinks=True)
    with mounted(folder, "-t", "tmpfs", "-o", f"size={size}", "tmpfs"):
        shutil.copytree(kept, folder, symlinks=True, dirs_exist_ok=True)
        yield


def fill(folder: Path) -> Path:
    """Fills the disk that a folder is on, to the last byte; returns the file that does it."""
    path = folder / "filler"
    with path.open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
    return path
