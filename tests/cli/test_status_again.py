"""`gitforge status` says again what it said only where that is still true."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from making import mounted
from program import COMMAND, CONSTRAINT, PERSONA, PROTOCOL, build, gitforge, holds, run
from terminal import Terminal
from two_libraries import make_two

from gitforge.cli.again import say_again
from gitforge.cli.main import main

Git = Callable[..., str]
Say = Callable[..., tuple[int, str, str]]

SETTLED = 0.07  # seconds after which a file system's clock has gone on


def kept(root: Path) -> Path:
    """The file in which the answer is kept."""
    return root / ".git/gitforge/status"


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Say:
    """`say(root, quick=...)`: what `gitforge status` says, in this process."""

    def run(root: Path, *options: str, quick: bool = False) -> tuple[int, str, str]:
        monkeypatch.chdir(root)
        capsys.readouterr()
        code = say_again(["status", *options]) if quick else None
        if code is None:
            code = main(["status", *options])
        return (code, *capsys.readouterr())

    return run


@pytest.fixture(scope="module")
def built(starter: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a toolkit. Not to be changed: copy it."""
    root = Path(shutil.copytree(starter, tmp_path_factory.mktemp("built") / "work"))
    assert build(root, "--yes").code == 0
    subprocess.run(["git", "tag", "start"], cwd=root, check=True)
    return root


@pytest.fixture
def toolkit(built: Path, tmp_path: Path, git: Git, say: Say) -> Path:
    """A workspace with a toolkit, and an answer that is kept."""
    root = Path(shutil.copytree(built, tmp_path / "work"))
    git("status", cwd=root)
    settle()
    assert say(root)[0] == 0
    assert kept(root).exists()
    return root


def settle() -> None:
    """Lets the file system's clock go on: what was written just now is never relied on."""
    time.sleep(SETTLED)


def is_answered(root: Path, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the answer that is kept still holds."""
    monkeypatch.chdir(root)
    return say_again(["status"]) is not None


# Whatever happens in between


def _edit(root: Path, path: str) -> None:
    with (root / path).open("a") as file:
        file.write("One more line.\n")


def _edit_unseen(root: Path, path: str) -> None:
    """Another text of the same length, in the same file, with the old time."""
    file = root / path
    before = file.stat()
    text = file.read_bytes()
    file.write_bytes(text[:-3] + bytes(reversed(text[-3:-1])) + text[-1:])
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def _swap(root: Path, path: str) -> None:
    """As editors save: another file of that name."""
    fresh = root / f"{path}.swp"
    fresh.write_text((root / path).read_text() + "Saved.\n")
    fresh.replace(root / path)


def _drop(root: Path, path: str) -> None:
    (root / path).unlink()


def _write(path: str, text: str) -> Callable[[Path], None]:
    def write(root: Path) -> None:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)

    return write


def _run(*arguments: str) -> Callable[[Path], None]:
    def run(root: Path) -> None:
        command = ["git", "-c", "user.name=Test", "-c", "user.email=t@example.org", *arguments]
        subprocess.run(command, cwd=root, check=False, capture_output=True)

    return run


def _goal_less(root: Path) -> None:
    text = (root / "goals.yaml").read_text()
    (root / "goals.yaml").write_text(text.replace("digital_detective.md", "nobody_yet.md", 1))


def _environment(name: str, value: str) -> Callable[[Path], None]:
    def toggle(_: Path) -> None:
        if os.environ.pop(name, None) is None:
            os.environ[name] = value

    return toggle


def _link(root: Path) -> None:
    (root / "elsewhere.md").write_text("## Elsewhere\n")
    (root / "library/personas/unused_link.md").unlink(missing_ok=True)
    (root / "library/personas/unused_link.md").symlink_to("../../nowhere.md")


def _link_target(root: Path) -> None:
    """What a broken link leads to appears, or goes: nothing in its folder changes."""
    target = root / "nowhere.md"
    target.unlink() if target.exists() else target.write_text("## There now\n")


def _toggle(name: str, content: str = "") -> Callable[[Path], None]:
    """A file of git's own that says what it is in the middle of."""

    def toggle(root: Path) -> None:
        file = root / ".git" / name
        head = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=root, text=True)
        file.unlink() if file.exists() else file.write_text(content or head)

    return toggle


