"""What in a stranger's text may be meant for the model and not for its reader.

What is found is shown to a person before first use; it proves nothing, and silence proves nothing either: a prompt is
meant to instruct. Letters that merely look Latin are read as what they look like, and hidden characters are left out,
before anything is looked for.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from gitforge.payload_forms import ENCODED, FORMS, Gravity, Words
from gitforge.text import HiddenCharacter, hidden_characters, one_line, printable

_AROUND = 30  # characters before and behind what is shown
_SHOWN = 60  # characters of it
_RUN = 80  # characters of an encoded blob
_MANY_HIDDEN = 4  # in a row: enough to carry something

_BASE64 = re.compile(r"(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/_-]{80,}={0,2}")
_COMMENT = re.compile(
    r"<!--(?:[^>\n]{0,40}|\s*(?:markdownlint|prettier|SPDX|Copyright)[^>\n]{0,80})-->", re.I
)
_FENCE = re.compile(r"^ {0,3}(```|~~~)", re.MULTILINE)
_FOREIGN = re.compile(r"[^\x00-\x7f]+")
_WORD = re.compile(r"[^\W\d_]+")
_LOOKS_LIKE = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u04bb\u051b\u051d\u04cf"
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0406\u0408\u0405"
    "\u03bf\u03bd\u03c1\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
    "\u0585\u0578\u057d",
    "aeopcyxijsdhqwlABEKMHOPCTXIJSovpABEZHIKMNOPTYXonu",
)
_DOUBLES = frozenset(map(chr, _LOOKS_LIKE))
_MISLEADING = re.compile(
    "[\u202a-\u202e\u2066-\u2069\U000e0000-\U000e01ef]"
)  # turns text round, or spells it
_Place = tuple[int, int, str, Gravity]  # from, to, what


@dataclass(frozen=True)
class Suspicion:
    """A place in a text that a person should look at before a model does.

    Args:
        line: From 1.
        column: From 1, in characters.
        what: What it may be, as the rest of a sentence that begins with the file's name.
        excerpt: It and what is around it, on one line, safe for a terminal.
        gravity: How much it deserves a look.
    """

    line: int
    column: int
    what: str
    excerpt: str
    gravity: Gravity = Gravity.ORDER

    @property
    def is_order(self) -> bool:
        """Whether it reads as an order to the model."""
        return self.gravity == Gravity.ORDER


def suspicions(text: str) -> Iterator[Suspicion]:
    """Finds what may be meant for the model and not for its reader, in the order of the text."""
    starts = [0]
    starts += [match.end() for match in re.finditer("\n", text)]
    hidden = [starts[one.line - 1] + one.column - 1 for one in hidden_characters(text)]
    found = [*_hidden(text, hidden), *_disguised(text)]
    plain, places = _as_read(text, hidden)
    for start, end, what, gravity in _matches(plain):
        origin = places[start] if places is not None else start
        last = places[end - 1] + 1 if places is not None else end
        found.append((origin, last, what, gravity))
    seen: set[tuple[int, str]] = set()
    for start, end, what, gravity in sorted(found):
        line = bisect_right(starts, start)
        if (line, what) not in seen:  # one of a kind is enough for a line
            seen.add((line, what))
            yield Suspicion(line, start - starts[line - 1] + 1, what, _excerpt(text, start, end), gravity)


def _matches(text: str) -> Iterator[_Place]:
    """What the table finds, once for a line: a text that is made of matches costs no more than another."""
    words = Words(text)
    fences: list[int] | None = None
    for form in FORMS:
        if not form.may_be_in(words):
            continue
        until = -1
        for match in form.pattern.finditer(text):
            start, end = match.span()
            if start < until:
                continue
            if match[0] == "<!--":
                fences = _fences(text) if fences is None else fences
                if _is_shown(text, start, fences):
                    continue
            until = text.find("\n", start) % (len(text) + 1)
            yield start, end, form.what, form.gravity
    for match in _BASE64.finditer(text) if words.longest >= _RUN else ():
        if _is_encoded(match[0]):
            yield match.start(), match.end(), ENCODED, Gravity.HIDING


def _fences(text: str) -> list[int]:
    """Where blocks of code begin and end, in turn."""
    places: list[int] = []
    mark = ""
    for match in _FENCE.finditer(text):
        if mark in {"", match[1]}:
            mark = "" if mark else match[1]
            places.append(match.start())
    return places


def _is_shown(text: str, place: int, fences: list[int]) -> bool:
    """Whether an HTML comment is a short label or a tool's mark, or stands in code, which a page shows."""
    if _COMMENT.match(text, place) or bisect_right(fences, place) % 2:
        return True
    return text.count("`", max(text.rfind("\n", 0, place) + 1, place - 500), place) % 2 == 1


