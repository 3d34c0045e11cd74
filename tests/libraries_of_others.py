"""Our workspace without any library yet, and repositories of others that could be one: real, on the same machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from making import make_repository, make_workspace
from program import Done, gitforge
from two_libraries import THEIR_GOALS, THEIR_LIBRARY

Git = Callable[..., str]

AUDITOR = "library/personas/auditor.md"
LONG = "# Auditor\n\nFirst look.\n\nSecond look.\n\nThird look.\n\nFourth look.\n\nFifth look.\n"
"""A persona that can be changed in several places."""
OUR_GOALS = """\
# Ours.
version: 1

goals:
  Ours:
    GOAL:
      description: To try it.  # and see
      persona: p.md
      protocol: x.md
      constraints: [c.md]
"""


@dataclass(frozen=True)
class Other:
    """Somebody else's repository."""

    root: Path
    git: Git

    @property
    def head(self) -> str:
        """Its commit."""
        return self.git("rev-parse", "HEAD", cwd=self.root)

    def commit(self, files: Mapping[str, str | bytes | None], message: str = "Change it") -> str:
        """Writes files, or deletes them, in one commit; returns its id."""
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                path.unlink()
            else:
                path.write_bytes(text.encode() if isinstance(text, str) else text)
        self.git("add", "--all", cwd=self.root)
        self.git("commit", "-qm", message, cwd=self.root)
        return self.head


@dataclass(frozen=True)
class Place:
    """Our workspace and theirs."""

    ours: Path
    acme: Other
    git: Git

    def run(self, *arguments: str, **environment: str) -> Done:
        """Runs gitforge in our workspace."""
        return gitforge(*arguments, cwd=self.ours, **environment)

    def done(self, *arguments: str, **environment: str) -> Done:
        """As `run`, and it must succeed."""
        done = self.run(*arguments, **environment)
        assert done.code == 0, done.told
        return done

    def add(self, *more: str) -> Done:
        """Adds their library as `acme`."""
        return self.done("library", "add", "acme", str(self.acme.root), *more)

    def use(self, old: str = "persona: p.md", new: str = "persona: acme:auditor.md") -> None:
        """Lets our goal use something else, in a commit."""
        path = self.ours / "goals.yaml"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))
        self.git("commit", "-qam", "Use it", cwd=self.ours)

    def head(self, path: str) -> str:
        """What our last commit has at a path."""
        return self.git("show", f"HEAD:{path}", cwd=self.ours) + "\n"

    def count(self) -> int:
        """How many commits we have."""
        return int(self.git("rev-list", "--count", "HEAD", cwd=self.ours))


def make_other(
    root: Path, git: Git, *, goals: str = THEIR_GOALS, files: Mapping[str, str | bytes] | None = None,
    below: str = "", algorithm: str = "sha1",
) -> Other:  # fmt: skip
    """A library of somebody else's.

    Args:
        root: Where.
        git: Runs git.
        goals: Its goals.yaml.
        files: More files in its `library/`.
        below: The folder of its workspace in the repository.
        algorithm: What ids are made by.
    """
    make_repository(root, git, algorithm=algorithm, name="Carol")
    make_workspace(root / below, goals, {**THEIR_LIBRARY, **(files or {})})
    git("add", "--all", cwd=root)
    git("commit", "-qm", "Their library", cwd=root)
    return Other(root, git)


def make_place(folder: Path, git: Git, *, algorithm: str = "sha1") -> Place:
    """Both, side by side; ours does not name theirs yet."""
    other = make_other(folder / "acme", git)
    ours = folder / "ours"
    make_repository(ours, git, algorithm=algorithm, name="Ada")
    make_workspace(ours, OUR_GOALS)
    (ours / ".gitignore").write_text("output/\n")
    git("add", "--all", cwd=ours)
    git("commit", "-qm", "Our library", cwd=ours)
    return Place(ours, other, git)


def make_place_that_uses_it(folder: Path, git: Git) -> Place:
    """As `make_place`, but our goal uses a persona of theirs, which is LONG."""
    place = make_place(folder, git)
    place.acme.commit({AUDITOR: LONG})
    place.add()
    place.use()
    return place
