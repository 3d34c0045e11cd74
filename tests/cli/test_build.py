"""`gitforge build`, run as a script runs it: the seeds' scenario, and all that it leaves alone."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from llm_server import Behaviour, LlmServer, Say, about, error, fail
from program import (
    COMMAND,
    CONSTRAINT,
    DESCRIBE,
    GOAL,
    NAME,
    PERSONA,
    PROTOCOL,
    PURPOSE,
    build,
    files,
    gitforge,
    run,
)
from terminal import CTRL_C, Terminal

Git = Callable[..., str]

DRAFT = "## Drill down\n\n1. Ask why.\n2. Test the answer.\n"
TOOLKIT = ("output/outage/00_PERSONA.md", "output/outage/01_PROMPT_TEMPLATE.md")
STOP = fail(500, error("out of order"), x_should_retry="false")


def new_commits(git: Git, root: Path, before: str) -> list[str]:
    return git("rev-list", "--reverse", f"{before}..HEAD", cwd=root).split()


def head(git: Git, root: Path) -> str:
    return git("rev-parse", "HEAD", cwd=root)


# The seeds' scenario


def test_a_missing_component_becomes_one_commit_that_adds_that_file_under_that_name(
    incomplete: Path, llm: LlmServer, git: Git
) -> None:
    llm.queue(Say("## Drill down\n\n", "1. Ask why.\n", "2. Test the answer."))
    before, goals = head(git, incomplete), (incomplete / "goals.yaml").read_bytes()
    done = build(incomplete, *DESCRIBE, "--yes")
    assert done.code == 0, done.err
    assert len(new_commits(git, incomplete, before)) == 1
    assert git("diff", "--name-status", "--no-renames", before, "HEAD", cwd=incomplete) == f"A\t{PROTOCOL}"
    assert (incomplete / PROTOCOL).read_text() == DRAFT
    assert (incomplete / "goals.yaml").read_bytes() == goals
    assert git("status", "--porcelain", cwd=incomplete) == ""
    assert len(llm.requests) == 1
    assert "1. Ask why.\n2. Test the answer.\n" in (incomplete / TOOLKIT[1]).read_text()


def test_the_message_says_what_was_made_for_what_and_by_whom(
    incomplete: Path, llm: LlmServer, git: Git
) -> None:
    llm.queue(Say(DRAFT))
    assert build(incomplete, *DESCRIBE, "--yes").code == 0
    sent = json.dumps(llm.requests[0].json["messages"], ensure_ascii=False, separators=(",", ":"))
    trailers = f"""\
