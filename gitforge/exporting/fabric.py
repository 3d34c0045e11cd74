"""A fabric pattern: a folder with `system.md`. Source: github.com/danielmiessler/fabric, internal/plugins/template."""

from __future__ import annotations

import re

from gitforge.exporting.prompt import Prompt, Refused, write
from gitforge.text import printable

_INPUT = "{{input}}"
_VARIABLE = re.compile(r"\{\{[^{}]+\}\}")


def files(prompt: Prompt, name: str) -> dict[str, str]:
    """`<name>/system.md`: the first slot is the input; the others are left blank, because nobody asks for them.

    Raises:
        Refused: The text has what fabric takes for a variable.
    """
    found = _VARIABLE.search(_asked(prompt).replace(_INPUT, ""))
    if found:
        raise Refused(
            f"{prompt.name}: has the text {printable(found[0][:60])!r}, which fabric takes for a variable, "
            "and has no way to write",
            hint="Reword it, or choose another format.",
        )
    first = prompt.slots[:1]
    user = write(prompt.user, str, lambda slot: _INPUT if slot in first else prompt.blank)
    parts = [part for part in (prompt.system, user) if part]
    return {f"{name}/system.md": "\n\n".join(parts) + "\n"}


def notes(prompt: Prompt) -> tuple[str, ...]:
    """What the user should know about the result."""
    if _INPUT not in _asked(prompt):
        return ()
    return (
        f"{prompt.name}: fabric puts its input in the place of {_INPUT}, as in the pattern that it may come from",
    )


def _asked(prompt: Prompt) -> str:
    return f"{prompt.system}\n{prompt.asked}"
