"""What writes a draft: one small contract, a request in and text chunks out.

Three providers fulfil it: `openai_provider` (any OpenAI-compatible server), `llm_provider` (every model that the
user has set up in the `llm` tool) and `offline_provider` (the kind's outline, no language model).
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Literal, Protocol

from gitforge.errors import UserError

DEFAULT_MODEL = "gpt-5.4-mini"
"""The model asked for when no setting names one: general, inexpensive, served by api.openai.com."""

OUTLINE_LABEL = "offline-outline"
"""Who a draft is by that no language model wrote: what a commit says, and what is looked for in it."""

PROVIDERS = ("openai", "llm", "offline")


@dataclass(frozen=True)
class Message:
    """One turn of the conversation that a model is given."""

    role: Literal["system", "user"]
    content: str


@dataclass(frozen=True)
class Request:
    """What one draft is written from.

    Args:
        messages: What a model is told, in order.
        outline: The finished outline, which the offline provider returns as it is.
        temperature: Randomness of the model, 0 to 2; None leaves it to the server.
        max_tokens: Upper limit of the answer, in tokens; None leaves it to the server.
        seed: Makes a server's answer repeatable as far as it can; None leaves it to the server.
        reasoning_effort: How much a reasoning model thinks, in its server's words; None leaves it to the server.
        is_urgent: A person waits for this one: it goes before the others.
    """

    messages: tuple[Message, ...]
    outline: str
    temperature: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    reasoning_effort: str | None = None
    is_urgent: bool = False


@dataclass(frozen=True)
class Usage:
    """What an exchange took, as the server counted it.

    Args:
        input_tokens: Of everything that was sent.
        output_tokens: Of the answer, with what the model reasoned.
    """

    input_tokens: int
    output_tokens: int


@dataclass(frozen=True)
class Notice:
    """Something to be said while a draft is written: that the server asked to wait, or rejected a parameter.

    Args:
        text: One line.
        parameter: The parameter that is not sent any more; None where it is about something else.
    """

    text: str
    parameter: str | None = None


Piece = str | Usage | Notice
"""What comes from a provider: pieces of the text, and between them what there is to say and to count."""


@dataclass(frozen=True)
class ProviderSettings:
    """Which provider to use, and how to reach it.

    Args:
        provider: One of `PROVIDERS`, or None: `openai` if a key or base URL is set, else `offline`.
        model: The model's name as the server knows it; None is `DEFAULT_MODEL`.
        base_url: Address of an OpenAI-compatible server, mostly ending in `/v1`; None is api.openai.com.
        api_key: The server's key; shown nowhere.
        timeout: Longest silence of the server, in seconds.
        connect_timeout: Longest time for a connection, in seconds.
        deadline: Longest time for one whole answer with all its retries, in seconds.
        concurrency: Most requests at once.
        temperature: For requests that have none of their own; likewise the following.
        max_tokens: See `Request`.
        seed: See `Request`.
        reasoning_effort: See `Request`.
    """

    provider: str | None = None
    model: str | None = None
    base_url: str | None = field(default=None, repr=False)  # may hold a password
    api_key: str | None = field(default=None, repr=False)
    timeout: float = 120.0  # a local server reads a long prompt in silence
    connect_timeout: float = 10.0
    deadline: float = 600.0
    concurrency: int = 20
    temperature: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    reasoning_effort: str | None = None


class Provider(Protocol):
    """What writes drafts. Safe to use from several threads at once."""

    @property
    def name(self) -> str:
        """One of `PROVIDERS`."""

    @property
    def model(self) -> str:
        """The model's name, one line."""

    @property
    def label(self) -> str:
        """Who wrote the draft, for the commit's trailer `Assisted-by: gitforge:<label>`."""

    @property
    def is_model(self) -> bool:
        """Whether a language model writes the draft."""

    @property
    def describe(self) -> str:
        """One line for people; holds neither a key nor a password."""

    @property
    def endpoint(self) -> str | None:
        """The server's address for people, without its secrets; None where there is no server to name."""

    @property
    def concurrency(self) -> int:
        """How many drafts to ask for at once; more of them wait for their turn in `stream`."""

    def stream(self, request: Request) -> Generator[Piece]:
        """Yields the draft in pieces, as they come; and what the exchange took, where the server says it.

        Use it in `contextlib.closing`, so that whoever stops early also stops the server.

        Raises:
            ProviderError: There is no draft, or only the beginning of one; what was yielded stays good.
            Cancelled: `cancel` was called, before or meanwhile.
        """

    def cancel(self) -> None:
        """Ends every stream at once, whatever it waits for, in whatever thread; none begins any more."""

    def close(self) -> None:
        """Cancels what is under way, and lets go of connections and files."""


def choose_provider(settings: ProviderSettings) -> Provider:
    """The provider that the settings ask for; talks to no server yet.

    Raises:
        UserError: The provider is unknown, or its settings are incomplete or impossible.
    """
    if settings.provider:
        check_provider(settings.provider)
    name = settings.provider or ("openai" if settings.api_key or settings.base_url else "offline")
    # Imported only when chosen: the openai SDK takes 400 ms.
    if name == "openai":
        from gitforge.llm.openai_provider import OpenAIProvider  # noqa: PLC0415

        return OpenAIProvider(settings)
    if name == "llm":
        from gitforge.llm.llm_provider import LlmProvider  # noqa: PLC0415

        return LlmProvider(settings)
    from gitforge.llm.offline_provider import OfflineProvider  # noqa: PLC0415

    return OfflineProvider()


def check_provider(name: str) -> None:
    """Raises UserError where no provider has that name."""
    if name not in PROVIDERS:
        raise UserError(
            f"there is no provider named {name!r}", hint=f"Choose one of: {', '.join(PROVIDERS)}."
        )
