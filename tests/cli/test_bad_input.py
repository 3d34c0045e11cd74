"""Bad input from outside: a clear message, the right exit code, nothing half-written, never a traceback."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from making import fill, mounted, small_disk
from program import COMMAND, DESCRIBE, GOAL, PERSONA, PROTOCOL, Done, gitforge, run

Git = Callable[..., str]
State = Callable[[], tuple[object, ...]]

DONE, FIXABLE, USAGE, PROBLEMS, CONFLICT = 0, 1, 2, 3, 4
BUILD = ("build", "outage", "--goal", GOAL)
COMMANDS: Sequence[Sequence[str]] = (
    BUILD,
    ("build",),
    ("generate", "--all"),
    (
        "goal",
        "add",
        "G",
        "--category",
        "C",
        "--description",
        "d",
        "--use",
        "persona=p",
        "--use",
        "protocol=x",
    ),
    ("list",),
    ("list", "--components"),
    ("show", GOAL),
    ("status",),
)
BOMB = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)


@pytest.fixture
def state(workspace: Path, git: Git) -> State:
    """`state()`: every file and folder of the workspace, what git says of it, HEAD, and git's lock files."""

    def looked() -> tuple[object, ...]:
        entries = {
            path.relative_to(workspace).as_posix(): look(path)
            for path in sorted(workspace.rglob("*"))
            if ".git" not in path.relative_to(workspace).parts
        }
        locks = [path.name for path in (workspace / ".git").rglob("*.lock") if path.name != "commit.lock"]
        status = git("--no-optional-locks", "status", "--porcelain", "-z", "--ignored", cwd=workspace)
        return entries, status, git("rev-parse", "HEAD", cwd=workspace), locks

    return looked


def look(path: Path) -> object:
    if path.is_symlink():
        return path.readlink()
    return path.read_bytes() if path.is_file() else "folder"


def assert_told(done: Done, code: int, *words: str) -> None:
    assert "Traceback" not in done.told
    assert done.code == code, done.told
    assert "\nerror: " in f"\n{done.err}" or code in {DONE, PROBLEMS}, done.err
    for word in words:
        assert word in done.told


def commit_all(git: Git, root: Path) -> None:
    git("add", "-A", cwd=root)
    git("commit", "-qm", "bad input", cwd=root)


# --- goals.yaml -------------------------------------------------------------------------------------------

BAD_GOALS: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "goals.yaml: is empty"),
    "not yaml": ("goals: [\n  a\n", "goals.yaml:3: is not YAML"),
    "a list": ("- a\n- b\n", "goals.yaml: the file must be a mapping, but is a list"),
    "a bomb": (BOMB, "goals.yaml:7: grows beyond all bounds"),
    "deep": ("[" * 10_000, "goals.yaml:1: is nested more than"),
    "tabs": ("goals:\n\tC:\n", "goals.yaml:2: is not YAML"),
    "twice": ("goals:\n  C: {}\n  C: {}\n", "goals.yaml:3: duplicate key 'C': it already stands in line 2"),
    "no persona": ("goals:\n  C:\n    G: {protocol: x.md}\n", "goals.yaml:3: the goal 'G' has no persona"),
    "control": ("goals:\n  C: \x1b[31m\n", "goals.yaml:2: is not YAML"),
    "latin-1": (b"goals:\n  C\xe9: {}\n", "goals.yaml:2: is not UTF-8 text"),
    "a number as a name": ("goals:\n  '1': 5\n", "goals.yaml:2: 'goals.1' must be a mapping"),
    "an empty name": ("goals:\n  C:\n    '': 5\n", "goals.yaml:3: an empty name"),
}


