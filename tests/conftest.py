"""Every test runs real git in its own folder, isolated from the machine's HOME, git configuration and identity."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from llm_server import LlmServer
from making import accept_any_draft
from program import COMMAND, PROTOCOL

# A shell starts what runs in its background deaf to Ctrl-C, and so would be every program that a test starts.
for _number, _handler in (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGQUIT, signal.SIG_DFL),
    (signal.SIGHUP, signal.SIG_DFL),
):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _handler)

# The same examples in every run, however slow the machine: what is found by chance is found on purpose, by
# `pytest --hypothesis-profile=search`.
settings.register_profile(
    "steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("search", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")

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
    "PYTHON",
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


@pytest.fixture
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy between the program and the server on loopback."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name in {"SSL_CERT_FILE", "SSL_CERT_DIR"}:
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def starter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace as `gitforge init` leaves it, with an identity. Not to be changed: copy it.

    Its rules let drafts of a few words pass, so that a test can say in a line what the model answers.
    """
    root = tmp_path_factory.mktemp("starter") / "work"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(root.parent),
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CEILING_DIRECTORIES": str(tmp_path_factory.getbasetemp()),
    }
    identity = [("user.name", "Ada Engineer"), ("user.email", "ada@example.org"), ("commit.gpgsign", "false")]
    commands = [["git", "init", "-q", "-b", "main", str(root)]]
    commands += [["git", "-C", str(root), "config", key, value] for key, value in identity]
    commands += [[*COMMAND, "init", str(root)]]
    commands += [["git", "-C", str(root), "add", "--all"]]
    commands += [["git", "-C", str(root), "commit", "--quiet", "--amend", "--no-edit"]]
    for command in commands:
        if command[-1] == "--all":
            accept_any_draft(root)
        subprocess.run(command, env=environment, check=True, capture_output=True)
    return root


@pytest.fixture
def workspace(starter: Path, tmp_path: Path) -> Path:
    """A complete workspace of the test's own."""
    return Path(shutil.copytree(starter, tmp_path / "work"))


@pytest.fixture
def incomplete(workspace: Path, git: Git) -> Path:
    """A workspace in which the protocol of DIAGNOSE_ROOT_CAUSE is missing, and committed as missing."""
    git("rm", "-q", PROTOCOL, cwd=workspace)
    git("commit", "-qm", "Drop a protocol", cwd=workspace)
    return workspace


@pytest.fixture
def llm(direct: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[LlmServer]:
    """A model server, which the environment names."""
    with LlmServer() as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("GITFORGE_MODEL", "test-model")
        yield server
