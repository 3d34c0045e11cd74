"""The repository: found, asked where things stand, its refs moved. Small verbs, plain frozen records back.

Git runs as a process (in `git`), never through GitPython's object model, for reasons in docs/commit-protocol.md;
what stands in plain files is read in this process (in `plain`), because starting git takes a millisecond. Paths
are named literally, from the worktree's top, after `--` and separated by NUL. Every method raises `UserError`
with git's own words where git fails. Verbs and options are explained in git's manual page of the same name.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from gitforge.errors import UserError
from gitforge.store import configuration, plain
from gitforge.store.configuration import Configuration
from gitforge.store.database import Database
from gitforge.store.discovery import MINIMUM_GIT, NoRepository, check_version, git_version, undiscovered
from gitforge.store.evidence import COMMANDS
from gitforge.store.git import DURABLE, Git, pathspecs
from gitforge.store.log import Log
from gitforge.store.process import Asked, Done, failure, run, start, succeed
from gitforge.store.records import (
    Entry,
    Generation,
    Head,
    Identity,
    IndexEntry,
    PathState,
    fields,
)
from gitforge.store.states import Listed

__all__ = [
    "MINIMUM_GIT",
    "CommitSettings",
    "Entry",
    "Generation",
    "Head",
    "Identity",
    "IndexEntry",
    "NoRepository",
    "PathState",
    "Repo",
    "git_version",
]

FALLBACK_NAME = "gitforge (no git identity set)"
FALLBACK_EMAIL = "gitforge@localhost.invalid"

_FEW = 100  # paths; of more git is asked at once, and whether they are there at all only afterwards

_RELATIVE_TO_START = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR")


@dataclass(frozen=True)
class CommitSettings:
    """Whether commits are signed, and the folder in which the user's hooks are."""

    sign: bool
    hooks: Path


