"""`gitforge mcp` as a process: what it writes, what it may be sent, how it ends."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dying
import pytest
from agent import PATIENCE, Server, refused, talk
from conftest import Git
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcp import Client
from program import GOAL, NAME, PERSONA, PROTOCOL, gitforge, run
from terminal import CTRL_C, CTRL_D, Terminal
from two_libraries import make_two

COMPONENT = "gitforge://component/personas/digital_detective.md"


# Nothing is written


def everything(*folders: Path) -> dict[Path, tuple[int, int, bytes | None]]:
    """Every file and folder, git's own too, with its mode, time and content."""
    found = (path for folder in folders for path in [folder, *sorted(folder.rglob("*"))])
    return {
        path: (
            path.lstat().st_mode,
            path.lstat().st_mtime_ns,
            path.read_bytes() if path.is_file() and not path.is_symlink() else None,
        )
        for path in found
    }


async def ask_everything(client: Client) -> None:
    """Each prompt, resource and tool, and each of them asked wrongly."""
    for prompt in (await client.list_prompts()).prompts:
        await client.get_prompt(prompt.name, {"task": "To try it."})
    await refused(client.get_prompt("nothing"))
    await client.list_resource_templates()
    for resource in (await client.list_resources()).resources:
        await client.read_resource(resource.uri)
    await refused(client.read_resource("gitforge://component/nothing"))
    for tool in (await client.list_tools()).tools:
        for arguments in (
            {}, {"text": "the"}, {"name": GOAL}, {"name": NAME, "prompt": True}, {"name": "nothing"},
            {"goal": GOAL, "project": "outage"}, {"goal": GOAL, "project": "../x"}, {"missing": True},
        ):  # fmt: skip
            await client.call_tool(tool.name, arguments)


def test_a_reading_server_writes_not_a_byte_into_the_worktree_the_git_directory_or_home(
    incomplete: Path, git: Git, isolated_environment: Path
) -> None:
    options = ("--provider", "offline", "--describe", f"{NAME}=To drill.", "--no-review")
    gitforge("generate", NAME, *options, cwd=incomplete)
    gitforge("build", "outage", "--goal", GOAL, cwd=incomplete)
    git("mv", "library/personas/line_editor.md", "library/personas/other_editor.md", cwd=incomplete)
    git("commit", "-qm", "Rename", cwd=incomplete)
    (incomplete / PERSONA).write_text("You are another one.\n")
    (incomplete / "output/outage/00_PERSONA.md").write_text("By hand.\n")
    for path in (incomplete / "library").rglob("*.md"):  # so that git would like to refresh its index
        os.utime(path, ns=(1, path.stat().st_mtime_ns + 10**9))
    for kept in ("origins", "renames"):
        (incomplete / ".git/gitforge" / kept).unlink(missing_ok=True)
    (incomplete / ".git/gitforge/journal.json").write_text("a recording that was interrupted")
    before = everything(incomplete, isolated_environment)
    talk(incomplete, ask_everything)
    assert everything(incomplete, isolated_environment) == before


def test_a_writing_server_finishes_what_was_interrupted_and_says_so_on_standard_error(
    incomplete: Path,
) -> None:
    options = ("--provider", "offline", "--describe", f"{NAME}=To drill.", "--no-review")
    step = {"DIE_AT": "gitforge.store.transaction:lock_index:after", "DIE_HOW": "alone"}
    run(sys.executable, dying.__file__, "generate", NAME, *options, cwd=incomplete, **step)
    journal = incomplete / ".git/gitforge/journal.json"
    assert journal.exists()
    with Server(incomplete, "--allow-write") as server:
        server.shake_hands()
        assert not server.ask("tools/call", name="list_goals", arguments={})["result"]["isError"]
        assert "repaired: " in server.end()[2]
    assert not journal.exists()


# What it may be sent


def test_what_is_no_message_is_refused_and_the_next_request_is_answered(workspace: Path) -> None:
    with Server(workspace) as server:
        server.shake_hands()
        for garbage in (
            b"hello",
            b"{",
            b"[]",
            b"null",
            b'{"jsonrpc": "1.0"}',
            b"\xff\xfe",
            b"[" * 100_000,
            b"\0" * 99,
        ):
            server.send(garbage)
            answer = server.receive()
            assert (answer["id"], answer["error"]["code"]) == (None, -32700), garbage[:20]
        server.send(b"")
        assert server.ask("tools/nothing")["error"]["code"] == -32601
        assert server.ask("tools/call", name=7)["error"]["code"] == -32602
        assert len(server.ask("prompts/list")["result"]["prompts"]) == 30
        code, out, err = server.end()
    assert (code, out) == (0, "")
    assert "Traceback" not in err