Goal: {GOAL}
Component: {PROTOCOL}
Assisted-by: gitforge:test-model
Prompt-Id: sha256:{hashlib.sha256(sent.encode()).hexdigest()}
Blob: {git("rev-parse", f"HEAD:{PROTOCOL}", cwd=incomplete)}"""
    message = git("log", "-1", "--format=%B", cwd=incomplete)
    assert message.rstrip("\n") == f"Generate protocol {Path(NAME).stem}\n\n{PURPOSE}\n\n{trailers}"
    assert git("interpret-trailers", "--parse", cwd=incomplete, stdin=message) == trailers
    assert git("log", "-1", "--format=%an <%ae>", cwd=incomplete) == "Ada Engineer <ada@example.org>"


def test_the_second_build_asks_nothing_commits_nothing_and_leaves_the_toolkit_as_it_is(
    incomplete: Path, llm: LlmServer, git: Git
) -> None:
    llm.queue(Say(DRAFT))
    assert build(incomplete, *DESCRIBE, "--yes").code == 0
    folder = incomplete / "output/outage"
    before = head(git, incomplete), files(incomplete), {p: p.stat().st_mtime_ns for p in folder.rglob("*")}
    done = build(incomplete)
    assert done.code == 0, done.err
    assert done.out.split() == [*TOOLKIT]
    after = head(git, incomplete), files(incomplete), {p: p.stat().st_mtime_ns for p in folder.rglob("*")}
    assert after == before
    assert len(llm.requests) == 1


def test_without_a_model_the_draft_is_an_outline_and_everything_says_so(incomplete: Path, git: Git) -> None:
    done = build(incomplete, *DESCRIBE, "--yes")
    assert done.code == 0
    assert "No language model" in done.err
    assert f"{PROTOCOL} is an offline outline with TODO points" in done.err
    assert "TODO" in (incomplete / PROTOCOL).read_text()
    assert "Assisted-by: gitforge:offline-outline" in git("log", "-1", "--format=%B", cwd=incomplete)
    assert re.search(rf"{re.escape(PROTOCOL)}\s+offline outline", build(incomplete).err)


def test_a_stand_in_identity_is_used_and_named_where_git_has_none(incomplete: Path, git: Git) -> None:
    git("config", "--unset", "user.name", cwd=incomplete)
    git("config", "--unset", "user.email", cwd=incomplete)
    done = build(incomplete, *DESCRIBE, "--yes")
    assert done.code == 0
    assert "no git identity is set" in done.err
    assert git("log", "-1", "--format=%an", cwd=incomplete) == "gitforge (no git identity set)"


def test_a_long_purpose_with_signs_of_its_own_stays_out_of_the_trailers(incomplete: Path, git: Git) -> None:
    purpose = "Reviewed-by: nobody; " + "one very long line of purpose " * 8
    assert build(incomplete, "--describe", f"{NAME}={purpose}\nSigned-off-by: Eve", "--yes").code == 0
    message = git("log", "-1", "--format=%B", cwd=incomplete)
    keys = [line.partition(":")[0] for line in
            git("interpret-trailers", "--parse", cwd=incomplete, stdin=message).splitlines()]  # fmt: skip
    assert keys == ["Goal", "Component", "Assisted-by", "Blob"]
    assert max(map(len, message.splitlines()[2:-5])) <= 72


# The user's own work


def test_what_is_staged_changed_or_untracked_stays_byte_for_byte(incomplete: Path, git: Git) -> None:
    root = incomplete
    (root / "staged.txt").write_bytes(b"staged\r\n")
    (root / "both.txt").write_text("as staged\n")
    (root / "README.md").write_text("first\n")
    (root / PERSONA).write_text("## Mine\n")
    git("add", "staged.txt", "both.txt", PERSONA, cwd=root)
    (root / "both.txt").write_text("as staged, and more\n")
    (root / CONSTRAINT).write_bytes((root / CONSTRAINT).read_bytes() + b"- mine\n")
    (root / "library/protocols/untracked.md").write_bytes(b"\xff\x00 not even text\n")
    (root / "intended.txt").write_text("later\n")
    git("add", "-N", "intended.txt", cwd=root)
    git("rm", "-q", "--cached", "library/protocols/premortem.md", cwd=root)
    (root / "library/protocols/code_review_pass.md").unlink()
    (root / "library/protocols/api_contract_review.md").chmod(0o755)

    def state() -> tuple[dict[str, bytes], list[str], list[str]]:
        own = {
            name: content for name, content in files(root).items()
            if name != PROTOCOL and not name.startswith("output/")
        }  # fmt: skip
        index = git("ls-files", "-s", "-v", cwd=root).splitlines()
        status = git("status", "--porcelain=v2", "-uall", cwd=root).splitlines()
        return own, [line for line in index if not line.endswith(PROTOCOL)], status

    before, parent = state(), head(git, root)
    done = build(root, *DESCRIBE, "--yes")
    assert done.code == 0, done.err
    assert state() == before
    assert git("diff", "--name-status", "--no-renames", parent, "HEAD", cwd=root) == f"A\t{PROTOCOL}"
    assert f"A  {PROTOCOL}" not in git("status", "--porcelain", cwd=root)


def test_an_edit_that_is_not_committed_is_used_and_flagged_in_plan_and_manifest(
    workspace: Path, git: Git
) -> None:
    (workspace / PERSONA).write_text("## Mine\n\nYou are mine.\n")
    done = build(workspace)
    assert done.code == 0
    assert re.search(rf"{re.escape(PERSONA)}\s+edited, not committed", done.err)
    assert "You are mine." in (workspace / TOOLKIT[0]).read_text()
    manifest = json.loads((workspace / "output/outage/toolkit.json").read_text())
    flags = {one["path"]: one["uncommitted"] for one in manifest["components"]}
    assert flags == {PERSONA: True, PROTOCOL: False, CONSTRAINT: False}
    blob = git("hash-object", PERSONA, cwd=workspace)
    assert manifest["components"][0]["blob"] == blob


def test_a_component_of_the_users_that_git_does_not_know_yet_is_used_not_generated(
    incomplete: Path, git: Git
) -> None:
    (incomplete / PROTOCOL).write_text("## My own\n")
    before = head(git, incomplete)
    assert build(incomplete).code == 0
    assert head(git, incomplete) == before
    assert "## My own" in (incomplete / TOOLKIT[1]).read_text()


def test_a_component_that_is_deleted_but_still_committed_is_a_conflict(workspace: Path, git: Git) -> None:
    text = (workspace / PROTOCOL).read_bytes()
    (workspace / PROTOCOL).unlink()
    before = head(git, workspace), files(workspace)
    done = build(workspace / "library", *DESCRIBE, "--yes")
    assert done.code == 4
    assert f"{PROTOCOL}: deleted" in done.err
    assert (head(git, workspace), files(workspace)) == before
    advised = re.search(r"`(git restore .*?)`", done.err)
    assert advised
    assert run("sh", "-c", advised[1], cwd=workspace / "library").code == 0
    assert (workspace / PROTOCOL).read_bytes() == text
    assert build(workspace).code == 0


def test_an_output_that_was_edited_by_hand_is_kept_and_the_difference_shown(workspace: Path) -> None:
    assert build(workspace).code == 0
    persona = workspace / TOOLKIT[0]
    persona.write_text(persona.read_text() + "Polished by hand.\n")
    assert build(workspace).code == 0, "nothing changed in the library, so there is nothing to decide"
    assert "Polished by hand." in persona.read_text()
    toolkit_json = workspace / "output/outage/toolkit.json"
    toolkit_json.write_text(toolkit_json.read_text().replace('"format": 2', '"format": 1'))
    (workspace / PERSONA).write_text("## Another\n\nYou are another.\n")
    before = files(workspace)
    done = build(workspace)
    assert done.code == 4
    assert f"--- a/{TOOLKIT[0]}\n+++ b/{TOOLKIT[0]}\n" in done.err
    assert "\n-Polished by hand.\n" in done.err
    assert "\n+You are another.\n" in done.err
    assert "--force" in done.err
    assert files(workspace) == before
    assert build(workspace, "--force").code == 0
    assert "Polished" not in persona.read_text()
    assert "You are another." in persona.read_text()


def test_the_difference_has_the_lines_that_git_has(workspace: Path) -> None:
    (workspace / TOOLKIT[0]).parent.mkdir(parents=True)
    (workspace / TOOLKIT[0]).write_bytes("a\x0cb\u2028c\rd\u0085e\r\nno end".encode())
    done = build(workspace)
    assert done.code == 4
    assert "\n-a\\x0cb<U+2028>c\\x0dd\\x85e" in done.err
    assert "\n-no end\n\\ No newline at end of file\n" in done.err


def test_an_edited_output_that_cannot_be_merged_is_found_before_a_draft_is_paid_for(
    incomplete: Path, llm: LlmServer
) -> None:
    assert build(incomplete, "--describe", f"{NAME}=").code == 3
    toolkit_json = incomplete / "output/outage/toolkit.json"
    toolkit_json.write_text(toolkit_json.read_text().replace('"format": 2', '"format": 1'))
    (incomplete / TOOLKIT[0]).write_text("mine\n")
    assert build(incomplete, *DESCRIBE, "--yes").code == 4
    assert llm.requests == []


def test_files_beside_the_toolkits_own_are_left_alone(workspace: Path) -> None:
    assert build(workspace).code == 0
    (workspace / "output/outage/notes.md").write_text("mine\n")
    (workspace / PERSONA).write_text("## Another\n")
    assert build(workspace).code == 0
    assert (workspace / "output/outage/notes.md").read_text() == "mine\n"


# Degraded


def test_an_empty_purpose_means_a_visible_placeholder_and_exit_code_3(
    incomplete: Path, llm: LlmServer, git: Git
) -> None:
    before = head(git, incomplete)
    done = build(incomplete, "--describe", f"{NAME}=  ")
    assert done.code == 3, done.err
    assert llm.requests == []
    assert head(git, incomplete) == before
    assert not (incomplete / PROTOCOL).exists()
    assert f"**MISSING: the protocol `{PROTOCOL}`**" in (incomplete / TOOLKIT[1]).read_text()
    assert f"a placeholder stands in for {PROTOCOL}" in done.err
    manifest = json.loads((incomplete / "output/outage/toolkit.json").read_text())
    assert manifest["degraded"] is True


def test_a_degraded_toolkit_becomes_whole_once_its_component_is_there(incomplete: Path) -> None:
    assert build(incomplete, "--describe", f"{NAME}=").code == 3
    assert build(incomplete, *DESCRIBE, "--yes").code == 0
    assert "MISSING" not in (incomplete / TOOLKIT[1]).read_text()
    assert json.loads((incomplete / "output/outage/toolkit.json").read_text())["degraded"] is False


def test_a_purpose_that_goals_yaml_holds_is_used_without_a_question(incomplete: Path, git: Git) -> None:
    goals = (incomplete / "goals.yaml").read_text()
    entry = f"protocol: {{file: {NAME}, description: From goals.yaml.}}"
    (incomplete / "goals.yaml").write_text(goals.replace(f"protocol: {NAME}", entry, 1))
    assert build(incomplete, "--yes").code == 0
    assert git("log", "-1", "--format=%b", cwd=incomplete).startswith("From goals.yaml.\n")


def test_a_question_without_a_terminal_names_the_missing_option(incomplete: Path, git: Git) -> None:
    before = head(git, incomplete), files(incomplete)
    for arguments, option in (
        ((), "PROJECT"),
        (("outage",), "--goal"),
        (("outage", "--goal", GOAL, "--yes"), f"--describe {NAME}="),
        (("outage", "--goal", GOAL, *DESCRIBE), "--yes"),
    ):
        done = gitforge("build", *arguments, cwd=incomplete)
        assert (done.code, done.out) == (2, "")
        assert option in done.err
    assert (head(git, incomplete), files(incomplete)) == before


@pytest.fixture
def lacking(incomplete: Path, git: Git) -> Path:
    """A workspace in which the goal lacks all three components; two others keep the persona's company."""
    git("rm", "-q", PERSONA, CONSTRAINT, cwd=incomplete)
    git("commit", "-qm", "Drop more", cwd=incomplete)
    return incomplete


