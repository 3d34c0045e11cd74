"""`gitforge check`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from gitforge import plain_data
from gitforge.check import check as find_problems
from gitforge.cli import output
from gitforge.cli.main import PROBLEMS
from gitforge.cli.session import AsJson, Directory, find_workspace, open_repo
from gitforge.errors import Problem, UserError
from gitforge.store.inspection import inspect
from gitforge.store.repo import NoRepository, Repo
from gitforge.text import counted, printable_line
from gitforge.workspace import Workspace

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command(epilog="Example: gitforge check --strict")
def check(
    ctx: typer.Context,
    store: Annotated[
        bool, typer.Option("--store", help="Check what gitforge relies on in the git directory too.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Let warnings fail the check too.")] = False,
    require_reviewed: Annotated[
        bool | None,
        typer.Option(
            "--require-reviewed/--allow-unreviewed",
            help="Whether generated components that nobody has reviewed are problems. Default: goals.yaml's policy.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
    directory: Directory = Path(),
) -> None:
    """Check goals.yaml and library/.

    Finds what would break a build or hide from a reviewer. Exit code 3 where there are errors. For pre-commit
    and CI: it changes nothing and asks nothing, but for a recording that was interrupted, which it finishes.
    """
    workspace = find_workspace(ctx, directory)
    repo = _repository(workspace, is_needed=store or require_reviewed is True)
    found = [*_store_problems(workspace, repo)] if store and repo is not None else []
    found += find_problems(workspace)
    found += _unreviewed(workspace, repo, is_wanted=require_reviewed)
    errors = sum(problem.severity == "error" for problem in found)
    warnings = len(found) - errors
    if as_json:
        output.data([plain_data.problem(one) for one in found])
    else:
        for problem in found:
            style = output.BAD if problem.severity == "error" else output.WARN
            hint = f" ({problem.hint})" if problem.hint else ""
            output.result(
                f"{printable_line(problem.place)}: ",
                (f"{problem.severity}: ", style),
                printable_line(problem.message),
                (printable_line(hint), output.DIM),
            )
        output.say(_count(errors, warnings))
    if errors or (strict and warnings):
        raise typer.Exit(PROBLEMS)


def _repository(workspace: Workspace, *, is_needed: bool) -> Repo | None:
    """The repository, with what was interrupted in it finished; None where there is none that can be used."""
    try:
        return open_repo(workspace)
    except UserError as error:
        if is_needed:
            raise
        if not isinstance(error, NoRepository):
            output.say(("warning: ", output.WARN), error.message)
        return None


def _store_problems(workspace: Workspace, repo: Repo) -> Iterable[Problem]:
    """What is wrong in the git directory."""
    kinds = workspace.book().kinds.values()
    return inspect(
        repo, [repo.relative(workspace.library.path(need)) for need in workspace.library.all(kinds)]
    )


def _unreviewed(workspace: Workspace, repo: Repo | None, *, is_wanted: bool | None) -> Iterable[Problem]:
    """What nobody has reviewed, if that is asked for here or by goals.yaml."""
    try:
        book = workspace.book()
    except UserError:  # its own problems are told
        return ()
    if is_wanted is False or not (is_wanted or book.require_reviewed):
        return ()
    if repo is None:
        hint = "Its policy is require_reviewed: run it in a repository, or with --allow-unreviewed."
        return [Problem(book.file, "without a repository nobody can tell what was reviewed", hint=hint)]
    from gitforge.unreviewed import problems  # noqa: PLC0415 -- reads the history

    return problems(workspace, repo, book)


def _count(errors: int, warnings: int) -> str:
    if not errors + warnings:
        return "No problems."
    parts = [counted(count, word) for count, word in ((errors, "error"), (warnings, "warning")) if count]
    return " and ".join(parts) + "."
