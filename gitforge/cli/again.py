"""Says again what a command has said, where everything that it rests on is as it was.

Only for a command line without any option but `--json`: whatever else there is, `main` does. Nothing of what `main`
needs is imported, and git is asked before anything else is.
"""

from __future__ import annotations

import os

from gitforge.store import answers

TYPE_CHECKING = False  # typing's own takes longer to import than all the rest here
if TYPE_CHECKING:
    from collections.abc import Sequence

STATUS = "status"
_TEXT, _DATA = ("status",), ("status", "--json")
"""The command lines; a kept answer has the paragraphs, and the data for scripts."""


def said_again(arguments: Sequence[str]) -> bool:
    """Says it, if it still holds.

    Args:
        arguments: The command line without the program's name.

    Returns:
        Whether it was said.
    """
    asked = _ask(tuple(arguments))
    if asked is None:
        return False
    import json  # noqa: PLC0415 -- these while git is at work

    from gitforge.cli import output, paragraphs  # noqa: PLC0415

    texts = asked.answer()
    if texts is None:
        return False
    text, data = texts
    output.prepare_streams()
    if tuple(arguments) == _DATA:
        output.data(json.loads(data))
    else:
        paragraphs.show(json.loads(text))
    return True


def _ask(arguments: tuple[str, ...]) -> answers.Asked | None:
    if arguments not in (_TEXT, _DATA) or "_GITFORGE_COMPLETE" in os.environ:
        return None
    try:
        folder = os.path.realpath(os.getcwd())
    except OSError:  # it is gone
        return None
    while not os.path.exists(os.path.join(folder, "goals.yaml")):
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above
    return answers.ask(STATUS, folder)
