"""Makes a toolkit's files again from its manifest and git's objects alone, and verifies each of them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING

from gitforge.assemble import assemble
from gitforge.components import Component, split_front_matter
from gitforge.errors import UserError
from gitforge.inputs import component_of
from gitforge.manifest import Manifest, Part, Text
from gitforge.templates import Renderer
from gitforge.text import printable

if TYPE_CHECKING:
    from gitforge.store.records import Commit
    from gitforge.store.repo import Repo

_NEAREST = 200  # versions of a component that are looked at, the newest first


class TextLost(UserError):
    """A text that a toolkit was made from is not in the repository any more.

    Attributes:
        path: Its file, from the repository's root.
        nearest: The commit whose version comes closest to it, if there is one.
    """

    def __init__(self, message: str, hint: str, path: str | None, nearest: str | None) -> None:
        super().__init__(message, hint=hint)
        self.path = path
        self.nearest = nearest


class OtherText(UserError):
    """What was made again is not what the manifest says was assembled."""


def remake(
    repo: Repo,
    manifest: Manifest,
    name: str,
    *,
    on_disk: Mapping[str, str],
    only: Collection[str] | None = None,
) -> dict[str, str]:
    """Makes a toolkit's files again.

    Args:
        repo: The repository that has its texts.
        manifest: What it was made from.
        name: How errors call the manifest.
        on_disk: The toolkit's files as they are, which help to find what comes nearest to a text that is lost.
        only: The files that are wanted and verified; all of them by default.

    Returns:
        File name to text, as it was assembled.

    Raises:
        TextLost: A text is not there any more.
        OtherText: A file's SHA-256 is not the manifest's.
        UserError: The manifest does not say enough, or a template does not render.
    """
    refuse_old(manifest, name)
    components = [read_component(repo, part, name, on_disk) for part in manifest.parts]
    files = assemble(
        manifest.project, manifest.goal, components, manifest.book, renderer(repo, manifest, name)
    )
    wanted = files.keys() if only is None else only
    wrong = sorted(one for one in wanted if sha256_of(files.get(one, "")) != manifest.hashes.get(one))
    if wrong:
        raise OtherText(
            f"{name}: what it says gives another text than was assembled: {', '.join(map(printable, wrong))}",
            hint="The manifest was changed, or another version of gitforge "
            f"({printable(manifest.version)}) lays it out differently.",
        )
    return files


def read_component(repo: Repo, part: Part, name: str, on_disk: Mapping[str, str] | None = None) -> Component:
    """A component as the toolkit used it; arguments and errors are those of `remake`."""
    text = None if part.text.used is None else read_text(repo, part.text, name, on_disk)
    return component_of(part.need, text)


def renderer(repo: Repo, manifest: Manifest, name: str) -> Renderer:
    """The templates as they were; arguments and errors are those of `remake`."""

    def find(template: str) -> tuple[str, str] | None:
        text = manifest.templates.get(template)
        return None if text is None else (read_text(repo, text, name), f"library/{template}")

    return Renderer(find)


def read_text(repo: Repo, text: Text, name: str, on_disk: Mapping[str, str] | None = None) -> str:
    """A text as it was used; arguments and errors are those of `remake`."""
    try:
        return repo.objects.read_blob(text.used or "").decode("utf-8")
    except UnicodeDecodeError:
        raise OtherText(f"{name}: {text.used} is no text", hint="The manifest was changed.") from None
    except UserError:
        raise _lost(repo, text, name, on_disk or {}) from None


def sha256_of(text: str) -> str:
    """The hash of a file with this text."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def refuse_old(manifest: Manifest, name: str) -> None:
    """Refuses a manifest of a format that does not say enough; arguments are those of `remake`."""
    if manifest.format < 2:
        raise UserError(
            f"{name}: an older gitforge ({printable(manifest.version)}) wrote it, and it does not say all "
            "that the toolkit was made from",
            hint="Build the toolkit again: then it does.",
        )


def _lost(repo: Repo, text: Text, name: str, on_disk: Mapping[str, str]) -> TextLost:
    """That a text is gone, with the version in the history that comes nearest to it."""
    lost = f"{text.path or 'a template of gitforge'} as it was used ({(text.used or '')[:12]})"
    what = f"{name}: the repository has not got {lost}"
    if repo.is_shallow():
        hint = "This is a shallow clone: `git fetch --unshallow` brings the rest of the history."
        return TextLost(what, hint, text.path, None)
    if any(key.startswith("remote.") and key.endswith(".promisor") for key in repo.configuration.values):
        hint = "This is a partial clone, and where it came from did not give the text. Try again when it can."
        return TextLost(what, hint, text.path, None)
    if text.path is None or text.raw is not None or text.is_foreign:
        fetch = "`git fetch origin 'refs/gitforge/*:refs/gitforge/*'`"
        hint = f"{fetch} brings it, where the clone that built the toolkit has shared it."
        return TextLost(what, hint, text.path, None)
    nearest, stands = _nearest(repo, text.path, on_disk)
    if nearest is None:
        return TextLost(what, "The history was rewritten, and has no version of it at all.", text.path, None)
    why = "its text stands in the toolkit" if stands else "the newest one"
    hint = (
        f"The history was rewritten, or the text was never committed. The nearest version is that of "
        f"{nearest.id[:12]} ({nearest.subject}), {why}: `git show {nearest.id[:12]}:{text.path}`."
    )
    return TextLost(what, hint, text.path, nearest.id)


def _nearest(repo: Repo, path: str, on_disk: Mapping[str, str]) -> tuple[Commit | None, bool]:
    """The newest version whose text stands in the toolkit, and that it does; else the newest one."""
    newest = None
    with closing(repo.log.follow([path])) as changes:
        for one in islice(changes, _NEAREST):
            if one.new_blob is None:
                continue
            newest = newest or one.commit
            try:
                text = repo.objects.read_blob(one.new_blob).decode("utf-8", "replace")
            except UserError:
                continue
            body = split_front_matter(text)[1]
            if body.strip() and any(body in file for file in on_disk.values()):
                return one.commit, True
    return newest, False
