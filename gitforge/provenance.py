"""Where a component's text comes from: which model, asked what, for what purpose, accepted by whom.

All of it is read from git: the trailers of the commit that generated it, and the prompt that the commit names.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gitforge.components import split_front_matter
from gitforge.errors import UserError
from gitforge.llm import OUTLINE_LABEL
from gitforge.store.prompts import read_prompt
from gitforge.store.records import Generation
from gitforge.store.repo import Repo

_MODEL = "gitforge:"


@dataclass(frozen=True)
class Provenance:
    """What git knows about a component.

    Attributes:
        generation: The commit that generated the text; None where a person wrote it.
        trailers: Those of the commit that are about this component, by name.
        purpose: What it was generated for; empty where the commit does not say.
        later: The commits that changed it since, newest first; without a generation all of them.
        messages: What the model was sent, each with role and content; None where this clone has not got it.
    """

    generation: Generation | None
    trailers: Mapping[str, str]
    purpose: str
    later: tuple[Generation, ...]
    messages: Sequence[Mapping[str, str]] | None

    @property
    def model(self) -> str | None:
        """Who wrote it, where a language model did."""
        label = self.trailers.get("Assisted-by", "").removeprefix(_MODEL)
        return label if label and label != OUTLINE_LABEL else None

    @property
    def is_outline(self) -> bool:
        """Whether it started as the offline outline."""
        return self.trailers.get("Assisted-by", "") == _MODEL + OUTLINE_LABEL


def provenance(repo: Repo, path: str) -> Provenance:
    """Looks back to the newest generation of a component.

    Args:
        repo: The repository.
        path: The component, from the repository's root.

    Raises:
        UserError: git fails, or the prompt that is kept is not the one that the commit names.
    """
    later: list[Generation] = []
    for commit in repo.log.commits_of(path):
        trailers = about(path, commit.trailer_lines)
        if "Assisted-by" in trailers:
            prompt = read_prompt(repo, trailers.get("Prompt-Id", ""))
            messages = json.loads(prompt) if prompt is not None else None
            is_alone = sum(name == "Component" for name, _ in commit.trailer_lines) == 1
            purpose = repo.log.purpose_of(commit.commit) if is_alone else ""
            return Provenance(commit, trailers, purpose, tuple(later), messages)
        later.append(commit)
    return Provenance(None, {}, "", tuple(later), None)


def about(path: str, trailers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The trailers that are about one component; empty where the commit did not generate it.

    A commit may generate several: what follows a `Component`, up to the next one, is about that; what comes
    before the first is about the commit.

    Args:
        path: The component, from the repository's root.
        trailers: All of the commit's, in order.
    """
    common: dict[str, str] = {}
    found: dict[str, str] = {}
    current: str | None = None
    for name, value in trailers:
        if name == "Component":
            current = value
        if current is None or name == "Reviewed-by":
            common[name] = value
        elif current == path:
            found[name] = value
    return {**common, **found} if found else {}


def generated_text(repo: Repo, path: str, found: Provenance) -> str | None:
    """What a model wrote before people changed it, without front matter; None where that is not known.

    Args:
        repo: The repository.
        path: The component, from the repository's root.
        found: Where its text comes from.
    """
    if found.generation is None or found.model is None:
        return None
    said = [f"{id_}^{{blob}}" for name in ("Draft", "Blob") if (id_ := found.trailers.get(name))]
    for name in (*said, f"{found.generation.commit}:{path}"):
        blob = repo.object_of(name)
        if blob is None:
            continue
        try:
            return split_front_matter(repo.objects.read_blob(blob).decode())[1]
        except (UserError, UnicodeDecodeError):
            continue
    return None
