"""`gitforge regenerate`."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated

import typer

from gitforge.build import Forge
from gitforge.cli import completing, generating, output, plans, proposing, wizard
from gitforge.cli.dry_run import messages_as_json, show_messages
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
    open_provider,
)
from gitforge.components import split_front_matter
from gitforge.drafting.prompting import Retry
from gitforge.errors import AnswerMissing, Conflict, UserError
from gitforge.generation.asking import prompts_for
from gitforge.generation.records import Generated, Prefer, Task
from gitforge.goals import Need
from gitforge.plan import Planned, State
from gitforge.provenance import generated_text, provenance
from gitforge.reviews import material, waiting
from gitforge.store.origins import read as read_origins

if TYPE_CHECKING:
    from gitforge.llm import Provider

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command(epilog="Example: gitforge regenerate digital_detective.md --feedback 'Name the instruments.'")
def regenerate(
    ctx: typer.Context,
    components: Annotated[
        list[str],
        typer.Argument(
            metavar="COMPONENT...",
            help="File names.",
            show_default=False,
            autocompletion=completing.components,
        ),
    ],
    feedback: Annotated[
        str, typer.Option("--feedback", "-m", metavar="TEXT", help="What should be different.")
    ] = "",
    describe: Describe = None,
    yes: Yes = False,
    no_review: NoReview = False,
    dry_run: DryRun = False,
    propose: plans.Propose = False,
    provider: ProviderName = None,
    model: ModelName = None,
    candidates: plans.Candidates = 1,
    max_cost: plans.MaxCost = None,
    ours: Annotated[
        bool, typer.Option("--ours", help="Where your edits and a draft clash, take your lines.")
    ] = False,
    theirs: Annotated[
        bool, typer.Option("--theirs", help="Where your edits and a draft clash, take the draft's lines.")
    ] = False,
    as_json: AsJson = False,
    directory: Directory = Path(),
) -> None:
    """Have components written anew.

    A model is shown the text as it is and your feedback, or begins anew where the text is an offline outline as
    it was generated. What people changed since the last generation is kept: the draft is merged with it, and
    where both change the same lines you decide. You review the difference; each accepted one is one commit, and
    the old text stays in git.
    """
    if ours and theirs:
        raise AnswerMissing("--ours and --theirs: one at a time", hint="Leave one of them.")
    prefer: Prefer | None = "ours" if ours else "theirs" if theirs else None
    options = plans.Options(
        describe or (), yes, no_review, provider, model, candidates, max_cost, prefer=prefer
    )
    forge = open_forge(find_workspace(ctx, directory))
    needs = [generating.find(forge, name) for name in dict.fromkeys(components)]
    name = PurePosixPath(needs[0].name).stem if len(needs) == 1 else "components"
    branch = proposing.branch_for(name, is_wanted=propose)
    options = replace(options, branch=branch)
    if feedback:
        folder = forge.workspace.library.folder
        paths = [forge.repo.relative(folder / need.path) for need in needs]
        proposing.refuse_again(forge.repo, branch, paths)
    if dry_run:
        _, tasks = _prepare(forge, needs, feedback, options)
        _show_prompts(forge, tasks, as_json=as_json)
        return
    done = write_anew(forge, needs, feedback, options)
    if as_json:
        output.data({**plans.generated_as_json(done), **proposing.as_json(forge.repo, branch)})
    else:
        proposing.show(forge.repo, branch)
    generating.stop_where_failed(done)
    raise typer.Exit(PROBLEMS if done.skipped else DONE)


def write_anew(forge: Forge, needs: Sequence[Need], feedback: str, options: plans.Options) -> Generated:
    """Has components written anew, and leads each through review to its commit.

    Args:
        forge: Where.
        needs: The components.
        feedback: What should be different; may be empty.
        options: Who writes, and who accepts.

    Raises:
        AnswerMissing: There is nobody to review.
        Conflict: A component is not as the last commit has it.
        UserError: A component is missing, or there is no model.
    """
    provider, tasks = _prepare(forge, needs, feedback, options)
    if not options.is_unattended and not output.is_interactive():
        raise AnswerMissing("there is no terminal on which to review drafts", hint="Accept them with --yes.")
    output.say(f"Drafts by {provider.describe}.")
    return generating.run_tasks(forge, tasks, provider, options)


def _prepare(
    forge: Forge, needs: Sequence[Need], feedback: str, options: plans.Options
) -> tuple[Provider, list[Task]]:
    """Who writes, and what."""
    planned = forge.states(needs)
    _refuse(planned)
    provider = open_provider(forge.repo, options.provider, options.model)
    if not provider.is_model:
        raise UserError(
            "there is no language model to write it anew, and an outline would be less than what is there",
            hint="Set OPENAI_API_KEY, or OPENAI_BASE_URL for a local server.",
        )
    return provider, _tasks(forge, planned, feedback, options)


def _refuse(planned: tuple[Planned, ...]) -> None:
    """Refuses what is not as the last commit has it: nothing that is not in git may be replaced."""
    for one in planned:
        if one.state is State.MISSING:
            raise UserError(
                f"{one.path}: is missing", hint=f"`gitforge generate {shlex.quote(one.need.path)}` makes it."
            )
        if one.state is not State.READY:
            raise Conflict(
                f"{one.path}: {one.state.value}",
                hint="Commit it first, so that nothing of it is lost; or take the change back.",
            )


def _tasks(forge: Forge, planned: tuple[Planned, ...], feedback: str, options: plans.Options) -> list[Task]:
    needs = [one.need for one in planned]
    described = wizard.parse_descriptions(options.describe, lambda name: forge.book.find(name, needs))
    sources = {one.need.path: provenance(forge.repo, one.path) for one in planned}
    for one in planned:
        purpose = described.get(one.need.path) or one.need.purpose or sources[one.need.path].purpose
        if not purpose and (options.is_unattended or not output.is_interactive()):
            purpose = forge.workspace.library.read(one.need).description
        if purpose:
            described[one.need.path] = purpose
    purposes = wizard.purposes(needs, described)
    tasks = []
    known = read_origins(forge.repo)
    is_shallow = forge.repo.is_shallow()  # then nobody can tell
    unreviewed = {} if is_shallow else {one.path: one for one in waiting(forge, known, needs)}
    for one in planned:
        origin = sources[one.need.path]
        text = forge.workspace.library.text(one.need) or ""
        is_bare_outline = origin.is_outline and not origin.later and "Edited-by" not in origin.trailers
        retry = None if is_bare_outline and not feedback else Retry(split_front_matter(text)[1], feedback)
        goal = generating.goal_using(forge, one.need)
        base = generated_text(forge.repo, one.path, known)
        task = Task(one, goal, purposes[one.need.path], text, retry, base, is_unreviewed=is_shallow)
        if one.path in unreviewed:
            reviewed = material(forge.repo, known, unreviewed[one.path]).reviewed
            task = replace(task, is_unreviewed=True, reviewed=reviewed)
        tasks.append(task)
    return tasks


def _show_prompts(forge: Forge, tasks: list[Task], *, as_json: bool) -> None:
    prompts = prompts_for(forge, [(task.need, task.goal, task.purpose, task.retry) for task in tasks])
    shown = [messages_as_json(prompt) for prompt in prompts]
    if as_json:
        pairs = zip(tasks, shown, strict=True)
        output.data({"would_regenerate": [{"path": t.planned.path, "messages": m} for t, m in pairs]})
    else:
        for task, messages in zip(tasks, shown, strict=True):
            output.result((f"--- would regenerate {task.planned.path}", output.BOLD))
            show_messages(messages)
    output.say("Dry run: nothing was sent or recorded.")