ALL = (
    *("--describe", "digital_detective.md=Reads the traces."),
    *DESCRIBE,
    *("--describe", "principle_of_completeness.md=Nothing is left out."),
)
NOTHING_COUNTED = {"input_tokens": None, "output_tokens": None, "cost_usd": None}
THREE: dict[str, Behaviour] = {
    PURPOSE: STOP,
    "Reads the traces": Say(0.3, "## Detective\n"),
    "Nothing is left out": Say("### Completeness\n"),
}


def test_one_failing_draft_does_not_cost_the_others_theirs(lacking: Path, llm: LlmServer, git: Git) -> None:
    llm.otherwise = about(THREE)
    before = head(git, lacking)
    done = build(lacking, *ALL, "--yes")
    assert done.code == 5
    made = git("log", "--reverse", "--name-status", "--format=%s", f"{before}..", cwd=lacking).split("\n")
    assert [line for line in made if line] == [
        "Generate persona digital_detective", f"A\t{PERSONA}",
        "Generate constraint principle_of_completeness", f"A\t{CONSTRAINT}",
    ]  # fmt: skip
    stopped = done.err[done.err.index("error: ") :]
    assert PROTOCOL in stopped
    assert "out of order" in done.err
    assert PERSONA not in stopped
    assert "--keep-going" in done.err
    assert not (lacking / "output").exists()


