"""Questions on a terminal: a line of text, a letter, a choice from a list. Asked on standard error.

Every one raises KeyboardInterrupt on Ctrl-C and Cancelled on Ctrl-D.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from prompt_toolkit.application import Application
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.filters import Condition, is_done
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout import ConditionalContainer, HSplit, Layout, Window
from prompt_toolkit.layout.controls import BufferControl, FormattedTextControl
from prompt_toolkit.layout.dimension import Dimension
from prompt_toolkit.layout.processors import BeforeInput
from prompt_toolkit.output import create_output
from prompt_toolkit.styles import Style
from prompt_toolkit.utils import get_cwidth

from gitforge.cli import output
from gitforge.errors import Cancelled, UserError
from gitforge.text import printable

_Answer = TypeVar("_Answer")
_BRACKETS = str.maketrans("", "", "[]")

_STYLE = Style.from_dict(
    {
        "question": "bold",
        "hint": "ansibrightblack",
        "heading": "bold ansicyan",
        "pointer": "bold ansigreen",
        "chosen": "bold",
        "ready": "ansigreen",
        "lacking": "ansiyellow",
        "complaint": "ansired",
    }
)


def ask(question: str, check: Callable[[str], object] | None = None) -> str:
    """Asks for one line; what is wrong with it is said while it is typed.

    Args:
        question: Shown before the line.
        check: Raises UserError where the answer will not do.
    """
    return _Line(question, check).run().strip()


def ask_letter(question: str, words: Sequence[str], explanation: str) -> str:
    """Asks for one of some words by its letter, as `git add -p` does; else gives the explanation.

    The letter is a word's first one, or the one in square brackets: `re[v]ert`.
    """
    marked = [word if "[" in word else f"[{word[0]}]{word[1:]}" for word in words]
    letters = {word.translate(_BRACKETS): word.partition("[")[2][0] for word in marked}
    while True:
        answer = ask(f"{question} {' '.join(marked)} [?]").casefold()
        if answer in letters.values():
            return answer
        meant = [letter for word, letter in letters.items() if word.startswith(answer)]
        if answer and len(meant) == 1:
            return meant[0]
        output.say(explanation)


@dataclass(frozen=True)
class Choice:
    """One line of a list to choose from.

    Attributes:
        value: What choosing it gives.
        name: What it is called.
        group: The heading that it stands under.
        note: A short remark beside it.
        is_good: Whether the remark is good news.
        description: Shown behind it, as far as there is room.
    """

    value: Any
    name: str
    group: str = ""
    note: str = ""
    is_good: bool = True
    description: str = ""

    def matches(self, words: Sequence[str]) -> bool:
        """Whether each of the words stands in it somewhere."""
        text = f"{self.name} {self.group} {self.description}".casefold()
        return all(word in text for word in words)


def choose(question: str, choices: Sequence[Choice]) -> Any:
    """Lets a person choose from a list, by arrow keys and by typing to filter; returns the choice's value."""
    chosen = _Chooser(question, choices).run()
    output.say((f"{question} ", output.BOLD), chosen.name)  # the answer stays on the screen
    return chosen.value


