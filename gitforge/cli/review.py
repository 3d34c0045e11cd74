"""`gitforge review`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gitforge.build import Forge
from gitforge.cli import completing, output
from gitforge.cli.session import AsJson, Directory, ModelName, ProviderName, find_workspace, open_forge
from gitforge.errors import AnswerMissing
from gitforge.goals import Need
from gitforge.named import refuse_foreign
from gitforge.reviews import Waiting, approve, waiting
from gitforge.store import origins
from gitforge.text import counted

if TYPE_CHECKING:
    pass

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command(epilog="Example: gitforge review --list")
def review(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[COMPONENT|GOAL]...",
            help="What to look at. Default: all.",
            show_default=False,
            autocompletion=completing.components_and_goals,
        ),
    ] = None,
    only_list: Annotated[
        bool, typer.Option("--list", "-l", help="Say what nobody has reviewed; ask nothing.")
    ] = False,
    is_seen: Annotated[
        bool,
        typer.Option(
            "--approve", help="Approve the named components, which you have read elsewhere; ask nothing."
        ),
    ] = False,
    provider: ProviderName = None,
    model: ModelName = None,
    as_json: AsJson = False,
    directory: Directory = Path(),
) -> None:
    """Review what was generated and recorded unseen.

    Walks through the components that nobody has reviewed as they are now, newest first: recorded by --yes or by CI,
    pulled from others, or edited since. Each as a diff to the last reviewed text, with purpose, model and goal. An
    approval is recorded in git for exactly that text, so it travels with the branch, and a later edit needs another.
    """
    if only_list and is_seen:
        raise AnswerMissing("--list and --approve: one at a time", hint="Leave one of them.")
    forge = open_forge(find_workspace(ctx, directory))
    known = origins.read(forge.repo)
    needs = _needs(forge, names) if names else None
    found = waiting(forge, known, needs)
    if only_list or (as_json and not is_seen):
        _list(found, as_json=as_json)
    elif is_seen:
        _approve_unasked(forge, names, found, as_json=as_json)
    elif not found:
        output.say(("Nothing to review.", output.GOOD))
    elif not output.is_interactive():
        raise AnswerMissing(
            f"{counted(len(found), 'component')} to review, and there is no terminal to do it on",
            hint="--list says which; --approve with their names records that you have read them.",
        )
    else:
        from gitforge.cli.walk import walk  # noqa: PLC0415 -- diffs and editors, for a person

        walk(forge, needs, provider, model)


def _needs(forge: Forge, names: Sequence[str]) -> list[Need]:
    """The components that are named, or that the named goals use."""
    needs: dict[str, Need] = {}
    others = forge.workspace.library.all(forge.book.kinds.values())
    for name in names:
        refuse_foreign(forge.book, name, "be reviewed")
        goal = forge.book.goals.get(name)
        for need in goal.needs if goal is not None else [forge.book.find(name, others)]:
            needs[need.path] = need
    return list(needs.values())


def _list(found: Sequence[Waiting], *, as_json: bool) -> None:
    if as_json:
        output.data([_as_json(one) for one in found])
        return
    rows = [(one.path, f"{one.since:%Y-%m-%d %H:%M}", one.written_by) for one in found]
    output.table(("component", "since", "written by"), rows)
    told = (
        f"{counted(len(found), 'component')} to review: `gitforge review` walks through them."
        if found
        else "Nothing to review."
    )
    output.say((told, output.WARN if found else output.GOOD))


def _as_json(one: Waiting) -> dict[str, Any]:
    return {
        "path": one.path,
        "kind": one.need.kind.name,
        "name": one.need.name,
        "blob": one.blob,
        "since": one.since.isoformat(),
        "model": one.writer,
        "edited": one.is_edited,
    }


def _approve_unasked(
    forge: Forge, names: Sequence[str] | None, found: Sequence[Waiting], *, as_json: bool
) -> None:
    if not names:
        raise AnswerMissing("--approve: say which components you have read", hint="Name them, or their goal.")
    recorded = approve(forge.repo, found) if found else None
    if as_json:
        approved = [_as_json(one) for one in found]
        output.data({"commit": recorded.commit if recorded else None, "approved": approved})
    elif recorded is None:
        output.say("Nothing of that is to be reviewed.")
    else:
        output.say(
            ("approved: ", output.GOOD), f"{', '.join(one.path for one in found)}, {recorded.commit[:10]}"
        )
