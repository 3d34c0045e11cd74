"""What a transfer leaves whose gitforge was killed: nobody goes on with it, and the next one removes it."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import receiving
from conftest import Git
from making import fill, small_disk
from servers import git_daemon, raw_server, stalling

from gitforge.store import incoming
from gitforge.store.incoming import sweep_abandoned, swept
from gitforge.store.repo import Repo

PATIENCE = 60.0  # seconds until a test gives up
AGO = 3600  # seconds


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """An empty repository, in which another git has left something."""
    repo = Repo.create(tmp_path / "mine")
    (repo.git_dir / "objects/pack/tmp_pack_others").touch()
    return repo


@pytest.fixture
def large(tmp_path: Path, git: Git) -> Path:
    """A bare repository whose pack has some 4 MiB."""
    seed = tmp_path / "seed"
    git("init", "-q", "-b", "main", str(seed), cwd=tmp_path)
    (seed / "noise").write_bytes(os.urandom(4 << 20))
    git("add", ".", cwd=seed)
    git("commit", "-qm", "noise", cwd=seed)
    git("clone", "-q", "--bare", str(seed), str(tmp_path / "srv/remote.git"), cwd=tmp_path)
    return tmp_path / "srv/remote.git"


def killed(repo: Repo, large: Path, *how: str) -> None:
    """A fetch that is killed while the server has fallen silent in the middle; until git has ended too."""
    program = (sys.executable, str(Path(receiving.__file__)), str(repo.root))
    with git_daemon(large.parent) as url, raw_server(stalling(int(url.rpartition(":")[2]), 1 << 20)) as port:
        there = f"git://127.0.0.1:{port}/remote.git"
        done = subprocess.run(
            [*program, there, "refs/heads/main:refs/heads/came", *how],
            check=False, capture_output=True, start_new_session=True, timeout=PATIENCE,
        )  # fmt: skip
        assert done.returncode == -signal.SIGKILL, done.stderr
        until = time.monotonic() + PATIENCE
        while at_work(repo):
            assert time.monotonic() < until, at_work(repo)
            time.sleep(0.05)


def at_work(repo: Repo) -> list[str]:
    """The processes that work in the repository."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.path.realpath(process / "cwd").startswith(str(repo.root.resolve())):
                found.append((process / "cmdline").read_text())
        except OSError:
            continue
    return found


def temporaries(repo: Repo) -> list[str]:
    return sorted(path.name for path in (repo.git_dir / "objects/pack").iterdir())


def notes(repo: Repo) -> list[Path]:
    folder = repo.git_dir / "gitforge/receiving"
    return sorted(folder.iterdir()) if folder.exists() else []


def age(repo: Repo) -> None:
    """As if it had been an hour ago."""
    for path in (*notes(repo), *(repo.git_dir / "objects/pack").iterdir()):
        status = path.stat()
        os.utime(path, (status.st_atime - AGO, status.st_mtime - AGO))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="there is no /proc to see processes in")
@pytest.mark.parametrize("how", [("alone",), ("group",), ("alone", "ask")])
def test_git_ends_with_a_gitforge_that_is_killed_and_the_next_one_removes_what_is_left(
    repo: Repo, large: Path, how: tuple[str, ...]
) -> None:
    killed(repo, large, *how)
    left = temporaries(repo)
    assert len(left) == 2
    assert len(notes(repo)) == 1
    sweep_abandoned(repo.common_dir)
    assert temporaries(repo) == left, "it is young"
    age(repo)
    sweep_abandoned(repo.common_dir)
    assert temporaries(repo) == ["tmp_pack_others"]
    assert notes(repo) == []


@pytest.fixture
def note(repo: Repo) -> Path:
    """A note of a transfer an hour ago, and what came since."""
    note = repo.git_dir / "gitforge/receiving/1-1"
    note.parent.mkdir(parents=True)
    note.write_text("tmp_pack_others")
    (repo.git_dir / "objects/pack/tmp_pack_ours").write_text("half")
    age(repo)
    return note


def test_what_somebody_has_open_stays_until_it_is_closed(repo: Repo, note: Path) -> None:
    with (repo.git_dir / "objects/pack/tmp_pack_ours").open("rb"):
        sweep_abandoned(repo.common_dir)
        assert "tmp_pack_ours" in temporaries(repo)
        assert note.exists()
    sweep_abandoned(repo.common_dir)
    assert temporaries(repo) == ["tmp_pack_others"]
    assert not note.exists()


def test_what_was_there_longer_than_the_transfer_stays(repo: Repo, note: Path) -> None:
    older = repo.git_dir / "objects/pack/tmp_idx_older"
    older.touch()
    os.utime(older, (1, 1))
    sweep_abandoned(repo.common_dir)
    assert temporaries(repo) == ["tmp_idx_older", "tmp_pack_others"]


def test_a_transfer_at_work_is_left_alone(repo: Repo, note: Path) -> None:
    with note.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        sweep_abandoned(repo.common_dir)
    assert "tmp_pack_ours" in temporaries(repo)
    assert note.exists()


def fail_with_a_pack(repo: Repo, owner: int) -> Path:
    """A transfer that fails, and what has come meanwhile; returns its file."""
    path = repo.git_dir / "objects/pack/tmp_pack_new"

    def interrupted() -> None:
        with swept(repo.common_dir):
            path.write_text("half")
            os.chown(path, owner, -1)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    return path


def test_what_came_with_a_transfer_that_fails_goes_with_it(repo: Repo) -> None:
    assert not fail_with_a_pack(repo, os.geteuid()).exists()
    assert temporaries(repo) == ["tmp_pack_others"]
    assert notes(repo) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_what_another_user_receives_meanwhile_stays(repo: Repo) -> None:
    assert fail_with_a_pack(repo, 12345).exists()
    assert notes(repo) == []


def test_where_nobody_can_see_who_has_it_open_it_goes_when_it_is_old(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incoming, "_PROCESSES", tmp_path / "no-proc")
    monkeypatch.setattr(incoming, "_PATIENCE", 0)
    path = fail_with_a_pack(repo, os.geteuid())
    assert path.exists(), "another git may be writing it"
    sweep_abandoned(repo.common_dir)
    assert path.exists()
    age(repo)
    sweep_abandoned(repo.common_dir)
    assert temporaries(repo) == ["tmp_pack_others"]
    assert notes(repo) == []


def test_a_transfer_goes_on_where_nothing_can_be_noted(repo: Repo) -> None:
    with small_disk(repo.root, "512k"):
        fill(repo.root)
        with swept(repo.common_dir):
            assert temporaries(repo) == ["tmp_pack_others"]
        assert notes(repo) == []