def _move(root: Path) -> None:
    (root / PERSONA).rename(root / "library/personas/renamed.md")


PARTS = (PERSONA, PROTOCOL, CONSTRAINT)
OUTPUT = "output/outage/01_PROMPT_TEMPLATE.md"
STEPS: tuple[Callable[[Path], object], ...] = (
    *((lambda root, path=path: _edit(root, path)) for path in (*PARTS, OUTPUT, "goals.yaml")),
    *((lambda root, path=path: _edit_unseen(root, path)) for path in (*PARTS, OUTPUT)),
    *((lambda root, path=path: _swap(root, path)) for path in (*PARTS, OUTPUT)),
    *((lambda root, path=path: _drop(root, path)) for path in (*PARTS, OUTPUT)),
    _write("library/personas/new.md", "## New\n"),
    _write("library/templates/prompt_template.md", "{{ goal.name }}\n"),
    _write("library/protocols/ignored.md", "## Ignored\n"),
    _write(".gitignore", "library/protocols/ignored.md\noutput/\n"),
    _write(".gitattributes", "*.md text eol=crlf\n"),
    _write("output/other/toolkit.json", "{}"),
    _write("output/other/00_PERSONA.md", "## Mine\n"),
    _write(".git/gitforge/drafts/odd.json", "{}"),
    _toggle("MERGE_HEAD"), _toggle("BISECT_LOG"), _toggle("shallow"),
    _goal_less, _link, _link_target, _move,
    _run("add", "--all"), _run("commit", "-qm", "As it is"), _run("commit", "-qam", "Changes"),
    _run("commit", "--allow-empty", "-qm", "Nothing"), _run("reset", "-q", "--hard", "start"),
    _run("reset", "-q", "--hard", "HEAD~1"), _run("reset", "-q"), _run("stash"), _run("clean", "-qfd", "library"),
    _run("rm", "-q", "--cached", PERSONA), _run("update-index", "--assume-unchanged", CONSTRAINT),
    _run("checkout", "-q", "--", "."), _run("checkout", "-q", "-B", "side"), _run("pack-refs", "--all"),
    _run("config", "gitforge.provider", "nobody"), _run("config", "--unset", "gitforge.provider"),
    _run("config", "core.autocrlf", "true"), _run("config", "--unset", "core.autocrlf"),
    _run("merge", "--abort"), _run("replace", "--force", "HEAD", "start"), _run("replace", "--delete", "HEAD"),
    _environment("OPENAI_BASE_URL", "ftp://nowhere"), _environment("GITFORGE_PROVIDER", "offline"),
    lambda root: shutil.rmtree(root / "output/other", ignore_errors=True),
    lambda root: (root / ".git/gitforge/drafts/odd.json").unlink(missing_ok=True),
    lambda root: (root / "library/personas/unused_link.md").unlink(missing_ok=True),
)  # fmt: skip


