"""A client that asks for it is told how far a generation has come."""

from __future__ import annotations

import threading
from pathlib import Path

import anyio
import pytest
from agent import PATIENCE, talk, told
from llm_server import LlmServer, Received, Say
from mcp import Client
from mcp.types import CallToolResult
from program import PROTOCOL

NAME = "root_cause_analysis_drilldown.md"
ARGUMENTS = {"component": NAME, "purpose": "To drill down."}

Told = list[tuple[float, str]]


async def generated(client: Client, heard: Told) -> CallToolResult:
    async def hear(progress: float, total: float | None, message: str | None) -> None:
        assert total is None
        heard.append((progress, message or ""))

    done = await client.call_tool("generate_component", ARGUMENTS, progress_callback=hear)
    while not any(said.endswith(": recorded") for _, said in heard):
        await anyio.sleep(0.05)  # the client calls back beside all else; `talk` has a limit
    return done


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_it_grows_and_ends_with_the_commit(incomplete: Path, mode: str) -> None:
    heard: Told = []
    done = talk(incomplete, lambda client: generated(client, heard), "--allow-write", mode=mode)
    assert not done.is_error, told(done)
    assert heard, "nothing was told"
    steps = [step for step, _ in heard]
    assert steps == sorted(set(steps))
    assert heard[-1][1] == f"{PROTOCOL.removeprefix('library/')}: recorded"


def test_it_is_told_while_the_model_is_still_at_work(incomplete: Path, llm: LlmServer) -> None:
    heard: Told = []
    is_told = threading.Event()

    def answer_when_told(_: Received) -> Say:
        assert is_told.wait(PATIENCE)
        return Say("## Drill down\n\n1. Ask why.\n")

    async def conversation(client: Client) -> CallToolResult:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait_until_told)
            return await generated(client, heard)
        raise AssertionError  # for mypy: a task group may swallow what it cancels

    async def wait_until_told() -> None:
        while not any(said.endswith(": drafting") for _, said in heard):
            await anyio.sleep(0.05)
        is_told.set()

    llm.queue(answer_when_told)
    done = talk(incomplete, conversation, "--allow-write")
    assert not done.is_error, told(done)
