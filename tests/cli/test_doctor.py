"""`gitforge doctor`: what works, with what, and what to set where it does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from llm_server import SILENT, Behaviour, LlmServer, Say, error, fail, refused_url
from program import gitforge

Git = Callable[..., str]

KEY = "sk-test-0123456789abcdef"
READY = Say("ready", usage={"prompt_tokens": 12, "completion_tokens": 1})


def test_a_provider_that_works_is_told_with_model_endpoint_times_and_tokens(
    workspace: Path, llm: LlmServer
) -> None:
    llm.queue(READY)
    done = gitforge("doctor", cwd=workspace)
    assert done.code == 0, done.told
    assert done.err == f"Asking test-model at {llm.url} for one word.\n"
    lines = {line.split()[0]: line for line in done.out.splitlines() if line}
    assert lines["provider"].split() == ["provider", "works"] or "not set" in lines["provider"]
    assert lines["is"].split(maxsplit=1)[1] == f"test-model at {llm.url}"
    assert "first text after 0." in lines["answer"]
    assert lines["tokens"].split(maxsplit=1)[1] == "12 sent, 1 answered"
    assert lines["commits"].endswith("Ada Engineer <ada@example.org>")
    assert lines["repository"].endswith(str(workspace))
    assert lines["workspace"].endswith(str(workspace))
    assert lines["model"].split() == ["model", "test-model", "GITFORGE_MODEL"]
    assert lines["timeout"].split() == ["timeout", "120", "default"]


def test_the_request_is_a_tiny_one(workspace: Path, llm: LlmServer) -> None:
    llm.otherwise = READY
    gitforge("doctor", cwd=workspace)
    gitforge("doctor", cwd=workspace, GITFORGE_MAX_TOKENS="7")
    gitforge("doctor", cwd=workspace, GITFORGE_MAX_TOKENS="70000")
    assert [received.json["max_tokens"] for received in llm.requests] == [256, 7, 256]
    assert all(len(received.prompt) < 50 for received in llm.requests)


def test_as_json_it_is_all_there(workspace: Path, llm: LlmServer, git: Git) -> None:
    llm.queue(READY)
    git("config", "gitforge.seed", "3", cwd=workspace)
    done = gitforge("doctor", "--model", "mine", "--json", cwd=workspace, OPENAI_API_KEY=KEY)
    assert (done.code, done.err) == (0, "")
    found = done.json
    provider = found["provider"]
    assert 0 < provider.pop("first_text_seconds") <= provider.pop("seconds")
    assert provider == {
        "name": "openai", "model": "mine", "endpoint": llm.url, "is_model": True, "works": True, "error": None,
        "hint": None, "input_tokens": 12, "output_tokens": 1, "rejected": [], "notes": [],
    }  # fmt: skip
    assert found["settings"]["model"] == {"value": "mine", "from": "option"}
    assert found["settings"]["seed"] == {"value": "3", "from": "git config gitforge.seed"}
    assert found["settings"]["base-url"] == {"value": llm.url, "from": "OPENAI_BASE_URL"}
    assert found["settings"]["api-key"] == {"value": "set", "from": "OPENAI_API_KEY"}
    assert found["settings"]["temperature"] == {"value": None, "from": None}
    assert (found["repository"], found["workspace"]) == (str(workspace), str(workspace))
    assert found["identity"] == "Ada Engineer <ada@example.org>"
    assert found["git"][0].isdigit()
    assert (found["problems"], found["advice"]) == ([], [])


def test_a_server_that_counts_no_tokens_is_said_to(workspace: Path, llm: LlmServer) -> None:
    llm.queue(Say("ready"))
    assert "not counted by this provider" in gitforge("doctor", cwd=workspace).out


def test_what_the_server_rejects_is_told(workspace: Path, direct: None) -> None:
    rejects = {name: fail(400, error(f"no {name} here")) for name in ("temperature", "seed")}
    with LlmServer(otherwise=READY, rejects=rejects) as server:
        own = {"OPENAI_BASE_URL": server.url, "GITFORGE_SEED": "1", "GITFORGE_TEMPERATURE": "1"}
        done = gitforge("doctor", cwd=workspace, **own)
        assert done.code == 0
        assert "temperature, seed: not sent any more" in done.out
        assert "rejects seed (HTTP 400)" in done.err
        assert gitforge("doctor", "--json", cwd=workspace, **own).json["provider"]["rejected"] == [
            "temperature", "seed",
        ]  # fmt: skip


def test_an_answer_that_is_cut_off_shows_that_the_server_works(workspace: Path, llm: LlmServer) -> None:
    llm.queue(Say("I am thinking", finish="length"))
    assert gitforge("doctor", cwd=workspace).code == 0


@pytest.mark.parametrize(
    ("answer", "said", "hint"),
    [
        (fail(401, error(f"bad key {KEY}")), "refused the key (HTTP 401)", "Check OPENAI_API_KEY"),
        (fail(404, error("no")), "no model test-model", "Check the model"),
        (Say(), "empty answer", "another model"),
        (SILENT, "did not answer within 0.2 seconds", "a longer timeout"),
    ],
)
def test_a_provider_that_fails_is_told_with_what_to_do(
    workspace: Path, llm: LlmServer, answer: Behaviour, said: str, hint: str
) -> None:
    llm.otherwise = answer
    timeout = {"GITFORGE_TIMEOUT": "0.2"} if answer == SILENT else {}
    done = gitforge("doctor", cwd=workspace, OPENAI_API_KEY=KEY, **timeout)
    assert done.code == 5
    assert "does not work" in done.out
    assert said in done.err
    assert hint in done.err
    assert KEY not in done.told
    llm.queue(answer)
    found = gitforge("doctor", "--json", cwd=workspace, OPENAI_API_KEY=KEY, **timeout)
    assert found.code == 5
    assert said in found.json["provider"]["error"]
    assert KEY not in found.told


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("GITFORGE_PROVIDER", "oracle", "no provider named 'oracle'"),
        ("GITFORGE_SEED", "x", "GITFORGE_SEED: 'x' is not a whole number"),
        ("OPENAI_BASE_URL", "localhost:1", "not an http or https address"),
        ("GITFORGE_PROVIDER", "openai", "neither a key nor a base URL"),
    ],
)
def test_settings_that_cannot_be_are_a_provider_that_does_not_work(
    workspace: Path, name: str, value: str, said: str
) -> None:
    done = gitforge("doctor", cwd=workspace, **{name: value})
    assert done.code == 5
    assert said in done.err
    assert "hint: " in done.err
    assert name in done.out


def test_neither_key_nor_password_is_shown_wherever_they_are_set(workspace: Path, git: Git) -> None:
    git("config", "gitforge.api-key", KEY, cwd=workspace)
    url = refused_url().replace("//", "//me:s3cret-password@") + "?token=hush-hush"
    for more in ((), ("--json",), ("--model", KEY)):
        done = gitforge("doctor", *more, cwd=workspace, OPENAI_BASE_URL=url, GITFORGE_DEADLINE="0.3")
        assert done.code == 5
        for secret in (KEY, "s3cret-password", "hush-hush"):
            assert secret not in done.told
    assert "git config gitforge.api-key" in done.out


def test_without_a_model_it_says_how_to_have_one(workspace: Path) -> None:
    done = gitforge("doctor", cwd=workspace)
    assert done.code == 0
    assert "the offline outline (no language model)" in done.out
    assert "Set OPENAI_API_KEY; or OPENAI_BASE_URL" in done.err


def test_it_works_outside_a_repository_with_the_users_own_configuration(
    tmp_path: Path, llm: LlmServer, git: Git
) -> None:
    llm.queue(READY)
    git("config", "--global", "gitforge.model", "everywhere", cwd=tmp_path)
    done = gitforge("-C", str(tmp_path), "doctor", "--json", cwd=tmp_path.parent, GITFORGE_MODEL="")
    assert done.code == 0, done.told
    found = done.json
    assert found["settings"]["model"] == {"value": "everywhere", "from": "git config gitforge.model"}
    assert (found["repository"], found["workspace"], found["identity"]) == (None, None, None)
    assert len(found["advice"]) == 2
    assert "gitforge init" in found["advice"][1]
    assert "user.name" in found["advice"][0]


def test_without_git_it_says_so_and_tries_the_provider_all_the_same(tmp_path: Path, llm: LlmServer) -> None:
    llm.queue(READY)
    done = gitforge("doctor", "--json", cwd=tmp_path, PATH=str(tmp_path))
    assert done.code == 0, done.told
    assert done.json["git"] is None
    assert done.json["provider"]["works"] is True
    assert "git" in done.json["problems"][0]["message"]


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    done = gitforge("doctor", "-C", str(tmp_path / "none"), cwd=tmp_path)
    assert done.code == 1
    assert "Traceback" not in done.told
