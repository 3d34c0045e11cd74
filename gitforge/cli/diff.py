"""`gitforge diff`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from gitforge.cli import completing, output
from gitforge.cli.completing import BEHIND_DASHES
from gitforge.cli.pager import NoPager, paged
from gitforge.cli.session import AsJson, Directory, find_workspace, open_repo
from gitforge.compare import Span
from gitforge.errors import AnswerMissing, UserError
from gitforge.named import UnknownName, paths_named, usable_book
from gitforge.store.differences import Difference, differences, untracked
from gitforge.store.repo import Repo
from gitforge.text import printable, printable_line
from gitforge.workspace import Workspace

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")

_STATES = {"A": "added", "D": "deleted", "R": "renamed", "T": "another type of file", "U": "not merged"}
_COMMITS_HINT = "`git log` and `gitforge log` show the commits; components stand behind `--`."
_MARKS = {"same": ("", ""), "removed": ("[-", "-]"), "added": ("{+", "+}")}
_STYLES = {"same": "", "removed": output.BAD, "added": output.GOOD}


class _Command(TyperCommand):
    """Keeps what stands behind `--` apart, which click would put to the other arguments."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        before, dashes, behind = (
            (args[: args.index("--")], True, args[args.index("--") + 1 :])
            if "--" in args
            else (args, False, [])
        )
        ctx.meta[BEHIND_DASHES] = behind if dashes else None
        return super().parse_args(ctx, before)


@app.command(cls=_Command, epilog="Example: gitforge diff HEAD~5 -- root_cause_analysis_drilldown.md")
def diff(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[A] [B] [-- COMPONENT...]",
            help="Two commits, or one and the working tree; HEAD without any. Components or goals, else all.",
            autocompletion=completing.commits_and_components,
            show_default=False,
        ),
    ] = None,
    stat: Annotated[bool, typer.Option("--stat", help="Only count the words in each file.")] = False,
    no_pager: NoPager = False,
    as_json: AsJson = False,
    directory: Directory = Path(),
) -> None:
    """Compare components and goals.yaml word by word.

    What was removed stands in [-...-], what was added in {+...+}. A component that was renamed is compared with what it
    was called before.
    """
    workspace = find_workspace(ctx, directory)
    repo = open_repo(workspace)
    revisions, components = _sides(repo, names or [], ctx.meta[BEHIND_DASHES])
    old, new = (*revisions, None, None)[:2] if revisions else (repo.head().commit, None)
    places = [repo.relative(path) for path in (workspace.library.folder, workspace.goals_file)]
    paths = _paths(workspace, repo, components, may_be_commits=ctx.meta[BEHIND_DASHES] is None)
    found = differences(repo, old, new, places, paths)
    if as_json:
        output.data([_as_json(one) for one in found])
        return
    if new is None and (unknown := untracked(repo, paths or places)):
        output.say(("note: ", output.WARN), "not in git yet, so not compared: ", ", ".join(unknown))
    if not found:
        output.say("Nothing differs.")
        return
    with paged(repo, is_wanted=not no_pager):
        if stat:
            _show_counts(found)
        else:
            for one in found:
                show_difference(one)


def _sides(repo: Repo, names: Sequence[str], behind: Sequence[str] | None) -> tuple[list[str], list[str]]:
    """The ids of the commits and the names of the components; without `--` what is no commit is a component."""
    revisions: list[str] = []
    components = list(behind or [])
    for index, name in enumerate(names):
        sides = _commits(repo, name)
        if sides is None and behind is None:
            return revisions, [*names[index:]]
        if sides is None:
            raise UserError(f"{printable(name)!r} is no commit", hint=repo.hint_where_cut(_COMMITS_HINT))
        revisions += sides
    if len(revisions) > 2:
        raise AnswerMissing("two commits can be compared, and not more", hint="Name one or two.")
    return revisions, components


def _commits(repo: Repo, name: str) -> list[str] | None:
    """The commit that a name stands for, the two of `A..B`, or None."""
    first, dots, second = name.partition("..")
    if (commit := repo.commit_of(name)) is not None:
        return [commit]
    both = [repo.commit_of(one or "HEAD") for one in (first, second)] if dots else []
    found = [one for one in both if one is not None]
    return found if len(found) == 2 else None


def _paths(workspace: Workspace, repo: Repo, components: Sequence[str], *, may_be_commits: bool) -> list[str]:
    if not components:
        return []
    book = usable_book(workspace)
    try:
        return [path for name in components for path in paths_named(workspace, repo, book, name)]
    except UnknownName as error:
        if not may_be_commits:
            raise
        message = f"{printable(error.name)!r} is no commit, and no goal or component is or was called so"
        raise UserError(message, hint=error.hint) from None


def _title(one: Difference) -> list[output.Part]:
    name = printable_line(one.path if one.path == one.old_path else f"{one.old_path} -> {one.path}")
    state = _STATES.get(one.status)
    return [(name, output.BOLD), f"  {state}" if state else ""]


def show_difference(one: Difference) -> None:
    """What was removed from a file and added to it, passage by passage."""
    output.result(*_title(one))
    if one.is_binary:
        output.result("It is no text.")
    elif (not one.hunks and one.status == "M") or (
        one.hunks and not one.words("added") + one.words("removed")
    ):
        output.result("Only white space differs.")
        return
    for hunk in one.hunks:
        output.result((f"@@ {hunk.place} @@", "cyan"))
        for line in hunk.lines:
            output.result(*(_marked(span) for span in line))


def _marked(span: Span) -> output.Part:
    before, after = _MARKS[span.kind]
    return (f"{before}{span.text}{after}", _STYLES[span.kind])


def _show_counts(found: Sequence[Difference]) -> None:
    rows: list[tuple[output.Part, ...]] = []
    for one in found:
        added, removed = one.words("added"), one.words("removed")
        counts = "no text" if one.is_binary else f"+{added} -{removed} words"
        rows.append((*_title(one)[:1], counts, _STATES.get(one.status, "")))
    output.table(("", "", ""), rows)


def _as_json(one: Difference) -> dict[str, Any]:
    return {
        "path": one.path,
        "old_path": one.old_path,
        "status": one.status,
        "binary": one.is_binary,
        "added_words": one.words("added"),
        "removed_words": one.words("removed"),
        "hunks": [
            {"place": hunk.place, "lines": [[[span.kind, span.text] for span in line] for line in hunk.lines]}
            for hunk in one.hunks
        ],
    }
