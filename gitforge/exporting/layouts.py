"""`library/templates/exports/`: which file of a toolkit becomes which part of an exported prompt."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from gitforge import documents
from gitforge.assemble import describe_goal
from gitforge.errors import InvalidFile, Problem
from gitforge.exporting import slots
from gitforge.exporting.prompt import Origin, Prompt, Refused, Template
from gitforge.goals import Goal
from gitforge.templates import Templates
from gitforge.text import one_line, without_hidden

FOLDER = "templates/exports"
BLOCKS = ("description", "system", "user", "blank", "settings")
_NOTE = re.compile(r"\s*# [^\n]*\n(?:[ \t]*\n)*(?:>[^\n]*(?:\n|\Z))+")


def without_note(text: str) -> str:
    """A file's text without the heading and the quoted note at its top, which are for the engineer."""
    note = _NOTE.match(text)
    return (text[note.end() :] if note else text).strip()


def lay_out(
    templates: Templates, format_name: str, name: str, project: str, goal: Goal, files: Mapping[str, str],
    components: Sequence[str], origin: Origin, templates_of_llm: Sequence[Template] = (),
) -> Prompt:  # fmt: skip
    """Makes one prompt of a toolkit's files, as the layout of a format says, or else the default one.

    Args:
        templates: Where the layouts are.
        format_name: Of the layout: `to_<name>.md`, so that no agent takes the file for its own AGENTS.md or SKILL.md.
        name: The project's or goal's, as errors call it.
        project: The toolkit's name, as the layout sees it.
        goal: What it is for.
        files: Its files, by name, with newlines as the only line ends.
        components: The texts that went into them.
        origin: What it was made from.
        templates_of_llm: Those of the texts that are templates of the llm tool.

    Raises:
        Refused: Nothing is left to export.
        UserError: The layout cannot be used.
    """
    own = f"{FOLDER}/to_{format_name}.md"
    layout = own if templates.exists(own) else f"{FOLDER}/default.md"
    bodies = {file: without_note(text) for file, text in files.items()}
    found = [part for one in bodies.values() for part in slots.find(one, components)]
    values: dict[str, Any] = {
        "project": project,
        "goal": describe_goal(goal),
        "is_whole": any(need.kind.is_whole for need in goal.needs),
        "files": [{"name": one, "text": files[one], "body": bodies[one]} for one in files],
        "slots": [{"name": one.name, "asks": one.asks} for one in found if not isinstance(one, str)],
    }
    blocks = templates.render_blocks(layout, values)
    if lacking := [block for block in BLOCKS if block not in blocks]:
        raise InvalidFile([Problem(f"library/{layout}", f"has no block {lacking[0]!r}", hint=_HINT)])
    system, user = blocks["system"].strip(), blocks["user"].strip()
    if not system and not user:
        raise Refused(f"{name}: there is nothing to export: its files have no text")
    return Prompt(
        name=name,
        title=goal.title,
        description=one_line(without_hidden(blocks["description"])) or goal.title,
        system=system,
        user=slots.find(user, components),
        blank=blocks["blank"].strip(),
        settings=_settings(blocks["settings"], f"library/{layout}"),
        origin=origin,
        when=one_line(without_hidden(blocks.get("when", ""))),  # which an older default.md has not got
        templates=tuple(templates_of_llm),
    )


_HINT = 'Let it begin with {% extends "templates/exports/default.md" %}, and say only what differs.'


def _settings(text: str, name: str) -> Mapping[str, Any]:
    data = documents.parse(text, f"{name}, block settings").data
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise InvalidFile([Problem(name, "has settings that are not a YAML mapping")])
    return data
