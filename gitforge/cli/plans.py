"""The plan on the screen and as JSON, and the options of everything that can generate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gitforge.cli import output
from gitforge.errors import UserError
from gitforge.plan import Planned, State

if TYPE_CHECKING:
    from gitforge.generation.records import Generated, OnEvent, Prefer
    from gitforge.llm import Usage

Candidates = Annotated[
    int,
    typer.Option("--candidates", metavar="N", min=1, max=8, help="Write N drafts of each, to choose from."),
]


def _amount(value: float | None) -> float | None:
    if value is not None and not math.isfinite(value):  # no comparison with it would ever stop anything
        raise typer.BadParameter("it is not an amount")
    return value


MaxCost = Annotated[
    float | None,
    typer.Option(
        "--max-cost",
        metavar="AMOUNT",
        min=0,
        callback=_amount,
        help="Stop where drafts would cost more US dollars (an estimate).",
    ),
]


Propose = Annotated[
    bool,
    typer.Option("--propose", help="Record on a branch of its own, for a pull request."),
]


@dataclass(frozen=True)
class Options:
    """The options of everything that can generate."""

    describe: Sequence[str]
    yes: bool
    no_review: bool
    provider: str | None
    model: str | None
    candidates: int = 1
    max_cost: float | None = None
    branch: str | None = None
    prefer: Prefer | None = None
    on_event: OnEvent = lambda _: None

    def __post_init__(self) -> None:
        wrong = next((option for option in self.describe if "=" not in option), None)
        if wrong is not None:
            raise UserError(f"--describe {wrong!r} has no '='", hint="Write --describe NAME=TEXT.")
        if self.provider is not None:
            from gitforge.llm import check_provider  # noqa: PLC0415

            check_provider(self.provider)

    @property
    def is_unattended(self) -> bool:
        """Whether drafts are accepted without a question."""
        return self.yes or self.no_review


def show_plan(planned: Sequence[Planned]) -> None:
    """The plan, before anything happens."""
    output.table(("", "", ""), plan_rows(planned), to_stderr=True)


def plan_rows(planned: Sequence[Planned]) -> list[tuple[output.Part, ...]]:
    """Each component with its kind, path and state."""
    rows: list[tuple[output.Part, ...]] = []
    for one in planned:
        state = "offline outline" if one.is_outline and one.state is State.READY else one.state.value
        style = output.STYLES.get(state, output.WARN)
        rows.append((f"  {one.need.kind.name}", one.need.shown, (state, style)))
    return rows


def tell_absent(planned: Sequence[Planned]) -> None:
    """Tells which components other libraries lack, and what can be done: nothing is generated for a library."""
    for one in planned:
        if one.state is State.ABSENT:
            output.say(
                ("absent: ", output.WARN),
                f"the library {one.need.library} has no {one.need.path} at its pin; "
                f"`gitforge library update {one.need.library}` looks for it in a newer commit",
            )


def generated_as_json(done: Generated | None) -> dict[str, Any]:
    """What became of the missing components, for a script; None where none was missing."""
    if done is None:
        return {"generated": [], "skipped": [], "failed": [], "spent": spent_as_json(None, None)}
    return {
        "generated": [
            {
                "path": f"library/{path}",
                "commit": commit,
                **spent_as_json(done.drafts[path].usage, done.drafts[path].cost),
            }
            for path, commit in done.commits.items()
        ],
        "skipped": [need.shown for need in done.skipped],
        "failed": [{"path": need.shown, "error": str(error)} for need, error in done.failed],
        "spent": spent_as_json(done.spent.usage, done.spent.dollars),
    }


def spent_as_json(usage: Usage | None, dollars: float | None) -> dict[str, Any]:
    """Tokens, and an estimate of what they cost, for a script; None where nobody knows."""
    return {
        "input_tokens": usage.input_tokens if usage else None,
        "output_tokens": usage.output_tokens if usage else None,
        "cost_usd": dollars,
    }
