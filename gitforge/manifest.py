"""`toolkit.json`: all that a toolkit was made from, so that it can be made again from git's objects alone.

There is no time in it, and nothing that the toolkit's files do not depend on: the same input gives the same
bytes, and commits that have nothing to do with it change none of them. docs/workspace.md describes it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gitforge import __version__, names
from gitforge.errors import UserError
from gitforge.goals import MANIFEST, Goal, GoalBook, Kind, Need, Pin
from gitforge.text import printable

FORMAT = 2
MAX_BYTES = 4 * 1024 * 1024
_ID = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Text:
    """A text that a toolkit was made from.

    Attributes:
        path: Its file, from the repository's root; None for a template of gitforge's own.
        blob: Id of the text as git has it, or would have it; None where there was no file.
        raw: Id of the text as it was used, where filters or line endings made it another one.
    """

    path: str | None
    blob: str | None
    raw: str | None = None

    @property
    def is_foreign(self) -> bool:
        """Whether it is of another library, so that no file of the repository has it."""
        return self.path is not None and names.foreign_parts(self.path) is not None

    @property
    def used(self) -> str | None:
        """Id of the blob that has exactly what was used."""
        return self.raw or self.blob


@dataclass(frozen=True)
class Part:
    """A component of a toolkit.

    Attributes:
        need: Its kind, its name, and its purpose where that shows in the toolkit.
        text: What it said.
        commit: The last commit that changed it; None where it was never committed. Of another library its pin.
        is_uncommitted: Whether it had edits that were in no commit.
    """

    need: Need
    text: Text
    commit: str | None
    is_uncommitted: bool


@dataclass(frozen=True)
class Manifest:
    """What a toolkit was made from.

    Attributes:
        format: Of the file that it was read from.
        project: The toolkit's name when it was made.
        goal: What it was for; of an old format its name alone.
        kinds: Those that its templates saw, in order; of an old format none.
        parts: Its components, in order.
        templates: By name below `library/`; of an old format by path.
        outputs: File name to template name; of an old format to nothing.
        hashes: SHA-256 of each file as it was assembled, by file name.
        version: Of gitforge.
    """

    project: str
    goal: Goal
    kinds: tuple[Kind, ...]
    parts: tuple[Part, ...]
    templates: Mapping[str, Text]
    outputs: Mapping[str, str]
    hashes: Mapping[str, str]
    version: str = __version__
    format: int = FORMAT

    @property
    def is_degraded(self) -> bool:
        """Whether a placeholder stood in for a missing component."""
        return any(part.text.blob is None for part in self.parts)

    @property
    def book(self) -> GoalBook:
        """As much of goals.yaml as the toolkit depends on."""
        return GoalBook("toolkit.json", {kind.name: kind for kind in self.kinds}, self.outputs, {})

    def as_json(self) -> dict[str, Any]:
        """What stands in the file."""
        return {
            "format": FORMAT,
            "gitforge": self.version,
            "project": self.project,
            "goal": self.goal.name,
            "category": self.goal.category,
            "description": self.goal.description,
            "degraded": self.is_degraded,
            "kinds": [
                {"name": kind.name, "folder": kind.folder, "key": kind.key, "many": kind.many}
                for kind in self.kinds
            ],
            "components": [_part_as_json(part) for part in self.parts],
            "templates": [
                {"name": name, **_text_as_json(text)} for name, text in sorted(self.templates.items())
            ],
            "outputs": {
                name: {"template": template, "sha256": self.hashes[name]}
                for name, template in self.outputs.items()
            },
        }


class NewerManifest(UserError):
    """A manifest that a newer gitforge wrote."""


def load(path: Path, name: str) -> Manifest:
    """Reads a manifest.

    Args:
        path: The file.
        name: How errors call it.

    Raises:
        NewerManifest: A newer gitforge wrote it.
        UserError: It cannot be read, or is no manifest.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise UserError(f"{name}: there is no such file", hint="`gitforge build` writes it.") from None
    except OSError as error:
        raise UserError(f"{name}: cannot be read: {error.strerror}") from error
    try:
        data = json.loads(content) if len(content) <= MAX_BYTES else None
        json.dumps(data, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except (ValueError, RecursionError):
        raise _garbage(name, "it is not JSON") from None
    return parse(data, name)


def all_in(output: Path) -> Iterator[Manifest]:
    """The manifests of the toolkits in a folder that can be read."""
    for folder in sorted(output.iterdir()) if output.is_dir() and not output.is_symlink() else ():
        if folder.name.startswith(".") or folder.is_symlink():
            continue
        with suppress(UserError):
            yield load(folder / MANIFEST, folder.name)


def parse(data: Any, name: str) -> Manifest:
    """Reads a manifest's data; arguments and errors are those of `load`."""
    if not isinstance(data, dict):
        raise _garbage(name, "it is not a JSON object")
    refuse_newer(data, name)
    number = data.get("format")
    if number not in (1, FORMAT) or isinstance(number, bool):
        raise _garbage(name, "it has no format that gitforge knows")
    try:
        return _parse_old(data) if number == 1 else _parse(data)
    except (KeyError, TypeError, ValueError) as error:
        what = f"there is no {error}" if isinstance(error, KeyError) else str(error)
        raise _garbage(name, what) from None
    except UserError as error:
        raise _garbage(name, error.message) from None


def refuse_newer(data: Mapping[str, Any], name: str) -> None:
    """Raises NewerManifest where a newer gitforge wrote it; arguments are those of `parse`."""
    number = data.get("format")
    if isinstance(number, int) and number > FORMAT:
        version = data.get("gitforge")
        by = f"gitforge {version[:40]}" if isinstance(version, str) else "a newer gitforge"
        raise NewerManifest(
            f"{name}: was written by {printable(by)} in format {number}, and this gitforge "
            f"({__version__}) reads formats up to {FORMAT}",
            hint="Update gitforge.",
        )


def _garbage(name: str, why: str) -> UserError:
    return UserError(
        f"{name}: is not a manifest of gitforge: {printable(why)}",
        hint="Build the toolkit again with --force; that replaces edits by hand.",
    )


def _parse(data: Mapping[str, Any]) -> Manifest:
    kinds = {kind.name: kind for kind in map(_kind, _list(data["kinds"]))}
    parts = tuple(_part(entry, kinds) for entry in _list(data["components"]))
    goal = Goal(
        _string(data["goal"]),
        _string(data["category"]),
        _string(data["description"]),
        tuple(part.need for part in parts),
    )
    templates = {_template_name(one["name"]): _text(one) for one in _list(data["templates"])}
    outputs = _dict(data["outputs"])
    return Manifest(
        project=names.file_name(_string(data["project"]), "project"),
        goal=goal,
        kinds=tuple(kinds.values()),
        parts=parts,
        templates=templates,
        outputs={_output_name(name): _template_name(one["template"]) for name, one in outputs.items()},
        hashes={name: _matching(_SHA256, one["sha256"]) for name, one in outputs.items()},
        version=_string(data["gitforge"]),
    )


def _parse_old(data: Mapping[str, Any]) -> Manifest:
    """Format 1, which does not say how the goal, the kinds and the files' templates were."""
    parts = []
    for one in _list(data["components"]):
        kind = Kind(_string(one["kind"]), "")
        need = Need(kind, names.component_name(_string(one["name"])))
        parts.append(Part(need, _text(one), _id(one["commit"]), one["uncommitted"] is True))
    texts = [_text(one) for one in _list(data["templates"])]
    hashes = {
        _output_name(name): _matching(_SHA256, one["sha256"]) for name, one in _dict(data["outputs"]).items()
    }
    goal = Goal(_string(data["goal"]), "", "", tuple(part.need for part in parts))
    templates = {text.path: text for text in texts if text.path is not None and text.blob is not None}
    project = names.file_name(_string(data["project"]), "project")
    version = _string(data["gitforge"])
    return Manifest(project, goal, (), tuple(parts), templates, {}, hashes, version, format=1)


def _part_as_json(part: Part) -> dict[str, Any]:
    purpose = {"purpose": part.need.purpose} if part.need.purpose else {}
    return {
        "kind": part.need.kind.name,
        "name": part.need.name,
        **({"library": part.need.library} if part.need.library else {}),
        **purpose,
        **_text_as_json(part.text),
        "commit": part.commit,
        "uncommitted": part.is_uncommitted,
    }


def _text_as_json(text: Text) -> dict[str, Any]:
    return {"path": text.path, "blob": text.blob, **({"raw": text.raw} if text.raw else {})}


def _part(entry: Any, kinds: Mapping[str, Kind]) -> Part:
    kind = kinds[_string(entry["kind"])]
    purpose = _string(entry["purpose"]) if "purpose" in entry else None
    name, commit = names.component_name(_string(entry["name"])), _id(entry["commit"])
    library = names.library_name(_string(entry["library"])) if "library" in entry else None
    pin = Pin(library, "", commit or "") if library is not None else None
    return Part(Need(kind, name, purpose, pin=pin), _text(entry), commit, entry["uncommitted"] is True)


def _kind(entry: Any) -> Kind:
    folder = names.folder_path(_string(entry["folder"]), "folder")
    return Kind(_string(entry["name"]), folder, entry["many"] is True, _string(entry["key"]))


def _text(entry: Any) -> Text:
    path = _string(entry["path"]) if entry["path"] is not None else None
    if path is not None and (path.startswith("/") or "\0" in path or ".." in path.split("/")):
        raise ValueError(f"{path[:60]!r} is no path in a repository")
    return Text(path, _id(entry["blob"]), _id(entry.get("raw")))


def _template_name(value: Any) -> str:
    return names.folder_path(_string(value), "template")


def _output_name(value: Any) -> str:
    return names.file_name(_string(value), "output")


def _id(value: Any) -> str | None:
    return None if value is None else _matching(_ID, value)


def _matching(pattern: re.Pattern[str], value: Any) -> str:
    if not isinstance(value, str) or pattern.fullmatch(value) is None:
        raise ValueError(f"{str(value)[:60]!r} is no id")
    return value


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{str(value)[:60]!r} is no text")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"{str(value)[:60]!r} is no list")
    return value


def _dict(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"{str(value)[:60]!r} is no object")
    return value
