"""Long lists come in pages, which the SDK's own client turns; what comes and goes in between moves none of the others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from agent import refused, talk
from making import make_repository, make_workspace
from mcp import Client

GOALS = 250


def goals_yaml(names: list[str]) -> str:
    head = "version: 1\ngoals:\n  All:\n"
    entry = "    {}: {{description: To try it., persona: p.md, protocol: x.md}}\n"
    return head + "".join(entry.format(name) for name in names)


def name(number: int) -> str:
    return f"GOAL_{number:03}"


@pytest.fixture
def many(tmp_path: Path, git: Callable[..., str]) -> Path:
    """A workspace with many goals, the last one first."""
    root = make_repository(tmp_path / "work", git)
    make_workspace(root, goals_yaml([name(number) for number in range(GOALS, 0, -1)]))
    return root


async def all_of(client: Client, list_: str) -> list[list[Any]]:
    """The pages."""
    pages: list[list[Any]] = []
    cursor = None
    while cursor is not None or not pages:
        found: Any = await getattr(client, f"list_{list_}")(cursor=cursor)
        pages.append(getattr(found, list_))
        cursor = found.next_cursor
    return pages


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_every_goal_and_resource_is_on_one_page(many: Path, mode: str) -> None:
    async def conversation(client: Client) -> None:
        pages = await all_of(client, "prompts")
        assert [len(page) for page in pages] == [100, 100, 50]
        assert [one.name for page in pages for one in page] == [name(one) for one in range(1, GOALS + 1)]
        found = await all_of(client, "resources")
        uris = [one.uri for page in found for one in page]
        assert [len(page) for page in found[:-1]] == [100, 100]
        assert len(uris) == len(set(uris)) > GOALS
        assert {f"gitforge://goal/{name(one)}" for one in range(1, GOALS + 1)} <= set(uris)
        assert "gitforge://component/personas/p.md" in uris

    talk(many, conversation, mode=mode)


@pytest.mark.parametrize("list_", ["prompts", "resources"])
def test_what_comes_and_goes_between_two_pages_moves_none_of_the_others(many: Path, list_: str) -> None:
    async def conversation(client: Client) -> list[str]:
        ask: Callable[..., Awaitable[Any]] = getattr(client, f"list_{list_}")
        first = await ask()
        gone, new = {name(1), name(100), name(101)}, ["GOAL_000", "GOAL_100_B"]
        left = [name(one) for one in range(1, GOALS + 1) if name(one) not in gone]
        (many / "goals.yaml").write_text(goals_yaml([*new, *left]))
        second = await ask(cursor=first.next_cursor)
        return [one.name for page in (first, second) for one in getattr(page, list_)]

    names = talk(many, conversation)
    wanted = [name(one) for one in range(1, 101)] + ["GOAL_100_B"] + [name(one) for one in range(102, 201)]
    assert names == wanted


@pytest.mark.parametrize("cursor", ["", "2", "!", "WzFd", "e30=", "\N{SNOWMAN}"])
def test_a_cursor_that_no_page_has_is_refused(many: Path, cursor: str) -> None:
    async def conversation(client: Client) -> None:
        for ask in (client.list_prompts, client.list_resources):
            error = await refused(ask(cursor=cursor))
            assert (error.code, "no page has that cursor" in error.message) == (-32602, True)

    talk(many, conversation)
