"""One edit set, one commit: the user's work stays, what is in the way is refused, nobody loses a commit."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from harm import assert_sound, locks_in, snapshot
from making import make_repository

from gitforge.errors import Conflict, UserError
from gitforge.store import locks, placing, transaction
from gitforge.store.edits import NewFile, Rewrite
from gitforge.store.repo import Repo
from gitforge.store.transaction import record
from gitforge.store.worktree import Staging

Git = Callable[..., str]

PATH = "library/protocols/x.md"
NEW = NewFile(PATH, b"# X\n")
GOALS = "goals.yaml"


def appended(line: bytes) -> Rewrite:
    """An edit that keeps the line endings that it finds."""

    def edit(old: bytes | None) -> bytes:
        old = old or b""
        return old if line in old else old + line + (b"\r\n" if b"\r\n" in old else b"\n")

    return Rewrite(GOALS, edit)


@pytest.fixture
def root(tmp_path: Path, git: Git) -> Path:
    """A repository with a goals.yaml, a component and an identity."""
    files = {"library/personas/p.md": "P\n", GOALS: "a\nb\nc\n"}
    return make_repository(tmp_path / "work", git, files)


class TestOneCommit:
    def test_refs_move_in_the_same_transaction_and_not_without_a_commit(self, root: Path, git: Git) -> None:
        repo, ref = Repo.discover(root), "refs/gitforge/libraries/acme"
        first = git("rev-parse", "HEAD", cwd=root)
        record(repo, [NEW], "Add x", points={ref: first})
        assert git("rev-parse", ref, cwd=root) == first
        assert not record(repo, [NEW], "Add x", points={ref: git("rev-parse", "HEAD", cwd=root)}).is_new
        assert git("rev-parse", ref, cwd=root) == first

    def test_it_holds_exactly_the_edits_on_top_of_head(self, root: Path, git: Git) -> None:
        before = git("rev-parse", "HEAD", cwd=root)
        done = record(Repo.discover(root), [NEW, appended(b"x")], "Generate x\n\nbody\n\nGoal: X")
        assert done.paths == (PATH, GOALS)
        assert git("rev-parse", "HEAD", "HEAD^", cwd=root).split() == [done.commit, before]
        assert git("diff", "--name-status", "HEAD^", "HEAD", cwd=root) == f"M\t{GOALS}\nA\t{PATH}"
        assert (
            git("log", "-1", "--format=%an <%ae>|%cn|%B", cwd=root)
            == "Ada <ada@example.org>|Ada|Generate x\n\nbody\n\nGoal: X\n"
        )
        assert (root / PATH).read_bytes() == b"# X\n"
        assert git("status", "--porcelain", cwd=root) == ""
        assert git("reflog", "-1", "--format=%gs", cwd=root) == "gitforge: Generate x"
        assert_sound(git, root)

    def test_on_an_unborn_branch_it_is_the_first(self, tmp_path: Path, git: Git) -> None:
        repo = Repo.create(tmp_path / "fresh")
        record(repo, [NEW, appended(b"x")], "Start")
        assert git("rev-list", "--count", "main", cwd=repo.root) == "1"
        assert git("status", "--porcelain", cwd=repo.root) == ""
        assert_sound(git, repo.root)

    def test_on_an_unborn_branch_what_is_staged_stays_staged(self, tmp_path: Path, git: Git) -> None:
        repo = Repo.create(tmp_path / "fresh")
        (repo.root / "mine").write_text("mine")
        git("add", "mine", cwd=repo.root)
        record(repo, [NEW], "Start")
        assert git("status", "--porcelain", cwd=repo.root) == "A  mine"

    def test_on_a_detached_head_no_branch_moves(self, root: Path, git: Git) -> None:
        main = git("rev-parse", "main", cwd=root)
        git("checkout", "-q", "--detach", cwd=root)
        done = record(Repo.discover(root), [NEW], "Generate x")
        assert git("rev-parse", "HEAD", "main", cwd=root).split() == [done.commit, main]
        assert subprocess.run(["git", "symbolic-ref", "-q", "HEAD"], cwd=root, check=False).returncode == 1
        assert git("status", "--porcelain", cwd=root) == ""

    def test_in_a_linked_worktree_only_its_own_branch_index_and_files_change(
        self, root: Path, git: Git
    ) -> None:
        git("worktree", "add", "-q", "../linked", cwd=root)
        before = git("rev-parse", "main", cwd=root), git("ls-files", "-s", cwd=root)
        linked = root.parent / "linked"
        done = record(Repo.discover(linked), [NEW], "Generate x")
        assert git("rev-parse", "linked", cwd=root) == done.commit
        assert (git("rev-parse", "main", cwd=root), git("ls-files", "-s", cwd=root)) == before
        assert git("status", "--porcelain", cwd=linked) == git("status", "--porcelain", cwd=root) == ""
        assert_sound(git, root)

    def test_what_head_has_already_makes_no_commit(self, root: Path, git: Git) -> None:
        repo = Repo.discover(root)
        first = record(repo, [NEW, appended(b"x")], "Generate x")
        again = record(repo, [NEW, appended(b"x")], "Generate x")
        assert (again.commit, again.paths) == (first.commit, ())
        assert git("rev-list", "--count", "HEAD", cwd=root) == "2"

    def test_a_new_file_has_the_umasks_permissions_and_a_rewritten_one_its_own(self, root: Path) -> None:
        (root / GOALS).chmod(0o600)
        old = os.umask(0o027)
        try:
            record(Repo.discover(root), [NEW, appended(b"x")], "Generate x")
        finally:
            os.umask(old)
        assert (root / PATH).stat().st_mode & 0o777 == 0o640
        assert (root / GOALS).stat().st_mode & 0o777 == 0o600

    @pytest.mark.parametrize(
        "name",
        [
            "-rf.md",
            "--help",
            'a "b" c.md',
            "é/ü 工具.md",
            "'$(x)`y`.md",
            ":(top)x.md",
            "[a-z]*.md",
        ],
    )
    def test_odd_names_are_only_names(self, root: Path, git: Git, name: str) -> None:
        record(Repo.discover(root), [NewFile(name, b"a\n"), NewFile(f"library/{name}", b"b\n")], "Odd")
        assert git("ls-tree", "-rz", "--name-only", "HEAD^", cwd=root) != git(
            "ls-tree", "-rz", "--name-only", "HEAD", cwd=root
        )
        assert (root / name).read_bytes() == b"a\n"
        assert git("status", "--porcelain", cwd=root) == ""
        assert_sound(git, root)

    @pytest.mark.parametrize(
        "path",
        ["../x", "/x", "a/../../x", ".git/hooks/x", "a/.GIT/config", "a//b", "", "a\nb", "a\\b", "a\0b"],
    )
    def test_a_path_out_of_the_repository_is_refused(self, root: Path, path: str) -> None:
        with pytest.raises(UserError, match="not a path inside"):
            record(Repo.discover(root), [NewFile(path, b"")], "Bad")

    def test_without_an_identity_a_named_fallback_is_used_and_returned(
        self, tmp_path: Path, git: Git
    ) -> None:
        repo = Repo.create(tmp_path / "fresh")
        done = record(repo, [NEW], "Generate x")
        assert done.identity.is_fallback
        people = git("log", "-1", "--format=%an|%cn|%ae|%ce", cwd=repo.root)
        assert people == "|".join([done.identity.name] * 2 + [done.identity.email] * 2)
        assert "gitforge" not in (repo.git_dir / "config").read_text()

    def test_a_committer_of_its_own_is_kept(
        self, root: Path, git: Git, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("GIT_COMMITTER_NAME", "Bot")
        monkeypatch.setenv("GIT_COMMITTER_EMAIL", "bot@example.org")
        record(Repo.discover(root), [NEW], "Generate x")
        assert git("log", "-1", "--format=%an|%cn|%ce", cwd=root) == "Ada|Bot|bot@example.org"

    @pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="needs ssh-keygen")
    def test_it_is_signed_where_the_user_signs(self, root: Path, git: Git, tmp_path: Path) -> None:
        key = tmp_path / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        (tmp_path / "allowed").write_text(f"ada@example.org {key.with_suffix('.pub').read_text()}")
        for name, value in {"commit.gpgsign": "yes", "gpg.format": "ssh", "user.signingkey": str(key),
                            "gpg.ssh.allowedSignersFile": str(tmp_path / "allowed")}.items():  # fmt: skip
            git("config", name, value, cwd=root)
        record(Repo.discover(root), [NEW], "Generate x")
        assert git("log", "-1", "--format=%G?", cwd=root) == "G"

    def test_a_signing_program_that_fails_or_hangs_records_nothing(
        self, root: Path, git: Git, tmp_path: Path
    ) -> None:
        git("config", "commit.gpgsign", "true", cwd=root)
        before = snapshot(git, root)
        for script, message in {"exit 1": "failed to sign", "sleep 60": "did not end in time"}.items():
            (tmp_path / "gpg").write_text(f"#!/bin/sh\n{script}\n")
            (tmp_path / "gpg").chmod(0o755)
            git("config", "gpg.program", str(tmp_path / "gpg"), cwd=root)
            with pytest.raises(UserError, match=message):
                record(Repo.discover(root), [NEW], "Generate x", sign_seconds=0.5)
        assert snapshot(git, root) == before


class TestOddRepositories:
    @pytest.mark.parametrize(
        "setup",
        [
            ["update-index", "--index-version", "4"],
            ["update-index", "--split-index"],
            ["config", "core.splitIndex", "true"],
            ["config", "core.untrackedCache", "true"],
            ["config", "core.sharedRepository", "group"],
            ["pack-refs", "--all"],
            ["gc", "-q"],
        ],
    )
    def test_it_works_and_keeps_what_is_staged(self, root: Path, git: Git, setup: list[str]) -> None:
        git(*setup, cwd=root)
        (root / "mine").write_text("mine")
        git("add", "mine", cwd=root)
        record(Repo.discover(root), [NEW, appended(b"x")], "Generate x")
        record(Repo.discover(root), [NewFile("library/y.md", b"y")], "Generate y")
        assert git("status", "--porcelain", cwd=root) == "A  mine"
        assert_sound(git, root)

    @pytest.mark.parametrize("sparse_index", ["--sparse-index", "--no-sparse-index"])
    def test_a_sparse_checkout_stays_sparse(self, root: Path, git: Git, sparse_index: str) -> None:
        record(Repo.discover(root), [NewFile("other/deep/o.md", b"o"), NewFile("third/t.md", b"t")], "More")
        git("sparse-checkout", "set", "--cone", sparse_index, "library", cwd=root)
        assert not (root / "other").exists()
        record(Repo.discover(root), [NEW, NewFile("other/deep/p.md", b"p")], "Generate x")
        assert git("status", "--porcelain", cwd=root) == ""
        assert (root / "other/deep/p.md").exists()
        assert not (root / "third").exists()
        assert_sound(git, root)

    def test_sha256(self, tmp_path: Path, git: Git) -> None:
        git("init", "-q", "--object-format=sha256", "work", cwd=tmp_path)
        repo = Repo.discover(tmp_path / "work")
        record(repo, [NEW], "First")
        record(repo, [appended(b"x")], "Second")
        assert git("status", "--porcelain", cwd=repo.root) == ""
        assert_sound(git, repo.root)

    @pytest.mark.parametrize("how", ["autocrlf", "attributes"])
    def test_line_ending_rules_apply_to_the_commit_and_not_to_the_file(
        self, root: Path, git: Git, how: str
    ) -> None:
        if how == "autocrlf":
            git("config", "core.autocrlf", "true", cwd=root)
        else:
            (root / ".gitattributes").write_text("* text eol=crlf\n")
            git("add", ".", cwd=root)
            git("commit", "-qm", "attributes", cwd=root)
        (root / GOALS).unlink()
        git("checkout", GOALS, cwd=root)
        assert b"\r\n" in (root / GOALS).read_bytes()
        record(Repo.discover(root), [NewFile(PATH, b"1\r\n2\r\n"), appended(b"x")], "Generate x")
        assert git("cat-file", "blob", f"HEAD:{PATH}", cwd=root) == "1\n2"
        assert git("cat-file", "blob", f"HEAD:{GOALS}", cwd=root) == "a\nb\nc\nx"
        assert (root / PATH).read_bytes() == b"1\r\n2\r\n"
        assert (root / GOALS).read_bytes() == b"a\r\nb\r\nc\r\nx\r\n"
        assert git("status", "--porcelain", cwd=root) == ""

    def test_only_the_folders_on_the_way_are_read(self, root: Path, git: Git) -> None:
        missing = "1" * 40
        tree = git("mktree", "--missing", cwd=root, stdin=f"040000 tree {missing}\tfar\n")
        top = git("ls-tree", "HEAD", cwd=root)
        git("read-tree", "--empty", cwd=root)
        top_tree = git("mktree", cwd=root, stdin=f"{top}\n040000 tree {tree}\tbig\n")
        commit = git("commit-tree", "-m", "partial", "-p", "HEAD", top_tree, cwd=root)
        git("update-ref", "HEAD", commit, cwd=root)
        assert record(Repo.discover(root), [NEW], "Generate x").paths == (PATH,)

    def test_commands_that_trust_the_index_alone_see_no_change(self, root: Path, git: Git) -> None:
        record(Repo.discover(root), [NEW, appended(b"x")], "Generate x")
        assert git("diff-files", "--name-only", cwd=root) == ""

    def test_a_racily_clean_file_is_still_seen_as_changed(self, root: Path, git: Git) -> None:
        """A change of the same size in the clock tick of `git add` shows only by the index's own time."""
        git("config", "core.checkStat", "minimal", cwd=root)
        tick = (time.time() - 10,) * 2
        (root / "racy").write_text("one")
        os.utime(root / "racy", tick)
        git("add", "racy", cwd=root)
        (root / "racy").write_text("two")
        os.utime(root / "racy", tick)
        os.utime(root / ".git/index", tick)
        record(Repo.discover(root), [NEW], "Generate x")
        assert git("status", "--porcelain", cwd=root) == "AM racy"


