"""How errors are worded: they stand behind `error: `, and within the sentences of others. Hints are sentences."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import gitforge

TREES = {path: ast.parse(path.read_text()) for path in Path(gitforge.__file__).parent.rglob("*.py")}


def name_of(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def errors() -> set[str]:
    """The names of all classes of expected failures."""
    classes = [node for tree in TREES.values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    found = {"GitforgeError", "LostRace"}
    while new := {
        one.name for one in classes if one.name not in found and found & {*map(name_of, one.bases)}
    }:
        found |= new
    return found


def parts(message: ast.expr) -> list[str | None]:
    """What a message is put together from; None stands for what is known only when it is said."""
    if isinstance(message, ast.Constant) and isinstance(message.value, str):
        return [message.value]
    if isinstance(message, ast.JoinedStr):
        return [one.value if isinstance(one, ast.Constant) else None for one in message.values]  # type: ignore[misc]
    if isinstance(message, ast.BinOp):
        return [*parts(message.left), *parts(message.right)]
    return [None]


def message_of(made: ast.Call, errors: set[str]) -> ast.expr | None:
    """The message of an error, of a problem in a file or of a notice, if a call makes one."""
    at = {"Problem": 1, "Notice": 0}.get(
        name_of(made.func), 0 if name_of(made.func) in errors else len(made.args)
    )
    return made.args[at] if at < len(made.args) else None


def messages() -> Iterator[tuple[str, list[str | None]]]:
    """The messages that are written where an error is made, each with its place."""
    known = errors()
    for path, tree in TREES.items():
        for made in ast.walk(tree):
            if isinstance(made, ast.Call) and (given := message_of(made, known)) is not None:
                for one in (given.body, given.orelse) if isinstance(given, ast.IfExp) else (given,):
                    yield f"{path.name}:{made.lineno}", parts(one)


def is_well_worded(said: list[str | None]) -> bool:
    """Whether a message begins in lower case, but for words like HEAD, and does not end with a full stop."""
    first, last = said[0] or "", said[-1] or ""
    is_capital = re.match(r"[A-Z]($|[a-z' ])", first) is not None
    is_sentence_alone = not any(re.search(r"[.;:] ", one or "") for one in said)
    return not is_capital and not (last.endswith(".") and is_sentence_alone)


def choices(hint: ast.expr) -> Iterator[ast.expr]:
    """What a hint may be, of several."""
    if isinstance(hint, ast.IfExp):
        yield from (*choices(hint.body), *choices(hint.orelse))
    elif isinstance(hint, ast.BoolOp | ast.Dict):
        yield from (one for value in hint.values for one in choices(value))
    elif isinstance(hint, ast.Call) and name_of(hint.func) in {"hint_where_cut", "harmless"}:
        yield from choices(hint.args[0])
    else:
        yield hint


def given_hints(node: ast.AST) -> Iterator[ast.expr]:
    """The hints that a part of the source gives: as an argument, under a name, or from a function."""
    is_argument = isinstance(node, ast.keyword) and node.arg == "hint"
    if is_argument or (
        isinstance(node, ast.Assign) and any("hint" in name_of(one).lower() for one in node.targets)
    ):
        yield node.value  # type: ignore[attr-defined]
    elif isinstance(node, ast.AnnAssign) and "hint" in name_of(node.target).lower():
        yield node.value or ast.Constant(None)
    elif isinstance(node, ast.Call) and name_of(node.func) == "Problem" and len(node.args) > 3:
        yield node.args[3]
    elif isinstance(node, ast.Call) and name_of(node.func) == "problem" and len(node.args) > 1:
        yield node.args[1]
    elif isinstance(node, ast.FunctionDef) and ("hint" in node.name or node.name in HINTING):
        yield from (one.value for one in ast.walk(node) if isinstance(one, ast.Return) and one.value)


HINTING = {"_unstage", "_commit", "_commit_it", "_elsewhere", "_to_clone"}
"""What else returns a hint."""


def hints() -> Iterator[tuple[str, list[str | None]]]:
    """The hints that are written in the source, each with its place, but for those that only frame another."""
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            for given in given_hints(node):
                for one in choices(given):
                    said = parts(one)
                    if re.sub(r"\W|hint", "", "".join(part or "" for part in said)):
                        yield f"{path.name}:{one.lineno}", said


def is_sentence(said: list[str | None]) -> bool:
    """Whether a hint ends as a sentence does, and begins as one where that is known."""
    first, last = said[0] or "", said[-1] or ""
    return last.endswith((".", "?")) and not first[:1].islower()


def test_hints_are_sentences() -> None:
    found = list(hints())
    assert len(found) > 250
    assert [place for place, said in found if not is_sentence(said)] == []


@pytest.mark.parametrize(
    ("said", "is_good"),
    [
        (["Try again."], True),
        (["`git fsck` says what it lacks."], True),
        (["Did you mean ", None, "?"], True),
        ([None, " brings it back."], True),
        (["Try again"], False),
        (["Commit it first: `git commit`"], False),
        (["Name one: ", None], False),
        (["try again."], False),
    ],
)
def test_the_rule_tells_a_sentence_from_a_scrap(said: list[str | None], is_good: bool) -> None:
    assert is_sentence(said) is is_good


def test_errors_are_worded_to_stand_behind_a_colon() -> None:
    found = dict(messages())
    assert len(found) > 300
    assert [place for place, said in found.items() if not is_well_worded(said)] == []


@pytest.mark.parametrize(
    ("said", "is_good"),
    [
        (["the branch ", None, " is gone"], True),
        (["HEAD is on no branch"], True),
        ([None, " is gone"], True),
        (["it is gone. Below is what it said."], True),
        (["The branch is gone"], False),
        (["A ", None, " is in progress"], False),
        (["the branch is gone."], False),
    ],
)
def test_the_rule_tells_good_wording_from_bad(said: list[str | None], is_good: bool) -> None:
    assert is_well_worded(said) is is_good
