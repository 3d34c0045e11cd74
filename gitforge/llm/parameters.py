"""Which of a request's optional parameters a server rejects, in the many words that servers have for it.

A parameter is named in a field of its own (`param` at OpenAI, `loc` at those built on pydantic), or somewhere in
the message, in snake case, in camel case or as words. Where a message names several, the first is what it is
about: those behind it are mostly what the server proposes instead.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final

OPTIONAL: Final = {
    "temperature": r"temperature",
    "max_tokens": r"max[\W_]?tokens",
    "max_completion_tokens": r"max[\W_]?completion[\W_]?tokens",
    "seed": r"(random[\W_]?)?seed",
    "reasoning_effort": r"reasoning|thinking|reasoning[\W_]?effort",
    "stream_options": r"stream[\W_]?options|include[\W_]?usage",
}
"""Every parameter that a request can do without, and how it is found in a message."""

_PLACES = ("param", "parameter", "loc", "field")
_PARAMETER = r"(param(eter)?|argument|field|property|option|key|name)s?\b"
_UNKNOWN = r"\b(unsupported|unknown|unrecogni[sz]ed|unexpected|extra|not (supported|permitted|allowed|recogni[sz]ed))\b"
_NAMELESS = re.compile(rf"{_UNKNOWN}.{{0,40}}\b{_PARAMETER}|\b{_PARAMETER}.{{0,40}}{_UNKNOWN}", re.IGNORECASE)


def rejected(sent: Collection[str], body: object) -> tuple[str, ...]:
    """The parameters that a server's error is about; none where it is about something else.

    Args:
        sent: The optional parameters that the request had.
        body: The error's body as it was parsed, of any type.
    """
    texts = list(_texts(body))
    places = [text for place, text in texts if place in _PLACES]
    if named := tuple(name for name in OPTIONAL if name in sent and any(_find(name, one) for one in places)):
        return named
    if any(place not in {"", "body", "null"} for place in places):
        return ()  # about another one, which the request cannot do without
    words = "\n".join(text for _, text in texts)
    found = [(match.start(), name) for name in sent if (match := _find(name, words))]
    if found:
        return (min(found)[1],)
    return tuple(sent) if _NAMELESS.search(words) else ()


def _find(name: str, text: str) -> re.Match[str] | None:
    return re.search(rf"(?<![a-z])(?:{OPTIONAL[name]})(?![a-z])", text, re.IGNORECASE)


def _texts(body: object) -> Iterator[tuple[str, str]]:
    """Every string in it, with the name of the field that it is in."""
    left = [("", body)]
    while left:
        place, value = left.pop()
        if isinstance(value, str):
            yield place, value
        elif isinstance(value, dict):
            left += [(str(name), inner) for name, inner in reversed(value.items())]
        elif isinstance(value, list):
            left += [(place, inner) for inner in reversed(value)]
