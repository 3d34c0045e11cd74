"""The program, run from outside as a script runs it, and what it leaves behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import warm

GOAL = "DIAGNOSE_ROOT_CAUSE"
NAME = "root_cause_analysis_drilldown.md"
PROTOCOL = f"library/protocols/{NAME}"
PERSONA = "library/personas/digital_detective.md"
CONSTRAINT = "library/constraints/principle_of_completeness.md"
PURPOSE = "Drill from the symptom to the cause, one tested why at a time."
DESCRIBE = ("--describe", f"{NAME}={PURPOSE}")

COMMAND = (sys.executable, "-m", "gitforge")


@dataclass(frozen=True)
class Done:
    """A process that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, as JSON."""
        return json.loads(self.out)

    @property
    def told(self) -> str:
        """Everything that it said."""
        return self.out + self.err


def run(*command: str, cwd: Path, **environment: str) -> Done:
    """Runs a command to its end, with nobody at standard input."""
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **environment}, stdin=subprocess.DEVNULL,
        capture_output=True, check=False, timeout=120,
    )  # fmt: skip
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


def gitforge(*arguments: str, cwd: Path, **environment: str) -> Done:
    """Runs `gitforge` to its end, with nobody at standard input."""
    everything = {**os.environ, **environment}
    if warm.is_true(everything):
        code, out, err = warm.run(arguments, cwd, everything)
        return Done(code, out.decode(), err.decode())
    return run(*COMMAND, *arguments, cwd=cwd, **environment)


def build(root: Path, *arguments: str, **environment: str) -> Done:
    """Builds the toolkit `outage` for the goal of the seeds' scenario."""
    return gitforge("build", "outage", "--goal", GOAL, *arguments, cwd=root, **environment)


def files(root: Path) -> dict[str, bytes]:
    """Every file below a folder, but for git's own, with its bytes."""
    found = (path for path in sorted(root.rglob("*")) if ".git" not in path.parts and path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in found}


def holds(root: Path, text: str) -> list[Path]:
    """The files below a folder, git's own included, that have the text in them or in their name."""
    return [
        path
        for path in root.rglob("*")
        if text in str(path) or (path.is_file() and text.encode() in path.read_bytes())
    ]
