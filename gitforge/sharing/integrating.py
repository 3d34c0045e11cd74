"""Unpublished commits put on top of what was published, and the branch moved there."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from gitforge.errors import Conflict, UserError
from gitforge.goals import Pin
from gitforge.sharing import adopted_twice
from gitforge.sharing import arrivals as came
from gitforge.sharing.arrivals import Arrivals
from gitforge.sharing.decisions import Decisions
from gitforge.sharing.records import Disputed
from gitforge.store.advance import advance
from gitforge.store.records import Head
from gitforge.store.recovery import Repair
from gitforge.store.replay import Dropped, Replayed, replay
from gitforge.store.repo import Repo
from gitforge.store.series import Member, PathChange, compare, read_series
from gitforge.store.upstream import Upstream, published_before
from gitforge.text import counted
from gitforge.workspace import Workspace


@dataclass(frozen=True)
class Integrated:
    """What came of it.

    Attributes:
        tip: Id of the commit that has both sides.
        arrivals: What came.
        replayed: How many commits were made again.
        dropped: What was left out of them.
        repair: What a killed gitforge had begun, and was finished first.
    """

    tip: str
    arrivals: Arrivals
    replayed: int = 0
    dropped: tuple[Dropped, ...] = ()
    repair: Repair | None = None


def integrate(
    workspace: Workspace, repo: Repo, upstream: Upstream, head: Head, tip: str, decisions: Decisions,
    *, dry_run: bool,
) -> Integrated:  # fmt: skip
    """Looks at what came, makes unpublished commits again on top of it, and moves the branch there.

    Args:
        workspace: The workspace.
        repo: Its repository.
        upstream: What the branch follows.
        head: Where HEAD is.
        tip: Id of what was published.
        decisions: Who decides what clashes.
        dry_run: Whether the branch stays.

    Raises:
        LostRace: Somebody recorded something here meanwhile.
        Disputed: Both sides have changed the same.
        Conflict: Something of the user's is in the way, or a merge by hand is needed.
        UserError: What came cannot be used.
    """
    base = _base(repo, upstream, head, tip)
    changes = came.inspect(workspace, repo, base, tip, upstream.shown)
    published = read_series(repo, base, tip)
    arrived = came.arrivals(workspace, repo, base, tip, published, changes)
    done = Replayed(tip, {}, (), ())
    if base is not None and head.commit not in {None, base}:
        done = _replay(workspace, repo, base, head.commit or "", tip, published, changes, decisions)
    repair = None
    if not dry_run:
        commits = counted(len(published), "commit")
        repair = advance(repo, head, done.tip, f"sync: {commits} of {upstream.shown}")
    return Integrated(done.tip, arrived, len(done.commits), done.dropped, repair)


def _replay(
    workspace: Workspace, repo: Repo, base: str, head: str, tip: str, published: Sequence[Member],
    changes: Sequence[PathChange], decisions: Decisions,
) -> Replayed:  # fmt: skip
    path = repo.relative(workspace.goals_file)
    twice = adopted_twice.find(
        repo, lambda names: _pins(repo, tip, path, names, decisions), base, head, published
    )
    done = replay(
        repo, base, head, tip, decide=decisions.file, joins={**twice.joins, path: decisions.join_goals},
        generated=came.generated_in(published), changes=changes, outdated=twice.outdated,
    )  # fmt: skip
    if done.disputes:
        raise Disputed(done.disputes, decisions.pins.unfetched)
    if path in repo.objects.entries(done.tip, [path]):
        came.read_goals(repo, done.tip, path, "both sides together")
    came.refuse_colliding(repo, done.tip, compare(repo, tip, done.tip), "what both sides have made")
    return done


def _pins(repo: Repo, tip: str, path: str, names: Collection[str], decisions: Decisions) -> dict[str, Pin]:
    """Libraries as the published goals.yaml has them, fetched where that can be."""
    book = came.read_book(repo, tip, path, "what was published")
    found = {name: book.libraries[name] for name in names if name in book.libraries}
    for pin in found.values():
        decisions.pins.bring(pin)
    return found


def _base(repo: Repo, upstream: Upstream, head: Head, tip: str) -> str | None:
    """The newest commit that both sides have; None where there is nothing here yet."""
    if head.commit is None:
        return None
    done = repo.git.read("merge-base", head.commit, tip, accept=(0, 1))
    if done.status == 0:
        return done.stdout.decode().strip()
    if repo.is_shallow():
        raise UserError(
            f"this is a shallow clone, and the commit from which it and {upstream.shown} went on is not here",
            hint="`git fetch --unshallow` brings it.",
        )
    raise UserError(
        f"{upstream.shown} and this branch have no commit in common: they are two histories; nothing was changed",
        hint="Is it the right remote? `git remote -v` lists them.",
    )


def refuse_rewritten(repo: Repo, upstream: Upstream, head: Head, tip: str, seen: str | None) -> None:
    """Commits that upstream has taken out of its history would be published again, as if they were this clone's.

    Args:
        repo: The repository.
        upstream: What the branch follows.
        head: Where HEAD is.
        tip: Id of what was published.
        seen: Id of what was published when it was seen last.

    Raises:
        Conflict: There are some.
    """
    if head.commit in {None, tip}:
        return
    known = published_before(repo, upstream, head.commit or "", seen) - {tip}
    if not known:
        return
    listed = repo.git.read("rev-list", "--topo-order", head.commit or "", f"^{tip}", "--").stdout
    lost = next((id_ for id_ in listed.decode().split() if id_ in known), None)
    if lost is not None:
        raise Conflict(
            f"{upstream.shown} was rewritten: commits that it had, and that are here, are not in it any more; "
            "nothing was changed",
            hint=f"`git log {tip[:12]}..{lost[:12]}` shows them. `git rebase --onto {tip[:12]} {lost[:12]}` gives "
            "them up and keeps what you have made since; `git push` publishes them again.",
        )
