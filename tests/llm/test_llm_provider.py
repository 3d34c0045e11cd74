"""The llm tool's models, through a real plugin of it that does what a test tells it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import llm
import llm.plugins
import pytest
from program import DESCRIBE, NAME, PROTOCOL, gitforge, holds
from pydantic import Field

from gitforge.errors import Cancelled, CutOff, GitforgeError, ProviderError, UserError
from gitforge.llm import Message, Notice, ProviderSettings, Request, Usage, choose_provider
from gitforge.llm.llm_provider import LlmProvider

KEY = "sk-plugin-0123456789abcdef"
REQUEST = Request((Message("system", "You write."), Message("user", "A persona.")), outline="unused")


class Scripted(llm.Model):
    """Says its pieces; an exception among them is raised, an event is waited for."""

    can_stream = True

    class Options(llm.Options):
        temperature: float | None = Field(default=None, ge=0, le=1)
        max_output_tokens: int | None = None

    def __init__(self, model_id: str, *pieces: Any, finish: str | None = None) -> None:
        self.model_id = model_id
        self.pieces = pieces
        self.finish = finish
        self.asked: list[Any] = []
        self.active = self.most = 0

    def execute(
        self, prompt: Any, stream: bool, response: Any, conversation: Any, key: str | None = None
    ) -> Iterator[str]:
        self.asked.append(prompt)
        self.active += 1
        self.most = max(self.most, self.active)
        for piece in self.pieces:
            if isinstance(piece, BaseException):
                raise piece
            if isinstance(piece, threading.Event):
                piece.wait(120)
            else:
                yield piece
        self.active -= 1
        response.set_usage(input=5, output=2)
        if self.finish:
            response.response_json = {"finish_reason": self.finish}


class Keyed(Scripted, llm.KeyModel):
    """One that needs a key."""

    needs_key = "scripted"
    key_env_var = "SCRIPTED_KEY"


class Plugin:
    """What a plugin's module is to the tool."""

    def __init__(self, *models: llm.Model) -> None:
        self.models = models

    @llm.hookimpl
    def register_models(self, register: Any) -> None:
        for model in self.models:
            register(model, aliases=(f"{model.model_id}-alias",))


@pytest.fixture(autouse=True)
def user_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty place for the tool's keys, defaults and log."""
    folder = tmp_path / "llm"
    folder.mkdir()
    monkeypatch.setenv("LLM_USER_PATH", str(folder))
    return folder


@pytest.fixture
def plugged() -> Iterator[Any]:
    """`plugged(model)` registers a model as plugins do, and gives a provider for it."""
    llm.get_models()  # which loads the plugins that there are
    plugins = []

    def plug(scripted: llm.Model, **settings: Any) -> LlmProvider:
        plugins.append(Plugin(scripted))
        llm.plugins.pm.register(plugins[-1])
        return LlmProvider(ProviderSettings(**{"provider": "llm", "model": scripted.model_id, **settings}))

    yield plug
    for plugin in plugins:
        llm.plugins.pm.unregister(plugin)


def failure(provider: LlmProvider) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        list(provider.stream(REQUEST))
    shown = "".join(traceback.format_exception(caught.value))
    assert KEY not in f"{shown}{caught.value.hint}"
    assert caught.value.hint
    assert "\n" not in caught.value.message
    return caught.value


def test_the_answer_comes_in_the_plugins_pieces_and_with_what_it_took(plugged: Any) -> None:
    model = Scripted("scripted", "# Persona\n", "", "Ärger 🙂\n")
    assert list(plugged(model).stream(REQUEST)) == ["# Persona\n", "Ärger 🙂\n", Usage(5, 2)]
    assert (model.asked[0].system, model.asked[0].prompt) == ("You write.", "A persona.")


def test_a_model_is_found_by_its_alias_and_named_by_its_name(plugged: Any) -> None:
    found = plugged(Scripted("scripted", "x"), model="scripted-alias")
    assert (found.name, found.model, found.label, found.is_model) == ("llm", "scripted", "scripted", True)
    assert found.describe == "scripted of the llm tool"


def test_without_a_model_it_is_the_tools_own_default(plugged: Any, user_path: Path) -> None:
    (user_path / "default_model.txt").write_text("scripted")
    assert plugged(Scripted("scripted", "x"), model=None).model == "scripted"


def test_it_is_chosen_by_name_alone(plugged: Any) -> None:
    plugged(Scripted("scripted", "x"))
    settings = ProviderSettings(provider="llm", model="scripted", api_key=KEY)
    assert isinstance(choose_provider(settings), LlmProvider)


