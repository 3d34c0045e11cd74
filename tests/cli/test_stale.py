"""Which toolkits are out of date and why, in `gitforge status`; `gitforge build --stale` builds them again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from program import CONSTRAINT, GOAL, NAME, PROTOCOL, build, files, gitforge

Git = Callable[..., str]
PROMPT = "output/outage/01_PROMPT_TEMPLATE.md"
OTHER = "REPRODUCE_BUG"


@pytest.fixture
def built(workspace: Path) -> Path:
    """A workspace with the toolkits `outage` and `bug`, which have nothing in common but the persona."""
    assert build(workspace).code == 0
    assert gitforge("build", "bug", "--goal", OTHER, cwd=workspace).code == 0
    return workspace


def stale(root: Path) -> dict[str, list[dict[str, Any]]]:
    found = gitforge("status", "--json", cwd=root).json["toolkits"]
    return {one["project"]: one["stale"] for one in found}


def commit(root: Path, git: Git, path: str, text: str, subject: str) -> str:
    (root / path).write_text(text)
    git("add", "--", path, cwd=root)
    git("commit", "-qm", subject, cwd=root)
    return git("rev-parse", "HEAD", cwd=root)


def test_a_toolkit_as_a_build_would_make_it_is_not_stale(built: Path, git: Git) -> None:
    assert stale(built) == {"bug": [], "outage": []}
    commit(built, git, "README.md", "Read me.\n", "Something else")
    assert stale(built) == {"bug": [], "outage": []}
    assert "Nothing needs attention" in gitforge("status", cwd=built).out


def test_the_component_that_moved_is_named_with_its_commit(built: Path, git: Git) -> None:
    id_ = commit(built, git, PROTOCOL, "## Another\n", "Say it better")
    commit(built, git, "README.md", "Read me.\n", "Something else")
    assert stale(built) == {
        "bug": [],
        "outage": [{"path": PROTOCOL, "how": "changed", "commit": id_, "subject": "Say it better"}],
    }
    told = gitforge("status", cwd=built)
    assert f"{PROTOCOL}: changed by {id_[:7]} (Say it better)" in told.out
    assert "gitforge build --stale" in told.err


def test_an_edit_that_is_not_committed_is_said_to_be_one(built: Path) -> None:
    (built / PROTOCOL).write_text("## Mine\n")
    nothing = {"commit": None, "subject": None}
    assert stale(built)["outage"] == [{"path": PROTOCOL, "how": "edited, not committed", **nothing}]
    assert build(built).code == 0
    assert stale(built)["outage"] == []


def test_committing_what_was_built_moves_nothing(built: Path, git: Git) -> None:
    (built / PROTOCOL).write_text("## Mine\n")
    assert build(built).code == 0
    git("commit", "-qam", "Mine", cwd=built)
    assert stale(built)["outage"] == []


def test_a_component_that_is_gone_and_one_that_came_are_named(built: Path, git: Git) -> None:
    git("rm", "-q", CONSTRAINT, cwd=built)
    git("commit", "-qm", "Drop it", cwd=built)
    gone = git("rev-parse", "HEAD", cwd=built)
    (one,) = stale(built)["outage"]
    assert one == {"path": CONSTRAINT, "how": "gone", "commit": gone, "subject": "Drop it"}
    assert gitforge("build", "--stale", cwd=built).code == 3
    assert stale(built)["outage"] == []
    back = commit(built, git, CONSTRAINT, "### Back\n", "Bring it back")
    (one,) = stale(built)["outage"]
    assert one == {"path": CONSTRAINT, "how": "there now", "commit": back, "subject": "Bring it back"}


def test_a_template_that_moved_is_named(built: Path, git: Git) -> None:
    id_ = commit(built, git, "library/templates/persona.md", "{{ persona.text }}", "Lay it out anew")
    for moved in stale(built).values():
        assert [(one["path"], one["commit"]) for one in moved] == [("library/templates/persona.md", id_)]


def test_a_template_of_ones_own_in_place_of_gitforges_is_named(workspace: Path, git: Git) -> None:
    path = "library/templates/persona.md"
    text = (workspace / path).read_text()
    git("rm", "-q", path, cwd=workspace)
    git("commit", "-qm", "Use gitforge's", cwd=workspace)
    assert build(workspace).code == 0
    assert stale(workspace)["outage"] == []
    commit(workspace, git, path, text, "Have it back")
    (one,) = stale(workspace)["outage"]
    assert (one["path"], one["subject"]) == (path, "Have it back")


CHANGES = [
    ("description: To find", "description: To really find", "the goal has another description"),
    (f"protocol: {NAME}", "protocol: premortem.md", "the goal uses premortem.md now"),
    (f"protocol: {NAME}", "protocol: premortem.md", f"the goal does not use {NAME} any more"),
    (f"{GOAL}:", "ANOTHER_GOAL:", f"the goal {GOAL} is gone"),
    (
        "goals:\n",
        "outputs: {00_PERSONA.md: templates/persona.md}\ngoals:\n",
        "the files of a toolkit are others",
    ),
]


@pytest.mark.parametrize(("old", "new", "how"), CHANGES)
def test_a_goal_that_changed_is_named(built: Path, old: str, new: str, how: str) -> None:
    goals = built / "goals.yaml"
    assert old in goals.read_text()
    goals.write_text(goals.read_text().replace(old, new, 1))
    assert how in [one["how"] for one in stale(built)["outage"]]


def test_a_goal_that_changed_elsewhere_moves_nothing(built: Path) -> None:
    goals = built / "goals.yaml"
    goals.write_text(
        goals.read_text() + "  Other:\n    ONE_MORE: {description: d, persona: p.md, protocol: x.md}\n"
    )
    assert stale(built) == {"bug": [], "outage": []}


def test_a_manifest_that_cannot_be_read_is_said_and_stops_nothing(built: Path) -> None:
    path = built / "output/bug/toolkit.json"
    path.write_text(path.read_text().replace('"format": 2', '"format": 7'))
    (built / PROTOCOL).write_text("## Mine\n")
    found = {one["project"]: one for one in gitforge("status", "--json", cwd=built).json["toolkits"]}
    assert "format 7" in found["bug"]["problem"]
    assert found["outage"]["stale"]
    assert "format 7" in gitforge("status", cwd=built).out
    done = gitforge("build", "--stale", cwd=built)
    assert done.code == 1
    assert "Update gitforge" in done.err
    assert "## Mine" in (built / PROMPT).read_text()


def test_all_that_is_out_of_date_is_built_again_and_nothing_else(built: Path, git: Git) -> None:
    before = files(built / "output/bug")
    commit(built, git, PROTOCOL, "## Another\n", "Say it better")
    done = gitforge("build", "--stale", "--json", cwd=built)
    assert done.code == 0, done.told
    (one,) = done.json["toolkits"]
    assert (one["project"], one["changed"]) == ("outage", ["01_PROMPT_TEMPLATE.md", "toolkit.json"])
    assert "## Another" in (built / PROMPT).read_text()
    assert files(built / "output/bug") == before
    assert stale(built) == {"bug": [], "outage": []}
    done = gitforge("build", "--stale", cwd=built)
    assert (done.code, done.out) == (0, "")
    assert "Every toolkit is up to date." in done.err


def test_one_that_clashes_does_not_keep_the_others(built: Path, git: Git) -> None:
    (built / "output/bug/01_PROMPT_TEMPLATE.md").write_text("All mine.\n")
    data = json.loads((built / "output/bug/toolkit.json").read_text())
    protocol = next(one["path"] for one in data["components"] if one["kind"] == "protocol")
    (built / protocol).write_text("## Another\n")
    (built / PROTOCOL).write_text("## Another\n")
    done = gitforge("build", "--stale", cwd=built)
    assert done.code == 4
    assert "@@ output/bug/01_PROMPT_TEMPLATE.md:1 @@" in done.err
    assert (built / "output/bug/01_PROMPT_TEMPLATE.md").read_text() == "All mine.\n"
    assert "## Another" in (built / PROMPT).read_text()
    assert gitforge("build", "--stale", "--ours", cwd=built).code == 0
    assert stale(built) == {"bug": [], "outage": []}


def test_nothing_is_generated(built: Path, git: Git) -> None:
    git("rm", "-q", PROTOCOL, cwd=built)
    git("commit", "-qm", "Drop it", cwd=built)
    head = git("rev-parse", "HEAD", cwd=built)
    done = gitforge("build", "--stale", cwd=built)
    assert done.code == 3
    assert "a placeholder stands in" in done.err
    assert git("rev-parse", "HEAD", cwd=built) == head


def test_a_dry_run_writes_nothing(built: Path, git: Git) -> None:
    commit(built, git, PROTOCOL, "## Another\n", "Say it better")
    before = files(built)
    done = gitforge("build", "--stale", "--dry-run", cwd=built)
    assert done.code == 0
    assert "Say it better" in done.err
    assert files(built) == before


def test_a_goal_that_is_gone_is_an_error_of_that_toolkit_alone(built: Path) -> None:
    goals = built / "goals.yaml"
    goals.write_text(goals.read_text().replace(f"{OTHER}:", "ANOTHER_GOAL:", 1))
    (built / PROTOCOL).write_text("## Mine\n")
    done = gitforge("build", "--stale", cwd=built)
    assert done.code == 1
    assert f"goals.yaml has no goal '{OTHER}'" in done.err
    assert "## Mine" in (built / PROMPT).read_text()


def test_a_toolkit_whose_folder_was_renamed_has_the_old_name_in_it(built: Path) -> None:
    (built / "output/outage").rename(built / "output/moved")
    (one,) = stale(built)["moved"]
    assert (one["path"], one["how"]) == ("output/moved", "was built under the name outage")
    assert gitforge("build", "--stale", cwd=built).code == 0
    assert (built / "output/moved/00_PERSONA.md").read_text().startswith("# Persona: moved\n")
    assert stale(built)["moved"] == []


def test_a_manifest_without_a_goal_is_an_error_of_that_toolkit_alone(built: Path) -> None:
    (built / "output/bug/toolkit.json").write_text('{"format": 2}')
    (built / PROTOCOL).write_text("## Mine\n")
    done = gitforge("build", "--stale", cwd=built)
    assert done.code == 1
    assert "output/bug/toolkit.json does not say what the toolkit is for" in done.err
    assert "## Mine" in (built / PROMPT).read_text()


def test_a_project_and_stale_together_are_refused(built: Path) -> None:
    assert gitforge("build", "outage", "--stale", cwd=built).code == 2


@pytest.mark.parametrize(
    "option", ["--yes", "--propose", "--provider=offline", "--max-cost=0", "--keep-going"]
)
def test_options_of_generating_are_refused_where_nothing_is_generated(built: Path, option: str) -> None:
    done = gitforge("build", "--stale", option, cwd=built)
    assert done.code == 2
    assert option.partition("=")[0] in done.err


def test_a_deleted_file_is_out_of_date_and_made_again(built: Path) -> None:
    (built / PROMPT).unlink()
    found = gitforge("status", "--json", cwd=built).json["toolkits"]
    assert {one["project"]: one["deleted"] for one in found} == {
        "bug": [], "outage": ["01_PROMPT_TEMPLATE.md"]
    }  # fmt: skip
    assert "01_PROMPT_TEMPLATE.md: deleted" in gitforge("status", cwd=built).out
    assert gitforge("build", "--stale", cwd=built).code == 0
    assert (built / PROMPT).is_file()


@pytest.mark.parametrize("how", ["garbage", "", '{"format": 2, "proj', None])
def test_a_toolkit_whose_manifest_is_damaged_is_not_forgotten(built: Path, how: str | None) -> None:
    manifest = built / "output/bug/toolkit.json"
    manifest.unlink()
    if how is not None:
        manifest.write_text(how)
    told = gitforge("status", cwd=built)
    assert "2 toolkits" in told.out
    assert "unreadable" in told.out
    assert "Nothing needs attention" not in told.out
    done = gitforge("build", "--stale", cwd=built)
    assert done.code == 1
    assert "output/bug/toolkit.json does not say" in done.err


def test_files_that_no_manifest_knows_are_not_overwritten_and_it_is_said_why(built: Path) -> None:
    (built / "output/bug/toolkit.json").write_text("garbage")
    path = built / "output/bug/01_PROMPT_TEMPLATE.md"
    path.write_text("Mine.\n")
    done = gitforge("build", "bug", cwd=built)
    assert done.code == 2
    assert "toolkit.json cannot be read" in done.err
    for options in ((), ("--ours",), ("--theirs",)):
        done = gitforge("build", "bug", "--goal", OTHER, *options, cwd=built)
        assert done.code == 4
        assert "toolkit.json cannot be read, so nobody can tell what was edited" in done.err
        assert "--ours and --theirs cannot help" in done.err
    assert path.read_text() == "Mine.\n"


def test_a_folder_in_a_files_place_is_said_and_stops_nothing(built: Path) -> None:
    (built / PROMPT).unlink()
    (built / PROMPT).mkdir()
    done = gitforge("status", cwd=built)
    assert done.code == 0, done.told
    assert f"{PROMPT}  is no file" in done.out


def test_in_a_shallow_clone_the_cut_is_not_taken_for_the_change(
    built: Path, git: Git, tmp_path: Path
) -> None:
    commit(built, git, PROTOCOL, "## Another\n", "Say it better")
    commit(built, git, "README.md", "Read me.\n", "Something else")
    git("clone", "-q", "--depth=1", f"file://{built}", str(tmp_path / "clone"), cwd=built)
    shutil.copytree(built / "output", tmp_path / "clone/output", dirs_exist_ok=True)
    (one,) = stale(tmp_path / "clone")["outage"]
    assert (one["path"], one["commit"]) == (PROTOCOL, None)
    assert "history is cut" in one["how"]


def test_an_edit_that_was_taken_back_is_no_commits_doing(built: Path, git: Git) -> None:
    (built / PROTOCOL).write_text("## Mine\n")
    assert build(built).code == 0
    git("checkout", "-q", "--", PROTOCOL, cwd=built)
    (one,) = stale(built)["outage"]
    assert (one["path"], one["commit"]) == (PROTOCOL, None)
    assert "as committed again" in one["how"]


def test_where_the_goal_is_gone_building_again_is_not_the_advice(built: Path) -> None:
    goals = built / "goals.yaml"
    goals.write_text(goals.read_text().replace(f"{OTHER}:", "ANOTHER_GOAL:", 1))
    done = gitforge("status", cwd=built)
    assert f"the goal {OTHER} is gone" in done.out
    assert "--stale" not in done.err
