"""The openai provider against a real server on loopback."""

from __future__ import annotations

import json
import signal
import threading
import traceback
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import openai
import pytest
from llm_server import CLOSE, HANG, SILENT, Behaviour, LlmServer, Say, Send, error, event, fail, refused_url

from gitforge.errors import ProviderError
from gitforge.llm import Message, ProviderSettings, Request
from gitforge.llm.openai_provider import NO_KEY, TRANSLATIONS, OpenAIProvider

KEY = "sk-test-0123456789abcdef"
REQUEST = Request((Message("system", "You write."), Message("user", "A persona.")), outline="unused")
STOP = {"x_should_retry": "false"}


def provider(server: LlmServer, **settings: Any) -> OpenAIProvider:
    return OpenAIProvider(
        ProviderSettings(**{"model": "test-model", "base_url": server.url, "timeout": 5.0, **settings})
    )


def failure(server: LlmServer, *behaviours: Behaviour, **settings: Any) -> ProviderError:
    server.queue(*behaviours)
    with pytest.raises(ProviderError) as caught:
        list(provider(server, **settings).stream(REQUEST))
    shown = "".join(traceback.format_exception(caught.value))
    assert KEY not in f"{shown}{caught.value.hint}"
    assert caught.value.hint
    assert "\n" not in caught.value.message
    return caught.value


# A proper answer


def test_the_answer_comes_in_the_pieces_that_the_server_sends(llm_server: LlmServer) -> None:
    llm_server.queue(Say("# Persona\n", "\n", "Ärger 🙂\n"))
    assert list(provider(llm_server).stream(REQUEST)) == ["# Persona\n", "\n", "Ärger 🙂\n"]


def test_a_piece_is_yielded_before_the_answer_is_complete(llm_server: LlmServer) -> None:
    llm_server.queue(Send((event({"content": "first"}), "hang")))
    with closing(provider(llm_server).stream(REQUEST)) as stream:
        assert next(stream) == "first"


def test_the_request_holds_model_messages_and_only_the_parameters_that_are_set(llm_server: LlmServer) -> None:
    llm_server.queue(Say("x"))
    list(provider(llm_server).stream(REQUEST))
    assert llm_server.requests[0].path == "/v1/chat/completions"
    assert llm_server.requests[0].json == {
        "model": "test-model",
        "stream": True,
        "messages": [{"role": "system", "content": "You write."}, {"role": "user", "content": "A persona."}],
    }


def test_temperature_and_token_limit_are_sent_when_set(llm_server: LlmServer) -> None:
    llm_server.queue(Say("x"))
    list(provider(llm_server).stream(Request(REQUEST.messages, "", temperature=0.0, max_tokens=7)))
    assert llm_server.requests[0].json["temperature"] == 0
    assert llm_server.requests[0].json["max_tokens"] == 7


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://api.openai.com/v1", "max_completion_tokens"),
        ("https://eu.api.openai.com/v1", "max_completion_tokens"),
        ("https://me.openai.azure.com/openai/v1", "max_completion_tokens"),
        ("https://api.openai.com.example.org/v1", "max_tokens"),
    ],
)
def test_the_token_limit_has_the_name_that_the_server_knows(url: str, name: str) -> None:
    assert OpenAIProvider(ProviderSettings(base_url=url))._limit(7) == {name: 7}


