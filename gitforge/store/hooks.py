"""The user's hooks, run as `git commit` runs them, on a copy.

Hooks may take long, and tools like the pre-commit framework put the user's unstaged changes away meanwhile:
killed then, they would be gone from the worktree. So hooks see a scratch folder with the commit's whole
content and an index of its own, but the repository's real HEAD and branch. An ephemeral linked worktree would
do too, but its HEAD is detached, which hooks that look at the branch mistake, and a kill leaves it in
`git worktree list`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gitforge.errors import UserError
from gitforge.store.process import Done, harmless, succeed
from gitforge.store.records import Entry, fields
from gitforge.store.repo import Repo
from gitforge.store.worktree import read_file, scratch_folder

HOOK_SECONDS = 300.0
"""How long one hook may take."""
SHOWN_LINES = 40

_BEFORE = ("pre-commit", "prepare-commit-msg", "commit-msg")
_AFTER = "post-commit"


@dataclass(frozen=True)
class Rewritten:
    """A file of ours that a hook has rewritten: its new entry, and its bytes after and before."""

    entry: Entry
    content: bytes
    before: bytes | None


@dataclass(frozen=True)
class Checked:
    """What the hooks have made of a commit.

    Attributes:
        message: Its message.
        files: Those of ours that they have rewritten.
    """

    message: str
    files: Mapping[str, Rewritten]


@dataclass(frozen=True)
class Hooks:
    """The hooks that there are.

    Attributes:
        folder: Where.
        before: Those that run before the commit, in git's order.
        has_post_commit: Whether one runs after it.
        seconds: How long each may take.
    """

    folder: Path
    before: tuple[str, ...]
    has_post_commit: bool
    seconds: float

    def run(self, repo: Repo, tree: str, message: str, paths: Sequence[str], work: Path) -> Checked:
        """Runs those before the commit.

        Args:
            repo: The repository.
            tree: The commit's tree.
            message: The commit's message.
            paths: What hooks may rewrite.
            work: The folder of the commit lock.

        Raises:
            UserError: One refuses, takes too long, or changes something else.
        """
        folder, index = scratch_folder(work), work / "hooks-index"
        index.unlink(missing_ok=True)
        files: dict[str, Rewritten] = {}
        if "pre-commit" in self.before:
            _check_out_copy(repo, tree, index=index, folder=folder)
            files = self._pre_commit(repo, tree, paths, index, folder)
        text = work / "COMMIT_EDITMSG"
        text.write_bytes(message.removesuffix("\n").encode("utf-8", "surrogateescape") + b"\n")
        for name, source in (("prepare-commit-msg", ("message",)), ("commit-msg", ())):
            if name in self.before:
                if not index.exists():
                    _check_out_copy(repo, tree, index=index, folder=folder)
                done = _run_hook(
                    repo, name, str(text), *source,
                    hooks=self.folder, timeout=self.seconds, index=index, folder=folder,
                )  # fmt: skip
                self._succeed(name, done)
        message = text.read_bytes().decode("utf-8", "surrogateescape")
        if not message.strip():
            raise UserError("the commit's message is empty after the user's hooks; nothing was recorded")
        return Checked(message, files)

    def _pre_commit(
        self, repo: Repo, tree: str, paths: Sequence[str], index: Path, folder: Path
    ) -> dict[str, Rewritten]:
        """A formatter fails once because it has rewritten a file: as its user would, add that, try again."""
        before = {path: read_file(folder, path) for path in paths}
        seen: dict[str, Entry | None] = {}
        while True:
            done = _run_hook(
                repo, "pre-commit", hooks=self.folder, timeout=self.seconds, index=index, folder=folder
            )
            if not done.timed_out:
                _take_in(repo, index=index, folder=folder)
            changed = _changed_entries(repo, tree, index=index)
            others = sorted(path for path, entry in changed.items() if path not in paths or entry is None)
            if done.status == 0 and others:
                raise UserError(
                    "the pre-commit hook changes what is not gitforge's to commit: "
                    f"{harmless(', '.join(others))}; nothing was recorded",
                    hint="Run the hook yourself and commit what it does, then try again.",
                )
            if done.status == 0 or others or changed == seen:
                self._succeed("pre-commit", done)
                break
            seen = changed
        files = {}
        for path, entry in changed.items():
            content = read_file(folder, path)
            if entry is None or not entry.is_file or content is None:
                raise UserError(f"the pre-commit hook leaves no file of {path}; nothing was recorded")
            files[path] = Rewritten(entry, content, before[path])
        return files

    def _succeed(self, name: str, done: Done) -> None:
        if done.timed_out:
            raise UserError(
                f"the {name} hook did not end in {self.seconds:.0f} seconds and was stopped; "
                "nothing was recorded",
                hint=f"Look into `{self.folder / name}`.",
            )
        if done.status != 0:
            lines = [harmless(line) for line in done.stderr.splitlines()][-SHOWN_LINES:]
            raise UserError(
                "\n".join([f"the {name} hook refuses the commit; nothing was recorded:", *lines]),
                hint="Correct what it names and try again.",
            )


def find_hooks(folder: Path, seconds: float) -> Hooks:
    """The hooks in a folder: no process is started where there is none."""
    before = tuple(name for name in _BEFORE if _is_hook(folder / name))
    return Hooks(folder, before, _is_hook(folder / _AFTER), seconds)


def run_post_commit(repo: Repo, hooks: Hooks) -> None:
    """Runs the hook after the commit, in the user's worktree; whether it fails is nothing to git or us."""
    if hooks.has_post_commit:
        _run_hook(repo, _AFTER, hooks=hooks.folder, timeout=hooks.seconds)


