"""What a component said before it was taken back, and why: read from git, so that it is not written again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from gitforge.components import MAX_BYTES, split_front_matter
from gitforge.errors import UserError
from gitforge.store.repo import Repo

MAX_REASON = 2000  # characters
_BOILERPLATE = re.compile(
    r"This reverts commit [0-9a-f]{7,64}(?:,\s+reversing\s+changes made to [0-9a-f]{7,64})?\.?"
)
_TRAILER = re.compile(r"[A-Za-z][A-Za-z0-9-]*: .*")


@dataclass(frozen=True)
class Earlier:
    """A text that a component had before a commit took it away.

    Attributes:
        text: It, without front matter.
        reason: What the commit's message says about it; its subject where it says no more.
        commit: Id of that commit.
    """

    text: str
    reason: str
    commit: str


def earlier_texts(repo: Repo, paths: Sequence[str], count: int = 2) -> dict[str, list[Earlier]]:
    """The texts that commits have taken away from paths, the newest first.

    By a deletion, or by a revert that brought back what was there before. A text that HEAD has again is not taken
    away; unreadable ones are left out.

    Args:
        repo: The repository.
        paths: The components, from the repository's root.
        count: How many are wanted of each, at most.

    Raises:
        UserError: git cannot read its history.
    """
    found: dict[str, list[Earlier]] = {}
    taken = repo.log.removals(paths)
    now = {path: entry.id for path, entry in repo.entries([*taken]).items()} if taken else {}
    for path, removals in taken.items():
        for removal in [one for one in removals if one.blob != now.get(path)][:count]:
            try:
                content = repo.objects.read_blob(removal.blob)
                text = content.decode("utf-8")
            except (UserError, UnicodeDecodeError):  # a shallow or partial clone; or no text
                continue
            if len(content) <= MAX_BYTES:
                earlier = Earlier(split_front_matter(text)[1], reason(removal.message), removal.commit)
                found.setdefault(path, []).append(earlier)
    return found


def reason(message: str) -> str:
    """Why a commit took something away: its message without git's own words and without trailers."""
    subject, _, body = message.partition("\n")
    paragraphs = re.split(r"\n\s*\n", _BOILERPLATE.sub("", body).strip())
    if paragraphs and all(_TRAILER.fullmatch(line) for line in paragraphs[-1].strip().split("\n")):
        paragraphs.pop()
    said = "\n\n".join(part.strip() for part in paragraphs if part.strip())
    is_plain = not subject.startswith(("Revert ", 'Reapply "'))
    whole = f"{subject}\n\n{said}" if said and is_plain else said or subject
    return whole[:MAX_REASON].strip()
