"""The workspace: where it is, and the settings that hold in it.

Settings are looked up in this order, as in every git tool: option, `GITFORGE_*` environment variable,
`git config gitforge.*` (local, then global), default. The files that a team shares, goals.yaml and library/,
can set none of them: a library that somebody else wrote must be safe to use.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast

from gitforge import goals_file
from gitforge.components import Library
from gitforge.errors import UserError
from gitforge.goals import FILE_NAME, GoalBook

if TYPE_CHECKING:
    from gitforge.foreign import Foreign

LEGACY_FILE = "goal_map.json"


@dataclass(frozen=True)
class Workspace:
    """A folder with `goals.yaml`, `library/` and `output/`."""

    root: Path

    @classmethod
    def find(cls, start: Path) -> Workspace:
        """The workspace that a folder is in: the nearest one with a goals.yaml, going up.

        Raises:
            UserError: There is none, or the folder does not exist.
        """
        try:
            here = start.resolve(strict=True)
        except (OSError, RuntimeError) as error:
            raise UserError(f"{start}: there is no such folder") from error
        if not here.is_dir():
            raise UserError(f"{start}: is not a folder")
        for folder in (here, *here.parents):
            if (folder / FILE_NAME).exists():
                return cls(folder)
        hint = "Run `gitforge init` to make one here."
        if (here / LEGACY_FILE).exists():
            hint = f"Run `gitforge init --from {LEGACY_FILE}` to take over {LEGACY_FILE} and components/."
        raise UserError(f"{here} is not in a gitforge workspace: there is no {FILE_NAME}", hint=hint)

    @property
    def goals_file(self) -> Path:
        """The recipe book."""
        return self.root / FILE_NAME

    @property
    def output(self) -> Path:
        """The folder of the toolkits."""
        return self.root / "output"

    @cached_property
    def library(self) -> Library:
        """The components."""
        return Library(self.root, lambda: self.foreign)

    @cached_property
    def foreign(self) -> Foreign:
        """The other libraries that goals.yaml names."""
        from gitforge.foreign import Foreign  # noqa: PLC0415 -- with what starts git, where there are any

        return Foreign(self.root)

    def close(self) -> None:
        """Ends what reading other libraries has started."""
        if "foreign" in self.__dict__:
            self.foreign.close()

    def book(self) -> GoalBook:
        """Reads goals.yaml.

        Raises:
            InvalidFile: It has errors.
            UserError: It cannot be read.
        """
        self.library.refuse_escape(self.goals_file, FILE_NAME)
        return goals_file.load(self.goals_file)


@dataclass(frozen=True)
class Setting:
    """One setting: where it is looked up, and what it is without."""

    name: str
    help: str
    default: str | None = None
    also: str | None = None  # an environment variable that other tools share

    @property
    def variable(self) -> str:
        """`GITFORGE_BASE_URL` for `base-url`."""
        return "GITFORGE_" + self.name.upper().replace("-", "_")


SETTINGS = (
    Setting(
        "provider", "Who writes drafts: openai, llm or offline. Default: openai where a key or URL is set."
    ),
    Setting("model", "The model's name, as its server knows it."),
    Setting("base-url", "An OpenAI-compatible server.", also="OPENAI_BASE_URL"),
    Setting("api-key", "The key for it. Better in the environment than in a file.", also="OPENAI_API_KEY"),
    Setting("timeout", "Seconds without a byte until a request fails.", default="120"),
    Setting("connect-timeout", "Seconds until a connection attempt fails.", default="10"),
    Setting("deadline", "Seconds that one draft may take in all.", default="600"),
    Setting("concurrency", "Drafts asked for at once; fewer where the server wants it.", default="20"),
    Setting("temperature", "Randomness of the model, 0 to 2. Default: the server's."),
    Setting("max-tokens", "Upper limit of one answer, in tokens. Default: the server's."),
    Setting("seed", "A whole number that makes answers repeatable, where the server can."),
    Setting(
        "reasoning-effort", "How much a reasoning model thinks: low, medium, high, as its server has it."
    ),
    Setting("max-cost", "US dollars that the drafts of one command may cost, by an estimate."),
    Setting(
        "price-input", "US dollars for a million tokens sent, where no price is known or yours is another."
    ),
    Setting("price-output", "The same for a million tokens answered."),
)


@dataclass(frozen=True)
class Settings:
    """Every setting's value, and where it came from; a key never shows in its repr."""

    values: Mapping[str, str] = field(repr=False)
    origins: Mapping[str, str]

    @classmethod
    def resolve(
        cls, options: Mapping[str, str | None], environ: Mapping[str, str], git_config: Mapping[str, str]
    ) -> Settings:
        """Looks every setting up.

        Args:
            options: From the command line, by setting name; None where not given.
            environ: The process's environment.
            git_config: The `gitforge` section, by key.
        """
        values: dict[str, str] = {}
        origins: dict[str, str] = {}
        for setting in SETTINGS:
            places = (
                ("option", options.get(setting.name)),
                (setting.variable, environ.get(setting.variable)),
                (f"git config gitforge.{setting.name}", git_config.get(setting.name)),
                (setting.also or "", environ.get(setting.also) if setting.also else None),
                ("default", setting.default),
            )
            for origin, value in places:
                if value:
                    values[setting.name], origins[setting.name] = value, origin
                    break
        return cls(values, origins)

    def get(self, name: str) -> str | None:
        """The value, or None."""
        return self.values.get(name)

    def seconds(self, name: str) -> float:
        """The value as a time.

        Raises:
            UserError: It is not a positive number.
        """
        seconds = self.number(name, math.ulp(0.0), sys.float_info.max, "a number of seconds")
        return cast("float", seconds)

    def number(self, name: str, least: float, most: float, what: str) -> float | None:
        """The value as a number, or None.

        Args:
            name: The setting.
            least: The smallest number that it can be.
            most: The greatest.
            what: What it must be, in words.

        Raises:
            UserError: It is none, or is out of bounds.
        """
        if (value := self.get(name)) is None:
            return None
        with suppress(ValueError):
            if least <= (number := float(value)) <= most:
                return number
        raise self.wrong(name, what)

    def whole(self, name: str, least: int, most: int, what: str) -> int | None:
        """The value as a whole number, or None; arguments and errors as in `number`."""
        if (value := self.get(name)) is None:
            return None
        with suppress(ValueError):
            if least <= (number := int(value)) <= most:
                return number
        raise self.wrong(name, what)

    def wrong(self, name: str, what: str) -> UserError:
        """That a value is not what it must be, which names where it came from."""
        value = self.values[name]
        shown = value if len(value) <= 60 else f"{value[:60]}..."
        return UserError(
            f"{self.origins[name]}: {shown!r} is not {what}",
            hint=f"Set {name} to {what}, or unset it.",
        )
