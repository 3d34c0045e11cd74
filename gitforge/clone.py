"""A workspace of somebody else's, made one of one's own: received, looked at, checked out, and only then in place.

What nobody could use is not left behind; what a person should see before first use is handed to them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gitforge import check, documents, goals_file
from gitforge.components import MAX_BYTES
from gitforge.errors import InvalidFile, Problem, UserError
from gitforge.foreign import LibraryNotFetched
from gitforge.goals import FILE_NAME, GoalBook, Pin
from gitforge.libraries import OnFetch, Terms
from gitforge.payloads import Suspicion, suspicions
from gitforge.store import cloning, kept, transfer
from gitforge.store.addresses import Address
from gitforge.store.process import harmless
from gitforge.store.remote_failures import RemoteFailed
from gitforge.store.repo import Repo
from gitforge.store.survey import Planned, Survey, survey
from gitforge.store.transfer import OnProgress
from gitforge.unasked import Left, Unasked
from gitforge.workspace import LEGACY_FILE, Workspace

MAX_BYTES_DEFAULT = transfer.MAX_BYTES
_OURS = (FILE_NAME, "library", "output")
_TEXTS = (".md", ".txt", ".yaml", ".yml", ".json", ".j2", ".jinja")


Places = tuple[str, tuple[Suspicion, ...]]
"""A file and what is in it."""


@dataclass(frozen=True)
class Found:
    """One workspace of the clone.

    Attributes:
        folder: From the repository's top; empty for the top itself.
        goals: How many goals there are.
        missing: Components that goals need and that nobody has generated yet.
        problems: What `check` says beyond that.
        suspicious: Files of goals.yaml and library/, and components of other libraries that goals use, with what
            may be meant for the model alone.
        fetched: The other libraries that were fetched.
        left: Those that were not.
    """

    folder: str
    goals: int
    missing: tuple[Problem, ...]
    problems: tuple[Problem, ...]
    suspicious: tuple[Places, ...]
    fetched: tuple[Pin, ...] = ()
    left: tuple[Left, ...] = ()


@dataclass(frozen=True)
class Cloned:
    """What came.

    Attributes:
        root: The repository's top.
        branch: What is checked out, without `refs/heads/`; None for a tag.
        commit: Its id.
        workspaces: Those in it; at least one.
        submodules: Where other repositories would be, which were not fetched.
        twins: Names that some file systems take for one.
        filters: A file for each program that git would need to read it and that is not set up.
        wrong: Refs of prompts and texts that keep something else than their name says, and were left out.
    """

    root: Path
    branch: str | None
    commit: str
    workspaces: tuple[Found, ...]
    submodules: tuple[str, ...]
    twins: tuple[tuple[str, str], ...]
    filters: tuple[tuple[str, str], ...]
    wrong: tuple[str, ...]


def folder_of(address: Address) -> str:
    """The name of the folder that a clone of an address gets, as git gives it.

    Raises:
        UserError: The address has nothing that could be one.
    """
    name = re.split(r"[/:]", re.sub(r"(/\.git)?/*$", "", address.stored))[-1].removesuffix(".git")
    if name in {"", ".", ".."} or name.startswith("-") or not name.isprintable():
        raise UserError(
            f"{address.shown} does not say how the folder is to be called",
            hint="Name it: `gitforge clone URL DIR`.",
        )
    return name


def clone(
    address: Address,
    target: Path,
    *,
    branch: str | None = None,
    with_submodules: bool = False,
    max_bytes: int = MAX_BYTES_DEFAULT,
    progress: OnProgress | None = None,
    before: OnFetch | None = None,
    can_ask: bool = False,
) -> Cloned:
    """Makes a clone of a workspace's repository.

    Args:
        address: Where it is.
        target: Where it is to be: nothing, or an empty folder.
        branch: The branch or tag to check out; None for the one that its HEAD names.
        with_submodules: Whether to fetch the repositories in it too.
        max_bytes: How much may be received, and how much its files may take.
        progress: Told how far it has come.
        before: Told before another library is fetched.
        can_ask: Whether a person is at the terminal, so that git and ssh may ask for a password.

    Raises:
        UserError: It is no workspace that could be used, something in it is dangerous, or the folder is taken.
        InvalidFile: Its goals.yaml cannot be used.
        RemoteFailed: The remote cannot be reached, or refuses.
    """
    with cloning.beside(target) as staged:
        repo = cloning.receive(
            staged, address, branch=branch, max_bytes=max_bytes, progress=progress, can_ask=can_ask
        )
        head = repo.head()
        commit = head.commit or ""
        try:
            seen = survey(repo, commit, max_bytes=max_bytes)
            _refuse_twins(repo, seen)
            folders = _workspaces(repo, seen)
        except UserError as error:
            if isinstance(error, InvalidFile | RemoteFailed):
                raise
            raise UserError(f"{address.shown} cannot be used: {error.message}", hint=error.hint) from error
        wrong = kept.drop_unsound(repo, kept.kept_here(repo))
        cloning.check_out(repo, commit)
        filters = cloning.unfiltered(repo)
        if with_submodules and seen.submodules:
            transfer.update_submodules(
                repo, address, settings=cloning.SAFELY, max_bytes=max_bytes, can_ask=can_ask
            )
        cloning.place(staged, target, last=(folders[0] or FILE_NAME).partition("/")[0])
    repo = Repo.discover(target)
    bring = Unasked(
        Terms(progress, before, can_ask, max_bytes)
    )  # from now on nothing that fails takes it away
    found = tuple(_found(Workspace(target / folder), folder, repo, bring) for folder in folders)
    return Cloned(
        target, head.ref.removeprefix("refs/heads/") if head.ref else None, commit, found,
        () if with_submodules else seen.submodules, seen.twins, tuple(filters.items()),
        tuple(wrong),
    )  # fmt: skip


def _refuse_twins(repo: Repo, seen: Survey) -> None:
    """Raises UserError on a file system that would write one file over another."""
    if seen.twins and repo.configuration.is_on("core.ignorecase"):
        first, second = map(harmless, seen.twins[0])
        raise UserError(
            f"{first} and {second} are one file on this file system", hint="Ask its owner to rename one."
        )


def _workspaces(repo: Repo, seen: Survey) -> list[str]:
    """The folders with a goals.yaml: the top, or all those in which one stands beside a library.

    Raises:
        UserError: There is none, or what belongs to one is a link or another repository.
        InvalidFile: A goals.yaml cannot be used.
    """
    if FILE_NAME in seen.entries:
        folders = [""]
    else:
        tops = [path.rpartition("/")[0] for path in seen.entries if path.endswith(f"/{FILE_NAME}")]
        folders = sorted(folder for folder in tops if any(seen.below(f"{folder}/library")))
    if not folders:
        raise _no_workspace(seen)
    for folder in folders:
        start = f"{folder}/" if folder else ""
        for name in _OURS:
            _refuse_indirect(seen.below(start + name), start)
        _read_goals(repo, seen.entries[start + FILE_NAME])
    return folders


def _no_workspace(seen: Survey) -> UserError:
    if any(path.rpartition("/")[2] == LEGACY_FILE for path in seen.entries):
        hint = f"Clone it with git, and take it over: `gitforge init NEW --from OLD/{LEGACY_FILE}`."
        return UserError(f"it has no {FILE_NAME}, but a {LEGACY_FILE}", hint=hint)
    hint = "Clone it with git; `gitforge init` makes a workspace of a folder."
    return UserError(f"it has no {FILE_NAME}, so it is no workspace", hint=hint)


def _refuse_indirect(entries: Iterator[Planned], start: str) -> None:
    for one in entries:
        if not one.is_file:
            what = "a symbolic link" if one.is_link else "a submodule, another repository's"
            place = f"{start}{FILE_NAME}, {start}library and {start}output"
            hint = f"{place} have to be files and folders of their own: ask the owner to replace it."
            raise UserError(f"{harmless(one.path)} is {what}", hint=harmless(hint))


def _read_goals(repo: Repo, entry: Planned) -> None:
    """Raises InvalidFile where nothing of a goals.yaml can be used."""
    name = harmless(entry.path)
    if entry.size > documents.MAX_BYTES:
        raise InvalidFile([Problem(name, f"is larger than {documents.MAX_BYTES >> 20} MiB")])
    try:
        text = repo.objects.read_blob(entry.id).decode()
    except UnicodeDecodeError:
        raise InvalidFile([Problem(name, "is not UTF-8 text")]) from None
    goals_file.inspect(text, name)


def _found(workspace: Workspace, folder: str, repo: Repo, bring: Unasked) -> Found:
    text = documents.read_text(workspace.goals_file, FILE_NAME)
    book = goals_file.inspect(text, FILE_NAME)
    brought = bring.fetch_missing(workspace, repo)
    missing = tuple(check.missing(workspace, book))
    told = {LibraryNotFetched(one.pin).message for one in brought.left}
    problems = [one for one in check.check(workspace) if one not in missing and one.message not in told]
    suspicious = (*_suspicious(workspace), *_suspicious_foreign(workspace, book, brought.fetched))
    return Found(folder, len(book.goals), missing, tuple(problems), suspicious, brought.fetched, brought.left)


def _suspicious(workspace: Workspace) -> Iterator[Places]:
    """What goals.yaml and the texts of the library may say to the model alone."""
    for name in (FILE_NAME, *sorted(_texts(workspace.root))):
        try:
            limit = documents.MAX_BYTES if name == FILE_NAME else MAX_BYTES
            text = documents.read_text(workspace.root / name, name, limit)
        except UserError:  # `check` says so, where it is a component
            continue
        if found := tuple(suspicions(text)):
            yield name, found


def _suspicious_foreign(workspace: Workspace, book: GoalBook, fetched: Sequence[Pin]) -> Iterator[Places]:
    """The same of the components of other libraries that goals use."""
    names = {pin.name for pin in fetched}
    for path, need in sorted(book.needs().items()):
        if need.library not in names:
            continue
        try:
            text = workspace.library.text(need)
        except UserError:  # `check` says so
            continue
        if text is not None and (found := tuple(suspicions(text))):
            yield path, found


def _texts(root: Path) -> Iterator[str]:
    for folder, _, names in os.walk(root / "library"):
        for name in names:
            if name.endswith(_TEXTS):
                yield (Path(folder) / name).relative_to(root).as_posix()
