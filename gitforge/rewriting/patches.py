"""The patches that turn a YAML text into one with other data: each changes a value's own characters or lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from functools import cached_property
from typing import Any

from gitforge.rewriting import snippets
from gitforge.rewriting.layout import Layout
from gitforge.rewriting.nodes import Key, Node, NoPlace


def rewritten(layout: Layout, wanted: Any, sources: Sequence[Layout] = (), finest: int = 1000) -> str:
    """The text with other data.

    Args:
        layout: The text and its data.
        wanted: The data that it shall have.
        sources: Texts from which new entries are taken with their comments, where they stand there.
        finest: The depth below which a changed value is written anew as a whole.

    Raises:
        NoPlace: It is written in a way that cannot be changed piece by piece.
    """
    writer = _Writer(layout, wanted, sources, finest)
    writer.change(layout.root, layout.data, wanted)
    return writer.text()


def without_aliases(layout: Layout) -> str:
    """The text in which every alias is written out, and no anchor is left."""
    values: dict[str, Any] = {}
    patches: list[tuple[int, int, str]] = []

    def visit(node: Node, data: Any) -> None:
        if node.form == "alias":
            patches.append((node.start, node.end, snippets.inline(values[str(node.anchor)], layout.style)))
            return
        if node.anchor is not None:
            end = node.start + len(node.anchor) + 1
            while layout.text[end] in " \t":
                end += 1
            patches.append((node.start, end, ""))
        inner = [data[key.name] for key in node.keys] if node.form == "mapping" else data
        for child, value in zip(node.children, inner if node.children else (), strict=True):
            visit(child, value)
        if node.anchor is not None:
            values[node.anchor] = data

    visit(layout.root, layout.data)
    return _patched(layout.text, patches)


def _patched(text: str, patches: Sequence[tuple[int, int, str]]) -> str:
    parts, done = [], 0
    for start, end, new in sorted(patches, key=lambda patch: patch[:2]):
        if start < done and start != end and new:
            raise NoPlace
        parts += [text[done:start], new]
        done = max(done, end)
    return "".join(parts) + text[done:]


class _Writer:
    def __init__(self, layout: Layout, wanted: Any, sources: Sequence[Layout], finest: int) -> None:
        self.layout = layout
        self.style = layout.style
        self.wanted = wanted
        self.sources = (*sources, layout)
        self.finest = finest
        self.patches: list[tuple[int, int, str]] = []

    def text(self) -> str:
        return _patched(self.layout.text, self.patches)

    def change(
        self,
        node: Node,
        old: Any,
        new: Any,
        key: Key | None = None,
        path: tuple[str, ...] = (),
        *,
        in_flow: bool = False,
    ) -> None:
        """Notes what turns a value into another."""
        if repr(old) == repr(new):
            return
        before = len(self.patches)
        alike = {"mapping": dict, "list": list}.get(node.form)
        if alike and old and new and isinstance(new, alike) and len(path) < self.finest:
            try:
                if node.is_flow:
                    self._in_brackets(node, old, new, path)
                elif alike is dict:
                    self._mapping(node, old, new, path)
                else:
                    self._list(node, old, new, path)
            except NoPlace:
                del self.patches[before:]
            else:
                return
        self._replace(node, new, key, path, in_flow=in_flow)

    # A mapping with an entry to a line

    def _mapping(self, node: Node, old: dict[str, Any], new: dict[str, Any], path: tuple[str, ...]) -> None:
        renamed = _renamed(old, new)
        kept = _in_order(list(old), [renamed.get(name, name) for name in new])
        olds = {renamed.get(name, name): name for name in new}
        previous: Node | None = None
        places = dict(zip(old, zip(node.keys, node.children, strict=True), strict=True))
        for name, (key, child) in places.items():
            if name not in kept:
                is_moved = (name, repr(old[name])) in self._wanted
                self._cut(key, child, is_moved=is_moved, is_first=key is node.keys[0])
                continue
            if olds[name] != name:
                self.patches.append((key.start, key.end, snippets.key(olds[name], self.style)[:-1]))
            self.change(child, old[name], new[olds[name]], key, (*path, olds[name]))
        column = self.layout.column(node.keys[0].start)
        apart = self._apart(node, new)
        for name, value in new.items():
            if renamed.get(name, name) in kept:
                previous = places[renamed.get(name, name)][1]
                continue
            lines = self._entry(name, value, path)
            if previous is not None:
                self._insert(self.layout.after(previous), column, [""] * apart + lines)
            elif self.layout.is_first(node.keys[0].start):
                self._insert(self.layout.leading(node.keys[0]), column, lines + [""] * apart)
            else:
                raise NoPlace

    def _apart(self, node: Node, new: dict[str, Any]) -> bool:
        """Whether a new entry is set off by a blank line: as its neighbours are, or as a category is."""
        if len(node.keys) > 1:
            return sum(self.layout.is_apart(key) for key in node.keys[1:]) * 2 >= len(node.keys)
        return any(
            isinstance(inner, dict)
            for value in new.values()
            if isinstance(value, dict)
            for inner in value.values()
        )

    def _cut(self, key: Key, child: Node, *, is_moved: bool, is_first: bool) -> None:
        if not self.layout.is_first(key.start):
            raise NoPlace
        text = self.layout.text
        start = self.layout.leading(key) if is_moved else self.layout.line_start(key.start)
        end = self.layout.after(child)
        newline, column = self.layout.newline, self.layout.column(key.start)
        is_last = not text.startswith(" " * column, end)
        if text[:start].endswith(newline * 2) and (is_last or text.startswith(newline, end)):
            start -= len(newline)
        elif is_first and text.startswith(newline, end):
            end += len(newline)
        self.patches.append((start, end, ""))

    @cached_property
    def _wanted(self) -> set[tuple[str, str]]:
        """The mappings that the text shall have, wherever: what is cut in one place may stand in another."""
        return set(_mappings(self.wanted))

    def _entry(self, name: str, value: Any, path: tuple[str, ...]) -> list[str]:
        for source in self.sources:
            for where in ((*path, name), name):
                if (found := source.entries.get((where, repr(value)))) is not None:
                    return found
        if not isinstance(value, dict) or not any(isinstance(inner, dict) for inner in value.values()):
            return snippets.entry(name, value, self.style)
        lines = [snippets.key(name, self.style)]
        for inner, one in value.items():
            lines += [
                " " * self.style.indent + line if line else ""
                for line in self._entry(inner, one, (*path, name))
            ]
        return lines

    def _insert(self, at: int, column: int, lines: Sequence[str]) -> None:
        newline = self.layout.newline
        text = "".join((" " * column + line if line else "") + newline for line in lines)
        self.patches.append((at, at, text))

    # A list with an item to a line

    def _list(self, node: Node, old: list[Any], new: list[Any], path: tuple[str, ...]) -> None:
        dashes = [self._dash(child) for child in node.children]
        column = self.layout.column(dashes[0])
        matcher = SequenceMatcher(
            None, [repr(one) for one in old], [repr(one) for one in new], autojunk=False
        )
        for tag, start, end, first, last in matcher.get_opcodes():
            if tag == "replace" and end - start == last - first:
                for child, was, now in zip(
                    node.children[start:end], old[start:end], new[first:last], strict=True
                ):
                    self.change(child, was, now, None, (*path, ""))
            elif tag != "equal":
                for dash, child in zip(dashes[start:end], node.children[start:end], strict=True):
                    self.patches.append((self.layout.line_start(dash), self.layout.after(child), ""))
                at = (
                    self.layout.after(node.children[start - 1])
                    if start
                    else self.layout.line_start(dashes[0])
                )
                lines = [f"- {snippets.plain(item, self.style)}" for item in new[first:last]]
                self._insert(at, column, lines)

    def _dash(self, item: Node) -> int:
        start = self.layout.line_start(item.start)
        before = self.layout.text[start : item.start]
        if before.strip(" ") != "-":
            raise NoPlace
        return start + before.index("-")

    # A mapping or list in brackets

    def _in_brackets(self, node: Node, old: Any, new: Any, path: tuple[str, ...]) -> None:
        starts = [key.start for key in node.keys] or [child.start for child in node.children]
        ends = [child.end for child in node.children]
        was, now = (self._labels(data) for data in (old, new))
        matcher = SequenceMatcher(None, was, now, autojunk=False)
        text = self.layout.text
        is_tall = len(starts) > 1 and "\n" in text[ends[0] : starts[1]]
        joint = f",{self.layout.newline}{' ' * self.layout.column(starts[1])}" if is_tall else ", "
        for tag, start, end, first, last in matcher.get_opcodes():
            if tag == "equal":
                if isinstance(old, dict):
                    for index in range(start, end):
                        key, name = node.keys[index], was[index]
                        self.change(
                            node.children[index], old[name], new[name], key, (*path, name), in_flow=True
                        )
                continue
            if start == 0 and end == len(was):
                raise NoPlace
            written = self._written(new, first, last)
            if start:
                for index in range(start, end):
                    if "#" in text[ends[index - 1] : starts[index]]:
                        raise NoPlace
                    self.patches.append((ends[index - 1], ends[index], ""))
                self.patches += [(ends[start - 1], ends[start - 1], joint + one) for one in written]
            else:
                if end:
                    self.patches.append((starts[0], starts[end], ""))
                self.patches += [(starts[end], starts[end], one + joint) for one in written]

    def _labels(self, data: Any) -> list[str]:
        return list(data) if isinstance(data, dict) else [repr(item) for item in data]

    def _written(self, data: Any, first: int, last: int) -> list[str]:
        if isinstance(data, dict):
            return [snippets.pair(name, data[name], self.style) for name in list(data)[first:last]]
        return [snippets.inline(item, self.style) for item in data[first:last]]

    # A value as a whole

    def _replace(
        self, node: Node, new: Any, key: Key | None, path: tuple[str, ...], *, in_flow: bool
    ) -> None:
        quote = node.style if node.style in {"'", '"'} else ""
        if in_flow or (key is None and not node.is_block):
            write = snippets.inline if in_flow else snippets.plain
            self.patches.append((node.start, node.end, write(new, self.style, quote)))
            return
        if not path and node.keys and self.layout.is_first(node.keys[0].start):
            start = self.layout.line_start(node.keys[0].start)
            self.patches.append((start, self.layout.after(node), ""))
            lines = [line for name, value in new.items() for line in self._entry(name, value, path)]
            self._insert(start, 0, lines or ["{}"])
            return
        colon = self.layout.value_of(key) if key else -1
        if key is None or colon < 0 or not self.layout.is_first(key.start) or (node.is_block and node.anchor):
            raise NoPlace
        in_block = bool(new) and (
            (isinstance(new, dict) and not (node.is_flow and node.children))
            or (isinstance(new, list) and not node.is_flow and self.style.has_block_lists)
        )
        if node.is_block:
            first = self.layout.line_start(node.start)
            if first <= key.start:
                raise NoPlace
            self.patches.append((first, self.layout.after(node), ""))
        else:
            self.patches.append((colon, node.end, ""))
        if not in_block:
            self.patches.append((colon, colon, f" {snippets.plain(new, self.style, quote)}"))
            return
        at = self.layout.line_start(node.start) if node.is_block else self.layout.after(node)
        lines = self._entry(key.name, new, path[:-1])
        head = next(number for number, line in enumerate(lines) if not line.startswith("#"))
        self._insert(at, self.layout.column(key.start), lines[head + 1 :])


def _renamed(old: dict[str, Any], new: dict[str, Any]) -> dict[str, str]:
    """New names of entries that stayed what they were, with the old ones."""
    gone = {repr(value): name for name, value in old.items() if name not in new and isinstance(value, dict)}
    come = {repr(value): name for name, value in new.items() if name not in old and isinstance(value, dict)}
    return {name: gone[value] for value, name in come.items() if value in gone and value != "{}"}


def _in_order(old: list[str], new: list[str]) -> set[str]:
    """The names that need not be moved."""
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    return {name for start, _, size in matcher.get_matching_blocks() for name in old[start : start + size]}


def _mappings(data: Any) -> Iterator[tuple[str, str]]:
    for name, value in data.items() if isinstance(data, dict) else ():
        if isinstance(value, dict) and value:
            yield name, repr(value)
            yield from _mappings(value)