def test_the_key_is_sent_and_nothing_of_the_environment_replaces_it(
    llm_server: LlmServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-other")
    monkeypatch.setenv("OPENAI_BASE_URL", refused_url())
    llm_server.queue(Say("x"), Say("x"))
    list(provider(llm_server, api_key=KEY).stream(REQUEST))
    list(provider(llm_server).stream(REQUEST))
    sent = [received.headers["authorization"] for received in llm_server.requests]
    assert sent == [f"Bearer {KEY}", f"Bearer {NO_KEY}"]


def test_userinfo_and_query_of_the_base_url_are_sent(llm_server: LlmServer) -> None:
    llm_server.queue(Say("x"))
    url = llm_server.url.replace("//", "//me:password@") + "?api-version=7"
    list(provider(llm_server, base_url=url).stream(REQUEST))
    assert llm_server.requests[0].path == "/v1/chat/completions?api-version=7"
    assert llm_server.requests[0].headers["authorization"].startswith("Basic ")


def test_text_that_utf_8_cannot_hold_is_sent_with_a_replacement(llm_server: LlmServer) -> None:
    llm_server.queue(Say("x"))
    list(provider(llm_server).stream(Request((Message("user", "a\udcffb"),), "")))
    assert llm_server.requests[0].prompt == "a?b"


def test_chunks_without_text_are_passed_over(llm_server: LlmServer) -> None:
    odd: list[object] = [{}, [], "x", 5, {"choices": None}, {"choices": []}, {"choices": [None]}]
    odd += [{"choices": [{"delta": None}]}, {"choices": [{"delta": {"content": 7}}]}, {"choices": {}}]
    parts = [f"data: {json.dumps(chunk)}\n\n".encode() for chunk in odd]
    llm_server.queue(Send((b": keep-alive\n\n", *parts, event({"content": "x"}), event({}, finish="stop"))))
    assert list(provider(llm_server).stream(REQUEST)) == ["x"]


def test_many_answers_can_be_streamed_side_by_side(llm_server: LlmServer) -> None:
    llm_server.otherwise = Say("a", 0.01, "b")
    shared, drafts = provider(llm_server), []
    threads = [
        threading.Thread(target=lambda: drafts.append("".join(map(str, shared.stream(REQUEST)))))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert drafts == ["ab"] * 8


# Stopping early


def test_closing_the_stream_closes_the_connection(llm_server: LlmServer) -> None:
    llm_server.queue(Send((event({"content": "x"}), "hang")))
    with closing(provider(llm_server).stream(REQUEST)) as stream:
        next(stream)
    assert llm_server.requests[0].gone.wait(10)


def test_an_interrupt_while_waiting_closes_the_connection(llm_server: LlmServer) -> None:
    llm_server.queue(Send((event({"content": "x"}), "hang")))
    stream = provider(llm_server).stream(REQUEST)
    next(stream)
    main = threading.main_thread().ident
    assert main is not None
    interrupt = threading.Timer(0.1, signal.pthread_kill, (main, signal.SIGINT))
    interrupt.start()
    with pytest.raises(KeyboardInterrupt):
        next(stream)
    interrupt.join()
    assert llm_server.requests[0].gone.wait(10)


# Retries


def test_a_passing_failure_is_tried_again_twice(llm_server: LlmServer) -> None:
    llm_server.queue(fail(503), CLOSE, Say("x"))
    assert list(provider(llm_server).stream(REQUEST)) == ["x"]
    assert len(llm_server.requests) == 3


def test_the_server_says_how_long_to_wait_before_the_next_try(llm_server: LlmServer) -> None:
    llm_server.queue(fail(429, retry_after="0.001"), Say("x"))
    assert list(provider(llm_server).stream(REQUEST)) == ["x"]


def test_a_failure_that_stays_is_told_after_two_retries(llm_server: LlmServer) -> None:
    llm_server.otherwise = fail(500, error("out of cheese"))
    assert failure(llm_server).message == f"The server {llm_server.url} failed (HTTP 500): out of cheese"
    assert len(llm_server.requests) == 3


def test_what_cannot_pass_is_not_tried_again(llm_server: LlmServer) -> None:
    failure(llm_server, fail(401))
    assert len(llm_server.requests) == 1


# Statuses


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (400, "rejected the request (HTTP 400): because"),
        (401, "refused the key (HTTP 401): because"),
        (402, "wants to be paid (HTTP 402): because"),
        (403, "does not allow this (HTTP 403): because"),
        (404, "knows no such address, or no model test-model (HTTP 404): because"),
        (405, "gave an unexpected answer (HTTP 405): because"),
        (408, "did not get the request in time (HTTP 408): because"),
        (409, "gave an unexpected answer (HTTP 409): because"),
        (413, "found the request too large (HTTP 413): because"),
        (422, "rejected the request (HTTP 422): because"),
        (429, "has too many requests (HTTP 429): because"),
        (500, "failed (HTTP 500): because"),
        (529, "failed (HTTP 529): because"),
    ],
)
def test_each_status_is_told_with_the_servers_own_words(
    llm_server: LlmServer, status: int, says: str
) -> None:
    told = failure(llm_server, fail(status, error("because"), **STOP), api_key=KEY)
    assert told.message == f"The server {llm_server.url} {says}"


