"""What a name on the command line means, of what there is and of what there was."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gitforge import documents, goals_file
from gitforge.components import Library, NotOurs
from gitforge.errors import UserError
from gitforge.goals import DEFAULT_KINDS, FILE_NAME, GoalBook
from gitforge.names import COMPONENT_SUFFIXES, foreign_parts
from gitforge.text import did_you_mean, printable
from gitforge.workspace import Workspace

if TYPE_CHECKING:
    from gitforge.store.repo import Repo


_WHAT = "be looked up or changed"


class UnknownName(UserError):
    """Nothing is or was called so.

    Args:
        name: What was looked for.
        hint: What to do.
    """

    def __init__(self, name: str, hint: str) -> None:
        super().__init__(f"no goal and no component is or was called {printable(name)!r}", hint=hint)
        self.name = name


def paths_named(workspace: Workspace, repo: Repo, book: GoalBook, name: str) -> list[str]:
    """The files that a name means, from the repository's root: a goal's components, or one component.

    Args:
        workspace: Where.
        repo: The repository around it.
        book: The goals and kinds of today.
        name: A goal; a component's file name, with or without its folder and suffix, there or deleted; or goals.yaml.

    Raises:
        UnknownName: Nothing is or was called so.
        NotOurs: It is another library's.
        UserError: More than one component is.
    """
    library = workspace.library
    if name in book.goals:
        needs = book.goals[name].needs
        own = [repo.relative(library.folder / need.path) for need in needs if need.pin is None]
        if needs and not own:
            raise NotOurs(needs[0].path, needs[0].library or "", _WHAT)
        return own
    if name == FILE_NAME:
        return [repo.relative(workspace.goals_file)]
    refuse_foreign(book, name, _WHAT)
    others = library.all(book.kinds.values())
    if book.matching(name, others):
        return [repo.relative(library.folder / book.find(name, others).path)]
    if was := deleted(library, repo, book, name):
        return [was[0]]
    try:
        return paths_named(workspace, repo, book, book.goal(name).name)
    except UserError:
        ours = (need.path for need in book.needs().values() if need.pin is None)
        known = [*book.goals, *ours, *(need.name for need in others)]
        hint = did_you_mean(name, known) or repo.hint_where_cut(
            "`gitforge list` shows the goals, with --components the rest."
        )
        raise UnknownName(name, hint) from None


def refuse_foreign(book: GoalBook, name: str, what: str) -> None:
    """Refuses the name of another library's component or goal.

    Args:
        book: The goals and kinds of today.
        name: What a command was given.
        what: What cannot be done with it, for example "be edited".

    Raises:
        NotOurs: It is of a library that goals.yaml declares.
    """
    parts = None if name in book.goals else foreign_parts(name)
    if parts is None or parts[0] not in book.libraries:
        return
    raise NotOurs(name, parts[0], what)


def usable_book(workspace: Workspace) -> GoalBook:
    """As much of goals.yaml as can be used: what was recorded can be told whatever is in it now."""
    try:
        workspace.library.refuse_escape(workspace.goals_file, FILE_NAME)
        text = documents.read_text(workspace.goals_file, FILE_NAME)
        return goals_file.inspect(text)
    except UserError:
        return GoalBook(FILE_NAME, {kind.name: kind for kind in DEFAULT_KINDS}, {}, {})


def deleted(library: Library, repo: Repo, book: GoalBook, name: str) -> tuple[str, str] | None:
    """The component of that name that some commit had, and the last commit that changed it.

    Raises:
        UserError: There was more than one.
    """
    for paths in candidates(library, repo, book, name):
        found = repo.log.last_commits(paths) if paths else {}
        if len(found) > 1:
            choices = " or ".join(sorted(found))
            raise UserError(
                f"{printable(name)!r} is not unique: it was {choices}", hint="Name it with its folder."
            )
        if found:
            return next(iter(found.items()))
    return None


def candidates(library: Library, repo: Repo, book: GoalBook, name: str) -> Iterator[list[str]]:
    """The paths that a component of that name can have or have had: as it stands, then with each suffix."""
    top = repo.relative(library.folder)
    wanted = name.removeprefix(f"{top}/").removeprefix("library/")
    folders = ("", *(f"{kind.folder}/" for kind in book.kinds.values()))
    for suffix in ("", *COMPONENT_SUFFIXES):
        paths = [f"{top}/{folder}{wanted}{suffix}" for folder in folders]
        yield [path for path in paths if path.endswith(COMPONENT_SUFFIXES) and _is_plain(path)]


def _is_plain(path: str) -> bool:
    return not {"", ".", ".."} & set(path.split("/"))