class TestTheUsersWorkStays:
    def test_staged_changed_and_untracked_files_stay_byte_for_byte(self, root: Path, git: Git) -> None:
        (root / "staged").write_text("staged")
        (root / "library/personas/p.md").write_text("staged p\n")
        git("add", ".", cwd=root)
        (root / "library/personas/p.md").write_text("changed p\n")
        (root / "untracked").write_bytes(b"\0\xff")
        git("rm", "-q", "--cached", GOALS, cwd=root)
        index, status = git("ls-files", "-s", cwd=root), git("status", "--porcelain", cwd=root)
        record(Repo.discover(root), [NEW], "Generate x")
        assert git("status", "--porcelain", cwd=root) == status
        added = f"100644 {git('rev-parse', f'HEAD:{PATH}', cwd=root)} 0\t{PATH}"
        assert sorted(git("ls-files", "-s", cwd=root).splitlines()) == sorted([*index.splitlines(), added])
        assert (root / "library/personas/p.md").read_text() == "changed p\n"
        assert (root / "untracked").read_bytes() == b"\0\xff"
        assert git("diff", "--name-only", "HEAD^", "HEAD", cwd=root) == PATH

    def test_staged_and_unstaged_edits_of_a_rewritten_file_survive_apart(self, root: Path, git: Git) -> None:
        (root / GOALS).write_text("staged\na\nb\nc\n")
        git("add", GOALS, cwd=root)
        (root / GOALS).write_text("staged\na\nunstaged\nb\nc\n")
        record(Repo.discover(root), [NEW, appended(b"x")], "Generate x")
        assert git("show", f"HEAD:{GOALS}", cwd=root) == "a\nb\nc\nx"
        assert git("show", f":{GOALS}", cwd=root) == "staged\na\nb\nc\nx"
        assert (root / GOALS).read_text() == "staged\na\nunstaged\nb\nc\nx\n"
        assert git("status", "--porcelain", cwd=root) == f"MM {GOALS}"

    def test_an_untracked_file_with_the_same_content_is_adopted(self, root: Path, git: Git) -> None:
        (root / "library/protocols").mkdir()
        (root / PATH).write_bytes(NEW.content)
        inode = (root / PATH).stat().st_ino
        record(Repo.discover(root), [NEW], "Generate x")
        assert (root / PATH).stat().st_ino == inode
        assert git("status", "--porcelain", cwd=root) == ""

    def test_a_staged_file_with_the_same_content_is_adopted(self, root: Path, git: Git) -> None:
        (root / "library/protocols").mkdir()
        (root / PATH).write_bytes(NEW.content)
        git("add", PATH, cwd=root)
        record(Repo.discover(root), [NEW], "Generate x")
        assert git("status", "--porcelain", cwd=root) == ""


