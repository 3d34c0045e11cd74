"""What the benchmarks share: a command, its time as a ratio, and the interpreter's start that is taken off it."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

SAYS_ITS_IMPORTS = """
import json, sys
from gitforge.cli.again import say_again
code = say_again(sys.argv[1:])
if code is None:
    from gitforge.cli.main import main
    code = main()
print(json.dumps(list(sys.modules)), file=sys.stderr)
sys.exit(code)
"""
IMPORTS = """
import contextlib, importlib, json, os, sys
for name in json.loads(sys.argv[1]):
    with contextlib.suppress(ImportError):  # a module that only its package may import
        importlib.import_module(name)
os._exit(0)  # as gitforge ends
"""


def floor_of(arguments: list[str], workspace: Path) -> list[str]:
    """The command line that starts an interpreter with the modules that gitforge imports for these arguments.

    Runs gitforge with them once.
    """
    said = run([sys.executable, "-c", SAYS_ITS_IMPORTS, *arguments], workspace)
    names = [one for one in json.loads(said.splitlines()[-1]) if one not in {"__main__", "gitforge.__main__"}]
    return [sys.executable, "-c", IMPORTS, json.dumps(names)]


def timed(action: Callable[[], object]) -> float:
    """Seconds that an action takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def median_ratio(times: list[float], floor: list[float]) -> float:
    """The median of the ratios of the rounds."""
    return statistics.median(one / other for one, other in zip(times, floor, strict=True))


def run(command: list[str], folder: Path, stdin: str = "") -> str:
    """Runs a command quietly, without the user's git settings, and gives what it said on stderr.

    A failure ends the benchmark with that.
    """
    environment = {**os.environ, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    done = subprocess.run(
        command, cwd=folder, env=environment, input=stdin, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
    return done.stderr
