"""The repository as git shows it: discovery, settings, states, history; real git in odd repositories."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gitforge.errors import UserError
from gitforge.store.edits import NewFile
from gitforge.store.repo import Head, Identity, PathState, Repo
from gitforge.store.transaction import record

Git = Callable[..., str]

ODD_NAMES = [
    "-rf.md",
    'a "quoted" name.md',
    "übergröße 工具.md",
    "back'tick`$HOME.md",
    ":(top)x.md",
    "[a-z]*.md",
    '"x"',
]


@pytest.fixture
def root(tmp_path: Path, git: Git) -> Path:
    git("init", "-q", "-b", "main", "work", cwd=tmp_path)
    return tmp_path / "work"


def commit_file(git: Git, root: Path, path: str, content: str, message: str = "change") -> str:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(content)
    git("--literal-pathspecs", "add", "--", path, cwd=root)
    git("commit", "-qm", message, cwd=root)
    return git("rev-parse", "HEAD", cwd=root)


def fake_git(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir()
    (folder / "git").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


class TestDiscovery:
    def test_a_repository_is_found_from_a_folder_below_its_top(self, root: Path) -> None:
        (root / "a" / "b").mkdir(parents=True)
        repo = Repo.discover(root / "a" / "b")
        assert (repo.root, repo.git_dir, repo.common_dir) == (root, root / ".git", root / ".git")

    def test_a_linked_worktree_has_its_own_git_folder_and_shares_the_common_one(
        self, root: Path, git: Git
    ) -> None:
        commit_file(git, root, "a", "a")
        git("worktree", "add", "-q", "../linked", cwd=root)
        repo = Repo.discover(root.parent / "linked")
        assert (repo.root, repo.common_dir) == (root.parent / "linked", root / ".git")
        assert repo.git_dir == repo.index.parent == root / ".git/worktrees/linked"

    def test_git_dir_of_the_environment_is_honoured_even_if_relative(
        self, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, git: Git
    ) -> None:
        commit = commit_file(git, root, "sub/a.md", "a")
        monkeypatch.setenv("GIT_DIR", "../.git")
        monkeypatch.setenv("GIT_WORK_TREE", "..")
        repo = Repo.discover(root / "sub")
        assert (repo.root, repo.git_dir) == (root, root / ".git")
        assert repo.head().commit == commit
        assert not repo.states(["sub/a.md"])["sub/a.md"].edited

    def test_a_path_with_spaces_and_a_symlink_leads_to_the_real_root(self, tmp_path: Path, git: Git) -> None:
        git("init", "-q", "my work", cwd=tmp_path)
        (tmp_path / "link").symlink_to("my work")
        repo = Repo.discover(tmp_path / "link")
        assert repo.root == tmp_path / "my work"
        assert repo.relative(tmp_path / "link" / "a b.md") == "a b.md"
        with pytest.raises(UserError, match="outside the repository"):
            repo.relative(tmp_path / "elsewhere.md")

    def test_no_repository_says_to_run_init(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match="no git repository") as caught:
            Repo.discover(tmp_path)
        assert "gitforge init" in (caught.value.hint or "")

    def test_a_missing_path_is_said_to_be_missing(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match="does not exist"):
            Repo.discover(tmp_path / "nowhere")

    def test_a_bare_repository_is_refused(self, tmp_path: Path, git: Git) -> None:
        git("init", "-q", "--bare", "bare", cwd=tmp_path)
        with pytest.raises(UserError, match="bare"):
            Repo.discover(tmp_path / "bare")

    def test_gits_own_folder_is_refused(self, root: Path) -> None:
        with pytest.raises(UserError, match="inside git's own folder"):
            Repo.discover(root / ".git")

    def test_a_repository_of_another_owner_is_refused_with_gits_hint(
        self, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
        with pytest.raises(UserError, match="owns it") as caught:
            Repo.discover(root)
        assert f"safe.directory {root}" in (caught.value.hint or "")

    def test_an_old_git_is_refused_with_both_versions(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fake_git(tmp_path / "bin", "echo git version 2.25.1", monkeypatch)
        with pytest.raises(UserError, match=r"git 2\.25\.1 is too old: gitforge needs 2\.36"):
            Repo.discover(tmp_path)

    @pytest.mark.parametrize("suffix", ["2.39.5 (Apple Git-154)", "2.45.1.windows.1", "2.50.GIT", "3.0"])
    def test_a_vendors_version_is_understood(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
    ) -> None:
        script = '[ "$3" = version ] || { echo "not a git repository" >&2; exit 128; }'
        fake_git(tmp_path / "bin", f'{script}; echo "git version {suffix}"', monkeypatch)
        with pytest.raises(UserError, match="no git repository"):
            Repo.discover(tmp_path)

    def test_a_missing_git_is_said_to_be_missing(self, tmp_path: Path) -> None:
        probe = (
            "from pathlib import Path\nfrom gitforge.errors import UserError\n"
            "from gitforge.store.repo import Repo\n"
            "for _ in range(2):\n"
            "    try: Repo.discover(Path('.'))\n"
            "    except UserError as e: print(e.message, e.hint)"
        )
        environment = {**os.environ, "PATH": str(tmp_path)}
        command = [sys.executable, "-c", probe]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert done.stderr == ""
        assert done.stdout.count("git is not installed") == 2

    def test_git_failures_are_one_safe_line(self, root: Path) -> None:
        with pytest.raises(UserError) as caught:
            Repo.discover(root).objects.read_blob("bad\x1b[31m\nname")
        assert "cat-file failed: fatal: Not a valid object name" in caught.value.message
        assert caught.value.message.isprintable()


class TestCreation:
    def test_a_new_repository_is_on_main_without_a_word(
        self, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        repo = Repo.create(tmp_path / "new" / "place")
        assert repo.head() == Head("refs/heads/main", None)
        assert capfd.readouterr() == ("", "")

    def test_the_users_default_branch_is_honoured(self, tmp_path: Path, git: Git) -> None:
        git("config", "--global", "init.defaultBranch", "trunk", cwd=tmp_path)
        assert Repo.create(tmp_path / "new").head().ref == "refs/heads/trunk"

    def test_a_place_that_cannot_be_made_is_gits_own_error(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(UserError, match="git init failed"):
            Repo.create(tmp_path / "file" / "new")


class TestHead:
    def test_on_a_branch_both_are_known(self, root: Path, git: Git) -> None:
        commit = commit_file(git, root, "HEAD", "a file of that name confuses nobody")
        assert Repo.discover(root).head() == Head("refs/heads/main", commit)

    def test_detached_it_has_no_branch(self, root: Path, git: Git) -> None:
        commit = commit_file(git, root, "a", "a")
        git("checkout", "-q", "--detach", cwd=root)
        assert Repo.discover(root).head() == Head(None, commit)

    def test_a_branch_called_head_confuses_nobody(self, root: Path, git: Git) -> None:
        commit = commit_file(git, root, "a", "a")
        git("update-ref", "refs/heads/HEAD", commit, cwd=root)
        assert Repo.discover(root).head() == Head("refs/heads/main", commit)


class TestSettings:
    def test_the_last_value_wins_and_keys_lose_section_and_case(self, root: Path, git: Git) -> None:
        git("config", "--global", "gitforge.model", "global", cwd=root)
        git("config", "gitforge.model", "local\nof two lines", cwd=root)
        git("config", "gitforge.Base-URL", "http://x", cwd=root)
        git("config", "gitforgery.model", "other section", cwd=root)
        with (root / ".git/config").open("a") as file:
            file.write("[gitforge]\n\toffline\n\tempty =\n")
        assert Repo.discover(root).settings("gitforge") == {
            "model": "local\nof two lines", "base-url": "http://x", "offline": "true", "empty": "",
        }  # fmt: skip

    def test_no_setting_is_an_empty_answer(self, root: Path) -> None:
        assert Repo.discover(root).settings("gitforge") == {}

    def test_the_editor_is_the_one_that_git_would_take(
        self, root: Path, monkeypatch: pytest.MonkeyPatch, git: Git
    ) -> None:
        monkeypatch.setenv("EDITOR", "nano -w")
        assert Repo.discover(root).editor() == "nano -w"
        git("config", "core.editor", "vim", cwd=root)
        assert Repo.discover(root).editor() == "vim"


class TestIdentity:
    def test_without_any_it_is_a_fallback_that_says_so(self, root: Path) -> None:
        identity = Repo.discover(root).identity()
        assert identity.is_fallback
        assert "no git identity" in identity.name

    def test_the_configured_one_is_used(self, root: Path, git: Git) -> None:
        git("config", "user.name", "Ada <the> Lovelace", cwd=root)
        git("config", "user.email", "ada@example.org", cwd=root)
        assert Repo.discover(root).identity() == Identity("Ada the Lovelace", "ada@example.org")

    def test_the_environments_one_is_used(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GIT_AUTHOR_NAME", "Ada")
        monkeypatch.setenv("GIT_AUTHOR_EMAIL", "ada@example.org")
        assert Repo.discover(root).identity() == Identity("Ada", "ada@example.org")

    def test_email_of_the_environment_completes_a_configured_name(
        self, root: Path, monkeypatch: pytest.MonkeyPatch, git: Git
    ) -> None:
        git("config", "user.name", "Ada", cwd=root)
        monkeypatch.setenv("EMAIL", "ada@example.org")
        assert Repo.discover(root).identity() == Identity("Ada", "ada@example.org")

    def test_a_name_alone_is_no_identity(self, root: Path, git: Git) -> None:
        git("config", "user.name", "Ada", cwd=root)
        assert Repo.discover(root).identity().is_fallback


class TestOperationInProgress:
    def test_none_in_a_quiet_repository(self, root: Path) -> None:
        assert Repo.discover(root).operation_in_progress() is None

    @pytest.mark.parametrize("operation", ["merge", "rebase", "cherry-pick", "revert", "bisect", "am"])
    def test_each_is_recognised(self, root: Path, git: Git, operation: str) -> None:
        begin(git, root, operation)
        assert Repo.discover(root).operation_in_progress() == operation

    def test_a_series_of_picks_is_recognised_between_two(self, root: Path, git: Git) -> None:
        begin(git, root, "cherry-pick")
        (root / ".git/sequencer").mkdir()
        (root / ".git/sequencer/todo").write_text("pick 1234567 next\n")
        (root / ".git/CHERRY_PICK_HEAD").unlink()
        assert Repo.discover(root).operation_in_progress() == "cherry-pick"


def begin(git: Git, root: Path, operation: str) -> None:
    """Leaves the repository in the middle of an operation, all of them by real conflicts."""
    commit_file(git, root, "f", "base\n")
    commit_file(git, root, "f", "base2\n")
    git("checkout", "-qb", "other", "HEAD~1", cwd=root)
    commit_file(git, root, "f", "theirs\n")
    patch = git("format-patch", "-1", "-o", "..", cwd=root)
    git("checkout", "-q", "main", cwd=root)
    commands = {
        "merge": ["merge", "other"], "rebase": ["rebase", "other"], "cherry-pick": ["cherry-pick", "other"],
        "revert": ["revert", "--no-commit", "HEAD~1"], "bisect": ["bisect", "start"],
        "am": ["am", "-q", patch],
    }  # fmt: skip
    who = ["-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run(["git", *who, *commands[operation]], cwd=root, capture_output=True, check=False)


class TestStates:
    def test_a_clean_file_is_its_commits(self, root: Path, git: Git) -> None:
        commit_file(git, root, "a.md", "a\n")
        blob = git("rev-parse", "HEAD:a.md", cwd=root)
        state = Repo.discover(root).states(["a.md"])["a.md"]
        assert state == PathState(blob, blob, staged=False)
        assert not state.edited

    def test_each_kind_of_change_is_told_apart(self, root: Path, git: Git) -> None:
        for name in ("worktree", "staged", "both", "deleted", "removed", "kept"):
            commit_file(git, root, name, "old\n")
        for name, content in {
            "worktree": "new\n",
            "staged": "new\n",
            "both": "one\n",
            "new": "x\n",
            "fresh": "y\n",
        }.items():
            (root / name).write_text(content)
        git("add", "staged", "both", "new", cwd=root)
        (root / "both").write_text("two\n")
        (root / "deleted").unlink()
        git("rm", "-q", "removed", cwd=root)
        git("rm", "-q", "--cached", "kept", cwd=root)
        names = ["worktree", "staged", "both", "deleted", "removed", "kept", "new", "fresh", "nowhere"]
        found = Repo.discover(root).states(names)

        def hashed(text: str) -> str:
            return git("hash-object", "--stdin", cwd=root, stdin=text)

        old = hashed("old\n")
        assert found == {
            "worktree": PathState(hashed("new\n"), old, staged=False),
            "staged": PathState(hashed("new\n"), old, staged=True),
            "both": PathState(hashed("two\n"), old, staged=True),
            "deleted": PathState(None, old, staged=False),
            "removed": PathState(None, old, staged=True),
            "kept": PathState(old, old, staged=True),
            "new": PathState(hashed("x\n"), None, staged=True),
            "fresh": PathState(hashed("y\n"), None, staged=False),
            "nowhere": PathState(None, None, staged=False),
        }
        assert [name for name in names if not found[name].edited] == ["nowhere"]

    def test_clean_filters_apply_to_the_worktrees_file(self, root: Path, git: Git) -> None:
        git("config", "core.autocrlf", "true", cwd=root)
        commit_file(git, root, "a.md", "a\n")
        (root / "a.md").write_bytes(b"a\r\n")
        (root / "b.md").write_bytes(b"a\r\n")
        found = Repo.discover(root).states(["a.md", "b.md"])
        assert not found["a.md"].edited
        assert found["b.md"].blob == found["a.md"].committed

    def test_a_file_committed_with_crlf_is_not_edited_by_autocrlf(self, root: Path, git: Git) -> None:
        commit_file(git, root, "a.md", "a\r\nb\r\n")
        git("config", "core.autocrlf", "input", cwd=root)
        os.utime(root / "a.md", (0, 0))
        assert not Repo.discover(root).states(["a.md"])["a.md"].edited

    def test_odd_names_are_literal(self, root: Path, git: Git) -> None:
        for name in ODD_NAMES:
            commit_file(git, root, name, name)
            (root / f"new {name}").write_text(name)
        found = Repo.discover(root).states([*ODD_NAMES, *(f"new {name}" for name in ODD_NAMES)])
        assert not any(found[name].edited for name in ODD_NAMES)
        assert all(found[f"new {name}"].blob == found[name].blob for name in ODD_NAMES)

    def test_on_an_unborn_branch_nothing_is_committed(self, root: Path, git: Git) -> None:
        (root / "a").write_text("a")
        (root / "b").write_text("b")
        git("add", "a", cwd=root)
        found = Repo.discover(root).states(["a", "b"])
        assert [(s.committed, s.staged) for s in found.values()] == [(None, True), (None, False)]

    def test_an_unresolved_conflict_is_edited(self, root: Path, git: Git) -> None:
        begin(git, root, "merge")
        assert Repo.discover(root).states(["f"])["f"].staged

    def test_a_symbolic_link_is_no_file(self, root: Path, git: Git) -> None:
        (root / "link").symlink_to("/etc/passwd")
        git("add", "link", cwd=root)
        git("commit", "-qm", "link", cwd=root)
        assert Repo.discover(root).states(["link"])["link"] == PathState(None, None, staged=False)

    def test_very_many_paths_have_the_same_answers(self, root: Path, git: Git) -> None:
        for number in range(150):
            (root / f"{number % 3}").mkdir(exist_ok=True)
            (root / f"{number % 3}/{number}.md").write_text(str(number))
        (root / "goals.yaml").write_text("x")
        git("add", ".", cwd=root)
        git("commit", "-qm", "all", cwd=root)
        (root / "0/0.md").write_text("edited")
        repo = Repo.discover(root)
        paths = [*(f"{n % 3}/{n}.md" for n in range(151)), "goals.yaml"]
        assert [p for p, s in repo.states(paths).items() if s.edited] == ["0/0.md"]
        assert len(repo.log.last_commits(paths)) == 151

    def test_it_leaves_the_index_file_alone(self, root: Path, git: Git) -> None:
        commit_file(git, root, "a", "a")
        os.utime(root / "a", (0, 0))
        before = (root / ".git/index").stat()
        Repo.discover(root).states(["a"])
        assert (root / ".git/index").stat().st_ino == before.st_ino


class TestHistory:
    def test_each_path_has_the_newest_commit_that_changed_it(self, root: Path, git: Git) -> None:
        first = commit_file(git, root, "a", "1")
        second = commit_file(git, root, "b", "1")
        third = commit_file(git, root, "b", "2")
        commit_file(git, root, "c", "1")
        assert second != third
        assert Repo.discover(root).log.last_commits(["a", "b", "nowhere"]) == {"a": first, "b": third}

    def test_odd_names_and_odd_settings_change_nothing(self, root: Path, git: Git) -> None:
        odd = {
            "log.showSignature": "true", "log.showRoot": "false", "log.follow": "true",
            "diff.renames": "copies", "color.ui": "always", "log.decorate": "full",
        }  # fmt: skip
        for key, value in odd.items():
            git("config", key, value, cwd=root)
        commits = {name: commit_file(git, root, name, name) for name in ODD_NAMES}
        assert Repo.discover(root).log.last_commits(ODD_NAMES) == commits

    def test_a_merge_counts_only_where_it_changed_something_itself(self, root: Path, git: Git) -> None:
        commit_file(git, root, "base", "1")
        git("checkout", "-qb", "side", cwd=root)
        on_side = commit_file(git, root, "side", "1")
        git("checkout", "-q", "main", cwd=root)
        on_main = commit_file(git, root, "main", "1")
        git("merge", "-q", "--no-commit", "side", cwd=root)
        (root / "base").write_text("changed in the merge")
        git("add", ".", cwd=root)
        git("commit", "-qm", "merge", cwd=root)
        merge = git("rev-parse", "HEAD", cwd=root)
        found = Repo.discover(root).log.last_commits(["side", "main", "base"])
        assert found == {"side": on_side, "main": on_main, "base": merge}

    def test_an_unborn_branch_has_no_history(self, root: Path) -> None:
        repo = Repo.discover(root)
        assert repo.log.last_commits(["a"]) == {}
        assert repo.log.generation_of(["a"]) == {}

    def test_a_broken_history_is_an_error(self, root: Path, git: Git) -> None:
        commit_file(git, root, "a", "a")
        (root / ".git/refs/heads/main").write_text("1" * 40 + "\n")
        with pytest.raises(UserError, match="git log failed"):
            Repo.discover(root).log.last_commits(["a"])

    def test_reading_stops_when_all_are_found_and_leaves_no_process(self, root: Path, git: Git) -> None:
        who = "commit refs/heads/main\ncommitter a <a@b>"
        lines = [f"{who} {n} +0000\ndata 1\nx\nM 644 inline f\ndata 4\n{n}\n" for n in range(1000, 4000)]
        git("fast-import", "--quiet", cwd=root, stdin="\n".join(lines))
        assert Repo.discover(root).log.last_commits(["f"]) == {"f": git("rev-parse", "main", cwd=root)}
        with pytest.raises(ChildProcessError):
            os.waitpid(-1, os.WNOHANG)

    def test_a_generation_has_its_trailers(self, root: Path, git: Git) -> None:
        message = "Generate protocol x\n\nWhy: no trailer\n\nBody.\n\nGoal: A\nGoal: B\nPrompt-Id: 12\n  34\n"
        commit = commit_file(git, root, "x.md", "x", message)
        found = Repo.discover(root).log.generation_of(["x.md", "nowhere"])
        assert list(found) == ["x.md"]
        assert (found["x.md"].commit, found["x.md"].subject) == (commit, "Generate protocol x")
        assert found["x.md"].author == "Test User <test@example.org>"
        assert found["x.md"].trailers == {"Goal": "A\nB", "Prompt-Id": "12 34"}
        assert found["x.md"].date.tzinfo is not None

    def test_a_sha256_repository_has_the_same_answers(self, tmp_path: Path, git: Git) -> None:
        git("init", "-q", "--object-format=sha256", "work", cwd=tmp_path)
        repo = Repo.discover(tmp_path / "work")
        done = record(repo, [NewFile("library/a.md", b"a\n")], "Generate a")
        assert len(done.commit) == 64
        assert repo.log.last_commits(["library/a.md"]) == {"library/a.md": done.commit}
        assert not repo.states(["library/a.md"])["library/a.md"].edited
