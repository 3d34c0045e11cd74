"""Messages of commits that are made again: what they name has other ids by then, or is not there any more."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from gitforge.store.messages import COMPONENT

_NAMED = re.compile(r"^(Undoes:\s|This reverts commit\s|As it was in\s)([0-9a-f]{7,64})", re.MULTILINE)


def reworded(text: str, lost: Collection[str], commits: Mapping[str, str]) -> str:
    """The message of a commit that is made again.

    Args:
        text: The old one.
        lost: The components of which it says something that does not hold any more.
        commits: The new commits' ids by those of the old ones.
    """
    return _NAMED.sub(
        lambda found: found[1] + _new(found[2], commits), _without(text, lost) if lost else text
    )


def encoded(text: str, encoding: bytes | None) -> bytes:
    """A message as a commit has it.

    Args:
        text: The message.
        encoding: From the commit's header, if it has one.
    """
    try:
        return text.encode((encoding or b"utf-8").decode("ascii", "replace"), "surrogateescape")
    except (LookupError, UnicodeError):
        return text.encode("utf-8", "surrogateescape")


def _new(id_: str, commits: Mapping[str, str]) -> str:
    old = next((one for one in commits if one.startswith(id_)), None)
    return commits[old][: len(id_)] if old is not None else id_


def _without(text: str, lost: Collection[str]) -> str:
    """The message without the groups of trailers about components."""
    lines, is_left_out = [], False
    for line in text.split("\n"):
        name, _, value = line.partition(": ")
        if name == COMPONENT:
            is_left_out = value.strip() in lost
        elif not line.strip():
            is_left_out = False
        if not is_left_out:
            lines.append(line)
    return "\n".join(lines)
