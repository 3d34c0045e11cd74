"""Clones of one library that share a bare repository, as a team has them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from program import Done, gitforge

Git = Callable[..., str]

PERSONA = "library/personas/digital_detective.md"
CONSTRAINT = "library/constraints/principle_of_completeness.md"


def share(workspace: Path, git: Git) -> Path:
    """A bare repository beside a workspace, which has published all that it has."""
    bare = workspace.parent / "team.git"
    algorithm = git("rev-parse", "--show-object-format", cwd=workspace)
    git("init", "-q", "--bare", "-b", "main", f"--object-format={algorithm}", str(bare), cwd=workspace.parent)
    git("remote", "add", "origin", str(bare), cwd=workspace)
    git("push", "-q", "-u", "origin", "main", cwd=workspace)
    return bare


def clone(bare: Path, name: str, git: Git) -> Path:
    """Another clone, of somebody else's."""
    root = bare.parent / name
    git("clone", "-q", str(bare), str(root), cwd=bare.parent)
    git("config", "user.name", name.title(), cwd=root)
    git("config", "user.email", f"{name}@example.org", cwd=root)
    git("config", "commit.gpgsign", "false", cwd=root)
    return root


def commit(root: Path, git: Git, files: dict[str, str | None], message: str = "Edit by hand") -> str:
    """A commit by hand, of files alone; None deletes one."""
    for name, text in files.items():
        if text is None:
            (root / name).unlink()
        else:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
    git("add", "--all", "--", *files, cwd=root)
    git("commit", "-q", "-m", message, "--", *files, cwd=root)
    return git("rev-parse", "HEAD", cwd=root)


def sync(root: Path, *arguments: str, **environment: str) -> Done:
    """`gitforge sync` there."""
    return gitforge("sync", *arguments, cwd=root, **environment)


def subjects(root: Path, git: Git, rev: str = "HEAD") -> list[str]:
    """Of the commits, the newest first."""
    return git("log", "--format=%s", rev, cwd=root).splitlines()


def edited(text: str, old: str, new: str) -> str:
    """The text with something else in one place; it has to be there."""
    assert old in text, old
    return text.replace(old, new, 1)


def has(program: str) -> bool:
    """Whether a program is installed."""
    return shutil.which(program) is not None


def signs(root: Path, git: Git, key: Path) -> None:
    """Lets a clone sign its commits with a new ssh key."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    email = git("config", "user.email", cwd=root)
    allowed = key.with_name("allowed")
    allowed.write_text(f"{email} {key.with_suffix('.pub').read_text()}")
    for name, value in {
        "commit.gpgsign": "yes", "gpg.format": "ssh", "user.signingkey": str(key),
        "gpg.ssh.allowedSignersFile": str(allowed),
    }.items():  # fmt: skip
        git("config", name, value, cwd=root)
