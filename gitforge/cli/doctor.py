"""`gitforge doctor`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from gitforge.cli import output
from gitforge.cli.main import PROVIDER
from gitforge.cli.session import (
    AsJson,
    Directory,
    ModelName,
    ProviderName,
    here,
    prices_and_limit,
    provider_for,
)
from gitforge.doctor import TOKENS, Place, Trial, look, try_provider
from gitforge.errors import ProviderError, UserError
from gitforge.llm import Provider
from gitforge.llm.endpoint import endpoint_of, quoted
from gitforge.workspace import SETTINGS, Settings

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")

Row = tuple[output.Part, ...]


@app.command(epilog="Example: gitforge doctor --model qwen3")
def doctor(
    ctx: typer.Context,
    provider: ProviderName = None,
    model: ModelName = None,
    as_json: AsJson = False,
    directory: Directory = Path(),
) -> None:
    """Try the provider with one tiny request, and say what works.

    Also where each setting came from, what git has to offer, and what to set where something is missing. Works
    in any folder. Exit code 5 where the provider fails.
    """
    place = look(here(ctx, directory))
    found = Settings.resolve({"provider": provider, "model": model}, os.environ, place.git_config)
    opened, trial = _try(found, is_told=not as_json)
    if as_json:
        output.data(_as_json(found, place, opened, trial))
    else:
        _show(found, place, opened, trial)
    if trial.error is not None:
        raise typer.Exit(PROVIDER)


def _try(found: Settings, *, is_told: bool) -> tuple[Provider | None, Trial]:
    """The provider, and what became of a request to it; settings that cannot be are a failure of it too."""
    try:
        provider = provider_for(found)
        prices_and_limit(found)
        wanted = found.whole("max-tokens", 1, 10**9, "a whole number of tokens") or TOKENS
    except UserError as error:
        return None, Trial("", None, 0.0, None, (), ProviderError(error.message, hint=error.hint))
    if is_told and provider.is_model:
        output.say(f"Asking {provider.describe} for one word.")
    try:
        return provider, try_provider(provider, min(wanted, TOKENS))
    finally:
        provider.close()


def _show(found: Settings, place: Place, provider: Provider | None, trial: Trial) -> None:
    works: output.Part = ("works", output.GOOD) if trial.error is None else ("does not work", output.BAD)
    rows: list[Row] = [("provider", works)]
    if provider is not None:
        rows += [("is", provider.describe), *_measured(provider, trial)]
    rows.append(("git", place.git or "none"))
    if place.identity is not None:
        is_own = not place.identity.is_fallback
        rows.append(("commits by", str(place.identity) if is_own else (str(place.identity), output.WARN)))
    rows.append(("repository", str(place.repository or "none here")))
    rows.append(("workspace", str(place.workspace or "none here")))
    if place.has_driver is not None:
        driver = "installed" if place.has_driver else "not installed: `gitforge install-driver`"
        rows.append(("merge driver", driver))
    output.table(("", ""), rows)
    output.result()
    output.table(("setting", "value", "from"), [(name, *rest) for name, *rest in _settings(found)])
    for notice in trial.notices:
        output.say(("note: ", output.WARN), notice.text)
    for problem in [*place.problems, *([trial.error] if trial.error else [])]:
        output.say(("error: ", output.BAD), problem.message)
        if problem.hint:
            output.say(("hint: ", output.WARN), problem.hint)
    for hint in _advice(place, provider):
        output.say(("hint: ", output.WARN), hint)


def _measured(provider: Provider, trial: Trial) -> list[Row]:
    rows: list[Row] = []
    if trial.first is not None and provider.is_model:
        rows.append(("answer", f"first text after {trial.first:.2f} s, all after {trial.seconds:.2f} s"))
    if trial.usage is not None:
        rows.append(("tokens", f"{trial.usage.input_tokens} sent, {trial.usage.output_tokens} answered"))
    elif trial.error is None and provider.is_model:
        rows.append(("tokens", "not counted by this provider"))
    if rejected := _rejected(trial):
        rows.append(("rejected", f"{', '.join(rejected)}: not sent any more in the same run"))
    return rows


def _rejected(trial: Trial) -> list[str]:
    return [notice.parameter for notice in trial.notices if notice.parameter is not None]


def _settings(found: Settings) -> list[tuple[str, str, str]]:
    """Each setting's name, value and origin; the key and a password are not shown."""
    key = found.get("api-key") or ""
    rows = []
    for setting in SETTINGS:
        value, origin = found.get(setting.name), found.origins.get(setting.name, "")
        if value is None:
            shown = "not set"
        elif setting.name == "api-key":
            shown = "set"
        elif setting.name == "base-url":
            shown = _address(value, key)
        else:
            shown = quoted(value, [key])
        rows.append((setting.name, shown, origin))
    return rows


def _address(url: str, key: str) -> str:
    try:
        return endpoint_of(url, key).shown
    except UserError:
        return "not an address"


def _advice(place: Place, provider: Provider | None) -> Sequence[str]:
    advice = []
    if provider is not None and not provider.is_model:
        advice.append(
            "No language model is set: drafts are outlines. Set OPENAI_API_KEY; or OPENAI_BASE_URL and "
            "GITFORGE_MODEL for another server; then run `gitforge doctor` again."
        )
    if place.git is None:
        advice.append("Install git: gitforge keeps the library in it.")
    if place.identity is not None and place.identity.is_fallback:
        advice.append(
            "Say who you are: `git config --global user.name NAME`, and `user.email ADDRESS` likewise."
        )
    if place.workspace is None:
        advice.append("There is no workspace here: `gitforge init DIR` makes one.")
    return advice


def _as_json(found: Settings, place: Place, provider: Provider | None, trial: Trial) -> dict[str, Any]:
    usage = trial.usage
    return {
        "provider": {
            "name": provider.name if provider else None,
            "model": provider.model if provider else None,
            "endpoint": provider.endpoint if provider else None,
            "is_model": provider.is_model if provider else None,
            "works": trial.error is None,
            "error": trial.error.message if trial.error else None,
            "hint": trial.error.hint if trial.error else None,
            "first_text_seconds": trial.first,
            "seconds": trial.seconds,
            "input_tokens": usage.input_tokens if usage else None,
            "output_tokens": usage.output_tokens if usage else None,
            "rejected": _rejected(trial),
            "notes": [notice.text for notice in trial.notices],
        },
        "settings": {
            name: {"value": value if origin else None, "from": origin or None}
            for name, value, origin in _settings(found)
        },
        "git": place.git,
        "identity": str(place.identity) if place.identity and not place.identity.is_fallback else None,
        "repository": str(place.repository) if place.repository else None,
        "workspace": str(place.workspace) if place.workspace else None,
        "merge_driver": place.has_driver,
        "problems": [{"message": one.message, "hint": one.hint} for one in place.problems],
        "advice": list(_advice(place, provider)),
    }
