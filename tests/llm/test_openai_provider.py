"""The openai provider against a real server on loopback."""

from __future__ import annotations

import email.utils
import json
import re
import signal
import socket
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import openai
import pytest
from fake_time import FakeTime
from llm_server import (
    CLOSE,
    HANG,
    RESET,
    SILENT,
    Behaviour,
    LlmServer,
    Say,
    Send,
    certificate,
    error,
    event,
    fail,
    refused_url,
    tls,
)

from gitforge.errors import Cancelled, CutOff, GitforgeError, ProviderError
from gitforge.llm import Message, Notice, ProviderSettings, Request, Usage
from gitforge.llm.openai_errors import TRANSLATIONS
from gitforge.llm.openai_provider import NO_KEY, OpenAIProvider
from gitforge.llm.pace import Pace

KEY = "sk-test-0123456789abcdef"
REQUEST = Request((Message("system", "You write."), Message("user", "A persona.")), outline="unused")
STOP = {"x_should_retry": "false"}


def provider(server: LlmServer, **settings: Any) -> OpenAIProvider:
    """One whose pauses are over at once."""
    fake = FakeTime()
    return OpenAIProvider(
        ProviderSettings(**{"model": "test-model", "base_url": server.url, "timeout": 60.0, **settings}),
        Pace(20, clock=fake.clock, wait=fake.wait),
    )


def notices(pieces: list[Any]) -> list[str]:
    return [piece.text for piece in pieces if isinstance(piece, Notice)]


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
        "stream_options": {"include_usage": True},
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
    request = Request(REQUEST.messages, "", max_tokens=7)
    sent = OpenAIProvider(ProviderSettings(base_url=url))._parameters(request, without={"stream_options"})
    assert sent == {name: 7}


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


