"""YAML written: nodes as text, and plain data in block style that every parser reads alike, of YAML 1.1 and 1.2."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from gitforge.documents import resolve

STRING, LIST, MAPPING = (f"tag:yaml.org,2002:{name}" for name in ("str", "seq", "map"))
_TAGS = {bool: "bool", int: "int", float: "float", type(None): "null"}

_WIDTH = 1 << 30  # no line is folded
_NUMERIC = re.compile(r"[-+.0-9]")  # what the versions of YAML read differently begins so, or is one of
_WORDS = re.compile(r"y|n|yes|no|on|off|true|false|null|~|=|<<", re.IGNORECASE)
_SURVIVES = re.compile(
    r"[\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]*"
)


def written(node: Node, *, indent: int = 2, offset: int = 2) -> str:
    """A node as text.

    Args:
        node: What is written, in the styles that its nodes have.
        indent: Spaces for a level of nesting.
        offset: Spaces before the dash of a list's item, counted from the list's key.
    """
    yaml = YAML(typ="rt", pure=True)
    yaml.width = _WIDTH
    yaml.indent(mapping=indent, sequence=offset + 2, offset=offset)
    stream = io.StringIO()
    yaml.serialize(node, stream)
    return stream.getvalue().removesuffix("...\n")


def as_yaml(data: Mapping[str, Any], *, is_front_matter: bool = False) -> str:
    """Writes YAML in block style that every parser reads alike, of YAML 1.1 and 1.2.

    Args:
        data: Plain data: dict, list, str, int, float, bool, None.
        is_front_matter: Whether it is to stand between lines of `---`. Some tools look for the end of front matter
            anywhere in it, so neither `---` nor `+++` is left in any text.
    """
    marks = ("---", "+++") if is_front_matter else ()
    text = written(_node(data, marks))
    for mark in marks:  # such texts are in double quotes
        text = text.replace(mark, f"\\x{ord(mark[0]):02x}" * 3)
    return text


def scalar(value: float | None) -> ScalarNode:
    """A number, true, false or null, without quotes."""
    return ScalarNode(f"tag:yaml.org,2002:{_TAGS[type(value)]}", json.dumps(value))


def _node(value: Any, marks: tuple[str, ...]) -> Node:
    if isinstance(value, Mapping):
        pairs = [(_node(name, marks), _node(inner, marks)) for name, inner in value.items()]
        return MappingNode(MAPPING, pairs, flow_style=not pairs)
    if isinstance(value, list | tuple):
        return SequenceNode(LIST, [_node(item, marks) for item in value], flow_style=not value)
    if isinstance(value, str):
        return ScalarNode(STRING, value, style=_style(value, marks))
    return scalar(value)


def _style(value: str, marks: tuple[str, ...]) -> str | None:
    """How a text survives: with line breaks as a literal block, in quotes where it could be taken for another."""
    if any(mark in value for mark in marks) or not _SURVIVES.fullmatch(value):
        return '"'
    if "\n" in value:
        return "|"
    is_other = _NUMERIC.match(value) or _WORDS.fullmatch(value) or not isinstance(resolve(value), str)
    return '"' if is_other else None
