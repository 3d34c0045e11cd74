"""The branch sent, with the prompts and texts that its commits name: all or none, and never by force."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gitforge.errors import UserError
from gitforge.sharing import arrivals as came
from gitforge.sharing.records import Plan
from gitforge.store import kept, transfer
from gitforge.store.process import harmless
from gitforge.store.repo import Repo
from gitforge.store.series import compare
from gitforge.store.upstream import Upstream, follow, remember, seen_last
from gitforge.workspace import Workspace


@dataclass(frozen=True)
class Published:
    """What was sent.

    Attributes:
        commits: How many commits.
        kept: How many prompts and texts.
        is_new: Whether the branch was not there before.
        warnings: What the user should know.
        refused: Why nothing could be sent.
    """

    commits: int = 0
    kept: int = 0
    is_new: bool = False
    warnings: tuple[str, ...] = ()
    refused: UserError | None = None


def publish(
    workspace: Workspace, repo: Repo, upstream: Upstream, plan: Plan, there: Mapping[str, str], commit: str
) -> Published:
    """Sends a commit to be the branch there, and what commits of its history name and the remote has not.

    Args:
        workspace: Whose goals.yaml is meant.
        repo: The repository.
        upstream: What the branch follows.
        plan: What is asked for; in a dry run nothing is sent.
        there: Ids by ref of what the remote had a moment ago.
        commit: Id of the commit.

    Raises:
        Rejected: Somebody else was faster.
    """
    tip = there.get(upstream.ref)
    if upstream.pushed_to is not None:
        return Published(warnings=() if commit == tip else (_left_to_git(upstream, upstream.pushed_to),))
    refs = kept.lacking(repo, commit, there)
    if commit == tip and not refs:
        return Published()
    if (unusable := _unusable(workspace, repo, tip, commit)) is not None:
        return Published(refused=unusable)
    count = _count(repo, upstream, tip, commit)
    warnings = _unwelcome(workspace, repo, tip, commit)
    if plan.dry_run:
        return Published(count, len(refs), tip is None, warnings)
    sent = _send(_Sender(repo, upstream, plan, tip, commit), refs, count)
    return replace(sent, warnings=(*warnings, *sent.warnings))


def _left_to_git(upstream: Upstream, target: str) -> str:
    return (
        f"nothing was sent: git is set up to push this branch to {harmless(target)}, which is left to `git push`; "
        f"`gitforge sync {upstream.source}` sends it to {upstream.shown}"
    )


def _unusable(workspace: Workspace, repo: Repo, tip: str | None, commit: str) -> UserError | None:
    """What is wrong with a goals.yaml that is new to the remote, and with which nobody could sync any more."""
    path = repo.relative(workspace.goals_file)
    entry = repo.objects.entries(commit, [path]).get(path)
    if entry is None or (tip is not None and repo.objects.entries(tip, [path]).get(path) == entry):
        return None
    try:
        came.read_goals(repo, commit, path, "this branch")
    except UserError as error:
        return UserError(error.message, hint=error.hint or "Repair it and commit that; then sync again.")
    return None


def _unwelcome(workspace: Workspace, repo: Repo, tip: str | None, commit: str) -> tuple[str, ...]:
    """That other clones refuse to bring what is sent; it is sent all the same, because `git pull` brings it."""
    if tip in {None, commit} or repo.commit_of(str(tip)) is None:
        return ()
    try:
        came.refuse_strange(workspace, repo, compare(repo, tip, commit), "this branch")
    except UserError as error:
        said = error.message.removesuffix("; nothing was changed")
        return (f"{said}: other clones bring that by `git pull` alone, and `gitforge sync` refuses it",)
    return ()


def _count(repo: Repo, upstream: Upstream, tip: str | None, commit: str) -> int:
    """How many commits are new to the remote, as far as is known here."""
    if tip is not None:
        known = [f"^{tip}"]
    else:
        known = ["--not", f"--remotes={upstream.source}"] if isinstance(upstream.source, str) else []
    return int(repo.git.read("rev-list", "--count", commit, *known, "--").stdout)


def _send(sender: _Sender, refs: Mapping[str, str], count: int) -> Published:
    repo, upstream, commit, is_new = sender.repo, sender.upstream, sender.commit, sender.tip is None
    warnings: list[str] = []
    try:
        sent = sender.send(refs)
        if sent is None:
            warnings.append(f"{upstream.shown} takes no prompts (refs/gitforge), so they stay here alone")
            refs = {}
            sent = commit != sender.tip and sender.send({})
    except transfer.Rejected:
        raise
    except transfer.RemoteFailed as error:
        if commit == sender.tip:  # there was nothing else to send
            return Published(
                warnings=(f"prompts and texts that are not there could not be sent: {error.message}",)
            )
        return Published(refused=error)
    is_to_be_noted = not upstream.pushes_elsewhere and seen_last(repo, upstream) != commit
    if is_to_be_noted and (trouble := remember(repo, upstream, commit)):
        warnings.append(trouble)
    if not upstream.is_set and isinstance(upstream.source, str):
        follow(repo, upstream)
    return Published(count if sent else 0, len(refs), is_new, tuple(warnings))


@dataclass(frozen=True)
class _Sender:
    """Pushes a commit to one branch, which had that tip a moment ago."""

    repo: Repo
    upstream: Upstream
    plan: Plan
    tip: str | None
    commit: str

    def send(self, refs: Mapping[str, str]) -> bool | None:
        """Pushes the branch with other refs, all or none.

        Returns:
            Whether the branch has moved; None where the others alone are refused.
        """
        specs = [f"{id_}:{ref}" for ref, id_ in refs.items()]
        *before, last = [specs[at : at + kept.AT_ONCE] for at in range(0, len(specs), kept.AT_ONCE)] or [[]]
        outcomes: list[transfer.Pushed] = []
        for some in (*before, [*last, f"{self.commit}:{self.upstream.ref}"]):
            outcomes += self._push(some)
        failed = transfer.refusal(self.repo, self.upstream.source, outcomes)
        if failed is None:
            return any(one.ref == self.upstream.ref and one.outcome == "ok" for one in outcomes)
        if any(one.outcome == "failed" and one.ref in refs for one in outcomes):
            return None
        if look(self.repo, self.upstream, self.plan).get(self.upstream.ref) != self.tip:
            raise transfer.Rejected(failed.message, hint=failed.hint)
        if isinstance(failed, transfer.Rejected) and self.upstream.pushes_elsewhere:
            raise transfer.RemoteFailed(
                f"the repository to which remote.{self.upstream.source}.pushurl leads has commits that are not here",
                hint="Where that is meant to be another repository, `git push` is the way to it.",
            )
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
    return transfer.list_refs(
        repo, upstream.source, upstream.ref, *kept.PATTERNS, silence=plan.silence, can_ask=plan.can_ask
    )


def has_branches(repo: Repo, upstream: Upstream, plan: Plan) -> bool:
    """Whether the remote has any branch at all.

    Raises:
        RemoteFailed: It cannot be reached, or refuses.
    """
    found = transfer.list_refs(
        repo, upstream.source, "refs/heads/*", silence=plan.silence, can_ask=plan.can_ask
    )
    return bool(found)
