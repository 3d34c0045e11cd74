"""What differs between two commits, or between a commit and the worktree, word by word, as git-diff(1) tells it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gitforge.compare import Kind, Span
from gitforge.store.git import pathspecs
from gitforge.store.objects import Tree
from gitforge.store.records import fields
from gitforge.store.repo import Repo

# A word of prose: letters and digits, of Latin, Greek, Cyrillic and their like beyond ASCII too, with apostrophes and
# hyphens inside; or one character of another script, or one sign. As bytes, because git is run in the C locale.
_LETTER = b"([[:alnum:]_]|[\xc3-\xdf][\x80-\xbf])"
_WORD = b"%b+(['-]%b+)*|[\xc0-\xff][\x80-\xbf]+|[^[:space:]]" % (_LETTER, _LETTER)
_KINDS: dict[str, Kind] = {" ": "same", "-": "removed", "+": "added"}


@dataclass(frozen=True)
class Hunk:
    """A passage with changes in it.

    Attributes:
        place: Where it is, as git writes it: `-1,3 +1,4`.
        lines: Its lines, each in pieces.
    """

    place: str
    lines: tuple[tuple[Span, ...], ...]


@dataclass(frozen=True)
class Difference:
    """How one file differs.

    Attributes:
        status: git's letter: A added, M modified, D deleted, R renamed, T another type of file, U unmerged.
        path: The file, as the newer side calls it.
        old_path: As the older side calls it.
        is_binary: It is no text, and has no hunks.
        hunks: Where it differs; none where only white space or the name does.
    """

    status: str
    path: str
    old_path: str
    is_binary: bool
    hunks: tuple[Hunk, ...]

    def words(self, kind: Kind) -> int:
        """How many words were removed or added."""
        spans = (span for hunk in self.hunks for line in hunk.lines for span in line)
        return sum(len(span.text.split()) for span in spans if span.kind == kind)


def differences(
    repo: Repo, old: str | None, new: str | None, folders: Sequence[str], paths: Sequence[str] = ()
) -> list[Difference]:
    """The files that differ, in git's order.

    Args:
        repo: The repository.
        old: Id of a commit; None where there is none yet.
        new: Id of a commit; None for the worktree.
        folders: Below which renamed files are recognised; single files too.
        paths: Files to which it is limited, by their names on either side; none for all.

    Raises:
        UserError: git fails.
    """
    sides = [old or repo.objects.empty_tree(), *([new] if new is not None else [])]
    specs = list(folders)
    if paths:
        names = _names(fields(_diff(repo, "--raw", *sides, "--", *folders)))
        found = {one for _, *both in names for one in both if not {*paths}.isdisjoint(both)}
        if not found:
            return []
        specs = sorted(found)
    told = _worded(repo, [*sides, "--", *pathspecs(specs)])
    return [one for one in told if not paths or {one.path, one.old_path} & {*specs}]


def _worded(repo: Repo, arguments: Sequence[str]) -> list[Difference]:
    """What git-diff(1) tells of arguments, word by word."""
    word = os.fsdecode(_WORD)
    output = _diff(
        repo, "--raw", "-p", "--word-diff=porcelain", f"--word-diff-regex={word}", *arguments
    )  # fmt: skip
    if not output:
        return []
    listed, _, patches = output.partition(b"\0\0")
    return list(_parse(listed.rstrip(b"\0") + b"\0", patches))


def of_texts(repo: Repo, pairs: Sequence[tuple[str | None, str | None]]) -> dict[int, Difference]:
    """How texts differ, whatever they are called and whatever .gitattributes says of such names.

    Args:
        repo: The repository.
        pairs: Ids of the older and the newer blob; None where there is none.

    Returns:
        The difference of each pair that differs, by its place among them; what it calls its file is that place.

    Raises:
        UserError: git fails.
    """
    digits = len(repo.objects.empty_tree())
    trees = []
    for side in zip(*pairs, strict=True):
        entries = (b"100644 %09d\0%s" % (place, bytes.fromhex(id_)) for place, id_ in enumerate(side) if id_)
        trees.append(repo.objects.write_tree(Tree(b"".join(entries), digits // 2)))
    return {int(one.path): one for one in _worded(repo, ["--no-renames", *trees])} if trees else {}


def renames(repo: Repo, old: str, new: str, folder: str) -> dict[str, str]:
    """The new paths of the files below a folder that a commit has under another name than an earlier one.

    Raises:
        UserError: git fails.
    """
    found = _names(fields(_diff(repo, "--raw", old, new, "--", folder)))
    return {was: path for status, was, path in found if status == "R"}


def untracked(repo: Repo, specs: Sequence[str]) -> list[str]:
    """The files in the worktree that git neither knows nor ignores, among files and below folders."""
    return fields(repo.git.read("ls-files", "-z", "--others", "--exclude-standard", "--", *specs).stdout)


def _diff(repo: Repo, *arguments: str) -> bytes:
    """What git-diff(1) says, whatever the user has set for it."""
    plain = (
        "-z",
        "--no-abbrev",
        "-M",
        "-l1000",
        "--no-color",
        "--no-ext-diff",
        "--no-textconv",
        "--no-relative",
    )
    return repo.git.read("diff", *plain, "--ignore-submodules=all", *arguments).stdout


def _names(items: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Status, old and new path of each file that `--raw -z` lists."""
    rest = iter(items)
    for item in rest:
        status = item.rpartition(" ")[2][0]
        old = next(rest)
        yield status, old, next(rest) if status == "R" else old


def _parse(listed: bytes, patches: bytes) -> Iterator[Difference]:
    texts = iter(re.split(r"^diff --git .*\n", os.fsdecode(patches), flags=re.MULTILINE)[1:])
    for status, old_path, path in _names(fields(listed)):
        if status == "U":
            yield Difference(status, path, old_path, is_binary=False, hunks=())
            continue
        text = next(texts, "") + (next(texts, "") if status == "T" else "")  # as removed, and as added
        is_binary = re.search(r"^Binary files .* differ$", text, re.MULTILINE) is not None
        yield Difference(status, path, old_path, is_binary, tuple(_hunks(text)))


def _hunks(text: str) -> Iterator[Hunk]:
    for part in re.split(r"^@@ ", text, flags=re.MULTILINE)[1:]:
        place, _, rest = part.partition("\n")
        yield Hunk(place.partition(" @@")[0], tuple(_lines(rest)))


def _lines(text: str) -> Iterator[tuple[Span, ...]]:
    line: list[Span] = []
    for item in text.removesuffix("\n").split("\n"):
        if item == "~":
            yield tuple(line)
            line = []
        elif item[:1] in _KINDS and item[1:]:
            line.append(Span(_KINDS[item[0]], item[1:]))
    if line:
        yield tuple(line)
