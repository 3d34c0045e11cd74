"""Who wrote each line of a toolkit's file: a component, a template, or somebody's hand; at which commit; seen by whom.

The toolkit's manifest says which texts it was made from, so the answer is that of the time when it was built.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from gitforge import manifest, tracing
from gitforge.errors import UserError
from gitforge.goals import MANIFEST, Need
from gitforge.manifest import Manifest, Text
from gitforge.remake import OtherText, read_component, read_text, refuse_old, sha256_of
from gitforge.store import lines, origins, past, texts
from gitforge.store.lines import LineOrigin, Question
from gitforge.store.messages import parse
from gitforge.text import printable
from gitforge.tracing import Source, alike, lines_of
from gitforge.unreviewed import need_review
from gitforge.workspace import Workspace

if TYPE_CHECKING:
    from gitforge.store.origins import Origins
    from gitforge.store.repo import Repo

YOU = "you (not committed)"
UNKNOWN = "unknown"
GONE = "no commit has it any more"
Kind = Literal["component", "template", "hand", "unknown"]


@dataclass(frozen=True)
class BlamedLine:
    """A line of a toolkit's file.

    Attributes:
        number: From 1.
        text: Without its line break.
        source: Whether it comes from a component, a template, or was written into the file by hand; or that nobody can
            tell.
        path: The component or template, from the repository's root; `acme:personas/x.md` of another library; None
            for a template of gitforge's own.
        source_line: Its number there, where it can be told.
        commit: Id of the commit that wrote it; None where no commit has it.
        is_boundary: Whether the history is cut at that commit.
        author: Who made that commit, as `Name <email>`; else you, gitforge, or why nobody can tell.
        date: When it was written; None where no commit has it.
        subject: The first line of that commit's message.
        model: The language model that wrote it, or "offline outline"; None where people did.
        reviewers: Who has reviewed the component's text as the toolkit has it.
        needs_review: Whether it was generated, or comes from what was, and nobody has reviewed it so.
        library: The other library that it is of, of which `commit` then is one: the pin, where its history is not here.
    """

    number: int
    text: str
    source: Kind
    path: str | None = None
    source_line: int | None = None
    commit: str | None = None
    is_boundary: bool = False
    author: str = YOU
    date: datetime | None = None
    subject: str = ""
    model: str | None = None
    reviewers: tuple[str, ...] = ()
    needs_review: bool = False
    library: str | None = None


@dataclass(frozen=True)
class _Used:
    """A text of the toolkit.

    Attributes:
        text: Its manifest's entry.
        skipped: The number of lines in front of what is assembled.
        is_component: Whether it is one; else it is a template.
        is_edit: Whether no commit had it when the toolkit was built.
        need: The component, of another library; else None.
    """

    text: Text
    skipped: int
    is_component: bool
    is_edit: bool
    need: Need | None = None


def blame(workspace: Workspace, repo: Repo, path: Path) -> list[BlamedLine]:
    """Each line of a file of a toolkit, and where it comes from.

    Args:
        workspace: Where.
        repo: The repository around it.
        path: The file.

    Raises:
        UserError: It is no file of a toolkit, or what the toolkit was made from cannot be told any more.
    """
    folder, name = _located(workspace, path)
    where = f"output/{folder.name}/{MANIFEST}"
    known = manifest.load(folder / MANIFEST, where)
    refuse_old(known, where)
    if name not in known.outputs:
        raise UserError(
            f"output/{folder.name}/{printable(name)}: is not made by gitforge",
            hint=f"The files of this toolkit are {', '.join(known.outputs)}.",
        )
    try:
        content = path.read_bytes().decode("utf-8", "replace")
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from error
    on_disk = lines_of(content)
    assembled, sources = _traced(repo, known, name, where, content)
    used = _used(repo, known, where)
    # Beside the lines by hand, so that git is asked for what shows alone.
    is_windows = "\r\n" in content and "\r\n" not in assembled
    pairs = list(
        _paired(lines_of(assembled), lines_of(content.replace("\r\n", "\n")) if is_windows else on_disk)
    )
    shown = {key: used[key] for place in pairs if place is not None and (key := _key(sources[place])) in used}
    said = _Said(repo, shown)
    hand = _by_hand(repo, path) if None in pairs else []
    found = []
    for number, (place, text) in enumerate(zip(pairs, on_disk, strict=True), start=1):
        line = BlamedLine(number, text.rstrip("\n").removesuffix("\r"), "hand")
        if place is None:
            origin = hand[number - 1] if number <= len(hand) else None
            found.append(line if origin is None else _dated(line, origin))
        else:
            found.append(said.of(line, sources[place], _key(sources[place])))
    return found


_Key = int | str
"""The number of a component, or the name of a template."""


def _key(source: Source) -> _Key:
    return source.component if source.component is not None else source.template or ""


def _located(workspace: Workspace, path: Path) -> tuple[Path, str]:
    """The toolkit's folder and the file's name in it."""
    real = path.parent.resolve() / path.name
    output = workspace.output.resolve()
    if real.parent.parent != output or not real.name:
        raise UserError(
            f"{path}: is not a file of a toolkit",
            hint="Name a file in output/PROJECT/; for a component, `git blame` tells it.",
        )
    if not real.is_file():
        raise UserError(f"{path}: there is no such file", hint="`gitforge build` makes it again.")
    return workspace.output / real.parent.name, real.name


def _traced(repo: Repo, known: Manifest, name: str, where: str, content: str) -> tuple[str, list[Source]]:
    """The file as it was assembled, verified, and the source of each of its lines."""
    components = [read_component(repo, part, where, {name: content}) for part in known.parts]
    templates = {one: read_text(repo, text, where) for one, text in known.templates.items()}
    text, sources = tracing.trace(known.project, known.goal, components, known.book, templates, name)
    if sha256_of(text) != known.hashes[name]:
        raise OtherText(
            f"{where}: what it says gives another text than was assembled: {name}",
            hint="The manifest was changed, or another version of gitforge lays it out differently.",
        )
    return text, sources


def _used(repo: Repo, known: Manifest, where: str) -> dict[_Key, _Used]:
    """The texts that the toolkit's lines come from; gitforge's own templates are no files of the repository."""
    found: dict[_Key, _Used] = {}
    for number, part in enumerate(known.parts):
        if part.text.used is not None:
            whole = read_text(repo, part.text, where)
            body = read_component(repo, part, where).body or ""
            skipped = whole.removesuffix(body).count("\n")
            is_edit = part.is_uncommitted or part.commit is None
            need = part.need if part.need.pin is not None else None
            found[number] = _Used(part.text, skipped, is_component=True, is_edit=is_edit, need=need)
    for name, text in known.templates.items():
        if text.path is not None:
            is_edit = texts.is_kept(repo, text.used or "")
            found[name] = _Used(text, 0, is_component=False, is_edit=is_edit)
    return found


def _paired(assembled: Sequence[str], on_disk: Sequence[str]) -> Iterator[int | None]:
    """For each line on disk the line that was assembled, from 0; None for one that was written by hand."""
    if list(assembled) == list(on_disk):
        yield from range(len(on_disk))
        return
    places = {here: there for there, here in alike(assembled, on_disk)}
    for number in range(len(on_disk)):
        yield places.get(number)


def _by_hand(repo: Repo, path: Path) -> list[LineOrigin]:
    """The origin of a toolkit's lines, where the toolkit itself is in git."""
    name = repo.relative(path)
    head = repo.head().commit
    if head is None or name not in repo.entries([name]):
        return []
    return lines.blame(repo, [Question(name, head, path.read_bytes())])[0]


