"""A workspace, and the library of somebody else's that it uses: two repositories, fetched with plain git."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from making import make_workspace

Git = Callable[..., str]

THEIR_GOALS = """\
version: 1
goals:
  Theirs:
    AUDIT:
      description: To audit what was done.
      persona: auditor.md
      protocol: audit.md
      constraints: [be_fair.md]
"""
THEIR_LIBRARY = {
    "personas/auditor.md": "---\nname: The auditor\ndescription: Looks twice.\n---\nYou are an auditor.\n",
    "protocols/audit.md": "Audit it.\n",
    "constraints/be_fair.md": "Be fair.\n",
    "constraints/c.md": "Their C.\n",
}
OUR_GOALS = """\
version: 1
libraries:
  acme: {{url: "{url}", commit: "{commit}"{more}}}
goals:
  Ours:
    GOAL:
      description: To try it.
      persona: acme:auditor.md
      protocol: x.md
      constraints: [c.md, "acme:constraints/c.md"]
    PLAIN:
      description: Ours alone.
      persona: p.md
      protocol: x.md
"""


@dataclass(frozen=True)
class Two:
    """Our workspace `ours`, and `theirs`, of which `pin` is the commit that ours names."""

    ours: Path
    theirs: Path
    pin: str
    git: Git

    def fetch(self, commit: str | None = None) -> None:
        """Brings a commit of theirs, by default the pin, as `library fetch` does."""
        wanted = f"+{commit or self.pin}:refs/gitforge/libraries/acme"
        self.git("-c", "protocol.file.allow=always", "fetch", "-q", str(self.theirs), wanted, cwd=self.ours)

    def commit_theirs(self, files: Mapping[str, str | None], message: str = "Change it") -> str:
        """Writes files of theirs, or deletes them, in one commit; returns its id."""
        for name, text in files.items():
            path = self.theirs / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink() if text is None else path.write_text(text)
        self.git("add", "--all", cwd=self.theirs)
        self.git("commit", "-qm", message, cwd=self.theirs)
        return self.git("rev-parse", "HEAD", cwd=self.theirs)

    def move_pin(self, commit: str) -> None:
        """Lets our goals.yaml name another commit, and commits that."""
        path = self.ours / "goals.yaml"
        path.write_text(path.read_text().replace(self.pin, commit))
        self.git("commit", "-qam", "Update library acme", cwd=self.ours)


def make_two(
    folder: Path, git: Git, *, theirs: Mapping[str, str | bytes] | None = None, their_goals: str = THEIR_GOALS,
    goals: str = OUR_GOALS, more: str = "", below: str = "", algorithm: str = "sha1",
) -> Two:  # fmt: skip
    """Makes both and fetches the pin.

    Args:
        folder: Where.
        git: Runs git.
        theirs: More files in their library.
        their_goals: Their goals.yaml.
        goals: Ours, with `{url}`, `{commit}` and `{more}`.
        more: Further settings of the library, in YAML's flow style, with a comma in front.
        below: The folder of their workspace in their repository.
        algorithm: What ids are made by.
    """
    other, ours = folder / "theirs", folder / "ours"
    make_workspace(other / below, their_goals, {**THEIR_LIBRARY, **(theirs or {})})
    for root in (other, ours):
        git("init", "-q", "-b", "main", f"--object-format={algorithm}", str(root), cwd=folder)
        git("config", "user.name", "Ada Engineer" if root == ours else "Carol", cwd=root)
        git("config", "user.email", "ada@example.org" if root == ours else "carol@example.org", cwd=root)
    git("config", "uploadpack.allowAnySHA1InWant", "true", cwd=other)
    git("add", "--all", cwd=other)
    git("commit", "-qm", "Their library", cwd=other)
    pin = git("rev-parse", "HEAD", cwd=other)
    make_workspace(ours, goals.format(url=other.as_uri(), commit=pin, more=more))
    (ours / ".gitignore").write_text("output/\n")
    git("add", "--all", cwd=ours)
    git("commit", "-qm", "Our library", cwd=ours)
    two = Two(ours, other, pin, git)
    two.fetch()
    return two
