"""The only caller of git: small verbs, plain frozen records back.

Git runs as a process (in `process`), never through GitPython's object model, for reasons in
docs/commit-protocol.md. Paths are named literally, from the worktree's top, after `--` and separated by NUL.
Every method raises `UserError` with git's own words where git fails. Verbs and options are explained in git's
manual page of the same name.
"""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from gitforge.errors import UserError
from gitforge.store.process import Done, failure, harmless, run, stream, succeed
from gitforge.store.records import (
    SUBMODULE,
    TREE,
    Entry,
    Generation,
    Head,
    Identity,
    IndexEntry,
    PathState,
    Removal,
    fields,
    parse_generation,
    parse_removals,
    parse_status,
    parse_tree,
)

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
    "Removal",
    "Repo",
]

MINIMUM_GIT = (2, 36)
"""The first git with `core.fsync`, on which a recorded generation relies to survive a power cut."""

FALLBACK_NAME = "gitforge (no git identity set)"
FALLBACK_EMAIL = "gitforge@localhost.invalid"

_RELATIVE_TO_START = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR")
_DURABLE = ("-c", "core.fsync=committed,reference")  # by default git fsyncs neither loose objects nor refs
_NAMED_PATHS = 100  # with more, git is asked for their folders: it compares every entry with every path


@dataclass(frozen=True)
class CommitSettings:
    """Whether commits are signed, and the folder in which the user's hooks are."""

    sign: bool
    hooks: Path


class NoRepository(UserError):
    """There is no git repository around a folder."""


