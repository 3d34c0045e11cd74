"""Every model that the user has set up in the `llm` tool (https://llm.datasette.io), through its Python API.

A plugin is somebody else's code, which may talk to a server or run a model in this process. So it runs in a
thread of its own: whoever waits for it can stop waiting at any time. Its own retries are the only ones: it alone
knows its server's errors. Nothing is written to the tool's log of prompts.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Collection, Generator, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any, Final

from gitforge.errors import CutOff, ProviderError, Unusable, UserError
from gitforge.llm import Notice, Piece, ProviderSettings, Request, Usage
from gitforge.llm.deadline import Deadline, DeadlineExceeded
from gitforge.llm.endpoint import check_model, quoted
from gitforge.llm.pace import Pace, Turn
from gitforge.llm.parameters import rejected

OPTIONS: Final = {
    "temperature": ("temperature",),
    "max_tokens": ("max_tokens", "max_completion_tokens", "max_output_tokens", "num_predict"),
    "seed": ("seed",),
    "reasoning_effort": ("reasoning_effort",),
}
"""What a request can ask for, and the names that plugins have for it."""

_END: Final = object()
_Arrived = queue.SimpleQueue[object]


class LlmProvider:
    """Asks one model of the `llm` tool.

    Raises:
        UserError: The tool is not installed or cannot be loaded, or it has no such model, or no key for it.
    """

    name: Final = "llm"
    is_model: Final = True
    endpoint: Final = None

    def __init__(self, settings: ProviderSettings) -> None:
        self._settings: Final = settings
        self._model, self._key = _open_model(settings.model)
        self.model: Final = str(self._model.model_id)
        check_model(self.model, self._key)
        # A model without a key mostly runs in this process, where two at once would be one too many.
        self.concurrency: Final = settings.concurrency if self._model.needs_key else 1
        self._pace: Final = Pace(self.concurrency)
        self._lock: Final = threading.Lock()
        self._waiting: Final[set[_Arrived]] = set()
        self._without: Final[set[str]] = set()
        self._told: Final[set[str]] = set()

    @property
    def label(self) -> str:
        """The model's name."""
        return self.model

    @property
    def describe(self) -> str:
        """The model, and through what it is reached."""
        return f"{self.model} of the llm tool"

    def __repr__(self) -> str:
        return f"LlmProvider({self.describe!r})"

    def stream(self, request: Request) -> Generator[Piece]:
        """Yields the answer as the plugin gives it, or whole where it does not stream."""
        deadline = Deadline(self._settings.deadline)
        with self._pace.turn(deadline, is_urgent=request.is_urgent) as turn:
            turn.take()
            with self._errors_translated():
                response, notices = self._prompt(request)
                yield from notices
                yield from self._read(response, turn, deadline)
            turn.done()

    def cancel(self) -> None:
        """Ends all waiting. A plugin that is waiting itself is left to end with the process."""
        self._pace.stop()
        with self._lock:
            for arrived in self._waiting:
                arrived.put(_END)

    def close(self) -> None:
        """Cancels what is under way; a plugin holds no more than the process does."""
        self.cancel()

    def _prompt(self, request: Request) -> tuple[Any, list[Notice]]:
        """The plugin's answer, not begun yet, with the options that its model takes."""
        ours = self._settings
        wanted = {
            "temperature": ours.temperature if request.temperature is None else request.temperature,
            "max_tokens": ours.max_tokens if request.max_tokens is None else request.max_tokens,
            "seed": ours.seed if request.seed is None else request.seed,
            "reasoning_effort": request.reasoning_effort or ours.reasoning_effort,
        }
        known = self._model.Options.model_fields
        options: dict[str, Any] = {}
        lacking = set(self._without)
        for option, value in wanted.items():
            name = next((name for name in OPTIONS[option] if name in known), None)
            if value is not None and option not in lacking:
                if name is None:
                    lacking.add(option)
                else:
                    options[name] = value
        system, user = (_joined(request, role) for role in ("system", "user"))
        while True:
            try:
                response = self._model.prompt(user, system=system, stream=True, options=options)
                break
            except ValueError as error:  # pydantic's, of the options
                names = rejected(options, _places(error))
                if not names:
                    raise
                for name in names:
                    del options[name]
                    lacking.add(next(option for option, all_ in OPTIONS.items() if name in all_))
        return response, self._tell(lacking)

    def _tell(self, lacking: Collection[str]) -> list[Notice]:
        with self._lock:
            news = [name for name in OPTIONS if name in lacking and name not in self._told]
            self._told.update(news)
            self._without.update(lacking)
        return [
            Notice(f"the model {self.model} does not take this {name}: asked without it", parameter=name)
            for name in news
        ]

    def _read(self, response: Any, turn: Turn, deadline: Deadline) -> Generator[str | Usage]:
        arrived: _Arrived = queue.SimpleQueue()
        gone = threading.Event()
        threading.Thread(target=_run, args=(response, arrived, gone), daemon=True).start()
        with self._lock:
            self._waiting.add(arrived)
        texts = []
        try:
            while True:
                turn.check()
                try:
                    piece = arrived.get(timeout=min(self._settings.timeout, deadline.left()))
                except queue.Empty:
                    turn.check()
                    raise self._failure(
                        f"was silent for {self._settings.timeout:g} seconds",
                        "Check that it works with `llm`; a slow one needs a longer timeout.",
                    ) from None
                turn.check()
                if piece is _END:
                    break
                if isinstance(piece, BaseException):
                    raise piece
                if isinstance(piece, str) and piece:
                    texts.append(piece)
                if isinstance(piece, str | Usage) and piece:
                    yield piece
        finally:
            gone.set()
            with self._lock:
                self._waiting.discard(arrived)
        self._judge(response, "".join(texts))

    def _judge(self, response: Any, answer: str) -> None:
        if self._key and len(self._key) >= 16 and self._key in answer:
            raise self._failure("wrote the key into its answer", "Revoke the key, and choose another model.")
        told = response.response_json if isinstance(response.response_json, dict) else {}
        if told.get("finish_reason") == "length" or told.get("stop_reason") == "max_tokens":
            raise CutOff(
                f"the model {self.model} reached its length limit: the draft is cut off",
                hint="Ask for less, allow more tokens (max-tokens), or choose a model with more room.",
            )
        if not answer.strip():
            raise Unusable(
                f"the model {self.model} gave an empty answer", hint="Try again, or choose another model."
            )

    @contextmanager
    def _errors_translated(self) -> Iterator[None]:
        try:
            yield
        except (ProviderError, GeneratorExit):
            raise
        except DeadlineExceeded:
            raise self._failure(
                f"did not finish within {self._settings.deadline:g} seconds",
                "Allow a longer deadline, or choose a faster model.",
            ) from None
        except Exception as error:  # a plugin's, of any type
            if self._pace.is_stopped:
                raise
            words = quoted(str(error), [self._key or ""]) or type(error).__name__
            raise self._failure(
                f"failed: {words}", f"Try it with the tool itself: llm -m {self.model} 'Hello'."
            ) from None

    def _failure(self, what: str, hint: str) -> ProviderError:
        return ProviderError(f"the model {self.model} of the llm tool {what}", hint=hint)


