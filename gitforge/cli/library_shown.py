"""What `gitforge library` shows and asks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitforge.cli import output, receiving
from gitforge.cli.pager import paged
from gitforge.errors import AnswerMissing, Cancelled, Problem
from gitforge.payloads import Suspicion
from gitforge.text import counted

if TYPE_CHECKING:
    from gitforge.goals import Kind
    from gitforge.libraries import Terms
    from gitforge.library_add import Addition
    from gitforge.library_standing import Standing
    from gitforge.library_update import Decide, Update
    from gitforge.store.merge import Chunk
    from gitforge.store.repo import Repo

PRECEDENCE = (
    "A plain name is always this workspace's own; a library's component is NAME:FILE.md, its goal NAME:GOAL."
)
_LOOK = "Look at what is told above, which --dry-run tells too, and give --yes."
_MOST = 20  # findings of one sort that are shown


@contextmanager
def terms(max_size: int) -> Iterator[Terms]:
    """How libraries are fetched: where from is said, how far it has come is shown, a person may be asked.

    Args:
        max_size: How much may come, in MiB.
    """
    from gitforge.libraries import Terms  # noqa: PLC0415

    with receiving.Meter() as meter:
        yield Terms(
            meter.progress, meter.tell_fetch, can_ask=output.is_interactive(), max_bytes=max_size << 20
        )


def confirm(question: str, what: str) -> None:
    """Asks whether to go on.

    Raises:
        AnswerMissing: There is nobody to ask.
        Cancelled: The answer is no.
    """
    if not output.is_interactive():
        raise AnswerMissing(
            f"{what}, and there is no terminal to ask on",
            hint=_LOOK,
        )
    from gitforge.cli.prompts import ask_letter  # noqa: PLC0415

    if ask_letter(question, ("yes", "no"), "y: go on; n: stop, nothing is recorded") == "n":
        raise Cancelled("nothing was recorded")


# --- adding and listing ---------------------------------------------------------------------------------------


def show_addition(addition: Addition) -> None:
    """What a library has, and what of it cannot be used or needs a look."""
    pin, look = addition.pin, addition.look
    output.say(
        f"{pin.name}: {counted(len(look.goals), 'goal')} and {counted(len(look.components), 'component')} at"
        f" {pin.commit[:10]} of {addition.address.shown}"
    )
    if look.unmatched:
        names = ", ".join(kind.name for kind in look.unmatched)
        output.say(
            ("note: ", output.WARN),
            f"its kinds {names} are not declared here, so what it has of them cannot be used. These lines under"
            " `kinds:` in goals.yaml declare them; where it has no `kinds:` yet, persona:, protocol: and constraint:"
            " have to stand there too.",
        )
        for kind in look.unmatched:
            output.say(f"  {kind.name}: {{{', '.join(_declared(kind))}}}")
    show_problems(look.problems)
    show_suspicions(pin.name, look.suspicions)


def _declared(kind: Kind) -> Iterator[str]:
    yield f"folder: {kind.folder}"
    if kind.many:
        yield "many: true"
    if kind.key != kind.name:
        yield f"key: {kind.key}"


def show_problems(problems: Sequence[Problem]) -> None:
    """What cannot be used."""
    for problem in problems[:_MOST]:
        output.say(("not usable: ", output.WARN), str(problem))
    _say_rest(len(problems))


def show_suspicions(library: str, found: Sequence[tuple[str, Suspicion]]) -> None:
    """What a person should look at before a model does."""
    by_file: dict[str, list[Suspicion]] = {}
    for path, one in found:
        by_file.setdefault(f"{library}:{path}", []).append(one)
    receiving.show_suspicions([*by_file.items()])


def _say_rest(count: int) -> None:
    if count > _MOST:
        output.say(f"... and {count - _MOST} more")


def addition_as_json(addition: Addition) -> dict[str, Any]:
    """The same for a script."""
    pin, look = addition.pin, addition.look
    return {
        "name": pin.name, "url": pin.url, "rev": pin.rev, "commit": pin.commit, "folder": pin.folder or None,
        "goals": list(look.goals),
        "components": list(look.components),
        "unmatched_kinds": [kind.name for kind in look.unmatched],
        "problems": [str(problem) for problem in look.problems],
        "suspicions": suspicions_as_json(look.suspicions),
    }  # fmt: skip


def suspicions_as_json(found: Sequence[tuple[str, Suspicion]]) -> list[dict[str, Any]]:
    """Places to look at, for a script."""
    return [
        {"component": path, "line": one.line, "column": one.column, "what": one.what, "excerpt": one.excerpt}
        for path, one in found
    ]


def show_standings(found: Sequence[Standing]) -> None:
    """A row for each library."""
    from gitforge.libraries import shown_url  # noqa: PLC0415

    if not found:
        output.say("goals.yaml names no other library: `gitforge library add NAME URL` does.")
    rows: list[tuple[output.Part, ...]] = [
        (
            (one.pin.name, output.BOLD),
            one.pin.commit[:10],
            one.pin.rev or "HEAD",
            _standing(one),
            f"{len({use.need.path for use in one.uses})} used, {len(one.adopted)} adopted",
            shown_url(one.pin) + (f" in {one.pin.folder}" if one.pin.folder else ""),
        )
        for one in found
    ]
    output.table(("library", "pin", "follows", "", "components", "from"), rows)


def _standing(one: Standing) -> output.Part:
    if not one.is_here:
        return ("not fetched", output.BAD)
    if one.behind is None:
        return "not known"
    if one.lost:
        return (f"{one.behind} behind, rewritten there", output.WARN)
    return (f"{one.behind} behind", output.WARN) if one.behind else ("up to date", output.GOOD)


def standing_as_json(one: Standing) -> dict[str, Any]:
    """A library for a script."""
    from gitforge.libraries import shown_url  # noqa: PLC0415

    return {
        "name": one.pin.name, "url": shown_url(one.pin), "rev": one.pin.rev, "commit": one.pin.commit,
        "folder": one.pin.folder or None, "fetched": one.is_here, "behind": one.behind,
        "rewritten": bool(one.lost),
        "uses": [{"goal": use.goal, "component": use.need.path, "line": use.need.line} for use in one.uses],
        "adopted": [{"path": it.path, "origin": str(it.origin)} for it in one.adopted],
    }  # fmt: skip


# --- updating ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class UpdateOptions:
    """What was said on the command line of `update`."""

    yes: bool
    ours: bool
    theirs: bool
    no_pager: bool
    dry_run: bool
    as_json: bool
    max_size: int


def show_update(repo: Repo, found: Update, options: UpdateOptions) -> None:
    """What moving a pin would change."""
    name = found.new.name
    new = f", {counted(found.commits, 'new commit')}" if found.commits is not None else ""
    output.say((f"{name}: ", output.BOLD), f"{found.old.commit[:10]} -> {found.new.commit[:10]}{new}")
    if found.commits is None:
        output.say(
            ("gone there: ", output.BAD), f"what {name} was pinned to is nowhere any more, so nothing can be compared:"
            " all of what you use is shown",
        )  # fmt: skip
    if found.lost:
        output.say(
            ("rewritten: ", output.BAD), f"the history of {name} was rewritten: {counted(found.lost, 'commit')} that"
            " you have pinned or built on are not in it any more. Ask its owner why before you follow.",
        )  # fmt: skip
    if found.differences and not options.as_json:
        from gitforge.cli.diff import show_difference  # noqa: PLC0415

        with paged(repo, is_wanted=not options.no_pager):
            for one in found.differences:
                show_difference(one)
    elif not (found.differences or found.renamed or found.gone or found.left):
        output.say("Nothing changes in the components that you use.")
    for change in found.goals[:_MOST]:
        output.say((f"goal {change.what}: ", output.DIM), f"{name}:{change.name}")
    _say_rest(len(found.goals))
    for path, new in found.renamed:
        output.say(("renamed there: ", output.WARN), f"{path} is {new} now; goals.yaml will say so")
    for need in found.gone:
        output.say(
            ("gone: ", output.BAD), f"{need.path}, which goals use; `gitforge adopt {need.path}` keeps it"
        )
    for path, why in found.left:
        output.say(("left as it is: ", output.WARN), f"{path}: {why}")
    for merge in found.merges:
        places = f", {counted(merge.clashes, 'place')} to decide" if merge.clashes else ""
        output.say(
            ("to be merged: ", output.WARN), f"{merge.adoption.path} with {merge.origin.shown}{places}"
        )
    show_suspicions(name, found.suspicions)


def update_as_json(found: Update, commit: str | None) -> dict[str, Any]:
    """The same for a script; `commit` is what was recorded."""
    return {
        "name": found.new.name, "old": found.old.commit, "new": found.new.commit, "rev": found.new.rev,
        "commits": found.commits, "lost": found.lost, "recorded": commit,
        "changed": [
            {"component": one.path, "was": one.old_path, "status": one.status,
             "added_words": one.words("added"), "removed_words": one.words("removed")}
            for one in found.differences
        ],
        "gone": [need.path for need in found.gone],
        "renamed": [{"was": path, "is": new} for path, new in found.renamed],
        "goals": [{"goal": one.name, "what": one.what} for one in found.goals],
        "merged": [
            {"path": one.adoption.path, "origin": str(one.origin), "clashes": one.clashes} for one in found.merges
        ],
        "left": [{"path": path, "why": why} for path, why in found.left],
        "suspicions": suspicions_as_json(found.suspicions),
    }  # fmt: skip


def decider(repo: Repo, *, ours: bool, theirs: bool) -> Decide | None:
    """Who decides what clashes: an option, the person at the terminal, or nobody."""
    if ours or theirs:
        from gitforge.store.merge import settled  # noqa: PLC0415

        return lambda path, chunks: settled(chunks, lambda clash: clash.ours if ours else clash.theirs)
    if not output.is_interactive():
        return None

    def ask(path: str, chunks: Sequence[Chunk]) -> str | None:
        from gitforge.cli.conflicts import settle  # noqa: PLC0415

        output.say()
        output.say((f"{path}: ", output.WARN), "you and the library changed the same lines")
        return settle(chunks, path.rpartition("/")[2], repo.editor, ours="yours", theirs="the library's")

    return ask
