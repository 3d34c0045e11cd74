"""`gitforge goal`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from gitforge.build import Forge
from gitforge.cli import generating, output, plans, wizard
from gitforge.cli.dry_run import foresee, show_steps
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
from gitforge.errors import ProviderError, UserError
from gitforge.goals import Goal, GoalBook, Need
from gitforge.new_goal import propose
from gitforge.plan import Planned, State
from gitforge.text import did_you_mean, one_line

app = typer.Typer(
    add_completion=False, no_args_is_help=True, rich_markup_mode="markdown", help="Add a goal to goals.yaml."
)


@app.callback(epilog="Example: gitforge goal add")
def goal() -> None:
    """Add a goal to goals.yaml."""


@app.command(
    epilog="Example: gitforge goal add REVIEW_CONTRACT --category Legal --description 'To find what binds.' "
    "--use persona=meticulous_auditor.md --use protocol=contract_pass.md --describe contract_pass.md='...'"
)
def add(
    ctx: typer.Context,
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="The new goal's name.", show_default=False)
    ] = None,
    category: Annotated[str | None, typer.Option("--category", help="Its category, new or not.")] = None,
    description: Annotated[str | None, typer.Option("--description", help="What it is for.")] = None,
    use: Annotated[
        list[str] | None,
        typer.Option(
            "--use",
            metavar="KIND=NAME",
            help="A component, there already or to be made, or LIBRARY:NAME; repeatable.",
        ),
    ] = None,
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
    """Add a goal, and the components that it needs and that are not there yet, as one commit.

    goals.yaml keeps its comments, order and quoting. Without NAME, asks for everything.
    """
    options = plans.Options(describe or (), yes, no_review, provider, model, candidates, max_cost)
    forge = open_forge(find_workspace(ctx, directory))
    if name is None:
        wizard.need_answer("no goal was named", "NAME, --category, --description and --use")
        wanted = wizard.ask_new_goal(forge.book, forge.workspace.library)
    else:
        if category is None or description is None:
            wizard.need_answer("the goal has no category or description", "--category and --description")
        wanted = Goal(
            name,
            category if category is not None else wizard.ask_category(forge.book),
            one_line(description) if description is not None else wizard.ask_description(),
            tuple(_needs(forge.book, use or ())),
        )
    _check_needs(forge.book, wanted)
    proposed = propose(forge.workspace, wanted)
    forge = replace(forge, book=proposed.book)
    planned = forge.plan(proposed.goal).components
    plans.show_plan(planned)
    _refuse_absent(forge, planned)
    if dry_run:
        steps = foresee(forge, planned, lambda _: proposed.goal, options, new_goal=proposed)
        if as_json:
            output.data({"goal": wanted.name, "would_generate": steps})
        else:
            show_steps(steps)
        output.say("Dry run: nothing was sent or recorded.")
        return
    done = generating.generate_missing(forge, planned, lambda _: proposed.goal, options, proposed)
    lacking = [one.need.path for one in forge.states(proposed.goal.needs) if one.is_absent]
    if as_json:
        output.data(
            {
                "goal": wanted.name,
                "category": wanted.category,
                "missing": lacking,
                **plans.generated_as_json(done),
            }
        )
    else:
        output.result(f"Added the goal {wanted.name} to goals.yaml.")
    if done.failed:
        first = done.failed[0][1]
        raise ProviderError(f"the goal is recorded, but without {', '.join(lacking)}", hint=first.hint)
    raise typer.Exit(PROBLEMS if lacking else DONE)


def _needs(book: GoalBook, given: Sequence[str]) -> list[Need]:
    """`--use KIND=NAME` options, in the order of the kinds."""
    chosen = []
    for option in given:
        word, _, file = option.partition("=")
        kind = next((kind for kind in book.kinds.values() if word in {kind.name, kind.key}), None)
        if kind is None or not file:
            hint = did_you_mean(word, list(book.kinds)) or f"The kinds are {', '.join(book.kinds)}."
            raise UserError(f"--use {option!r} is not KIND=NAME with a kind of goals.yaml", hint=hint)
        chosen.append(wizard.as_need(book, kind, file))
    order = list(book.kinds)
    return sorted(chosen, key=lambda need: order.index(need.kind.name))


def _refuse_absent(forge: Forge, planned: Sequence[Planned]) -> None:
    """Raises UserError where a library has no such component: nobody can generate it there."""
    for one in planned:
        if one.state is State.ABSENT and one.need.pin is not None:
            known = [need.called for need in forge.workspace.foreign.all(one.need.pin, [one.need.kind])]
            hint = did_you_mean(one.need.called, known) or (
                f"`gitforge list --components --library {one.need.library}` shows what it has."
            )
            raise UserError(f"the library {one.need.library} has no {one.need.path} at its pin", hint=hint)


def _check_needs(book: GoalBook, goal: Goal) -> None:
    """Raises UserError, in the words of the command line, where a kind has too few or too many components."""
    for kind in book.kinds.values():
        count = sum(need.kind.name == kind.name for need in goal.needs)
        if kind.required and not count:
            hint = f"Name one: --use {kind.name}=NAME; the file need not exist yet."
            raise UserError(f"the goal {goal.name} has no {kind.name}", hint=hint)
        if count > 1 and not kind.many:
            raise UserError(
                f"a goal takes one {kind.name}, but {count} were named", hint="Leave --use for one of them."
            )
