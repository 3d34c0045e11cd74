"""`gitforge build` on a toolkit that was polished by hand while its components moved on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from program import CONSTRAINT, GOAL, PERSONA, PROTOCOL, build, files, gitforge
from terminal import CTRL_C, CTRL_D, Terminal

Git = Callable[..., str]
PROMPT = "output/outage/01_PROMPT_TEMPLATE.md"
BUILD = ("build", "outage", "--goal", GOAL)
STEPS = "## Drill\n\n1. First.\n2. Second.\n3. Third.\n4. Fourth.\n5. Fifth.\n6. Sixth.\n7. Seventh.\n"


@pytest.fixture
def polished(workspace: Path, git: Git) -> Path:
    """A toolkit whose second step was edited by hand."""
    (workspace / PROTOCOL).write_text(STEPS)
    git("commit", "-qam", "Write the steps", cwd=workspace)
    assert build(workspace).code == 0
    edit(workspace, "2. Second.", "2. Second, politely.")
    return workspace


def edit(root: Path, old: str, new: str, path: str = PROMPT) -> None:
    text = (root / path).read_bytes().decode()
    assert old in text
    (root / path).write_bytes(text.replace(old, new).encode())


def move_on(root: Path, git: Git, old: str, new: str) -> None:
    """Another version of the protocol, committed."""
    edit(root, old, new, PROTOCOL)
    git("commit", "-qam", f"Say {new}", cwd=root)


def test_edits_by_hand_stay_when_other_lines_move_on(polished: Path, git: Git) -> None:
    move_on(polished, git, "6. Sixth.", "6. Sixth, twice.")
    done = build(polished)
    assert done.code == 0, done.told
    assert f"merged: your edits in {PROMPT} are kept" in done.err
    text = (polished / PROMPT).read_text()
    assert "2. Second, politely.\n3. Third.\n" in text
    assert "6. Sixth, twice.\n" in text
    found = gitforge("status", "--json", cwd=polished).json["toolkits"]
    assert found[0]["edited"] == ["01_PROMPT_TEMPLATE.md"], "it still counts as edited"


def test_the_next_merge_has_what_was_assembled_last_as_its_base(polished: Path, git: Git) -> None:
    for number, (old, new) in enumerate(
        [("6. Sixth.", "6. Sixth, twice."), ("6. Sixth, twice.", "6. Sixth, thrice."), ("7. Seventh.\n", "")]
    ):
        move_on(polished, git, old, new)
        done = build(polished)
        assert done.code == 0, (number, done.told)
    text = (polished / PROMPT).read_text()
    assert "2. Second, politely." in text
    assert "6. Sixth, thrice." in text
    assert "7. Seventh." not in text
    before = files(polished / "output")
    assert "unchanged: " in build(polished).err
    assert files(polished / "output") == before


def test_the_base_is_made_from_git_though_it_was_never_committed(workspace: Path) -> None:
    (workspace / PROTOCOL).write_text(STEPS)
    assert build(workspace).code == 0
    edit(workspace, "2. Second.", "2. Second, politely.")
    (workspace / PROTOCOL).write_text(STEPS.replace("Sixth", "6th"))
    done = build(workspace)
    assert done.code == 0, done.told
    text = (workspace / PROMPT).read_text()
    assert "2. Second, politely." in text
    assert "6. 6th." in text


def test_a_clash_without_a_terminal_lists_each_place_and_changes_nothing(polished: Path, git: Git) -> None:
    edit(polished, "7. Seventh.", "7. Seventh, softly.")
    move_on(polished, git, "2. Second.", "2. Second, twice.")
    move_on(polished, git, "7. Seventh.\n", "")
    before = files(polished / "output")
    done = build(polished)
    assert done.code == 4
    lines = (polished / PROMPT).read_text().split("\n")
    for line, mine in ((lines.index("2. Second, politely."), "2. Second, politely."),
                       (lines.index("7. Seventh, softly."), "7. Seventh, softly.")):  # fmt: skip
        assert f"@@ {PROMPT}:{line + 1} @@\n-{mine}\n" in done.err
    assert "+2. Second, twice.\n" in done.err
    assert "--ours" in done.err
    assert "--theirs" in done.err
    assert files(polished / "output") == before
    assert [path.name for path in (polished / "output").iterdir()] == ["outage"]


@pytest.mark.parametrize(("option", "kept"), [("--ours", "politely"), ("--theirs", "twice")])
def test_an_option_decides_every_clash(polished: Path, git: Git, option: str, kept: str) -> None:
    edit(polished, "7. Seventh.", "7. Seventh, softly.")
    move_on(polished, git, "2. Second.", "2. Second, twice.")
    done = build(polished, option)
    assert done.code == 0, done.told
    text = (polished / PROMPT).read_text()
    assert f"2. Second, {kept}.\n" in text
    assert "7. Seventh, softly." in text, "what does not clash is kept"
    assert build(polished).code == 0, "what is decided stays decided"
    assert (polished / PROMPT).read_text() == text


def test_force_replaces_every_edit(polished: Path, git: Git) -> None:
    move_on(polished, git, "6. Sixth.", "6. Sixth, twice.")
    assert build(polished, "--force").code == 0
    assert "politely" not in (polished / PROMPT).read_text()


@pytest.mark.parametrize("options", [("--ours", "--theirs"), ("--ours", "--force"), ("--theirs", "-f")])
def test_only_one_of_the_deciding_options_can_hold(polished: Path, options: tuple[str, str]) -> None:
    assert build(polished, *options).code == 2


def test_a_file_edited_to_what_is_assembled_next_is_as_assembled(polished: Path, git: Git) -> None:
    move_on(polished, git, "2. Second.", "2. Second, politely.")
    assert build(polished).code == 0
    assert gitforge("status", "--json", cwd=polished).json["toolkits"][0]["edited"] == []


def test_a_file_deleted_by_hand_comes_back_and_it_is_said(polished: Path) -> None:
    (polished / PROMPT).unlink()
    done = build(polished)
    assert done.code == 0
    assert f"restored: {PROMPT}" in done.err
    assert "2. Second.\n" in (polished / PROMPT).read_text()


def test_bytes_that_are_no_text_survive_a_merge(polished: Path, git: Git) -> None:
    path = polished / PROMPT
    path.write_bytes(path.read_bytes().replace(b"politely", b"\xff\xfe\r"))
    move_on(polished, git, "6. Sixth.", "6. Sixth, twice.")
    assert build(polished).code == 0
    assert b"2. Second, \xff\xfe\r.\n" in path.read_bytes()
    assert b"6. Sixth, twice." in path.read_bytes()


def test_the_goal_of_a_toolkit_that_is_there_need_not_be_named_again(polished: Path) -> None:
    done = gitforge("build", "outage", cwd=polished)
    assert done.code == 0, done.told
    assert f"goal: {GOAL}, as before" in done.err


def test_a_toolkit_whose_goal_is_gone_says_so(polished: Path) -> None:
    goals = polished / "goals.yaml"
    goals.write_text(goals.read_text().replace(f"{GOAL}:", "ANOTHER_GOAL:", 1))
    done = gitforge("build", "outage", cwd=polished)
    assert done.code == 1
    assert f"output/outage/ is for {GOAL}" in done.err
    assert "--goal" in done.err


def test_a_clash_with_another_goal_says_that_it_is_another(polished: Path) -> None:
    done = gitforge("build", "outage", "--goal", "REPRODUCE_BUG", cwd=polished)
    assert done.code == 4
    assert f"the toolkit was for {GOAL}, and this build is for REPRODUCE_BUG" in " ".join(done.err.split())


def test_edits_that_gave_way_are_not_said_to_be_kept(polished: Path, git: Git) -> None:
    move_on(polished, git, "2. Second.", "2. Second, twice.")
    line = (polished / PROMPT).read_text().split("\n").index("2. Second, politely.") + 1
    done = build(polished, "--theirs")
    assert f"replaced: your edits at {PROMPT}:{line}\n-2. Second, politely.\n+2. Second, twice.\n" in done.err
    assert "are kept" not in done.err, "the file is as assembled"


def test_the_json_says_which_edits_are_kept_and_which_gave_way(polished: Path, git: Git) -> None:
    edit(polished, "7. Seventh.", "7. Seventh, softly.")
    move_on(polished, git, "2. Second.", "2. Second, twice.")
    line = (polished / PROMPT).read_text().split("\n").index("2. Second, politely.") + 1
    found = build(polished, "--theirs", "--json").json
    assert found["merged"] == ["01_PROMPT_TEMPLATE.md"]
    assert found["replaced"] == [{"file": PROMPT, "line": line}]
    found = build(polished, "--force", "--json").json
    assert (found["merged"], found["replaced"]) == ([], [{"file": PROMPT, "line": None}])


def test_the_json_has_every_clash_with_both_versions(polished: Path, git: Git) -> None:
    move_on(polished, git, "2. Second.", "2. Second, twice.")
    line = (polished / PROMPT).read_text().split("\n").index("2. Second, politely.") + 1
    both = {"file": PROMPT, "line": line, "ours": "2. Second, politely.\n", "theirs": "2. Second, twice.\n"}
    done = build(polished, "--json")
    assert done.code == 4
    assert done.json == {"clashes": [both]}
    done = gitforge("build", "--stale", "--json", cwd=polished)
    assert done.code == 4
    assert done.json["toolkits"][0]["clashes"] == [both]


def test_a_dry_run_foresees_merges_and_clashes(polished: Path, git: Git) -> None:
    move_on(polished, git, "6. Sixth.", "6. Sixth, twice.")
    before = files(polished)
    done = build(polished, "--dry-run")
    assert done.code == 0
    assert f"merged: your edits in {PROMPT} are kept" in done.err
    assert files(polished) == before
    move_on(polished, git, "2. Second.", "2. Second, twice.")
    before = files(polished)
    done = build(polished, "--dry-run")
    assert done.code == 4
    assert "+2. Second, twice." in done.err
    assert files(polished) == before


def test_line_endings_of_windows_are_no_edit_of_every_line(polished: Path, git: Git) -> None:
    path = polished / PROMPT
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    move_on(polished, git, "6. Sixth.", "6. Sixth, twice.")
    done = build(polished)
    assert done.code == 0, done.told
    text = path.read_bytes()
    assert b"2. Second, politely.\r\n" in text
    assert b"6. Sixth, twice.\r\n" in text
    assert text.count(b"\r\n") == text.count(b"\n")


# The base cannot be made again


def rewrite(root: Path, git: Git) -> None:
    """One commit instead of all, and nothing of the old ones is left."""
    git("checkout", "-q", "--orphan", "new", cwd=root)
    git("commit", "-qm", "Start again", cwd=root)
    git("branch", "-qD", "main", cwd=root)
    git("reflog", "expire", "--expire=now", "--all", cwd=root)
    git("gc", "-q", "--prune=now", cwd=root)


def test_where_history_was_rewritten_the_edit_is_not_overwritten_and_the_nearest_named(
    polished: Path, git: Git
) -> None:
    move_on(polished, git, "6. Sixth.", "6. Sixth, twice.")
    rewrite(polished, git)
    before = files(polished / "output")
    done = build(polished)
    assert done.code == 4
    assert f"the repository has not got {PROTOCOL} as it was used" in done.err
    assert (
        f"Start again), the newest one: `git show {git('rev-parse', 'HEAD', cwd=polished)[:12]}"
        in " ".join(done.err.split())
    )
    assert "--force" in done.err
    assert files(polished / "output") == before


def test_a_manifest_that_was_changed_is_never_silently_used(polished: Path, git: Git) -> None:
    path = polished / "output/outage/toolkit.json"
    data = json.loads(path.read_text())
    data["description"] = "Something else."
    path.write_text(json.dumps(data))
    move_on(polished, git, "6. Sixth.", "6. Sixth, twice.")
    done = build(polished)
    assert done.code == 4
    assert "gives another text than was assembled: 01_PROMPT_TEMPLATE.md" in done.err


def test_a_toolkit_of_a_newer_gitforge_is_left_to_it(polished: Path) -> None:
    path = polished / "output/outage/toolkit.json"
    path.write_text(path.read_text().replace('"format": 2', '"format": 3', 1))
    before = files(polished)
    done = build(polished)
    assert done.code == 1
    assert "format 3" in done.err
    assert "Update gitforge" in done.err
    assert files(polished) == before


# On a terminal


def test_each_clash_is_decided_on_a_terminal(polished: Path, git: Git) -> None:
    for old, new in (("4. Fourth.", "4. Fourth, softly."), ("6. Sixth.", "6. Sixth, softly.")):
        edit(polished, old, new)
    for number, word in ((2, "Second"), (4, "Fourth"), (6, "Sixth")):
        move_on(polished, git, f"{number}. {word}.", f"{number}. {word}, twice.")
    with Terminal(*BUILD, cwd=polished) as terminal:
        terminal.wait_for("Which lines?")
        assert f"{PROMPT}:" in terminal.told
        assert "Clash 1 of 3" in terminal.told
        for shown in ("2. Second, politely.", "2. Second, twice.", "2. Second."):
            assert shown in terminal.told
        terminal.enter("o")
        terminal.wait_for("Clash 2 of 3")
        terminal.enter("t")
        terminal.wait_for("Clash 3 of 3")
        terminal.enter("b")
        assert terminal.ended() == 0
    text = (polished / PROMPT).read_text()
    assert (
        "2. Second, politely.\n3. Third.\n4. Fourth, twice.\n5. Fifth.\n6. Sixth, softly.\n6. Sixth, twice.\n"
        in text
    )
    assert not any(text.count(mark) for mark in ("<<<<", "====", ">>>>"))


@pytest.mark.parametrize(("way", "code"), [("l\r", 4), (CTRL_D, 130), (CTRL_C, 130)])
def test_who_decides_nothing_has_changed_nothing(polished: Path, git: Git, way: str, code: int) -> None:
    move_on(polished, git, "2. Second.", "2. Second, twice.")
    before = files(polished / "output")
    with Terminal(*BUILD, cwd=polished) as terminal:
        terminal.wait_for("Which lines?")
        terminal.send(way)
        assert terminal.ended() == code
    assert files(polished / "output") == before


def test_both_versions_of_a_clash_can_be_taken_out(polished: Path, git: Git) -> None:
    move_on(polished, git, "2. Second.", "2. Second, twice.")
    with Terminal(*BUILD, cwd=polished) as terminal:
        terminal.wait_for("Which lines?")
        terminal.enter("n")
        assert terminal.ended() == 0
    assert "\n1. First.\n3. Third.\n" in (polished / PROMPT).read_text()


def test_a_clash_is_edited_in_the_users_editor(polished: Path, git: Git) -> None:
    move_on(polished, git, "2. Second.", "2. Second, twice.")
    editor = "printf '2. Second, politely and twice.\\n' >"
    with Terminal(*BUILD, cwd=polished, EDITOR=editor) as terminal:
        terminal.wait_for("Which lines?")
        terminal.enter("e")
        assert terminal.ended() == 0
    assert "\n2. Second, politely and twice.\n3. Third." in (polished / PROMPT).read_text()


@pytest.mark.parametrize(
    ("editor", "told"),
    [
        ("true", "Nothing was changed"),
        ("false", "The editor failed"),
        (": >", "The edited text is empty"),
        ("rm", "The editor has removed the file"),
    ],
)
def test_an_editor_that_gives_nothing_decides_nothing(
    polished: Path, git: Git, editor: str, told: str
) -> None:
    move_on(polished, git, "2. Second.", "2. Second, twice.")
    with Terminal(*BUILD, cwd=polished, EDITOR=editor) as terminal:
        terminal.wait_for("Which lines?")
        terminal.enter("e")
        terminal.wait_for(told)
        terminal.wait_for("Which lines?", times=2)
        terminal.enter("o")
        assert terminal.ended() == 0
    assert "2. Second, politely.\n" in (polished / PROMPT).read_text()


# Killed

KILLED = """
import os, signal, sys
left = int(sys.argv.pop(1))