def test_parameters_are_given_under_the_plugins_names_and_what_it_lacks_is_said_once(plugged: Any) -> None:
    model = Scripted("scripted", "x")
    asking = plugged(model, temperature=0.5, max_tokens=99, seed=7)
    told = "the model scripted does not take this seed: asked without it"
    assert list(asking.stream(REQUEST)) == [Notice(told, parameter="seed"), "x", Usage(5, 2)]
    assert list(asking.stream(REQUEST)) == ["x", Usage(5, 2)]
    options = model.asked[0].options
    assert (options.temperature, options.max_output_tokens) == (0.5, 99)


def test_a_value_that_the_plugin_rejects_is_left_out_and_said(plugged: Any) -> None:
    model = Scripted("scripted", "x")
    pieces = list(plugged(model, temperature=1.5, max_tokens=99).stream(REQUEST))
    assert [piece.parameter for piece in pieces if isinstance(piece, Notice)] == ["temperature"]
    assert (model.asked[0].options.temperature, model.asked[0].options.max_output_tokens) == (None, 99)


def test_nothing_is_written_to_the_tools_log(plugged: Any, user_path: Path) -> None:
    list(plugged(Scripted("scripted", "x")).stream(REQUEST))
    assert [path.name for path in user_path.iterdir() if path.suffix == ".db"] == []


# Failures


def test_an_unknown_model_is_refused_with_those_that_are_near(plugged: Any) -> None:
    with pytest.raises(UserError, match="no model 'scriptd'") as caught:
        plugged(Scripted("scripted", "x"), model="scriptd")
    assert "Near to it: scripted" in str(caught.value.hint)
    assert "llm models" in str(caught.value.hint)


def test_a_model_without_its_key_is_refused_with_how_to_set_it(plugged: Any) -> None:
    with pytest.raises(UserError) as caught:
        plugged(Keyed("keyed", "x"), api_key=KEY)
    assert "SCRIPTED_KEY" in caught.value.message
    assert caught.value.hint == "Run `llm keys set scripted`."


def test_a_key_that_cannot_be_read_is_told_without_what_the_plugin_says(plugged: Any) -> None:
    class Broken(Keyed):
        def get_key(self, explicit_key: str | None = None) -> str | None:
            raise RuntimeError(f"cannot decrypt {KEY}")

    with pytest.raises(UserError) as caught:
        plugged(Broken("broken", "x"))
    assert caught.value.message == "the llm tool gives no key for the model 'broken' (RuntimeError)"
    assert KEY not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("place", ["keys.json", "environment"])
