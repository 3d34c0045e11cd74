"""JSON Schemas of what tools are given and give; they say to an agent what each value means."""

from __future__ import annotations

from collections.abc import Mapping

from gitforge.serving.records import Data


def text(description: str, *, least: int = 0, most: int | None = None) -> Data:
    """A text of at least so many characters, and of so many at most."""
    bounds = {"minLength": least or None, "maxLength": most}
    return {"type": "string", "description": description} | {k: v for k, v in bounds.items() if v is not None}


def flag(description: str) -> Data:
    """True or false, which is what it is without."""
    return {"type": "boolean", "description": description, "default": False}


def count(description: str) -> Data:
    """A number from 0 on."""
    return {"type": "integer", "minimum": 0, "description": description}


def maybe(schema: Data) -> Data:
    """The same, or null."""
    return {**schema, "type": [schema["type"], "null"]}


def many(items: Data, description: str) -> Data:
    """A list."""
    return {"type": "array", "items": items, "description": description}


def texts(description: str) -> Data:
    """A list of texts."""
    return many({"type": "string"}, description)


def arguments(required: Mapping[str, Data] | None = None, optional: Mapping[str, Data] | None = None) -> Data:
    """What a tool is given: no others than these."""
    properties = {**(required or {}), **(optional or {})}
    return {**_object(properties, list(required or ())), "additionalProperties": False}


def result(properties: Mapping[str, Data]) -> Data:
    """What a tool gives: all of these."""
    return _object(properties, list(properties))


def _object(properties: Mapping[str, Data], required: list[str]) -> Data:
    return {
        "type": "object",
        "properties": dict(properties),
        **({"required": required} if required else {}),
    }


PLANNED = result(
    {
        "kind": text("What sort of component it is"),
        "name": text("Its file name"),
        "library": maybe(text("The other library that it is of; null for the workspace's own")),
        "path": text("Its file, from the top of the repository; of another library LIBRARY:FOLDER/FILE"),
        "state": text("ready, missing, or with edits that are in no commit"),
        "blob": maybe(text("git's id of its text; null where there is none")),
        "commit": maybe(text("The last commit that changed it")),
        "outline": flag("Whether it is an outline with TODO points and no language model wrote it"),
    }
)
