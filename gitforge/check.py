"""The linter: everything that can be wrong with a workspace, found without changing it."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

from gitforge import components, documents, goals_file
from gitforge.components import Library
from gitforge.drafting import rules as draft_rules
from gitforge.drafting.prompting import Brief, generators_of
from gitforge.errors import InvalidFile, Problem, UserError
from gitforge.goals import Goal, GoalBook, Need
from gitforge.templates import MAX_BYTES, Templates
from gitforge.text import did_you_mean, printable
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
    for part in (missing, _libraries, _components, _unused, _templates):
        try:
            found += part(workspace, book)
        except UserError as error:
            name, _, message = error.message.partition(": ")
            problem = Problem(name, message, hint=error.hint)
            if problem not in found:
                found.append(problem)
    return found


def missing(workspace: Workspace, book: GoalBook) -> Iterator[Problem]:
    """Components that a goal names and that are not there."""
    have = {kind.name: workspace.library.entries(kind) for kind in book.kinds.values()}
    told: set[str] = set()
    for goal in book.goals.values():
        for need in goal.needs:
            if need.pin is None and need.name not in have[need.kind.name] and need.path not in told:
                told.add(need.path)
                message = f"the goal {goal.name} needs library/{need.path}, which is missing"
                hint = f"Generate it: `gitforge generate {shlex.quote(need.path)}`."
                yield Problem(book.file, message, need.line or goal.line, hint)


def _libraries(workspace: Workspace, book: GoalBook) -> Iterator[Problem]:
    """Other libraries that are not fetched or cannot be used, and what is wrong with the components in use."""
    broken: set[str] = set()
    for pin in book.libraries.values():
        try:
            lacking = workspace.foreign.unmatched(pin, book.kinds)
        except UserError as error:
            broken.add(pin.name)
            yield Problem(book.file, error.message, pin.line, error.hint)
            continue
        for kind in lacking:
            name = printable(kind.name)
            message = f"the library {pin.name} has the kind {name}, which is not declared here"
            hint = "Declare it under `kinds` to use such components."
            yield Problem(book.file, message, pin.line, hint, "warning")
    used = {need.path: (need, goal) for goal in book.goals.values() for need in goal.needs if need.pin}
    for need, goal in [*used.values(), *_built_with(workspace, book, used)]:
        if need.library in broken:
            continue
        found = [*_foreign_problems(workspace, need), *_suspicions(workspace, need)]
        yield from found
        if goal is not None and not found and workspace.foreign.blob(need) is None:
            message = f"the goal {goal.name} needs {need.path}, which the library has not got at its pin"
            hint = f"Correct the name, or pin another commit: `gitforge library update {need.library}`."
            yield Problem(book.file, message, need.line or goal.line, hint)


def _built_with(
    workspace: Workspace, book: GoalBook, used: Collection[str]
) -> Iterator[tuple[Need, Goal | None]]:
    """What toolkits here take of other libraries, beside what own goals name."""
    if not book.libraries:
        return
    from gitforge.library_changes import built_with  # noqa: PLC0415 -- what reads other libraries, where there are any

    needs = {need.path: need for need in built_with(workspace, book, [*book.libraries.values()])}
    yield from ((need, None) for path, need in needs.items() if path not in used)


def _foreign_problems(workspace: Workspace, need: Need) -> Iterator[Problem]:
    """What is wrong with a component that cannot be changed here."""
    found = list(components.problems(workspace.library, need))
    try:
        workspace.foreign.text(need)
    except UserError:  # which `found` says, with what helps against it
        yield from found
        return
    for problem in found:
        hint = (
            f"Take it over and correct it: `gitforge adopt {shlex.quote(need.path)}`; or pin another commit."
        )
        yield replace(problem, hint=hint)


def _suspicions(workspace: Workspace, need: Need) -> Iterator[Problem]:
    """What in a stranger's component may be meant for the model alone; hidden characters are told anyway."""
    from gitforge.payloads import suspicions  # noqa: PLC0415 -- its table, where a library is used

    try:
        text = workspace.foreign.text(need) or ""
    except UserError:  # told anyway
        return
    for one in suspicions(text):
        if "hidden character" not in one.what:
            hint = "Look at it before a model does, and at what the library says of it."
            yield Problem(need.shown, f"{one.what}: {one.excerpt}", one.line, hint, "warning")


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
    yield from _generators(workspace, book, templates)
    for name in templates.own():
        path: Path = workspace.library.folder / name
        if name.endswith(draft_rules.SUFFIX):
            found = list(_rules(workspace, book, path, f"library/{name}"))
        else:
            problem = templates.problem(name)
            found = [problem] if problem is not None else []
        yield from found
        if not found:
            text = documents.read_text(path, f"library/{name}", MAX_BYTES)
            yield from components.text_problems(text, f"library/{name}")


def _generators(workspace: Workspace, book: GoalBook, templates: Templates) -> Iterator[Problem]:
    """What keeps a kind's prompt from being made, beyond what does not compile."""
    for kind in book.kinds.values():
        need = Need(kind, "a_component_to_come.md")
        if any(templates.problem(name) for name in generators_of(templates, need)):
            continue  # told where that file is looked at
        try:
            Brief(templates, workspace.library, need, None, "To try the generator.").prompt()
        except UserError as error:
            file, _, message = error.message.partition(": ")
            if file.startswith("library/generators/"):  # all else is found where it is looked for
                yield Problem(file, message, hint=error.hint)


def _rules(workspace: Workspace, book: GoalBook, path: Path, file: str) -> Iterator[Problem]:
    """What is wrong in a file of rules for drafts, and whether there are drafts that it is for."""
    workspace.library.refuse_escape(path, file)
    yield from draft_rules.problems(path, file)
    kind = path.name.removesuffix(draft_rules.SUFFIX)
    if kind != draft_rules.DEFAULT and kind not in book.kinds:
        hint = did_you_mean(kind, [*book.kinds, draft_rules.DEFAULT])
        yield Problem(file, f"there is no kind {printable(kind)!r}", hint=hint, severity="warning")
