"""Data as YAML: the new parts of a text, written as the text around them is written."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from gitforge import documents, yaml_output
from gitforge.yaml_output import LIST, MAPPING, STRING


@dataclass(frozen=True)
class Style:
    """How a file is written.

    Attributes:
        indent: Spaces for a level of nesting.
        has_block_lists: Whether each item of a list has its own line.
        has_deep_items: Whether these are indented below their key.
        is_json: Whether the file is JSON.
        is_ascii: Whether JSON escapes every other character.
    """

    indent: int = 2
    has_block_lists: bool = False
    has_deep_items: bool = True
    is_json: bool = False
    is_ascii: bool = False


def inline(value: Any, style: Style, quote: str = "") -> str:
    """A value on one line, for any place.

    Args:
        value: Plain data.
        style: How the file is written.
        quote: The quotes to prefer for text.
    """
    if style.is_json:
        return json.dumps(value, ensure_ascii=style.is_ascii)
    if not isinstance(value, dict | list):
        listed = _written(SequenceNode(LIST, [_node(value, style, quote=quote)], flow_style=True), style)
        return listed.strip()[1:-1]
    return _written(_node(value, style, is_flow=True), style).strip()


def plain(value: Any, style: Style, quote: str = "") -> str:
    """A scalar on one line behind a key or dash that stands in no brackets, so that commas need no quotes."""
    if isinstance(value, dict | list):
        return inline(value, style, quote)
    pair = MappingNode(MAPPING, [(_text("k"), _node(value, style, quote=quote))], flow_style=False)
    return _written(pair, style).removeprefix("k:").strip()


def pair(name: str, value: Any, style: Style) -> str:
    """A key and its value on one line, to stand in brackets."""
    if style.is_json:
        return f"{inline(name, style)}: {inline(value, style)}"
    return inline({name: value}, style)[1:-1]


def key(name: str, style: Style) -> str:
    """A key with its colon."""
    return _written(_node({name: None}, style), style).strip().removesuffix(" null")


def entry(name: str, value: Any, style: Style) -> list[str]:
    """The lines of a key and its value, from the left margin, without line breaks."""
    return _written(_node({name: value}, style), style).splitlines()


def _node(value: Any, style: Style, *, is_flow: bool = False, quote: str = "") -> Node:
    if isinstance(value, dict):
        pairs = [(_text(name), _node(inner, style, is_flow=is_flow)) for name, inner in value.items()]
        return MappingNode(MAPPING, pairs, flow_style=is_flow or not pairs)
    if isinstance(value, list):
        is_flow = is_flow or not style.has_block_lists or not value
        items = [_node(item, style, is_flow=is_flow) for item in value]
        return SequenceNode(LIST, items, flow_style=is_flow)
    if isinstance(value, str):
        is_other = not isinstance(documents.resolve(value), str)
        return _text(value, quote or "'" if is_other or quote else "")
    return yaml_output.scalar(value)


def _text(value: str, quote: str = "") -> ScalarNode:
    if value.splitlines() != [value] and value:
        quote = '"'  # the one form that needs no line of its own
    return ScalarNode(STRING, value, style=quote)


def _written(node: Node, style: Style) -> str:
    return yaml_output.written(node, indent=style.indent, offset=style.indent if style.has_deep_items else 0)