@dataclass(frozen=True)
class Repo:
    """A repository with a worktree.

    Args:
        root: Top of the worktree, absolute, without symlinks.
        git_dir: This worktree's git directory.
        common_dir: The git directory that all its worktrees share.
        index: The index's file, which need not exist.
        environment: Variables for git beyond this process's own.
    """

    root: Path
    git_dir: Path
    common_dir: Path
    index: Path
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    # --- finding and making ------------------------------------------------------------------------------

    @classmethod
    def discover(cls, path: Path) -> Repo:
        """The repository around a folder, as git finds it (GIT_DIR and its like are honoured).

        Raises:
            UserError: The folder is missing or in no worktree, git is absent or too old, or git distrusts the
                repository's owner.
        """
        if not path.is_dir():
            raise UserError(f"{path} {'is not a folder' if path.exists() else 'does not exist'}")
        _check_version()
        kind = ("--is-bare-repository", "--is-inside-work-tree")
        places = ("--git-dir", "--git-common-dir", "--git-path", "index", "--show-toplevel")
        done = run(path, "rev-parse", "--path-format=absolute", *kind, *places)
        answers = os.fsdecode(done.stdout).removesuffix("\n").split("\n")
        if done.status != 0:
            raise _undiscovered(path, answers, done)
        if len(answers) != 6:
            raise UserError(f"The path of the repository around {path} contains a line break")
        git_dir, common_dir, index, root = (Path(answer) for answer in answers[2:])
        found = {
            "GIT_DIR": git_dir,
            "GIT_WORK_TREE": root,
            "GIT_INDEX_FILE": index,
            "GIT_COMMON_DIR": common_dir,
        }
        # Relative to where git starts, which is another folder from now on.
        pinned = {name: str(found[name]) for name in _RELATIVE_TO_START if os.environ.get(name)}
        return cls(root, git_dir, common_dir, index, pinned)

    @classmethod
    def create(cls, path: Path) -> Repo:
        """A new repository in a folder, which is made if it is missing; `init.defaultBranch` is honoured.

        Raises:
            UserError: git is absent or too old, or it cannot write there.
        """
        _check_version()
        here = Path.cwd()
        chosen = run(here, "config", "--get", "init.defaultBranch").status == 0
        branch = () if chosen else ("-c", "init.defaultBranch=main")
        succeed(run(here, "init", "--quiet", "--", str(path), options=branch, writes=True))
        return cls.discover(path)

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

    def settings(self, section: str) -> dict[str, str]:
        """Every `section.*` of git's configuration: keys in lower case without the section, last values."""
        done = self._read("config", "-z", "--get-regexp", rf"^{re.escape(section)}\.", accept=(0, 1))
        found = {}
        for item in fields(done.stdout):
            key, _, value = item.partition("\n")
            # A key without a value is git's way to write a true.
            found[key.lower().removeprefix(f"{section.lower()}.")] = value if "\n" in item else "true"
        return found

    def editor(self) -> str:
        """The user's editor, as a command for the shell, found as git finds it (git-var(1))."""
        return os.fsdecode(self._read("var", "GIT_EDITOR").stdout).removesuffix("\n")

    def identity(self, role: Literal["AUTHOR", "COMMITTER"] = "AUTHOR") -> Identity:
        """Who the user's commits are by, or a fallback that says what it is where no identity is set."""
        # Without useConfigOnly git makes up an address from the host's name; with it, it passes over EMAIL.
        email = os.environ.get("EMAIL")
        for given in ((), ("-c", f"user.email={email}")) if email else ((),):
            done = self._run("var", f"GIT_{role}_IDENT", options=("-c", "user.useConfigOnly=true", *given))
            if done.status == 0:
                name, _, rest = os.fsdecode(done.stdout).rpartition(" <")
                return Identity(name, rest.partition(">")[0])
            if "auto-detection is disabled" not in done.stderr and "empty ident" not in done.stderr:
                raise failure(done)
        return Identity(FALLBACK_NAME, FALLBACK_EMAIL, is_fallback=True)

    # --- where things stand ------------------------------------------------------------------------------

    def head(self) -> Head:
        """The branch and commit that HEAD names now."""
        done = self._run("rev-parse", "HEAD", "--symbolic-full-name", "HEAD", "--", shielded=True)
        if done.status == 0:
            commit, ref, *_ = os.fsdecode(done.stdout).split("\n")
            # Git says HEAD if it is detached, and nothing if a branch is called HEAD too.
            return Head(ref if ref.startswith("refs/") else self._symbolic_head(), commit)
        if unborn := self._symbolic_head():
            return Head(unborn, None)
        raise failure(done)

    def _symbolic_head(self) -> str | None:
        done = self._read("symbolic-ref", "--quiet", "HEAD", accept=(0, 1))
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
                if self._run("rev-parse", "--verify", "--quiet", name).status == 0:
                    return signs[name]
        return None

    def states(self, paths: Sequence[str]) -> dict[str, PathState]:
        """How each file stands in worktree, index and HEAD.

        Two processes, and a third that hashes the files which git does not know to be unchanged.

        Args:
            paths: Names from the worktree's top. A path that is nowhere has three empty answers.
        """
        if not paths:
            return {}
        committed = {path: entry.id for path, entry in self.entries("HEAD", paths).items() if entry.is_file}
        about = ("--untracked-files=no", "--ignore-submodules=all", "--no-renames")
        listed = self._read("status", "--porcelain=v2", "-z", *about, "--", *_pathspecs(paths))
        changed = parse_status(listed.stdout)
        blobs: dict[str, str] = {}
        unknown = []
        for path in filter(lambda path: _is_regular(self.root / path), paths):
            change = changed.get(path)
            if change is None and path in committed:
                blobs[path] = committed[path]
            elif change is not None and change.in_worktree == "." and change.in_index != "D":
                blobs[path] = change.id
            else:
                unknown.append(path)
        blobs.update(zip(unknown, self._hash_files(unknown), strict=True))
        staged = {path for path, change in changed.items() if change.in_index != "."}
        return {path: PathState(blobs.get(path), committed.get(path), path in staged) for path in paths}

    def _hash_files(self, paths: Sequence[str]) -> list[str]:
        if not paths:
            return []
        listed = b"".join(b"%s\n" % _quoted(path) for path in paths)
        return self._read("hash-object", "--stdin-paths", stdin=listed).stdout.decode().split()

    # --- which commit ------------------------------------------------------------------------------------

    def last_commits(self, paths: Sequence[str]) -> dict[str, str]:
        """For each path the newest commit that HEAD has and that changed it, if there is one."""
        return dict(self._last_changes("%H", paths))

    def generation_of(self, paths: Sequence[str]) -> dict[str, Generation]:
        """As `last_commits`, with what the commit's message says."""
        layout = "%H%n%aI%n%an <%ae>%n%s%n%(trailers:only,unfold,key_value_separator=%x3A%x20)"
        return {path: parse_generation(header) for path, header in self._last_changes(layout, paths)}

    def removals(self, path: str, count: int) -> list[Removal]:
        """The newest commits that HEAD has and that took a file away, on whatever branch, newest first."""
        # A leading `/` tells a header from the raw lines, which name the blob as it was before.
        about = ("--diff-filter=D", "--raw", "--no-abbrev", "--no-renames", "--full-history", f"-{count}")
        plain = ("--no-show-signature", "--no-color", "--encoding=UTF-8", "--format=tformat:/%H%n%B")
        done = self._run("log", "-z", *about, *plain, "HEAD", "--", path,
                         options=("--no-optional-locks", "-c", "log.follow=false"))  # fmt: skip
        if done.status != 0 and self.head().commit is None:
            return []
        return parse_removals(succeed(done))

    def _last_changes(self, layout: str, paths: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Each path with the header of its newest change; reads only as far back as it has to."""
        wanted = set(paths)
        if not wanted:
            return
        with closing(self._changes(layout, _pathspecs(paths))) as changes:
            for path, header in changes:
                if path in wanted:
                    wanted.remove(path)
                    yield path, header
                if not wanted:
                    return

    def _changes(self, layout: str, pathspecs: Sequence[str]) -> Generator[tuple[str, str]]:
        """Each path that a commit changed, with the commit's header, newest first."""
        # A leading `/` tells a header from a path. Combined diffs, so that a merge counts only where it
        # changed what every parent has. The other options undo what a user's configuration may add.
        layout = f"--format=tformat:/{layout}"
        diff = ("--name-only", "--diff-merges=combined", "--no-renames")
        plain = ("--no-show-signature", "--no-color", "--encoding=UTF-8")
        options = ("--no-optional-locks", "-c", "log.showRoot=true", "-c", "log.follow=false")
        output = stream(self.root, "log", "-z", layout, *diff, *plain, "HEAD", "--", *pathspecs,
                        options=options, environment=self.environment)  # fmt: skip
        header = ""
        try:
            with closing(output) as items:
                for item in items:
                    if item.startswith("/"):
                        header = item[1:]
                    else:
                        yield item.removeprefix("\n"), header
        except UserError:
            if self.head().commit is not None:
                raise

    # --- objects -----------------------------------------------------------------------------------------

    def read_blob(self, id_: str) -> bytes:
        """The content of a blob, as the repository has it: no filter, no line ending changed."""
        return self._read("cat-file", "blob", id_).stdout

    def write_blob(self, content: bytes, *, path: str | None) -> str:
        """The id of a blob with this content, which is stored durably.

        Args:
            content: A file's bytes.
            path: The worktree's file that these are the bytes of, so that its clean filters and line ending
                rules apply; None if the content is already as the repository has it.
        """
        filters = (f"--path={path}",) if path is not None else ("--no-filters",)
        return self._write_object("hash-object", "-w", "--stdin", *filters, stdin=content)

    def committed(self, path: str) -> bytes | None:
        """The content of a file in HEAD; None if HEAD lacks it."""
        entry = self.entries("HEAD", [path]).get(path)
        return self.read_blob(entry.id) if entry is not None and entry.is_file else None

    def entries(self, treeish: str, paths: Sequence[str]) -> dict[str, Entry]:
        """What a tree has at paths (their folders, where many are asked for); HEAD may be unborn."""
        done = self._run("ls-tree", "-z", "--full-tree", treeish, "--", *_pathspecs(paths, below="/"))
        if done.status != 0 and treeish == "HEAD" and self.head().commit is None:
            return {}
        return parse_tree(succeed(done))

    def read_tree(self, treeish: str) -> dict[str, Entry]:
        """The entries of one folder by name; `treeish` is a tree's or a commit's id."""
        return parse_tree(self._read("ls-tree", "-z", "--full-tree", treeish).stdout)

    def write_tree(self, entries: Mapping[str, Entry]) -> str:
        """The id of a folder with these entries, which is stored durably."""
        kinds = {TREE: "tree", SUBMODULE: "commit"}
        lines = (f"{e.mode} {kinds.get(e.mode, 'blob')} {e.id}\t{name}\0" for name, e in entries.items())
        # --missing: a partial clone lacks objects that are not ours to fetch.
        return self._write_object("mktree", "-z", "--missing", stdin=os.fsencode("".join(lines)))

    def write_commit(
        self, tree: str, parent: str | None, message: str, *, author: Identity, committer: Identity,
        sign: bool, timeout: float,
    ) -> str:  # fmt: skip
        """The id of a new commit, which no ref points at yet.

        Args:
            tree: Id of its tree.
            parent: Id of the commit before it; None for a first one.
            message: The whole message, with trailers.
            author: Whose work it is.
            committer: Who records it.
            sign: Sign it with the user's key.
            timeout: Seconds after which a signing program is given up.

        Raises:
            UserError: It could not be signed in time, or git refuses the message.
        """
        people = {
            "GIT_AUTHOR_NAME": author.name, "GIT_AUTHOR_EMAIL": author.email,
            "GIT_COMMITTER_NAME": committer.name, "GIT_COMMITTER_EMAIL": committer.email,
        }  # fmt: skip
        options = [*(("-S",) if sign else ()), *(("-p", parent) if parent else ()), "-F", "-"]
        text = message.removesuffix("\n").encode("utf-8", "surrogateescape") + b"\n"
        encoding = ("-c", "i18n.commitEncoding=UTF-8")
        done = self._run("commit-tree", *options, tree, options=(*_DURABLE, *encoding),
                         stdin=text, environment=people, timeout=timeout, writes=True)  # fmt: skip
        if sign and done.status != 0 and not done.timed_out:
            hint = "Unlock or correct your signing key, or set commit.gpgsign to false in this repository"
            raise UserError(failure(done).message, hint=hint)
        return _id(done)

    # --- index and refs ----------------------------------------------------------------------------------

    def index_entries(self, paths: Sequence[str], *, index: Path) -> list[IndexEntry]:
        """What an index has at paths and, where a path is a folder there, below it."""
        done = self._read(
            "ls-files", "-z", "--stage", "--", *paths, environment={"GIT_INDEX_FILE": str(index)}
        )
        entries = []
        for item in fields(done.stdout):
            description, _, path = item.partition("\t")
            mode, id_, stage = description.split(" ")
            entries.append(IndexEntry(mode, id_, path, int(stage)))
        return entries

    def update_index(self, entries: Mapping[str, Entry], *, index: Path) -> None:
        """Puts entries into an index, which is made if it is missing.

        Raises:
            UserError: A file of the index is where a folder would have to be, or the reverse.
        """
        added = [word for path, e in entries.items() for word in ("--cacheinfo", f"{e.mode},{e.id},{path}")]
        environment = {"GIT_INDEX_FILE": str(index)}
        succeed(self._run("update-index", "--add", *added, environment=environment, writes=True))

    def move_head(self, head: Head, commit: str, *, reason: str, timeout: float) -> None:
        """Moves HEAD's branch, or a detached HEAD, by compare-and-swap.

        Args:
            head: What HEAD has to be still.
            commit: The commit to move to.
            reason: The reflog's message.
            timeout: Seconds after which a hook of the user's is given up.

        Raises:
            UserError: HEAD is elsewhere by now, or is being moved, or a hook refuses.
        """
        no_deref = "option no-deref\0" if head.ref is None else ""
        old = head.commit or "0" * len(commit)
        command = f"{no_deref}update {head.ref or 'HEAD'}\0{commit}\0{old}\0"
        stdin = os.fsencode(command)
        done = self._run("update-ref", "-m", reason, "-z", "--stdin", options=_DURABLE, stdin=stdin,
                         timeout=timeout, shielded=True, writes=True)  # fmt: skip
        succeed(done)

    def ignored(self, paths: Sequence[str]) -> list[str]:
        """Those of the paths that .gitignore and its like keep out of git."""
        listed = b"".join(b"./%s\0" % os.fsencode(path) for path in paths)  # ./ because : starts a magic word
        done = self._read("check-ignore", "-z", "--stdin", stdin=listed, accept=(0, 1),
                          environment={"GIT_LITERAL_PATHSPECS": "0"})  # fmt: skip
        return [path.removeprefix("./") for path in fields(done.stdout)]

    # --- running git -------------------------------------------------------------------------------------

    def _run(
        self, verb: str, *arguments: str, options: Sequence[str] = (), stdin: bytes | None = None,
        environment: Mapping[str, str] | None = None, timeout: float | None = None, shielded: bool = False,
        writes: bool = False,
    ) -> Done:  # fmt: skip
        return run(
            self.root, verb, *arguments, options=options, stdin=stdin, timeout=timeout, shielded=shielded,
            environment={**self.environment, **(environment or {})}, writes=writes,
        )  # fmt: skip

    def _read(
        self, verb: str, *arguments: str, stdin: bytes | None = None,
        environment: Mapping[str, str] | None = None, accept: Sequence[int] = (0,),
    ) -> Done:  # fmt: skip
        done = self._run(
            verb, *arguments, options=("--no-optional-locks",), stdin=stdin, environment=environment
        )
        if done.status not in accept:
            raise failure(done)
        return done

    def _write_object(self, verb: str, *arguments: str, stdin: bytes) -> str:
        return _id(self._run(verb, *arguments, options=_DURABLE, stdin=stdin, writes=True))

    # --- recovery and hooks ------------------------------------------------------------------------------

    def commit_of(self, ref: str) -> str | None:
        """The id of the commit that a ref names; None if there is no such ref."""
        done = self._read(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}", accept=(0, 1, 128)
        )
        return done.stdout.decode().strip() or None if done.status == 0 else None

    def refuse_lost_head(self) -> None:
        """Says in plain words what makes git fail in many.

        Raises:
            UserError: HEAD names a commit that the repository has not.
        """
        head = self.head().commit
        if head is not None and self._run("cat-file", "-e", f"{head}^{{tree}}").status != 0:
            raise UserError(
                f"HEAD points nowhere: the repository has no whole commit {head}",
                hint="Run `git fsck` and `git reflog`; `git reset --soft` goes to a commit that is there",
            )

    def contains(self, tip: str, commit: str) -> bool:
        """Whether a commit is another one or among its ancestors; a commit that does not exist is not."""
        return self._run("merge-base", "--is-ancestor", commit, tip).status == 0

    def refresh_copy(self, paths: Sequence[str], *, index: Path) -> None:
        """Lets git note that files are unchanged, in a file that is not the index yet and is replaced."""
        about = ("--porcelain", "--untracked-files=no", "--ignore-submodules=all")
        there = {"GIT_OPTIONAL_LOCKS": "1", "GIT_INDEX_FILE": str(index)}
        self._run("status", *about, "--", *_pathspecs(paths), environment=there, shielded=True, writes=True)

    def commit_settings(self) -> CommitSettings:
        """What `git commit` reads and `commit-tree` does not: whether to sign, and where hooks are."""
        done = self._read(
            "config", "-z", "--get-regexp", r"^(commit\.gpgsign|core\.hookspath)$", accept=(0, 1)
        )
        found = dict(
            item.partition("\n")[::2] if "\n" in item else (item, "true") for item in fields(done.stdout)
        )
        hooks = found.get("core.hookspath")
        is_on = found.get("commit.gpgsign", "false").lower() in {"true", "yes", "on", "1"}
        # A relative path is relative to where hooks run, which is the worktree's top (git-config(1)).
        folder = self.root / Path(hooks).expanduser() if hooks else self.common_dir / "hooks"
        return CommitSettings(is_on, folder)

    def check_out_copy(self, tree: str, *, index: Path, folder: Path) -> None:
        """Fills an index and an empty folder of ours with a tree, as a fresh clone would have it."""
        there = self._elsewhere(index, folder)
        succeed(self._run("read-tree", tree, environment=there, writes=True))
        arguments = ("--all", "--index", "--quiet", "--force")
        succeed(run(folder, "checkout-index", *arguments, environment=there, writes=True))

    def run_hook(
        self, name: str, *arguments: str, hooks: Path, timeout: float, index: Path | None = None,
        folder: Path | None = None,
    ) -> Done:  # fmt: skip
        """Runs a hook as `git commit` does, in a folder and with an index of its own, or in the worktree.

        Args:
            name: The hook.
            arguments: The hook's.
            hooks: The folder of the hooks.
            timeout: Seconds after which it is stopped.
            index: The index that it sees.
            folder: The worktree that it sees.
        """
        locale = {name: os.environ.get(name, "") for name in ("LANGUAGE", "LC_ALL")}
        plain = {"GIT_LITERAL_PATHSPECS": "0", "GIT_EDITOR": ":", "GIT_PREFIX": "", **locale}
        there = self._elsewhere(index, folder) if index and folder else {**self.environment}
        return run(
            folder or self.root, "hook", "run", "--ignore-missing", name, "--", *arguments,
            options=("-c", f"core.hooksPath={hooks}"), environment={**there, **plain}, timeout=timeout,
            shielded=True, writes=True,
        )  # fmt: skip

    def take_in(self, *, index: Path, folder: Path) -> None:
        """Puts what has changed in a folder of ours into its index, as `git add --update` does."""
        there = self._elsewhere(index, folder)
        succeed(run(folder, "add", "--update", "--", ".", environment=there, writes=True))

    def changed_entries(self, tree: str, *, index: Path) -> dict[str, Entry | None]:
        """Where an index differs from a tree: its entry by path, None where it has none."""
        about = ("--cached", "--raw", "-z", "--no-renames", "--no-abbrev", "--ignore-submodules=all")
        done = self._read("diff-index", *about, tree, environment={"GIT_INDEX_FILE": str(index)})
        parts = fields(done.stdout)
        changed: dict[str, Entry | None] = {}
        for description, path in zip(parts[::2], parts[1::2], strict=True):
            _, mode, _, id_, status = description.split(" ")
            changed[path] = None if status == "D" else Entry(mode, id_)
        return changed

    def verify(self, commits: Sequence[str]) -> None:
        """Reads commits with all their trees and blobs, and compares each with its id.

        Raises:
            UserError: An object is missing or damaged.
        """
        listed = "".join(f"{commit}\n" for commit in commits).encode()
        self._read(
            "rev-list", "--objects", "--verify-objects", "--no-walk", "--quiet", "--stdin", stdin=listed
        )

    def _elsewhere(self, index: Path, folder: Path) -> dict[str, str]:
        places = {"GIT_DIR": self.git_dir, "GIT_WORK_TREE": folder, "GIT_INDEX_FILE": index}
        return {**self.environment, **{name: str(place) for name, place in places.items()}}


