"""A stranger's folder, whatever is in it: something to record that is valid, or words that say why not."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from llm.cli import LoadTemplateError, _parse_yaml_template
from llm.templates import Template
from making import make_workspace
from other_tools import SOURCES, llm_templates, write
from program import files

from gitforge import goals_file, names
from gitforge.errors import UserError
from gitforge.importing import formats, recipes, source
from gitforge.importing.llm_templates import SETTINGS
from gitforge.importing.recording import prepare
from gitforge.importing.source import Source
from gitforge.store.repo import Repo
from gitforge.workspace import Workspace

Git = Callable[..., str]

FOLDERS = st.sampled_from(
    ["personas", "protocols", "guardrails", "templates", "formats", "taxonomies", "patterns", "components", "a", "A",
     "references", "con", "x:y", "\x1b[2J", "\udcff", "e\u0301", "\u202e"]
)  # fmt: skip
FILES = st.sampled_from(
    ["goal_map.json", "manifest.yaml", "system.md", "user.md", "SKILL.md", "skill.md", "a.yaml", "A.yml", "x.md", "X.md",
     "LICENSE", "p.txt", ".md", "pattern_explanations.md", "nul.md", "\udcff.md", "-.md", "bootstrap.md"]
)  # fmt: skip
LINES = st.sampled_from(
    ["---", "name: x", "name: [", "description: d", "persona: x", "persona: [x, {}]", "protocols: [guardrails/x, x, 3]",
     "taxonomies: {a: b}", "format: null", "system: s", "prompt: p", "prompt: |", "  text", "model: m", "options: {a: [1]}",
     "a: &a [*a]", "a: &b {c: *b}", "<!-- c -->", "<!--", "text", "\ufeff", "\u200b", "{{x}}", "{% raw %}", "personas:",
     "- {name: x, path: personas/x.md}", "templates:", "  g: [{path: templates/x.md, protocols: [x]}]", "# h", "\t", "",
     '{"C": {"G": {"persona": "x.md", "protocol": "../x.md"}}}', '{"C": {"G": {"persona": "x.md", "protocol": "p.txt"}}}',
     "1. **a**: Explained.", "!!python/object x", "<<: {}", "system: 5", "extract: yes", "name: NO", "\x85", "name: ''"]
)  # fmt: skip
TEXTS = st.one_of(
    st.lists(LINES, max_size=8).map(lambda lines: "\n".join(lines).encode("utf-8", "surrogateescape")),
    st.binary(max_size=20),
)
KNOWN = st.sampled_from(
    ["manifest.yaml", "templates/plan-bed.md", "personas/gardener.md", "protocols/guardrails/soil.md", "templates/x.md",
     "data/patterns/rate/system.md", "data/patterns/RATE/system.md", "data/patterns/pattern_explanations.md",
     "skills/make-tea/SKILL.md", "skills/make-tea/skill.md", "skills/MAKE-TEA/SKILL.md", "skills/make-tea/leaves.md",
     "ask.yml", "ASK.yaml", "summary.yaml", "goal_map.json", "components/personas/mole.txt", "components/personas/MOLE.txt"]
)  # fmt: skip
PATHS = KNOWN | st.tuples(st.lists(FOLDERS, max_size=3), FILES).map(
    lambda parts: "/".join([*parts[0], parts[1]])
)
TREES = st.dictionaries(PATHS, TEXTS, max_size=6)


@pytest.fixture(scope="module")
def forge(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, Repo]:
    """A small workspace in git, which no test here writes to."""
    workspace = make_workspace(tmp_path_factory.mktemp("forge"))
    return workspace, Repo.create(workspace.root)


def written(root: Path, tree: dict[str, bytes]) -> Path:
    for name, content in tree.items():
        try:
            write(root, {name: content})
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            continue
    root.mkdir(exist_ok=True)
    return root


@given(TREES, st.sampled_from([None, *SOURCES]))
@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_garbage_gives_goals_that_load_or_words_and_loses_no_file(
    forge: tuple[Workspace, Repo], tree: dict[str, bytes], base: str | None
) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        if base is not None:
            SOURCES[base](folder / "theirs")
        root = written(folder / "theirs", tree)
        try:
            found = formats.read(folder, "theirs")
        except UserError:
            return
        reading = found.reading
        taken = {piece.source for piece in reading.pieces}
        skipped = {one.path for one in reading.skipped}
        assert not taken & skipped
        assert taken | {one for one in skipped if (root / one).is_file()} == files(root).keys()
        try:
            one = prepare(*forge, found)
        except UserError:
            return
        workspace = forge[0]
        after = goals_file.parse(recipes.with_goals(workspace.goals_file.read_text(), one.placed))
        assert {goal.goal.name for goal in one.placed.goals} <= after.goals.keys()
        for component in one.placed.components:
            assert names.component_name(component.need.name)
            assert component.piece.text.strip()
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize("name", SOURCES)
def test_each_format_is_recognised_by_what_is_there(tmp_path: Path, name: str) -> None:
    SOURCES[name](tmp_path / "theirs")
    assert formats.read(tmp_path, "theirs").format == name
    assert formats.read(tmp_path, "theirs", name).format == name


@pytest.mark.parametrize("name", ["{}.md", "{}/{}/x.md"])
def test_too_many_files_and_folders_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(source, "MAX_FILES", 3)
    write(tmp_path, {name.format(number, number): "x" for number in range(4)})
    with pytest.raises(UserError, match="has more than 3 files and folders"):
        Source(tmp_path)


def test_too_much_text_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MAX_TOTAL", 10)
    found = Source(write(tmp_path, {"a.md": "x" * 8, "b.md": "x" * 8}))
    assert found.take("a.md") == ("x" * 8, False)
    with pytest.raises(UserError, match="of text"):
        found.take("b.md")


def test_folders_beyond_a_depth_are_told_and_not_entered(tmp_path: Path) -> None:
    deep = "/".join(["d"] * (source.MAX_DEPTH + 2))
    found = Source(write(tmp_path, {f"{deep}/x.md": "x", "y.md": "y"}))
    assert found.paths == ("y.md",)
    assert [one.reason for one in found.skipped] == [f"is more than {source.MAX_DEPTH} folders deep"]


def test_a_file_that_has_become_a_link_since_is_not_followed(tmp_path: Path) -> None:
    write(tmp_path, {"in/a.md": "a", "secret.md": "secret"})
    found = Source(tmp_path / "in")
    (tmp_path / "in/a.md").unlink()
    (tmp_path / "in/a.md").symlink_to(tmp_path / "secret.md")
    assert found.take("a.md") is None
    assert found.skipped[0].path == "a.md"


def test_gits_own_folder_is_no_part_of_a_source(tmp_path: Path, git: Git) -> None:
    git("init", "-q", cwd=tmp_path)
    write(tmp_path, {"a.md": "a"})
    assert Source(tmp_path).paths == ("a.md",)


def test_settings_that_grow_beyond_all_bounds_are_left_out_and_said(tmp_path: Path) -> None:
    levels = "\n".join(f"  l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 6))
    write(tmp_path / "t", {"a.yaml": f"system: S.\noptions:\n  l0: &l0 [{'x, ' * 9}]\n{levels}\n"})
    (piece,) = formats.read(tmp_path, "t").reading.pieces
    assert piece.text == "---\n---\nS."
    assert piece.note == "without options: they cannot be kept in front matter"


def test_a_template_is_what_llm_itself_takes_for_one(tmp_path: Path) -> None:
    llm_templates(tmp_path)
    taken = {piece.source for piece in formats.read(tmp_path.parent, tmp_path.name).reading.pieces}
    for path in (one for one in tmp_path.iterdir() if one.suffix in {".yaml", ".yml"}):
        try:
            _parse_yaml_template(path.stem, path.read_text())  # type: ignore[no-untyped-call]
        except LoadTemplateError:
            assert path.name not in taken
        else:  # one without a text is right too, but holds nothing to take
            assert path.name in taken | {"settings.yaml"}


def test_every_setting_that_a_template_of_llm_can_have_is_known() -> None:
    assert set(Template.model_fields) == SETTINGS | {"system", "prompt"}
