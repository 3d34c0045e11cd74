"""`gitforge build` with a model: which server is asked with what, and what is left when it fails."""

from __future__ import annotations

import signal
import subprocess
from base64 import b64encode
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import quote

import pytest
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
from program import COMMAND, DESCRIBE, NAME, PERSONA, PROTOCOL, build, files, gitforge, holds

Git = Callable[..., str]

KEY = "sk-test/0123456789+abcdef=="  # a URL and base64 write it differently
DRAFT = "## Drill down\n\nWäre 🔍 {{ x }} \\1\n"
AT_ONCE = {"retry_after_ms": "1"}  # the next try needs no pause
AT_ONCE_HEADER = {"Retry-After-Ms": "1"}


def head(git: Git, root: Path) -> str:
    return git("rev-parse", "HEAD", cwd=root)


def generate(root: Path, *arguments: str, **environment: str) -> int:
    return gitforge("generate", NAME, *DESCRIBE, "--yes", *arguments, cwd=root, **environment).code


def test_a_streamed_answer_is_recorded_as_it_came(incomplete: Path, llm: LlmServer, git: Git) -> None:
    llm.queue(Say(*DRAFT))
    done = build(incomplete, *DESCRIBE, "--yes", OPENAI_API_KEY=KEY)
    assert done.code == 0, done.err
    assert (incomplete / PROTOCOL).read_text() == DRAFT
    assert llm.requests[0].json["stream"] is True
    assert llm.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert f"Drafts by test-model at {llm.url}." in done.err
    assert KEY not in done.told
    assert holds(incomplete, KEY) == []


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("\n```markdown\r\n## Drill down\r\n\r\nAsk.\r\n```\n", "## Drill down\n\nAsk.\n"),
        ("~~~\n## Drill down\n\n```sh\nls\n```\n~~~", "## Drill down\n\n```sh\nls\n```\n"),
        ("```sh\nls\n```\nthen\n```sh\nid\n```", "```sh\nls\n```\nthen\n```sh\nid\n```\n"),
    ],
)
def test_only_a_fence_around_the_whole_answer_is_taken_off(
    incomplete: Path, llm: LlmServer, answer: str, text: str
) -> None:
    llm.queue(Say(answer))
    assert generate(incomplete) == 0
    assert (incomplete / PROTOCOL).read_bytes().decode() == text


def test_settings_hold_in_the_order_of_git_tools(incomplete: Path, git: Git) -> None:
    """Option, GITFORGE_*, git's configuration, what other tools share: one is peeled off a time."""
    with LlmServer(otherwise=Say("## X\n")) as server:
        git("config", "--global", "gitforge.baseUrl", refused_url(), cwd=incomplete)
        git("config", "--global", "gitforge.base-url", f"{server.url}/global", cwd=incomplete)
        git("config", "--global", "gitforge.model", "global-model", cwd=incomplete)
        git("config", "gitforge.base-url", f"{server.url}/local", cwd=incomplete)
        git("config", "gitforge.model", "local-model", cwd=incomplete)
        own = {
            "GITFORGE_BASE_URL": f"{server.url}/own",
            "GITFORGE_MODEL": "own-model",
            "GITFORGE_API_KEY": "own-key",
        }
        shared = {"OPENAI_BASE_URL": f"{server.url}/shared", "OPENAI_API_KEY": "shared-key"}

        def asked(*arguments: str, **environment: str) -> tuple[str, str, str]:
            assert generate(incomplete, *arguments, **environment) == 0
            git("rm", "-q", PROTOCOL, cwd=incomplete)
            git("commit", "-qm", "Again", cwd=incomplete)
            last = server.requests[-1]
            where = last.path.removeprefix("/v1").removesuffix("/chat/completions")
            return where, last.json["model"], last.headers["authorization"].removeprefix("Bearer ")

        assert asked("--model", "option-model", **own, **shared) == ("/own", "option-model", "own-key")
        assert asked(**own, **shared) == ("/own", "own-model", "own-key")
        assert asked(**shared) == ("/local", "local-model", "shared-key")
        git("config", "--unset", "gitforge.base-url", cwd=incomplete)
        git("config", "--unset", "gitforge.model", cwd=incomplete)
        assert asked(**shared) == ("/global", "global-model", "shared-key")
        git("config", "--global", "--unset", "gitforge.base-url", cwd=incomplete)
        assert asked(**shared) == ("/shared", "global-model", "shared-key")


