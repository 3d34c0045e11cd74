"""`gitforge sync`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gitforge.cli import output, receiving, sharing
from gitforge.cli.session import MAX_MIB, AsJson, Directory, MaxSize, here, open_repo, repair
from gitforge.errors import AnswerMissing, UserError
from gitforge.text import counted
from gitforge.workspace import Workspace

if TYPE_CHECKING:
    from gitforge.store.repo import Repo
    from gitforge.sync import Synced

_SHOWN = 10  # of a kind that are named; all of them are in the JSON

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command(epilog="Example: gitforge sync")
def sync(
    ctx: typer.Context,
    remote: Annotated[
        str | None,
        typer.Argument(
            metavar="[REMOTE]",
            help="A remote's name or address. Default: the one that the branch follows, the only one, or origin.",
            show_default=False,
        ),
    ] = None,
    ours: Annotated[
        bool, typer.Option("--ours", help="Where both sides changed the same: take this clone's version.")
    ] = False,
    theirs: Annotated[
        bool, typer.Option("--theirs", help="Where both sides changed the same: take the published version.")
    ] = False,
    no_push: Annotated[
        bool, typer.Option("--no-push", help="Bring what was published, send nothing.")
    ] = False,
    max_size: MaxSize = MAX_MIB,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Ask the remote and show what would happen; move nothing.")
    ] = False,
    as_json: AsJson = False,
    directory: Directory = Path(),
) -> None:
    """Bring what others have published, put your commits on top of it, and publish them.

    Prompts and approvals travel too. goals.yaml is merged as data; your staged, changed and untracked files stay as
    they are. Nothing is ever forced. Where both sides changed the same, you choose, or nothing is changed (exit
    code 4).
    """
    from gitforge import sync as verb  # noqa: PLC0415 -- what no other command needs

    if ours and theirs:
        raise AnswerMissing("--ours and --theirs: one at a time", hint="Leave one of them.")
    workspace, repo = _opened(here(ctx, directory))
    side: sharing.Side | None = "ours" if ours else "theirs" if theirs else None
    with receiving.Meter() as meter:
        choices = sharing.Choices(repo, side, meter.clear)
        plan = verb.Plan(
            remote=remote, push=not no_push, dry_run=dry_run, decide=choices.file, decide_goal=choices.goal,
            progress=meter.progress, before_library=meter.tell_fetch,
            max_bytes=max_size << 20, can_ask=output.is_interactive(),
        )  # fmt: skip
        try:
            done = verb.sync(workspace, repo, plan)
        except verb.Disputed as error:
            if as_json:
                output.data({"disputes": [sharing.as_json(repo, one) for one in error.disputes]})
            else:
                sharing.show_disputes(repo, error.disputes)
            raise
    if as_json:
        output.data(_as_json(done, dry_run=dry_run))
    else:
        for line in _lines(done, dry_run=dry_run):
            output.result(*line)
    _show_notes(done)
    if done.refused is not None:
        raise UserError(
            f"what was published there is here now, but nothing was sent: {done.refused.message}",
            hint=done.refused.hint,
        )


def _opened(folder: Path) -> tuple[Workspace, Repo]:
    """The workspace with its repository; a repository without a commit may still get its first ones."""
    from gitforge.store.repo import Repo  # noqa: PLC0415

    try:
        workspace = Workspace.find(folder)
    except UserError:
        if not folder.is_dir():
            raise
        try:
            repo = Repo.discover(folder)
        except UserError:
            repo = None
        if repo is None or repo.head().commit is not None:
            raise
        repair(repo)
        return Workspace(repo.root), repo
    return workspace, open_repo(workspace)


def _lines(done: Synced, *, dry_run: bool) -> Iterator[tuple[output.Part, ...]]:
    would = "would be " if dry_run else ""
    where = done.upstream.name
    came = done.arrivals
    if came.commits or done.kept_received:
        parts = [counted(came.commits, "commit")] if came.commits else []
        parts += (
            [counted(done.kept_received, "prompt or text", "prompts and texts")] if done.kept_received else []
        )
        yield (f"{would}received: ", output.GOOD), " and ".join(parts)
    for label, paths in (
        ("generated", came.generations), ("edited", came.edits), ("deleted", came.deletions),
        ("renamed", tuple(f"{old} to {new}" for old, new in came.renames)), ("goals", came.goals),
    ):  # fmt: skip
        for path in paths[:_SHOWN]:
            yield (f"  {label:<9} ", output.DIM), path
        if len(paths) > _SHOWN:
            yield (f"  {label:<9} ", output.DIM), f"... and {len(paths) - _SHOWN:,} more"
    if came.approvals:
        yield ("  approvals ", output.DIM), str(came.approvals)
    if done.replayed and came.commits:
        yield (f"{would}put on top: ", output.GOOD), f"{counted(done.replayed, 'commit')} of yours"
    for pin in done.pins:
        whose = "yours" if pin.side == "ours" else "the published one"
        yield (
            (f"{would}pinned: ", output.GOOD),
            f"{pin.name} to {pin.commit[:12]}: {whose} is newer, and has {pin.older[:12]} of the other side",
        )
    for one in done.dropped:
        what = one.path or one.subject
        yield (f"{would}left out: ", output.WARN), f"{what} of {one.commit[:12]}: {one.why}"
    sent = [counted(done.sent, "commit")] if done.sent else []
    sent += ["the new branch"] if done.is_new_branch and not done.sent else []
    sent += [counted(done.kept_sent, "prompt or text", "prompts and texts")] if done.kept_sent else []
    if sent:
        yield (f"{would}sent: ", output.GOOD), f"{' and '.join(sent)} to {where}"
    elif (
        not came.commits
        and not done.kept_received
        and done.refused is None
        and done.upstream.pushed_to is None
    ):
        yield (f"Nothing new: {where} is the same here and there.",)


def _show_notes(done: Synced) -> None:
    receiving.show_suspicions(done.arrivals.suspicious)
    receiving.show_left(done.libraries.left)
    for warning in done.warnings:
        output.say(("warning: ", output.WARN), warning)
    if done.repair is not None:
        output.say(("repaired: ", output.GOOD), done.repair.done)
    if done.dropped and done.before:
        output.say(f"Your commits as they were: `git log {done.before[:12]}` (also in the reflog).")


def _as_json(done: Synced, *, dry_run: bool) -> dict[str, Any]:
    came = done.arrivals
    return {
        "dry_run": dry_run,
        "branch": done.upstream.branch,
        "upstream": done.upstream.ref,
        "before": done.before,
        "after": done.after,
        "received": {
            "commits": came.commits,
            "generations": list(came.generations),
            "edits": list(came.edits),
            "deletions": list(came.deletions),
            "renames": [{"from": old, "to": new} for old, new in came.renames],
            "approvals": came.approvals,
            "goals": list(came.goals),
            "kept": done.kept_received,
        },
        "replayed": done.replayed,
        "dropped": [
            {"commit": one.commit, "subject": one.subject, "path": one.path, "why": one.why}
            for one in done.dropped
        ],
        "sent": {"commits": done.sent, "kept": done.kept_sent, "new_branch": done.is_new_branch},
        "suspicions": receiving.suspicions_as_data(came.suspicious),
        "pins": [
            {"library": one.name, "commit": one.commit, "older": one.older, "side": one.side}
            for one in done.pins
        ],
        "libraries": receiving.libraries_as_data(done.libraries.fetched, done.libraries.left),
        "warnings": list(done.warnings),
        "refused": done.refused.message if done.refused is not None else None,
    }
