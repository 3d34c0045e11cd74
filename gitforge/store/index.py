"""The index as a file: a copy to build on, what it holds, what tells of a change, how a new one is published."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from gitforge.errors import UserError
from gitforge.store import plain
from gitforge.store.git import pathspecs
from gitforge.store.locks import lock_of
from gitforge.store.process import Asked, succeed
from gitforge.store.records import FILE, Entry, IndexEntry, parse_staged
from gitforge.store.repo import Repo

Signature = tuple[int, ...]

_BEFORE = "before"  # the index that was there, by another name


def copy_index(repo: Repo, work: Path) -> tuple[Path, Signature | None]:
    """A copy of the index to build the new one from, and what tells whether the index has changed since."""
    copy = work / "index"
    copy.unlink(missing_ok=True)
    try:
        with repo.index.open("rb") as source, copy.open("wb") as target:
            target.write(source.read())  # at once: a large one in small pieces takes twice as long
            status = os.fstat(source.fileno())
    except FileNotFoundError:
        return copy, None
    # git takes a file for unchanged if it is older than the index: a younger copy would hide a change.
    os.utime(copy, ns=(status.st_atime_ns, status.st_mtime_ns))
    return copy, _of(status)


def signature(index: Path) -> Signature | None:
    """What tells whether the index has changed; None if it is not there."""
    try:
        return _of(index.stat())
    except FileNotFoundError:
        return None


def _of(status: os.stat_result) -> Signature:
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def index_entries(repo: Repo, paths: Sequence[str], *, index: Path) -> list[IndexEntry]:
    """What an index has at paths and, where a path is a folder there, below it; of many, in their whole folders."""
    if len(repo.absent(paths, index=index)) == len(paths):
        return []
    done = repo.git.read(
        "ls-files", "-z", "--stage", "--", *pathspecs(paths), environment={"GIT_INDEX_FILE": str(index)}
    )
    return parse_staged(done.stdout)


def start_index(
    repo: Repo, entries: Mapping[str, Entry | None], *, index: Path, is_clear: bool = False
) -> Asked[bytes]:
    """Puts entries into an index, which is made if it is missing, and takes out those that are None.

    Args:
        repo: The repository.
        entries: What to put there, by path.
        index: The index's file.
        is_clear: Whether it has been seen that no other file is where one of the folders would have to be, or the
            reverse: else git looks, but reads no more paths than a command line holds.

    Returns:
        What waits for its end.

    Raises:
        UserError: A file of the index is where a folder would have to be, or the reverse.
    """
    order = in_order(entries)
    if is_clear:
        words, stdin = ["-z", "--index-info"], b"".join(_index_line(repo, *item) for item in order)
    else:
        words, stdin = ["--force-remove"], None  # of the paths that follow it
        for path, entry in order:  # as ./, because behind -- there would be no options
            words += (
                ["--cacheinfo", f"{entry.mode},{entry.id},{path}"] if entry is not None else [f"./{path}"]
            )
    whole = (
        "-c",
        "index.sparse=false",
    )  # else git puts an entry beside the sparse folder that it belongs into
    running = repo.git.start(
        "update-index", "--add", "--force-write-index", *words, options=whole, stdin=stdin,
        environment={"GIT_INDEX_FILE": str(index)}, writes=True,
    )  # fmt: skip
    return Asked(lambda: succeed(running.finish()), running.stop)


def in_order(entries: Mapping[str, Entry | None]) -> list[tuple[str, Entry | None]]:
    """What goes first, because a folder may take a file's place."""
    return sorted(entries.items(), key=lambda item: item[1] is not None)


def _index_line(repo: Repo, path: str, entry: Entry | None) -> bytes:
    """What `update-index --index-info` reads; a mode of 0 takes the path out."""
    mode, id_ = (
        (entry.mode, entry.id)
        if entry is not None
        else ("0", "0" * (64 if repo.algorithm == "sha256" else 40))
    )
    return b"%s %s\t%s\0" % (mode.encode(), id_.encode(), os.fsencode(path))