def test_the_offline_outline_can_be_asked_for_although_a_server_is_set(
    incomplete: Path, llm: LlmServer
) -> None:
    assert generate(incomplete, "--provider", "offline") == 0
    assert llm.requests == []
    assert "TODO" in (incomplete / PROTOCOL).read_text()


def test_shared_files_cannot_name_a_server_a_key_or_a_command(incomplete: Path) -> None:
    with LlmServer(otherwise=Say("## Stolen\n")) as server:
        goals = incomplete / "goals.yaml"
        (incomplete / ".gitforge").write_text(f"base-url: {server.url}\n")
        (incomplete / ".env").write_text(f"OPENAI_BASE_URL={server.url}\n")
        (incomplete / ".gitconfig").write_text(f"[gitforge]\n\tbase-url = {server.url}\n")
        assert generate(incomplete) == 0
        goals.write_text(goals.read_text().replace("version: 1", f"version: 1\nbase_url: {server.url}", 1))
        assert build(incomplete).code == 1
        assert server.requests == []


@pytest.mark.parametrize("arguments", [("--provider", "no-such"), ("--provider", "openai")])
def test_a_provider_that_cannot_be_is_refused_before_anything_happens(
    incomplete: Path, git: Git, arguments: tuple[str, ...]
) -> None:
    before = head(git, incomplete), files(incomplete)
    done = build(incomplete, *DESCRIBE, "--yes", *arguments)
    assert done.code == 1
    assert "hint: " in done.err
    assert (head(git, incomplete), files(incomplete)) == before


ECHO = error(f"the key {KEY} is not for this")


SOON = {"GITFORGE_DEADLINE": "0.3"}
A_FEW_TRIES = {"GITFORGE_DEADLINE": "2"}  # pauses double: 0.5 + 1 second, and 2 are too many
DATE = "Fri, 01 Jan 2100 00:00:00 GMT"
EMPTY_CHOICES = b'data: {"choices": []}\n\ndata: [DONE]\n\n'

