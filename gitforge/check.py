"""The linter: everything that can be wrong with a workspace, found without changing it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from gitforge import components, documents, goals_file
from gitforge.components import Library
from gitforge.errors import InvalidFile, Problem, UserError
from gitforge.goals import GoalBook
from gitforge.templates import MAX_BYTES, Templates
from gitforge.workspace import Workspace


def check(workspace: Workspace) -> list[Problem]:
    """Every problem of a workspace, errors and warnings, in the order of the files.

    Where goals.yaml itself cannot be read, only its problems are given: it says what the library should hold.
    """
    try:
        text = documents.read_text(workspace.goals_file, workspace.goals_file.name)
        book = goals_file.inspect(text, workspace.goals_file.name)
    except InvalidFile as error:
        return list(error.problems)
    except UserError as error:
        return [Problem(workspace.goals_file.name, error.message, hint=error.hint)]
    found = [*book.problems, *components.text_problems(text.removeprefix("\ufeff"), book.file)]
    for part in (_missing, _components, _unused, _templates):
        try:
            found += part(workspace, book)
        except UserError as error:
            name, _, message = error.message.partition(": ")
            problem = Problem(name, message, hint=error.hint)
            if problem not in found:
                found.append(problem)
    return found


def _missing(workspace: Workspace, book: GoalBook) -> Iterator[Problem]:
    """Components that a goal names and that are not there."""
    have = {kind.name: workspace.library.entries(kind) for kind in book.kinds.values()}
    told: set[str] = set()
    for goal in book.goals.values():
        for need in goal.needs:
            if need.name not in have[need.kind.name] and need.path not in told:
                told.add(need.path)
                message = f"the goal {goal.name} needs library/{need.path}, which is missing"
                hint = f"Generate it: `gitforge generate {shlex.quote(need.path)}`"
                yield Problem(book.file, message, need.line or goal.line, hint)


def _components(workspace: Workspace, book: GoalBook) -> Iterator[Problem]:
    for kind in book.kinds.values():
        seen: dict[str, str] = {}
        for need in workspace.library.all([kind]):
            yield from components.problems(workspace.library, need)
            twin = seen.setdefault(need.name.casefold(), need.name)
            if twin != need.name:
                message = f"differs from {twin} in upper and lower case only: some systems cannot hold both"
                yield Problem(f"library/{need.path}", message, hint="Rename one of the two.")
        yield from _strangers(workspace.library, kind.folder)


def _strangers(library: Library, folder: str) -> Iterator[Problem]:
    """Files in a kind's folder that can be no component."""
    directory = library.folder / folder
    for path in sorted(directory.iterdir()) if directory.is_dir() else ():
        if path.name.startswith(".") or (path.is_file() and path.name.endswith((".md", ".txt"))):
            continue
        what = (
            "a broken link"
            if path.is_symlink() and not path.exists()
            else "a folder"
            if path.is_dir()
            else "no .md or .txt file"
        )
        yield Problem(f"library/{folder}/{path.name}", f"is {what}, so no component", severity="warning")


def _unused(workspace: Workspace, book: GoalBook) -> Iterator[Problem]:
    used = book.needs()
    for need in workspace.library.all(book.kinds.values()):
        if need.path not in used:
            yield Problem(f"library/{need.path}", "no goal uses this component", severity="warning")


def _templates(workspace: Workspace, book: GoalBook) -> Iterator[Problem]:
    templates = Templates(workspace)
    for output, template in book.outputs.items():
        if not templates.exists(template):
            message = f"the output {output} is laid out by library/{template}, which is missing"
            yield Problem(book.file, message, hint="Create the template, or correct its name.")
    for name in templates.own():
        problem = templates.problem(name)
        if problem is not None:
            yield problem
            continue
        path: Path = workspace.library.folder / name
        yield from components.text_problems(
            documents.read_text(path, f"library/{name}", MAX_BYTES), f"library/{name}"
        )
