"""Chat completions from any OpenAI-compatible server, streamed through the `openai` SDK (3.14 or later).

The SDK sends each request once. How many there are at once, and which is sent again and when, is `pace.py`; the
limit for the whole, which the SDK lacks, `deadline.py`; what an error means, `openai_errors.py`.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2
import openai
from openai.resources.chat.completions import Completions
from openai.types.chat import (
    ChatCompletionMessageParam,
    ChatCompletionSystemMessageParam,
    ChatCompletionUserMessageParam,
)

from gitforge.errors import UserError
from gitforge.llm import DEFAULT_MODEL, Message, Notice, Piece, ProviderSettings, Request, Usage
from gitforge.llm.connection import Connection
from gitforge.llm.endpoint import check_key, check_model, endpoint_of
from gitforge.llm.openai_errors import Exchange
from gitforge.llm.pace import Pace, Turn, stopped
from gitforge.llm.parameters import OPTIONAL, rejected

OPENAI_URL: Final = "https://api.openai.com/v1"
NO_KEY: Final = "no-key-needed"  # the SDK insists on one, a local server ignores it
MOST_TOKENS: Final = 1_000_000_000  # a greater number of tokens is not one


class OpenAIProvider:
    """Asks one model of one server.

    Args:
        settings: Where the server is, what to ask of it, and for how long.
        pace: How fast; by default as the settings say.

    Raises:
        UserError: The endpoint, the key or the model's name cannot be right.
    """

    name: Final = "openai"
    is_model: Final = True

    def __init__(self, settings: ProviderSettings, pace: Pace | None = None) -> None:
        if not settings.api_key and not settings.base_url:
            raise UserError(
                "the provider 'openai' has neither a key nor a base URL",
                hint="Set OPENAI_API_KEY; or OPENAI_BASE_URL, for a server that needs no key.",
            )
        check_key(settings.api_key)
        self.model: Final = settings.model or DEFAULT_MODEL
        check_model(self.model, settings.api_key)
        self._settings: Final = settings
        self._endpoint: Final = endpoint_of(settings.base_url or OPENAI_URL, settings.api_key)
        self._pace: Final = pace or Pace(settings.concurrency)
        self._lock: Final = threading.Lock()
        self._client: openai.OpenAI | None = None
        self._connecting: Final = threading.local()  # which exchange connects, in this thread
        self._connections: Final[set[Connection]] = set()
        self._rejected: Final[set[str]] = set()  # what the server has shown that it does not take
        self._told: Final[set[str]] = set()

    @property
    def endpoint(self) -> str:
        """The base URL, without userinfo and query."""
        return self._endpoint.shown

    @property
    def concurrency(self) -> int:
        """As the settings say; the pace may have become slower."""
        return self._settings.concurrency

    @property
    def label(self) -> str:
        """The model's name."""
        return self.model

    @property
    def describe(self) -> str:
        """The model and its endpoint."""
        return f"{self.model} at {self._endpoint.shown}"

    def __repr__(self) -> str:
        return f"OpenAIProvider({self.describe!r})"

    def stream(self, request: Request) -> Generator[Piece]:
        """Yields the answer as it comes; closes the connection however it ends."""
        exchange = Exchange(self.model, self._endpoint, self._settings)
        without = set(self._rejected)
        turn = self._pace.turn(exchange.deadline, is_urgent=request.is_urgent)
        with exchange.errors_translated(), turn:
            turn.check()
            completions = self._client_for(exchange).chat.completions  # before time counts: imports much
            while True:
                turn.take()
                parameters = self._parameters(request, without)
                try:
                    yield from self._ask(completions, request, parameters, exchange, turn)
                    break
                except (openai.OpenAIError, ValueError) as error:
                    if self._pace.is_stopped:  # which has cut the connection, and that may look like anything
                        raise stopped() from None
                    notices = self._again(error, set(parameters), without, exchange, turn)
                    if notices is None:
                        raise
                yield from notices
            self._rejected.update(without)
            turn.done()

    def cancel(self) -> None:
        """Ends every exchange, and lets none begin."""
        self._pace.stop()
        with self._lock:
            for connection in self._connections:
                connection.cut()

    def close(self) -> None:
        """Lets go of the HTTP client."""
        self.cancel()
        with self._lock:
            if self._client is not None:
                self._client.close()

    def _ask(
        self,
        completions: Completions,
        request: Request,
        parameters: dict[str, Any],
        exchange: Exchange,
        turn: Turn,
    ) -> Generator[Piece]:
        """Sends the request once."""
        limits, left = self._settings, exchange.deadline.left()
        connect, silence = min(limits.connect_timeout, left), min(limits.timeout, left)
        with (
            self._connection(left),
            completions.create(
                model=self.model,
                messages=[_parameter(message) for message in request.messages],
                stream=True,
                timeout=openai.Timeout(silence, connect=connect),
                **parameters,
            ) as stream,
        ):
            exchange.is_answering = True
            yield from _pieces(stream, exchange, turn)

    def _again(
        self, error: Exception, sent: set[str], without: set[str], exchange: Exchange, turn: Turn
    ) -> list[Notice] | None:
        """What to say before the request is sent again; None where that cannot help."""
        if isinstance(error, openai.BadRequestError | openai.UnprocessableEntityError):
            names = rejected(sent & OPTIONAL.keys(), error.body)
            without.update(names)
            return (
                [notice for name in names for notice in self._tell(name, error.status_code)]
                if names
                else None
            )
        trouble = exchange.trouble(error)
        seconds = turn.retry(trouble) if trouble else None
        if trouble is None or seconds is None:
            return None
        return [Notice(exchange.waiting(trouble, seconds))]

    def _tell(self, name: str, status: int) -> list[Notice]:
        """That the server does not take a parameter: once, however many requests are under way."""
        with self._lock:
            if name in self._told:
                return []
            self._told.add(name)
        told = f"the server {self._endpoint.shown} rejects {name} (HTTP {status}): asking again without it"
        return [Notice(told, parameter=name)]

    @contextmanager
    def _connection(self, seconds: float) -> Iterator[None]:
        """Makes the connection of the exchange in this thread one that can be cut."""
        connection = Connection()
        self._connecting.now = connection
        with self._lock:
            self._connections.add(connection)
        try:
            with connection.for_seconds(seconds):
                if self._pace.is_stopped:
                    connection.cut()
                yield
        finally:
            with self._lock:
                self._connections.discard(connection)

    def _client_for(self, exchange: Exchange) -> openai.OpenAI:
        """One client for all: to read the system's certificates takes longer than a request."""
        with self._lock:
            if self._client is None:
                try:
                    self._client = self._new_client()
                except Exception as error:  # noqa: BLE001 - proxies and certificates from the environment fail in many ways
                    raise exchange.cannot_begin(error) from None
            return self._client

    def _new_client(self) -> openai.OpenAI:
        def trace(request: Any) -> None:
            request.extensions["trace"] = self._connecting.now.trace

        return openai.OpenAI(
            # Both are given even where the SDK has defaults, else it would look into the environment.
            api_key=self._settings.api_key or NO_KEY,
            base_url=self._endpoint.url,
            default_query=self._endpoint.query,  # the SDK would append the path to a query in the URL
            max_retries=0,
            http_client=openai.DefaultHttpxClient(
                follow_redirects=False,  # the prompt goes to the server that the user named, or nowhere
                event_hooks={"request": [trace]},
                # A connection for each exchange: it can be cut alone, and is never one that has gone stale.
                limits=httpx2.Limits(max_connections=None, max_keepalive_connections=0),
            ),
        )

    def _parameters(self, request: Request, without: set[str]) -> dict[str, Any]:
        """What is sent beside model and messages: what is set, but for what the server does not take."""
        ours = self._settings
        wanted = {
            "temperature": ours.temperature if request.temperature is None else request.temperature,
            "seed": ours.seed if request.seed is None else request.seed,
            "reasoning_effort": request.reasoning_effort or ours.reasoning_effort,
            "stream_options": {"include_usage": True},
        }
        limit = ours.max_tokens if request.max_tokens is None else request.max_tokens
        name = next((name for name in self._limit_names() if name not in without), None)
        if name is not None:
            wanted[name] = limit
        return {name: value for name, value in wanted.items() if value is not None and name not in without}

    def _limit_names(self) -> tuple[str, str]:
        """OpenAI's reasoning models refuse `max_tokens`; other servers often know nothing else."""
        host = urlsplit(self._endpoint.url).hostname or ""
        if host == "api.openai.com" or host.endswith((".api.openai.com", ".openai.azure.com")):
            return "max_completion_tokens", "max_tokens"
        return "max_tokens", "max_completion_tokens"


