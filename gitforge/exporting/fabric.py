"""A fabric pattern: a folder with `system.md`. Source: github.com/danielmiessler/fabric, internal/plugins/template."""

from __future__ import annotations

import re

from gitforge.errors import UserError
from gitforge.exporting.prompt import Prompt, write
from gitforge.text import printable

_VARIABLE = re.compile(r"\{\{[^{}]+\}\}")


def files(prompt: Prompt, name: str) -> dict[str, str]:
    """`<name>/system.md`: the first slot is the input; the others are left blank, because nobody asks for them.

    Raises:
        UserError: The text has what fabric takes for a variable.
    """
    if found := _VARIABLE.search(f"{prompt.system}\n{prompt.asked}"):
        raise UserError(
            f"{prompt.name}: has the text {printable(found[0][:60])!r}, which fabric takes for a variable, "
            "and has no way to write",
            hint="Reword it, or choose another format.",
        )
    first = prompt.slots[:1]
    user = write(prompt.user, str, lambda slot: "{{input}}" if slot in first else prompt.blank)
    parts = [part for part in (prompt.system, user) if part]
    return {f"{name}/system.md": "\n\n".join(parts) + "\n"}
