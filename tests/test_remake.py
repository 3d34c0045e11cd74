"""A manifest says all that a toolkit was made from: its files can be made again from git's objects alone."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from program import CONSTRAINT, GOAL, NAME, PERSONA, PROTOCOL, build, files

from gitforge import manifest
from gitforge.errors import UserError
from gitforge.manifest import NewerManifest
from gitforge.remake import OtherText, TextLost, remake
from gitforge.store.repo import Repo

Git = Callable[..., str]
MANIFEST = "output/outage/toolkit.json"


def remade(root: Path) -> dict[str, bytes]:
    """The files of the toolkit, made again while nothing but git is there."""
    known = manifest.load(root / MANIFEST, MANIFEST)
    hidden = root.parent / "hidden"
    hidden.mkdir()
    for name in ("goals.yaml", "library", "output"):
        (root / name).rename(hidden / name)
    try:
        again = remake(Repo.discover(root), known, MANIFEST, on_disk={})
    finally:
        for name in ("goals.yaml", "library", "output"):
            (hidden / name).rename(root / name)
        hidden.rmdir()
    return {name: text.encode() for name, text in again.items()}


def assert_remade(root: Path) -> None:
    folder = root / "output/outage"
    on_disk = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "toolkit.json"}
    assert remade(root) == on_disk
    assert len(on_disk) >= 2


def data(root: Path) -> Any:
    return json.loads((root / MANIFEST).read_text())


def collect(git: Git, root: Path) -> None:
    git("reflog", "expire", "--expire=now", "--all", cwd=root)
    git("gc", "-q", "--prune=now", cwd=root)


def test_a_toolkit_of_committed_components_is_made_again(workspace: Path, git: Git) -> None:
    assert build(workspace).code == 0
    assert_remade(workspace)
    assert git("for-each-ref", "refs/gitforge", cwd=workspace) == "", "git has all of it already"


def test_the_manifest_says_it_readably(workspace: Path, git: Git) -> None:
    assert build(workspace).code == 0
    said = data(workspace)
    assert (said["format"], said["project"], said["goal"]) == (2, "outage", GOAL)
    assert said["category"]
    assert said["description"].startswith("To find the underlying cause")
    assert [one["name"] for one in said["kinds"]] == ["persona", "protocol", "constraint"]
    assert [one["path"] for one in said["components"]] == [PERSONA, PROTOCOL, CONSTRAINT]
    assert said["components"][0]["blob"] == git("rev-parse", f"HEAD:{PERSONA}", cwd=workspace)
    assert said["outputs"]["00_PERSONA.md"]["template"] == "templates/persona.md"
    assert [one["path"] for one in said["templates"]] == [
        "library/templates/persona.md",
        "library/templates/prompt_template.md",
    ]


def test_unrelated_commits_change_nothing_in_it(workspace: Path, git: Git) -> None:
    assert build(workspace).code == 0
    before = files(workspace / "output")
    goals = workspace / "goals.yaml"
    text = goals.read_text().replace(
        "goals:\n", f"descriptions:\n  {NAME}: Something of no consequence.\ngoals:\n", 1
    )
    text = text.replace(
        "goals:\n", "kinds: {persona: {}, protocol: {}, constraint: {}, tone: {}}\ngoals:\n", 1
    )
    goals.write_text(text)
    (workspace / "library/protocols/another.md").write_text("## Another\n")
    (workspace / "README.md").write_text("Read me.\n")
    git("add", "-A", cwd=workspace)
    git("commit", "-qm", "Something else", cwd=workspace)
    done = build(workspace)
    assert done.code == 0, done.told
    assert files(workspace / "output") == before


def test_edits_that_are_not_committed_are_kept_for_it(workspace: Path, git: Git) -> None:
    (workspace / PERSONA).write_text("You are mine.\n")
    (workspace / PROTOCOL).write_text("---\nname: x\n---\n\nDo mine.")
    template = workspace / "library/templates/persona.md"
    template.write_text(template.read_text() + "My layout.\n")
    git("add", "--", PROTOCOL, cwd=workspace)
    assert build(workspace).code == 0
    git("checkout", "-q", "HEAD", "--", "library", cwd=workspace)
    collect(git, workspace)
    assert_remade(workspace)
    refs = git("for-each-ref", "--format=%(refname) %(objectname)", cwd=workspace).splitlines()
    kept = dict(line.split() for line in refs if "/texts/" in line)
    assert len(kept) == 3
    assert all(ref == f"refs/gitforge/texts/{id_}" for ref, id_ in kept.items())


def test_templates_of_gitforges_own_are_kept_for_it(workspace: Path, git: Git) -> None:
    git("rm", "-qr", "library/templates", cwd=workspace)
    git("commit", "-qm", "Use gitforge's", cwd=workspace)
    assert build(workspace).code == 0
    assert [one["path"] for one in data(workspace)["templates"]] == [None, None]
    collect(git, workspace)
    assert_remade(workspace)
    before = files(workspace / "output"), git("for-each-ref", cwd=workspace)
    assert build(workspace).code == 0
    assert (files(workspace / "output"), git("for-each-ref", cwd=workspace)) == before


def test_includes_parents_and_imports_of_templates_belong_to_it(workspace: Path, git: Git) -> None:
    templates = workspace / "library/templates"
    (templates / "base.md").write_text("{% block main %}{% endblock %}{% include 'templates/foot.md' %}\n")
    (templates / "foot.md").write_text("The end of {{ project }}.\n")
    (templates / "macros.md").write_text("{% macro loud(x) %}{{ x | upper }}{% endmacro %}")
    (templates / "persona.md").write_text(
        "{% extends 'templates/base.md' %}{% import 'templates/macros.md' as m %}"
        "{% block main %}{{ m.loud(goal.title) }}{{ persona.text }}{% endblock %}"
    )
    assert build(workspace).code == 0
    names = [one["name"] for one in data(workspace)["templates"]]
    assert names == sorted(
        f"templates/{name}.md" for name in ("base", "foot", "macros", "persona", "prompt_template")
    )
    assert_remade(workspace)


def test_a_placeholder_is_made_again_with_the_purpose_that_it_shows(incomplete: Path) -> None:
    goals = incomplete / "goals.yaml"
    goals.write_text(goals.read_text().replace(
        f"protocol: {NAME}", f"protocol: {{file: {NAME}, description: To drill.}}", 1))  # fmt: skip
    assert build(incomplete, "--describe", f"{NAME}=").code == 3
    protocol = data(incomplete)["components"][1]
    assert (protocol["blob"], protocol["purpose"]) == (None, "To drill.")
    assert "To drill." in (incomplete / "output/outage/01_PROMPT_TEMPLATE.md").read_text()
    assert_remade(incomplete)


def test_a_kind_that_only_shows_by_its_absence_belongs_to_it(workspace: Path) -> None:
    goals = workspace / "goals.yaml"
    kinds = "kinds: {persona: {}, protocol: {}, constraint: {}, tone: {}}\ngoals:\n"
    goals.write_text(goals.read_text().replace("goals:\n", kinds, 1))
    (workspace / "library/templates/persona.md").write_text("{{ kinds | length }} {{ tone is none }}")
    assert build(workspace).code == 0
    assert (workspace / "output/outage/00_PERSONA.md").read_text() == "4 True"
    assert_remade(workspace)


def test_line_endings_that_git_converts_come_out_as_they_were(workspace: Path, git: Git) -> None:
    git("config", "core.autocrlf", "true", cwd=workspace)
    (workspace / PERSONA).unlink()
    git("checkout", "--", PERSONA, cwd=workspace)
    assert b"\r\n" in (workspace / PERSONA).read_bytes()
    assert build(workspace).code == 0
    assert b"\r\n" in (workspace / "output/outage/00_PERSONA.md").read_bytes()
    persona = data(workspace)["components"][0]
    assert persona["blob"] == git("rev-parse", f"HEAD:{PERSONA}", cwd=workspace)
    assert_remade(workspace)


def test_it_holds_after_amend_rebase_and_move(workspace: Path, git: Git) -> None:
    assert build(workspace).code == 0
    git("commit", "-q", "--amend", "-m", "Another message", cwd=workspace)
    git("mv", PERSONA, "library/personas/moved.md", cwd=workspace)
    git("commit", "-qm", "Move", cwd=workspace)
    collect(git, workspace)
    assert_remade(workspace)


def test_a_workspace_below_the_top_of_sha256_repository_is_the_same(
    starter: Path, tmp_path: Path, git: Git
) -> None:
    repository = tmp_path / "repository"
    root = repository / "tools/prompts"
    shutil.copytree(starter, root, ignore=shutil.ignore_patterns(".git"))
    git("init", "-q", "--object-format=sha256", str(repository), cwd=tmp_path)
    git("add", ".", cwd=repository)
    git("commit", "-qm", "start", cwd=repository)
    (root / PERSONA).write_text("You are mine.\n")
    assert build(root).code == 0
    assert_remade(root)


# What cannot be made again


def lost(root: Path, on_disk: dict[str, str] | None = None) -> TextLost:
    known = manifest.load(root / MANIFEST, MANIFEST)
    with pytest.raises(TextLost) as raised:
        remake(Repo.discover(root), known, MANIFEST, on_disk=on_disk or {})
    assert raised.value.hint
    return raised.value


def test_history_rewritten_under_it_is_said_and_the_nearest_version_offered(
    workspace: Path, git: Git
) -> None:
    (workspace / PERSONA).write_text("---\nname: a\n---\nYou are A.\n")
    git("commit", "-qam", "A", cwd=workspace)
    assert build(workspace).code == 0
    text = (workspace / "output/outage/00_PERSONA.md").read_text()
    git("checkout", "-q", "--orphan", "new", "HEAD~1", cwd=workspace)
    git("commit", "-qm", "Start", cwd=workspace)
    for body, name in (("You are A.", "other"), ("You are B.", "a")):
        (workspace / PERSONA).write_text(f"---\nname: {name}\n---\n{body}\n")
        git("commit", "-qam", body, cwd=workspace)
    git("branch", "-qD", "main", cwd=workspace)
    collect(git, workspace)
    assert lost(workspace).nearest == git("rev-parse", "HEAD", cwd=workspace), "else the newest one"
    error = lost(workspace, {"00_PERSONA.md": text})
    assert error.path == PERSONA
    assert error.nearest == git("rev-parse", "HEAD~1", cwd=workspace), "its text stands in the toolkit"
    assert PERSONA in error.message


def test_a_shallow_clone_that_has_not_got_a_text_says_so(workspace: Path, git: Git, tmp_path: Path) -> None:
    assert build(workspace).code == 0
    (workspace / PERSONA).write_text("You are another.\n")
    git("commit", "-qam", "Another", cwd=workspace)
    clone = tmp_path / "clone"
    git("clone", "-q", "--depth=1", workspace.as_uri(), str(clone), cwd=tmp_path)
    shutil.copytree(workspace / "output", clone / "output", dirs_exist_ok=True)
    error = lost(clone)
    assert error.hint
    assert "git fetch --unshallow" in error.hint
    git("fetch", "-q", "--unshallow", cwd=clone)
    assert_remade(clone)


def test_a_partial_clone_fetches_a_text_or_says_that_it_cannot(
    workspace: Path, git: Git, tmp_path: Path
) -> None:
    assert build(workspace).code == 0
    (workspace / PERSONA).write_text("You are another.\n")
    git("commit", "-qam", "Another", cwd=workspace)
    git("config", "uploadpack.allowFilter", "true", cwd=workspace)
    clone = tmp_path / "clone"
    git("clone", "-q", "--filter=blob:none", workspace.as_uri(), str(clone), cwd=tmp_path)
    shutil.copytree(workspace / "output", clone / "output", dirs_exist_ok=True)
    git("remote", "set-url", "origin", (tmp_path / "nowhere").as_uri(), cwd=clone)
    error = lost(clone)
    assert error.hint
    assert "partial clone" in error.hint
    git("remote", "set-url", "origin", workspace.as_uri(), cwd=clone)
    assert_remade(clone)


def test_another_text_than_was_assembled_is_said(workspace: Path, git: Git) -> None:
    assert build(workspace).code == 0
    said = data(workspace)
    said["components"][0]["blob"] = git("rev-parse", f"HEAD:{CONSTRAINT}", cwd=workspace)
    (workspace / MANIFEST).write_text(json.dumps(said))
    known = manifest.load(workspace / MANIFEST, MANIFEST)
    repo = Repo.discover(workspace)
    with pytest.raises(OtherText, match=r"another text than was assembled: 00_PERSONA\.md"):
        remake(repo, known, MANIFEST, on_disk={})
    assert remake(repo, known, MANIFEST, on_disk={}, only=["01_PROMPT_TEMPLATE.md"])


def valid() -> dict[str, Any]:
    blob = "0" * 40
    return {
        "format": 2, "gitforge": "0.1", "project": "p", "goal": "G", "category": "C", "description": "d",
        "degraded": False, "kinds": [{"name": "persona", "folder": "personas", "key": "persona", "many": False}],
        "components": [{"kind": "persona", "name": "p.md", "path": "library/personas/p.md", "blob": blob,
                        "commit": None, "uncommitted": True}],
        "templates": [{"name": "templates/a.md", "path": None, "blob": blob}],
        "outputs": {"A.md": {"template": "templates/a.md", "sha256": "0" * 64}},
    }  # fmt: skip


def test_a_manifest_read_and_written_is_the_same() -> None:
    assert manifest.parse(valid(), "x").as_json() == valid()


def test_the_old_format_is_read_for_what_it_says(workspace: Path) -> None:
    old = {**valid(), "format": 1, "outputs": {"A.md": {"sha256": "0" * 64}},
           "templates": [{"path": "gitforge:templates/a.md", "blob": None}]}  # fmt: skip
    for key in ("category", "description", "kinds"):
        del old[key]
    known = manifest.parse(old, "x")
    assert (known.goal.name, known.hashes, known.format) == ("G", {"A.md": "0" * 64}, 1)
    assert [part.text.path for part in known.parts] == ["library/personas/p.md"]
    with pytest.raises(UserError, match="an older gitforge"):
        remake(Repo.discover(workspace), known, "x", on_disk={})


def test_a_newer_format_is_refused_with_its_version() -> None:
    with pytest.raises(NewerManifest, match=r"x: was written by gitforge 9\.9 in format 3") as refused:
        manifest.parse({**valid(), "format": 3, "gitforge": "9.9"}, "x")
    assert refused.value.hint == "Update gitforge."


BROKEN: list[Callable[[dict[str, Any]], object]] = [
    lambda said: said.pop("goal"),
    lambda said: said.update(format="2"),
    lambda said: said.update(format=True),
    lambda said: said.update(goal=None),
    lambda said: said.update(project="../x"),
    lambda said: said.update(kinds=5),
    lambda said: said["kinds"][0].update(folder="../.git"),
    lambda said: said["components"].append("x"),
    lambda said: said["components"][0].update(kind="other"),
    lambda said: said["components"][0].update(name="../p.md"),
    lambda said: said["components"][0].update(path="/etc/passwd"),
    lambda said: said["components"][0].update(path="a/../../b"),
    lambda said: said["components"][0].update(blob="--help"),
    lambda said: said["components"][0].update(blob="0" * 40 + "\n"),
    lambda said: said["components"][0].update(commit=5),
    lambda said: said["templates"][0].update(name="../../x"),
    lambda said: said.update(outputs={"../x": {"template": "t.md", "sha256": "0" * 64}}),
    lambda said: said["outputs"]["A.md"].update(sha256="x"),
    lambda said: said["outputs"].update({"B.md": None}),
]


@pytest.mark.parametrize("number", range(len(BROKEN)))
def test_garbage_is_an_error_that_names_the_file(number: int) -> None:
    said = valid()
    BROKEN[number](said)
    with pytest.raises(UserError, match=r"^some/toolkit\.json: is not a manifest of gitforge"):
        manifest.parse(said, "some/toolkit.json")


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"\xff", b"[" * 100_000, b'{"goal": "\\ud800"}', b" " * 5_000_000]
)
def test_a_file_that_is_no_json_object_is_an_error_that_names_it(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "toolkit.json").write_bytes(content)
    with pytest.raises(UserError, match=r"^some/toolkit\.json: is not a manifest of gitforge"):
        manifest.load(tmp_path / "toolkit.json", "some/toolkit.json")
    with pytest.raises(UserError, match="there is no such file"):
        manifest.load(tmp_path / "other.json", "some/toolkit.json")
