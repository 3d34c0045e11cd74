"""Runs git: bytes in, bytes out, failures in git's own words. Only `repo.py` uses it.

What writes to a repository is started by GitPython's `Git.execute`; what only reads, by `subprocess`.
GitPython's import takes 50 ms and starts git twice by itself: nothing beside a draft, but a third of a build
that finds everything there.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen, TimeoutExpired
from typing import IO, Any, BinaryIO, Generic, Self, TypeVar, cast

from gitforge.errors import UserError
from gitforge.store.spawn import ENVIRONMENT

_CHUNK = 1 << 16
_SHOWN = 4  # lines of a failure
_LONGEST = 1000  # characters of one

Answer = TypeVar("Answer")
Other = TypeVar("Other")


@dataclass(frozen=True)
class Done:
    """A git process that has ended; `timed_out` if it was stopped after its time limit."""

    verb: str
    status: int
    stdout: bytes
    stderr: str
    timed_out: bool = False


def run(
    folder: Path,
    verb: str,
    *arguments: str,
    options: Sequence[str] = (),
    stdin: bytes | None = None,
    environment: Mapping[str, str] | None = None,
    timeout: float | None = None,
    shielded: bool = False,
    writes: bool = False,
) -> Done:
    """Runs one git command to its end, whatever its exit status.

    Args:
        folder: Where git starts.
        verb: The git command.
        arguments: Its arguments, a user's strings only after `--` or `--option=`.
        options: git's own options, which come before the verb.
        stdin: What it reads.
        environment: Variables beyond this process's own.
        timeout: Seconds after which it is stopped.
        shielded: Out of reach of the terminal's Ctrl-C, which goes to a process group.
        writes: Whether it changes the repository.

    Raises:
        UserError: git is not installed or cannot be started.
    """
    with start(
        folder, verb, *arguments,
        options=options, stdin=stdin, environment=environment, shielded=shielded, writes=writes,
    ) as running:  # fmt: skip
        return running.finish(timeout)


def start(
    folder: Path,
    verb: str,
    *arguments: str,
    options: Sequence[str] = (),
    stdin: bytes | None = None,
    environment: Mapping[str, str] | None = None,
    shielded: bool = False,
    writes: bool = False,
) -> Running:
    """Starts one git command, to do something else beside it; arguments and errors are those of `run`."""
    group = {"process_group": 0} if shielded else {}
    starter = _start_writer if writes else _start_reader
    with _input(stdin) as source:
        return Running(
            verb, _started(starter, [*options, verb, *arguments], folder, environment, source, group)
        )


def converse(
    folder: Path,
    verb: str,
    *arguments: str,
    options: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    shielded: bool = False,
    writes: bool = False,
) -> Popen[bytes]:
    """Starts one git command that is told bit by bit what to do; arguments and errors as in `run`."""
    group = {"process_group": 0} if shielded else {}
    starter = _start_writer if writes else _start_reader
    return _started(starter, [*options, verb, *arguments], folder, environment, PIPE, group)


class Running:
    """A git command at work, which ends with the `with` block at the latest.

    Args:
        verb: The git command.
        process: Its process.
    """

    def __init__(self, verb: str, process: Popen[bytes]) -> None:
        self._verb = verb
        self._process = process
        self._done: Done | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def process(self) -> Popen[bytes]:
        """For who reads its output as it comes."""
        return self._process

    @property
    def verb(self) -> str:
        """The git command."""
        return self._verb

    def finish(self, timeout: float | None = None) -> Done:
        """Waits for its end; asked again, says the same.

        Args:
            timeout: Seconds after which it is stopped.
        """
        if self._done is None:
            self._done = self._ended(timeout)
        return self._done

    def _ended(self, timeout: float | None) -> Done:
        try:
            stdout, stderr = self._process.communicate(timeout=timeout)
        except TimeoutExpired:
            self._process.terminate()
            return Done(self._verb, self._process.wait(), b"", "", timed_out=True)
        return Done(self._verb, self._process.returncode, stdout, stderr.decode(errors="replace"))

    def stop(self) -> None:
        """Ends it, where it has not ended."""
        if self._process.poll() is None:
            self._process.terminate()  # not killed: git removes its lock files first
        self._process.__exit__(None, None, None)


@dataclass(frozen=True)
class Asked(Generic[Answer]):
    """A question to git whose answer is fetched later, once or more often, before the `with` block ends.

    Args:
        answer: Waits for it; raises UserError where git failed.
        stop: Ends the git that was asked.
    """

    answer: Callable[[], Answer]
    stop: Callable[[], None] = lambda: None

    def then(self, make: Callable[[Answer], Other]) -> Asked[Other]:
        """The same question, of whose answer something is made."""
        return Asked(lambda: make(self.answer()), self.stop)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def stream(
    folder: Path,
    verb: str,
    *arguments: str,
    options: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> Generator[str]:
    """The NUL-terminated fields of a git command's output, as they come.

    The process is killed and reaped when the iterator is closed before its end.

    Raises:
        UserError: As in `run`; or git failed, once its output is read.
    """
    command = [*options, verb, *arguments]
    with _started(_start_reader, command, folder, environment, None, {}) as process:
        stdout, stderr = cast("IO[bytes]", process.stdout), cast("IO[bytes]", process.stderr)
        try:
            rest = b""
            while chunk := os.read(stdout.fileno(), _CHUNK):
                *whole, rest = (rest + chunk).split(b"\0")
                yield from map(os.fsdecode, whole)
            message = stderr.read()
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0:
        raise failure(Done(verb, process.returncode, b"", message.decode(errors="replace")))


def succeed(done: Done) -> bytes:
    """Its output.

    Raises:
        UserError: It failed.
    """
    if done.status != 0:
        raise failure(done)
    return done.stdout


def failure(done: Done) -> UserError:
    """What git said when it failed, on one line and safe for a terminal; its hints are the error's hint."""
    if done.timed_out:
        return UserError(f"git {done.verb} did not end in time and was stopped")
    lines = [line.strip()[:_LONGEST] for line in done.stderr.splitlines() if line.strip()]
    hints = [line.removeprefix("hint:").strip() for line in lines if line.startswith("hint:")]
    words = [line for line in lines if not line.startswith(("hint:", "warning:"))][:_SHOWN]
    said = "; ".join(words) or f"exit status {done.status}"
    return UserError(harmless(f"git {done.verb} failed: {said}"), hint=harmless(" ".join(hints)) or None)


