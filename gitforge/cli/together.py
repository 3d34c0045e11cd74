"""Which options of `gitforge build` cannot hold together."""

from __future__ import annotations

from typing import Any

import typer

_DRAFTS = ("describe", "yes", "no_review", "provider", "model", "candidates", "max_cost", "keep_going")
_APART = {
    "at": (
        "stale", "propose", "keep_ours", "take_theirs", "require_reviewed", *_DRAFTS
    ),
    "to": ("force",),
    "stale": ("project", "goal_name", "propose", *_DRAFTS),
    "propose": ("force", "keep_ours", "take_theirs", "keep_going"),
    "keep_ours": ("take_theirs", "force"),
    "take_theirs": ("force",),
}  # fmt: skip
_WHY = {
    "at": "makes a toolkit as it was: it generates, merges and checks nothing",
    "to": "never replaces a file that differs",
    "stale": "builds every toolkit that is out of date, and generates nothing",
    "propose": "assembles nothing",
}


def refuse_apart(ctx: typer.Context) -> None:
    """Refuses a command line with options of which only one can hold.

    Raises:
        typer.BadParameter: There are two such options.
    """
    given = {name for name in ctx.params if _is_given(ctx, name)}
    for name, others in _APART.items():
        for other in others:
            if name in given and other in given:
                why = f"; {_shown(ctx, name)} {_WHY[name]}" if name in _WHY else ""
                raise typer.BadParameter(
                    f"{_shown(ctx, name)} and {_shown(ctx, other)} cannot both hold{why}",
                    param_hint=_shown(ctx, name),
                )
    if "to" in given and "at" not in given:
        raise typer.BadParameter("is for a toolkit as it was: add --at", param_hint="--to")


def _is_given(ctx: typer.Context, name: str) -> bool:
    source: Any = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _shown(ctx: typer.Context, name: str) -> str:
    """As the user writes it."""
    parameter = next(one for one in ctx.command.params if one.name == name)
    return parameter.opts[0] if parameter.param_type_name == "option" else "PROJECT"
