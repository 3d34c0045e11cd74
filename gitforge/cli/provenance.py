"""What `gitforge show --provenance` says."""

from __future__ import annotations

from collections.abc import Sequence

from gitforge.cli import output
from gitforge.provenance import Provenance
from gitforge.store.prompts import REFS
from gitforge.store.records import Generation

_FETCH = f"git fetch origin '{REFS}/*:{REFS}/*'"


def show_provenance(path: str, found: Provenance) -> None:
    """For a person: a table, the commits since, and the prompt."""
    output.result((path, output.BOLD))
    made = found.generation
    if found.is_amended:
        output.result(
            ("It is not the text that was generated: the commit was amended or squashed.", output.WARN)
        )
    elif made is not None and found.is_edited:
        output.result(
            ("It is not the text that was generated any more: see below who changed it.", output.WARN)
        )
    if made is None:
        output.result(_by_hand(found))
    else:
        rows = [
            ("model", found.model or "none: the offline outline"),
            ("purpose", found.purpose or "(the commit does not say)"),
            ("recorded", f"{made.date:%Y-%m-%d %H:%M}  {made.commit[:10]}  {made.subject}"),
            ("author", made.author),
            ("edited by", found.trailers.get("Edited-by", "nobody before it was recorded")),
            ("reviewed by", _reviewers(found)),
            ("goal", found.trailers.get("Goal", "none")),
            ("tokens", found.trailers.get("Tokens", "not counted")),
            ("cost", found.trailers.get("Cost", "not known")),
            ("prompt", _prompt_line(found)),
        ]
        output.table(("", ""), [((first, output.DIM), second) for first, second in rows])
    _show_later(found.later, is_generated=made is not None)
    for message in found.messages or ():
        output.result()
        output.result((f"--- {message['role']} message", output.BOLD))
        output.result(message["content"])


def _by_hand(found: Provenance) -> str:
    if not found.later:
        return "It is in no commit: there is nothing to tell where it came from."
    return "No commit says that it was generated: people wrote it."


def _reviewers(found: Provenance) -> str:
    if found.reviewers:
        return ", ".join(found.reviewers)
    return "nobody, as it is now" if found.is_edited else "nobody: it was accepted unseen"


def _prompt_line(found: Provenance) -> str:
    name = found.trailers.get("Prompt-Id", "")
    if found.messages is not None:
        return f"{name}, as follows"
    if found.is_outline or not name:
        return "none was sent"
    return f"{name}, not in this clone; where origin has it: {_FETCH}"


def _show_later(commits: Sequence[Generation], *, is_generated: bool) -> None:
    if commits:
        output.result()
        output.result(("changed since by" if is_generated else "changed by", output.DIM))
        rows = [(f"  {one.commit[:10]}", f"{one.date:%Y-%m-%d}", one.author, one.subject) for one in commits]
        output.table(("", "", "", ""), rows)
