"""What a commit of another library has, looked at before anything of it is used: nothing is written to disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitforge import goals_file, names
from gitforge.components import MAX_BYTES
from gitforge.documents import MAX_BYTES as MAX_GOALS_BYTES
from gitforge.errors import Problem, UserError
from gitforge.foreign import as_ours
from gitforge.goals import FILE_NAME, Goal, GoalBook, Kind, Pin
from gitforge.names import COMPONENT_SUFFIXES
from gitforge.payloads import Suspicion, suspicions
from gitforge.store import snapshots
from gitforge.store.batch import Batch
from gitforge.store.snapshots import Sized
from gitforge.store.tree import kind as entry_kind
from gitforge.text import printable

if TYPE_CHECKING:
    from gitforge.store.repo import Repo

_SHOWN = 5


@dataclass(frozen=True)
class Look:
    """What a commit has.

    Attributes:
        components: Those that can be used, by path below `library/`: `personas/auditor.md`.
        goals: The names of its goals that can be used.
        unmatched: Its kinds that goals.yaml does not declare here, so that what it has of them cannot be used.
        problems: What in it cannot be used: too large, a link, no text, a goal of a kind that is not declared here.
        suspicions: What a reader would not see, or what speaks to the model behind their back, by component.
    """

    components: tuple[str, ...]
    goals: tuple[str, ...]
    unmatched: tuple[Kind, ...]
    problems: tuple[Problem, ...]
    suspicions: tuple[tuple[str, Suspicion], ...]


def look(repo: Repo, pin: Pin, own: GoalBook) -> Look:
    """Looks at a library.

    Args:
        repo: The repository, which has the commit.
        pin: The library and the commit.
        own: The goals here, whose kinds say what can be used.

    Raises:
        InvalidFile: Its goals.yaml has errors.
        UserError: It is no library: the folder is missing, or has no goals.yaml.
    """
    files = snapshots.files_below(repo, pin.commit, pin.folder)
    book = _book(repo, pin, files)
    usable = {name: kind for name, kind in book.kinds.items() if name in own.kinds}
    there = dict(_components(files, pin.inside("library/"), usable.values()))
    problems = [problem for path, sized in there.items() if (problem := _problem(pin, path, sized))]
    bad = {problem.file for problem in problems}
    good = {path: sized for path, sized in there.items() if printable(f"{pin.name}:{path}") not in bad}
    unusable = {goal.name: no for goal in book.goals.values() if (no := _goal_problem(pin, goal, own))}
    problems += unusable.values()
    found: list[tuple[str, Suspicion]] = []
    objects = Batch(repo.root)
    for path in [*good]:
        try:
            found += [(path, one) for one in suspicions(objects.content(good[path].entry.id).decode())]
        except UnicodeDecodeError:
            problems.append(Problem(f"{pin.name}:{path}", "is not UTF-8 text, so it cannot be used"))
            del good[path]
    return Look(
        tuple(good),
        tuple(name for name in book.goals if name not in unusable),
        tuple(kind for name, kind in book.kinds.items() if name not in usable),
        tuple(problems),
        tuple(found),
    )


def refuse_other(repo: Repo, pin: Pin) -> None:
    """Raises, as `look` does, where what a pin names is no library that can be used."""
    _book(repo, pin, snapshots.files_below(repo, pin.commit, pin.folder))


def _book(repo: Repo, pin: Pin, files: Mapping[str, Sized]) -> GoalBook:
    """A library's goals.yaml; raises UserError where it will not do."""
    if pin.folder and not files:
        raise UserError(f"{pin.name} has no folder {printable(pin.folder)}", hint=_elsewhere(repo, pin))
    goals = files.get(pin.inside(FILE_NAME))
    if goals is None:
        raise UserError(
            f"{pin.name} is no library: {printable(pin.folder or 'its top')} has no {FILE_NAME}",
            hint=_elsewhere(repo, pin),
        )
    name = f"{pin.name}:{FILE_NAME}"
    if not goals.entry.is_file:
        raise UserError(f"{name} is {entry_kind(goals.entry)}, and no file")
    if (goals.size or 0) > MAX_GOALS_BYTES:
        raise UserError(f"{name} has {goals.size:,} bytes: more than {MAX_GOALS_BYTES:,} are not read")
    try:
        return goals_file.parse(repo.objects.read_blob(goals.entry.id).decode(), name)
    except UnicodeDecodeError:
        raise UserError(f"{name} is not UTF-8 text") from None


def _components(files: dict[str, Sized], start: str, kinds: Iterable[Kind]) -> Iterator[tuple[str, Sized]]:
    folders = {kind.folder for kind in kinds}
    for path, sized in files.items():
        inner = path.removeprefix(start)
        if inner != path and inner.endswith(COMPONENT_SUFFIXES) and inner.rpartition("/")[0] in folders:
            yield inner, sized


def _problem(pin: Pin, path: str, sized: Sized) -> Problem | None:
    name = f"{pin.name}:{path}"
    try:
        names.component_name(path.rpartition("/")[2])
    except UserError as error:
        return Problem(printable(name), f"cannot be used: {error.message}")
    if not sized.entry.is_file:
        return Problem(name, f"is {entry_kind(sized.entry)}, so it cannot be used")
    if (sized.size or 0) > MAX_BYTES:
        return Problem(name, f"has {sized.size:,} bytes, so it cannot be used: {MAX_BYTES:,} at most")
    return None


def _goal_problem(pin: Pin, goal: Goal, own: GoalBook) -> Problem | None:
    """Why a goal cannot be used here."""
    try:
        as_ours(goal, pin, own.kinds)
    except UserError as error:
        return Problem(f"{pin.name}:{FILE_NAME}", error.message, goal.line, error.hint)
    return None


def _elsewhere(repo: Repo, pin: Pin) -> str:
    """Where in the repository a workspace is."""
    files = snapshots.files_below(repo, pin.commit)
    found: Sequence[str] = [
        path.removesuffix(FILE_NAME).rstrip("/")
        for path in files
        if path.endswith(f"/{FILE_NAME}") or path == FILE_NAME
    ]
    if not found:
        return "Is the address right? No folder of that repository is a gitforge workspace."
    shown = " or ".join(f"--folder {printable(folder)}" for folder in found[:_SHOWN] if folder)
    return f"There is one in it: {shown}." if shown else "Leave --folder: the repository's top is one."
