"""The journal of a commit: what `recover` needs to finish it after a kill.

It is on disk, as a whole, before `index.lock` is taken, and goes when index and worktree are complete. All
worktrees share the commit lock, so there is one journal at most; it says which worktree it is about.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gitforge.errors import UserError
from gitforge.store.durable import Unreadable, read_own, remove, write_durably
from gitforge.store.records import Entry, Head, Link
from gitforge.store.repo import Repo
from gitforge.store.texts import id_of
from gitforge.store.worktree import check_inside

VERSION = 4
"""What is written; 1 knew no deletion, 2 no content that is a blob's, 3 neither links nor submodules."""
MAX_BYTES = 64 * 1024 * 1024
_LINK = "link:"


class OtherVersion(Unreadable):
    """A newer gitforge wrote it, and can use it."""


@dataclass(frozen=True)
class FileIdentity:
    """What tells a file from every other one: its place on the disk, its size and its time."""

    device: int
    inode: int
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: Path) -> FileIdentity | None:
        """A file's; None if it is not there."""
        try:
            status = path.lstat()
        except FileNotFoundError:
            return None
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


@dataclass(frozen=True)
class FileStep:
    """What the commit does to one path.

    Attributes:
        path: From the worktree's top.
        committed: What the commit has there; None: nothing, and index and worktree lose it too.
        indexed: What the index had.
        staged: What the index gets; None: it stays.
        seen: SHA-256 of the worktree's bytes, `link:` before it for a link's; None if the file was absent.
        content: The worktree's new bytes, or link; None: they stay.
    """

    path: str
    committed: Entry | None
    indexed: Entry | None
    staged: Entry | None
    seen: str | None
    content: bytes | None

    @property
    def is_deletion(self) -> bool:
        """Whether the file goes."""
        return self.committed is None

    @property
    def is_going(self) -> bool:
        """Whether what is in the worktree goes: deleted, or for a submodule's folder."""
        return self.committed is None or self.committed.is_submodule

    @property
    def is_new_file(self) -> bool:
        """Whether no file was there, but nothing, or a link."""
        return self.seen is None or self.seen.startswith(_LINK)

    @property
    def changes_index(self) -> bool:
        """Whether the index gets another entry, or loses one."""
        return self.staged is not None or (self.is_deletion and self.indexed is not None)


@dataclass(frozen=True)
class Journal:
    """One commit on its way.

    Attributes:
        repo: The worktree that it is made in.
        head: Where HEAD was: the branch, and the value that it must have to be moved.
        commit: The new commit.
        reason: The reflog's message.
        new_index: The finished index, which `index.lock` is a link to.
        steps: What happens to each path.
        drafts: The kept drafts that the commit records.
        refs: Ids of the blobs that it refers to, by the refs that keep them.
    """

    repo: Repo
    head: Head
    commit: str
    reason: str
    new_index: FileIdentity
    steps: tuple[FileStep, ...]
    drafts: tuple[str, ...]
    refs: Mapping[str, str]


def fingerprint(content: bytes | None) -> str | None:
    """What stands for a file's bytes in a journal."""
    if content is None:
        return None
    return _LINK * isinstance(content, Link) + hashlib.sha256(content).hexdigest()


def journal_file(repo: Repo) -> Path:
    """Where the journal is, if there is one."""
    return repo.common_dir / "gitforge" / "journal.json"


def write_journal(journal: Journal) -> None:
    """Writes the journal durably.

    Raises:
        OSError: The disk is full.
        UserError: It would be too large to be read again.
    """
    repo = journal.repo
    data = {
        "version": VERSION,
        "root": str(repo.root), "git_dir": str(repo.git_dir), "index": str(repo.index),
        "environment": dict(repo.environment),
        "ref": journal.head.ref, "old": journal.head.commit, "new": journal.commit, "reason": journal.reason,
        "new_index": vars(journal.new_index),
        "steps": [_step_as_json(repo, step) for step in journal.steps],
        "drafts": journal.drafts,
        "refs": dict(journal.refs),
    }  # fmt: skip
    content = json.dumps(data, indent=1).encode() + b"\n"
    if len(content) > MAX_BYTES:
        raise UserError(
            f"files of more than {MAX_BYTES >> 20} MiB are filtered on their way here; nothing was changed",
            hint="Bring them in with git itself, for example with `git pull --rebase`.",
        )
    write_durably(journal_file(repo), content)