def test_what_an_exchange_took_is_told_at_its_end(llm_server: LlmServer) -> None:
    llm_server.queue(Say("x", "y", usage={"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}))
    assert list(provider(llm_server).stream(REQUEST)) == ["x", "y", Usage(12, 3)]


def test_what_a_refused_answer_took_is_told_too(llm_server: LlmServer) -> None:
    llm_server.queue(Say("x", finish="length", usage={"prompt_tokens": 12, "completion_tokens": 3}))
    stream = provider(llm_server).stream(REQUEST)
    assert [next(stream), next(stream)] == ["x", Usage(12, 3)]
    with pytest.raises(CutOff):
        next(stream)


@pytest.mark.parametrize(
    "usage",
    [
        {}, 7, "many", [1, 2],
        {"prompt_tokens": 12},
        {"prompt_tokens": None, "completion_tokens": 3},
        {"prompt_tokens": -1, "completion_tokens": 3},
        {"prompt_tokens": True, "completion_tokens": 3},
        {"prompt_tokens": 1.5, "completion_tokens": 3},
        {"prompt_tokens": "12", "completion_tokens": 3},
        {"prompt_tokens": 10**30, "completion_tokens": 3},
    ],
)  # fmt: skip
def test_numbers_that_cannot_be_are_no_usage(llm_server: LlmServer, usage: object) -> None:
    llm_server.queue(Say("x", usage=usage))
    assert list(provider(llm_server).stream(REQUEST)) == ["x"]


def test_an_answer_of_ten_megabytes_is_streamed(llm_server: LlmServer) -> None:
    llm_server.queue(Say(*["ten bytes." * 1000] * 1000))
    assert sum(len(str(piece)) for piece in provider(llm_server).stream(REQUEST)) == 10_000_000


# Parameters

SETTINGS = {"temperature": 0.5, "max_tokens": 99, "seed": 7, "reasoning_effort": "low"}


def sent(server: LlmServer, number: int = -1) -> dict[str, Any]:
    always = {"model", "messages", "stream", "stream_options"}
    return {name: value for name, value in server.requests[number].json.items() if name not in always}


def test_what_the_settings_say_is_sent_unless_the_request_says_otherwise(llm_server: LlmServer) -> None:
    llm_server.otherwise = Say("x")
    asking = provider(llm_server, **SETTINGS)
    list(asking.stream(REQUEST))
    assert sent(llm_server) == SETTINGS
    own = Request(REQUEST.messages, "", temperature=0.0, max_tokens=1, seed=0, reasoning_effort="high")
    list(asking.stream(own))
    assert sent(llm_server) == {"temperature": 0.0, "max_tokens": 1, "seed": 0, "reasoning_effort": "high"}


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize("name", ["temperature", "seed", "reasoning_effort", "stream_options"])
def test_a_rejected_parameter_is_left_out_once_and_for_all_and_said(name: str, status: int) -> None:
    answer = fail(status, error(f"Unsupported parameter: '{name}'", param=name))
    with LlmServer(otherwise=Say("x"), rejects={name: answer}) as server:
        asking = provider(server, **SETTINGS)
        told = f"the server {server.url} rejects {name} (HTTP {status}): asking again without it"
        assert list(asking.stream(REQUEST)) == [Notice(told, parameter=name), "x"]
        assert list(asking.stream(REQUEST)) == ["x"]
        assert [name in received.json for received in server.requests] == [True, False, False]


def test_every_parameter_can_be_rejected_one_after_the_other(llm_server: LlmServer) -> None:
    names = [
        "temperature",
        "seed",
        "reasoning_effort",
        "stream_options",
        "max_tokens",
        "max_completion_tokens",
    ]
    rejects = {name: fail(400, error(f"{name} is not supported")) for name in names}
    with LlmServer(otherwise=Say("x"), rejects=rejects) as server:
        pieces = list(provider(server, **SETTINGS).stream(REQUEST))
        assert [piece.parameter for piece in pieces if isinstance(piece, Notice)] == names
        assert pieces[-1] == "x"
        assert sorted(server.requests[-1].json) == ["messages", "model", "stream"]


@pytest.mark.parametrize(
    ("rejected", "taken"), [("max_tokens", "max_completion_tokens"), ("max_completion_tokens", "max_tokens")]
)
def test_the_limit_of_tokens_is_sent_under_its_other_name_where_the_server_wants_that(
    rejected: str, taken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with LlmServer(
        otherwise=Say("x"), rejects={rejected: fail(400, error(f"use {taken}", param=rejected))}
    ) as server:
        asking = provider(server, max_tokens=99)
        monkeypatch.setattr(asking, "_limit_names", lambda: (rejected, taken))
        assert list(asking.stream(REQUEST))[-1] == "x"
        assert sent(server) == {taken: 99}


def test_a_server_that_rejects_without_a_name_is_asked_without_what_is_optional() -> None:
    with LlmServer(otherwise=Say("x"), rejects={"seed": fail(400, error("Unsupported parameter"))}) as server:
        assert list(provider(server, **SETTINGS).stream(REQUEST))[-1] == "x"
        assert sent(server) == {"max_completion_tokens": 99}


def test_a_parameter_is_not_given_up_for_good_where_leaving_it_out_did_not_help(
    llm_server: LlmServer,
) -> None:
    asking = provider(llm_server, seed=7)
    llm_server.queue(fail(400, error("bad seed")), fail(400, error("bad request")), Say("x"))
    with pytest.raises(ProviderError, match="bad request"):
        list(asking.stream(REQUEST))
    assert list(asking.stream(REQUEST)) == ["x"]
    assert sent(llm_server) == {"seed": 7}


def test_many_requests_at_once_say_only_once_what_is_rejected() -> None:
    with LlmServer(otherwise=Say("x"), rejects={"seed": fail(400, error("no seed"))}) as server:
        pieces = side_by_side(provider(server, seed=7), 8)
        assert pieces.count("x") == 8
        assert [piece.parameter for piece in pieces if isinstance(piece, Notice)] == ["seed"]


# Many at once


def side_by_side(asking: OpenAIProvider, number: int) -> list[Any]:
    """What so many streams in so many threads yield, all in one list; the errors with them."""
    pieces: list[Any] = []

    def work() -> None:
        try:
            pieces.extend(asking.stream(REQUEST))
        except GitforgeError as error:
            pieces.append(error)

    threads = [threading.Thread(target=work) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return pieces


def test_a_server_that_takes_four_at_once_answers_all_twenty() -> None:
    with LlmServer(otherwise=Say("x", 0.01), most=4) as server:
        settings = ProviderSettings(base_url=server.url, model="m")
        asking = OpenAIProvider(settings, Pace(20, chance=lambda: 1.0))
        assert side_by_side(asking, 20).count("x") == 20


def test_only_so_many_are_asked_for_at_once_as_the_settings_say() -> None:
    with LlmServer(otherwise=Say("x", 0.01), most=3) as server:
        asking = OpenAIProvider(ProviderSettings(base_url=server.url, model="m", concurrency=3))
        assert side_by_side(asking, 12) == ["x"] * 12


# Stopping early


@pytest.mark.parametrize(
    "behaviour",
    [SILENT, HANG, Send((event({"content": "x"}), "hang")), Send((b"data: {", "hang"), framed=False)],
    ids=["silent", "hangs", "hangs in mid-stream", "hangs in mid-event"],
)
def test_cancelling_ends_what_any_thread_waits_for(llm_server: LlmServer, behaviour: Behaviour) -> None:
    llm_server.otherwise = behaviour
    asking = provider(llm_server, timeout=1000.0, concurrency=4)

    def cancel() -> None:
        llm_server.arrived(4)
        asking.cancel()

    canceller = threading.Thread(target=cancel)
    canceller.start()
    ended = [piece for piece in side_by_side(asking, 4) if piece != "x"]
    canceller.join()
    assert [type(one) for one in ended] == [Cancelled] * 4
    assert all(received.gone.wait(60) for received in llm_server.requests)


def test_cancelling_ends_a_pause(llm_server: LlmServer) -> None:
    llm_server.otherwise = fail(429, retry_after="500")
    asking = OpenAIProvider(ProviderSettings(base_url=llm_server.url))
    stream = asking.stream(REQUEST)
    assert isinstance(next(stream), Notice)
    timer = threading.Timer(0.05, asking.cancel)
    timer.start()
    with pytest.raises(Cancelled):
        next(stream)
    timer.join()


def test_a_cancelled_or_closed_provider_asks_nothing(llm_server: LlmServer) -> None:
    llm_server.otherwise = Say("x")
    asking = provider(llm_server)
    list(asking.stream(REQUEST))
    asking.close()
    asking.close()
    with pytest.raises(Cancelled):
        list(asking.stream(REQUEST))
    assert len(llm_server.requests) == 1


def test_an_exchange_over_tls_can_be_cancelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(own))
    with LlmServer(otherwise=Send((event({"content": "x"}), "hang")), tls=tls(own)) as server:
        asking = provider(server, timeout=1000.0)
        stream = asking.stream(REQUEST)
        assert next(stream) == "x"
        timer = threading.Timer(0.05, asking.cancel)
        timer.start()
        with pytest.raises(Cancelled):
            next(stream)
        timer.join()
        assert server.requests[0].gone.wait(60)


def test_a_silent_handshake_can_be_cancelled() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/v1"
        asking = OpenAIProvider(ProviderSettings(base_url=url, connect_timeout=1000.0))
        timer = threading.Timer(0.2, asking.cancel)
        timer.start()
        with pytest.raises(Cancelled):
            list(asking.stream(REQUEST))
        timer.join()


def test_closing_the_stream_closes_the_connection(llm_server: LlmServer) -> None:
    llm_server.queue(Send((event({"content": "x"}), "hang")))
    with closing(provider(llm_server).stream(REQUEST)) as stream:
        next(stream)
    assert llm_server.requests[0].gone.wait(60)


def test_an_interrupt_while_waiting_closes_the_connection(llm_server: LlmServer) -> None:
    llm_server.queue(Send((event({"content": "x"}), "hang")))
    stream = provider(llm_server).stream(REQUEST)
    next(stream)
    main = threading.main_thread().ident
    assert main is not None
    interrupt = threading.Timer(0.1, signal.pthread_kill, (main, signal.SIGINT))

    def wait() -> None:
        interrupt.start()
        next(stream)

    with pytest.raises(KeyboardInterrupt):  # from the start of the timer on, or it would be pytest's
        wait()
    interrupt.join()
    assert llm_server.requests[0].gone.wait(60)


# Retries


def test_a_passing_failure_is_tried_again_twice_and_said(llm_server: LlmServer) -> None:
    llm_server.queue(fail(503), CLOSE, Say("x"))
    pieces = list(provider(llm_server).stream(REQUEST))
    assert pieces[-1] == "x"
    failed, lost = notices(pieces)
    assert failed.startswith(f"the server {llm_server.url} failed (HTTP 503): waiting 0.")
    assert lost.startswith(f"the server {llm_server.url} cannot be reached: waiting ")
    assert len(llm_server.requests) == 3


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"retry_after": "3"}, "3 s"),
        ({"retry_after": "2.25"}, "2.2 s"),
        ({"retry_after_ms": "1500"}, "1.5 s"),
        ({"retry_after": "300"}, "5 minutes"),
        ({"retry_after": "Wed, 21 Oct 2015 07:28:00 GMT"}, "0.1 s"),
        ({"retry_after": "-5"}, "0.1 s"),
    ],
)
def test_the_server_says_how_long_to_wait_before_the_next_try(
    llm_server: LlmServer, headers: dict[str, str], said: str
) -> None:
    llm_server.queue(fail(429, **headers), Say("x"))
    pieces = list(provider(llm_server).stream(REQUEST))
    assert pieces == [Notice(f"the server {llm_server.url} is busy (HTTP 429): waiting {said}"), "x"]


