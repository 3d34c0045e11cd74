"""What history costs to read, as ratios to the plain git command that reads the same.

    python benchmarks/history.py             # tables, and exit code 1 where a bound is exceeded
    python benchmarks/history.py --rounds 20 # steadier
    python benchmarks/history.py --keep DIR  # makes the history there once, and uses it again

50,000 commits, 10,000 components, 2,500 goals that use them all: generations, regenerations, edits, approvals and
commits about other things, as git leaves them after `git gc`. Each round runs a command of gitforge and what git has
for it, in turn, so that a noisy machine slows both alike; a figure is the median of the per-round ratios. For a
toolkit's file git blames each of the files that it was made from. One thing is taken off each time of gitforge,
measured in the same round: the start of a bare interpreter, `python -c pass`. Everything else counts: typer,
goals.yaml, our own imports. The last column is for orientation: the same less the start of an interpreter that imports
what the command imports. What commit messages say and what `status` last said is kept in the git directory: "after a
change" is without the latter, "anew" without either. Absolute times are for orientation too.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from commands import floor_of, run, timed

COMMITS, COMPONENTS, GOALS = 50_000, 10_000, 2_500
KINDS = ("personas", "protocols", "constraints")
ONE = "protocols_7.md"
PROJECT = "bench"


@dataclass(frozen=True)
class Case:
    """A command of gitforge, the one of git that reads the same, and the bound of their ratio.

    Attributes:
        name: What is measured.
        ours: gitforge's arguments.
        theirs: git's; of several commands, one after the other.
        most: The bound; None where the figure is for orientation.
        before: What happens before each run of ours.
    """

    name: str
    ours: tuple[str, ...]
    theirs: tuple[tuple[str, ...], ...]
    most: float | None = 2.0
    before: Callable[[Path], object] = lambda _: None


def forget(workspace: Path) -> None:
    """Removes what was kept of earlier reading."""
    for name in ("origins", "status"):
        (workspace / ".git/gitforge" / name).unlink(missing_ok=True)


def forget_answer(workspace: Path) -> None:
    """Removes what the last `status` said, so that it is found again, as after any change."""
    (workspace / ".git/gitforge/status").unlink(missing_ok=True)


SAID = ("log", "--format=%H %an %aI %B", "-F", "--grep=Component: ")
GOAL, PARTS = "GOAL_7", tuple(f"library/{kind}/{kind}_7.md" for kind in KINDS)
PROMPT = ("protocols/protocols_7.md", "constraints/constraints_7.md", "constraints/constraints_15.md",
          "templates/prompt_template.md")  # fmt: skip
CASES = (
    Case("log of one component", ("log", ONE), (("log", "--raw", "--", f"library/protocols/{ONE}"),)),
    Case("log of a goal", ("log", GOAL), (("log", "--raw", "--", *PARTS),)),
    Case("status", ("status",), (("status",),)),
    Case("status, after a change", ("status",), (("status",),), most=None, before=forget_answer),
    Case("status, anew", ("status",), (SAID,), most=None, before=forget),
    Case("review --list", ("review", "--list"), (SAID,)),
    Case("blame", ("blame", f"output/{PROJECT}/01_PROMPT_TEMPLATE.md"),
         tuple(("blame", f"library/{one}") for one in PROMPT)),
)  # fmt: skip


def main() -> int:
    """Measures, prints, and says whether every bound holds."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7, help="rounds that count (default: 7)")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="make the history there, or use it")
    parser.add_argument("--only", metavar="TEXT", default="", help="only cases with that in their name")
    options = parser.parse_args()
    os.environ.update(GIT_CONFIG_NOSYSTEM="1", GIT_CONFIG_GLOBAL=os.devnull, GIT_PAGER="cat")
    with tempfile.TemporaryDirectory(prefix="gitforge-bench-") as folder:
        workspace = options.keep or Path(folder) / "work"
        if not workspace.exists():
            make(workspace)
        print(f"{'':<24}{'gitforge ms':>12}{'git ms':>9}{'ratio':>8}{'less imports':>14}")
        verdicts = [measure(case, workspace, options.rounds) for case in CASES if options.only in case.name]
    return 0 if all(verdicts) else 1


def measure(case: Case, workspace: Path, rounds: int) -> bool:
    """Prints a case's figures, and says whether its bound holds; the first round does not count."""
    gitforge = [sys.executable, "-m", "gitforge", *case.ours]
    if subprocess.run([*gitforge, "--help"], capture_output=True, check=False).returncode != 0:
        print(f"{case.name:<24}there is no such command")
        return True
    ours, theirs, ratios, less_imports = [], [], [], []
    run(gitforge, workspace)  # so that its imports are those of all the runs that follow
    case.before(workspace)
    floor = floor_of([*case.ours], workspace)
    for number in range(rounds + 1):
        case.before(workspace)
        one = timed(lambda: run(gitforge, workspace))
        start = timed(lambda: run([sys.executable, "-c", "pass"], workspace))
        imports = timed(lambda: run(floor, workspace))
        other = timed(lambda: [run(["git", *one], workspace) for one in case.theirs])
        if number:
            ours.append(one)
            theirs.append(other)
            ratios.append((one - start) / other)
            less_imports.append((one - imports) / other)
    ratio = statistics.median(ratios)
    is_kept = case.most is None or ratio <= case.most
    bound = "" if case.most is None else f"  (at most {case.most}) {'ok' if is_kept else 'EXCEEDED'}"
    times = f"{statistics.median(ours) * 1000:>12.0f}{statistics.median(theirs) * 1000:>9.0f}"
    print(f"{case.name:<24}{times}{ratio:>8.2f}{statistics.median(less_imports):>14.2f}{bound}", flush=True)
    return is_kept


