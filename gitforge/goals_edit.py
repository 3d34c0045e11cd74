"""Edits of goals.yaml that keep its comments, order, quoting and spacing: only the new lines are new.

The lines of the new goal are put in where ruamel.yaml says that its category ends. Where there is no such
line (a category written as `{}`, say) the file goes through ruamel.yaml's round trip, and the difference that
the edit makes is carried over into the text as it was. A file written in JSON stays JSON.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from difflib import SequenceMatcher
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.nodes import CollectionNode, MappingNode, Node, SequenceNode

from gitforge import goals_file, names
from gitforge.errors import Conflict, InvalidFile, UserError
from gitforge.goals import FILE_NAME, Goal, GoalBook
from gitforge.text import printable


def add_goal(text: str, goal: Goal) -> str:
    """Adds a goal at the end of its category, which is made where there is none.

    Args:
        text: A valid goals.yaml.
        goal: The new goal; its kinds are declared in the text.

    Raises:
        Conflict: The text has a goal of that name already.
        InvalidFile: The text is not a valid goals.yaml.
        UserError: A name is not possible.
    """
    names.label(goal.name, "goal")
    names.label(goal.category, "category")
    before = goals_file.parse(text)
    if goal.name in before.goals:
        raise Conflict(
            f"{FILE_NAME} already has a goal {printable(goal.name)!r}",
            hint="Choose another name, or edit the goal there.",
        )
    is_crlf = "\r\n" in text and text.count("\r\n") == text.count("\n")
    plain = text.replace("\r\n", "\n") if is_crlf else text
    edit = _edit_json if plain.lstrip().startswith("{") else _edit_yaml
    edited = edit(plain, goal, before)
    if is_crlf:
        edited = edited.replace("\n", "\r\n")
    _prove(edited, goal, before)
    return edited


def remove_goal(text: str, name: str) -> str:
    """Removes a goal, and its category where nothing else is in it; comments of others stay.

    Args:
        text: A valid goals.yaml.
        name: The goal.

    Raises:
        Conflict: The text has no goal of that name.
        InvalidFile: The text is not a valid goals.yaml.
        UserError: It is written in a way that gitforge cannot edit.
    """
    before = goals_file.parse(text)
    if name not in before.goals:
        raise Conflict(f"{FILE_NAME} has no goal {printable(name)!r}")
    is_crlf = "\r\n" in text and text.count("\r\n") == text.count("\n")
    plain = text.replace("\r\n", "\n") if is_crlf else text
    goal = before.goals[name]
    remove = _remove_json if plain.lstrip().startswith("{") else _remove_yaml
    edited = remove(plain, goal, before)
    if is_crlf:
        edited = edited.replace("\n", "\r\n")
    try:
        after = goals_file.parse(edited)
    except InvalidFile:
        after = None
    recipes = {other: _recipe(one) for other, one in before.goals.items() if other != name}
    if after is None or recipes != {other: _recipe(one) for other, one in after.goals.items()}:
        raise UserError(
            f"{FILE_NAME} is written in a way that gitforge cannot remove a goal from",
            hint=f"Remove the goal {printable(name)} by hand.",
        )
    return edited


def _remove_json(text: str, goal: Goal, book: GoalBook) -> str:
    edited = _in_json(text, book, lambda categories: _take_out(categories, goal))
    return _remove_yaml(text, goal, book) if edited is None else edited


def _take_out(categories: Any, goal: Goal) -> None:
    """Removes it from data, with its category where that is empty then."""
    key = next(one for one in categories if str(one) == goal.category)
    inner = next(one for one in categories[key] if str(one) == goal.name)
    del categories[key][inner]
    if not categories[key]:
        del categories[key]


def _remove_yaml(text: str, goal: Goal, book: GoalBook) -> str:
    text = text if text.endswith("\n") else f"{text}\n"
    try:
        if (removed := _remove_lines(text, goal, book)) is not None:
            return removed
        yaml = _round_trip(text)
        data = yaml.load(text)
        untouched = _dump(yaml, data)
        _take_out(data if book.is_flat else data["goals"], goal)
        return _carry_over(text, untouched, _dump(yaml, data))
    except Exception as error:  # ruamel.yaml raises many classes of its own
        reason = str(error).splitlines()[0]
        raise UserError(f"{FILE_NAME} cannot be edited: {reason}", hint="Remove the goal by hand.") from error


def _remove_lines(text: str, goal: Goal, book: GoalBook) -> str | None:
    """The text without the goal's lines; None where it is not written one key to a line."""
    root = YAML(typ="safe", pure=True).compose(text)
    categories = root if book.is_flat else next(value for key, value in root.value if key.value == "goals")
    for node in (categories, *(value for key, value in _pairs(categories) if key.value == goal.category)):
        if not isinstance(node, MappingNode) or node.flow_style:
            return None
    name, goals = next((key, value) for key, value in _pairs(categories) if key.value == goal.category)
    key, value = next(pair for pair in _pairs(goals) if pair[0].value == goal.name)
    first = name if len(_pairs(goals)) == 1 else key
    if first is name and len(_pairs(categories)) == 1:
        return None  # an empty mapping has to be said
    start, end = text.rfind("\n", 0, first.start_mark.index) + 1, max(_end(value), key.end_mark.index)
    end = end if text[end - 1] == "\n" else text.index("\n", end) + 1
    if text[:start].endswith("\n\n") and text[end : end + 1] in {"", "\n"}:
        start -= 1  # the blank line before it
    return text[:start] + text[end:]


