"""A new workspace: goals.yaml, a library and .gitignore, recorded as one commit; nothing is overwritten."""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gitforge import commits, documents, starter
from gitforge.errors import UserError
from gitforge.goals import FILE_NAME, GoalBook
from gitforge.importing import goal_map
from gitforge.importing.source import Source
from gitforge.rewriting import snippets
from gitforge.store.edits import NewFile
from gitforge.store.repo import Identity, NoRepository, Repo
from gitforge.store.transaction import record

IGNORED = "# Toolkits are made from goals.yaml and library/: `gitforge build` makes them again.\n/output/*\n"
IGNORED_THERE = (
    "# Toolkits are made from goals.yaml and library/: `gitforge build` makes them again.\n*\n!.gitignore\n"
)
_HEADER = "# yaml-language-server: $schema=library/goals.schema.json\nversion: 1\n\n"


@dataclass(frozen=True)
class Initialised:
    """What `init` did.

    Attributes:
        root: The workspace.
        written: The new files, relative to it; empty where there was nothing to do.
        kept: Files that were there already and stay as they were.
        skipped: Files of the old workspace that were not taken over, each with the reason.
        commit: The commit, or None where there was nothing to do.
        is_new_repository: Whether the git repository was made too.
        fallback: The stand-in identity of the commit, where the user has set none.
    """

    root: Path
    written: tuple[str, ...]
    kept: tuple[str, ...]
    skipped: tuple[str, ...]
    commit: str | None
    is_new_repository: bool
    fallback: Identity | None


def initialise(root: Path, origin: Path | None = None) -> Initialised:
    """Makes a folder a workspace.

    Args:
        root: The folder; it is made where it is missing.
        origin: A `goal_map.json` to take over, with the `components/` beside it, instead of the starter's.

    Raises:
        UserError: The folder cannot be used, or git refuses.
        InvalidFile: The goal_map.json is not valid.
    """
    _refuse_inside(root)
    wanted, skipped = _legacy_files(origin) if origin else (_starter_files(), ())
    is_workspace = (root / FILE_NAME).exists() and (root / "library").exists()
    if is_workspace and origin is not None:
        raise UserError(f"{root}: is a workspace already", hint="Take the old one over into an empty folder.")
    repo, is_new = _repository(root)
    if is_workspace:
        wanted = {}
    elif os.path.lexists(root / ".gitignore"):
        wanted["output/.gitignore"] = IGNORED_THERE.encode()
    kept = tuple(name for name in wanted if os.path.lexists(root / name))
    missing = {name: content for name, content in wanted.items() if name not in kept}
    if not missing:
        return Initialised(root, (), kept, (), None, is_new_repository=is_new, fallback=None)
    edits = [NewFile(repo.relative(root / name), content) for name, content in missing.items()]
    recorded = record(repo, edits, commits.starter(len(missing), origin.name if origin else None))
    fallback = recorded.identity if recorded.identity.is_fallback else None
    return Initialised(root, tuple(missing), kept, skipped, recorded.commit, is_new, fallback)


def _refuse_inside(root: Path) -> None:
    """Raises UserError in a folder of another workspace, where a second one is surely a mistake."""
    for folder in root.resolve().parents:
        if (folder / FILE_NAME).exists() and (folder / "library").exists():
            hint = f"Use that one: `gitforge -C {shlex.quote(str(folder))} list`."
            raise UserError(f"{root.resolve()} is inside the workspace {folder}", hint=hint)


def _repository(root: Path) -> tuple[Repo, bool]:
    """The repository around the folder, or a new one in it."""
    is_new = not root.exists()
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{root}: cannot be made: {error.strerror}") from error
    try:
        try:
            return Repo.discover(root), False
        except NoRepository:
            if any((folder / ".git").exists() for folder in (root.resolve(), *root.resolve().parents)):
                raise
            return Repo.create(root), True
    except UserError:
        if is_new:
            with contextlib.suppress(OSError):
                root.rmdir()
        raise


def _starter_files() -> dict[str, bytes]:
    return {".gitignore": IGNORED.encode()} | {
        name: (starter.directory() / name).read_bytes() for name in starter.files()
    }


def _legacy_files(origin: Path) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """What becomes of a goal_map.json and the components beside it; their text is kept byte for byte."""
    text = documents.read_text(origin, str(origin))
    book = goal_map.parse(text, origin.name)
    files = {name: content for name, content in _starter_files().items() if _is_machinery(name, book)}
    files[FILE_NAME] = _as_goals_yaml(documents.parse(text, origin.name).data).encode()
    source = Source(origin.parent, {goal_map.FOLDER})
    for piece in goal_map.pieces_of(source, book):
        if piece.name == piece.key:
            files[f"library/{book.kinds[piece.kind].folder}/{piece.name}"] = source.contents[piece.source]
        else:
            source.skip(piece.source, "has a name that no component can have")
    skipped = (f"{one.path}: {one.reason}" for one in source.skipped)
    return dict(sorted(files.items())), tuple(skipped)


def _is_machinery(name: str, book: GoalBook) -> bool:
    """Whether a starter file is no component and no recipe: a template, a generator, the schema."""
    folders = tuple(f"library/{kind.folder}/" for kind in book.kinds.values())
    return name != FILE_NAME and not name.startswith(folders)


def _as_goals_yaml(data: Mapping[str, object]) -> str:
    style = snippets.Style(has_block_lists=True)
    return _HEADER + "\n".join(snippets.entry("goals", data, style)) + "\n"
