"""What commits did to files, newest first, also under the names that the files had before."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import closing
from itertools import count, islice, pairwise
from pathlib import Path

import pytest
from conftest import Git

from gitforge.store.records import FileChange
from gitforge.store.repo import Repo

X, Y, Z = "library/personas/x.md", "library/personas/y.md", "library/protocols/z with space.md"
SECONDS = count(1_700_000_000)
TEXT = "".join(f"Line {number} of a text that is long enough to be known again.\n" for number in range(12))


@pytest.fixture
def root(tmp_path: Path, git: Git, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GIT_COMMITTER_DATE", f"@{next(SECONDS)} +0200")
    git("init", "-q", "-b", "main", str(tmp_path / "r"), cwd=tmp_path)
    return tmp_path / "r"


def write(root: Path, git: Git, path: str, text: str, message: str) -> str:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    git("add", "--", path, cwd=root)
    return commit(root, git, message)


def commit(root: Path, git: Git, message: str) -> str:
    # A second later each: of commits of the same second nobody can say which is newer.
    os.environ["GIT_COMMITTER_DATE"] = f"@{next(SECONDS)} +0200"  # the fixture sets it back
    git("commit", "-qm", message, cwd=root)
    return git("rev-parse", "HEAD", cwd=root)


def told(changes: Iterable[FileChange]) -> list[tuple[str, str, str]]:
    return [(one.status, one.commit.subject, one.path.rpartition("/")[2]) for one in changes]


def followed(root: Path, *paths: str, rev: str = "HEAD") -> list[FileChange]:
    return list(Repo.discover(root).log.follow(paths, rev))


def test_a_file_is_followed_through_its_names(root: Path, git: Git) -> None:
    write(root, git, X, TEXT, "Write x")
    (root / Z).parent.mkdir(parents=True)
    git("mv", X, Y, cwd=root)
    commit(root, git, "Call it y")
    write(root, git, X, "Something else.\n", "Another x")
    git("mv", Y, Z, cwd=root)
    write(root, git, Z, TEXT + "More.\n", "Call it z, and edit it")
    write(root, git, Z, "Anew.\n", "Edit z")
    found = followed(root, Z)
    assert told(found) == [
        ("M", "Edit z", "z with space.md"),
        ("R", "Call it z, and edit it", "z with space.md"),
        ("R", "Call it y", "y.md"),
        ("A", "Write x", "x.md"),
    ]
    assert [one.old_path for one in found] == [Z, Y, X, X]
    assert {one.asked for one in found} == {Z}
    for newer, older in pairwise(found):
        assert newer.old_blob == older.new_blob
    assert found[2].old_blob == found[2].new_blob
    assert found[-1].old_blob is None
    assert git("show", found[0].new_blob or "", cwd=root) == "Anew."


def test_several_files_are_followed_at_once_in_the_order_of_the_commits(root: Path, git: Git) -> None:
    write(root, git, X, TEXT, "Write x")
    write(root, git, Z, "Z.\n", "Write z")
    git("mv", X, Y, cwd=root)
    commit(root, git, "Call it y")
    write(root, git, Z, "ZZ.\n", "Edit z")
    assert [one[1] for one in told(followed(root, Y, Z))] == ["Edit z", "Call it y", "Write z", "Write x"]


def test_the_old_name_of_a_renamed_file_says_where_it_went(root: Path, git: Git) -> None:
    write(root, git, X, TEXT, "Write x")
    git("mv", X, Y, cwd=root)
    commit(root, git, "Call it y")
    newest, oldest = followed(root, X)
    assert (newest.status, newest.old_path, newest.path, newest.asked) == ("R", X, Y, X)
    assert (oldest.status, oldest.asked) == ("A", X)


def test_both_lives_of_a_file_are_told_and_its_deletion(root: Path, git: Git) -> None:
    write(root, git, X, "First.\n", "Write x")
    git("rm", "-q", X, cwd=root)
    commit(root, git, "Drop x")
    write(root, git, X, "Second.\n", "Write x anew")
    git("rm", "-q", X, cwd=root)
    commit(root, git, "Drop x again")
    found = followed(root, X)
    assert [one.status for one in found] == ["D", "A", "D", "A"]
    assert [one.new_blob is None for one in found] == [True, False, True, False]


def test_a_merge_counts_where_it_changed_something_itself(root: Path, git: Git) -> None:
    write(root, git, X, "Base.\n", "Write x")
    git("switch", "-qc", "side", cwd=root)
    on_side = write(root, git, X, "Side.\n", "On the side")
    git("switch", "-q", "main", cwd=root)
    write(root, git, X, "Main.\n", "On main")
    git("merge", "-q", "-s", "ours", "--no-commit", "side", cwd=root)
    merge = write(root, git, X, "Both.\n", "Merge")
    found = followed(root, X)
    assert found[0].commit.id == merge
    assert found[0].status == "M"
    assert on_side in {one.commit.id for one in found}
    assert git("show", found[0].new_blob or "", cwd=root) == "Both."


def test_a_whole_folder_is_read_in_one_go_with_its_renames(root: Path, git: Git) -> None:
    write(root, git, X, TEXT, "Write x")
    write(root, git, "elsewhere.md", "E.\n", "Write elsewhere")
    git("mv", X, Y, cwd=root)
    commit(root, git, "Call it y")
    changes = list(Repo.discover(root).log.changes_below(["library"]))
    assert told(changes) == [("R", "Call it y", "y.md"), ("A", "Write x", "x.md")]


def test_from_an_older_commit_on(root: Path, git: Git) -> None:
    first = write(root, git, X, "First.\n", "Write x")
    write(root, git, X, "Second.\n", "Edit x")
    assert [one.commit.id for one in followed(root, X, rev=first)] == [first]


def test_a_commits_header_and_whole_message_are_given(root: Path, git: Git) -> None:
    message = "Write x\n\nA body.\n\n/no header\n:100644 nor a change\n\nComponent: a\nBlob: b"
    id_ = write(root, git, X, "X.\n", message)
    (one,) = followed(root, X)
    assert (one.commit.id, one.commit.author) == (id_, "Test User <test@example.org>")
    assert one.commit.message.strip() == message
    assert one.commit.date.tzinfo is not None
    assert one.commit.committed == int(git("log", "-1", "--format=%ct", cwd=root))


def test_a_users_settings_change_nothing(root: Path, git: Git) -> None:
    odd = {
        "log.showSignature": "true", "log.showRoot": "false", "log.follow": "true", "diff.renames": "false",
        "color.ui": "always", "log.decorate": "full", "core.quotePath": "true", "diff.renameLimit": "1",
        "log.diffMerges": "separate", "core.abbrev": "5",
    }  # fmt: skip
    for key, value in odd.items():
        git("config", key, value, cwd=root)
    write(root, git, X, TEXT, "Write x")
    odd_name = 'library/personas/\u00e9 "quoted"\tname.md'
    git("mv", X, odd_name, cwd=root)
    commit(root, git, "Rename")
    assert [one.path for one in followed(root, odd_name)] == [odd_name, X]


def test_where_there_is_nothing_nothing_is_told(root: Path, git: Git) -> None:
    assert followed(root, X) == []
    write(root, git, Y, "Y.\n", "Write y")
    assert followed(root, X) == []


def test_reading_stops_where_nobody_reads_on_and_leaves_no_process(root: Path, git: Git) -> None:
    who = "commit refs/heads/main\ncommitter a <a@b>"
    lines = [f"{who} {n} +0000\ndata 1\nx\nM 644 inline f\ndata 4\n{n}\n" for n in range(1000, 4000)]
    git("fast-import", "--quiet", cwd=root, stdin="\n".join(lines))
    with closing(Repo.discover(root).log.follow(["f"])) as changes:
        assert len(list(islice(changes, 3))) == 3
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_a_merge_that_renamed_and_edited_a_file_did_not_add_it(root: Path, git: Git) -> None:
    write(root, git, X, TEXT, "Write x")
    git("branch", "side", cwd=root)
    write(root, git, Z, "Z.\n", "Write z")
    git("checkout", "-q", "side", cwd=root)
    write(root, git, Z + "2", "Z2.\n", "Write another z")
    git("merge", "-q", "--no-commit", "main", cwd=root)
    git("mv", X, Y, cwd=root)
    write(root, git, Y, TEXT + "More.\n", "Merge, and call it y")
    (renamed, added) = followed(root, Y)
    assert told([renamed, added]) == [("R", "Merge, and call it y", "y.md"), ("A", "Write x", "x.md")]
    assert (renamed.old_path, renamed.old_blob) == (X, added.new_blob)
    repo = Repo.discover(root)
    below = [*repo.log.changes_below(["library"])]
    assert [(one.status, one.old_path) for one in below if one.path == Y] == [("R", X)]
    merge = git("rev-parse", "HEAD", cwd=root)
    assert repo.log.renames([merge]) == {(merge, X): Y}


def test_what_one_side_renamed_and_the_merge_edited_is_an_edit(root: Path, git: Git) -> None:
    write(root, git, X, TEXT, "Write x")
    git("checkout", "-q", "-b", "side", cwd=root)
    git("mv", X, Y, cwd=root)
    commit(root, git, "Call it y")
    git("checkout", "-q", "main", cwd=root)
    write(root, git, Z, "Z.\n", "Write z")
    git("merge", "-q", "--no-commit", "side", cwd=root)
    write(root, git, Y, TEXT + "More.\n", "Merge, and edit it")
    for found in (followed(root, Y), [*Repo.discover(root).log.changes_below(["library/personas"])]):
        assert [(one.status, one.old_path) for one in found] == [("M", Y), ("R", X), ("A", X)]
