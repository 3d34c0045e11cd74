"""Why a draft should not be recorded as it is: each reason in one line, for the engineer and for the model.

Pure but for reading the other components of the kind, which `Setting.others` does when it is called.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from gitforge.components import split_front_matter
from gitforge.drafting.closeness import RUN, Likeness, alike, likeness, runs, words
from gitforge.drafting.phrases import begins, contains
from gitforge.drafting.repairs import lines_outside_code
from gitforge.drafting.rules import Rules
from gitforge.drafting.secret_forms import secrets_in
from gitforge.text import one_line, printable

_HEADING = re.compile(r"[ ]{0,3}#{1,6}[ \t]+(.*\S)")
_UNDERLINE = re.compile(r"[ ]{0,3}(?:=+|-{2,})[ \t]*")
_TAG = re.compile(r"</?([A-Za-z][\w-]{0,40})(?: [^<>\n]{0,200})?>")
_SENTENCE = re.compile(r"(?<=[.!?:])[ \t]+|\n")
_ECHO = 10  # words of the prompt's own that no text has by chance
_LINE = 5  # words that make a line of the prompt one that no text has by chance
_BEGINNING = 600  # characters in which a model that refuses has done so
_TOLD = 3  # of a kind; the rest is counted


@dataclass(frozen=True)
class Setting:
    """What a draft is judged by.

    Attributes:
        rules: Of its kind.
        outline: The outline that it was to follow.
        instructions: What the prompt says in its own words, without what it quotes.
        given: Name and text of each component that stood in the prompt.
        others: Gives name and content of every other component of the kind.
    """

    rules: Rules
    outline: str = ""
    instructions: str = ""
    given: tuple[tuple[str, str], ...] = ()
    others: Callable[[], Iterable[tuple[str, bytes]]] = tuple


def problems(text: str, setting: Setting) -> tuple[str, ...]:
    """Every reason to refuse a draft; none for a good one. The same text and setting give the same.

    Args:
        text: The draft, repaired.
        setting: What it is judged by.
    """
    rules = setting.rules
    if not text.strip():
        return ("it is empty",)
    refusal = _refusal(text, rules)
    if refusal:
        return (refusal,)  # the rest would only repeat it
    found = [
        *_chat(text, rules),
        *_echoes(text, setting.instructions),
        *_copies(text, setting),
        *_secrets(text),
        *_missing(text, rules, setting.outline),
        *_forbidden(text, rules),
        *_size(text, rules),
        *_repetition(text, rules),
    ]
    return tuple(dict.fromkeys(found))


def headings(text: str) -> list[str]:
    """The headings of a Markdown text, without their marks."""
    found, above = [], ""
    for _, line in lines_outside_code(text):
        heading = _HEADING.fullmatch(line.rstrip())
        if heading:
            found.append(heading[1].rstrip("# \t"))
        elif above and _UNDERLINE.fullmatch(line):
            found.append(above)
        is_text = (
            heading is None and bool(line.strip()) and not line.lstrip().startswith(("-", "*", ">", "|"))
        )
        above = line.strip() if is_text else ""
    return found


def _refusal(text: str, rules: Rules) -> str | None:
    for sentence in _SENTENCE.split(text[:_BEGINNING]):
        if not sentence.startswith("#") and begins(sentence, rules.refusals):
            return f"it is a refusal: {_quote(sentence)}"
    return None


def _chat(text: str, rules: Rules) -> Iterator[str]:
    paragraphs = [part for part in re.split(r"\n[ \t]*\n", text.strip()) if part.strip()]
    for place, phrases in ((0, rules.chat_before), (-1, rules.chat_after)):
        if not paragraphs[place].startswith("#") and begins(paragraphs[place], phrases):
            yield f"it speaks to whoever asked for it: {_quote(paragraphs[place])}"


def _echoes(text: str, instructions: str) -> Iterator[str]:
    """The prompt's own words in the draft: its tags, its lines, and long runs of its words."""
    tags = {name.lower() for name in _TAG.findall(instructions)}
    told = [found[0] for found in _TAG.finditer(text) if found[1].lower() in tags]
    said = {
        " ".join(map(repr, found)) for line in instructions.split("\n") if len(found := words(line)) >= _LINE
    }
    told += [line for line in text.split("\n") if " ".join(map(repr, words(line))) in said]
    if not told:
        long_runs = set(runs(instructions, _ECHO))
        shared = next((run for run in runs(text, _ECHO) if run in long_runs), None)
        told = [shared.decode("utf-8", "replace")] if shared else []
    for echo in list(dict.fromkeys(told))[:_TOLD]:
        yield f"it repeats the prompt: {_quote(echo)}"


