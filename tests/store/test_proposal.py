"""A proposal is a commit on a branch of its own: HEAD, index and worktree never know of it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from harm import assert_sound, killed, locks_in, snapshot, steps
from making import hook, make_repository

from gitforge.errors import Conflict, UserError
from gitforge.store.edits import NewFile, Rewrite
from gitforge.store.proposal import branch_for, commits_ahead, propose, proposed
from gitforge.store.repo import Repo
from gitforge.store.transaction import Recorded

Git = Callable[..., str]

PATH = "library/protocols/x.md"
NEW = NewFile(PATH, b"# X\n")
BRANCH = "forge/x"


@pytest.fixture
def root(tmp_path: Path, git: Git) -> Path:
    """A repository with a goals.yaml, an identity, and work of the user's in every place."""
    root = make_repository(tmp_path / "work", git, {"goals.yaml": "a\n"})
    (root / "goals.yaml").write_text("mine\n")
    (root / "staged").write_text("staged\n")
    git("add", "staged", cwd=root)
    (root / "library/protocols").mkdir(parents=True)
    (root / PATH).write_text("untracked, of the same name\n")
    return root


def message(blobs: Mapping[str, str]) -> str:
    return "Generate x\n\n" + "".join(f"Component: {path}\nBlob: {id_}\n" for path, id_ in blobs.items())


def propose_x(root: Path) -> Recorded:
    return propose(Repo.discover(root), BRANCH, [NEW], message)


def test_it_is_a_commit_on_heads_that_changes_nothing_but_the_branch(root: Path, git: Git) -> None:
    before = snapshot(git, root)
    done = propose_x(root)
    assert (done.paths, done.is_new) == ((PATH,), True)
    assert git("rev-parse", BRANCH, f"{BRANCH}^", cwd=root).split() == [
        done.commit,
        git("rev-parse", "main", cwd=root),
    ]
    blob = git("rev-parse", f"{BRANCH}:{PATH}", cwd=root)
    assert git("log", "-1", "--format=%an|%B", BRANCH, cwd=root) == (
        f"Ada|Generate x\n\nComponent: {PATH}\nBlob: {blob}\n"
    )
    assert git("reflog", "-1", "--format=%gs", BRANCH, cwd=root) == "gitforge: Generate x"
    assert snapshot(git, root)[1:] == before[1:]
    assert_sound(git, root)
    git("branch", "-D", BRANCH, cwd=root)
    assert snapshot(git, root) == before


def test_the_next_one_goes_on_top_and_what_the_branch_has_is_not_recorded_again(root: Path, git: Git) -> None:
    first = propose_x(root)
    assert propose_x(root) == Recorded(first.commit, (), first.identity, is_new=False)
    repo = Repo.discover(root)
    edits = [Rewrite("goals.yaml", lambda old: (old or b"") + b"b\n"), Rewrite(PATH, lambda _: None)]
    second = propose(repo, BRANCH, edits, "Edit two")
    assert git("rev-parse", f"{BRANCH}^", cwd=root) == first.commit
    assert git("show", "--format=", "--name-status", second.commit, cwd=root) == f"M\tgoals.yaml\nD\t{PATH}"
    assert git("show", f"{BRANCH}:goals.yaml", cwd=root) == "a\nb"
    with pytest.raises(Conflict, match="with other content"):
        propose(repo, BRANCH, [NewFile("goals.yaml", b"x")], "Generate it")


def test_it_says_what_the_branch_has_that_head_has_not(root: Path, git: Git) -> None:
    repo = Repo.discover(root)
    assert (commits_ahead(repo, BRANCH), proposed(repo, BRANCH, [PATH])) == (None, set())
    propose_x(root)
    assert (commits_ahead(repo, BRANCH), proposed(repo, BRANCH, [PATH, "goals.yaml"])) == (1, {PATH})
    git("commit", "-qm", "mine", cwd=root)
    assert proposed(repo, BRANCH, [PATH, "staged"]) == {PATH}
    (root / PATH).unlink()
    git("merge", "-q", "-m", "merged", BRANCH, cwd=root)
    assert (commits_ahead(repo, BRANCH), proposed(repo, BRANCH, [PATH])) == (0, set())


def test_a_branch_that_head_has_as_a_whole_goes_on_from_head(root: Path, git: Git) -> None:
    git("branch", BRANCH, cwd=root)
    git("commit", "-qm", "mine", cwd=root)
    done = propose_x(root)
    assert git("rev-parse", f"{done.commit}^", cwd=root) == git("rev-parse", "main", cwd=root)


def test_a_base_may_be_named(root: Path, git: Git) -> None:
    start = git("rev-parse", "main", cwd=root)
    git("commit", "-qm", "mine", cwd=root)
    done = propose(Repo.discover(root), BRANCH, [NEW], "Generate x", base=start)
    assert git("rev-parse", f"{done.commit}^", cwd=root) == start


def test_a_branch_that_is_checked_out_or_rebased_in_some_worktree_is_refused(root: Path, git: Git) -> None:
    git("worktree", "add", "-q", "../linked", "-b", BRANCH, cwd=root)
    before = snapshot(git, root)
    with pytest.raises(Conflict, match=r"checked out in .*/linked"):
        propose_x(root)
    linked = root.parent / "linked"
    git("commit", "-q", "--allow-empty", "-m", "one", cwd=linked)
    subprocess.run(
        ["git", "rebase", "-q", "--force-rebase", "--exec", "false", "HEAD^"],
        cwd=linked,
        check=False,
        capture_output=True,
    )
    with pytest.raises(Conflict, match="rebase"):
        propose_x(root)
    git("rebase", "--abort", cwd=linked)
    assert snapshot(git, root)[1:] == before[1:]


