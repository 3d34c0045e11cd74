"""Where a component comes from, and what to be told of it before a model reads it."""

from __future__ import annotations

from collections.abc import Sequence

from gitforge import payloads, plain_data
from gitforge.build import Forge
from gitforge.goals import Need
from gitforge.libraries import adopted_here
from gitforge.plan import Planned
from gitforge.provenance import provenance
from gitforge.serving.records import Data
from gitforge.store import origins
from gitforge.unreviewed import need_review


def origin_of(forge: Forge, need: Need, *, with_messages: bool = False) -> Data | None:
    """Where a component's text comes from; None for one of another library, whose history is not here.

    Args:
        forge: Where.
        need: The component.
        with_messages: Whether to give the exact prompt that a model was sent for it, too.
    """
    if need.pin is not None:
        return None
    path = forge.repo.relative(forge.workspace.library.path(need))
    known = plain_data.provenance(provenance(forge.repo, path))
    return known if with_messages else {**known, "messages": None}


def adopted_from(forge: Forge) -> dict[str, str]:
    """What own components were adopted from, by path from the repository's root: `acme:personas/x.md@<commit>`."""
    return {path: str(one.origin) for path, one in adopted_here(forge.repo, forge.book).items()}


def not_reviewed(forge: Forge, planned: Sequence[Planned]) -> list[str]:
    """The generated components whose text nobody has reviewed, by path; of a shallow clone none."""
    if forge.repo.is_shallow():
        return []
    texts = {one.path: one.blob for one in planned if one.blob is not None and one.need.pin is None}
    return need_review(forge.repo, texts, origins.read(forge.repo))


def suspicious(forge: Forge, planned: Sequence[Planned]) -> list[str]:
    """What in components of other libraries may be meant to mislead a model, each place with what it does."""
    found = []
    for one in planned:
        text = forge.workspace.library.text(one.need) if one.need.pin is not None and one.blob else None
        found += [f"{one.path}:{each.line} {each.what}" for each in payloads.suspicions(text or "")]
    return found
