"""Where each part of a YAML text stands: the tree that an edit needs, from libyaml's events."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal

import yaml

_Loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


@dataclass(frozen=True)
class Key:
    """A key of a mapping, and where it stands, in characters."""

    name: str
    start: int
    end: int


@dataclass
class Node:
    """A value, and where it stands, in characters.

    Attributes:
        start: Where it begins, its anchor included.
        end: Behind its last word: comments and blank lines that follow are not its own.
        form: What it is; an alias has nothing below it.
        is_flow: Whether it stands in brackets.
        style: A scalar's quote, `|` or `>`; empty for a plain one.
        anchor: Its name for aliases, or that of an alias.
        keys: Of a mapping, one for each child.
        children: The values of a mapping, the items of a list.
    """

    start: int
    end: int
    form: Literal["scalar", "mapping", "list", "alias"]
    is_flow: bool = False
    style: str = ""
    anchor: str | None = None
    keys: list[Key] = field(default_factory=list)
    children: list[Node] = field(default_factory=list)

    @property
    def is_block(self) -> bool:
        """Whether it is written with an entry to a line."""
        return self.form in {"mapping", "list"} and not self.is_flow


class NoPlace(Exception):
    """The text is written in a way in which the change has no place of its own."""


def compose(text: str) -> Node:
    """The tree of a text that `documents.parse` accepts, which has bounded its depth and size.

    Raises:
        NoPlace: It is JSON with escapes that YAML does not know.
    """
    try:
        return _composed(_Loader(text), text)
    except yaml.YAMLError as error:
        raise NoPlace from error


def _composed(loader: Any, text: str) -> Node:
    stack: list[Node] = []
    pending: list[Key | None] = []
    while not isinstance(event := loader.get_event(), yaml.StreamEndEvent):
        if isinstance(event, yaml.CollectionStartEvent):
            stack.append(_opened(event))
            pending.append(None)
            continue
        if isinstance(event, yaml.CollectionEndEvent):
            node = stack.pop()
            pending.pop()
            node.end = _end(node, event)
        elif isinstance(event, yaml.ScalarEvent):
            if stack and stack[-1].form == "mapping" and pending[-1] is None:
                pending[-1] = Key(event.value, _index(event.start_mark), _index(event.end_mark))
                continue
            node = _scalar(event, text)
        elif isinstance(event, yaml.AliasEvent):
            node = Node(_index(event.start_mark), _index(event.end_mark), "alias", anchor=event.anchor)
        else:
            continue
        if not stack:
            return node
        if (key := pending[-1]) is not None:
            stack[-1].keys.append(key)
            pending[-1] = None
        stack[-1].children.append(node)
    raise ValueError("no document in the text")


def _index(mark: Any) -> int:
    return int(mark.index)


def _opened(event: yaml.CollectionStartEvent) -> Node:
    form: Literal["mapping", "list"] = "mapping" if isinstance(event, yaml.MappingStartEvent) else "list"
    start = _index(event.start_mark)
    return Node(start, start, form, bool(event.flow_style), anchor=event.anchor)


def _end(node: Node, event: yaml.CollectionEndEvent) -> int:
    if node.is_flow or not node.children:
        return _index(event.end_mark)
    return node.children[-1].end


def _scalar(event: yaml.ScalarEvent, text: str) -> Node:
    start, end, style = _index(event.start_mark), _index(event.end_mark), event.style or ""
    if style in {"|", ">"}:
        head = re.match(r"[^|>]*[|>]([^\r\n]*)", text[start:end])
        if head is None or "+" not in head[1]:  # with it, the blank lines behind the text belong to the value
            end = start + len(text[start:end].rstrip())
    return Node(start, end, "scalar", style=style, anchor=event.anchor)
