"""Where each line of an assembled text comes from: which line of which component or template.

The toolkit is assembled once more with a mark in every line of every text that goes in. If taking the marks out
gives the true text, byte for byte, they say where each line came from. Where a template does with a text what
marks do not survive (cuts it, counts it, wraps it), lines are compared instead.
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


@dataclass(frozen=True)
class Source:
    """The line that a line of an assembled text comes from.

    Attributes:
        component: The number of the component, from 0; None for a line of a template.
        template: The name of the template; None for a line of a component.
        line: The line's number in the component's body or in the template, from 1; None where nobody can tell.
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
    truth = inputs.assembled()
    layout = book.outputs[name]
    for is_templates in (True, False):
        for mark_line in (_in_front, _before_words):
            marks = _Marks(inputs, mark_line)
            try:
                text = marks.assembled(with_templates=is_templates)[name]
            except UserError:
                continue
            if marks.removed(text) == truth[name]:
                return truth[name], list(_filled(marks.found(text), layout, components))
    return truth[name], _matched(truth[name], components, layout)


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

    def __init__(self, inputs: _Inputs, mark_line: Callable[[str, str], str]) -> None:
        self._inputs = inputs
        self._mark_line = mark_line
        self._sources: dict[str, Source] = {}
        texts = [*(one.body or "" for one in inputs.components), *inputs.templates.values()]
        taken = {character for text in texts for character in text if ord(character) >= _FIRST_MARK}
        self._free = (chr(code) for code in range(_FIRST_MARK, _LAST_MARK) if chr(code) not in taken)

    def assembled(self, *, with_templates: bool) -> dict[str, str]:
        """The toolkit's files with a mark in each line."""
        components = [
            one if one.body is None else replace(one, body="".join(self._body(number, one.body)))
            for number, one in enumerate(self._inputs.components)
        ]
        templates = dict(self._inputs.templates)
        if with_templates:
            templates = {name: "".join(self._template(name, text)) for name, text in templates.items()}
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
            yield self._mark_line(line, self._mark(Source(number, None, count)))

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


def _filled(
    marked: Sequence[Sequence[Source]], layout: str, components: Sequence[Component]
) -> Iterator[Source]:
    """The source of each line: a component where it has a part in the line, else a template."""
    bodies = [lines_of(one.body or "") for one in components]
    known = {one for found in marked for one in found}
    before: Source | None = None
    template = Source(None, layout, None)
    for found in marked:
        # What has no mark ends a line of a template that had one; or it is blank.
        template = next((one for one in reversed(found) if one.template is not None), template)
        parts = [one for one in found if one.component is not None]
        one = parts[0] if parts else template
        if not found and before is not None and before.component is not None:
            following = replace(before, line=(before.line or 0) + 1)
            body = bodies[before.component]
            is_blank = before.line is not None and before.line < len(body) and not body[before.line].strip()
            if is_blank and following not in known:  # where marks stand before words alone
                one = following
        before = one
        yield one


def _matched(text: str, components: Sequence[Component], layout: str) -> list[Source]:
    """The source of each line by what it says: a line of a component that stands there in its order."""
    lines = [line.strip() for line in lines_of(text)]
    sources = [Source(None, layout, None) for _ in lines]
    for number, one in enumerate(components):
        body = [line.strip() for line in lines_of(one.body or "")]
        for there, here in alike(body, lines):
            if sources[here].component is None and body[there]:
                sources[here] = Source(number, None, there + 1)
    return sources
