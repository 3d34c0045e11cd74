"""YAML from strangers: read safely, bounded in size, with the line of every key.

The events come from libyaml through PyYAML (a composer in C would overflow its stack on deep nesting); plain
scalars are resolved by the YAML 1.2 core schema, so that a goal named `NO` stays a name. A mapping's keys are
always text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from gitforge.errors import InvalidFile, Problem, UserError

MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 32
MAX_NODES = 1_000_000  # after aliases are followed: a "billion laughs" file ends here
MAX_REPEATED = 4 * MAX_BYTES  # characters that aliases stand for: few nodes can be long ones

_Loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_STRING_TAGS = {"!", "tag:yaml.org,2002:str"}
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_PAIR = re.compile(r"\\\\|(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})")
_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_TELLING = frozenset("+-.0123456789~nNtTfF")  # what a plain scalar that is not text can begin with


@dataclass(frozen=True)
class Document:
    """Plain data (dict, list, str, int, float, bool, None) and where each part of it stands in its file."""

    file: str
    data: Any
    _lines: dict[int, dict[str | int, int]] = field(repr=False)
    duplicates: tuple[Problem, ...] = ()

    def lines_in(self, container: Any) -> Mapping[str | int, int]:
        """The line, from 1, of each key or item of a list or mapping of this document."""
        return self._lines.get(id(container), {})

    def line(self, path: Sequence[str | int]) -> int | None:
        """The line, from 1, of the key or item at the path; of the nearest one above where it is absent."""
        found, here = None, self.data
        for step in path:
            found = self._lines.get(id(here), {}).get(step, found)
            try:
                here = here[step]
            except (KeyError, IndexError, TypeError):
                break
        return found


def read_text(path: Path, name: str, limit: int = MAX_BYTES) -> str:
    """Reads a UTF-8 file; newlines stay as they are.

    Args:
        path: The file.
        name: How errors call it, relative to the workspace.
        limit: The largest size that is accepted, in bytes.

    Raises:
        InvalidFile: It is too large, or not UTF-8.
        UserError: It cannot be read.
    """
    try:
        if not path.is_file() and path.exists():
            raise UserError(f"{name}: is not a file")
        with path.open("rb") as stream:
            content = stream.read(limit + 1)
    except OSError as error:
        raise UserError(f"{name}: cannot be read: {error.strerror or error}") from error
    return decoded(content, name, limit)


def decoded(content: bytes, name: str, limit: int = MAX_BYTES) -> str:
    """The text of a file's bytes; arguments as in `read_text`.

    Raises:
        InvalidFile: It is too large, or not UTF-8.
    """
    if len(content) > limit:
        raise InvalidFile([Problem(name, f"is larger than {limit // 1024} KiB, which nobody writes by hand")])
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"is not UTF-8 text (byte 0x{content[error.start]:02x})"
        raise InvalidFile([Problem(name, message, line, "Save the file with the encoding UTF-8.")]) from None


def parse(text: str, file: str) -> Document:
    """Parses one YAML document.

    Args:
        text: The YAML text; JSON is YAML too.
        file: How errors call it.

    Raises:
        InvalidFile: It is not YAML, has more than one document, or exceeds a limit.
    """
    builder = _Builder(file)
    try:
        builder.read(_Loader(_paired(text.removeprefix("\ufeff"))))
    except yaml.MarkedYAMLError as error:
        raise InvalidFile([_syntax_problem(error, text, file)]) from None
    except UnicodeEncodeError:
        raise InvalidFile([Problem(file, "is not UTF-8 text")]) from None
    except yaml.YAMLError as error:
        reason = str(error).splitlines()[0]
        raise InvalidFile([Problem(file, f"is not YAML: {reason}", _line_of_control(text))]) from None
    return Document(file, builder.root, builder.lines, tuple(builder.duplicates))


def _paired(text: str) -> str:
    """JSON with the surrogate pairs that it escapes, unknown to YAML, as the characters that they are."""
    if "\\u" not in text or not _PAIR.search(text):
        return text
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return text
    return _PAIR.sub(lambda match: str(json.loads(f'"{match[0]}"')) if match[1] else match[0], text)


def _line_of_control(text: str) -> int | None:
    found = re.search(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", text)
    return None if found is None else text.count("\n", 0, found.start()) + 1


def _syntax_problem(error: yaml.MarkedYAMLError, text: str, file: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    line = None if mark is None else mark.line + 1
    lines = text.split("\n")
    hint = None
    if line is not None and line <= len(lines) and "\t" in lines[line - 1]:
        hint = "There is a tab in that line: YAML is indented with spaces."
    reasons = [reason for reason in (error.context, error.problem) if reason]
    return Problem(file, "is not YAML: " + ", ".join(reasons), line, hint)


class _Builder:
    """Turns events into data, one container on the stack for each level of nesting."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.root: Any = None
        self.lines: dict[int, dict[str | int, int]] = {}
        self.duplicates: list[Problem] = []
        self._stack: list[_Container] = []
        self._anchors: dict[str, tuple[Any, int, int, int]] = {}
        self._repeated = 0  # characters that the aliases so far stand for
        self._documents = 0

    def read(self, loader: Any) -> None:
        """Takes every event. Nearly all are plain scalars, put in place right here: a call for each costs."""
        stack = self._stack
        while not isinstance(event := loader.get_event(), yaml.StreamEndEvent):
            if (
                type(event) is not yaml.ScalarEvent
                or not stack
                or event.tag is not None
                or event.anchor is not None
            ):
                self._take(event)
                continue
            holder, value = stack[-1], event.value
            mark: Any = event.start_mark
            if holder.wants_key:
                holder.key, holder.wants_key = value, False
                if value in holder.lines:
                    self._duplicate(event, value, holder.lines[value])
                else:
                    holder.lines[value] = mark.line + 1
                continue
            if not event.style and (
                not value or value[0] in _TELLING
            ):  # plain: empty from libyaml, else None
                value = resolve(value)
            if holder.is_list:
                holder.lines[len(holder.value)] = mark.line + 1
                holder.value.append(value)
            else:
                holder.value.setdefault(holder.key, value)
                holder.wants_key = True

    def _take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._open(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._close(event)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise self._refuse(event, "holds more than one YAML document")

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        value: Any = event.value
        if event.tag is not None and event.tag not in _STRING_TAGS:
            raise self._refuse(event, f"has the tag {event.tag!r}, which means nothing here")
        holder = self._stack[-1] if self._stack else None
        is_key = holder is not None and holder.wants_key
        # Plain style is empty from libyaml, None from Python.
        if not is_key and not event.style and event.tag is None:
            value = resolve(value)
        if holder is None or event.anchor:
            self._add(event, value, size=1, height=0, length=_span(event, event))
        else:
            self._put(holder, event, value, size=1)

    def _open(self, event: yaml.CollectionStartEvent) -> None:
        if event.tag not in {None, "!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}:
            raise self._refuse(event, f"has the tag {event.tag!r}, which means nothing here")
        if self._stack and self._stack[-1].wants_key:
            raise self._refuse(event, "has a list or mapping where a name is expected")
        if len(self._stack) >= MAX_DEPTH:
            raise self._too_deep(event)
        is_map = isinstance(event, yaml.MappingStartEvent)
        self._stack.append(_Container({} if is_map else [], event, self._repeated))

    def _close(self, event: yaml.CollectionEndEvent) -> None:
        done = self._stack.pop()
        self.lines[id(done.value)] = done.lines
        length = _span(done.event, event) + self._repeated - done.repeated
        self._add(done.event, done.value, done.size + len(done.lines), done.height, length)

    def _alias(self, event: yaml.AliasEvent) -> None:
        if event.anchor not in self._anchors:
            raise self._refuse(event, f"uses *{event.anchor}, which is not defined before that place")
        if self._stack and self._stack[-1].wants_key:
            raise self._refuse(event, "uses an alias where a name is expected")
        value, size, height, length = self._anchors[event.anchor]
        self._repeated += length
        if self._repeated > MAX_REPEATED:
            raise self._too_large(event)
        if len(self._stack) + height > MAX_DEPTH:
            raise self._too_deep(event)
        self._add(event, value, size, height)

    def _add(self, event: Any, value: Any, size: int, height: int, length: int = 0) -> None:
        """Puts a finished value where it belongs: into the open container, or at the root."""
        if event.anchor and not isinstance(event, yaml.AliasEvent):
            self._anchors[event.anchor] = (value, size, height, length)
        if not self._stack:
            self.root = value
            return
        holder = self._stack[-1]
        if height >= holder.height:
            holder.height = height + 1
        self._put(holder, event, value, size)

    def _put(self, holder: _Container, event: Any, value: Any, size: int) -> None:
        holder.size += size
        if holder.size > MAX_NODES:
            raise self._too_large(event)
        lines = holder.lines
        if holder.wants_key:
            holder.key, holder.wants_key = value, False
            if value in lines:
                self._duplicate(event, value, lines[value])
            else:
                lines[value] = event.start_mark.line + 1
        elif holder.is_list:
            lines[len(holder.value)] = event.start_mark.line + 1
            holder.value.append(value)
        else:
            holder.value.setdefault(holder.key, value)
            holder.wants_key = True

    def _duplicate(self, event: yaml.Event, key: str, first: int) -> None:
        message = f"duplicate key {key!r}: it already stands in line {first}"
        hint = "Rename or remove one of the two."
        self.duplicates.append(Problem(self.file, message, _line(event), hint))

    def _too_large(self, event: yaml.Event) -> InvalidFile:
        return self._refuse(event, "grows beyond all bounds when its aliases are followed")

    def _too_deep(self, event: yaml.Event) -> InvalidFile:
        return self._refuse(event, f"is nested more than {MAX_DEPTH} levels deep")

    def _refuse(self, event: yaml.Event, message: str) -> InvalidFile:
        return InvalidFile([Problem(self.file, message, _line(event))])


def _span(first: Any, last: Any) -> int:
    """How many characters stand from the one event to the end of the other."""
    return int(last.end_mark.index - first.start_mark.index)


def _line(event: yaml.Event) -> int:
    """Where an event starts, from 1."""
    return event.start_mark.line + 1 if event.start_mark else 1


class _Container:
    """A list or mapping that is still being read."""

    def __init__(self, value: Any, event: yaml.CollectionStartEvent, repeated: int) -> None:
        self.value = value
        self.event = event
        self.repeated = repeated  # characters that the aliases before it stand for
        self.size = 1
        self.height = 1  # levels of nesting in it, its own included
        self.lines: dict[str | int, int] = {}
        self.key = ""  # that the next value belongs to
        self.is_list = isinstance(value, list)
        self.wants_key = not self.is_list


def resolve(value: str) -> Any:
    """What a plain scalar means, by the core schema of YAML 1.2."""
    if value in _WORDS:
        return _WORDS[value]
    if _INTEGER.fullmatch(value):
        return int(value)
    if _FLOAT.fullmatch(value):
        return float(value)
    return value
