"""From a missing component to what a model is asked for it.

The words are rendered from `library/generators/`: none are in this file. What stands in the prompt comes from
people, perhaps strangers, who may have written instructions into it: nothing that they wrote can close the tag
that it stands in, and it is bounded in size.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from gitforge import names
from gitforge.assemble import describe_goal
from gitforge.components import Component, Library
from gitforge.drafting import rules as draft_rules
from gitforge.drafting.checks import Setting
from gitforge.drafting.closeness import closest, likeness, shortlist
from gitforge.drafting.rules import Rules
from gitforge.errors import UserError
from gitforge.goals import Goal, Need
from gitforge.llm import Message
from gitforge.store.history import Earlier
from gitforge.templates import Templates
from gitforge.text import as_role, as_task, excerpt, one_line, without_hidden

MAX_PURPOSE = 4000  # characters that the prompt shows
_READ = 500  # components that are read to find the closest; of more, those with the closest names
_READ_BYTES = 8192  # of each
_OUTLINE = 0.5  # share of an earlier text from which it is the outline, hardly filled in
_CLOSING = re.compile(r"<\s*/")
_QUOTED = re.compile(r'["<>]')  # a name stands in quotes
_UNFINISHED = b"TODO"  # an outline that is not filled in is no example
_SHORT = 8  # characters: what is shorter, or one word, cannot be told from the prompt's own words


@dataclass(frozen=True)
class Retry:
    """Why a draft is asked for again."""

    previous: str
    feedback: str


@dataclass(frozen=True)
class Prompt:
    """Exactly what a model is asked for one component, and the outline that the offline provider gives.

    Attributes:
        messages: What is sent; empty where no model is asked.
        outline: The outline.
        setting: What the draft is judged by; None: it is not judged.
        notices: What there is to say about the prompt, each in one line.
        brief: What it was made from; None where it cannot be made again.
    """

    messages: tuple[Message, ...]
    outline: str
    setting: Setting | None = field(default=None, repr=False, compare=False)
    notices: tuple[str, ...] = ()
    brief: Brief | None = field(default=None, repr=False, compare=False)

    @property
    def sent(self) -> str:
        """The messages as compact JSON, in the form in which every chat API takes them; empty without any."""
        if not self.messages:
            return ""
        plain = [{"role": message.role, "content": message.content} for message in self.messages]
        return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))

    @property
    def id(self) -> str:
        """SHA-256 of what is sent: the same prompt has the same id everywhere; empty where nothing is sent."""
        return f"sha256:{hashlib.sha256(self.sent.encode()).hexdigest()}" if self.messages else ""

    def again(self, text: str, problems: Sequence[str]) -> Prompt | None:
        """The prompt that asks for the component once more, with what was wrong; None where that is not wanted."""
        if self.brief is None or self.setting is None or not self.setting.rules.retry:
            return None
        asked = self.brief.retry.feedback.strip() if self.brief.retry else ""
        listed = "\n".join(f"- {problem}" for problem in problems)
        retry = Retry(text, f"{asked}\n{listed}".strip())
        return replace(self.brief, retry=retry).prompt()


@dataclass(frozen=True)
class Brief:
    """What the prompt for one component is made from.

    Attributes:
        templates: Where the generators are.
        library: Where the goal's other components, and examples of the kind, are.
        need: The missing component.
        goal: What it will be used for; None where it stands for itself.
        purpose: What it is for; of more than `MAX_PURPOSE` characters the prompt shows the beginning, and says so.
        retry: An earlier draft and what was wrong with it.
        earlier: What the component said before it was taken back, and why.
    """

    templates: Templates
    library: Library
    need: Need
    goal: Goal | None
    purpose: str
    retry: Retry | None = None
    earlier: tuple[Earlier, ...] = ()

    def outlined(self) -> Prompt:
        """Renders the outline alone, for where no model is asked.

        Raises:
            UserError: The outline or the rules are missing or wrong, or a component cannot be read.
        """
        rules = draft_rules.load(self.templates, self.need.kind.name)
        return Prompt((), self._outline(self._values(rules, self._siblings(), self._purpose())))

    def prompt(self) -> Prompt:
        """Renders what a model is asked.

        Raises:
            UserError: A generator or the rules are missing or wrong, or a component cannot be read.
        """
        rules = draft_rules.load(self.templates, self.need.kind.name)
        siblings, purpose = self._siblings(), self._purpose()
        values = self._values(rules, siblings, purpose)
        outline = self._outline(values)
        values |= {
            "outline": outline,
            "examples": [_about(one, rules) for one in self._read(self._closest(rules.examples))],
            "earlier": [_tell(one, rules) for one in self._written(outline)],
        }
        inert = {key: value if key == "rules" else _inert(value) for key, value in values.items()}
        blocks = self.templates.render_blocks(_generator(self.templates, self.need, ".md"), inert)
        for block in ("system", "user"):
            if block not in blocks:
                raise UserError(
                    f"library/{_generator(self.templates, self.need, '.md')}: has no block {block!r}",
                    hint="A generator extends generators/base.md, or has both blocks of its own.",
                )
        messages = (Message("system", blocks["system"].strip()), Message("user", blocks["user"].strip()))
        instructions = _without_values("\n".join(message.content for message in messages), inert)
        given = tuple((one.need.shown, one.body or "") for one in siblings)
        setting = Setting(rules, outline, instructions, given, self._others)
        whole = self._whole_purpose
        notices = (_cut(whole),) if len(whole) > MAX_PURPOSE else ()
        return Prompt(messages, outline, setting, notices, self)

    def _outline(self, values: dict[str, Any]) -> str:
        return self.templates.render(_generator(self.templates, self.need, ".outline.md"), values)

    @cached_property
    def _whole_purpose(self) -> str:
        return without_hidden(one_line(self.purpose))

    def _purpose(self) -> str:
        return excerpt(self._whole_purpose, MAX_PURPOSE)

    def _siblings(self) -> list[Component]:
        needs = self.goal.needs if self.goal else ()
        return self._read(other for other in needs if other.path != self.need.path)

    def _values(self, rules: Rules, siblings: Sequence[Component], purpose: str) -> dict[str, Any]:
        """What an outline sees: no examples and nothing of what was there earlier."""
        need, title = self.need, names.title(self.need.name)
        task, more = as_task(purpose)
        return {
            "kind": need.kind.name,
            "name": need.name,
            "title": title,
            "path": need.shown,
            "purpose": purpose,
            "goal": describe_goal(self.goal) if self.goal else None,
            "siblings": [_about(one, rules) for one in siblings],
            "examples": [],
            "earlier": [],
            "feedback": self.retry.feedback if self.retry else None,
            "previous": excerpt(self.retry.previous, rules.excerpt) if self.retry else None,
            "rules": vars(rules).copy(),
            "role": as_role(title),
            "task": task,
            "more": more,
        }

    def _read(self, needs: Iterable[Need]) -> list[Component]:
        """Those of the components that exist."""
        return [component for component in map(self.library.read, needs) if component.body is not None]

    def _written(self, outline: str) -> list[Earlier]:
        """The earlier texts that somebody wrote: not the outline itself, which the model is to follow."""
        return [one for one in self.earlier if likeness(one.text, "", outline).share < _OUTLINE]

    def _closest(self, count: int) -> list[Need]:
        """The components of the kind whose names and texts have the most in common with the name and the purpose."""
        kind, query = self.need.kind, (self.need.name, self.purpose[:MAX_PURPOSE])
        others = sorted(self.library.names(kind) - {self.need.name})
        if not count:
            return []
        read = self.library.contents(kind, shortlist(query, others, _READ), _READ_BYTES)
        texts = {name: (name, content) for name, content in read if _UNFINISHED not in content}
        return [Need(kind, name) for name in closest(query, texts, count)]

    def _others(self) -> Iterable[tuple[str, bytes]]:
        """Every other component of the kind."""
        kind = self.need.kind
        others = sorted(self.library.names(kind) - {self.need.name})
        return (
            (f"library/{kind.folder}/{name}", content)
            for name, content in self.library.contents(kind, others)
        )


def _generator(templates: Templates, need: Need, suffix: str) -> str:
    """The kind's own generator, else the default one."""
    own = f"generators/{need.kind.name}{suffix}"
    return own if templates.exists(own) else f"generators/default{suffix}"


