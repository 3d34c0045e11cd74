"""What is kept beside the branches, on its way between clones: prompts and texts, each under its own hash.

They are content-addressed, so nothing is ever forced: what both sides have is the same, or one of them is wrong.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from gitforge.store import prompts, texts
from gitforge.store.meter import OnProgress
from gitforge.store.process import succeed
from gitforge.store.repo import Repo
from gitforge.store.transfer import Source, fetch

PATTERNS = (f"{prompts.REFS}/*", f"{texts.REFS}/*")
"""Where they are."""
AT_ONCE = 2000  # refs that a command line names
MAX_BYTES = 8 << 20  # of one; a prompt is some kilobytes

_NAMED = re.compile(r"^\s*(?:Prompt-Id: sha256:([0-9a-f]{64})|Draft: ([0-9a-f]{40,64}))\s*$", re.MULTILINE)
_PROMPT = re.compile(rf"{prompts.REFS}/[0-9a-f]{{64}}")


@dataclass(frozen=True)
class Brought:
    """What came.

    Attributes:
        refs: The new refs.
        wrong: Those that keep something else than their name says, there or here; they are left.
    """

    refs: tuple[str, ...]
    wrong: tuple[str, ...]


def kept_here(repo: Repo) -> dict[str, str]:
    """Ids by ref of all that this clone keeps."""
    done = repo.git.read("for-each-ref", "--format=%(refname) %(objectname)", prompts.REFS, texts.REFS)
    return dict(line.split(" ") for line in done.stdout.decode().splitlines())


def named_by(repo: Repo, base: str | None, tip: str) -> list[str]:
    """The refs that the messages of commits name, where this clone has them.

    Args:
        repo: The repository.
        base: Id of a commit, of which and before which none counts; None for all.
        tip: Id of the last one.
    """
    range_ = [tip, *([f"^{base}"] if base is not None else [])]
    done = repo.git.read("log", "-z", "--format=%B", "--no-show-signature", *range_, "--")
    found = _NAMED.findall(os.fsdecode(done.stdout).replace("\0", "\n"))
    refs = [f"{prompts.REFS}/{prompt}" if prompt else f"{texts.REFS}/{text}" for prompt, text in found]
    here = kept_here(repo)
    return [ref for ref in dict.fromkeys(refs) if ref in here]


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
    here = kept_here(repo)
    wrong = [ref for ref, id_ in there.items() if here.get(ref, id_) != id_ or not _may_be(ref, id_)]
    new = [ref for ref in there if ref not in here and ref not in wrong]
    for start in range(0, len(new), AT_ONCE):
        some = new[start : start + AT_ONCE]
        fetch(repo, source, [f"{ref}:{ref}" for ref in some], progress=progress, silence=silence,
              max_bytes=MAX_BYTES * 8, can_ask=can_ask)  # fmt: skip
    unsound = _unsound(repo, {ref: there[ref] for ref in new})
    if unsound:
        listed = "".join(f"delete {ref}\n" for ref in unsound).encode()
        succeed(repo.git.run("update-ref", "--stdin", stdin=listed, writes=True))
    return Brought(tuple(ref for ref in new if ref not in unsound), (*wrong, *unsound))


def _may_be(ref: str, id_: str) -> bool:
    return ref == f"{texts.REFS}/{id_}" or _PROMPT.fullmatch(ref) is not None


def _unsound(repo: Repo, refs: Mapping[str, str]) -> list[str]:
    """Those that are too large, no blobs, or whose content has another hash than their name."""
    if not refs:
        return []
    sizes = repo.objects.sizes(refs.values())
    fitting = {ref: id_ for ref, id_ in refs.items() if sizes.get(id_, MAX_BYTES + 1) <= MAX_BYTES}
    kinds = repo.objects.kinds(fitting.values())
    blobs = {ref: id_ for ref, id_ in fitting.items() if kinds.get(id_) == "blob"}
    contents = repo.objects.read_many("blob", [id_ for ref, id_ in blobs.items() if _PROMPT.fullmatch(ref)])
    good = {
        ref
        for ref, id_ in blobs.items()
        if id_ not in contents or ref == f"{prompts.REFS}/{hashlib.sha256(contents[id_]).hexdigest()}"
    }
    return [ref for ref in refs if ref not in good]