def _dated(line: BlamedLine, origin: LineOrigin) -> BlamedLine:
    if origin.commit is None:
        return line
    return replace(
        line,
        commit=origin.commit,
        is_boundary=origin.is_boundary,
        author=origin.author,
        date=origin.date,
        subject=origin.subject,
    )


class _Said:
    """What git says of the lines of a toolkit's texts."""

    def __init__(self, repo: Repo, used: Mapping[_Key, _Used]) -> None:
        self._used = used
        self._origins: Origins = origins.read(repo)
        texts = {
            path: blob
            for one in used.values()
            if one.is_component
            and one.need is None
            and (path := one.text.path) is not None
            and (blob := one.text.blob) is not None
        }
        self._waiting = set(need_review(repo, texts, self._origins))
        asked = {
            key: (_question if one.need is None else _question_elsewhere)(repo, one)
            for key, one in used.items()
        }
        questions = {key: question for key, question in asked.items() if question is not None}
        answers = lines.blame(repo, list(questions.values()))
        self._lines: dict[_Key, list[LineOrigin]] = dict(zip(questions, answers, strict=True))
        places = dict.fromkeys(
            (line.commit, line.path) for found in answers for line in found if line.commit is not None
        )
        self._writers = dict(_writers(repo, self._origins, list(places)))

    def of(self, line: BlamedLine, source: Source, key: _Key) -> BlamedLine:
        """A line with its origin."""
        if source.component is None and source.template is None:
            return replace(line, source="unknown", author=UNKNOWN)
        used = self._used.get(key)
        if used is None:  # gitforge's own template
            return replace(line, source="template", source_line=source.line, author="gitforge")
        number = None if source.line is None else source.line + used.skipped
        kind: Kind = "component" if used.is_component else "template"
        line = replace(line, source=kind, path=used.text.path, source_line=number)
        if used.is_component and used.text.blob is not None:
            line = replace(
                line,
                reviewers=self._origins.reviewers_of(used.text.blob),
                needs_review=used.text.path in self._waiting,
            )
        if used.need is not None and used.need.pin is not None:
            pin = used.need.pin
            line = replace(line, library=pin.name, commit=pin.commit, author=pin.name)
        found = self._lines.get(key, [])
        if number is None and len({one.commit for one in found}) == 1:
            number = 1  # as every other line
        elif number is None and found:
            return replace(line, author=UNKNOWN)
        if not used.is_edit and used.need is None:
            line = replace(line, author=GONE)
        if number is None or number > len(found):
            return line
        origin = found[number - 1]
        writer = self._writers.get((origin.commit, origin.path)) if origin.commit is not None else None
        is_models = writer is not None and (writer.lines is None or origin.line in writer.lines)
        return replace(_dated(line, origin), model=writer.model if writer and is_models else None)