def test_keep_going_assembles_a_degraded_toolkit(lacking: Path, llm: LlmServer) -> None:
    llm.otherwise = about(THREE)
    done = build(lacking, *ALL, "--yes", "--keep-going")
    assert done.code == 3
    assert "out of order" in done.err
    prompt = (lacking / TOOLKIT[1]).read_text()
    assert "**MISSING: the protocol" in prompt
    assert "### Completeness" in prompt


def test_every_component_is_a_commit_of_its_own(lacking: Path, git: Git) -> None:
    before = head(git, lacking)
    assert build(lacking, *ALL, "--no-review").code == 0
    changed = [git("show", "--name-status", "--format=", one, cwd=lacking) for one in
               new_commits(git, lacking, before)]  # fmt: skip
    assert changed == [f"A\t{PERSONA}", f"A\t{PROTOCOL}", f"A\t{CONSTRAINT}"]


# Dry run


def test_a_dry_run_shows_exactly_what_is_sent_and_recorded_later_and_does_nothing(
    lacking: Path, llm: LlmServer, git: Git
) -> None:
    before = head(git, lacking), files(lacking), git("count-objects", "-v", cwd=lacking)
    dry = build(lacking, *ALL, "--yes", "--dry-run", "--json")
    assert dry.code == 0, dry.err
    assert llm.requests == []
    assert (head(git, lacking), files(lacking), git("count-objects", "-v", cwd=lacking)) == before
    llm.queue(*[Say(f"## Draft {number}\n") for number in range(3)])
    assert build(lacking, *ALL, "--yes").code == 0
    steps = dry.json["would_generate"]
    asked = [one.json["messages"] for one in llm.requests]
    assert len(asked) == len(steps)
    assert all(step["messages"] in asked for step in steps)
    commits = [git("cat-file", "commit", one, cwd=lacking) for one in new_commits(git, lacking, before[0])]
    unknown = [re.sub(r"^Blob: \w+", "Blob: (known once it is recorded)", one, flags=re.M) for one in commits]
    assert [step["commit"] for step in steps] == [one.partition("\n\n")[2] + "\n" for one in unknown]
    assert dry.json["would_write"] == [*(Path(name).name for name in TOOLKIT), "toolkit.json"]


