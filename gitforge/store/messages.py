"""What commit messages say about components: in groups of trailers that each begin with `Component`.

A group's `Blob` binds it to one exact text: when somebody amends, squashes or rebases so that the path holds
something else, the group says nothing about that. Groups are found in every paragraph of a message, because a
squash merge puts many messages into one; indented ones only behind the line by which git begins such a message, for
elsewhere they are a quotation. Source: git-interpret-trailers(1), for the form of a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gitforge.llm import OUTLINE_LABEL

COMPONENT, BLOB, DRAFT, REPLACES = "Component", "Blob", "Draft", "Replaces"
PROMPT = "Prompt-Id"
ADOPTED = "Adopted-from"
ASSISTED, REVIEWED, WITHDRAWN = "Assisted-by", "Reviewed-by", "Review-withdrawn-by"

OUTLINE = "offline outline"
"""What a reader is told where no language model wrote a text."""

_LABEL = "gitforge:"
_LINE = re.compile(r"([A-Za-z][A-Za-z0-9-]*): (.*)")
_PICKED = "(cherry picked from commit "
_SQUASHED = "Squashed commit of the following:"
_INDENT = " " * 4  # by which `git merge --squash` indents the messages that follow that line


@dataclass(frozen=True)
class Group:
    """What a commit says about one component.

    Attributes:
        path: The component, from the repository's root.
        trailers: Value by name, with those that the commit says of all its components.
    """

    path: str
    trailers: Mapping[str, str]

    @property
    def blob(self) -> str | None:
        """Id of the text that it speaks of."""
        return self.trailers.get(BLOB)

    @property
    def draft(self) -> str | None:
        """Id of the text as it was written, where somebody changed it before it was recorded."""
        return self.trailers.get(DRAFT)

    @property
    def is_generation(self) -> bool:
        """Whether the text was generated, by a model or from the outline."""
        return self.trailers.get(ASSISTED, "").startswith(_LABEL)

    @property
    def is_outline(self) -> bool:
        """Whether it is the offline outline."""
        return self.trailers.get(ASSISTED) == _LABEL + OUTLINE_LABEL

    @property
    def model(self) -> str | None:
        """The language model that wrote the text, if one did."""
        return (
            self.trailers[ASSISTED].removeprefix(_LABEL)
            if self.is_generation and not self.is_outline
            else None
        )

    @property
    def writer(self) -> str | None:
        """Who wrote the text, in a word: the model, or `OUTLINE`; None where people did."""
        return OUTLINE if self.is_outline else self.model

    @property
    def reviewer(self) -> str | None:
        """Who saw exactly this text and accepted it."""
        return self.trailers.get(REVIEWED)


@dataclass(frozen=True)
class Message:
    """A commit's message.

    Attributes:
        subject: Its first paragraph, as one line.
        body: The other paragraphs, but for those of trailers.
        common: Name and value of the trailers that are about the commit as a whole.
        groups: What it says about components.
    """

    subject: str
    body: str
    common: tuple[tuple[str, str], ...]
    groups: tuple[Group, ...]

    def about(self, path: str) -> Group | None:
        """The group of one component."""
        return next((group for group in self.groups if group.path == path), None)

    def of_text(self, path: str, blob: str | None) -> Group | None:
        """The group of exactly the text that the commit has at a path; wherever it was then, if no group has the path.

        Args:
            path: The component, as it is called in the commit.
            blob: Id of its text.
        """
        here = [one for one in self.groups if one.path == path]
        if here or blob is None:
            return next((one for one in here if one.blob in {None, blob}), None)
        return next((one for one in self.groups if one.blob == blob), None)


def parse(message: str) -> Message:
    """Reads a whole message, as `git log --format=%B` gives it."""
    subject, *rest = [part for part in re.split(r"\n(?:[^\S\n]*\n)+", message.strip()) if part.strip()] or [
        ""
    ]
    common: list[tuple[str, str]] = []
    groups: list[Group] = []
    body: list[str] = []
    indents = _after_squash(subject, [""])
    for number, paragraph in enumerate(rest, start=1):
        pairs = _pairs(paragraph, indents)
        indents = _after_squash(paragraph, indents)
        has_groups = len(pairs) > 1 and any(name == COMPONENT for name, _ in pairs)
        if not pairs or not (has_groups or number == len(rest)):
            body.append(paragraph.strip())
            continue
        shared = _before_groups(pairs)
        common += shared
        if has_groups:
            groups += _groups(pairs[len(shared) :], dict(shared))
    return Message(" ".join(subject.split()), "\n\n".join(body), tuple(common), tuple(groups))


def _after_squash(paragraph: str, indents: list[str]) -> list[str]:
    """By how much trailers may be indented behind a paragraph: each squash adds to those that were allowed."""
    lines = {line.rstrip() for line in paragraph.split("\n")}
    return indents + [indent + _INDENT for indent in indents if indent + _SQUASHED in lines]


def _pairs(paragraph: str, indents: Sequence[str]) -> list[tuple[str, str]]:
    """Name and value of each line; empty where a line is no trailer, or is indented otherwise."""
    lines = paragraph.strip("\n").splitlines()
    indent = lines[0][: len(lines[0]) - len(lines[0].lstrip())]
    if indent not in indents:
        return []
    pairs = []
    for line in lines:
        found = _LINE.fullmatch(line.removeprefix(indent).rstrip())
        if found is not None and line.startswith(indent):
            pairs.append((found[1], found[2]))
        elif not line.strip().startswith(_PICKED):
            return []
    return pairs


def _before_groups(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    names = [name for name, _ in pairs]
    return list(pairs[: names.index(COMPONENT)] if COMPONENT in names else pairs)


def _groups(pairs: Sequence[tuple[str, str]], common: Mapping[str, str]) -> Iterator[Group]:
    starts = [number for number, (name, _) in enumerate(pairs) if name == COMPONENT]
    for start, end in zip(starts, [*starts[1:], len(pairs)], strict=True):
        yield Group(pairs[start][1], {**common, **dict(pairs[start:end])})