def untracked(root: Path, git: Git) -> None:
    (root / "library/protocols").mkdir()
    (root / PATH).write_text("mine")


def staged(root: Path, git: Git) -> None:
    untracked(root, git)
    git("add", PATH, cwd=root)


def staged_and_gone(root: Path, git: Git) -> None:
    staged(root, git)
    (root / PATH).unlink()


def intent_to_add(root: Path, git: Git) -> None:
    untracked(root, git)
    (root / PATH).write_bytes(NEW.content)
    git("add", "-N", PATH, cwd=root)


def committed(root: Path, git: Git) -> None:
    staged(root, git)
    git("commit", "-qm", "mine", cwd=root)


def ignored_file(root: Path, git: Git) -> None:
    untracked(root, git)
    (root / ".git/info/exclude").write_text("*.md\n")


def folder(root: Path, git: Git) -> None:
    (root / PATH).mkdir(parents=True)
    (root / PATH / "mine").write_text("mine")


def staged_folder(root: Path, git: Git) -> None:
    folder(root, git)
    git("add", ".", cwd=root)
    shutil.rmtree(root / PATH)


def symlink(root: Path, git: Git) -> None:
    (root / "library/protocols").mkdir()
    (root / PATH).symlink_to("../../x.md")


def parent_is_a_file(root: Path, git: Git) -> None:
    (root / "library/protocols").write_text("mine")


