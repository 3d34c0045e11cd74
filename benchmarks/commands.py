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

GITFORGE = [sys.executable, "-c", "from gitforge.cli.entry import entry; entry()"]
"""What the console script `gitforge` does: `python -m` would look for the module once more, by other modules."""

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
import gc, importlib, os, sys
import gitforge.cli.main
gc.disable()  # as gitforge does: from here on its imports cost less than those of other programs
for name in sys.argv[1].split():
    try:
        importlib.import_module(name)
    except ImportError:  # a module that only its package may import
        pass
os._exit(0)  # as gitforge ends
"""
NOT_AS_INSTALLED = {"PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"}
"""Variables that would have gitforge's modules compiled at every start, and each line written by itself."""


def floor_of(arguments: list[str], workspace: Path) -> list[str]:
    """The command line that starts an interpreter with the modules that gitforge imports for these arguments.

    Runs gitforge with them once, and sees what is imported by then, from wherever: at its top or in a function.
    """
    said = run([sys.executable, "-c", SAYS_ITS_IMPORTS, *arguments], workspace)
    names = [one for one in json.loads(said.splitlines()[-1]) if one not in {"__main__", "gitforge.__main__"}]
    return [sys.executable, "-c", IMPORTS, " ".join(names)]


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
    environment = {name: value for name, value in os.environ.items() if name not in NOT_AS_INSTALLED}
    environment |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    done = subprocess.run(
        command, cwd=folder, env=environment, input=stdin, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
    return done.stderr