def _is_hook(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


def _check_out_copy(repo: Repo, tree: str, *, index: Path, folder: Path) -> None:
    """Fills an index and an empty folder of ours with a tree, as a fresh clone would have it."""
    git = repo.git.elsewhere(repo.git_dir, folder, index)
    succeed(git.run("read-tree", tree, writes=True))
    succeed(git.run("checkout-index", "--all", "--index", "--quiet", "--force", writes=True))


def _run_hook(
    repo: Repo, name: str, *arguments: str, hooks: Path, timeout: float, index: Path | None = None,
    folder: Path | None = None,
) -> Done:  # fmt: skip
    """Runs a hook as `git commit` does, in a folder and with an index of its own, or in the worktree."""
    locale = {name: os.environ.get(name, "") for name in ("LANGUAGE", "LC_ALL")}
    plain = {"GIT_LITERAL_PATHSPECS": "0", "GIT_EDITOR": ":", "GIT_PREFIX": "", **locale}
    git = repo.git.elsewhere(repo.git_dir, folder, index) if index and folder else repo.git
    return git.run(
        "hook", "run", "--ignore-missing", name, "--", *arguments,
        options=("-c", f"core.hooksPath={hooks}"), environment=plain, timeout=timeout, shielded=True,
        writes=True,
    )  # fmt: skip


def _take_in(repo: Repo, *, index: Path, folder: Path) -> None:
    """Puts what has changed in a folder of ours into its index, as `git add --update` does."""
    git = repo.git.elsewhere(repo.git_dir, folder, index)
    succeed(git.run("add", "--update", "--", ".", writes=True))


def _changed_entries(repo: Repo, tree: str, *, index: Path) -> dict[str, Entry | None]:
    """Where an index differs from a tree: its entry by path, None where it has none."""
    about = ("--cached", "--raw", "-z", "--no-renames", "--no-abbrev", "--ignore-submodules=all")
    done = repo.git.read("diff-index", *about, tree, environment={"GIT_INDEX_FILE": str(index)})
    parts = fields(done.stdout)
    changed: dict[str, Entry | None] = {}
    for description, path in zip(parts[::2], parts[1::2], strict=True):
        _, mode, _, id_, status = description.split(" ")
        changed[path] = None if status == "D" else Entry(mode, id_)
    return changed