def _copies(text: str, setting: Setting) -> Iterator[str]:
    limit = setting.rules.alike / 100
    told = frozenset(runs(setting.outline))  # what every component of the kind has from it is no copy
    found = [likeness(text, name, other, told) for name, other in setting.given]
    found += alike(text, setting.others(), told)
    by_name = {one.name: one for one in found if one.most >= limit}
    for one in sorted(by_name.values(), key=lambda one: (-one.most, one.name))[:_TOLD]:
        yield _explain(one)


def _explain(one: Likeness) -> str:
    name = printable(one.name)
    if one.share >= one.of_other:
        return f"{one.share:.0%} of its {RUN}-word runs are those of {name}".replace("%", " %")
    return f"{one.of_other:.0%} of the {RUN}-word runs of {name} are in it".replace("%", " %")


def _secrets(text: str) -> Iterator[str]:
    for count, (line, form) in enumerate(secrets_in(text)):
        if count < _TOLD:
            yield f"line {line} has what looks like {form}"


def _missing(text: str, rules: Rules, outline: str) -> Iterator[str]:
    """The headings and phrases that it must have; a heading may say more than was asked, at any level."""
    wanted = headings(outline) if rules.headings is None else rules.headings
    there = [words(heading) for heading in headings(text)]
    lacks = [one for one in wanted if not any(_says(have, words(one)) for have in there)]
    if lacks:
        listed = ", ".join(f"{printable(one)!r}" for one in lacks)
        yield f"it lacks the heading{'s' if len(lacks) > 1 else ''} {listed}"
    body = split_front_matter(text)[1].strip()
    if wanted and rules.headings is None and not headings("\n".join(body.split("\n")[:2])):
        yield f"it begins with {_quote(body.split(chr(10))[0])} instead of a heading"
    have = {phrase for line in text.split("\n") for phrase in contains(line, rules.must_contain)}
    phrases = [phrase for phrase in rules.must_contain if phrase not in have]
    if phrases:
        yield f"it lacks what its kind must have: {', '.join(repr(printable(one)) for one in phrases)}"


def _says(heading: list[bytes], wanted: list[bytes]) -> bool:
    """Whether a heading has all words of another one; `Trade-offs` and `tradeoffs` are the same."""
    return set(wanted) <= set(heading) or b"".join(wanted) in b"".join(heading)


def _forbidden(text: str, rules: Rules) -> Iterator[str]:
    told: Counter[str] = Counter()
    for number, line in enumerate(text.split("\n"), start=1):
        for phrase in contains(line, rules.forbid):
            told[phrase] += 1
            if told[phrase] == 1:
                yield f"line {number} has {printable(phrase)!r}: {_quote(line)}"


def _size(text: str, rules: Rules) -> Iterator[str]:
    count = len(text.split())
    if count < rules.min_words:
        yield f"it has {count:,} words; at least {rules.min_words:,} are needed"
    if count > rules.max_words:
        yield f"it has {count:,} words; at most {rules.max_words:,} are allowed"


def _repetition(text: str, rules: Rules) -> Iterator[str]:
    sentences = (one_line(part) for _, line in lines_outside_code(text) for part in _SENTENCE.split(line))
    counted = Counter(part for part in sentences if len(words(part)) >= 3)
    most, times = counted.most_common(1)[0] if counted else ("", 0)
    if times > rules.repeated_lines:
        yield f"it goes round in circles: {_quote(most)} stands in it {times} times"
        return
    all_runs = runs(text)
    again = 1 - len(set(all_runs)) / len(all_runs) if len(all_runs) >= 2 * RUN else 0.0
    if again * 100 >= rules.repeated:
        yield f"it goes round in circles: {again * 100:.0f} % of its {RUN}-word runs were said before"


def _quote(text: str) -> str:
    """A short excerpt on one line, safe for a terminal, without what looks like a secret."""
    line = one_line(text[:400])
    if any(secrets_in(line)):
        return "(a line with what looks like a secret)"
    return f"{printable(line[:70])!r}" + ("..." if len(line) > 70 else "")
