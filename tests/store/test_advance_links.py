"""HEAD moved to a commit that changes symbolic links and submodules: as git has them, and nothing of the user's lost."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import advancing
import pytest
from harm import assert_sound, killed
from making import make_repository

from gitforge.errors import Conflict
from gitforge.store.advance import advance
from gitforge.store.recovery import recover_if_needed
from gitforge.store.repo import Repo

Git = Callable[..., str]
PROGRAM = (sys.executable, str(Path(advancing.__file__)))


class To(str):
    """A link, by where it leads."""

    __slots__ = ()


class Sub(str):
    """A submodule, by the digit that its commit's id is made of."""

    __slots__ = ()


State = Mapping[str, str]


@pytest.fixture
def root(tmp_path: Path, git: Git) -> Path:
    """A repository without a commit."""
    return make_repository(tmp_path / "work", git)


def commit_of(root: Path, git: Git, state: State, *parents: str) -> str:
    """A commit of exactly this; the index has it too."""
    git("read-tree", "--empty", cwd=root)
    length = 64 if git("rev-parse", "--show-object-format", cwd=root) == "sha256" else 40
    for path, content in state.items():
        if isinstance(content, Sub):
            mode, id_ = "160000", content * length
        else:
            mode = "120000" if isinstance(content, To) else "100644"
            id_ = git("hash-object", "-w", "--stdin", cwd=root, stdin=content)
        git("update-index", "--add", "--cacheinfo", f"{mode},{id_},{path}", cwd=root)
    tree = git("write-tree", cwd=root)
    return git("commit-tree", "-m", "Change", tree, *[f"-p{one}" for one in parents], cwd=root)


def moves(root: Path, git: Git, first: State, second: State) -> tuple[str, str]:
    """Two commits, of which the older one is checked out."""
    old = commit_of(root, git, first)
    new = commit_of(root, git, second, old)
    git("reset", "-q", "--hard", old, cwd=root)
    return old, new


def advanced(root: Path, commit: str) -> None:
    repo = Repo.discover(root)
    advance(repo, repo.head(), commit, "test")


def there(root: Path) -> dict[str, str]:
    """All that a worktree has: links by where they lead, folders, files with content and whether they can be run."""
    found = {}
    for folder, folders, names in os.walk(root):
        if ".git" in folders and folder == str(root):
            folders.remove(".git")
        for name in (*folders, *names):
            path = Path(folder) / name
            if path.is_symlink():
                said = f"-> {path.readlink()}"
            elif path.is_dir():
                said = "folder"
            else:
                said = f"{os.access(path, os.X_OK)} {path.read_bytes()!r}"
            found[str(path.relative_to(root))] = said
    return found


def assert_as_git_has_it(root: Path, git: Git, old: str, new: str, tmp_path: Path) -> None:
    """As `git reset --keep` has it, in a clone."""
    assert git("rev-parse", "HEAD", cwd=root) == new
    assert git("status", "--porcelain", cwd=root) == ""
    twin = tmp_path / "twin"
    git("init", "-q", str(twin), cwd=tmp_path)
    shutil.rmtree(twin / ".git")
    shutil.copytree(root / ".git", twin / ".git", symlinks=True)
    git("update-ref", "HEAD", old, cwd=twin)
    git("reset", "-q", "--hard", cwd=twin)
    git("reset", "-q", "--keep", new, cwd=twin)
    assert there(root) == there(twin)
    assert git("ls-files", "--stage", cwd=root) == git("ls-files", "--stage", cwd=twin)
    assert_sound(git, root)


