"""YAML in block style that every parser reads alike, of YAML 1.1 and 1.2."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from gitforge.documents import resolve


def as_yaml(data: Mapping[str, Any], *, is_front_matter: bool = False) -> str:
    """Writes YAML in block style that every parser reads alike, of YAML 1.1 and 1.2.

    Args:
        data: Plain data: dict, list, str, int, float, bool, None.
        is_front_matter: Whether it is to stand between lines of `---`. Some tools look for the end of front matter
            anywhere in it, so neither `---` nor `+++` is left in any text.
    """

    class Dumper(_Dumper):
        marks = ("---", "+++") if is_front_matter else ()

    text = yaml.dump(data, Dumper=Dumper, width=1 << 30, allow_unicode=True, sort_keys=False)
    for mark in Dumper.marks:  # such texts are in double quotes
        text = text.replace(mark, f"\\x{ord(mark[0]):02x}" * 3)
    return text


class _Dumper(yaml.SafeDumper):
    """Text with line breaks as a literal block, text that could be taken for something else in quotes."""

    marks: tuple[str, ...] = ()

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        super().increase_indent(flow, False)  # noqa: FBT003 -- lists are indented, as people write them

    def represent_text(self, value: str) -> yaml.ScalarNode:
        """A text in the style in which it survives."""
        style = None
        if any(mark in value for mark in self.marks) or not _SURVIVES.fullmatch(value):
            style = '"'
        elif "\n" in value:
            style = "|"
        elif _NUMERIC.match(value) or not isinstance(resolve(value), str):
            style = '"'
        return self.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_NUMERIC = re.compile(r"[-+.0-9]")  # what the versions of YAML read differently begins so
_SURVIVES = re.compile(
    r"[\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]*"
)
_Dumper.add_representer(str, _Dumper.represent_text)