def make(workspace: Path) -> None:
    """A workspace with a long history, and one toolkit."""
    run([sys.executable, "-m", "gitforge", "init", str(workspace)], workspace.parent)
    for kind in KINDS:
        shutil.rmtree(workspace / "library" / kind)
    (workspace / "goals.yaml").write_text(goals())
    git = ["git", "-c", "user.name=bench", "-c", "user.email=bench@example.org", "-c", "gc.auto=0"]
    run([*git, "add", "--all"], workspace)
    run([*git, "commit", "--quiet", "-m", "A large book of goals"], workspace)
    branch = run_out([*git, "symbolic-ref", "HEAD"], workspace)
    with subprocess.Popen(
        ["git", "fast-import", "--quiet"], cwd=workspace, stdin=subprocess.PIPE
    ) as importer:
        assert importer.stdin is not None
        for part in history(branch):
            importer.stdin.write(part)
    run([*git, "gc", "--quiet"], workspace)
    run([*git, "reset", "--quiet", "--hard"], workspace)
    build = [sys.executable, "-m", "gitforge", "build", PROJECT, "--goal", GOAL]
    run(build, workspace)
    run([*git, "status"], workspace)


def run_out(command: list[str], folder: Path) -> str:
    """What a command says."""
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


def goals() -> str:
    """A book of goals in which every component is used."""
    lines = ["version: 1\ngoals:\n"]
    per_kind = COMPONENTS // len(KINDS)
    for number in range(GOALS):
        if number % 50 == 0:
            lines.append(f"  Category {number // 50}:\n")
        mine = [f"constraints_{one % per_kind}.md" for one in (number, number * 2 + 1)]
        lines.append(
            f"    GOAL_{number}:\n"
            f"      description: To measure how long the goal with the number {number} takes.\n"
            f"      persona: personas_{number % per_kind}.md\n"
            f"      protocol: protocols_{number % per_kind}.md\n"
            f"      constraints: [{', '.join(mine)}]\n"
        )
    return "".join(lines)


def history(branch: str) -> Iterator[bytes]:
    """The commits, for git-fast-import(1)."""
    paths = [f"library/{KINDS[n % 3]}/{KINDS[n % 3]}_{n // 3}.md" for n in range(COMPONENTS)]
    blobs: dict[str, str] = {}
    for number in range(COMMITS):
        path = paths[(number * 7919) % COMPONENTS] if number >= COMPONENTS else paths[number]
        what = (
            "generate"
            if number < COMPONENTS
            else ("edit", "other", "approve", "edit", "generate")[number % 5]
        )
        text = f"## {path}\n\nVersion {number}.\n\n" + "".join(
            f"{n}. Do what {path} says.\n" for n in range(15)
        )
        blob = hashlib.sha1(b"blob %d\0%s" % (len(text), text.encode())).hexdigest()
        change = b""
        message = f"Change number {number}\n"
        if what == "approve":
            message = said("Approve", path, ("Blob", blobs[path]), ("Reviewed-by", "Ada <ada@example.org>"))
        elif what == "other":
            change = b"M 644 inline notes.txt\n" + data(f"{number}\n")
        else:
            change = b"M 644 inline %s\n" % path.encode() + data(text)
            blobs[path] = blob
        if what == "generate":
            prompt = "sha256:" + hashlib.sha256(text.encode()).hexdigest()
            message = said(
                "Generate", path, ("Assisted-by", "gitforge:model-1"), ("Prompt-Id", prompt),
                ("Tokens", "1234 in, 567 out"), ("Cost", "about $0.0031 (estimate)"), ("Blob", blob),
            )  # fmt: skip
        who = b"committer Ada <ada@example.org> %d +0000\n" % (1_700_000_000 + number * 60)
        start = b"from %s^0\n" % branch.encode() if number == 0 else b""
        yield b"commit %s\n%s%s%s%s\n" % (branch.encode(), who, data(message), start, change)


def said(word: str, path: str, *trailers: tuple[str, str]) -> str:
    """A message of gitforge's."""
    lines = [f"{name}: {value}" for name, value in (("Component", path), *trailers)]
    purpose = (
        "To do what it was made for, in a sentence that fills most of a line.\n\n"
        if word == "Generate"
        else ""
    )
    return f"{word} {path}\n\n{purpose}" + "\n".join(lines) + "\n"


def data(text: str) -> bytes:
    """Content, for git-fast-import(1)."""
    content = text.encode()
    return b"data %d\n%s" % (len(content), content)


if __name__ == "__main__":
    sys.exit(main())
