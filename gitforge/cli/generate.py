"""`gitforge generate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gitforge.build import Forge
from gitforge.cli import generating, output, plans
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
from gitforge.errors import AnswerMissing, ProviderError, UserError
from gitforge.generation import Generated
from gitforge.goals import Goal, Need
from gitforge.names import COMPONENT_SUFFIXES, component_name
from gitforge.plan import State

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command(epilog="Example: gitforge generate root_cause_analysis_drilldown.md")
def generate(
    ctx: typer.Context,
    components: Annotated[
        list[str] | None, typer.Argument(metavar="[COMPONENT]...", help="File names.", show_default=False)
    ] = None,
    goal: Annotated[
        str | None, typer.Option("--goal", "-g", metavar="GOAL", help="What this goal misses.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="What any goal misses.")] = False,
    describe: Describe = None,
    yes: Yes = False,
    no_review: NoReview = False,
    dry_run: DryRun = False,
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
    if sum((bool(components), goal is not None, everything)) != 1:
        raise AnswerMissing("say what to generate", hint="Name components, or give --goal GOAL, or --all.")
    options = plans.Options(describe or (), yes, no_review, provider, model, candidates, max_cost)
    forge = open_forge(find_workspace(ctx, directory))
    chosen = forge.book.goal(goal) if goal is not None else None
    if chosen is not None:
        needs = list(chosen.needs)
    elif everything:
        needs = list(forge.book.needs().values())
    else:
        needs = [_find(forge, name) for name in dict.fromkeys(components or ())]
    planned = forge.states(needs)
    if everything:
        planned = tuple(one for one in planned if one.is_absent)
    plans.show_plan(planned)

    def goal_of(need: Need) -> Goal | None:
        return chosen or generating.goal_using(forge, need)

    if dry_run:
        steps = generating.dry_run(forge, planned, goal_of, options)
        output.data({"would_generate": steps}) if as_json else generating.show_steps(steps)
        output.say("Dry run: nothing was sent or recorded.")
        return
    done = generating.generate_missing(forge, planned, goal_of, options)
    if as_json:
        states = [plans.as_json(one) for one in forge.states(needs)]
        output.data({"components": states, **plans.generated_as_json(done)})
    elif not any(one.state is State.MISSING for one in planned):
        output.say("Nothing is missing.")
    _stop_where_failed(done)
    raise typer.Exit(PROBLEMS if done.skipped else DONE)


def _find(forge: Forge, name: str) -> Need:
    """A component of goals.yaml or the library; a new one if the name has its kind's folder in front."""
    kinds = forge.book.kinds.values()
    folder, _, file = name.removeprefix("library/").rpartition("/")
    kind = next((kind for kind in kinds if kind.folder == folder), None)
    if kind is not None and file.endswith(COMPONENT_SUFFIXES):  # named whole: nothing has to be looked for
        need = Need(kind, component_name(file))
        return forge.book.needs().get(need.path, need)
    try:
        return forge.book.find(name, forge.workspace.library.all(kinds))
    except UserError:
        if kind is None:
            raise
        return Need(kind, component_name(file))


def _stop_where_failed(done: Generated) -> None:
    if done.failed:
        paths = ", ".join(f"library/{need.path}" for need, _ in done.failed)
        _, first = done.failed[0]
        raise ProviderError(
            f"there is no good draft of {paths}; what you accepted is recorded", hint=first.hint
        )
