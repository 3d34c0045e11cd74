"""The names that imported texts and prompts get here."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from gitforge import names
from gitforge.errors import UserError
from gitforge.text import hidden_characters, one_line, without_hidden

_ROOM = 20  # bytes that a number behind a name may need
_MAX_DESCRIPTION = 1024  # characters: as many as an Agent Skill's can have
_FIRST_WORDS = 200  # characters of a description that is made of a text's beginning
_LONGEST = 5000  # characters of what a stranger calls a name or a description that are looked at


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
    start = stem[:_LONGEST]
    plain = "".join("_" if any(hidden_characters(one)) or one in "\n\t\r" else one for one in start)
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
    plain = (
        re.sub(r"[^\w]+", "_", unicodedata.normalize("NFC", without_hidden(name[:_LONGEST])))
        .strip("_")
        .upper()
    )
    return plain[: names.MAX_BYTES - _ROOM] or "UNNAMED"


def label(name: str, otherwise: str) -> str:
    """A category's name as it can stand in goals.yaml."""
    plain = one_line(without_hidden(name[:_LONGEST]))[: names.MAX_BYTES - _ROOM].strip()
    return plain or otherwise


def description(text: object, otherwise: str = "") -> str:
    """What something is for, on one line: as it was written, up to 1,024 characters; else the sentences that fit."""
    return _shortened(_told(text) or otherwise, _MAX_DESCRIPTION)


def cut(text: object) -> str | None:
    """What is to be known where a description is too long to be kept whole; None where it is not."""
    if len(_told(text)) <= _MAX_DESCRIPTION:
        return None
    return f"its description is cut to {len(description(text)):,} characters"


def _told(text: object) -> str:
    return one_line(without_hidden(text[:_LONGEST])) if isinstance(text, str) else ""


def _shortened(told: str, limit: int) -> str:
    """The sentences that fit, else the beginning of the first one."""
    if len(told) <= limit:
        return told
    end = max(told.rfind(mark, 0, limit) for mark in (". ", "! ", "? "))
    if end > 0:
        return told[: end + 1]
    return told[: limit - 1].rpartition(" ")[0] + "\u2026"


def notes(*told: str | None) -> str | None:
    """Several notes as one; None where there is none."""
    return "; ".join(one for one in told if one) or None


def first_words(text: str) -> str:
    """The first sentence of prose in a text, to describe it where its source does not."""
    for line in text.splitlines():
        words = line.strip()
        if words and not words.startswith(("#", "---", "<!--", "```", "|", ">")):
            sentence = re.split(r"(?<=[.!?])\s", words.lstrip("-* "), maxsplit=1)[0]
            if sentence:
                return _shortened(_told(sentence), _FIRST_WORDS)
    return ""


def numbered(name: str) -> Iterator[str]:
    """The name, then it with 2, 3 and so on behind its stem."""
    yield name
    suffix = next((one for one in names.COMPONENT_SUFFIXES if name.endswith(one)), "")
    number = 2
    while True:
        yield f"{name.removesuffix(suffix)}_{number}{suffix}"
        number += 1
