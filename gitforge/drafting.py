"""From a missing component to a draft of it.

What a model is asked is rendered from `library/generators/`: nothing of it is in this file. A draft is text
that is not recorded yet.
"""

from __future__ import annotations

import hashlib
import heapq
import json
import re
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from gitforge import names
from gitforge.assemble import describe_goal
from gitforge.components import MAX_BYTES, Component, Library
from gitforge.errors import ProviderError
from gitforge.goals import Goal, Need
from gitforge.llm import Message, Piece, Provider, Request, Usage
from gitforge.templates import Templates
from gitforge.text import hidden_characters, one_line

EXAMPLES = 2
_FENCED = re.compile(r"(`{3,}|~{3,})(?:markdown|md|text|txt)?[ \t]*\n(.*?)\n?\1[ \t]*", re.DOTALL)


@dataclass(frozen=True)
class Prompt:
    """Exactly what a model is asked for one component, and the outline that the offline provider gives."""

    messages: tuple[Message, ...]
    outline: str

    @property
    def sent(self) -> str:
        """The messages as compact JSON, in the form in which every chat API takes them."""
        plain = [{"role": message.role, "content": message.content} for message in self.messages]
        return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))

    @property
    def id(self) -> str:
        """SHA-256 of what is sent: the same prompt has the same id everywhere."""
        return "sha256:" + hashlib.sha256(self.sent.encode()).hexdigest()


@dataclass(frozen=True)
class Draft:
    """The generated text of a component before it is recorded.

    Attributes:
        need: Which component.
        purpose: What it is for, in one line.
        text: The text, ending in one newline.
        prompt_id: Which prompt it answers.
        label: Who wrote it, for the commit.
        is_model: Whether a language model did.
        is_edited: Whether the engineer changed it.
        prompt: The messages that it answers, as JSON; empty where no model was asked.
        usage: What all that was sent and answered for it took, where the server said so.
        cost: An estimate of that in US dollars, where the model's price is known.
        seconds: From the request to the end of the answer.
        problems: Why it should not be recorded as it is, each in one line; empty for a good one.
        repairs: What was mended in the model's answer, each in one line.
    """

    need: Need
    purpose: str
    text: str
    prompt_id: str
    label: str
    is_model: bool
    is_edited: bool = False
    prompt: str = ""
    usage: Usage | None = None
    cost: float | None = None
    seconds: float = 0.0
    problems: tuple[str, ...] = ()
    repairs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Retry:
    """Why a draft is asked for again."""

    previous: str
    feedback: str


def make_prompt(
    templates: Templates,
    library: Library,
    need: Need,
    goal: Goal | None,
    purpose: str,
    retry: Retry | None = None,
) -> Prompt:
    """Renders what a model is asked.

    Args:
        templates: Where the generators are.
        library: Where the goal's other components, and examples of the kind, are.
        need: The missing component.
        goal: What it will be used for; None where it stands for itself.
        purpose: What it is for, in one line.
        retry: An earlier draft and what was wrong with it.

    Raises:
        UserError: A generator is missing or does not compile, or a component cannot be read.
    """
    siblings = _read(library, (other for other in (goal.needs if goal else ()) if other.path != need.path))
    values: dict[str, Any] = {
        "kind": need.kind.name,
        "name": need.name,
        "title": names.title(need.name),
        "path": f"library/{need.path}",
        "purpose": one_line(purpose),
        "goal": describe_goal(goal) if goal else None,
        "siblings": siblings,
        "examples": _read(library, _closest(library, need, purpose)),
        "feedback": retry.feedback if retry else None,
        "previous": retry.previous if retry else None,
    }
    outline = templates.render(_generator(templates, need, ".outline.md"), values)
    blocks = templates.render_blocks(_generator(templates, need, ".md"), values | {"outline": outline})
    messages = (Message("system", blocks["system"].strip()), Message("user", blocks["user"].strip()))
    return Prompt(messages, outline)


def write_draft(
    provider: Provider,
    prompt: Prompt,
    need: Need,
    purpose: str,
    on_piece: Callable[[Piece], None] = lambda _: None,
    clock: Callable[[], float] = time.monotonic,
) -> Draft:
    """Asks the provider for a draft.

    Args:
        provider: Who writes it.
        prompt: What is asked.
        need: Which component.
        purpose: What it is for.
        on_piece: Called with everything that arrives, as it does.
        clock: Seconds, counted up.

    Raises:
        ProviderError: It fails, or what it gives cannot be a component.
    """
    texts: list[str] = []
    usage: Usage | None = None
    size = 0
    since = clock()
    with closing(provider.stream(Request(prompt.messages, prompt.outline))) as stream:
        for piece in stream:
            if isinstance(piece, str):
                texts.append(piece)
                size += len(piece.encode("utf-8", "replace"))
                if size > MAX_BYTES:
                    raise ProviderError(f"the draft of {need.name} grew beyond {MAX_BYTES // 1024} KiB")
            elif isinstance(piece, Usage):
                usage = piece
            on_piece(piece)
    text = tidy("".join(texts), need.name)
    return Draft(
        need, one_line(purpose), text, prompt.id, provider.label, provider.is_model,
        prompt=prompt.sent if provider.is_model else "", usage=usage, seconds=clock() - since,
    )  # fmt: skip


def tidy(answer: str, name: str) -> str:
    """What a provider answered, as a component's text: no fence around it, plain newlines, one at the end.

    Raises:
        ProviderError: Nothing is left, or it has characters that a reviewer could not see.
    """
    text = answer.replace("\r\n", "\n").strip()
    fenced = _FENCED.fullmatch(text)
    if fenced and fenced[1] not in fenced[2]:
        text = fenced[2].strip()
    if not text:
        raise ProviderError(f"the draft of {name} is empty", hint="Try again, or try another model.")
    hidden = next(hidden_characters(text), None)
    if hidden is not None:
        place = f"line {hidden.line}, column {hidden.column}"
        raise ProviderError(
            f"the draft of {name} has the hidden character {hidden.name} in {place}",
            hint="Try again, or try another model: what a reviewer cannot see is not recorded.",
        )
    return text + "\n"


def _generator(templates: Templates, need: Need, suffix: str) -> str:
    """The kind's own generator, else the default one."""
    own = f"generators/{need.kind.name}{suffix}"
    return own if templates.exists(own) else f"generators/default{suffix}"


def _read(library: Library, needs: Iterable[Need]) -> list[dict[str, str]]:
    """What generators see of the components that exist."""
    return [_about(component) for component in map(library.read, needs) if component.body is not None]


def _about(component: Component) -> dict[str, str]:
    return {
        "kind": component.need.kind.name,
        "name": component.need.name,
        "title": component.title,
        "text": component.body or "",
    }


def _closest(library: Library, need: Need, purpose: str) -> Sequence[Need]:
    """The components of the same kind whose names share the most words with the name and the purpose."""
    wanted = _words(need.name) | _words(purpose)
    others = library.names(need.kind) - {need.name}
    # Of thousands few have a word in common, and only in those are words counted.
    near = re.compile("|".join(map(re.escape, wanted)) or r"(?!)")
    shared = {name: len(wanted & _words(name)) for name in others if near.search(name.casefold())}
    closest = heapq.nsmallest(EXAMPLES, others, key=lambda name: (-shared.get(name, 0), name))
    return [Need(need.kind, name) for name in closest]


def _words(text: str) -> set[str]:
    return set(re.findall(r"[^\W\d_]{3,}", text.casefold()))
