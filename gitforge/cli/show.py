"""`gitforge show`."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gitforge.cli import completing, output, plans
from gitforge.cli.session import AsJson, Describe, Directory, find_workspace, open_forge
from gitforge.components import NotOurs
from gitforge.errors import AnswerMissing, UserError
from gitforge.goals import Goal, Need, Pin
from gitforge.named import deleted
from gitforge.past import Past, past, split
from gitforge.plan import Planned
from gitforge.store import origins
from gitforge.store.messages import parse
from gitforge.store.records import FileChange
from gitforge.text import did_you_mean, printable

if TYPE_CHECKING:
    from gitforge.build import Forge

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command(epilog="Example: gitforge show root_cause_analysis_drilldown.md")
def show(
    ctx: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="A goal, a component's file name, or COMPONENT@REV: as it was in a commit.",
            show_default=False,
            autocompletion=completing.components_at,
        ),
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
    A component that is gone today is shown as COMPONENT@REV.
    """
    forge = open_forge(find_workspace(ctx, directory))
    was = _past(forge, name)
    if was is not None:
        if prompt or describe:
            raise AnswerMissing("--prompt is about the component as it is today", hint="Leave the @REV.")
        (_show_past_provenance if is_provenance else _show_past)(forge, was, as_json=as_json)
        return
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


def _past(forge: Forge, name: str) -> Past | None:
    """What `COMPONENT@REV` means; None where no revision is named, or something is called so."""
    if "@" not in name or name in forge.book.goals:
        return None
    if forge.book.matching(name, forge.workspace.library.all(forge.book.kinds.values())):
        return None
    if (parts := split(forge.repo, name)) is None:
        rev = name.partition("@")[2]
        hint = forge.repo.hint_where_cut("`gitforge log` shows the commits.")
        raise UserError(
            f"no component is called {printable(name)!r}, and {printable(rev)!r} is no commit", hint=hint
        )
    return past(forge.workspace, forge.repo, forge.book, *parts)


def _find(forge: Forge, name: str) -> Goal | Need:
    if name in forge.book.goals:
        return forge.book.goals[name]
    library = forge.workspace.library
    others = library.known(forge.book, name)
    if forge.book.matching(name, others):
        return forge.book.find(name, others)
    if forge.book.pin_of(name) is None and (was := deleted(library, forge.repo, forge.book, name)):
        path, commit = was
        hint = f"`gitforge show {shlex.quote(f'{name}@{commit[:10]}^')}` shows what it was."
        raise UserError(f"{path}: is gone since commit {commit[:10]}", hint=hint)
    try:
        return forge.goal(name)
    except UserError:
        known = [*forge.book.goals, *forge.book.needs(), *(need.called for need in others)]
        hint = did_you_mean(name, known) or "`gitforge list` shows the goals, with --components the rest."
        raise UserError(f"no goal and no component is called {printable(name)!r}", hint=hint) from None


def _show_prompt(forge: Forge, found: Goal | Need, options: plans.Options, *, as_json: bool) -> None:
    from gitforge.cli.dry_run import exact_prompt, messages_as_json, show_messages  # noqa: PLC0415

    if isinstance(found, Goal):
        names = ", ".join(need.name for need in found.needs)
        raise UserError(f"{found.name} is a goal: a prompt is for one component", hint=f"Name one: {names}.")
    if found.pin is not None:
        raise NotOurs(found.path, found.pin.name, "be generated")
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
    pin = forge.book.pin_of(goal.name)
    where = f"{forge.book.file}:{goal.line}" if pin is None else _where(pin)
    output.result((goal.name, output.BOLD), (f"  {goal.category}, {where}", output.DIM))
    output.result(goal.description)
    output.table(("", "", ""), plans.plan_rows(planned))


