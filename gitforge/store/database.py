"""The objects of a repository: blobs, trees and commits, read and written in this process where that can be."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from gitforge.errors import UserError
from gitforge.store import plain
from gitforge.store.configuration import Configuration
from gitforge.store.git import DURABLE, Git, pathspecs
from gitforge.store.objects import (
    Begun,
    CommitObject,
    Kept,
    LooseObjects,
    Tree,
    commit_object,
    settle,
    timed_now,
)
from gitforge.store.process import Asked, Done, failure, succeed
from gitforge.store.records import TREE, Entry, Identity, parse_tree

_DATES = {"GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"}
_KEPT_TREES = 12
_MOST_TOGETHER = 32  # objects: a file and a thread for each
_WALKED_PATHS = 8  # with more, git is asked: one process for all of them


class Database:
    """The objects that the worktrees of a repository share. Every method raises `UserError` where git fails.

    Args:
        git: git in one of the worktrees.
        common_dir: The git directory that they share.
        configuration: What is set in git.
        algorithm: What ids are made by: `sha1` or `sha256`.
    """

    def __init__(self, git: Git, common_dir: Path, configuration: Configuration, algorithm: str) -> None:
        self._git = git
        self._common_dir = common_dir
        self._configuration = configuration
        self._algorithm = algorithm
        self._together: list[Begun] | None = None
        self._trees: Kept[Tree] = Kept(_KEPT_TREES)  # what an id names cannot change

    def read_blob(self, id_: str) -> bytes:
        """The content of a blob, as the repository has it: no filter, no line ending changed."""
        return self._read_object("blob", id_)

    def _read_object(self, kind: str, id_: str) -> bytes:
        found = self.loose.read(kind, id_) if self.loose is not None else None
        if found is not None:
            return found
        return self._git.read("cat-file", kind, id_).stdout  # packed, say

    def read_many(self, kind: str, ids: Iterable[str]) -> dict[str, bytes]:
        """The contents of many objects, by id; one process for all that are packed.

        Args:
            kind: What each of them is.
            ids: Their ids.
        """
        found, packed = {}, []
        for id_ in dict.fromkeys(ids):
            content = self.loose.read(kind, id_) if self.loose is not None else None
            if content is None:
                packed.append(id_)
            else:
                found[id_] = content
        if packed:
            found |= self._read_packed(kind, packed)
        return found

    def _read_packed(self, kind: str, ids: Sequence[str]) -> dict[str, bytes]:
        listed = "".join(f"{id_}\n" for id_ in ids).encode()
        output = self._git.read("cat-file", "--batch", stdin=listed).stdout
        found, at = {}, 0
        for id_ in ids:
            end = output.index(b"\n", at)
            header = output[at:end].decode().split(" ")
            if header[1:2] != [kind]:
                raise UserError(f"the repository has no whole {kind} {id_}", hint="Run `git fsck`.")
            size = int(header[2])
            found[id_] = output[end + 1 : end + 1 + size]
            at = end + 1 + size + 1
        return found

    def sizes(self, ids: Iterable[str], kind: str | None = None) -> dict[str, int]:
        """How many bytes objects have, by id; those that are not here, or not of the kind, are left out.

        Args:
            ids: Their ids.
            kind: `blob`, `tree`, `commit` or `tag`; None for whatever they are.
        """
        listed = "".join(f"{id_}\n" for id_ in dict.fromkeys(ids)).encode()
        if not listed:
            return {}
        layout = "--batch-check=%(objectname) %(objecttype) %(objectsize)"
        lines = self._git.read("cat-file", layout, stdin=listed).stdout.decode().splitlines()
        found = (line.split(" ") for line in lines)
        return {words[0]: int(words[2]) for words in found if len(words) == 3 and kind in {None, words[1]}}

    def write_blob(self, content: bytes) -> str:
        """The id of a blob with this content, as it is, which is stored durably."""
        return self._write_object("blob", content)

    def is_unfiltered(self, content: bytes, path: str) -> bool:
        """Whether neither settings nor attributes can change a file's content on its way into git or out of it."""
        return self.unfiltered({path: content}) == {path}

    def unfiltered(self, files: Mapping[str, bytes]) -> set[str]:
        """Those of many files, each with its content, of which that is so."""
        if self._configuration.converts:
            return set()
        plain_folders: dict[str, bool] = {}
        found = set()
        for path, content in files.items():
            folder = path.rpartition("/")[0]
            if folder not in plain_folders:
                places = plain.attribute_files(self._git.root, self._common_dir, path, os.environ)
                plain_folders[folder] = not any(map(os.path.lexists, places))
            if plain_folders[folder] and not (b"\r" in content or b"$Id" in content):
                found.add(path)
        return found

    def write_file(self, content: bytes, path: str) -> str:
        """The id of a blob, stored durably after the clean filters and line ending rules of the file that it is for.

        Args:
            content: The bytes in the worktree.
            path: The file.
        """
        if self.is_unfiltered(content, path):
            return self.write_blob(content)
        arguments = ("-w", "--stdin", f"--path={path}")
        return _id(self._git.run("hash-object", *arguments, options=DURABLE, stdin=content, writes=True))

    def id_of_file(self, content: bytes, path: str) -> str:
        """The id that `write_file` would give; nothing is stored."""
        if self.loose is not None and self.is_unfiltered(content, path):
            return self.loose.id_of("blob", content)
        return _id(self._git.run("hash-object", "--stdin", f"--path={path}", stdin=content))

    def _write_object(self, kind: str, content: bytes) -> str:
        if self.loose is not None and self._together is not None:
            id_, begun = self.loose.begin(kind, content)
            self._together += [begun] if begun is not None else []
            if len(self._together) >= _MOST_TOGETHER:
                self.settle()
            return id_
        if self.loose is not None:
            return self.loose.write(kind, content)
        arguments = ("-w", "-t", kind, "--no-filters", "--stdin")
        return _id(self._git.run("hash-object", *arguments, options=DURABLE, stdin=content, writes=True))

    @contextmanager
    def together(self) -> Iterator[None]:
        """Has the objects that are written in the block on the disk, and where git finds them, by its end.

        They are so before that where a commit of them is written in it, or `settle` is called. A block in a block ends
        with that.

        Raises:
            OSError: The disk is full, or the folder cannot be written to.
        """
        if self._together is not None:
            yield
            return
        self._together = []
        try:
            yield
            self.settle()
        finally:
            begun, self._together = self._together, None
            for one in begun:
                one.give_up()

    def settle(self) -> None:
        """Ends the wait of what is written `together`, for a git that is to find it."""
        if self._together:
            begun, self._together = self._together, []
            settle(begun)

    def entries(self, treeish: str, paths: Sequence[str]) -> dict[str, Entry]:
        """What a tree or a commit has at paths; of their whole folders, where many are asked for."""
        if len(paths) <= _WALKED_PATHS:
            return {path: entry for path in paths if (entry := self._entry(treeish, path)) is not None}
        done = self._git.read("ls-tree", "-z", "--full-tree", treeish, "--", *pathspecs(paths, below="/"))
        return parse_tree(done.stdout)

    def ask_below(self, treeish: str, folders: Sequence[str]) -> Asked[dict[str, Entry]]:
        """All files that a tree or a commit has below folders, or that are named, while something else is done."""
        specs = [one for folder in folders for one in (folder, f"{folder}/")]
        listing = self._git.start(
            "ls-tree", "-r", "-z", "--full-tree", treeish, "--", *specs, options=("--no-optional-locks",)
        )
        return Asked(lambda: parse_tree(succeed(listing.finish())), listing.stop)

    def _entry(self, treeish: str, path: str) -> Entry | None:
        tree = self.read_tree(treeish)
        *folders, name = path.split("/")
        for folder in folders:
            entry = tree.get(folder)
            if entry is None or entry.mode != TREE:
                return None
            tree = self.read_tree(entry.id)
        return tree.get(name)

    def read_tree(self, treeish: str | None) -> Tree:
        """One folder; `treeish` is a tree's or a commit's id, or None for an empty one."""
        if treeish is None:
            return Tree(b"", hashlib.new(self._algorithm, usedforsecurity=False).digest_size)
        tree = self._trees.get(treeish)
        if tree is None:
            commit = self.loose.read("commit", treeish) if self.loose is not None else None
            id_ = commit[len("tree ") : commit.index(b"\n")].decode() if commit else treeish
            tree = self._trees.get(id_) or Tree(self._read_object("tree", id_), len(treeish) // 2)
            self._trees[treeish] = tree
        return tree

    def empty_tree(self) -> str:
        """The id of a folder with nothing in it, which git knows without having it."""
        return hashlib.new(self._algorithm, b"tree 0\0", usedforsecurity=False).hexdigest()

    def write_tree(self, tree: Tree) -> str:
        """The id of a folder, which is stored durably."""
        id_ = self._write_object("tree", tree.raw)
        self._trees[id_] = tree
        return id_

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
        text = message.removesuffix("\n").encode("utf-8", "surrogateescape") + b"\n"
        if not sign and b"\0" not in text and not _DATES & os.environ.keys():  # a NUL git refuses
            id_ = self._write_object("commit", commit_object(tree, parent, text, author, committer))
            self.settle()
            return id_
        self.settle()
        people = {
            "GIT_AUTHOR_NAME": author.name, "GIT_AUTHOR_EMAIL": author.email,
            "GIT_COMMITTER_NAME": committer.name, "GIT_COMMITTER_EMAIL": committer.email,
        }  # fmt: skip
        options = [*(("-S",) if sign else ()), *(("-p", parent) if parent else ())]
        return self._commit_tree(options, tree, text, people, "UTF-8", timeout=timeout)

    def write_again(self, commit: CommitObject, *, committer: Identity, sign: bool, timeout: float) -> str:
        """The id of a commit made anew by another committer, now: author, time and message are the old one's.

        Args:
            commit: What it is to be.
            committer: Who makes it.
            sign: Sign it with the user's key.
            timeout: Seconds after which a signing program is given up.

        Raises:
            UserError: It could not be signed in time, or git refuses it.
        """
        if not sign and not _DATES & os.environ.keys():
            return self._write_object("commit", commit.content(timed_now(committer)))
        author, _, date = commit.author.rpartition(b"> ")
        name, _, email = author.partition(b" <")
        people = {
            "GIT_AUTHOR_NAME": os.fsdecode(name), "GIT_AUTHOR_EMAIL": os.fsdecode(email),
            "GIT_AUTHOR_DATE": f"@{os.fsdecode(date)}",
            "GIT_COMMITTER_NAME": committer.name, "GIT_COMMITTER_EMAIL": committer.email,
        }  # fmt: skip
        parents = [word for parent in commit.parents for word in ("-p", parent)]
        encoding = os.fsdecode(commit.encoding or b"UTF-8")
        return self._commit_tree(
            ["-S", *parents] if sign else parents,
            commit.tree,
            commit.message,
            people,
            encoding,
            timeout=timeout,
        )

    def _commit_tree(
        self, options: Sequence[str], tree: str, message: bytes, people: Mapping[str, str], encoding: str,
        *, timeout: float,
    ) -> str:  # fmt: skip
        settings = (*DURABLE, "-c", f"i18n.commitEncoding={encoding}")
        done = self._git.run("commit-tree", *options, "-F", "-", tree, options=settings,
                             stdin=message, environment=people, timeout=timeout, writes=True)  # fmt: skip
        if "-S" in options and done.status != 0 and not done.timed_out:
            hint = "Unlock or correct your signing key, or set commit.gpgsign to false in this repository."
            raise UserError(failure(done).message, hint=hint)
        return _id(done)

    def verify(self, commits: Sequence[str]) -> None:
        """Reads commits with all their trees and blobs, and compares each with its id.

        Raises:
            UserError: An object is missing or damaged.
        """
        listed = "".join(f"{commit}\n" for commit in commits).encode()
        self._git.read(
            "rev-list", "--objects", "--verify-objects", "--no-walk", "--quiet", "--stdin", stdin=listed
        )

    @cached_property
    def loose(self) -> LooseObjects | None:
        """The loose objects; None where something is set about them that is not understood here."""
        level = self._configuration.compression
        if os.environ.get("GIT_OBJECT_DIRECTORY") or level is None or not self._configuration.stores_plainly:
            return None
        if plain.has_replacements(self._common_dir):  # which only git looks through
            return None
        return LooseObjects(self._common_dir / "objects", self._algorithm, level)


def _id(done: Done) -> str:
    return succeed(done).decode().removesuffix("\n")
