"""`gitforge show`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from gitforge.build import Forge
from gitforge.cli import output, plans
from gitforge.cli.session import AsJson, Describe, Directory, find_workspace, open_forge
from gitforge.errors import AnswerMissing, UserError
from gitforge.goals import Goal, Need
from gitforge.plan import Planned
from gitforge.store.repo import Generation
from gitforge.text import did_you_mean, printable

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command(epilog="Example: gitforge show root_cause_analysis_drilldown.md")
def show(
    ctx: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A goal, or a component's file name.", show_default=False)
    ],
    is_provenance: Annotated[
        bool,
        typer.Option("--provenance", help="Where the component's text came from, with the exact prompt."),
    ] = False,
    prompt: Annotated[
        bool, typer.Option("--prompt", help="Show exactly what a model would be asked for it; send nothing.")
    ] = False,
    describe: Describe = None,
    as_json: AsJson = False,
    directory: Directory = Path(),
) -> None:
    """Show a goal or a component.

    A goal with its components and their states; a component with the commit that it came from, the goals that
    use it, and its text. With --prompt what a model would be asked for a component, there already or missing.
    """
    forge = open_forge(find_workspace(ctx, directory))
    found = _find(forge, name)
    if describe and not prompt:
        raise AnswerMissing("--describe is for --prompt", hint="Add --prompt.")
    if prompt and is_provenance:
        raise AnswerMissing("--prompt and --provenance: one at a time", hint="Leave one of them.")
    if prompt:
        _show_prompt(forge, found, plans.Options(describe or (), False, False, None, None), as_json=as_json)
    elif is_provenance:
        _show_provenance(forge, found, as_json=as_json)
    elif isinstance(found, Goal):
        _show_goal(forge, found, as_json=as_json)
    else:
        _show_component(forge, found, as_json=as_json)


def _find(forge: Forge, name: str) -> Goal | Need:
    if name in forge.book.goals:
        return forge.book.goals[name]
    others = forge.workspace.library.all(forge.book.kinds.values())
    try:
        return forge.book.find(name, others)
    except UserError:
        try:
            return forge.book.goal(name)
        except UserError:
            known = [*forge.book.goals, *forge.book.needs(), *(need.name for need in others)]
            hint = did_you_mean(name, known) or "`gitforge list` shows the goals, with --components the rest."
            raise UserError(f"no goal and no component is called {printable(name)!r}", hint=hint) from None


def _show_prompt(forge: Forge, found: Goal | Need, options: plans.Options, *, as_json: bool) -> None:
    from gitforge.cli.dry_run import exact_prompt, messages_as_json, show_messages  # noqa: PLC0415

    if isinstance(found, Goal):
        names = ", ".join(need.name for need in found.needs)
        raise UserError(f"{found.name} is a goal: a prompt is for one component", hint=f"Name one: {names}.")
    (planned,) = forge.states([found])
    prompt, is_known = exact_prompt(forge, planned, options)
    messages = messages_as_json(prompt)
    if as_json:
        output.data(
            {"path": planned.path, "prompt_id": prompt.id if is_known else None, "messages": messages}
        )
        return
    show_messages(messages)
    if not is_known:
        option = f"--describe {shlex.quote(found.name)}='...'"
        output.say(
            ("note: ", output.WARN), f"nobody has said what it is for, which would stand there: {option}"
        )


def _show_goal(forge: Forge, goal: Goal, *, as_json: bool) -> None:
    planned = forge.states(goal.needs)
    if as_json:
        output.data(
            {
                "name": goal.name,
                "category": goal.category,
                "description": goal.description,
                "line": goal.line,
                "components": [plans.as_json(one) for one in planned],
            }
        )
        return
    output.result((goal.name, output.BOLD), (f"  {goal.category}, {forge.book.file}:{goal.line}", output.DIM))
    output.result(goal.description)
    output.table(("", "", ""), plans.plan_rows(planned))


def _show_component(forge: Forge, need: Need, *, as_json: bool) -> None:
    (planned,) = forge.states([need])
    users = [goal.name for goal in forge.book.goals.values() if need.path in {one.path for one in goal.needs}]
    text = forge.workspace.library.text(need)
    origin = forge.repo.log.generation_of([planned.path]).get(planned.path) if planned.commit else None
    if as_json:
        output.data(
            {**plans.as_json(planned), "goals": users, "origin": _origin_as_json(origin), "text": text}
        )
        return
    output.result((f"library/{need.path}", output.BOLD), (f"  {planned.state.value}", _style(planned)))
    rows = [("goals", ", ".join(users) or "none")]
    if origin is not None:
        rows.append(("commit", f"{origin.commit[:10]}  {origin.date:%Y-%m-%d %H:%M}  {origin.author}"))
        rows.append(("", origin.subject))
        rows += [(key.lower(), value) for key, value in origin.trailers.items() if key in _SHOWN]
    output.table(("", ""), [((first, output.DIM), second) for first, second in rows])
    if text is None:
        output.say(f"It is missing: `gitforge generate {shlex.quote(need.path)}` makes it.")
        return
    output.result()
    output.result(text.removesuffix("\n"))


def _show_provenance(forge: Forge, found: Goal | Need, *, as_json: bool) -> None:
    from gitforge.cli import provenance as shown  # noqa: PLC0415
    from gitforge.provenance import provenance  # noqa: PLC0415

    if isinstance(found, Goal):
        raise UserError(f"{found.name} is a goal", hint="--provenance is about a component.")
    (planned,) = forge.states([found])
    known = provenance(forge.repo, planned.path)
    if as_json:
        output.data({"path": planned.path, **shown.as_json(known)})
    else:
        shown.show_provenance(planned.path, known)


_SHOWN = ("Goal", "Assisted-by", "Prompt-Id", "Reviewed-by")


def _style(planned: Planned) -> str:
    return output.STYLES.get(planned.state.value, output.WARN)


def _origin_as_json(origin: Generation | None) -> dict[str, Any] | None:
    if origin is None:
        return None
    return {
        "commit": origin.commit,
        "date": origin.date.isoformat(),
        "author": origin.author,
        "subject": origin.subject,
        "trailers": origin.trailers,
    }
