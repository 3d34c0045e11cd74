"""`--propose`: generations on a branch of their own, for a pull request."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from harm import TEXT, killed
from llm_server import LlmServer, Say
from program import DESCRIBE, GOAL, NAME, PERSONA, PROTOCOL, build, files, gitforge
from terminal import Terminal

Git = Callable[..., str]

STEM = Path(NAME).stem


def standing(root: Path, git: Git) -> tuple[object, ...]:
    """HEAD's branch, and every file."""
    return git("rev-parse", "HEAD", cwd=root), files(root), git("status", "--porcelain", cwd=root)


def test_build_records_on_a_branch_says_what_to_type_and_assembles_nothing(
    incomplete: Path, llm: LlmServer, git: Git
) -> None:
    llm.queue(Say(TEXT))
    before = standing(incomplete, git)
    done = build(incomplete, *DESCRIBE, "--yes", "--propose")
    assert done.code == 0, done.err
    assert done.out == "git push -u origin forge/outage\n"
    assert "proposed: 1 commit on the branch forge/outage" in done.err
    assert standing(incomplete, git) == before
    assert git("show", "--format=%s%n%P", "--name-only", "forge/outage", cwd=incomplete).split("\n") == [
        f"Generate protocol {STEM}", before[0], "", PROTOCOL,
    ]  # fmt: skip
    assert not (incomplete / "output/outage").exists()


def test_what_the_branch_has_is_not_made_again(incomplete: Path, llm: LlmServer, git: Git) -> None:
    llm.queue(Say(TEXT))
    assert build(incomplete, *DESCRIBE, "--yes", "--propose").code == 0
    tip = git("rev-parse", "forge/outage", cwd=incomplete)
    again = build(incomplete, *DESCRIBE, "--yes", "--propose", "--json")
    assert again.code == 0, again.err
    assert f"found {PROTOCOL}: forge/outage has it already" in again.err
    assert (again.json["branch"], again.json["commits"], again.json["generated"]) == ("forge/outage", 1, [])
    assert again.json["files"] == []
    assert git("rev-parse", "forge/outage", cwd=incomplete) == tip
    assert len(llm.requests) == 1


def test_the_remote_that_the_user_pushes_to_is_named(incomplete: Path, llm: LlmServer, git: Git) -> None:
    llm.queue(Say(TEXT))
    git("config", "remote.pushDefault", "fork", cwd=incomplete)
    done = build(incomplete, *DESCRIBE, "--yes", "--propose")
    assert done.out == "git push -u fork forge/outage\n"


def test_the_printed_command_publishes_it_and_once_merged_it_builds(
    incomplete: Path, llm: LlmServer, git: Git, tmp_path: Path
) -> None:
    llm.queue(Say(TEXT))
    git("init", "-q", "--bare", str(tmp_path / "hub.git"), cwd=incomplete)
    git("remote", "add", "origin", str(tmp_path / "hub.git"), cwd=incomplete)
    printed = build(incomplete, *DESCRIBE, "--yes", "--propose").out.split()
    git(*printed[1:], cwd=incomplete)
    assert git("rev-parse", "origin/forge/outage", cwd=incomplete) == git(
        "rev-parse", "forge/outage", cwd=incomplete
    )
    git("merge", "-q", "--squash", "origin/forge/outage", cwd=incomplete)
    git("commit", "-qm", "Merge the proposal", cwd=incomplete)
    assert build(incomplete).code == 0
    assert TEXT.splitlines()[-1] in (incomplete / "output/outage/01_PROMPT_TEMPLATE.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "branch"),
    [((NAME,), f"forge/{STEM}"), (("--goal", GOAL), f"forge/{GOAL}"), (("--all",), "forge/components")],
)
def test_generate_names_the_branch_after_what_it_makes(
    incomplete: Path, llm: LlmServer, git: Git, arguments: tuple[str, ...], branch: str
) -> None:
    git("rm", "-q", PERSONA, cwd=incomplete)
    git("commit", "-qm", "Drop a persona", cwd=incomplete)
    llm.queue(Say(TEXT), Say(TEXT.replace("why", "who")))
    persona = ("--describe", f"{Path(PERSONA).name}=Read the traces.")
    before = standing(incomplete, git)
    done = gitforge("generate", *arguments, *DESCRIBE, *(persona if len(arguments) != 1 or "--all" in arguments else ()),
                    "--yes", "--propose", "--json", cwd=incomplete)  # fmt: skip
    assert done.code == 0, done.err
    assert (done.json["branch"], done.json["commits"]) == (branch, len(llm.requests))
    assert standing(incomplete, git) == before


def test_a_regeneration_is_proposed_once(workspace: Path, llm: LlmServer, git: Git) -> None:
    llm.queue(Say("# Detective\n\nYou are another one.\n"))
    before = standing(workspace, git)
    arguments = ("regenerate", Path(PERSONA).name, "--yes", "--propose")
    done = gitforge(*arguments, cwd=workspace)
    assert done.code == 0, done.err
    assert done.out == "git push -u origin forge/digital_detective\n"
    assert standing(workspace, git) == before
    assert "another one" in git("show", f"forge/digital_detective:{PERSONA}", cwd=workspace)
    again = gitforge(*arguments, cwd=workspace)
    assert again.code == 0, again.err
    assert "forge/digital_detective has it already" in again.err
    told = gitforge(*arguments, "--feedback", "Shorter.", cwd=workspace)
    assert told.code == 4, "feedback is never dropped in silence"
    assert f"the branch forge/digital_detective proposes {PERSONA} already" in told.err
    assert "`git switch forge/digital_detective`" in told.err
    assert len(llm.requests) == 1


