"""`gitforge import`."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from gitforge.cli import output, receiving
from gitforge.cli.reverting import show_recorded
from gitforge.cli.session import AsJson, Directory, WouldRecord, find_workspace, here, open_repo
from gitforge.cli.wizard import need_answer
from gitforge.errors import Cancelled, UserError
from gitforge.importing import formats
from gitforge.importing.placed import Component, PlacedGoal
from gitforge.importing.recording import Import, carry_out, prepare
from gitforge.importing.records import Skipped
from gitforge.payloads import Suspicion
from gitforge.text import counted

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")

_FORMATS = ", ".join(f"{name} ({one.title})" for name, one in formats.FORMATS.items())


@app.command(name="import", epilog="Example: gitforge import ../fabric/data/patterns --dry-run")
def import_(
    ctx: typer.Context,
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE", help="A folder on this machine, or a file of it.", show_default=False
        ),
    ],
    wanted: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="FORMAT",
            help=f"What it is: {_FORMATS}. Default: found out.",
            show_default=False,
            autocompletion=lambda: list(formats.FORMATS),
        ),
    ] = None,
    category: Annotated[
        str | None,
        typer.Option("--category", metavar="NAME", help="Where its goals go. Default: what the source says."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Import without a question.")] = False,
    dry_run: WouldRecord = False,
    as_json: AsJson = False,
    directory: Directory = Path(),
) -> None:
    """Take over another tool's prompts, as components and goals.

    Each text stays as it is; each whole prompt becomes a goal. Says of every file of SOURCE what becomes of it, and
    records all as one commit. Importing the same again changes nothing.
    """
    workspace = find_workspace(ctx, directory)
    repo = open_repo(workspace)
    format_ = _known(wanted)
    with _busy("Looking through it"):
        found = formats.read(here(ctx, directory), source, format_)
        one = prepare(workspace, repo, found, category)
    if not as_json:
        _show(one)
    _warn(one)
    recorded = None
    if not one.is_empty and not dry_run:
        if not yes:
            _ask(one)
        with _busy("Recording it"):
            recorded = carry_out(workspace, repo, one)
        show_recorded(recorded)
    if as_json:
        output.data(_as_json(one, recorded.commit if recorded is not None else None) | {"dry_run": dry_run})
    if one.is_empty:
        output.say("Everything in it is there already: nothing to do.")
    elif dry_run:
        output.say(f"Dry run: {_counted(one)} would be imported; nothing was recorded.")
    elif recorded is not None:
        output.say(("imported: ", output.GOOD), f"{_counted(one)} by commit {recorded.commit[:10]}")


def _known(wanted: str | None) -> str | None:
    """The format's name, where it is one."""
    try:
        return formats.find(wanted) if wanted is not None else None
    except UserError as error:
        raise typer.BadParameter(f"{error.message}. {error.hint}", param_hint="--from") from None


@contextmanager
def _busy(what: str) -> Iterator[None]:
    """Says on a terminal what takes its time; nothing elsewhere."""
    if not output.is_terminal(sys.stderr):
        yield
        return
    from rich.status import Status  # noqa: PLC0415 -- what only a person sees

    with Status(f"{what} ...", console=output.console(sys.stderr)):
        yield


def _ask(one: Import) -> None:
    need_answer("an import has to be confirmed", "--yes to import it, or --dry-run to see what would come")
    from gitforge.cli.prompts import ask_letter  # noqa: PLC0415

    explanation = "  yes: record it as one commit\n  no:  leave everything as it is"
    if ask_letter(f"Import {_counted(one)}?", ("yes", "no"), explanation) != "y":
        raise Cancelled("nothing was imported")


def _counted(one: Import) -> str:
    counts = ((len(one.placed.new_components), "component"), (len(one.placed.new_goals), "goal"))
    return " and ".join(counted(count, word) for count, word in counts if count) or "nothing"


# --- for a person ------------------------------------------------------------------------------------------


