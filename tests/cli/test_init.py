"""`gitforge init`: a workspace as one commit, wherever, and never over a file that is there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from program import COMMAND, GOAL, PROTOCOL, build, files, gitforge, run

Git = Callable[..., str]


def count(git: Git, root: Path) -> int:
    return int(git("rev-list", "--count", "HEAD", cwd=root))


def test_a_new_repository_has_the_starter_in_one_commit(tmp_path: Path, git: Git) -> None:
    done = gitforge("init", "prompts", cwd=tmp_path)
    assert done.code == 0, done.err
    root = tmp_path / "prompts"
    assert count(git, root) == 1
    assert git("status", "--porcelain", cwd=root) == ""
    assert git("symbolic-ref", "--short", "HEAD", cwd=root) == "main"
    assert set(git("ls-files", cwd=root).split("\n")) == set(files(root))
    assert {"goals.yaml", ".gitignore", PROTOCOL, "library/generators/persona.md"} <= set(files(root))
    assert "no git identity is set" in done.err
    assert gitforge("check", cwd=root).code == 0
    assert build(root).code == 0
    assert git("status", "--porcelain", cwd=root) == "", "toolkits are ignored"


def test_a_folder_is_made_from_one_that_is_gone(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    command = 'rmdir "$PWD" && exec "$@"'
    done = run("sh", "-c", command, "sh", *COMMAND, "init", str(tmp_path / "new"), cwd=gone)
    assert done.code == 0, done.err
    assert (tmp_path / "new/goals.yaml").exists()
    gone.mkdir()
    done = run("sh", "-c", command, "sh", *COMMAND, "init", "new", cwd=gone)
    assert done.code == 1
    assert "error: the folder that you are in is not there any more" in done.err


def test_the_starter_is_the_repositorys_own_goals_and_library(tmp_path: Path) -> None:
    assert gitforge("init", cwd=tmp_path).code == 0
    source = Path(__file__).parents[2]
    made = files(tmp_path)
    assert made.pop("goals.yaml") == (source / "goals.yaml").read_bytes()
    assert made.pop(".gitignore")
    assert made == {
        f"library/{name}": content for name, content in files(source / "library").items()
        if not Path(name).name.startswith(".")
    }  # fmt: skip


def test_the_default_branch_that_git_is_set_to_is_honoured(
    tmp_path: Path, git: Git, isolated_environment: Path
) -> None:
    git("config", "--global", "init.defaultBranch", "trunk", cwd=tmp_path)
    assert gitforge("init", cwd=tmp_path).code == 0
    assert git("symbolic-ref", "--short", "HEAD", cwd=tmp_path) == "trunk"


def test_inside_a_repository_it_adds_one_commit_and_leaves_the_users_work_alone(
    tmp_path: Path, git: Git
) -> None:
    git("init", "-q", "-b", "main", cwd=tmp_path)
    (tmp_path / "code.py").write_text("print()\n")
    git("add", ".", cwd=tmp_path)
    git("commit", "-qm", "Mine", cwd=tmp_path)
    (tmp_path / "code.py").write_text("print(1)\n")
    (tmp_path / "staged.py").write_text("print(2)\n")
    git("add", "staged.py", cwd=tmp_path)
    (tmp_path / "untracked.py").write_text("print(3)\n")
    status = git("status", "--porcelain", cwd=tmp_path)
    assert gitforge("init", "tools/prompts", cwd=tmp_path).code == 0
    assert count(git, tmp_path) == 2
    assert git("status", "--porcelain", cwd=tmp_path) == status
    changed = git("show", "--name-only", "--format=", cwd=tmp_path).split("\n")
    assert all(path.startswith("tools/prompts/") for path in changed)
    assert not (tmp_path / "tools/prompts/.git").exists()
    assert build(tmp_path / "tools/prompts").code == 0


def test_twice_changes_nothing(workspace: Path, git: Git) -> None:
    before = git("rev-parse", "HEAD", cwd=workspace), files(workspace)
    done = gitforge("init", cwd=workspace)
    assert done.code == 0
    assert "is a workspace already" in done.out
    assert (git("rev-parse", "HEAD", cwd=workspace), files(workspace)) == before


def test_a_workspace_from_which_a_starter_file_was_deleted_stays_without_it(
    workspace: Path, git: Git
) -> None:
    git("rm", "-q", PROTOCOL, cwd=workspace)
    git("commit", "-qm", "I do not want it", cwd=workspace)
    assert gitforge("init", cwd=workspace).code == 0
    assert not (workspace / PROTOCOL).exists()


def test_files_in_the_way_are_kept_and_named(tmp_path: Path, git: Git) -> None:
    mine = {
        ".gitignore": b"*.pyc\n",
        PROTOCOL: b"## Mine\r\n",
        "library/templates/persona.md": b"{{ persona.text }}",
    }
    for name, content in mine.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    done = gitforge("init", "--json", cwd=tmp_path)
    assert done.code == 0, done.err
    assert {name: (tmp_path / name).read_bytes() for name in mine} == mine
    assert set(done.json["kept"]) == set(mine)
    assert done.json["new_repository"] is True
    assert done.json["workspace"] == str(tmp_path)
    assert done.json["commit"] == git("rev-parse", "HEAD", cwd=tmp_path)
    recorded = set(git("ls-files", cwd=tmp_path).split("\n"))
    assert recorded == set(done.json["written"])
    assert not recorded & set(mine)


@pytest.fixture
def legacy(tmp_path: Path) -> Path:
    """A folder in the original format."""
    root = tmp_path / "old"
    goals = {
        "Technical & Execution": {
            GOAL: {
                "description": 'To find the cause: "why?" # really',
                "persona": "digital_detective.txt",
                "protocol": "root_cause.txt",
                "constraints": ["completeness.txt"],
            }
        },
        "Reviews": {"AUDIT": {"description": "", "persona": "auditor.txt", "protocol": "root_cause.txt"}},
    }
    texts = {
        "personas/digital_detective.txt": b"You are a detective.\r\nYou look.\r\n",
        "protocols/root_cause.txt": "\ufeff1. Wäre {{ das }} \\so?".encode(),
        "constraints/completeness.txt": b"---\nAll of it.\n",
        "constraints/unused.txt": b"No goal uses it.\n",
        "constraints/notes.doc": b"not a component",
        "personas/latin.txt": b"caf\xe9\n",
    }
    for name, content in texts.items():
        (root / "components" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "components" / name).write_bytes(content)
    (root / "goal_map.json").write_text(json.dumps(goals))
    return root


def test_an_old_goal_map_is_taken_over_with_its_components_verbatim(
    legacy: Path, tmp_path: Path, git: Git
) -> None:
    before = files(legacy)
    done = gitforge("init", "new", "--from", "old/goal_map.json", "--json", cwd=tmp_path)
    assert done.code == 0, done.err
    new = tmp_path / "new"
    for folder, name in (
        ("personas", "digital_detective.txt"), ("protocols", "root_cause.txt"),
        ("constraints", "completeness.txt"), ("constraints", "unused.txt"),
    ):  # fmt: skip
        old = before[f"components/{folder}/{name}"]
        assert (new / "library" / folder / name).read_bytes() == old
        assert git("cat-file", "-s", f"HEAD:library/{folder}/{name}", cwd=new) == str(len(old))
    assert [reason.partition(":")[0] for reason in done.json["skipped"]] == [
        "components/personas/latin.txt", "components/constraints/notes.doc",
    ]  # fmt: skip
    assert files(legacy) == before
    goals = gitforge("list", "--json", cwd=new).json
    assert [(one["category"], one["name"], one["description"]) for one in goals] == [
        ("Technical & Execution", GOAL, 'To find the cause: "why?" # really'), ("Reviews", "AUDIT", ""),
    ]  # fmt: skip
    assert goals[0]["missing"] == []
    assert goals[1]["missing"] == ["library/personas/auditor.txt"]
    assert count(git, new) == 1
    assert build(new).code == 0
    persona = (new / "output/outage/00_PERSONA.md").read_bytes()
    assert b"You are a detective.\r\nYou look.\r\n" in persona


def test_an_old_goal_map_is_taken_over_in_its_own_folder(legacy: Path, git: Git) -> None:
    assert "gitforge init --from goal_map.json" in gitforge("list", cwd=legacy).err
    before = files(legacy)
    done = gitforge("init", "--from", "goal_map.json", cwd=legacy)
    assert done.code == 0, done.err
    assert before.items() <= files(legacy).items()
    assert gitforge("list", cwd=legacy).code == 0


def test_the_original_format_loads_as_goals_yaml_as_it_is(workspace: Path, legacy: Path) -> None:
    (workspace / "goals.yaml").write_bytes((legacy / "goal_map.json").read_bytes())
    goals = gitforge("list", "--json", cwd=workspace).json
    assert [one["name"] for one in goals] == [GOAL, "AUDIT"]


@pytest.mark.parametrize("content", [None, "", "not json: [", "[]", '{"version": 1, "goals": {}}'])
def test_an_old_goal_map_that_cannot_be_used_leaves_nothing_behind(
    tmp_path: Path, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "goal_map.json").write_text(content)
    done = gitforge("init", "new", "--from", "goal_map.json", cwd=tmp_path)
    assert done.code == 1, done.told
    assert "Traceback" not in done.err
    assert not (tmp_path / "new").exists()


def test_a_file_where_the_folder_should_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "prompts").write_text("mine\n")
    done = gitforge("init", "prompts", cwd=tmp_path)
    assert done.code == 1, done.err
    assert (tmp_path / "prompts").read_text() == "mine\n"


def test_a_bare_repository_is_refused(tmp_path: Path, git: Git) -> None:
    git("init", "-q", "--bare", cwd=tmp_path)
    before = sorted(tmp_path.rglob("*"))
    done = gitforge("init", cwd=tmp_path)
    assert done.code == 1
    assert "bare" in done.err
    assert sorted(tmp_path.rglob("*")) == before


def test_inside_another_workspace_it_is_refused(workspace: Path) -> None:
    done = gitforge("init", cwd=workspace / "library/personas")
    assert done.code == 1
    assert "is inside the workspace" in done.err
    assert not (workspace / "library/personas/goals.yaml").exists()


def test_a_workspace_without_a_repository_gets_one_and_nothing_else(
    workspace: Path, tmp_path: Path, git: Git
) -> None:
    alone = tmp_path / "alone"
    shutil.copytree(workspace, alone, ignore=shutil.ignore_patterns(".git"))
    assert "no git repository" in gitforge("build", "x", "--goal", GOAL, cwd=alone).err
    done = gitforge("init", cwd=alone)
    assert done.code == 0
    assert "Made a git repository around the workspace" in done.out
    assert git("status", "--porcelain", "--untracked-files=all", cwd=alone).count("?? ") > 70
    assert gitforge("build", "x", "--goal", GOAL, cwd=alone).code == 0


def test_where_gitignore_is_there_already_output_gets_one_of_its_own(tmp_path: Path, git: Git) -> None:
    git("init", "--quiet", str(tmp_path / "r"), cwd=tmp_path)
    (tmp_path / "r/.gitignore").write_text("*.pyc\n")
    git("add", ".", cwd=tmp_path / "r")
    git("commit", "--quiet", "-m", "first", cwd=tmp_path / "r")
    assert gitforge("init", cwd=tmp_path / "r").code == 0
    assert (tmp_path / "r/.gitignore").read_text() == "*.pyc\n"
    assert gitforge("build", "x", "--goal", GOAL, cwd=tmp_path / "r").code == 0
    assert git("status", "--porcelain", "--untracked-files=all", cwd=tmp_path / "r") == ""


def test_components_of_no_kind_are_reported(tmp_path: Path) -> None:
    old = tmp_path / "old"
    (old / "components/formats").mkdir(parents=True)
    (old / "goal_map.json").write_text('{"C": {"G": {"persona": "p.txt", "protocol": "x.txt"}}}')
    done = gitforge("init", "new", "--from", "old/goal_map.json", cwd=tmp_path)
    assert done.code == 0
    assert "components/formats: belongs to no kind" in done.err