@dataclass(frozen=True)
class Repo:
    """A repository with a worktree, and what was set in git when it was found.

    Args:
        root: Top of the worktree, absolute, without symlinks.
        git_dir: This worktree's git directory.
        common_dir: The git directory that all its worktrees share.
        index: The index's file, which need not exist.
        configuration: What is set in git, in every scope.
        algorithm: What ids are made by: `sha1` or `sha256`.
        environment: Variables for git beyond this process's own.
        memory: Where to keep what was read from the history, by name with what it depends on; None: in the git
            directory. With one, looking at the repository writes nothing there.
    """

    root: Path
    git_dir: Path
    common_dir: Path
    index: Path
    configuration: Configuration = field(repr=False, compare=False)
    algorithm: str
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    memory: dict[str, tuple[bytes, Any]] | None = field(default=None, repr=False, compare=False)

    # --- finding and making ------------------------------------------------------------------------------

    @classmethod
    def discover(cls, path: Path, meanwhile: Callable[[], object] = lambda: None) -> Repo:
        """The repository around a folder, as git finds it (GIT_DIR and its like are honoured).

        Args:
            path: The folder.
            meanwhile: What to do while git answers.

        Raises:
            UserError: The folder is missing or in no worktree, git is absent or too old, or git distrusts the
                repository's owner.
        """
        if not path.is_dir():
            raise UserError(f"{path} {'is not a folder' if path.exists() else 'does not exist'}")
        kind = ("--is-bare-repository", "--is-inside-work-tree")
        places = (
            "--git-dir",
            "--git-common-dir",
            "--git-path",
            "index",
            "--show-toplevel",
            "--show-object-format",
        )
        with (
            start(Path(os.curdir), "version") as version,  # three at once: each takes a millisecond
            start(path, "rev-parse", "--path-format=absolute", *kind, *places) as asked,
            start(path, *configuration.LIST) as listed,
        ):
            meanwhile()
            check_version(version.finish())
            done, listed_done = asked.finish(), listed.finish()
        answers = os.fsdecode(done.stdout).removesuffix("\n").split("\n")
        if done.status != 0:
            raise undiscovered(path, answers, done)
        if len(answers) != 7:
            raise UserError(f"the path of the repository around {path} contains a line break")
        git_dir, common_dir, index, root = (Path(answer) for answer in answers[2:6])
        found = {
            "GIT_DIR": git_dir,
            "GIT_WORK_TREE": root,
            "GIT_INDEX_FILE": index,
            "GIT_COMMON_DIR": common_dir,
        }
        # Relative to where git starts, which is another folder from now on.
        pinned = {name: str(found[name]) for name in _RELATIVE_TO_START if os.environ.get(name)}
        settings = Configuration.parse(succeed(listed_done))
        return cls(root, git_dir, common_dir, index, settings, answers[6], pinned)

    @classmethod
    def create(cls, path: Path) -> Repo:
        """A new repository in a folder, which is made if it is missing; `init.defaultBranch` is honoured.

        Raises:
            UserError: git is absent or too old, or it cannot write there.
        """
        path = Path(os.path.abspath(path))  # noqa: PTH100 -- the folder that one is in may be gone
        here = next(one for one in (path, *path.parents) if one.is_dir())
        check_version(run(here, "version"))
        chosen = run(here, "config", "--get", "init.defaultBranch").status == 0
        branch = () if chosen else ("-c", "init.defaultBranch=main")
        succeed(run(here, "init", "--quiet", "--", str(path), options=branch, writes=True))
        return cls.discover(path)

    @classmethod
    def outside(cls, folder: Path) -> Repo:
        """A stand-in for a folder that is in no repository: it knows what the user has set, and who they are.

        Raises:
            UserError: git cannot be started.
        """
        listed = succeed(run(folder, *configuration.LIST))
        return cls(folder, folder, folder, folder / "index", Configuration.parse(listed), "sha1")

    def relative(self, path: Path) -> str:
        """A path as git names it: from the worktree's top, with `/`.

        Raises:
            UserError: It is outside the worktree.
        """
        # As written first: resolving would follow a symlink that is itself in the repository.
        for candidate in (Path(os.path.abspath(path)), path.parent.resolve() / path.name):  # noqa: PTH100
            if candidate.is_relative_to(self.root):
                return candidate.relative_to(self.root).as_posix()
        raise UserError(f"{path} is outside the repository {self.root}")

    # --- what the user has set ---------------------------------------------------------------------------

    def anew(self, meanwhile: Callable[[], object] = lambda: None) -> Repo:
        """The same with what is set in git now, which the user may have changed while drafts were made.

        Args:
            meanwhile: What to do while git answers.
        """
        with self.git.start(*configuration.LIST) as asked:
            meanwhile()
            now = Configuration.parse(succeed(asked.finish()))
        return self if now == self.configuration else replace(self, configuration=now)

    def settings(self, section: str) -> dict[str, str]:
        """Every `section.*` of git's configuration: keys in lower case without the section, last values."""
        return self.configuration.section(section)

    def configure(self, key: str, value: str | None) -> None:
        """Sets a value in the repository's own configuration, for all its worktrees; None takes it out."""
        change = ("--unset-all", key) if value is None else ("--replace-all", key, value)
        done = self.git.run("config", "--local", *change, shielded=True, writes=True)
        if done.status not in {0, 5}:  # 5: it was not set (git-config(1))
            raise failure(done)

    def editor(self) -> str:
        """The user's editor, as a command for the shell, found as git finds it (git-var(1))."""
        return os.fsdecode(self.git.read("var", "GIT_EDITOR").stdout).removesuffix("\n")

    def pager(self) -> str:
        """The user's pager, as a command for the shell, found as git finds it; `cat` for none (git-var(1))."""
        return os.fsdecode(self.git.read("var", "GIT_PAGER").stdout).removesuffix("\n")

    def identity(self, role: Literal["AUTHOR", "COMMITTER"] = "AUTHOR") -> Identity:
        """Who the user's commits are by, or a fallback that says what it is where no identity is set."""
        if plain_one := self.configuration.identity(role.lower(), os.environ):
            return Identity(*plain_one)
        # Without useConfigOnly git makes up an address from the host's name; with it, it passes over EMAIL.
        email = os.environ.get("EMAIL")
        for given in ((), ("-c", f"user.email={email}")) if email else ((),):
            done = self.git.run("var", f"GIT_{role}_IDENT", options=("-c", "user.useConfigOnly=true", *given))
            if done.status == 0:
                name, _, rest = os.fsdecode(done.stdout).rpartition(" <")
                return Identity(name, rest.partition(">")[0])
            if "auto-detection is disabled" not in done.stderr and "empty ident" not in done.stderr:
                raise failure(done)
        return Identity(FALLBACK_NAME, FALLBACK_EMAIL, is_fallback=True)

    # --- where things stand ------------------------------------------------------------------------------

    @cached_property
    def git(self) -> Git:
        """Git in this worktree."""
        return Git(self.root, self.environment)

    @cached_property
    def objects(self) -> Database:
        """Blobs, trees and commits."""
        return Database(self.git, self.common_dir, self.configuration, self.algorithm)

    @property
    def log(self) -> Log:
        """Which commits changed what."""
        return Log(self.git)

    def head(self) -> Head:
        """The branch and commit that HEAD names now."""
        if (head := plain.read_head(self.git_dir, self.common_dir)) is not None:
            return head
        done = self.git.run("rev-parse", "HEAD", "--symbolic-full-name", "HEAD", "--", shielded=True)
        if done.status == 0:
            commit, ref, *_ = os.fsdecode(done.stdout).split("\n")
            # Git says HEAD if it is detached, and nothing if a branch is called HEAD too.
            return Head(ref if ref.startswith("refs/") else self._symbolic_head(), commit)
        if unborn := self._symbolic_head():
            return Head(unborn, None)
        raise failure(done)

    def _symbolic_head(self) -> str | None:
        done = self.git.read("symbolic-ref", "--quiet", "HEAD", accept=(0, 1))
        return os.fsdecode(done.stdout).removesuffix("\n") or None

    def operation_in_progress(self) -> str | None:
        """The merge, rebase, cherry-pick, revert, bisect or am that the user is in the middle of, or None."""
        applying = "am" if (self.git_dir / "rebase-apply" / "applying").exists() else "rebase"
        signs = {
            "MERGE_HEAD": "merge",
            "rebase-merge": "rebase",
            "rebase-apply": applying,
            "CHERRY_PICK_HEAD": "cherry-pick",
            "REVERT_HEAD": "revert",
            "BISECT_LOG": "bisect",
        }
        for name, operation in signs.items():
            if (self.git_dir / name).exists():
                return operation
        todo = self.git_dir / "sequencer" / "todo"  # between two picks of a series
        if todo.exists():
            return "revert" if todo.read_bytes().startswith(b"revert") else "cherry-pick"
        if (self.common_dir / "reftable").is_dir():  # where these two are refs, and no files
            for name in ("CHERRY_PICK_HEAD", "REVERT_HEAD"):
                if self.git.run("rev-parse", "--verify", "--quiet", name).status == 0:
                    return signs[name]
        return None

    def states(self, paths: Sequence[str]) -> dict[str, PathState]:
        """How each file stands in worktree, index and HEAD.

        One process, and a second that hashes the files which git does not know to be unchanged; none for those
        that are nowhere, as a missing component is.

        Args:
            paths: Names from the worktree's top. A path that is nowhere has three empty answers.
        """
        with self.ask_states(paths) as asked:
            return asked.answer()

    def ask_states(self, paths: Sequence[str]) -> Asked[dict[str, PathState]]:
        """As `states`, while something else is done, where there are many."""
        if len(paths) > _FEW:
            return self.ask_states_below(pathspecs(paths)).then(lambda states: states(paths))
        return Asked(lambda: self._states_of_few(paths))

    def ask_states_below(self, folders: Sequence[str]) -> Asked[Listed]:
        """As `ask_states`, of paths below folders that are known only later."""
        head = self.head().commit
        listing = self.git.start("status", *COMMANDS["status"], *folders, options=("--no-optional-locks",))
        tree = self.objects.ask_below(head, folders) if head is not None else Asked(dict[str, Entry])

        def answer() -> Listed:
            listed, entries = succeed(listing.finish()), tree.answer()
            return Listed(self.git, head, folders, listed, entries)

        def stop() -> None:
            listing.stop()
            tree.stop()

        return Asked(answer, stop)

    def _states_of_few(self, paths: Sequence[str]) -> dict[str, PathState]:
        nowhere = dict.fromkeys(self._nowhere(paths), PathState(None, None, staged=False))
        paths = [path for path in paths if path not in nowhere]
        if not paths:
            return nowhere
        folders = pathspecs(paths)
        listed = self.git.read("status", *COMMANDS["status"], *folders).stdout
        return nowhere | Listed(self.git, None, folders, listed, self.entries(paths))(paths)

    def _nowhere(self, paths: Sequence[str]) -> list[str]:
        """Those of the paths that certainly are neither in the worktree, nor in the index, nor in HEAD."""
        missing = [path for path in paths if not os.path.lexists(self.root / path)]
        absent = self.absent(missing, index=self.index) if missing else []
        committed = self.entries(absent) if absent else {}
        return [path for path in absent if path not in committed]

    def entries(self, paths: Sequence[str]) -> dict[str, Entry]:
        """What HEAD has at paths; of their whole folders, where many are asked for."""
        commit = self.head().commit
        return self.objects.entries(commit, paths) if commit is not None else {}

    def committed(self, path: str) -> bytes | None:
        """The content of a file in HEAD; None if HEAD lacks it."""
        entry = self.entries([path]).get(path)
        return self.objects.read_blob(entry.id) if entry is not None and entry.is_file else None

    def is_shallow(self) -> bool:
        """Whether the history is cut, as `git clone --depth` leaves it."""
        return (self.common_dir / "shallow").exists()

    def hint_where_cut(self, otherwise: str) -> str:
        """What to do where a commit is not found: it may be beyond the cut of a shallow clone; else something else."""
        if not self.is_shallow():
            return otherwise
        return "This is a shallow clone, so older commits are not here: `git fetch --unshallow` brings them."

    def cut_at(self) -> frozenset[str]:
        """The commits whose parents are not here, in a shallow clone: it seems as if they had added everything."""
        try:
            return frozenset((self.common_dir / "shallow").read_text("ascii").split())
        except FileNotFoundError:
            return frozenset()

    # --- refs ----------------------------------------------------------------------------------

    def absent(self, paths: Sequence[str], *, index: Path) -> list[str]:
        """Those of the paths that an index certainly has not, nor anything below them."""
        is_sparse = self.configuration.is_on("core.sparsecheckout")
        if is_sparse or next(self.git_dir.glob("sharedindex.*"), None) is not None:
            return []
        try:
            return plain.absent(index.read_bytes(), paths)
        except FileNotFoundError:
            return list(paths)

    def make_refs(self, refs: Mapping[str, str], *, timeout: float) -> None:
        """Lets refs keep objects, whatever they kept before.

        Args:
            refs: Ids of objects by refs.
            timeout: Seconds after which a hook of the user's is given up.

        Raises:
            UserError: A ref is being moved, or a hook refuses.
        """
        stdin = os.fsencode("".join(f"update {ref}\0{id_}\0\0" for ref, id_ in refs.items()))
        done = self.git.run("update-ref", "-z", "--stdin", options=DURABLE, stdin=stdin, timeout=timeout,
                         shielded=True, writes=True)  # fmt: skip
        succeed(done)

    def drop_refs(self, refs: Sequence[str], *, timeout: float) -> None:
        """Removes refs, there or not; arguments as in `make_refs`."""
        if refs:
            stdin = os.fsencode("".join(f"delete {ref}\0\0" for ref in refs))
            done = self.git.run("update-ref", "-z", "--stdin", options=DURABLE, stdin=stdin, timeout=timeout,
                             shielded=True, writes=True)  # fmt: skip
            succeed(done)

    def ignored(self, paths: Sequence[str]) -> list[str]:
        """Those of the paths that .gitignore and its like keep out of git."""
        with self.ask_ignored(paths) as asked:
            return asked.answer()

    def ask_ignored(self, paths: Sequence[str]) -> Asked[list[str]]:
        """As `ignored`, while something else is done; whether a path is tracked nevertheless is not asked."""
        if len(paths) <= _FEW and not any(map(self._may_be_ignored, paths)):
            return Asked(list[str])
        listed = b"".join(b"./%s\0" % os.fsencode(path) for path in paths)  # ./ because : starts a magic word
        environment = {"GIT_LITERAL_PATHSPECS": "0"}
        running = self.git.start(
            "check-ignore", "-z", "--no-index", "--stdin", stdin=listed, environment=environment
        )
        return Asked(lambda: _ignored(running.finish()), running.stop)

    def _may_be_ignored(self, path: str) -> bool:
        users = self.configuration.ignore_file(os.environ)
        return users is None or plain.may_be_ignored(
            self.root, path, (users, self.common_dir / "info" / "exclude")
        )

    # --- recovery and hooks ------------------------------------------------------------------------------

    def names(self) -> Iterator[tuple[str, str]]:
        """Branches and tags, each with what it is."""
        layout = "--format=%(refname:short)%09%(refname)"
        done = self.git.read("for-each-ref", layout, "refs/heads", "refs/remotes", "refs/tags")
        kinds = {"refs/heads/": "a branch", "refs/remotes/": "a remote's branch", "refs/tags/": "a tag"}
        for line in os.fsdecode(done.stdout).splitlines():
            short, _, full = line.partition("\t")
            yield short, next(kind for start, kind in kinds.items() if full.startswith(start))

    def commit_of(self, ref: str) -> str | None:
        """The id of the commit that a ref names; None if there is no such ref."""
        return self.object_of(f"{ref}^{{commit}}")

    def object_of(self, name: str) -> str | None:
        """The id of the object that a ref or another name of git's leads to; None if it leads nowhere."""
        done = self.git.read("rev-parse", "--verify", "--quiet", "--end-of-options", name, accept=(0, 1, 128))
        return done.stdout.decode().strip() or None if done.status == 0 else None

    def refuse_lost_head(self) -> None:
        """Says in plain words what makes git fail in many.

        Raises:
            UserError: HEAD names a commit that the repository has not.
        """
        head = self.head().commit
        if head is not None and self.git.run("cat-file", "-e", f"{head}^{{tree}}").status != 0:
            raise UserError(
                f"HEAD points nowhere: the repository has no whole commit {head}",
                hint="Run `git fsck` and `git reflog`; `git reset --soft` goes to a commit that is there.",
            )

    def contains(self, tip: str, commit: str) -> bool:
        """Whether a commit is another one or among its ancestors; a commit that does not exist is not."""
        done = self.git.run("merge-base", "--is-ancestor", commit, tip)
        if done.status not in {0, 1, 128}:
            raise failure(done)
        return done.status == 0

    def commit_settings(self) -> CommitSettings:
        """What `git commit` reads and `commit-tree` does not: whether to sign, and where hooks are."""
        hooks = self.configuration.values.get("core.hookspath")
        # A relative path is relative to where hooks run, which is the worktree's top (git-config(1)).
        folder = self.root / Path(hooks).expanduser() if hooks else self.common_dir / "hooks"
        return CommitSettings(self.configuration.is_on("commit.gpgsign"), folder)


def _ignored(done: Done) -> list[str]:
    if done.status not in {0, 1}:
        raise failure(done)
    return [path.removeprefix("./") for path in fields(done.stdout)]
