"""What a draft has to be like: read from `library/generators/default.rules.yaml` and `<kind>.rules.yaml`.

The files are data of the workspace, perhaps a stranger's: phrases in plain words, no regular expressions, and
bounds on everything. What a file leaves out is taken from the one before it: gitforge's default, gitforge's for
the kind, the library's default, the library's for the kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from gitforge import documents, starter
from gitforge.documents import Document
from gitforge.errors import InvalidFile, Problem
from gitforge.templates import Templates
from gitforge.text import did_you_mean, printable

SUFFIX = ".rules.yaml"
DEFAULT = "default"
MAX_BYTES = 64 * 1024
MAX_PHRASES = 200
MAX_PHRASE = 200  # characters
OUTLINE = "outline"


@dataclass(frozen=True)
class Rules:
    """What is asked of the drafts of one kind. `library/generators/default.rules.yaml` explains each.

    Attributes:
        retry: Whether a refused draft is asked for once more.
        examples: How many components of the kind the prompt shows.
        excerpt: How many characters of each component the prompt shows.
        min_words: Fewer are refused.
        max_words: More are refused.
        headings: Those that the draft must have; None: those of its outline.
        heading_level: The level that the first heading is moved to, and the others with it; 0: as it is.
        must_contain: Phrases of which none may be missing.
        forbid: Phrases that may stand nowhere.
        alike: Per cent of five-word runs from which a draft is a copy.
        repeated: Per cent of five-word runs said again from which a draft goes round in circles.
        repeated_lines: How often a line or sentence may stand in it.
        refusals: How sentences begin in which a model refuses.
        chat_before: How the remarks begin that models put before a text.
        chat_after: How the remarks begin that models put behind it.
        reasoning: The tags between which models show what they reasoned.
    """

    retry: bool = True
    examples: int = 2
    excerpt: int = 6000
    min_words: int = 0
    max_words: int = 100_000
    headings: tuple[str, ...] | None = None
    heading_level: int = 0
    must_contain: tuple[str, ...] = ()
    forbid: tuple[str, ...] = ()
    alike: int = 100
    repeated: int = 100
    repeated_lines: int = 1000
    refusals: tuple[str, ...] = ()
    chat_before: tuple[str, ...] = ()
    chat_after: tuple[str, ...] = ()
    reasoning: tuple[str, ...] = ()


_BOUNDS = {
    "examples": (0, 10),
    "excerpt": (200, 100_000),
    "min_words": (0, 100_000),
    "max_words": (1, 100_000),
    "heading_level": (0, 6),
    "alike": (1, 100),
    "repeated": (1, 100),
    "repeated_lines": (1, 1000),
}
_KEYS = tuple(field.name for field in fields(Rules))


def load(templates: Templates, kind: str) -> Rules:
    """The rules for a kind's drafts.

    Raises:
        InvalidFile: A file of rules has errors; every one is listed.
        UserError: One cannot be read.
    """
    values: dict[str, Any] = {}
    read: dict[str, Mapping[str, Any]] = {}  # by text: a workspace has mostly the starter's
    names = [f"generators/{name}{SUFFIX}" for name in (DEFAULT, kind)]
    for folder in (starter.library(), templates.folder):
        for name in names:
            path = folder / name
            if path.is_file():
                if folder is templates.folder:
                    templates.find(name)  # refuses a link that leads out of the workspace
                text = documents.read_text(path, f"library/{name}", MAX_BYTES)
                if text not in read:
                    read[text] = _parse(text, f"library/{name}")
                values |= read[text]
    return Rules(**values)


def problems(path: Path, name: str) -> Iterable[Problem]:
    """What is wrong in a file of rules.

    Args:
        path: The file.
        name: How the problems call it.
    """
    try:
        _parse(documents.read_text(path, name, MAX_BYTES), name)
    except InvalidFile as error:
        return error.problems
    return ()


def _parse(text: str, name: str) -> Mapping[str, Any]:
    document = documents.parse(text, name)
    if document.data is None:
        return {}
    if not isinstance(document.data, dict):
        raise InvalidFile([Problem(name, "must be a mapping of rules, for example `min_words: 80`", 1)])
    found = [*document.duplicates]
    values: dict[str, Any] = {}
    for key, given in document.data.items():
        if key not in _KEYS:
            hint = did_you_mean(key, list(_KEYS)) or f"The rules are {', '.join(_KEYS)}."
            found.append(Problem(name, f"unknown rule {printable(key)!r}", document.line([key]), hint))
            continue
        wrong = _wrong(document, key, given)
        found += wrong
        if not wrong:
            is_list = isinstance(given, list)
            values[key] = tuple(given) if is_list else None if key == "headings" else given
    lowest, highest = values.get("min_words"), values.get("max_words")
    if lowest is not None and highest is not None and lowest > highest:
        message = f"min_words is {lowest}, and max_words only {highest}"
        found.append(Problem(name, message, document.line(["max_words"])))
    if found:
        raise InvalidFile(sorted(found, key=lambda problem: problem.line or 0))
    return values


def _wrong(document: Document, key: str, given: Any) -> list[Problem]:
    """What is wrong with one rule."""

    def problem(message: str, hint: str | None = None, *more: int) -> Problem:
        return Problem(document.file, f"{key!r} {message}", document.line([key, *more]), hint)

    if key == "retry":
        return [] if isinstance(given, bool) else [problem("must be true or false")]
    if key in _BOUNDS:
        low, high = _BOUNDS[key]
        is_whole = isinstance(given, int) and not isinstance(given, bool)
        return (
            [] if is_whole and low <= given <= high else [problem(f"must be a whole number, {low} to {high}")]
        )
    if key == "headings" and given == OUTLINE:
        return []
    if not isinstance(given, list):
        what = "a list, or `outline`" if key == "headings" else "a list of phrases"
        return [problem(f"must be {what}", "Write it as `[first phrase, second phrase]`.")]
    if len(given) > MAX_PHRASES:
        return [problem(f"has {len(given)} phrases; {MAX_PHRASES} are allowed")]
    found = []
    for index, phrase in enumerate(given):
        if not isinstance(phrase, str):
            found.append(problem("has something that is not text", "Put quotes around it.", index))
        elif not phrase.strip(" .") or len(phrase) > MAX_PHRASE:
            found.append(
                problem(f"has a phrase that is empty or longer than {MAX_PHRASE} characters", None, index)
            )
    return found
