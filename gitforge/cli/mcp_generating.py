"""The tool that generates a component: as `gitforge generate --no-review` does, because no person looks at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from gitforge import plain_data
from gitforge.build import Forge
from gitforge.cli import generating, plans
from gitforge.errors import UserError
from gitforge.generation.records import Event, OnEvent
from gitforge.goals import Goal, Need
from gitforge.plan import State
from gitforge.serving.origin import not_reviewed
from gitforge.serving.records import Data, Tool
from gitforge.serving.schemas import PLANNED, arguments, flag, maybe, result, text

MOST_PURPOSE = 2000  # characters


class Reported:
    """How far a generation has come; written by the thread that generates, read by another.

    Attributes:
        count: How many events there were: it only grows.
        said: The last one in words.
    """

    def __init__(self) -> None:
        self.count = 0
        self.said = ""
        self._size = 0

    def __call__(self, event: Event) -> None:
        """Notes an event."""
        self._size = self._size + len(event.text) if event.what == "text" else 0
        told = f"{self._size:,} characters" if event.what == "text" else event.what
        self.said = f"{event.need.path}: {told}"
        self.count += 1


def reporting_to(on_event: OnEvent) -> Tool:
    """The tool, of which somebody is told how far it has come."""
    return replace(GENERATE, call=partial(_generate, on_event=on_event))


def _generate(forge: Forge, given: Mapping[str, Any], *, on_event: OnEvent = lambda _: None) -> Data:
    need = generating.find(forge, given["component"])
    chosen = forge.goal(given["goal"]) if "goal" in given else None
    (before,) = forge.states([need])
    purpose = given.get("purpose") or need.purpose
    if before.state is State.MISSING and not (purpose and purpose.strip()):
        raise UserError(
            f"nobody has said what library/{need.path} is for", hint="Say so in purpose, in one sentence."
        )

    def goal_of(one: Need) -> Goal | None:
        return chosen or generating.goal_using(forge, one)

    described = [f"{need.path}={given['purpose']}"] if given.get("purpose") else []
    options = plans.Options(
        described, yes=False, no_review=True, provider=None, model=None, on_event=on_event
    )
    done = generating.generate_missing(forge, [before], goal_of, options)
    generating.stop_where_failed(done)
    (now,) = forge.states([need])
    return {
        "component": plain_data.planned(now),
        "recorded": done.commits.get(need.path),
        "needs_review": bool(not_reviewed(forge, [now])),
        "text": forge.workspace.library.text(need),
    }


GENERATE = Tool(
    "generate_component",
    "Generate a component",
    "Has a missing component written by the language model that the user has set up (where there is none: an outline "
    "with TODO points), and records it as one commit. A component that is there already is left alone. Nobody has "
    "reviewed what it records: the commit names no reviewer, whatever you think of the text, and the user reviews it "
    "with `gitforge review`. It may cost the user money.",
    arguments(
        {
            "component": text(
                "Its file name, or a new one with its folder: protocols/blameless_postmortem.md", least=1
            )
        },
        {
            "purpose": text(
                "What it is for, in one sentence; needed where goals.yaml does not say so", most=MOST_PURPOSE
            ),
            "goal": text("The goal that it is for", least=1),
        },
    ),
    result(
        {
            "component": PLANNED,
            "recorded": maybe(text("The commit; null where there was nothing to generate")),
            "needs_review": flag("Whether it is generated and nobody has reviewed it"),
            "text": maybe(text("What it says")),
        }
    ),
    _generate,
    is_writing=True,
    is_open=True,
)
