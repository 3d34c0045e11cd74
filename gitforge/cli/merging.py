"""Toolkits that were edited by hand: who decides what clashes, and what is told of a toolkit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from gitforge import rebuild
from gitforge.build import Forge
from gitforge.cli import output
from gitforge.errors import Conflict, GitforgeError
from gitforge.rebuild import Clashes, Decide
from gitforge.toolkits import Toolkit

if TYPE_CHECKING:
    from gitforge.store.merge import Chunk
    from gitforge.store.repo import Repo

_HINT = "Build it again to decide, or decide all of it: --ours keeps yours, --theirs takes the new text."


def decider(repo: Repo, *, keep_ours: bool, take_theirs: bool) -> Decide | None:
    """Who decides what clashes: an option, the person at the terminal, or nobody."""
    if keep_ours:
        return rebuild.ours
    if take_theirs:
        return rebuild.theirs
    if not output.is_interactive():
        return None

    def ask(name: str, chunks: Sequence[Chunk]) -> list[str]:
        from gitforge.cli.conflicts import decide_all  # noqa: PLC0415 -- where there is something to decide

        output.say()
        output.say((f"{name}: ", output.WARN), "you and the library changed the same lines")
        taken = decide_all(
            chunks, name.rpartition("/")[2], repo.editor, ours="your edits", theirs="what is assembled now"
        )
        if taken is None:
            raise Conflict(f"{name}: left undecided; nothing was written", hint=_HINT)
        return taken

    return ask


def show_merged(folder: str, toolkit: Toolkit) -> None:
    """Tells which edits by hand are kept, and which gave way.

    Args:
        folder: The toolkit's, from the workspace.
        toolkit: It.
    """
    for name in toolkit.kept:
        if name in toolkit.changed:
            output.say(("merged: ", output.GOOD), f"your edits in {folder}/{name} are kept")
        else:
            output.say(("kept: ", output.GOOD), f"your edits in {folder}/{name}")
    for place in toolkit.replaced:
        if place.line is None:
            output.say(("replaced: ", output.WARN), f"your edits in {place.file}")
        else:
            output.say(("replaced: ", output.WARN), f"your edits at {place.file}:{place.line}")
            output.diff(place.diff)


def merged_as_json(toolkit: Toolkit | None) -> dict[str, Any]:
    """What became of edits by hand, for a script."""
    replaced = toolkit.replaced if toolkit else ()
    return {
        "merged": list(toolkit.kept) if toolkit else [],
        "replaced": [{"file": place.file, "line": place.line} for place in replaced],
    }


def clashes_as_json(error: GitforgeError) -> dict[str, Any]:
    """The places that nobody has decided, with both versions, for a script; nothing for other errors."""
    return {"clashes": [asdict(place) for place in error.places]} if isinstance(error, Clashes) else {}


def show_toolkit(forge: Forge, toolkit: Toolkit) -> None:
    """Tells what became of a toolkit, and gives its files."""
    folder = toolkit.folder.relative_to(forge.workspace.root).as_posix()
    for one in toolkit.components:
        if one.is_absent:
            output.say(("degraded: ", output.WARN), f"a placeholder stands in for {one.need.shown}")
        elif one.is_outline:
            output.say(
                ("to fill in: ", output.WARN),
                f"{one.need.shown} is an offline outline with TODO points",
            )
    for one in toolkit.unused:
        output.say(("left out: ", output.WARN), f"no template of an output shows {one.need.shown}")
    show_merged(folder, toolkit)
    for name in toolkit.restored:
        output.say(("restored: ", output.WARN), f"{folder}/{name}, which had been deleted")
    verb = "built" if toolkit.changed else "unchanged"
    output.say((f"{verb}: ", output.GOOD), f"the toolkit {toolkit.project} for {toolkit.goal}")
    for name in toolkit.files:
        output.result(f"{folder}/{name}")