def parent_is_a_staged_file(root: Path, git: Git) -> None:
    parent_is_a_file(root, git)
    git("add", ".", cwd=root)
    (root / "library/protocols").unlink()


def parent_is_a_committed_file(root: Path, git: Git) -> None:
    parent_is_a_file(root, git)
    git("add", ".", cwd=root)
    git("commit", "-qm", "file", cwd=root)
    git("rm", "-q", "library/protocols", cwd=root)


def parent_is_a_symlink_out(root: Path, git: Git) -> None:
    (root.parent / "outside").mkdir()
    (root / "library/protocols").symlink_to(root.parent / "outside")


def parent_is_a_symlink_inside(root: Path, git: Git) -> None:
    (root / "library/protocols").symlink_to("personas")


def parent_is_a_submodule(root: Path, git: Git) -> None:
    git("init", "-q", "../sub", cwd=root)
    git("commit", "-q", "--allow-empty", "-m", "x", cwd=root.parent / "sub")
    git(
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        "../sub",
        "library/protocols",
        cwd=root,
    )
    git("commit", "-qm", "sub", cwd=root)


def parent_is_an_absent_submodule(root: Path, git: Git) -> None:
    parent_is_a_submodule(root, git)
    shutil.rmtree(root / "library/protocols")


def parent_is_another_repository(root: Path, git: Git) -> None:
    git("init", "-q", "library/protocols", cwd=root)


