"""What two sides changed in another way, place by place: both are shown, and a person takes one, both or neither."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gitforge.cli import output
from gitforge.cli.editing import edit
from gitforge.store.merge import Chunk, Clash, Clean, both, places, settled

_CONTEXT = 2  # lines before a clash, to tell where it is
_NOTHING = "(these lines are taken out)"


def settle(
    chunks: Sequence[Chunk], name: str, find_editor: Callable[[], str], *, ours: str, theirs: str
) -> str | None:
    """Asks about every clash; returns the whole text, or None where the person leaves it undecided.

    Args:
        chunks: What a merge gave.
        name: The file's name.
        find_editor: Gives the command of the user's editor.
        ours: What our side is called, for example "your edits".
        theirs: What the other side is called, for example "the new draft".
    """
    decided = decide_all(chunks, name, find_editor, ours=ours, theirs=theirs)
    if decided is None:
        return None
    answers = iter(decided)
    return settled(chunks, lambda _: next(answers))


def decide_all(
    chunks: Sequence[Chunk], name: str, find_editor: Callable[[], str], *, ours: str, theirs: str
) -> list[str] | None:
    """As `settle`, but the text for each clash alone."""
    lines = places(chunks)
    decided: list[str] = []
    for index, chunk in enumerate(chunks):
        if not isinstance(chunk, Clash):
            continue
        number = len(decided)
        heading = f"Clash {number + 1} of {len(lines)} in {name}, line {lines[number]}"
        show(chunk, _context(chunks, index), heading, ours=ours, theirs=theirs)
        taken = _ask(chunk, name, find_editor, f"  o  ours: {ours}\n  t  theirs: {theirs}")
        if taken is None:
            return None
        decided.append(taken)
    return decided


def show(clash: Clash, context: str, heading: str, *, ours: str, theirs: str) -> None:
    """Both sides of a clash, and what was there before."""
    output.say()
    output.say((heading, output.BOLD))
    if context:
        output.say((context, output.DIM))
    for label, text, style in (
        ("before", clash.base, output.DIM),
        (f"ours: {ours}", clash.ours, output.WARN),
        (f"theirs: {theirs}", clash.theirs, output.GOOD),
    ):
        output.say((f"--- {label}", output.BOLD))
        output.say((text.removesuffix("\n") if text else _NOTHING, style))


def _context(chunks: Sequence[Chunk], index: int) -> str:
    before = chunks[index - 1] if index else None
    return "\n".join(before.text.splitlines()[-_CONTEXT:]) if isinstance(before, Clean) else ""


def _ask(clash: Clash, name: str, find_editor: Callable[[], str], sides: str) -> str | None:
    from gitforge.cli.prompts import ask_letter  # noqa: PLC0415

    words = ("ours", "theirs", "both", "neither", "edit", "leave")
    explanation = (
        f"{sides}\n  b  both, ours first\n  n  neither: these lines are taken out\n"
        "  e  edit: write these lines in your editor, which has both\n"
        "  l  leave it all undecided: nothing is changed"
    )
    while True:
        letter = ask_letter("Which lines?", words, explanation)
        if letter != "e":
            return {"o": clash.ours, "t": clash.theirs, "b": both(clash), "n": "", "l": None}[letter]
        taken = edit(
            both(clash), name, find_editor, lambda text: text if text.endswith("\n") else f"{text}\n"
        )
        if taken is not None:
            return taken
