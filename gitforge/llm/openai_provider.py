"""Chat completions from any OpenAI-compatible server, streamed through the `openai` SDK (3.14 or later).

The SDK's own retries are the only ones in gitforge: `RETRIES`, before the answer begins, with the SDK's
back-off and the server's `Retry-After`. What the SDK lacks, a limit for the whole, is `deadline.py`.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

import openai
from openai.types.chat import (
    ChatCompletionMessageParam,
    ChatCompletionSystemMessageParam,
    ChatCompletionUserMessageParam,
)

from gitforge.errors import ProviderError, UserError
from gitforge.llm import DEFAULT_MODEL, Message, Piece, ProviderSettings, Request
from gitforge.llm.deadline import Deadline, DeadlineExceeded
from gitforge.llm.endpoint import Endpoint, check_key, check_model, endpoint_of

RETRIES: Final = 2
OPENAI_URL: Final = "https://api.openai.com/v1"
NO_KEY: Final = "no-key-needed"  # the SDK insists on one, a local server ignores it


class OpenAIProvider:
    """Asks one model of one server.

    Raises:
        UserError: The endpoint, the key or the model's name cannot be right.
    """

    name: Final = "openai"
    is_model: Final = True

    def __init__(self, settings: ProviderSettings) -> None:
        if not settings.api_key and not settings.base_url:
            raise UserError(
                "The provider 'openai' has neither a key nor a base URL.",
                hint="Set OPENAI_API_KEY; or OPENAI_BASE_URL, for a server that needs no key.",
            )
        check_key(settings.api_key)
        self.model: Final = settings.model or DEFAULT_MODEL
        check_model(self.model, settings.api_key)
        self._settings: Final = settings
        self._endpoint: Final = endpoint_of(settings.base_url or OPENAI_URL, settings.api_key)

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
        exchange = _Exchange(self.model, self._endpoint, self._settings)
        with exchange.errors_translated(), ExitStack() as closing:
            client = closing.enter_context(self._client(exchange))
            stream = closing.enter_context(
                client.chat.completions.create(
                    model=self.model,
                    messages=[_parameter(message) for message in request.messages],
                    stream=True,
                    temperature=openai.omit if request.temperature is None else request.temperature,
                    **self._limit(request.max_tokens),
                )
            )
            closing.enter_context(exchange.deadline.ends(stream))
            yield from exchange.texts(stream)

    def _client(self, exchange: _Exchange) -> openai.OpenAI:
        settings = self._settings
        timeout = openai.Timeout(settings.timeout, connect=settings.connect_timeout)
        try:
            return openai.OpenAI(
                # Both are given even where the SDK has defaults, else it would look into the environment.
                api_key=settings.api_key or NO_KEY,
                base_url=self._endpoint.url,
                default_query=self._endpoint.query,  # the SDK would append the path to a query in the URL
                timeout=timeout,
                max_retries=RETRIES,
                http_client=openai.DefaultHttpxClient(
                    timeout=timeout,
                    follow_redirects=False,  # the prompt goes to the server that the user named, or nowhere
                    event_hooks=exchange.deadline.hooks(),
                ),
            )
        except Exception as error:  # noqa: BLE001 - proxies and certificates from the environment fail in many ways
            raise exchange.cannot_begin(error) from None

    def _limit(self, max_tokens: int | None) -> dict[str, Any]:
        """OpenAI's reasoning models refuse `max_tokens`; other servers often know nothing else."""
        if max_tokens is None:
            return {}
        host = urlsplit(self._endpoint.url).hostname or ""
        own = host == "api.openai.com" or host.endswith((".api.openai.com", ".openai.azure.com"))
        return {"max_completion_tokens" if own else "max_tokens": max_tokens}


def _parameter(message: Message) -> ChatCompletionMessageParam:
    content = message.content.encode(errors="replace").decode()  # a lone surrogate cannot be sent
    if message.role == "system":
        return ChatCompletionSystemMessageParam(role="system", content=content)
    return ChatCompletionUserMessageParam(role="user", content=content)


# One exchange