IN_THE_WAY = [
    untracked, staged, staged_and_gone, intent_to_add, committed, ignored_file, folder, staged_folder,
    symlink, parent_is_a_file, parent_is_a_staged_file, parent_is_a_committed_file, parent_is_a_symlink_out,
    parent_is_a_symlink_inside, parent_is_a_submodule, parent_is_an_absent_submodule,
    parent_is_another_repository,
]  # fmt: skip


class TestInTheWay:
    @pytest.mark.parametrize("obstacle", IN_THE_WAY, ids=lambda f: f.__name__)
    def test_of_a_new_file_it_is_named_and_nothing_changes(
        self, root: Path, git: Git, obstacle: Callable[[Path, Git], None]
    ) -> None:
        obstacle(root, git)
        before = snapshot(git, root)
        with pytest.raises(Conflict, match="library/protocols"):
            record(Repo.discover(root), [NEW, appended(b"x")], "Generate x")
        assert snapshot(git, root) == before

    def test_an_ignored_path_is_refused_as_git_add_does(self, root: Path, git: Git) -> None:
        (root / ".git/info/exclude").write_text("protocols/\n")
        before = snapshot(git, root)
        with pytest.raises(UserError, match="ignored"):
            record(Repo.discover(root), [NEW], "Generate x")
        assert snapshot(git, root) == before

    @pytest.mark.parametrize("how", ["deleted", "removed", "symlink", "conflict"])
    def test_of_a_rewrite_it_is_named_and_nothing_changes(self, root: Path, git: Git, how: str) -> None:
        if how == "deleted":
            (root / GOALS).unlink()
        elif how == "removed":
            git("rm", "-q", "--cached", GOALS, cwd=root)
        elif how == "symlink":
            (root / GOALS).unlink()
            (root / GOALS).symlink_to("library/personas/p.md")
        else:
            blob = git("rev-parse", f"HEAD:{GOALS}", cwd=root)
            lines = "".join(f"100644 {blob} {stage}\t{GOALS}\n" for stage in (1, 2, 3))
            git("update-index", "--index-info", cwd=root, stdin=f"0 {'0' * 40}\t{GOALS}\n{lines}")
        before = snapshot(git, root)
        with pytest.raises(Conflict, match=GOALS):
            record(Repo.discover(root), [NEW, appended(b"x")], "Generate x")
        assert snapshot(git, root) == before

    def test_a_conflict_that_the_edit_itself_raises_changes_nothing(self, root: Path, git: Git) -> None:
        (root / GOALS).write_text("a\nchanged\n")
        before = snapshot(git, root)

        def edit(old: bytes | None) -> bytes:
            if b"changed" in (old or b""):
                raise Conflict("goals.yaml: your own change is in the way")
            return b"new"

        with pytest.raises(Conflict, match="your own change"):
            record(Repo.discover(root), [NEW, Rewrite(GOALS, edit)], "Generate x")
        assert snapshot(git, root) == before

    @pytest.mark.parametrize("operation", ["merge", "rebase", "cherry-pick", "revert", "bisect"])
    def test_an_operation_in_progress_is_named_and_nothing_changes(
        self, root: Path, git: Git, operation: str
    ) -> None:
        git("checkout", "-qb", "other", cwd=root)
        (root / "library/personas/p.md").write_text("theirs\n")
        git("commit", "-qam", "theirs", cwd=root)
        git("checkout", "-q", "main", cwd=root)
        (root / "library/personas/p.md").write_text("ours\n")
        git("commit", "-qam", "ours", cwd=root)
        arguments = {"revert": ["--no-commit", "HEAD"], "bisect": ["start"]}.get(operation, ["other"])
        subprocess.run(["git", operation, *arguments], cwd=root, capture_output=True, check=False)
        before = snapshot(git, root)
        with pytest.raises(UserError, match=f"A {operation} is in progress; nothing was recorded"):
            record(Repo.discover(root), [NEW], "Generate x")
        assert snapshot(git, root) == before

    def test_a_hook_that_refuses_the_branchs_move_is_obeyed(self, root: Path, git: Git) -> None:
        hook = root / ".git/hooks/reference-transaction"
        hook.write_text("#!/bin/sh\n[ $1 != prepared ]\n")
        hook.chmod(0o755)
        before = snapshot(git, root)
        with pytest.raises(UserError, match=r"update-ref failed.*hook"):
            record(Repo.discover(root), [NEW, appended(b"x")], "Generate x")
        assert snapshot(git, root) == before


