"""A toolkit is written as a whole or not at all, and never over what somebody wrote by hand."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from making import fill, make_workspace, small_disk

from gitforge import hand_edits, toolkits
from gitforge.errors import Conflict, UserError
from gitforge.toolkits import EditedByHand, UnknownFiles

ONE = {"A.md": "a1\n", "B.md": "b1\n"}
TWO = {"A.md": "a2\n", "B.md": "b2\n"}


def manifest(files: dict[str, str]) -> dict[str, Any]:
    return {
        "outputs": {
            name: {"sha256": hashlib.sha256(text.encode()).hexdigest()} for name, text in files.items()
        }
    }


def write(path: Path, files: dict[str, str], *, force: bool = False) -> tuple[str, ...]:
    return toolkits.write(path, files, manifest(files), force=force)


def contents(path: Path) -> dict[str, str]:
    return {
        one.name: one.read_bytes().decode() for one in sorted(path.iterdir()) if one.name != "toolkit.json"
    }


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "output/p"


def test_a_new_toolkit_is_there_with_its_manifest(path: Path) -> None:
    assert set(write(path, ONE)) == {"A.md", "B.md", "toolkit.json"}
    assert contents(path) == ONE
    assert toolkits.read_manifest(path) == manifest(ONE)
    assert [one.name for one in path.parent.iterdir()] == ["p"]


def test_the_same_toolkit_again_changes_nothing(path: Path) -> None:
    write(path, ONE)
    before = [(one.name, one.stat().st_mtime_ns, one.stat().st_ino) for one in sorted(path.iterdir())]
    assert write(path, ONE) == ()
    assert [(one.name, one.stat().st_mtime_ns, one.stat().st_ino) for one in sorted(path.iterdir())] == before


def test_a_rebuilt_toolkit_keeps_its_folder_and_changes_only_what_differs(path: Path) -> None:
    write(path, ONE)
    folder, kept = path.stat().st_ino, (path / "B.md").stat().st_ino
    assert set(write(path, {**ONE, "A.md": "a2\n"})) == {"A.md", "toolkit.json"}
    assert (path.stat().st_ino, (path / "B.md").stat().st_ino) == (folder, kept)


def test_a_file_that_the_goal_no_longer_has_goes_and_other_files_stay(path: Path) -> None:
    write(path, ONE)
    (path / "notes.txt").write_text("mine")
    (path / "drafts").mkdir()
    write(path, {"A.md": "a1\n"})
    assert sorted(one.name for one in path.iterdir()) == ["A.md", "drafts", "notes.txt", "toolkit.json"]
    assert (path / "notes.txt").read_text() == "mine"


def test_a_file_edited_by_hand_is_not_overwritten_and_the_difference_is_shown(path: Path) -> None:
    write(path, ONE)
    (path / "A.md").write_text("mine\n")
    assert hand_edits.look(path).edited == ("A.md",)
    with pytest.raises(EditedByHand, match=r"output/p: edited by hand .*: A\.md") as refused:
        write(path, TWO)
    assert isinstance(refused.value, Conflict)
    assert "-mine" in refused.value.diff
    assert "+a2" in refused.value.diff
    assert refused.value.hint
    assert "--force" in refused.value.hint
    assert contents(path) == {"A.md": "mine\n", "B.md": "b1\n"}


def test_force_replaces_what_was_edited_by_hand(path: Path) -> None:
    write(path, ONE)
    (path / "A.md").write_text("mine\n")
    write(path, TWO, force=True)
    assert contents(path) == TWO
    assert hand_edits.look(path).edited == ()


def test_a_merged_file_replaces_only_the_text_that_was_merged(path: Path) -> None:
    write(path, ONE)
    (path / "A.md").write_text("mine\n")
    (edited,) = hand_edits.edits(path, ONE).values()
    assert (edited.content, edited.assembled("A.md")) == (b"mine\n", hashlib.sha256(b"a1\n").hexdigest())
    files = {**TWO, "A.md": "mine, and a2\n"}
    (path / "A.md").write_text("edited meanwhile\n")
    with pytest.raises(EditedByHand, match=r"A\.md"):
        toolkits.write(path, files, manifest(TWO), force=False, merged={"A.md": edited.sha256})
    assert contents(path) == {"A.md": "edited meanwhile\n", "B.md": "b1\n"}
    (path / "A.md").write_text("mine\n")
    toolkits.write(path, files, manifest(TWO), force=False, merged={"A.md": edited.sha256})
    assert contents(path) == files
    assert hand_edits.look(path).edited == ("A.md",), (
        "the manifest knows what was assembled, not what was merged"
    )
    assert [one.name for one in path.parent.iterdir()] == ["p"]


def test_an_edited_file_that_the_goal_no_longer_has_stays(path: Path) -> None:
    write(path, ONE)
    (path / "B.md").write_text("mine\n")
    write(path, {"A.md": "a1\n"})
    assert contents(path) == {"A.md": "a1\n", "B.md": "mine\n"}


def test_a_file_that_was_there_before_any_toolkit_is_somebodys_work(path: Path) -> None:
    path.mkdir(parents=True)
    (path / "A.md").write_text("mine\n")
    with pytest.raises(UnknownFiles, match=r"toolkit\.json is not there"):
        write(path, ONE)
    assert contents(path) == {"A.md": "mine\n"}


def test_a_deleted_file_comes_back(path: Path) -> None:
    write(path, ONE)
    (path / "A.md").unlink()
    assert hand_edits.look(path).edited == ()
    assert write(path, ONE) == ("A.md",)
    assert contents(path) == ONE


@pytest.mark.parametrize(
    "text",
    ["", "not json", "[]", "null", '{"outputs": []}', '{"outputs": {"A.md": 5}}', "[" * 200_000, "\xff",
     '{"outputs": {"../../goals.yaml": {"sha256": "x"}, "/etc/passwd": {"sha256": "x"}, "..": {}}}',
     '{"outputs": {"\\u0000": {"sha256": "x"}, "\\ud800": {"sha256": "x"}}}',
     json.dumps({"outputs": {"x" * 5000: {"sha256": "x"}, "A.md": {}}})],
)  # fmt: skip
def test_a_manifest_that_was_tampered_with_leads_nowhere(tmp_path: Path, path: Path, text: str) -> None:
    (tmp_path / "goals.yaml").write_text("precious")
    write(path, ONE)
    (path / "toolkit.json").write_text(text, encoding="latin-1")
    assert set(hand_edits.look(path).edited) <= {"A.md"}
    write(path, TWO, force=True)
    assert contents(path) == TWO
    assert (tmp_path / "goals.yaml").read_text() == "precious"


def test_a_toolkits_folder_is_below_output_and_nowhere_else(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "work")
    assert toolkits.folder(workspace, "p") == workspace.output / "p"
    for name in ("..", "a/b", "-rf", ".git", "", "a\nb"):
        with pytest.raises(UserError, match="the project name"):
            toolkits.folder(workspace, name)
    workspace.output.write_text("a file")
    with pytest.raises(UserError, match="output: is a file, but has to be a folder"):
        toolkits.folder(workspace, "p")


def test_an_output_folder_that_leads_out_of_the_workspace_is_refused(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "work")
    (tmp_path / "outside").mkdir()
    workspace.output.symlink_to(tmp_path / "outside")
    with pytest.raises(UserError, match="output/p: is a symbolic link that leads out"):
        toolkits.folder(workspace, "p")
    workspace.output.unlink()
    workspace.output.mkdir()
    (workspace.output / "p").write_text("x")
    with pytest.raises(UserError, match="output/p: is a file, but has to be a folder"):
        toolkits.folder(workspace, "p")


def test_a_folder_where_a_file_should_be_is_told_and_left(path: Path) -> None:
    (path / "A.md").mkdir(parents=True)
    with pytest.raises(UserError, match="output/p"):
        write(path, ONE)
    assert [one.name for one in path.parent.iterdir()] == ["p"]
    assert [one.name for one in path.iterdir()] == ["A.md"]


@pytest.mark.parametrize("is_rebuild", [False, True])
def test_a_full_disk_leaves_the_old_toolkit_or_none(path: Path, is_rebuild: bool) -> None:
    path.parent.mkdir()
    with small_disk(path.parent):
        if is_rebuild:
            write(path, ONE)
        fill(path.parent)
        with pytest.raises(UserError, match="output/p: cannot be written: No space left on device"):
            write(path, {name: text * 3000 for name, text in TWO.items()})
        found = sorted(one.name for one in path.parent.iterdir())
        assert found == (["filler", "p"] if is_rebuild else ["filler"])
        if is_rebuild:
            assert contents(path) == ONE
            assert hand_edits.look(path).edited == ()


BUILD = """
import json, os, pathlib, signal, sys
from gitforge import toolkits