@dataclass(frozen=True)
class _Writer:
    """The model that wrote a text, and the numbers of the lines that are still as it wrote them; None for all."""

    model: str | None
    lines: frozenset[int] | None = None


def _writers(
    repo: Repo, known: Origins, places: Sequence[tuple[str, str]]
) -> Iterator[tuple[tuple[str, str], _Writer]]:
    """The model that wrote the text which a commit has at a path; what people changed in it is theirs."""
    blobs = lines.blobs_at(repo, places)
    unsaid = []
    for place in places:
        statement = known.generation_of(blobs.get(place, ""))
        if statement is not None:
            lines_ = _lines_of_draft(repo, blobs[place], statement.group.draft)
            yield place, _Writer(statement.group.writer, lines_)
        else:
            unsaid.append(place)
    # Older commits name the component but not its blob.
    commits = lines.read_commits(repo, list(dict.fromkeys(commit for commit, _ in unsaid)))
    for commit, path in unsaid:
        group = parse(commits[commit].message).about(path) if commit in commits else None
        if group is not None and group.blob is None:
            yield (commit, path), _Writer(group.writer)


def _lines_of_draft(repo: Repo, blob: str, draft: str | None) -> frozenset[int] | None:
    """Which lines of a text are as its draft had them, before somebody changed it; None where all are, or may be."""
    if draft is None or repo.object_of(f"{draft}^{{blob}}") is None:
        return None
    before, after = (
        lines_of(repo.objects.read_blob(id_).decode("utf-8", "replace")) for id_ in (draft, blob)
    )
    return frozenset(here + 1 for _, here in alike(before, after))


def _question_elsewhere(repo: Repo, used: _Used) -> Question | None:
    """What to ask about a text of another library, whose history is here where it is fetched."""
    need, blob = used.need, used.text.blob
    if need is None or need.pin is None or blob is None:
        return None
    path = past.path_of_blob(repo, need.pin.commit, blob, need.name)
    return Question(path, need.pin.commit) if path is not None else None


def _question(repo: Repo, used: _Used) -> Question | None:
    """What to ask git about a text: as of a commit that has it so; None where no commit has its file."""
    text, head = used.text, repo.head().commit
    path = text.path
    if path is None or text.blob is None or head is None:
        return None
    here = repo.objects.entries(head, [path]).get(path)
    if here is not None and here.id == text.blob:
        return Question(path, head)
    with closing(repo.log.follow([path])) as changes:
        for change in changes:
            if change.new_blob == text.blob:
                return Question(change.path, change.commit.id)
    moved = None if used.is_edit else past.place_of_blob(repo, text.blob)
    if moved is not None:
        return Question(*moved)
    if here is None:
        return None
    return Question(path, head, repo.objects.read_blob(text.used or text.blob))
