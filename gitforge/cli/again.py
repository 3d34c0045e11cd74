"""Says again what a command has said, where everything that it rests on is as it was.

Only for a command line without any option but `--json`: whatever else there is, `main` does. Nothing of what `main`
needs is imported, and git is asked before anything else is.
"""

from __future__ import annotations

import os
import sys

from gitforge.store import answers

TYPE_CHECKING = False  # typing's own takes longer to import than all the rest here
if TYPE_CHECKING:
    from collections.abc import Sequence

STATUS = "status"
_FORMS = ((STATUS,), (STATUS, "--json"))  # of each, the kept answer has what is to be said


def say_again(arguments: Sequence[str]) -> int | None:
    """Says it, if it still holds.

    Args:
        arguments: The command line without the program's name.

    Returns:
        The exit code; None where nothing was said.
    """
    if (asked := _ask(tuple(arguments))) is None:
        return None
    import json  # noqa: PLC0415 -- while git is at work

    from gitforge.cli import output, paragraphs  # noqa: PLC0415

    if (texts := asked.answer()) is None:
        return None
    said = json.loads(texts[_FORMS.index(tuple(arguments))])
    output.prepare_streams()
    try:
        (output.data if arguments[1:] else paragraphs.show)(said)
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError as error:
        from gitforge.cli.main import unsaid  # noqa: PLC0415

        return unsaid(error)
    return 0


def _ask(arguments: tuple[str, ...]) -> answers.Asked | None:
    if arguments not in _FORMS or "_GITFORGE_COMPLETE" in os.environ:
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
