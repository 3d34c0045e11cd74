"""What drafts cost: an estimate before anything is sent, and what was counted afterwards.

Everything here is an estimate and is shown as one: before, tokens are guessed from the text's length; after, prices
are those of a data package or of the user's settings, and know of no discount, no cached input and no tax.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from gitforge.errors import UserError
from gitforge.llm import Message, Usage

EXPECTED_OUTPUT = 1_200
"""Tokens of a draft before it is written: those of a long component of the starter library."""

_PER_MESSAGE = 4  # what a chat puts around each message
_MILLION = 1_000_000


@dataclass(frozen=True)
class Pricing:
    """What a model's tokens cost at its server.

    Attributes:
        model: The model's name, as its server knows it.
        base_url: The server's address; None where there is none to look a price up by.
        own: The user's own prices, in US dollars for a million tokens sent and for a million answered.
    """

    model: str
    base_url: str | None = field(default=None, repr=False)  # may hold a password
    own: tuple[float, float] | None = None

    def dollars(self, usage: Usage | None) -> float | None:
        """An estimate in US dollars; None where nobody knows the price of this model at this server."""
        if usage is None:
            return None
        if self.own is not None:
            sent, answered = self.own
            return (usage.input_tokens * sent + usage.output_tokens * answered) / _MILLION
        if self.base_url is None:
            return None
        # Imported when a price is asked for: a tenth of a second. Its data comes with it, nothing is fetched.
        import genai_prices  # noqa: PLC0415

        counted = genai_prices.Usage(input_tokens=usage.input_tokens, output_tokens=usage.output_tokens)
        try:
            price = genai_prices.calc_price(counted, self.model, provider_api_url=self.base_url)
        except (LookupError, ValueError):  # no vendor has that address, or it has no such model, or no price
            return None
        return float(price.total_price)


@dataclass(frozen=True)
class Estimate:
    """What drafts will take, guessed before anything is sent.

    Attributes:
        drafts: How many there are.
        usage: The tokens.
        dollars: What they cost, in US dollars; None where the price is not known.
    """

    drafts: int
    usage: Usage
    dollars: float | None


def estimate(prompts: Sequence[Sequence[Message]], pricing: Pricing) -> Estimate:
    """What drafts take, one for each prompt, if each is about `EXPECTED_OUTPUT` long and none is asked for twice.

    What a model reasons beside its answer is not in it.
    """
    usages = [Usage(prompt_tokens(messages), EXPECTED_OUTPUT) for messages in prompts]
    total = add_usage(usages) or Usage(0, 0)
    return Estimate(len(usages), total, pricing.dollars(total))


def prompt_tokens(messages: Iterable[Message]) -> int:
    """About how many tokens a prompt has."""
    return sum(tokens(message.content) + _PER_MESSAGE for message in messages)


def tokens(text: str) -> int:
    """About how many tokens a text has, by the scripts that it is written in.

    Four characters a token in ASCII, two in other alphabets, one from CJK on, which is what the vocabularies of
    common models come to, give or take a quarter. The real tokenizers are one for each model, and downloads.
    """
    ascii_characters = len(text.encode("ascii", "ignore"))
    alphabetic = sum("\x7f" < character < "\u2e80" for character in text)
    others = len(text) - ascii_characters - alphabetic
    return math.ceil(ascii_characters / 4 + alphabetic / 2 + others)


def add_usage(usages: Iterable[Usage | None]) -> Usage | None:
    """The sum of what is known; None where nothing is."""
    known = [usage for usage in usages if usage is not None]
    if not known:
        return None
    return Usage(sum(one.input_tokens for one in known), sum(one.output_tokens for one in known))


def add_dollars(amounts: Iterable[float | None]) -> float | None:
    """The sum of what is known; None where nothing is."""
    known = [amount for amount in amounts if amount is not None]
    return math.fsum(known) if known else None


def amount(dollars: float) -> str:
    """An amount for people: `$12.34`, `$0.0031`, `$0.000012`, `$0`."""
    places = 2 if dollars >= 1 else 4 if dollars >= 0.001 else 6
    return f"${dollars:,.{places}f}" if dollars else "$0"


def told(usage: Usage, dollars: float | None) -> str:
    """Tokens and, where it is known, what they cost, for people."""
    counted = f"{usage.input_tokens:,} tokens in and {usage.output_tokens:,} out"
    return counted if dollars is None else f"{counted}, about {amount(dollars)}"


def refuse_beyond(limit: float | None, expected: Estimate) -> None:
    """Finds out before anything is sent whether it would cost more than it may.

    Args:
        limit: US dollars; None: whatever it costs.
        expected: What it is going to cost.

    Raises:
        UserError: It would cost more, or nobody knows what it would cost.
    """
    if limit is None or not expected.drafts:
        return
    if expected.dollars is None:
        raise UserError(
            "the price of this model at this server is not known, so no limit on the cost can hold; "
            "nothing was sent",
            hint="Set `gitforge.price-input` and `gitforge.price-output` with `git config`, in dollars for a million "
            "tokens; 0 for a server of your own. Or leave --max-cost.",
        )
    if expected.dollars > limit:
        raise UserError(
            f"the drafts would cost about {amount(expected.dollars)} (an estimate), and at most "
            f"{amount(limit)} was allowed; nothing was sent",
            hint="Ask for fewer at a time, choose another model, or raise --max-cost.",
        )
