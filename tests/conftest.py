"""Every test runs real git in its own folder, isolated from the machine's HOME, git configuration and identity."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Git = Callable[..., str]

FOREIGN = (
    "GIT_",
    "GITFORGE_",
    "OPENAI_",
    "XDG_",
    "EMAIL",
    "VISUAL",
    "EDITOR",
    "PAGER",
    "NO_COLOR",
    "FORCE_COLOR",
)


@pytest.fixture(autouse=True)
def isolated_environment(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty HOME, no git identity, no settings, no key. Returns that HOME."""
    home = tmp_path_factory.mktemp("home")
    for name in list(os.environ):
        if name.startswith(FOREIGN):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(home / ".gitconfig"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path_factory.getbasetemp()))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "xterm-256color")
    return home


@pytest.fixture
def git() -> Git:
    """`git(*arguments, cwd=...)`: runs git, raises where it fails, returns its output without the last newline."""

    def run(*arguments: str, cwd: Path, stdin: str | None = None) -> str:
        done = subprocess.run(
            ["git", "-c", "user.name=Test User", "-c", "user.email=test@example.org", *arguments],
            cwd=cwd,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"git {' '.join(arguments)}: {done.stderr}"
        return done.stdout.removesuffix("\n")

    return run
