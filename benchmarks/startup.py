"""What a command costs from cold, as a ratio to the cheapest program that could do its job.

    python benchmarks/startup.py            # tables, and exit code 1 where a bound is exceeded
    python benchmarks/startup.py --runs 40  # steadier

The floor is `python -c "import typer"`: an interpreter that has loaded the command-line library and does
nothing. Each round runs the floor and every subject once, in turn, so that a noisy machine slows all of them
alike; a figure is the median of the per-round ratios. Absolute times are printed for orientation only.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from commands import GITFORGE, median_ratio, run, timed

GOALS, COMPONENTS = 1_000, 10_000


@dataclass(frozen=True)
class Subject:
    """A command to time: what it is called, how it is run, and where."""

    name: str
    command: tuple[str, ...]
    folder: Path


@dataclass(frozen=True)
class Bound:
    """A promise: `subject` takes at most `most` times as long as `floor`."""

    subject: str
    floor: str
    most: float


BOUNDS = (
    Bound("build", "floor", 3.0),
    Bound("list", "floor", 2.5),
    Bound("complete goal", "floor", 2.5),
    Bound("complete name", "floor", 2.5),
    Bound("complete commit", "floor", 2.5),
    Bound("build, large", "build", 1.5),
    Bound("list, large", "list", 1.5),
)


def main() -> int:
    """Measures, prints, and says whether every bound holds."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=20, help="rounds that count (default: 20)")
    rounds = parser.parse_args().runs
    with tempfile.TemporaryDirectory(prefix="gitforge-bench-") as folder:
        subjects = prepare(Path(folder))
        times = measure(subjects, rounds)
    print(f"{'command':<16}{'median ms':>10}{'ratio to the floor':>22}")
    for subject in subjects:
        ratio = median_ratio(times[subject.name], times["floor"])
        print(f"{subject.name:<16}{statistics.median(times[subject.name]) * 1000:>10.0f}{ratio:>22.2f}")
    print()
    kept = True
    for bound in BOUNDS:
        ratio = median_ratio(times[bound.subject], times[bound.floor])
        kept = kept and ratio <= bound.most
        verdict = "ok" if ratio <= bound.most else "EXCEEDED"
        print(f"{bound.subject} / {bound.floor}: {ratio:.2f} (at most {bound.most}) {verdict}")
    return 0 if kept else 1


def prepare(folder: Path) -> list[Subject]:
    """The starter workspace, a large one, and the commands to time in them."""
    gitforge = GITFORGE
    small, large = folder / "small", folder / "large"
    run([*gitforge, "init", str(small)], folder)
    shutil.copytree(small, large)
    grow(large)
    build = (*gitforge, "build", "bench", "--goal", "DIAGNOSE_ROOT_CAUSE")
    listing = (*gitforge, "list")

    def completing(*words: str) -> tuple[str, ...]:
        """What a shell runs at the Tab key."""
        typed = "\n".join(("gitforge", *words))
        return ("env", "_GITFORGE_COMPLETE=zsh", f"_GITFORGE_WORDS={typed}", *gitforge)

    subjects = [
        Subject("floor", (sys.executable, "-c", "import typer"), folder),
        Subject("build", build, small),
        Subject("list", listing, small),
        Subject("complete goal", completing("build", "--goal", "DIAG"), small),
        Subject("complete name", completing("show", "digital"), small),
        Subject("complete commit", completing("diff", ""), small),
        Subject("complete, large", completing("show", "digital"), large),
        Subject("build, large", build, large),
        Subject("list, large", listing, large),
    ]
    for subject in subjects:
        run(
            list(subject.command), subject.folder
        )  # compiles, and writes the toolkit: builds after it find it there
    return subjects


def grow(workspace: Path) -> None:
    """Adds goals and components until there are `GOALS` and `COMPONENTS`, and commits them."""
    per_kind = COMPONENTS // 3
    for kind in ("personas", "protocols", "constraints"):
        for number in range(per_kind):
            text = f"## {kind} {number}\n\nA component of its own.\n"
            (workspace / "library" / kind / f"{kind}_{number}.md").write_text(text)
    lines = []
    for number in range(GOALS):
        if number % 50 == 0:
            lines.append(f"  Category {number // 50}:\n")
        constraints = ", ".join(f"constraints_{(number * 3 + step) % per_kind}.md" for step in range(3))
        lines.append(
            f"    GOAL_{number}:\n"
            f"      description: To measure how long the goal with the number {number} takes.\n"
            f"      persona: personas_{number % per_kind}.md\n"
            f"      protocol: protocols_{number % per_kind}.md\n"
            f"      constraints: [{constraints}]\n"
        )
    with (workspace / "goals.yaml").open("a") as file:
        file.writelines(lines)
    git = ["git", "-c", "user.name=bench", "-c", "user.email=bench@example.org", "-c", "gc.auto=0"]
    run([*git, "add", "--all"], workspace)
    run([*git, "commit", "--quiet", "-m", "A large library"], workspace)


def measure(subjects: list[Subject], rounds: int) -> dict[str, list[float]]:
    """Seconds of wall clock per subject, one figure a round; the first two rounds do not count."""
    times: dict[str, list[float]] = {subject.name: [] for subject in subjects}
    for number in range(rounds + 2):
        for subject in subjects:
            seconds = timed(lambda subject=subject: run(list(subject.command), subject.folder))  # type: ignore[misc]
            if number >= 2:
                times[subject.name].append(seconds)
    return times


if __name__ == "__main__":
    sys.exit(main())
