"""Text from strangers: what may hide in it, and how to show it without harm."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

_JOINERS = "\u200c\u200d"  # legitimate inside some scripts and emoji, never between ASCII characters
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")  # printable to Python, hidden to a reader
_KEYCAPS = tuple("#*0123456789")  # become emoji with a variation selector behind them
MAX_TASK = 200  # characters
_BREAKS = {ord(sign): f"\\x{ord(sign):02x}" for sign in "\n\r\t"}
_PLAIN = frozenset("\n\r\t") | frozenset(map(chr, range(0x20, 0x7F)))


_ODD = re.compile(r"[\0-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)")  # what is hidden among ASCII
_UNSURE = re.compile(r"[^\n\t -~]")  # what may be hidden at all


class HiddenCharacter:  # no dataclass: all that prints imports this module, and nearly nothing else
    """A character that a reader of the text would not see, or that would move what they see."""

    def __init__(self, line: int, column: int, character: str) -> None:
        self.line = line
        self.column = column
        self.character = character

    @property
    def name(self) -> str:
        """For example `U+202E RIGHT-TO-LEFT OVERRIDE`."""
        return f"U+{ord(self.character):04X} {unicodedata.name(self.character, 'control character')}"


def hidden_characters(text: str) -> Iterator[HiddenCharacter]:
    """Finds control, formatting, private and unassigned characters, with line and column from 1.

    Newline, carriage return before a newline, and tab are plain text. Joiners and variation selectors are
    accepted beside a non-ASCII character, where scripts and emoji need them. Source: Unicode Technical
    Report 36 (security considerations) and CVE-2021-42574 ("Trojan Source").
    """
    if text.isascii() and _ODD.search(text) is None:
        return
    line, start, last = 1, 0, 0
    for match in _UNSURE.finditer(text):
        place = match.start()
        if _is_hidden(text, place):
            if count := text.count("\n", last, place):
                line, start = line + count, text.rfind("\n", last, place) + 1
            last = place
            yield HiddenCharacter(line, place - start + 1, match[0])


def _is_hidden(text: str, index: int) -> bool:
    character = text[index]
    if character in _PLAIN:
        return character == "\r" and text[index + 1 : index + 2] != "\n"
    before = text[index - 1 : index]
    if character in _JOINERS:
        return (before + text[index + 1 : index + 2]).isascii()
    if "\ufe00" <= character <= "\ufe0f":
        return before.isascii() and before not in _KEYCAPS
    if "\U000e0100" <= character <= "\U000e01ef":
        return True
    return unicodedata.category(character) in {"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"}


def printable(text: str) -> str:
    """The text with everything hidden spelled out, so that a terminal shows it and does not obey it."""
    if text.isprintable() and _SELECTORS.search(text) is None:
        return text
    return "".join(
        _escape(character) if _is_hidden(text, index) else character for index, character in enumerate(text)
    )


def printable_line(text: str) -> str:
    """The same on one line, with line breaks and tabs spelled out too: what a name must not forge is another row."""
    shown = printable(text)
    return shown if text.isprintable() else shown.translate(_BREAKS)


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"<U+{code:04X}>"


def did_you_mean(word: str, known: Iterator[str] | list[str]) -> str | None:
    """A hint that names the closest known word, or None where nothing is close."""
    from difflib import get_close_matches  # noqa: PLC0415 -- where there is something wrong

    folded = {name.casefold(): name for name in known}
    close = get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)
    return f"Did you mean {folded[close[0]]!r}?" if close else None


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 commit`, `2 commits`; `many` where that is not the word with an `s` behind it."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def one_line(text: str) -> str:
    """The text on one line: every run of white space becomes one space."""
    return " ".join(text.split())


def excerpt(text: str, limit: int) -> str:
    """The text, or its beginning with the number of characters that were cut; cut between lines or words."""
    if len(text) <= limit:
        return text
    kept = text[:limit]
    for between in ("\n", " "):
        place = kept.rfind(between)
        if place > limit // 2:
            kept = kept[:place]
            break
    return f"{kept.rstrip()}\n[cut here: {len(text) - len(kept):,} more characters]"


def without_hidden(text: str) -> str:
    """The text with a space in place of each hidden character."""
    while hidden := {
        (one.line, one.column) for one in hidden_characters(text)
    }:  # one may have excused the next
        lines = (
            "".join(" " if (number, column) in hidden else c for column, c in enumerate(line, start=1))
            for number, line in enumerate(text.split("\n"), start=1)
        )
        text = "\n".join(lines)
    return text


def as_role(title: str) -> str:
    """A title as the name of somebody or something: `Digital detective` becomes `a digital detective`."""
    words = [word if word.isupper() and len(word) > 1 else word.lower() for word in title.split()]
    noun = " ".join(words)
    is_vowel = re.match(r"(?i)[aeio]|u(?!n[ia]|s|t[ei]|r[aeiou]|k)|h(our|onest|eir)", noun)
    sounds_otherwise = re.match(r"(?i)(one|once|eu|ew)", noun)
    return f"{'an' if is_vowel and not sounds_otherwise else 'a'} {noun}" if noun else noun


def as_task(purpose: str) -> tuple[str, str]:
    """What a purpose of the form `To do this. More.` asks to be done, and the rest of it: `do this`, `More.`

    Two empty texts where it has another form, or is too long to stand inside a sentence.
    """
    found = re.match(r"(?:In order )?to (?=[a-z])(.+)", one_line(purpose), re.IGNORECASE)
    if found is None:
        return "", ""
    first, *rest = re.split(r"(?<=[^.A-Z][^.\s][.!?]) ", found[1], maxsplit=1)
    task = first.rstrip(".!?;: ")
    return (task, rest[0] if rest else "") if len(task) <= MAX_TASK else ("", "")


def as_diff(path: str, old: str | None, new: str) -> str:
    """A unified diff as git writes it; `old` is None for a new file."""
    from difflib import unified_diff  # noqa: PLC0415

    before, after = _git_lines(old or ""), _git_lines(new)
    source = "/dev/null" if old is None else f"a/{path}"
    lines = unified_diff(before, after, source, f"b/{path}")
    marked = (line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
    return "".join(marked)


def _git_lines(text: str) -> list[str]:
    """Lines as git has them: `str.splitlines` would also break at form feeds, lone returns and the like."""
    return re.findall(r".*\n|.+", text)