def generators_of(templates: Templates, need: Need) -> tuple[str, str]:
    """The templates that a component's prompt and outline are made from, below `library/`."""
    return _generator(templates, need, ".md"), _generator(templates, need, ".outline.md")


def _about(component: Component, rules: Rules) -> dict[str, str]:
    """What generators see of a component that exists."""
    return {
        "kind": component.need.kind.name,
        "name": _QUOTED.sub("_", component.need.name),
        "title": component.title,
        "text": excerpt((component.body or "").strip(), rules.excerpt),
    }


def _tell(earlier: Earlier, rules: Rules) -> dict[str, str]:
    """What generators see of an earlier text."""
    text, why = (excerpt(one.strip(), rules.excerpt) for one in (earlier.text, earlier.reason))
    return {"text": text, "reason": why, "commit": earlier.commit}


def _inert(value: Any) -> Any:
    """The value without what a reader would not see, and without what could close a tag of the prompt."""
    if isinstance(value, str):
        return _CLOSING.sub(r"<\\/", without_hidden(value))
    if isinstance(value, dict):
        return {key: _inert(inner) for key, inner in value.items()}
    return [_inert(inner) for inner in value] if isinstance(value, list) else value


def _without_values(text: str, values: Any) -> str:
    """The prompt's own words: what is left of it without the longer of the values that stand in it."""
    for quoted in sorted(set(_texts(values)), key=len, reverse=True):
        text = text.replace(quoted, "\n")
    return text


def _texts(values: Any) -> Iterator[str]:
    """The texts in a value that are long enough to be told from the prompt's own words."""
    if isinstance(values, str):
        if len(quoted := values.strip()) > _SHORT and " " in quoted:
            yield quoted
    elif isinstance(values, dict | list):
        for value in values.values() if isinstance(values, dict) else values:
            yield from _texts(value)


def _cut(purpose: str) -> str:
    return f"the purpose has {len(purpose):,} characters: the prompt has the first {MAX_PURPOSE:,}"
