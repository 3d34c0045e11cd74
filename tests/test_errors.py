"""How errors are worded: they stand behind `error: `, and within the sentences of others."""

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
    found = {"GitforgeError"}
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


def messages() -> Iterator[tuple[str, list[str | None]]]:
    """The messages that are written where an error is made, each with its place."""
    known = errors()
    for path, tree in TREES.items():
        for made in ast.walk(tree):
            if isinstance(made, ast.Call) and name_of(made.func) in known and made.args:
                given = made.args[0]
                for one in (given.body, given.orelse) if isinstance(given, ast.IfExp) else (given,):
                    yield f"{path.name}:{made.lineno}", parts(one)


def is_well_worded(said: list[str | None]) -> bool:
    """Whether a message begins in lower case, but for words like HEAD, and does not end with a full stop."""
    first, last = said[0] or "", said[-1] or ""
    is_capital = re.match(r"[A-Z]($|[a-z' ])", first) is not None
    is_sentence_alone = not any(re.search(r"[.;:] ", one or "") for one in said)
    return not is_capital and not (last.endswith(".") and is_sentence_alone)


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
