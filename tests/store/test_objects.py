"""Objects that are written together: all of them are there at the end, or none, and nothing else is."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from making import make_repository

from gitforge.store.objects import settle
from gitforge.store.repo import Repo

Git = Callable[..., str]

MANY = 100


@pytest.fixture
def repo(tmp_path: Path, git: Git) -> Repo:
    return Repo.discover(make_repository(tmp_path / "work", git))


@pytest.fixture(autouse=True)
def _no_descriptor_is_left() -> Iterator[None]:
    before = len(list(Path("/dev/fd").iterdir()))
    yield
    assert len(list(Path("/dev/fd").iterdir())) == before


@pytest.fixture
def _without_threads() -> Iterator[None]:
    """Each thread is to have more memory than there are addresses, so none can be started."""
    before = threading.stack_size(1 << 47)
    with pytest.raises(RuntimeError):
        threading.Thread(target=print).start()
    yield
    threading.stack_size(before)


def loose(repo: Repo) -> list[str]:
    """The files in the folders of loose objects."""
    return [path.name for path in (repo.common_dir / "objects").glob("??/*")]


def write_many(repo: Repo) -> list[str]:
    return [repo.objects.write_blob(b"%d\n" % number) for number in range(MANY)]


def assert_there(repo: Repo, git: Git, ids: list[str]) -> None:
    told = git("cat-file", "--batch-check=%(objecttype)", cwd=repo.root, stdin="\n".join(ids)).split()
    assert told == ["blob"] * MANY
    assert sorted(loose(repo)) == sorted(id_[2:] for id_ in ids)


def test_all_are_there_at_the_end(repo: Repo, git: Git) -> None:
    with repo.objects.together():
        ids = write_many(repo)
        assert write_many(repo) == ids, "some are there, some are only begun"
    assert_there(repo, git, ids)


@pytest.mark.usefixtures("_without_threads")
def test_they_are_there_where_no_thread_can_be_started(repo: Repo, git: Git) -> None:
    with repo.objects.together():
        ids = write_many(repo)
    assert_there(repo, git, ids)


def test_what_is_only_begun_goes_where_the_block_is_left(repo: Repo) -> None:
    def interrupted() -> None:
        with repo.objects.together():
            repo.objects.write_blob(b"one\n")
            repo.objects.write_blob(b"two\n")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert loose(repo) == []
    assert repo.objects.write_blob(b"one\n")[2:] in loose(repo), "the next ones are written at once"


@pytest.mark.parametrize("bad", [0, 1, 2])
def test_none_is_there_where_the_disk_refuses_one(repo: Repo, bad: int) -> None:
    objects = repo.objects.loose
    assert objects is not None
    begun = [one for one in (objects.begin("blob", b"%d\n" % number)[1] for number in range(3)) if one]
    reading, writing = os.pipe()  # which no disk has
    os.dup2(writing, begun[bad].descriptor)
    os.close(reading)
    os.close(writing)
    with pytest.raises(OSError, match="Invalid argument"):
        settle(begun)
    assert loose(repo) == []


def test_one_that_is_packed_already_may_be_written_again(repo: Repo, git: Git) -> None:
    ids = write_many(repo)
    git("pack-objects", "-q", ".git/objects/pack/pack", cwd=repo.root, stdin="\n".join(ids))
    git("prune-packed", "-q", cwd=repo.root)
    assert loose(repo) == []
    with repo.objects.together():
        assert write_many(repo) == ids
    assert_there(repo, git, ids)
    git("fsck", "--strict", cwd=repo.root)
