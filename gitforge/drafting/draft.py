"""From a prompt to a draft: text that is not recorded yet.

What a model answers is repaired and checked. A draft that is refused is asked for once more, with the reasons;
what is then still wrong stands in the draft, for the engineer to decide.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial

from gitforge.components import MAX_BYTES
from gitforge.drafting.checks import Setting, problems
from gitforge.drafting.prompting import Prompt
from gitforge.drafting.repairs import repair, unfenced
from gitforge.errors import ProviderError, Unusable
from gitforge.goals import Need
from gitforge.llm import Notice, Piece, Provider, Request, Usage
from gitforge.store.merge import Chunk
from gitforge.text import hidden_characters, one_line, without_hidden


@dataclass(frozen=True)
class Draft:
    """The generated text of a component before it is recorded.

    Attributes:
        need: Which component.
        purpose: What it is for, in one line.
        text: The text, ending in one newline.
        prompt_id: Which prompt it answers; empty where no model was asked.
        label: Who wrote it, for the commit.
        is_model: Whether a language model did.
        is_edited: Whether the engineer changed it.
        prompt: The messages that it answers, as JSON; empty where no model was asked.
        usage: What all that was sent and answered for it took, where the server said so.
        cost: An estimate of that in US dollars, where the model's price is known.
        seconds: From the request to the end of the answer.
        problems: Why it should not be recorded as it is, each in one line; empty for a good one.
        repairs: What was mended in the model's answer, each in one line.
        written: The text as it was written, where the engineer's edits changed it; else empty.
        clashes: The text merged with the engineer's edits of the one that it is to replace, where both changed the same
            lines and somebody has to decide; else empty.
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
    written: str = ""
    clashes: tuple[Chunk, ...] = ()

    def edited(self, text: str) -> Draft:
        """With the engineer's text, of which nothing is found fault with."""
        written = self.written or self.text
        return replace(self, text=text, is_edited=True, problems=(), repairs=(), written=written, clashes=())


def write_draft(
    provider: Provider,
    prompt: Prompt,
    need: Need,
    purpose: str,
    on_piece: Callable[[Piece], None] = lambda _: None,
    clock: Callable[[], float] = time.monotonic,
    seed: int | None = None,
    on_refused: Callable[[Draft], None] = lambda _: None,
    *,
    is_urgent: bool = False,
) -> Draft:
    """Asks the provider for a draft; once more, with the reasons, where a model's draft is refused.

    Args:
        provider: Who writes it.
        prompt: What is asked.
        need: Which component.
        purpose: What it is for.
        on_piece: Called with everything that arrives, as it does.
        clock: Seconds, counted up.
        seed: For this draft; None: the provider's own.
        on_refused: Called with a draft that is refused, where it could be a component, before another is asked for.
        is_urgent: Whether a person waits for it.

    Returns:
        The draft with fewer problems, the later of two with as many. Usage and seconds are those of both.

    Raises:
        ProviderError: It fails, or nothing that it gives can be a component.
    """
    for notice in prompt.notices:
        on_piece(Notice(notice))
    ask = partial(_ask, provider, need, purpose, on_piece, clock, seed, is_urgent=is_urgent)
    first = ask(prompt)
    again = prompt.again(first.draft.text, first.draft.problems) if first.draft.problems else None
    if again is None:
        return first.usable()
    if first.is_usable:
        on_refused(first.usable())
    on_piece(Notice(f"refused: {'; '.join(first.draft.problems)}; asked again"))
    try:
        second = ask(again)
    except ProviderError as error:
        try:
            return first.usable()
        except ProviderError as before:
            message = f"{before.message}; asked again, {error.message}"
            raise ProviderError(message, hint=error.hint or before.hint) from error
    better = min(second, first, key=lambda one: (not one.is_usable, len(one.draft.problems)))
    usage = _both(first.draft.usage, second.draft.usage)
    return replace(better.usable(), usage=usage, seconds=first.draft.seconds + second.draft.seconds)


def judged(draft: Draft, prompt: Prompt) -> Draft:
    """A draft of an earlier run with the problems that it has; only a model's own, not edited by a person."""
    if prompt.setting is None or not draft.is_model or draft.is_edited:
        return draft
    return replace(draft, problems=problems(draft.text, prompt.setting))