def harmless(text: str) -> str:
    """The text with control characters spelled out, so that a file's name cannot drive a terminal."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


@contextmanager
def _input(content: bytes | None) -> Iterator[BinaryIO | None]:
    if content is None:
        yield None
        return
    with tempfile.TemporaryFile() as file:  # a real file: GitPython does not feed a pipe
        file.write(content)
        file.seek(0)
        yield cast("BinaryIO", file)


_Source = BinaryIO | int | None
_Start = Callable[[Sequence[str], Mapping[str, str], _Source, Mapping[str, Any]], Popen[bytes]]


def _started(
    start: _Start,
    arguments: Sequence[str],
    folder: Path,
    environment: Mapping[str, str] | None,
    stdin: _Source,
    options: Mapping[str, Any],
) -> Popen[bytes]:
    variables = {**ENVIRONMENT, **(environment or {})}
    try:
        # -C, because GitPython stays in the current folder where it cannot enter the one that it is given.
        return start(["-C", str(folder), *arguments], variables, stdin, options)
    except FileNotFoundError as error:
        raise _not_installed() from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in an argument
        raise UserError(f"git could not be started: {harmless(str(error))}") from error


def _start_reader(
    arguments: Sequence[str],
    variables: Mapping[str, str],
    stdin: _Source,
    options: Mapping[str, Any],
) -> Popen[bytes]:
    everything = {**os.environ, **variables}
    everything.pop("GIT_CONFIG", None)  # of all git's commands `git config` alone would look there
    return Popen(  # noqa: S603 -- an argument list, no shell; a user's strings only after `--`
        ["git", *arguments],  # noqa: S607 -- from the PATH, as the user has it
        stdin=stdin or DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        env=everything,
        **options,
    )


def load_writer() -> None:
    """Imports GitPython; for who has nothing else to do while a git that reads is at work.

    Raises:
        UserError: git is not installed.
    """
    try:
        import git.cmd  # noqa: F401, PLC0415
    except ModuleNotFoundError:
        raise
    except ImportError as error:  # what GitPython raises where it finds no git
        raise _not_installed() from error


def _start_writer(
    arguments: Sequence[str],
    variables: Mapping[str, str],
    stdin: _Source,
    options: Mapping[str, Any],
) -> Popen[bytes]:
    load_writer()
    from git.cmd import Git  # noqa: PLC0415
    from git.exc import GitCommandNotFound  # noqa: PLC0415

    try:
        # As a process: GitPython's own time limit is a thread that outlives an interrupt.
        started: Any = Git().execute(
            ["git", *arguments], istream=stdin, as_process=True, env=variables, shell=False, **options
        )
    except GitCommandNotFound as error:
        raise _not_installed() from error
    process: Popen[bytes] = started.proc
    started.proc = None  # whose finalizer would kill it
    return process


def _not_installed() -> UserError:
    return UserError(
        "git is not installed, or not on the PATH", hint="Install git: https://git-scm.com/downloads has it."
    )