def publish(repo: Repo, new_index: Path, work: Path) -> None:
    """Makes the new index the index, while `index.lock` stays; once is enough.

    Args:
        repo: The repository.
        new_index: What `index.lock` is a link to.
        work: The folder of the commit lock.

    Raises:
        OSError: The system refuses.
    """
    with contextlib.suppress(FileNotFoundError):
        if repo.index.samefile(new_index):
            return
    before, published = work / _BEFORE, work / "published"
    for name in (before, published):
        name.unlink(missing_ok=True)
    with contextlib.suppress(FileNotFoundError):  # there was none
        os.link(repo.index, before)
    os.link(new_index, published)
    published.replace(repo.index)


def restore_torn(repo: Repo, work: Path) -> None:
    """Puts the index back that was there before `publish`, or none, where a power cut has torn the new one."""
    before, new_index = work / _BEFORE, work / "index"
    with contextlib.suppress(FileNotFoundError):
        if before.exists():
            if not is_whole(repo, repo.index):
                before.replace(repo.index)
        elif repo.index.samefile(new_index) and not is_whole(repo, repo.index):
            repo.index.unlink()


def is_whole(repo: Repo, index: Path) -> bool:
    """Whether a power cut has left the whole of an index, which is not fsynced."""
    try:  # by git, which looks at all of it, whatever it is asked for
        repo.git.read("ls-files", "--stage", "--", "goals.yaml", environment={"GIT_INDEX_FILE": str(index)})
    except UserError:
        return False
    return True


def finish_index(repo: Repo, new_index: Path, work: Path, paths: Sequence[str]) -> None:
    """Makes the new index the index and frees the lock; git has noted in it which files are unchanged.

    Args:
        repo: The repository.
        new_index: What `index.lock` is a link to.
        work: The folder of the commit lock.
        paths: The files that may have been written with it.

    git notes that in a copy, because a git that is killed while it holds `index.lock` leaves it behind.

    Raises:
        OSError: The system refuses.
    """
    finished = work / "finished"
    finished.unlink(missing_ok=True)
    os.link(new_index, finished)
    with contextlib.suppress(UserError):  # it only saves git the time to find out
        _refresh(repo, paths, finished)
    finished.replace(repo.index)
    lock_of(repo.index).unlink(missing_ok=True)


def _refresh(repo: Repo, paths: Sequence[str], index: Path) -> None:
    """Notes that files are unchanged, in a file that is not the index yet and is replaced."""
    if not paths or _note_unchanged(repo, paths, index):
        return
    about = ("--porcelain", "--untracked-files=no", "--ignore-submodules=all")
    there = {"GIT_OPTIONAL_LOCKS": "1", "GIT_INDEX_FILE": str(index)}
    repo.git.run("status", *about, "--", *pathspecs(paths), environment=there, shielded=True, writes=True)


def _not_through_links(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW)


def _note_unchanged(repo: Repo, paths: Sequence[str], index: Path) -> bool:
    """Does it without git; False where only git can tell whether a file is unchanged."""
    if repo.objects.loose is None:
        return False
    files, contents = {}, {}
    for path in paths:
        try:
            with open(repo.root / path, "rb", opener=_not_through_links) as file:
                status = os.fstat(file.fileno())  # first: what is written later shows as younger
                contents[path] = file.read()
        except OSError:
            return False
        files[path] = (Entry(FILE, repo.objects.loose.id_of("blob", contents[path])), status)
    if len(repo.objects.unfiltered(contents)) < len(contents):
        return False
    new = bytearray(index.stat().st_size)
    with index.open("rb") as file:
        file.readinto(new)
    if not plain.note_unchanged(new, files, repo.algorithm):
        return False
    beside = index.with_name(f"{index.name}.noted")
    beside.write_bytes(new)
    shutil.copymode(index, beside)
    beside.replace(index)
    return True
