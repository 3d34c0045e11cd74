"""Which commit each line of a file comes from, as git-blame(1) tells it, of several files at once."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from gitforge.store.dates import from_seconds
from gitforge.store.process import Running, succeed
from gitforge.store.records import COMMIT_LAYOUT, Commit, parse_commit
from gitforge.store.repo import Repo

_AT_ONCE = 2


@dataclass(frozen=True)
class Question:
    """A file whose lines are asked about.

    Attributes:
        path: From the repository's root.
        rev: The id of the commit as of which they are.
        content: The lines, where they are not those of that commit, which then has to be HEAD.
    """

    path: str
    rev: str
    content: bytes | None = None


@dataclass(frozen=True)
class LineOrigin:
    """Where one line comes from.

    Attributes:
        commit: Id of the commit that wrote it; None where no commit has it.
        path: What that commit calls the file.
        line: The line's number there, from 1.
        author: `Name <email>`.
        date: When it was written, with its time zone.
        subject: The first line of the commit's message.
        is_boundary: Whether the history is cut at that commit, so that an older one may have written it.
    """

    commit: str | None
    path: str
    line: int
    author: str
    date: datetime
    subject: str
    is_boundary: bool = False


def blame(repo: Repo, questions: Sequence[Question]) -> list[list[LineOrigin]]:
    """For each file the origin of each of its lines; two files are looked at side by side.

    Raises:
        UserError: A commit has no such file, or git fails.
    """
    cut = repo.cut_at()
    answers: list[list[LineOrigin]] = []
    with tempfile.TemporaryDirectory(prefix="gitforge-blame-") as folder:
        for start in range(0, len(questions), _AT_ONCE):
            with ExitStack() as running:
                pair = questions[start : start + _AT_ONCE]
                asked = [running.enter_context(_ask(repo, one, Path(folder))) for one in pair]
                answers += [list(_parsed(succeed(one.finish()), cut)) for one in asked]
    return answers


def read_commits(repo: Repo, ids: Sequence[str]) -> dict[str, Commit]:
    """Header and message of commits, by id."""
    if not ids:
        return {}
    layout = (f"--format=tformat:{COMMIT_LAYOUT}", "--no-show-signature", "--encoding=UTF-8")
    plain = ("--no-walk=unsorted", "--no-color", "--no-notes", "--no-patch", "--stdin")
    listed = "".join(f"{id_}\n" for id_ in ids).encode()
    done = repo.git.read("log", "-z", *layout, *plain, stdin=listed)
    commits = (parse_commit(item) for item in os.fsdecode(done.stdout).split("\0") if item)
    return {commit.id: commit for commit in commits}


def blobs_at(repo: Repo, places: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """The blob that each commit has at a path; those that are not there are left out."""
    asked = [place for place in places if "\n" not in place[1]]
    if not asked:
        return {}
    listed = b"".join(os.fsencode(f"{commit}:{path}\n") for commit, path in asked)
    lines = repo.git.read("cat-file", "--batch-check", stdin=listed).stdout.splitlines()
    found = (line.decode(errors="replace").split(" ") for line in lines)
    return {place: words[0] for place, words in zip(asked, found, strict=True) if words[1:2] == ["blob"]}


def _ask(repo: Repo, question: Question, folder: Path) -> Running:
    contents: tuple[str, ...] = ()
    rev: tuple[str, ...] = (question.rev,)
    if question.content is not None:
        file = folder / str(len(list(folder.iterdir())))
        file.write_bytes(question.content)
        contents, rev = ("--contents", str(file)), ()  # git 2.39 takes no commit beside it
    options = ("--porcelain", "--root", "--encoding=UTF-8", *contents)
    return repo.git.start("blame", *options, *rev, "--", question.path)


def _parsed(output: bytes, cut: frozenset[str]) -> Iterator[LineOrigin]:
    """The lines of `git blame --porcelain`, which tells of each commit once."""
    known: dict[str, LineOrigin] = {}
    header: dict[str, str] = {}
    id_, line = "", 0
    for raw in output.split(b"\n"):
        if raw.startswith(b"\t"):
            known[id_] = origin = _origin(id_, line, header, known.get(id_), cut)
            yield origin
            id_, header = "", {}
        elif not id_ and raw:
            id_, number, *_ = raw.decode("ascii", "replace").split(" ")
            line = int(number)
        elif id_:
            name, _, value = raw.decode("utf-8", "surrogateescape").partition(" ")
            header[name] = value


def _origin(
    id_: str, line: int, header: dict[str, str], before: LineOrigin | None, cut: frozenset[str]
) -> LineOrigin:
    if before is not None:
        return replace(before, line=line, path=header.get("filename", before.path))
    return LineOrigin(
        id_ if id_.strip("0") else None,
        header["filename"],
        line,
        f"{header['author']} {header['author-mail']}",
        from_seconds(header["author-time"], header["author-tz"]),
        header["summary"],
        id_ in cut or "boundary" in header,
    )
