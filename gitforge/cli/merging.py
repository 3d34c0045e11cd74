"""Toolkits that were edited by hand: who decides what clashes, and what is told of a toolkit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from gitforge import rebuild
from gitforge.build import Forge
from gitforge.cli import output
from gitforge.errors import Conflict
from gitforge.rebuild import Decide
from gitforge.toolkits import Toolkit

if TYPE_CHECKING:
    from gitforge.store.merge import Chunk
    from gitforge.store.repo import Repo

_HINT = "Build it again to decide, or decide all of it: --ours keeps yours, --theirs takes the new text."


def refuse_both(*, keep_ours: bool, take_theirs: bool, force: bool) -> None:
    """Refuses options of which only one can hold."""
    given = [
        name
        for name, is_given in (("--ours", keep_ours), ("--theirs", take_theirs), ("--force", force))
        if is_given
    ]
    if len(given) > 1:
        raise typer.BadParameter(f"{given[0]} and {given[1]} cannot both hold", param_hint=given[0])


def decider(repo: Repo, *, keep_ours: bool, take_theirs: bool) -> Decide | None:
    """Who decides what clashes: an option, the person at the terminal, or nobody."""
    if keep_ours:
        return rebuild.ours
    if take_theirs:
        return rebuild.theirs
    if not output.is_interactive():
        return None

    def ask(name: str, chunks: Sequence[Chunk]) -> str:
        from gitforge.cli.conflicts import settle  # noqa: PLC0415 -- where there is something to decide

        output.say()
        output.say((f"{name}: ", output.WARN), "you and the library changed the same lines")
        text = settle(
            chunks, name.rpartition("/")[2], repo.editor, ours="your edits", theirs="what is assembled now"
        )
        if text is None:
            raise Conflict(f"{name}: left undecided; nothing was written", hint=_HINT)
        return text

    return ask


def show_toolkit(forge: Forge, toolkit: Toolkit) -> None:
    """Tells what became of a toolkit, and gives its files."""
    folder = toolkit.folder.relative_to(forge.workspace.root).as_posix()
    for one in toolkit.components:
        if one.is_absent:
            output.say(("degraded: ", output.WARN), f"a placeholder stands in for library/{one.need.path}")
        elif one.is_outline:
            output.say(
                ("to fill in: ", output.WARN),
                f"library/{one.need.path} is an offline outline with TODO points",
            )
    for one in toolkit.unused:
        output.say(("left out: ", output.WARN), f"no template of an output shows library/{one.need.path}")
    for name in toolkit.kept:
        verb = "merged" if name in toolkit.changed else "kept"
        output.say((f"{verb}: ", output.GOOD), f"your edits in {folder}/{name} are kept")
    for name in toolkit.restored:
        output.say(("restored: ", output.WARN), f"{folder}/{name}, which had been deleted")
    verb = "built" if toolkit.changed else "unchanged"
    output.say((f"{verb}: ", output.GOOD), f"the toolkit {toolkit.project} for {toolkit.goal}")
    for name in toolkit.files:
        output.result(f"{folder}/{name}")
