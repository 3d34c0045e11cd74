"""`gitforge show`."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gitforge import plain_data
from gitforge.cli import completing, output, plans
from gitforge.cli.session import AsJson, Describe, Directory, find_workspace, open_forge
from gitforge.components import NotOurs
from gitforge.errors import AnswerMissing, UserError
from gitforge.goals import Goal, Need, Pin
from gitforge.named import deleted
from gitforge.past import Past, past, split
from gitforge.plan import Planned
from gitforge.store import origins
from gitforge.store.records import FileChange
from gitforge.text import did_you_mean, printable

if TYPE_CHECKING:
    from gitforge.adoptions import Adoption, Origin
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
    if forge.book.matching(name, forge.workspace.library.known(forge.book, name)):
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
    pin = forge.book.pin_of(name)
    if pin is None and (was := deleted(library, forge.repo, forge.book, name)):
        path, commit = was
        hint = f"`gitforge show {shlex.quote(f'{name}@{commit[:10]}^')}` shows what it was."
        raise UserError(f"{path}: is gone since commit {commit[:10]}", hint=hint)
    if pin is not None and name.partition(":")[2] in library.foreign.goal_names(pin):
        return forge.goal(name)  # or why it cannot be used
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
        output.data(plain_data.goal_with_states(goal, planned))
        return
    pin = forge.book.pin_of(goal.name)
    where = f"{forge.book.file}:{goal.line}" if pin is None else _where(pin)
    output.result((goal.name, output.BOLD), (f"  {goal.category}, {where}", output.DIM))
    output.result(goal.description)
    output.table(("", "", ""), plans.plan_rows(planned))


def _show_component(forge: Forge, need: Need, *, as_json: bool) -> None:
    (planned,) = forge.states([need])
    users = forge.book.users_of(need)
    text = forge.workspace.library.text(need)
    last = adopted = None
    if need.pin is None:
        adopted = _adopted(forge, planned.path) if planned.commit else None
        with closing(forge.repo.log.follow([planned.path])) as changes:
            last = next(changes, None) if planned.commit else None
    if as_json:
        origin = plain_data.origin(last)
        from_ = str(adopted.origin) if adopted is not None else None
        about = {"goals": users, "adopted_from": from_, "origin": origin, "text": text}
        output.data({**plain_data.planned(planned), **about})
        return
    output.result((need.shown, output.BOLD), (f"  {planned.state.value}", _style(planned)))
    rows = [("library", _where(need.pin)), ("", printable(need.pin.url))] if need.pin is not None else []
    if adopted is not None:
        rows.append(("adopted from", f"{adopted.origin.shown}, {adopted.origin.path}"))
    _show_rows([("goals", ", ".join(users) or "none"), *rows, *_origin_rows(last)])
    if need.pin is not None and text is None:
        plans.tell_absent([planned])
        return
    if text is None:
        output.say(f"It is missing: `gitforge generate {shlex.quote(need.path)}` makes it.")
        return
    output.result()
    output.result(text.removesuffix("\n"))


def _adopted(forge: Forge, path: str) -> Adoption | None:
    from gitforge.libraries import adopted_here  # noqa: PLC0415

    return adopted_here(forge.repo, forge.book).get(path)


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
                "origin": plain_data.origin(was.change),
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
        path = forge.workspace.foreign.path(found)
        if path is None or forge.workspace.foreign.blob(found) is None:
            raise UserError(f"{found.path} is not there at {found.pin.commit[:12]}")
        _show_provenance_of(forge, path, found.pin.commit, called=found.path, as_json=as_json)
        return
    path = forge.repo.relative(forge.workspace.library.path(found))
    _show_provenance_of(forge, path, "HEAD", as_json=as_json)


def _show_provenance_of(
    forge: Forge, path: str, rev: str, *, called: str | None = None, as_json: bool
) -> None:
    """What git knows of a text; of an adopted one also what the history of the library that it is from says.

    Args:
        forge: Where.
        path: The file, from the top of the repository whose commit it is.
        rev: HEAD, or the id of a commit, perhaps of another library.
        called: What to call the file; None for its path.
        as_json: Whether it is for a script.
    """
    from gitforge.cli import provenance as shown  # noqa: PLC0415
    from gitforge.provenance import provenance  # noqa: PLC0415

    known = provenance(forge.repo, path, rev)
    adopted = _adopted(forge, path) if rev == "HEAD" else None
    place = _place(forge, adopted.origin) if adopted is not None else None
    there = provenance(forge.repo, place, adopted.origin.commit) if adopted is not None and place else None
    if as_json:
        more = plain_data.provenance(there) if there is not None else {}
        origin = {"origin": str(adopted.origin), **more} if adopted is not None else None
        output.data({"path": called or path, **plain_data.provenance(known), "adopted_from": origin})
        return
    shown.show_provenance(called or path, known)
    if adopted is not None:
        output.result()
        output.result((f"adopted from {adopted.origin.shown}", output.BOLD))
        if there is not None:
            shown.show_provenance(f"{adopted.origin.library}:{adopted.origin.path}", there)
        else:
            output.say("That library's history is not here.")


def _place(forge: Forge, origin: Origin) -> str | None:
    """Where the repository of a library has a component; None where it is not here, or not declared any more."""
    pin = forge.book.libraries.get(origin.library)
    if pin is None or forge.repo.commit_of(origin.commit) is None:
        return None
    return pin.inside(f"library/{origin.path}")


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
    return rows + [(key.lower(), value) for key, value in plain_data.trailers(last).items() if key in _SHOWN]
