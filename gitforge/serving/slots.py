"""Slots: what an assembled prompt leaves open for whoever uses it, in «angle quotes».

A slot stands alone on its line, or ends it behind a label with a colon. Quotes inside a sentence are quotes: several
languages write them so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gitforge.errors import UserError
from gitforge.serving.records import Argument
from gitforge.text import did_you_mean, one_line, printable

MAX_SLOTS = 20  # as arguments; a form with more of them is for a person with an editor
_LINE = re.compile(
    r"^[ \t]*(?:[-*+][ \t]+|\d+[.)][ \t]+)?(?P<label>[^«»>\n]{1,80}[::][*_ \t]*)?"
    r"(?P<slot>«(?P<what>[^«»\n]{1,1000})»)[ \t]*\.?[ \t]*\r?$"
    r"|^#{1,6}[ \t]+(?P<heading>[^\n]{1,200})$",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Slot:
    """A place in a text that somebody is to fill.

    Attributes:
        title: What it is called: its label, else the heading above, else its own first words.
        what: What belongs there.
        start: Where it begins, in characters.
        end: Where it ends.
    """

    title: str
    what: str
    start: int
    end: int


def slots(text: str) -> Iterator[Slot]:
    """The slots of a text, in order."""
    heading = ""
    for found in _LINE.finditer(text):
        if found["slot"] is None:
            heading = _plain(found["heading"])
            continue
        what = one_line(found["what"])
        title = _plain(found["label"] or "") or heading or " ".join(what.split()[:4])
        yield Slot(title, what, found.start("slot"), found.end("slot"))


def arguments(texts: Sequence[str], components: Sequence[str] = ()) -> tuple[Argument, ...]:
    """The slots of several texts as arguments: each once, and no more than `MAX_SLOTS` of them.

    Args:
        texts: With slots.
        components: The texts in them whose slots are named last, so that none takes the name of the form's own.
    """
    return tuple(Argument(name, title, what) for (title, what), name in _names(texts, components).items())


def filled(
    texts: Sequence[str], values: Mapping[str, str], components: Sequence[str] = ()
) -> tuple[str, ...]:
    """The texts with values in their slots; a slot without a value stays as it is.

    Args:
        texts: With slots.
        values: By the name of the argument. They are inert: a slot in a value is none.
        components: As in `arguments`.

    Raises:
        UserError: There is no such argument.
    """
    names = _names(texts, components)
    known = list(names.values())
    for name in values:
        if name not in known:
            hint = did_you_mean(name, known) or f"There is {', '.join(known) or 'none at all'}."
            raise UserError(f"there is no argument {printable(name[:60])!r}", hint=hint)
    return tuple(_filled(text, names, values) for text in texts)


def _filled(text: str, names: Mapping[tuple[str, str], str], values: Mapping[str, str]) -> str:
    parts, end = [], 0
    for slot in slots(text):
        value = values.get(names.get((slot.title, slot.what), ""), "")
        if value.strip():
            parts += [text[end : slot.start], value]
            end = slot.end
    return "".join([*parts, text[end:]])


def _names(texts: Sequence[str], components: Sequence[str]) -> dict[tuple[str, str], str]:
    """The arguments' names by title and text; slots that say the same are one."""
    names: dict[tuple[str, str], str] = {}
    inner = {slot.what for text in components for slot in slots(text)}
    found = [slot for text in texts for slot in slots(text)]
    for slot in sorted(found, key=lambda one: one.what in inner):
        key = slot.title, slot.what
        if key in names or len(names) == MAX_SLOTS:
            continue
        name = "_".join(re.findall(r"\w+", slot.title.lower()))[:40].strip("_") or "slot"
        same = sum(
            re.fullmatch(f"{re.escape(name)}(_[0-9]+)?", other) is not None for other in names.values()
        )
        names[key] = f"{name}_{same + 1}" if same else name
    return names


def _plain(text: str) -> str:
    """A label or heading without its Markdown."""
    return one_line(re.sub(r"[*_`#]+|[::][*_`\s]*$", " ", text))