def _is_encoded(run: str) -> bool:
    """Whether a long run of letters is more mixed than a path or a ruler of dashes."""
    if len(run.strip("-_=")) < 80 or run.count("/") + run.count("-") + run.count("_") > len(run) // 10:
        return False
    return all(re.search(form, run) for form in ("[A-Z]", "[a-z]", "[0-9]"))


def _hidden(text: str, hidden: Sequence[int]) -> Iterator[_Place]:
    """Hidden characters; several in a row are one finding."""
    run: list[int] = []
    for place in hidden:
        if run and place != run[-1] + 1:
            yield _run(text[run[0] : run[-1] + 1], run[0])
            run = []
        run.append(place)
    if run:
        yield _run(text[run[0] : run[-1] + 1], run[0])


def _run(characters: str, start: int) -> _Place:
    what = (
        f"has the hidden character {HiddenCharacter(1, 1, characters).name}"
        if len(characters) == 1
        else f"has {len(characters)} hidden characters in a row"
    )
    is_grave = len(characters) >= _MANY_HIDDEN or _MISLEADING.search(characters)
    return start, start + len(characters), what, Gravity.HIDING if is_grave else Gravity.ODDITY


def _disguised(text: str) -> Iterator[_Place]:
    """Words in which letters of another script stand for Latin ones."""
    if text.isascii() or _DOUBLES.isdisjoint(text):
        return
    for match in _WORD.finditer(text):
        word = match[0]
        if not word.isascii() and word.translate(_LOOKS_LIKE).isascii() and re.search("[A-Za-z]", word):
            yield match.start(), match.end(), "has a word with letters that only look Latin", Gravity.ODDITY


def _as_read(text: str, hidden: Collection[int]) -> tuple[str, list[int] | None]:
    """The text as a reader sees it, and where each of its characters stands in the original; None: where it is."""
    places = None
    if hidden:
        unseen = frozenset(hidden)
        places = [place for place in range(len(text)) if place not in unseen]
        text = "".join(text[place] for place in places)
    if not text.isascii():
        plain = {ord(sign): _plain(sign) for sign in set(text) if not sign.isascii()}
        text = _FOREIGN.sub(
            lambda run: run[0].translate(plain), text
        )  # `translate` alone is slow on long texts
    return text, places


def _plain(character: str) -> str:
    """The one ASCII character that a character of another script looks like; else itself."""
    folded = unicodedata.normalize("NFKC", character)
    return folded if len(folded) == 1 and folded.isascii() else character.translate(_LOOKS_LIKE)


def _excerpt(text: str, start: int, end: int) -> str:
    """What was found, with what stands around it on its line."""
    first = max(text.rfind("\n", 0, start) + 1, start - _AROUND)
    end = min(end, start + _SHOWN)
    stop = text.find("\n", end)
    last = min(len(text) if stop < 0 else stop, start + _SHOWN + _AROUND)
    before, behind = ("..." if first and text[first - 1] != "\n" else ""), "..." if last < len(text) else ""
    if text[last : last + 1] == "\n":
        behind = ""
    return before + one_line(printable(text[first:last])) + behind