def test_a_date_until_which_to_wait_is_understood(llm_server: LlmServer) -> None:
    later = email.utils.format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    llm_server.queue(fail(429, retry_after=later), Say("x"))
    (notice,) = notices(list(provider(llm_server).stream(REQUEST)))
    assert 80 < float(notice.rpartition("waiting ")[2].removesuffix(" s")) <= 90


@pytest.mark.parametrize("header", ["soon", "nan", "inf", "Wed, 99 Oct", ""])
def test_what_is_no_time_is_passed_over(llm_server: LlmServer, header: str) -> None:
    llm_server.queue(fail(429, retry_after=header), Say("x"))
    (notice,) = notices(list(provider(llm_server).stream(REQUEST)))
    assert "waiting 0." in notice


def test_a_busy_server_is_asked_more_often_than_one_that_fails(llm_server: LlmServer) -> None:
    llm_server.otherwise = fail(429, error("slow down"))
    assert failure(llm_server).message.endswith("has too many requests (HTTP 429): slow down")
    assert len(llm_server.requests) == 9


def test_a_failure_that_stays_is_told_after_two_retries(llm_server: LlmServer) -> None:
    llm_server.otherwise = fail(500, error("out of cheese"))
    assert failure(llm_server).message == f"the server {llm_server.url} failed (HTTP 500): out of cheese"
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
    assert told.message == f"the server {llm_server.url} {says}"


