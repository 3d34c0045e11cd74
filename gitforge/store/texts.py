"""Texts that a toolkit was made from and that no commit has, kept so that it can be made again.

Each is a blob under the ref `refs/gitforge/texts/<its id>`: a component with edits that were not committed, a
template of gitforge's own, a file whose bytes the user's filters changed on their way into git.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from gitforge.store.repo import Repo

REFS = "refs/gitforge/texts"
"""Where they are; `git fetch origin 'refs/gitforge/*:refs/gitforge/*'` brings them from another clone."""

_TIMEOUT = 60.0  # seconds for a hook of the user's


def id_of(repo: Repo, content: bytes) -> str:
    """The id that a blob with this content has, as it is: no filter, no line ending changed."""
    return hashlib.new(
        repo.algorithm, b"blob %d\0" % len(content) + content, usedforsecurity=False
    ).hexdigest()


def is_kept(repo: Repo, id_: str) -> bool:
    """Whether a text is kept because no commit had it."""
    return bool(id_) and repo.object_of(f"{REFS}/{id_}") is not None


def keep(repo: Repo, contents: Iterable[bytes]) -> None:
    """Keeps texts for as long as their refs are there; those that are kept already cost next to nothing.

    Args:
        repo: The repository.
        contents: Each as it was used.

    Raises:
        UserError: The repository cannot be written to.
    """
    wanted = {f"{REFS}/{id_of(repo, content)}": content for content in contents}
    if not wanted:
        return
    listed = repo.git.read("for-each-ref", "--format=%(refname)", *wanted).stdout.decode().split()
    new = {ref: repo.objects.write_blob(wanted[ref]) for ref in wanted.keys() - set(listed)}
    if new:
        repo.make_refs(new, timeout=_TIMEOUT)
