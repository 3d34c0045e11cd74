"""A text merged three ways, as git merges it, without markers in what comes out. Source: git-merge-file(1)."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

from gitforge.store.process import failure
from gitforge.store.repo import Repo

_RUNS = re.compile(r"<{7,}|\|{7,}|={7,}|>{7,}")
_LEAST_MARKER = 7
_MOST_CLASHES = 127  # what an exit status can count; above it git failed


@dataclass(frozen=True)
class Clean:
    """Text on which both sides agree, or which only one of them changed."""

    text: str


@dataclass(frozen=True)
class Clash:
    """Lines that both sides changed, each in another way; a side that took them away has an empty text."""

    base: str
    ours: str
    theirs: str


Chunk = Clean | Clash


def merge(repo: Repo, base: str, ours: str, theirs: str) -> tuple[Chunk, ...]:
    """Merges what two sides made of a text; the chunks together are the merged text.

    Args:
        repo: Where git runs; nothing in it is read or changed.
        base: The text that both began with.
        ours: What became of it here.
        theirs: What became of it there.

    Raises:
        UserError: git fails.
    """
    if theirs in (base, ours):
        return _clean(ours)
    if ours == base:
        return _clean(theirs)
    spare = _spare_characters(base + ours + theirs)
    size = max((len(run) for text in (base, ours, theirs) for run in _RUNS.findall(text)), default=0)
    marker = max(_LEAST_MARKER, size + 1)
    merged = _merged(repo, [_as_lines(text, *spare) for text in (ours, base, theirs)], marker)
    return tuple(_from_lines(_parsed(merged, marker), *spare))


def apart(ours: str, theirs: str) -> tuple[Chunk, ...]:
    """The chunks of two texts of which nobody knows what they began as: wherever they differ is a clash."""
    mine, its = (re.findall(r".*\n|.+", text) for text in (ours, theirs))
    found: list[Chunk] = []
    for what, start, end, begin, stop in SequenceMatcher(None, mine, its, autojunk=False).get_opcodes():
        lines, other = "".join(mine[start:end]), "".join(its[begin:stop])
        found.append(Clean(lines) if what == "equal" else Clash("", lines, other))
    return tuple(found)


def clashes(chunks: Sequence[Chunk]) -> list[Clash]:
    """What has to be decided."""
    return [chunk for chunk in chunks if isinstance(chunk, Clash)]


def places(chunks: Sequence[Chunk]) -> list[int]:
    """The line of our text, from 1, at which each clash begins."""
    found, line = [], 1
    for chunk in chunks:
        if isinstance(chunk, Clash):
            found.append(line)
        line += (chunk.text if isinstance(chunk, Clean) else chunk.ours).count("\n")
    return found


def settled(chunks: Sequence[Chunk], decide: Callable[[Clash], str]) -> str:
    """The whole text, once every clash is decided.

    Args:
        chunks: What `merge` gave.
        decide: The text that stands in a clash's place.
    """
    text = ""
    for chunk in chunks:
        piece = chunk.text if isinstance(chunk, Clean) else decide(chunk)
        # Where one side's last line, which ended without a line break, is not the last one any more.
        text += f"\n{piece}" if text and piece and not text.endswith("\n") else piece
    return text


def both(clash: Clash) -> str:
    """Our lines, and theirs after them."""
    joint = "\n" if clash.ours and clash.theirs and not clash.ours.endswith("\n") else ""
    return clash.ours + joint + clash.theirs


def _clean(text: str) -> tuple[Chunk, ...]:
    return (Clean(text),) if text else ()


def _spare_characters(text: str) -> tuple[str, str]:
    """Two characters that a text has not got."""
    used = frozenset(text)
    free = (chr(code) for code in range(0xE000, 0x110000) if chr(code) not in used)
    return next(free), next(free)


def _as_lines(text: str, nul: str, end: str) -> bytes:
    """The text as git can merge it: without NUL, which it takes for binary, and with a line break at the end.

    git would add that line break silently to a side of a clash.
    """
    text = text.replace("\0", nul)
    if text and not text.endswith("\n"):
        text += f"{end}\n"
    return text.encode("utf-8", "surrogatepass")


def _from_lines(chunks: Sequence[Chunk], nul: str, end: str) -> Iterator[Chunk]:
    def original(text: str) -> str:
        return text.replace(f"{end}\n", "").replace(nul, "\0")

    for chunk in chunks:
        if isinstance(chunk, Clean):
            yield Clean(original(chunk.text))
        else:
            yield Clash(original(chunk.base), original(chunk.ours), original(chunk.theirs))


def _merged(repo: Repo, sides: Sequence[bytes], marker: int) -> str:
    with tempfile.TemporaryDirectory(prefix="gitforge-merge-") as folder:
        paths = [Path(folder, name) for name in ("ours", "base", "theirs")]
        for path, content in zip(paths, sides, strict=True):
            path.write_bytes(content)
        # zdiff3: what both sides have in common at the ends of a clash is no part of it.
        options = ("-p", "--quiet", "--zdiff3", f"--marker-size={marker}")
        done = repo.git.run("merge-file", *options, *map(str, paths))
    if not 0 <= done.status <= _MOST_CLASHES:
        raise failure(done)
    return done.stdout.decode("utf-8", "surrogatepass")


def _parsed(merged: str, marker: int) -> list[Chunk]:
    """The chunks of a text with markers that are longer than any run of their character in it."""
    starts = [sign * marker for sign in "<|=>"]
    parts = [""]  # clean text; of a clash ours, base, theirs; clean text; and so on
    chunks: list[Chunk] = []
    for line in re.findall(r".*\n|.+", merged):
        if not line.startswith(starts[len(parts) - 1]):
            parts[-1] += line
            continue
        if len(parts) == 1:
            chunks += _clean(parts.pop())
            parts.append("")
        if len(parts) < len(starts):
            parts.append("")
            continue
        _, ours, base, theirs = parts
        chunks.append(Clash(base, ours, theirs))
        parts = [""]
    return [*chunks, *_clean(parts[0])]
