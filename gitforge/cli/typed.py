"""What was typed so far on a shell's command line, and how a word goes on there."""

from __future__ import annotations

from dataclasses import dataclass

_SPECIAL = frozenset(" \t\n'\"\\$`!#&|;<>()[]{}*?~^=%")
_IN_DOUBLE_QUOTES = frozenset('"$`\\!')


@dataclass(frozen=True)
class Typed:
    """A command line up to the cursor.

    Attributes:
        words: The words before the one at the cursor, without quotes.
        word: That word, without quotes.
        quote: The quotation mark that is open at the cursor, or an empty text.
        start: How much of the word, in characters, stays as it is: the shell replaces only what is behind it.
    """

    words: tuple[str, ...]
    word: str
    quote: str
    start: int

    def ending(self, value: str) -> str:
        """How a value that begins with the word goes on the line, from `start` on."""
        rest = value[self.start :]
        if self.quote == "'":
            return rest.replace("'", "'\\''")
        special = _IN_DOUBLE_QUOTES if self.quote else _SPECIAL
        return "".join(f"\\{char}" if char in special else char for char in rest)


def typed(line: str, breaks: str) -> Typed:
    """Reads a line of bash; what is unfinished is taken as it stands.

    Args:
        line: The line up to the cursor.
        breaks: Characters at which the shell begins a new word to complete (COMP_WORDBREAKS).
    """
    words: list[str] = []
    word, quote, start = "", "", 0
    is_word = False
    chars = iter(line)
    for char in chars:
        if quote:
            if char == quote:
                quote = ""
            elif char == "\\" and quote == '"':
                following = next(chars, "")
                word += following if following in _IN_DOUBLE_QUOTES else char + following
            else:
                word += char
        elif char in " \t":
            if is_word:
                words.append(word)
            word, start, is_word = "", 0, False
        else:
            is_word = True
            if char in "'\"":
                quote, start = char, len(word)
            elif char == "\\":
                word += next(chars, "")
            else:
                word += char
                start = len(word) if char in breaks else start
    return Typed(tuple(words), word, quote, start)