def _show(one: Import) -> None:
    found = one.found
    others = f"; --from takes it as {' or '.join(found.others)} instead" if found.others else ""
    output.say(f"{found.source.name}: {formats.FORMATS[found.format].title}{others}")
    rows: list[tuple[output.Part, ...]] = []
    for component in one.placed.components:
        word = _word(component.outcome, component.renamed)
        told = f"library/{component.need.path}{_because(component.renamed, _note(component))}"
        rows.append((component.piece.source, word, told))
    rows += [(path, (word, output.DIM), reason) for path, word, reason in _left(found.reading.skipped)]
    output.table(("file", "", ""), rows)
    goals = [
        (goal.goal.name, _word(goal.outcome, goal.renamed), _because_of(goal)) for goal in one.placed.goals
    ]
    output.table(("goal", "", ""), goals)
    output.table(
        ("kind", "", ""), [(name, ("declared", output.WARN), why) for name, why in one.placed.changed.items()]
    )


def _word(outcome: str, renamed: str | None) -> output.Part:
    if outcome != "new":
        return outcome, output.DIM
    return ("renamed", output.WARN) if renamed else ("new", output.GOOD)


def _because(*reasons: str | None) -> str:
    told = "; ".join(reason for reason in reasons if reason)
    return f" ({told})" if told else ""


def _note(component: Component) -> str | None:
    mark = "without its byte order mark" if component.piece.has_mark else None
    return "; ".join(note for note in (mark, component.piece.note) if note) or None


def _because_of(one: PlacedGoal) -> str:
    missing = f"needs {', '.join(one.missing)}, which the source lacks" if one.missing else None
    edited = "goals.yaml has it with other components than the source" if one.is_edited else None
    note = one.recipe.note if one.outcome == "new" else None
    return one.goal.category + _because(one.renamed, edited, note, missing)


def _left(skipped: Sequence[Skipped]) -> Iterator[tuple[str, str, str]]:
    """Rows of what was not taken; files of one folder that are no part of the format are one row."""
    rest = Counter((one.path.partition("/")[0], one.reason) for one in skipped if _is_foreign(one))
    told: set[tuple[str, str]] = set()
    for one in skipped:
        group = one.path.partition("/")[0], one.reason
        if not _is_foreign(one) or rest[group] == 1:
            place = one.path if one.line is None else f"{one.path}:{one.line}"
            yield place, "read" if one.is_read else "skipped", one.reason
        elif group not in told:
            told.add(group)
            yield f"{group[0]}/", "skipped", f"{rest[group]} files: each {one.reason}"


def _is_foreign(one: Skipped) -> bool:
    return "/" in one.path and one.is_foreign


def _warn(one: Import) -> None:
    for remark in one.remarks:
        output.say(("note: ", output.WARN), remark)
    by_file: dict[str, list[Suspicion]] = {}
    for component, found in one.suspicions:
        by_file.setdefault(component.piece.source, []).append(found)
    if by_file:
        output.say(("look at these first: ", output.WARN), "they may be meant for a model, not for you")
    receiving.show_suspicions([*by_file.items()])
    if bad := one.bad:
        files = f"{bad:,} of these files" if bad > 1 else "one of these files"
        told = f"`gitforge check` will report errors in {files}: characters that nobody can see"
        output.say(("note: ", output.WARN), told)


# --- for a script ------------------------------------------------------------------------------------------


def _as_json(one: Import, commit: str | None) -> dict[str, Any]:
    found, placed = one.found, one.placed
    return {
        "format": found.format,
        "source": found.source.name,
        "origin": one.origin,
        "commit": commit,
        "components": [
            {
                "source": component.piece.source, "component": component.need.path,
                "path": f"library/{component.need.path}",
                "kind": component.need.kind.name, "outcome": component.outcome, "renamed": component.renamed,
                "note": _note(component),
            }
            for component in placed.components
        ],
        "goals": [
            {
                "source": goal.recipe.source, "name": goal.goal.name, "category": goal.goal.category,
                "outcome": goal.outcome, "renamed": goal.renamed, "edited": goal.is_edited, "note": goal.recipe.note,
                "components": [need.path for need in goal.goal.needs], "missing": list(goal.missing),
            }
            for goal in placed.goals
        ],
        "skipped": [
            {"source": left.path, "line": left.line, "reason": left.reason, "read": left.is_read}
            for left in found.reading.skipped
        ],
        "kinds": dict(placed.changed),
        "notes": list(one.remarks),
        "suspicions": [
            {
                "source": component.piece.source, "component": component.need.path,
                "path": f"library/{component.need.path}",
                "line": where.line, "column": where.column, "what": where.what, "excerpt": where.excerpt,
            }
            for component, where in one.suspicions
        ],
    }  # fmt: skip
