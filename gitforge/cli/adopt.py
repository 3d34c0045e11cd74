"""`gitforge adopt`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gitforge.cli import completing, library_shown, output, reverting
from gitforge.cli.session import AsJson, Directory, WouldRecord, find_workspace, open_repo
from gitforge.errors import AnswerMissing

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command(epilog="Example: gitforge adopt acme:auditor.md")
def adopt(
    ctx: typer.Context,
    components: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME:COMPONENT...",
            help="Components of other libraries, or NAME:GOAL: a goal with its components.",
            show_default=False,
            autocompletion=completing.foreign_names,
        ),
    ],
    called: Annotated[
        str | None,
        typer.Option("--as", metavar="NAME", help="What the component is to be called.", show_default=False),
    ] = None,
    ours: Annotated[
        bool, typer.Option("--ours", help="Where you have another text of that name, keep it.")
    ] = False,
    theirs: Annotated[
        bool, typer.Option("--theirs", help="Where you have another text of that name, take the library's.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Adopt it whatever it seems to hide.")] = False,
    dry_run: WouldRecord = False,
    as_json: AsJson = False,
    directory: Directory = Path(),
) -> None:
    """Copy components of another library into your own, as one commit that says where they come from.

    Goals that used acme:auditor.md use auditor.md from then on. Edit it as you like: `gitforge library update` merges
    what changes there with what you changed. Where you have another text of that name, --ours, --theirs or you on a
    terminal decide; what was adopted before is merged with what it was merged with last.
    """
    from gitforge import adopting  # noqa: PLC0415 -- what reads other libraries

    if called is not None and len(components) > 1:
        raise AnswerMissing(
            "--as names one component, and several are to be adopted", hint="Adopt one by one."
        )
    if ours and theirs:
        raise AnswerMissing("--ours and --theirs: one of them", hint="Leave one of the two.")
    workspace = find_workspace(ctx, directory)
    repo = open_repo(workspace)
    book = workspace.book()
    found = adopting.find(workspace, repo, book, components, called)
    for one in found.copies:
        library_shown.show_suspicions(
            one.origin.library, [(one.origin.path, suspicion) for suspicion in one.suspicions]
        )
    if any(one.suspicions for one in found.copies) and not yes and not dry_run:
        library_shown.confirm("Adopt it nevertheless?", "what is to be adopted seems to hide something")
    decide = library_shown.decider(repo, ours=ours, theirs=theirs)
    recorded = None if dry_run else adopting.carry_out(workspace, repo, book, found, decide)
    if recorded is not None:
        reverting.show_recorded(recorded)
    if as_json:
        output.data(
            {
                "adopted": [
                    {
                        "path": one.path,
                        "origin": str(one.origin),
                        "goals": list(one.users),
                        "merged": one.ours is not None,
                        "clashes": one.clashes,
                    }
                    for one in found.copies
                ],
                "goals": [goal.name for goal in found.goals],
                "recorded": recorded.commit if recorded is not None and recorded.is_new else None,
            }
        )
    for one in found.copies:
        users = f"; {', '.join(one.users)} will use it" if one.users else ""
        if one.ours is not None:
            users += f"; merged with your text{f', {one.clashes} to decide' * bool(one.clashes and dry_run)}"
        output.say(
            ("would adopt: " if dry_run else "adopted: ", output.GOOD),
            f"{one.path} from {one.origin.shown}{users}",
        )
    for goal in found.goals:
        output.say(("would adopt: " if dry_run else "adopted: ", output.GOOD), f"the goal {goal.name}")
    if recorded is None:
        output.say("Dry run: nothing was recorded.")
    elif not recorded.is_new:
        output.say("It was adopted already: nothing was recorded.")
    else:
        output.say((f"Recorded as commit {recorded.commit[:10]}.", output.DIM))