def test_a_line_without_an_end_is_refused_and_not_kept(workspace: Path) -> None:
    with Server(workspace) as server:
        server.shake_hands()
        server.send(b"x" * 40_000_000)
        assert "is longer than" in server.receive()["error"]["message"]
        assert server.ask("tools/list")["result"]["tools"]
        peak = Path(f"/proc/{server.process.pid}/status")
        if peak.exists():
            (line,) = (one for one in peak.read_text().splitlines() if one.startswith("VmHWM:"))
            assert int(line.split()[1]) < 200_000  # kB
        assert server.end()[0] == 0


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(st.binary(max_size=200) | st.text(max_size=100).map(str.encode), max_size=20))
def test_garbage_is_answered_by_nothing_but_refusals_and_the_next_request_as_ever(
    shared: Server, lines: list[bytes]
) -> None:
    for line in lines:
        shared.send(line)
    wanted = shared.request("tools/list")
    shared.send(wanted)
    while (answer := shared.receive())["id"] is None:
        assert answer["error"]["code"] == -32700
    assert answer["id"] == json.loads(wanted)["id"]
    assert answer["result"]["tools"]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_arguments_whatever_make_a_tool_fail_in_another_way_than_in_words(
    starter: Path, shared: Server, data: st.DataObject
) -> None:
    values = st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.text(max_size=30)
        | st.sampled_from([GOAL, NAME, "../x"]),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=5,
    )
    names = ["goal", "name", "text", "project", "slots", "kind", "category", "missing", "prompt"]
    tool = data.draw(
        st.sampled_from(["build", "search", "show_goal", "show_component", "list_components", "list_goals"])
    )
    arguments = data.draw(st.dictionaries(st.sampled_from(names), values, max_size=4))
    answer = shared.ask("tools/call", name=tool, arguments=arguments)
    assert "failed in a way that it should not" not in json.dumps(answer)
    uri = data.draw(st.text(max_size=60).map(lambda text: f"gitforge://{text}") | st.text(max_size=60))
    assert "error" in shared.ask("resources/read", uri=uri)


@pytest.fixture(scope="module")
def shared(starter: Path) -> Any:
    with Server(starter) as server:
        server.shake_hands()
        yield server


# How it ends


def test_what_was_asked_before_the_input_ended_is_answered(workspace: Path) -> None:
    with Server(workspace) as server:
        server.shake_hands()
        for _ in range(20):
            server.send(server.request("tools/call", name="build", arguments={"goal": GOAL}))
        code, out, _ = server.end()
    assert code == 0
    assert [json.loads(line)["result"]["isError"] for line in out.splitlines()] == [False] * 20


def test_nothing_on_its_input_at_all_ends_it(workspace: Path) -> None:
    done = gitforge("mcp", cwd=workspace)  # whose input is the null device
    assert (done.code, done.out) == (0, "")


def test_requests_can_come_from_a_file(workspace: Path, tmp_path: Path) -> None:
    about = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
    first = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": about}
    second = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
    (tmp_path / "requests").write_text(f"{json.dumps(first)}\n{json.dumps(second)}")
    command = f"{sys.executable} -m gitforge mcp < {tmp_path}/requests"
    done = run("sh", "-c", command, cwd=workspace)
    assert [json.loads(line)["id"] for line in done.out.splitlines()] == [1, 2]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize(
    "prepare", [lambda _: None, Server.shake_hands], ids=["at once", "in a conversation"]
)
def test_a_signal_ends_it_though_its_input_is_open(
    workspace: Path, number: signal.Signals, prepare: Callable[[Server], None]
) -> None:
    with Server(workspace) as server:
        server.shake_hands()
        prepare(server)
        server.process.send_signal(number)
        assert server.process.wait(PATIENCE) == 0
        assert server.end()[1:] == ("", "")


def test_a_signal_just_when_the_input_ends_ends_it_without_a_word(workspace: Path) -> None:
    for _ in range(6):  # the one is often done before the other has begun
        with Server(workspace) as server:
            server.shake_hands()
            server.process.send_signal(signal.SIGTERM)
            assert server.end() == (0, "", "")


def test_it_ends_though_its_client_does_not_read(workspace: Path) -> None:
    with Server(workspace) as server:
        server.shake_hands()
        for _ in range(60):  # more than a pipe holds
            server.send(server.request("tools/call", name="build", arguments={"goal": GOAL}))
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(PATIENCE) == 0


