"""The tools that only look, with the words by which an agent chooses among them; and how any tool is called."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import jsonschema_rs

from gitforge.errors import InvalidFile, UserError
from gitforge.serving import looking
from gitforge.serving.desk import Desk
from gitforge.serving.records import Data, Tool
from gitforge.serving.schemas import PLANNED, arguments, count, flag, many, maybe, result, text, texts


def call(tool: Tool, desk: Desk, given: Mapping[str, Any]) -> Data:
    """Calls a tool.

    Args:
        tool: It.
        desk: Where.
        given: Its arguments, from a stranger.

    Raises:
        UserError: They are not what the tool takes.
        GitforgeError: It cannot do what was asked.
    """
    wrong = next(jsonschema_rs.validator_for(tool.input_schema).iter_errors(dict(given)), None)
    if wrong is not None:
        where = ".".join(str(part) for part in wrong.instance_path)
        takes = ", ".join(tool.input_schema["properties"]) or "no arguments"
        raise UserError(
            f"{tool.name}: {where + ': ' if where else ''}{wrong.message[:300]}", hint=f"It takes {takes}."
        )
    try:
        with desk.opened() as forge:
            return tool.call(forge, given)
    except InvalidFile:
        if tool.at_worst is None:
            raise
        return tool.at_worst(desk.workspace())


def for_agents(told: str) -> str:
    """What a person is told to type, as the tool that an agent has for it."""
    for command, tool in _INSTEAD.items():
        told = told.replace(f"`gitforge {command}`", f"the tool {tool}")
    told = told[:1].upper() + told[1:]  # where it began with the command
    return (
        f"{told} That is a command for the user: there is no tool for it." if "`gitforge " in told else told
    )


def readable(found: Data) -> list[str]:
    """A tool's result for a reader: as JSON, and behind it the texts of files as they are, line by line."""
    files = [(one["name"], one["text"]) for one in found.get("files", ()) if isinstance(one, dict)]
    told = {**found, **({"files": [name for name, _ in files]} if files else {})}
    if isinstance(found.get("text"), str):
        files = [(found.get("path") or found["component"]["path"], told.pop("text"))]
    behind = [f"----- {name}\n\n{content}" for name, content in files]
    return [json.dumps(told, indent=1, ensure_ascii=False), *behind]


_INSTEAD = {
    "list": "list_goals",
    "list --components": "list_components",
    "status": "status",
    "check": "check",
}
_GOAL = {"goal": text("The goal's name, for example DIAGNOSE_ROOT_CAUSE", least=1)}
_MISSING = {"missing": flag("Only what is not complete")}
_LIBRARY = {"library": text("Those of this other library, instead of the workspace's own", least=1)}
_OTHERS = {"libraries": texts("Other libraries that goals.yaml names: ask for theirs with library")}
_OF = {"library": maybe(text("The other library that it is of; null for the workspace's own"))}
_ADOPTED = {
    "adopted_from": maybe(text("The component of another library that it is a copy of, if it is one"))
}
_PATHS = "Paths from the top of the repository"

