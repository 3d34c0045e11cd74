"""How a YAML text is laid out: its lines, its indentation, the entries that another text can take over."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from gitforge.rewriting import nodes
from gitforge.rewriting.nodes import Key, Node
from gitforge.rewriting.snippets import Style


class Layout:
    """A YAML text with the tree of its parts.

    Args:
        text: Accepted by `documents.parse`, without a byte order mark.
        data: What it means.
    """

    def __init__(self, text: str, data: Any) -> None:
        self.text = text
        self.data = data
        self.root = nodes.compose(text)
        self.newline = "\r\n" if "\r\n" in text and text.count("\r\n") == text.count("\n") else "\n"

    @cached_property
    def style(self) -> Style:
        """How new parts of it are to be written."""
        is_json = self.text.lstrip().startswith("{") and self.root.is_flow and _is_json(self.text)
        steps = (self.column(child.keys[0].start) - at for at, child in self._nested if child.keys)
        indent = min(max(next(steps, 2), 2), 9)  # as far as PyYAML goes
        sample = next((one for one in _lists(self.root) if one.children), None)
        if sample is None or sample.is_flow:
            return Style(indent, is_json=is_json, is_ascii=self.text.isascii())
        items = (self.column(child.start) > at for at, child in self._nested if child.form == "list")
        return Style(indent, has_block_lists=True, has_deep_items=next(items, True))

    @cached_property
    def _nested(self) -> list[tuple[int, Node]]:
        """The lists and mappings with an entry to a line, each with the column of its key."""
        return [(self.column(key.start), child) for key, child in _entries(self.root) if child.is_block]

    def line_start(self, index: int) -> int:
        """Where the line of a character begins."""
        return self.text.rfind("\n", 0, index) + 1

    def after(self, node: Node) -> int:
        """Where the line begins that follows a value."""
        if node.end and self.text[node.end - 1] == "\n" and node.end > node.start:
            return node.end
        end = self.text.find("\n", node.end)
        return len(self.text) if end < 0 else end + 1

    def column(self, index: int) -> int:
        """How far from the left margin a character stands."""
        return index - self.line_start(index)

    def is_first(self, index: int) -> bool:
        """Whether nothing stands before a character on its line."""
        return not self.text[self.line_start(index) : index].strip(" ")

    def leading(self, key: Key) -> int:
        """Where the comment right above a key begins; without one, where its line does."""
        start, column = self.line_start(key.start), self.column(key.start)
        while start:
            above = self.line_start(start - 1)
            line = self.text[above:start]
            if not line.lstrip(" ").startswith("#") or len(line) - len(line.lstrip(" ")) != column:
                break
            start = above
        return start

    def is_apart(self, key: Key) -> bool:
        """Whether a blank line stands above a key and its comment."""
        start = self.leading(key)
        return start > 0 and not self.text[self.line_start(start - 1) : start].strip()

    def value_of(self, key: Key) -> int:
        """Behind the colon of a key."""
        colon = re.compile(r"[ \t]*:").match(self.text, key.end)
        return colon.end() if colon else -1

    @cached_property
    def entries(self) -> Mapping[tuple[Any, str], list[str]]:
        """The lines of every entry with its comment, from the left margin.

        By path and value; that of a mapping, which says what it is, by name and value too, wherever it stands.
        """
        found: dict[tuple[Any, str], list[str]] = {}
        self._note(self.root, self.data, (), found)
        return found

    def _note(self, node: Node, data: Any, path: tuple[str, ...], found: dict[Any, list[str]]) -> None:
        if node.form != "mapping" or node.is_flow:
            return
        for key, child in zip(node.keys, node.children, strict=True):
            value, here = data[key.name], (*path, key.name)
            if self.is_first(key.start):
                lines, said = self._lines(key, child), repr(value)
                found[here, said] = lines
                if isinstance(value, dict) and value:
                    found.setdefault((key.name, said), lines)
            self._note(child, value, here, found)

    def _lines(self, key: Key, child: Node) -> list[str]:
        column = self.column(key.start)
        lines = re.split(r"\r?\n", self.text[self.leading(key) : self.after(child)])
        lines = lines[:-1] if not lines[-1] else lines
        return [line[column:] if not line[:column].strip(" ") else line.lstrip(" ") for line in lines]


def _is_json(text: str) -> bool:
    import json  # noqa: PLC0415

    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _entries(node: Node) -> Iterator[tuple[Key, Node]]:
    yield from zip(node.keys, node.children, strict=False)
    for child in node.children:
        yield from _entries(child)


def _lists(node: Node) -> Iterator[Node]:
    if node.form == "list":
        yield node
    for child in node.children:
        yield from _lists(child)