class _Exchange:
    """One request and its answer, and the words for everything that can go wrong between them."""

    def __init__(self, model: str, endpoint: Endpoint, settings: ProviderSettings) -> None:
        self.deadline = Deadline(settings.deadline)
        self._model = model
        self._endpoint = endpoint
        self._settings = settings
        self._answering = False
        self._where = f"The server {endpoint.shown}"

    def texts(self, stream: openai.Stream[Any]) -> Generator[str]:
        """The pieces of text; then raises ProviderError unless the answer came to its proper end."""
        self._answering = True
        events, finish, answer, refusal = 0, None, list[str](), ""
        for chunk in stream:
            self.deadline.check()
            events += 1
            # The SDK does not validate: anything may be missing, or of another type.
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
        self.deadline.check()  # a connection that was shut down can look like a proper end
        if not events:
            kind = self._endpoint.quote(stream.response.headers.get("content-type", "no content type"))
            raise self._failure(
                f"sent no chat completion, but {kind}",
                "Check the base URL: it mostly ends in /v1.",
            )
        self._judge(finish, refusal, "".join(answer))

    def _judge(self, finish: object, refusal: str, answer: str) -> None:
        if refusal:
            raise ProviderError(
                f"The model {self._model} refused: {self._endpoint.quote(refusal)}",
                hint="Change the description, or choose another model.",
            )
        if finish == "content_filter":
            raise ProviderError(
                f"The content filter of {self._endpoint.shown} stopped the answer.",
                hint="Change the description, or choose another model.",
            )
        if finish == "length":
            effect = (
                "the draft is cut off" if answer.strip() else "it wrote nothing, perhaps it only reasoned"
            )
            raise ProviderError(
                f"The model {self._model} reached its length limit: {effect}.",
                hint="Ask for less, or choose a model with more room.",
            )
        if finish is None:
            raise self._failure("ended the answer before it was complete", "Try again.")
        if not answer.strip():
            raise ProviderError(
                f"The model {self._model} gave an empty answer.", hint="Try again, or choose another model."
            )
        key = self._settings.api_key or ""
        if len(key) >= 16 and key in answer:  # a shorter one is a dummy, and may be a word like any other
            raise self._failure(
                "wrote the key into its answer", "Revoke the key, and do not use a server that does this."
            )

    @contextmanager
    def errors_translated(self) -> Iterator[None]:
        """The one place where an error of the SDK, which holds the key, becomes one of ours."""
        try:
            yield
        except openai.OpenAIError as error:
            translation = next(TRANSLATIONS[c] for c in type(error).__mro__ if c in TRANSLATIONS)
            raise translation(self, error) from None
        except (ValueError, RecursionError) as error:  # JSON or UTF-8 of the answer, IDNA of the host
            if not self._answering:
                raise self.cannot_begin(error) from None
            raise self._failure(
                f"sent an answer that cannot be read ({type(error).__name__})",
                "Try again; if it stays so, this server is not compatible.",
            ) from None
        except DeadlineExceeded:
            raise self._too_late() from None

    def cannot_begin(self, error: Exception) -> ProviderError:
        """No request could even be sent."""
        reason = re.sub(r"\S*@", "", str(error))  # a proxy's password
        return ProviderError(
            f"No connection to {self._endpoint.shown} can be prepared: {self._endpoint.quote(reason)}",
            hint="Check the base URL, and in the environment HTTPS_PROXY, ALL_PROXY, SSL_CERT_FILE.",
        )

    def _failure(self, what: str, hint: str, details: object = "") -> ProviderError:
        words = self._endpoint.quote(details)
        return ProviderError(f"{self._where} {what}{f': {words}' if words else '.'}", hint=hint)

    def _too_late(self) -> ProviderError:
        return self._failure(
            f"did not finish within {self._settings.deadline:g} seconds",
            "Allow a longer deadline, or choose a faster model.",
        )

    def _timed_out(self, _error: openai.APITimeoutError) -> ProviderError:
        if self.deadline.left() <= 0:
            return self._too_late()
        what = "fell silent in the middle of the answer, for" if self._answering else "did not answer within"
        return self._failure(
            f"{what} {self._settings.timeout:g} seconds",
            "Check that it is running and reachable; a slow one needs a longer timeout.",
        )

    def _disconnected(self, error: openai.APIConnectionError) -> ProviderError:
        if self.deadline.left() <= 0:
            return self._too_late()
        causes = list(_causes(error))
        reason = causes[-1]
        if self._answering:
            return self._failure("broke off in the middle of the answer", "Try again.", reason)
        if tls := next((cause for cause in causes if isinstance(cause, ssl.SSLError)), None):
            return ProviderError(
                f"No secure connection (TLS) to {self._endpoint.shown}: {self._endpoint.quote(tls)}",
                hint="Check the base URL: a server without TLS needs http://; "
                "one with a certificate of its own needs SSL_CERT_FILE.",
            )
        return ProviderError(
            f"No connection to {self._endpoint.shown}: {self._endpoint.quote(reason)}",
            hint="Check that the server is running, the base URL, the network and its proxy.",
        )

    def _status(self, error: openai.APIStatusError) -> ProviderError:
        status = error.status_code
        what, hint = _STATUS.get(status, _SERVER_FAILED if status >= 500 else _UNEXPECTED)
        words = _server_words(error.body)
        if status == 401 and not self._settings.api_key:
            what, hint = "wants a key", "Set OPENAI_API_KEY."
        elif status == 404:
            what = what.format(model=self._model)
        elif status == 429:
            wait = self._endpoint.quote(error.response.headers.get("retry-after", ""))
            if error.code == "insufficient_quota":
                what, hint = "has no quota left for this key", "Check the plan and billing of the account."
            elif wait:
                hint = f"Wait as long as it asks (Retry-After: {wait}), then try again."
        elif 300 <= status < 400:
            target = re.split(r"[?#]", error.response.headers.get("location", ""))[0].rpartition("@")[2]
            what, hint, words = "redirects", "Set the base URL to that address, if you trust it.", target
        return self._failure(f"{what} (HTTP {status})", hint, words)

    def _invalid(self, error: openai.APIResponseValidationError) -> ProviderError:
        return self._failure(
            "sent an answer that is no chat completion", "Check the base URL and the model.", error.message
        )

    def _failed_in_stream(self, error: openai.APIError) -> ProviderError:
        what, hint = "failed in the middle of the answer", "Try again, or choose another model."
        return self._failure(what, hint, _server_words(error.body) or error.message)

    def _unexpected(self, error: openai.OpenAIError) -> ProviderError:
        what, hint = f"could not be asked ({type(error).__name__})", "Check the provider's settings."
        return self._failure(what, hint, error)


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _server_words(body: object) -> str:
    """The message in an error's body, in any of the forms that servers use; "" for a page of HTML."""
    while isinstance(body, dict):
        body = next((body[name] for name in ("message", "detail", "error", "msg") if body.get(name)), "")
    if isinstance(body, list):
        return "; ".join(filter(None, map(_server_words, body)))
    return body if isinstance(body, str) and not body.lstrip().startswith("<") else ""


