"""Where each line of an assembled text comes from: which line of which component or template.

The toolkit is assembled once more with a mark in every line of every text that goes in. If taking the marks out
gives the true text, byte for byte, they say where each line came from. Where a template does with a text what
marks do not survive (cuts it, counts it, wraps it), that text alone goes in without, and its lines are compared.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from gitforge.assemble import assemble
from gitforge.components import Component
from gitforge.errors import UserError
from gitforge.goals import Goal, GoalBook
from gitforge.templates import Renderer

_FIRST_MARK, _LAST_MARK = 0xF0000, 0x10FFFD  # private use: characters that no text should have
_LONG = 1_000  # lines
_LINE = re.compile(r".*\n|.+")

_Key = int | str
"""The number of a component, or the name of a template."""
_MarkLine = Callable[[str, str], str]


@dataclass(frozen=True)
class Source:
    """The line that a line of an assembled text comes from.

    Attributes:
        component: The number of the component, from 0; None for a line of a template.
        template: The name of the template; None for a line of a component.
        line: The line's number in the component's body or in the template, from 1; None where nobody can tell.

    With neither component nor template nobody can tell which of them it is.
    """

    component: int | None
    template: str | None
    line: int | None


@dataclass(frozen=True)
class _Inputs:
    project: str
    goal: Goal
    components: Sequence[Component]
    book: GoalBook
    templates: Mapping[str, str]

    def assembled(self) -> dict[str, str]:
        return assemble(self.project, self.goal, self.components, self.book, self.renderer())

    def renderer(self) -> Renderer:
        def find(name: str) -> tuple[str, str] | None:
            return (self.templates[name], f"library/{name}") if name in self.templates else None

        return Renderer(find)


def trace(
    project: str,
    goal: Goal,
    components: Sequence[Component],
    book: GoalBook,
    templates: Mapping[str, str],
    name: str,
) -> tuple[str, list[Source]]:
    """The text of one file of a toolkit, and where each of its lines comes from.

    Args:
        project: The toolkit's name.
        goal: What it is for.
        components: What it is made from.
        book: Says which kinds and which files there are.
        templates: Text by name below `library/`.
        name: The file.

    Raises:
        UserError: A template does not render.
    """
    inputs = _Inputs(project, goal, components, book, templates)
    truth = inputs.assembled()[name]
    everything: list[_Key] = [*templates, *range(len(components))]
    styles: dict[_Key, _MarkLine] = {}
    found: list[list[Source]] = [[] for _ in lines_of(truth)]

    def survive(more: Mapping[_Key, _MarkLine]) -> bool:
        nonlocal found
        marks = _Marks(inputs, {**styles, **more})
        try:
            text = marks.assembled()[name]
        except UserError:
            return False
        if marks.removed(text) != truth:
            return False
        styles.update(more)
        found = marks.found(text)
        return True

    def mark(keys: Sequence[_Key], mark_line: _MarkLine) -> None:
        """Marks as many of the texts as can be."""
        if keys and not survive(dict.fromkeys(keys, mark_line)) and len(keys) > 1:
            mark(keys[: len(keys) // 2], mark_line)
            mark(keys[len(keys) // 2 :], mark_line)

    if not any(survive(dict.fromkeys(everything, one)) for one in (_in_front, _before_words)):
        for mark_line in (_in_front, _before_words):
            mark([key for key in everything if key not in styles], mark_line)
    return truth, list(_Filled(inputs, truth, found, frozenset(styles)).sources(book.outputs[name]))


def lines_of(text: str) -> list[str]:
    """The lines of a text as git has them, each with its line break."""
    return _LINE.findall(text)


def alike(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The lines that two texts have in common in the same order: pairs of numbers, from 0."""
    # In long texts a line that is there often, such as a blank one, is only taken beside one that is not.
    is_long = max(len(before), len(after)) > _LONG
    for block in SequenceMatcher(None, before, after, autojunk=is_long).get_matching_blocks():
        yield from zip(
            range(block.a, block.a + block.size), range(block.b, block.b + block.size), strict=True
        )


def _in_front(line: str, mark: str) -> str:
    return mark + line


def _before_words(line: str, mark: str) -> str:
    """Blank lines stay blank, and white space stays in front."""
    words = line.lstrip()
    return line[: len(line) - len(words)] + mark + words if words else line


