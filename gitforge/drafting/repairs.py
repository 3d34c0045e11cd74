"""Mends in a model's answer what can be mended without a doubt, and says what was done.

A model often wraps the text that it was asked for: in a code fence, in remarks to its reader, in the tags that
show its reasoning. Those are taken off, nothing inside is changed but what nobody can see and the headings' level.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from gitforge.drafting.phrases import begins
from gitforge.drafting.rules import Rules
from gitforge.text import hidden_characters

_FENCED = re.compile(r"(`{3,}|~{3,})(?:markdown|md|text|txt|yaml)?[ \t]*\n(.*?)\n?\1[ \t]*", re.DOTALL)
_OPENED = re.compile(r"(`{3,}|~{3,})(?:markdown|md|text|txt)[ \t]*\n")
_TAGGED = re.compile(r"<([A-Za-z][\w-]{0,40})(?: [^<>\n]{0,200})?>[ \t]*\n(.*)\n[ \t]*</\1>", re.DOTALL)
_TAG = re.compile(r"</?([A-Za-z][\w-]{0,40})(?: [^<>\n]{0,200})?>")
_HEADING = re.compile(r"(#{1,6})(?=[ \t]+\S)")
_FENCE_LINE = re.compile(r"[ ]{0,3}(`{3,}|~{3,})")
_BREAK = re.compile(r"(?:-{3,}|\*{3,}|_{3,})[ \t]*(?:\n|\Z)")
_INVISIBLE = "\ufeff\u200b\u200c\u200d\u2060\u00ad"  # taking one out moves nothing and joins no words


def repair(answer: str, rules: Rules) -> tuple[str, tuple[str, ...]]:
    """The text in a model's answer, and each repair in one line.

    Args:
        answer: Everything that the model said.
        rules: Which remarks are known, and the level of the first heading.
    """
    repairs: list[str] = []
    text = answer.strip()
    steps: tuple[Callable[[str, Rules], tuple[str, str]], ...] = (
        _without_invisible,
        _without_reasoning,
        _without_chat_before,
        _without_chat_behind,
        _unfenced,
        _untagged,
    )
    for _ in range(10):  # a fence inside remarks inside a fence
        before = text
        for step in steps:
            mended, said = step(text, rules)
            if mended != text:
                text = mended.strip()
                repairs.append(said)
        if text == before:
            break
    mended, said = _with_level(text, rules)
    if mended != text:
        repairs.append(said)
    return mended, tuple(dict.fromkeys(repairs))


def unfenced(text: str) -> str:
    """The text without the code fence that is around the whole of it."""
    fenced = _FENCED.fullmatch(text)
    return fenced[2].strip() if fenced and fenced[1] not in fenced[2] else text


def lines_outside_code(text: str) -> Iterator[tuple[int, str]]:
    """The lines that stand in no code fence, with their number from 1."""
    fence = ""
    for number, line in enumerate(text.split("\n"), start=1):
        mark = _FENCE_LINE.match(line)
        if not fence and mark:
            fence = mark[1]
        elif fence and mark and mark[1].startswith(fence) and line.strip() == mark[1]:
            fence = ""
        elif not fence:
            yield number, line


def _without_invisible(text: str, _: Rules) -> tuple[str, str]:
    if not any(character in text for character in _INVISIBLE):
        return text, ""
    unseen = [one for one in hidden_characters(text) if one.character in _INVISIBLE]
    if not unseen:
        return text, ""
    places: dict[int, set[int]] = {}
    for one in unseen:
        places.setdefault(one.line, set()).add(one.column)
    lines = text.split("\n")
    for number, columns in places.items():
        line = lines[number - 1]
        lines[number - 1] = "".join(c for column, c in enumerate(line, start=1) if column not in columns)
    return "\n".join(lines), "took out characters of no width"


def _without_reasoning(text: str, rules: Rules) -> tuple[str, str]:
    for tag in rules.reasoning:
        if text.startswith(f"<{tag}>") and (end := text.find(f"</{tag}>")) >= 0:
            return text[end + len(tag) + 3 :], f"took off the reasoning in <{tag}>"
    return text, ""


def _without_chat_before(text: str, rules: Rules) -> tuple[str, str]:
    """Takes off a first paragraph that announces the text."""
    paragraph, _, rest = _first_paragraph(text)
    if not rest.strip() or paragraph.startswith("#") or not begins(paragraph, rules.chat_before):
        return text, ""
    rest = rest.strip("\n")
    line = _BREAK.match(rest)
    if line and not re.match(r"[\w-]+:", rest[line.end() :]):  # or else it begins front matter
        rest = rest[line.end() :]
    return rest, f"took off the remark before the text: {_short(paragraph)}"


def _first_paragraph(text: str) -> tuple[str, str, str]:
    """Up to the first blank line, heading or fence."""
    end = re.search(r"\n(?=[ \t]*\n|#{1,6} |```|~~~|---)", text)
    return (text[: end.start()], "\n", text[end.end() :]) if end else (text, "", "")


def _without_chat_behind(text: str, rules: Rules) -> tuple[str, str]:
    """Takes off a last paragraph that speaks to whoever asked."""
    before, _, last = text.rpartition("\n\n")
    if not before.strip():
        return text, ""
    inside_code = len(text.split("\n")) not in {number for number, _ in lines_outside_code(text)}
    if inside_code or not begins(last.strip(), rules.chat_after):
        return text, ""
    before = re.sub(r"\n[ \t]*(?:-{3,}|\*{3,}|_{3,})[ \t]*\Z", "", before.rstrip())
    return before, f"took off the remark behind the text: {_short(last.strip())}"


def _unfenced(text: str, _: Rules) -> tuple[str, str]:
    bare = unfenced(text)
    opened = _OPENED.match(text)
    if bare == text and opened and text.count(opened[1]) == 1:
        bare = text[opened.end() :]
    return bare, "took off the code fence around the text"


def _untagged(text: str, _: Rules) -> tuple[str, str]:
    tagged = _TAGGED.fullmatch(text)
    if tagged and f"</{tagged[1]}>" not in tagged[2]:
        return tagged[2], f"took off the tag <{tagged[1]}> around the text"
    first, behind = text.partition("\n")[::2]
    before, last = text.rpartition("\n")[::2]
    opened, closed = _TAG.fullmatch(first.strip()), _TAG.fullmatch(last.strip())
    if behind and opened and not first.startswith("</") and f"</{opened[1]}>" not in behind:
        return behind, f"took off {first.strip()} before the text"
    if before and closed and last.startswith("</") and f"<{closed[1]}" not in before:
        return before, f"took off {last.strip()} behind the text"
    return text, ""


def _with_level(text: str, rules: Rules) -> tuple[str, str]:
    """Moves the first heading to the kind's level and all others by as much, down to level 6 and up to 1."""
    first = next((match for _, line in lines_outside_code(text) if (match := _HEADING.match(line))), None)
    if first is None or not rules.heading_level or len(first[1]) == rules.heading_level:
        return text, ""
    by = rules.heading_level - len(first[1])
    lines = text.split("\n")
    for number, line in lines_outside_code(text):
        heading = _HEADING.match(line)
        if heading:
            lines[number - 1] = "#" * min(6, max(1, len(heading[1]) + by)) + line[heading.end() :]
    return "\n".join(lines), f"moved the headings, of which the first is now of level {rules.heading_level}"


def _short(text: str) -> str:
    line = text.split("\n", 1)[0].strip()
    return f"{line[:60]}..." if len(line) > 60 else line
