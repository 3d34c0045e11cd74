"""The messages of the commits that gitforge makes.

What was generated, by whom and for what stands in trailers, because they travel with every clone and every
git tool reads them. Source: git-interpret-trailers(1).
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from gitforge.cost import amount
from gitforge.goals import Goal
from gitforge.store import messages
from gitforge.store.repo import FALLBACK_EMAIL
from gitforge.text import counted, one_line, printable

if TYPE_CHECKING:
    from gitforge.review import Reviewed

Trailer = tuple[str, str]
UNDOES = "Undoes"
LIBRARY = "Library"
IMPORTED = "Imported-from"
IMPORT = "Import "
UNKNOWN = "(known once it is recorded)"
"""What stands for the id of a blob in a message that is only shown."""


def generation(
    path: str,
    reviewed: Reviewed,
    goal: str | None,
    reviewer: str,
    *,
    is_anew: bool = False,
    blob: str = UNKNOWN,
    written: str | None = None,
    replaces: str | None = None,
) -> str:
    """The message of one generation.

    Args:
        path: The component, from the repository's root.
        reviewed: The accepted draft.
        goal: The goal that it was generated for, if any.
        reviewer: The person at the prompt, as `Name <email>`; named only where they saw the draft.
        is_anew: Whether it replaces a text that was there.
        blob: Id of the text that is recorded.
        written: Id of the text as a model wrote it, where the engineer changed it.
        replaces: Id of the text that was there before.
    """
    draft = reviewed.draft
    subject = f"{'Regenerate' if is_anew else 'Generate'} {draft.need.kind.name} {PurePosixPath(draft.need.name).stem}"
    trailers = [("Goal", goal)] if goal else []
    trailers += _provenance(path, reviewed, reviewer, blob, written, replaces)
    return _message(subject, [draft.purpose], trailers)


def new_goal(
    goal: Goal,
    accepted: Iterable[tuple[str, Reviewed]],
    reviewer: str,
    blobs: Mapping[str, str] | None = None,
    written: Mapping[str, str] | None = None,
) -> str:
    """The message of a goal's first commit, with the components that were made for it.

    Args:
        goal: The goal.
        accepted: The accepted drafts, each with its path.
        reviewer: The person at the prompt.
        blobs: Ids of the texts that are recorded, by path.
        written: Ids of the texts as a model wrote them, where the engineer changed them.
    """
    trailers: list[Trailer] = [("Goal", goal.name)]
    for path, reviewed in accepted:
        blob = (blobs or {}).get(path, UNKNOWN)
        trailers += _provenance(path, reviewed, reviewer, blob, (written or {}).get(path))
    return _message(f"Add goal {goal.name}", [goal.description], trailers)


@dataclass(frozen=True)
class Text:
    """A component as a commit leaves it.

    Attributes:
        path: From the repository's root.
        blob: Id of its text; None where it is gone.
    """

    path: str
    blob: str | None


def approval(named: str, texts: Sequence[Text], reviewer: str) -> str:
    """The message of an empty commit that says who has seen texts and accepts them.

    Args:
        named: What is approved, in words: `protocol drill_down`, or `3 components`.
        texts: The texts.
        reviewer: As `Name <email>`.
    """
    return _message(f"Approve {named}", [], _said(texts, messages.REVIEWED, reviewer))


def edit(named: str, text: Text, reviewer: str) -> str:
    """The message of a commit with the reviewer's own version of a text, which they have thereby seen.

    Args:
        named: The component in words: `protocol drill_down`.
        text: The component as it is after it.
        reviewer: As `Name <email>`.
    """
    return _message(f"Edit {named}", [], _said([text], messages.REVIEWED, reviewer))


def taken_back(
    commit: str,
    subject: str,
    why: str,
    texts: Sequence[Text],
    *,
    is_undo: bool = False,
    said: Sequence[Text] = (),
    statement: Trailer | None = None,
) -> str:
    """The message of a commit that takes back what another one did; git's own words come first.

    Args:
        commit: Id of the other one.
        subject: Its subject.
        why: The reason; may be empty.
        texts: The components as they are after it.
        is_undo: Whether it is the newest thing that was not undone yet.
        said: Texts of which it says something more.
        statement: What that is: that a review is withdrawn, or holds again.
    """
    trailers: list[Trailer] = [(UNDOES, commit)] if is_undo else []
    trailers += _spoken_of(texts)
    if statement is not None:
        trailers += _said(said, *statement)
    return _message(reverting(subject), [f"This reverts commit {commit}.", why], trailers)


def reverting(subject: str) -> str:
    """The subject of what takes a commit back, as git words it since 2.43: what was reverted is reapplied."""
    inner = subject.removeprefix('Revert "')
    is_revert = inner != subject and subject.endswith('"') and not inner.startswith('Revert "')
    return f'Reapply "{inner}' if is_revert else f'Revert "{subject}"'


def restored(named: str, commit: str, text: Text) -> str:
    """The message of a commit that brings back an older text.

    Args:
        named: The component in words: `protocol drill_down`.
        commit: Id of the commit that has that text.
        text: The component as it is after it.
    """
    return _message(f"Restore {named}", [f"As it was in {commit}."], _spoken_of([text]))


@dataclass(frozen=True)
class Adopted:
    """A component of another library, as a commit takes it over.

    Attributes:
        path: The own component, from the repository's root.
        origin: The other one, with the commit that has it: `acme:personas/auditor.md@<id>`.
        blob: Id of the own text.
    """

    path: str
    origin: str
    blob: str = UNKNOWN


def library_added(name: str, url: str, commit: str) -> str:
    """The message of a commit that names another library in goals.yaml.

    Args:
        name: What it is called here.
        url: Where it comes from.
        commit: Id of its commit that is pinned.
    """
    return _message(f"Add library {name}", [f"From {url}", f"Pinned to {commit}."], [(LIBRARY, name)])


def library_updated(name: str, old: str, new: str, merged: Sequence[Adopted]) -> str:
    """The message of a commit that moves a library's pin.

    Args:
        name: The library.
        old: Id of the commit that was pinned.
        new: Id of the one that is.
        merged: The adopted components that change with it.
    """
    return _message(
        f"Update library {name}", [f"From {old[:12]} to {new}."], [(LIBRARY, name), *_adopted(merged)]
    )


def library_removed(name: str, url: str, commit: str) -> str:
    """The message of a commit that takes a library out of goals.yaml; arguments as in `library_added`."""
    return _message(
        f"Remove library {name}", [f"From {url}", f"It was pinned to {commit}."], [(LIBRARY, name)]
    )


def adoption(named: str, library: str, said: str, adopted: Sequence[Adopted]) -> str:
    """The message of a commit that copies components of another library.

    Args:
        named: What is copied, in words: `persona auditor`, or `3 components`.
        library: Its name.
        said: What it is for, in a line; may be empty.
        adopted: The components.
    """
    return _message(f"Adopt {named} from {library}", [said], _adopted(adopted))


def _adopted(components: Iterable[Adopted]) -> list[Trailer]:
    return [
        trailer
        for one in components
        for trailer in (
            (messages.COMPONENT, one.path),
            (messages.ADOPTED, one.origin),
            (messages.BLOB, one.blob),
        )
    ]


def starter(count: int, origin: str | None) -> str:
    """The message of a workspace's first commit."""
    if origin is not None:
        return _message(
            "Start a gitforge workspace",
            [f"The goals and components of {origin}, and gitforge's templates."],
            [],
        )
    return _message("Start a gitforge workspace", [f"The starter library: {count} files."], [])


