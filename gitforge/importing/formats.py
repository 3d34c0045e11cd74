"""Which formats can be imported, and which of them a source is in."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from gitforge.errors import UserError
from gitforge.goals import FILE_NAME
from gitforge.importing import fabric, goal_map, llm_templates, promptkit, skills
from gitforge.importing.records import Reading
from gitforge.importing.source import Source
from gitforge.store import addresses
from gitforge.text import did_you_mean, printable


class Format(NamedTuple):
    """A format: whether a folder is in it, and what the folder holds then."""

    title: str
    is_there: Callable[[Source], bool]
    read: Callable[[Source], Reading]


FORMATS = {
    "goal-map": Format("a goal_map.json and components/", goal_map.is_there, goal_map.read),
    "promptkit": Format("a PromptKit library", promptkit.is_there, promptkit.read),
    "fabric": Format("fabric patterns", fabric.is_there, fabric.read),
    "skills": Format("Agent Skills", skills.is_there, skills.read),
    "llm": Format("llm templates", llm_templates.is_there, llm_templates.read),
}
"""By name, in the order in which they are looked for: each may hold files that look like a later one's."""

_URL = re.compile(r"[a-z][a-z0-9+.-]*://|[^/\s]+@[^/\s]+:|[\w+.-]+::", re.IGNORECASE)


class Found(NamedTuple):
    """A source that was read.

    Attributes:
        format: Its format's name.
        source: The folder.
        reading: What is in it.
        others: The formats that it seems to be in too.
    """

    format: str
    source: Source
    reading: Reading
    others: tuple[str, ...]


def find(name: str) -> str:
    """A format's name.

    Raises:
        UserError: There is none of that name.
    """
    if name in FORMATS:
        return name
    hint = did_you_mean(name, list(FORMATS)) or f"There are {', '.join(FORMATS)}."
    raise UserError(f"no format is called {printable(name)!r}", hint=hint)


def read(base: Path, given: str, wanted: str | None = None) -> Found:
    """Reads a source.

    Args:
        base: The folder that a relative path starts from.
        given: The source as it was named: a folder, or one file of a format that has such.
        wanted: The format's name; None to find it out.

    Raises:
        InvalidFile: A file without which nothing can be read is not valid.
        UserError: There is no such source, or it is in no format that is known, or in another one.
    """
    if wanted is not None:
        find(wanted)
    path = _existing(base, given)
    if not path.is_dir():
        return _read_file(path, given, wanted)
    source = Source(path)
    here = [name for name, one in FORMATS.items() if one.is_there(source)]
    chosen = wanted or next(iter(here), None)
    if chosen is None or chosen not in here:
        what = f"is not what --from {chosen} reads" if chosen else "holds nothing that can be imported"
        raise UserError(f"{printable(given)}: {what}", hint=_hint(source))
    found = FORMATS[chosen].read(source)
    return Found(chosen, source, found, tuple(one for one in here if one != chosen))


def _existing(base: Path, given: str) -> Path:
    try:
        path = (base / given).resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:
        if _URL.match(given):
            raise UserError(
                "only a folder on this machine can be imported", hint=_to_clone(base, given)
            ) from None
        raise UserError(f"{printable(given)}: there is no such folder or file") from error
    return path


def _to_clone(base: Path, given: str) -> str:
    """The commands that bring what is elsewhere here; beside the workspace, not into it."""
    try:
        address = addresses.parse(given, base=base)
    except UserError as error:
        return f"Clone it first, by an address that is safe: {error.message}."
    name = re.sub(r"[^\w.-]", "_", re.split(r"[/:]", address.stored.rstrip("/"))[-1].removesuffix(".git"))
    folder = shlex.quote(f"../{name.lstrip('.-') or 'source'}")
    clone = f"git clone {shlex.quote(address.stored)} {folder}"
    return f"Clone it first: `{clone} && gitforge import {folder}`."


def _read_file(path: Path, given: str, wanted: str | None) -> Found:
    """One file: a goal_map.json under whatever name, a template of llm, or what stands for its folder."""
    name = path.name
    if name.lower() == skills.FILE.lower() or name in {promptkit.MANIFEST, fabric.SYSTEM}:
        return read(path.parent, ".", wanted)
    if name.endswith(".json") and wanted in {None, "goal-map"}:
        source = Source(path.parent, {name, goal_map.FOLDER})
        return Found("goal-map", source, goal_map.read(source, name), ())
    source = Source(path.parent, {name})
    if name.endswith((".yaml", ".yml")) and name != FILE_NAME and wanted in {None, "llm"}:
        return Found("llm", source, llm_templates.read(source), ())
    raise UserError(f"{printable(given)}: is no file that can be imported", hint=_hint(source))


def _hint(source: Source) -> str:
    if FILE_NAME in source.paths:
        return "It is a gitforge workspace: `gitforge library add` uses the components of one."
    return "`gitforge import --help` lists the formats; --from names one."
