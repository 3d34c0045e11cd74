"""git, started with next to no imports: for an answer that is due before `subprocess` is loaded."""

from __future__ import annotations

import os

ENVIRONMENT = {
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_GLOB_PATHSPECS": "0",  # git refuses these three beside literal ones, and the user may have them set
    "GIT_NOGLOB_PATHSPECS": "0",
    "GIT_ICASE_PATHSPECS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LANGUAGE": "C",
    "LC_ALL": "C",  # messages that are parsed here
}


def variables() -> dict[str, str]:
    """The environment in which git is started."""
    everything = {**os.environ, **ENVIRONMENT}
    everything.pop("GIT_CONFIG", None)  # of all git's commands `git config` alone would look there
    return everything


class Spawned:
    """A git command that only reads, at work; what it complains of is not heard.

    Args:
        folder: Where git starts.
        arguments: The command and its arguments, a user's strings only after `--`.

    Raises:
        OSError: git cannot be started.
    """

    def __init__(self, folder: str, *arguments: str) -> None:
        self._output, writing = os.pipe()
        streams = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, writing, 1),
            (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
        ]
        try:
            command = ["git", "-C", folder, "--no-optional-locks", *arguments]
            self._process = os.posix_spawnp("git", command, variables(), file_actions=streams)
        except BaseException:
            os.close(self._output)
            raise
        finally:
            os.close(writing)

    def finish(self) -> bytes | None:
        """Waits for its end: what it printed; None where it failed, or nobody can tell."""
        with open(self._output, "rb") as file:
            content = file.read()
        try:
            _, status = os.waitpid(self._process, 0)
        except (
            ChildProcessError
        ):  # who started us wants to hear of no child's end, and so the system has none
            return None
        return content if status == 0 else None
