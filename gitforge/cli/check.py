"""`gitforge check`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gitforge.check import check as find_problems
from gitforge.cli import output
from gitforge.cli.main import PROBLEMS
from gitforge.cli.session import AsJson, Directory, find_workspace, open_repo
from gitforge.errors import Problem, UserError
from gitforge.store.inspection import inspect
from gitforge.store.repo import NoRepository
from gitforge.workspace import Workspace

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command(epilog="Example: gitforge check --strict")
def check(
    ctx: typer.Context,
    store: Annotated[
        bool, typer.Option("--store", help="Check what gitforge relies on in the git directory too.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Let warnings fail the check too.")] = False,
    as_json: AsJson = False,
    directory: Directory = Path(),
) -> None:
    """Check goals.yaml and library/.

    Finds what would break a build or hide from a reviewer. Exit code 3 where there are errors. For pre-commit
    and CI: it changes nothing and asks nothing, but for a recording that was interrupted, which it finishes.
    """
    workspace = find_workspace(ctx, directory)
    found = _store_problems(workspace, is_wanted=store)
    found += find_problems(workspace)
    errors = sum(problem.severity == "error" for problem in found)
    warnings = len(found) - errors
    if as_json:
        output.data(
            [
                {
                    "file": problem.file, "line": problem.line, "severity": problem.severity,
                    "message": problem.message, "hint": problem.hint,
                }
                for problem in found
            ]
        )  # fmt: skip
    else:
        for problem in found:
            style = output.BAD if problem.severity == "error" else output.WARN
            hint = f" ({problem.hint})" if problem.hint else ""
            output.result(
                f"{problem.place}: ", (f"{problem.severity}: ", style), problem.message, (hint, output.DIM)
            )
        output.say(_count(errors, warnings))
    if errors or (strict and warnings):
        raise typer.Exit(PROBLEMS)


def _store_problems(workspace: Workspace, *, is_wanted: bool) -> list[Problem]:
    """What is wrong in the git directory, if that is to be looked for; without a repository, nothing."""
    try:
        repo = open_repo(workspace)
    except UserError as error:
        if is_wanted:
            raise
        if not isinstance(error, NoRepository):
            output.say(("warning: ", output.WARN), error.message)
        return []
    if not is_wanted:
        return []
    kinds = workspace.book().kinds.values()
    paths = [repo.relative(workspace.library.path(need)) for need in workspace.library.all(kinds)]
    return list(inspect(repo, paths))


def _count(errors: int, warnings: int) -> str:
    if not errors + warnings:
        return "No problems."
    parts = [
        f"{count} {word}{'s' * (count != 1)}"
        for count, word in ((errors, "error"), (warnings, "warning"))
        if count
    ]
    return " and ".join(parts) + "."
