"""A template of the llm tool: YAML with `$` variables. Source: llm.datasette.io, Templates."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from gitforge import yaml_output
from gitforge.exporting.prompt import Prompt, Slot, write
from gitforge.text import printable

_RUN = frozenset({"functions"})  # code: no component brings that along unasked


def files(prompt: Prompt, name: str) -> dict[str, str]:
    """`<name>.yaml`: the first slot is `$input`, the others are parameters that may be left out."""
    written = variables(prompt)
    data: dict[str, Any] = {**_kept(prompt), **prompt.settings}
    plain = _escape(prompt)
    if prompt.system:
        data["system"] = plain(prompt.system)
    if prompt.user:
        data["prompt"] = write(prompt.user, plain, lambda slot: written[slot])
    defaults = {slot.name: prompt.blank for slot in prompt.slots if written[slot] != "$input"}
    if defaults:
        data["defaults"] = {**defaults, **(data.get("defaults") or {})}
    return {f"{name}.yaml": prompt.origin.as_comment() + yaml_output.as_yaml(data)}


def notes(prompt: Prompt) -> tuple[str, ...]:
    """What the user should know about the result."""
    kept = sorted(_kept(prompt))
    left = sorted({key for one in prompt.templates for key in one.settings if key in _RUN})
    found = [f"has {', '.join(kept)} as the front matter of its components says"] if kept else []
    found += [f"is without {', '.join(left)}, which llm would run"] if left else []
    return tuple(f"{prompt.name}: {printable(one)}" for one in found)


def _kept(prompt: Prompt) -> dict[str, Any]:
    """What the templates that it came from said besides; a later one wins."""
    own = {*_RUN, "name", "system", "prompt"}
    return {key: value for one in prompt.templates for key, value in one.settings.items() if key not in own}


def _escape(prompt: Prompt) -> Callable[[str], str]:
    """What writes a text so that llm sends exactly it; what is a template of llm's stays as it is."""
    texts = sorted({one.text for one in prompt.templates if one.text}, key=len, reverse=True)
    if not texts:
        return _plain
    parts = re.compile(f"({'|'.join(map(re.escape, texts))})")
    return lambda text: "".join(one if one in texts else _plain(one) for one in parts.split(text))


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
