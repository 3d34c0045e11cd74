"""What git's configuration says, listed at once instead of one process a question (git-config(1)).

Only plain values are understood here: where a property is None, git has to be asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gitforge.store.evidence import COMMANDS
from gitforge.store.records import fields

LIST = ("config", *COMMANDS["config"])
"""The question whose answer `parse` reads."""

_FALSE = {"false", "no", "off", "0", ""}
_HARMLESS = {"objectformat", "refstorage", "worktreeconfig", "partialclone", "noop"}
_CRUD = "".join(map(chr, range(33))) + ".,:;<>\"\\'"
"""What git takes off the ends of a name (`strbuf_addstr_without_crud` in its ident.c)."""


@dataclass(frozen=True)
class Configuration:
    """Every scope of git's configuration.

    Args:
        values: The last value by key, sections and names in lower case; `true` for a key without a value.
        own: The same from the repository's own file alone, where git looks for its format.
    """

    values: Mapping[str, str]
    own: Mapping[str, str]

    @classmethod
    def parse(cls, output: bytes) -> Configuration:
        """Reads git's answer to `LIST`."""
        values: dict[str, str] = {}
        own: dict[str, str] = {}
        listed = iter(fields(output))
        for scope, item in zip(listed, listed, strict=True):
            key, equals, value = item.partition("\n")
            values[key] = value if equals else "true"
            if scope == "local":
                own[key] = values[key]
        return cls(values, own)

    def section(self, name: str) -> dict[str, str]:
        """Its values by key, in lower case and without the section."""
        start = f"{name.lower()}."
        found = ((key.lower(), value) for key, value in self.values.items())
        return {key.removeprefix(start): value for key, value in found if key.startswith(start)}

    def is_on(self, key: str) -> bool:
        """Whether a boolean is set to true."""
        return self.values.get(key, "false").lower() not in _FALSE

    def identity(self, role: str, environment: Mapping[str, str]) -> tuple[str, str] | None:
        """Name and address of the `author` or `committer`, where nothing has to be guessed or cleaned."""
        chosen = []
        for part in ("name", "email"):
            given = environment.get(f"GIT_{role.upper()}_{part.upper()}")
            own, users = self.values.get(f"{role}.{part}"), self.values.get(f"user.{part}")
            value = next((one for one in (given, own, users) if one is not None), "")
            if not value or value.strip(_CRUD) != value or set("\n<>") & set(value):
                return None
            chosen.append(value)
        return chosen[0], chosen[1]

    @property
    def stores_plainly(self) -> bool:
        """Whether objects are stored in a way that is understood here."""
        extensions = {key.removeprefix("extensions.") for key in self.own if key.startswith("extensions.")}
        is_shared = self.values.get("core.sharedrepository", "umask").lower() not in _FALSE | {"umask"}
        return extensions <= _HARMLESS and not is_shared

    @property
    def compression(self) -> int | None:
        """How much zlib is to compress loose objects, -1 to 9."""
        found = self.values.get("core.loosecompression", self.values.get("core.compression", "1"))
        return int(found) if found in {"-1", *"0123456789"} else None

    def ignore_file(self, environment: Mapping[str, str]) -> Path | None:
        """The user's own file of gitignore(5), there or not; None where only git can tell which one it is."""
        home = environment.get("HOME")
        chosen = self.values.get("core.excludesfile")
        if chosen is None:
            folder = environment.get("XDG_CONFIG_HOME") or (home and f"{home}/.config")
            return Path(folder, "git", "ignore") if folder else None
        if chosen.startswith("~/") and home:
            return Path(home, chosen[2:])
        return Path(chosen) if chosen.startswith("/") else None

    @property
    def makes_links(self) -> bool:
        """Whether a symbolic link is one in the worktree; else a file that says where it leads."""
        return "core.symlinks" not in self.values or self.is_on("core.symlinks")

    @property
    def converts(self) -> bool:
        """Whether line endings are converted everywhere, or attributes come from a chosen file."""
        return self.is_on("core.autocrlf") or "core.attributesfile" in self.values
