"""Reads goals.yaml, and finds everything that can be wrong in it.

Its form is held by `library/goals.schema.json`; what a schema cannot say (names that must be file names,
keys that depend on the declared kinds) is checked here. The original two-level `goal_map.json`, without
`version` and `goals`, loads as it is.
"""

from __future__ import annotations

import functools
import json
import keyword
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jsonschema_rs

from gitforge import documents, names, starter
from gitforge.documents import Document
from gitforge.errors import InvalidFile, Problem, UserError
from gitforge.goals import (
    DEFAULT_KINDS,
    DEFAULT_OUTPUTS,
    FILE_NAME,
    MANIFEST,
    Goal,
    GoalBook,
    Kind,
    Need,
    Pin,
)
from gitforge.text import did_you_mean, one_line, printable

VERSION = 1
MAX_URL = 1000  # characters
_ID = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
RESERVED_FOLDERS = ("generators", "templates")
RESERVED_KEYS = (  # a goal and the templates mean something else by them
    *("description", "goal", "kinds", "project"),
    *("self", "loop", "caller", "varargs", "kwargs", "none", "true", "false"),
)


def load(path: Path) -> GoalBook:
    """Reads and validates goals.yaml.

    Raises:
        InvalidFile: It cannot be used; every problem is listed.
        UserError: It cannot be read.
    """
    return parse(documents.read_text(path, path.name), path.name)


def parse(text: str, file: str = FILE_NAME) -> GoalBook:
    """Validates the text of a goals.yaml.

    Raises:
        InvalidFile: It has errors; every one is listed.
    """
    return validated(documents.parse(text, file))


def validated(document: Document) -> GoalBook:
    """Validates a goals.yaml that was parsed already, as `parse` does."""
    book = inspected(document)
    errors = [problem for problem in book.problems if problem.severity == "error"]
    if errors:
        raise InvalidFile(errors)
    return book


def inspect(text: str, file: str = FILE_NAME) -> GoalBook:
    """Validates like `parse`, but returns what can be used, with all problems in it.

    Raises:
        InvalidFile: Its form is so broken that nothing in it can be used.
    """
    return inspected(documents.parse(text, file))


def inspected(document: Document) -> GoalBook:
    """Validates a goals.yaml that was parsed already, as `inspect` does."""
    if document.data is None:
        hint = "`gitforge init` in an empty folder shows what belongs in it."
        raise InvalidFile([Problem(document.file, "is empty", hint=hint)])
    if newer := _newer_version(document):
        raise InvalidFile([newer])
    problems = [*document.duplicates, *_schema_problems(document)]
    if problems:
        raise InvalidFile(sorted(problems, key=lambda problem: problem.line or 0))
    return _Reader(document).book()


def is_flat(data: Mapping[str, Any]) -> bool:
    """Whether the data of a goals.yaml is in the original layout, which has categories alone."""
    return not {"version", "goals", "kinds", "outputs", "policy"} & data.keys()


def _newer_version(document: Document) -> Problem | None:
    """That a file is of a later version, which explains all else that is strange in it."""
    version = document.data.get("version") if isinstance(document.data, dict) else None
    if not isinstance(version, int) or isinstance(version, bool) or version <= VERSION:
        return None
    message = f"is of version {version}, and this gitforge knows version {VERSION}"
    return Problem(document.file, message, document.line(["version"]), "Update gitforge.")


@functools.cache
def schema() -> dict[str, Any]:
    """The JSON Schema of goals.yaml that ships with gitforge."""
    loaded: dict[str, Any] = json.loads((starter.library() / "goals.schema.json").read_text("utf-8"))
    return loaded


@functools.cache
def _validator() -> Any:
    return jsonschema_rs.validator_for(schema())


def _schema_problems(document: Document) -> Iterator[Problem]:
    validator = _validator()
    if validator.is_valid(document.data):
        return
    nameless = list(_empty_names(document.data, []))
    for path in nameless:
        yield Problem(document.file, "an empty name", document.line(path), "Give it a name.")
    if nameless:
        return  # jsonschema_rs leaves empty names out of the paths that it gives
    for error in validator.iter_errors(document.data):
        path = _names_in(document.data, error.instance_path)
        detail = error.kind.as_dict()
        if error.kind.name == "additionalProperties":
            for key in detail["unexpected"]:
                hint = did_you_mean(key, _known_keys(path))
                message = f"unknown key {printable(key)!r}{_inside(path)}"
                yield Problem(document.file, message, document.line([*path, key]), hint)
        else:
            message, hint = _explain(error.kind.name, detail, error.instance, path)
            yield Problem(document.file, message, document.line(path), hint)