def test_a_dry_run_for_people_shows_the_same_messages_and_commit(incomplete: Path, llm: LlmServer) -> None:
    dry = build(incomplete, *DESCRIBE, "--dry-run")
    assert dry.code == 0
    llm.queue(Say(DRAFT))
    assert build(incomplete, *DESCRIBE, "--yes").code == 0
    for message in llm.requests[0].json["messages"]:
        assert message["content"] in dry.out
    assert f"Generate protocol {Path(NAME).stem}\n\n{PURPOSE}\n\nGoal: {GOAL}\n" in dry.out
    assert "Reviewed-by: Ada Engineer <ada@example.org>" in dry.out
    assert "would write output/outage/toolkit.json" in dry.out


def test_a_dry_run_needs_no_answers(incomplete: Path) -> None:
    done = build(incomplete, "--dry-run")
    assert done.code == 0
    assert PROTOCOL in done.out


# For scripts


def test_the_json_of_a_build_has_everything_a_script_needs(incomplete: Path, git: Git) -> None:
    done = build(incomplete, *DESCRIBE, "--yes", "--json")
    commit = head(git, incomplete)
    result = done.json
    states = [(one["kind"], one["path"], one["state"], one["outline"]) for one in result.pop("components")]
    assert states == [
        ("persona", PERSONA, "ready", False),
        ("protocol", PROTOCOL, "ready", True),
        ("constraint", CONSTRAINT, "ready", False),
    ]
    assert result == {
        "project": "outage",
        "goal": GOAL,
        "folder": str(incomplete / "output/outage"),
        "files": ["00_PERSONA.md", "01_PROMPT_TEMPLATE.md", "toolkit.json"],
        "changed": ["00_PERSONA.md", "01_PROMPT_TEMPLATE.md", "toolkit.json"],
        "merged": [],
        "replaced": [],
        "degraded": False,
        "generated": [{"path": PROTOCOL, "commit": commit, **NOTHING_COUNTED}],
        "skipped": [],
        "failed": [],
        "spent": NOTHING_COUNTED,
    }


def test_the_json_of_a_failed_build_says_what_failed(lacking: Path, llm: LlmServer, git: Git) -> None:
    llm.otherwise = about(THREE)
    without = (*ALL[:4], "--describe", "principle_of_completeness.md=")
    done = build(lacking, *without, "--yes", "--json")
    assert done.code == 5
    result = done.json
    assert result["folder"] is None
    assert result["degraded"] is None
    assert result["generated"] == [{"path": PERSONA, "commit": head(git, lacking), **NOTHING_COUNTED}]
    assert result["skipped"] == [CONSTRAINT]
    assert [one["path"] for one in result["failed"]] == [PROTOCOL]
    assert "out of order" in result["failed"][0]["error"]


def test_json_is_valid_whatever_the_encoding_of_the_pipe(workspace: Path) -> None:
    goals = workspace / "goals.yaml"
    goals.write_text(goals.read_text().replace("To find the underlying", "Zur Störung im 🔍", 1))
    done = gitforge("list", "--json", cwd=workspace, PYTHONIOENCODING="ascii")
    assert done.json[0]["description"].startswith("Zur Störung im 🔍 cause")


def test_results_go_to_standard_output_and_everything_else_to_standard_error(incomplete: Path) -> None:
    done = build(incomplete, *DESCRIBE, "--yes")
    assert done.out.splitlines() == [*TOOLKIT]
    for said in (PERSONA, "drafting", "+## ", "recorded", "built"):
        assert said in done.err


@pytest.mark.parametrize("environment", [{}, {"FORCE_COLOR": "1"}, {"NO_COLOR": "1"}])
def test_a_pipe_gets_no_escape_codes(incomplete: Path, environment: dict[str, str]) -> None:
    done = build(incomplete, *DESCRIBE, "--yes", **environment)
    assert done.code == 0
    assert "\x1b" not in done.told


def test_a_terminal_gets_colour_unless_no_color_is_set(incomplete: Path) -> None:
    arguments = ("build", "outage", "--goal", GOAL, *DESCRIBE, "--yes")
    colours = re.compile(rb"\x1b\[(?:\d+;)*(?:3[0-9]|4[0-9]|9[0-7]|10[0-7])(?:;\d+)*m")
    with Terminal(*arguments, "--dry-run", cwd=incomplete) as terminal:
        assert terminal.ended() == 0
        assert colours.search(terminal.raw)
    with Terminal(*arguments, cwd=incomplete, NO_COLOR="1") as terminal:
        assert terminal.ended() == 0
        assert not colours.search(terminal.raw)


