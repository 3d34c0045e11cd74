"""The words of the offer: the terms are those of the Model Context Protocol, the records are our own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gitforge.build import Forge
from gitforge.text import printable
from gitforge.workspace import Workspace

Data = dict[str, Any]


@dataclass(frozen=True)
class Argument:
    """Something that a prompt can be given.

    Attributes:
        name: As requests name it.
        title: As people read it.
        description: What belongs there.
    """

    name: str
    title: str
    description: str


@dataclass(frozen=True)
class Prompt:
    """A goal that can be asked for as a prompt."""

    name: str
    title: str
    description: str
    arguments: tuple[Argument, ...] = ()


@dataclass(frozen=True)
class Rendered:
    """A prompt with its arguments in it.

    Attributes:
        description: What it is for, and what to know about it before it is used.
        messages: Its texts, in order.
    """

    description: str
    messages: tuple[str, ...]


@dataclass(frozen=True)
class Resource:
    """Something that can be read.

    Attributes:
        uri: Its name.
        name: What people call it.
        description: One line on what it is for.
        mime_type: Of its text.
        size: In bytes; None where nobody knows before it is made.
    """

    uri: str
    name: str
    description: str
    mime_type: str
    size: int | None = None


@dataclass(frozen=True)
class ResourceTemplate:
    """The form of many resources' names.

    Attributes:
        uri_template: By RFC 6570.
        name: What people call it.
        description: What can be read by it.
        mime_type: Of every one of them; None where they differ.
    """

    uri_template: str
    name: str
    description: str
    mime_type: str | None = None


@dataclass(frozen=True)
class Content:
    """The text of a resource.

    Attributes:
        uri: Its name.
        mime_type: Of the text.
        text: It.
        about: Facts about it, for a program.
    """

    uri: str
    mime_type: str
    text: str
    about: Data = field(default_factory=dict)


@dataclass(frozen=True)
class Tool:
    """Something that can be called.

    Attributes:
        name: As requests name it.
        title: As people read it.
        description: What it does, for the model that decides whether to call it.
        input_schema: JSON Schema of its arguments.
        output_schema: JSON Schema of its result.
        call: Does it.
        at_worst: What it gives where goals.yaml cannot be used; None: that this is so.
        is_writing: Whether it changes anything; never destroys, and a second call changes nothing more.
        is_open: Whether it talks to somebody outside of the workspace.
    """

    name: str
    title: str
    description: str
    input_schema: Data
    output_schema: Data
    call: Callable[[Forge, Mapping[str, Any]], Data] = field(repr=False)
    at_worst: Callable[[Workspace], Data] | None = field(default=None, repr=False)
    is_writing: bool = False
    is_open: bool = False


def spelled_out(value: Any) -> Any:
    """Data with every hidden character in its texts spelled out: what a person cannot see, no model is to obey.

    Args:
        value: Texts, numbers, and lists and mappings of them.
    """
    match value:
        case str():
            return printable(value)
        case Mapping():
            return {printable(key): spelled_out(one) for key, one in value.items()}
        case list() | tuple():
            return [spelled_out(one) for one in value]
    return value
