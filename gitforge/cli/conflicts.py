"""Clashes of a three-way merge, decided one after the other on a terminal."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from gitforge.cli import output
from gitforge.errors import Cancelled, GitforgeError
from gitforge.store.merge import Chunk, Clash, both, places, settled

_WORDS = ("ours", "theirs", "both", "edit", "quit")


def decide(
    name: str,
    chunks: Sequence[Chunk],
    find_editor: Callable[[], str],
    *,
    ours: str = "yours",
    theirs: str = "new",
) -> str:
    """Asks what becomes of each clash, and gives the whole text.

    Args:
        name: What the text is called.
        chunks: What the merge came to.
        find_editor: Gives the user's editor, as a command for the shell.
        ours: What our side is called.
        theirs: What the other side is called.

    Raises:
        Cancelled: The user stops; then nothing is decided.
    """
    from gitforge.cli.prompts import ask_letter  # noqa: PLC0415 -- prompt_toolkit, on a terminal only

    explanation = (
        f"  o keeps {ours}, t takes {theirs}, b keeps both, e opens both in your editor, "
        "q stops and writes nothing"
    )
    lines = places(chunks)
    asked = iter(enumerate(lines, start=1))

    def choose(clash: Clash) -> str:
        number, line = next(asked)
        output.say()
        output.say((f"{name}:{line}", output.BOLD), f" ({number} of {len(lines)})")
        _show("before", clash.base, output.DIM)
        _show(ours, clash.ours, output.BAD)
        _show(theirs, clash.theirs, output.GOOD)
        while True:
            letter = ask_letter("Which one?", _WORDS, explanation)
            if letter == "q":
                raise Cancelled("at your request; nothing was written")
            if letter != "e":
                return {"o": clash.ours, "t": clash.theirs, "b": both(clash)}[letter]
            edited = _edit(both(clash), Path(name).suffix, find_editor)
            if edited is not None:
                return edited

    return settled(chunks, choose)


def _show(label: str, text: str, style: str) -> None:
    output.say((f"{label}:" if text else f"{label}: nothing", output.BOLD))
    for line in text.removesuffix("\n").split("\n") if text else ():
        output.say((f"  {line}", style))


def _edit(text: str, suffix: str, find_editor: Callable[[], str]) -> str | None:
    """The text as the user's editor leaves it; None where it is empty, unchanged, or cannot be used."""
    try:
        editor = find_editor()
    except GitforgeError as error:
        output.say(("There is no editor: ", output.WARN), f"{error.message}. Set EDITOR.")
        return None
    with tempfile.TemporaryDirectory(prefix="gitforge-") as folder:
        path = Path(folder, f"clash{suffix}")
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        # As git does it: the editor is a shell command, the file its argument.
        command = ["sh", "-c", f'{editor} "$@"', editor, os.fspath(path)]
        screen = None if sys.stdout.isatty() else sys.stderr
        done = subprocess.run(command, check=False, stdout=screen)  # noqa: S603 -- the user's own editor
        if done.returncode != 0:
            output.say(("The editor failed ", output.WARN), f"({editor!r}, exit code {done.returncode}).")
            return None
        try:
            edited = path.read_bytes().decode("utf-8", "surrogateescape")
        except OSError as error:
            output.say(("The edited text cannot be used: ", output.WARN), str(error))
            return None
    if not edited.strip():
        output.say(("The edited text is empty: nothing is decided yet.", output.WARN))
    elif edited == text:
        output.say("Nothing was changed: b keeps both as they are.")
    else:
        return edited
    return None