def test_a_server_that_wants_a_key_says_so_when_none_is_set(llm_server: LlmServer) -> None:
    told = failure(llm_server, fail(401))
    assert told.message == f"the server {llm_server.url} wants a key (HTTP 401)"
    assert told.hint == "Set OPENAI_API_KEY."


def test_an_exhausted_quota_is_told_apart_from_a_rate_limit(llm_server: LlmServer) -> None:
    quota = failure(llm_server, fail(429, error("You exceeded", code="insufficient_quota"), **STOP))
    assert "has no quota left" in quota.message
    assert "billing" in str(quota.hint)


LATE = "Fri, 01 Jan 2100 00:00:00 GMT"


@pytest.mark.parametrize(
    ("header", "wait"),
    [("retry_after", "100"), ("retry_after_ms", "100000"), ("retry_after", LATE), ("retry_after", "9e9")],
)
def test_a_wait_that_is_longer_than_the_deadline_is_told_instead_of_waited_for(
    llm_server: LlmServer, header: str, wait: str
) -> None:
    told = failure(llm_server, fail(429, error("slow down"), **{header: wait}), deadline=50.0)
    assert "slow down" in told.message
    assert len(llm_server.requests) == 1


def test_while_such_a_wait_goes_on_nobody_else_asks(llm_server: LlmServer) -> None:
    llm_server.queue(fail(429, retry_after="3600"))
    shared = provider(llm_server)
    with pytest.raises(ProviderError):
        list(shared.stream(REQUEST))
    with pytest.raises(ProviderError) as caught:
        list(shared.stream(REQUEST))
    assert (
        caught.value.message == f"the server {llm_server.url} is busy (HTTP 429), and asks to wait 60 minutes"
    )
    assert caught.value.hint == "Try again then; a draft may take 10 minutes in all (deadline)."
    assert len(llm_server.requests) == 1


def test_the_wait_that_the_server_asks_for_is_told(llm_server: LlmServer) -> None:
    told = failure(llm_server, fail(429, retry_after="100", **STOP))
    assert told.hint == "Wait as long as it asks (Retry-After: 100), then try again."


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_neither_key_nor_prompt_follows_a_redirect_to_another_host(
    llm_server: LlmServer, status: int
) -> None:
    with LlmServer(otherwise=Say("## Stolen")) as thief:
        told = failure(llm_server, fail(status, location=f"{thief.url}/chat/completions"), api_key=KEY)
        assert f"redirects (HTTP {status}): {thief.url}" in told.message
        assert thief.requests == []


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
    assert told.message.partition(" (HTTP 400)")[2] == (f": {words}" if words else "")


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


