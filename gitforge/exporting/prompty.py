"""Prompty 2: `.prompty`, Jinja2 between role lines. Source: prompty.ai, the file format."""

from __future__ import annotations

import re
from typing import Any

from gitforge import yaml_output
from gitforge.exporting import curly
from gitforge.exporting.prompt import Prompt, Refused, Slot
from gitforge.text import one_line, printable

# A line that starts a new message, wherever it comes from: the text is split after it was rendered.
_ROLE = re.compile(r"\s*#?\s*(?:system|user|assistant|developer)(?:\[.*\])?\s*:\s*", re.IGNORECASE)
_TEMPLATE = {"format": {"kind": "jinja2"}, "parser": {"kind": "prompty"}}


def files(prompt: Prompt, name: str) -> dict[str, str]:
    """`<name>.prompty`: slots are inputs, of which all but the first may be left out.

    Raises:
        Refused: A line of the text would start a new message.
    """
    for line in f"{prompt.system}\n{prompt.asked}".splitlines():
        if _ROLE.fullmatch(line):
            raise Refused(
                f"{prompt.name}: has the line {printable(line.strip())!r}, which starts a new message in a .prompty",
                hint="Reword the line, or choose another format.",
            )
    front: dict[str, Any] = {
        **prompt.settings, "name": name, "displayName": prompt.title, "description": _inert(prompt.description)
    }  # fmt: skip
    front["metadata"] = {"gitforge": prompt.origin.as_metadata()}
    if prompt.slots:
        front["inputs"] = [_input(slot, prompt, is_first=slot == prompt.slots[0]) for slot in prompt.slots]
    front["template"] = _TEMPLATE
    messages = {"system": curly.escape((prompt.system,)), "user": curly.escape(prompt.user)}
    body = "\n\n".join(f"{role}:\n{text}" for role, text in messages.items() if text)
    return {f"{name}.prompty": f"---\n{yaml_output.as_yaml(front, is_front_matter=True)}---\n{body}\n"}


def _input(slot: Slot, prompt: Prompt, *, is_first: bool) -> dict[str, Any]:
    more = {"required": True} if is_first else {"default": _inert(prompt.blank)}
    return {"name": slot.name, "kind": "string", "description": _inert(one_line(slot.asks)), **more}


def _inert(value: str) -> str:
    """A value that prompty does not take for a reference to a variable or file of its user's."""
    return f" {value}" if value.startswith("${") else value
