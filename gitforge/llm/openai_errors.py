"""The one place where an error of the `openai` SDK, which holds the key, becomes one of ours, and in which words."""

from __future__ import annotations

import email.utils
import math
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final

import httpx2
import openai

from gitforge.errors import CutOff, ProviderError, Unusable
from gitforge.llm import ProviderSettings
from gitforge.llm.deadline import Deadline, DeadlineExceeded
from gitforge.llm.endpoint import Endpoint
from gitforge.llm.pace import PauseTooLong, Trouble


class Exchange:
    """What is known of one request and its answer, and the words for everything that can go wrong between them."""

    def __init__(self, model: str, endpoint: Endpoint, settings: ProviderSettings) -> None:
        self.deadline = Deadline(settings.deadline)
        self.is_answering = False
        self._model = model
        self._endpoint = endpoint
        self._settings = settings
        self._where = f"server {endpoint.shown}"

    def no_completion(self, kind: str) -> ProviderError:
        """The answer has nothing of a chat completion in it."""
        if kind.startswith("text/event-stream"):
            return self.failure(
                "began an answer and sent nothing",
                "Its log says why. Where the prompt is too long for the model, `examples` and `excerpt` in "
                "library/generators/default.rules.yaml shorten it.",
            )
        what = f"sent no chat completion, but {self._endpoint.quote(kind)}"
        return self.failure(what, "Check the base URL: it mostly ends in /v1.")

    def judge(self, finish: object, refusal: str, answer: str) -> None:
        """Raises ProviderError unless an answer came to its proper end, and is one."""
        if self._endpoint.is_betrayed_by(answer):  # first: of a draft with other faults the text is kept
            raise self.failure(
                "wrote the key into its answer", "Revoke the key, and do not use a server that does this."
            )
        if refusal:
            raise Unusable(
                f"the model {self._model} refused: {self._endpoint.quote(refusal)}",
                hint="Change the description, or choose another model.",
            )
        if finish == "content_filter":
            raise Unusable(
                f"the content filter of {self._endpoint.shown} stopped the answer",
                hint="Change the description, or choose another model.",
            )
        if finish == "length":
            effect = (
                "the draft is cut off" if answer.strip() else "it wrote nothing, perhaps it only reasoned"
            )
            raise CutOff(
                f"the model {self._model} reached its length limit: {effect}",
                hint="Ask for less, allow more tokens (max-tokens), or choose a model with more room.",
            )
        if finish is None:
            raise self.failure(
                "ended the answer before it was complete",
                "Try again; a server that serves one request at a time needs concurrency 1.",
            )
        if not answer.strip():
            raise Unusable(
                f"the model {self._model} gave an empty answer", hint="Try again, or choose another model."
            )

    @contextmanager
    def errors_translated(self) -> Iterator[None]:
        """Turns every error that an exchange can end with into one of ours."""
        try:
            yield
        except openai.OpenAIError as error:
            translation = next(TRANSLATIONS[c] for c in type(error).__mro__ if c in TRANSLATIONS)
            raise translation(self, error) from None
        except (ValueError, RecursionError) as error:  # JSON or UTF-8 of the answer, IDNA of the host
            if not self.is_answering:
                raise self.cannot_begin(error) from None
            raise self.failure(
                f"sent an answer that cannot be read ({type(error).__name__})",
                "Try again; if it stays so, this server is not compatible.",
            ) from None
        except DeadlineExceeded:
            raise self._too_late() from None
        except PauseTooLong as pause:
            raise self.failure(
                f"{pause.what}, and asks to wait {_time(pause.seconds)}",
                f"Try again then; a draft may take {_time(self._settings.deadline)} in all (deadline).",
            ) from None

    def trouble(self, error: Exception) -> Trouble | None:
        """What a failure says of the server, where the same request may get an answer; None where it cannot."""
        if self.is_answering:
            return None
        if isinstance(error, openai.APIStatusError):
            return self._trouble_of_status(error)
        if isinstance(error, openai.APITimeoutError):
            return Trouble("does not answer")
        if isinstance(error, openai.APIConnectionError):
            # A certificate does not become a good one, nor does a name come into being.
            is_passing = not any(map(_is_final, _causes(error)))
            return Trouble("cannot be reached") if is_passing else None
        return None

    def _trouble_of_status(self, error: openai.APIStatusError) -> Trouble | None:
        status, headers = error.status_code, error.response.headers
        told = headers.get("x-should-retry")  # of api.openai.com, which knows
        passes = status in {408, 429} or (status >= 500 and status not in {501, 505})
        if _is_quota(error) or told == "false" or not (passes or told == "true"):
            return None
        is_busy = status == 429
        what = f"is busy (HTTP {status})" if is_busy else f"failed (HTTP {status})"
        return Trouble(what, is_busy, seconds_to_wait(headers, time.time()))

    def waiting(self, trouble: Trouble, seconds: float) -> str:
        """That a request will be sent again, for a person."""
        return f"the {self._where} {trouble.what}: waiting {_time(seconds)}"

    def cannot_begin(self, error: Exception) -> ProviderError:
        """No request could even be sent."""
        reason = re.sub(r"\S*@", "", str(error))  # a proxy's password
        return ProviderError(
            f"no connection to {self._endpoint.shown} can be prepared: {self._endpoint.quote(reason)}",
            hint="Check the base URL, and in the environment HTTPS_PROXY, ALL_PROXY, SSL_CERT_FILE.",
        )

    def failure(self, what: str, hint: str, details: object = "") -> ProviderError:
        """The server did something: what, in a sentence, and what to do about it."""
        words = self._endpoint.quote(details)
        return ProviderError(f"the {self._where} {what}{f': {words}' if words else ''}", hint=hint)

    def _too_late(self) -> ProviderError:
        return self.failure(
            f"did not finish within {self._settings.deadline:g} seconds",
            "Allow a longer deadline, or choose a faster model.",
        )

    def _timed_out(self, error: openai.APITimeoutError) -> ProviderError:
        if self.deadline.left() <= 0:
            return self._too_late()
        if any(isinstance(cause, httpx2.ConnectTimeout) for cause in _causes(error)):
            return ProviderError(
                f"no connection to {self._endpoint.shown} within {self._settings.connect_timeout:g} seconds",
                hint="Check the base URL, the network and its proxy; a slow one needs a longer connect-timeout.",
            )
        what = (
            "fell silent in the middle of the answer, for" if self.is_answering else "did not answer within"
        )
        return self.failure(
            f"{what} {self._settings.timeout:g} seconds",
            "Check that it is running and reachable; a slow one needs a longer timeout.",
        )

    def _disconnected(self, error: openai.APIConnectionError) -> ProviderError:
        if self.deadline.left() <= 0:
            return self._too_late()
        causes = list(_causes(error))
        reason = causes[-1]
        if self.is_answering:
            return self.failure("broke off in the middle of the answer", "Try again.", reason)
        if tls := next((cause for cause in causes if isinstance(cause, ssl.SSLError)), None):
            return ProviderError(
                f"no secure connection (TLS) to {self._endpoint.shown}: {self._endpoint.quote(tls)}",
                hint="Check the base URL: a server without TLS needs http://; "
                "one with a certificate of its own needs SSL_CERT_FILE.",
            )
        return ProviderError(
            f"no connection to {self._endpoint.shown}: {self._endpoint.quote(reason)}",
            hint="Check that the server is running, the base URL, the network and its proxy.",
        )

    def _status(self, error: openai.APIStatusError) -> ProviderError:
        status = error.status_code
        what, hint = _STATUS.get(status, _SERVER_FAILED if status >= 500 else _UNEXPECTED)
        words = server_words(error.body)
        if status == 401 and not self._settings.api_key:
            what, hint = "wants a key", "Set OPENAI_API_KEY."
        elif status == 404:
            what = what.format(model=self._model)
        elif status == 429:
            wait = self._endpoint.quote(error.response.headers.get("retry-after", ""))
            if _is_quota(error):
                what, hint = "has no quota left for this key", "Check the plan and billing of the account."
            elif wait:
                hint = f"Wait as long as it asks (Retry-After: {wait}), then try again."
        elif 300 <= status < 400:
            target = re.split(r"[?#]", error.response.headers.get("location", ""))[0].rpartition("@")[2]
            what, hint, words = "redirects", "Set the base URL to that address, if you trust it.", target
        return self.failure(f"{what} (HTTP {status})", hint, words)

    def _invalid(self, error: openai.APIResponseValidationError) -> ProviderError:
        return self.failure(
            "sent an answer that is no chat completion", "Check the base URL and the model.", error.message
        )

    def _failed_in_stream(self, error: openai.APIError) -> ProviderError:
        what, hint = "failed in the middle of the answer", "Try again, or choose another model."
        return self.failure(what, hint, server_words(error.body) or error.message)

    def _unexpected(self, error: openai.OpenAIError) -> ProviderError:
        what, hint = f"could not be asked ({type(error).__name__})", "Check the provider's settings."
        return self.failure(what, hint, error)


