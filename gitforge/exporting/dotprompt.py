"""Dotprompt: `.prompt`, Handlebars between role markers. Source: google.github.io/dotprompt and its spec/ folder."""

from __future__ import annotations

import re
from typing import Any

from gitforge import yaml_output
from gitforge.exporting.prompt import Prompt, Refused, Slot, Text
from gitforge.text import one_line

_BRACES = re.compile(r"(\\*)\{\{")
_MARKER = "<<<dotprompt:"  # what role markers are rendered to, before the messages are split at them


def files(prompt: Prompt, name: str) -> dict[str, str]:
    """`<name>.prompt`: slots are inputs, of which all but the first may be left out.

    Raises:
        Refused: The text has what dotprompt would take for a marker of its own.
    """
    if _MARKER in prompt.system + prompt.asked:
        raise Refused(
            f"{prompt.name}: has the text {_MARKER!r}, which dotprompt takes for a marker of its own, "
            "and has no way to write",
            hint="Reword it, or choose another format.",
        )
    front: dict[str, Any] = {**prompt.settings, "name": name, "description": prompt.description}
    if prompt.slots:
        front["input"] = _inputs(prompt)
    front["metadata"] = {"gitforge": prompt.origin.as_metadata()}
    messages = {"system": escape((prompt.system,)), "user": escape(prompt.user)}
    # ~ takes away the line breaks around it, which are there for the reader.
    body = "\n{{~".join(f'role "{role}"~}}}}\n{text}' for role, text in messages.items() if text)
    head = f"---\n{yaml_output.as_yaml(front, is_front_matter=True)}---\n"
    return {f"{name}.prompt": f"{head}{{{{{body}\n"}


def escape(text: Text) -> str:
    """A text as Handlebars that renders to it."""
    written = ""
    for part in text:
        if isinstance(part, str):
            is_touching = part.startswith("}") and written.endswith("}}")
            written = f"{written[:-2]}~}}}} {_plain(part)}" if is_touching else written + _plain(part)
        else:
            written += _variable(part, written)
    return written


def _plain(text: str) -> str:
    """In front of braces one backslash makes them text, two are one, and an empty comment holds the two apart."""
    return _BRACES.sub(lambda found: rf"\{found[1]}{{{{!}}}}\{{{{" if found[1] else r"\{{", text)


def _variable(slot: Slot, before: str) -> str:
    if before.endswith("{"):
        return f" {{{{~{slot.name}}}}}"
    return ("\\" if before.endswith("\\") else "") + f"{{{{{slot.name}}}}}"


def _inputs(prompt: Prompt) -> dict[str, Any]:
    first, *others = prompt.slots
    schema = {first.name: f"string, {one_line(first.asks)}"}
    schema |= {f"{slot.name}?": f"string, {one_line(slot.asks)}" for slot in others}
    return {"schema": schema, **({"default": {one.name: prompt.blank for one in others}} if others else {})}
