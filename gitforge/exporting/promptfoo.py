"""promptfoo: a folder with a config and the prompt that it tests. Source: promptfoo.dev, Configuration."""

from __future__ import annotations

from typing import Any

from gitforge import yaml_output
from gitforge.exporting import curly, messages
from gitforge.exporting.prompt import Prompt


def files(prompt: Prompt, name: str) -> dict[str, str]:
    """`<name>/promptfooconfig.yaml` and `<name>/prompt.json`: slots are variables, with one test to be filled in."""
    test: dict[str, Any] = {"description": prompt.title}
    if prompt.slots:
        test["vars"] = {slot.name: curly.escape((slot.written,)) for slot in prompt.slots}
    data = {
        "description": curly.escape((prompt.description,)),
        "tags": prompt.origin.as_metadata("gitforge-"),
        **prompt.settings,
        "prompts": ["file://prompt.json"],
        "tests": [test],
    }
    return {
        f"{name}/promptfooconfig.yaml": yaml_output.as_yaml(data),
        f"{name}/prompt.json": messages.as_template(prompt),
    }