_SERVER_FAILED = ("failed", "Try again later; a server of your own says more in its log.")
_UNEXPECTED = ("gave an unexpected answer", "Check the base URL: it mostly ends in /v1.")
_STATUS = {
    400: ("rejected the request", "Change what it names: the model, the temperature, the number of tokens."),
    401: ("refused the key", "Check OPENAI_API_KEY: the key must be one for this server."),
    402: ("wants to be paid", "Check the credit of the account."),
    403: ("does not allow this", "Check what the key, its project and its region may use."),
    404: (
        "knows no such address, or no model {model}",
        "Check the model, and the base URL: mostly it ends in /v1.",
    ),
    408: ("did not get the request in time", "Try again."),
    413: ("found the request too large", "Ask for less, or choose a model with a larger context."),
    422: ("rejected the request", "Change what it names: the model, the temperature, the number of tokens."),
    429: ("has too many requests", "Wait a little, then try again with fewer at once."),
}

TRANSLATIONS: Final[dict[type[BaseException], Callable[[_Exchange, Any], ProviderError]]] = {
    openai.OpenAIError: _Exchange._unexpected,
    openai.APIError: _Exchange._failed_in_stream,
    openai.APIResponseValidationError: _Exchange._invalid,
    openai.APIConnectionError: _Exchange._disconnected,
    openai.APITimeoutError: _Exchange._timed_out,
    openai.APIStatusError: _Exchange._status,
    openai.BadRequestError: _Exchange._status,
    openai.AuthenticationError: _Exchange._status,
    openai.OAuthError: _Exchange._status,
    openai.PermissionDeniedError: _Exchange._status,
    openai.NotFoundError: _Exchange._status,
    openai.ConflictError: _Exchange._status,
    openai.UnprocessableEntityError: _Exchange._status,
    openai.RateLimitError: _Exchange._status,
    openai.InternalServerError: _Exchange._status,
}
"""Every error of the SDK that asking for a chat completion can raise; a test compares it with the SDK."""