@pytest.mark.parametrize("name", ["forge", "forge/outage/more"])
def test_a_branch_that_leaves_no_room_for_it_is_refused_before_anything_is_paid_for(
    incomplete: Path, llm: LlmServer, git: Git, name: str
) -> None:
    git("branch", name, cwd=incomplete)
    done = build(incomplete, *DESCRIBE, "--yes", "--propose")
    assert done.code == 4
    assert f"there is a branch {name}, so git can have none that is called forge/outage" in done.err
    assert f"`git branch -m {name} NEW-NAME`" in done.err
    assert llm.requests == []


def test_a_branch_that_is_checked_out_is_refused_before_anything_is_paid_for(
    incomplete: Path, llm: LlmServer, git: Git
) -> None:
    git("checkout", "-qb", "forge/outage", cwd=incomplete)
    done = build(incomplete, *DESCRIBE, "--yes", "--propose")
    assert done.code == 4
    assert "the branch forge/outage is checked out in" in done.err
    assert llm.requests == []


def test_where_nothing_is_missing_nothing_is_proposed(workspace: Path, git: Git) -> None:
    done = build(workspace, "--propose", "--json")
    assert done.code == 0, done.err
    assert (done.json["branch"], done.json["commits"]) == (None, 0)
    assert "Nothing is proposed" in build(workspace, "--propose").err
    assert git("branch", "--list", "forge/*", cwd=workspace) == ""


def test_killed_before_the_commit_point_the_kept_draft_is_used_next_time(
    incomplete: Path, llm: LlmServer, git: Git
) -> None:
    llm.queue(Say(TEXT))
    before = standing(incomplete, git)
    arguments = ("generate", NAME, *DESCRIBE, "--yes", "--propose")
    killed(incomplete, "gitforge.store.proposal:reach_commit_point:before", "alone", *arguments)
    assert git("branch", "--list", "forge/*", cwd=incomplete) == ""
    done = gitforge(*arguments, cwd=incomplete)
    assert done.code == 0, done.err
    assert "was taken back; its draft is kept" in done.err
    assert len(llm.requests) == 1
    assert git("show", f"forge/{STEM}:{PROTOCOL}", cwd=incomplete) + "\n" == TEXT
    assert standing(incomplete, git) == before
    assert gitforge("drafts", "--json", cwd=incomplete).json["drafts"] == []


def test_killed_after_it_the_branch_has_it_and_nothing_is_paid_for_twice(
    incomplete: Path, llm: LlmServer, git: Git
) -> None:
    llm.queue(Say(TEXT))
    arguments = ("generate", NAME, *DESCRIBE, "--yes", "--propose")
    killed(incomplete, "gitforge.store.proposal:reach_commit_point:after", "alone", *arguments)
    done = gitforge(*arguments, cwd=incomplete)
    assert done.code == 0, done.err
    assert "was finished" in done.err
    assert git("rev-list", "--count", f"HEAD..forge/{STEM}", cwd=incomplete) == "1"
    assert len(llm.requests) == 1
    assert gitforge("drafts", "--json", cwd=incomplete).json["drafts"] == []


NEW_GOAL = (
    ("arrows move", "new goal"), ("> new goal", "\r"), ("Name of the new goal", "REVIEW_CONTRACT\r"),
    ("One sentence:", "To find what binds.\r"), ("Category:", "new cat"), ("> new category", "\r"),
    ("Name of the category:", "Legal\r"), ("Persona:", "\r"), ("Protocol:", "new proto"), ("> new protocol", "\r"),
    ("File name of the new protocol:", "contract_pass\r"), ("Constraint:", "\x1b[A\r"),
    ("protocol contract_pass.md:", "Clause by clause.\r"),
)  # fmt: skip


def test_a_new_goal_is_proposed_with_its_components_once(workspace: Path, llm: LlmServer, git: Git) -> None:
    llm.queue(Say("## Contract pass\n"))
    before = standing(workspace, git)
    for code in (0, 4):
        with Terminal("build", "lease", "--propose", cwd=workspace) as terminal:
            for shown, keys in NEW_GOAL:
                terminal.wait_for(shown)
                terminal.send(keys)
            if code == 0:
                terminal.wait_for("[a]ccept")
                terminal.enter("a")
            assert terminal.ended() == code
            told = terminal.told
        assert ("git push -u origin forge/lease" in told) == (code == 0)
        assert standing(workspace, git) == before
    assert "already has a goal" in told
    assert len(llm.requests) == 1
    changed = git("show", "--format=%s", "--name-status", "forge/lease", cwd=workspace).split("\n")
    assert changed == [
        "Add goal REVIEW_CONTRACT",
        "",
        "M\tgoals.yaml",
        "A\tlibrary/protocols/contract_pass.md",
    ]
