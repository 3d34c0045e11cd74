"""The names that imported texts and prompts get here."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from gitforge import names
from gitforge.errors import UserError
from gitforge.text import hidden_characters, one_line, without_hidden

_ROOM = 20  # bytes that a number behind a name may need
_DESCRIPTION = 200  # characters


def component_name(name: str) -> str:
    """The name, or the nearest one that a component's file can have.

    Args:
        name: What the source calls it, with or without a suffix.
    """
    stem, suffix = name, ".md"
    for known in names.COMPONENT_SUFFIXES:
        if name.endswith(known):
            stem, suffix = name.removesuffix(known), known
    if _is_possible(stem + suffix):
        return stem + suffix
    plain = "".join("_" if any(hidden_characters(one)) or one in "\n\t\r" else one for one in stem)
    plain = unicodedata.normalize("NFC", re.sub(r'[/\\:*?"<>|]', "_", plain)).strip().lstrip("-.")
    room = names.MAX_BYTES - _ROOM - len(suffix) - 1
    plain = plain.encode("utf-8", "replace")[:room].decode("utf-8", "ignore").strip()
    for candidate in (plain, f"{plain}_", "unnamed"):
        if candidate and _is_possible(candidate + suffix):
            return candidate + suffix
    return "unnamed" + suffix


def _is_possible(name: str) -> bool:
    try:
        names.component_name(name)
        return len(name.encode()) <= names.MAX_BYTES - _ROOM
    except (UserError, UnicodeEncodeError):
        return False


def goal_name(name: str) -> str:
    """A source's name as goals are written: `extract-wisdom` is EXTRACT_WISDOM."""
    plain = re.sub(r"[^\w]+", "_", unicodedata.normalize("NFC", without_hidden(name))).strip("_").upper()
    return plain[: names.MAX_BYTES - _ROOM] or "UNNAMED"


def label(name: str, otherwise: str) -> str:
    """A category's name as it can stand in goals.yaml."""
    plain = one_line(without_hidden(name))[: names.MAX_BYTES - _ROOM].strip()
    return plain or otherwise


def description(text: object, otherwise: str = "") -> str:
    """What something is for, on one line: the sentences that fit, else the beginning of the first one."""
    told = one_line(without_hidden(text)) if isinstance(text, str) else ""
    told = told or otherwise
    if len(told) <= _DESCRIPTION:
        return told
    end = max(told.rfind(mark, 0, _DESCRIPTION) for mark in (". ", "! ", "? "))
    if end > 0:
        return told[: end + 1]
    return told[: _DESCRIPTION - 1].rpartition(" ")[0] + "\u2026"


def first_words(text: str) -> str:
    """The first sentence of prose in a text, to describe it where its source does not."""
    for line in text.splitlines():
        words = line.strip()
        if words and not words.startswith(("#", "---", "<!--", "```", "|", ">")):
            sentence = re.split(r"(?<=[.!?])\s", words.lstrip("-* "), maxsplit=1)[0]
            if sentence:
                return description(sentence)
    return ""


def numbered(name: str) -> Iterator[str]:
    """The name, then it with 2, 3 and so on behind its stem."""
    yield name
    suffix = next((one for one in names.COMPONENT_SUFFIXES if name.endswith(one)), "")
    number = 2
    while True:
        yield f"{name.removesuffix(suffix)}_{number}{suffix}"
        number += 1
