"""HEAD's branch moved to a commit that is there already, with index and worktree, as by `git reset --keep`.

By the steps of `record` from the new index on, and with its journal: docs/commit-protocol.md. Whatever of the user's
is in the way is refused first, by name: files that are staged, changed or untracked stay byte for byte.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from gitforge.errors import Conflict, UserError
from gitforge.names import folded
from gitforge.store import filtered
from gitforge.store.commit import refuse_during_operation
from gitforge.store.commit_point import LostRace
from gitforge.store.edits import Change, Rewrite
from gitforge.store.index import copy_index
from gitforge.store.locks import INDEX_LOCK_SECONDS, await_index_lock, commit_lock
from gitforge.store.placing import told
from gitforge.store.process import harmless
from gitforge.store.records import Entry, Head, IndexEntry, Link, fields, parse_staged, with_folders
from gitforge.store.recovery import Repair, recover
from gitforge.store.repo import Repo
from gitforge.store.series import PathChange, compare
from gitforge.store.submodules import refuse_occupied
from gitforge.store.texts import id_of
from gitforge.store.transaction import (
    LOCK_SECONDS,
    Built,
    building_index,
    carry_out,
)
from gitforge.store.worktree import check_inside, read_entry, read_file

_SHOWN = 10  # files that are named


def advance(
    repo: Repo,
    head: Head,
    commit: str,
    reason: str,
    *,
    lock_seconds: float = LOCK_SECONDS,
    index_lock_seconds: float = INDEX_LOCK_SECONDS,
) -> Repair | None:
    """Moves HEAD's branch by compare-and-swap, and carries what differs into index and worktree.

    Args:
        repo: The repository.
        head: What HEAD was when the commit was built.
        commit: Id of the commit to move to.
        reason: What the reflog says.
        lock_seconds: How long to wait for another gitforge.
        index_lock_seconds: How long to wait for another git.

    Returns:
        What a killed gitforge had begun, and was finished first.

    Raises:
        LostRace: The branch has moved meanwhile.
        Conflict: Something of the user's is in the way.
        UserError: A merge or the like is in progress, a lock stays, git or the system refuses.
    """
    try:
        with commit_lock(repo, timeout=lock_seconds) as work:
            repair = recover(repo, work)
            refuse_during_operation(repo)
            if repo.head() != head:
                raise LostRace("the branch moved meanwhile")
            new_index, before = copy_index(repo, work)
            changes = changes_to(repo, head.commit, commit, new_index)
            with building_index(repo, changes, new_index, is_clear=True):
                pass
            await_index_lock(repo.index, timeout=index_lock_seconds)
            failures = carry_out(Built(head, changes, commit, reason, new_index, before), repo, work)
    except OSError as error:
        raise UserError(f"{told(error)}; nothing was changed") from error
    if failures:
        raise UserError(
            f"the branch is at {commit[:12]} now, but not all files were written: {'; '.join(failures)}",
            hint="Free what is in the way, then run `git restore` with the file's name.",
        )
    return repair


def changes_to(repo: Repo, old: str | None, new: str, index: Path) -> list[Change]:
    """What has to become of index and worktree, so that they have of a new commit what it changes.

    Args:
        repo: The repository.
        old: Id of HEAD's commit; None where the branch has none yet.
        new: Id of the new one.
        index: A copy of the index, in the folder of the commit lock.

    Raises:
        Conflict: Something of the user's is in the way; all of it is named.
        UserError: A path cannot be one of a file here.
    """
    differing = compare(repo, old, new)
    refuse_outside(differing)
    staged = _index_of(repo, index)
    contents = _contents(repo, new, differing, staged, index.parent)
    going = {one.path for one in differing if one.new is None}
    changes, ways = [], []
    for one in differing:
        try:
            changes.append(_change(repo, one, staged.get(one.path, ()), contents.get(one.path), going))
        except Conflict as error:
            ways.append(error.message)
    ways += _neighbours(differing, staged)
    if ways:
        more = f"\n  ... and {len(ways) - _SHOWN} more" if len(ways) > _SHOWN else ""
        raise Conflict(
            "your own changes are in the way of what was published; nothing was changed:\n"
            + "\n".join(f"  {way}" for way in ways[:_SHOWN]) + more,
            hint="Commit them, move them away, or `git stash` them; then sync again.",
        )  # fmt: skip
    return changes


def refuse_outside(changes: Sequence[PathChange]) -> None:
    """Refuses paths that lead out of the repository.

    Raises:
        UserError: There is one.
    """
    for change in changes:
        check_inside(change.path)


def _index_of(repo: Repo, index: Path) -> dict[str, list[IndexEntry]]:
    """All entries of an index, by path; several where a merge's conflict is not resolved."""
    found: dict[str, list[IndexEntry]] = {}
    if not index.exists():
        return found
    done = repo.git.read("ls-files", "-z", "--stage", environment={"GIT_INDEX_FILE": str(index)})
    for entry in parse_staged(done.stdout):
        found.setdefault(entry.path, []).append(entry)
    return found


