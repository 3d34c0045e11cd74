"""`gitforge generate`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Annotated

import typer

from gitforge import plain_data
from gitforge.cli import completing, output, plans, proposing
from gitforge.cli.main import DONE, PROBLEMS
from gitforge.cli.session import (
    AsJson,
    Describe,
    Directory,
    DryRun,
    ModelName,
    NoReview,
    ProviderName,
    Yes,
    find_workspace,
    open_forge,
)
from gitforge.errors import AnswerMissing
from gitforge.goals import Goal, Need
from gitforge.plan import State

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command(epilog="Example: gitforge generate root_cause_analysis_drilldown.md")
def generate(
    ctx: typer.Context,
    components: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[COMPONENT]...",
            help="File names.",
            show_default=False,
            autocompletion=completing.components,
        ),
    ] = None,
    goal: Annotated[
        str | None,
        typer.Option(
            "--goal", "-g", metavar="GOAL", help="What this goal misses.", autocompletion=completing.goals
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="What any goal misses.")] = False,
    describe: Describe = None,
    yes: Yes = False,
    no_review: NoReview = False,
    dry_run: DryRun = False,
    propose: plans.Propose = False,
    provider: ProviderName = None,
    model: ModelName = None,
    candidates: plans.Candidates = 1,
    max_cost: plans.MaxCost = None,
    as_json: AsJson = False,
    directory: Directory = Path(),
) -> None:
    """Generate missing components.

    As `gitforge build` does, each reviewed and recorded as one commit, but without assembling a toolkit. A
    component that is there already is left alone.
    """
    named = sum((bool(components), goal is not None, everything))
    if named > 1:
        raise AnswerMissing("components, --goal and --all: one at a time", hint="Leave the others.")
    if not named:
        raise AnswerMissing("say what to generate", hint="Name components, or give --goal GOAL, or --all.")
    forge = open_forge(find_workspace(ctx, directory))
    from gitforge.cli import generating  # noqa: PLC0415 -- most imports come where git answers meanwhile

    chosen = forge.goal(goal) if goal is not None else None
    if chosen is not None:
        needs = list(chosen.needs)
    elif everything:
        needs = list(forge.book.needs().values())
    else:
        needs = [generating.find(forge, name) for name in dict.fromkeys(components or ())]
    branch = proposing.branch_for(_named(chosen, needs), is_wanted=propose)
    options = plans.Options(describe or (), yes, no_review, provider, model, candidates, max_cost, branch)
    planned = forge.states(needs)
    if everything:
        planned = tuple(one for one in planned if one.is_absent)
    plans.show_plan(planned)
    plans.tell_absent(planned)

    def goal_of(need: Need) -> Goal | None:
        return chosen or generating.goal_using(forge, need)

    if dry_run:
        from gitforge.cli.dry_run import foresee, show_steps  # noqa: PLC0415

        steps = foresee(forge, planned, goal_of, options)
        output.data({"would_generate": steps}) if as_json else show_steps(steps)
        output.say("Dry run: nothing was sent or recorded.")
        return
    done = generating.generate_missing(forge, planned, goal_of, options)
    if as_json:
        states = [plain_data.planned(one) for one in forge.states(needs)]
        proposal = proposing.as_json(forge.repo, branch)
        output.data({"components": states, **plans.generated_as_json(done), **proposal})
    elif not any(one.state is State.MISSING for one in planned):
        absent = sum(one.is_absent for one in planned)
        output.say("Nothing is missing." if not absent else "Nothing that could be generated is missing.")
    else:
        proposing.show(forge.repo, branch)
    generating.stop_where_failed(done)
    is_short = done.skipped or any(one.is_absent and one.need.pin is not None for one in planned)
    raise typer.Exit(PROBLEMS if is_short else DONE)


def _named(goal: Goal | None, needs: Sequence[Need]) -> str:
    """What the branch of a proposal is called after."""
    if goal is not None:
        return goal.name
    return PurePosixPath(needs[0].name).stem if len(needs) == 1 else "components"
