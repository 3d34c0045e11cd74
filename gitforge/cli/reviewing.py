"""The review of a draft on a terminal: a diff and a question, as in `git add -p`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from gitforge.cli import output
from gitforge.drafting import Draft, tidy
from gitforge.errors import GitforgeError
from gitforge.review import Accept, Decision, Edit, Quit, Regenerate, Skip
from gitforge.text import as_diff

_WORDS = ("accept", "edit", "regenerate", "skip", "quit")
_EXPLANATION = """\
  a  accept it: it becomes one commit, or with a new goal part of that goal's commit
  e  edit it first, in your editor
  r  regenerate it with your feedback
  s  skip: do without it; a placeholder stands in the toolkit
  q  quit: stop here; what is recorded stays recorded
  ?  this help"""


def on_terminal(editor: Callable[[], str]) -> Callable[[Draft], Decision]:
    """A person decides.

    Args:
        editor: Gives the command of the user's editor, as git finds it.
    """

    def decide(draft: Draft) -> Decision:
        from gitforge.cli.prompts import ask, ask_letter  # noqa: PLC0415

        _show(draft)
        while True:
            match ask_letter(f"Record this {draft.need.kind.name}?", _WORDS, _EXPLANATION):
                case "a":
                    return Accept()
                case "e":
                    edited = _edit(draft, editor)
                    if edited is not None:
                        return Edit(edited)
                case "r":
                    return Regenerate(ask("What should be different?"))
                case "s":
                    return Skip()
                case _:
                    return Quit()

    return decide


def accept_all(*, show: bool) -> Callable[[Draft], Decision]:
    """Nobody decides: every draft is accepted, shown or not."""

    def decide(draft: Draft) -> Decision:
        if show:
            _show(draft)
        return Accept(is_seen=False)

    return decide


def _show(draft: Draft) -> None:
    output.say()
    output.diff(as_diff(f"library/{draft.need.path}", None, draft.text))
    if not draft.is_model and not draft.is_edited:
        output.say(("No language model wrote this: it is an outline. Fill in its TODO points.", output.WARN))


def _edit(draft: Draft, find_editor: Callable[[], str]) -> str | None:
    """The text as the user's editor leaves it; None where it is as before, or cannot be used."""
    try:
        editor = find_editor()
    except GitforgeError as error:
        output.say(("There is no editor: ", output.WARN), f"{error.message}. Set EDITOR.")
        return None
    with tempfile.TemporaryDirectory(prefix="gitforge-") as folder:
        path = Path(folder) / draft.need.name
        path.write_text(draft.text, encoding="utf-8", newline="")
        # As git does it: the editor is a shell command, the file its argument.
        screen = None if sys.stdout.isatty() else sys.stderr
        command = ["sh", "-c", f'{editor} "$@"', editor, os.fspath(path)]
        done = subprocess.run(command, check=False, stdout=screen)  # noqa: S603 -- the user's own editor
        if done.returncode != 0:
            output.say(
                ("The editor failed ", output.WARN),
                f"({editor!r}, exit code {done.returncode}); the draft is unchanged.",
            )
            return None
        try:
            text = path.read_bytes().decode("utf-8")
            edited = tidy(text, draft.need.name) if text.strip() else ""
        except (OSError, UnicodeDecodeError, GitforgeError) as error:
            output.say(("The edited text cannot be used: ", output.WARN), str(error))
            return None
    if not edited:
        output.say(("The edited text is empty; the draft is unchanged.", output.WARN))
        return None
    if edited == draft.text:
        output.say("Nothing was changed.")
        return None
    return edited
