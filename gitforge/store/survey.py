"""What a stranger's commit would put on disk, looked at in git's objects before any of it is written.

`git fetch` has refused what git itself knows to be dangerous by then (`.git` in a path and its like, fsck.c). Left
are names that some file systems take for one (CVE-2021-21300), links out of the folder, and sheer size: a pack of
one megabyte can hold a file of a gigabyte, and a small tree can name it ten million times.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from gitforge.errors import UserError
from gitforge.names import folded
from gitforge.store.process import harmless
from gitforge.store.records import Entry, with_folders
from gitforge.store.repo import Repo

MAX_FILES = 100_000
MAX_TARGET = 4096
"""Bytes of a link."""


@dataclass(frozen=True)
class Planned(Entry):
    """A file, link or submodule of a commit; `path` is from the repository's top, `size` in bytes, 0 of a submodule."""

    path: str
    size: int


@dataclass(frozen=True)
class Survey:
    """What a commit would put on disk.

    Attributes:
        entries: All of it, by path.
        twins: Pairs of names that some file systems take for one.
    """

    entries: dict[str, Planned]
    twins: tuple[tuple[str, str], ...]

    @property
    def submodules(self) -> tuple[str, ...]:
        """Where other repositories would be."""
        return tuple(path for path, one in self.entries.items() if one.is_submodule)

    def below(self, folder: str) -> Iterator[Planned]:
        """What stands at a path or below it."""
        for path, one in self.entries.items():
            if path == folder or path.startswith(f"{folder}/"):
                yield one


def survey(repo: Repo, commit: str, *, max_bytes: int) -> Survey:
    """Looks at all that a commit would put on disk.

    Args:
        repo: The repository that has it.
        commit: Its id.
        max_bytes: How much all its files may take together.

    Raises:
        UserError: It is too much, or a link leads out of the repository.
    """
    entries: dict[str, Planned] = {}
    size = 0
    for line in repo.git.stream("ls-tree", "-r", "-z", "-l", "--full-tree", commit):
        about, _, path = line.partition("\t")
        mode, _, id_, length = about.split()
        one = Planned(mode, id_, path, 0 if length == "-" else int(length))
        entries[path] = one
        size += one.size
        if len(entries) > MAX_FILES:
            raise UserError(f"it has more than {MAX_FILES:,} files, which no library of prompts has")
        if size > max_bytes:
            raise _too_large(entries.values(), max_bytes)
    _refuse_escapes(repo, [one for one in entries.values() if one.is_link])
    found = Survey(entries, tuple(_twins(entries)))
    _refuse_hidden_twins(found)
    return found


def _too_large(entries: Iterable[Planned], max_bytes: int) -> UserError:
    largest = max(entries, key=lambda one: one.size)
    shown = f"{harmless(largest.path)} alone has {largest.size / (1 << 20):,.1f} MiB"
    return UserError(
        f"its files would take more than {max_bytes / (1 << 20):g} MiB ({shown})",
        hint="If you expect that much, allow it with --max-size.",
    )


def _refuse_escapes(repo: Repo, links: Sequence[Planned]) -> None:
    """Raises UserError where a link leads out of the repository."""
    for link in links:
        if link.size > MAX_TARGET:
            raise UserError(f"{harmless(link.path)} is a symbolic link of {link.size:,} bytes")
    targets = repo.objects.read_many("blob", [link.id for link in links])
    for link in links:
        target = targets[link.id].decode("utf-8", "surrogateescape")
        if leads_out(link.path, target):
            shown = harmless(target)[:200]
            raise UserError(
                f"{harmless(link.path)} is a symbolic link that leads out of the repository, to {shown}",
                hint="Ask its owner to remove the link. `git clone` would write it as it is.",
            )


def leads_out(path: str, target: str) -> bool:
    """Whether a symbolic link is anything but plainly one to a place below the repository's top.

    `..` may only stand at its beginning: behind a name that is a link itself, it would lead from there.

    Args:
        path: The link, from the repository's top.
        target: What it has.
    """
    parts = [part for part in target.split("/") if part not in {"", "."}]
    ups = next((count for count, part in enumerate(parts) if part != ".."), len(parts))
    if target.startswith("/") or ups > path.count("/") or ".." in parts[ups:]:
        return True
    return not target or "\0" in target or ".git" in (part.casefold() for part in parts)


def _twins(paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    seen: dict[str, str] = {}
    for path in paths:
        end = 0
        while end >= 0:
            end = path.find("/", end + 1)
            name = path if end < 0 else path[:end]
            other = seen.setdefault(folded(name), name)
            if other != name:
                yield other, name
                break


def _refuse_hidden_twins(found: Survey) -> None:
    """Raises UserError where one of two such names is no file: the other would be written through it."""
    strange = {name for one in found.entries.values() if not one.is_file for name in with_folders(one.path)}
    for pair in found.twins:
        if not strange.isdisjoint(pair):
            first, second = map(harmless, pair)
            raise UserError(
                f"{first} and {second} differ in upper and lower case only, and one of them is a link or a submodule"
            )
