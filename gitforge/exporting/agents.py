"""A block in AGENTS.md or CLAUDE.md, between two marks; everything else in the file stays byte for byte."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import NamedTuple

from gitforge.errors import Conflict, UserError
from gitforge.exporting.prompt import Prompt, Refused
from gitforge.text import printable

_MARK = re.compile(
    r"^<!-- gitforge:(?P<side>begin|end) (?P<name>\S+)(?: [^\n]*?sha256=(?P<sha256>[0-9a-f]{16}))?[^\n]*?-->[ \t]*\r?$",
    re.MULTILINE,
)
_CODE = re.compile(r"^[ \t]*(```+|~~~+).*?^[ \t]*\1|`[^`\n]+`", re.DOTALL | re.MULTILINE)
_IMPORT = re.compile(r"(?:^|(?<=\s))@[\w~./-]\S*")
_LOST = "Repair or remove the marks by hand: they stand around each block, begin and end."


class _Block(NamedTuple):
    """Where a block stands: its marks included, without the line break behind them."""

    start: int
    end: int
    text: str
    sha256: str | None
    newline: str


def block(prompt: Prompt, name: str) -> str:
    """The block with its marks, without a line break at its end.

    Raises:
        Refused: The text has a mark of such a block in it.
    """
    text = prompt.whole
    if _MARK.search(text):
        raise Refused(f"{prompt.name}: has a line that marks a block of gitforge's", hint="Reword that line.")
    about = "; ".join(f"{key}={value}" for key, value in prompt.origin.as_metadata().items())
    about = about.replace("--", "- -").replace(">", "")  # what would end the comment
    begin = f"<!-- gitforge:begin {name} sha256={_sha256(text)} {about} -->"
    return f"{begin}\n{text}\n<!-- gitforge:end {name} -->"


def refuse_imports(prompt: Prompt) -> None:
    """Raises Refused where the text has what Claude Code takes for the name of a file to be read with CLAUDE.md."""
    text = _CODE.sub("", f"{prompt.system}\n{prompt.asked}")
    if found := _IMPORT.search(text):
        raise Refused(
            f"{prompt.name}: has the text {printable(found[0][:60])!r}, which Claude Code takes for a file to import",
            hint="Put it between backticks, or choose another format.",
        )


def merged(existing: bytes, blocks: Mapping[str, str | None], file: str, *, force: bool) -> bytes:
    """A file with blocks put in, replaced where they stand, or taken out.

    Args:
        existing: The file as it is; empty where there is none.
        blocks: By name; None takes the block out.
        file: How errors call it.
        force: Whether a block that was edited by hand gives way.

    Raises:
        Conflict: A block lacks one of its marks, or was edited by hand.
        UserError: The file is no text, or has no block that is to be taken out.
    """
    if b"\0" in existing:
        raise UserError(f"{file}: is not UTF-8 text", hint="Save it with the encoding UTF-8.")
    text = existing.decode("utf-8", "surrogateescape")
    newline = "\r\n" if "\r\n" in text else "\n"
    for name, new in blocks.items():
        old = _blocks(text, file).get(name)
        if old is not None and not force and old.sha256 != _sha256(old.text.replace("\r\n", "\n")):
            raise Conflict(
                f"{file}: the block {name} was edited by hand since it was exported, so not overwritten",
                hint="Keep the edits by moving them out of the block, or replace them with --force.",
            )
        if new is None:
            if old is None:
                raise UserError(
                    f"{file}: has no block {name}", hint="`grep gitforge:begin` shows the blocks."
                )
            text = _without(text, old)
        else:
            text = _with(text, old, new, newline)
    return text.encode("utf-8", "surrogateescape")


def names(existing: bytes, file: str) -> tuple[str, ...]:
    """The names of a file's blocks; arguments and errors are those of `merged`."""
    return tuple(_blocks(existing.decode("utf-8", "surrogateescape"), file))


def _with(text: str, old: _Block | None, new: str, newline: str) -> str:
    if old is not None:
        return text[: old.start] + new.replace("\n", old.newline) + text[old.end :]
    # A blank line, or the end of a last line that had none: `_without` can tell which, and takes it away again.
    return text + (newline if text else "") + new.replace("\n", newline) + newline


def _without(text: str, old: _Block) -> str:
    """Without the block, the line break behind it, and the one that was put in front of it."""
    before, behind = text[: old.start], re.sub(r"\A\r?\n", "", text[old.end :])
    shorter = before.removesuffix(old.newline)
    has_blank_line = not shorter or shorter.endswith("\n")
    return (shorter if has_blank_line or not behind else before) + behind


def _blocks(text: str, file: str) -> dict[str, _Block]:
    """Every block, by name."""
    found: dict[str, _Block] = {}
    open_: re.Match[str] | None = None
    for mark in _MARK.finditer(text):
        line = text.count("\n", 0, mark.start()) + 1
        name = mark["name"]
        is_begin = mark["side"] == "begin"
        if is_begin == (open_ is not None) or (open_ is not None and open_["name"] != name):
            raise Conflict(
                f"{file}:{line}: a mark of the block {name[:80]} stands where none can be", hint=_LOST
            )
        if is_begin and name in found:
            raise Conflict(f"{file}:{line}: there is a second block {name[:80]}", hint=_LOST)
        if open_ is None:
            open_ = mark
            continue
        inner = text[open_.end() : mark.start()].removeprefix("\n").removesuffix("\n").removesuffix("\r")
        end = mark.end() - text[: mark.end()].endswith("\r")
        newline = "\r\n" if open_[0].endswith("\r") else "\n"
        found[name] = _Block(open_.start(), end, inner, open_["sha256"], newline)
        open_ = None
    if open_ is not None:
        line = text.count("\n", 0, open_.start()) + 1
        raise Conflict(f"{file}:{line}: the block {open_['name'][:80]} has no end", hint=_LOST)
    return found


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]
