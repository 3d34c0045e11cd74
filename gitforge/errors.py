"""Every expected failure: what was wrong, and what to do about it.

The core raises these and prints nothing; `cli/main.py` shows them and holds the one table from a class
here to an exit code. Anything else that escapes is a bug.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


class GitforgeError(Exception):
    """An expected failure.

    Args:
        message: One sentence or more, without a trailing newline; names the file, and the line if any. It stands
            behind `error: ` and within other sentences, so it begins in lower case and has no full stop at its end.
        hint: What the user can do, as an imperative sentence.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UserError(GitforgeError):
    """Something that the user can fix: a file, a setting, an argument's value."""


class AnswerMissing(GitforgeError):
    """A question that nobody can answer, because there is no terminal."""


class Conflict(GitforgeError):
    """Work of the user's is in the way, and only a person can decide."""


class ProviderError(GitforgeError):
    """The provider could not give a draft."""


class Unusable(ProviderError):
    """The provider answered, but not with a draft: it refused, was stopped, or said nothing."""


class CutOff(Unusable):
    """A draft ended at a limit of length, in the middle of it."""


class NotReviewed(GitforgeError):
    """Generated components that nobody has reviewed, where they have to be."""


class Cancelled(GitforgeError):
    """The user chose to stop."""


@dataclass(frozen=True)
class Problem:
    """One finding in a file of the workspace, in the form that compilers and linters use."""

    file: str
    message: str
    line: int | None = None
    hint: str | None = None
    severity: Literal["error", "warning"] = "error"

    @property
    def place(self) -> str:
        """`file:line`, or the file alone."""
        return self.file if self.line is None else f"{self.file}:{self.line}"

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class InvalidFile(UserError):
    """A file that cannot be used as it stands.

    Args:
        problems: What is wrong in it; at least one.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        if len(self.problems) == 1:
            super().__init__(str(self.problems[0]), hint=self.problems[0].hint)
            return
        shown = [f"{one} ({one.hint})" if one.hint else str(one) for one in self.problems[:20]]
        if len(self.problems) > 20:
            shown.append(f"... and {len(self.problems) - 20} more: `gitforge check` shows them all")
        super().__init__("\n".join(shown))
