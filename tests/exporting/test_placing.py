from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from making import fill, small_disk

from gitforge.errors import Conflict, UserError
from gitforge.exporting import placing
from gitforge.exporting.placing import Folder, Placed


def placed(folder: Path, **files: str) -> list[Placed]:
    paths = {name.replace("__", "/"): text for name, text in files.items()}
    return [placing.look(Folder(folder, ""), one, text.encode()) for one, text in paths.items()]


def tree(folder: Path) -> dict[str, str]:
    return {one.relative_to(folder).as_posix(): one.read_text() for one in folder.rglob("*") if one.is_file()}


def test_new_files_and_their_folders_are_made_and_a_second_time_changes_nothing(tmp_path: Path) -> None:
    out = tmp_path / "deep/out"
    placing.write(Folder(out, "out"), placed(out, a="1", sub__b="2"))
    assert tree(out) == {"a": "1", "sub/b": "2"}
    again = placed(out, a="1", sub__b="2")
    assert {one.state for one in again} == {"same"}
    before = [one.stat().st_ino for one in sorted(out.rglob("*"))]
    placing.write(Folder(out, "out"), again)
    assert [one.stat().st_ino for one in sorted(out.rglob("*"))] == before


def test_other_files_are_named_and_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("mine")
    with pytest.raises(Conflict, match=r"a$"):
        placing.refuse_others(placed(tmp_path, a="1", b="2"))


def test_few_files_in_the_way_are_shown_as_a_diff(tmp_path: Path) -> None:
    for name in "abcd":
        (tmp_path / name).write_text("mine\n")
    with pytest.raises(placing.OtherFiles) as few:
        placing.refuse_others(placed(tmp_path, a="1\n"))
    assert "-mine\n+1\n" in few.value.diff
    with pytest.raises(placing.OtherFiles) as many:
        placing.refuse_others(placed(tmp_path, a="1", b="2", c="3", d="4"))
    assert many.value.diff == ""


def test_a_file_that_is_replaced_keeps_its_permissions(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("mine")
    (tmp_path / "a").chmod(0o640)
    placing.write(Folder(tmp_path, "out"), placed(tmp_path, a="1"))
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


def test_no_other_file_in_the_folder_goes_or_is_left_there(tmp_path: Path) -> None:
    mine = {".a.exported": "mine", ".gitforge-1": "mine too"}
    for name, text in mine.items():
        (tmp_path / name).write_text(text)
    placing.write(Folder(tmp_path, "out"), placed(tmp_path, a="1"))
    assert tree(tmp_path) == {**mine, "a": "1"}


def test_two_exports_to_one_folder_at_once_leave_whole_files(tmp_path: Path) -> None:
    texts = {name * 100_000 for name in "abcd"}

    def export(text: str) -> None:
        for _ in range(20):
            with suppress(Conflict):  # somebody changed it just now
                placing.write(Folder(tmp_path, "out"), placed(tmp_path, a=text))

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(export, text) for text in texts]:
            done.result()
    assert tree(tmp_path).keys() == {"a"}
    assert tree(tmp_path)["a"] in texts


@pytest.mark.parametrize("at", ["a", "sub"])
def test_no_symbolic_link_is_followed(tmp_path: Path, at: str) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (tmp_path / "elsewhere").mkdir()
    (out / at).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="symbolic link"):
        placing.read(Folder(out, ""), "a" if at == "a" else "sub/a")


def test_a_folder_or_a_pipe_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    os.mkfifo(tmp_path / "b")
    (tmp_path / "c").write_text("")
    for name, why in (("a", "is a folder"), ("b", "not a file"), ("c/d", "a file is in the way")):
        with pytest.raises(UserError, match=why):
            placing.read(Folder(tmp_path, ""), name)
    with pytest.raises(UserError, match="its folder is a file"):
        placing.read(Folder(tmp_path / "c", ""), "x")


def test_where_one_file_cannot_be_written_none_is(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("before")
    both = placed(tmp_path, a="1", new__b="2")
    (tmp_path / "a").write_text("changed meanwhile")
    with pytest.raises(Conflict, match="just now"):
        placing.write(Folder(tmp_path, "out"), [both[1], both[0]])
    assert tree(tmp_path) == {"a": "changed meanwhile"}
    assert not (tmp_path / "new").exists()


def test_a_full_disk_leaves_everything_as_it_was(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "a").write_text("before")
    with small_disk(out, "64k"):
        filler = fill(out)
        with pytest.raises(UserError, match="nothing in it was changed"):
            placing.write(Folder(out, "out"), placed(out, a="1" * 10_000, b="2"))
        filler.unlink()
        assert tree(out) == {"a": "before"}