def test_escape_sequences_of_a_component_reach_the_toolkit_but_never_the_terminal(workspace: Path) -> None:
    evil = "\x1b]0;owned\x07\x1b[2J\x1b[1;1H\x9b2J"
    persona = workspace / PERSONA
    persona.write_text(f"---\ndescription: 'A{evil[4:9]}'\n---\n## Detective\n\n{evil}\n")
    goals = workspace / "goals.yaml"
    goals.write_text(goals.read_text().replace(
        "description: To find the underlying", r'description: "\e]0;owned\a" #', 1))  # fmt: skip
    with Terminal("build", "outage", "--goal", GOAL, cwd=workspace) as terminal:
        assert terminal.ended() == 0
        shown = terminal.raw
    assert evil in (workspace / TOOLKIT[0]).read_bytes().decode()
    (workspace / TOOLKIT[0]).write_text(f"{evil}\n")
    (workspace / "output/outage/toolkit.json").unlink()
    for arguments, code in (
        (("build", "outage", "--goal", GOAL), 4),
        (("show", "digital_detective.md"), 0),
        (("show", GOAL), 0),
        (("show", "digital_detective.md", "--json"), 0),
        (("list",), 0),
        (("list", "--components"), 0),
        (("status",), 0),
        (("check",), 3),
    ):
        with Terminal(*arguments, cwd=workspace) as terminal:
            assert terminal.ended() == code
            shown += terminal.raw
    with Terminal("build", "another", cwd=workspace) as terminal:
        terminal.wait_for("arrows move")
        terminal.wait_for(r"\x1b]0;owned")
        terminal.send(CTRL_C)
        assert terminal.ended() == 130
        assert b"\x1b]" not in terminal.raw
    for sequence in (b"\x1b]", b"\x1b[2J", b"\x9b", b"\xc2\x9b", b"\x07"):
        assert sequence not in shown
    assert rb"\x1b]0;owned\x07" in shown, "the reader sees that there is something"


def test_text_of_a_component_is_inert(workspace: Path) -> None:
    text = "## {{ goal.name }} {% raw %}\r\n\\1 \\g<0> $HOME ${X} `id` Ä🔍 {# no #}\r\n\r\n  end".encode()
    (workspace / PERSONA).write_bytes(text)
    assert build(workspace).code == 0
    assert text in (workspace / TOOLKIT[0]).read_bytes()


# Data, not Python


def with_examples(root: Path) -> None:
    """Declares a fourth kind and a third output file, in goals.yaml and templates alone."""
    goals = (root / "goals.yaml").read_text()
    declared = """\
kinds:
  persona:
  protocol:
  constraint: {many: true, key: constraints}
  example: {folder: examples, many: true}
outputs:
  00_PERSONA.md: templates/persona.md
  01_PROMPT_TEMPLATE.md: templates/prompt_template.md
  02_EXAMPLES.md: templates/examples.md
goals:
"""
    goals = goals.replace("\ngoals:\n", f"\n{declared}", 1)
    constraints = "      constraints: [principle_of_completeness.md]\n"
    goals = goals.replace(constraints, f"{constraints}      examples: [flaky_login.md]\n", 1)
    (root / "goals.yaml").write_text(goals)
    template = (
        "# {{ project }}: {{ examples|length }}\n{% for one in examples %}\n{{ one.text }}\n{% endfor %}\n"
    )
    (root / "library/templates/examples.md").write_text(template)
    generator = (
        '{% extends "generators/base.md" %}\n'
        "{% block rules %}- An example has a before and an after.{% endblock %}\n"
    )
    (root / "library/generators/example.md").write_text(generator)
    (root / "library/generators/example.outline.md").write_text("## Example\n\nTODO: before and after.\n")


EXAMPLE = "library/examples/flaky_login.md"
DESCRIBE_EXAMPLE = ("--describe", "flaky_login.md=A login that fails one time in ten.")


def test_a_fourth_kind_and_a_third_file_need_goals_yaml_and_templates_alone(
    workspace: Path, llm: LlmServer, git: Git
) -> None:
    with_examples(workspace)
    before = head(git, workspace)
    llm.queue(Say("## Flaky login\n\nBefore, after.\n"))
    done = build(workspace, *DESCRIBE_EXAMPLE, "--yes")
    assert done.code == 0, done.err
    assert done.out.split() == [*TOOLKIT, "output/outage/02_EXAMPLES.md"]
    assert git("diff", "--name-status", before, "HEAD", cwd=workspace) == f"A\t{EXAMPLE}"
    assert git("log", "-1", "--format=%s", cwd=workspace) == "Generate example flaky_login"
    assert "- An example has a before and an after." in llm.requests[0].prompt
    assert "Write the example `flaky_login.md`" in llm.requests[0].prompt
    examples = (workspace / "output/outage/02_EXAMPLES.md").read_text()
    assert examples.startswith("# outage: 1\n")
    assert "Before, after." in examples


