"""The review of drafts on a terminal: a diff and a question, as in `git add -p`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from gitforge.cli import output
from gitforge.compare import Span, likeness, word_diff
from gitforge.components import replaced_text
from gitforge.drafting.draft import Draft, tidy
from gitforge.errors import GitforgeError
from gitforge.review import Accept, Decide, Decision, Edit, Leave, Quit, Regenerate, Skip
from gitforge.text import as_diff

_WORDS = ("accept", "edit", "regenerate", "skip", "quit")
_EXPLANATION = """\
  a  accept it: it becomes one commit, or with a new goal part of that goal's commit
  e  edit it first, in your editor
  r  regenerate it with your feedback
  s  skip: go on without this draft; a placeholder stands in the toolkit for what is missing
  q  quit: stop here; what is recorded stays recorded
  ?  this help"""
_EXPLANATION_OF_MANY = """\
  1, 2, ...  take that one: it becomes one commit, or with a new goal part of that goal's commit
  e          edit one of them first, in your editor
  r          regenerate one of them with your feedback
  s          skip: go on without them; a placeholder stands in the toolkit for what is missing
  q          quit: stop here; what is recorded stays recorded
  ?          this help"""
_LITTLE = 0.3  # of the text; with less in common, marking the differences would mark nearly everything


def on_terminal(editor: Callable[[], str], current: Mapping[str, str]) -> Decide:
    """A person decides.

    Args:
        editor: Gives the command of the user's editor, as git finds it.
        current: By path below `library/` the texts that drafts are to replace.
    """
    shown: set[tuple[int, Draft]] = set()

    def decide(drafts: Sequence[Draft]) -> Decision:
        news = [index for index, draft in enumerate(drafts) if (index, draft) not in shown]
        if len(drafts) > 1 and output.has_room_for(len(drafts)):
            if news:
                _show_beside(drafts)
        else:
            for index in news if len(drafts) > 1 else [0]:
                _show(drafts, index, current)
        shown.update(enumerate(drafts))
        question = f"Record this {drafts[0].need.kind.name}?"
        if len(drafts) > 1:
            question = f"Record which {drafts[0].need.kind.name}?"
        while (decision := _ask(question, drafts, editor)) is None:
            pass
        return decision

    return decide


def accept_all(current: Mapping[str, str], *, show: bool) -> Decide:
    """Nobody decides: every draft without a problem is accepted, shown or not.

    Of several the one with the fewest problems, and of those the first, stands for them all.
    """

    def decide(drafts: Sequence[Draft]) -> Decision:
        index = min(range(len(drafts)), key=lambda index: len(drafts[index].problems))
        if len(drafts) > 1:
            path = f"library/{drafts[index].need.path}"
            why = (
                "it has the fewest problems" if any(draft.problems for draft in drafts) else "it is the first"
            )
            output.say(("candidate ", output.GOOD), f"{index + 1} of {len(drafts)} for {path}: {why}")
        if show:
            _show([drafts[index]], 0, current)
        return Leave() if drafts[index].problems else Accept(is_seen=False, index=index)

    return decide


def _ask(question: str, drafts: Sequence[Draft], editor: Callable[[], str]) -> Decision | None:
    """One question; None where the answer came to nothing."""
    from gitforge.cli.prompts import ask, ask_letter  # noqa: PLC0415

    numbers = [str(number) for number in range(1, len(drafts) + 1)]
    words = [*numbers, *_WORDS[1:]] if len(drafts) > 1 else _WORDS
    letter = ask_letter(question, words, _EXPLANATION_OF_MANY if len(drafts) > 1 else _EXPLANATION)
    if letter in {"s", "q"}:
        return Skip() if letter == "s" else Quit()
    if letter not in {"e", "r"}:
        return Accept(index=0 if letter == "a" else numbers.index(letter))
    index = 0
    if len(drafts) > 1:
        index = numbers.index(ask_letter("Which one?", numbers, "  the number of a candidate"))
    if letter == "r":
        return Regenerate(ask("What should be different?"), index)
    edited = _edit(drafts[index], editor)
    return None if edited is None else Edit(edited, index)


def _show(drafts: Sequence[Draft], index: int, current: Mapping[str, str]) -> None:
    """One draft as a diff; where there are several, the others as what differs from the first."""
    draft = drafts[index]
    output.say()
    spans = word_diff(drafts[0].text, draft.text) if index else []
    if len(drafts) > 1:
        compared = ""
        if index:
            is_like = likeness(spans) >= _LITTLE
            compared = ", compared with the first" if is_like else ": it has little in common with the first"
        output.say((f"candidate {index + 1} of {len(drafts)}{compared}", output.BOLD))
    if index and likeness(spans) >= _LITTLE:
        _show_words(spans)
    else:
        before = current.get(draft.need.path)
        output.diff(as_diff(f"library/{draft.need.path}", before, replaced_text(before, draft.text)))
    _show_findings(draft)
    if not draft.is_model and not draft.is_edited:
        output.say(("No language model wrote this: it is an outline. Fill in its TODO points.", output.WARN))


def _show_beside(drafts: Sequence[Draft]) -> None:
    """Several drafts in columns; what the first one has not is marked in the others."""
    columns: list[tuple[str, list[output.Part]]] = []
    for index, draft in enumerate(drafts):
        spans = word_diff(drafts[0].text, draft.text) if index else []
        is_compared = index > 0 and likeness(spans) >= _LITTLE
        parts: list[output.Part] = [draft.text]
        if is_compared:
            parts = [_marked(span) for span in spans if span.kind != "removed"]
        compared = ", compared with the first" if is_compared else ""
        columns.append((f"candidate {index + 1} of {len(drafts)}{compared}", parts))
    output.say()
    output.columns(columns)
    for number, draft in enumerate(drafts, start=1):
        _show_findings(draft, f"candidate {number}: ")


def _show_findings(draft: Draft, whose: str = "") -> None:
    for repair in draft.repairs:
        output.say((f"{whose}repaired: {repair}", output.DIM))
    for problem in draft.problems:
        output.say((f"{whose}problem: ", output.BAD), (problem, output.WARN))


def _marked(span: Span) -> output.Part:
    start, end, style = _MARKS[span.kind]
    return f"{start}{span.text}{end}", style


def _show_words(spans: Sequence[Span]) -> None:
    """A word diff with git's marks, line by line, so that it can be read without colour too."""
    line: list[output.Part] = []
    for span in spans:
        start, end, style = _MARKS[span.kind]
        for number, piece in enumerate(span.text.split("\n")):
            if number:
                output.say(*line)
                line = []
            if piece:
                line.append((f"{start}{piece}{end}", style))
    if line:
        output.say(*line)


