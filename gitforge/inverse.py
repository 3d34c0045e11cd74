"""A change taken back from a file that may have moved on since: three ways, and in goals.yaml goal by goal too."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from gitforge import goals_file
from gitforge.errors import Conflict, UserError
from gitforge.goals import Goal, GoalBook
from gitforge.store.merge import Clash, clashes, merge, settled
from gitforge.store.repo import Repo
from gitforge.text import excerpt

_SHOWN = 200  # characters of each side of a clash


@dataclass(frozen=True)
class Change:
    """What is to be taken back: what the file held before and after; None where there was none.

    Attributes:
        path: The file, from the repository's root.
        was: Before.
        became: After.
        is_goals: Whether it is goals.yaml.
    """

    path: str
    was: bytes | None
    became: bytes | None
    is_goals: bool


def taken_back(repo: Repo, change: Change, now: bytes | None) -> bytes | None:
    """What a version of the file is without the change; None where it is gone then.

    Args:
        repo: Where git merges.
        change: The change.
        now: The version.

    Raises:
        Conflict: What the change did has been changed since; or goals.yaml could not be used any more.
    """
    if now in (change.was, change.became):
        new = change.was
    elif now is None:
        raise Conflict(f"{change.path} was deleted since", hint=_hint(change))
    elif change.was is None or change.became is None:
        what = "added" if change.was is None else "deleted"
        raise Conflict(f"{change.path} was {what} by that commit, and edited since", hint=_hint(change))
    else:
        return _merged(repo, change, now, change.was, change.became)
    if change.is_goals and new is not None:
        _refuse_broken(change, _text(change, new))
    return new


def _merged(repo: Repo, change: Change, now: bytes, was: bytes, became: bytes) -> bytes:
    is_crlf = b"\r\n" in now and b"\r\n" not in became  # as the worktree may have it
    here = now.replace(b"\r\n", b"\n") if is_crlf else now
    before, after, text = (_text(change, one) for one in (was, became, here))
    chunks = merge(repo, after, text, before)
    found = clashes(chunks)
    new = None if found else settled(chunks, lambda clash: clash.ours)
    if change.is_goals and (new is None or not _is_usable(new)):
        new = _without_goals(change, before, after, text) or new
    if new is None:
        raise Conflict(_told(change, found), hint=_hint(change))
    if change.is_goals:
        _refuse_broken(change, new)
    return new.replace("\n", "\r\n").encode() if is_crlf else new.encode()


def _text(change: Change, content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise Conflict(
            f"{change.path} is not UTF-8 text, so it cannot be merged", hint=_hint(change)
        ) from error


def _told(change: Change, found: list[Clash]) -> str:
    lines = [f"{change.path}: what that commit changed has been changed since"]
    for clash in found[:3]:
        lines.append(f"it wrote:\n{excerpt(clash.base.rstrip(), _SHOWN) or '(nothing)'}")
        lines.append(f"now there is:\n{excerpt(clash.ours.rstrip(), _SHOWN) or '(nothing)'}")
    return "\n".join(lines)


def _hint(change: Change) -> str:
    log = f"git log --follow -- {shlex.quote(change.path)}"
    return f"Take the later commits back first (`{log}` shows them), or edit it by hand."


# --- goals.yaml as data ----------------------------------------------------------------------------------


def _without_goals(change: Change, before: str, after: str, now: str) -> str | None:
    """The version without the goals that the change added; None where it did something else.

    Raises:
        Conflict: One of them has been changed since.
    """
    try:
        old, new, here = (goals_file.parse(text) for text in (before, after, now))
    except UserError:
        return None
    added = [goal for name, goal in new.goals.items() if name not in old.goals]
    if not added or _rest(new, added) != _rest(old, []):
        return None
    from gitforge.goals_edit import remove_goal  # noqa: PLC0415 -- where text alone will not do

    for goal in added:
        if goal.name not in here.goals:
            continue
        if _recipe(here.goals[goal.name]) != _recipe(goal):
            raise Conflict(f"{change.path}: the goal {goal.name} has been changed since", hint=_hint(change))
        try:
            now = remove_goal(now, goal.name)
        except UserError:
            return None
    return now


def _rest(book: GoalBook, but: list[Goal]) -> tuple[object, ...]:
    left_out = {goal.name for goal in but}
    recipes = {name: _recipe(goal) for name, goal in book.goals.items() if name not in left_out}
    return dict(book.kinds), dict(book.outputs), dict(book.libraries), book.require_reviewed, recipes


def _recipe(goal: Goal) -> tuple[object, ...]:
    needs = [(need.path, need.purpose) for need in goal.needs]
    return goal.category, goal.description, needs


def _is_usable(text: str) -> bool:
    try:
        goals_file.parse(text)
    except UserError:
        return False
    return True


def _refuse_broken(change: Change, text: str) -> None:
    try:
        goals_file.parse(text)
    except UserError as error:
        raise Conflict(
            f"{change.path} could not be used any more: {error.message}", hint=_hint(change)
        ) from error