def test_a_server_that_wants_a_key_says_so_when_none_is_set(llm_server: LlmServer) -> None:
    told = failure(llm_server, fail(401))
    assert told.message == f"The server {llm_server.url} wants a key (HTTP 401)."
    assert told.hint == "Set OPENAI_API_KEY."


def test_an_exhausted_quota_is_told_apart_from_a_rate_limit(llm_server: LlmServer) -> None:
    quota = failure(llm_server, fail(429, error("You exceeded", code="insufficient_quota"), **STOP))
    assert "has no quota left" in quota.message
    assert "billing" in str(quota.hint)


@pytest.mark.parametrize(("header", "wait"), [("retry_after", "100"), ("retry_after_ms", "100000")])
def test_a_wait_that_is_longer_than_the_deadline_is_told_instead_of_waited_for(
    llm_server: LlmServer, header: str, wait: str
) -> None:
    told = failure(llm_server, fail(429, error("slow down"), **{header: wait}), deadline=50.0)
    assert "slow down" in told.message
    assert len(llm_server.requests) == 1


def test_the_wait_that_the_server_asks_for_is_told(llm_server: LlmServer) -> None:
    told = failure(llm_server, fail(429, retry_after="100", **STOP))
    assert told.hint == "Wait as long as it asks (Retry-After: 100), then try again."


def test_a_redirect_is_told_and_not_followed(llm_server: LlmServer) -> None:
    told = failure(llm_server, fail(307, location="https://elsewhere.example/v1?token=hush"))
    assert told.message.endswith("redirects (HTTP 307): https://elsewhere.example/v1")
    assert len(llm_server.requests) == 1


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error": {"message": "words"}}, "words"),
        ({"error": "words"}, "words"),
        ({"object": "error", "message": "words"}, "words"),
        ({"detail": [{"loc": ["body"], "msg": "words"}, {"msg": "more"}]}, "words; more"),
        (b"words", "words"),
        ("words", "words"),
        (b"<!doctype html><html><body>nginx</body></html>", ""),
        (b"\xff\xfe{", "��{"),
        ([1, None], ""),
        (None, ""),
        ({"error": {"message": "a\x1b[31m\n\n b\u202e" + "c" * 900}}, "a [31m b " + "c" * 290 + "…"),
    ],
)
def test_the_servers_words_are_found_in_any_form_and_shown_as_one_short_printable_line(
    llm_server: LlmServer, body: object, words: str
) -> None:
    told = failure(llm_server, fail(400, body))
    assert told.message.partition(" (HTTP 400)")[2] == (f": {words}" if words else ".")


# Secrets


@pytest.mark.parametrize(
    "behaviour",
    [
        fail(401, error(f"Incorrect API key provided: {KEY}.")),
        fail(400, error(f"glued{KEY}glued")),
        fail(500, f"{'y' * 290}{KEY}".encode(), **STOP),
        fail(302, location=f"https://elsewhere.example/{KEY}"),
        fail(429, retry_after=f"{KEY}", **STOP),
        Send((b"<html>",), headers={"Content-Type": KEY}),
        Send((f"data: {json.dumps(error(KEY))}\n\n".encode(),)),
        Send((f"data: {KEY}\n\n".encode(),)),
        Say(refusal=f"I will not tell {KEY}"),
    ],
)
def test_a_server_that_echoes_the_key_does_not_get_it_shown(
    llm_server: LlmServer, behaviour: Behaviour
) -> None:
    assert KEY[3:] not in failure(llm_server, behaviour, api_key=KEY).message


def test_an_echoed_password_of_the_base_url_is_not_shown(llm_server: LlmServer) -> None:
    url = llm_server.url.replace("//", "//me:pass%20word@") + "?token=hush-hush"
    told = failure(
        llm_server, fail(403, error("me:pass word, pass%20word, token hush-hush, home")), base_url=url
    )
    assert told.message.endswith("[hidden]:[hidden], [hidden], token [hidden], home")


# Connections


