"""Drafts are money: each is kept on disk from the moment that the provider has answered until it is recorded.

A kept draft is a JSON file in `gitforge/drafts/` of the git directory that all worktrees share. It stands for
one component and one purpose: asked for the same component with the same purpose again, it is used, whatever
prompt it answered, because a prompt changes with every component that is recorded meanwhile. Another purpose
is another draft, and replaces none; so is another candidate, where several were asked for to choose from. An
offline outline is kept only once the engineer has edited it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import UnionType
from typing import Any

from gitforge.errors import UserError
from gitforge.store.answered import Evidence
from gitforge.store.durable import Unreadable, read_own, remove_durably, set_aside, write_durably
from gitforge.store.repo import Repo
from gitforge.store.worktree import check_path

VERSION = 1
MAX_BYTES = 16 * 1024 * 1024  # a component's limit is 256 KiB, and JSON may spell a character in six
MAX_CANDIDATES = 8
_SUFFIX = ".json"
_FLAGS = {"is_model", "is_edited"}
_TYPES: Mapping[str, type | UnionType] = {
    **dict.fromkeys(_FLAGS, bool),
    "goal": str | None,
    "input_tokens": int | None,
    "output_tokens": int | None,
    "cost": float | int | None,
    "seconds": float | int,
    "candidate": int,
    "problems": list | tuple,
}


@dataclass(frozen=True)
class Kept:
    """A draft as it is kept.

    Attributes:
        path: The component, from the repository's root.
        purpose: What it is for, in one line.
        goal: The goal that it was made for, if any.
        text: The text.
        prompt_id: Which prompt it answers.
        label: Who wrote it.
        is_model: Whether a language model did.
        is_edited: Whether the engineer changed it.
        prompt: What was sent for it, as JSON; empty where no model was asked.
        input_tokens: What that took; None where the server did not say so.
        output_tokens: What the answer took, likewise.
        cost: An estimate in US dollars, where the model's price is known.
        seconds: How long the answer took.
        candidate: Which one it is of several to choose from, from 1.
        problems: Why it should not be recorded as it is, each in one line.
        written: The text before the engineer changed it; else empty.
    """

    path: str
    purpose: str
    goal: str | None
    text: str
    prompt_id: str
    label: str
    is_model: bool
    is_edited: bool
    prompt: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: float | None = None
    seconds: float = 0.0
    candidate: int = 1
    problems: tuple[str, ...] = ()
    written: str = ""

    @property
    def id(self) -> str:
        """The file's name without its ending: the component's, and a hash of what it stands for."""
        stem = re.sub(r"[^\w-]", "_", self.path.rpartition("/")[2].rpartition(".")[0])[:60]
        identity = f"{self.path}\0{self.purpose}" + (f"\0{self.candidate}" if self.candidate > 1 else "")
        digest = hashlib.sha256(identity.encode("utf-8", "surrogateescape"))
        return f"{stem}-{digest.hexdigest()[:12]}"


@dataclass(frozen=True)
class Unusable:
    """A file among the drafts that is none, with the reason; it is left alone until somebody drops it."""

    id: str
    file: Path
    reason: str


@dataclass(frozen=True)
class Drafts:
    """What is in the spool."""

    kept: Sequence[Kept] = ()
    unusable: Sequence[Unusable] = ()


def keep(repo: Repo, draft: Kept) -> None:
    """Keeps a draft, in place of the one for the same component and purpose.

    Raises:
        OSError: The git directory is full or cannot be written to.
    """
    path = _path(repo, draft.id)
    try:
        _read(path)
    except FileNotFoundError:
        pass
    except Unreadable:
        set_aside(path)
    write_durably(path, _serialise(draft))


def find(repo: Repo, path: str, purpose: str, candidate: int = 1) -> Kept | None:
    """The draft that is kept for a component and a purpose, if there is a usable one."""
    wanted = _wanted(path, purpose, candidate)
    try:
        found = _read(_path(repo, wanted.id))
    except (FileNotFoundError, Unreadable):
        return None
    return found if found.id == wanted.id and (found.path, found.purpose) == (path, purpose) else None


def candidates(repo: Repo, path: str, purpose: str) -> list[Kept]:
    """All the usable drafts that are kept for a component and a purpose, in the order of their numbers."""
    numbers = range(1, MAX_CANDIDATES + 1) if _folder(repo).is_dir() else ()
    return [one for number in numbers if (one := find(repo, path, purpose, number)) is not None]


def _wanted(path: str, purpose: str, candidate: int) -> Kept:
    return Kept(path, purpose, None, "", "", "", is_model=False, is_edited=False, candidate=candidate)


def drafts(repo: Repo, seen: Evidence | None = None) -> Drafts:
    """Everything in the spool, in the order of the names.

    Args:
        repo: The repository.
        seen: Notes what is looked at.
    """
    kept, unusable = [], []
    folder = _folder(repo)
    if seen is not None:
        seen.sign(folder)
    try:
        files = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except (FileNotFoundError, NotADirectoryError):
        return Drafts()
    except OSError as error:
        raise UserError(f"{folder}: {error.strerror}") from error
    for path in files:
        if seen is not None:
            seen.file(path)
        try:
            kept.append(_read_named(path))
        except Unreadable as error:
            unusable.append(Unusable(path.name.removesuffix(_SUFFIX), path, str(error)))
        except FileNotFoundError:  # recorded meanwhile
            continue
    return Drafts(tuple(kept), tuple(unusable))


def drop(repo: Repo, ids: Sequence[str]) -> None:
    """Removes drafts that are recorded, or that nobody wants."""
    for id_ in ids:
        path = _path(repo, id_)
        if path.parent.is_dir():
            remove_durably(path)


def drop_unusable(one: Unusable) -> None:
    """Removes a file that is no draft."""
    remove_durably(one.file)


def _folder(repo: Repo) -> Path:
    return repo.common_dir / "gitforge" / "drafts"


def _path(repo: Repo, id_: str) -> Path:
    return _folder(repo) / f"{id_}{_SUFFIX}"


def _serialise(draft: Kept) -> bytes:
    return json.dumps({"version": VERSION, **asdict(draft)}, indent=1).encode() + b"\n"


def _read_named(path: Path) -> Kept:
    if path.suffix != _SUFFIX:
        raise Unreadable("it was set aside, because it could not be used")
    draft = _read(path)
    if draft.id != path.stem:
        raise Unreadable("its name is not that of its content")
    return draft


def _read(path: Path) -> Kept:
    content = read_own(path, MAX_BYTES)
    try:
        data: Any = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Unreadable("it is no JSON: torn, or not gitforge's") from error
    if not isinstance(data, dict) or data.get("version") != VERSION:
        version = data.get("version") if isinstance(data, dict) else None
        raise Unreadable(f"its version is {version!r}, and this gitforge knows {VERSION}")
    values: dict[str, Any] = {field.name: data.get(field.name, field.default) for field in fields(Kept)}
    for name, value in values.items():
        if not isinstance(value, _TYPES.get(name, str)) or (isinstance(value, bool) and name not in _FLAGS):
            raise Unreadable(f"its {name} is {type(value).__name__}")
    if not all(isinstance(problem, str) for problem in values["problems"]):
        raise Unreadable("its problems are no lines of text")
    draft = Kept(**{**values, "problems": tuple(values["problems"])})
    try:
        check_path(draft.path)
    except UserError as error:
        raise Unreadable(error.message) from error
    return draft
