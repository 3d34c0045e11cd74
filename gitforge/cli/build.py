"""`gitforge build`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from gitforge import names, plain_data, toolkits
from gitforge.build import Forge, make_toolkit
from gitforge.cli import completing, merging, output, plans, proposing, wizard
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
    here,
    open_forge,
    open_repo,
)
from gitforge.cli.together import refuse_apart
from gitforge.errors import ProviderError, UserError
from gitforge.goals import MANIFEST, Goal
from gitforge.hand_edits import unknown_files
from gitforge.plan import Plan
from gitforge.rebuild import Clashes, Decide, refuse_unmergeable
from gitforge.text import printable
from gitforge.toolkits import Toolkit, UnknownFiles
from gitforge.workspace import Workspace

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
    keep_ours: Annotated[
        bool, typer.Option("--ours", help="Where both changed the same lines, keep the edits by hand.")
    ] = False,
    take_theirs: Annotated[
        bool, typer.Option("--theirs", help="Where both changed the same lines, take the library's.")
    ] = False,
    require_reviewed: Annotated[
        bool,
        typer.Option("--require-reviewed", help="Refuse generated components that nobody has reviewed."),
    ] = False,
    stale: Annotated[
        bool, typer.Option("--stale", help="Build every toolkit that is out of date, and generate nothing.")
    ] = False,
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="REV|DATE|MANIFEST",
            help="The toolkit as it was, from git alone.",
            autocompletion=completing.commits,
        ),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="DIR", help="With --at: write into DIR, not into output/PROJECT."),
    ] = None,
    propose: plans.Propose = False,
    provider: ProviderName = None,
    model: ModelName = None,
    candidates: plans.Candidates = 1,
    max_cost: plans.MaxCost = None,
    as_json: AsJson = False,
    directory: Directory = Path(),
) -> None:
    """Build a project's toolkit for a goal.

    Asks for what it is not told (a toolkit that is there keeps its goal), generates the components that are missing,
    lets you review each as a diff,
    records each that you accept as one commit, and assembles output/PROJECT/. Run again, it changes nothing.
    What you edited in the toolkit by hand is merged with what has changed since.
    With --propose the commits are on the branch forge/PROJECT, and nothing is assembled.
    """
    refuse_apart(ctx)
    options = plans.Options(describe or (), yes, no_review, provider, model, candidates, max_cost)
    workspace = find_workspace(ctx, directory)
    if at is not None:
        where = _At(at, to, here(ctx, directory))
        raise typer.Exit(
            _build_at(workspace, where, project, goal_name, force=force, dry_run=dry_run, as_json=as_json)
        )
    forge = open_forge(workspace)
    decide = merging.decider(forge.repo, keep_ours=keep_ours, take_theirs=take_theirs)
    is_refusing = require_reviewed or forge.book.require_reviewed
    refuse = partial(_refuse_unreviewed, forge, is_refusing)
    if stale:
        raise typer.Exit(_build_stale(forge, decide, refuse, force=force, dry_run=dry_run, as_json=as_json))
    forge, project, goal, new_goal = _asked(forge, project, goal_name)
    branch = proposing.branch_for(project, is_wanted=propose)
    options = replace(options, branch=branch)
    planned = forge.plan(goal)
    wizard.parse_descriptions(options.describe, forge.book.find)
    output.say((f"output/{project}/", output.BOLD), f" for {goal.name}, from:")
    plans.show_plan(planned.components)
    plans.tell_absent(planned.components)
    refuse(planned)  # now, not once drafts are paid for
    folder = toolkits.folder(forge.workspace, project)
    if dry_run:
        would = partial(make_toolkit, forge, project, goal, planned, force=force, decide=decide, dry_run=True)
        is_whole = (
            branch is None and new_goal is None and not any(one.is_absent for one in planned.components)
        )
        toolkit = _made(would, as_json=as_json) if is_whole else None
        _dry_run(forge, project, goal, planned, options, new_goal, toolkit, as_json=as_json)
        return
    done = None
    if new_goal is not None or any(one.is_absent for one in planned.components):
        if not force and branch is None:
            # Now, not once drafts are paid for.
            refuse_unmergeable(forge.repo, folder, list(forge.book.outputs))
        done = _generate(forge, goal, planned, options, new_goal)
        planned = forge.plan(goal)
        if branch is None:
            refuse(planned)
    toolkit = None
    if branch is None and (done is None or not done.failed or keep_going):
        make = partial(make_toolkit, forge, project, goal, planned, force=force, decide=decide)
        toolkit = _made(make, as_json=as_json)
    if as_json:
        output.data(
            {**_as_json(project, goal, planned, toolkit, done), **proposing.as_json(forge.repo, branch)}
        )
    else:
        proposing.show(forge.repo, branch)
    if toolkit is None and done is not None and done.failed:
        _stop(done)
    elif toolkit is not None and not as_json:
        merging.show_toolkit(forge, toolkit)
    raise typer.Exit(PROBLEMS if toolkit is not None and toolkit.is_degraded else DONE)


def _refuse_unreviewed(forge: Forge, is_refusing: bool, planned: Plan) -> None:
    if not is_refusing:
        return
    from gitforge.unreviewed import refuse_unreviewed  # noqa: PLC0415 -- reads the history

    refuse_unreviewed(forge.repo, planned.components)


def _made(make: Callable[[], Toolkit], *, as_json: bool) -> Toolkit:
    """The toolkit; where edits clash and nobody decides, a script gets the places first."""
    try:
        return make()
    except Clashes as error:
        if as_json:
            output.data(merging.clashes_as_json(error))
        raise


class _At(NamedTuple):
    """What --at and --to say, and the folder that paths in them are relative to."""

    at: str
    to: Path | None
    here: Path


def _build_at(
    workspace: Workspace, where: _At, project: str | None, goal: str | None, *,
    force: bool, dry_run: bool, as_json: bool,
) -> int:  # fmt: skip
    from gitforge.cli.reproduce import build_at  # noqa: PLC0415

    return build_at(
        workspace, open_repo(workspace), where.here, where.at, project, goal, where.to,
        force=force, dry_run=dry_run, as_json=as_json,
    )  # fmt: skip


def _build_stale(
    forge: Forge, decide: Decide | None, refuse: Callable[[Plan], None], *,
    force: bool, dry_run: bool, as_json: bool,
) -> int:  # fmt: skip
    from gitforge.cli.stale import build_stale  # noqa: PLC0415

    return build_stale(forge, decide, refuse, force=force, dry_run=dry_run, as_json=as_json)


def _asked(
    forge: Forge, project: str | None, goal_name: str | None
) -> tuple[Forge, str, Goal, NewGoal | None]:
    """What is to be built, asked for where the command line does not say it."""
    if project is not None:
        names.file_name(project, "project")
    goal = forge.goal(goal_name) if goal_name is not None else None
    project = project or wizard.ask_project()
    goal = goal or _goal_before(forge, project) or wizard.ask_goal(forge.book, forge.workspace.library)
    if goal is not None:
        return forge, project, goal, None
    forge, new_goal = _ask_new_goal(forge)
    return forge, project, new_goal.goal, new_goal


def _goal_before(forge: Forge, project: str) -> Goal | None:
    """What the toolkit of that name is for; None where there is none, or it does not say so."""
    folder = toolkits.folder(forge.workspace, project)
    name = toolkits.goal_of(folder)
    if name is None:
        if unknown := unknown_files(folder, forge.book.outputs):
            output.say(("warning: ", output.WARN), UnknownFiles(folder, unknown).message)
        return None
    try:
        goal = forge.goal(name)
    except UserError as error:
        raise UserError(
            f"output/{project}/ is for {printable(name)}, and {error.message}",
            hint=f"Name another goal with --goal. {error.hint or ''}".strip(),
        ) from None
    output.say(("goal: ", output.GOOD), f"{goal.name}, as before; --goal names another")
    return goal


def _ask_new_goal(forge: Forge) -> tuple[Forge, NewGoal]:
    """A goal that goals.yaml has not got yet, and the forge as it will be with it."""
    from gitforge.new_goal import propose  # noqa: PLC0415 -- for a new goal only

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


def _dry_run(
    forge: Forge,
    project: str,
    goal: Goal,
    planned: Plan,
    options: plans.Options,
    new_goal: NewGoal | None,
    toolkit: Toolkit | None,
    *,
    as_json: bool,
) -> None:
    from gitforge.cli.dry_run import foresee, show_steps  # noqa: PLC0415

    steps = foresee(forge, planned.components, lambda _: goal, options, new_goal=new_goal)
    files = (*forge.book.outputs, MANIFEST) if options.branch is None else ()
    if as_json:
        components = [plain_data.planned(one) for one in planned.components]
        head = {"project": project, "goal": goal.name, "components": components}
        output.data(
            {**head, "would_generate": steps, "would_write": files, **merging.merged_as_json(toolkit)}
        )
        return
    show_steps(steps)
    if toolkit is not None:
        merging.show_merged(f"output/{project}", toolkit)
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
        **merging.merged_as_json(toolkit),
        "degraded": toolkit.is_degraded if toolkit else None,
        "components": [plain_data.planned(one) for one in planned.components],
        **plans.generated_as_json(done),
    }