def _parameter(message: Message) -> ChatCompletionMessageParam:
    content = message.content.encode(errors="replace").decode()  # a lone surrogate cannot be sent
    if message.role == "system":
        return ChatCompletionSystemMessageParam(role="system", content=content)
    return ChatCompletionUserMessageParam(role="user", content=content)


def _pieces(stream: openai.Stream[Any], exchange: Exchange, turn: Turn) -> Generator[str | Usage]:
    """The pieces of text and what they took; then raises ProviderError unless the answer is complete."""
    events, finish, answer, refusal, usage = 0, None, list[str](), "", None
    for chunk in stream:
        turn.check()
        events += 1
        # The SDK does not validate: anything may be missing, or of another type.
        usage = _usage(getattr(chunk, "usage", None)) or usage
        choices = getattr(chunk, "choices", None)
        if not isinstance(choices, list) or not choices:
            continue  # usage, keep-alive
        finish = getattr(choices[0], "finish_reason", None) or finish
        delta = getattr(choices[0], "delta", None)
        refused, text = getattr(delta, "refusal", None), getattr(delta, "content", None)
        if refused and isinstance(refused, str):
            refusal += refused
        if text and isinstance(text, str):
            answer.append(text)
            yield text
    turn.check()  # a connection that was cut can look like a proper end
    if usage is not None:
        yield usage  # paid for, whatever it is
    if not events:
        raise exchange.no_completion(stream.response.headers.get("content-type", "no content type"))
    exchange.judge(finish, refusal, "".join(answer))


def _usage(told: object) -> Usage | None:
    counts = [getattr(told, name, None) for name in ("prompt_tokens", "completion_tokens")]
    sound = [count for count in counts if type(count) is int and 0 <= count < MOST_TOKENS]
    return Usage(*sound) if len(sound) == 2 else None