READING = (
    Tool(
        "list_goals",
        "List goals",
        "Lists the goals that prompts can be built for, by category, each with its components and those that are "
        "missing. Start here to find out what there is.",
        arguments(optional={"category": text("Only the goals of this category"), **_MISSING, **_LIBRARY}),
        result(
            {
                "goals": many(
                    result(
                        {
                            "name": text("What other tools and prompts call it"),
                            **_OF,
                            "category": text("What it is listed under"),
                            "description": text("What it is for"),
                            "components": texts("The files that its prompt is made from"),
                            "missing": texts("Those of them that are not there"),
                        }
                    ),
                    "In the order of goals.yaml",
                ),
                **_OTHERS,
            }
        ),
        looking.list_goals,
    ),
    Tool(
        "list_components",
        "List components",
        "Lists the components that prompts are made from (personas, protocols, constraints and the like), each with "
        "what it is for and the goals that use it.",
        arguments(
            optional={"kind": text("Only those of this kind, for example persona"), **_MISSING, **_LIBRARY}
        ),
        result(
            {
                "components": many(
                    result(
                        {
                            "kind": text("What sort of component it is"),
                            "name": text("Its file name"),
                            **_OF,
                            "path": text("Its file in the workspace"),
                            "description": text("What it is for; may be empty"),
                            "missing": flag("Whether there is no such file yet"),
                            "goals": texts("The goals that use it"),
                            **_ADOPTED,
                        }
                    ),
                    f"By kind and name, {looking.MOST_LISTED} at most",
                ),
                "truncated": flag("Whether there are more: ask for one kind, or search"),
                **_OTHERS,
            }
        ),
        looking.list_components,
    ),
    Tool(
        "search",
        "Search",
        "Searches goals and the texts of components for a text, upper and lower case being the same. Gives each line "
        f"that has it, {looking.MOST_FOUND} at most.",
        arguments({"text": text("What to look for, as it stands there: no pattern", least=1)}),
        result(
            {
                "found": many(
                    result({"place": text("File and line"), "text": text("The line")}),
                    "In the order of the files",
                ),
                "truncated": flag("Whether there is more: look for something longer"),
                "not_searched": texts("Libraries that are not fetched"),
            }
        ),
        looking.search,
    ),
    Tool(
        "show_goal",
        "Show a goal",
        "Shows a goal: what it is for, and how each of its components stands.",
        arguments({"name": text("The goal's name", least=1)}),
        result(
            {
                "name": text("Its name"),
                "category": text("What it is listed under"),
                "description": text("What it is for"),
                "line": maybe({"type": "integer", "description": "Its line in goals.yaml"}),
                "components": many(PLANNED, "What its prompt is made from, in order"),
            }
        ),
        looking.show_goal,
    ),
    Tool(
        "show_component",
        "Show a component",
        "Shows a component: its text, the goals that use it, and where the text comes from: which model wrote it or "
        "that people did, for what, in which commit, and who has reviewed exactly that text.",
        arguments(
            {"name": text("Its file name or path, for example personas/digital_detective.md", least=1)},
            {"prompt": flag("Give the exact prompt that a model was sent for it, too")},
        ),
        {
            **PLANNED,
            "properties": {
                **PLANNED["properties"],
                "goals": texts("The goals that use it"),
                "text": maybe(text("The whole file; null where it is missing")),
                "suspicious": texts("Places in another library's text that may be meant to mislead you"),
                **_ADOPTED,
                "origin": {"type": ["object", "null"], "description": "The last commit that changed it"},
                "provenance": {
                    "type": ["object", "null"],
                    "description": "Null for another library's. Else model (null: people wrote it, or an outline), "
                    "purpose, commit, reviewers of exactly this text, commits that changed it since, and messages: "
                    "what the model was sent",
                },
            },
            "required": [
                *PLANNED["required"],
                "goals",
                "text",
                "suspicious",
                "adopted_from",
                "origin",
                "provenance",
            ],
        },
        looking.show_component,
    ),
    Tool(
        "status",
        "Status",
        "Says what needs attention: missing components and the goals that need them, edits that are not committed, "
        "generated components that nobody has reviewed, toolkits in output/ that are out of date or edited by hand.",
        arguments(),
        result(
            {
                "clean": flag("Whether nothing needs attention"),
                "goals": count("How many goals there are"),
                "ready": count("How many of them have all their components"),
                "operation": maybe(text("What git is in the middle of, for example merge")),
                "libraries_not_fetched": texts("Libraries that goals.yaml names and that are not here"),
                "missing": many({"type": "object"}, "Components that goals need and that are not there"),
                "edited": many({"type": "object"}, "Components with edits that are in no commit"),
                "outlines": many({"type": "object"}, "Outlines that a person has to fill in"),
                "unreviewed": maybe(
                    texts("Generated, and nobody has reviewed them; null where nobody can tell")
                ),
                "toolkits": many({"type": "object"}, "What is in output/, and what is wrong with it"),
                "drafts": many({"type": "object"}, "Drafts that are kept until they are recorded"),
                "unusable_drafts": texts("Drafts that cannot be read"),
                "repair_pending": flag("Whether a recording was interrupted, or goes on just now"),
            }
        ),
        looking.status,
    ),
    Tool(
        "check",
        "Check",
        "Checks goals.yaml and every component and template for what would break a build or hide from a reviewer.",
        arguments(),
        result(
            {
                "errors": count("How many errors"),
                "warnings": count("How many warnings"),
                "problems": many(
                    result(
                        {
                            "file": text("Where"),
                            "line": maybe({"type": "integer", "description": "The line, where there is one"}),
                            "severity": text("error or warning"),
                            "message": text("What is wrong"),
                            "hint": maybe(text("What to do about it")),
                        }
                    ),
                    "In the order of the files",
                ),
            }
        ),
        looking.check,
        looking.check_alone,
    ),
    Tool(
        "build",
        "Build a toolkit",
        "Assembles the prompt toolkit of a goal from the working tree and returns the texts of its files: a persona "
        "to work as, and a prompt with a protocol and constraints to follow. Writes nothing. What is left open stands "
        "in «angle quotes»; give it in slots, or fill it in yourself.",
        arguments(
            _GOAL,
            {
                "project": text("What the toolkit is called in its headings, for example checkout_outage"),
                "slots": {
                    "type": "object",
                    "additionalProperties": {"type": "string"},
                    "description": "What stands in the open slots, by the names that open_slots gives",
                },
            },
        ),
        result(
            {
                "project": text("What it is called"),
                "goal": text("What it is for"),
                "files": many(
                    result({"name": text("File name"), "text": text("The whole text")}),
                    "In the order of their use",
                ),
                "degraded": flag("Whether a visible placeholder stands in for a missing component"),
                "missing": texts(f"The missing components. {_PATHS}"),
                "outlines": texts(f"Components with TODO points that a person has to fill in. {_PATHS}"),
                "unreviewed": texts(f"Generated components that nobody has reviewed. {_PATHS}"),
                "suspicious": texts(
                    "Places in components of other libraries that may be meant to mislead you"
                ),
                "open_slots": many(
                    result(
                        {
                            "name": text("As slots names it"),
                            "title": text("Where it stands"),
                            "description": text("What belongs there"),
                        }
                    ),
                    "What still stands in angle quotes",
                ),
            }
        ),
        looking.build,
    ),
)