def _show_component(forge: Forge, need: Need, *, as_json: bool) -> None:
    (planned,) = forge.states([need])
    users = [goal.name for goal in forge.book.goals.values() if need.path in {one.path for one in goal.needs}]
    text = forge.workspace.library.text(need)
    last = None
    if need.pin is None:
        with closing(forge.repo.log.follow([planned.path])) as changes:
            last = next(changes, None) if planned.commit else None
    if as_json:
        origin = _origin_as_json(last)
        output.data({**plans.as_json(planned), "goals": users, "origin": origin, "text": text})
        return
    output.result((need.shown, output.BOLD), (f"  {planned.state.value}", _style(planned)))
    from_ = [("library", _where(need.pin)), ("", printable(need.pin.url))] if need.pin is not None else []
    _show_rows([("goals", ", ".join(users) or "none"), *from_, *_origin_rows(last)])
    if need.pin is not None and text is None:
        plans.tell_absent([planned])
        return
    if text is None:
        output.say(f"It is missing: `gitforge generate {shlex.quote(need.path)}` makes it.")
        return
    output.result()
    output.result(text.removesuffix("\n"))


def _where(pin: Pin) -> str:
    return f"{pin.name} at {pin.commit[:10]}"


def _show_past(forge: Forge, was: Past, *, as_json: bool) -> None:
    reviewers = origins.read(forge.repo).reviewers_of(was.blob)
    if as_json:
        output.data(
            {
                "path": was.path,
                "revision": was.rev,
                "blob": was.blob,
                "origin": _origin_as_json(was.change),
                "reviewers": list(reviewers),
                "text": was.text,
            }
        )
        return
    output.result((was.path, output.BOLD), f"  as it was in {was.rev[:10]}")
    _show_rows([*_origin_rows(was.change), ("reviewed", ", ".join(reviewers) or "by nobody")])
    output.result()
    output.result(was.text.removesuffix("\n"))


def _show_past_provenance(forge: Forge, was: Past, *, as_json: bool) -> None:
    _show_provenance_of(forge, was.path, was.rev, as_json=as_json)


def _show_provenance(forge: Forge, found: Goal | Need, *, as_json: bool) -> None:
    if isinstance(found, Goal):
        raise UserError(f"{found.name} is a goal", hint="--provenance is about a component.")
    if found.pin is not None:
        raise NotOurs(found.path, found.pin.name, "be looked up in this history")
    path = forge.repo.relative(forge.workspace.library.path(found))
    _show_provenance_of(forge, path, "HEAD", as_json=as_json)


def _show_provenance_of(forge: Forge, path: str, rev: str, *, as_json: bool) -> None:
    from gitforge.cli import provenance as shown  # noqa: PLC0415
    from gitforge.provenance import provenance  # noqa: PLC0415

    known = provenance(forge.repo, path, rev)
    if as_json:
        output.data({"path": path, **shown.as_json(known)})
    else:
        shown.show_provenance(path, known)


_SHOWN = ("Goal", "Assisted-by", "Prompt-Id", "Reviewed-by")


def _style(planned: Planned) -> str:
    return output.STYLES.get(planned.state.value, output.WARN)


def _show_rows(rows: Sequence[tuple[str, str]]) -> None:
    output.table(("", ""), [((first, output.DIM), second) for first, second in rows])


def _origin_rows(last: FileChange | None) -> list[tuple[str, str]]:
    if last is None:
        return []
    commit = last.commit
    rows = [
        ("commit", f"{commit.id[:10]}  {commit.date:%Y-%m-%d %H:%M}  {commit.author}"),
        ("", commit.subject),
    ]
    return rows + [(key.lower(), value) for key, value in _trailers(last).items() if key in _SHOWN]


def _trailers(last: FileChange) -> Mapping[str, str]:
    """What the commit says of exactly the text that it holds."""
    said = parse(last.commit.message).of_text(last.path, last.new_blob)
    return said.trailers if said is not None else {}


def _origin_as_json(last: FileChange | None) -> dict[str, Any] | None:
    if last is None:
        return None
    return {
        "commit": last.commit.id,
        "date": last.commit.date.isoformat(),
        "author": last.commit.author,
        "subject": last.commit.subject,
        "trailers": dict(_trailers(last)),
    }
