"""`gitforge library`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gitforge.cli import completing, library_shown, output, reverting
from gitforge.cli.pager import NoPager
from gitforge.cli.session import (
    MAX_MIB,
    AsJson,
    Directory,
    MaxSize,
    WouldRecord,
    find_workspace,
    here,
    open_repo,
)
from gitforge.errors import AnswerMissing
from gitforge.goals import FILE_NAME, GoalBook, Pin

if TYPE_CHECKING:
    from gitforge.library_update import Update
    from gitforge.store.repo import Repo
    from gitforge.workspace import Workspace

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Use the libraries of others: add, list, update, remove, fetch.",
)

_Optional = Annotated[
    str,
    typer.Argument(
        metavar="[NAME]",
        help="Which library; all by default.",
        show_default=False,
        autocompletion=completing.libraries,
    ),
]


@app.callback(epilog="Example: gitforge library add acme https://example.org/acme/prompts.git")
def library() -> None:
    """Use the libraries of others, each pinned to a commit: add, list, update, remove, fetch."""


@app.command(epilog="Example: gitforge library add acme https://example.org/acme/prompts.git --rev main")
def add(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is called here.", show_default=False)],
    url: Annotated[
        str,
        typer.Argument(metavar="URL", help="Its repository: https, ssh or a path.", show_default=False),
    ],
    rev: Annotated[
        str | None,
        typer.Option("--rev", metavar="REV", help="The branch, tag or commit. Default: its HEAD."),
    ] = None,
    folder: Annotated[
        str, typer.Option("--folder", metavar="DIR", help="Where its goals.yaml is. Default: the top.")
    ] = "",
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Add it whatever its components seem to hide.")
    ] = False,
    max_size: MaxSize = MAX_MIB,
    dry_run: WouldRecord = False,
    as_json: AsJson = False,
    directory: Directory = Path(),
) -> None:
    """Fetch a library, look at it, and name it in goals.yaml, as one commit.

    Goals then name its components as NAME:FILE.md, and `gitforge build --goal NAME:GOAL` uses a goal of it. A plain
    name is always your own: nothing shadows anything. It stays at the commit that goals.yaml pins until
    `gitforge library update`.
    """
    from gitforge import library_add  # noqa: PLC0415 -- what talks to others, where that is wanted

    workspace = find_workspace(ctx, directory)
    repo = open_repo(workspace)
    with library_shown.terms(max_size) as terms:
        addition = library_add.prepare(
            workspace, repo, name, url, rev=rev, folder=folder, base=here(ctx, directory).resolve(), terms=terms
        )  # fmt: skip
    is_added = False
    try:
        library_shown.show_addition(addition)
        if addition.look.suspicions and not yes and not dry_run:
            library_shown.confirm("Add it nevertheless?", "its components seem to hide something")
        recorded = None if dry_run else library_add.add(workspace, repo, addition)
        is_added = recorded is not None
    finally:
        if not is_added:
            library_add.give_up(repo, name)
    if recorded is not None:
        reverting.show_recorded(recorded)
    if as_json:
        output.data(
            library_shown.addition_as_json(addition) | {"recorded": recorded.commit if recorded else None}
        )
    if recorded is None:
        output.say(f"Dry run: {FILE_NAME} would name it; nothing was recorded.")
        return
    output.say(
        ("added: ", output.GOOD), f"{name} at {addition.pin.commit[:10]}",
        (f" by commit {recorded.commit[:10]}", output.DIM),
    )  # fmt: skip
    output.say(library_shown.PRECEDENCE)


@app.command(name="list", epilog="Example: gitforge library list")
def list_(ctx: typer.Context, as_json: AsJson = False, directory: Directory = Path()) -> None:
    """List the libraries: where from, at which commit, how far behind, and how much of each is used.

    Nobody is asked: how far behind is told of what was fetched last.
    """
    from gitforge import library_standing  # noqa: PLC0415

    workspace = find_workspace(ctx, directory)
    repo = open_repo(workspace)
    found = library_standing.standings(repo, workspace.book())
    if as_json:
        output.data([library_shown.standing_as_json(one) for one in found])
        return
    library_shown.show_standings(found)
    output.say((library_shown.PRECEDENCE, output.DIM))


@app.command(epilog="Example: gitforge library update acme")
def update(
    ctx: typer.Context,
    name: _Optional = "",
    rev: Annotated[
        str | None,
        typer.Option("--rev", metavar="REV", help="Another branch, tag or commit, followed from now on."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Show what changes, and move the pin.")] = False,
    ours: Annotated[
        bool, typer.Option("--ours", help="Where you and it changed the same lines, keep yours.")
    ] = False,
    theirs: Annotated[
        bool, typer.Option("--theirs", help="Where you and it changed the same lines, take its.")
    ] = False,
    max_size: MaxSize = MAX_MIB,
    no_pager: NoPager = False,
    dry_run: WouldRecord = False,
    as_json: AsJson = False,
    directory: Directory = Path(),
) -> None:
    """Fetch what a library has now, show what changes for you, and pin it to that: one commit for each library.

    What is shown: every component that your goals use or that you adopted, word by word. Adopted components are
    merged three ways with yours. Where both changed the same lines you decide; without a terminal nothing moves
    (exit code 4), unless --ours or --theirs decides all of it.
    """
    if ours and theirs:
        raise AnswerMissing("--ours and --theirs: one at a time", hint="Leave one of them.")
    workspace = find_workspace(ctx, directory)
    repo = open_repo(workspace)
    chosen = _chosen(workspace.book(), name)
    if rev is not None and not name:
        raise AnswerMissing("--rev is about one library", hint="Name it.")
    options = library_shown.UpdateOptions(yes, ours, theirs, no_pager, dry_run, as_json, max_size)
    done: list[dict[str, Any]] = []
    for pin in chosen:
        now = workspace.book().library(pin.name)
        done.append(_update(workspace, repo, now, rev, options))
    if as_json:
        output.data(done)
    elif not chosen:
        output.say(f"{FILE_NAME} names no other library.")


def _update(
    workspace: Workspace, repo: Repo, pin: Pin, rev: str | None, options: library_shown.UpdateOptions
) -> dict[str, Any]:
    from gitforge import libraries  # noqa: PLC0415
    from gitforge import library_update as verb  # noqa: PLC0415

    verb.refuse_unfollowable(pin, rev)
    output.say(f"{pin.name}: looking for {rev or pin.rev or 'HEAD'} of {libraries.shown_url(pin)}")
    with library_shown.terms(options.max_size) as terms:
        found = verb.find(workspace, repo, pin, rev, terms)
    if found.is_empty:
        output.say(f"{pin.name}: nothing new, it is at {pin.commit[:10]} already.")
        return library_shown.update_as_json(found, None)
    library_shown.show_update(repo, found, options)
    if options.dry_run:
        output.say(f"Dry run: {pin.name} would move to {found.new.commit[:10]}; nothing was recorded.")
        return library_shown.update_as_json(found, None)
    if not options.yes:
        library_shown.confirm(f"Pin {pin.name} to {found.new.commit[:10]}?", "the pin is to be moved")
    return _move(workspace, repo, found, options)


def _move(
    workspace: Workspace, repo: Repo, found: Update, options: library_shown.UpdateOptions
) -> dict[str, Any]:
    from gitforge import library_update as verb  # noqa: PLC0415

    recorded = verb.carry_out(
        workspace, repo, found, library_shown.decider(repo, ours=options.ours, theirs=options.theirs)
    )
    reverting.show_recorded(recorded)
    for one in found.merges:
        output.say(("merged: ", output.GOOD), f"{one.adoption.path} with {one.origin.shown}")
    output.say(
        ("updated: ", output.GOOD), f"{found.new.name} is at {found.new.commit[:10]} now",
        (f" by commit {recorded.commit[:10]}", output.DIM),
    )  # fmt: skip
    return library_shown.update_as_json(found, recorded.commit)


@app.command(epilog="Example: gitforge library remove acme")
def remove(
    ctx: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="Which library.", show_default=False, autocompletion=completing.libraries
        ),
    ],
    dry_run: WouldRecord = False,
    as_json: AsJson = False,
    directory: Directory = Path(),
) -> None:
    """Take a library out of goals.yaml, as one commit. Refused while goals use it.

    What was adopted from it stays yours. Of a library that goals.yaml does not name any more, after an undo for
    example, it drops what is still kept.
    """
    from gitforge import libraries, library_add  # noqa: PLC0415

    workspace = find_workspace(ctx, directory)
    repo = open_repo(workspace)
    book = workspace.book()
    if name not in book.libraries and not dry_run and library_add.let_go(workspace, repo, name):
        output.say(("let go: ", output.GOOD), f"what was kept of {name}, which {FILE_NAME} does not name")
        if as_json:
            output.data({"name": name, "adopted": [], "recorded": None})
        return
    pin = book.library(name)
    library_add.refuse_used(book, pin)
    adopted = [one.path for one in libraries.adopted_here(repo, book).values() if one.origin.library == name]
    recorded = None if dry_run else library_add.remove(workspace, repo, pin)
    if recorded is not None:
        reverting.show_recorded(recorded)
    if as_json:
        output.data(
            {"name": name, "adopted": adopted, "recorded": recorded.commit if recorded is not None else None}
        )
    for path in adopted:
        output.say(("stays: ", output.WARN), f"{path}, which was adopted from it")
    if recorded is None:
        output.say(f"Dry run: {name} would be removed; nothing was recorded.")
    else:
        output.say(("removed: ", output.GOOD), name, (f" by commit {recorded.commit[:10]}", output.DIM))


@app.command(epilog="Example: gitforge library fetch acme")
def fetch(
    ctx: typer.Context,
    name: _Optional = "",
    max_size: MaxSize = MAX_MIB,
    as_json: AsJson = False,
    directory: Directory = Path(),
) -> None:
    """Fetch the commits that goals.yaml pins and that are not here, from where goals.yaml says.

    With NAME, its address counts as one that you trust in this clone, so that `gitforge sync` fetches from it too.
    """
    from gitforge import libraries  # noqa: PLC0415

    workspace = find_workspace(ctx, directory)
    repo = open_repo(workspace)
    chosen = _chosen(workspace.book(), name)
    fetched = []
    for pin in chosen:
        with library_shown.terms(max_size) as terms:
            is_new = libraries.fetch(workspace, repo, pin, terms)
        if name:
            libraries.trust(repo, pin.name, pin.url)
        if is_new:
            fetched.append(pin)
        output.say(f"{pin.name}: {'fetched' if is_new else 'here already'}, at {pin.commit[:10]}.")
    if not chosen:
        output.say(f"{FILE_NAME} names no other library.")
    if as_json:
        output.data([{"name": pin.name, "commit": pin.commit, "fetched": pin in fetched} for pin in chosen])


def _chosen(book: GoalBook, name: str) -> Sequence[Pin]:
    return [book.library(name)] if name else list(book.libraries.values())