FAILURES = [
    pytest.param(fail(401, ECHO), {}, "refused the key", id="401"),
    pytest.param(fail(400, error("\x1b]0;owned\x07")), {}, "]0;owned", id="400 with escapes"),
    pytest.param(fail(400, ECHO), {}, "rejected the request", id="400"),
    pytest.param(fail(403, ECHO), {}, "does not allow this", id="403"),
    pytest.param(fail(404, ECHO), {}, "no model test-model", id="404"),
    pytest.param(fail(413, ECHO), {}, "found the request too large", id="413"),
    pytest.param(fail(429, ECHO, **AT_ONCE), {}, "has too many requests", id="429"),
    pytest.param(fail(429, ECHO), A_FEW_TRIES, "has too many requests", id="429 without Retry-After"),
    pytest.param(fail(429, ECHO, retry_after="86400"), {}, "Retry-After: 86400", id="429 for a day"),
    pytest.param(fail(429, ECHO, retry_after=DATE), {}, f"Retry-After: {DATE}", id="429 until a date"),
    pytest.param(
        fail(429, error(KEY, code="insufficient_quota")), {}, "has no quota left", id="429 for want of money"
    ),
    pytest.param(fail(500, ECHO, **AT_ONCE), {}, "failed (HTTP 500)", id="500"),
    pytest.param(
        fail(502, f"<html>{KEY}</html>".encode(), content_type="text/html", **AT_ONCE), {},
        "failed (HTTP 502)", id="502 with HTML",
    ),
    pytest.param(
        Send((0.3, b"upstream timed out"), 504, AT_ONCE_HEADER), {}, "failed (HTTP 504)", id="504 after a while"
    ),
    pytest.param(HANG, {"GITFORGE_TIMEOUT": "1"}, "fell silent", id="hangs"),
    pytest.param(
        Send((event({"content": "## Half a dra"}), "hang")), {"GITFORGE_TIMEOUT": "1"}, "fell silent",
        id="hangs in mid-stream",
    ),
    pytest.param(SILENT, SOON, "did not finish within", id="deadline"),
    pytest.param(Send((event({"content": "## Half a dra"}), "drop")), {}, "broke off", id="drops"),
    pytest.param(
        Send((event({"content": "## Half"}), event({"content": "an event"})[:40], "drop")), {}, "broke off",
        id="half an event",
    ),
    pytest.param(Send((event({"content": "## Half"}), 0.1, "reset")), {}, "broke off", id="resets in mid-stream"),
    pytest.param(
        Send((event({"content": "## Half a dra"}),)), {}, "before it was complete", id="ends too early"
    ),
    pytest.param(CLOSE, {}, "no connection", id="closes"),
    pytest.param(RESET, {}, "no connection", id="resets"),
    pytest.param(Send((b"data: \xff\xfe\n\n",)), {}, "cannot be read", id="invalid UTF-8"),
    pytest.param(Send((EMPTY_CHOICES,)), {}, "before it was complete", id="no choices"),
    pytest.param(
        fail(307, location=f"http://127.0.0.1:9/{KEY}"), {}, "redirects (HTTP 307)", id="a redirect"
    ),
    pytest.param(Say(), {}, "empty answer", id="empty"),
    pytest.param(Say(" \n"), {}, "empty answer", id="blank"),
    pytest.param(Say("``` \n\n```"), {}, "is empty", id="an empty fence"),
    pytest.param(Say("## Half", finish="length"), {}, "cut off", id="too long"),
    pytest.param(Say("a\u202eb"), {}, "RIGHT-TO-LEFT OVERRIDE", id="hidden characters"),
    pytest.param(Say("\x1b]0;owned\x07"), {}, "U+001B", id="escapes"),
    pytest.param(Say(*["x" * 10_000] * 1000), {}, "grew beyond 256 KiB", id="10 MB"),
    pytest.param(Say(refusal=f"I will not, {KEY}"), {}, "refused: I will not", id="refused"),
    pytest.param(fail(200, b"<html>", content_type="text/html"), {}, "Check the base URL", id="no model"),
    pytest.param(Say("## Keys\n\n", KEY[:9], KEY[9:], "\n"), {}, "wrote the key", id="the key in the draft"),
    pytest.param(
        Say("## Keys\n\n", b64encode(KEY.encode()).decode(), "\n"), {}, "wrote the key", id="the key in base64"
    ),
]  # fmt: skip


def betrayed(root: Path, *, told: str, secrets: Iterable[str]) -> list[str]:
    """The secrets, in any form, that are in what was told, in a file, or in any object of the repository."""
    forms = {form for secret in secrets for form in (secret, quote(secret, safe=""))}
    forms |= {b64encode(secret.encode()).decode().rstrip("=") for secret in secrets}
    command = ("git", "cat-file", "--batch", "--batch-all-objects")
    objects = subprocess.run(command, cwd=root, check=True, capture_output=True).stdout
    return [form for form in forms if form in told or form.encode() in objects or holds(root, form)]


