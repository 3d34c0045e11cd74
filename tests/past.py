"""What a history is made of: commits of the user's and of gitforge's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from program import NAME, PROTOCOL, gitforge

Git = Callable[..., str]

STEM = Path(NAME).stem
BETTER = "# Drill down\n\nAsk why, test each answer, and write both down.\n"


def commit(root: Path, git: Git, path: str, text: str, message: str = "Edit") -> str:
    """Records one file as a user does; returns the commit."""
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)
    git("add", "--", path, cwd=root)
    git("commit", "-qm", message, "--", path, cwd=root)
    return git("rev-parse", "HEAD", cwd=root)


def add_goal(root: Path, name: str, *more: str) -> None:
    """Adds a goal and the protocol of its name, as one commit."""
    done = gitforge(
        "goal", "add", name, "--category", "Legal", "--description", f"To {name.lower()}.",
        "--use", "persona=meticulous_auditor.md", "--use", f"protocol={name.lower()}.md",
        "--describe", f"{name.lower()}.md=Go through it.", "--yes", *more, cwd=root,
    )  # fmt: skip
    assert done.code == 0, done.err


def approve(root: Path, git: Git) -> str:
    """Records the approval of the protocol as it is in HEAD; returns its blob."""
    blob = git("rev-parse", f"HEAD:{PROTOCOL}", cwd=root)
    message = (
        f"Approve protocol {STEM}\n\nComponent: {PROTOCOL}\nBlob: {blob}\nReviewed-by: Ada <ada@example.org>"
    )
    git("commit", "-q", "--allow-empty", "-m", message, cwd=root)
    return blob
