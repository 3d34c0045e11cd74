"""What in a stranger's text may be meant for the model and not for its reader.

The table is in the code, so that no library can switch it off. What it finds is shown to a person before first
use; it proves nothing, and its silence proves nothing either: a prompt is meant to instruct. The forms are those of
OWASP LLM01 (prompt injection) and of CVE-2021-42574 ("Trojan Source"). Letters that merely look Latin are read as
what they look like, and hidden characters are left out, before anything is looked for.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from gitforge.text import hidden_characters, one_line, printable

_AROUND = 30  # characters before and behind what is shown
_SHOWN = 60  # characters of it

_OLD = r"(?:previous|prior|earlier|above|preceding|foregoing|system|original|initial|existing)"
_RULES = r"(?:instruction|prompt|rule|direction|guideline|command|message|context|constraint|directive)s?"
_SEND = r"(?:send|post|upload|transmit|exfiltrate|forward|(?:e-?)?mail|beacon|deliver|POST)(?:ing|s)?"
_USER = r"(?:user|human|operator|reviewer|owner|developer|anyone|anybody|person)"
_HANDED = (
    r"(?:system prompt|hidden prompt|credentials?|api[ _-]?keys?|access tokens?|environment variables?"
    r"|private keys?|ssh keys?|passwords?|\.env\b|cookies)"
)
_NOT = r"(?:do not|don't|do n't|never|must not|mustn't|should not|without)"

_ENCODED = "has a part that is encoded, so that nobody can read it"
_FORMS = tuple(
    (what, re.compile(form, re.IGNORECASE | re.MULTILINE))
    for what, form in (
        (
            "overrides instructions that the model has been given",
            (
                rf"\b(?:ignor|disregard|forget|overrid|bypass|neglect|discard)\w*\s+(?:\w+\s+){{0,4}}{_OLD}\s+"
                rf"(?:\w+\s+){{0,2}}{_RULES}\b"
                rf"|\b(?:ignore|disregard|forget)\s+(?:all|everything|anything|what)\s+(?:\w+\s+){{0,4}}"
                rf"(?:above|before|you (?:were|have been) told|said|instructed)\b"
                r"|\b(?:stop|cease)\s+following\s+(?:\w+\s+){0,3}(?:instructions|rules|guidelines|orders)\b"
                r"|\byour\s+(?:real|true|actual|new)\s+(?:task|instructions?|goal|purpose|orders)\s+(?:is|are)\b"
                r"|\byou are no longer (?:bound|restricted|an? )\b"
            ),
        ),
        (
            "forges the marks between the messages of a chat",
            r"<\|[a-z_]{2,30}\|>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>",
        ),
        (
            "has data sent to an address",
            (
                rf"(?<!-X )\b{_SEND}\b[^.!?\n]{{0,120}}?(?:https?://|\b[\w.+-]{{1,64}}@[\w-]{{1,60}}\.\w|\bwebhook\b)"
                r"|!\[[^\]\n]{0,200}\]\(\s*<?https?://[^)\s]{0,300}[?&{$]"
            ),
        ),
        (
            "has secrets handed over",
            (
                r"(?<!not )(?<!n't )(?<!never )\b(?:send|post|upload|exfiltrate|reveal"
                r"|steal|print|output|disclose|dump)\s+"
                rf"(?:\w+\s+){{0,4}}{_HANDED}"
            ),
        ),
        (
            "hides something from the user",
            (
                rf"\b{_NOT}\s+(?:ever\s+)?(?:tell|mention|reveal|inform|notify|alert|disclos|warn|let)\w*\s+"
                rf"(?:[\w']+\s+){{0,5}}{_USER}s?\b"
                rf"|\b(?:secretly|covertly|stealthily|silently)\s+(?:send|add|insert|include|append|collect|run|do)\b"
                rf"|\b(?:hide|conceal|keep)\s+(?:[\w']+\s+){{0,5}}from\s+(?:the\s+|any\s+)?{_USER}s?\b"
            ),
        ),
        (
            "runs a program that comes from the net",
            (
                r"\b(?:curl|wget|iwr|invoke-webrequest)\b[^\n|]{0,300}\|\s*(?:sudo\s+)?(?:env\s+)?"
                r"(?:(?:ba|z|da|k|a)?sh|python[\d.]*|perl|ruby|node|iex)\b"
                r"|(?:<\(|(?:eval|sh|bash|zsh)\b[^\n$]{0,20}\$\()\s*(?:curl|wget)\b|\bpowershell\b[^\n]{0,60}\s-e(?:nc|ncodedcommand)?\b"
            ),
        ),
        ("deletes files", r"\brm\s+-(?:rf|fr|r\s+-f)\s+(?:--no-preserve-root\s+)?[\"']?(?:/|~|\$HOME)"),
        (
            _ENCODED,
            (
                r"data:[\w/+.-]{1,60};base64,|(?:\\x[0-9a-f]{2}){8}|(?:%[0-9a-f]{2}){12}|(?:&#x?[0-9a-f]{1,6};){6}"
                r"|(?<![0-9a-z])(?:[0-9a-f]{2}){48,}(?![0-9a-z])"
            ),
        ),
        (
            "has a part that a rendered page does not show",
            (
                r"<!--|^[ ]{0,3}\[[^\]\n]{1,40}\]:\s*#\s*[(\"']"
                r"|\bstyle\s*=\s*[\"'][^\"'\n]{0,300}(?:display\s*:\s*none|visibility\s*:\s*hidden"
                r"|font-size\s*:\s*0|opacity\s*:\s*0(?!\.))"
            ),
        ),
        ("has text far out of sight", r"\S[ \t]{120,}\S|\n(?:[ \t]*\r?\n){40}"),
    )
)
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/_-]{80,}={0,2}")
_COMMENT = re.compile(
    r"<!--(?:[^>\n]{0,40}|\s*(?:markdownlint|prettier|SPDX|Copyright)[^>\n]{0,80})-->", re.I
)
_FENCE = re.compile(r"^ {0,3}(```|~~~)", re.MULTILINE)
_WORD = re.compile(r"[^\W\d_]+")
_LOOKS_LIKE = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u04bb\u051b\u051d\u04cf"
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0406\u0408\u0405"
    "\u03bf\u03bd\u03c1\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
    "\u0585\u0578\u057d",
    "aeopcyxijsdhqwlABEKMHOPCTXIJSovpABEZHIKMNOPTYXonu",
)


@dataclass(frozen=True)
class Suspicion:
    """A place in a text that a person should look at before a model does.

    Args:
        line: From 1.
        column: From 1, in characters.
        what: What it may be, as the rest of a sentence that begins with the file's name.
        excerpt: It and what is around it, on one line, safe for a terminal.
    """

    line: int
    column: int
    what: str
    excerpt: str


def suspicions(text: str) -> Iterator[Suspicion]:
    """Finds what may be meant for the model and not for its reader, in the order of the text."""
    found = [*_hidden(text), *_disguised(text)]
    plain, places = _as_read(text)
    for start, end, what in _matches(plain):
        origin = places[start] if places is not None else start
        last = places[end - 1] + 1 if places is not None else end
        found.append((origin, last, what))
    seen: set[tuple[int, str]] = set()
    starts = [0]
    starts += [match.end() for match in re.finditer("\n", text)]
    for start, end, what in sorted(found):
        line = bisect_right(starts, start)
        if (line, what) not in seen:  # one of a kind is enough for a line
            seen.add((line, what))
            yield Suspicion(line, start - starts[line - 1] + 1, what, _excerpt(text, start, end))


def _matches(text: str) -> Iterator[tuple[int, int, str]]:
    """What the table finds, once for a line: a text that is made of matches costs no more than another."""
    fences = _fences(text)
    for what, form in _FORMS:
        until = -1
        for match in form.finditer(text):
            start, end = match.span()
            if start < until or (match[0] == "<!--" and _is_shown(text, start, fences)):
                continue
            until = text.find("\n", start) % (len(text) + 1)
            yield start, end, what
    for match in _BASE64.finditer(text):
        if _is_encoded(match[0]):
            yield match.start(), match.end(), _ENCODED


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


def _hidden(text: str) -> Iterator[tuple[int, int, str]]:
    """Hidden characters; several in a row are one finding."""
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    run: list[int] = []
    name = ""
    for one in hidden_characters(text):
        place = starts[one.line - 1] + one.column - 1
        if run and place != run[-1] + 1:
            yield run[0], run[-1] + 1, _named(run, name)
            run = []
        run.append(place)
        name = one.name
    if run:
        yield run[0], run[-1] + 1, _named(run, name)


def _named(run: list[int], name: str) -> str:
    return (
        f"has the hidden character {name}" if len(run) == 1 else f"has {len(run)} hidden characters in a row"
    )


def _disguised(text: str) -> Iterator[tuple[int, int, str]]:
    """Words in which letters of another script stand for Latin ones."""
    if text.isascii():
        return
    for match in _WORD.finditer(text):
        word = match[0]
        if not word.isascii() and word.translate(_LOOKS_LIKE).isascii() and re.search("[A-Za-z]", word):
            yield match.start(), match.end(), "has a word with letters that only look Latin"


def _as_read(text: str) -> tuple[str, list[int] | None]:
    """The text as a reader sees it, and where each of its characters stands in the original; None: where it is."""
    if text.isascii() and text.isprintable():
        return text, None
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    hidden = {starts[one.line - 1] + one.column - 1 for one in hidden_characters(text)}
    if text.isascii() and not hidden:
        return text, None
    places = [place for place in range(len(text)) if place not in hidden]
    return "".join(_plain(text[place]) for place in places), places


def _plain(character: str) -> str:
    """The ASCII character that it looks like, if any."""
    if character.isascii():
        return character
    folded = unicodedata.normalize("NFKC", character)
    return folded if len(folded) == 1 and folded.isascii() else character.translate(_LOOKS_LIKE)


def _excerpt(text: str, start: int, end: int) -> str:
    """What was found, with what stands around it on its line."""
    first = max(text.rfind("\n", 0, start) + 1, start - _AROUND)
    end = min(end, start + _SHOWN)
    stop = text.find("\n", end)
    last = min(len(text) if stop < 0 else stop, end + _AROUND)
    before, behind = ("..." if first and text[first - 1] != "\n" else ""), "..." if last < len(text) else ""
    if text[last : last + 1] == "\n":
        behind = ""
    return before + one_line(printable(text[first:last])) + behind
