"""Chat messages of OpenAI's API, as JSON: what `messages=` takes. Source: the API's reference, Chat Completions."""

from __future__ import annotations

import json

from gitforge.exporting import curly
from gitforge.exporting.prompt import Prompt


def files(prompt: Prompt, name: str) -> dict[str, str]:
    """`<name>.json`: slots are left as they are, because messages have no variables."""
    return {f"{name}.json": _as_json(prompt.system, prompt.asked)}


def as_template(prompt: Prompt) -> str:
    """The messages with their slots as variables of Nunjucks."""
    return _as_json(curly.escape((prompt.system,)), curly.escape(prompt.user))


def _as_json(system: str, user: str) -> str:
    messages = [
        {"role": role, "content": text} for role, text in (("system", system), ("user", user)) if text
    ]
    return json.dumps(messages, indent=2, ensure_ascii=False) + "\n"