def _neighbours(changes: Sequence[PathChange], staged: Mapping[str, object]) -> Iterator[str]:
    """The staged files that are where a new one needs a folder, or below where a new one is to be."""
    going = {change.path for change in changes if change.new is None}
    folders = {
        folder for path in staged if path not in going for folder in with_folders(path.rpartition("/")[0])
    }
    for change in changes:
        if change.new is None or change.old is not None:
            continue
        *above, _ = with_folders(change.path)
        yield from (f"{harmless(one)} is staged" for one in above if one in staged and one not in going)
        if change.path in folders:
            yield f"files below {harmless(change.path)} are staged"


def _contents(
    repo: Repo, commit: str, changes: Sequence[PathChange], staged: Collection[str], work: Path
) -> dict[str, bytes]:
    """The worktree's bytes of the new files, and the new links, as git would check them out, by path."""
    new = {change.path: change.new for change in changes if change.new is not None}
    wanted = {path: entry.id for path, entry in new.items() if entry.is_file}
    links = {path: entry.id for path, entry in new.items() if entry.is_link}
    gone = {change.path for change in changes if change.new is None}
    named = {path for path in (*staged, *wanted) if path.rpartition("/")[2] == filtered.ATTRIBUTES}
    targets = repo.objects.read_many("blob", links.values())
    kind = Link if repo.configuration.makes_links else bytes
    return {
        **filtered.contents(repo, commit, wanted, attributes=named, gone=gone, work=work),
        **{path: kind(targets[id_]) for path, id_ in links.items()},
    }


def _change(
    repo: Repo,
    change: PathChange,
    staged: Sequence[IndexEntry],
    content: bytes | None,
    going: Collection[str],
) -> Change:
    path, name = change.path, harmless(change.path)
    if any(entry.stage for entry in staged):
        raise Conflict(f"{name} has an unresolved merge conflict")
    indexed = Entry(staged[0].mode, staged[0].id) if staged else None
    if indexed not in {change.old, change.new}:
        raise Conflict(f"{name} is staged")
    seen = _seen(repo, change, going)
    is_new_already = seen == content  # both may be absent
    if not is_new_already and not _is(repo, path, seen, change.old):
        if seen is not None and change.old is None:
            raise Conflict(f"{name} is there already, untracked")
        what = "deleted" if seen is None else "changed"
        raise Conflict(f"{name} is {what} in the worktree")
    mode_changes = change.old is not None and change.new is not None and change.old.mode != change.new.mode
    is_written = content is not None and (not is_new_already or mode_changes)
    return Change(
        Rewrite(path, lambda _: None),  # what the user writes meanwhile stays as it is
        change.new,
        indexed,
        change.new if indexed != change.new else None,
        seen,
        content if is_written else None,
    )


def _seen(repo: Repo, change: PathChange, going: Collection[str]) -> bytes | None:
    """What the worktree has at a path; nothing where only the folder of a submodule can be there."""
    old, new = change.old, change.new
    if new is not None and new.is_submodule and old is None:
        refuse_occupied(repo.root, change.path, going)
    kinds = {entry.is_submodule for entry in (old, new) if entry is not None}
    if kinds == {True}:
        return None
    read = read_entry if any(entry is not None and entry.is_link for entry in (old, new)) else read_file
    return read(repo.root, change.path, going=going if new is not None and not new.is_submodule else None)


def _is(repo: Repo, path: str, seen: bytes | None, entry: Entry | None) -> bool:
    """Whether the worktree has what an entry says; of a submodule, nothing but its folder."""
    if seen is None or entry is None or entry.is_submodule:
        return seen is None and (entry is None or entry.is_submodule)
    if entry.is_link:
        is_link = isinstance(seen, Link) or not repo.configuration.makes_links
        return is_link and id_of(repo, seen) == entry.id
    if isinstance(seen, Link):
        return False
    return repo.objects.id_of_file(seen, path) == entry.id


def colliding(repo: Repo, commit: str, added: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each new path with another one that a file system may take for the same.

    Args:
        repo: The repository.
        commit: Which has them.
        added: The new ones.
    """
    listed = fields(repo.git.read("ls-tree", "-r", "-z", "--name-only", "--full-tree", commit).stdout)
    names: dict[str, str] = {}
    for path in listed:
        for part in with_folders(path):
            names.setdefault(folded(part), part)
    for path in added:
        for part in with_folders(path):
            if (other := names[folded(part)]) != part:
                yield path, other
