"""`gitforge sync` where upstream changed symbolic links and submodules beside the library: they come as git has them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from harm import assert_sound, snapshot
from program import PERSONA, gitforge
from team import clone, commit, share, subjects, sync

Git = Callable[..., str]


def published(root: Path, git: Git, message: str = "Theirs") -> None:
    git("add", "--all", cwd=root)
    git("commit", "-q", "-m", message, cwd=root)
    git("push", "-q", cwd=root)


def add_submodule(root: Path, git: Git, path: str, id_: str) -> None:
    git("update-index", "--add", "--cacheinfo", f"160000,{id_},{path}", cwd=root)


@pytest.fixture
def project(tmp_path: Path, git: Git) -> Path:
    """An ordinary project with a library in a folder of it; published."""
    root = tmp_path / "project"
    git("init", "-q", "-b", "main", str(root), cwd=tmp_path)
    (root / "docs").mkdir()
    (root / "docs/README").write_text("Read me.\n")
    (root / "latest").symlink_to("docs")
    git("add", "--all", cwd=root)
    git("commit", "-q", "-m", "Begin", cwd=root)
    assert gitforge("init", "prompts", cwd=root).code == 0
    share(root, git)
    return root


def test_a_link_that_others_would_refuse_is_sent_with_a_warning(project: Path, git: Git) -> None:
    other = clone(project.parent / "team.git", "other", git)
    (project / "out").symlink_to("/nowhere/else")
    git("add", "out", cwd=project)
    git("commit", "-q", "-m", "Out", cwd=project)
    said = "out of this branch is a symbolic link that leads out of the repository, to /nowhere/else: other clones"
    assert f"warning: {said}" in sync(project / "prompts", "--dry-run").err
    done = sync(project / "prompts")
    assert (done.code, f"warning: {said}" in done.err, "sent: 1 commit" in done.out) == (0, True, True), (
        done.told
    )
    assert sync(other / "prompts").code == 1
    git("pull", "-q", "--rebase", cwd=other)
    assert sync(other / "prompts").told.startswith("Nothing new")


def test_links_of_the_project_around_the_library_come_go_and_change(project: Path, git: Git) -> None:
    other = clone(project.parent / "team.git", "other", git)
    (other / "latest").unlink()
    (other / "latest").symlink_to("docs/README")
    (other / "docs/up").symlink_to("../prompts/goals.yaml")
    published(other, git)
    commit(project, git, {"prompts/notes.txt": "mine\n"}, "Mine")
    (project / "untracked").write_text("mine\n")
    done = sync(project / "prompts")
    assert done.code == 0, done.told
    assert (project / "latest").readlink() == Path("docs/README")
    assert (project / "docs/up").readlink() == Path("../prompts/goals.yaml")
    assert git("status", "--porcelain", cwd=project) == "?? untracked"
    assert subjects(project, git)[:2] == ["Mine", "Theirs"]
    assert_sound(git, project)
    git("pull", "-q", cwd=other)
    git("rm", "-q", "latest", "docs/up", cwd=other)
    published(other, git)
    done = sync(project / "prompts")
    assert done.code == 0, done.told
    assert not os.path.lexists(project / "latest")
    assert (project / "docs/README").read_text() == "Read me.\n"


def test_submodules_come_move_and_go_and_what_is_checked_out_stays(project: Path, git: Git) -> None:
    other = clone(project.parent / "team.git", "other", git)
    first, second = git("rev-parse", "HEAD~1", "HEAD", cwd=project).split()
    add_submodule(other, git, "vendor/empty", first)
    add_submodule(other, git, "vendor/mine", first)
    git("commit", "-q", "-m", "Theirs", cwd=other)
    git("push", "-q", cwd=other)
    assert sync(project / "prompts").code == 0
    assert list((project / "vendor/mine").iterdir()) == list((project / "vendor/empty").iterdir()) == []
    git("clone", "-q", str(project), str(project / "vendor/mine"), cwd=project)
    git("checkout", "-q", first, cwd=project / "vendor/mine")
    add_submodule(other, git, "vendor/mine", second)
    git("commit", "-q", "-m", "Move", cwd=other)
    git("push", "-q", cwd=other)
    assert sync(project / "prompts").code == 0
    assert git("rev-parse", ":vendor/mine", cwd=project) == second
    assert git("rev-parse", "HEAD", cwd=project / "vendor/mine") == first
    git("rm", "-q", "--cached", "vendor/empty", "vendor/mine", cwd=other)
    git("commit", "-q", "-m", "Go", cwd=other)
    git("push", "-q", cwd=other)
    assert sync(project / "prompts").code == 0
    assert not (project / "vendor/empty").exists()
    assert git("rev-parse", "HEAD", cwd=project / "vendor/mine") == first
    assert git("ls-files", "vendor", cwd=project) == ""


@pytest.mark.parametrize(("side", "target"), [("--ours", "mine"), ("--theirs", "theirs")])
def test_a_link_that_both_sides_changed_is_decided(project: Path, git: Git, side: str, target: str) -> None:
    other = clone(project.parent / "team.git", "other", git)
    for root, name in ((other, "theirs"), (project, "mine")):
        (root / "latest").unlink()
        (root / "latest").symlink_to(name)
        git("commit", "-q", "-am", name, cwd=root)
    git("push", "-q", cwd=other)
    done = sync(project / "prompts")
    assert (done.code, "latest: changed on both sides" in done.err) == (4, True), done.told
    assert sync(project / "prompts", side).code == 0
    assert (project / "latest").readlink() == Path(target)
    assert git("status", "--porcelain", cwd=project) == ""


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("prompts/library/personas/x.md", "../../goals.yaml"), ("prompts/output", "../docs"),
        ("prompts/goals.yaml", "../docs/README"), ("prompts/library", "../docs"), ("prompts", "docs"),
        ("out", "/etc/passwd"), ("docs/out", "../../x"), ("out", "docs/../../x"), ("out", "x" * 4097),
        ("out", ".git/config"),
    ],
)  # fmt: skip
def test_a_link_where_the_library_is_or_out_of_the_repository_is_refused(
    project: Path, git: Git, path: str, target: str
) -> None:
    other = clone(project.parent / "team.git", "other", git)
    blob = git("hash-object", "-w", "--stdin", cwd=other, stdin=target)
    git("rm", "-r", "-q", "--cached", "--ignore-unmatch", path, cwd=other)
    git("update-index", "--add", "--cacheinfo", f"120000,{blob},{path}", cwd=other)
    git("commit", "-q", "-m", "Strange", cwd=other)
    git("push", "-q", cwd=other)
    head, before = git("rev-parse", "HEAD", cwd=project), snapshot(git, project)[1:]
    done = sync(project / "prompts")
    assert done.code == 1, done.told
    assert f"{path} of origin/main is a symbolic link" in done.err
    assert git("rev-parse", "HEAD", cwd=project) == head
    assert snapshot(git, project)[1:] == before


@pytest.mark.parametrize("path", ["prompts/library/personas/x", "prompts/library", "prompts"])
def test_a_submodule_where_the_library_is_is_refused(project: Path, git: Git, path: str) -> None:
    other = clone(project.parent / "team.git", "other", git)
    git("rm", "-r", "-q", "--cached", "--ignore-unmatch", path, cwd=other)
    add_submodule(other, git, path, "1" * len(git("rev-parse", "HEAD", cwd=other)))
    git("commit", "-q", "-m", "Strange", cwd=other)
    git("push", "-q", cwd=other)
    done = sync(project / "prompts")
    assert (done.code, f"{path} of origin/main is a submodule" in done.err) == (1, True), done.told
    assert (project / "prompts" / PERSONA).is_file()


def test_a_link_in_the_place_of_a_file_of_the_users_is_named_and_nothing_moves(
    project: Path, git: Git
) -> None:
    other = clone(project.parent / "team.git", "other", git)
    (other / "notes").symlink_to("docs")
    published(other, git)
    (project / "notes").write_text("mine\n")
    head, before = git("rev-parse", "HEAD", cwd=project), snapshot(git, project)[1:]
    done = sync(project / "prompts")
    assert (done.code, "notes is there already, untracked" in done.err) == (4, True), done.told
    assert git("rev-parse", "HEAD", cwd=project) == head
    assert snapshot(git, project)[1:] == before