def test_a_kind_without_a_generator_of_its_own_gets_the_default_one(workspace: Path) -> None:
    with_examples(workspace)
    (workspace / "library/generators/example.md").unlink()
    (workspace / "library/generators/example.outline.md").unlink()
    done = build(workspace, *DESCRIBE_EXAMPLE, "--yes")
    assert done.code == 0, done.err
    assert "It applies when TODO: the situation in the work on" in (workspace / EXAMPLE).read_text()


def test_a_missing_component_of_a_fourth_kind_is_a_placeholder_in_its_file(workspace: Path) -> None:
    with_examples(workspace)
    assert build(workspace, "--describe", "flaky_login.md=").code == 3
    examples = (workspace / "output/outage/02_EXAMPLES.md").read_text()
    assert f"**MISSING: the example `{EXAMPLE}`**" in examples


# From where it is run


def test_a_workspace_in_a_subfolder_of_a_repository_is_built_there(
    starter: Path, tmp_path: Path, git: Git
) -> None:
    repository = tmp_path / "repository"
    root = repository / "tools/prompts"
    shutil.copytree(starter, root, ignore=shutil.ignore_patterns(".git"))
    git("init", "-q", "-b", "main", str(repository), cwd=tmp_path)
    (root / PROTOCOL).unlink()
    git("add", ".", cwd=repository)
    git("commit", "-qm", "start", cwd=repository)
    before = head(git, repository)
    done = build(root / "library/personas", *DESCRIBE, "--yes")
    assert done.code == 0, done.err
    added = git("diff", "--name-status", before, "HEAD", cwd=repository)
    assert added == f"A\ttools/prompts/{PROTOCOL}"
    assert f"Component: tools/prompts/{PROTOCOL}" in git("log", "-1", "--format=%B", cwd=repository)
    assert (root / TOOLKIT[0]).is_file()
    manifest = json.loads((root / "output/outage/toolkit.json").read_text())
    assert manifest["components"][0]["path"] == f"tools/prompts/{PERSONA}"


def test_the_folder_can_be_given_before_and_after_the_command(workspace: Path, tmp_path: Path) -> None:
    for number, arguments in enumerate((
        ("-C", "work", "build", "PROJECT", "--goal", GOAL),
        ("build", "PROJECT", "--goal", GOAL, "-C", "work"),
        ("-C", "work", "build", "PROJECT", "--goal", GOAL, "-C", "library"),
    )):  # fmt: skip
        done = gitforge(*(word.replace("PROJECT", f"p{number}") for word in arguments), cwd=tmp_path)
        assert done.code == 0, done.err
        assert (workspace / f"output/p{number}/toolkit.json").is_file()


@pytest.mark.parametrize("command", [("git", "forge"), ("gitforge",), (sys.executable, "-m", "gitforge")])
def test_every_way_to_call_it_builds(workspace: Path, command: tuple[str, ...]) -> None:
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    done = run(*command, "build", "outage", "--goal", GOAL, cwd=workspace, PATH=path)
    assert done.code == 0, done.err
    assert done.out.split() == [*TOOLKIT]


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_reason_to_fail(workspace: Path, closed: str) -> None:
    command = f'exec "$0" -m gitforge build outage --goal {GOAL} {closed}'
    assert run("sh", "-c", command, sys.executable, cwd=workspace).code == 0
    assert (workspace / TOOLKIT[1]).is_file()


