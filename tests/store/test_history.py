"""What a component said before it was taken back, and why."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Git

from gitforge.store.history import Earlier, earlier_texts, reason
from gitforge.store.repo import Repo

PATH = "library/personas/x.md"


@pytest.fixture
def root(tmp_path: Path, git: Git) -> Path:
    git("init", "-q", "-b", "main", str(tmp_path / "r"), cwd=tmp_path)
    git("commit", "-q", "--allow-empty", "-m", "Start", cwd=tmp_path / "r")
    return tmp_path / "r"


def write(root: Path, git: Git, text: str, message: str = "Generate persona x", path: str = PATH) -> str:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode())
    git("add", "--", path, cwd=root)
    git("commit", "-qm", message, cwd=root)
    return git("rev-parse", "HEAD", cwd=root)


def revert(root: Path, git: Git, commit: str, why: str = "") -> str:
    git("revert", "--no-edit", commit, cwd=root)
    if why:
        said = git("log", "-1", "--format=%B", cwd=root)
        git("commit", "-q", "--amend", "-m", f"{said}\n\n{why}", cwd=root)
    return git("rev-parse", "HEAD", cwd=root)


def earlier_of(root: Path, path: str = PATH) -> list[Earlier]:
    return earlier_texts(Repo.discover(root), [path]).get(path, [])


def test_many_paths_are_looked_for_at_once(root: Path, git: Git) -> None:
    paths = [f"library/personas/{number}.md" for number in range(150)]
    for path in paths[:2]:
        revert(root, git, write(root, git, f"{path}\n", path=path), "Why.")
    write(root, git, "Not taken away.\n", path=paths[2])
    found = earlier_texts(Repo.discover(root), paths)
    assert {path: [one.text for one in earlier] for path, earlier in found.items()} == {
        path: [f"{path}\n"] for path in paths[:2]
    }


def test_a_component_that_was_never_there_has_no_earlier_text(root: Path, git: Git) -> None:
    write(root, git, "other\n", path="library/personas/y.md")
    assert earlier_of(root) == []


def test_a_repository_without_a_commit_has_no_earlier_text(tmp_path: Path, git: Git) -> None:
    git("init", "-q", str(tmp_path / "r"), cwd=tmp_path)
    assert earlier_of(tmp_path / "r") == []


def test_a_reverted_generation_gives_its_text_and_the_words_of_the_revert(root: Path, git: Git) -> None:
    made = write(root, git, "You are X.\n")
    taken = revert(root, git, made, "It flatters the reader.\nNobody talks so.")
    (earlier,) = earlier_of(root)
    assert earlier.text == "You are X.\n"
    assert earlier.reason == "It flatters the reader.\nNobody talks so."
    assert earlier.commit == taken


def test_a_plain_deletion_gives_its_whole_message(root: Path, git: Git) -> None:
    write(root, git, "---\nname: X\n---\n\nYou are X.\n")
    git("rm", "-q", PATH, cwd=root)
    git("commit", "-qm", "Drop x: too vague\n\nNobody used it.\n\nReviewed-by: A <a@example.org>", cwd=root)
    (earlier,) = earlier_of(root)
    assert (earlier.text, earlier.reason) == ("You are X.\n", "Drop x: too vague\n\nNobody used it.")


def test_the_text_is_the_last_one_that_was_there(root: Path, git: Git) -> None:
    write(root, git, "First.\n")
    write(root, git, "Second.\n", "Edit it")
    git("rm", "-q", PATH, cwd=root)
    git("commit", "-qm", "Drop it", cwd=root)
    assert [one.text for one in earlier_of(root)] == ["Second.\n"]


def test_a_revert_of_a_regeneration_gives_the_text_that_it_took_back(root: Path, git: Git) -> None:
    write(root, git, "First.\n")
    write(root, git, "An edit.\n", "Edit it")
    again = write(root, git, "Second.\n", "Regenerate persona x")
    revert(root, git, again, "It rambles.")
    assert [(one.text, one.reason) for one in earlier_of(root)] == [("Second.\n", "It rambles.")]


def test_a_text_that_is_there_again_was_not_taken_away(root: Path, git: Git) -> None:
    write(root, git, "First.\n")
    again = write(root, git, "Second.\n", "Regenerate persona x")
    back = revert(root, git, again, "It rambles.")
    revert(root, git, back, "It does not.")
    assert [(one.text, one.reason) for one in earlier_of(root)] == [("First.\n", "It does not.")]


def test_of_many_the_newest_come_first_and_only_so_many_as_asked_for(root: Path, git: Git) -> None:
    for number in range(3):
        revert(root, git, write(root, git, f"Text {number}.\n"), f"Reason {number}.")
    assert [one.reason for one in earlier_of(root)] == ["Reason 2.", "Reason 1."]


def test_a_revert_on_a_branch_that_was_merged_is_found(root: Path, git: Git) -> None:
    git("switch", "-qc", "side", cwd=root)
    revert(root, git, write(root, git, "On the side.\n"), "Not here.")
    git("switch", "-q", "main", cwd=root)
    write(root, git, "other\n", path="library/personas/y.md")
    git("merge", "-q", "--no-ff", "-m", "Merge side", "side", cwd=root)
    assert [one.reason for one in earlier_of(root)] == ["Not here."]


def test_a_users_settings_for_log_change_nothing(root: Path, git: Git) -> None:
    revert(root, git, write(root, git, "Text.\n"), "Why.")
    for key, value in (("log.follow", "true"), ("log.showSignature", "true"), ("format.pretty", "oneline"),
                       ("diff.renames", "copies"), ("core.abbrev", "5"), ("color.ui", "always")):  # fmt: skip
        git("config", key, value, cwd=root)
    assert [one.text for one in earlier_of(root)] == ["Text.\n"]


def test_what_is_no_text_is_left_out(root: Path, git: Git) -> None:
    file = root / PATH
    file.parent.mkdir(parents=True)
    file.write_bytes(b"\xff\xfe\x00")
    git("add", "-A", cwd=root)
    git("commit", "-qm", "Binary", cwd=root)
    git("rm", "-q", PATH, cwd=root)
    git("commit", "-qm", "Drop it", cwd=root)
    assert earlier_of(root) == []


@pytest.mark.parametrize("name", [":(top)x.md", "-x.md", "a b\u00e4.md", "*.md"])
def test_any_file_name_is_taken_as_it_is(root: Path, git: Git, name: str) -> None:
    path = f"library/personas/{name}"
    write(root, git, "other\n", path="library/personas/other.md")
    file = root / path
    file.write_text("Text.\n")
    for arguments in (("add", "-A"), ("commit", "-qm", "Add it")):
        git(*arguments, cwd=root)
    file.unlink()
    git("commit", "-qam", "Drop it", cwd=root)
    assert [one.text for one in earlier_of(root, path)] == ["Text.\n"]


ID = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (f'Revert "Generate persona x"\n\nThis reverts commit {ID}.', 'Revert "Generate persona x"'),
        (f'Revert "G"\n\nThis reverts commit {ID}.\n\nToo long.', "Too long."),
        (f'Revert "M"\n\nThis reverts commit {ID}, reversing\nchanges made to {ID}.\n\nWhy.', "Why."),
        (f'Revert "G"\n\nToo long.\n\nThis reverts commit {ID}.', "Too long."),
        (
            "Revert persona x\n\nIt repeats the protocol.\n\nReverts: abc\nSigned-off-by: A <a@b>",
            "It repeats the protocol.",
        ),
        ("Drop x", "Drop x"),
        ("Drop x\n\nNobody used it.", "Drop x\n\nNobody used it."),
        ("x" * 5000, "x" * 2000),
        ("", ""),
    ],
)
def test_a_reason_is_a_message_without_what_git_wrote_itself(message: str, said: str) -> None:
    assert reason(message) == said
