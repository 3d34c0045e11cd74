"""The review of drafts on a terminal: a diff and a question, as in `git add -p`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gitforge.cli import conflicts, output
from gitforge.cli.editing import edit
from gitforge.compare import Span, likeness, word_diff
from gitforge.components import replaced_text
from gitforge.drafting.draft import Draft, tidy
from gitforge.errors import GitforgeError
from gitforge.review import Accept, Decide, Decision, Edit, Leave, Quit, Regenerate, Skip
from gitforge.store.merge import clashes
from gitforge.text import as_diff, counted

_WORDS = ("accept", "edit", "regenerate", "skip", "quit")
_EXPLANATION = """\
  a  accept it: it becomes one commit, or with a new goal part of that goal's commit
  e  edit it first, in your editor
  r  regenerate it with your feedback
  s  skip: go on without this draft; a placeholder stands in the toolkit for what is missing
  q  quit: stop here; what is recorded stays recorded
  ?  this help"""
_WORDS_OF_CLASHING = ("merge", "regenerate", "skip", "quit")
_EXPLANATION_OF_CLASHING = """\
  m  merge: decide place by place what stays of your edits and what comes from the new draft
  r  regenerate it with your feedback
  s  skip: go on without this draft; the component stays as it is
  q  quit: stop here; what is recorded stays recorded, and the draft is kept
  ?  this help"""
_SINCE = "Nobody has reviewed the text that it replaces, so this is what differs from the last reviewed one."
_WHOLE = "Nobody has reviewed the text that it replaces, so this is the whole of it."
_OURS, _THEIRS = "what people changed since the last draft", "the new draft"
_EXPLANATION_OF_MANY = """\
  1, 2, ...  take that one: it becomes one commit, or with a new goal part of that goal's commit
  e          edit one of them first, in your editor
  r          regenerate one of them with your feedback
  s          skip: go on without them; a placeholder stands in the toolkit for what is missing
  q          quit: stop here; what is recorded stays recorded
  ?          this help"""
_LITTLE = 0.3  # of the text; with less in common, marking the differences would mark nearly everything


@dataclass(frozen=True)
class Replaced:
    """A text that a draft is to replace, and the one that it is compared with: None for nothing at all."""

    text: str
    compared: str | None


def on_terminal(editor: Callable[[], str], current: Mapping[str, Replaced]) -> Decide:
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


def accept_all(current: Mapping[str, Replaced], *, show: bool) -> Decide:
    """Nobody decides: every draft without a problem is accepted, shown or not.

    Of several the one with the fewest problems, and of those the first, stands for them all.
    """

    def decide(drafts: Sequence[Draft]) -> Decision:
        index = min(range(len(drafts)), key=lambda index: _faults(drafts[index]))
        if len(drafts) > 1:
            path = f"library/{drafts[index].need.path}"
            why = (
                "it has the fewest problems" if any(draft.problems for draft in drafts) else "it is the first"
            )
            output.say(("candidate ", output.GOOD), f"{index + 1} of {len(drafts)} for {path}: {why}")
        if show:
            _show([drafts[index]], 0, current)
        if show:
            for clash in clashes(drafts[index].clashes):
                conflicts.show(
                    clash, "", f"Clash in library/{drafts[index].need.path}", ours=_OURS, theirs=_THEIRS
                )
        is_left = drafts[index].problems or drafts[index].clashes
        return Leave() if is_left else Accept(is_seen=False, index=index)

    return decide


def _faults(draft: Draft) -> tuple[bool, int]:
    return bool(draft.clashes), len(draft.problems)


def _ask(question: str, drafts: Sequence[Draft], editor: Callable[[], str]) -> Decision | None:
    """One question; None where the answer came to nothing."""
    from gitforge.cli.prompts import ask, ask_letter  # noqa: PLC0415

    if len(drafts) == 1 and drafts[0].clashes:
        return _ask_of_clashing(drafts[0], editor)
    numbers = [str(number) for number in range(1, len(drafts) + 1)]
    words = [*numbers, *_WORDS[1:]] if len(drafts) > 1 else _WORDS
    letter = ask_letter(question, words, _EXPLANATION_OF_MANY if len(drafts) > 1 else _EXPLANATION)
    if letter in {"s", "q"}:
        return Skip() if letter == "s" else Quit()
    if letter not in {"e", "r"}:
        index = 0 if letter == "a" else numbers.index(letter)
        return _merge(drafts[index], index, editor) if drafts[index].clashes else Accept(index=index)
    index = 0
    if len(drafts) > 1:
        index = numbers.index(ask_letter("Which one?", numbers, "  the number of a candidate"))
    if letter == "r":
        return Regenerate(ask("What should be different?"), index)
    if drafts[index].clashes:
        return _merge(drafts[index], index, editor)
    edited = _edit(drafts[index], editor)
    return None if edited is None else Edit(edited, index)


def _ask_of_clashing(draft: Draft, editor: Callable[[], str]) -> Decision | None:
    """What to do with a draft that changes the same lines as the engineer did."""
    from gitforge.cli.prompts import ask, ask_letter  # noqa: PLC0415

    letter = ask_letter("Merge it with your edits?", _WORDS_OF_CLASHING, _EXPLANATION_OF_CLASHING)
    if letter == "r":
        return Regenerate(ask("What should be different?"))
    if letter in {"s", "q"}:
        return Skip() if letter == "s" else Quit()
    return _merge(draft, 0, editor)


def _merge(draft: Draft, index: int, editor: Callable[[], str]) -> Decision | None:
    name = draft.need.name
    text = conflicts.settle(draft.clashes, name, editor, ours=_OURS, theirs=_THEIRS)
    try:
        return Edit(tidy(text, name), index) if text is not None else None
    except GitforgeError as error:
        output.say(("The merged text cannot be used: ", output.WARN), error.message)
        return None


def _show(drafts: Sequence[Draft], index: int, current: Mapping[str, Replaced]) -> None:
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
        old = current.get(draft.need.path)
        new = replaced_text(old.text if old else None, draft.text)
        output.diff(as_diff(f"library/{draft.need.path}", old.compared if old else None, new))
        if old and old.compared != old.text:
            output.say((_SINCE if old.compared is not None else _WHOLE, output.DIM))
    _show_findings(draft)
    if count := len(clashes(draft.clashes)):
        told = f"In {counted(count, 'place')} {_OURS} and {_THEIRS} are not the same."
        output.say((told, output.WARN))
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
    """The draft as the user's editor leaves it; None where it is as before, or cannot be used."""
    name = draft.need.name
    return edit(draft.text, name, find_editor, lambda text: tidy(text, name))