@pytest.mark.parametrize(
    "form",
    [
        "me:p@ss/word-of-mine", "p@ss/word-of-mine", "p%40ss%2Fword-of-mine", "p%40ss/word-of-mine",
        "bWU6cEBzcy93b3JkLW9mLW1pbmU=", "bWU6cEBzcy93b3JkLW9mLW1pbmU",
    ],
)  # fmt: skip
def test_a_password_is_hidden_in_whatever_form_it_comes_back(llm_server: LlmServer, form: str) -> None:
    url = llm_server.url.replace("//", "//me:p%40ss%2Fword-of-mine@")
    told = failure(llm_server, fail(403, error(f"not with {form} here")), base_url=url)
    assert re.search(r": not with \[hidden\]=? here$", told.message)


def test_an_echoed_password_of_the_base_url_is_not_shown(llm_server: LlmServer) -> None:
    url = llm_server.url.replace("//", "//me:pass%20word@") + "?token=hush-hush"
    told = failure(
        llm_server, fail(403, error("me:pass word, pass%20word, token hush-hush, home")), base_url=url
    )
    assert told.message.endswith(" (HTTP 403): [hidden], [hidden], token [hidden], home")


# Connections


def test_a_server_that_does_not_listen_is_named(llm_server: LlmServer) -> None:
    url = refused_url()
    told = failure(llm_server, base_url=url)
    assert told.message.startswith(f"no connection to {url}: ")
    assert "refused" in told.message


def test_a_host_that_does_not_exist_is_named(llm_server: LlmServer) -> None:
    told = failure(llm_server, base_url="http://nowhere.invalid/v1")
    assert told.message.startswith("no connection to http://nowhere.invalid/v1: ")


def test_a_connection_closed_before_the_answer_is_told(llm_server: LlmServer) -> None:
    llm_server.otherwise = CLOSE
    assert failure(llm_server).message.startswith(f"no connection to {llm_server.url}: ")


@pytest.mark.parametrize(("host", "trusted"), [("127.0.0.1", False), ("elsewhere.example", True)])
def test_a_bad_certificate_is_told_and_nothing_is_sent(
    llm_server: LlmServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, trusted: bool
) -> None:
    own = certificate(tmp_path, host)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(own))
    with LlmServer(otherwise=Say("x"), tls=tls(own)) as server:
        told = failure(llm_server, base_url=server.url, api_key=KEY)
        assert told.message.startswith(f"no secure connection (TLS) to {server.url}: ")
        assert "certificate" in told.message
        assert "SSL_CERT_FILE" in str(told.hint)
        assert server.requests == []


def test_a_certificate_that_the_user_trusts_is_a_good_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(own))
    with LlmServer(otherwise=Say("x"), tls=tls(own)) as server:
        assert list(provider(server).stream(REQUEST)) == ["x"]


def test_a_connection_that_is_reset_before_the_answer_is_tried_again(llm_server: LlmServer) -> None:
    llm_server.queue(RESET, Say("x"))
    assert list(provider(llm_server).stream(REQUEST))[-1] == "x"


def test_a_server_without_tls_is_told_apart(llm_server: LlmServer) -> None:
    url = llm_server.url.replace("http:", "https:")
    told = failure(llm_server, base_url=url)
    assert told.message.startswith(f"no secure connection (TLS) to {url}: ")
    assert "http://" in str(told.hint)


def test_a_host_name_that_cannot_be_one_is_told(llm_server: LlmServer) -> None:
    told = failure(llm_server, base_url="http://a..b/v1")
    assert told.message.startswith("no connection to http://a..b/v1 can be prepared: ")


def test_an_unusable_proxy_in_the_environment_is_told(
    llm_server: LlmServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "nonsense://me:pw-of-proxy@proxy")
    told = failure(llm_server)
    assert told.message.startswith(f"no connection to {llm_server.url} can be prepared: ")
    assert "pw-of-proxy" not in told.message
    assert "ALL_PROXY" in str(told.hint)