def hook(event, arguments):  # is told of every rename and removal before it happens
    global left
    if event in {"os.rename", "os.remove"} and "/output/" in str(arguments[0]):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(hook)
from gitforge.cli.main import main
sys.exit(main())
"""


@pytest.mark.parametrize("is_moved_on", [False, True])
def test_a_merge_that_was_killed_is_completed_with_what_was_decided(
    polished: Path, git: Git, is_moved_on: bool
) -> None:
    (polished / PERSONA).write_text("You are another.\n")
    if is_moved_on:  # so that the file changes too, beside what is decided
        move_on(polished, git, "7. Seventh.\n", "")
    move_on(polished, git, "2. Second.", "2. Second, twice.")
    start = {path: path.read_bytes() for path in (polished / "output/outage").iterdir()}
    kills = 0
    for step in range(20):
        for path, content in start.items():
            path.write_bytes(content)
        command = [sys.executable, "-c", KILLED, str(step), *BUILD, "--ours"]
        done = subprocess.run(command, cwd=polished, capture_output=True, env=dict(os.environ), check=False)
        assert done.returncode in {0, -9}, done.stderr
        if done.returncode == 0:
            break
        kills += 1
        staged = polished / "output/.outage.staged"
        is_moved = (polished / PROMPT).read_bytes() != start[polished / PROMPT]
        is_kept = is_moved or (staged / "01_PROMPT_TEMPLATE.md").exists()
        again = build(polished)
        if again.code != 0:  # killed before the decision was kept: it is asked for again
            assert (again.code, is_kept) == (4, False), again.told
            assert build(polished, "--ours").code == 0
        text = (polished / PROMPT).read_text()
        assert "2. Second, politely." in text
        assert "twice" not in text
        assert "You are another." in (polished / "output/outage/00_PERSONA.md").read_text()
        assert [path.name for path in (polished / "output").iterdir()] == ["outage"]
    assert kills >= 4


def test_an_edit_after_a_kill_is_not_lost(polished: Path, git: Git) -> None:
    (polished / CONSTRAINT).write_text("Never guess.\n")
    move_on(polished, git, "6. Sixth.", "6. Sixth, twice.")
    command = [sys.executable, "-c", KILLED, "5", *BUILD]
    done = subprocess.run(command, cwd=polished, capture_output=True, check=False)
    assert done.returncode == -9
    edit(polished, "4. Fourth.", "4. Fourth, softly.")
    assert build(polished, "--ours").code == 0
    text = (polished / PROMPT).read_text()
    for kept in ("2. Second, politely.", "4. Fourth, softly.", "6. Sixth, twice.", "Never guess."):
        assert kept in text