def seconds_to_wait(headers: Mapping[str, str], now: float) -> float | None:
    """What a server's `Retry-After` asks for: seconds or a date (RFC 9110, 10.2.3), or `Retry-After-Ms`.

    Args:
        headers: The answer's; names in any case.
        now: Seconds since 1970.
    """
    for name, unit in ("retry-after-ms", 0.001), ("retry-after", 1.0):
        with suppress(ValueError):
            seconds = float(headers.get(name, "")) * unit
            if math.isfinite(seconds):
                return max(seconds, 0.0)
    with suppress(ValueError, OverflowError):
        date = email.utils.parsedate_to_datetime(headers.get("retry-after", ""))
        return max(date.timestamp() - now, 0.0)
    return None


def _time(seconds: float) -> str:
    if seconds >= 120:
        return f"{seconds / 60:.0f} minutes"
    return f"{max(seconds, 0.1):.1f}".removesuffix(".0") + " s"


def _is_quota(error: openai.APIStatusError) -> bool:
    """Whether money is lacking: waiting does not bring it."""
    return error.status_code == 429 and "insufficient_quota" in (error.code, error.type)


def _is_final(cause: BaseException) -> bool:
    if isinstance(cause, ssl.SSLError):
        return not isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError)
    return isinstance(cause, socket.gaierror) and cause.errno == socket.EAI_NONAME


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def server_words(body: object) -> str:
    """The message in an error's body, in any of the forms that servers use; "" for a page of HTML."""
    while isinstance(body, dict):
        body = next((body[name] for name in ("message", "detail", "error", "msg") if body.get(name)), "")
    if isinstance(body, list):
        return "; ".join(filter(None, map(server_words, body)))
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

TRANSLATIONS: Final[dict[type[BaseException], Callable[[Exchange, Any], ProviderError]]] = {
    openai.OpenAIError: Exchange._unexpected,
    openai.APIError: Exchange._failed_in_stream,
    openai.APIResponseValidationError: Exchange._invalid,
    openai.APIConnectionError: Exchange._disconnected,
    openai.APITimeoutError: Exchange._timed_out,
    openai.APIStatusError: Exchange._status,
    openai.BadRequestError: Exchange._status,
    openai.AuthenticationError: Exchange._status,
    openai.OAuthError: Exchange._status,
    openai.PermissionDeniedError: Exchange._status,
    openai.NotFoundError: Exchange._status,
    openai.ConflictError: Exchange._status,
    openai.UnprocessableEntityError: Exchange._status,
    openai.RateLimitError: Exchange._status,
    openai.InternalServerError: Exchange._status,
}
"""Every error of the SDK that asking for a chat completion can raise; a test compares it with the SDK."""
