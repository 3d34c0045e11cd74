"""A toolkit as it was at a commit, a date, or in a manifest: from git's objects alone, without a model."""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gitforge import goals_file, manifest, starter, toolkits
from gitforge.assemble import assemble
from gitforge.components import LibraryNotFetched
from gitforge.errors import Conflict, UserError
from gitforge.goals import FILE_NAME, Goal, GoalBook, Pin
from gitforge.inputs import Used, component_of, what_shows
from gitforge.manifest import Manifest, Part, Text
from gitforge.remake import remake, sha256_of
from gitforge.store import past, texts
from gitforge.templates import Renderer
from gitforge.workspace import Workspace

if TYPE_CHECKING:
    from gitforge.store.records import Commit
    from gitforge.store.repo import Repo

_AGO = re.compile(r"(\d{1,4}) (hour|day|week|month|year)s? ago")


@dataclass(frozen=True)
class PastToolkit:
    """A toolkit as it was.

    Attributes:
        project: Its name.
        goal: What it was for.
        files: File name to text.
        manifest: What it was made from, as JSON data.
        missing: Components for which a placeholder stands in, from the repository's root.
        commit: The commit that it is from; None where a manifest says it.
        of_today: The templates that this gitforge has and the commit has not got.
        in_no_commit: What it is made from and git does not keep for a commit's sake.
    """

    project: str
    goal: str
    files: Mapping[str, str]
    manifest: Mapping[str, Any]
    missing: tuple[str, ...]
    commit: Commit | None
    of_today: tuple[str, ...] = ()
    in_no_commit: tuple[bytes, ...] = ()

    def keep_texts(self, repo: Repo) -> None:
        """Has git keep all that the toolkit is made from; UserError where it cannot."""
        texts.keep(repo, self.in_no_commit)


def find_commit(repo: Repo, text: str, now: datetime) -> Commit | None:
    """The commit that a revision names, or the last one before a date on HEAD's own line; None if it is neither.

    Args:
        repo: The repository.
        text: A revision as git knows them, an ISO 8601 date or time, `yesterday`, or `3 weeks ago`.
        now: The time, with its zone.

    Raises:
        UserError: There is no commit before that date.
    """
    commit = repo.commit_of(text) if text else None
    if commit is None and (when := parse_date(text, now)) is not None:
        commit = past.commit_before(repo, when)
        if commit is None:
            cut = " in this shallow clone" if repo.is_shallow() else ""
            first = past.first_commit(repo)
            hint = "`git fetch --unshallow` brings the rest of the history." if cut else None
            if first is not None and not cut:
                hint = f"The first one is {first.id[:12]} of {first.date:%Y-%m-%d %H:%M %z}."
            raise UserError(f"there is no commit before {when:%Y-%m-%d %H:%M %z}{cut}", hint=hint)
    return past.read_commit(repo, commit) if commit is not None else None


def parse_date(text: str, now: datetime) -> datetime | None:
    """A date or time, with its zone; a date alone is its midnight. None where it is none.

    Git's own parser is not asked, because it takes any word for a date.
    """
    words = " ".join(text.casefold().split())
    with suppress(ValueError, OverflowError, OSError):
        if words == "yesterday":
            return now - timedelta(days=1)
        if found := _AGO.fullmatch(words):
            number, unit = int(found[1]), found[2]
            if unit == "hour":
                return now - timedelta(hours=number)
            if unit in {"day", "week"}:
                return now - timedelta(days=number * (7 if unit == "week" else 1))
            return _months_before(now, number * (12 if unit == "year" else 1))
        when = datetime.fromisoformat(text.strip())
        return when if when.tzinfo is not None else when.astimezone()
    return None


def _months_before(now: datetime, count: int) -> datetime:
    year, month = divmod(now.year * 12 + now.month - 1 - count, 12)
    day = min(now.day, calendar.monthrange(year, month + 1)[1])
    return now.replace(year=year, month=month + 1, day=day)


def from_manifest(repo: Repo, path: Path, name: str) -> PastToolkit:
    """The toolkit that a manifest says, verified by its hashes.

    Args:
        repo: The repository that has its texts.
        path: The manifest.
        name: How errors call it.

    Raises:
        UserError: It is no manifest, a text is not there any more, or gives another file.
    """
    known = manifest.load(path, name)
    beside = {one: path.parent / one for one in known.hashes}
    on_disk = {one: file.read_text("utf-8", "replace") for one, file in beside.items() if file.is_file()}
    files = remake(repo, known, name, on_disk=on_disk)
    missing = tuple(part.text.path or part.need.path for part in known.parts if part.text.blob is None)
    return PastToolkit(known.project, known.goal.name, files, known.as_json(), missing, None)


