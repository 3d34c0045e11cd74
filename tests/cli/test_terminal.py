"""gitforge with a person at a real pseudo-terminal: the wizard, the review, and every way out of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from llm_server import HANG, LlmServer, Say, Send, about, error, event, fail
from program import CONSTRAINT, DESCRIBE, GOAL, NAME, PERSONA, PROTOCOL, PURPOSE, files, gitforge
from terminal import CTRL_C, CTRL_D, DOWN, ENTER, ESCAPE, UP, Terminal

Git = Callable[..., str]

BUILD = ("build", "outage", "--goal", GOAL)
DRAFT = "## Drill down\n\n1. Ask why.\n"
REVIEW = "Record this protocol?"
STOP = fail(500, error("out of order"), x_should_retry="false")
PURPOSES = "In one line each"


def head(git: Git, root: Path) -> str:
    return git("rev-parse", "HEAD", cwd=root)


def changes(git: Git, root: Path, before: str) -> list[str]:
    listed = git("log", "--reverse", "--name-status", "--no-renames", "--format=", f"{before}..", cwd=root)
    return [line for line in listed.split("\n") if line]


def trailer(git: Git, root: Path, key: str) -> str:
    return git("log", "-1", f"--format=%(trailers:key={key},valueonly)", cwd=root).strip()


# The wizard


def test_the_wizard_leads_from_build_alone_to_a_toolkit(incomplete: Path, llm: LlmServer, git: Git) -> None:
    llm.queue(Say("## Drill down\n\n", "1. Ask why.\n"))
    before = head(git, incomplete)
    with Terminal("build", cwd=incomplete) as terminal:
        terminal.wait_for("Project name:")
        terminal.enter("outage")
        terminal.wait_for("arrows move, typing filters")
        assert "2/3 ready" in terminal.screen
        assert "Diagnosis" in terminal.screen
        terminal.send("root caus")
        terminal.wait_until_gone("REPRODUCE_BUG")
        terminal.send(ENTER)
        terminal.wait_for(f"protocol {NAME}:")
        assert "output/outage" in terminal.told, "the plan is shown before anything is asked"
        terminal.enter(PURPOSE)
        terminal.wait_for(REVIEW)
        assert "+1. Ask why." in terminal.told
        assert head(git, incomplete) == before
        terminal.enter("a")
        assert terminal.ended() == 0
    assert changes(git, incomplete, before) == [f"A\t{PROTOCOL}"]
    assert trailer(git, incomplete, "Reviewed-by") == "Ada Engineer <ada@example.org>"
    assert PURPOSE in git("log", "-1", "--format=%b", cwd=incomplete)
    assert (incomplete / "output/outage/toolkit.json").is_file()


def test_a_bad_project_name_is_complained_about_while_it_is_typed(workspace: Path) -> None:
    with Terminal("build", cwd=workspace) as terminal:
        terminal.wait_for("Project name:")
        terminal.send(".x")
        terminal.wait_for("starts with '.'")
        terminal.send(ENTER)
        terminal.send("\x15y/z")
        terminal.wait_for("has one of /")
        terminal.send("\x15fine")
        terminal.wait_until_gone("has one of /")
        terminal.send(ENTER)
        terminal.wait_for("arrows move")
        terminal.send(CTRL_C)
        assert terminal.ended() == 130
    assert not (workspace / "output").exists()


def test_an_empty_project_name_is_not_taken(workspace: Path) -> None:
    with Terminal("build", "--goal", GOAL, cwd=workspace) as terminal:
        terminal.wait_for("Project name:")
        terminal.send(ENTER)
        terminal.wait_for("is empty")
        terminal.enter("outage")
        assert terminal.ended() == 0
    assert (workspace / "output/outage/toolkit.json").is_file()


def test_a_goal_is_picked_by_arrow_keys(workspace: Path) -> None:
    names = [one["name"] for one in gitforge("list", "--json", cwd=workspace).json]
    with Terminal("build", "outage", cwd=workspace) as terminal:
        terminal.wait_for("arrows move")
        terminal.send(DOWN + DOWN + DOWN + UP)
        terminal.wait_for(f"> {names[2]}")
        terminal.send(ENTER)
        assert terminal.ended() == 0
        assert f"Goal: {names[2]}" in terminal.told, "the answer stays on the screen"
    manifest = (workspace / "output/outage/toolkit.json").read_text()
    assert f'"goal": "{names[2]}"' in manifest


def test_a_filter_that_nothing_matches_can_be_taken_back(workspace: Path) -> None:
    with Terminal("build", "outage", cwd=workspace) as terminal:
        terminal.wait_for("arrows move")
        terminal.send("no such goal")
        terminal.wait_for("nothing matches")
        terminal.send(ENTER + ESCAPE)
        terminal.wait_for(f"> {GOAL}", times=1)
        terminal.send("audit_code")
        terminal.wait_for("> AUDIT_CODE")
        terminal.send(ENTER)
        assert terminal.ended() == 0
    assert '"goal": "AUDIT_CODE"' in (workspace / "output/outage/toolkit.json").read_text()


def test_a_new_goal_comes_out_of_the_wizard_as_one_commit(workspace: Path, llm: LlmServer, git: Git) -> None:
    llm.queue(Say("## Contract pass\n"))
    before = head(git, workspace)
    with Terminal("build", "lease", cwd=workspace) as terminal:
        terminal.wait_for("arrows move")
        terminal.send("new goal")
        terminal.wait_for("> new goal")
        terminal.send(ENTER)
        terminal.wait_for("Name of the new goal")
        terminal.enter("AUDIT_CODE")
        terminal.wait_for("already")
        terminal.enter("\x15REVIEW_CONTRACT")
        terminal.wait_for("One sentence:")
        terminal.enter("To find what binds.")
        terminal.wait_for("Category:")
        terminal.send("new cat")
        terminal.wait_for("> new category")
        terminal.send(ENTER)
        terminal.wait_for("Name of the category:")
        terminal.enter("Legal")
        terminal.wait_for("Persona:")
        terminal.send("meticulous_aud")
        terminal.wait_for("> meticulous_auditor.md")
        terminal.send(ENTER)
        terminal.wait_for("Protocol:")
        terminal.send("new proto")
        terminal.wait_for("> new protocol")
        terminal.send(ENTER)
        terminal.wait_for("File name of the new protocol:")
        terminal.enter("contract_pass")
        terminal.wait_for("Constraint:")
        terminal.send("severity_sc")
        terminal.wait_for("> severity_scale.md")
        terminal.send(ENTER)
        terminal.wait_for("no more constraints")
        terminal.send(ENTER)
        terminal.wait_for("protocol contract_pass.md:")
        terminal.enter("Clause by clause.")
        terminal.wait_for(REVIEW)
        assert head(git, workspace) == before
        terminal.enter("a")
        assert terminal.ended() == 0
    assert sorted(changes(git, workspace, before)) == [
        "A\tlibrary/protocols/contract_pass.md",
        "M\tgoals.yaml",
    ]
    assert git("rev-list", "--count", f"{before}..", cwd=workspace) == "1"
    assert git("log", "-1", "--format=%s", cwd=workspace) == "Add goal REVIEW_CONTRACT"
    assert git("status", "--porcelain", cwd=workspace) == ""
    shown = gitforge("show", "REVIEW_CONTRACT", "--json", cwd=workspace).json
    assert (shown["category"], shown["description"]) == ("Legal", "To find what binds.")
    assert [one["name"] for one in shown["components"]] == [
        "meticulous_auditor.md",
        "contract_pass.md",
        "severity_scale.md",
    ]
    assert (workspace / "output/lease/toolkit.json").is_file()


def test_a_dry_run_of_a_new_goal_shows_the_one_commit_that_it_would_become(
    workspace: Path, llm: LlmServer, git: Git
) -> None:
    llm.queue(Say("## Contract pass\n"))
    before = head(git, workspace), files(workspace)
    messages = []
    for dry in (("--dry-run",), ()):
        arguments = ("build", "--yes", "--describe", "contract_pass.md=Clause by clause.", *dry)
        with Terminal(*arguments, cwd=workspace, rows=200) as terminal:
            for shown, keys in TO_NEW[:13]:
                terminal.wait_for(shown)
                terminal.send(keys)
            assert terminal.ended() == 0
            messages.append(terminal.told)
        if dry:
            assert (head(git, workspace), files(workspace)) == before
            assert llm.requests == []
    commit = git("cat-file", "commit", "HEAD", cwd=workspace).partition("\n\n")[2]
    assert commit.startswith("Add goal REVIEW_CONTRACT\n")
    assert "--- would add the goal to goals.yaml" in messages[0]
    assert re.sub(r"(?<=\nBlob: )\w+", "(known once it is recorded)", commit) in messages[0]


def test_results_can_go_to_a_file_while_a_person_answers(workspace: Path, tmp_path: Path) -> None:
    with Terminal("build", "--goal", GOAL, cwd=workspace, output=tmp_path / "results") as terminal:
        terminal.wait_for("Project name:")
        terminal.enter("outage")
        assert terminal.ended() == 0
    results = (tmp_path / "results").read_text()
    assert results == "output/outage/00_PERSONA.md\noutput/outage/01_PROMPT_TEMPLATE.md\n"


# The review


def test_regenerating_sends_the_feedback_and_the_previous_draft(
    incomplete: Path, llm: LlmServer, git: Git
) -> None:
    llm.queue(Say("## First try\n\nToo vague.\n"), Say("## Second try\n"))
    with Terminal(*BUILD, *DESCRIBE, cwd=incomplete) as terminal:
        terminal.wait_for(REVIEW)
        terminal.enter("r")
        terminal.wait_for("What should be different?")
        terminal.enter("Name the instruments 🔍 für Störungen.")
        terminal.wait_for("+## Second try")
        terminal.wait_for(REVIEW, times=2)
        terminal.enter("a")
        assert terminal.ended() == 0
    first, second = llm.requests
    assert "Name the instruments" not in first.prompt
    assert "Name the instruments 🔍 für Störungen." in second.prompt
    assert "## First try\n\nToo vague." in second.prompt
    assert (incomplete / PROTOCOL).read_text() == "## Second try\n"
    assert git("rev-list", "--count", "HEAD", cwd=incomplete) == "3"


def test_a_draft_is_kept_where_regenerating_fails(incomplete: Path, llm: LlmServer) -> None:
    llm.queue(Say(DRAFT), STOP)
    with Terminal(*BUILD, *DESCRIBE, cwd=incomplete) as terminal:
        terminal.wait_for(REVIEW)
        terminal.enter("r")
        terminal.wait_for("What should be different?")
        terminal.enter("Everything.")
        terminal.wait_for("out of order")
        terminal.wait_for(REVIEW, times=2)
        terminal.enter("a")
        assert terminal.ended() == 0
    assert (incomplete / PROTOCOL).read_text() == DRAFT


def editor(tmp_path: Path, commands: str) -> str:
    """An editor for $EDITOR, with an argument of its own and a space in its path."""
    script = tmp_path / "my editor"
    script.write_text(f'#!/bin/sh\n[ "$1" = --wait ] || exit 9\nshift\n{commands}\n')
    script.chmod(0o755)
    return f"'{script}' --wait"


def test_an_edited_draft_is_shown_again_and_recorded_as_edited(
    incomplete: Path, llm: LlmServer, tmp_path: Path, git: Git
) -> None:
    llm.queue(Say(DRAFT))
    command = editor(tmp_path, 'cp "$1" "$0.saw"; printf "## Mine\\r\\n\\nÄrger" > "$1"')
    with Terminal(*BUILD, *DESCRIBE, cwd=incomplete, EDITOR=command) as terminal:
        terminal.wait_for(REVIEW)
        terminal.enter("e")
        terminal.wait_for("+Ärger")
        terminal.wait_for(REVIEW, times=2)
        terminal.enter("a")
        assert terminal.ended() == 0
    assert (tmp_path / "my editor.saw").read_text() == DRAFT
    assert (incomplete / PROTOCOL).read_bytes() == "## Mine\n\nÄrger\n".encode()
    assert len(llm.requests) == 1
    assert git("rev-list", "--count", "HEAD", cwd=incomplete) == "3"


@pytest.mark.parametrize(
    ("commands", "said"),
    [
        ("exit 3", "exit code 3"),
        ('printf " \\n" > "$1"', "is empty"),
        ("true", "Nothing was changed"),
        ('printf "caf\\351" > "$1"', "cannot be used"),
        ('printf "a\\033[2Jb" > "$1"', "cannot be used"),
        ('rm "$1"', "has removed the file"),
    ],
    ids=["fails", "empties", "changes nothing", "not UTF-8", "hidden characters", "removes"],
)
def test_a_draft_is_kept_where_the_editor_gives_nothing_usable(
    incomplete: Path, llm: LlmServer, tmp_path: Path, commands: str, said: str
) -> None:
    llm.queue(Say(DRAFT))
    with Terminal(*BUILD, *DESCRIBE, cwd=incomplete, EDITOR=editor(tmp_path, commands)) as terminal:
        terminal.wait_for(REVIEW)
        terminal.enter("e")
        terminal.wait_for(said)
        if "> " in commands and said == "cannot be used":
            terminal.wait_for("Edit it again?")
            terminal.enter("n")
        terminal.wait_for(REVIEW, times=2)
        terminal.enter("a")
        assert terminal.ended() == 0
    assert (incomplete / PROTOCOL).read_text() == DRAFT


def test_what_was_written_is_in_the_editor_again_where_it_could_not_be_used(
    incomplete: Path, llm: LlmServer, tmp_path: Path
) -> None:
    llm.queue(Say(DRAFT))
    commands = (
        f'test -e {tmp_path}/again && sed -i "s/.$(printf "\\342\\200\\213")//" "$1" && exit; '
        f'touch {tmp_path}/again; printf "An hour of work.\\342\\200\\213\\n" >> "$1"'
    )
    with Terminal(*BUILD, *DESCRIBE, cwd=incomplete, EDITOR=editor(tmp_path, commands)) as terminal:
        terminal.wait_for(REVIEW)
        terminal.enter("e")
        terminal.wait_for("ZERO WIDTH SPACE")
        terminal.wait_for("Edit it again?")
        terminal.enter("y")
        terminal.wait_for(REVIEW, times=2)
        terminal.enter("a")
        assert terminal.ended() == 0
    assert "An hour of work" in (incomplete / PROTOCOL).read_text()


def test_a_draft_is_kept_where_there_is_no_editor(incomplete: Path, llm: LlmServer) -> None:
    llm.queue(Say(DRAFT))
    with Terminal(*BUILD, *DESCRIBE, cwd=incomplete, EDITOR="/no/such/editor") as terminal:
        terminal.wait_for(REVIEW)
        terminal.enter("e")
        terminal.wait_for("The editor failed")
        terminal.wait_for(REVIEW, times=2)
        terminal.enter("a")
        assert terminal.ended() == 0
    assert (incomplete / PROTOCOL).read_text() == DRAFT


def test_a_draft_is_kept_where_git_knows_no_editor_for_this_terminal(
    incomplete: Path, llm: LlmServer
) -> None:
    llm.queue(Say(DRAFT))
    with Terminal(*BUILD, *DESCRIBE, cwd=incomplete, TERM="dumb") as terminal:
        terminal.wait_for("Record this protocol?")
        terminal.enter("e")
        terminal.wait_for("EDITOR")
        terminal.wait_for("Record this protocol?", times=2)
        terminal.enter("a")
        assert terminal.ended() == 0
    assert (incomplete / PROTOCOL).read_text() == DRAFT


def test_a_draft_is_shown_as_it_is_whatever_markup_it_has(incomplete: Path, llm: LlmServer) -> None:
    text = "## [bold red]x[/] :smile: [link=http://e.org]y[/link] {{ z }} \\[a] \t.\n"
    llm.queue(Say(text))
    with Terminal(*BUILD, *DESCRIBE, cwd=incomplete) as terminal:
        terminal.wait_for(REVIEW)
        assert "+## [bold red]x[/] :smile: [link=http://e.org]y[/link] {{ z }} \\[a]" in terminal.told
        terminal.enter("a")
        assert terminal.ended() == 0
    assert (incomplete / PROTOCOL).read_text() == text


def test_a_skipped_draft_means_a_placeholder_and_exit_code_3(
    incomplete: Path, llm: LlmServer, git: Git
) -> None:
    llm.queue(Say(DRAFT))
    before = head(git, incomplete)
    with Terminal(*BUILD, *DESCRIBE, cwd=incomplete) as terminal:
        terminal.wait_for(REVIEW)
        terminal.enter("s")
        assert terminal.ended() == 3
    assert head(git, incomplete) == before
    assert not (incomplete / PROTOCOL).exists()
    assert "MISSING: the protocol" in (incomplete / "output/outage/01_PROMPT_TEMPLATE.md").read_text()


def test_an_empty_purpose_means_skip(incomplete: Path, llm: LlmServer) -> None:
    with Terminal(*BUILD, cwd=incomplete) as terminal:
        terminal.wait_for(f"protocol {NAME}:")
        terminal.send(ENTER)
        assert terminal.ended() == 3
    assert llm.requests == []


def test_a_question_mark_or_anything_else_explains_the_letters(incomplete: Path, llm: LlmServer) -> None:
    llm.queue(Say(DRAFT))
    with Terminal(*BUILD, *DESCRIBE, cwd=incomplete) as terminal:
        terminal.wait_for(REVIEW)
        for times, answer in enumerate(("?", "yes", ""), start=1):
            terminal.enter(answer)
            terminal.wait_for("regenerate it with your feedback", times=times)
            terminal.wait_for(REVIEW, times=times + 1)
        terminal.enter("A")
        assert terminal.ended() == 0
    assert (incomplete / PROTOCOL).read_text() == DRAFT


@pytest.fixture
def lacking(incomplete: Path, git: Git) -> Path:
    """A workspace in which the goal lacks its persona too."""
    git("rm", "-q", PERSONA, cwd=incomplete)
    git("commit", "-qm", "Drop the persona", cwd=incomplete)
    return incomplete


TWO = (*BUILD, *DESCRIBE, "--describe", "digital_detective.md=Reads the traces.")


@pytest.mark.parametrize("keys", ["q\r", CTRL_C, CTRL_D], ids=["q", "Ctrl-C", "Ctrl-D"])
def test_stopping_at_the_second_draft_keeps_the_first_that_was_accepted(
    lacking: Path, llm: LlmServer, git: Git, keys: str
) -> None:
    llm.otherwise = about({PURPOSE: Say(0.3, DRAFT), "Reads the traces": Say("## Detective\n")})
    before = head(git, lacking)
    with Terminal(*TWO, cwd=lacking) as terminal:
        terminal.wait_for("Record this persona?")
        terminal.enter("a")
        terminal.wait_for(REVIEW)
        terminal.send(keys)
        assert terminal.ended() == 130
        assert "Traceback" not in terminal.told
    assert changes(git, lacking, before) == [f"A\t{PERSONA}"]
    assert git("status", "--porcelain", cwd=lacking) == ""
    assert not (lacking / "output").exists()


# Interrupted

TO_NEW: tuple[tuple[str, str], ...] = (
    ("Project name:", "lease\r"),
    ("arrows move", "new goal"),
    ("> new goal", ENTER),
    ("Name of the new goal", "REVIEW_CONTRACT\r"),
    ("One sentence:", "To find what binds.\r"),
    ("Category:", "new cat"),
    ("> new category", ENTER),
    ("Name of the category:", "Legal\r"),
    ("Persona:", ENTER),
    ("Protocol:", "new proto"),
    ("> new protocol", ENTER),
    ("File name of the new protocol:", "contract_pass\r"),
    ("Constraint:", "\x1b[A\r"),  # up, to the last: no constraints
    ("protocol contract_pass.md:", "Clause by clause.\r"),
    (REVIEW, "r\r"),
    ("What should be different?", ""),
)
QUESTIONS = [
    number for number, (shown, _) in enumerate(TO_NEW) if not shown.startswith("> ")
]  # where somebody can lose patience


@pytest.mark.parametrize("number", QUESTIONS, ids=[TO_NEW[number][0].strip(":?") for number in QUESTIONS])
def test_ctrl_c_at_any_question_leaves_everything_as_it_was(
    workspace: Path, llm: LlmServer, git: Git, number: int
) -> None:
    llm.queue(Say("## Contract pass\n"))
    before = head(git, workspace), files(workspace), git("ls-files", "-s", cwd=workspace)
    with Terminal("build", cwd=workspace) as terminal:
        for shown, keys in TO_NEW[:number]:
            terminal.wait_for(shown)
            terminal.send(keys)
        terminal.wait_for(TO_NEW[number][0])
        terminal.send("x" + CTRL_C)
        assert terminal.ended() == 130
        assert "Interrupted: nothing is half-written" in terminal.told
        assert "Traceback" not in terminal.told
    assert (head(git, workspace), files(workspace), git("ls-files", "-s", cwd=workspace)) == before


@pytest.mark.parametrize("steps", [0, 1, 3], ids=["project", "goal", "name"])
def test_ctrl_d_at_a_question_stops_too(workspace: Path, git: Git, steps: int) -> None:
    before = head(git, workspace), files(workspace)
    with Terminal("build", cwd=workspace) as terminal:
        for shown, keys in TO_NEW[:steps]:
            terminal.wait_for(shown)
            terminal.send(keys)
        terminal.wait_for(TO_NEW[steps][0])
        terminal.send(CTRL_D)
        assert terminal.ended() == 130
        assert "stopped" in terminal.told
    assert (head(git, workspace), files(workspace)) == before


@pytest.mark.parametrize(
    "answer", [HANG, Send((event({"content": "## Half a dra"}), "hang"))], ids=["before", "within"]
)
def test_ctrl_c_in_mid_draft_leaves_everything_as_it_was(
    incomplete: Path, llm: LlmServer, git: Git, answer: Send
) -> None:
    llm.queue(answer)
    before = head(git, incomplete), files(incomplete), git("ls-files", "-s", cwd=incomplete)
    with Terminal(*BUILD, *DESCRIBE, cwd=incomplete) as terminal:
        terminal.wait_for(f"drafting {NAME}")
        assert llm.arrived(1)
        if answer is not HANG:
            terminal.wait_for(": 13 characters")
        terminal.send(CTRL_C)
        assert terminal.ended() == 130
        assert "Interrupted: nothing is half-written" in terminal.told
        assert "drafting" not in terminal.screen.splitlines()[-1]
    assert llm.requests[0].gone.wait(120), "the server is told to stop"
    assert (head(git, incomplete), files(incomplete), git("ls-files", "-s", cwd=incomplete)) == before


def test_ctrl_c_while_regenerating_leaves_everything_as_it_was(
    incomplete: Path, llm: LlmServer, git: Git
) -> None:
    llm.queue(Say(DRAFT), Send((event({"content": "## Half"}), "hang")))
    before = head(git, incomplete), files(incomplete)
    with Terminal(*BUILD, *DESCRIBE, cwd=incomplete) as terminal:
        terminal.wait_for(REVIEW)
        terminal.enter("r")
        terminal.wait_for("What should be different?")
        terminal.enter("More.")
        terminal.wait_for(": 7 characters")
        terminal.send(CTRL_C)
        assert terminal.ended() == 130
    assert (head(git, incomplete), files(incomplete)) == before


def test_ctrl_c_in_review_stops_the_others_and_keeps_the_drafts_that_are_there(
    lacking: Path, llm: LlmServer, git: Git
) -> None:
    llm.otherwise = about({PURPOSE: HANG, "Reads the traces": Say("## Detective\n")})
    before = head(git, lacking), files(lacking)
    with Terminal(*TWO, cwd=lacking) as terminal:
        terminal.wait_for("Record this persona?")
        terminal.send(CTRL_C)
        assert terminal.ended() == 130
        assert "1 draft is kept: `gitforge drafts`" in terminal.told
    assert all(one.gone.wait(120) for one in llm.requests if PURPOSE in one.prompt)
    assert (head(git, lacking), files(lacking)) == before
    (kept,) = gitforge("drafts", "--json", cwd=lacking).json["drafts"]
    assert kept["path"] == PERSONA
    assert not list((lacking / ".git/gitforge/making").iterdir())


# The screen


def test_a_very_small_terminal_still_works(incomplete: Path, llm: LlmServer) -> None:
    llm.queue(Say(DRAFT))
    with Terminal("build", cwd=incomplete, columns=20, rows=8) as terminal:
        terminal.wait_for("Project name:")
        terminal.enter("outage")
        terminal.wait_for("> DIAGNOSE_ROOT_CA")
        terminal.send("audit_c")
        terminal.wait_for("> AUDIT_CODE")
        terminal.send(ESCAPE + "root cause")
        terminal.wait_until_gone("> AUDIT_CODE")
        terminal.wait_for("> DIAGNOSE_ROOT_CA")
        terminal.send(ENTER)
        terminal.wait_for("In one line each")
        terminal.enter(PURPOSE)
        terminal.wait_for("Record this protocol")
        terminal.enter("a")
        assert terminal.ended() == 0
    assert (incomplete / PROTOCOL).read_text() == DRAFT


def test_questions_have_no_colour_where_no_color_is_set(workspace: Path) -> None:
    with Terminal("build", cwd=workspace, NO_COLOR="1") as terminal:
        terminal.wait_for("Project name:")
        terminal.send("a/b")
        terminal.wait_for("has one of /")
        terminal.enter("\x15outage")
        terminal.wait_for("ready")
        terminal.send(CTRL_C)
        assert terminal.ended() == 130
        assert set(re.findall(rb"\x1b\[([0-9;]*)m", terminal.raw)) <= {b"", b"0", b"1", b"0;1"}


def test_the_choice_stays_in_sight_however_long_the_list(workspace: Path) -> None:
    names = [one["name"] for one in gitforge("list", "--json", cwd=workspace).json]
    with Terminal("build", "outage", cwd=workspace, columns=60, rows=12) as terminal:
        terminal.wait_for("arrows move")
        for name in names[1:]:
            terminal.send(DOWN)
            terminal.wait_for(f"> {name}")
            assert f"> {name}" in terminal.screen
        terminal.send(DOWN)
        terminal.wait_for("> new goal")
        terminal.send(DOWN)
        terminal.wait_for(f"> {names[0]}")
        terminal.send(CTRL_C)
        assert terminal.ended() == 130


def test_the_plan_on_a_terminal_shows_every_path_whole(incomplete: Path) -> None:
    (incomplete / CONSTRAINT).write_text("### Mine\n")
    with Terminal(*BUILD, "--describe", f"{NAME}=", cwd=incomplete, columns=80) as terminal:
        assert terminal.ended() == 3
        for path, state in ((PERSONA, "ready"), (PROTOCOL, "missing"), (CONSTRAINT, "edited")):
            assert any(path in line and state in line for line in terminal.told.splitlines())
