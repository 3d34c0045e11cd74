"""`gitforge build`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gitforge import names, toolkits
from gitforge.build import Forge, make_toolkit
from gitforge.cli import completing, output, plans, proposing, wizard
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
from gitforge.errors import ProviderError
from gitforge.goals import MANIFEST, Goal
from gitforge.plan import Plan
from gitforge.toolkits import Toolkit

if TYPE_CHECKING:
    from gitforge.generation.records import Generated
    from gitforge.new_goal import NewGoal

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command(epilog="Example: gitforge build checkout_outage --goal DIAGNOSE_ROOT_CAUSE")
def build(
    ctx: typer.Context,
    project: Annotated[
        str | None,
        typer.Argument(
            metavar="[PROJECT]",
            help="The toolkit's name: a folder in output/.",
            show_default=False,
            autocompletion=completing.projects,
        ),
    ] = None,
    goal_name: Annotated[
        str | None,
        typer.Option("--goal", "-g", metavar="GOAL", help="What it is for.", autocompletion=completing.goals),
    ] = None,
    describe: Describe = None,
    yes: Yes = False,
    no_review: NoReview = False,
    dry_run: DryRun = False,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", "-k", help="Assemble a toolkit even where the provider fails.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", "-f", help="Replace files that were edited by hand.")
    ] = False,
    require_reviewed: Annotated[
        bool,
        typer.Option("--require-reviewed", help="Refuse generated components that nobody has reviewed."),
    ] = False,
    propose: plans.Propose = False,
    provider: ProviderName = None,
    model: ModelName = None,
    candidates: plans.Candidates = 1,
    max_cost: plans.MaxCost = None,
    as_json: AsJson = False,
    directory: Directory = Path(),
) -> None:
    """Build a project's toolkit for a goal.

    Asks for what it is not told, generates the components that are missing, lets you review each as a diff,
    records each that you accept as one commit, and assembles output/PROJECT/. Run again, it changes nothing.
    With --propose the commits are on the branch forge/PROJECT, and nothing is assembled.
    """
    options = plans.Options(describe or (), yes, no_review, provider, model, candidates, max_cost)
    forge = open_forge(find_workspace(ctx, directory))
    if project is not None:
        names.file_name(project, "project")
    goal = forge.book.goal(goal_name) if goal_name is not None else None
    project = project or wizard.ask_project()
    goal = goal or wizard.ask_goal(forge.book, forge.workspace.library)
    new_goal = None
    if goal is None:
        forge, new_goal = _ask_new_goal(forge)
        goal = new_goal.goal
    branch = proposing.branch_for(project, is_wanted=propose)
    options = replace(options, branch=branch)
    planned = forge.plan(goal)
    wizard.parse_descriptions(options.describe, forge.book.find)
    output.say((f"output/{project}/", output.BOLD), f" for {goal.name}, from:")
    plans.show_plan(planned.components)
    is_refusing = require_reviewed or forge.book.require_reviewed
    if is_refusing:
        _refuse_unreviewed(forge, planned)  # now, not once drafts are paid for
    folder = toolkits.folder(forge.workspace, project)
    if dry_run:
        _dry_run(forge, project, goal, planned, options, new_goal, as_json=as_json)
        return
    done = None
    if new_goal is not None or any(one.is_absent for one in planned.components):
        if not force and branch is None:
            toolkits.refuse_edited(folder)  # now, not once drafts are paid for
        done = _generate(forge, goal, planned, options, new_goal)
        planned = forge.plan(goal)
        if is_refusing and branch is None:
            _refuse_unreviewed(forge, planned)
    toolkit = None
    if branch is None and (done is None or not done.failed or keep_going):
        toolkit = make_toolkit(forge, project, goal, planned, force=force)
    if as_json:
        output.data(
            {**_as_json(project, goal, planned, toolkit, done), **proposing.as_json(forge.repo, branch)}
        )
    else:
        proposing.show(forge.repo, branch)
    if toolkit is None and done is not None and done.failed:
        _stop(done)
    elif toolkit is not None and not as_json:
        _show(forge, toolkit)
    raise typer.Exit(PROBLEMS if toolkit is not None and toolkit.is_degraded else DONE)


def _refuse_unreviewed(forge: Forge, planned: Plan) -> None:
    from gitforge.unreviewed import refuse_unreviewed  # noqa: PLC0415 -- reads the history

    refuse_unreviewed(forge.repo, planned.components)


def _ask_new_goal(forge: Forge) -> tuple[Forge, NewGoal]:
    """A goal that goals.yaml has not got yet, and the forge as it will be with it."""
    from gitforge.new_goal import propose  # noqa: PLC0415 -- ruamel.yaml, for a new goal only

    new_goal = propose(forge.workspace, wizard.ask_new_goal(forge.book, forge.workspace.library))
    return replace(forge, book=new_goal.book), new_goal


def _generate(
    forge: Forge, goal: Goal, planned: Plan, options: plans.Options, new_goal: NewGoal | None
) -> Generated:
    from gitforge.cli import generating  # noqa: PLC0415 -- providers and transactions, where something is missing

    return generating.generate_missing(forge, planned.components, lambda _: goal, options, new_goal)


def _stop(done: Generated) -> None:
    paths = ", ".join(f"library/{need.path}" for need, _ in done.failed)
    _, first = done.failed[0]
    raise ProviderError(
        f"no toolkit was assembled, because there is no good draft of {paths}; what you accepted is recorded",
        hint=f"{first.hint or 'Try again.'} Or add --keep-going for a toolkit with placeholders.",
    )


def _show(forge: Forge, toolkit: Toolkit) -> None:
    folder = toolkit.folder.relative_to(forge.workspace.root).as_posix()
    for one in toolkit.components:
        if one.is_absent:
            output.say(("degraded: ", output.WARN), f"a placeholder stands in for library/{one.need.path}")
        elif one.is_outline:
            output.say(
                ("to fill in: ", output.WARN),
                f"library/{one.need.path} is an offline outline with TODO points",
            )
    for one in toolkit.unused:
        output.say(("left out: ", output.WARN), f"no template of an output shows library/{one.need.path}")
    verb = "built" if toolkit.changed else "unchanged"
    output.say((f"{verb}: ", output.GOOD), f"the toolkit {toolkit.project} for {toolkit.goal}")
    for name in toolkit.files:
        output.result(f"{folder}/{name}")


def _dry_run(
    forge: Forge,
    project: str,
    goal: Goal,
    planned: Plan,
    options: plans.Options,
    new_goal: NewGoal | None,
    *,
    as_json: bool,
) -> None:
    from gitforge.cli.dry_run import foresee, show_steps  # noqa: PLC0415

    steps = foresee(forge, planned.components, lambda _: goal, options, new_goal=new_goal)
    files = (*forge.book.outputs, MANIFEST)
    if as_json:
        components = [plans.as_json(one) for one in planned.components]
        head = {"project": project, "goal": goal.name, "components": components}
        output.data({**head, "would_generate": steps, "would_write": files})
        return
    show_steps(steps)
    for name in files:
        output.result(f"would write output/{project}/{name}")
    output.say("Dry run: nothing was sent, recorded or written.")


def _as_json(
    project: str, goal: Goal, planned: Plan, toolkit: Toolkit | None, done: Generated | None
) -> dict[str, Any]:
    return {
        "project": project,
        "goal": goal.name,
        "folder": str(toolkit.folder) if toolkit else None,
        "files": [*toolkit.files, MANIFEST] if toolkit else [],
        "changed": list(toolkit.changed) if toolkit else [],
        "degraded": toolkit.is_degraded if toolkit else None,
        "components": [plans.as_json(one) for one in planned.components],
        **plans.generated_as_json(done),
    }