def _id(done: Done) -> str:
    return succeed(done).decode().removesuffix("\n")


def _pathspecs(paths: Sequence[str], *, below: str = "") -> Sequence[str]:
    """What to ask git for so that its answer has all of the paths.

    Args:
        paths: Files.
        below: What git's verb wants behind a folder's name, to list what is in it.
    """
    if len(paths) <= _NAMED_PATHS:
        return paths
    folders = ((path.rpartition("/")[0], path) for path in paths)
    return sorted({folder + below if folder else path for folder, path in folders})


def _quoted(path: str) -> bytes:
    """As git reads a path in double quotes, where a line is a path."""
    escaped = path.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
    return b'"%s"' % os.fsencode(escaped)


def _is_regular(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _check_version() -> None:
    said = succeed(run(Path(os.curdir), "version")).decode(errors="replace")
    found = re.search(r"(\d+)\.(\d+)\S*", said)
    if found is None or (int(found[1]), int(found[2])) < MINIMUM_GIT:
        version = found[0] if found else harmless(said.strip())
        least = ".".join(map(str, MINIMUM_GIT))
        raise UserError(
            f"git {version} is too old: gitforge needs {least} or newer",
            hint="Install a newer git from https://git-scm.com/downloads",
        )


def _undiscovered(path: Path, answers: Sequence[str], done: Done) -> UserError:
    """Why rev-parse found no worktree; `answers` is how far it came."""
    trust = re.search(r"git config --global --add safe\.directory .*", done.stderr)
    if trust is not None:
        owner = f"git distrusts the repository around {path}, because somebody else owns it"
        return UserError(harmless(owner), hint=f"If you trust it, run: {harmless(trust[0])}")
    if "not a git repository" in done.stderr:
        return NoRepository(
            harmless(f"No git repository in {path} or above it"), hint="Run `gitforge init` to make one"
        )
    if answers[:1] == ["true"]:
        bare = f"The repository in {path} is bare: it has no worktree to put a component in"
        return UserError(harmless(bare), hint="Clone it, or add a worktree with `git worktree add`")
    if answers[1:2] == ["false"]:
        return UserError(harmless(f"{path} is inside git's own folder"), hint="Go to the worktree's folder")
    return failure(done)