def test_a_server_that_does_not_listen_is_named(llm_server: LlmServer) -> None:
    url = refused_url()
    told = failure(llm_server, base_url=url)
    assert told.message.startswith(f"No connection to {url}: ")
    assert "refused" in told.message


def test_a_host_that_does_not_exist_is_named(llm_server: LlmServer) -> None:
    told = failure(llm_server, base_url="http://nowhere.invalid/v1")
    assert told.message.startswith("No connection to http://nowhere.invalid/v1: ")


def test_a_connection_closed_before_the_answer_is_told(llm_server: LlmServer) -> None:
    llm_server.otherwise = CLOSE
    assert failure(llm_server).message.startswith(f"No connection to {llm_server.url}: ")


def test_a_server_without_tls_is_told_apart(llm_server: LlmServer) -> None:
    url = llm_server.url.replace("http:", "https:")
    told = failure(llm_server, base_url=url)
    assert told.message.startswith(f"No secure connection (TLS) to {url}: ")
    assert "http://" in str(told.hint)


def test_a_host_name_that_cannot_be_one_is_told(llm_server: LlmServer) -> None:
    told = failure(llm_server, base_url="http://a..b/v1")
    assert told.message.startswith("No connection to http://a..b/v1 can be prepared: ")


def test_an_unusable_proxy_in_the_environment_is_told(
    llm_server: LlmServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "nonsense://me:pw-of-proxy@proxy")
    told = failure(llm_server)
    assert told.message.startswith(f"No connection to {llm_server.url} can be prepared: ")
    assert "pw-of-proxy" not in told.message
    assert "ALL_PROXY" in str(told.hint)


@pytest.mark.parametrize(
    "parts",
    [
        (event({"content": "beg"}), "drop"),
        (event({"content": "beg"}), b'data: {"choi', "drop"),
    ],
)
def test_a_connection_lost_in_mid_stream_is_told_after_what_came(
    llm_server: LlmServer, parts: tuple[Any, ...]
) -> None:
    llm_server.queue(Send(parts))
    stream = provider(llm_server).stream(REQUEST)
    assert next(stream) == "beg"
    with pytest.raises(ProviderError, match="broke off in the middle of the answer"):
        next(stream)
    assert len(llm_server.requests) == 1


@pytest.mark.parametrize("framed", [True, False])
def test_an_answer_that_just_ends_is_incomplete(llm_server: LlmServer, framed: bool) -> None:
    told = failure(llm_server, Send((event({"content": "half a"}),), framed=framed))
    assert "ended the answer before it was complete" in told.message


# Time


def test_a_server_that_does_not_answer_is_given_up_after_the_timeout_and_two_retries(
    llm_server: LlmServer,
) -> None:
    llm_server.otherwise = SILENT
    told = failure(llm_server, timeout=0.05)
    assert told.message == f"The server {llm_server.url} did not answer within 0.05 seconds."
    assert len(llm_server.requests) == 3


def test_a_server_that_falls_silent_in_mid_stream_is_given_up(llm_server: LlmServer) -> None:
    told = failure(llm_server, Send((event({"content": "x"}), "hang")), timeout=0.1)
    assert "fell silent in the middle of the answer, for 0.1 seconds" in told.message


TRICKLE = Send((event({"content": "x"}), *(0.02, b": keep-alive\n\n") * 500))


@pytest.mark.parametrize(
    "behaviour",
    [SILENT, HANG, TRICKLE, Send(TRICKLE.parts, framed=False), Say(*("x", 0.02) * 500)],
    ids=["silent", "hang", "trickle", "trickle-unframed", "endless-text"],
)
def test_the_deadline_ends_the_exchange_whatever_the_server_does(
    llm_server: LlmServer, behaviour: Behaviour
) -> None:
    llm_server.otherwise = behaviour
    told = failure(llm_server, deadline=0.2)
    assert told.message == f"The server {llm_server.url} did not finish within 0.2 seconds."


def test_no_retry_starts_after_the_deadline(llm_server: LlmServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.5)
    assert "did not finish within" in failure(llm_server, CLOSE, deadline=0.2).message
    assert len(llm_server.requests) == 1