_MARKS = {"same": ("", "", ""), "removed": ("[-", "-]", output.BAD), "added": ("{+", "+}", output.GOOD)}


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
        while (edited := _edited(draft, path, editor)) is None and _wants_again():
            pass  # with the file as they left it
    return edited or None


def _wants_again() -> bool:
    from gitforge.cli.prompts import ask_letter  # noqa: PLC0415

    return ask_letter("Edit it again?", ("yes", "no"), '  "no" discards what you wrote') == "y"


def _edited(draft: Draft, path: Path, editor: str) -> str | None:
    """What one session in the editor came to: "" for no change, None where it cannot be used as it is."""
    # As git does it: the editor is a shell command, the file its argument.
    screen = None if sys.stdout.isatty() else sys.stderr
    command = ["sh", "-c", f'{editor} "$@"', editor, os.fspath(path)]
    done = subprocess.run(command, check=False, stdout=screen)  # noqa: S603 -- the user's own editor
    if done.returncode != 0:
        told = f"({editor!r}, exit code {done.returncode}); the draft is unchanged."
        output.say(("The editor failed ", output.WARN), told)
        return ""
    try:
        text = path.read_bytes().decode("utf-8")
        edited = tidy(text, draft.need.name) if text.strip() else ""
    except (OSError, UnicodeDecodeError, GitforgeError) as error:
        output.say(("The edited text cannot be used: ", output.WARN), str(error))
        return "" if isinstance(error, OSError) else None
    if not edited:
        output.say(("The edited text is empty; the draft is unchanged.", output.WARN))
    elif edited == draft.text:
        output.say("Nothing was changed.")
    return "" if edited == draft.text else edited
