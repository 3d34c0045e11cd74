"""Finds the newest thing that gitforge recorded and that is not undone yet."""

from __future__ import annotations

import os
import re
from collections import Counter
from contextlib import closing

from gitforge.commits import IMPORT, IMPORTED, LIBRARY, UNDOES, reverting
from gitforge.errors import UserError
from gitforge.revert import Reversal, of_own
from gitforge.scope import refuse_others
from gitforge.store import revision
from gitforge.store.messages import COMPONENT, parse
from gitforge.store.repo import Repo
from gitforge.workspace import Workspace

_ID = re.compile(r"[0-9a-f]{40,64}")


def newest(workspace: Workspace, repo: Repo) -> Reversal:
    """What taking the newest thing back does.

    Undo commits name what they undo. After a rebase that is the id of no commit of this history any more: then the
    newest older commit of that subject is meant. What HEAD has as it was before, or not at all, counts as undone too,
    and so does what belongs to another workspace.

    Args:
        workspace: Where components are.
        repo: Its repository.

    Raises:
        Conflict: What it changed has been changed since.
        UserError: There is nothing, or it cannot be taken back here.
    """
    undone: set[str] = set()
    rewritten: Counter[str] = Counter()
    with closing(revision.messages(repo)) as found:
        for commit, message in found:
            said = parse(message)
            undoes = dict(said.common).get(UNDOES)
            if undoes is not None and _ID.fullmatch(undoes):
                if repo.contains(repo.head().commit or "HEAD", undoes):
                    undone.add(undoes)
                else:
                    rewritten[said.subject] += 1
                continue
            if commit in undone or not is_recorded(message):
                continue
            if rewritten[reverting(said.subject)]:
                rewritten[reverting(said.subject)] -= 1
                continue
            read = revision.read_revision(repo, commit)
            reversal = of_own(workspace, repo, read, passing_deleted=True)
            if not reversal.is_empty:
                refuse_others(workspace, repo, read, is_undo=True)
                return reversal
    raise UserError(
        "there is nothing to undo: no commit here is gitforge's, but for what is undone already",
        hint="`gitforge revert COMMIT` takes any other commit back.",
    )


def author_beside(repo: Repo, commit: str) -> str | None:
    """Who has written a commit, where that is certainly somebody else than the user.

    Args:
        repo: The repository.
        commit: Its id.
    """
    mine = repo.configuration.identity("author", os.environ)
    asked = repo.git.read("log", "-1", "--format=%an%n%ae", "--no-show-signature", commit, "--").stdout
    name, _, address = asked.decode(errors="replace").rstrip("\n").partition("\n")
    return None if mine is None or mine[1].casefold() == address.casefold() else name


def is_recorded(message: str) -> bool:
    """Whether a commit's message is one that gitforge wrote about components or goals."""
    said = parse(message)
    if any(group.is_generation or group.blob is not None for group in said.groups):
        return True
    if IMPORTED in dict(said.common) and said.subject.startswith(IMPORT):
        return True
    goal = dict(said.common).get("Goal")
    if goal is not None and said.subject == f"Add goal {goal}":
        return True
    library = dict(said.common).get(LIBRARY)
    if library is not None and said.subject.endswith(f" library {library}"):
        return True
    last = message.strip().rpartition("\n\n")[2]  # of a text that is gone nothing but its name is said
    return last.startswith(f"{COMPONENT}: ") and "This reverts commit " in said.body
