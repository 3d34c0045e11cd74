"""What is kept beside the branches, on its way between clones: prompts and texts, each under its own hash.

They are content-addressed, so nothing is ever forced: what both sides have is the same, or one of them is wrong.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gitforge.store import origins, prompts, texts
from gitforge.store.durable import Unreadable, read_own
from gitforge.store.messages import DRAFT, PROMPT
from gitforge.store.meter import OnProgress
from gitforge.store.repo import Repo
from gitforge.store.transfer import Source, fetch

PATTERNS = (f"{prompts.REFS}/*", f"{texts.REFS}/*")
"""Where they are."""
AT_ONCE = 2000  # refs that a command line names
MAX_BYTES = 8 << 20  # of one; a prompt is some kilobytes

_MOST_TOLD = 1 << 20  # bytes
_DROP_SECONDS = 60.0  # for a hook of the user's that sees refs move
_PROMPT = re.compile(rf"{prompts.REFS}/[0-9a-f]{{64}}")


@dataclass(frozen=True)
class Brought:
    """What came.

    Attributes:
        refs: The new refs.
        wrong: Those that keep something else than their name says, there or here, and were not told before; they
            are left.
    """

    refs: tuple[str, ...]
    wrong: tuple[str, ...]


def kept_here(repo: Repo) -> dict[str, str]:
    """Ids by ref of all that this clone keeps."""
    done = repo.git.read("for-each-ref", "--format=%(refname) %(objectname)", prompts.REFS, texts.REFS)
    return dict(line.split(" ") for line in done.stdout.decode().splitlines())


def lacking(repo: Repo, commit: str, there: Collection[str]) -> dict[str, str]:
    """What the commits of a history name, this clone keeps and a remote does not: ids by ref.

    Args:
        repo: The repository.
        commit: Id of the history's last commit.
        there: The refs of the remote.
    """
    absent = {ref: id_ for ref, id_ in kept_here(repo).items() if ref not in there}
    if not absent:
        return {}
    said = origins.read(repo, "HEAD" if commit == repo.head().commit else commit)
    named = {f"{texts.REFS}/{draft}" for draft in said.values(DRAFT)}
    named |= {f"{prompts.REFS}/{id_.removeprefix('sha256:')}" for id_ in said.values(PROMPT)}
    return {ref: id_ for ref, id_ in absent.items() if ref in named}


def bring(
    repo: Repo, source: Source, there: Mapping[str, str], *, progress: OnProgress | None, silence: float,
    can_ask: bool,
) -> Brought:  # fmt: skip
    """Fetches what a remote keeps and this clone does not.

    Args:
        repo: The repository.
        source: The remote.
        there: Ids by ref of what it keeps.
        progress: Told how far it has come.
        silence: Seconds after which a remote that says nothing is given up.
        can_ask: Whether a person is at the terminal.

    Raises:
        RemoteFailed: It cannot be reached, or refuses.
    """
    here, told = kept_here(repo), _told(repo)
    there = {ref: id_ for ref, id_ in there.items() if f"{id_} {ref}" not in told}
    wrong = [ref for ref, id_ in there.items() if here.get(ref, id_) != id_ or not _may_be(ref, id_)]
    new = [ref for ref in there if ref not in here and ref not in wrong]
    for start in range(0, len(new), AT_ONCE):
        some = new[start : start + AT_ONCE]
        fetch(repo, source, [f"{ref}:{ref}" for ref in some], progress=progress, silence=silence,
              max_bytes=MAX_BYTES * 8, can_ask=can_ask)  # fmt: skip
    unsound = drop_unsound(repo, {ref: there[ref] for ref in new})
    _tell(repo, told, {ref: there[ref] for ref in wrong})
    return Brought(tuple(ref for ref in new if ref not in unsound), (*wrong, *unsound))


def drop_unsound(repo: Repo, refs: Mapping[str, str]) -> list[str]:
    """Lets go of what came and is not what its name says.

    Args:
        repo: The repository.
        refs: Ids by ref of what came.

    Returns:
        The refs that were dropped.
    """
    misnamed = {ref: id_ for ref, id_ in refs.items() if not _may_be(ref, id_)}
    unsound = [*misnamed, *_unsound(repo, {ref: id_ for ref, id_ in refs.items() if ref not in misnamed})]
    if unsound:
        repo.drop_refs(unsound, timeout=_DROP_SECONDS)
        _tell(repo, _told(repo), {ref: refs[ref] for ref in unsound})
    return unsound


def _told_file(repo: Repo) -> Path:
    return repo.common_dir / "gitforge" / "wrong-refs"


def _told(repo: Repo) -> set[str]:
    """The wrong ones that the user knows of, each as `ID REF`: they are told once, and not fetched again."""
    try:
        return set(read_own(_told_file(repo), _MOST_TOLD).decode("utf-8", "surrogateescape").splitlines())
    except (OSError, Unreadable):
        return set()


def _tell(repo: Repo, told: set[str], wrong: Mapping[str, str]) -> None:
    """Notes that the user is told; where that cannot be noted, they are told again."""
    if not wrong:
        return
    lines = sorted({*_told(repo), *told, *(f"{id_} {ref}" for ref, id_ in wrong.items())})
    content = os.fsencode("".join(f"{line}\n" for line in lines))
    with suppress(OSError):
        file = _told_file(repo)
        file.parent.mkdir(exist_ok=True)
        temporary = file.with_name(f"wrong-refs.{os.getpid()}")
        temporary.write_bytes(content[:_MOST_TOLD])
        temporary.replace(file)


def _may_be(ref: str, id_: str) -> bool:
    return ref == f"{texts.REFS}/{id_}" or _PROMPT.fullmatch(ref) is not None


def _unsound(repo: Repo, refs: Mapping[str, str]) -> list[str]:
    """Those that are too large, no blobs, or whose content has another hash than their name."""
    if not refs:
        return []
    sizes = repo.objects.sizes(refs.values(), "blob")
    blobs = {ref: id_ for ref, id_ in refs.items() if sizes.get(id_, MAX_BYTES + 1) <= MAX_BYTES}
    contents = repo.objects.read_many("blob", [id_ for ref, id_ in blobs.items() if _PROMPT.fullmatch(ref)])
    good = {
        ref
        for ref, id_ in blobs.items()
        if not _PROMPT.fullmatch(ref) or ref == f"{prompts.REFS}/{hashlib.sha256(contents[id_]).hexdigest()}"
    }
    return [ref for ref in refs if ref not in good]
