"""`gitforge import`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from gitforge.cli import output
from gitforge.cli.reverting import show_recorded
from gitforge.cli.session import AsJson, Directory, WouldRecord, find_workspace, here, open_repo
from gitforge.cli.wizard import need_answer
from gitforge.errors import Cancelled
from gitforge.importing import formats
from gitforge.importing.placing import Component, PlacedGoal
from gitforge.importing.recording import Import, carry_out, prepare
from gitforge.importing.records import Skipped

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")

_FORMATS = ", ".join(f"{name} ({one.title})" for name, one in formats.FORMATS.items())
_MOST_SHOWN = 40  # suspicions; all of them are in --json


@app.command(name="import", epilog="Example: gitforge import ../fabric/data/patterns --dry-run")
def import_(
    ctx: typer.Context,
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="A folder on this machine.", show_default=False)
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
    one = prepare(workspace, repo, formats.read(here(ctx, directory), source, wanted), category)
    if not as_json:
        _show(one)
    _warn(one)
    recorded = None
    if not one.is_empty and not dry_run:
        if not yes:
            _ask(one)
        recorded = carry_out(workspace, repo, one)
        show_recorded(recorded)
    if as_json:
        output.data(_as_json(one, recorded.commit if recorded is not None else None))
    if one.is_empty:
        output.say("Everything in it is there already: nothing to do.")
    elif dry_run:
        output.say(f"Dry run: {_counted(one)} would be imported; nothing was recorded.")
    elif recorded is not None:
        output.say(("imported: ", output.GOOD), f"{_counted(one)} by commit {recorded.commit[:10]}")


def _ask(one: Import) -> None:
    need_answer("an import has to be confirmed", "--yes")
    from gitforge.cli.prompts import ask_letter  # noqa: PLC0415

    explanation = "  yes: record it as one commit\n  no:  leave everything as it is"
    if ask_letter(f"Import {_counted(one)}?", ("yes", "no"), explanation) != "y":
        raise Cancelled("nothing was imported")


def _counted(one: Import) -> str:
    counts = ((len(one.placed.new_components), "component"), (len(one.placed.new_goals), "goal"))
    return " and ".join(f"{count} {word}{'s' * (count != 1)}" for count, word in counts if count) or "nothing"


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
    return one.goal.category + _because(one.renamed, one.recipe.note, missing)


def _left(skipped: tuple[Skipped, ...] | Any) -> Iterator[tuple[str, str, str]]:
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
    return "/" in one.path and one.reason.startswith("is no part of")


def _warn(one: Import) -> None:
    for remark in one.remarks:
        output.say(("note: ", output.WARN), remark)
    for component, found in one.suspicions[:_MOST_SHOWN]:
        place = f"{component.piece.source}:{found.line}:{found.column}"
        output.say(("look at ", output.WARN), f"{place}: {found.what}: {found.excerpt}")
    if (more := len(one.suspicions) - _MOST_SHOWN) > 0:
        output.say(("look at ", output.WARN), f"{more} more places: --json has all of them")


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
                "source": component.piece.source, "path": f"library/{component.need.path}",
                "kind": component.need.kind.name, "outcome": component.outcome, "renamed": component.renamed,
                "note": _note(component),
            }
            for component in placed.components
        ],
        "goals": [
            {
                "source": goal.recipe.source, "name": goal.goal.name, "category": goal.goal.category,
                "outcome": goal.outcome, "renamed": goal.renamed, "note": goal.recipe.note,
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
                "source": component.piece.source, "path": f"library/{component.need.path}",
                "line": where.line, "column": where.column, "what": where.what, "excerpt": where.excerpt,
            }
            for component, where in one.suspicions
        ],
    }  # fmt: skip
