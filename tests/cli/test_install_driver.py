"""git itself merges goals.yaml as what it says, once the driver is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from histories import meaning, versions
from hypothesis import HealthCheck, given, settings
from program import Done, gitforge, run

from gitforge import goals_file
from gitforge.goals_merge import merge

Git = Callable[..., str]

BASE = """\
version: 1
goals:
  # Finding out
  Diagnosis:
    A:
      description: To be a.
      persona: p.md
      protocol: x.md
      constraints: [one.md, two.md]
    B: {persona: p.md, protocol: x.md}
"""
OURS = BASE.replace("two.md]", "two.md, zebra.md]")
THEIRS = (
    BASE.replace("[one.md", "[apple.md, one.md") + "    # about n\n    N: {persona: p.md, protocol: x.md}\n"
)
BOTH = THEIRS.replace("two.md]", "two.md, zebra.md]")
CLASHING = BASE.replace("To be a.", "To be theirs.")
MINE = BASE.replace("To be a.", "To be ours.")

AS_ADA = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Ada"), ("EMAIL", "ada@example.org"))
}


def quietly(*command: str, cwd: Path) -> Done:
    return run("git", *command, cwd=cwd, **AS_ADA, GIT_EDITOR="true")


def installed(root: Path, *options: str) -> Done:
    done = gitforge("install-driver", *options, cwd=root)
    assert done.code == 0, done.told
    return done


class Clone:
    """A repository with a goals.yaml in a folder of it, and two branches that changed it."""

    def __init__(self, top: Path, git: Git, folder: str = "") -> None:
        self.top = top
        self.root = top / folder
        self.goals = self.root / "goals.yaml"
        (self.root / "library").mkdir(parents=True)
        git("init", "-q", "-b", "main", str(top), cwd=top.parent)
        (self.root / "library" / "note.md").write_text("x\n")
        self._git = git

    def commit(self, text: str, branch: str, start: str | None = None) -> None:
        if start:
            self._git("checkout", "-q", "-b", branch, start, cwd=self.top)
        self.goals.write_bytes(text.encode())
        self._git("add", "--all", cwd=self.top)
        self._git("commit", "-q", "--allow-empty", "-m", branch, cwd=self.top)

    def with_branches(self, base: str, ours: str, theirs: str) -> None:
        self.commit(base, "main")
        self.commit(theirs, "theirs", "main")
        self.commit(ours, "ours", "main")

    @property
    def text(self) -> str:
        return self.goals.read_bytes().decode()


@pytest.fixture
def clone(tmp_path: Path, git: Git) -> Clone:
    return Clone(tmp_path / "top", git)


@pytest.mark.parametrize("folder", ["", "prompts", "my prompts/[a] \"b\" 'c' $HOME%P*"])
def test_git_merges_goals_as_data_where_lines_would_clash(tmp_path: Path, git: Git, folder: str) -> None:
    clone = Clone(tmp_path / "top", git, folder)
    clone.with_branches(BASE, OURS, THEIRS)
    assert quietly("merge", "-q", "theirs", cwd=clone.top).code == 1
    git("merge", "--abort", cwd=clone.top)
    assert installed(clone.root).out.endswith("goals.yaml as what it says, in this clone.\n")
    done = quietly("merge", "-q", "theirs", cwd=clone.top)
    assert done.code == 0, done.told
    assert clone.text == BOTH


@pytest.mark.parametrize("verb", ["rebase", "cherry-pick", "stash pop", "merge-tree"])
def test_it_works_in_everything_that_merges(clone: Clone, git: Git, verb: str) -> None:
    clone.with_branches(BASE, OURS, THEIRS)
    installed(clone.root)
    if verb == "merge-tree":
        done = quietly("merge-tree", "--write-tree", "ours", "theirs", cwd=clone.top)
        assert (done.code, done.err) == (0, "")
        assert git("show", f"{done.out.strip()}:goals.yaml", cwd=clone.top) + "\n" == BOTH
        return
    if verb == "stash pop":
        git("checkout", "-q", "main", cwd=clone.top)
        clone.goals.write_text(OURS)
        git("stash", cwd=clone.top)
        git("merge", "-q", "--ff-only", "theirs", cwd=clone.top)
        done = quietly("stash", "pop", "-q", cwd=clone.top)
    else:
        done = quietly(verb, "theirs", cwd=clone.top)
    assert done.code == 0, done.told
    assert clone.text == BOTH


def test_a_clash_is_a_conflict_for_git_and_the_file_stays_valid(clone: Clone, git: Git) -> None:
    clone.with_branches(BASE, MINE, CLASHING + "    N: {persona: p.md, protocol: x.md}\n")
    installed(clone.root)
    done = quietly("merge", "theirs", cwd=clone.top)
    assert done.code == 1
    assert done.err == (
        "goals.yaml: 1 value was changed on both sides. Ours stands in the file for now:\n"
        "  goals > A > description\n"
        "    before  To be a.\n"
        "    ours    To be ours.\n"
        "    theirs  To be theirs.\n"
        "hint: Edit goals.yaml where theirs is right, then `git add` it.\n"
    )
    assert "CONFLICT" in done.out
    assert git("status", "--porcelain", "goals.yaml", cwd=clone.top) == "UU goals.yaml"
    assert clone.text == MINE + "    N: {persona: p.md, protocol: x.md}\n"
    git("add", "goals.yaml", cwd=clone.top)
    assert quietly("commit", "--no-edit", cwd=clone.top).code == 0


@pytest.mark.parametrize("theirs", ["goals: [\n", "version: 2\ngoals: {}\n", "\x00", "", "goals:\n\tC:\n"])
def test_a_side_that_is_no_goals_yaml_leaves_ours_and_says_which(clone: Clone, theirs: str) -> None:
    clone.with_branches(BASE, OURS, theirs)
    installed(clone.root)
    done = quietly("merge", "theirs", cwd=clone.top)
    assert done.code == 1
    assert "error: goals.yaml (theirs)" in done.err
    assert "goals.yaml: not merged: it stays as ours has it." in done.err
    assert clone.text == OURS


def test_a_file_that_both_sides_made_has_the_goals_of_both(clone: Clone, git: Git) -> None:
    git("commit", "-q", "--allow-empty", "-m", "main", cwd=clone.top)
    clone.commit(THEIRS, "theirs", "main")
    clone.commit(OURS, "ours", "main")
    installed(clone.root)
    assert quietly("merge", "-q", "theirs", cwd=clone.top).code == 0
    assert set(goals_file.parse(clone.text).goals) == {"A", "B", "N"}


def test_installing_it_again_changes_nothing_and_what_was_there_stays(clone: Clone) -> None:
    clone.with_branches(BASE, OURS, THEIRS)
    attributes = clone.top / ".git" / "info" / "attributes"
    attributes.parent.mkdir(exist_ok=True)
    attributes.write_bytes(b"*.png binary\n# n\xff\n\n/goals.yaml whitespace=fix")
    before = attributes.read_bytes(), (clone.top / ".git" / "config").read_bytes()
    installed(clone.root)
    once = attributes.read_bytes(), (clone.top / ".git" / "config").read_bytes()
    assert once[0] == before[0] + b"\n/goals.yaml merge=gitforge\n"
    assert "already" in installed(clone.root).out
    assert once == (attributes.read_bytes(), (clone.top / ".git" / "config").read_bytes())
    assert installed(clone.root, "--remove", "--json").json == {
        "path": "goals.yaml",
        "installed": False,
        "changed": True,
    }
    assert (attributes.read_bytes(), (clone.top / ".git" / "config").read_bytes()) == (
        before[0] + b"\n",
        before[1],
    )
    assert "nothing to do" in installed(clone.root, "--remove").out


def test_removing_it_for_one_workspace_leaves_it_for_another(tmp_path: Path, git: Git) -> None:
    clone = Clone(tmp_path / "top", git, "one")
    shutil.copytree(clone.root, clone.top / "two")
    for name in ("one", "two"):
        (clone.top / name / "goals.yaml").write_text(BASE)
        installed(clone.top / name)
    installed(clone.top / "one", "--remove")
    assert git("config", "merge.gitforge.name", cwd=clone.top)
    assert git("check-attr", "merge", "one/goals.yaml", "two/goals.yaml", cwd=clone.top).splitlines() == [
        "one/goals.yaml: merge: unspecified",
        "two/goals.yaml: merge: gitforge",
    ]


def test_a_linked_worktree_shares_it(clone: Clone, git: Git) -> None:
    clone.with_branches(BASE, OURS, THEIRS)
    other = clone.top.parent / "other"
    git("worktree", "add", "-q", str(other), "-b", "linked", "ours", cwd=clone.top)
    installed(other)
    assert quietly("merge", "-q", "theirs", cwd=other).code == 0
    assert (other / "goals.yaml").read_text() == BOTH
    assert quietly("merge", "-q", "theirs", cwd=clone.top).code == 0


def test_where_gitforge_is_gone_git_merges_lines_and_says_so(clone: Clone, git: Git) -> None:
    added = BASE.replace("version: 1\n", "version: 1\npolicy: {require_reviewed: true}\n")
    clone.with_branches(BASE, OURS, added)
    installed(clone.root)
    command = git("config", "merge.gitforge.driver", cwd=clone.top)
    script = shutil.which("gitforge", path=str(Path(sys.executable).parent))
    assert script is not None
    assert f"'{script}'" in command
    git("config", "merge.gitforge.driver", command.replace(script, "/no/such/gitforge"), cwd=clone.top)
    tools = clone.top.parent / "tools"
    tools.mkdir()
    for tool in ("git", "sh"):
        (tools / tool).symlink_to(str(shutil.which(tool)))
    done = run("git", "merge", "-q", "theirs", cwd=clone.top, **AS_ADA, PATH=str(tools))
    assert done.code == 0, done.told
    assert "gitforge was not found, so goals.yaml is merged line by line" in done.err
    assert clone.text == added.replace("two.md]", "two.md, zebra.md]")
    git("reset", "-q", "--hard", "HEAD^", cwd=clone.top)
    git("checkout", "-q", "theirs", cwd=clone.top)
    git("reset", "-q", "--hard", "main", cwd=clone.top)
    clone.commit(THEIRS, "theirs")
    git("checkout", "-q", "ours", cwd=clone.top)
    assert run("git", "merge", "-q", "theirs", cwd=clone.top, **AS_ADA, PATH=str(tools)).code == 1
    assert "<<<<<<< ours" in clone.text
    git("merge", "--abort", cwd=clone.top)
    path = f"{Path(script).parent}{os.pathsep}{os.environ['PATH']}"
    assert run("git", "merge", "-q", "theirs", cwd=clone.top, **AS_ADA, PATH=path).code == 0
    assert clone.text == BOTH


def test_a_file_named_like_a_module_in_the_clone_is_not_run(clone: Clone) -> None:
    clone.with_branches(BASE, OURS, THEIRS)
    installed(clone.root)
    for name in ("yaml.py", "gitforge.py", "typer.py"):
        (clone.top / name).write_text("open('harm', 'w')\n")
    assert quietly("merge", "-q", "theirs", cwd=clone.top).code == 0
    assert not (clone.top / "harm").exists()
    assert clone.text == BOTH


def test_doctor_tells_whether_it_is_installed(workspace: Path) -> None:
    assert "not installed: `gitforge install-driver`" in gitforge("doctor", cwd=workspace).out
    installed(workspace)
    lines = gitforge("doctor", cwd=workspace).out.splitlines()
    assert [line.split() for line in lines if "merge driver" in line] == [["merge", "driver", "installed"]]
    assert gitforge("doctor", "--json", cwd=workspace).json["merge_driver"] is True


def test_people_are_not_offered_what_git_calls(workspace: Path) -> None:
    assert "merge-driver" not in gitforge("--help", cwd=workspace).out
    assert "install-driver" in gitforge("--help", cwd=workspace).out
    assert gitforge("merge-driver", "--help", cwd=workspace).code == 0
    assert gitforge("merge-driver", "one", "two", cwd=workspace).code == 2
    done = gitforge("merge-driver", "no", "such", "files", cwd=workspace)
    assert done.code == 1
    assert done.err.startswith("error: goals.yaml (base): cannot be read: No such file")


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(versions())
def test_any_history_merges_and_rebases_to_what_the_texts_say(
    tmp_path_factory: pytest.TempPathFactory, git: Git, texts: tuple[str, ...]
) -> None:
    base, ours, theirs = texts
    clone = Clone(tmp_path_factory.mktemp("history") / "top", git)
    clone.with_branches(base, ours, theirs)
    installed(clone.root)
    expected = merge(base, ours, theirs)
    done = quietly("merge", "theirs", cwd=clone.top)
    assert done.code == bool(expected.clashes), done.told
    assert clone.text == expected.text
    git("reset", "-q", "--hard", "ours", cwd=clone.top)
    done = quietly("rebase", "theirs", cwd=clone.top)
    other = merge(base, theirs, ours)
    assert done.code == bool(other.clashes), done.told
    assert meaning(clone.text) == meaning(other.text)
    if not expected.clashes:
        assert meaning(clone.text) == meaning(expected.text)
    subprocess.run(["git", "fsck", "--strict"], cwd=clone.top, check=True, capture_output=True)
