"""Unpublished commits made again on top of what was published meanwhile, as objects that no ref points at yet.

As `git rebase` does it, but only the changed paths are looked at, and neither index nor worktree is needed. Author,
dates and message of a commit are kept; the user is its committer; it is signed again where commits are signed. No
hook runs. docs/sync.md says what becomes of what both sides have changed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from gitforge.errors import Conflict
from gitforge.store.commit import SIGN_SECONDS
from gitforge.store.disputes import Decide, Dispute, Join, Sides, resolve
from gitforge.store.messages import Group
from gitforge.store.objects import CommitObject
from gitforge.store.process import harmless
from gitforge.store.records import Entry, Identity
from gitforge.store.repo import Repo
from gitforge.store.rewording import encoded, reworded
from gitforge.store.series import Member, PathChange, read_series, renamed
from gitforge.store.tree import edit_tree

Why = Literal["nothing of it is left", "the published one is used", "it speaks of a text that is not used"]


@dataclass(frozen=True)
class Dropped:
    """A commit, or what it did to one component, that is not made again.

    Attributes:
        commit: Its id; it stays in the reflog.
        subject: Of its message.
        path: The component; None for the whole commit.
        why: In words.
    """

    commit: str
    subject: str
    path: str | None
    why: Why


@dataclass(frozen=True)
class Replayed:
    """What came of it.

    Attributes:
        tip: The last new commit; the published one, if none was made.
        commits: The new commits' ids by those of the old ones, in order.
        dropped: What was left out.
        disputes: What nobody has decided; then the new commits are of no use.
    """

    tip: str
    commits: Mapping[str, str]
    dropped: tuple[Dropped, ...]
    disputes: tuple[Dispute, ...]


def replay(
    repo: Repo,
    base: str,
    head: str,
    onto: str,
    *,
    changes: Sequence[PathChange],
    decide: Decide,
    joins: Mapping[str, Join] | None = None,
    generated: Collection[tuple[str, str]] = frozenset(),
    outdated: Collection[tuple[str, str]] = frozenset(),
    sign_seconds: float = SIGN_SECONDS,
) -> Replayed:
    """Makes commits again on top of another one.

    Args:
        repo: The repository.
        base: The commit from which both sides went on.
        head: The last one of those to be made again.
        onto: The published one.
        changes: What that has changed since the base.
        decide: Who decides what clashes.
        joins: How files are merged that are not merged by lines, by path.
        generated: Path and id of the texts that were published as generations.
        outdated: Path and id of the texts of which the commits say what does not hold on top of the published one.
        sign_seconds: How long to wait for each signature.

    Raises:
        Conflict: There is a merge among them, or a file is where the other side has a folder.
        UserError: git fails.
    """
    series = read_series(repo, base, head)
    refuse_merges(series)
    line = _Line(repo, base, onto, decide, joins or {}, generated, changes, outdated)
    signer = _Signer(repo, sign_seconds)
    for member in series:
        line.add(member, signer)
    return Replayed(line.tip, line.commits, tuple(line.dropped), tuple(line.disputes))


def refuse_merges(series: Sequence[Member]) -> None:
    """A merge cannot be made again without asking everything again.

    Raises:
        Conflict: There is one.
    """
    merges = [member.id for member in series if member.is_merge]
    if merges:
        raise Conflict(
            f"{merges[0][:12]}, which is not published yet, is a merge, and cannot be made again on top of "
            "what was published; nothing was changed",
            hint="Merge by hand: `gitforge install-driver` once, then `git pull --no-rebase` and `git push`.",
        )


class _Signer:
    """Writes the new commits.

    Args:
        repo: The repository.
        seconds: How long a signature may take.
    """

    def __init__(self, repo: Repo, seconds: float) -> None:
        committer = repo.identity("COMMITTER")
        self.committer: Identity = repo.identity() if committer.is_fallback else committer
        self._repo, self._seconds = repo, seconds
        self._sign = repo.commit_settings().sign

    def write(self, stored: CommitObject) -> str:
        return self._repo.objects.write_again(
            stored, committer=self.committer, sign=self._sign, timeout=self._seconds
        )


@dataclass
class _Line:
    """The new line of commits, as it grows.

    Args:
        repo: The repository.
        base: The commit from which both sides went on.
        onto: The published one.
        decide: Who decides what clashes.
        joins: How files are merged that are not merged by lines, by path.
        generated: Path and id of the texts that were published as generations.
        published: What the published one has changed since the base.
        outdated: Path and id of the texts of which the commits say what does not hold any more.
    """

    repo: Repo
    base: str
    onto: str
    decide: Decide
    joins: Mapping[str, Join]
    generated: Collection[tuple[str, str]]
    published: Sequence[PathChange]
    outdated: Collection[tuple[str, str]]
    commits: dict[str, str] = field(default_factory=dict)
    dropped: list[Dropped] = field(default_factory=list)
    disputes: list[Dispute] = field(default_factory=list)

    def __post_init__(self) -> None:
        objects = self.repo.objects
        self.tip = self.onto
        stored = CommitObject.parse(objects.read_many("commit", [self.onto])[self.onto])
        self._tree = stored.tree
        # What the new line has, wherever that is not what the old line has at the same point.
        self._differs = {one.path: one.new for one in self.published}
        # By path and text that gave way: what was there before it.
        self._lost: dict[tuple[str, str], Entry | None] = {}
        self._moved_there: dict[str, str] | None = None
        self._moved_here: tuple[str, dict[str, str]] = ("", {})

    def add(self, member: Member, signer: _Signer) -> None:
        """Makes one more commit again, if anything is left of it."""
        edits: dict[str, Entry | None] = {}
        gone: set[str] = set()
        changes = {change.path: change for change in member.changes}
        self._follow(member, changes, edits)
        for change in changes.values():
            self._apply(member, change, edits, gone)
        lost = {(one.path, one.blob or "") for one in member.message.groups if self._is_lost(one, gone)}
        if not edits and (member.changes or (lost and len(lost) == len(member.message.groups))):
            why: Why = (
                "it speaks of a text that is not used" if not member.changes else "nothing of it is left"
            )
            if not gone:
                self._drop(member, None, why)
            return
        self._tree = self._edited(edits)
        stored = member.stored
        message = reworded(member.text, {path for path, _ in lost}, self.commits)
        content = stored.message if message == member.text else encoded(message, stored.encoding)
        self.tip = signer.write(replace(stored, tree=self._tree, parents=(self.tip,), message=content))
        self.commits[member.id] = self.tip

    def _is_lost(self, group: Group, gone: set[str]) -> bool:
        text = group.path, group.blob or ""
        return group.path in gone or text in self._lost or text in self.outdated

    def _edited(self, edits: Mapping[str, Entry | None]) -> str:
        tree = self._tree
        removed = {path: None for path, entry in edits.items() if entry is None}
        added = {path: entry for path, entry in edits.items() if entry is not None}
        try:  # first what goes: a folder may take a file's place
            for part in (removed, added):
                tree = edit_tree(self.repo, tree, part, links=True) if part else tree
        except Conflict as error:
            raise Conflict(
                f"both sides have something else under one name: {error.message}; nothing was changed",
                hint="Rename it on this side (`git mv` and a commit), then sync again.",
            ) from error
        return tree

    # --- one path --------------------------------------------------------------------------------------------

    def _apply(
        self, member: Member, change: PathChange, edits: dict[str, Entry | None], gone: set[str]
    ) -> None:
        path = change.path
        if path not in self._differs:
            edits[path] = change.new
            return
        now = self._differs[path]
        if now == change.new:
            del self._differs[path]
        elif self._takes_back(change):
            self._drop(member, path, "it speaks of a text that is not used")
            gone.add(path)
        elif change.new is not None and self._gives_way(member, change, now):
            self._lost[path, change.new.id] = change.old
            self._drop(member, path, "the published one is used")
            gone.add(path)
        else:
            entry = self._resolved(member, path, (change.old, change.new, now))
            if entry != now:
                edits[path] = entry
            self._differs[path] = entry
            if entry == change.new:
                del self._differs[path]

    def _resolved(self, member: Member, path: str, sides: Sides) -> Entry | None:
        if any(dispute.path == path for dispute in self.disputes):
            return sides[2]  # what comes after an open question says nothing new
        join = self.joins.get(path)
        entry, dispute = resolve(self.repo, path, member.id, sides, self.decide, join)
        if dispute is not None:
            self.disputes.append(dispute)
        return entry

    def _drop(self, member: Member, path: str | None, why: Why) -> None:
        self.dropped.append(Dropped(member.id, member.message.subject, path, why))

    def _takes_back(self, change: PathChange) -> bool:
        """Whether a text that gave way is taken back here: then nothing is left to do."""
        old = change.old and (change.path, change.old.id)
        return old in self._lost and self._lost[old] == change.new

    def _gives_way(self, member: Member, change: PathChange, now: Entry | None) -> bool:
        """Whether it is a generation of what was published meanwhile as one, or was missing before."""
        if change.new is None or now is None:
            return False
        group = member.message.of_text(change.path, change.new.id)
        if group is None or group.path != change.path or not group.is_generation:
            return False
        is_again = change.old is not None and (change.path, change.old.id) in self._lost
        return change.old is None or is_again or (change.path, now.id) in self.generated

    # --- renamed files -----------------------------------------------------------------------------------

    def _follow(self, member: Member, changes: dict[str, PathChange], edits: dict[str, Entry | None]) -> None:
        """Takes out of a commit's changes those of files that one side has renamed, and the other renamed or edited."""
        for path in [path for path in changes if path in self._differs]:
            change, now = changes[path], self._differs[path]
            if change.old is not None and change.new is None and now is None:
                self._follow_both(member, change, changes, edits)
            if change.old is None or now in {change.old, change.new}:
                continue
            if change.new is None and now is not None:
                self._follow_ours(member, change, now, changes, edits)
            elif change.new is not None and now is None:
                self._follow_theirs(member, change, changes, edits)

    def _follow_ours(
        self, member: Member, change: PathChange, now: Entry, changes: dict[str, PathChange],
        edits: dict[str, Entry | None],
    ) -> None:  # fmt: skip
        """Renamed here, edited there: what was published goes on under the new name."""
        new_name = self._names_here(member).get(change.path)
        target = changes.get(new_name or "")
        if new_name is None or target is None or target.old is not None or new_name in self._differs:
            return
        entry = self._resolved(member, new_name, (change.old, target.new, now))
        edits |= {change.path: None, new_name: entry}
        del changes[change.path], changes[new_name], self._differs[change.path]
        if entry != target.new:
            self._differs[new_name] = entry

    def _follow_theirs(
        self, member: Member, change: PathChange, changes: dict[str, PathChange],
        edits: dict[str, Entry | None],
    ) -> None:  # fmt: skip
        """Edited here, renamed there: the edit goes where the file is."""
        new_name = self._names_there().get(change.path)
        now = self._differs.get(new_name or "")
        if new_name is None or new_name in changes or now is None:
            return
        del changes[change.path]
        entry = self._resolved(member, new_name, (change.old, change.new, now))
        if entry != now:
            edits[new_name] = self._differs[new_name] = entry

    def _follow_both(
        self, member: Member, change: PathChange, changes: dict[str, PathChange],
        edits: dict[str, Entry | None],
    ) -> None:  # fmt: skip
        """Renamed here and there: one name, which somebody decides, and in it what both sides made of the text."""
        mine, theirs = self._names_here(member).get(change.path), self._names_there().get(change.path)
        if mine is None or theirs is None or mine == theirs or theirs in changes or mine in self._differs:
            return
        target, now = changes[mine], self._differs.get(theirs)
        if target.new is None or now is None:
            return
        dispute = Dispute(change.path, member.id, change.old, target.new, now, names=(mine, theirs))
        taken = self.decide(dispute)
        if taken is None:
            self.disputes.append(dispute)
        name = mine if taken == "ours" else theirs
        entry = now
        if target.new not in {change.old, now} and taken is not None:
            entry = target.new
            if now != change.old:
                entry = self._resolved(member, name, (change.old, target.new, now)) or now
        del changes[change.path], changes[mine], self._differs[change.path]
        if name == mine:
            edits |= {theirs: None, mine: entry}
            del self._differs[theirs]
            if entry != target.new:
                self._differs[mine] = entry
        else:
            if entry != now:
                edits[theirs] = entry
            self._differs |= {theirs: entry, mine: None}
            self._names_there()[mine] = theirs  # later commits of this clone go on under its own name

    def _names_here(self, member: Member) -> dict[str, str]:
        if self._moved_here[0] != member.id:
            self._moved_here = member.id, renamed(self.repo, member.stored.parents[0], member.id)
        return self._moved_here[1]

    def _names_there(self) -> dict[str, str]:
        if self._moved_there is None:
            self._moved_there = renamed(self.repo, self.base, self.onto)
        return self._moved_there


def shown(dispute: Dispute) -> str:
    """A dispute in a few words."""
    if dispute.names is not None:
        ours, theirs = map(harmless, dispute.names)
        return f"{harmless(dispute.path)}: renamed to {ours} here, to {theirs} there"
    if dispute.ours is None:
        return f"{harmless(dispute.path)}: deleted here, changed there"
    if dispute.theirs is None:
        return f"{harmless(dispute.path)}: changed here, deleted there"
    return f"{harmless(dispute.path)}: changed on both sides"
