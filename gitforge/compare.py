"""Two texts compared word by word, as `git diff --word-diff` shows them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby
from typing import Literal

MAX_WORDS = 3_000
"""In a longer passage without an equal line words are not compared: it would take seconds and show nothing."""

_LINES = re.compile(r".*\n|.+")
_WORDS = re.compile(r"\s+|\w+|[^\w\s]")

Kind = Literal["same", "removed", "added"]


@dataclass(frozen=True)
class Span:
    """A piece of text that both have, or only one of them."""

    kind: Kind
    text: str


def word_diff(old: str, new: str) -> list[Span]:
    """What has to be removed from the old text and added to it to get the new one, with what stays between."""
    spans: list[Span] = []
    before, after = _LINES.findall(old), _LINES.findall(new)
    for kind, removed, added in _changes(before, after):
        if kind == "replace":
            spans += _words(removed, added)
        else:
            spans += _spans(kind, removed, added)
    return _joined(spans)


def likeness(spans: Sequence[Span]) -> float:
    """How much of the new text is in the old one, from 0 to 1."""
    same = sum(len(span.text) for span in spans if span.kind == "same")
    size = same + sum(len(span.text) for span in spans if span.kind == "added")
    return same / size if size else 1.0


def _words(old: str, new: str) -> Iterator[Span]:
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    if max(len(before), len(after)) > MAX_WORDS:
        yield from _spans("replace", old, new)
        return
    for kind, removed, added in _changes(before, after):
        # A space or a comma alone is no common ground: with it every change would fall to pieces.
        is_nothing = kind == "equal" and not re.search(r"\w|\n", added)
        yield from _spans("replace" if is_nothing else kind, removed, added)


def _changes(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    for kind, a, b, c, d in SequenceMatcher(None, before, after).get_opcodes():
        yield kind, "".join(before[a:b]), "".join(after[c:d])


def _spans(kind: str, removed: str, added: str) -> Iterator[Span]:
    if kind == "equal":
        yield Span("same", added)
        return
    if removed:
        yield Span("removed", removed)
    if added:
        yield Span("added", added)


def _joined(spans: Sequence[Span]) -> list[Span]:
    """Neighbouring changes as one: all that is removed there, then all that is added."""
    joined: list[Span] = []
    for is_same, run in groupby(spans, key=lambda span: span.kind == "same"):
        together = list(run)
        kinds: tuple[Kind, ...] = ("same",) if is_same else ("removed", "added")
        for kind in kinds:
            text = "".join(span.text for span in together if span.kind == kind)
            if text:
                joined.append(Span(kind, text))
    return joined
