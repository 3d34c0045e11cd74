"""A template of the llm tool: YAML with `$` variables. Source: llm.datasette.io, Templates."""

from __future__ import annotations

import re
from typing import Any

from gitforge import yaml_output
from gitforge.exporting.prompt import Prompt, Slot, write


def files(prompt: Prompt, name: str) -> dict[str, str]:
    """`<name>.yaml`: the first slot is `$input`, the others are parameters that may be left out."""
    written = variables(prompt)
    data: dict[str, Any] = dict(prompt.settings)
    if prompt.system:
        data["system"] = _plain(prompt.system)
    if prompt.user:
        data["prompt"] = write(prompt.user, _plain, lambda slot: written[slot])
    defaults = {slot.name: prompt.blank for slot in prompt.slots if written[slot] != "$input"}
    if defaults:
        data["defaults"] = defaults
    return {f"{name}.yaml": prompt.origin.as_comment() + yaml_output.as_yaml(data)}


def _plain(text: str) -> str:
    return text.replace("$", "$$")


def variables(prompt: Prompt) -> dict[Slot, str]:
    """What each slot becomes: braces where a letter follows, and llm looks for its input without braces only."""
    followed = {
        slot
        for slot, behind in zip(prompt.user, prompt.user[1:], strict=False)
        if isinstance(slot, Slot) and isinstance(behind, str) and re.match(r"[A-Za-z0-9_]", behind)
    }
    free = [slot for slot in prompt.slots if slot not in followed]
    return {
        slot: "$input" if slot in free[:1] else f"${{{slot.name}}}" if slot in followed else f"${slot.name}"
        for slot in prompt.slots
    }
