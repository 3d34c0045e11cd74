"""git in one worktree: the one place that starts it for the modules of this package."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

from gitforge.store import process
from gitforge.store.process import Done, Running, failure
from gitforge.store.watching import watch

DURABLE = ("-c", "core.fsync=committed,reference")
"""git's options for what has to survive a power cut: by default it fsyncs neither loose objects nor refs."""

_NAMED_PATHS = 100  # with more, git is asked for their folders: it compares every entry with every path


@dataclass(frozen=True)
class Git:
    """Starts git; arguments are those of `process.run`, and paths are from the worktree's top.

    Args:
        root: Top of the worktree.
        environment: Variables for git beyond this process's own.
    """

    root: Path
    environment: Mapping[str, str]

    def elsewhere(self, git_dir: Path, folder: Path, index: Path) -> Git:
        """The same repository's git with another folder as its worktree, and an index of its own."""
        places = {"GIT_DIR": git_dir, "GIT_WORK_TREE": folder, "GIT_INDEX_FILE": index}
        return Git(folder, {**self.environment, **{name: str(place) for name, place in places.items()}})

    def run(
        self, verb: str, *arguments: str, options: Sequence[str] = (), stdin: bytes | None = None,
        environment: Mapping[str, str] | None = None, timeout: float | None = None, shielded: bool = False,
        writes: bool = False,
    ) -> Done:  # fmt: skip
        """Runs it to its end, whatever its exit status."""
        return process.run(
            self.root, verb, *arguments, options=options, stdin=stdin, timeout=timeout, shielded=shielded,
            environment={**self.environment, **(environment or {})}, writes=writes,
        )  # fmt: skip

    def read(
        self, verb: str, *arguments: str, stdin: bytes | None = None,
        environment: Mapping[str, str] | None = None, accept: Sequence[int] = (0,),
    ) -> Done:  # fmt: skip
        """Runs what changes nothing, and raises UserError unless its exit status is one of `accept`."""
        done = self.run(
            verb, *arguments, options=("--no-optional-locks",), stdin=stdin, environment=environment
        )
        if done.status not in accept:
            raise failure(done)
        return done

    def start(
        self, verb: str, *arguments: str, options: Sequence[str] = (), stdin: bytes | None = None,
        environment: Mapping[str, str] | None = None, writes: bool = False,
    ) -> Running:  # fmt: skip
        """Starts it, to do something else beside it."""
        return process.start(
            self.root, verb, *arguments, options=options, stdin=stdin, writes=writes,
            environment={**self.environment, **(environment or {})},
        )  # fmt: skip

    def converse(
        self,
        verb: str,
        *arguments: str,
        options: Sequence[str] = (),
        shielded: bool = False,
        writes: bool = False,
    ) -> Popen[bytes]:
        """Starts what is told bit by bit what to do."""
        return process.converse(
            self.root, verb, *arguments, options=options, environment=self.environment, shielded=shielded,
            writes=writes,
        )  # fmt: skip

    def watch(
        self, verb: str, *arguments: str, on_line: Callable[[str], None], silence: float,
        first_silence: float | None = None, can_ask: bool = False, options: Sequence[str] = (),
        environment: Mapping[str, str] | None = None, writes: bool = False, max_file: int | None = None,
    ) -> Done:  # fmt: skip
        """Runs what talks to another machine, as `watching.watch` has it; `can_ask`: a person is at the terminal."""
        with process.start(
            self.root, verb, *arguments, options=options, writes=writes, shielded=not can_ask,
            environment={**self.environment, **(environment or {})},
        ) as running:  # fmt: skip
            return watch(
                running, on_line, silence=silence, first_silence=first_silence, has_group=not can_ask,
                max_file=max_file,
            )  # fmt: skip

    def stream(self, verb: str, *arguments: str, options: Sequence[str] = ()) -> Generator[str]:
        """The NUL-terminated fields of what it prints, as they come."""
        return process.stream(
            self.root,
            verb,
            *arguments,
            options=("--no-optional-locks", *options),
            environment=self.environment,
        )


def pathspecs(paths: Sequence[str], *, below: str = "") -> Sequence[str]:
    """What to ask git for so that its answer has all of the paths.

    Args:
        paths: Files.
        below: What git's verb wants behind a folder's name, to list what is in it.
    """
    if len(paths) <= _NAMED_PATHS:
        return paths
    folders = ((path.rpartition("/")[0], path) for path in paths)
    return sorted({folder + below if folder else path for folder, path in folders})
