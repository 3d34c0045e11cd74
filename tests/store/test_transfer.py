"""What goes between repositories: real git at both ends, and servers that are none."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

import pytest
from conftest import Git
from servers import garbage, git_daemon, git_http, raw_server, reset, silent, ssh_server, stalling

from gitforge.store import addresses, transfer
from gitforge.store.addresses import Address
from gitforge.store.remote_environment import remote_environment, with_secret
from gitforge.store.remote_failures import why_failed
from gitforge.store.repo import Repo
from gitforge.store.transfer import Progress, Pushed, Rejected, RemoteFailed


def address(text: Path | str) -> Address:
    return addresses.parse(str(text), base=Path("/"))


@pytest.fixture
def remote(tmp_path: Path, git: Git) -> Path:
    """A bare repository with two commits on main, and one on side."""
    seed = tmp_path / "seed"
    git("init", "-q", "-b", "main", str(seed), cwd=tmp_path)
    for name in ("one", "two"):
        (seed / name).write_text(name)
        git("add", ".", cwd=seed)
        git("commit", "-qm", name, cwd=seed)
    git("branch", "side", "main~1", cwd=seed)
    git("tag", "-a", "-m", "first", "v1", "main~1", cwd=seed)
    git("clone", "-q", "--bare", str(seed), str(tmp_path / "srv/remote.git"), cwd=tmp_path)
    return tmp_path / "srv/remote.git"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """An empty repository."""
    return Repo.create(tmp_path / "mine")


def test_the_refs_of_a_remote_are_listed(repo: Repo, remote: Path, git: Git) -> None:
    found = transfer.list_refs(repo, address(remote))
    assert found["refs/heads/main"] == git("rev-parse", "main", cwd=remote)
    assert found["refs/tags/v1^{}"] == git("rev-parse", "side", cwd=remote)
    assert transfer.list_refs(repo, address(remote), "refs/heads/s*").keys() == {"refs/heads/side"}


def test_only_what_was_asked_for_is_fetched(repo: Repo, remote: Path, git: Git) -> None:
    told: list[Progress] = []
    transfer.fetch(repo, address(remote), ["refs/heads/main:refs/remotes/origin/main"], progress=told.append)
    assert git("for-each-ref", "--format=%(refname)", cwd=repo.root) == "refs/remotes/origin/main"
    assert not (repo.git_dir / "FETCH_HEAD").exists()
    assert {one.stage for one in told} >= {"Counting objects", "Receiving objects"}
    assert all(one.total is None or one.done <= one.total for one in told)


def test_a_prune_that_the_user_has_set_takes_no_ref_of_ours(repo: Repo, remote: Path, git: Git) -> None:
    git("config", "fetch.prune", "true", cwd=repo.root)
    git("remote", "add", "origin", str(remote), cwd=repo.root)
    transfer.fetch(repo, address(remote), ["refs/heads/main:refs/gitforge/texts/own"])
    transfer.fetch(
        repo.anew(), "origin", ["+refs/gitforge/*:refs/gitforge/*", "refs/heads/side:refs/heads/x"]
    )
    assert "refs/gitforge/texts/own" in git("for-each-ref", cwd=repo.root)
    assert "refs/remotes/origin" not in git("for-each-ref", cwd=repo.root)


def test_what_a_ref_cannot_continue_is_refused_without_a_plus(repo: Repo, remote: Path, git: Git) -> None:
    transfer.fetch(repo, address(remote), ["refs/heads/main:refs/heads/x"])
    with pytest.raises(Rejected):
        transfer.fetch(repo, address(remote), ["refs/heads/side:refs/heads/x"])
    assert git("rev-parse", "refs/heads/x", cwd=repo.root) == git("rev-parse", "main", cwd=remote)


def test_what_is_pushed_is_told_ref_by_ref(repo: Repo, remote: Path, git: Git) -> None:
    transfer.fetch(repo, address(remote), ["refs/heads/side:refs/heads/side"])
    told = transfer.push(
        repo, address(remote), ["refs/heads/side:refs/heads/new", "refs/heads/side:refs/heads/side"]
    )
    assert told == (Pushed("refs/heads/side", "up-to-date"), Pushed("refs/heads/new", "ok"))
    assert transfer.refusal(repo, address(remote), told) is None
    assert git("rev-parse", "new", cwd=remote) == git("rev-parse", "side", cwd=remote)


def test_a_push_that_would_lose_commits_is_rejected_as_a_whole(repo: Repo, remote: Path, git: Git) -> None:
    transfer.fetch(repo, address(remote), ["refs/heads/side:refs/heads/side"])
    before = git("for-each-ref", cwd=remote)
    told = transfer.push(
        repo, address(remote), ["refs/heads/side:refs/heads/main", "refs/heads/side:refs/heads/new"]
    )
    assert {one.ref: one.outcome for one in told}["refs/heads/main"] == "rejected"
    assert isinstance(transfer.refusal(repo, address(remote), told), Rejected)
    assert git("for-each-ref", cwd=remote) == before


def test_nothing_is_pushed_by_force(repo: Repo, remote: Path) -> None:
    with pytest.raises(ValueError, match="force"):
        transfer.push(repo, address(remote), ["+refs/heads/side:refs/heads/main"])


def test_a_hook_that_refuses_is_told_in_its_words(repo: Repo, remote: Path) -> None:
    hook = remote / "hooks/update"
    hook.write_text("#!/bin/sh\necho 'not on a Friday' >&2\nexit 1\n")
    hook.chmod(0o755)
    transfer.fetch(repo, address(remote), ["refs/heads/side:refs/heads/side"])
    told = transfer.push(repo, address(remote), ["refs/heads/side:refs/heads/new"])
    failed = transfer.refusal(repo, address(remote), told)
    assert failed is not None
    assert failed.why == "hook"


def test_a_missing_repository_is_told_in_plain_words(repo: Repo, tmp_path: Path) -> None:
    with pytest.raises(RemoteFailed, match="is no repository") as caught:
        transfer.list_refs(repo, address(tmp_path / "nowhere"))
    assert caught.value.why == "missing"


def test_a_missing_ref_is_told(repo: Repo, remote: Path) -> None:
    with pytest.raises(RemoteFailed) as caught:
        transfer.fetch(repo, address(remote), ["refs/heads/nowhere:refs/heads/x"])
    assert caught.value.why == "no-ref"


def test_git_daemon_serves_and_lets_nobody_write(repo: Repo, remote: Path) -> None:
    with git_daemon(remote.parent) as url:
        there = address(f"{url}/remote.git")
        transfer.fetch(repo, there, ["refs/heads/side:refs/heads/side"])
        with pytest.raises(RemoteFailed) as caught:
            transfer.push(repo, there, ["refs/heads/side:refs/heads/new"])
        assert caught.value.why == "read-only"
        with pytest.raises(RemoteFailed) as caught:
            transfer.list_refs(repo, address(f"{url}/nowhere.git"))
        assert caught.value.why == "missing"


@pytest.mark.parametrize("scheme", ["git", "http"])
def test_a_server_that_says_nothing_is_given_up(repo: Repo, scheme: str, direct: None) -> None:
    with raw_server(silent) as port, pytest.raises(RemoteFailed) as caught:
        transfer.list_refs(repo, address(f"{scheme}://127.0.0.1:{port}/x"), silence=1)
    assert caught.value.why == "silent"


@pytest.mark.parametrize("scheme", ["git", "http"])
@pytest.mark.parametrize("answer", [garbage, reset])
def test_a_server_that_is_none_is_told(repo: Repo, scheme: str, answer: object, direct: None) -> None:
    with raw_server(answer) as port, pytest.raises(RemoteFailed) as caught:  # type: ignore[arg-type]
        transfer.list_refs(repo, address(f"{scheme}://127.0.0.1:{port}/x"), silence=20)
    assert caught.value.message.isprintable()
    assert "127.0.0.1" in caught.value.message


def assert_serves_and_takes(repo: Repo, url: str, nowhere: str) -> None:
    there = address(url)
    transfer.fetch(repo, there, ["refs/heads/side:refs/heads/side"])
    told = transfer.push(repo, there, ["refs/heads/side:refs/heads/new"])
    assert told == (Pushed("refs/heads/new", "ok"),)
    with pytest.raises(RemoteFailed) as caught:
        transfer.list_refs(repo, address(nowhere))
    assert caught.value.why == "missing"


def test_http_serves_and_takes(repo: Repo, remote: Path, git: Git, direct: None) -> None:
    with git_http(remote.parent) as url:
        assert_serves_and_takes(repo, f"{url}/remote.git", f"{url}/nowhere.git")


def test_http_asks_nobody_where_there_is_no_terminal(
    repo: Repo, remote: Path, direct: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = tmp_path / "asked"
    window = tmp_path / "window"
    window.write_text(f"#!/bin/sh\ntouch {asked}\n")
    window.chmod(0o755)
    monkeypatch.setenv("SSH_ASKPASS", str(window))
    monkeypatch.setenv("DISPLAY", ":0")
    with git_http(remote.parent, credentials="ada:s3cret") as url:
        for given in ("", "ada:wr0ng@", "ada@"):
            there = address(f"{url.replace('://', '://' + given)}/remote.git")
            with pytest.raises(RemoteFailed) as caught:
                transfer.list_refs(repo, there)
            assert caught.value.why == "authentication"
            assert "wr0ng" not in f"{caught.value.message} {caught.value.hint}"
        right = address(f"{url.replace('://', '://ada:s3cret@')}/remote.git")
        assert "refs/heads/main" in transfer.list_refs(repo, right)
    assert not asked.exists()


def test_what_the_user_has_set_to_answer_for_them_is_asked(
    repo: Repo, remote: Path, direct: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    answers = tmp_path / "answers"
    answers.write_text("#!/bin/sh\ncase $1 in Username*) echo ada;; *) echo s3cret;; esac\n")
    answers.chmod(0o755)
    monkeypatch.setenv("GIT_ASKPASS", str(answers))
    with git_http(remote.parent, credentials="ada:s3cret") as url:
        assert "refs/heads/main" in transfer.list_refs(repo, address(f"{url}/remote.git"))


def test_ssh_serves_and_takes(
    repo: Repo, remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ssh_server(tmp_path / "ssh") as ssh:
        monkeypatch.setenv("GIT_SSH_COMMAND", ssh.command)
        assert_serves_and_takes(repo, f"{ssh.url}{remote}", f"{ssh.url}{remote}-nowhere")


def test_ssh_asks_nobody_where_there_is_no_terminal(
    repo: Repo, remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ssh_server(tmp_path / "ssh") as ssh:
        for command, why in ((ssh.stranger, "authentication"), (ssh.unknowing, "host-key")):
            monkeypatch.setenv("GIT_SSH_COMMAND", command)
            with pytest.raises(RemoteFailed) as caught:
                transfer.list_refs(repo, address(f"{ssh.url}{remote}"))
            assert caught.value.why == why
    with pytest.raises(RemoteFailed) as caught:
        transfer.list_refs(repo, address(f"{ssh.url}{remote}"))
    assert caught.value.why == "unreachable"


@pytest.fixture
def large(remote: Path, tmp_path: Path, git: Git) -> Path:
    """The remote, with a branch `large` whose pack has some 4 MiB."""
    seed = tmp_path / "seed"
    (seed / "noise").write_bytes(os.urandom(4 << 20))
    git("add", ".", cwd=seed)
    git("commit", "-qm", "noise", cwd=seed)
    git("push", "-q", str(remote), "HEAD:large", cwd=seed)
    return remote


LARGE = ["refs/heads/large:refs/heads/large"]


def packs(repo: Repo) -> list[str]:
    return sorted(path.name for path in (repo.git_dir / "objects/pack").iterdir())


def test_what_is_larger_than_was_allowed_is_stopped_and_leaves_nothing(repo: Repo, large: Path) -> None:
    with pytest.raises(RemoteFailed, match="more than 1 MiB") as caught:
        transfer.fetch(repo, address(large), LARGE, max_bytes=1 << 20)
    assert caught.value.why == "too-large"
    assert packs(repo) == []
    transfer.fetch(repo, address(large), LARGE, max_bytes=8 << 20)
    assert repo.commit_of("refs/heads/large")


def test_a_server_that_falls_silent_in_the_middle_leaves_nothing(repo: Repo, large: Path) -> None:
    with git_daemon(large.parent) as url:
        daemon = int(url.rpartition(":")[2])
        with raw_server(stalling(daemon, 1 << 20)) as port, pytest.raises(RemoteFailed) as caught:
            transfer.fetch(repo, address(f"git://127.0.0.1:{port}/remote.git"), LARGE, silence=1)
    assert caught.value.why == "silent"
    assert packs(repo) == []


@pytest.mark.parametrize("can_ask", [False, True])
def test_an_interrupt_in_the_middle_leaves_nothing(repo: Repo, large: Path, can_ask: bool) -> None:
    def interrupt(progress: Progress) -> None:
        if progress.stage == "Receiving objects":
            assert packs(repo) != []
            raise KeyboardInterrupt

    with git_daemon(large.parent) as url:
        daemon = int(url.rpartition(":")[2])
        there = "git://127.0.0.1:{}/remote.git"
        with raw_server(stalling(daemon, 1 << 20)) as port, pytest.raises(KeyboardInterrupt):
            transfer.fetch(repo, address(there.format(port)), LARGE, progress=interrupt, can_ask=can_ask)
    assert packs(repo) == []


def test_what_another_git_receives_meanwhile_stays(repo: Repo, large: Path) -> None:
    pack = repo.git_dir / "objects/pack"
    (pack / "tmp_pack_old").touch()

    def meanwhile(progress: Progress) -> None:
        others.append((pack / "tmp_pack_others").open("wb"))
        raise KeyboardInterrupt

    others: list[BinaryIO] = []
    with pytest.raises(KeyboardInterrupt):
        transfer.fetch(repo, address(large), LARGE, progress=meanwhile)
    assert packs(repo) == ["tmp_pack_old", "tmp_pack_others"]
    others[0].close()


@pytest.mark.parametrize(
    "text",
    [
        "ssh://example.org/x", "ssh://a+b.c@example.org:22/~ada/x", "example.org:x y", "a@example.org:x'y",
        "[example.org:2222]:x", "[::1]:x", "example:$(touch pwned)", "ssh://example.org/`touch pwned`",
    ],
)  # fmt: skip
def test_ssh_gets_a_host_and_one_command_and_no_option(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    told = tmp_path / "told"
    recorder = tmp_path / "recorder"
    recorder.write_text(f'#!/bin/sh\nprintf "%s\\0" "$@" > {told}\n')
    recorder.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(recorder))
    monkeypatch.setenv("GIT_SSH_VARIANT", "ssh")
    with pytest.raises(RemoteFailed):
        transfer.list_refs(repo, address(text))
    *options, host, command = told.read_text().split("\0")[:-1]
    assert [one for one in options if one not in {"-o", "SendEnv=GIT_PROTOCOL", "-p", "22", "2222"}] == []
    assert not host.startswith("-")
    assert command.startswith("git-upload-pack '")
    assert list(repo.root.glob("pwned")) == []


@pytest.mark.parametrize(
    ("settings", "environment", "command"),
    [
        ({}, {}, "ssh -o BatchMode=yes"),
        ({"core.sshcommand": "ssh -i key"}, {}, "ssh -i key -o BatchMode=yes"),
        ({"core.sshcommand": "ssh -i key"}, {"GIT_SSH_COMMAND": "ssh -v"}, "ssh -v -o BatchMode=yes"),
        ({}, {"GIT_SSH": "/opt/my tools/ssh"}, "'/opt/my tools/ssh' -o BatchMode=yes"),
        ({}, {"GIT_SSH": "/usr/bin/plink"}, None),
        ({"core.sshcommand": "tortoiseplink -batch"}, {}, None),
        ({"core.sshcommand": "ssh 'unclosed"}, {}, None),
    ],
)
def test_the_ssh_that_the_user_has_set_is_used_and_asks_nobody(
    settings: dict[str, str], environment: dict[str, str], command: str | None
) -> None:
    found = remote_environment("ssh", settings, environment, 60, can_ask=False).get("GIT_SSH_COMMAND")
    assert found == (None if command is None else f"{command} -o ConnectTimeout=60{ALIVE}")


ALIVE = " -o ServerAliveInterval=15 -o ServerAliveCountMax=4"


def test_a_window_is_no_way_to_ask_but_what_was_set_for_git_is() -> None:
    asked = remote_environment("https", {}, {"SSH_ASKPASS": "window"}, 60, can_ask=False)
    assert (asked["GIT_ASKPASS"], asked["GIT_TERMINAL_PROMPT"]) == ("", "0")
    assert "GIT_ASKPASS" not in remote_environment("https", {}, {"GIT_ASKPASS": "mine"}, 60, can_ask=False)
    assert "GIT_ASKPASS" not in remote_environment("https", {"core.askpass": "mine"}, {}, 60, can_ask=False)
    person = remote_environment("https", {}, {}, 60, can_ask=True)
    assert "GIT_ASKPASS" not in person
    assert person["GIT_TERMINAL_PROMPT"] == "1"
    assert "BatchMode" not in person["GIT_SSH_COMMAND"]


def test_a_secret_joins_what_is_set_in_the_environment_already() -> None:
    there = address("https://ada:s3cret@example.org/x")
    assert with_secret(there, {"GIT_CONFIG_COUNT": "2"}) == {
        "GIT_CONFIG_COUNT": "3",
        "GIT_CONFIG_KEY_2": "url.https://ada:s3cret@example.org/x.insteadOf",
        "GIT_CONFIG_VALUE_2": "https://example.org/x",
    }
    assert with_secret(address("https://example.org/x"), {}) == {}


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("fatal: unable to access 'https://x/': Could not resolve host: x", "unreachable"),
        ("fatal: unable to access 'https://x/': SSL certificate problem: self-signed", "unreachable"),
        ("fatal: Authentication failed for 'https://x/'", "authentication"),
        ("git@x: Permission denied (publickey).", "authentication"),
        ("remote: Permission to a/b.git denied to ada.\nfatal: ... returned error: 403", "read-only"),
        ("ERROR: Repository not found.", "missing"),
        ("remote: error: GH006: protected branch hook declined", "read-only"),
        ("fatal: remote error: upload-pack: not our ref 1111", "no-ref"),
        ("fatal: protocol error: bad line length character: HTTP", "no-server"),
        ("error: object 1: hasDotgit: contains '.git'\nfatal: fsck error in packed object", "unsound"),
        ("fatal: write error: No space left on device", "full"),
        ("fatal: transport 'ext' not allowed", "protocol"),
        ("fatal: fetch-pack: invalid index-pack output", "too-large"),
        ("fatal: early EOF\nfatal: fetch-pack: invalid index-pack output", "unreachable"),
        ("fatal: detected dubious ownership in repository at '/srv/a.git'", "owner"),
        ("fatal: something new", "other"),
    ],
)
def test_what_the_tools_say_is_understood(said: str, why: str) -> None:
    assert why_failed(said) == why
