"""The walk through what nobody has reviewed, on a terminal: each text as a diff, and a decision."""

from __future__ import annotations

import shlex
import shutil
import tempfile
from collections.abc import Sequence

from gitforge.build import Forge
from gitforge.cli import output
from gitforge.errors import Cancelled, GitforgeError, UserError
from gitforge.goals import Need
from gitforge.reviews import Material, Waiting, approve, edit, material, take_back, waiting
from gitforge.store import origins
from gitforge.store.origins import Origins
from gitforge.store.transaction import Recorded
from gitforge.text import as_diff

_WORDS = ("approve", "edit", "regenerate", "re[v]ert", "next", "quit")
_EXPLANATION = """\
  a  approve it: an empty commit says that you have seen exactly this text
  e  edit it in your editor: your version becomes one commit, and is reviewed by you
  r  regenerate it with your feedback: a model writes it anew, and you review that
  v  revert it: one commit goes back to the last reviewed text, or to none, with your reason
  n  next: leave it for another time
  q  quit: what you decided stays recorded, and the next review goes on from there
  ?  this help"""


def walk(forge: Forge, needs: Sequence[Need] | None, provider: str | None, model: str | None) -> None:
    """Shows one component after the other, until none is left or the user quits.

    What there is to review is looked up anew each time: somebody may commit meanwhile.

    Args:
        forge: Where.
        needs: The components to look at; None: all.
        provider: Who regenerates, where the user says so.
        model: The model for that.
    """
    left: set[tuple[str, str]] = set()
    decided = 0
    while True:
        known = origins.read(forge.repo)
        found = waiting(forge, known, needs)
        ahead = [one for one in found if (one.path, one.blob) not in left]
        if not ahead:
            break
        counter = f"{decided + len(left) + 1} of {decided + len(left) + len(ahead)}"
        outcome = _one(forge, ahead[0], known, counter, provider, model)
        if outcome == "quit":
            break
        decided += outcome == "done"
        if outcome == "next":
            left.add((ahead[0].path, ahead[0].blob))
    if found:
        output.say(f"{len(found)} left: `gitforge review` goes on with what is not reviewed.")
    else:
        output.say(("Everything here is reviewed.", output.GOOD))


def _one(
    forge: Forge, one: Waiting, known: Origins, counter: str, provider: str | None, model: str | None
) -> str:
    """Shows one component until something is decided about it; returns what."""
    from gitforge.cli.prompts import ask, ask_letter  # noqa: PLC0415

    try:
        found = material(forge.repo, known, one)
        _show(forge, one, found, counter)
    except UserError as error:
        _say_why("passed over", error)
        return "next"
    while True:
        letter = ask_letter(f"Approve this {one.need.kind.name}?", _WORDS, _EXPLANATION)
        if letter in {"n", "q"}:
            return "next" if letter == "n" else "quit"
        try:
            match letter:
                case "a":
                    _say_recorded("approved", approve(forge.repo, [one]), one.path)
                    is_decided = True
                case "e":
                    is_decided = _edit(forge, one, found)
                case "r":
                    feedback = ask("What should be different?")
                    is_decided = _regenerate(forge, one, feedback, provider, model)
                case _:
                    _revert(forge, one, found, ask("Why? (the next generation is told)"))
                    is_decided = True
        except Cancelled:  # of a question within
            continue
        except GitforgeError as error:
            _say_why("not recorded", error)
            continue
        if is_decided:
            return "done"


def _say_why(what: str, error: GitforgeError) -> None:
    output.say((f"{what}: ", output.BAD), error.message)
    if error.hint:
        output.say(("hint: ", output.WARN), error.hint)


def _show(forge: Forge, one: Waiting, found: Material, counter: str) -> None:
    output.say()
    output.say((f"{counter}  {one.path}", output.BOLD))
    newest = found.changes[0].commit
    rows = [
        ("purpose", found.purpose or "(no commit says so)"),
        ("written by", one.written_by),
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
        told = f"in the working tree it is {planned.state.value}: this is about the last commit's text"
        output.say(("note: ", output.WARN), told)


def _edit(forge: Forge, one: Waiting, found: Material) -> bool:
    from gitforge.cli.editing import edit as edit_text  # noqa: PLC0415
    from gitforge.drafting.draft import tidy  # noqa: PLC0415

    (planned,) = forge.states([one.need])
    if planned.is_uncommitted or planned.is_absent:  # now, not once they have written something
        raise UserError(
            f"{one.path}: {planned.state.value}", hint="Commit it or take it back first; then look again."
        )
    text = edit_text(found.text, one.need.name, forge.repo.editor, lambda text: tidy(text, one.need.name))
    if text is None:
        return False
    try:
        recorded = edit(forge.repo, one, found.text, text)
    except GitforgeError:
        with tempfile.NamedTemporaryFile(
            "w", prefix="gitforge-edited-", suffix=f"-{one.need.name}", delete=False, encoding="utf-8"
        ) as file:
            file.write(text)
        output.say(("kept: ", output.WARN), f"what you wrote is in {file.name}")
        raise
    _say_recorded("edited", recorded, one.path)
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
    users = forge.book.users_of(one.need)
    if found.reviewed is None and users:
        command = shlex.join(["gitforge", "generate", one.need.path])
        output.say(
            ("note: ", output.WARN),
            f"{', '.join(users)} now lacks it: `{command}` has it written anew, and tells why",
        )


def _say_recorded(what: str, recorded: Recorded, path: str) -> None:
    output.say((f"{what}: ", output.GOOD), f"{path}, {recorded.commit[:10]}")
