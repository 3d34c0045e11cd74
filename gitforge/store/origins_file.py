"""What commit messages say, kept in a file of the git directory, so that each commit is read once.

The file can be deleted at any time. It is used only where it certainly says what git would say, and whatever is wrong
with it, it is made anew. It is not synced to the disk: its checksum tells when a power cut tore it.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from dataclasses import dataclass
from pathlib import Path

from gitforge.store import plain
from gitforge.store.durable import Unreadable, read_own, replace_if_possible
from gitforge.store.repo import Repo
from gitforge.store.spoken import Spoken

_FORMAT = b"gitforge origins 2"
_MOST = 1 << 28  # bytes
_OTHER_HISTORY = ("GIT_SHALLOW_FILE", "GIT_GRAFT_FILE", "GIT_REPLACE_REF_BASE", "GIT_NO_REPLACE_OBJECTS")


@dataclass(frozen=True)
class Kept:
    """All that the history of a commit says.

    Attributes:
        tip: The commit's id.
        spoken: What it and the commits before it say.
    """

    tip: str
    spoken: Spoken


def load(repo: Repo) -> Kept | None:
    """What is kept, if it can be relied on."""
    history = history_key(repo)
    if history is None:
        return None
    if repo.memory is not None:
        known, kept = repo.memory.get("origins", (b"", None))
        return kept if known == history else None
    try:
        content = read_own(_file(repo), _MOST)
        start = content.index(b"\n") + 1
        about, tip, columns_end = content[: start - 1].rsplit(b" ", 2)
        rest = memoryview(content)[start:]  # tens of megabytes: not to be copied
        if about != _head(history, rest):
            return None
        end = int(columns_end)
        return Kept(tip.decode("ascii"), Spoken.decode(bytes(rest[:end]), rest[end:]))
    except (OSError, Unreadable, ValueError):
        return None


def save(repo: Repo, kept: Kept) -> None:
    """Keeps it, where that can be; of two that do so at once, either one's is kept."""
    history = history_key(repo)
    if history is None:
        return
    if repo.memory is not None:
        repo.memory["origins"] = history, kept
        return
    columns = kept.spoken.encode()
    content = columns + kept.spoken.details
    head = b"%s %s %d\n" % (_head(history, content), kept.tip.encode(), len(columns))
    replace_if_possible(_file(repo), head + content)


def _file(repo: Repo) -> Path:
    """Each worktree has a HEAD of its own, and so a file of its own."""
    return repo.git_dir / "gitforge" / "origins"


def _head(history: bytes, content: bytes | memoryview) -> bytes:
    return b"%s %s %d %08x" % (_FORMAT, history, len(content), zlib.crc32(content))


def history_key(repo: Repo) -> bytes | None:
    """What makes the same commit have another history: where it is cut. None where somebody has exchanged commits."""
    is_exchanged = plain.has_replacements(repo.common_dir) or (repo.common_dir / "info/grafts").exists()
    is_unknown = (repo.common_dir / "reftable").is_dir()  # where such refs are no files
    if is_exchanged or is_unknown or any(os.environ.get(name) for name in _OTHER_HISTORY):
        return None
    try:
        cut = (repo.common_dir / "shallow").read_bytes()
    except FileNotFoundError:
        return b"whole"
    except OSError:
        return None
    return hashlib.sha256(cut).hexdigest().encode()