class Gate:
    """A hook that holds up whoever records, until it is opened."""

    def __init__(self, root: Path) -> None:
        self.open = root.parent / "open"
        self.reached = root.parent / "reached"
        hook = root / ".git/hooks/pre-commit"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {self.reached}\nuntil test -e {self.open}; do sleep 0.05; done\n")
        hook.chmod(0o755)

    def wait(self) -> None:
        """Until somebody stands before it."""
        limit = time.monotonic() + PATIENCE
        while not self.reached.exists():
            assert time.monotonic() < limit
            time.sleep(0.02)


GENERATE = {"name": "generate_component", "arguments": {"component": NAME, "purpose": "To drill."}}


def test_a_server_that_is_killed_while_it_records_leaves_nothing_in_anybodys_way(
    incomplete: Path, git: Git
) -> None:
    gate = Gate(incomplete)
    with Server(incomplete, "--allow-write") as server:
        server.shake_hands()
        server.send(server.request("tools/call", **GENERATE))
        gate.wait()
        server.process.kill()
        server.process.wait()
    gate.open.touch()
    done = gitforge("generate", NAME, "--describe", f"{NAME}=To drill.", "--no-review", cwd=incomplete)
    assert done.code == 0
    assert (incomplete / PROTOCOL).is_file()
    assert git("log", "--format=%s", "--", PROTOCOL, cwd=incomplete).count("Generate protocol") == 1
    git("fsck", "--strict", cwd=incomplete)


