"""Agent Skills: a folder with `SKILL.md`. Source: agentskills.io/specification."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gitforge import yaml_output
from gitforge.errors import UserError
from gitforge.exporting.prompt import Prompt
from gitforge.text import printable

MAX_NAME = 64  # characters
MAX_DESCRIPTION = 1024

# No part of the specification, but of the client that most skills are written for.
_COMMAND = re.compile(r"(?:^|(?<=\s))!`[^`\n]+`|^[ \t]*```+!", re.MULTILINE)
_ARGUMENT = re.compile(r"\$(?:ARGUMENTS|\d)")


def files(prompt: Prompt, name: str) -> dict[str, str]:
    """`<name>/SKILL.md`; slots are left as they are, because an agent fills them itself.

    Raises:
        UserError: No skill can have that name, or the text has what Claude Code runs as a command.
    """
    if len(name) > MAX_NAME:
        raise UserError(
            f"{prompt.name}: a skill's name has {MAX_NAME} characters at most, and {name[:40]}... has {len(name)}",
            hint="Export it alone, with --name.",
        )
    front: Mapping[str, Any] = {
        **prompt.settings,
        "name": name,
        "description": _shortened(prompt.description),
        "metadata": prompt.origin.as_metadata("gitforge-"),
    }
    body = _body(prompt)
    if found := _COMMAND.search(body):
        raise UserError(
            f"{prompt.name}: has the text {printable(found[0][:60])!r}, which Claude Code runs as a command "
            "when it loads a skill",
            hint="Reword it: a space behind the exclamation mark will do.",
        )
    text = yaml_output.as_yaml(front, is_front_matter=True)
    return {f"{name}/SKILL.md": f"---\n{text}---\n\n{body}\n"}


def notes(prompt: Prompt) -> tuple[str, ...]:
    """What the user should know about the result."""
    found = []
    if (size := len(prompt.description)) > MAX_DESCRIPTION:
        found.append(
            f"{prompt.name}: the description has {size:,} characters and is cut to {MAX_DESCRIPTION:,}"
        )
    if argument := _ARGUMENT.search(_body(prompt)):
        found.append(f"{prompt.name}: Claude Code puts a skill's arguments in the place of {argument[0]}")
    return tuple(found)


def _body(prompt: Prompt) -> str:
    return "\n\n".join(part for part in (prompt.system, prompt.asked) if part)


def _shortened(description: str) -> str:
    if len(description) <= MAX_DESCRIPTION:
        return description
    kept = description[: MAX_DESCRIPTION - 1]
    return f"{kept.rpartition(' ')[0] or kept}…"