CHANGES: dict[str, tuple[State, State]] = {
    "a link comes": ({"x": "x\n"}, {"x": "x\n", "d/l": To("../x")}),
    "a link leads elsewhere": ({"l": To("x"), "x": "x\n"}, {"l": To("nowhere"), "x": "x\n"}),
    "a link goes, and its folder": ({"d/l": To("../x"), "x": "x\n"}, {"x": "x\n"}),
    "a file becomes a link": ({"q": "q\n", "x": "x\n"}, {"q": To("x"), "x": "x\n"}),
    "a file becomes a link to its own text": ({"q": "x", "x": "x\n"}, {"q": To("x"), "x": "x\n"}),
    "a link becomes a file": ({"q": To("x"), "x": "x\n"}, {"q": "q\n", "x": "x\n"}),
    "a folder becomes a link to another one": (
        {"d/e/a": "a\n", "d/b": "b\n", "o/x": "x\n"}, {"d": To("o"), "o/x": "x\n"},
    ),
    "a folder with a link becomes a file": ({"d/l": To("../o"), "o/x": "x\n"}, {"d": "d\n", "o/x": "x\n"}),
    "a link to a folder becomes a folder": (
        {"d": To("o"), "o/e/x": "x\n"}, {"d/e/x": "mine\n", "d/n/l": To("../../o"), "o/e/x": "x\n"},
    ),
    "a submodule comes": ({"x": "x\n"}, {"x": "x\n", "d/s": Sub("1")}),
    "a submodule moves": ({"s": Sub("1"), "x": "x\n"}, {"s": Sub("2"), "x": "x\n"}),
    "a submodule goes, and its folder": ({"d/s": Sub("1"), "x": "x\n"}, {"x": "x\n"}),
    "a file becomes a submodule": ({"s": "s\n", "x": "x\n"}, {"s": Sub("1"), "x": "x\n"}),
    "a link becomes a submodule": ({"s": To("x"), "x": "x\n"}, {"s": Sub("1"), "x": "x\n"}),
    "a submodule becomes a file": ({"s": Sub("1"), "x": "x\n"}, {"s": "s\n", "x": "x\n"}),
    "a submodule becomes a link": ({"s": Sub("1"), "x": "x\n"}, {"s": To("x"), "x": "x\n"}),
    "a folder becomes a submodule": ({"s/d/a": "a\n", "x": "x\n"}, {"s": Sub("1"), "x": "x\n"}),
    "a link to a folder becomes a folder with a submodule": (
        {"l": To("d"), "d/x": "x\n"}, {"l/s": Sub("1"), "d/x": "x\n"},
    ),
    "a submodule becomes a folder": ({"s": Sub("1"), "x": "x\n"}, {"s/d/a": "a\n", "x": "x\n"}),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_worktree_and_index_are_as_git_has_them_where(
    change: str, root: Path, git: Git, tmp_path: Path
) -> None:
    old, new = moves(root, git, *CHANGES[change])
    advanced(root, new)
    assert_as_git_has_it(root, git, old, new, tmp_path)


STEPS = (
    "transaction:write_journal:after", "transaction:lock_index:after", "transaction:publish:after",
    "transaction:reach_commit_point:after",
    "placing:prune:before", "placing:make_folders:before", "transaction:write_worktree:after",
    "transaction:finish_index:before",
)  # fmt: skip
"""What every change comes to; and the changes that come to one more, where something is removed or is new."""
KILLED = {
    "a link comes": ("placing:put_new:after",),
    "a link leads elsewhere": (),
    "a link goes, and its folder": ("placing:remove_file:after",),
    "a file becomes a link": (),
    "a link becomes a file": (),
    "a folder becomes a link to another one": ("placing:remove_file:after", "placing:put_new:after"),
    "a link to a folder becomes a folder": ("placing:remove_file:after", "placing:put_new:after"),
    "a submodule comes": (),
    "a submodule goes, and its folder": (),
    "a file becomes a submodule": ("placing:remove_file:after",),
    "a folder becomes a submodule": ("placing:remove_file:after",),
}


@pytest.mark.parametrize(
    ("change", "step"), [(change, step) for change, more in KILLED.items() for step in (*STEPS, *more)]
)
def test_killed_halfway_the_next_command_completes_it_or_takes_it_back_where(
    change: str, step: str, root: Path, git: Git, tmp_path: Path
) -> None:
    old, new = moves(root, git, *CHANGES[change])
    before = there(root)
    killed(root, f"gitforge.store.{step}", "alone", new, program=PROGRAM)
    repair = recover_if_needed(Repo.discover(root))
    if git("rev-parse", "HEAD", cwd=root) == old:
        assert there(root) == before
        assert git("status", "--porcelain", cwd=root) == ""
        advanced(root, new)
    elif repair is not None:
        assert "left as you have it" not in repair.done
    assert_as_git_has_it(root, git, old, new, tmp_path)
    assert not (root / ".git/gitforge/scratch").exists()


def test_killed_while_links_are_staged_what_they_lead_to_stays(root: Path, git: Git, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("mine\n")
    _, new = moves(root, git, {"x": "x\n"}, {"x": "x\n", "l": To(str(outside)), "m": To("x")})
    killed(root, "gitforge.store.transaction:write_journal:before", "alone", new, program=PROGRAM)
    recover_if_needed(Repo.discover(root))
    assert outside.read_text() == "mine\n"
    assert there(root) == {"x": "False b'x\\n'"}


def test_without_links_a_file_says_where_each_leads(root: Path, git: Git, tmp_path: Path) -> None:
    git("config", "core.symlinks", "false", cwd=root)
    first = {"a": To("x"), "b": To("x"), "c": "x", "x": "x\n"}
    old, new = moves(root, git, first, {"a": To("y"), "c": To("x"), "d/n": To("../x"), "x": "x\n"})
    advanced(root, new)
    assert (root / "d/n").read_bytes() == b"../x"
    assert_as_git_has_it(root, git, old, new, tmp_path)


class TestWhatTheUserHas:
    """Stays byte for byte, and is named where it is in the way."""

    @pytest.mark.parametrize("mine", ["file", "link", "folder"])
    @pytest.mark.parametrize("comes", [To("x"), Sub("1")])
    def test_in_the_place_of_what_is_new(self, mine: str, comes: str, root: Path, git: Git) -> None:
        old, new = moves(root, git, {"x": "x\n"}, {"x": "x\n", "n": comes})
        if mine == "file":
            (root / "n").write_text("mine\n")
        elif mine == "link":
            (root / "n").symlink_to("/dev/null")
        else:
            (root / "n").mkdir()
            (root / "n/mine").write_text("mine\n")
        before = there(root)
        with pytest.raises(Conflict, match=r"nothing was changed:\n  n is "):
            advanced(root, new)
        assert there(root) == before
        assert git("rev-parse", "HEAD", cwd=root) == old

    @pytest.mark.parametrize("mine", ["elsewhere", "a file", "gone"])
    @pytest.mark.parametrize("becomes", [To("y"), "a file\n", None])
    def test_a_link_that_was_changed(self, mine: str, becomes: str | None, root: Path, git: Git) -> None:
        second = {"x": "x\n"} if becomes is None else {"x": "x\n", "l": becomes}
        _, new = moves(root, git, {"x": "x\n", "l": To("x")}, second)
        (root / "l").unlink()
        if mine == "elsewhere":
            (root / "l").symlink_to("mine")
        if mine == "a file":
            (root / "l").write_text("x")
        before = there(root)
        if mine == "gone" and becomes is None:
            advanced(root, new)
        else:
            with pytest.raises(Conflict, match=r"  l is (changed|deleted) in the worktree$"):
                advanced(root, new)
        assert there(root) == before

    def test_a_link_with_the_same_target_is_in_nobodys_way(
        self, root: Path, git: Git, tmp_path: Path
    ) -> None:
        old, new = moves(root, git, {"x": "x\n"}, {"x": "x\n", "l": To("x")})
        (root / "l").symlink_to("x")
        advanced(root, new)
        assert_as_git_has_it(root, git, old, new, tmp_path)

    def test_a_link_of_the_users_is_not_followed_to_what_is_new_below_it(
        self, root: Path, git: Git, tmp_path: Path
    ) -> None:
        _, new = moves(
            root, git, {"x": "x\n"}, {"x": "x\n", "d/l": To("../x"), "d/s": Sub("1"), "d/a": "a\n"}
        )
        outside = tmp_path / "outside"
        outside.mkdir()
        (root / "d").symlink_to(outside)
        with pytest.raises(Conflict, match="d is a symbolic link, where d/a needs a folder"):
            advanced(root, new)
        assert list(outside.iterdir()) == []

    @pytest.mark.parametrize("second", [{"s": Sub("2")}, {}], ids=["moves", "goes"])
    def test_a_submodule_that_is_checked_out_stays_as_it_is(
        self, second: State, root: Path, git: Git
    ) -> None:
        _, new = moves(root, git, {"s": Sub("1"), "x": "x\n"}, {"x": "x\n", **second})
        make_repository(root / "s", git)
        (root / "s/mine").write_text("mine\n")
        before = there(root)
        advanced(root, new)
        assert there(root) == before
        assert git("rev-parse", "HEAD", cwd=root) == new

    @pytest.mark.parametrize("becomes", [{"s": "s\n"}, {"s": To("x")}, {"s/a": "a\n"}])
    def test_a_submodule_that_is_checked_out_gives_way_to_nothing(
        self, becomes: State, root: Path, git: Git
    ) -> None:
        old, new = moves(root, git, {"s": Sub("1"), "x": "x\n"}, {"x": "x\n", **becomes})
        make_repository(root / "s", git)
        (root / "s/mine").write_text("mine\n")
        before = there(root)
        with pytest.raises(Conflict, match=r"nothing was changed:\n  s is "):
            advanced(root, new)
        assert there(root) == before
        assert git("rev-parse", "HEAD", cwd=root) == old

    def test_another_repository_may_be_where_a_submodule_comes(self, root: Path, git: Git) -> None:
        _, new = moves(root, git, {"x": "x\n"}, {"x": "x\n", "s": Sub("1")})
        make_repository(root / "s", git)
        before = there(root)
        advanced(root, new)
        assert there(root) == before
        assert git("ls-files", "s", cwd=root) == "s"

    @pytest.mark.parametrize("comes", [To("y"), Sub("2")])
    def test_a_staged_change(self, comes: str, root: Path, git: Git) -> None:
        kind = type(comes)
        first = {"l": kind("x" if kind is To else "1"), "x": "x\n"}
        _, new = moves(root, git, first, {"l": comes, "x": "x\n"})
        git("rm", "-q", "--cached", "l", cwd=root)
        with pytest.raises(Conflict, match=r"  l is staged$"):
            advanced(root, new)

    def test_what_the_user_makes_of_a_link_after_the_kill_stays(self, root: Path, git: Git) -> None:
        _, new = moves(root, git, {"l": To("x"), "x": "x\n"}, {"l": To("y"), "x": "x\n"})
        killed(root, "gitforge.store.transaction:reach_commit_point:after", "alone", new, program=PROGRAM)
        (root / "l").unlink()
        (root / "l").symlink_to("mine")
        repair = recover_if_needed(Repo.discover(root))
        assert repair is not None
        assert repair.done.endswith("left as you have it meanwhile: l")
        assert (root / "l").readlink() == Path("mine")


def test_a_link_to_what_never_ends_is_not_read(root: Path, git: Git, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    old, new = moves(root, git, {"x": "x\n"}, {"x": "x\n", "l": To("../pipe"), "m": To("/dev/zero")})
    advanced(root, new)
    assert_as_git_has_it(root, git, old, new, tmp_path)
