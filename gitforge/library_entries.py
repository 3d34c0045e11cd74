"""What goals.yaml says of other libraries, edited in each of its versions: HEAD's, the index's, the working tree's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gitforge.errors import Conflict
from gitforge.goals import FILE_NAME, GoalBook, Kind, Pin
from gitforge.goals_edit import Change, categories, edited, layered, version_edited
from gitforge.names import foreign_parts
from gitforge.store.edits import Rewrite, restoring
from gitforge.workspace import Workspace

if TYPE_CHECKING:
    from gitforge.store.repo import Repo


def rewriting(workspace: Workspace, repo: Repo, *changes: Change) -> Rewrite:
    """The edit of goals.yaml that makes changes to its data and keeps all else as it stands.

    Args:
        workspace: Whose goals.yaml.
        repo: The repository.
        changes: Each changes plain data in place; it may raise Conflict.
    """
    path = repo.relative(workspace.goals_file)

    def change(data: dict[str, Any]) -> None:
        for one in changes:
            one(data)

    return Rewrite(path, lambda old: version_edited(old, lambda text: edited(text, change)))


def declaring(pin: Pin) -> Change:
    """Names a library."""

    def change(data: dict[str, Any]) -> None:
        layered(data)
        libraries = data.get("libraries") or {}
        if pin.name in libraries:
            raise Conflict(f"a version of {FILE_NAME} has a library {pin.name} already", hint=_commit_it())
        all_ = {"url": pin.url, "rev": pin.rev, "commit": pin.commit, "folder": pin.folder}
        given = {key: value for key, value in all_.items() if value}
        if data.get("libraries"):
            libraries[pin.name] = given
            return
        data.pop("libraries", None)
        if next(iter(data)) == "goals":  # what stands above them heads the file
            data["libraries"] = {pin.name: given}
            return
        goals = data.pop("goals")  # which stay last: they are what a file grows by
        data["libraries"] = {pin.name: given}
        data["goals"] = goals

    return change


def moving(old: Pin, new: Pin) -> Change:
    """Pins a library to another commit, perhaps of another branch."""

    def change(data: dict[str, Any]) -> None:
        there = _there(data, old)
        there["commit"] = new.commit
        if new.rev != old.rev:
            there["rev"] = new.rev

    return change


def removing(pin: Pin) -> Change:
    """Takes a library out."""

    def change(data: dict[str, Any]) -> None:
        _there(data, pin)
        del data["libraries"][pin.name]
        if not data["libraries"]:
            del data["libraries"]

    return change


def _there(data: dict[str, Any], pin: Pin) -> dict[str, Any]:
    """The library's entry, which has to pin that commit."""
    there: dict[str, Any] | None = (data.get("libraries") or {}).get(pin.name)
    if there is None or there.get("commit") != pin.commit:
        raise Conflict(
            f"a version of {FILE_NAME} in git or in the working tree does not pin {pin.name} to {pin.commit[:12]}",
            hint=_commit_it(),
        )
    return there


def _commit_it() -> str:
    return (
        f"Commit your changes of it, or take them back with {restoring(FILE_NAME, '--staged', '--worktree')}."
    )


def renaming(book: GoalBook, names: Mapping[str, str]) -> Change:
    """Calls components of other libraries by other names, wherever goals and descriptions name them.

    Args:
        book: Whose kinds hold.
        names: The new names as goals.yaml has them, by path: `acme:personas/auditor.md`.
    """
    by_key = {kind.key: kind for kind in book.kinds.values()}

    def renamed(kind: Kind, value: Any) -> Any:
        if isinstance(value, dict):
            return value | {"file": renamed(kind, value["file"])}
        return names.get(_path(kind, value), value)

    def change(data: dict[str, Any]) -> None:
        goals = (goal for category in categories(data).values() for goal in (category or {}).values())
        for goal in goals:
            for key, kind in by_key.items():
                if isinstance(goal.get(key), list):
                    goal[key] = _once([renamed(kind, value) for value in goal[key]])
                elif goal.get(key) is not None:
                    goal[key] = renamed(kind, goal[key])
        _rename_descriptions(data, book, names)

    return change


def _path(kind: Kind, name: str) -> str:
    parts = foreign_parts(name)
    return name if parts is None else f"{parts[0]}:{kind.folder}/{parts[1].removeprefix(f'{kind.folder}/')}"


def _once(values: list[Any]) -> list[Any]:
    """The values without those whose component stands before them already."""
    found: dict[str, Any] = {}
    for value in values:
        found.setdefault(value["file"] if isinstance(value, dict) else value, value)
    return list(found.values())


def _rename_descriptions(data: dict[str, Any], book: GoalBook, names: Mapping[str, str]) -> None:
    described = data.get("descriptions")
    if not described:
        return
    for name in list(described):
        paths = [_path(kind, name) for kind in book.kinds.values()]
        new = next((names[path] for path in (name, *paths) if path in names), None)
        if new is not None and new not in described:
            described[new] = described.pop(name)
