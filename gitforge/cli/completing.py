"""What a shell can offer for an argument: goals, components, toolkits, commits, each with a line of help.

For typer's `autocompletion`. Whatever goes wrong, nothing is offered: somebody is typing. Nothing is written, and a
recording that was interrupted is left to the command itself.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from gitforge.goals import GoalBook
    from gitforge.store.repo import Repo
    from gitforge.workspace import Workspace

BEHIND_DASHES = "gitforge.behind_dashes"
"""Where a command keeps in `ctx.meta` what stands behind `--`, or None."""

_COMMITS = 200

Offered = list[tuple[str, str]]
_Offer = Callable[[typer.Context], Iterator[tuple[str, str]]]
_Callback = Callable[[typer.Context, list[str], str], Offered]


def _quietly(offer: _Offer) -> _Callback:
    @functools.wraps(offer)
    def callback(ctx: typer.Context, args: list[str], incomplete: str) -> Offered:
        try:
            return list(offer(ctx))
        except Exception:  # noqa: BLE001 -- nobody has asked for an explanation
            return []

    del callback.__wrapped__  # typer looks at the types of the parameters
    callback.__annotations__ = {"ctx": typer.Context, "args": list[str], "incomplete": str}
    return callback


@_quietly
def goals(ctx: typer.Context) -> Iterator[tuple[str, str]]:
    """The goals, also those of other libraries."""
    book = _book(workspace := _workspace(ctx))
    yield from _goals(book)
    yield from _foreign(workspace, book, with_components=False)


@_quietly
def libraries(ctx: typer.Context) -> Iterator[tuple[str, str]]:
    """The other libraries that goals.yaml names."""
    return ((name, "a library") for name in _book(_workspace(ctx)).libraries)


@_quietly
def foreign_names(ctx: typer.Context) -> Iterator[tuple[str, str]]:
    """The components and goals of other libraries."""
    workspace = _workspace(ctx)
    return _foreign(workspace, _book(workspace), with_components=True)


@_quietly
def components(ctx: typer.Context) -> Iterator[tuple[str, str]]:
    """The components, also those that goals lack."""
    return _components(workspace := _workspace(ctx), _book(workspace))


@_quietly
def components_and_goals(ctx: typer.Context) -> Iterator[tuple[str, str]]:
    """Both."""
    book = _book(workspace := _workspace(ctx))
    yield from _components(workspace, book)
    yield from _goals(book)


@_quietly
def projects(ctx: typer.Context) -> Iterator[tuple[str, str]]:
    """The toolkits in output/."""
    output = _workspace(ctx).output
    return (
        (path.name, "a toolkit") for path in sorted(output.iterdir()) if (path / "toolkit.json").is_file()
    )


@_quietly
def outputs(ctx: typer.Context) -> Iterator[tuple[str, str]]:
    """The files of the toolkits, as paths from where one stands."""
    output, here = _workspace(ctx).output, _here(ctx).resolve()
    for path in sorted(output.glob("*/*.md")):
        yield os.path.relpath(path, here), path.parent.name


@_quietly
def commits(ctx: typer.Context) -> Iterator[tuple[str, str]]:
    """The newest commits, branches and tags."""
    return _commits(ctx)


def commits_and_components(ctx: typer.Context, args: list[str], incomplete: str) -> Offered:
    """Both; behind `--` no commits, but goals. Behind the dots of a range the commits that it can end with."""
    start, dots, _ = incomplete.rpartition("..")
    if dots and ctx.meta.get(BEHIND_DASHES) is None:
        return [(f"{start}{dots}{commit}", subject) for commit, subject in commits(ctx, args, "")]
    return _commits_and_components(ctx, args, incomplete)


@_quietly
def _commits_and_components(ctx: typer.Context) -> Iterator[tuple[str, str]]:
    """Both; behind `--` no commits, but goals."""
    behind = ctx.meta.get(BEHIND_DASHES) is not None
    if not behind:
        yield from _commits(ctx)
    book = _book(workspace := _workspace(ctx))
    yield from _components(workspace, book)
    if behind:
        yield from _goals(book)


def components_at(ctx: typer.Context, args: list[str], incomplete: str) -> Offered:
    """Components and goals, also of other libraries; behind an `@` the commits at which to look at a component."""
    name, at, _ = incomplete.rpartition("@")
    if at:
        return [(f"{name}@{commit}", subject) for commit, subject in commits(ctx, args, "")]
    return components_and_goals(ctx, args, incomplete) + foreign_names(ctx, args, incomplete)


def providers(ctx: typer.Context, args: list[str], incomplete: str) -> Offered:
    """Who can write drafts."""
    return [
        ("openai", "an OpenAI-compatible server"),
        ("llm", "a plugin of the llm tool"),
        ("offline", "the outline, without a language model"),
    ]


def _here(ctx: typer.Context) -> Path:
    """The folder that `-C` before and behind the command name leads to."""
    folder, contexts = Path(), []
    one: Any = ctx
    while one is not None:
        contexts.append(one)
        one = one.parent
    for one in reversed(contexts):
        folder /= one.params.get("directory") or Path()
    return folder


def _workspace(ctx: typer.Context) -> Workspace:
    from gitforge.workspace import Workspace  # noqa: PLC0415

    return Workspace.find(_here(ctx))


def _book(workspace: Workspace) -> GoalBook:
    """As much of goals.yaml as can be used."""
    from gitforge import documents, goals_file  # noqa: PLC0415

    workspace.library.refuse_escape(workspace.goals_file, workspace.goals_file.name)
    return goals_file.inspect(documents.read_text(workspace.goals_file, workspace.goals_file.name))


def _goals(book: GoalBook) -> Iterator[tuple[str, str]]:
    return ((goal.name, goal.description) for goal in book.goals.values())


def _components(workspace: Workspace, book: GoalBook) -> Iterator[tuple[str, str]]:
    there = {need.path: need for need in workspace.library.all(book.kinds.values())}
    known = there | {path: need for path, need in book.needs().items() if need.pin is None}
    names = [need.name for need in known.values()]
    twice = {name for name in names if names.count(name) > 1} if len(names) != len(set(names)) else set()
    for path, need in known.items():
        state = need.kind.name if path in there else f"{need.kind.name}, missing"
        yield (path if need.name in twice else need.name), state


def _foreign(workspace: Workspace, book: GoalBook, *, with_components: bool) -> Iterator[tuple[str, str]]:
    """What other libraries have, where they are fetched; one that cannot be read is passed over."""
    for pin in book.libraries.values():
        with suppress(Exception):  # nobody has asked for an explanation
            reader = workspace.library.foreign
            needs = reader.all(pin, book.kinds.values()) if with_components else []
            yield from ((need.path, need.kind.name) for need in needs)
            yield from ((goal.name, goal.description) for goal in reader.goals(pin, book))


def _commits(ctx: typer.Context) -> Iterator[tuple[str, str]]:
    from gitforge.store.repo import Repo  # noqa: PLC0415

    repo: Repo = Repo.discover(_workspace(ctx).root)
    yield from repo.log.newest(_COMMITS)
    yield from repo.names()