def _open_model(name: str | None) -> tuple[Any, str | None]:
    """A model of the tool, and its key, where it needs one."""
    try:
        import llm  # noqa: PLC0415 -- an optional extra, and a fifth of a second

        tool: Any = llm  # not all of it is typed
    except ImportError as error:
        if error.name != "llm":
            raise _unusable(error) from None
        raise UserError(
            "the provider 'llm' needs the llm tool, which is not installed beside gitforge",
            hint="Install it: `pip install 'gitforge[llm]'`; then its plugins: `llm install llm-anthropic`.",
        ) from None
    try:
        models: dict[str, Any] = tool.get_model_aliases()
        wanted = name or tool.get_default_model()
    except Exception as error:  # noqa: BLE001 -- a plugin's import can do anything
        raise _unusable(error) from None
    if wanted not in models:
        close = get_close_matches(wanted.casefold(), [*models], n=3, cutoff=0.5)
        near = f"Near to it: {', '.join(close)}. " if close else ""
        raise UserError(
            f"the llm tool has no model {wanted[:200]!r}",
            hint=f"{near}`llm models` lists all; a plugin brings more, for example `llm install llm-ollama`.",
        )
    try:
        return models[wanted], models[wanted].get_key()
    except llm.NeedsKeyException as error:
        needed = models[wanted].needs_key
        raise UserError(f"the llm tool: {error}", hint=f"Run `llm keys set {needed}`.") from None
    except Exception as error:  # noqa: BLE001 -- a plugin's; what it says may hold the key, which is not known
        raise UserError(
            f"the llm tool gives no key for the model {wanted!r} ({type(error).__name__})",
            hint="See what `llm keys` says.",
        ) from None


def _unusable(error: Exception) -> UserError:
    told = quoted(f"{type(error).__name__}: {error}", [])
    return UserError(f"the llm tool cannot be loaded: {told}", hint="See what `llm plugins` says.")


def _run(response: Any, arrived: _Arrived, gone: threading.Event) -> None:
    """Reads the plugin's answer to its end, or until nobody is there for it."""
    try:
        for text in response:
            if gone.is_set():
                return
            arrived.put(text)
        if (usage := _usage(response)) is not None:
            arrived.put(usage)
    except Exception as error:  # noqa: BLE001 -- told where it is waited for
        arrived.put(error)
    finally:
        arrived.put(_END)


def _usage(response: Any) -> Usage | None:
    usage = response.usage()
    counts = (usage.input, usage.output)
    return Usage(*counts) if all(type(count) is int and count >= 0 for count in counts) else None


def _joined(request: Request, role: str) -> str:
    return "\n\n".join(message.content for message in request.messages if message.role == role)


def _places(error: ValueError) -> object:
    """Which fields pydantic found wrong."""
    errors = getattr(error, "errors", None)
    return [{"loc": list(map(str, one["loc"]))} for one in errors()] if callable(errors) else str(error)
