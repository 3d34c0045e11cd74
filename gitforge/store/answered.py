"""Notes what an answer rests on while it is looked for, and keeps both, so that `answers` can give it again.

A file that was written just before it was looked at may be written again without a trace, so an answer that rests on
one is not kept; nor is one that rests on where a symbolic link leads.
"""

from __future__ import annotations

import stat
import time
from collections.abc import Sequence
from pathlib import Path

from gitforge.store import evidence
from gitforge.store.answers import Kept, file_of
from gitforge.store.configuration import LIST, Configuration
from gitforge.store.durable import replace_if_possible
from gitforge.store.evidence import ABSENT, COMMANDS, look
from gitforge.store.origins_file import history_key
from gitforge.store.repo import Repo
from gitforge.store.states import Listed

_MOST_FILES, _MOST_HASHED = 4_000, 50  # more, and looking at them again takes as long as finding the answer
_FINE, _COARSE = 50_000_000, 2_000_000_000  # nanoseconds within which a file system's clock certainly goes on
_OWN_SIGNS = (
    "HEAD", "MERGE_HEAD", "rebase-merge", "rebase-apply", "CHERRY_PICK_HEAD", "REVERT_HEAD", "BISECT_LOG",
    "sequencer",
)  # fmt: skip
_SHARED_SIGNS = ("shallow", "info/grafts", "packed-refs", "refs/replace", "reftable")
_UNFINISHED = ("gitforge/journal.json", "gitforge/scratch")  # a recording, which recovery looks at each time


class Evidence:
    """Notes what an answer rests on while it is looked for, each file before it is read.

    Args:
        root: The workspace.

    Attributes:
        files: What `evidence.look` said of each file.
        listed: How files stand, as git said.
        commits: The commits that were looked for, and those of them that are here, as git lists them.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.files: dict[str, str] = {}
        self.listed: Listed | None = None
        self.commits: tuple[tuple[str, ...], bytes] = ((), b"")
        self._is_whole = True
        self._begun = time.time_ns()

    @property
    def is_whole(self) -> bool:
        """Whether all is noted that the answer rests on, and will tell when it is another."""
        few = (
            len(self.files) <= _MOST_FILES
            and self.listed is not None
            and len(self.listed.hashed) <= _MOST_HASHED
        )
        return self._is_whole and few and all(map(self.is_settled, self.files.values()))

    def give_up(self) -> None:
        """Notes that the answer rests on something that cannot be noted."""
        self._is_whole = False

    def file(self, path: Path) -> None:
        """Notes a file or folder, and where it is not there, the folder in which it would appear."""
        if str(path) not in self.files:
            self.sign(path)
            if self.files[str(path)] == ABSENT and path != self.root:
                self.file(path.parent)

    def sign(self, path: Path) -> None:
        """Notes a file or folder in git's own, where it comes and goes without any other trace."""
        try:
            self.files[str(path)] = look(str(path))
        except OSError:
            self.files[str(path)] = ABSENT
            self.give_up()

    def tree(self, path: Path) -> None:
        """Notes a folder of the workspace with those above it, and so which names are in it."""
        if not path.is_relative_to(self.root):
            self.give_up()
        while path != self.root and path.is_relative_to(self.root):
            self.file(path)
            path = path.parent

    def look_for(self, repo: Repo, commits: Sequence[str]) -> None:
        """Notes which commits are in the repository."""
        if any(name.endswith(".promisor") for name in repo.configuration.values):
            self.give_up()  # of such a commit anything else may be missing
        elif commits:
            found = repo.git.run(
                "rev-list", *COMMANDS["rev-list"], *commits, options=("--no-optional-locks",)
            )
            self.commits = (*commits,), found.stdout
            if found.status != 0:
                self.give_up()  # one is damaged, which is said where it is read

    def is_settled(self, found: str) -> bool:
        """Whether a file that `look` describes so cannot have been changed since without another description."""
        if found == ABSENT:
            return True
        changed, written, mode, *_ = map(int, found.split(" "))
        slack = _FINE if changed % 1_000_000 else _COARSE
        return max(changed, written) + slack < self._begun and not stat.S_ISLNK(mode)


def begin(repo: Repo, root: Path) -> Evidence:
    """Begins to note what an answer about a workspace rests on: first of all, how the repository stands."""
    seen = Evidence(root)
    unfinished = [repo.common_dir / name for name in _UNFINISHED]
    for path in (
        *(repo.git_dir / name for name in _OWN_SIGNS),
        *(repo.common_dir / name for name in _SHARED_SIGNS),
        *unfinished,
    ):
        seen.sign(path)
    if any(seen.files[str(path)] != ABSENT for path in unfinished):
        seen.give_up()
    return seen


def keep(name: str, repo: Repo, seen: Evidence, texts: Sequence[bytes]) -> None:
    """Keeps an answer, where all that it rests on is noted, and nothing of that was changed meanwhile.

    Args:
        name: What was asked.
        repo: The repository around the workspace.
        seen: What was noted on the way to the answer.
        texts: The answer, in as many forms as it has.
    """
    if (listed := seen.listed) is None or not seen.is_whole:
        return
    if not _can_be_found(repo, seen.root) or not _is_at_rest(repo, seen, listed):
        return
    settings = repo.git.read(*LIST).stdout
    if Configuration.parse(settings) != repo.configuration:
        return
    commits, here = seen.commits
    said = {
        "config": ((), settings),
        "status": (listed.folders, listed.output),
        "hash-object": ([*listed.hashed], "".join(f"{id_}\n" for id_ in listed.hashed.values()).encode()),
        "rev-list": (commits, here),
    }
    asked = {verb: (of, printed) for verb, (of, printed) in said.items() if of or verb == "config"}
    key = evidence.key(str(seen.root), {verb: printed for verb, (_, printed) in asked.items()})
    about = {verb: of for verb, (of, _) in asked.items()}
    kept = Kept(key, str(seen.root), seen.files, about, texts)
    replace_if_possible(Path(file_of(str(repo.git_dir), name)), kept.encode())


def _can_be_found(repo: Repo, root: Path) -> bool:
    """Whether who looks for the answer comes to the same repository."""
    is_usual = repo.memory is None and not repo.environment
    return is_usual and evidence.place(str(root)) == (str(repo.root), str(repo.git_dir))


def _is_at_rest(repo: Repo, seen: Evidence, listed: Listed) -> bool:
    """Whether all is said of the commit that HEAD was at all the time, with the history that git shows."""
    reflog = look(str(repo.git_dir / "logs" / "HEAD"))
    is_same = listed.commit == repo.head().commit and listed.is_of_its_commit
    return is_same and seen.is_settled(reflog) and history_key(repo) is not None