class TestOthersAtTheSameTime:
    def test_somebody_elses_index_lock_is_waited_for_and_never_removed(self, root: Path, git: Git) -> None:
        lock = root / ".git/index.lock"
        lock.write_text("theirs")
        with pytest.raises(UserError, match=r"index\.lock.* seconds old.*nothing was recorded"):
            record(Repo.discover(root), [NEW], "Generate x", index_lock_seconds=0.1)
        assert lock.read_text() == "theirs"
        assert not (root / "library/protocols").exists()
        lock.unlink()
        assert git("rev-list", "--count", "HEAD", cwd=root) == "1"
        script = "echo > .git/index.lock; echo; sleep 0.3; rm .git/index.lock"
        with subprocess.Popen(["sh", "-c", script], cwd=root, stdout=subprocess.PIPE) as other:
            assert other.stdout is not None
            other.stdout.readline()
            record(Repo.discover(root), [NEW], "Generate x")
        assert_sound(git, root)

    def test_another_gitforge_is_waited_for_a_limited_time(self, root: Path) -> None:
        repo = Repo.discover(root)
        with locks.commit_lock(repo, timeout=1), pytest.raises(UserError, match="Another gitforge"):
            record(repo, [NEW], "Generate x", lock_seconds=0.1)

    def test_a_users_commit_before_the_lock_is_built_on(
        self, root: Path, git: Git, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        theirs = list[str]()

        def commit_first(index: Path, new_index: Path) -> None:
            if not theirs:
                (root / GOALS).write_text("a\nb\nc\ntheirs\n")
                git("commit", "-qam", "theirs", cwd=root)
                theirs.append(git("rev-parse", "HEAD", cwd=root))
            locks.take_index_lock(index, new_index)

        monkeypatch.setattr(transaction, "take_index_lock", commit_first)
        record(Repo.discover(root), [NEW, appended(b"x")], "Generate x")
        assert git("rev-parse", "HEAD^", cwd=root) == theirs[0]
        assert git("show", f"HEAD:{GOALS}", cwd=root) == "a\nb\nc\ntheirs\nx"
        assert (root / GOALS).read_text() == "a\nb\nc\ntheirs\nx\n"
        assert git("status", "--porcelain", cwd=root) == ""
        assert_sound(git, root)

    @pytest.mark.parametrize("how", ["commit", "switch"])
    def test_a_branch_that_moves_under_the_lock_is_built_on(
        self, root: Path, git: Git, monkeypatch: pytest.MonkeyPatch, how: str
    ) -> None:
        original, theirs = transaction.lock_index, list[str]()

        def move_first(*arguments: object) -> None:
            first = not theirs
            if first and how == "switch":
                git("branch", "other", cwd=root)
                git("symbolic-ref", "HEAD", "refs/heads/other", cwd=root)
                theirs.append(git("rev-parse", "HEAD", cwd=root))
            original(*arguments)  # type: ignore[arg-type]
            if first and how == "commit":
                theirs.append(git("commit-tree", "-m", "theirs", "-p", "HEAD", "HEAD^{tree}", cwd=root))
                git("update-ref", "HEAD", theirs[0], cwd=root)

        monkeypatch.setattr(transaction, "lock_index", move_first)
        done = record(Repo.discover(root), [NEW], "Generate x")
        assert git("rev-parse", "HEAD", "HEAD^", cwd=root).split() == [done.commit, theirs[0]]
        assert (
            git("rev-list", "--count", "main", cwd=root) == ("2" if how == "commit" else "1")
            if how == "switch"
            else "3"
        )
        assert git("status", "--porcelain", cwd=root) == ""

    def test_a_race_that_is_always_lost_ends(self, root: Path, git: Git) -> None:
        (root / ".git/refs/heads/main.lock").write_text("")
        with pytest.raises(UserError, match=r"\d\d times in a row; nothing was recorded"):
            record(Repo.discover(root), [NEW], "Generate x")
        (root / ".git/refs/heads/main.lock").unlink()
        assert not (root / "library/protocols").exists()
        assert locks_in(root) == []

    def test_a_file_that_appears_meanwhile_is_not_overwritten(
        self, root: Path, git: Git, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        original = placing.write_worktree

        def write_first(*arguments: object) -> list[str]:
            (root / PATH).write_text("mine")
            (root / GOALS).write_text("mine\n")
            return original(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(transaction, "write_worktree", write_first)
        record(Repo.discover(root), [NEW, appended(b"x")], "Generate x")
        assert (root / PATH).read_text() == "mine"
        assert (root / GOALS).read_text() == "mine\nx\n"
        assert git("status", "--porcelain", cwd=root) == f" M {GOALS}\n M {PATH}"

    def test_eight_processes_and_a_user_lose_no_commit(self, root: Path, git: Git) -> None:
        each = 6
        script = (
            "import sys; from pathlib import Path; from gitforge.store.repo import Repo\n"
            "from gitforge.store.edits import NewFile, Rewrite\n"
            "from gitforge.store.transaction import record\n"
            "me = sys.argv[1]; repo = Repo.discover(Path('.'))\n"
            f"for n in range({each}):\n"
            "    line = f'{me}-{n}\\n'.encode()\n"
            "    goals = Rewrite('goals.yaml', lambda old: old if line in old else old + line)\n"
            "    record(repo, [NewFile(f'library/{me}/{n}.md', line), goals], f'Generate {me}-{n}',"
            " index_lock_seconds=60)\n"
        )
        processes = [
            subprocess.Popen([sys.executable, "-W", "error", "-c", script, str(n)], cwd=root)
            for n in range(8)
        ]
        own = refused = 0
        while any(process.poll() is None for process in processes):
            done = subprocess.run(["git", "commit", "-q", "--allow-empty", "-m", f"own {own}"], cwd=root,
                                  capture_output=True, text=True, check=False)  # fmt: skip
            own += done.returncode == 0
            refused += "cannot lock ref" in done.stderr
            time.sleep(0.2)
        assert [process.wait() for process in processes] == [0] * 8
        subjects = git("log", "--format=%s", cwd=root).splitlines()
        assert sorted(s for s in subjects if s.startswith("Generate")) == sorted(
            f"Generate {me}-{n}" for me in range(8) for n in range(each)
        )
        assert len(subjects) == 8 * each + own + 1
        assert len((root / GOALS).read_text().splitlines()) == 3 + 8 * each
        assert len(list(root.glob("library/[0-7]/*.md"))) == 8 * each
        if (
            not refused
        ):  # git may write the index that it read too early, before it refuses: docs/commit-protocol.md
            assert git("status", "--porcelain", cwd=root) == ""
        assert_sound(git, root)


STEPS = [
    "refuse_during_operation", "copy_index", "merge_edits", "building_index", "refuse_ignored", "build_tree",
    "build_commit", "await_index_lock", "stage_files", "write_journal", "lock_index", "reach_commit_point",
    "publish", "write_worktree", "unlock_index", "drop_journal",
]  # fmt: skip


class TestAllOrNothing:
    @pytest.mark.parametrize("moment", ["before", "after"])
    @pytest.mark.parametrize("step", STEPS)
    def test_an_interrupt_at_a_step_leaves_all_or_nothing(
        self, root: Path, git: Git, monkeypatch: pytest.MonkeyPatch, step: str, moment: str
    ) -> None:
        before = snapshot(git, root)
        original = getattr(transaction, step)

        def interrupted(*arguments: object, **options: object) -> object:
            if moment == "before":
                signal.raise_signal(signal.SIGINT)
            result = original(*arguments, **options)
            signal.raise_signal(signal.SIGINT)
            return result

        monkeypatch.setattr(transaction, step, interrupted)
        with pytest.raises(KeyboardInterrupt):
            record(Repo.discover(root), [NEW, appended(b"x")], "Generate x")
        assert_sound(git, root)
        if STEPS.index(step) > STEPS.index("await_index_lock"):
            assert git("log", "-1", "--format=%s", cwd=root) == "Generate x"
            assert git("status", "--porcelain", cwd=root) == ""
        else:
            assert snapshot(git, root) == before

    @pytest.mark.parametrize("step", ["build_commit", "stage_files", "take_index_lock", "lock_index"])
    def test_a_full_disk_is_named_and_nothing_changes(
        self, root: Path, git: Git, monkeypatch: pytest.MonkeyPatch, step: str
    ) -> None:
        before = snapshot(git, root)

        def full(*arguments: object, **options: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/some/path")

        monkeypatch.setattr(transaction, step, full)
        with pytest.raises(UserError, match=r"/some/path: No space left on device; nothing was recorded"):
            record(Repo.discover(root), [NEW, appended(b"x")], "Generate x")
        assert snapshot(git, root) == before
        assert_sound(git, root)

    def test_a_folder_without_write_permission_is_refused_before_the_commit(
        self, root: Path, git: Git, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = snapshot(git, root)
        with monkeypatch.context() as patch:
            patch.setattr(os, "access", lambda *_: False)  # tests may run as root, who may write anywhere
            with pytest.raises(UserError, match="Permission denied; nothing was recorded"):
                record(Repo.discover(root), [NEW], "Generate x")
        assert snapshot(git, root) == before

    def test_a_file_that_cannot_be_put_in_place_is_said_with_the_commit(
        self, root: Path, git: Git, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object) -> None:
            raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT), PATH)

        monkeypatch.setattr(placing, "_put_in_place", refuse)
        with pytest.raises(
            UserError, match=r"Recorded as [0-9a-f]{12}, but not written to the worktree"
        ) as caught:
            record(Repo.discover(root), [NEW], "Generate x")
        assert "git restore" in (caught.value.hint or "")
        assert git("status", "--porcelain", cwd=root) == f" D {PATH}"
        assert_sound(git, root)

    def test_what_a_killed_process_left_in_the_work_folder_is_swept(self, root: Path, git: Git) -> None:
        (root / ".git/gitforge/scratch/deep").mkdir(parents=True)
        (root / ".git/gitforge/scratch/index").write_text("torn")
        record(Repo.discover(root), [NEW], "Generate x")
        assert_sound(git, root)

    def test_staged_content_on_another_filesystem_is_written_beside_its_target(self, tmp_path: Path) -> None:
        elsewhere = Path("/dev/shm")
        if not elsewhere.is_dir() or elsewhere.stat().st_dev == tmp_path.stat().st_dev:
            pytest.skip("needs a second filesystem")
        staging = Staging(elsewhere)
        source = staging.write(tmp_path / "new" / "a.md", b"a")
        assert source.parent == tmp_path / "new"
        staging.discard()
        assert not (tmp_path / "new").exists()

    def test_two_edits_of_a_path_are_a_programmers_mistake(self, root: Path) -> None:
        with pytest.raises(ValueError, match="edits need"):
            record(Repo.discover(root), [NEW, NEW], "x")