@pytest.mark.parametrize(("behaviour", "environment", "said"), FAILURES)
def test_a_provider_that_fails_leaves_nothing_half_done(
    incomplete: Path, git: Git, tmp_path: Path, behaviour: Behaviour, environment: dict[str, str], said: str
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    before = head(git, incomplete), files(incomplete), git("ls-files", "-s", cwd=incomplete)
    with LlmServer(otherwise=behaviour) as server:
        settings = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": KEY, "GITFORGE_MODEL": "test-model"}
        done = build(incomplete, *DESCRIBE, "--yes", TMPDIR=str(temporary), **settings, **environment)
    assert done.code == 5, done.told
    assert said in done.err
    assert "hint: " in done.err
    assert (head(git, incomplete), files(incomplete), git("ls-files", "-s", cwd=incomplete)) == before
    assert betrayed(incomplete, told=done.told, secrets=[KEY]) == []
    assert "\x1b" not in done.told
    assert list(temporary.iterdir()) == [], "no bug report, and nothing forgotten"


PASSWORD = "p@ss/word-of-mine"
BASIC = b64encode(f"me:{PASSWORD}".encode()).decode()


@pytest.mark.parametrize(
    "behaviour",
    [
        fail(401, error(f"Authorization: Basic {BASIC} is wrong, me:{PASSWORD}, {quote(PASSWORD, safe='')}")),
        fail(500, error(BASIC), **AT_ONCE),
        Say("## Keys\n\n", BASIC, "\n"),
        Say(refusal=BASIC),
        CLOSE,
    ],
)
def test_the_password_of_the_base_url_is_told_nowhere(
    incomplete: Path, direct: None, behaviour: Behaviour
) -> None:
    with LlmServer(otherwise=behaviour) as server:
        url = server.url.replace("://", f"://me:{quote(PASSWORD, safe='')}@")
        done = build(incomplete, *DESCRIBE, "--yes", OPENAI_BASE_URL=url, OPENAI_API_KEY=KEY)
        assert server.requests[0].headers["authorization"] == f"Basic {BASIC}"
    assert done.code == 5, done.told
    assert betrayed(incomplete, told=done.told, secrets=[KEY, PASSWORD, f"me:{PASSWORD}"]) == []


def test_a_bad_certificate_is_told(incomplete: Path, direct: None, tmp_path: Path) -> None:
    with LlmServer(otherwise=Say("x"), tls=tls(certificate(tmp_path))) as server:
        done = build(incomplete, *DESCRIBE, "--yes", OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
        assert server.requests == []
    assert done.code == 5
    assert "no secure connection (TLS)" in done.err
    assert "SSL_CERT_FILE" in done.err
    assert betrayed(incomplete, told=done.told, secrets=[KEY]) == []


def test_neither_key_nor_prompt_follows_a_redirect(incomplete: Path, llm: LlmServer) -> None:
    with LlmServer(otherwise=Say("## Stolen\n")) as thief:
        llm.otherwise = fail(308, location=f"{thief.url}/chat/completions")
        done = build(incomplete, *DESCRIBE, "--yes", OPENAI_API_KEY=KEY)
        assert done.code == 5
        assert f"redirects (HTTP 308): {thief.url}" in done.err
        assert thief.requests == []


@pytest.mark.parametrize(
    ("answer", "said"),
    [(fail(429, retry_after="500"), b"is busy (HTTP 429): waiting 8 minutes"), (SILENT, b"drafting")],
)
def test_ctrl_c_ends_the_waiting_at_once(
    incomplete: Path, llm: LlmServer, answer: Behaviour, said: bytes
) -> None:
    llm.otherwise = answer
    command = (*COMMAND, "generate", NAME, *DESCRIBE, "--yes")
    with subprocess.Popen(command, cwd=incomplete, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if said in line:
                break
        assert llm.arrived(1)
        process.send_signal(signal.SIGINT)
        told = process.communicate(timeout=100)[1]  # seconds; the server would have it wait for minutes
    assert process.returncode == 130
    assert b"Interrupted" in told


def test_the_sdks_own_log_does_not_tell_the_key(incomplete: Path, llm: LlmServer) -> None:
    llm.otherwise = fail(401, ECHO)
    done = build(incomplete, *DESCRIBE, "--yes", OPENAI_API_KEY=KEY, OPENAI_LOG="debug")
    assert done.code == 5
    assert "DEBUG" in done.err
    assert betrayed(incomplete, told=done.told, secrets=[KEY]) == []


def test_a_failure_loses_no_other_draft(incomplete: Path, llm: LlmServer, git: Git) -> None:
    git("rm", "-q", PERSONA, cwd=incomplete)
    git("commit", "-qm", "Drop a persona", cwd=incomplete)
    llm.queue(Say(DRAFT), fail(403, ECHO))
    describe = [*DESCRIBE, "--describe", f"{PERSONA.rpartition('/')[2]}=Who digs"]
    done = gitforge("generate", "--all", *describe, "--yes", cwd=incomplete, OPENAI_API_KEY=KEY)
    assert done.code == 5, done.told
    kept = gitforge("drafts", "--json", cwd=incomplete).out.count("Drill down")
    there = [path for path in (PERSONA, PROTOCOL) if (incomplete / path).exists()]
    assert len(there) + kept == 1


def test_what_the_settings_say_reaches_the_server(incomplete: Path, llm: LlmServer, git: Git) -> None:
    llm.queue(Say(DRAFT))
    git("config", "gitforge.temperature", "0.25", cwd=incomplete)
    git("config", "gitforge.seed", "1", cwd=incomplete)
    own = {"GITFORGE_SEED": "42", "GITFORGE_MAX_TOKENS": "900", "GITFORGE_REASONING_EFFORT": "low"}
    assert generate(incomplete, **own) == 0
    sent = llm.requests[0].json
    assert (sent["temperature"], sent["seed"], sent["max_tokens"], sent["reasoning_effort"]) == (
        0.25, 42, 900, "low",
    )  # fmt: skip


def test_a_parameter_that_the_server_rejects_is_left_out_and_said(incomplete: Path, direct: None) -> None:
    rejects = {"seed": fail(400, error("Unsupported parameter: 'seed'", param="seed"))}
    with LlmServer(otherwise=Say(DRAFT), rejects=rejects) as server:
        done = build(
            incomplete, *DESCRIBE, "--yes", OPENAI_BASE_URL=server.url, GITFORGE_SEED="7", GITFORGE_MODEL="m"
        )
        assert done.code == 0, done.told
        assert "rejects seed (HTTP 400): asking again without it" in done.err


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("TEMPERATURE", "warm", "'warm' is not a number from 0 to 2"),
        ("TEMPERATURE", "nan", "'nan' is not a number from 0 to 2"),
        ("TEMPERATURE", "2.5", "'2.5' is not a number from 0 to 2"),
        ("MAX_TOKENS", "0", "'0' is not a whole number of tokens, 1 or more"),
        ("MAX_TOKENS", "1.5", "'1.5' is not a whole number of tokens, 1 or more"),
        ("SEED", "x", "'x' is not a whole number of 64 bits"),
        ("SEED", str(2**64), f"'{2**64}' is not a whole number of 64 bits"),
        ("CONCURRENCY", "0", "'0' is not a whole number from 1 to 1000"),
        ("REASONING_EFFORT", "very much", "'very much' is not a word such as low, medium or high"),
    ],
)
def test_a_setting_that_cannot_be_is_named_with_its_origin(
    incomplete: Path, llm: LlmServer, name: str, value: str, said: str
) -> None:
    done = build(incomplete, *DESCRIBE, "--yes", **{f"GITFORGE_{name}": value})
    assert done.code == 1
    assert f"error: GITFORGE_{name}: {said}" in done.err
    assert llm.requests == []


def test_a_server_that_is_not_there_is_named_without_its_password(incomplete: Path) -> None:
    url = refused_url().replace("://", "://me:s3cret-password@")
    done = build(
        incomplete, *DESCRIBE, "--yes", OPENAI_BASE_URL=url, OPENAI_API_KEY=KEY, GITFORGE_DEADLINE="0.3"
    )
    assert done.code == 5
    assert "s3cret-password" not in done.told
    assert KEY not in done.told


def test_a_key_that_the_server_writes_into_the_draft_is_not_recorded(
    incomplete: Path, llm: LlmServer
) -> None:
    llm.queue(Say("## Drill down\n\nAuthorization: Bearer ", KEY[:9], KEY[9:], "\n"))
    done = build(incomplete, *DESCRIBE, "--yes", OPENAI_API_KEY=KEY)
    assert done.code == 5
    assert KEY not in done.told
    assert holds(incomplete, KEY) == []


def test_a_failure_is_tried_again_by_running_again(incomplete: Path, llm: LlmServer, git: Git) -> None:
    llm.queue(fail(503, error("warming up"), x_should_retry="false"), Say(DRAFT))
    before = head(git, incomplete)
    assert build(incomplete, *DESCRIBE, "--yes").code == 5
    assert build(incomplete, *DESCRIBE, "--yes").code == 0
    assert git("rev-list", "--count", f"{before}..", cwd=incomplete) == "1"
    assert (incomplete / PROTOCOL).read_text() == DRAFT


def test_a_server_that_recovers_costs_nothing(incomplete: Path, llm: LlmServer) -> None:
    llm.queue(fail(429, error("slow down"), **AT_ONCE), Say(DRAFT))
    assert build(incomplete, *DESCRIBE, "--yes").code == 0
    assert len(llm.requests) == 2
