"""Records one new file, one rewritten and one deleted, as one commit: a program for tests that kill it.

`python edit_set.py` in a repository; where to die is said as in dying.py.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import dying

from gitforge.store import transaction
from gitforge.store.edits import Edit, NewFile, Rewrite
from gitforge.store.repo import Repo

NEW, REWRITTEN, DELETED = "library/protocols/new.md", "goals.yaml", "library/constraints/gone.md"
TEXT = b"# New\n"
LINE = b"# added\n"


def edits() -> list[Edit]:
    """The three."""
    return [NewFile(NEW, TEXT), Rewrite(REWRITTEN, _append), Rewrite(DELETED, lambda _: None)]


def message(blobs: Mapping[str, str]) -> str:
    """What says which blobs the commit records."""
    return "Edit three\n\n" + "\n".join(f"Component: {path}\nBlob: {id_}" for path, id_ in blobs.items())


def _append(content: bytes | None) -> bytes:
    content = content or b""
    return content if LINE in content else content + LINE


if __name__ == "__main__":
    if os.environ.get("DIE_AT"):
        dying.arm()
    transaction.record(Repo.discover(Path()), edits(), message)