def _prove(edited: str, goal: Goal, before: GoalBook) -> None:
    """Holds the edit to its promise: everything as before, and the new goal."""
    after = goals_file.parse(edited)
    recipes = {name: _recipe(one) for name, one in before.goals.items()} | {goal.name: _recipe(goal)}
    if recipes != {name: _recipe(one) for name, one in after.goals.items()}:
        raise UserError(
            f"{FILE_NAME} is written in a way that gitforge cannot add a goal to",
            hint="Add the goal by hand; `gitforge check` tells whether it is right.",
        )


def _recipe(goal: Goal) -> tuple[str, str, frozenset[str]]:
    return goal.category, goal.description, frozenset(need.path for need in goal.needs)


def _entry(goal: Goal) -> dict[str, Any]:
    """The goal as it stands in the file."""
    entry: dict[str, Any] = {"description": goal.description}
    for need in goal.needs:
        if need.kind.many:
            entry.setdefault(need.kind.key, []).append(need.called)
        else:
            entry[need.kind.key] = need.called
    return entry


def _edit_json(text: str, goal: Goal, book: GoalBook) -> str:
    def add(categories: Any) -> None:
        categories.setdefault(goal.category, {})[goal.name] = _entry(goal)

    edited = _in_json(text, book, add)
    return _edit_yaml(text, goal, book) if edited is None else edited


def _in_json(text: str, book: GoalBook, change: Callable[[Any], None]) -> str | None:
    """The text with its categories changed, written as it was; None for flow-style YAML that is not JSON."""
    try:
        data = json.loads(text)
    except ValueError:
        return None
    change(data if book.is_flat else data["goals"])
    indent = re.search(r"\n([ \t]+)", text)
    end = "\n" if text.endswith("\n") else ""
    return json.dumps(data, indent=indent[1] if indent else 2, ensure_ascii=text.isascii()) + end


def _edit_yaml(text: str, goal: Goal, book: GoalBook) -> str:
    text = text if text.endswith("\n") else f"{text}\n"
    try:
        inserted = _insert_lines(text, goal, book)
        if inserted is not None and _is_right(inserted, goal, book):
            return inserted
        yaml = _round_trip(text)
        data = yaml.load(text)
        untouched = _dump(yaml, data)
        _insert(data, goal, book)
        edited = _dump(yaml, data)
    except Exception as error:  # ruamel.yaml raises many classes of its own
        reason = str(error).splitlines()[0]
        raise UserError(f"{FILE_NAME} cannot be edited: {reason}", hint="Add the goal by hand.") from error
    carried = _carry_over(text, untouched, edited)
    return carried if _is_right(carried, goal, book) else edited


def _is_right(edited: str, goal: Goal, book: GoalBook) -> bool:
    try:
        _prove(edited, goal, book)
    except UserError:
        return False
    return True