@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 40))]
)
def test_whatever_happened_it_says_what_it_says_when_nothing_is_kept(
    toolkit: Path, say: Say, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    for name in ("OPENAI_BASE_URL", "GITFORGE_PROVIDER"):
        monkeypatch.delenv(name, raising=False)  # and so put back in the end
    choice, again = random.Random(seed), 0
    for number in range(25):
        step = choice.choice(STEPS)
        try:
            step(toolkit)
        except FileNotFoundError:  # gone already
            continue
        options = choice.choice([(), ("--json",)])
        with_kept = say(toolkit, *options, quick=True)
        kept(toolkit).unlink(missing_ok=True)
        settle()
        without = say(toolkit, *options)
        assert with_kept == without, f"step {number}: {step}"
        again += kept(toolkit).exists()
        assert say(toolkit, *options, quick=True) == without, f"again after step {number}"
    assert again


@pytest.mark.parametrize("step", STEPS, ids=[f"step-{number}" for number in range(len(STEPS))])
def test_each_thing_that_can_happen_is_noticed(
    toolkit: Path, say: Say, step: Callable[[Path], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_BASE_URL", "GITFORGE_PROVIDER"):
        monkeypatch.delenv(name, raising=False)
    try:
        step(toolkit)
    except FileNotFoundError:
        pytest.skip("nothing to do it to")
    with_kept = say(toolkit, "--json", quick=True)
    kept(toolkit).unlink(missing_ok=True)
    assert with_kept == say(toolkit, "--json")


# What is kept


def test_it_is_said_again_without_a_look_at_the_history_or_goals_yaml(toolkit: Path, tmp_path: Path) -> None:
    traced = gitforge("status", cwd=toolkit, GIT_TRACE=str(tmp_path / "trace"))
    assert traced.code == 0  # with another environment: found anew, and kept
    (tmp_path / "trace").unlink()
    again = gitforge("status", cwd=toolkit, GIT_TRACE=str(tmp_path / "trace"))
    assert again == traced
    commands = [line for line in (tmp_path / "trace").read_text().splitlines() if "built-in: git" in line]
    assert sorted(line.partition("git ")[2].split()[0] for line in commands) == ["config", "status"]


@pytest.mark.parametrize("state", ["clean", "edited", "new", "deleted", "staged", "by hand"])
def test_it_is_said_again_also_where_something_needs_attention(
    toolkit: Path, git: Git, say: Say, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    if state in {"edited", "staged"}:
        _edit(toolkit, PERSONA)
    if state == "staged":
        git("add", "--all", cwd=toolkit)
    if state == "new":
        (toolkit / "library/personas/new.md").write_text("## New\n")
    if state == "deleted":
        (toolkit / PROTOCOL).unlink()
    if state == "by hand":
        _edit(toolkit, OUTPUT)
    settle()
    first = say(toolkit)
    assert is_answered(toolkit, monkeypatch)
    assert say(toolkit, quick=True) == first


def test_what_was_written_just_now_is_not_relied_on(
    toolkit: Path, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = time.time() + 60
    os.utime(toolkit / "goals.yaml", (later, later))  # as on a file system whose clock is ahead
    say(toolkit)
    assert not is_answered(toolkit, monkeypatch)


def garbled(content: bytes, how: str) -> bytes:
    """What may be found in the file's place."""
    head, _, rest = content.partition(b"\n")
    forged = b"0 0\n" if how == "empty parts" else b"5 9 999999999\nno parts"
    return {
        "empty": b"",
        "torn": content[:-9],
        "cut": content[:20],
        "one bit": rest and head + b"\n" + rest[:-5] + bytes([rest[-5] ^ 1]) + rest[-4:],
        "random": random.Random(1).randbytes(1000),
        "newer": content.replace(b"gitforge answer 1", b"gitforge answer 2", 1),
    }.get(how) or b"gitforge answer 1 %08x\n" % zlib.crc32(forged) + forged


@pytest.mark.parametrize(
    "how", ["empty", "torn", "cut", "one bit", "random", "newer", "empty parts", "wrong parts"]
)
def test_a_file_that_is_no_answer_is_ignored_and_made_anew(
    toolkit: Path, say: Say, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    before = say(toolkit)
    kept(toolkit).write_bytes(b"" if how == "empty" else garbled(kept(toolkit).read_bytes(), how))
    assert not is_answered(toolkit, monkeypatch)
    assert say(toolkit, quick=True) == before
    assert is_answered(toolkit, monkeypatch)


def test_another_version_of_gitforge_answers_anew(toolkit: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gitforge.__version__", "99.0")
    assert not is_answered(toolkit, monkeypatch)


def test_where_names_are_read_in_another_encoding_it_answers_anew(starter: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(starter, tmp_path / "caf\u00e9"))
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    subprocess.run(["git", "status"], cwd=root, check=True, capture_output=True)
    settle()
    said = run(*COMMAND, "status", "--json", cwd=root, **locale)
    assert kept(root).exists()
    assert run(*COMMAND, "status", "--json", cwd=root, PYTHONUTF8="1").json["workspace"] == str(root)
    kept(root).unlink()
    assert run(*COMMAND, "status", "--json", cwd=root, **locale) == said


def test_a_gitforge_that_was_installed_again_answers_anew(
    toolkit: Path, say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "__init__.py"
    program.write_text("")
    monkeypatch.setattr("gitforge.__file__", str(program))
    say(toolkit)
    assert is_answered(toolkit, monkeypatch)
    program.unlink()
    program.write_text("")
    assert not is_answered(toolkit, monkeypatch)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_file_of_somebody_elses_is_not_believed(toolkit: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.chown(kept(toolkit), 12345, 12345)
    assert not is_answered(toolkit, monkeypatch)


def test_a_git_directory_that_cannot_be_written_to_is_no_problem(toolkit: Path, say: Say) -> None:
    before = say(toolkit)
    for name in ("status", "origins", "renames"):
        (toolkit / ".git/gitforge" / name).unlink(missing_ok=True)
    with mounted(toolkit / ".git", "--bind", str(toolkit / ".git")):
        subprocess.run(["mount", "-o", "remount,bind,ro", str(toolkit / ".git")], check=True)
        assert say(toolkit, quick=True) == before
        assert not kept(toolkit).exists()


def test_several_at_once_say_the_same_and_leave_a_whole_answer(
    toolkit: Path, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept(toolkit).unlink()
    running = [
        subprocess.Popen([*COMMAND, "status"], cwd=toolkit, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for _ in range(4)
    ]
    said = {one.communicate()[0] for one in running}
    assert said == {say(toolkit)[1].encode()}
    assert is_answered(toolkit, monkeypatch)
    assert [path.name for path in kept(toolkit).parent.glob("status*")] == ["status"]


DEAF = "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execvp(sys.argv[1], sys.argv[1:])"


def test_it_is_said_also_where_nobody_hears_how_git_ended(toolkit: Path, tmp_path: Path) -> None:
    deaf = [sys.executable, "-c", DEAF, *COMMAND]
    before = gitforge("status", cwd=toolkit)
    assert kept(toolkit).exists()
    assert run(*deaf, "status", cwd=toolkit) == before
    shutil.copy(toolkit / "goals.yaml", tmp_path)  # where there is no repository
    assert "no git repository" in run(*deaf, "status", cwd=tmp_path).err


def test_no_key_is_kept(toolkit: Path, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-hunter2hunter2")
    say(toolkit)
    assert is_answered(toolkit, monkeypatch)
    assert holds(toolkit / ".git", "hunter2") == []
    assert kept(toolkit).stat().st_mode & 0o077 == 0
    monkeypatch.setenv("OPENAI_API_KEY", "sk-hunter2hunter3")
    assert not is_answered(toolkit, monkeypatch)


def test_what_a_link_leads_to_is_not_left_out(toolkit: Path, say: Say) -> None:
    _link(toolkit)
    settle()
    assert say(toolkit)[0] == 0  # it leads nowhere
    _link_target(toolkit)
    assert say(toolkit, quick=True)[0] == 1


def test_nothing_is_kept_where_recovery_has_something_to_look_at(
    toolkit: Path, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    (toolkit / ".git/gitforge/journal.json").write_text("{}")
    assert not is_answered(toolkit, monkeypatch)
    said = say(toolkit, quick=True)
    assert "set aside" in said[2]
    assert "set aside" not in say(toolkit, quick=True)[2]


def test_a_pipe_in_a_files_place_keeps_nobody_waiting(toolkit: Path, say: Say) -> None:
    new = toolkit / "library/personas/new.md"
    new.write_text("## New\n")
    settle()
    assert "library/personas/new.md" in say(toolkit)[1]
    new.unlink()
    os.mkfifo(new)
    assert say(toolkit, quick=True)[0] == 0


def test_each_linked_worktree_has_an_answer_of_its_own(
    toolkit: Path, git: Git, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = toolkit.parent / "linked"
    git("worktree", "add", "-q", "-b", "elsewhere", str(other), cwd=toolkit)
    (other / PROTOCOL).unlink()
    settle()
    there = say(other)
    assert PROTOCOL in there[1]
    assert is_answered(other, monkeypatch)
    assert say(other, quick=True) == there
    assert PROTOCOL not in say(toolkit, quick=True)[1]


def test_a_workspace_below_the_top_of_its_repository_is_answered_from_any_of_its_folders(
    toolkit: Path, git: Git, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    (toolkit / "below").mkdir()
    git("mv", "goals.yaml", "library", "below", cwd=toolkit)
    git("commit", "-qm", "Move it", cwd=toolkit)
    settle()
    first = say(toolkit / "below")
    assert is_answered(toolkit / "below/library/personas", monkeypatch)
    _edit(toolkit, f"below/{PERSONA}")
    assert say(toolkit / "below", quick=True) != first


def test_where_other_libraries_are_used_it_is_noticed_that_one_comes_or_goes(
    tmp_path: Path, git: Git, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = make_two(tmp_path, git)
    settle()
    here = say(two.ours)
    assert is_answered(two.ours, monkeypatch)
    git("update-ref", "-d", "refs/gitforge/libraries/acme", cwd=two.ours)
    git("prune", "--expire=now", cwd=two.ours)
    gone = say(two.ours, quick=True)
    assert "not fetched" in gone[1]
    assert is_answered(two.ours, monkeypatch)
    two.fetch()
    assert say(two.ours, quick=True) == here


@pytest.mark.parametrize("is_built", [False, True])
def test_a_library_that_was_not_whole_is_looked_at_again(
    tmp_path: Path, git: Git, say: Say, *, is_built: bool
) -> None:
    two = make_two(tmp_path, git)
    if is_built:  # a goal of the library alone, none of ours
        assert gitforge("build", "theirs", "--goal", "acme:AUDIT", "--yes", cwd=two.ours).code == 0
        goals = two.ours / "goals.yaml"
        goals.write_text(f"{goals.read_text().partition('goals:')[0]}goals: {{}}\n")
    whole = say(two.ours)
    tree = git("rev-parse", f"{two.pin}^{{tree}}", cwd=two.ours)
    (loose,) = two.ours.glob(f".git/objects/{tree[:2]}/{tree[2:]}")
    loose.rename(tmp_path / "lost")
    (two.ours / ".git/gitforge/status").unlink(missing_ok=True)
    settle()
    assert ("nobody can tell" if is_built else "unusable") in say(two.ours)[1]
    (tmp_path / "lost").rename(loose)
    assert say(two.ours, quick=True) == whole


def test_a_pin_that_a_power_cut_has_torn_does_not_stop_it(tmp_path: Path, git: Git, say: Say) -> None:
    two = make_two(tmp_path, git)
    (loose,) = two.ours.glob(f".git/objects/{two.pin[:2]}/{two.pin[2:]}")
    loose.chmod(0o600)
    loose.write_bytes(b"")
    settle()
    for _ in range(2):
        code, out, _ = say(two.ours, quick=True)
        assert code == 0
        assert "not fetched  acme" in out


# How it is said


def test_a_terminal_shows_it_again_as_it_did(toolkit: Path) -> None:
    screens = []
    for _ in range(2):
        with Terminal("status", cwd=toolkit) as terminal:
            assert terminal.ended() == 0
            screens.append(terminal.screen)
    assert screens[0] == screens[1]
    assert "ready" in screens[0]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_and_a_reader_that_left_are_told_as_ever(toolkit: Path) -> None:
    command = " ".join((*COMMAND, "status"))
    full = run("sh", "-c", f"{command} > /dev/full", cwd=toolkit)
    assert (full.code, full.err) == (1, "error: No space left on device\n")
    left = run("bash", "-c", f"set -o pipefail; {command} --json | true", cwd=toolkit)
    assert (left.code, left.err) == (0, "")
