"""What both sides have changed: shown with both versions, and decided by an option or a person."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from gitforge.cli import output

if TYPE_CHECKING:
    from gitforge.goals_merge import GoalClash
    from gitforge.store.disputes import Dispute
    from gitforge.store.merge import Clash
    from gitforge.store.records import Entry
    from gitforge.store.repo import Repo

Side = Literal["ours", "theirs"]

OURS, THEIRS = "this clone's", "what was published"
_LINES = 12  # of a version that are shown
_GONE = "(it is not there)"


@dataclass
class Choices:
    """Who decides: an option, the person at the terminal until they leave it, or nobody.

    Args:
        repo: The repository.
        side: What the option says; None where there is none.
        clear: Makes room on the screen for a question.
    """

    repo: Repo
    side: Side | None
    clear: Callable[[], None]
    _is_left: bool = False

    def file(self, dispute: Dispute) -> Side | Sequence[str] | None:
        """Decides about a file: a side of all of it, or the text for each clash."""
        if not self._is_asked():
            return self.side
        taken: Side | Sequence[str] | None
        if dispute.chunks:
            from gitforge.cli.conflicts import decide_all  # noqa: PLC0415 -- where there is something to decide

            taken = decide_all(dispute.chunks, dispute.path, self.repo.editor, ours=OURS, theirs=THEIRS)
        elif dispute.names is not None:
            taken = _ask(f"{dispute.path}, its new name", *dispute.names)
        else:
            taken = _ask(dispute.path, _text(self.repo, dispute.ours), _text(self.repo, dispute.theirs))
        self._is_left = taken is None
        return taken

    def goal(self, clash: GoalClash) -> Side | None:
        """Decides about a place in goals.yaml."""
        if not self._is_asked():
            return self.side
        taken = _ask(f"goals.yaml, {clash.place}", clash.ours, clash.theirs)
        self._is_left = taken is None
        return taken

    def _is_asked(self) -> bool:
        """Whether the person is asked now; then there is room on the screen for it."""
        if self.side is not None or self._is_left or not output.is_interactive():
            return False
        self.clear()
        return True


def _ask(name: str, ours: str | None, theirs: str | None) -> Side | None:
    from gitforge.cli.prompts import ask_letter  # noqa: PLC0415

    _show(name, ours, theirs)
    explanation = f"  o  ours: {OURS}\n  t  theirs: {THEIRS}\n  l  leave it all undecided: nothing is changed"
    sides: dict[str, Side | None] = {"o": "ours", "t": "theirs", "l": None}
    return sides[ask_letter("Which version?", ("ours", "theirs", "leave"), explanation)]


def show_disputes(repo: Repo, disputes: Sequence[Dispute]) -> None:
    """Both versions of all that nobody has decided."""
    for dispute in disputes:
        for place in _places(repo, dispute):
            _show(place["place"], place["ours"], place["theirs"])


def as_json(repo: Repo, dispute: Dispute) -> dict[str, Any]:
    """A dispute for a script."""
    return {"path": dispute.path, "commit": dispute.commit, "clashes": list(_places(repo, dispute))}


def _places(repo: Repo, dispute: Dispute) -> Iterator[dict[str, Any]]:
    from gitforge.goals_merge import GoalClash  # noqa: PLC0415
    from gitforge.store.merge import clashes, places  # noqa: PLC0415

    if dispute.names is not None:
        yield _place(f"{dispute.path}, its new name", dispute.path, *dispute.names)
        return
    goals = [one for one in dispute.places if isinstance(one, GoalClash)]
    for one in goals:
        yield _place(f"{dispute.path}, {one.place}", one.base, one.ours, one.theirs)
    found: Sequence[Clash] = clashes(dispute.chunks)
    for line, clash in zip(places(dispute.chunks), found, strict=True):
        yield _place(f"{dispute.path}, line {line}", clash.base, clash.ours, clash.theirs)
    if not goals and not found:
        base, ours, theirs = (_text(repo, one) for one in (dispute.base, dispute.ours, dispute.theirs))
        yield _place(dispute.path, base, ours, theirs)


def _place(name: str, base: str | None, ours: str | None, theirs: str | None) -> dict[str, Any]:
    return {"place": name, "base": base, "ours": ours, "theirs": theirs}


def _text(repo: Repo, entry: Entry | None) -> str | None:
    if entry is None:
        return None
    if not entry.is_file:
        return f"({entry.id[:12]}, which is no file)"
    try:
        return repo.objects.read_blob(entry.id).decode()
    except UnicodeDecodeError:
        return f"({entry.id[:12]}, which is no text)"


def _show(name: str, ours: str | None, theirs: str | None) -> None:
    output.say()
    output.say((name, output.BOLD))
    for label, text, style in (
        (f"ours: {OURS}", ours, output.WARN),
        (f"theirs: {THEIRS}", theirs, output.GOOD),
    ):
        output.say((f"--- {label}", output.BOLD))
        lines = _GONE.splitlines() if text is None else text.splitlines()
        more = [f"... and {len(lines) - _LINES} more lines"] if len(lines) > _LINES else []
        output.say(("\n".join([*lines[:_LINES], *more]), style))