def _insert_lines(text: str, goal: Goal, book: GoalBook) -> str | None:
    """The text with the goal's lines put in behind the last one of its category.

    None where that is not written one key to a line, so that there is no such place.
    """
    root = YAML(typ="safe", pure=True).compose(text)
    categories = root if book.is_flat else next(value for key, value in root.value if key.value == "goals")
    entry = CommentedMap(_entry(goal))
    for key, value in entry.items():
        if isinstance(value, list):
            entry[key] = CommentedSeq(value)
            if not _has_block_lists(categories):
                entry[key].fa.set_flow_style()
    for key, value in _pairs(categories):
        if key.value == goal.category:
            column = key.start_mark.column + _indent(text)
            return _insert_block(text, value, column, CommentedMap({goal.name: entry}))
    block = CommentedMap({goal.category: CommentedMap({goal.name: entry})})
    if _pairs(categories):
        block.yaml_set_comment_before_after_key(goal.category, before="\n")
    return _insert_block(text, categories, _indent(text), block)


def _insert_block(text: str, node: Node, column: int, block: CommentedMap) -> str | None:
    """Puts a block at the end of a node: a mapping with a key on each line, or nothing as yet."""
    pairs = _pairs(node)
    if pairs and isinstance(node, MappingNode) and not node.flow_style:
        column = pairs[0][0].start_mark.column
    elif pairs or node.start_mark.index != node.end_mark.index:
        return None
    end = _end(node)
    place = end if text[end - 1] == "\n" else text.index("\n", end) + 1
    lines = _dump(_round_trip(text), block).splitlines(keepends=True)
    return (
        text[:place] + "".join(line if line == "\n" else " " * column + line for line in lines) + text[place:]
    )


def _pairs(node: Node) -> list[tuple[Node, Node]]:
    return node.value if isinstance(node, MappingNode) else []


def _end(node: Node) -> int:
    """Where a node's last word ends: the comments and blank lines behind it are not its own."""
    while isinstance(node, CollectionNode) and node.value and not node.flow_style:
        last = node.value[-1]
        if isinstance(node, MappingNode):
            key, last = last
            if last.start_mark.index < key.start_mark.index:  # an alias: its text is where its anchor is
                return int(key.end_mark.index)
        node = last
    return int(node.end_mark.index)


def _indent(text: str) -> int:
    """How many spaces the text uses for a level of nesting."""
    step = re.search(r"^\S.*:[ \t]*(?:#.*)?\n(?:[ \t]*(?:#.*)?\n)*( +)\S", text, re.MULTILINE)
    return len(step[1]) if step else 2


def _round_trip(text: str) -> YAML:
    """A round trip that indents as the text does."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 1_000_000
    item = re.search(r"^( *)[^\s#-].*:[ \t]*\n( *)- ", text, re.MULTILINE)
    offset = len(item[2]) - len(item[1]) if item else 2
    yaml.indent(mapping=_indent(text), sequence=offset + 2, offset=offset)
    return yaml


def _dump(yaml: YAML, data: Any) -> str:
    stream = io.StringIO()
    yaml.dump(data, stream)
    return stream.getvalue()


def _insert(data: CommentedMap, goal: Goal, book: GoalBook) -> None:
    holder = data if book.is_flat else data["goals"]
    if holder is None:
        holder = data["goals"] = CommentedMap()
    key = next((one for one in holder if str(one) == goal.category), goal.category)
    if not holder.get(key):
        holder[key] = CommentedMap()
    holder[key][goal.name] = CommentedMap(_entry(goal))


def _has_block_lists(categories: Node) -> bool:
    """Whether the lists in the file stand one item to a line."""
    for _, category in _pairs(categories):
        for _, goal in _pairs(category):
            for _, value in _pairs(goal):
                if isinstance(value, SequenceNode):
                    return not value.flow_style
    return False


def _carry_over(text: str, untouched: str, edited: str) -> str:
    """Applies the difference between two dumps to the text from which the first was made."""
    mine, base, theirs = (part.splitlines(keepends=True) for part in (text, untouched, edited))
    where = {}
    for tag, start, end, to, _ in SequenceMatcher(None, base, mine, autojunk=False).get_opcodes():
        for offset in range(end - start):
            where[start + offset] = to + offset if tag == "equal" else to
    where[len(base)] = len(mine)
    result, taken = [], 0
    for tag, start, end, first, last in SequenceMatcher(None, base, theirs, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        upto = where[start]
        result += mine[taken:upto]
        result += theirs[first:last]
        taken = max(where[end] if end > start else upto, upto)
    return "".join(result + mine[taken:])
