"""The recipe book: kinds, goals, and the components that each goal needs. `goals_file.py` reads it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from gitforge import names
from gitforge.errors import Problem, UserError
from gitforge.text import did_you_mean, printable

FILE_NAME = "goals.yaml"
MANIFEST = "toolkit.json"


@dataclass(frozen=True)
class Kind:
    """A sort of component.

    Attributes:
        name: What one of them is called, for example `constraint`.
        folder: Its folder below `library/`, as a POSIX path.
        many: Whether a goal takes a list of them.
        key: The key in a goal, for example `constraints`.
        required: Whether every goal must name one.
    """

    name: str
    folder: str
    many: bool = False
    key: str = ""
    required: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether a component of it is a whole prompt, and no part of one."""
        return self.name in WHOLE_PROMPTS


WHOLE_PROMPTS = frozenset({"system", "prompt", "skill", "task_template"})
"""Kinds of which a component brings what is asked with it, so that nothing is laid around it."""

DEFAULT_KINDS = (
    Kind("persona", "personas", key="persona", required=True),
    Kind("protocol", "protocols", key="protocol", required=True),
    Kind("constraint", "constraints", many=True, key="constraints"),
)
DEFAULT_OUTPUTS = {
    "00_PERSONA.md": "templates/persona.md",
    "01_PROMPT_TEMPLATE.md": "templates/prompt_template.md",
}


@dataclass(frozen=True)
class Pin:
    """Another library, and the commit at which it is read.

    Attributes:
        name: What goals.yaml calls it.
        url: Where it comes from, as goals.yaml says: a stranger's word.
        commit: The full id of the commit.
        rev: The branch or tag that an update follows; None for what the remote's HEAD names.
        folder: The workspace's folder in that repository; empty for its top.
        line: Where it stands in goals.yaml.
    """

    name: str
    url: str
    commit: str
    rev: str | None = None
    folder: str = ""
    line: int | None = field(default=None, compare=False)

    def inside(self, path: str) -> str:
        """A path of its workspace, from the top of that repository."""
        return f"{self.folder}/{path}" if self.folder else path


class Need(NamedTuple):
    """One component that a goal uses: its kind, its file name, and its purpose where goals.yaml says so.

    One of another library has that library's pin.
    """

    kind: Kind
    name: str
    purpose: str | None = None
    line: int | None = None
    pin: Pin | None = None

    @property
    def library(self) -> str | None:
        """The other library that it is of; None for the workspace's own."""
        return self.pin.name if self.pin else None

    @property
    def path(self) -> str:
        """Relative to `library/`: `protocols/code_review_pass.md`; of another library `acme:protocols/...`."""
        path = f"{self.kind.folder}/{self.name}"
        return f"{self.pin.name}:{path}" if self.pin else path

    @property
    def called(self) -> str:
        """What goals.yaml calls it: `code_review_pass.md`, or `acme:code_review_pass.md`."""
        return f"{self.pin.name}:{self.name}" if self.pin else self.name

    @property
    def shown(self) -> str:
        """Its path as people are told it: `library/protocols/...`, or `acme:protocols/...`."""
        return self.path if self.pin else f"library/{self.path}"


class Goal(NamedTuple):
    """A recipe: what it is for, and the components that it uses, in the order of the kinds."""

    name: str
    category: str
    description: str
    needs: tuple[Need, ...]
    line: int | None = None

    @property
    def anywhere(self) -> Goal:
        """The same as it would be in any other line of the file."""
        return self._replace(line=None, needs=tuple(need._replace(line=None) for need in self.needs))

    @property
    def library(self) -> str | None:
        """The other library that it is of: `acme` of `acme:GOAL`; None for the workspace's own."""
        parts = names.foreign_parts(self.name)
        is_theirs = parts is not None and {need.library for need in self.needs} == {parts[0]}
        return parts[0] if parts is not None and is_theirs else None

    @property
    def title(self) -> str:
        """The name as people write it."""
        return names.title(self.name if self.library is None else self.name.partition(":")[2])


