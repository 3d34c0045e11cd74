"""Where a component's text comes from: which model, asked what, for what purpose, accepted by whom.

All of it is read from git: what the commit that generated the text says of exactly that text, and the prompt that it
names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from gitforge.components import split_front_matter
from gitforge.errors import UserError
from gitforge.store import origins
from gitforge.store.messages import Group, parse
from gitforge.store.origins import Origins
from gitforge.store.prompts import read_prompt
from gitforge.store.records import Commit, FileChange, Generation
from gitforge.store.repo import Repo


@dataclass(frozen=True)
class Provenance:
    """What git knows about a component.

    Attributes:
        generation: The commit that generated the text, or an earlier one of the same component; None where people
            wrote it.
        trailers: Those of the commit that are about this component, by name.
        purpose: What it was generated for; empty where the commit does not say.
        later: The commits that changed it since, newest first; without a generation all of them.
        messages: What the model was sent, each with role and content; None where this clone has not got it.
        is_amended: The commit holds another text than the one that it says was generated.
        reviewers: Who has reviewed the text as it is in the last commit.
    """

    generation: Generation | None
    trailers: Mapping[str, str]
    purpose: str
    later: tuple[Generation, ...]
    messages: Sequence[Mapping[str, str]] | None
    is_amended: bool = False
    reviewers: tuple[str, ...] = field(default=())

    @property
    def model(self) -> str | None:
        """Who wrote it, where a language model did."""
        return self._group.model

    @property
    def is_outline(self) -> bool:
        """Whether it started as the offline outline."""
        return self._group.is_outline

    @property
    def is_edited(self) -> bool:
        """Whether the text is not the one that was generated."""
        return self.is_amended or bool(self.later)

    @property
    def _group(self) -> Group:
        return Group(self.trailers.get("Component", ""), self.trailers)


def provenance(repo: Repo, path: str, rev: str = "HEAD") -> Provenance:
    """Finds the generation of a component's text; where it was edited, looks back to the newest one.

    Args:
        repo: The repository.
        path: The component, from the repository's root.
        rev: As it is in which commit: `HEAD`, or an id.

    Raises:
        UserError: git fails, or the prompt that is kept is not the one that the commit names.
    """
    known = origins.read(repo, rev)
    commit = repo.head().commit if rev == "HEAD" else rev
    entry = repo.objects.entries(commit, [path]).get(path) if commit is not None else None
    reviewers = known.reviewers_of(entry.id) if entry is not None else ()
    said = known.generation_of(entry.id) if entry is not None else None
    if said is not None:  # exactly this text, whatever happened in between
        made = Generation(said.commit, said.subject, said.author, said.date, ())
        trailers = said.group.trailers
        return Provenance(made, trailers, said.purpose, (), _messages(repo, trailers), reviewers=reviewers)
    later: list[Generation] = []
    with closing(repo.log.follow([path], rev)) as changes:
        for change in changes:
            message = parse(change.commit.message)
            group = generation(change, message.groups)
            if group is None:
                later.append(_plain(change.commit))
                continue
            purpose = " ".join(message.body.split()) if len(message.groups) == 1 else ""
            is_amended = group.blob not in {None, change.new_blob}
            sent = _messages(repo, group.trailers)
            made = _plain(change.commit)
            return Provenance(
                made, group.trailers, purpose, tuple(later), sent, is_amended=is_amended, reviewers=reviewers
            )
    return Provenance(None, {}, "", tuple(later), None, reviewers=reviewers)


def generation(change: FileChange, groups: Sequence[Group]) -> Group | None:
    """What a commit says of the generation of the text that it holds; else of another one at that path.

    Several generations of one path are in the message of a squash.
    """
    said = [one for one in groups if one.path == change.path and one.is_generation]
    exact = (one for one in said if one.blob in {None, change.new_blob})
    return next(exact, said[0] if said else None) if change.new_blob is not None else None


def _messages(repo: Repo, trailers: Mapping[str, str]) -> Sequence[Mapping[str, str]] | None:
    prompt = read_prompt(repo, trailers.get("Prompt-Id", ""))
    return json.loads(prompt) if prompt is not None else None


def _plain(commit: Commit) -> Generation:
    return Generation(commit.id, commit.subject, commit.author, commit.date, ())


def generated_text(repo: Repo, path: str, known: Origins) -> str | None:
    """What a model wrote before people changed it into what the last commit has, without front matter.

    Args:
        repo: The repository.
        path: The component, from the repository's root.
        known: What the history says.

    Returns:
        None where no model did, or nobody knows.

    Raises:
        UserError: git fails.
    """
    entry = repo.entries([path]).get(path)
    if entry is None:
        return None
    said = known.generation_of(entry.id)
    if said is not None:
        return _as_written(repo, said.group, said.group.blob or "") if said.group.model else None
    with closing(repo.log.follow([path])) as followed:
        changes = list(followed)
    # What came after the text was there for the first time has been taken back since.
    first = max((at for at, change in enumerate(changes) if change.new_blob == entry.id), default=0)
    for change in changes[first:]:
        group = generation(change, parse(change.commit.message).groups)
        if group is not None:
            return _as_written(repo, group, f"{change.commit.id}:{change.path}") if group.model else None
    return None


def _as_written(repo: Repo, group: Group, recorded: str) -> str | None:
    """The text of a generation as the model wrote it, as far as it is kept."""
    for name in (group.draft, group.blob, recorded):
        blob = repo.object_of(name) if name else None
        if blob is None:
            continue
        try:
            return split_front_matter(repo.objects.read_blob(blob).decode())[1]
        except (UserError, UnicodeDecodeError):
            continue
    return None
