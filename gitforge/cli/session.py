"""What nearly every command starts with: the folder, the workspace, the repository, the settings."""

from __future__ import annotations

import importlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gitforge.cli import completing, output
from gitforge.errors import UserError
from gitforge.workspace import Settings, Workspace

if TYPE_CHECKING:
    from gitforge.build import Forge
    from gitforge.llm import Provider
    from gitforge.store.repo import Repo

Directory = Annotated[
    Path, typer.Option("-C", metavar="DIR", help="Run as if started in DIR.", show_default=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
ProviderName = Annotated[
    str | None,
    typer.Option(
        "--provider",
        metavar="NAME",
        help="Who writes drafts: openai, llm or offline.",
        autocompletion=completing.providers,
    ),
]
ModelName = Annotated[
    str | None, typer.Option("--model", metavar="MODEL", help="The model, as its server knows it.")
]
Describe = Annotated[
    list[str] | None,
    typer.Option(
        "--describe", metavar="NAME=TEXT", help="What a missing component is for; repeatable. Empty: skip it."
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", "-n", help="Show the plan, the prompts and the commits; do nothing.")
]
WouldRecord = Annotated[bool, typer.Option("--dry-run", "-n", help="Show what would change; record nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Show each draft and accept it.")]
NoReview = Annotated[bool, typer.Option("--no-review", help="Accept each draft without showing it.")]
MAX_MIB = 200
MaxSize = Annotated[
    int, typer.Option("--max-size", metavar="MIB", min=1, max=1 << 20, help="How much may come, in MiB.")
]

SEEDS = (-(2**63), 2**63 - 1, "a whole number of 64 bits")


def here(ctx: typer.Context, directory: Path) -> Path:
    """The folder to work in: `gitforge -C A build -C B` means A/B, as in git."""
    return (ctx.obj or Path()) / directory


def find_workspace(ctx: typer.Context, directory: Path) -> Workspace:
    """The workspace around the folder."""
    return Workspace.find(here(ctx, directory))


def open_forge(workspace: Workspace) -> Forge:
    """The workspace with its repository and its recipe book."""
    repo = open_repo(workspace, "gitforge.build")  # with Jinja2, where it is needed
    from gitforge.build import Forge  # noqa: PLC0415

    return Forge.open(workspace, repo)


def open_repo(workspace: Workspace, *modules: str) -> Repo:
    """The repository around the workspace, with what a killed gitforge had begun in it finished.

    Args:
        workspace: The workspace.
        modules: What the command needs next, which is imported while git answers.
    """
    from gitforge.store.repo import Repo  # noqa: PLC0415

    def load() -> None:
        for name in ("gitforge.store.recovery", *modules):
            importlib.import_module(name)

    repo = Repo.discover(workspace.root, load)
    repair(repo)
    return repo


def repair(repo: Repo) -> None:
    """Finishes what a killed gitforge had begun, and says so."""
    from gitforge.store.recovery import recover_if_needed  # noqa: PLC0415

    if (done := recover_if_needed(repo)) is not None:
        output.say(("repaired: ", output.GOOD), done.done)


def settings(repo: Repo, provider: str | None = None, model: str | None = None) -> Settings:
    """Every setting, as it holds here."""
    return Settings.resolve({"provider": provider, "model": model}, os.environ, repo.settings("gitforge"))


def open_provider(repo: Repo, provider: str | None, model: str | None) -> Provider:
    """The provider that the options and settings ask for."""
    chosen = provider_for(found := settings(repo, provider, model))
    if model and not chosen.is_model and not found.get("provider"):
        raise UserError(
            f"--model {model} was given, but neither a key nor a server for it",
            hint="Set OPENAI_API_KEY, or OPENAI_BASE_URL for a local server.",
        )
    return chosen


def prices_and_limit(found: Settings) -> tuple[tuple[float, float] | None, float | None]:
    """The user's own prices for a million tokens sent and answered, and what all may cost, in US dollars.

    Raises:
        UserError: A setting is no amount, or only one price is set.
    """
    amount = (0, 10**9, "a number from 0 on")
    sent, answered, limit = (
        found.number(name, *amount) for name in ("price-input", "price-output", "max-cost")
    )
    if (sent is None) != (answered is None):
        raise UserError(
            "only one of gitforge.price-input and gitforge.price-output is set", hint="Set both, or none."
        )
    return ((sent, answered) if sent is not None and answered is not None else None), limit


def provider_for(found: Settings) -> Provider:
    """The provider that settings ask for.

    Raises:
        UserError: A setting is not what it must be.
    """
    from gitforge.llm import ProviderSettings, choose_provider  # noqa: PLC0415

    effort = found.get("reasoning-effort")
    if effort is not None and not re.fullmatch(r"[\w.-]{1,40}", effort):
        raise found.wrong("reasoning-effort", "a word such as low, medium or high")
    return choose_provider(
        ProviderSettings(
            provider=found.get("provider"),
            model=found.get("model"),
            base_url=found.get("base-url"),
            api_key=found.get("api-key"),
            timeout=found.seconds("timeout"),
            connect_timeout=found.seconds("connect-timeout"),
            deadline=found.seconds("deadline"),
            concurrency=found.whole("concurrency", 1, 1000, "a whole number from 1 to 1000") or 1,
            temperature=found.number("temperature", 0, 2, "a number from 0 to 2"),
            max_tokens=found.whole("max-tokens", 1, 10**9, "a whole number of tokens, 1 or more"),
            seed=found.whole("seed", *SEEDS),
            reasoning_effort=effort,
        )
    )