def tidy(answer: str, name: str) -> str:
    """What somebody wrote, as a component's text: no fence around it, plain newlines, one at the end.

    Raises:
        ProviderError: Nothing is left, or it has characters that a reviewer could not see.
    """
    text = re.sub(r"\r+\n", "\n", answer).strip()
    while (bare := unfenced(text)) != text:
        text = bare
    if not text:
        raise ProviderError(f"the draft of {name} is empty", hint="Try again, or try another model.")
    hidden = _hidden(text)
    if hidden is not None:
        raise ProviderError(
            f"the draft of {name} has {hidden}",
            hint="Try again, or try another model: what a reviewer cannot see is not recorded.",
        )
    return text + "\n"


@dataclass(frozen=True)
class _Answer:
    """What became of one request: a draft, which may be one that cannot be used, and why the provider says so."""

    draft: Draft
    failure: Unusable | None = None

    @property
    def is_usable(self) -> bool:
        """Whether it could be a component."""
        return bool(without_hidden(self.draft.text).strip())

    def usable(self) -> Draft:
        """The draft with its text tidied. Raises ProviderError where it can be no component."""
        draft = self.draft
        if self.failure is not None and not self.is_usable:
            raise self.failure
        if draft.is_model and self.is_usable and _hidden(draft.text) is not None:
            mended = (*draft.repairs, "hidden characters were replaced by spaces")
            draft = replace(draft, text=without_hidden(draft.text), repairs=mended)
        return replace(draft, text=tidy(draft.text, draft.need.name))


def _ask(
    provider: Provider,
    need: Need,
    purpose: str,
    on_piece: Callable[[Piece], None],
    clock: Callable[[], float],
    seed: int | None,
    prompt: Prompt,
    *,
    is_urgent: bool,
) -> _Answer:
    """One request and its answer, repaired and checked."""
    texts: list[str] = []
    usage: Usage | None = None
    failure: Unusable | None = None
    size = 0
    since = clock()
    try:
        request = Request(prompt.messages, prompt.outline, seed=seed, is_urgent=is_urgent)
        with closing(provider.stream(request)) as stream:
            for piece in stream:
                if isinstance(piece, str):
                    texts.append(piece)
                    size += len(piece.encode("utf-8", "replace"))
                    if size > MAX_BYTES:
                        raise ProviderError(f"the draft of {need.name} grew beyond {MAX_BYTES // 1024} KiB")
                elif isinstance(piece, Usage):
                    usage = piece
                on_piece(piece)
    except Unusable as error:
        failure = error
    text = "".join(texts)
    found: tuple[str, ...] = (_as_problem(failure),) if failure is not None else ()
    repairs: tuple[str, ...] = ()
    if provider.is_model and prompt.setting is not None:
        text, faults, repairs = _checked(text, prompt.setting)
        found = found or faults  # what was cut off has every other fault too
    sent = (prompt.id, prompt.sent) if provider.is_model else ("", "")
    draft = Draft(
        need, one_line(purpose), text, sent[0], provider.label, provider.is_model,
        prompt=sent[1], usage=usage, seconds=clock() - since, problems=found, repairs=repairs,
    )  # fmt: skip
    return _Answer(draft, failure)


def _as_problem(failure: Unusable) -> str:
    return failure.message.rstrip(".")


def _checked(answer: str, setting: Setting) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """The repaired text, its problems and the repairs."""
    text, repairs = repair(re.sub(r"\r+\n", "\n", answer), setting.rules)
    hidden = _hidden(text)
    found = problems(text, setting)
    return text, (*((f"it has {hidden}",) if hidden else ()), *found), repairs


def _hidden(text: str) -> str | None:
    hidden = next(hidden_characters(text), None)
    if hidden is None:
        return None
    return f"the hidden character {hidden.name} in line {hidden.line}, column {hidden.column}"


def _both(first: Usage | None, second: Usage | None) -> Usage | None:
    if first is None or second is None:
        return first or second
    return Usage(first.input_tokens + second.input_tokens, first.output_tokens + second.output_tokens)
