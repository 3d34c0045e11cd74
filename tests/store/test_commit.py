"""What a commit says: the blobs that it records, and, without any edit, something about what is there."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from harm import assert_sound, killed, snapshot
from making import hook, make_repository

from gitforge.errors import UserError
from gitforge.store.edits import Edit, NewFile, Rewrite
from gitforge.store.repo import Repo
from gitforge.store.transaction import record

Git = Callable[..., str]

PATH = "library/protocols/x.md"
NEW = NewFile(PATH, b"# X\n")


@pytest.fixture
def root(tmp_path: Path, git: Git) -> Path:
    """A repository with a goals.yaml and an identity."""
    return make_repository(tmp_path / "work", git, {"goals.yaml": "a\n"})


def spoken(blobs: Mapping[str, str]) -> str:
    groups = "\n".join(f"Component: {path}\nBlob: {id_}" for path, id_ in blobs.items())
    return f"Say which\n\n{groups}\n"


class TestBlobsInTheMessage:
    def test_it_is_told_the_id_of_each_blob_that_the_commit_has_but_for_deleted_ones(
        self, root: Path, git: Git
    ) -> None:
        record(Repo.discover(root), [NewFile("old.md", b"old\n"), NewFile("same.md", b"same\n")], "More")
        seen: list[Mapping[str, str]] = []

        def message(blobs: Mapping[str, str]) -> str:
            seen.append(blobs)
            return "Edit"

        edits: list[Edit] = [
            NEW, NewFile("same.md", b"same\n"), Rewrite("old.md", lambda _: None),
            Rewrite("goals.yaml", lambda _: b"b\n"),
        ]  # fmt: skip
        record(Repo.discover(root), edits, message)
        ids = {path: git("rev-parse", f"HEAD:{path}", cwd=root) for path in (PATH, "same.md", "goals.yaml")}
        assert seen == [ids]

    def test_it_is_asked_again_after_a_lost_race(
        self, root: Path, git: Git, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        texts = iter([b"mine\n", b"theirs\n"])

        def message(blobs: Mapping[str, str]) -> str:
            if (content := next(texts, None)) is not None:
                blob = git("hash-object", "-w", "--stdin", cwd=root, stdin=content.decode())
                tree = git("mktree", cwd=root, stdin=f"100644 blob {blob}\tgoals.yaml\n")
                new = git("commit-tree", "-m", "theirs", "-p", "HEAD", tree, cwd=root)
                git("update-ref", "refs/heads/main", new, cwd=root)
                git("read-tree", new, cwd=root)
                (root / "goals.yaml").write_bytes(content)
            return spoken(blobs)

        record(Repo.discover(root), [Rewrite("goals.yaml", lambda old: (old or b"") + b"x\n")], message)
        blob = git("rev-parse", "HEAD:goals.yaml", cwd=root)
        assert git("cat-file", "blob", blob, cwd=root) == "theirs\nx"
        assert f"Blob: {blob}\n" in git("log", "-1", "--format=%B", cwd=root)

    def test_where_a_hook_rewrites_a_file_the_message_names_its_version(self, root: Path, git: Git) -> None:
        hook(root, "pre-commit", f"echo formatted >> {PATH}; git add {PATH}")
        hook(root, "commit-msg", "echo 'Change-Id: I1' >> $1")
        twin = NewFile("library/personas/twin.md", NEW.content)
        record(Repo.discover(root), [NEW, twin], spoken)
        blobs = [git("rev-parse", f"HEAD:{edit.path}", cwd=root) for edit in (NEW, twin)]
        assert blobs[0] != blobs[1]
        assert git("log", "-1", "--format=%B", cwd=root).split("\n") == [
            "Say which", "", f"Component: {PATH}", f"Blob: {blobs[0]}",
            f"Component: {twin.path}", f"Blob: {blobs[1]}", "Change-Id: I1", "",
        ]  # fmt: skip

    @pytest.mark.parametrize("text", ["", " \n", "a\0b"])
    def test_one_without_text_is_a_programmers_mistake(self, root: Path, text: str) -> None:
        with pytest.raises(ValueError, match="needs a message"):
            record(Repo.discover(root), [NEW], lambda _: text)


class TestEmptyCommits:
    def test_one_has_the_same_tree_and_leaves_index_and_worktree_alone(self, root: Path, git: Git) -> None:
        (root / "staged").write_text("staged")
        git("add", "staged", cwd=root)
        (root / "goals.yaml").write_text("changed\n")
        before = snapshot(git, root)
        done = record(Repo.discover(root), [], "Approve it")
        assert (done.is_new, done.paths) == (True, ())
        assert git("rev-parse", "HEAD", "HEAD^{tree}", cwd=root).split() == [
            done.commit,
            git("rev-parse", "HEAD^^{tree}", cwd=root),
        ]
        assert snapshot(git, root)[1:] == before[1:]
        assert_sound(git, root)

    def test_two_in_a_row_are_two(self, root: Path, git: Git) -> None:
        repo = Repo.discover(root)
        assert record(repo, [], "Approve it").commit != record(repo, [], "Approve it again").commit
        assert git("rev-list", "--count", "HEAD", cwd=root) == "3"

    def test_on_an_unborn_branch_it_is_refused(self, tmp_path: Path) -> None:
        repo = Repo.create(tmp_path / "fresh")
        with pytest.raises(UserError, match="no commit yet"):
            record(repo, [], "Approve it")

    def test_without_an_index_file_it_works(self, root: Path, git: Git) -> None:
        (root / ".git/index").unlink()
        record(Repo.discover(root), [], "Approve it")
        git("reset", "-q", cwd=root)
        assert git("status", "--porcelain", cwd=root) == ""
        assert_sound(git, root)

    def test_hooks_run_as_for_git_commit_allow_empty(self, root: Path, git: Git) -> None:
        log = root.parent / "log"
        for name in ("pre-commit", "prepare-commit-msg", "commit-msg", "post-commit"):
            hook(root, name, f'echo "$(basename $0) $(git diff --cached --name-only)" >> {log}')
        record(Repo.discover(root), [], "Approve it")
        ours = log.read_text()
        log.unlink()
        git("commit", "-q", "--allow-empty", "-m", "theirs", cwd=root)
        assert ours == log.read_text() != ""
        hook(root, "commit-msg", "exit 1")
        with pytest.raises(UserError, match="commit-msg hook refuses"):
            record(Repo.discover(root), [], "Approve it")

    @pytest.mark.parametrize("step", ["lock_index:after", "reach_commit_point:after", "write_journal:after"])
    def test_killed_at_a_step_it_is_there_once_or_not(self, root: Path, git: Git, step: str) -> None:
        program = root.parent / "approve.py"
        program.write_text(
            "from pathlib import Path\nimport dying\nfrom gitforge.store import transaction\n"
            "from gitforge.store.repo import Repo\ndying.arm()\n"
            "transaction.record(Repo.discover(Path()), [], 'Approve it')\n"
        )
        before = snapshot(git, root)
        python = ("env", f"PYTHONPATH={Path(__file__).parent.parent}", sys.executable, str(program))
        killed(root, f"gitforge.store.transaction:{step}", "alone", program=python)
        record(Repo.discover(root), [], "Next")
        subjects = git("log", "--format=%s", cwd=root).split("\n")
        assert subjects == ["Next", *(["Approve it"] if "journal" not in step else []), "start"]
        assert snapshot(git, root)[1:] == before[1:]
        assert_sound(git, root)