def test_the_deadline_wakes_a_silent_stream(llm_server: LlmServer) -> None:
    told = failure(llm_server, HANG, timeout=1000.0, deadline=0.2)
    assert told.message == f"The server {llm_server.url} did not finish within 0.2 seconds."


# Answers that are none


@pytest.mark.parametrize(
    ("behaviour", "says"),
    [
        (Say(), "The model test-model gave an empty answer."),
        (Say(" \n", "\t"), "The model test-model gave an empty answer."),
        (
            Say("# Per", finish="length"),
            "The model test-model reached its length limit: the draft is cut off.",
        ),
        (
            Say(finish="length"),
            "The model test-model reached its length limit: it wrote nothing, perhaps it only reasoned.",
        ),
        (Say("x", finish="content_filter"), "The content filter of {url} stopped the answer."),
        (Say(refusal="I cannot."), "The model test-model refused: I cannot."),
        (
            Send((b'{"choices": []}',), headers={"Content-Type": "application/json"}),
            "The server {url} sent no chat completion, but application/json.",
        ),
        (
            Send((b"<html>\n\n</html>\n\n",), headers={"Content-Type": "text/html; charset=utf-8"}),
            "The server {url} sent no chat completion, but text/html; charset=utf-8.",
        ),
        (
            Send((b"data: {nonsense\n\n",)),
            "The server {url} sent an answer that cannot be read (JSONDecodeError).",
        ),
        (
            Send((b"data: \xff\xff\n\n",)),
            "The server {url} sent an answer that cannot be read (UnicodeDecodeError).",
        ),
        (
            Send((b"data: " + b"[" * 100_000 + b"\n\n",)),
            "The server {url} sent an answer that cannot be read (RecursionError).",
        ),
        (
            Send((b'data: {"error": {"message": "GPU is on fire"}}\n\n',)),
            "The server {url} failed in the middle of the answer: GPU is on fire",
        ),
        (
            Send((b'data: {"error": "GPU is on fire"}\n\n',)),
            "The server {url} failed in the middle of the answer: GPU is on fire",
        ),
        (
            Send((b"xx",), headers={"Content-Encoding": "gzip"}),
            (
                "The server {url} broke off in the middle of the answer: "
                "Error -3 while decompressing data: incorrect header check"
            ),
        ),
    ],
)
def test_an_answer_that_is_no_draft_is_told(llm_server: LlmServer, behaviour: Behaviour, says: str) -> None:
    assert failure(llm_server, behaviour).message == says.format(url=llm_server.url)


def test_what_was_written_before_a_cut_off_is_yielded(llm_server: LlmServer) -> None:
    llm_server.queue(Say("# Per", "sona", finish="length"))
    stream = provider(llm_server).stream(REQUEST)
    assert (next(stream), next(stream)) == ("# Per", "sona")
    with pytest.raises(ProviderError, match="cut off"):
        next(stream)


# The SDK's own errors

ELSEWHERE = {
    "LengthFinishReasonError": "`parse` only, for structured output",
    "ContentFilterFinishReasonError": "`parse` only, for structured output",
    "SubjectTokenProviderError": "workload identity",
    "WebSocketConnectionClosedError": "web sockets",
    "WebSocketQueueFullError": "web sockets",
    "_AmbiguousModuleClientUsageError": "the client in the module",
}


def errors_of_the_sdk(parent: type[BaseException] = openai.OpenAIError) -> Iterator[type[BaseException]]:
    if parent.__module__ in {"openai", "openai._exceptions"}:
        yield parent
    for child in parent.__subclasses__():
        yield from errors_of_the_sdk(child)


def test_every_error_of_the_sdk_has_a_translation_or_comes_from_elsewhere() -> None:
    errors = set(errors_of_the_sdk())
    assert {error.__name__ for error in errors - set(TRANSLATIONS)} == set(ELSEWHERE)
    assert set(TRANSLATIONS) <= errors


def test_an_error_that_the_sdk_does_not_have_yet_is_translated_as_its_parent(
    llm_server: LlmServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    class TeapotError(openai.APIStatusError):
        pass

    monkeypatch.setattr("openai._exceptions.BadRequestError", TeapotError)
    assert failure(llm_server, fail(400, error("short and stout"))).message.endswith("short and stout")