def _names_in(data: Any, path: Sequence[str | int]) -> list[str | int]:
    """The path, in which jsonschema_rs takes a name like `1` or `+01` for a number."""
    found: list[str | int] = []
    for step in path:
        if isinstance(data, dict) and isinstance(step, int):
            step = next((key for key in data if re.fullmatch(rf"\+?0*{step}", key)), step)  # noqa: PLW2901
        found.append(step)
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            data = None
    return found


def _empty_names(data: Any, path: list[str | int]) -> Iterator[list[str | int]]:
    """The paths of the keys that are empty."""
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in inner:
        if key == "":
            yield [*path, key]
        yield from _empty_names(value, [*path, key])


def _explain(
    name: str, detail: Mapping[str, Any], data: Any, path: Sequence[str | int]
) -> tuple[str, str | None]:
    """A schema error in words: message and hint."""
    where = f"{'.'.join(map(str, path))!r}" if path else "the file"
    if name == "type":
        wanted = detail.get("types") or detail.get("type")
        wanted = wanted if isinstance(wanted, list) else [wanted]
        expected = " or ".join(_TYPE_NAMES.get(str(one), str(one)) for one in wanted if one != "null")
        hint = None
        if expected == "text" and data is not None and not _is_container(data):
            hint = 'Put quotes around it: "..." makes it text.'
        elif expected == "a mapping" and path[-1:] and path[-1] in _GOAL_KEYS:
            hint = "Is a category missing? A goal stands below one: goals, then CATEGORY, then GOAL."
        return f"{printable(where)} must be {expected}, but is {_type_name(data)}", hint
    if name == "required" and path[-1:] == ["<<"]:
        return "merge keys (<<) are not supported", "Write the keys out."
    if name == "required":
        return f"{printable(where)} lacks the key {detail['property']!r}", None
    if name == "enum":
        options = ", ".join(map(str, detail["options"]))
        return f"{printable(where)} must be {options}, but is {printable(repr(data))}", None
    if name == "minLength":
        return f"{printable(where)} is empty", None
    return f"{printable(where)} breaks the rule {name} of the schema", None


_GOAL_KEYS = {"description", *(kind.key for kind in DEFAULT_KINDS)}
_TYPE_NAMES = {"object": "a mapping", "array": "a list", "string": "text", "boolean": "true or false"}


def _is_container(data: Any) -> bool:
    return isinstance(data, dict | list)


def _type_name(data: Any) -> str:
    if data is None:
        return "empty"
    names_by_type = {dict: "a mapping", list: "a list", str: "text", bool: "true or false"}
    return names_by_type.get(type(data), f"the number {data}")


def _known_keys(path: Sequence[str | int]) -> list[str]:
    shape = schema()
    if not path:
        return list(shape["then"]["properties"])
    if path[0] == "policy":
        return list(shape["then"]["properties"]["policy"]["properties"])
    if path[0] == "libraries":
        return list(shape["$defs"]["library"]["properties"])
    if path[0] == "kinds":
        return list(shape["$defs"]["kind"]["properties"])
    return list(shape["$defs"]["component"]["then"]["properties"])


def _inside(path: Sequence[str | int]) -> str:
    return f" in {printable('.'.join(map(str, path)))}" if path else ""


