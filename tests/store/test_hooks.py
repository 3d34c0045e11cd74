"""The user's hooks run as `git commit` runs them, and nothing of the user's is at risk meanwhile."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from harm import GENERATE, TEXT, Witness, answers, generate, generated, locks_in, users_work
from llm_server import LlmServer
from making import hook, make_repository
from program import COMMAND, NAME, PROTOCOL, gitforge

from gitforge.errors import UserError
from gitforge.store.edits import NewFile, Rewrite
from gitforge.store.repo import Repo
from gitforge.store.transaction import record

Git = Callable[..., str]

NEW = NewFile("library/x.md", b"# X\n")


@pytest.fixture
def root(tmp_path: Path, git: Git) -> Path:
    """A repository with a goals.yaml, a script and an identity."""
    return make_repository(tmp_path / "work", git, {"goals.yaml": "a\n"})


def left_in_temp() -> list[Path]:
    return list(Path("/tmp").glob(f"gitforge-{os.getpid()}-*"))


def test_they_run_in_gits_order_with_gits_arguments_on_the_commit_to_be(root: Path, git: Git) -> None:
    log = root.parent / "log"
    seen = (
        f'echo "$(basename $0) $2 $(git symbolic-ref --short HEAD) $(git diff --cached --name-only)" >> {log}'
    )
    for name in ("pre-commit", "prepare-commit-msg", "commit-msg"):
        hook(root, name, seen)
    hook(root, "post-commit", f'echo "$(basename $0) $(git log -1 --format=%s) $PWD" >> {log}')
    (root / "staged").write_text("staged")
    git("add", "staged", cwd=root)
    record(Repo.discover(root), [NEW], "Generate x")
    assert log.read_text().splitlines() == [
        "pre-commit  main library/x.md",
        "prepare-commit-msg message main library/x.md",
        "commit-msg  main library/x.md",
        f"post-commit Generate x {root}",
    ]
    assert git("status", "--porcelain", cwd=root) == "A  staged"
    assert left_in_temp() == []


@pytest.mark.parametrize("name", ["pre-commit", "prepare-commit-msg", "commit-msg"])
def test_one_that_fails_refuses_the_commit_and_is_quoted_and_the_draft_is_kept(
    incomplete: Path, git: Git, llm: LlmServer, name: str
) -> None:
    answers(llm)
    users_work(incomplete, git)
    path = hook(incomplete, name, "echo 'no: \033[31mtoo vague'; echo second line >&2; exit 1")
    head = git("rev-parse", "HEAD", cwd=incomplete)
    status = git("status", "--porcelain", cwd=incomplete)
    done = generate(incomplete)
    assert done.code == 1
    assert (
        f"the {name} hook refuses the commit; nothing was recorded:\nno: \\x1b[31mtoo vague\nsecond line"
        in done.err
    )
    assert git("rev-parse", "HEAD", cwd=incomplete) == head
    assert git("status", "--porcelain", cwd=incomplete) == status
    assert NAME in gitforge("status", cwd=incomplete).out
    path.unlink()
    again = generate(incomplete)
    assert again.code == 0
    assert "kept draft" in again.err
    assert len(generated(incomplete, git)) == len(llm.requests) == 1
    assert (incomplete / PROTOCOL).read_text() == TEXT
    assert locks_in(incomplete) == []


@pytest.mark.parametrize("is_absolute", [True, False])
@pytest.mark.parametrize("linked", [True, False])
def test_hooks_path_is_honoured(root: Path, git: Git, is_absolute: bool, linked: bool) -> None:
    hook(root, "pre-commit", "echo from the folder; exit 1", ".githooks")
    git("config", "core.hooksPath", str(root / ".githooks") if is_absolute else ".githooks", cwd=root)
    git("add", ".githooks", cwd=root)
    git("commit", "-qm", "hooks", "--no-verify", cwd=root)
    if linked:
        git("worktree", "add", "-q", "../linked", cwd=root)
        root = root.parent / "linked"
    with pytest.raises(UserError, match="from the folder"):
        record(Repo.discover(root), [NEW], "Generate x")


def test_the_version_of_a_hook_that_rewrites_our_file_is_taken(root: Path, git: Git) -> None:
    hook(root, "pre-commit", "echo formatted >> library/x.md; git add library/x.md")
    hook(root, "commit-msg", "echo 'Change-Id: I1' >> $1")
    record(Repo.discover(root), [NEW], "Generate x\n\nGoal: G")
    assert git("show", "HEAD:library/x.md", cwd=root) == "# X\nformatted"
    assert (root / "library/x.md").read_text() == "# X\nformatted\n"
    assert git("log", "-1", "--format=%(trailers)", cwd=root).splitlines() == ["Goal: G", "Change-Id: I1"]
    assert git("status", "--porcelain", cwd=root) == ""


def test_a_formatter_that_fails_once_because_it_changed_something_is_run_again(root: Path, git: Git) -> None:
    hook(root, "pre-commit", "grep -q formatted library/x.md || { echo formatted >> library/x.md; exit 1; }")
    record(Repo.discover(root), [NEW], "Generate x")
    assert git("show", "HEAD:library/x.md", cwd=root) == "# X\nformatted"
    assert git("status", "--porcelain", cwd=root) == ""


def test_a_rewritten_goals_file_keeps_what_the_user_has_staged_and_changed(root: Path, git: Git) -> None:
    hook(root, "pre-commit", "sed -i s/new/NEW/ goals.yaml; git add goals.yaml")
    (root / "goals.yaml").write_text("mine\na\n")
    record(Repo.discover(root), [Rewrite("goals.yaml", lambda old: (old or b"") + b"new\n")], "Add goal")
    assert git("show", "HEAD:goals.yaml", cwd=root) == "a\nNEW"
    assert (root / "goals.yaml").read_text() == "mine\na\nnew\n"
    assert git("diff", "--cached", cwd=root) == ""


@pytest.mark.parametrize(
    "script",
    ["echo x >> goals.yaml; git add goals.yaml", "echo x >> goals.yaml", "echo x > more; git add more",
     "git rm -q --cached library/x.md", "rm goals.yaml"],
)  # fmt: skip
def test_one_that_changes_anything_else_is_refused(root: Path, git: Git, script: str) -> None:
    hook(root, "pre-commit", script)
    with pytest.raises(UserError, match="changes what is not gitforge's to commit"):
        record(Repo.discover(root), [NEW], "Generate x")
    assert git("status", "--porcelain", cwd=root) == ""
    assert git("rev-list", "--count", "HEAD", cwd=root) == "1"


def test_a_file_that_one_merely_leaves_behind_is_dropped(root: Path, git: Git) -> None:
    hook(root, "pre-commit", "echo cache > .cache")
    record(Repo.discover(root), [NEW], "Generate x")
    assert git("status", "--porcelain", cwd=root) == ""
    assert not (root / ".cache").exists()


def test_one_that_hangs_is_stopped(root: Path, git: Git) -> None:
    hook(root, "pre-commit", "sleep 60")
    with pytest.raises(UserError, match=r"did not end in 1 seconds and was stopped; nothing was recorded"):
        record(Repo.discover(root), [NEW], "Generate x", hook_seconds=1)
    assert git("status", "--porcelain", cwd=root) == ""
    assert left_in_temp() == []


def test_one_that_empties_the_message_is_refused(root: Path) -> None:
    hook(root, "commit-msg", ": > $1")
    with pytest.raises(UserError, match="message is empty"):
        record(Repo.discover(root), [NEW], "Generate x")


def test_killed_in_one_the_worktree_and_the_index_are_untouched(
    incomplete: Path, git: Git, llm: LlmServer
) -> None:
    answers(llm)
    users_work(incomplete, git)
    witness = Witness(incomplete, git)
    path = hook(
        incomplete, "pre-commit", "git stash -q 2>/dev/null; rm -rf library; kill -9 $PPID; kill -9 0"
    )
    done = subprocess.run(
        [*COMMAND, *GENERATE], cwd=incomplete, capture_output=True, check=False, start_new_session=True
    )
    assert done.returncode != 0
    path.unlink()
    assert generate(incomplete).code == 0
    git("stash", "clear", cwd=incomplete)
    assert len(llm.requests) == 1
    witness.assert_one_commit_and_nothing_else()


def test_pathspecs_of_a_hook_are_not_literal(root: Path) -> None:
    hook(root, "pre-commit", 'test "$(git ls-files "*.md")" = library/x.md')
    record(Repo.discover(root), [NEW], "Generate x")


def test_on_an_unborn_branch_they_run_too(tmp_path: Path, git: Git) -> None:
    repo = Repo.create(tmp_path / "fresh")
    hook(repo.root, "pre-commit", 'test "$(git ls-files)" = library/x.md')
    record(repo, [NEW], "Start")
    assert git("status", "--porcelain", cwd=repo.root) == ""


def test_where_there_is_none_no_process_is_started(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hook(root, "pre-commit", "exit 1").chmod(0o644)  # as git's own samples: not executable
    monkeypatch.setattr("gitforge.store.hooks._run_hook", None)
    record(Repo.discover(root), [NEW], "Generate x")


def test_the_pre_commit_framework_works(root: Path, git: Git, tmp_path: Path) -> None:
    if importlib.util.find_spec("pre_commit") is None:
        pytest.skip("the package pre-commit is not installed")
    (root / ".pre-commit-config.yaml").write_text(
        "repos:\n- repo: local\n  hooks:\n"
        "  - {id: shout, name: shout, language: system, files: '[.]md$', entry: sed -i s/X/XX/}\n"
        "  - {id: no-bad, name: no-bad, language: system, files: '[.]md$', entry: '! grep bad'}\n".replace(
            "'! grep bad'", "sh -c '! grep -n bad \"$@\"' --"
        )
    )
    git("add", ".", cwd=root)
    git("commit", "-qm", "Use pre-commit", cwd=root)
    subprocess.run([sys.executable, "-m", "pre_commit", "install"], cwd=root, check=True, capture_output=True)
    (root / "goals.yaml").write_text("changed, not staged\n")
    with pytest.raises(UserError, match="bad thing"):
        record(Repo.discover(root), [NewFile("library/y.md", b"a bad thing\n")], "Generate y")
    assert (root / "goals.yaml").read_text() == "changed, not staged\n"
    record(Repo.discover(root), [NewFile("library/z.md", b"fine\n")], "Generate z")
    assert git("show", "--format=", "--name-only", "HEAD", cwd=root) == "library/z.md"
    assert git("status", "--porcelain", cwd=root) == " M goals.yaml"
