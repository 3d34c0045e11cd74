"""`gitforge review`."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gitforge.build import Forge
from gitforge.cli import completing, output
from gitforge.cli.session import AsJson, Directory, ModelName, ProviderName, find_workspace, open_forge
from gitforge.errors import AnswerMissing, Conflict, UserError
from gitforge.goals import Need
from gitforge.reviews import Material, Waiting, approve, edit, material, take_back, waiting
from gitforge.store import origins
from gitforge.text import as_diff

if TYPE_CHECKING:
    from gitforge.store.transaction import Recorded

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")

_WORDS = ("approve", "edit", "regenerate", "re[v]ert", "next", "quit")
_EXPLANATION = """\
  a  approve it: an empty commit says that you have seen exactly this text
  e  edit it in your editor: your version becomes one commit, and is reviewed by you
  r  regenerate it with your feedback: a model writes it anew, and you review that
  v  revert it: one commit goes back to the last reviewed text, or to none, with your reason
  n  next: leave it for another time
  q  quit: what you decided stays recorded, and the next review goes on from there
  ?  this help"""


@app.command(epilog="Example: gitforge review --list")
def review(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[COMPONENT|GOAL]...",
            help="What to look at. Default: all.",
            show_default=False,
            autocompletion=completing.components_and_goals,
        ),
    ] = None,
    only_list: Annotated[
        bool, typer.Option("--list", "-l", help="Say what nobody has reviewed; ask nothing.")
    ] = False,
    is_seen: Annotated[
        bool,
        typer.Option(
            "--approve", help="Approve the named components, which you have read elsewhere; ask nothing."
        ),
    ] = False,
    provider: ProviderName = None,
    model: ModelName = None,
    as_json: AsJson = False,
    directory: Directory = Path(),
) -> None:
    """Review what was generated and recorded unseen.

    Walks through the components that nobody has reviewed as they are now, newest first: recorded by --yes or by CI,
    pulled from others, or edited since. Each as a diff to the last reviewed text, with purpose, model and goal. An
    approval is recorded in git for exactly that text, so it travels with the branch, and a later edit needs another.
    """
    forge = open_forge(find_workspace(ctx, directory))
    known = origins.read(forge.repo)
    found = waiting(forge, known, _needs(forge, names) if names else None)
    if only_list or (as_json and not is_seen):
        _list(found, as_json=as_json)
    elif is_seen:
        _approve_unasked(forge, names, found, as_json=as_json)
    elif not found:
        output.say(("Nothing to review.", output.GOOD))
    elif not output.is_interactive():
        raise AnswerMissing(
            f"{_counted(found)} to review, and there is no terminal to do it on",
            hint="--list says which; --approve with their names records that you have read them.",
        )
    else:
        _walk(forge, found, provider, model)


def _needs(forge: Forge, names: Sequence[str]) -> list[Need]:
    """The components that are named, or that the named goals use."""
    needs: dict[str, Need] = {}
    others = forge.workspace.library.all(forge.book.kinds.values())
    for name in names:
        goal = forge.book.goals.get(name)
        for need in goal.needs if goal is not None else [forge.book.find(name, others)]:
            needs[need.path] = need
    return list(needs.values())


def _list(found: Sequence[Waiting], *, as_json: bool) -> None:
    if as_json:
        output.data([_as_json(one) for one in found])
        return
    rows = [(one.path, f"{one.since:%Y-%m-%d %H:%M}", _writer(one)) for one in found]
    output.table(("component", "since", "written by"), rows)
    told = (
        f"{_counted(found)} to review: `gitforge review` walks through them."
        if found
        else "Nothing to review."
    )
    output.say((told, output.WARN if found else output.GOOD))


def _as_json(one: Waiting) -> dict[str, Any]:
    return {
        "path": one.path,
        "kind": one.need.kind.name,
        "name": one.need.name,
        "blob": one.blob,
        "since": one.since.isoformat(),
        "model": one.writer,
        "edited": one.is_edited,
    }


def _writer(one: Waiting) -> str:
    writer = one.writer or "generated"
    return f"{writer}, edited since" if one.is_edited else writer


def _counted(found: Sequence[Waiting]) -> str:
    return f"{len(found)} components" if len(found) != 1 else "1 component"


def _approve_unasked(
    forge: Forge, names: Sequence[str] | None, found: Sequence[Waiting], *, as_json: bool
) -> None:
    if not names:
        raise AnswerMissing("--approve: say which components you have read", hint="Name them, or their goal.")
    recorded = approve(forge.repo, found) if found else None
    if as_json:
        approved = [_as_json(one) for one in found]
        output.data({"commit": recorded.commit if recorded else None, "approved": approved})
    elif recorded is None:
        output.say("Nothing of that is to be reviewed.")
    else:
        _say_recorded("approved", recorded, ", ".join(one.path for one in found))


# --- on a terminal -------------------------------------------------------------------------------------------


def _walk(forge: Forge, found: Sequence[Waiting], provider: str | None, model: str | None) -> None:
    left = 0
    for number, one in enumerate(found, start=1):
        outcome = _one(forge, one, f"{number} of {len(found)}", provider, model)
        if outcome == "quit":
            left += len(found) - number + 1
            break
        left += outcome == "next"
    if left:
        output.say(f"{left} left: `gitforge review` goes on with what is not reviewed.")
    else:
        output.say(("Everything here is reviewed.", output.GOOD))


def _one(forge: Forge, one: Waiting, counter: str, provider: str | None, model: str | None) -> str:
    """Shows one component until something is decided about it; returns what."""
    from gitforge.cli.prompts import ask, ask_letter  # noqa: PLC0415

    known = origins.read(forge.repo)
    if not known.needs_review(one.path, one.blob):
        return "done"  # approved in another clone or terminal meanwhile
    found = material(forge.repo, known, one)
    _show(forge, one, found, counter)
    while True:
        letter = ask_letter(f"Approve this {one.need.kind.name}?", _WORDS, _EXPLANATION)
        try:
            match letter:
                case "a":
                    _say_recorded("approved", approve(forge.repo, [one]), one.path)
                case "e":
                    if not _edit(forge, one, found):
                        continue
                case "r":
                    if not _regenerate(forge, one, ask("What should be different?"), provider, model):
                        continue
                case "v":
                    _revert(forge, one, found, ask("Why? (the next generation is told)"))
                case "n":
                    return "next"
                case _:
                    return "quit"
        except (Conflict, UserError) as error:
            output.say(("not recorded: ", output.BAD), error.message)
            if error.hint:
                output.say(("hint: ", output.WARN), error.hint)
            continue
        return "done"


def _show(forge: Forge, one: Waiting, found: Material, counter: str) -> None:
    output.say()
    output.say((f"{counter}  {one.path}", output.BOLD))
    newest = found.changes[0].commit
    rows = [
        ("purpose", found.purpose or "(no commit says so)"),
        ("written by", _writer(one)),
        ("goal", found.goal or "none"),
        ("recorded", f"{newest.date:%Y-%m-%d %H:%M}  {newest.id[:10]}  {newest.author}  {newest.subject}"),
    ]
    rows += [
        ("before it", f"{change.commit.id[:10]}  {change.commit.author}  {change.commit.subject}")
        for change in found.changes[1:]
    ]
    output.table(("", ""), [((name, output.DIM), value) for name, value in rows], to_stderr=True)
    diff = as_diff(one.path, found.reviewed, found.text)
    if len(diff.splitlines()) + len(rows) + 4 <= shutil.get_terminal_size().lines:
        output.diff(diff)
    else:
        from gitforge.cli.pager import paged  # noqa: PLC0415 -- where a diff is longer than the screen

        with paged(forge.repo):
            output.diff(diff, to_stdout=True)
    (planned,) = forge.states([one.need])
    if planned.is_uncommitted or planned.is_absent:
        told = f"In the working tree it is {planned.state.value}: this is about the last commit's text."
        output.say(("note: ", output.WARN), told)


def _edit(forge: Forge, one: Waiting, found: Material) -> bool:
    from gitforge.cli.editing import edit as edit_text  # noqa: PLC0415
    from gitforge.drafting.draft import tidy  # noqa: PLC0415

    text = edit_text(found.text, one.need.name, forge.repo.editor, lambda text: tidy(text, one.need.name))
    if text is None:
        return False
    _say_recorded("edited", edit(forge.repo, one, found.text, text), one.path)
    return True


def _regenerate(forge: Forge, one: Waiting, feedback: str, provider: str | None, model: str | None) -> bool:
    """Whether a new text was recorded, which the user saw."""
    from gitforge.cli import plans, regenerate  # noqa: PLC0415 -- providers and prompts

    options = plans.Options((), False, False, provider, model)
    done = regenerate.write_anew(forge, [one.need], feedback, options)
    return bool(done.commits)


def _revert(forge: Forge, one: Waiting, found: Material, why: str) -> None:
    recorded = take_back(forge.repo, one, found, why)
    what = "went back to the last reviewed text of" if found.reviewed is not None else "took back"
    _say_recorded(what, recorded, one.path)
    users = [
        goal.name for goal in forge.book.goals.values() if one.need.path in {need.path for need in goal.needs}
    ]
    if found.reviewed is None and users:
        command = shlex.join(["gitforge", "generate", one.need.path])
        output.say(
            ("note: ", output.WARN),
            f"{', '.join(users)} now lacks it: `{command}` has it written anew, and tells why.",
        )


def _say_recorded(what: str, recorded: Recorded, path: str) -> None:
    output.say((f"{what}: ", output.GOOD), f"{path}, {recorded.commit[:10]}")