class _Reader:
    """Builds the typed view from data of the right form, and notes what a schema cannot see."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._data: dict[str, Any] = document.data
        self._is_flat = is_flat(self._data)
        self._top: list[str | int] = [] if self._is_flat else ["goals"]
        self._problems: list[Problem] = []
        self._declared: Mapping[str, Any] = {}
        self._libraries: dict[str, Pin] = {}

    def book(self) -> GoalBook:
        settings: dict[str, Any] = {} if self._is_flat else self._data
        kinds = self._kinds(settings.get("kinds"))
        outputs = self._outputs(settings.get("outputs"))
        purposes = {name: one_line(text) for name, text in (settings.get("descriptions") or {}).items()}
        self._declared = settings.get("libraries") or {}
        self._libraries = self._pins(self._declared)
        goals = self._goals(kinds, purposes)
        if purposes:
            used = (
                name for goal in goals.values() for need in goal.needs for name in (need.called, need.path)
            )
            for name in sorted(purposes.keys() - set(used)):
                self._warn(f"descriptions: no goal uses {printable(name)!r}", ["descriptions", name])
        problems = tuple(sorted(self._problems, key=lambda problem: problem.line or 0))
        policy = settings.get("policy") or {}
        required = policy.get("require_reviewed", False)
        return GoalBook(
            self._document.file, kinds, outputs, goals, required, problems, self._is_flat, self._libraries
        )

    def _problem(self, message: str, path: Sequence[str | int], hint: str | None = None) -> None:
        self._problems.append(Problem(self._document.file, message, self._document.line(path), hint))

    def _warn(self, message: str, path: Sequence[str | int]) -> None:
        line = self._document.line(path)
        self._problems.append(Problem(self._document.file, message, line, severity="warning"))

    def _checked(self, path: Sequence[str | int], check: Any, *arguments: Any) -> bool:
        try:
            check(*arguments)
        except UserError as error:
            self._problem(error.message, path, error.hint)
            return False
        return True

    def _kinds(self, declared: Mapping[str, Mapping[str, Any] | None] | None) -> dict[str, Kind]:
        if not declared:
            return {kind.name: kind for kind in DEFAULT_KINDS}
        kinds: dict[str, Kind] = {}
        for name, given in declared.items():
            path = ["kinds", name]
            kind = _kind(name, given or {})
            unusable = [
                word for word in (name, kind.key) if not word.isidentifier() or keyword.iskeyword(word)
            ]
            if unusable:
                hint = "Use a word of letters, digits and '_': templates call the components by it."
                message = f"the kind {printable(name)!r}: {printable(unusable[0])!r} is no word for templates"
                self._problem(message, path, hint)
            elif kind.key in RESERVED_KEYS or kind.key in {other.key for other in kinds.values()}:
                self._problem(f"the kind {name!r} has the key {kind.key!r}, which is taken", path)
            elif kind.folder.split("/")[0] in RESERVED_FOLDERS:
                self._problem(f"the kind {name!r} has the folder {kind.folder!r}, which is reserved", path)
            elif kind.folder in {other.folder for other in kinds.values()}:
                self._problem(f"the kind {name!r} shares the folder {kind.folder!r} with another", path)
            elif self._checked([*path, "folder"], names.folder_path, kind.folder, f"kind {name!r}: folder"):
                kinds[name] = kind
        return kinds

    def _pins(self, declared: Mapping[str, Mapping[str, str]]) -> dict[str, Pin]:
        pins: dict[str, Pin] = {}
        for name, given in declared.items():
            path: list[str | int] = ["libraries", name]
            url, rev, commit, folder = (given.get(key) for key in ("url", "rev", "commit", "folder"))
            called = f"library {printable(name)!r}"
            is_good = self._checked(path, names.library_name, name)
            if is_good and name.casefold() in {other.casefold() for other in pins}:
                message = f"the {called} differs from another in upper and lower case only"
                self._problem(message, path, "Choose another name.")
                is_good = False
            if _ID.fullmatch(commit or "") is None:
                hint = "Give all of its 40 (or 64) digits: a shorter id may come to mean another commit."
                self._problem(f"the {called} has no full id of a commit", [*path, "commit"], hint)
                is_good = False
            is_good &= self._checked([*path, "url"], names.label, url, "URL", MAX_URL)
            is_good &= rev is None or self._checked([*path, "rev"], names.rev, rev)
            is_good &= not folder or self._checked(
                [*path, "folder"], names.folder_path, folder, f"{called}: folder"
            )
            if is_good:
                line = self._document.line(path)
                pins[name] = Pin(name, url or "", commit or "", rev, folder or "", line)
        return pins

    def _outputs(self, declared: Mapping[str, str] | None) -> dict[str, str]:
        if not declared:
            return dict(DEFAULT_OUTPUTS)
        outputs: dict[str, str] = {}
        for name, template in declared.items():
            path = ["outputs", name]
            if name == MANIFEST:
                self._problem(
                    f"the output {name!r} is the name of a toolkit's manifest", path, "Choose another name."
                )
            elif name.casefold() in {other.casefold() for other in outputs}:
                message = f"the output {printable(name)!r} differs from another in upper and lower case only"
                self._problem(message, path, "Choose another name: some systems cannot hold both.")
            elif self._checked(path, names.file_name, name, "output") and self._checked(
                path, names.folder_path, template, f"output {name!r}: template"
            ):
                outputs[name] = template
        return outputs

    def _goals(self, kinds: Mapping[str, Kind], purposes: Mapping[str, str]) -> dict[str, Goal]:
        goals: dict[str, Goal] = {}
        by_key = {kind.key: kind for kind in kinds.values()}
        categories = self._data if self._is_flat else self._data["goals"]
        for category, entries in (categories or {}).items():
            path = [*self._top, category]
            self._checked(path, names.label, category, "category")
            for name, entry in (entries or {}).items():
                goal = self._goal([*path, name], name, category, entry, by_key, purposes)
                if name in goals:
                    first = goals[name]
                    place = f"{printable(first.category)!r}, line {first.line}"
                    message = f"goal {printable(name)!r} already stands in {place}"
                    self._problem(message, [*path, name], "Give one of the two another name.")
                else:
                    goals[name] = goal
        return goals

    def _goal(
        self, path: list[str | int], name: str, category: str, entry: Mapping[str, Any],
        by_key: Mapping[str, Kind], purposes: Mapping[str, str],
    ) -> Goal:  # fmt: skip
        self._checked(path, names.label, name, "goal")
        parts = names.foreign_parts(name)
        if parts is not None and parts[0] in self._declared:
            message = f"the goal {printable(name)!r} reads like one of the library {parts[0]!r}"
            self._problem(message, path, "Give it another name.")
        for key in entry:
            if key != "description" and key not in by_key:
                hint = did_you_mean(key, ["description", *by_key])
                message = f"unknown key {printable(key)!r} in the goal {printable(name)!r}"
                self._problem(message, [*path, key], hint or f"The kinds have the keys {', '.join(by_key)}.")
        needs: list[Need] = []
        for kind in by_key.values():
            found = self._needs([*path, kind.key], entry, kind, purposes)
            if kind.required and not found and entry.get(kind.key) in (None, []):
                message = f"the goal {printable(name)!r} has no {kind.name}"
                self._problem(message, path, f"Add `{kind.key}: some_name.md`; the file need not exist yet.")
            needs += found
        description = one_line(entry.get("description", ""))
        if not description:
            self._warn(f"the goal {printable(name)!r} has no description", path)
        return Goal(name, category, description, tuple(needs), self._document.line(path))

    def _needs(
        self, path: list[str | int], goal: Mapping[str, Any], kind: Kind, purposes: Mapping[str, str]
    ) -> list[Need]:
        value = goal.get(kind.key)
        if value is None:
            return []
        if isinstance(value, str) and names.is_ordinary(value):  # as nearly all are
            purpose = (purposes.get(f"{kind.folder}/{value}") or purposes.get(value)) if purposes else None
            return [Need(kind, value, purpose or None, self._document.lines_in(goal)[kind.key])]
        if isinstance(value, list):
            entries, lines = value, self._document.lines_in(value)
        else:
            entries, lines = [value], {0: self._document.lines_in(goal)[kind.key]}
        if isinstance(value, list) and not kind.many and len(value) != 1:
            hint = f"Declare the kind with `many: true`, or name one {kind.name}."
            self._problem(f"{kind.key!r} takes one {kind.name}, but has {len(value)}", path, hint)
            return []
        needs: dict[str, Need] = {}
        for index, entry in enumerate(entries):
            name, purpose = entry, None
            if not isinstance(entry, str):
                name, purpose = entry["file"], one_line(entry.get("description", ""))
            need = Need(kind, name, None, lines[index])
            if not names.is_ordinary(name):
                unusual = self._unusual([*path, index] if isinstance(value, list) else path, name, kind)
                if unusual is None:
                    continue
                need = unusual._replace(line=lines[index])
            called = need.called
            if called in needs:
                message = f"{kind.key!r} names {printable(name)!r} twice"
                self._problem(message, [*path, index], "Remove one of the two.")
            if not purpose and purposes:
                purpose = purposes.get(need.path) or purposes.get(called)
            needs[called] = need._replace(purpose=purpose) if purpose else need
        return list(needs.values())

    def _unusual(self, path: list[str | int], name: str, kind: Kind) -> Need | None:
        """A component whose name needs a closer look: of another library, perhaps; None where it will not do."""
        parts = names.foreign_parts(name)
        if parts is None:
            return Need(kind, name) if self._checked(path, names.component_name, name) else None
        library, file = parts
        if library not in self._declared:
            message = f"{printable(name[:90])!r} is of the library {library!r}, which is not declared"
            hint = (
                did_you_mean(library, iter(self._declared))
                or f"`gitforge library add {library} URL` declares it."
            )
            self._problem(message, path, hint)
            return None
        file = file.removeprefix(f"{kind.folder}/")
        if library not in self._libraries or not self._checked(path, names.component_name, file):
            return None
        return Need(kind, file, pin=self._libraries[library])


def _kind(name: str, given: Mapping[str, Any]) -> Kind:
    """A kind with its defaults: those of the built-in kind of that name, else derived from the name."""
    built_in = next((kind for kind in DEFAULT_KINDS if kind.name == name), None)
    many = given.get("many", built_in.many if built_in else False)
    plural = name if name.endswith("s") else f"{name}s"
    return Kind(
        name=name,
        folder=given.get("folder", built_in.folder if built_in else plural),
        many=many,
        key=given.get(
            "key", built_in.key if built_in and built_in.many == many else plural if many else name
        ),
        required=given.get("required", built_in.required if built_in else False),
    )
