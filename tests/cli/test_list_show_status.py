"""`gitforge list`, `show` and `status`: what there is, where it came from, and what needs attention."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from llm_server import LlmServer, Say
from program import CONSTRAINT, DESCRIBE, GOAL, NAME, PERSONA, PROTOCOL, PURPOSE, build, gitforge

Git = Callable[..., str]


def test_goals_are_listed_by_category_with_how_much_of_them_is_ready(incomplete: Path) -> None:
    done = gitforge("list", cwd=incomplete)
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0] == "Diagnosis"
    assert lines[1].split()[:3] == [GOAL, "2/3", "ready"]
    assert "To find the underlying cause" in lines[1]
    assert lines.index("Review & Audit") > 2
    assert f"{len(gitforge('list', '--json', cwd=incomplete).json)} goals" in done.err


def test_only_goals_that_lack_something_are_listed_on_demand(incomplete: Path) -> None:
    (only,) = gitforge("list", "--missing", "--json", cwd=incomplete).json
    assert only == {
        "name": GOAL,
        "library": None,
        "category": "Diagnosis",
        "description": "To find the underlying cause of a problem, and prove that it is the cause.",
        "components": [PERSONA, PROTOCOL, CONSTRAINT],
        "missing": [PROTOCOL],
    }


def test_components_are_listed_with_the_goals_that_use_them(incomplete: Path) -> None:
    listed = {one["path"]: one for one in gitforge("list", "-c", "--json", cwd=incomplete).json}
    assert listed[PROTOCOL]["missing"] is True
    assert listed[PROTOCOL]["goals"] == [GOAL]
    assert listed[PERSONA]["missing"] is False
    assert listed[PERSONA]["goals"][:2] == [GOAL, "REPRODUCE_BUG"]
    (incomplete / "library/personas/unused.md").write_text("## Unused\n")
    lines = gitforge("list", "--components", cwd=incomplete).out.splitlines()
    assert any(line.split()[:4] == ["personas/unused.md", "ready", "0", "goals"] for line in lines)
    assert any(line.split()[:4] == [f"protocols/{NAME}", "missing", "1", "goal"] for line in lines)


@pytest.mark.parametrize("name", [GOAL, GOAL.lower()])
def test_a_goal_is_shown_with_its_components_and_their_states(incomplete: Path, name: str) -> None:
    (incomplete / PERSONA).write_text("## Mine\n")
    done = gitforge("show", name, cwd=incomplete)
    assert done.code == 0
    assert "To find the underlying cause" in done.out
    states = {
        line.split()[1]: line.split(maxsplit=2)[2] for line in done.out.splitlines() if "library/" in line
    }
    assert states == {PERSONA: "edited, not committed", PROTOCOL: "missing", CONSTRAINT: "ready"}
    shown = gitforge("show", name, "--json", cwd=incomplete).json
    assert [one["state"] for one in shown["components"]] == ["edited, not committed", "missing", "ready"]
    assert (shown["name"], shown["category"]) == (GOAL, "Diagnosis")


def test_a_component_is_shown_with_its_text_its_goals_and_where_it_came_from(
    incomplete: Path, llm: LlmServer, git: Git
) -> None:
    llm.queue(Say("## Drill down\n\nÄrger 🔍\n"))
    assert build(incomplete, *DESCRIBE, "--yes").code == 0
    commit = git("rev-parse", "HEAD", cwd=incomplete)
    done = gitforge("show", NAME, cwd=incomplete)
    for said in ("## Drill down\n\nÄrger 🔍\n", GOAL, commit[:10], "Ada Engineer", "gitforge:test-model"):
        assert said in done.out
    shown = gitforge("show", PROTOCOL, "--json", cwd=incomplete).json
    assert shown["text"] == "## Drill down\n\nÄrger 🔍\n"
    assert shown["goals"] == [GOAL]
    assert shown["origin"]["commit"] == shown["commit"] == commit
    assert shown["origin"]["author"] == "Ada Engineer <ada@example.org>"
    assert shown["origin"]["trailers"]["Goal"] == GOAL
    assert shown["origin"]["trailers"]["Assisted-by"] == "gitforge:test-model"


def test_a_missing_component_is_shown_as_missing_with_the_way_to_make_it(incomplete: Path) -> None:
    done = gitforge("show", NAME, cwd=incomplete)
    assert done.code == 0
    assert "missing" in done.out
    assert f"gitforge generate protocols/{NAME}" in done.err


def test_an_unknown_name_gets_a_suggestion(workspace: Path) -> None:
    done = gitforge("show", "DIAGNOSE_ROOT_CAUS", cwd=workspace)
    assert done.code == 1
    assert f"Did you mean '{GOAL}'?" in done.err


def test_a_clean_workspace_needs_no_attention(workspace: Path) -> None:
    assert build(workspace).code == 0
    done = gitforge("status", cwd=workspace)
    assert done.code == 0
    assert "Nothing needs attention." in done.out
    assert "the offline outline" in done.out


def test_the_status_names_everything_that_needs_attention(incomplete: Path, git: Git) -> None:
    assert build(incomplete, *DESCRIBE, "--yes").code == 0
    git("rm", "-q", "library/protocols/premortem.md", cwd=incomplete)
    git("commit", "-qm", "Drop another", cwd=incomplete)
    users = [one["name"] for one in gitforge("list", "--missing", "--json", cwd=incomplete).json]
    degraded = gitforge("build", "risks", "--goal", users[0], "--describe", "premortem.md=", cwd=incomplete)
    assert degraded.code == 3
    (incomplete / PERSONA).write_text("## Mine\n")
    (incomplete / "output/outage/00_PERSONA.md").write_text("Mine.\n")
    (incomplete / ".git/MERGE_HEAD").write_text(git("rev-parse", "HEAD", cwd=incomplete) + "\n")
    found = gitforge("status", "--json", cwd=incomplete).json
    assert [(one["path"], one["goals"]) for one in found["missing"]] == [
        ("library/protocols/premortem.md", users)
    ]
    assert [one["path"] for one in found["edited"]] == [PERSONA]
    assert [one["path"] for one in found["outlines"]] == [PROTOCOL]
    assert found["operation"] == "merge"
    persona = {"path": PERSONA, "how": "edited, not committed", "commit": None, "subject": None}
    assert found["toolkits"] == [
        {"project": "outage", "goal": GOAL, "degraded": False, "edited": ["00_PERSONA.md"], "deleted": [], "odd": [],
         "stale": [persona], "problem": None},
        {"project": "risks", "goal": users[0], "degraded": True, "edited": [], "deleted": [],
         "odd": [], "stale": [], "problem": None},
    ]  # fmt: skip
    assert found["goals"] - found["ready"] == len(users)
    told = gitforge("status", cwd=incomplete).out
    for said in (
        "A merge is in progress",
        "premortem.md",
        PERSONA,
        PROTOCOL,
        "output/risks/",
        "00_PERSONA.md",
    ):
        assert said in told
    assert "Nothing needs attention" not in told


@pytest.mark.parametrize("how", ["taken out", "another text"])
def test_status_says_what_the_index_alone_has(incomplete: Path, git: Git, how: str) -> None:
    text = (incomplete / PERSONA).read_text()
    if how == "taken out":
        git("rm", "-q", "--cached", PERSONA, cwd=incomplete)
    else:
        (incomplete / PERSONA).write_text("Other.\n")
        git("add", PERSONA, cwd=incomplete)
        (incomplete / PERSONA).write_text(text)
    told = " ".join(gitforge("status", cwd=incomplete).out.split())
    mend = f"git restore --staged -- {PERSONA}"
    assert f"{PERSONA} in the index alone: `{mend}` takes that back" in told
    git(*mend.split()[1:], cwd=incomplete)
    assert "in the index alone" not in gitforge("status", cwd=incomplete).out


def test_an_outline_that_was_filled_in_and_committed_needs_no_attention_any_more(
    incomplete: Path, git: Git
) -> None:
    assert build(incomplete, *DESCRIBE, "--yes").code == 0
    (incomplete / PROTOCOL).write_text("## Filled in\n")
    git("commit", "-qam", f"Fill in {PURPOSE}", cwd=incomplete)
    assert gitforge("status", "--json", cwd=incomplete).json["outlines"] == []


def test_nothing_of_it_changes_anything(incomplete: Path, git: Git) -> None:
    (incomplete / PERSONA).write_text("## Mine\n")
    before = {path: path.read_bytes() for path in incomplete.rglob("*") if path.is_file()}
    kept = {
        incomplete / ".git/gitforge" / name for name in ("origins", "status")
    }  # so that it is not read again
    for arguments in (("list",), ("list", "-c"), ("show", GOAL), ("show", NAME), ("status",), ("check",)):
        assert gitforge(*arguments, cwd=incomplete).code in {0, 3}
    after = {path: path.read_bytes() for path in incomplete.rglob("*") if path.is_file() and path not in kept}
    assert after == before


def test_status_counts_what_nobody_has_reviewed(incomplete: Path, git: Git) -> None:
    made = ("--yes", "--provider", "offline")
    assert gitforge("generate", NAME, *DESCRIBE, *made, cwd=incomplete).code == 0
    assert gitforge("status", "--json", cwd=incomplete).json["unreviewed"] == [PROTOCOL]
    told = " ".join(gitforge("status", cwd=incomplete).out.split())
    assert "unreviewed 1 component `gitforge review` walks through them" in told
    blob = git("rev-parse", f"HEAD:{PROTOCOL}", cwd=incomplete)
    said = f"Approve\n\nComponent: {PROTOCOL}\nBlob: {blob}\nReviewed-by: Ada <ada@example.org>"
    git("commit", "-q", "--allow-empty", "-m", said, cwd=incomplete)
    assert gitforge("status", "--json", cwd=incomplete).json["unreviewed"] == []
    (incomplete / PROTOCOL).write_text("Edited.\n")
    git("commit", "-qam", "Edit", cwd=incomplete)
    assert gitforge("status", "--json", cwd=incomplete).json["unreviewed"] == [PROTOCOL]
    (incomplete / PROTOCOL).unlink()
    assert gitforge("status", "--json", cwd=incomplete).json["unreviewed"] == [PROTOCOL], (
        "as the last commit has it"
    )


def test_status_in_a_shallow_clone_says_that_nobody_can_tell_what_was_reviewed(
    workspace: Path, git: Git, tmp_path: Path
) -> None:
    git("commit", "-q", "--allow-empty", "-m", "More", cwd=workspace)
    git("clone", "-q", "--depth=1", workspace.as_uri(), "clone", cwd=tmp_path)
    assert gitforge("status", "--json", cwd=tmp_path / "clone").json["unreviewed"] is None
    assert "git fetch --unshallow" in gitforge("status", cwd=tmp_path / "clone").out
