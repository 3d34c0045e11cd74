"""What `gitforge sync` costs, as a ratio to `git pull --rebase && git push` by hand.

    python benchmarks/sharing.py             # a table, and exit code 1 where a bound is exceeded
    python benchmarks/sharing.py --rounds 5  # steadier

A bare repository on the same disk, a library of 2,000 components, and 1,000 new commits: once they are published and
come in, once they are here and go on top of 10 that were published meanwhile, and out. Half of them are generations.
Each round gives the same clones to both, one after the other, so that a noisy machine slows both alike; a figure is the
median of the per-round ratios. The start of a bare interpreter, measured in the same round, is taken off gitforge's
time. Absolute times are for orientation.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from commands import run, timed
from history import data, run_out, said

COMPONENTS, COMMITS, MEANWHILE = 2_000, 1_000, 10
MOST_IN, MOST_OUT = 4.0, 2.0  # what comes is read, text by text, for what may be meant for the model alone
KINDS = ("personas", "protocols", "constraints")
GIT = ["git", "-c", "gc.auto=0"]


def main() -> int:
    """Measures, prints, and says whether every bound holds."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3, help="rounds that count (default: 3)")
    options = parser.parse_args()
    for role in ("AUTHOR", "COMMITTER"):
        os.environ.update({f"GIT_{role}_NAME": "bench", f"GIT_{role}_EMAIL": "bench@example.org"})
    os.environ.update(GIT_CONFIG_NOSYSTEM="1", GIT_CONFIG_GLOBAL=os.devnull)
    print(f"{'':<40}{'gitforge ms':>12}{'git ms':>9}{'ratio':>8}")
    with tempfile.TemporaryDirectory(prefix="gitforge-bench-") as folder:
        base = Path(folder)
        make(base)
        cases = (
            (f"receiving {COMMITS:,} commits", "behind", f"{COMMITS}-published.git", MOST_IN),
            (f"sending {COMMITS:,} on top of {MEANWHILE}", "ahead", f"{MEANWHILE}-published.git", MOST_OUT),
        )
        verdicts = [measure(base, *case, rounds=options.rounds) for case in cases]
    return 0 if all(verdicts) else 1


def measure(base: Path, name: str, clone: str, bare: str, most: float, *, rounds: int) -> bool:
    """Prints a case's figures, and says whether its bound holds; the first round does not count."""
    ours, theirs, ratios = [], [], []
    for number in range(rounds + 1):
        fresh(base, clone, bare)
        one = timed(lambda: run([sys.executable, "-m", "gitforge", "sync"], base / "work"))
        tip = run_out([*GIT, "rev-parse", "HEAD^{tree}"], base / "work")
        start = timed(lambda: run([sys.executable, "-c", "pass"], base))
        fresh(base, clone, bare)
        other = timed(lambda: pull_and_push(base / "work"))
        assert tip == run_out([*GIT, "rev-parse", "HEAD^{tree}"], base / "work")
        if number:
            ours.append(one)
            theirs.append(other)
            ratios.append((one - start) / other)
    ratio = statistics.median(ratios)
    verdict = f"  (at most {most}) {'ok' if ratio <= most else 'EXCEEDED'}"
    times = f"{statistics.median(ours) * 1000:>12.0f}{statistics.median(theirs) * 1000:>9.0f}"
    print(f"{name:<40}{times}{ratio:>8.2f}{verdict}", flush=True)
    return ratio <= most


def pull_and_push(root: Path) -> None:
    """What somebody does by hand."""
    run([*GIT, "pull", "--quiet", "--rebase"], root)
    run([*GIT, "push", "--quiet"], root)


def fresh(base: Path, clone: str, bare: str) -> None:
    """The clone and the bare repository as they were, under the names that they know each other by."""
    for name, source in (("work", clone), ("team.git", bare)):
        shutil.rmtree(base / name, ignore_errors=True)
        shutil.copytree(base / source, base / name, symlinks=True)
    run([*GIT, "remote", "set-url", "origin", str(base / "team.git")], base / "work")
    run([*GIT, "update-index", "-q", "--refresh"], base / "work")


def make(base: Path) -> None:
    """The bare repositories and the clones from which every round starts."""
    start = base / "start"
    run([sys.executable, "-m", "gitforge", "init", str(start)], base)
    grow(start, "old", COMPONENTS)
    branch = run_out([*GIT, "symbolic-ref", "--short", "HEAD"], start)
    run([*GIT, "gc", "--quiet"], start)
    run([*GIT, "clone", "--quiet", "--bare", str(start), "start.git"], base)
    for name in ("behind", "ahead", "others"):
        run([*GIT, "clone", "--quiet", "start.git", name], base)
    for count in (MEANWHILE, COMMITS):
        run([*GIT, "reset", "--quiet", "--hard", f"origin/{branch}"], base / "others")
        grow(base / "others", f"theirs-{count}", count)
        shutil.copytree(base / "start.git", base / f"{count}-published.git")
        target = str(base / f"{count}-published.git")
        run([*GIT, "push", "--quiet", target, f"HEAD:refs/heads/{branch}"], base / "others")
    grow(base / "ahead", "ours", COMMITS)


def grow(root: Path, word: str, count: int) -> None:
    """Adds commits, each with one component."""
    branch = run_out([*GIT, "symbolic-ref", "HEAD"], root)
    with subprocess.Popen(["git", "fast-import", "--quiet"], cwd=root, stdin=subprocess.PIPE) as importer:
        assert importer.stdin is not None
        for number in range(count):
            kind = KINDS[number % len(KINDS)]
            path = f"library/{kind}/{word}_{number}.md"
            text = f"## {word} {number}\n\n" + "".join(f"{n}. Do what {path} says.\n" for n in range(15))
            message = (
                said("Generate", path, ("Assisted-by", "gitforge:model-1")) if number % 2 else f"Add {path}\n"
            )
            who = b"committer Ada <ada@example.org> %d +0000\n" % (1_700_000_000 + number)
            begin = b"from %s^0\n" % branch.encode() if number == 0 else b""
            change = b"M 644 inline %s\n" % path.encode() + data(text)
            importer.stdin.write(
                b"commit %s\n%s%s%s%s\n" % (branch.encode(), who, data(message), begin, change)
            )
    run([*GIT, "reset", "--quiet", "--hard"], root)


if __name__ == "__main__":
    sys.exit(main())
