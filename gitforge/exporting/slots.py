"""The slots of a prompt: `«what is asked»`, and the names of the variables that become of them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from gitforge.exporting.prompt import Slot, Text
from gitforge.text import one_line

_SLOT = re.compile(r"«((?:(?!\n[ \t]*\n)[^«»])*\S(?:(?!\n[ \t]*\n)[^«»])*)»")
_LABEL = re.compile(r"\*\*([^*\n]+)\*\*[ \t:]*\Z")
_HEADING = re.compile(r"^#{1,6}[ \t]+(.+?)[ \t#]*$", re.MULTILINE)
_MAX_NAME = 40

# Words that a format's template language takes for its own: helpers of Handlebars and dotprompt, keywords of
# Jinja2 and Nunjucks, names that llm, fabric and promptfoo give a meaning.
_RESERVED = frozenset(
    """
    and blockParams cycler dict each else env false for helperMissing history if ifEquals import in input is joiner
    json lipsum log lookup loop media namespace none not null or prompt provider range role section self super
    system this true undefined unless unlessEquals vars with
    """.split()  # noqa: SIM905 -- to be read as the words that they are
)


def find(text: str, components: Iterable[str] = ()) -> Text:
    """Splits a text at its slots.

    Args:
        text: The user part of a prompt.
        components: Texts that went into it. What they quote is no slot: some languages quote like that.
    """
    quoting = [one for one in components if "«" in one]
    parts: list[str | Slot] = []
    known: dict[str, Slot] = {}
    end = 0
    for match in _SLOT.finditer(text):
        if any(match[0] in one for one in quoting):
            continue
        asks = match[1]
        slot = known.get(asks) or Slot(_name(text[: match.start()], asks, known.values()), asks)
        known[asks] = slot
        parts += [text[end : match.start()], slot]
        end = match.end()
    parts.append(text[end:])
    return tuple(part for part in parts if part)


def _name(before: str, asks: str, others: Iterable[Slot]) -> str:
    """After the bold label in front of a slot, else the heading above it, else its own first words."""
    label = _LABEL.search(before.rpartition("\n")[2])
    headings = _HEADING.findall(before)
    found = (label[1] if label else "", headings[-1] if headings else "", " ".join(asks.split()[:3]))
    name = next(filter(None, map(_identifier, found)), "slot")
    taken = {slot.name for slot in others}
    number, numbered = 2, name
    while numbered in taken:
        numbered, number = f"{name}_{number}", number + 1
    return numbered


def _identifier(words: str) -> str:
    plain = unicodedata.normalize("NFKD", one_line(words)).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "_", plain)[:_MAX_NAME].strip("_")
    if not name or name[0].isdigit():
        name = f"slot_{name}" if name else ""
    return f"{name}_text" if name in _RESERVED else name
