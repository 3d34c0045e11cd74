"""Commits made again on top of others, where files get other names: what comes of it, and what somebody decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from gitforge.store.disputes import Dispute, Side
from gitforge.store.replay import Replayed, replay, shown
from gitforge.store.repo import Repo
from gitforge.store.series import compare

Git = Callable[..., str]
Files = Mapping[str, str | None]

TEXT = "".join(f"line {number}\n" for number in range(1, 21))
MINE, THEIRS = TEXT.replace("line 2\n", "mine 2\n"), TEXT.replace("line 19\n", "theirs 19\n")


class Fork:
    """A repository in which two lines of commits go on from one.

    Args:
        root: Where.
        git: Runs git.
        files: What both began with.
    """

    def __init__(self, root: Path, git: Git, files: Files) -> None:
        git("init", "-q", "-b", "base", str(root), cwd=root.parent)
        git("config", "user.name", "Ada", cwd=root)
        git("config", "user.email", "ada@example.org", cwd=root)
        self.root, self._git = root, git
        self.commit("base", files)

    def commit(self, branch: str, files: Files) -> None:
        """One more commit on a branch; None deletes a file first."""
        if branch != "base":
            self._git("switch", "-q", "-C" if self._is_new(branch) else "-q", branch, cwd=self.root)
        for name in [name for name, text in files.items() if text is None]:
            self._git("rm", "-q", name, cwd=self.root)
        for name, text in files.items():
            if text is not None:
                (self.root / name).parent.mkdir(parents=True, exist_ok=True)
                (self.root / name).write_text(text)
        self._git("add", "--all", cwd=self.root)
        self._git("commit", "-q", "-m", f"Change {', '.join(files)}", cwd=self.root)

    def _is_new(self, branch: str) -> bool:
        if self._git("branch", "--list", branch, cwd=self.root):
            return False
        self._git("switch", "-q", "base", cwd=self.root)
        return True

    def replayed(self, side: Side | None = None) -> Replayed:
        """`ours` made again on top of `theirs`."""
        base, ours, theirs = self._git("rev-parse", "base", "ours", "theirs", cwd=self.root).split()
        self.asked: list[Dispute] = []

        def decide(dispute: Dispute) -> Side | None:
            self.asked.append(dispute)
            return side

        repo = Repo.discover(self.root)
        return replay(repo, base, ours, theirs, changes=compare(repo, base, theirs), decide=decide)

    def files(self, commit: str) -> dict[str, str]:
        """What a commit has."""
        names = self._git("ls-tree", "-r", "--name-only", commit, cwd=self.root).splitlines()
        return {name: self._git("show", f"{commit}:{name}", cwd=self.root) + "\n" for name in names}


@pytest.fixture
def fork(tmp_path: Path, git: Git) -> Fork:
    return Fork(tmp_path / "work", git, {"d/old": TEXT})


def test_an_edit_goes_where_the_published_line_has_renamed_the_file(fork: Fork) -> None:
    fork.commit("ours", {"d/old": MINE})
    fork.commit("theirs", {"d/old": None, "e/new": TEXT})
    assert fork.files(fork.replayed().tip) == {"e/new": MINE}
    assert fork.asked == []


def test_a_published_edit_goes_on_under_the_new_name(fork: Fork) -> None:
    fork.commit("ours", {"d/old": None, "d/new": MINE})
    fork.commit("theirs", {"d/old": THEIRS})
    both = MINE.replace("line 19\n", "theirs 19\n")
    assert fork.files(fork.replayed().tip) == {"d/new": both}


def test_the_same_name_on_both_sides_is_no_question(fork: Fork) -> None:
    fork.commit("ours", {"d/old": None, "d/new": MINE})
    fork.commit("theirs", {"d/old": None, "d/new": TEXT})
    done = fork.replayed("ours")
    assert done.disputes == ()
    assert fork.files(done.tip) == {"d/new": MINE}


class TestAFileThatBothSidesHaveRenamed:
    @pytest.mark.parametrize(
        "texts", [(TEXT, TEXT), (MINE, TEXT), (TEXT, THEIRS), (MINE, THEIRS), (MINE, MINE)]
    )
    @pytest.mark.parametrize(("side", "name"), [("ours", "d/mine"), ("theirs", "d/theirs")])
    def test_gets_the_one_that_is_decided_with_what_both_made_of_it(
        self, fork: Fork, side: Side, name: str, texts: tuple[str, str]
    ) -> None:
        mine, theirs = texts
        fork.commit("ours", {"d/old": None, "d/mine": mine})
        fork.commit("theirs", {"d/old": None, "d/theirs": theirs})
        text = mine.replace("line 19\n", "theirs 19\n") if theirs == THEIRS else mine
        done = fork.replayed(side)
        assert done.disputes == ()
        assert fork.files(done.tip) == {name: text}
        assert [one.names for one in fork.asked] == [("d/mine", "d/theirs")]

    def test_is_left_in_dispute_where_nobody_decides(self, fork: Fork) -> None:
        fork.commit("ours", {"d/old": None, "d/mine": MINE})
        fork.commit("theirs", {"d/old": None, "d/theirs": THEIRS})
        done = fork.replayed()
        assert [shown(one) for one in done.disputes] == ["d/old: renamed to d/mine here, to d/theirs there"]

    @pytest.mark.parametrize(("side", "name"), [("ours", "d/mine"), ("theirs", "d/theirs")])
    def test_later_commits_go_on_under_that_name(self, fork: Fork, side: Side, name: str) -> None:
        fork.commit("ours", {"d/old": None, "d/mine": TEXT})
        fork.commit("ours", {"d/mine": MINE})
        fork.commit("theirs", {"d/old": None, "d/theirs": THEIRS})
        done = fork.replayed(side)
        assert done.disputes == ()
        assert fork.files(done.tip) == {name: MINE.replace("line 19\n", "theirs 19\n")}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"q": "q\n"}, {"q": None, "q/a": "a\n"}),
        ({"q/a": "a\n"}, {"q/a": None, "q": "q\n"}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_file_and_folder_take_each_others_place_on_one_side(
    tmp_path: Path, git: Git, before: Files, after: Files, side: str
) -> None:
    fork = Fork(tmp_path / "work", git, before)
    other = "theirs" if side == "ours" else "ours"
    fork.commit(other, {"x": "x\n"})
    if "q/a" in before:  # git rm leaves no folder behind
        fork.commit(side, {"q/a": None})
        fork.commit(side, {"q": "q\n"})
    else:
        fork.commit(side, after)
    done = fork.replayed()
    assert fork.files(done.tip) == {"x": "x\n", **{name: text for name, text in after.items() if text}}
