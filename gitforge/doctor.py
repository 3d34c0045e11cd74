"""What works here: the provider, tried with one tiny request, and what git and the folder have to offer."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from gitforge.errors import CutOff, ProviderError, UserError
from gitforge.goals import FILE_NAME
from gitforge.llm import Message, Notice, Provider, Request, Usage
from gitforge.store import merge_driver
from gitforge.store.records import Identity
from gitforge.store.repo import NoRepository, Repo, git_version
from gitforge.workspace import Workspace

T = TypeVar("T")

TOKENS = 256
"""More than one word takes, and a model's reasoning about it; little enough to cost next to nothing."""


@dataclass(frozen=True)
class Trial:
    """What became of one tiny request.

    Attributes:
        answer: What was answered.
        first: Seconds until the first of it; None where there was none.
        seconds: Seconds in all.
        usage: What it took, where the provider counts it.
        notices: What the provider had to say.
        error: Why there is no answer.
    """

    answer: str
    first: float | None
    seconds: float
    usage: Usage | None
    notices: tuple[Notice, ...]
    error: ProviderError | None = None


def try_provider(
    provider: Provider, tokens: int = TOKENS, clock: Callable[[], float] = time.monotonic
) -> Trial:
    """Asks a provider for one word.

    Args:
        provider: The provider; stays open.
        tokens: The answer's upper limit. To reach it is no failure.
        clock: Seconds, counted up.
    """
    request = Request((Message("user", "Answer with one word: ready"),), "ready\n", max_tokens=tokens)
    texts: list[str] = []
    notices: list[Notice] = []
    first: float | None = None
    usage: Usage | None = None
    error: ProviderError | None = None
    since = clock()
    try:
        with closing(provider.stream(request)) as stream:
            for piece in stream:
                if isinstance(piece, Usage):
                    usage = piece
                elif isinstance(piece, Notice):
                    notices.append(piece)
                else:
                    first = clock() - since if first is None else first
                    texts.append(piece)
    except CutOff:
        pass  # the server works: it was told to stop there
    except ProviderError as failure:
        error = failure
    return Trial("".join(texts).strip(), first, clock() - since, usage, tuple(notices), error)


@dataclass(frozen=True)
class Place:
    """What git and a folder have to offer.

    Attributes:
        git: git's version; None where there is no git.
        identity: Who commits would be by.
        repository: The top of the repository around the folder, if there is one.
        workspace: The workspace around the folder, if there is one.
        git_config: What git's configuration sets for gitforge, here.
        has_driver: Whether git merges goals.yaml as what it says, in this clone; None where there is none.
        problems: What stands in the way.
    """

    git: str | None
    identity: Identity | None
    repository: Path | None
    workspace: Path | None
    git_config: dict[str, str]
    has_driver: bool | None
    problems: tuple[UserError, ...]


def look(folder: Path) -> Place:
    """Looks around a folder, which need be in no repository and no workspace.

    Raises:
        UserError: There is no such folder.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: there is no such folder")
    problems: list[UserError] = []
    version = _found(lambda: git_version(folder), problems)
    if version is None:
        return Place(None, None, None, _workspace(folder), {}, None, tuple(problems))
    repository = _found(lambda: Repo.discover(folder), problems, expected=NoRepository)
    # Outside a repository git still has the user's own configuration, which is read from any folder.
    here = repository or _found(lambda: Repo.outside(folder), problems)
    git_config = here.settings("gitforge") if here else {}
    identity = _found(here.identity, problems) if here else None
    root = repository.root if repository else None
    workspace = _workspace(folder)
    has_driver = _found(lambda: _has_driver(repository, workspace), problems)
    return Place(version, identity, root, workspace, git_config, has_driver, tuple(problems))


def _has_driver(repository: Repo | None, workspace: Path | None) -> bool | None:
    if repository is None or workspace is None:
        return None
    return merge_driver.is_installed(repository, repository.relative(workspace / FILE_NAME))


def _found(
    look_up: Callable[[], T], problems: list[UserError], *, expected: type[UserError] | None = None
) -> T | None:
    """What is looked up; where that fails, None, and a problem unless it was expected."""
    try:
        return look_up()
    except UserError as error:
        if expected is None or not isinstance(error, expected):
            problems.append(error)
        return None


def _workspace(folder: Path) -> Path | None:
    try:
        return Workspace.find(folder).root
    except UserError:
        return None
