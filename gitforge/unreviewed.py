"""Generated components that nobody has reviewed: which they are, and that some are not to be used.

A component needs review if a generation made it and nobody is said to have reviewed exactly the text that it has
now. What people wrote from the start needs none; what they changed in a generated text does. What another library
has came through a pin that somebody moved, which is its review.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from gitforge import lineage
from gitforge.errors import NotReviewed, Problem
from gitforge.goals import GoalBook
from gitforge.plan import Planned
from gitforge.store import origins
from gitforge.workspace import Workspace

if TYPE_CHECKING:
    from gitforge.store.origins import Origins
    from gitforge.store.repo import Repo

SHALLOW_HINT = (
    "`git fetch --unshallow` brings the rest; in a CI job let the checkout fetch the whole history."
)


def committed_texts(workspace: Workspace, repo: Repo, book: GoalBook, known: Origins) -> dict[str, str]:
    """The blob of every component that the last commit has and that may need review, by path.

    Args:
        workspace: Where.
        repo: The repository around it.
        book: Says which kinds there are.
        known: What the history says.
    """
    library = workspace.library
    top = repo.relative(library.folder)
    there = [f"{top}/{need.path}" for need in library.all(book.kinds.values())]
    texts = {path: entry.id for path, entry in repo.entries(there).items() if entry.is_file}
    return with_gone(workspace, repo, book, texts, known)


def with_gone(
    workspace: Workspace, repo: Repo, book: GoalBook, texts: Mapping[str, str], known: Origins
) -> dict[str, str]:
    """The texts, and those of generated components that are gone from the working tree alone.

    Args:
        workspace: Where.
        repo: The repository around it.
        book: Says which kinds there are.
        texts: The blob that the last commit has, by path, of the components in the working tree.
        known: What the history says.
    """
    top = repo.relative(workspace.library.folder)
    folders = {f"{top}/{kind.folder}" for kind in book.kinds.values()}
    gone = [path for path in known.paths if path.rpartition("/")[0] in folders and path not in texts]
    entries = repo.entries(sorted(gone)) if gone else {}
    return {**texts, **{path: entry.id for path, entry in entries.items() if entry.is_file}}


def refuse_unreviewed(repo: Repo, planned: Sequence[Planned]) -> None:
    """Refuses to go on with components that need review.

    Args:
        repo: The repository.
        planned: The components as they are in the working tree; missing ones are passed over, and those of other
            libraries.

    Raises:
        NotReviewed: There are some, or nobody can tell, because the history is cut.
        UserError: git cannot read its history.
    """
    refuse_cut_history(repo)
    known = origins.read(repo)
    texts = {one.path: one.blob for one in planned if one.blob is not None and one.need.pin is None}
    if found := need_review(repo, texts, known):
        one_is = "it is" if len(found) == 1 else "they are"
        command = shlex.join(["gitforge", "review", *(path.rpartition("/")[2] for path in found)])
        raise NotReviewed(
            f"nobody has reviewed {', '.join(found)} as {one_is} now",
            hint=f"`{command}` shows what to look at and records that you have; commit your own edits first.",
        )


def refuse_cut_history(repo: Repo) -> None:
    """Refuses to say what was reviewed where the commits that would tell are not there.

    Raises:
        NotReviewed: The repository is a shallow clone.
    """
    if repo.is_shallow():
        raise NotReviewed(
            "this is a shallow clone: the commits that say what was reviewed are not here", hint=SHALLOW_HINT
        )


def need_review(repo: Repo, texts: Mapping[str, str], known: Origins) -> list[str]:
    """Those of the components that need review, sorted.

    Args:
        repo: The repository.
        texts: Blob by path.
        known: What the history says.

    Raises:
        UserError: git cannot read its history.
    """
    generated = (
        path for path, blob in texts.items() if known.is_generation(blob) and not known.is_reviewed(blob)
    )
    return sorted([*generated, *lineage.edited(repo, texts, known)])


def problems(workspace: Workspace, repo: Repo, book: GoalBook) -> Iterator[Problem]:
    """Every component that the last commit has and that needs review."""
    try:
        refuse_cut_history(repo)
    except NotReviewed as error:
        yield Problem(book.file, error.message, hint=error.hint)
        return
    known = origins.read(repo)
    for path in need_review(repo, committed_texts(workspace, repo, book, known), known):
        name = (repo.root / path).relative_to(workspace.root).as_posix()
        hint = f"Look at it with `gitforge review {shlex.quote(name.removeprefix('library/'))}`."
        yield Problem(name, "nobody has reviewed it as the last commit has it", hint=hint)
