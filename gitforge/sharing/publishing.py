"""The branch sent, with the prompts and texts that its new commits name: all or none, and never by force."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gitforge.errors import UserError
from gitforge.sharing.records import Plan
from gitforge.store import kept, transfer
from gitforge.store.repo import Repo
from gitforge.store.upstream import Upstream, follow, remember


@dataclass(frozen=True)
class Published:
    """What was sent.

    Attributes:
        commits: How many commits.
        kept: How many prompts and texts.
        warning: What the user should know.
        refused: Why nothing could be sent.
    """

    commits: int = 0
    kept: int = 0
    warning: str | None = None
    refused: UserError | None = None


def publish(repo: Repo, upstream: Upstream, plan: Plan, there: Mapping[str, str], commit: str) -> Published:
    """Sends a commit to be the branch there.

    Args:
        repo: The repository.
        upstream: What the branch follows.
        plan: What is asked for; in a dry run nothing is sent.
        there: Ids by ref of what the remote had a moment ago.
        commit: Id of the commit.

    Raises:
        Rejected: Somebody else was faster.
    """
    tip = there.get(upstream.ref)
    if commit == tip:
        return Published()
    range_ = [commit, *([f"^{tip}"] if tip is not None else [])]
    count = int(repo.git.read("rev-list", "--count", *range_, "--").stdout)
    here = kept.kept_here(repo)
    refs = {ref: here[ref] for ref in kept.named_by(repo, tip, commit) if ref not in there}
    if plan.dry_run:
        return Published(count, len(refs))
    sender = _Sender(repo, upstream, plan, tip)
    warning = None
    try:
        if not sender.send(commit, refs):
            warning = f"{upstream.shown} takes no prompts (refs/gitforge), so the branch alone was sent"
            refs = {}
            sender.send(commit, {})
    except transfer.Rejected:
        raise
    except transfer.RemoteFailed as error:
        return Published(refused=error)
    remember(repo, upstream, commit)
    if not upstream.is_set and isinstance(upstream.source, str):
        follow(repo, upstream)
    return Published(count, len(refs), warning)


@dataclass(frozen=True)
class _Sender:
    """Pushes to one branch, which had that tip a moment ago."""

    repo: Repo
    upstream: Upstream
    plan: Plan
    tip: str | None

    def send(self, commit: str, refs: Mapping[str, str]) -> bool:
        """Pushes the branch with other refs, all or none; False where the others alone are refused."""
        specs = [f"{id_}:{ref}" for ref, id_ in refs.items()]
        *before, last = [specs[at : at + kept.AT_ONCE] for at in range(0, len(specs), kept.AT_ONCE)] or [[]]
        outcomes: list[transfer.Pushed] = []
        try:
            for some in (*before, [*last, f"{commit}:{self.upstream.ref}"]):
                outcomes += self._push(some)
        except transfer.RemoteFailed:
            if refs:
                return False
            raise
        failed = transfer.refusal(self.repo, self.upstream.source, outcomes)
        if failed is None:
            return True
        if any(one.outcome == "failed" and one.ref in refs for one in outcomes):
            return False
        if look(self.repo, self.upstream, self.plan).get(self.upstream.ref) != self.tip:
            raise transfer.Rejected(failed.message, hint=failed.hint)
        raise failed

    def _push(self, specs: Sequence[str]) -> tuple[transfer.Pushed, ...]:
        return transfer.push(
            self.repo, self.upstream.source, specs, progress=self.plan.progress, silence=self.plan.silence,
            can_ask=self.plan.can_ask,
        )  # fmt: skip


def look(repo: Repo, upstream: Upstream, plan: Plan) -> dict[str, str]:
    """Ids by ref of what the remote has of the branch, of prompts and of texts.

    Raises:
        RemoteFailed: It cannot be reached, or refuses.
    """
    found = transfer.list_refs(
        repo, upstream.source, upstream.ref, *kept.PATTERNS, silence=plan.silence, can_ask=plan.can_ask
    )
    return dict(found.refs)
