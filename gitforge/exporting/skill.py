"""Agent Skills: a folder with `SKILL.md`. Source: agentskills.io/specification."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gitforge import yaml_output
from gitforge.exporting.prompt import Prompt, Refused
from gitforge.text import printable

MAX_NAME = 64  # characters
MAX_DESCRIPTION = 1024
LARGE = 20 * 1024  # bytes; the specification advises against more than 5,000 tokens
_ENDS = (".", "!", "?", "…")

# No part of the specification, but of the client that most skills are written for.
_COMMAND = re.compile(r"(?:^|(?<=\s))!`[^`\n]+`|^[ \t]*```+!", re.MULTILINE)
_ARGUMENT = re.compile(r"\$(?:ARGUMENTS|\d)")


def files(prompt: Prompt, name: str) -> dict[str, str]:
    """`<name>/SKILL.md`; slots are left as they are, because an agent fills them itself.

    Raises:
        Refused: No skill can have that name, or the text has what Claude Code runs as a command.
    """
    if len(name) > MAX_NAME:
        raise Refused(
            f"{prompt.name}: a skill's name has {MAX_NAME} characters at most, and {name[:40]}... has {len(name)}",
            hint="Export it alone, with --name.",
        )
    front: Mapping[str, Any] = {
        **prompt.settings,
        "name": name,
        "description": _description(prompt),
        "metadata": prompt.origin.as_metadata("gitforge-"),
    }
    body = prompt.whole
    if found := _COMMAND.search(body):
        raise Refused(
            f"{prompt.name}: has the text {printable(found[0][:60])!r}, which Claude Code runs as a command "
            "when it loads a skill",
            hint="Reword it: a space behind the exclamation mark will do.",
        )
    text = yaml_output.as_yaml(front, is_front_matter=True)
    return {f"{name}/SKILL.md": f"---\n{text}---\n\n{body}\n"}


def notes(prompt: Prompt) -> tuple[str, ...]:
    """What the user should know about the result."""
    found = []
    if (size := len(prompt.description)) > (room := _room(prompt)):
        found.append(f"{prompt.name}: the description has {size:,} characters and is cut to {room:,}")
    if (size := len(prompt.whole.encode())) > LARGE:
        found.append(
            f"{prompt.name}: has {size / 1024:,.0f} KiB, all of which an agent reads when it uses the skill"
        )
    if argument := _ARGUMENT.search(prompt.whole):
        found.append(f"{prompt.name}: Claude Code puts a skill's arguments in the place of {argument[0]}")
    return tuple(found)


def _description(prompt: Prompt) -> str:
    """What it is, and then when it is used: an agent chooses by the latter, so that is never cut."""
    told = prompt.description
    if len(told) > (room := _room(prompt)):
        kept = told[: room - 1]
        told = f"{kept.rpartition(' ')[0] or kept}…"
    if not prompt.when:
        return told
    return f"{told}{'' if told.endswith(_ENDS) else '.'} {prompt.when}"


def _room(prompt: Prompt) -> int:
    """How many characters the description may have with what follows it."""
    return MAX_DESCRIPTION - (len(prompt.when) + len(". ") if prompt.when else 0)
