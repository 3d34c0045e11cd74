"""The review of what was recorded unseen: what there is to look at, and what becomes of it.

Each decision is one commit. An approval is an empty commit that names the exact text, so that it travels with the
branch and holds for that text alone, wherever it turns up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

from gitforge import commits
from gitforge.build import Forge
from gitforge.errors import UserError
from gitforge.goals import Need
from gitforge.store.edits import exchange
from gitforge.store.messages import parse
from gitforge.store.origins import Origins
from gitforge.store.records import FileChange
from gitforge.store.repo import Repo
from gitforge.store.transaction import Recorded, record
from gitforge.unreviewed import committed_texts, need_review, refuse_cut_history


@dataclass(frozen=True)
class Waiting:
    """A generated component that nobody has reviewed as the last commit has it.

    Attributes:
        need: The component.
        path: From the repository's root.
        blob: Id of the text.
        since: When the text was generated; where people changed it since, when the newest text before was, which is
            known without reading the history.
        writer: Who generated it, in a word: a model or the offline outline; None where that is not known.
        is_edited: Whether people changed the text since.
    """

    need: Need
    path: str
    blob: str
    since: datetime
    writer: str | None
    is_edited: bool

    @property
    def named(self) -> str:
        """What a commit's subject calls it: `protocol code_review_pass`."""
        return f"{self.need.kind.name} {PurePosixPath(self.need.name).stem}"

    @property
    def written_by(self) -> str:
        """Who generated it, and whether people changed it since, in words."""
        writer = self.writer or "generated"
        return f"{writer}, edited since" if self.is_edited else writer


@dataclass(frozen=True)
class Material:
    """What a reviewer needs to know of a text.

    Attributes:
        text: The text.
        reviewed: The newest text before it that needs no review; None where there is none.
        changes: The commits that led from that one to this, newest first; at least one.
        purpose: What it was generated for; empty where no commit says so.
        goal: The goal that it was generated for, if any.
    """

    text: str
    reviewed: str | None
    changes: tuple[FileChange, ...]
    purpose: str
    goal: str | None


def waiting(forge: Forge, known: Origins, needs: Sequence[Need] | None = None) -> list[Waiting]:
    """What there is to review, the newest first.

    Args:
        forge: Where.
        known: What the history says.
        needs: The components to look at; None: all.

    Raises:
        NotReviewed: The history is cut, so nobody can tell.
        UserError: git fails.
    """
    repo, library = forge.repo, forge.workspace.library
    refuse_cut_history(repo)
    texts = committed_texts(forge.workspace, repo, forge.book, known)
    if needs is not None:
        wanted = {repo.relative(library.folder / need.path) for need in needs}
        texts = {path: blob for path, blob in texts.items() if path in wanted}
    open_ = need_review(repo, texts, known)
    unsaid = [path for path in open_ if known.generation_of(texts[path]) is None and path not in known.paths]
    changed = repo.log.generation_of(unsaid) if unsaid else {}
    used, top = forge.book.needs(), repo.relative(library.folder) + "/"
    found = []
    for path in open_:
        need = _need(forge, used, path.removeprefix(top))
        exact = known.generation_of(texts[path])
        if exact is not None:
            found.append(Waiting(need, path, texts[path], exact.date, exact.group.writer, is_edited=False))
        else:
            earlier = known.generation_at(path)
            since = earlier.date if earlier is not None else changed[path].date
            writer = earlier.group.writer if earlier is not None else None
            found.append(Waiting(need, path, texts[path], since, writer, is_edited=True))
    return sorted(found, key=lambda one: (one.since, one.path), reverse=True)


def _need(forge: Forge, used: Mapping[str, Need], below: str) -> Need:
    """The component at a path below `library/`; `used` by goals, by that path."""
    if (need := used.get(below)) is not None:
        return need
    folder, _, name = below.rpartition("/")
    return Need(next(kind for kind in forge.book.kinds.values() if kind.folder == folder), name)


def material(repo: Repo, known: Origins, one: Waiting) -> Material:
    """Reads back to the last text that needs no review.

    Args:
        repo: The repository.
        known: What the history says.
        one: What is reviewed.

    Raises:
        UserError: git fails, or the text is no UTF-8.
    """
    changes: list[FileChange] = []
    base: str | None = None
    left: set[str] = (
        set()
    )  # the generations that are still to come, without which the text before is people's own
    with closing(repo.log.follow([one.path])) as followed:
        for change in followed:
            changes.append(change)
            for name in {change.path, change.old_path}:
                left |= {said.commit for said in known.generations_at(name)}
            left -= {passed.commit.id for passed in changes}
            base = change.old_blob
            if base is None or not left or known.is_reviewed(base):
                break
    said = known.generation_of(one.blob)
    for change in changes:
        said = said or known.generation_of(change.old_blob or "") or known.generation_at(change.old_path)
    return Material(
        text=_text(repo, one.path, one.blob),
        reviewed=_text(repo, one.path, base) if base is not None else None,
        changes=tuple(changes),
        purpose=said.purpose if said is not None else "",
        goal=said.group.trailers.get("Goal") if said is not None else None,
    )


def _text(repo: Repo, path: str, blob: str) -> str:
    try:
        return repo.objects.read_blob(blob).decode()
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path}: is not UTF-8 in the last commit", hint="Correct it and commit that."
        ) from error


def approve(repo: Repo, these: Sequence[Waiting]) -> Recorded:
    """Records, as one empty commit, that the user has seen these texts and accepts them.

    Raises:
        UserError: git refuses.
    """
    reviewer = _named_reviewer(repo)
    named = these[0].named if len(these) == 1 else f"{len(these)} components"
    texts = [commits.Text(one.path, one.blob) for one in these]
    return record(repo, (), commits.approval(named, texts, reviewer))


def _named_reviewer(repo: Repo) -> str:
    """Who reviews, as `Name <email>`.

    Raises:
        UserError: Nobody has said who they are.
    """
    who = repo.identity()
    if who.is_fallback:
        raise UserError(
            "git does not know who you are, and a review names who has made it",
            hint='Say it once: `git config --global user.name "Your Name"`, and `user.email` likewise.',
        )
    return str(who)


def edit(repo: Repo, one: Waiting, seen: str, text: str) -> Recorded:
    """Records the user's own version of a text, which they have thereby reviewed, as one commit.

    Args:
        repo: The repository.
        one: What is reviewed.
        seen: The text as they saw it.
        text: The text as they want it.

    Raises:
        Conflict: The component is not as they saw it, in the last commit, the index or the working tree.
        UserError: git refuses.
    """
    reviewer = _named_reviewer(repo)

    def message(blobs: Mapping[str, str]) -> str:
        return commits.edit(one.named, commits.Text(one.path, blobs[one.path]), reviewer)

    new = text.replace("\n", "\r\n") if "\r\n" in seen else text
    return record(repo, [exchange(one.path, seen.encode(), new.encode())], message)


def take_back(repo: Repo, one: Waiting, found: Material, why: str) -> Recorded:
    """Goes back to the last text that needs no review, or to none, as one commit that gives the reason.

    Raises:
        Conflict: The component is not as they saw it.
        UserError: git refuses.
    """
    newest = found.changes[0].commit

    def message(blobs: Mapping[str, str]) -> str:
        subject = parse(newest.message).subject
        return commits.taken_back(newest.id, subject, why, [commits.Text(one.path, blobs.get(one.path))])

    base = found.reviewed.encode() if found.reviewed is not None else None
    return record(repo, [exchange(one.path, found.text.encode(), base)], message)
