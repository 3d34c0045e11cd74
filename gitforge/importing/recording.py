"""An import as a whole: what it would do, and the one commit that does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gitforge import commits, documents, goals_file, payloads
from gitforge.errors import UserError
from gitforge.goals import FILE_NAME
from gitforge.importing import recipes, showing
from gitforge.importing.formats import Found
from gitforge.importing.placed import Component, Placed
from gitforge.importing.placing import place, refuse_nothing
from gitforge.payloads import Suspicion
from gitforge.store import addresses
from gitforge.store.checkouts import Checkout, checkout_of, is_as_committed
from gitforge.store.edits import Edit, NewFile, Rewrite
from gitforge.store.repo import Repo
from gitforge.store.transaction import Recorded, record
from gitforge.text import hidden_characters
from gitforge.workspace import Workspace


@dataclass(frozen=True)
class Import:
    """What an import would do.

    Attributes:
        found: What was read.
        placed: Where it goes.
        origin: Where the source is from, in words; None where it is in no repository of its own.
        remarks: What is to be known about toolkits.
        suspicions: What in the new texts should be looked at before it is used.
        edited: goals.yaml as it would be, by what it is now.
    """

    found: Found
    placed: Placed
    origin: str | None
    remarks: Sequence[str]
    suspicions: Sequence[tuple[Component, Suspicion]]
    edited: Mapping[bytes, bytes]

    @property
    def is_empty(self) -> bool:
        """Whether everything is there already."""
        return not (self.placed.new_components or self.placed.new_goals)

    @property
    def bad(self) -> int:
        """How many of the new components the check calls an error, for characters that nobody can see."""
        return sum(any(hidden_characters(each.piece.text)) for each in self.placed.new_components)

    @property
    def message(self) -> str:
        """The commit's message."""
        found, placed = self.found, self.placed
        return commits.imported(
            found.reading.title,
            found.source.name,
            len(placed.new_components),
            len(placed.new_goals),
            self.origin,
        )


def prepare(workspace: Workspace, repo: Repo, found: Found, category: str | None = None) -> Import:
    """Finds out what an import would do; nothing is written.

    Args:
        workspace: Where it would go.
        repo: The repository around it.
        found: What was read.
        category: Where the goals would go; None for what their source says.

    Raises:
        InvalidFile: goals.yaml is not valid.
        UserError: There is nothing to import, or goals.yaml or the library cannot take it.
    """
    refuse_nothing(found.reading, found.source.name)
    before = workspace.book()
    placed = place(found.reading, before, workspace.library, repo, category)
    text = documents.read_text(workspace.goals_file, FILE_NAME)
    edited = recipes.with_goals(text, placed)
    after = goals_file.parse(edited)
    return Import(
        found,
        placed,
        _origin(repo, found),
        tuple(showing.remarks(workspace, placed, before, after)),
        tuple((one, two) for one in placed.new_components for two in payloads.suspicions(one.piece.text)),
        {text.encode(): edited.encode()},
    )


def carry_out(workspace: Workspace, repo: Repo, one: Import) -> Recorded:
    """Records an import as one commit.

    Raises:
        Conflict: Something of the user's is in the way.
        UserError: git or the system refuses.
    """
    placed = one.placed
    edits: dict[str, Edit] = {}
    versions: dict[bytes | None, bytes] = dict(one.edited.items())

    def edited(
        old: bytes | None,
    ) -> bytes:  # HEAD, the index and the working tree have the same text as a rule
        if old not in versions:
            versions[old] = recipes.edit(old, placed)
        return versions[old]

    for component in placed.components:
        path = repo.relative(workspace.library.path(component.need))
        if component.outcome == "new":
            edits[path] = NewFile(path, component.content)
        elif not component.is_committed and path not in edits:  # else a goal would lack it in every clone
            edits[path] = NewFile(path, workspace.library.path(component.need).read_bytes())
    if placed.new_goals or placed.changed:
        path = repo.relative(workspace.goals_file)
        edits[path] = Rewrite(path, edited)
    return record(repo, list(edits.values()), one.message)


def _origin(repo: Repo, found: Found) -> str | None:
    """The repository that the source is from, and its commit; no secret and no path of this machine."""
    checkout = checkout_of(found.source.folder)
    if checkout is None or checkout.root == repo.root:
        return None
    try:
        address = addresses.parse(checkout.url, base=checkout.root) if checkout.url else None
    except UserError:
        address = None
    name = checkout.root.name if address is None or address.kind == "file" else address.stored
    changed = "" if is_as_committed(checkout, _bytes_by_path(checkout, found)) else ", changed since"
    return f"{name} at {checkout.commit}{changed}"


def _bytes_by_path(checkout: Checkout, found: Found) -> dict[str, bytes]:
    top = found.source.folder.resolve().relative_to(checkout.root.resolve()).as_posix()
    below = "" if top == "." else f"{top}/"
    taken = {piece.source for piece in found.reading.pieces}
    return {f"{below}{path}": content for path, content in found.source.contents.items() if path in taken}