def drop_journal(repo: Repo) -> None:
    """Says that there is nothing to finish; one that a power cut brings back is found finished."""
    remove(journal_file(repo))


def read_journal(repo: Repo) -> Journal | None:
    """The journal that a killed process left; None if there is none.

    Args:
        repo: Any worktree of the repository.

    Raises:
        Unreadable: It is not usable.
        OtherVersion: It is by another gitforge.
    """
    try:
        content = read_own(journal_file(repo), MAX_BYTES)
    except FileNotFoundError:
        return None
    try:
        data: Any = json.loads(content)
        version = data["version"]
        if isinstance(version, int) and version > VERSION:
            raise OtherVersion(f"its version is {version}, and this gitforge knows {VERSION}")
        if version not in (1, 2, 3, VERSION):
            raise Unreadable("it has no version that this gitforge knows")
        return _parse(repo, data)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise Unreadable(f"it is torn, or not gitforge's ({type(error).__name__})") from error
    except UserError as error:
        raise Unreadable(error.message) from error


def _step_as_json(repo: Repo, step: FileStep) -> dict[str, Any]:
    content: str | bool | None = None
    if step.content is not None:
        is_blob = step.committed is not None and id_of(repo, step.content) == step.committed.id
        content = is_blob or base64.b64encode(step.content).decode()
    entries = {"committed": step.committed, "indexed": step.indexed, "staged": step.staged}
    plain = {name: [entry.mode, entry.id] if entry else None for name, entry in entries.items()}
    is_link = isinstance(step.content, Link)
    return {"path": step.path, **plain, "seen": step.seen, "content": content, "is_link": is_link}


def _parse(repo: Repo, data: Mapping[str, Any]) -> Journal:
    environment = {_text(name): _text(value) for name, value in data["environment"].items()}
    places = (Path(_text(data[name])) for name in ("root", "git_dir", "index"))
    root, git_dir, index = places
    if not git_dir.is_relative_to(repo.common_dir) or not root.is_absolute():
        raise Unreadable("it is about another repository")
    there = Repo(root, git_dir, repo.common_dir, index, repo.configuration, repo.algorithm, environment)
    ref, old = (None if data[name] is None else _text(data[name]) for name in ("ref", "old"))
    identity = FileIdentity(**{name: int(value) for name, value in data["new_index"].items()})
    wanted = [_id(step["committed"][1]) for step in data["steps"] if step["content"] is True]
    # A commit that was collected as garbage will never be reached, so nobody will ask for what it holds.
    is_lost = bool(wanted) and there.commit_of(_id(data["new"])) is None
    blobs = {} if is_lost else there.objects.read_many("blob", wanted)
    steps = tuple(_parse_step(step, blobs) for step in data["steps"])
    drafts = tuple(_text(one) for one in data["drafts"])
    if any(os.path.basename(one) != one for one in drafts):  # noqa: PTH119 -- a name, not a path
        raise Unreadable("a draft's name in it is a path")
    refs = {_kept_ref(name): _id(id_) for name, id_ in data.get("refs", {}).items()}
    return Journal(
        there, Head(ref, old), _id(data["new"]), _text(data["reason"]), identity, steps, drafts, refs
    )


def _parse_step(data: Mapping[str, Any], blobs: Mapping[str, bytes]) -> FileStep:
    entries = (_entry(data[name]) for name in ("committed", "indexed", "staged"))
    committed, indexed, staged = entries
    check_inside(_text(data["path"]))
    seen = None if data["seen"] is None else _text(data["seen"])
    if data["content"] is True:
        content: bytes | None = blobs.get(data["committed"][1])
    else:
        content = None if data["content"] is None else base64.b64decode(_text(data["content"]), validate=True)
    if content is not None and data.get("is_link", False) is True:
        content = Link(content)
    return FileStep(data["path"], committed, indexed, staged, seen, content)


def _entry(data: Any) -> Entry | None:
    if data is None:
        return None
    mode, id_ = data
    return Entry(_text(mode), _id(id_))


def _kept_ref(value: Any) -> str:
    if re.fullmatch(r"refs/gitforge/[\w-]+/[\w-]+", _text(value)) is None:
        raise Unreadable("a ref in it is not gitforge's")
    return str(value)


def _id(value: Any) -> str:
    if len(bytes.fromhex(_text(value))) not in {20, 32}:
        raise ValueError
    return str(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
