"""A text in the user's editor, as git opens one; what is written there is never lost to a mistake in it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from gitforge.cli import output
from gitforge.errors import GitforgeError


def edit(text: str, name: str, find_editor: Callable[[], str], check: Callable[[str], str]) -> str | None:
    """The text as the user's editor leaves it; None where it is as before, or they gave up.

    Args:
        text: What stands in the file that is opened.
        name: The file's name, which tells an editor what it is.
        find_editor: Gives the command of the user's editor, as git finds it.
        check: Returns the text as it is to be used; raises GitforgeError where it cannot be used.
    """
    try:
        editor = find_editor()
    except GitforgeError as error:
        output.say(("There is no editor: ", output.WARN), f"{error.message}. Set EDITOR.")
        return None
    with tempfile.TemporaryDirectory(prefix="gitforge-") as folder:
        path = Path(folder) / name
        path.write_text(text, encoding="utf-8", errors="surrogateescape", newline="")
        while (edited := _edited(text, path, editor, check)) is None and _wants_again():
            pass  # with the file as they left it
    return edited or None


def _wants_again() -> bool:
    from gitforge.cli.prompts import ask_letter  # noqa: PLC0415

    return ask_letter("Edit it again?", ("yes", "no"), '  "no" discards what you wrote') == "y"


def _edited(before: str, path: Path, editor: str, check: Callable[[str], str]) -> str | None:
    """What one session in the editor came to: "" for no change, None where it cannot be used as it is."""
    # As git does it: the editor is a shell command, the file its argument.
    screen = None if sys.stdout.isatty() else sys.stderr
    command = ["sh", "-c", f'{editor} "$@"', editor, os.fspath(path)]
    done = subprocess.run(command, check=False, stdout=screen)  # noqa: S603 -- the user's own editor
    if done.returncode != 0:
        told = f"({editor!r}, exit code {done.returncode}); nothing was changed."
        output.say(("The editor failed ", output.WARN), told)
        return ""
    try:
        text = path.read_bytes().decode("utf-8")
        edited = check(text) if text.strip() else ""
    except FileNotFoundError:
        output.say(("The editor has removed the file; nothing was changed.", output.WARN))
        return ""
    except OSError as error:
        output.say(
            ("The edited text cannot be read: ", output.WARN), f"{error.strerror}; nothing was changed."
        )
        return ""
    except UnicodeDecodeError:
        output.say(("The edited text cannot be used: ", output.WARN), "it is not UTF-8.")
        return None
    except GitforgeError as error:
        output.say(("The edited text cannot be used: ", output.WARN), str(error))
        return None
    if not edited:
        output.say(("The edited text is empty; nothing was changed.", output.WARN))
    elif edited == before:
        output.say("Nothing was changed.")
    return "" if edited == before else edited