def hook(event, arguments):  # is told of every rename, replace and unlink before it happens
    if event in {"os.rename", "os.remove"} and str(arguments[0]).startswith(sys.argv[1].rpartition("/")[0]):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

files = json.loads(sys.argv[2])
left = int(sys.argv[3])
sys.addaudithook(hook)
toolkits.write(pathlib.Path(sys.argv[1]), files, json.loads(sys.argv[4]), force=False)
"""


def killed_build(path: Path, files: dict[str, str], step: int) -> bool:
    """Builds in another process, which is killed before its n-th rename or removal; whether it was."""
    command = [
        sys.executable,
        "-c",
        BUILD,
        os.fspath(path),
        json.dumps(files),
        str(step),
        json.dumps(manifest(files)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in {0, -9}, done.stderr
    return done.returncode == -9


@pytest.mark.parametrize("is_rebuild", [False, True])
def test_a_build_killed_at_any_rename_is_completed_by_the_next_one(tmp_path: Path, is_rebuild: bool) -> None:
    kills = 0
    for step in range(20):
        path = tmp_path / f"{step}/output/p"
        if is_rebuild:
            write(path, {**ONE, "OLD.md": "old\n"})
            (path / "notes.txt").write_text("mine")
        killed = killed_build(path, TWO, step)
        kills += killed
        if killed and not is_rebuild:
            assert not path.exists()
        for name in ("A.md", "B.md") if is_rebuild else ():
            assert (path / name).read_text() in {ONE[name], TWO[name]}  # each file is whole
        write(path, TWO)  # not taken for edits by hand
        assert contents(path) == ({**TWO, "notes.txt": "mine"} if is_rebuild else TWO)
        assert [one.name for one in path.parent.iterdir()] == ["p"]
        assert toolkits.read_manifest(path) == manifest(TWO)
        if not killed:
            break
    assert not killed
    assert kills >= (4 if is_rebuild else 1)


def test_after_a_kill_a_third_version_is_built_and_an_edit_still_detected(tmp_path: Path) -> None:
    for step in range(1, 3):
        path = tmp_path / f"{step}/output/p"
        write(path, ONE)
        assert killed_build(path, TWO, step)
        three = {"A.md": "a3\n", "B.md": "b3\n"}
        (path / "B.md").write_text("mine\n")
        with pytest.raises(EditedByHand, match=r"B\.md"):
            write(path, three)
        write(path, three, force=True)
        assert contents(path) == three


def test_two_builds_at_once_leave_one_whole_toolkit(tmp_path: Path) -> None:
    path = tmp_path / "output/p"
    versions = [{"A.md": f"a{n}\n", "B.md": f"b{n}\n"} for n in range(6)]
    command = [sys.executable, "-c", BUILD, os.fspath(path)]
    running = [
        subprocess.Popen(
            [*command, json.dumps(files), "1000", json.dumps(manifest(files))], stderr=subprocess.PIPE
        )
        for files in versions
    ]
    for process in running:
        _, said = process.communicate()
        assert process.returncode == 0, said
    assert contents(path) in versions
    assert hand_edits.look(path).edited == ()
    assert [one.name for one in path.parent.iterdir()] == ["p"]


def test_a_move_that_the_system_refuses_is_taken_back(tmp_path: Path) -> None:
    if shutil.which("chattr") is None:
        pytest.skip("making a file immutable needs chattr(1)")
    folder = tmp_path / "output/p"
    toolkits.write(
        folder, {"a.md": "old a\n", "b.md": "old b\n"}, manifest_of(a="old a\n", b="old b\n"), force=False
    )
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    if (
        subprocess.run(["chattr", "+i", str(folder / "b.md")], check=False, capture_output=True).returncode
        != 0
    ):
        pytest.skip("this file system has no immutable files")
    try:
        new = {"a.md": "new a\n", "b.md": "new b\n"}
        with pytest.raises(UserError, match="nothing in it was changed"):
            toolkits.write(folder, new, manifest_of(a="new a\n", b="new b\n"), force=False)
    finally:
        subprocess.run(["chattr", "-i", str(folder / "b.md")], check=True)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in folder.parent.iterdir()] == ["p"]
    assert toolkits.write(folder, new, manifest_of(a="new a\n", b="new b\n"), force=False)


def manifest_of(**texts: str) -> dict[str, object]:
    hashes = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
    return {"outputs": {f"{name}.md": {"sha256": value} for name, value in hashes.items()}}