def from_commit(
    workspace: Workspace, repo: Repo, project: str, goal_name: str, commit: Commit
) -> PastToolkit:
    """The toolkit that a build would have made from what a commit has.

    Args:
        workspace: Where the workspace is today; it has to have been in the same folder.
        repo: The repository.
        project: The toolkit's name.
        goal_name: What it is for.
        commit: From which its goals.yaml, components and templates are.

    Raises:
        UserError: The commit has no goals.yaml that can be used, or not that goal, or a file that is no text.
    """
    goal, book = _recipe(workspace, repo, goal_name, commit)
    prefix = repo.relative(workspace.library.folder)
    library = workspace.library
    paths = {need: need.path if need.pin else f"{prefix}/{need.path}" for need in goal.needs}
    try:
        found = {
            need: library.foreign.file(need) if need.pin else past.read_file(repo, commit.id, path)
            for need, path in paths.items()
        }
    except LibraryNotFetched as error:
        raise _no_pin(error.pin, commit) from None
    components = [component_of(need, one[1] if one else None) for need, one in found.items()]
    own: dict[str, Text] = {}

    def find(name: str) -> tuple[str, str] | None:
        path = f"{prefix}/{name}"
        if (one := past.read_file(repo, commit.id, path)) is not None:
            own[name] = Text(path, one[0])
            return one[1], f"library/{name}"
        file = starter.library() / name
        return (file.read_text("utf-8"), f"library/{name}") if file.is_file() else None

    templates = Renderer(find)
    files = assemble(project, goal, components, book, templates)
    goal, book = what_shows(project, goal, components, book, templates, files)
    used = Used(repo)
    for need, file in found.items():
        if file is not None and need.pin is not None:
            used.text(paths[need], file[0], file[1], is_committed=False)
    own_paths = [path for need, path in paths.items() if need.pin is None]
    commits = repo.log.last_commits(own_paths, commit.id)
    made = Manifest(
        project=project,
        goal=goal,
        kinds=tuple(book.kinds.values()),
        parts=tuple(
            Part(
                need,
                Text(path, one[0] if one else None),
                need.pin.commit if need.pin else commits.get(path),
                is_uncommitted=False,
            )
            for need, path, one in zip(goal.needs, paths.values(), found.values(), strict=True)
        ),
        templates={
            name: own.get(name) or used.text(None, None, text, is_committed=False)
            for name, text in templates.loaded.items()
        },
        outputs=book.outputs,
        hashes={name: sha256_of(text) for name, text in files.items()},
    )
    missing = tuple(path for path, one in zip(paths.values(), found.values(), strict=True) if one is None)
    today = tuple(f"{prefix}/{name}" for name in templates.loaded if name not in own)
    return PastToolkit(
        project, goal.name, files, made.as_json(), missing, commit, today, tuple(used.in_no_commit)
    )


def _no_pin(pin: Pin, commit: Commit) -> UserError:
    return UserError(
        f"the library {pin.name} was pinned at {pin.commit[:12]} in {commit.id[:12]}, and that is not here",
        hint=f"`git fetch` with its address of that time and {pin.commit} brings it. A toolkit's own toolkit.json "
        "needs no library.",
    )


def _recipe(workspace: Workspace, repo: Repo, goal_name: str, commit: Commit) -> tuple[Goal, GoalBook]:
    path = repo.relative(workspace.goals_file)
    found = past.read_file(repo, commit.id, path)
    where = f"{FILE_NAME} at {commit.id[:12]}"
    if found is None:
        raise UserError(
            f"{where}: the commit has no {path}", hint=f"`git log -- {path}` shows the commits that have one."
        )
    book = goals_file.parse(found[1], where)
    try:
        return workspace.library.goal(book, goal_name), book
    except LibraryNotFetched as error:
        raise _no_pin(error.pin, commit) from None


def goal_of(workspace: Workspace, project: str) -> str | None:
    """What the toolkit of that name in `output/` says that it is for."""
    return toolkits.goal_of(toolkits.folder(workspace, project))


def write_copy(folder: Path, toolkit: PastToolkit) -> tuple[str, ...]:
    """Writes a toolkit into a folder of its own, which is made if it is missing.

    Args:
        folder: Anywhere.
        toolkit: What is written.

    Returns:
        The names of the files that were not there yet.

    Raises:
        Conflict: A file of that name is there and differs.
        UserError: The folder cannot be written.
    """
    contents = toolkits.contents_of(toolkit.files, toolkit.manifest)
    try:
        there = {name: (folder / name).read_bytes() for name in contents if (folder / name).exists()}
        others = [name for name, content in there.items() if content != contents[name]]
        if others:
            raise Conflict(
                f"{folder}: has other files of these names, so not overwritten: {', '.join(others)}",
                hint="Name another folder, or move them away.",
            )
        folder.mkdir(parents=True, exist_ok=True)
        new = [name for name in contents if name not in there]
        for name in new:
            fresh = folder / f".{name}.new"
            fresh.write_bytes(contents[name])
            fresh.rename(folder / name)
    except OSError as error:
        raise UserError(f"{folder}: cannot be written: {error.strerror or error}") from error
    return tuple(new)