@pytest.mark.parametrize("what", BAD_GOALS)
def test_a_goals_yaml_that_will_not_do_is_told_with_its_line(
    what: str, workspace: Path, state: State
) -> None:
    content, words = BAD_GOALS[what]
    (workspace / "goals.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
    before = state()
    assert_told(gitforge(*BUILD, cwd=workspace), FIXABLE, words)
    assert_told(gitforge("check", cwd=workspace), PROBLEMS, words.split(": ", 1)[1])
    assert state() == before


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_tells_what_is_wrong_in_goals_yaml(
    command: Sequence[str], workspace: Path, state: State
) -> None:
    (workspace / "goals.yaml").write_text(
        "goals:\n  C:\n    G: {persona: ../../etc/passwd, protocol: x.md}\n"
    )
    before = state()
    assert_told(
        gitforge(*command, cwd=workspace), FIXABLE, "goals.yaml:3: the component name '../../etc/passwd'"
    )
    assert state() == before


def test_a_goals_yaml_of_50_mb_is_refused(workspace: Path) -> None:
    with (workspace / "goals.yaml").open("r+b") as file:
        file.truncate(50 * 1024 * 1024)
    assert_told(gitforge(*BUILD, cwd=workspace), FIXABLE, "goals.yaml: is larger than 4096 KiB")


def test_a_goals_yaml_that_is_a_folder_is_refused(workspace: Path, state: State) -> None:
    (workspace / "goals.yaml").unlink()
    (workspace / "goals.yaml").mkdir()
    before = state()
    assert_told(gitforge(*BUILD, cwd=workspace), FIXABLE, "goals.yaml: is not a file")
    assert state() == before


# --- names ------------------------------------------------------------------------------------------------

BAD_NAMES = {
    "climbs": "../../etc/passwd",
    "climbs.md": "../../etc/passwd.md",
    "option": "-rf",
    "option.md": "-rf.md",
    "folder": "a/b.md",
    "git": ".git/config",
    "git.md": ".git/config.md",
    "newline": "a\nb.md",
    "escape": "\x1b[31mred.md",
    "300": "x" * 300 + ".md",
}


@pytest.mark.parametrize("what", BAD_NAMES)
def test_a_component_name_that_is_no_file_name_is_refused_wherever_it_comes_from(
    what: str, workspace: Path, state: State
) -> None:
    name = BAD_NAMES[what]
    before = state()
    done = gitforge("generate", "--yes", "--describe", f"{name}=x", "--", name, cwd=workspace)
    assert_told(done, FIXABLE, "no component is called")
    assert_told(gitforge("generate", "--yes", "--", f"personas/{name}", cwd=workspace), FIXABLE)
    assert_told(gitforge("show", "--", name, cwd=workspace), FIXABLE, "no goal and no component is called")
    add = ("goal", "add", "NEW", "--category", "C", "--description", "d", "--yes", "--use", "protocol=x")
    assert_told(gitforge(*add, "--use", f"persona={name}", cwd=workspace), FIXABLE, "the component name")
    assert state() == before
    quoted = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\x1b", "\\e")
    text = f'goals:\n  C:\n    G:\n      persona: "{quoted}"\n      protocol: x.md\n'
    (workspace / "goals.yaml").write_text(text)
    before = state()
    done = gitforge("build", "p", "--goal", "G", cwd=workspace)
    assert_told(done, FIXABLE, "goals.yaml:4: the component name")
    assert "\x1b" not in done.told
    assert state() == before


@pytest.mark.parametrize(
    "project", ["../x", "a/b", "/tmp/x", ".git", "-rf", "", " ", "a\nb", "x" * 300, "con", "a:b", "\x1b[2J"]
)
def test_a_project_name_that_is_no_file_name_is_refused(project: str, workspace: Path, state: State) -> None:
    before = state()
    done = gitforge("build", "--goal", GOAL, "--", project, cwd=workspace)
    assert_told(done, FIXABLE, "the project name")
    assert state() == before


def test_an_unknown_goal_or_component_is_told_with_the_nearest_one(workspace: Path, state: State) -> None:
    before = state()
    assert_told(
        gitforge("build", "p", "--goal", "DIAGNOSE_ROOT_CUASE", cwd=workspace), FIXABLE,
        "goals.yaml has no goal 'DIAGNOSE_ROOT_CUASE'", "Did you mean 'DIAGNOSE_ROOT_CAUSE'?",
    )  # fmt: skip
    assert_told(
        gitforge("generate", "--goal", "zebra", cwd=workspace), FIXABLE, "no goal 'zebra'", "gitforge list"
    )
    assert_told(
        gitforge("generate", "digital_detectiv.md", cwd=workspace), FIXABLE,
        "no component is called 'digital_detectiv.md'", "digital_detective.md",
    )  # fmt: skip
    assert_told(gitforge("show", "nothing_like_it.md", cwd=workspace), FIXABLE, "no goal and no component")
    assert state() == before


def test_a_description_of_nothing_is_refused(incomplete: Path, state: State) -> None:
    before = state()
    for option, words in (("x.md", "has no '='"), ("x.md=x", "no component is called 'x.md'")):
        assert_told(gitforge(*BUILD, "--yes", "--describe", option, cwd=incomplete), FIXABLE, words)
    assert state() == before


@pytest.mark.parametrize(
    ("category", "name"),
    [("C", "a\nb"), ("", "G"), ("C", ""), (" C", "G"), ("C", "x" * 200), ("C\u202e", "G"), ("C", GOAL)],
)
def test_a_goal_that_cannot_be_named_so_is_refused(
    category: str, name: str, workspace: Path, state: State
) -> None:
    before = state()
    uses = ("--use", "persona=digital_detective", "--use", "protocol=code_review_pass", "--yes")
    done = gitforge(
        "goal", "add", "--category", category, "--description", "d", *uses, "--", name, cwd=workspace
    )
    assert_told(done, CONFLICT if name == GOAL else FIXABLE)
    assert state() == before


# --- what is on the disk ----------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["library", "library/protocols", PROTOCOL])
def test_a_library_that_leads_out_of_the_workspace_is_refused(
    part: str, workspace: Path, tmp_path: Path, state: State
) -> None:
    (workspace / part).rename(tmp_path / "outside")
    (workspace / part).symlink_to(tmp_path / "outside")
    before, outside = state(), sorted((tmp_path / "outside").rglob("*"))
    words = "is a symbolic link that leads out of the workspace"
    for command in (BUILD, ("generate", "--all", "--yes"), ("status",), ("list", "--components")):
        done = gitforge(*command, cwd=workspace)
        if part == PROTOCOL and command[0] == "list":
            assert_told(done, DONE, words)
        else:
            assert_told(done, FIXABLE, words)
    assert_told(gitforge("check", cwd=workspace), PROBLEMS, words)
    assert state() == before
    assert sorted((tmp_path / "outside").rglob("*")) == outside


def test_a_component_is_never_generated_through_a_link_out_of_the_workspace(
    incomplete: Path, tmp_path: Path, state: State
) -> None:
    (incomplete / PROTOCOL).symlink_to(tmp_path / "target.md")
    before = state()
    done = gitforge(*BUILD, *DESCRIBE, "--yes", cwd=incomplete)
    assert_told(done, FIXABLE, "is a symbolic link that leads out")
    assert not (tmp_path / "target.md").exists()
    assert state() == before


def test_an_output_that_is_a_file_or_leads_out_is_refused(
    workspace: Path, tmp_path: Path, state: State
) -> None:
    shutil.rmtree(workspace / "output", ignore_errors=True)
    (workspace / "output").write_text("a file")
    before = state()
    assert_told(gitforge(*BUILD, cwd=workspace), FIXABLE, "output: is a file, but has to be a folder")
    assert state() == before
    (workspace / "output").unlink()
    (tmp_path / "outside").mkdir()
    (workspace / "output").symlink_to(tmp_path / "outside")
    assert_told(gitforge(*BUILD, cwd=workspace), FIXABLE, "output/outage: is a symbolic link that leads out")
    assert list((tmp_path / "outside").iterdir()) == []


def test_what_is_bad_in_the_library_is_told_by_file_and_line(workspace: Path, state: State) -> None:
    for content, words in (
        (b"one\n\xff\n", f"{PERSONA}:2: is not UTF-8 text"),
        (b"x" * 300_000, f"{PERSONA}: is larger than 256 KiB"),
    ):
        (workspace / PERSONA).write_bytes(content)
        before = state()
        assert_told(gitforge(*BUILD, cwd=workspace), FIXABLE, words)
        assert state() == before
    shutil.copy(workspace / "library/personas/line_editor.md", workspace / PERSONA)
    (workspace / "library/templates/persona.md").write_text("ok\n{{ persona.txet }}\n")
    before = state()
    assert_told(gitforge(*BUILD, cwd=workspace), FIXABLE, "library/templates/persona.md:2: fails: ")
    assert state() == before


def test_a_manifest_of_nonsense_stops_nothing(workspace: Path) -> None:
    folder = workspace / "output/outage"
    folder.mkdir(parents=True)
    for text in ("[" * 200_000, '{"outputs": {"\\u0000": {"sha256": "x"}, "../x": {"sha256": "y"}}}'):
        (folder / "toolkit.json").write_text(text)
        assert_told(gitforge("status", cwd=workspace), DONE)
        assert_told(gitforge(*BUILD, cwd=workspace), DONE)


@pytest.mark.parametrize("is_rebuild", [False, True])
def test_a_full_disk_under_output_leaves_the_old_toolkit_or_none(
    is_rebuild: bool, workspace: Path, state: State
) -> None:
    output = workspace / "output"
    output.mkdir(exist_ok=True)
    with small_disk(output):
        if is_rebuild:
            assert gitforge("build", "outage", "--goal", "REPRODUCE_BUG", cwd=workspace).code == DONE
        fill(output)
        before = state()
        done = gitforge(*BUILD, cwd=workspace)
        assert_told(done, FIXABLE, "output/outage: cannot be written: No space left on device")
        assert state() == before


def test_a_full_disk_under_the_whole_workspace_records_nothing(
    incomplete: Path, state: State, git: Git
) -> None:
    with small_disk(incomplete, "2m"):
        fill(incomplete)
        before = state()
        done = gitforge(*BUILD, *DESCRIBE, "--yes", cwd=incomplete)
        assert_told(done, FIXABLE, "No space left on device")
        assert "nothing was recorded" in done.err or "git" in done.err
        assert state() == before
        (incomplete / "filler").unlink()
        assert_told(gitforge(*BUILD, *DESCRIBE, "--yes", cwd=incomplete), DONE)
        git("fsck", "--strict", cwd=incomplete)


def test_a_full_disk_under_a_new_workspace_is_told(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    with small_disk(tmp_path / "disk"):
        done = gitforge("init", "disk/new", cwd=tmp_path)
        assert_told(done, FIXABLE, "No space left on device")
        assert not (tmp_path / "disk/new/goals.yaml").exists()


def test_a_read_only_workspace_is_told_and_can_still_be_looked_at(incomplete: Path, state: State) -> None:
    before = state()
    with mounted(incomplete, "--bind", str(incomplete)):
        subprocess.run(["mount", "-o", "remount,bind,ro", str(incomplete)], check=True)
        done = gitforge(*BUILD, *DESCRIBE, "--yes", cwd=incomplete)
        assert_told(done, FIXABLE, "Read-only file system")
        done = gitforge("build", "outage", "--goal", "REPRODUCE_BUG", cwd=incomplete)
        assert_told(done, FIXABLE, "output/outage: cannot be written: Read-only file system")
        for command in (("list",), ("status",), ("show", GOAL)):
            assert_told(gitforge(*command, cwd=incomplete), DONE)
        assert_told(gitforge("check", cwd=incomplete), PROBLEMS, PROTOCOL)
    assert state() == before


# --- git --------------------------------------------------------------------------------------------------


def test_outside_a_workspace_every_command_says_how_to_make_one(tmp_path: Path) -> None:
    for command in (*COMMANDS, ("check",)):
        done = gitforge(*command, cwd=tmp_path)
        assert_told(done, FIXABLE, "is not in a gitforge workspace", "gitforge init")
    assert_told(gitforge("-C", "nowhere", "list", cwd=tmp_path), FIXABLE, "nowhere: there is no such folder")
    assert list(tmp_path.iterdir()) == []


def test_a_workspace_without_a_repository_is_told(workspace: Path) -> None:
    shutil.rmtree(workspace / ".git")
    before = {path: look(path) for path in workspace.rglob("*")}
    for command in (BUILD, ("generate", "--all"), ("status",), ("show", GOAL)):
        assert_told(gitforge(*command, cwd=workspace), FIXABLE, "no git repository", "gitforge init")
    for command in (("list",), ("check",)):
        assert_told(gitforge(*command, cwd=workspace), DONE)
    assert {path: look(path) for path in workspace.rglob("*")} == before


def test_a_bare_repository_is_told_and_not_made_a_workspace(
    workspace: Path, tmp_path: Path, git: Git
) -> None:
    git("clone", "-q", "--bare", str(workspace), "bare.git", cwd=tmp_path)
    bare = tmp_path / "bare.git"
    before = {path: look(path) for path in bare.rglob("*")}
    assert_told(gitforge("init", cwd=bare), FIXABLE, "is bare")
    assert_told(gitforge("init", "sub", cwd=bare), FIXABLE, "is bare")
    assert {path: look(path) for path in bare.rglob("*")} == before
    shutil.copy(workspace / "goals.yaml", bare)
    shutil.copytree(workspace / "library", bare / "library")
    assert_told(gitforge(*BUILD, cwd=bare), FIXABLE, "is bare")
    assert not (bare / "output").exists()


@pytest.mark.parametrize(
    "command", [BUILD, ("generate", "--all"), ("status",), ("init", "../new")], ids=" ".join
)
def test_without_git_it_is_said_where_to_get_it(
    command: Sequence[str], workspace: Path, state: State
) -> None:
    before = state()
    (workspace.parent / "empty").mkdir()
    done = gitforge(*command, cwd=workspace, PATH=str(workspace.parent / "empty"))
    assert_told(done, FIXABLE, "git is not installed, or not on the PATH", "https://git-scm.com/downloads")
    assert state() == before


@pytest.mark.parametrize("command", [BUILD, ("status",), ("init", "../new")], ids=" ".join)
@pytest.mark.parametrize("version", ["git version 2.20.1", "git version 1.8.3.1", "nonsense"])
def test_a_git_that_is_too_old_is_told(
    command: Sequence[str], version: str, workspace: Path, state: State
) -> None:
    before = state()
    fake = workspace.parent / "bin/git"
    fake.parent.mkdir()
    fake.write_text(f"#!/bin/sh\necho '{version}'\n")
    fake.chmod(0o755)
    done = gitforge(*command, cwd=workspace, PATH=f"{fake.parent}:{os.environ['PATH']}")
    assert_told(
        done,
        FIXABLE,
        f"git {version.removeprefix('git version ')} is too old",
        "https://git-scm.com/downloads",
    )
    assert state() == before


# --- nobody there -----------------------------------------------------------------------------------------


def shell(line: str, cwd: Path) -> Done:
    """Runs gitforge in a shell, with what a script may do to its streams."""
    return run("sh", "-c", f'exec "$@" {line}', "sh", *COMMAND[:1], "-m", "gitforge", cwd=cwd)


@pytest.mark.parametrize("stdin", ["<&-", "</dev/null", "</dev/zero"])
def test_nothing_waits_for_an_answer_that_cannot_come(stdin: str, incomplete: Path, state: State) -> None:
    before = state()
    for arguments, words in (
        ("build", "no project was named"),
        ("build outage", "no goal was named"),
        (f"build outage --goal {GOAL}", "--yes"),
        (f"build outage --goal {GOAL} --yes", "--describe"),
        ("generate --all", "--yes"),
        ("generate", "say what to generate"),
        ("goal add", "no goal was named"),
    ):
        assert_told(shell(f"{arguments} {stdin}", incomplete), USAGE, words)
    assert state() == before
    describe = f"--describe {DESCRIBE[1].partition('=')[0]}=x"
    assert_told(shell(f"build outage --goal {GOAL} --yes {describe} {stdin}", incomplete), DONE)


@pytest.mark.parametrize("streams", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_reason_to_fail(streams: str, workspace: Path) -> None:
    for arguments in (f"build outage --goal {GOAL}", "list", "check", "status --json"):
        done = shell(f"{arguments} {streams}", workspace)
        assert_told(done, DONE)
    assert (workspace / "output/outage/toolkit.json").is_file()


def test_components_and_all_of_them_at_once_are_told_as_too_much(workspace: Path) -> None:
    for more in (["--all"], ["--goal", GOAL]):
        done = gitforge("generate", "x.md", *more, cwd=workspace)
        assert_told(done, USAGE, "components, --goal and --all: one at a time", "Leave the others.")


@pytest.mark.parametrize("arguments", ["--version", "list", "list --components --json", f"show {GOAL}"])
def test_a_result_for_which_there_is_no_room_is_told(arguments: str, workspace: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    assert_told(shell(f"{arguments} > /dev/full", workspace), FIXABLE, "No space left on device")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--no-such-option"],
        ["no-such-command"],
        ["build", "a", "b", "c"],
        ["generate", "--all", "x.md"],
        ["show"],
    ],
)
def test_wrong_usage_is_told_as_such(arguments: list[str], workspace: Path, state: State) -> None:
    before = state()
    done = gitforge(*arguments, cwd=workspace)
    assert done.code == USAGE
    said, hint = done.err.splitlines()
    assert re.match(r"error: [a-z]", said), said
    assert not said.endswith(".")
    assert hint.startswith("hint: ")
    assert "Traceback" not in done.told
    assert state() == before
