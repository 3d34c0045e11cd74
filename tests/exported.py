"""Prompts to be exported, and texts that formats would like to interpret."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from gitforge.exporting import slots
from gitforge.exporting.prompt import Origin, Prompt

ORIGIN = Origin("outage", "DIAGNOSE", "1.2.3", ("library/personas/detective.md@0123456789ab",))

_PIECES = (
    "{{", "}}", "{", "}", "{%", "%}", "{#", "#}", "{{{", "}}}", "{{!", "{{/if}}", "{{name}}", "\\", "\\\\", "\\{{", "$", "$$",
    "$name", "${name}", "---", "+++", "```", "`", '"', "'", "\n", "\n\n", " ", "\t", "a", "word", ":", "#", "- ", "|", "~", "&",
    "<", ">", "<!--", "-->", "é", "日", "\U0001f600", "%", "@", "!", "1", "_", "\u2028", "\x85",
)  # fmt: skip
TEXTS = st.lists(st.sampled_from(_PIECES), min_size=1, max_size=25).map("".join).map(str.strip).filter(bool)
"""Texts that are made of what template languages, YAML and Markdown care about."""

SLOTTED = st.lists(
    st.sampled_from((*_PIECES, "«what»", "«whence»")), min_size=1, max_size=25
).map("".join).map(str.strip).filter(bool)  # fmt: skip
"""The same with slots between them."""


def prompt(
    system: str = "You are a detective.",
    user: str = "# Task\n\n«what is wrong»\n\n# Context\n\n«the logs»",
    *,
    name: str = "outage",
    description: str = "To find out.",
    components: Sequence[str] = (),
    settings: Mapping[str, Any] | None = None,
) -> Prompt:
    """A small prompt."""
    text = slots.find(user, components)
    return Prompt(name, "Diagnose", description, system, text, "(none given)", settings or {}, ORIGIN)


def filled(one: Prompt, values: Mapping[str, str]) -> str:
    """The user part with its slots filled in."""
    return "".join(part if isinstance(part, str) else values[part.name] for part in one.user)