def imported(title: str, name: str, components: int, goals: int, origin: str | None) -> str:
    """The message of a commit of what another tool's folder held, of whose texts it says nothing: people wrote them.

    Args:
        title: The other tool's format.
        name: The folder's own name.
        components: How many components came.
        goals: How many goals came.
        origin: Where the folder is from, in words.
    """
    counts = [counted(count, word) for count, word in ((components, "component"), (goals, "goal")) if count]
    subject = f"{IMPORT}{' and '.join(counts)} from {title}"
    return _message(subject, [], [(IMPORTED, origin or f"the folder {name}")])


def _spoken_of(texts: Iterable[Text]) -> list[Trailer]:
    return [trailer for text in texts for trailer in _named(text)]


def _said(texts: Iterable[Text], name: str, reviewer: str) -> list[Trailer]:
    return [trailer for text in texts for trailer in (*_named(text), (name, reviewer))]


def _named(text: Text) -> list[Trailer]:
    return [(messages.COMPONENT, text.path), *([(messages.BLOB, text.blob)] if text.blob else [])]


def _provenance(
    path: str, reviewed: Reviewed, reviewer: str, blob: str, written: str | None, replaces: str | None = None
) -> list[Trailer]:
    draft = reviewed.draft
    trailers = [("Component", path), ("Assisted-by", f"gitforge:{draft.label}")]
    if draft.prompt_id:
        trailers.append(("Prompt-Id", draft.prompt_id))
    if draft.usage is not None:
        trailers.append(("Tokens", f"{draft.usage.input_tokens} in, {draft.usage.output_tokens} out"))
    if draft.cost is not None:
        trailers.append(("Cost", f"about {amount(draft.cost)} (estimate)"))
    if draft.is_edited:
        trailers.append(("Edited-by", reviewer))
    if written is not None:
        trailers.append((messages.DRAFT, written))
    if replaces is not None:
        trailers.append((messages.REPLACES, replaces))
    trailers.append((messages.BLOB, blob))
    if reviewed.is_seen and not reviewer.endswith(f"<{FALLBACK_EMAIL}>"):  # that would be nobody
        trailers.append((messages.REVIEWED, reviewer))
    return trailers


def _message(subject: str, body: Sequence[str], trailers: Sequence[Trailer]) -> str:
    parts = [one_line(printable(subject)), *(_wrapped(printable(one_line(text))) for text in body if text)]
    if trailers:
        parts.append("\n".join(f"{key}: {printable(one_line(value))}" for key, value in trailers))
    return "\n\n".join(parts) + "\n"


def _wrapped(line: str) -> str:
    """A paragraph; one that would read as trailers in several lines stays one line, which never does."""
    filled = textwrap.fill(line, 72, break_long_words=False, break_on_hyphens=False)
    return line if messages.parse(f"x\n\n{filled}\n\nx").groups else filled