def test_the_tools_own_key_is_used_and_never_shown(
    plugged: Any, user_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    if place == "environment":
        monkeypatch.setenv("SCRIPTED_KEY", KEY)
    else:
        (user_path / "keys.json").write_text(json.dumps({"scripted": KEY}))
    error = RuntimeError(f"HTTP 401: {KEY} is wrong\n\x1b[31m")
    told = failure(plugged(Keyed("keyed", "begin", error)))
    assert told.message == "the model keyed of the llm tool failed: HTTP 401: [hidden] is wrong [31m"
    assert "wrote the key" in failure(plugged(Keyed("keyed-2", KEY[:5], KEY[5:]))).message


def test_the_openai_key_is_not_given_to_another_plugin(plugged: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCRIPTED_KEY", "its-own")
    model = Keyed("keyed", "x")
    list(plugged(model, api_key=KEY).stream(REQUEST))
    assert model.get_key() == "its-own"


@pytest.mark.parametrize("error", [RuntimeError(""), KeyError("x"), ValueError("bad"), SystemError("no")])
def test_whatever_a_plugin_raises_is_told(plugged: Any, error: Exception) -> None:
    assert "of the llm tool failed: " in failure(plugged(Scripted("scripted", error))).message


def test_an_empty_answer_is_told(plugged: Any) -> None:
    assert failure(plugged(Scripted("scripted", " \n"))).message == "the model scripted gave an empty answer"


def test_an_answer_that_is_cut_off_is_told(plugged: Any) -> None:
    assert isinstance(failure(plugged(Scripted("scripted", "# Per", finish="length"))), CutOff)


def test_silence_is_given_up_after_the_timeout(plugged: Any) -> None:
    told = failure(plugged(Scripted("scripted", "x", threading.Event()), timeout=0.1))
    assert "was silent for 0.1 seconds" in told.message


def test_the_deadline_ends_an_answer_without_end(plugged: Any) -> None:
    told = failure(plugged(Scripted("scripted", "x", threading.Event()), deadline=0.2))
    assert "did not finish within 0.2 seconds" in told.message


# Threads


def test_a_model_without_a_key_is_asked_one_at_a_time(plugged: Any) -> None:
    model = Scripted("scripted", "x", "y")
    asking = plugged(model)
    assert asking.concurrency == 1
    threads = [threading.Thread(target=lambda: list(asking.stream(REQUEST))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert (len(model.asked), model.most) == (8, 1)


def test_a_model_with_a_key_is_asked_for_many_at_once(plugged: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCRIPTED_KEY", KEY)
    assert plugged(Keyed("keyed", "x"), concurrency=7).concurrency == 7


def test_cancelling_ends_all_waiting(plugged: Any) -> None:
    asking = plugged(Scripted("scripted", "x", threading.Event()))
    ended: list[Any] = []

    def work() -> None:
        try:
            list(asking.stream(REQUEST))
        except GitforgeError as error:
            ended.append(type(error))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    timer = threading.Timer(0.1, asking.cancel)
    timer.start()
    for thread in threads:
        thread.join(60)
    timer.join()
    assert ended == [Cancelled] * 3


def test_closing_the_stream_ends_the_plugins_answer(plugged: Any) -> None:
    going_on, ended = threading.Event(), threading.Event()

    class Endless(Scripted):
        def execute(self, *arguments: Any, **named: Any) -> Iterator[str]:
            try:
                yield "x"
                going_on.wait(120)
                while True:
                    yield "y"
            finally:
                ended.set()

    with closing(plugged(Endless("endless")).stream(REQUEST)) as stream:
        assert next(stream) == "x"
    going_on.set()
    assert ended.wait(60)


# As an extra


def test_the_tool_is_imported_only_when_it_is_chosen() -> None:
    code = (
        "import sys; from gitforge.llm import *\n"
        "choose_provider(ProviderSettings(base_url='http://localhost/v1'))\n"
        "assert 'llm' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_where_it_is_not_installed_the_extra_is_named(workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "absent").mkdir()
    (tmp_path / "absent/llm.py").write_text("raise ModuleNotFoundError(name='llm')\n")
    done = gitforge("doctor", "--provider", "llm", cwd=workspace, PYTHONPATH=str(tmp_path / "absent"))
    assert done.code == 5
    assert "needs the llm tool, which is not installed" in done.err
    assert "pip install 'gitforge[llm]'" in done.err


PLUGIN = """
import llm

class Echo(llm.KeyModel):
    model_id, can_stream, needs_key = "echo", True, "echo"

    def execute(self, prompt, stream, response, conversation, key):
        if "one word" in (prompt.prompt or ""):
            yield "ready"
        elif "fail" in key:
            raise RuntimeError("not with " + key)
        else:
            yield from ("## Drill down\\n", "\\nAsk why.\\n")
            response.set_usage(input=11, output=4)

@llm.hookimpl
def register_models(register):
    register(Echo())
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user_path: Path) -> Path:
    """A plugin that pip has installed, as far as the tool can see."""
    site = tmp_path / "site"
    about = site / "llm_echo-1.0.dist-info"
    about.mkdir(parents=True)
    (site / "llm_echo.py").write_text(PLUGIN)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: llm-echo\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[llm]\necho = llm_echo\n")
    monkeypatch.setenv("PYTHONPATH", str(site))
    (user_path / "keys.json").write_text(json.dumps({"echo": KEY}))
    return site


def test_an_installed_plugin_writes_a_draft(incomplete: Path, installed: Path, user_path: Path) -> None:
    arguments = ("--provider", "llm", "--model", "echo")
    done = gitforge("doctor", *arguments, cwd=incomplete)
    assert done.code == 0, done.told
    done = gitforge("generate", NAME, *DESCRIBE, *arguments, "--yes", cwd=incomplete)
    assert done.code == 0, done.told
    assert "echo of the llm tool" in done.err
    assert (incomplete / PROTOCOL).read_text() == "## Drill down\n\nAsk why.\n"
    assert KEY not in done.told
    assert holds(incomplete, KEY) == []
    assert not (user_path / "logs.db").exists()


def test_an_installed_plugin_that_fails_is_told_without_its_key(
    incomplete: Path, installed: Path, user_path: Path
) -> None:
    (user_path / "keys.json").write_text(json.dumps({"echo": f"{KEY}-fail"}))
    arguments = ("--provider", "llm", "--model", "echo", "--yes")
    done = gitforge("generate", NAME, *DESCRIBE, *arguments, cwd=incomplete)
    assert done.code == 5, done.told
    assert "failed: not with [hidden]" in done.err
    assert KEY not in done.told


def test_a_plugin_that_cannot_be_loaded_is_told(workspace: Path, installed: Path) -> None:
    (installed / "llm_echo.py").write_text("raise RuntimeError('half installed')\n")
    done = gitforge("doctor", "--provider", "llm", "--model", "echo", cwd=workspace)
    assert done.code == 5
    assert "cannot be loaded: RuntimeError: half installed" in done.err