def test_what_is_being_recorded_when_a_signal_comes_is_finished(incomplete: Path, git: Git) -> None:
    gate = Gate(incomplete)
    with Server(incomplete, "--allow-write") as server:
        server.shake_hands()
        server.send(server.request("tools/call", **GENERATE))
        gate.wait()
        server.process.send_signal(signal.SIGTERM)
        gate.open.touch()
        assert server.process.wait(PATIENCE) == 0
    assert git("log", "-1", "--format=%s", cwd=incomplete).startswith("Generate protocol")
    assert git("status", "--porcelain", cwd=incomplete) == ""


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
@pytest.mark.parametrize("count", [160, pytest.param(800, marks=pytest.mark.slow)])
def test_many_requests_leave_no_descriptor_thread_or_process_behind(workspace: Path, count: int) -> None:
    requests: tuple[tuple[str, dict[str, Any]], ...] = (
        ("tools/call", {"name": "list_goals", "arguments": {}}),
        ("tools/call", {"name": "show_goal", "arguments": {"name": GOAL}}),
        ("tools/call", {"name": "nothing", "arguments": {}}),
        ("prompts/get", {"name": GOAL}),
        ("resources/read", {"uri": COMPONENT}),
        ("resources/read", {"uri": "gitforge://nothing"}),
        ("tools/list", {}),
        ("tools/call", {"name": "build", "arguments": {}}),
    )
    with Server(workspace) as server:
        proc = Path(f"/proc/{server.process.pid}")

        def held() -> tuple[int, int, int]:
            children = (proc / f"task/{server.process.pid}/children").read_text().split()
            threads = len(list((proc / "task").iterdir()))
            pages = int((proc / "statm").read_text().split()[1])
            return len(list((proc / "fd").iterdir())) + len(children), threads, pages

        server.shake_hands()
        for number in range(count // 4):
            method, params = requests[number % len(requests)]
            server.ask(method, **params)
        before = held()
        for number in range(count):
            method, params = requests[number % len(requests)]
            server.ask(method, **params)
        after = held()
        assert after[0] == before[0]
        assert after[1] <= before[1] + 1
        assert after[2] <= before[2] * 1.15
        assert server.end()[0] == 0


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
def test_what_reads_other_libraries_ends_with_each_request(tmp_path: Path, git: Git) -> None:
    two = make_two(tmp_path, git)
    with Server(two.ours) as server:
        server.shake_hands()
        for method, params in (
            ("prompts/list", {}), ("prompts/get", {"name": "acme:AUDIT"}), ("resources/list", {}),
            ("resources/read", {"uri": "gitforge://component/acme:personas/auditor.md"}),
            ("resources/read", {"uri": "gitforge://component/acme:personas/nobody.md"}),
        ):  # fmt: skip
            server.ask(method, **params)
            children = Path(f"/proc/{server.process.pid}/task").glob("*/children")
            assert [path.read_text() for path in children if path.read_text()] == []


# Around it


def test_standard_output_is_the_protocols_alone(workspace: Path) -> None:
    noisy = (
        "import os, sys; from gitforge import catalog; from gitforge.cli.entry import entry; was = catalog.readiness\n"
        "def loud(*a):\n print('printed'); os.write(1, b'written'); os.system('echo shouted; cat'); return was(*a)\n"
        "catalog.readiness = loud; sys.argv[0] = 'gitforge'; entry()"
    )
    with Server(workspace, command=(sys.executable, "-c", noisy)) as server:
        server.shake_hands()
        assert len(server.ask("prompts/list")["result"]["prompts"]) == 30
        code, out, err = server.end()
    assert (code, out) == (0, "")
    assert {"written", "shouted"} <= set(err.replace("written", "written\n").split())


def test_a_bug_is_reported_in_a_file_and_not_to_the_client(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("SOME_API_KEY", "hunter2hunter2")
    broken = (
        "import sys; from gitforge import catalog; from gitforge.cli.entry import entry\n"
        "def fail(*a):\n raise RuntimeError('hunter2hunter2 in /a/secret/place')\n"
        "catalog.readiness = fail; sys.argv[0] = 'gitforge'; entry()"
    )
    with Server(workspace, command=(sys.executable, "-c", broken)) as server:
        server.shake_hands()
        error = server.ask("prompts/list")["error"]
        result = server.ask("tools/call", name="list_goals", arguments={})["result"]
        assert server.ask("tools/list")["result"]["tools"]
        code, _, err = server.end()
    assert (code, error["code"], result["isError"]) == (0, -32603, True)
    told_of = json.dumps([error, result])
    assert "failed in a way that it should not" in told_of
    assert not any(
        word in told_of for word in ("secret", "hunter2", "RuntimeError", "Traceback", str(tmp_path))
    )
    assert "bug: RuntimeError" in err
    reports = [path.read_text() for path in tmp_path.glob("gitforge-bug-*.txt")]
    assert len(reports) == 2
    assert "a/secret/place" in reports[0]
    assert "hunter2" not in reports[0]


def test_without_the_extra_it_says_how_to_install_it(workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "lacking").mkdir()
    (tmp_path / "lacking/mcp.py").write_text("raise ModuleNotFoundError('No module named mcp', name='mcp')")
    done = gitforge("mcp", cwd=workspace, PYTHONPATH=str(tmp_path / "lacking"))
    assert (done.code, done.out) == (1, "")
    assert "pip install 'gitforge[mcp]'" in done.err


def test_other_commands_do_not_load_the_sdk(workspace: Path) -> None:
    watched = (
        "import sys; from gitforge.cli.main import main; main(['list']); main(['--help']); "
        "print('loaded:', {'mcp', 'mcp_types', 'pydantic', 'starlette'} & set(sys.modules))"
    )
    done = run(sys.executable, "-c", watched, cwd=workspace)
    assert done.out.splitlines()[-1] == "loaded: set()"


def test_print_config_is_what_a_client_can_start(workspace: Path) -> None:
    done = gitforge("mcp", "--print-config", "--allow-write", cwd=workspace)
    server = done.json["mcpServers"]["gitforge"]
    assert server["args"][-4:] == ["mcp", "-C", str(workspace.resolve()), "--allow-write"]
    assert Path(server["command"]).is_absolute()
    ended = run(server["command"], *server["args"], cwd=workspace.parent)
    assert (ended.code, ended.err) == (0, "")


def test_a_folder_that_is_no_workspace_is_served_with_a_warning_and_put_into_no_settings(
    tmp_path: Path,
) -> None:
    done = gitforge("mcp", cwd=tmp_path)
    assert (done.code, done.out) == (0, "")
    assert done.err.startswith("warning: ")
    assert "is not in a gitforge workspace" in done.err
    done = gitforge("mcp", "--print-config", cwd=tmp_path)
    assert (done.code, done.out) == (1, "")
    assert "is not in a gitforge workspace" in done.err


@pytest.mark.parametrize("key", [CTRL_C, CTRL_D])
def test_a_person_who_starts_it_by_hand_is_told_how_to_end_it(workspace: Path, key: str) -> None:
    with Terminal("mcp", cwd=workspace) as terminal:
        terminal.wait_for("Ctrl-C ends it.")
        terminal.send(key)
        assert terminal.ended() == 0


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    done = gitforge("mcp", "-C", "nowhere", cwd=tmp_path)
    assert (done.code, done.out) == (1, "")
    assert "there is no such folder" in done.err


def test_a_slow_writer_holds_up_nobody_who_reads(incomplete: Path) -> None:
    gate = Gate(incomplete)
    with Server(incomplete, "--allow-write") as server:
        server.shake_hands()
        slow = server.request("tools/call", **GENERATE)
        server.send(slow)
        gate.wait()
        assert server.ask("tools/call", name="list_goals", arguments={})["id"] != json.loads(slow)["id"]
        gate.open.touch()
        answer = server.receive()
        assert answer["id"] == json.loads(slow)["id"]
        assert not answer["result"]["isError"], answer
