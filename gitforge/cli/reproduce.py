"""`gitforge build --at`: a toolkit as it was."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import typer

from gitforge import names, reproduce, toolkits
from gitforge.cli import output
from gitforge.cli.main import DONE, PROBLEMS
from gitforge.errors import AnswerMissing, UserError
from gitforge.goals import MANIFEST
from gitforge.reproduce import PastToolkit
from gitforge.store.repo import Repo
from gitforge.text import printable
from gitforge.workspace import Workspace


def build_at(
    workspace: Workspace,
    repo: Repo,
    here: Path,
    at: str,
    project: str | None,
    goal: str | None,
    to: Path | None,
    *,
    force: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Makes a toolkit as it was and writes it; returns the exit code.

    Args:
        workspace: Where.
        repo: The repository around it.
        here: The folder that paths are relative to.
        at: A revision, a date, or a manifest's path.
        project: The toolkit's name; it may be left out where a manifest has it.
        goal: What it was for, where `output/` does not say so.
        to: The folder to write into instead of `output/`.
        force: Whether files that were edited by hand are replaced.
        dry_run: Whether nothing is written.
        as_json: Whether the result is JSON.
    """
    if project is not None:
        names.file_name(project, "project")
    made = _made(workspace, repo, here, at, project, goal)
    project = project or made.project
    if made.commit is not None:
        when = f"{made.commit.date:%Y-%m-%d %H:%M %z}"
        output.say(("as it was ", output.BOLD), f"at {made.commit.id[:12]} of {when}: {made.commit.subject}")
    else:
        output.say(("as it was ", output.BOLD), f"by {at}: made again from git's objects, and verified")
    for path in made.missing:
        output.say(("degraded: ", output.WARN), f"a placeholder stands in for {path}")
    for path in made.of_today:
        output.say(("note: ", output.WARN), f"that commit has no {path}: gitforge's own of today is used")
    folder = here / to if to is not None else toolkits.folder(workspace, project)
    changed: tuple[str, ...] = ()
    if dry_run:
        output.say("Dry run: nothing was written.")
    elif to is not None:
        made.keep_texts(repo)
        changed = reproduce.write_copy(folder, made)
    else:
        made.keep_texts(repo)
        changed = toolkits.write(folder, made.files, made.manifest, force=force)
    _show(made, project, folder, to, changed, as_json=as_json)
    return PROBLEMS if made.missing else DONE


def _made(
    workspace: Workspace, repo: Repo, here: Path, at: str, project: str | None, goal: str | None
) -> PastToolkit:
    commit = reproduce.find_commit(repo, at, datetime.now().astimezone())
    if commit is not None:
        if project is None:
            raise AnswerMissing(
                "which toolkit is wanted?", hint="Name it: `gitforge build PROJECT --at REV`."
            )
        goal = goal or reproduce.goal_of(workspace, project)
        if goal is None:
            where = f"output/{project}/"
            is_there = (toolkits.folder(workspace, project) / MANIFEST).exists()
            raise AnswerMissing(
                f"{where}{MANIFEST} does not say what the toolkit was for"
                if is_there
                else f"there is no toolkit {where}, so nobody can tell what it was for",
                hint="Name the goal with --goal.",
            )
        return reproduce.from_commit(workspace, repo, project, goal, commit)
    path = here / at
    if path.is_file():
        if goal is not None:
            raise typer.BadParameter("a manifest says the goal itself", param_hint="--goal")
        return reproduce.from_manifest(repo, path, at)
    raise UserError(
        f"{printable(at)!r} is no revision, no date and no {MANIFEST}",
        hint=repo.hint_where_cut(
            "For example HEAD~3, 2024-05-01, '2 weeks ago', or output/PROJECT/toolkit.json."
        ),
    )


def _show(
    made: PastToolkit, project: str, folder: Path, to: Path | None, changed: tuple[str, ...], *, as_json: bool
) -> None:
    if as_json:
        commit = made.commit
        at = (
            {"commit": commit.id, "date": commit.date.isoformat(), "subject": commit.subject}
            if commit
            else None
        )
        output.data(
            {
                "project": project,
                "goal": made.goal,
                "at": at,
                "folder": str(folder),
                "files": [*made.files, MANIFEST],
                "changed": list(changed),
                "degraded": bool(made.missing),
                "missing": list(made.missing),
                "templates_of_today": list(made.of_today),
            }
        )
        return
    for name in made.files:
        output.result(f"{to if to is not None else f'output/{project}'}/{name}")
