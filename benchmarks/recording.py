"""What recording one component costs, as a ratio to `git add` and `git commit` by hand.

    python benchmarks/recording.py             # tables, and exit code 1 where a bound is exceeded
    python benchmarks/recording.py --rounds 30 # steadier
    python benchmarks/recording.py --only 10   # the library of 10 components alone, without the bulk

Libraries of 10, 1,000 and 100,000 components, all of them files in a worktree that git knows to be unchanged.
Each round records one component in each of the ways, in turn, so that a noisy machine slows all alike; a
figure is the median of the per-round ratios. "In process" is one call of `record`. "Command" is a whole
`gitforge generate` with the offline provider, less an interpreter's start with the same imports in the same
round; "no-op" is the same for a component that is there already: arguments, settings, goals.yaml, states. Absolute
times are printed for orientation only.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from commands import GITFORGE, floor_of, median_ratio, run, timed

from gitforge.store.edits import NewFile
from gitforge.store.repo import Repo
from gitforge.store.transaction import record

KINDS = ("personas", "protocols", "constraints")
BULK = 1_000


@dataclass(frozen=True)
class Case:
    """A library's size, how many rounds it gets, and the bound of its ratios, if there is one."""

    components: int
    rounds: float
    most: float | None


CASES = (Case(10, 1.0, 1.5), Case(1_000, 1.0, None), Case(100_000, 0.5, 0.6))


def main() -> int:
    """Measures, prints, and says whether every bound holds."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--rounds", type=int, default=20, help="rounds in the smaller libraries (default: 20)"
    )
    parser.add_argument(
        "--only", type=int, choices=[case.components for case in CASES], help="the library of this size alone"
    )
    arguments = parser.parse_args()
    cases = [case for case in CASES if arguments.only in {None, case.components}]
    os.environ.update(GIT_CONFIG_NOSYSTEM="1", GIT_CONFIG_GLOBAL=os.devnull)
    kept = True
    print(f"{'components':>10}  {'':<12}{'median ms':>10}{'ratio to git by hand':>22}")
    with tempfile.TemporaryDirectory(prefix="gitforge-bench-") as folder:
        for case in cases:
            workspace = Path(folder) / str(case.components)
            prepare(workspace, case.components)
            times = measure(workspace, max(3, round(arguments.rounds * case.rounds)))
            print(f"{case.components:>10,}  {'by hand':<12}{milliseconds(times['by hand']):>10.1f}")
            for way in ("in process", "command", "no-op"):
                ratio = median_ratio(times[way], times["by hand"])
                verdict = ""
                if case.most is not None and way != "no-op":
                    kept = kept and ratio <= case.most
                    verdict = f"  at most {case.most}: {'ok' if ratio <= case.most else 'EXCEEDED'}"
                print(f"{'':>10}  {way:<12}{milliseconds(times[way]):>10.1f}{ratio:>22.2f}{verdict}")
        if arguments.only is None:
            workspace = Path(folder) / "1000"
            print(f"\n{BULK:,} components in bulk, in one process: {bulk(workspace):.0f} commits a second")
    return 0 if kept else 1


def prepare(workspace: Path, components: int) -> None:
    """A workspace whose library has that many components, committed and checked out."""
    run([*GITFORGE, "init", str(workspace)], workspace.parent)
    who = "committer bench <bench@example.org> 1700000000 +0000\n"
    stream = [f"commit refs/heads/main\n{who}data 15\nA large library\nfrom refs/heads/main^0\n"]
    stream += [f"D library/{kind}\n" for kind in KINDS]
    for number in range(components):
        text = f"## Component {number}\n\nA component of its own.\n"
        path = f"library/{KINDS[number % len(KINDS)]}/component_{number}.md"
        stream.append(f"M 100644 inline {path}\ndata {len(text)}\n{text}\n")
    run(["git", "fast-import", "--quiet"], workspace, "".join(stream))
    run(["git", "reset", "--quiet", "--hard"], workspace)
    for key, value in {"user.name": "bench", "user.email": "bench@example.org", "gc.auto": "0"}.items():
        run(["git", "config", key, value], workspace)
    time.sleep(1.1)  # from now on no file is as young as the index, so git trusts what it has noted of them
    run(["git", "update-index", "--refresh", "--force-write-index"], workspace)


def measure(workspace: Path, rounds: int) -> dict[str, list[float]]:
    """Seconds of wall clock for each way, one figure a round; the first round does not count."""
    repo = Repo.discover(workspace)
    generate = ["generate", "--yes", "--no-review", "--provider", "offline", "--describe"]
    floors = {
        "command": floor_of([*generate, "warm_up.md=For the warm-up.", "protocols/warm_up.md"], workspace),
        "no-op": floor_of([*generate[:-1], "protocols/warm_up.md"], workspace),
    }
    times: dict[str, list[float]] = {"by hand": [], "in process": [], "command": [], "no-op": []}
    for number in range(rounds + 1):
        content = f"## Round {number}\n\nA component of its own.\n"
        path = f"library/protocols/by_hand_{number}.md"
        (workspace / path).write_text(content)
        name = f"command_{number}.md"
        command = [*GITFORGE, *generate, f"{name}=For {number}.", f"protocols/{name}"]
        again = [*GITFORGE, *generate[:-1], f"protocols/{name}"]

        seconds = {
            "by hand": timed(partial(by_hand, workspace, path)),
            "in process": timed(partial(record_one, repo, number, content)),
            "command": timed(partial(run, command, workspace))
            - timed(partial(run, floors["command"], workspace)),
            "no-op": timed(partial(run, again, workspace)) - timed(partial(run, floors["no-op"], workspace)),
        }
        if number >= 1:
            for way, figure in seconds.items():
                times[way].append(figure)
    return times


def by_hand(workspace: Path, path: str) -> None:
    """Records a file that is there already as a person does."""
    run(["git", "add", "--", path], workspace)
    run(["git", "commit", "--quiet", "-m", f"Add {path}"], workspace)


def record_one(repo: Repo, number: int, content: str) -> None:
    """Records one component as a generation does."""
    name = f"library/protocols/recorded_{number}.md"
    record(
        repo, [NewFile(name, content.encode())], f"Generate protocol recorded_{number}\n\nComponent: {name}\n"
    )


def bulk(workspace: Path) -> float:
    """How many commits a second there are where one process records one component after the other."""
    repo = Repo.discover(workspace)

    def every() -> None:
        for number in range(BULK):
            record_one(repo, 1_000_000 + number, f"## Bulk {number}\n")

    return BULK / timed(every)


def milliseconds(seconds: list[float]) -> float:
    """Their median."""
    return statistics.median(seconds) * 1000


if __name__ == "__main__":
    sys.exit(main())
