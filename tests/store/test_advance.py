"""HEAD moved to a commit that is there, with index and worktree: what git would have, and nothing of the user's lost."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import advancing
import pytest
from harm import assert_sound, killed
from making import make_repository

from gitforge.errors import Conflict, UserError
from gitforge.store.advance import advance
from gitforge.store.placing import told
from gitforge.store.recovery import recover_if_needed
from gitforge.store.repo import Repo

Git = Callable[..., str]
Files = Mapping[str, str | bytes | None]
PROGRAM = (sys.executable, str(Path(advancing.__file__)))


@pytest.fixture
def root(tmp_path: Path, git: Git) -> Path:
    """A repository without a commit."""
    return make_repository(tmp_path / "work", git)


def committed(root: Path, git: Git, files: Files) -> str:
    """A commit by hand; None deletes a file, before others are written."""
    for name in [name for name, content in files.items() if content is None]:
        git("rm", "-q", "--", name, cwd=root)
    for name, content in files.items():
        if content is not None:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    git("add", "--all", cwd=root)
    git("commit", "-q", "-m", "Change", cwd=root)
    return git("rev-parse", "HEAD", cwd=root)


def moves(root: Path, git: Git, first: Files, second: Files) -> tuple[str, str]:
    """Two commits, of which the older one is checked out."""
    old, new = committed(root, git, first), committed(root, git, second)
    git("reset", "-q", "--hard", old, cwd=root)
    return old, new


def advanced(root: Path, commit: str) -> None:
    repo = Repo.discover(root)
    advance(repo, repo.head(), commit, "test")


def files(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and ".git" not in path.relative_to(root).parts
    }


def folders(root: Path) -> Iterator[str]:
    for path in sorted(root.rglob("*")):
        if path.is_dir() and ".git" not in path.relative_to(root).parts:
            yield str(path.relative_to(root))


def assert_as_git_has_it(root: Path, git: Git, commit: str, tmp_path: Path) -> None:
    assert git("rev-parse", "HEAD", cwd=root) == commit
    assert git("status", "--porcelain", cwd=root) == ""
    git("clone", "-q", str(root), str(tmp_path / "twin"), cwd=tmp_path)
    assert files(root) == files(tmp_path / "twin")
    assert list(folders(root)) == list(folders(tmp_path / "twin"))
    assert_sound(git, root)


CHANGES: dict[str, tuple[Files, Files]] = {
    "the only file of a folder gets another name": (
        {"d/a": "1\n2\n3\n"}, {"d/a": None, "d/b": "1\n2\n3\n"},
    ),
    "the only file of a folder gets an earlier name": (
        {"d/e/z": "1\n2\n3\n"}, {"d/e/z": None, "d/e/a": "1\n2\n3\n"},
    ),
    "a file becomes a folder": ({"q": "q\n", "x": "x\n"}, {"q": None, "q/deep/a": "a\n", "q/b": "b\n"}),
    "a folder becomes a file": ({"q/deep/a": "a\n", "q/b": "b\n"}, {"q/deep/a": None, "q/b": None, "q": "q\n"}),
    "an executable file becomes a folder of plain ones": ({"q": "q\n"}, {"q": None, "q/a": "a\n"}),
    "the last file of a folder goes": ({"d/e/a": "a\n", "x": "x\n"}, {"d/e/a": None}),
    "a name differs in case alone": ({"d/a": "a\n"}, {"d/a": None, "d/A": "a\n"}),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_worktree_and_index_are_as_git_has_them_where(
    change: str, root: Path, git: Git, tmp_path: Path
) -> None:
    _, new = moves(root, git, *CHANGES[change])
    advanced(root, new)
    assert_as_git_has_it(root, git, new, tmp_path)


@pytest.mark.parametrize("change", [*list(CHANGES)[:4], "a name differs in case alone"])
@pytest.mark.parametrize(
    "step",
    [
        "transaction:publish:after", "transaction:reach_commit_point:after", "placing:remove_file:after",
        "placing:clear_folder:after", "placing:prune:before", "transaction:write_worktree:after",
        "transaction:finish_index:before",
    ],
)  # fmt: skip
def test_killed_halfway_the_next_command_completes_it_where(
    change: str, step: str, root: Path, git: Git, tmp_path: Path
) -> None:
    _, new = moves(root, git, *CHANGES[change])
    killed(root, f"gitforge.store.{step}", "alone", new, program=PROGRAM)
    repair = recover_if_needed(Repo.discover(root))
    assert repair is not None
    assert "left as you have it" not in repair.done
    assert_as_git_has_it(root, git, new, tmp_path)


@pytest.mark.parametrize("has_lock", [True, False])
@pytest.mark.parametrize("change", ["a file becomes a folder", "a folder becomes a file"])
def test_killed_between_index_and_branch_the_index_is_taken_back_where(
    change: str, has_lock: bool, root: Path, git: Git
) -> None:
    old, new = moves(root, git, *CHANGES[change])
    killed(root, "gitforge.store.transaction:publish:after", "alone", new, program=PROGRAM)
    if has_lock:  # and the branch goes on
        old = git("commit-tree", "-m", "theirs", "-p", old, f"{old}^{{tree}}", cwd=root)
        git("update-ref", "HEAD", old, cwd=root)
    else:
        (root / ".git/index.lock").unlink()
    repair = recover_if_needed(Repo.discover(root))
    assert repair is not None
    assert "taken back" in repair.done
    assert git("rev-parse", "HEAD", cwd=root) == old
    assert git("status", "--porcelain", cwd=root) == ""
    assert_sound(git, root)


class TestAPowerCut:
    """Of many files none is fsynced, as with git: while the journal is there, what is torn is written again."""

    NAMES = tuple(f"many/{number}" for number in range(60))

    @pytest.fixture
    def cut(self, root: Path, git: Git) -> str:
        """All is written, but neither the index is, nor is the journal gone."""
        first: Files = {"many/0": "old\n", "many/1": "old\n", "x": "x\n"}
        _, new = moves(root, git, first, dict.fromkeys(self.NAMES, "a line\nanother one\n"))
        killed(root, "gitforge.store.transaction:unlock_index:before", "alone", new, program=PROGRAM)
        return new

    def test_empty_short_and_zeroed_files_are_written_again(
        self, root: Path, git: Git, tmp_path: Path, cut: str
    ) -> None:
        torn = dict(zip(self.NAMES, (b"", b"a line\n", b"\0" * 19, b"a l\0\0"), strict=False))
        for name, content in {**torn, self.NAMES[-1]: b""}.items():
            (root / name).write_bytes(content)
            os.utime(root / name, (1, 1))  # before this machine was started
        repair = recover_if_needed(Repo.discover(root))
        assert repair is not None
        assert "left as you have it" not in repair.done
        assert_as_git_has_it(root, git, cut, tmp_path)

    @pytest.mark.parametrize("is_new", [True, False])
    def test_what_the_user_has_written_stays(self, root: Path, cut: str, *, is_new: bool) -> None:
        (root / "many/0").write_text("a line\n" if is_new else "mine\n")
        if not is_new:
            os.utime(root / "many/0", (1, 1))
        repair = recover_if_needed(Repo.discover(root))
        assert repair is not None
        assert repair.done.endswith("left as you have it meanwhile: many/0")
        assert (root / "many/0").read_text() == ("a line\n" if is_new else "mine\n")


def test_an_empty_folder_is_not_in_the_way_of_a_file(root: Path, git: Git, tmp_path: Path) -> None:
    _, new = moves(root, git, {"x": "x\n"}, {"q": "q\n"})
    (root / "q/deep/er").mkdir(parents=True)
    advanced(root, new)
    assert_as_git_has_it(root, git, new, tmp_path)


def test_a_file_of_the_users_in_a_folder_that_becomes_a_file_is_named_and_stays(root: Path, git: Git) -> None:
    old, new = moves(root, git, {"q/a": "a\n"}, {"q/a": None, "q": "q\n"})
    (root / "q/mine").write_text("mine\n")
    with pytest.raises(
        Conflict, match=r"nothing was changed:\n  q is to be a file, and q/mine is in that folder$"
    ):
        advanced(root, new)
    assert git("rev-parse", "HEAD", cwd=root) == old
    assert files(root) == {"q/a": b"a\n", "q/mine": b"mine\n"}


def test_a_changed_file_that_is_to_give_way_to_a_folder_is_named_and_stays(root: Path, git: Git) -> None:
    _, new = moves(root, git, {"q": "q\n"}, {"q": None, "q/a": "a\n"})
    (root / "q").write_text("mine\n")
    with pytest.raises(Conflict, match=r":\n  q is changed in the worktree$"):
        advanced(root, new)
    assert files(root) == {"q": b"mine\n"}


def test_all_that_is_in_the_way_is_named_in_the_same_form(root: Path, git: Git) -> None:
    _, new = moves(root, git, {"x": "x\n"}, {"a": "a\n", "b": "b\n", "x": "y\n"})
    (root / "a").symlink_to("x")
    (root / "b").write_text("mine\n")
    (root / "x").write_text("mine\n")
    with pytest.raises(Conflict) as caught:
        advanced(root, new)
    assert caught.value.message.splitlines()[1:] == [
        "  a is a symbolic link, where a file should be",
        "  b is there already, untracked",
        "  x is changed in the worktree",
    ]


def test_what_the_system_says_is_told_without_its_number() -> None:
    assert told(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))) == "No space left on device"


class TestAttributesThatComeWithTheirFiles:
    def test_filter_line_endings_and_encoding_are_as_git_has_them(
        self, root: Path, git: Git, tmp_path: Path
    ) -> None:
        git("config", "--global", "filter.up.smudge", "tr a-z A-Z", cwd=root)
        git("config", "--global", "filter.up.clean", "tr A-Z a-z", cwd=root)
        attributes = "*.up filter=up\n*.bat text eol=crlf\n*.u16 text working-tree-encoding=UTF-16\n"
        came: Files = {
            ".gitattributes": attributes, "x.up": "hello\n", "d/w.bat": "a\r\nb\r\n", "plain": "plain\n",
            "q.u16": "text\n".encode("utf-16"),
        }  # fmt: skip
        _, new = moves(root, git, {"start": "start\n"}, came)
        advanced(root, new)
        assert (root / "x.up").read_bytes() == b"HELLO\n"
        assert (root / "d/w.bat").read_bytes() == b"a\r\nb\r\n"
        assert_as_git_has_it(root, git, new, tmp_path)

    def test_those_that_go_do_not_count(self, root: Path, git: Git, tmp_path: Path) -> None:
        first = {"d/.gitattributes": "*.bat text eol=crlf\n", "start": "start\n"}
        _, new = moves(root, git, first, {"d/.gitattributes": None, "d/w.bat": "a\nb\n"})
        advanced(root, new)
        assert_as_git_has_it(root, git, new, tmp_path)

    def test_the_users_own_count_where_the_commit_has_none(self, root: Path, git: Git) -> None:
        _, new = moves(root, git, {"start": "start\n"}, {"d/w.bat": "a\nb\n"})
        (root / ".gitattributes").write_text("*.bat text eol=crlf\n")
        advanced(root, new)
        assert (root / "d/w.bat").read_bytes() == b"a\r\nb\r\n"
        assert git("status", "--porcelain", cwd=root) == "?? .gitattributes"

    def test_a_required_filter_that_fails_changes_nothing(self, root: Path, git: Git) -> None:
        old, new = moves(root, git, {"x": "x\n"}, {".gitattributes": "*.up filter=up\n", "x.up": "hello\n"})
        git("config", "filter.up.smudge", "false", cwd=root)
        git("config", "filter.up.required", "true", cwd=root)
        with pytest.raises(UserError, match=r"checked out: .*filter.*; nothing was changed") as caught:
            advanced(root, new)
        assert "filter" in (caught.value.hint or "")
        assert git("rev-parse", "HEAD", cwd=root) == old
        assert files(root) == {"x": b"x\n"}


def test_names_that_are_no_utf8_or_have_control_characters_are_files_like_others(
    root: Path, git: Git, tmp_path: Path
) -> None:
    strange = os.fsdecode(b"caf\xe9/x"), "a\x1b[31m", "back\\slash", "tab\there"
    _, new = moves(root, git, {"x": "x\n"}, dict.fromkeys(strange, "strange\n"))
    advanced(root, new)
    assert_as_git_has_it(root, git, new, tmp_path)
    assert files(root).keys() == {"x", *strange}