@pytest.mark.parametrize(
    "parts",
    [
        (event({"content": "beg"}), "drop"),
        (event({"content": "beg"}), b'data: {"choi', "drop"),
        (event({"content": "beg"}), 0.05, "reset"),
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
    assert told.message == f"the server {llm_server.url} did not answer within 0.05 seconds"
    assert llm_server.arrived(3)
    assert len(llm_server.requests) == 3


def test_a_server_that_falls_silent_in_mid_stream_is_given_up(llm_server: LlmServer) -> None:
    llm_server.otherwise = Send((event({"content": "x"}), "hang"))
    told = failure(llm_server, timeout=1.0)
    assert "fell silent in the middle of the answer, for 1 seconds" in told.message


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
    assert told.message == f"the server {llm_server.url} did not finish within 0.2 seconds"


def test_no_retry_starts_after_the_deadline(llm_server: LlmServer) -> None:
    told = failure(llm_server, CLOSE, deadline=0.2)
    too_late = f"the server {llm_server.url} did not finish"  # where this machine is slow
    assert told.message.startswith((f"no connection to {llm_server.url}: ", too_late))
    assert len(llm_server.requests) == 1


def test_a_trickle_of_headers_does_not_outlast_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as trickling:
        url = f"http://127.0.0.1:{trickling.getsockname()[1]}/v1"

        def trickle() -> None:
            connection, _ = trickling.accept()
            with connection, suppress(OSError):
                connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
                while True:
                    connection.sendall(b"x")
                    time.sleep(0.02)

        thread = threading.Thread(target=trickle)
        thread.start()
        asking = OpenAIProvider(ProviderSettings(base_url=url, deadline=0.3))
        with pytest.raises(ProviderError, match=r"did not finish within 0\.3 seconds"):
            list(asking.stream(REQUEST))
        thread.join()


def test_a_host_that_takes_no_connection_is_given_up_after_the_connect_timeout(llm_server: LlmServer) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        try:
            for one in waiting:  # until its queue is full, and the system answers no more
                one.setblocking(False)
                one.connect_ex(full.getsockname())
            url = f"http://127.0.0.1:{full.getsockname()[1]}/v1"
            told = failure(llm_server, base_url=url, connect_timeout=0.2)
        finally:
            for one in waiting:
                one.close()
    assert told.message == f"no connection to {url} within 0.2 seconds"


def test_the_deadline_wakes_a_silent_stream(llm_server: LlmServer) -> None:
    told = failure(llm_server, HANG, timeout=1000.0, deadline=0.2)
    assert told.message == f"the server {llm_server.url} did not finish within 0.2 seconds"


# Answers that are none


@pytest.mark.parametrize(
    ("behaviour", "says"),
    [
        (Say(), "the model test-model gave an empty answer"),
        (Say(" \n", "\t"), "the model test-model gave an empty answer"),
        (
            Say("# Per", finish="length"),
            "the model test-model reached its length limit: the draft is cut off",
        ),
        (
            Say(finish="length"),
            "the model test-model reached its length limit: it wrote nothing, perhaps it only reasoned",
        ),
        (Say("x", finish="content_filter"), "the content filter of {url} stopped the answer"),
        (Say(refusal="I cannot."), "the model test-model refused: I cannot."),
        (
            Send((b'{"choices": []}',), headers={"Content-Type": "application/json"}),
            "the server {url} sent no chat completion, but application/json",
        ),
        (Send(()), "the server {url} began an answer and sent nothing"),
        (
            Send((b"<html>\n\n</html>\n\n",), headers={"Content-Type": "text/html; charset=utf-8"}),
            "the server {url} sent no chat completion, but text/html; charset=utf-8",
        ),
        (
            Send((b"data: {nonsense\n\n",)),
            "the server {url} sent an answer that cannot be read (JSONDecodeError)",
        ),
        (
            Send((b"data: \xff\xff\n\n",)),
            "the server {url} sent an answer that cannot be read (UnicodeDecodeError)",
        ),
        (
            Send((b"data: " + b"[" * 100_000 + b"\n\n",)),
            "the server {url} sent an answer that cannot be read (RecursionError)",
        ),
        (
            Send((b'data: {"error": {"message": "GPU is on fire"}}\n\n',)),
            "the server {url} failed in the middle of the answer: GPU is on fire",
        ),
        (
            Send((b'data: {"error": "GPU is on fire"}\n\n',)),
            "the server {url} failed in the middle of the answer: GPU is on fire",
        ),
        (
            Send((b"xx",), headers={"Content-Encoding": "gzip"}),
            (
                "the server {url} broke off in the middle of the answer: "
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
