"""`gitforge export`."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gitforge.cli import completing, output, receiving
from gitforge.cli.main import DONE, PROBLEMS
from gitforge.cli.session import AsJson, Directory, find_workspace, here, open_forge
from gitforge.errors import AnswerMissing, UserError
from gitforge.exporting import formats, placing

if TYPE_CHECKING:
    from gitforge.build import Forge
    from gitforge.export import Exported
    from gitforge.exportable import Source
    from gitforge.payloads import Suspicion

    Suspicious = Sequence[tuple[str, Sequence[Suspicion]]]

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")

_STYLES = {"new": output.GOOD, "changed": output.WARN, "removed": output.WARN, "same": output.DIM}
_STDOUT = "-"


def _offered() -> list[tuple[str, str]]:
    return [(one.name, one.about) for one in formats.FORMATS.values()]


@app.command(epilog="Example: gitforge export --goal DIAGNOSE_ROOT_CAUSE --to skill --out .claude/skills")
def export(
    ctx: typer.Context,
    project: Annotated[
        str | None,
        typer.Argument(
            metavar="[PROJECT]",
            help="A toolkit in output/, as its files are now.",
            show_default=False,
            autocompletion=completing.projects,
        ),
    ] = None,
    goals: Annotated[
        list[str] | None,
        typer.Option(
            "--goal",
            "-g",
            metavar="GOAL",
            help="A goal, as a build would assemble it; repeatable.",
            autocompletion=completing.goals,
        ),
    ] = None,
    is_all: Annotated[bool, typer.Option("--all", "-a", help="Every goal.")] = False,
    to: Annotated[
        str,
        typer.Option(
            "--to",
            "-t",
            metavar="FORMAT",
            help=f"One of {', '.join(formats.FORMATS)}.",
            show_default=False,
            autocompletion=_offered,
        ),
    ] = "",
    out: Annotated[
        str, typer.Option("--out", "-o", metavar="DIR", help="Where to write; `-` is standard output.")
    ] = ".",
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="What it is called there, instead of its own name."),
    ] = None,
    allow_missing: Annotated[
        bool,
        typer.Option("--allow-missing", help="Export placeholders for missing components (exit code 3)."),
    ] = False,
    skip_refused: Annotated[
        bool,
        typer.Option("--skip-refused", help="Leave out what the format has no way to say (exit code 3)."),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", "-f", help="Replace other files, and blocks that were edited by hand.")
    ] = False,
    remove: Annotated[
        bool, typer.Option("--remove", help="Take the block out of AGENTS.md or CLAUDE.md again.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Show what would be written; write nothing.")
    ] = False,
    as_json: AsJson = False,
    directory: Directory = Path(),
) -> None:
    """Export a toolkit or goals to the format of another tool.

    A toolkit is exported as its files are now, edits by hand included; a goal as a build would assemble it. Nothing is
    generated. The persona becomes the system part and the rest the user part; «slots» become variables where the format
    has them. docs/export.md shows each format; `library/templates/exports/` lays them out.
    """
    format_ = _format(to)
    _refuse_apart(
        project, goals, is_all=is_all, name=name, is_block=format_.block_file is not None, remove=remove
    )
    forge = open_forge(find_workspace(ctx, directory))
    from gitforge import export as verb  # noqa: PLC0415 -- what only this command needs
    from gitforge import exportable  # noqa: PLC0415

    folder = placing.Folder(here(ctx, directory) / out, out)
    if out == _STDOUT and (as_json or remove):
        raise typer.BadParameter("cannot be standard output here", param_hint="--out")
    placing.refuse_folder(forge.workspace, folder)
    sources: Sequence[Source] = ()
    if remove:
        wanted = (
            None if is_all else [name] if name is not None else [project] if project else list(goals or ())
        )
        done = verb.remove(format_, folder, wanted, force=force)
    else:
        sources = _sources(forge, project, goals, format_, is_all=is_all)
        _refuse_missing(sources, project, allow_missing=allow_missing)
        if out == _STDOUT:
            raise typer.Exit(_print(forge, sources, format_, name))
        done = verb.export(forge, sources, format_, folder, name=name, force=force, skip_refused=skip_refused)
        sources = [one for one in sources if one.name in done.names]
    if not dry_run:
        placing.write(folder, done.placed)
    _show(done, to, exportable.suspicious(sources), dry_run=dry_run, as_json=as_json)
    raise typer.Exit(PROBLEMS if done.missing or done.refused else DONE)


def _format(to: str) -> formats.Format:
    if not to:
        raise AnswerMissing("to which format?", hint=f"Name it with --to: {', '.join(formats.FORMATS)}.")
    try:
        return formats.find(to)
    except UserError as error:
        raise typer.BadParameter(f"{error.message}. {error.hint}", param_hint="--to") from None


def _refuse_apart(
    project: str | None, goals: Sequence[str] | None, *, is_all: bool, name: str | None, is_block: bool, remove: bool
) -> None:  # fmt: skip
    given = [
        what for what, is_given in (("PROJECT", project), ("--goal", goals), ("--all", is_all)) if is_given
    ]
    if not given:
        raise AnswerMissing(
            "what is to be exported?",
            hint="Name a toolkit, or goals with --goal GOAL, or all of them with --all.",
        )
    if len(given) > 1:
        raise typer.BadParameter(f"{given[0]} and {given[1]} cannot both hold", param_hint=given[1])
    if name is not None and (is_all or len(goals or ()) > 1):
        raise typer.BadParameter("is for one toolkit or goal", param_hint="--name")
    if remove and not is_block:
        raise typer.BadParameter("is for blocks: --to agents or --to claude", param_hint="--remove")


def _sources(
    forge: Forge, project: str | None, goals: Sequence[str] | None, format_: formats.Format, *, is_all: bool
) -> list[Source]:

    from gitforge import exportable  # noqa: PLC0415

    if project is not None:
        return [exportable.from_toolkit(forge, project)]
    wanted = forge.book.goals.values() if is_all else [forge.goal(one) for one in goals or ()]
    chosen = {goal.name: goal for goal in wanted}
    if not chosen:
        raise UserError(f"{forge.book.file} has no goals", hint="`gitforge goal add` adds one.")
    return exportable.from_goals(forge, [(goal, format_.name_of(goal.name)) for goal in chosen.values()])


def _refuse_missing(sources: Sequence[Source], project: str | None, *, allow_missing: bool) -> None:
    lacking = [one.goal.name for one in sources if one.origin.missing]
    missing = list(dict.fromkeys(path for one in sources for path in one.origin.missing))
    if missing and not allow_missing:
        shown = ", ".join(missing[:10]) + (f" and {len(missing) - 10} more" if len(missing) > 10 else "")
        what = (
            ["build", project]
            if project
            else ["generate", *(["--all"] if lacking[1:] else ["--goal", *lacking])]
        )
        command = shlex.join(["gitforge", *what])
        raise UserError(
            f"a placeholder stands in for {shown}" if project else f"components are missing: {shown}",
            hint=f"`{command}` generates what is missing; --allow-missing exports a placeholder.",
        )


def _print(forge: Forge, sources: Sequence[Source], format_: formats.Format, name: str | None) -> int:
    """Writes the only file to standard output; returns the exit code."""
    from gitforge import export as verb  # noqa: PLC0415
    from gitforge import exportable  # noqa: PLC0415

    if len(sources) > 1:
        raise typer.BadParameter("standard output takes one toolkit or goal", param_hint="--out")
    source = sources[0]
    prompt = verb.prompt_of(forge, source, format_)
    files = verb.files_of(format_, prompt, format_.name_of(source.name if name is None else name))
    if len(files) > 1:
        raise typer.BadParameter(f"{format_.name} has more than one file: name a folder", param_hint="--out")
    _tell(source.origin.missing, format_.notes(prompt), exportable.suspicious(sources))
    (text,) = files.values()
    output.text(text)
    return PROBLEMS if source.origin.missing else DONE


def _show(done: Exported, to: str, suspicious: Suspicious, *, dry_run: bool, as_json: bool) -> None:
    files = [(one.name, one.state) for one in done.placed]
    if as_json:
        output.data(
            {
                "format": to,
                "dry_run": dry_run,
                "names": dict(done.names),
                "files": [{"path": path, "state": state} for path, state in files],
                "missing": list(done.missing),
                "refused": [{"name": one.name, "message": one.why.message} for one in done.refused],
                "notes": list(done.notes),
                "suspicious": receiving.suspicions_as_data(suspicious),
            }
        )
        return
    for one in done.refused:
        output.say(("left out: ", output.WARN), one.why.message)
    _tell(done.missing, done.notes, suspicious)
    for path, state in files:
        output.result(
            f"{'would write ' if dry_run and state != 'same' else ''}{path}", (f"  {state}", _STYLES[state])
        )
    if dry_run:
        output.say("Dry run: nothing was written.")


def _tell(missing: Sequence[str], notes: Sequence[str], suspicious: Suspicious) -> None:
    receiving.show_suspicions(suspicious)
    for path in missing:
        output.say(("degraded: ", output.WARN), f"a placeholder stands in for {path}")
    for note in notes:
        output.say(("note: ", output.WARN), note)
