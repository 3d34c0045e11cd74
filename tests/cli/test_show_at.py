"""`gitforge show COMPONENT@REV`: a component as it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from program import NAME, PERSONA, PROTOCOL, gitforge

Git = Callable[..., str]


@pytest.fixture
def changed(workspace: Path, git: Git) -> Path:
    """The persona was edited, then renamed; the protocol was deleted."""
    (workspace / PERSONA).write_text("Edited.\n")
    git("commit", "-qam", "Edit it", cwd=workspace)
    git("mv", PERSONA, "library/personas/sleuth.md", cwd=workspace)
    git("commit", "-qm", "Rename it", cwd=workspace)
    git("rm", "-q", PROTOCOL, cwd=workspace)
    git("commit", "-qm", "Drop a protocol", cwd=workspace)
    goals = workspace / "goals.yaml"
    goals.write_text(goals.read_text().replace(NAME, "premortem.md").replace("digital_detective", "sleuth"))
    git("commit", "-qam", "Use others", cwd=workspace)
    return workspace


@pytest.mark.parametrize("name", ["digital_detective.md", "digital_detective", "sleuth", PERSONA])
def test_it_is_found_by_its_name_of_then_and_of_today(changed: Path, git: Git, name: str) -> None:
    done = gitforge("show", f"{name}@HEAD~3", "--json", cwd=changed)
    assert done.code == 0, done.told
    assert done.json["path"] == PERSONA
    assert done.json["text"] == "Edited.\n"
    assert done.json["revision"] == git("rev-parse", "HEAD~3", cwd=changed)
    assert done.json["blob"] == git("rev-parse", f"HEAD~3:{PERSONA}", cwd=changed)
    assert done.json["origin"]["subject"] == "Edit it"


def test_one_that_is_gone_today_is_shown(changed: Path, git: Git) -> None:
    done = gitforge("show", f"{NAME}@HEAD~2", cwd=changed)
    assert done.code == 0, done.told
    assert git("show", f"HEAD~2:{PROTOCOL}", cwd=changed) in done.out
    assert f"as it was in {git('rev-parse', 'HEAD~2', cwd=changed)[:10]}" in done.out


def test_without_a_revision_the_hint_is_a_command_that_shows_it(changed: Path, git: Git) -> None:
    done = gitforge("show", NAME, cwd=changed)
    assert (done.code, done.out) == (1, "")
    dropped = git("rev-parse", "--short=10", "HEAD~1", cwd=changed)
    assert f"is gone since commit {dropped}" in done.err
    command = done.err.partition("`gitforge ")[2].partition("`")[0].replace("'", "").split()
    assert gitforge(*command, cwd=changed).code == 0


def test_a_revision_may_have_an_at_sign_itself(changed: Path) -> None:
    assert gitforge("show", "sleuth.md@HEAD@{0}", cwd=changed).code == 0
    assert gitforge("show", "sleuth.md@@{1}", cwd=changed).code == 0


def test_a_component_with_an_at_sign_in_its_name_wins(workspace: Path) -> None:
    (workspace / "library/personas/digital_detective@HEAD.md").write_text("Odd.\n")
    done = gitforge("show", "digital_detective@HEAD.md", "--json", cwd=workspace).json
    assert done["text"] == "Odd.\n"


def test_its_provenance_is_that_of_then(incomplete: Path, git: Git) -> None:
    options = ("--describe", f"{NAME}=To try it.", "--yes", "--provider", "offline")
    assert gitforge("generate", NAME, *options, cwd=incomplete).code == 0
    made = git("rev-parse", "HEAD", cwd=incomplete)
    (incomplete / PROTOCOL).write_text("Mine.\n")
    git("commit", "-qam", "Edit it", cwd=incomplete)
    done = gitforge("show", f"{NAME}@HEAD~1", "--provenance", "--json", cwd=incomplete).json
    assert (done["commit"], done["edited"]) == (made, False)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("sleuth.md@nowhere", "'nowhere' is no commit"),
        ("nobody.md@HEAD", "nobody.md"),
        ("DIAGNOSE_ROOT_CAUSE@HEAD", "is a goal"),
        (f"{NAME}@HEAD", "is not in"),
        ("../../goals.yaml@HEAD", "goals.yaml"),
        ("@", "no commit"),
        ("sleuth.md@--help", "no commit"),
    ],
)
def test_what_cannot_be_shown_is_an_error(changed: Path, name: str, said: str) -> None:
    done = gitforge("show", name, cwd=changed)
    assert (done.code, done.out) == (1, "")
    assert said in done.err


def test_what_is_no_text_there_is_an_error(workspace: Path, git: Git) -> None:
    (workspace / PERSONA).write_bytes(b"\xff\xfe\n")
    git("commit", "-qam", "Binary", cwd=workspace)
    done = gitforge("show", "digital_detective@HEAD", cwd=workspace)
    assert (done.code, done.out) == (1, "")
    assert "UTF-8" in done.err