@dataclass(frozen=True)
class GoalBook:
    """What goals.yaml says.

    Attributes:
        file: Its name, as errors call it.
        kinds: By name, in order.
        outputs: File name in a toolkit to template path below `library/`.
        goals: By name, in order of appearance.
        require_reviewed: Whether generated components have to be reviewed before they are used.
        problems: What is wrong in it but does not keep the rest from being used.
        is_flat: Whether it has the original two-level layout.
        libraries: Other libraries, by name.
    """

    file: str
    kinds: Mapping[str, Kind]
    outputs: Mapping[str, str]
    goals: Mapping[str, Goal]
    require_reviewed: bool = False
    problems: tuple[Problem, ...] = field(default=(), repr=False)
    is_flat: bool = False
    libraries: Mapping[str, Pin] = field(default_factory=dict)

    def categories(self) -> dict[str, list[Goal]]:
        """The goals by category, in order of appearance."""
        found: dict[str, list[Goal]] = {}
        for goal in self.goals.values():
            found.setdefault(goal.category, []).append(goal)
        return found

    def goal(self, name: str) -> Goal:
        """The goal of that name; upper and lower case are told apart only where they must be.

        Raises:
            UserError: There is none.
        """
        if name in self.goals:
            return self.goals[name]
        same = [goal for goal in self.goals.values() if goal.name.casefold() == name.casefold()]
        if len(same) == 1:
            return same[0]
        hint = did_you_mean(name, iter(self.goals)) or "`gitforge list` shows the goals."
        raise UserError(f"{self.file} has no goal {printable(name)!r}", hint=hint)

    def library(self, name: str) -> Pin:
        """Where another library is pinned; raises UserError where none of that name is declared."""
        if name in self.libraries:
            return self.libraries[name]
        hint = did_you_mean(name, iter(self.libraries)) or "`gitforge library list` shows them."
        raise UserError(f"{self.file} has no library {printable(name)!r}", hint=hint)

    def pin_of(self, name: str) -> Pin | None:
        """The library that a name like `acme:file.md` or `acme:GOAL` is of; None where it is not of that form.

        Raises:
            UserError: No such library is declared.
        """
        parts = None if name in self.goals else names.foreign_parts(name)
        if parts is None:
            return None
        if parts[0] in self.libraries:
            return self.libraries[parts[0]]
        hint = did_you_mean(parts[0], iter(self.libraries)) or "`gitforge library list` shows them."
        raise UserError(
            f"{printable(name[:90])!r} is of the library {parts[0]!r}, which {self.file} does not declare",
            hint=hint,
        )

    def users_of(self, need: Need) -> list[str]:
        """The goals that use a component."""
        return [goal.name for goal in self.goals.values() if need.path in {one.path for one in goal.needs}]

    def needs(self) -> dict[str, Need]:
        """Every component that some goal uses, once each, by path below `library/`."""
        return {need.path: need for goal in self.goals.values() for need in goal.needs}

    def find(self, name: str, others: Iterable[Need] = ()) -> Need:
        """The component of that file name, with its kind's folder in front where the name is not unique.

        Args:
            name: `code_review_pass.md` or `protocols/code_review_pass.md`; the suffix may be left out.
            others: Components that no goal uses, among which to look as well.

        Raises:
            UserError: There is none, or more than one.
        """
        known = {need.path: need for need in others} | self.needs()
        matches = self.matching(name, known.values())
        if len(matches) == 1:
            return matches[0]
        if matches:
            choices = " or ".join(need.path for need in matches)
            raise UserError(
                f"{printable(name)!r} is not unique: it is {choices}", hint="Name it with its folder."
            )
        wanted = name.removeprefix("library/")
        hint = did_you_mean(wanted, [*known, *(need.called for need in known.values())])
        raise UserError(
            f"no component is called {printable(name)!r}",
            hint=hint or "`gitforge list --components` shows them.",
        )

    def matching(self, name: str, others: Iterable[Need] = ()) -> list[Need]:
        """The components that a name may mean, of one suffix; arguments as in `find`."""
        known = {need.path: need for need in others} | self.needs()
        wanted = name.removeprefix("library/")
        for suffix in ("", *names.COMPONENT_SUFFIXES):
            full = wanted + suffix
            if matches := [need for path, need in known.items() if full in {path, need.called}]:
                return matches
        return []