def test_what_cannot_be_is_refused_in_plain_words(root: Path, git: Git, tmp_path: Path) -> None:
    before = snapshot(git, root)
    repo = Repo.discover(root)
    for branch in ("a..b", "x.lock", "-", "", "a b", "HEAD^"):
        with pytest.raises(UserError):
            propose(repo, f"forge/{branch}" if branch != "-" else "-/", [NEW], "Generate x")
    with pytest.raises(UserError, match="no commit yet"):
        propose(Repo.create(tmp_path / "fresh"), BRANCH, [NEW], "Generate x")
    (root / ".git/info/exclude").write_text("protocols/\n")
    with pytest.raises(UserError, match="ignored"):
        propose_x(root)
    (root / ".git/info/exclude").unlink()
    assert snapshot(git, root)[1:2] == before[1:2]
    assert git("branch", "--list", "forge/*", cwd=root) == ""


@pytest.mark.parametrize(
    ("name", "branch"),
    [
        ("outage", "forge/outage"), ("DIAGNOSE_ROOT_CAUSE", "forge/DIAGNOSE_ROOT_CAUSE"),
        ("a b~c", "forge/a-b-c"), ("..", "forge/proposal"), ("x..y.lock", "forge/x-y"), ("é", "forge/é"),
        ("-x", "forge/x"), ("@{u}", "forge/u"),
    ],
)  # fmt: skip
def test_every_name_has_a_branch(root: Path, git: Git, name: str, branch: str) -> None:
    assert branch_for(name) == branch
    git("check-ref-format", f"refs/heads/{branch}", cwd=root)


def test_hooks_run_and_their_version_is_taken_and_one_that_refuses_refuses(root: Path, git: Git) -> None:
    hook(root, "pre-commit", f"echo formatted >> {PATH}; git add {PATH}")
    hook(root, "commit-msg", "echo 'Change-Id: I1' >> $1")
    hook(root, "post-commit", "touch was-run")
    propose_x(root)
    blob = git("rev-parse", f"{BRANCH}:{PATH}", cwd=root)
    assert git("cat-file", "blob", blob, cwd=root) == "# X\nformatted"
    assert f"Blob: {blob}\nChange-Id: I1\n" in git("log", "-1", "--format=%B", BRANCH, cwd=root)
    assert not (root / "was-run").exists()
    hook(root, "pre-commit", "exit 1")
    with pytest.raises(UserError, match="pre-commit hook refuses"):
        propose(Repo.discover(root), BRANCH, [NewFile("y.md", b"y")], "Generate y")


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="needs ssh-keygen")
def test_it_is_signed_where_the_user_signs(root: Path, git: Git, tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    (tmp_path / "allowed").write_text(f"ada@example.org {key.with_suffix('.pub').read_text()}")
    for name, value in {"commit.gpgsign": "yes", "gpg.format": "ssh", "user.signingkey": str(key),
                        "gpg.ssh.allowedSignersFile": str(tmp_path / "allowed")}.items():  # fmt: skip
        git("config", name, value, cwd=root)
    propose_x(root)
    assert git("log", "-1", "--format=%G?", BRANCH, cwd=root) == "G"


def test_who_moves_the_branch_meanwhile_loses_nothing(root: Path, git: Git) -> None:
    propose_x(root)
    marker = root.parent / "moved"
    move = f"c=$(git commit-tree -m theirs -p {BRANCH} {BRANCH}^{{tree}}) && git update-ref refs/heads/{BRANCH} $c"
    hook(root, "commit-msg", f"test -e {marker} || {{ touch {marker}; {move}; }}")
    propose(Repo.discover(root), BRANCH, [NewFile("y.md", b"y\n")], "Generate y")
    subjects = git("log", "--format=%s", BRANCH, cwd=root).split("\n")
    assert subjects == ["Generate y", "theirs", "Generate x", "start"]


PROGRAM = """\
from pathlib import Path
import dying
from gitforge.store import proposal
from gitforge.store.edits import NewFile
from gitforge.store.repo import Repo
dying.arm()
proposal.propose(Repo.discover(Path()), "forge/x", [NewFile("library/protocols/x.md", b"# X\\n")], "Generate x")
"""


@pytest.mark.parametrize("how", ["alone", pytest.param("group", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "step",
    steps(
        [f"proposal:{name}" for name in ("merge_committed", "build_commit", "write_journal", "reach_commit_point",
                                         "drop", "drop_journal")]
    ),
)  # fmt: skip
def test_killed_at_any_point_the_branch_has_it_or_not(root: Path, git: Git, step: str, how: str) -> None:
    program = root.parent / "propose.py"
    program.write_text(PROGRAM)
    before = snapshot(git, root)
    path = ("env", f"PYTHONPATH={Path(__file__).parent.parent}", sys.executable, str(program))
    killed(root, step, how, program=path)
    assert propose_x(root).commit == git("rev-parse", BRANCH, cwd=root)
    assert git("log", "--format=%s", BRANCH, cwd=root).split("\n") == ["Generate x", "start"]
    assert snapshot(git, root)[1:] == before[1:]
    assert_sound(git, root)


def test_a_lock_that_a_killed_git_left_is_freed(root: Path, git: Git) -> None:
    program = root.parent / "propose.py"
    program.write_text(PROGRAM)
    path = ("env", f"PYTHONPATH={Path(__file__).parent.parent}", sys.executable, str(program))
    killed(root, "gitforge.store.proposal:write_journal:after", "alone", program=path)
    lock = root / f".git/refs/heads/{BRANCH}.lock"
    lock.parent.mkdir()
    lock.touch()
    propose_x(root)
    assert locks_in(root) == []