class _Marks:
    """Characters that no text has, each for one line."""

    def __init__(self, inputs: _Inputs, styles: Mapping[_Key, _MarkLine]) -> None:
        self._inputs = inputs
        self._styles = styles
        self._sources: dict[str, Source] = {}
        texts = [*(one.body or "" for one in inputs.components), *inputs.templates.values()]
        taken = {character for text in texts for character in text if ord(character) >= _FIRST_MARK}
        self._free = (chr(code) for code in range(_FIRST_MARK, _LAST_MARK) if chr(code) not in taken)

    def assembled(self) -> dict[str, str]:
        """The toolkit's files with a mark in each line."""
        components = [
            replace(one, body="".join(self._body(number, one.body)))
            if one.body is not None and number in self._styles
            else one
            for number, one in enumerate(self._inputs.components)
        ]
        templates = {
            name: "".join(self._template(name, text)) if name in self._styles else text
            for name, text in self._inputs.templates.items()
        }
        return replace(self._inputs, components=components, templates=templates).assembled()

    def removed(self, text: str) -> str:
        """The text without marks."""
        return text.translate(dict.fromkeys(map(ord, self._sources)))

    def found(self, text: str) -> list[list[Source]]:
        """The marks in each line of a text."""
        return [
            [self._sources[character] for character in line if character in self._sources]
            for line in lines_of(text)
        ]

    def _body(self, number: int, body: str) -> Iterator[str]:
        for count, line in enumerate(lines_of(body), start=1):
            yield self._styles[number](line, self._mark(Source(number, None, count)))

    def _template(self, name: str, text: str) -> Iterator[str]:
        for count, line in enumerate(lines_of(text), start=1):
            # In front of a tag or comment a mark would keep the white space that goes with it.
            is_tag = line.lstrip().startswith(("{%", "{#"))
            yield line if is_tag else self._mark(Source(None, name, count)) + line

    def _mark(self, source: Source) -> str:
        mark = next(self._free, "")
        if mark:
            self._sources[mark] = source
        return mark


class _Filled:
    """The source of each line: a component where it has a part in the line, else a template.

    Args:
        inputs: What was assembled.
        text: What came of it.
        marked: The marks in each of its lines.
        known: The texts that had marks.
    """

    def __init__(
        self, inputs: _Inputs, text: str, marked: Sequence[Sequence[Source]], known: frozenset[_Key]
    ) -> None:
        self._lines = [line.strip() for line in lines_of(text)]
        self._marked = marked
        self._bodies = [lines_of(one.body or "") for one in inputs.components]
        self._templates = {name: lines_of(one) for name, one in inputs.templates.items()}
        self._loose = [number for number in range(len(self._bodies)) if number not in known]
        self._loose_templates = [name for name in self._templates if name not in known]
        self._seen = {one for found in marked for one in found}

    def sources(self, layout: str) -> Iterator[Source]:
        """The sources; `layout` is the template of the file."""
        matched = self._matched()
        before: Source | None = None
        template = Source(None, layout, None)
        for number, found in enumerate(self._marked):
            # What has no mark ends a line of a template that had one; or it is blank.
            template = next((one for one in reversed(found) if one.template is not None), template)
            part = next((one for one in found if one.component is not None), None)
            one = part or matched.get(number) or template
            if part is None and number not in matched and not found:
                if self._loose or self._loose_templates:
                    one = Source(None, None, None)
                one = self._blank_behind(before) or one
            before = one
            yield one

    def _blank_behind(self, before: Source | None) -> Source | None:
        """The blank line of a component that follows, where marks stand before words alone."""
        if before is None or before.component is None or before.line is None:
            return None
        body = self._bodies[before.component]
        following = replace(before, line=before.line + 1)
        is_blank = before.line < len(body) and not body[before.line].strip()
        return following if is_blank and following not in self._seen else None

    def _matched(self) -> dict[int, Source]:
        """The sources of lines of texts without marks, by what they say."""
        found: dict[int, Source] = {}
        free = [not self._is_told(number) for number in range(len(self._lines))]
        for number in self._loose:
            body = [line.strip() for line in self._bodies[number]]
            for there, here in alike(body, self._lines):
                if free[here] and body[there]:
                    found.setdefault(here, Source(number, None, there + 1))
            self._add_pieces(found, free, number, body)
        for name in self._loose_templates:
            for there, here in alike([line.strip() for line in self._templates[name]], self._lines):
                if free[here] and self._lines[here]:
                    found.setdefault(here, Source(None, name, there + 1))
        return found

    def _add_pieces(
        self, found: dict[int, Source], free: Sequence[bool], number: int, body: Sequence[str]
    ) -> None:
        """Lines of which each is a piece of a longer one, as wrapping leaves them; once in the order of the text."""
        at = 0
        for here, line in enumerate(self._lines):
            if not free[here] or not line or here in found:
                continue
            there = next((one for one in range(at, len(body)) if line in body[one]), None)
            if there is not None and (" " in line or line in body[there].split()):
                found[here] = Source(number, None, there + 1)
                at = there

    def _is_told(self, number: int) -> bool:
        """Whether the marks tell where a line is from: from a component, or it stands so in a template."""
        return any(
            one.component is not None
            or self._templates[one.template or ""][(one.line or 1) - 1].strip() == self._lines[number]
            for one in self._marked[number]
        )
