"""What nobody has reviewed is not used, where the user or goals.yaml asks for that."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Git
from program import gitforge

GENERATED = "library/protocols/new_protocol.md"
GOAL = """\
version: 1
{policy}goals:
  Category:
    GOAL:
      description: To try it.
      persona: p.md
      protocol: new_protocol.md
"""


@pytest.fixture
def root(tmp_path: Path, git: Git) -> Path:
    """A workspace of a persona that a person wrote and a protocol that was generated and not reviewed."""
    root = tmp_path / "w"
    (root / "library/personas").mkdir(parents=True)
    (root / "goals.yaml").write_text(GOAL.format(policy=""))
    (root / "library/personas/p.md").write_text("You are P.\n")
    git("init", "-q", "-b", "main", str(root), cwd=tmp_path)
    git("add", "-A", cwd=root)
    git("commit", "-qm", "Start", cwd=root)
    write_generated(root, git, "Do X.\n")
    return root


def write_generated(root: Path, git: Git, text: str, *trailers: str) -> str:
    (root / GENERATED).parent.mkdir(exist_ok=True)
    (root / GENERATED).write_text(text)
    blob = git("hash-object", GENERATED, cwd=root)
    lines = [f"Component: {GENERATED}", "Assisted-by: gitforge:model-1", f"Blob: {blob}", *trailers]
    git("add", "-A", cwd=root)
    git("commit", "-qm", "Generate protocol new_protocol\n\n" + "\n".join(lines), cwd=root)
    return blob


def approve(root: Path, git: Git, blob: str) -> None:
    lines = f"Component: {GENERATED}\nBlob: {blob}\nReviewed-by: Ada <ada@example.org>"
    git("commit", "-q", "--allow-empty", "-m", f"Approve protocol new_protocol\n\n{lines}", cwd=root)


def set_policy(root: Path, git: Git) -> None:
    (root / "goals.yaml").write_text(GOAL.format(policy="policy:\n  require_reviewed: true\n"))
    git("commit", "-qam", "Require reviews", cwd=root)


def build(root: Path, *arguments: str) -> tuple[int, str]:
    done = gitforge("build", "demo", "--goal", "GOAL", *arguments, cwd=root)
    return done.code, done.told


def test_without_a_policy_a_build_uses_what_nobody_has_reviewed(root: Path) -> None:
    assert build(root)[0] == 0
    assert gitforge("check", cwd=root).code == 0


def test_a_build_refuses_what_nobody_has_reviewed_if_asked_to(root: Path) -> None:
    code, told = build(root, "--require-reviewed")
    assert code == 3
    assert f"nobody has reviewed {GENERATED} as it is now" in told
    assert "gitforge review new_protocol.md" in told
    assert not (root / "output").exists()


def test_the_policy_of_goals_yaml_asks_for_it_in_build_and_check(root: Path, git: Git) -> None:
    set_policy(root, git)
    assert build(root)[0] == 3
    checked = gitforge("check", cwd=root)
    assert checked.code == 3
    assert f"{GENERATED}: error: nobody has reviewed it" in checked.out


def test_an_approval_satisfies_it_until_the_text_changes(root: Path, git: Git) -> None:
    set_policy(root, git)
    approve(root, git, git("rev-parse", f"HEAD:{GENERATED}", cwd=root))
    assert build(root)[0] == 0
    assert gitforge("check", cwd=root).code == 0
    (root / GENERATED).write_text("Do Y.\n")
    assert build(root)[0] == 3
    git("commit", "-qam", "Edit", cwd=root)
    assert gitforge("check", cwd=root).code == 3


def test_a_draft_that_was_seen_before_it_was_recorded_is_reviewed(root: Path, git: Git) -> None:
    write_generated(root, git, "Do Z.\n", "Reviewed-by: Ada <ada@example.org>")
    assert build(root, "--require-reviewed")[0] == 0


def test_check_can_be_told_either_way(root: Path, git: Git) -> None:
    assert gitforge("check", "--require-reviewed", cwd=root).code == 3
    set_policy(root, git)
    assert gitforge("check", "--allow-unreviewed", cwd=root).code == 0


def test_a_shallow_clone_cannot_tell_and_says_so(root: Path, git: Git, tmp_path: Path) -> None:
    approve(root, git, git("rev-parse", f"HEAD:{GENERATED}", cwd=root))
    set_policy(root, git)
    shallow = tmp_path / "shallow"
    git("clone", "-q", "--depth", "1", root.as_uri(), str(shallow), cwd=tmp_path)
    code, told = build(shallow)
    assert code == 3
    assert "shallow clone" in told
    assert "git fetch --unshallow" in told
    assert gitforge("check", cwd=shallow).code == 3
    git("fetch", "-q", "--unshallow", cwd=shallow)
    assert gitforge("check", cwd=shallow).code == 0


def test_without_a_repository_the_policy_cannot_be_kept_and_check_says_so(root: Path, git: Git) -> None:
    set_policy(root, git)
    (root / ".git").rename(root.parent / "elsewhere")
    checked = gitforge("check", cwd=root)
    assert checked.code == 3
    assert "without a repository nobody can tell" in checked.out
    assert gitforge("check", "--allow-unreviewed", cwd=root).code == 0


def test_a_wrong_policy_names_its_line(root: Path) -> None:
    (root / "goals.yaml").write_text(GOAL.format(policy="policy:\n  require_reviews: true\n"))
    checked = gitforge("check", cwd=root)
    assert checked.code == 3
    assert "goals.yaml:3: error: unknown key 'require_reviews' in policy" in checked.out
    assert "require_reviewed" in checked.out
    (root / "goals.yaml").write_text(GOAL.format(policy="policy:\n  require_reviewed: often\n"))
    assert (
        "goals.yaml:3: error: 'policy.require_reviewed' must be true or false"
        in gitforge("check", cwd=root).out
    )


def test_what_belongs_to_no_kind_any_more_is_passed_over(root: Path, git: Git) -> None:
    path = "library/protocols/old/x.md"
    (root / path).parent.mkdir()
    (root / path).write_text("Do X.\n")
    blob = git("hash-object", path, cwd=root)
    git("add", "-A", cwd=root)
    said = f"Component: {path}\nAssisted-by: gitforge:model-1\nBlob: {blob}"
    git("commit", "-qm", f"Generate protocol x\n\n{said}", cwd=root)
    approve(root, git, git("rev-parse", f"HEAD:{GENERATED}", cwd=root))
    assert gitforge("check", "--require-reviewed", cwd=root).code == 0
    assert gitforge("review", "--list", "--json", cwd=root).json == []