@pytest.mark.parametrize("arguments", [("list",), ("build", "outage", "--goal", GOAL), ("list", "--json")])
def test_a_reader_that_goes_away_is_no_reason_to_fail(workspace: Path, arguments: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [*COMMAND, *arguments]
    done = subprocess.run(
        command, cwd=workspace, stdout=writer, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writer)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


def test_outside_a_workspace_it_says_how_to_make_one(tmp_path: Path) -> None:
    done = build(tmp_path)
    assert done.code == 1
    assert "gitforge init" in done.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("project", ["../x", "a/b", "-rf", "", ".git", "x\ny", "con", "x" * 300])
def test_a_project_name_that_no_folder_can_have_is_refused(workspace: Path, project: str) -> None:
    before = files(workspace)
    done = gitforge("build", "--goal", GOAL, "--", project, cwd=workspace)
    assert done.code == 1
    assert "Traceback" not in done.err
    assert files(workspace) == before


def test_during_a_merge_nothing_is_recorded_nor_paid_for(incomplete: Path, llm: LlmServer, git: Git) -> None:
    (incomplete / ".git/MERGE_HEAD").write_text(head(git, incomplete) + "\n")
    before = head(git, incomplete)
    done = build(incomplete, *DESCRIBE, "--yes")
    assert done.code == 1
    assert "merge is in progress" in done.err
    assert llm.requests == []
    assert head(git, incomplete) == before
    assert not (incomplete / PROTOCOL).exists()
    assert build(incomplete, "--describe", f"{NAME}=").code == 3, "what records nothing is not in the way"


@pytest.mark.parametrize("arguments", [(), ("--force",)])
@pytest.mark.parametrize("obstacle", ["output", "output/outage", "a link"])
def test_a_toolkit_that_has_no_place_to_go_is_refused_before_a_draft_is_paid_for(
    incomplete: Path, llm: LlmServer, git: Git, obstacle: str, arguments: tuple[str, ...]
) -> None:
    elsewhere = incomplete.parent / "elsewhere"
    elsewhere.mkdir()
    if obstacle == "a link":
        (incomplete / "output").symlink_to(elsewhere)
    else:
        (incomplete / obstacle).parent.mkdir(exist_ok=True)
        (incomplete / obstacle).write_text("mine\n")
    before = head(git, incomplete), files(incomplete)
    done = build(incomplete, *DESCRIBE, "--yes", *arguments)
    assert done.code == 1
    assert "output" in done.err
    assert llm.requests == []
    assert (head(git, incomplete), files(incomplete)) == before
    assert list(elsewhere.iterdir()) == []


def test_a_library_folder_that_leads_out_of_the_workspace_is_refused(
    incomplete: Path, llm: LlmServer
) -> None:
    folder = incomplete / "library/protocols"
    elsewhere = folder.rename(incomplete.parent / "elsewhere")
    folder.symlink_to(elsewhere)
    before = files(elsewhere)
    for done in (build(incomplete, *DESCRIBE, "--yes"), gitforge("list", cwd=incomplete)):
        assert done.code == 1
        assert "symbolic link that leads out of the workspace" in done.err
    assert llm.requests == []
    assert files(elsewhere) == before


def test_without_a_repository_it_says_how_to_make_one(workspace: Path) -> None:
    shutil.rmtree(workspace / ".git")
    done = build(workspace)
    assert done.code == 1
    assert "gitforge init" in done.err
    assert not (workspace / "output").exists()


@pytest.mark.parametrize(
    ("script", "said"), [(None, "git is not installed"), ("echo git version 2.20.1", "2.20.1 is too old")]
)
def test_a_git_that_is_absent_or_too_old_is_named(
    workspace: Path, tmp_path: Path, script: str | None, said: str
) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    if script is not None:
        (folder / "git").write_text(f"#!/bin/sh\n{script}\n")
        (folder / "git").chmod(0o755)
    done = build(workspace, PATH=f"{folder}:/no/such/folder" if script is None else f"{folder}:/bin:/usr/bin")
    assert done.code == 1
    assert said in done.err
    assert "Traceback" not in done.err
    assert not (workspace / "output").exists()


def test_unattended_without_review_the_draft_is_not_shown(incomplete: Path, llm: LlmServer) -> None:
    llm.queue(Say(DRAFT))
    done = build(incomplete, *DESCRIBE, "--no-review")
    assert done.code == 0
    assert "Ask why" not in done.told


def test_an_outline_that_was_edited_until_no_todo_is_left_is_an_outline_no_more(
    incomplete: Path, git: Git
) -> None:
    assert build(incomplete, *DESCRIBE, "--yes").code == 0
    (before,) = gitforge("status", "--json", cwd=incomplete).json["outlines"]
    assert before["path"] == PROTOCOL
    (incomplete / PROTOCOL).write_text("## Done\n\nBy hand.\n")
    git("commit", "--quiet", "-am", "Fill it in", cwd=incomplete)
    assert gitforge("status", "--json", cwd=incomplete).json["outlines"] == []


def test_a_component_that_no_template_shows_is_told(workspace: Path) -> None:
    (workspace / "library/templates/persona.md").write_text("nobody\n")
    done = build(workspace)
    assert done.code == 0
    assert f"left out: no template of an output shows {PERSONA}" in done.err


def test_a_dry_run_without_a_purpose_names_no_prompt_id(incomplete: Path, llm: LlmServer) -> None:
    assert "Prompt-Id: (known once the purpose is)" in build(incomplete, "--dry-run").out
    assert "Prompt-Id: sha256:" in build(incomplete, "--dry-run", *DESCRIBE).out
    assert llm.requests == []


def test_a_dry_run_without_a_model_names_no_prompt(incomplete: Path) -> None:
    told = build(incomplete, "--dry-run", *DESCRIBE).out
    assert "no model is asked: the outline would be the draft" in told
    assert "Prompt-Id" not in told
    assert "system message" not in told


def test_options_are_looked_at_even_where_nothing_is_missing(workspace: Path) -> None:
    assert "no component is called 'typo.md'" in build(workspace, "--describe", "typo.md=x").err
    assert "no provider named 'nonsense'" in build(workspace, "--provider", "nonsense").err