class _Chooser:
    """The list on the screen: a filter line, headings, one line for each choice that the filter leaves."""

    def __init__(self, question: str, choices: Sequence[Choice]) -> None:
        self._choices = choices
        self._position = 0
        self._filter = Buffer(multiline=False, on_text_changed=self._filtered)
        self._names = max(get_cwidth(choice.name) for choice in choices)
        self._notes = max(get_cwidth(choice.note) for choice in choices)
        prefix: StyleAndTextTuples = [("class:question", f"{question} ")]
        asked = Window(BufferControl(self._filter, input_processors=[BeforeInput(prefix)]), height=1)
        hint = Window(FormattedTextControl(self._hint), height=1)
        listed = FormattedTextControl(self._lines, show_cursor=False, get_cursor_position=None)
        body = Window(listed, height=Dimension(min=3, max=24), wrap_lines=False)
        self._application: Application[Choice] = Application(
            layout=Layout(HSplit([asked, hint, body]), focused_element=asked),
            key_bindings=self._keys(),
            style=_STYLE,
            erase_when_done=True,
            output=create_output(stdout=sys.stderr),
        )

    def run(self) -> Choice:
        return _run(self._application)

    def _left(self) -> list[Choice]:
        words = self._filter.text.casefold().split()
        return [choice for choice in self._choices if choice.matches(words)]

    def _filtered(self, _: Buffer) -> None:
        self._position = 0

    def _hint(self) -> StyleAndTextTuples:
        count = len(self._left())
        return [("class:hint", f"  {count} to choose from: arrows move, typing filters, Enter takes")]

    def _lines(self) -> StyleAndTextTuples:
        lines: StyleAndTextTuples = []
        group = None
        width = self._application.output.get_size().columns - 1
        left = self._left()
        for index, choice in enumerate(left):
            if choice.group != group:
                group = choice.group
                if group:
                    lines.append(("class:heading", f"{printable(group)}\n"))
            is_here = index == self._position
            lines += self._line(choice, width, is_here=is_here)
        return lines or [("class:hint", "  nothing matches\n")]

    def _line(self, choice: Choice, width: int, *, is_here: bool) -> StyleAndTextTuples:
        name = printable(choice.name) + " " * (self._names - get_cwidth(choice.name))
        note = choice.note + " " * (self._notes - get_cwidth(choice.note))
        room = width - self._names - self._notes - 7
        description = printable(choice.description)
        if len(description) > room:
            description = description[: max(room - 1, 0)] + "\u2026" if room > 10 else ""
        pointer = ("[SetCursorPosition]", "") if is_here else ("", "")
        return [
            pointer,
            ("class:pointer", "> " if is_here else "  "),
            ("class:chosen" if is_here else "", name),
            ("class:ready" if choice.is_good else "class:lacking", f"  {note}"),
            ("class:hint", f"  {description}\n"),
        ]

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()

        def move(step: int) -> Callable[[KeyPressEvent], None]:
            def moved(_: KeyPressEvent) -> None:
                count = len(self._left())
                if count:
                    wraps = abs(step) == 1
                    target = self._position + step
                    self._position = target % count if wraps else max(0, min(count - 1, target))

            return moved

        for key, step in (
            ("down", 1),
            ("up", -1),
            ("c-n", 1),
            ("c-p", -1),
            ("pagedown", 10),
            ("pageup", -10),
        ):
            keys.add(key)(move(step))

        @keys.add("enter")
        def _(event: KeyPressEvent) -> None:
            left = self._left()
            if left:
                event.app.exit(result=left[self._position])

        _add_exits(keys)

        @keys.add("escape", eager=True)
        def _(_event: KeyPressEvent) -> None:
            self._filter.reset()

        return keys


class _Line:
    """One line to type, and under it what is wrong with what stands there."""

    def __init__(self, question: str, check: Callable[[str], object] | None) -> None:
        self._check = check
        self._is_pressed = False
        self._buffer = Buffer(multiline=False, on_text_changed=self._changed)
        prefix: StyleAndTextTuples = [("class:question", f"{question} ")]
        asked = BufferControl(self._buffer, input_processors=[BeforeInput(prefix)])
        complaint = FormattedTextControl(lambda: [("class:complaint", f"  {self._complaint()}")])
        line = Window(asked, wrap_lines=True, dont_extend_height=True)
        under = Window(complaint, wrap_lines=True, dont_extend_height=True)
        shown = Condition(self._is_wrong) & ~is_done
        keys = KeyBindings()
        _add_exits(keys)
        keys.add("enter")(self._enter)
        self._application: Application[str] = Application(
            layout=Layout(HSplit([line, ConditionalContainer(under, shown)]), focused_element=line),
            key_bindings=keys,
            style=_STYLE,
            output=create_output(stdout=sys.stderr),
        )

    def run(self) -> str:
        return _run(self._application)

    def _changed(self, _: Buffer) -> None:
        self._is_pressed = False

    def _is_wrong(self) -> bool:
        """Whether to complain: not about a line that nobody has begun."""
        return bool(self._buffer.text or self._is_pressed) and self._complaint() is not None

    def _complaint(self) -> str | None:
        if self._check is None:
            return None
        try:
            self._check(self._buffer.text.strip())
        except UserError as error:
            return error.message
        return None

    def _enter(self, event: KeyPressEvent) -> None:
        self._is_pressed = True
        if self._complaint() is None:
            event.app.exit(result=self._buffer.text)


def _add_exits(keys: KeyBindings) -> None:
    """Ctrl-C interrupts, Ctrl-D stops."""

    @keys.add("c-c")
    def _(event: KeyPressEvent) -> None:
        event.app.exit(exception=KeyboardInterrupt())

    @keys.add("c-d")
    def _(event: KeyPressEvent) -> None:
        event.app.exit(exception=EOFError())


def _run(application: Application[_Answer]) -> _Answer:
    try:
        return application.run()
    except EOFError:
        raise Cancelled("at your request") from None
