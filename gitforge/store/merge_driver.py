"""The merge driver for goals.yaml in this clone: git's configuration, and a line of its attributes.

Both are the clone's own, and shared by its worktrees; nothing is committed. Source: gitattributes(5), "Defining a
custom merge driver".
"""

from __future__ import annotations

import re
from pathlib import Path

from gitforge.errors import UserError
from gitforge.store.durable import write_durably
from gitforge.store.process import succeed
from gitforge.store.repo import Repo

_SECTION = "merge.gitforge"
_ATTRIBUTE = "merge=gitforge"
_TITLE = "gitforge: goals.yaml, merged as what it says"
_LIMIT = 1024 * 1024  # bytes of attributes

# git runs it in a shell. Where the program that installed it is gone, the one on PATH is taken; where there is
# none either, git's own merge of lines does the work, as if no driver were installed.
_COMMAND = (
    'g={program}; command -v "$g" >/dev/null 2>&1 || g=gitforge; '
    'if command -v "$g" >/dev/null 2>&1; then "$g" merge-driver %O %A %B %L %P; else '
    'echo "gitforge was not found, so "%P" is merged line by line; '
    '\\`gitforge install-driver\\` finds it again" >&2; '
    "git merge-file --quiet --marker-size=%L -L ours -L base -L theirs %A %O %B; fi"
)


def install(repo: Repo, path: str, program: str) -> bool:
    """Has git merge a file of this clone by gitforge from now on; returns whether that is news.

    Args:
        repo: The repository.
        path: The file, from the worktree's top.
        program: How gitforge is started: a path or a name.

    Raises:
        UserError: git's configuration or attributes cannot be read or written.
    """
    command = _COMMAND.format(program=_quoted(program).replace("%", "%%"))
    wanted = {"name": _TITLE, "driver": command}
    missing = {key: value for key, value in wanted.items() if _setting(repo, key) != value}
    for key, value in missing.items():
        succeed(repo.git.run("config", "--local", f"{_SECTION}.{key}", value, writes=True))
    if (line := _line(path)) in (lines := _lines(repo)):
        return bool(missing)
    _write(repo, [*lines, line])
    return True


def remove(repo: Repo, path: str) -> bool:
    """Takes back what `install` did; returns whether there was anything.

    The configuration stays while another file of the clone needs it.

    Raises:
        UserError: git's configuration or attributes cannot be read or written.
    """
    lines = _lines(repo)
    left = [line for line in lines if line != _line(path)]
    if left != lines:
        _write(repo, left)
    if any(_ATTRIBUTE in line.split() for line in left):
        return left != lines
    is_set = _setting(repo, "driver") is not None or _setting(repo, "name") is not None
    if is_set:
        succeed(repo.git.run("config", "--local", "--remove-section", _SECTION, writes=True))
    return is_set or left != lines


def is_installed(repo: Repo, path: str) -> bool:
    """Whether git merges a file of this clone by gitforge.

    Raises:
        UserError: git's attributes cannot be read.
    """
    return _setting(repo, "driver") is not None and _line(path) in _lines(repo)


def _setting(repo: Repo, key: str) -> str | None:
    return repo.configuration.own.get(f"{_SECTION}.{key}")


def _quoted(word: str) -> str:
    """For a shell, in a form that git's expansion of `%` leaves alone."""
    return "'" + word.replace("'", "'\\''") + "'"


def _line(path: str) -> str:
    pattern = "/" + re.sub(r"([*?\[\]\\])", r"\\\1", path)
    if re.search(r'[\s"\\]', pattern):
        pattern = '"' + re.sub(r'(["\\])', r"\\\1", pattern).replace("\t", "\\t").replace("\n", "\\n") + '"'
    return f"{pattern} {_ATTRIBUTE}\n"


def _attributes(repo: Repo) -> Path:
    return repo.common_dir / "info" / "attributes"


def _lines(repo: Repo) -> list[str]:
    path = _attributes(repo)
    try:
        with path.open("rb") as file:
            content = file.read(_LIMIT + 1)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}") from error
    if len(content) > _LIMIT:
        raise UserError(f"{path}: is larger than {_LIMIT // 1024} KiB")
    lines = content.decode("utf-8", "surrogateescape").removesuffix("\n").split("\n")
    return [f"{line}\n" for line in lines] if content else []


def _write(repo: Repo, lines: list[str]) -> None:
    path = _attributes(repo)
    try:
        # Through a symlink, which somebody may have put there to share the file.
        write_durably(path.resolve(), "".join(lines).encode("utf-8", "surrogateescape"))
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror or error}") from error
