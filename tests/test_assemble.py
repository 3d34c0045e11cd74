"""Components and templates in, files out: what a component says comes out byte for byte."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making import make_workspace, only_goal

from gitforge import goals_file
from gitforge.assemble import assemble
from gitforge.errors import UserError
from gitforge.templates import Templates
from gitforge.workspace import Workspace


def assembled(workspace: Workspace, project: str = "outage") -> dict[str, str]:
    book = workspace.book()
    goal = only_goal(book)
    components = [workspace.library.read(need) for need in goal.needs]
    return assemble(project, goal, components, book, Templates(workspace))


INERT = [
    "{{ goal.name }} {% raw %} {# not a comment #} {%- set x = 1 -%}",
    "{% endfor %}{% endblock %}{{ '{{' }}",
    "\\1 \\g<0> \\n \\\\ C:\\new $HOME ${x} $$ %s %(x)s {0} {} {x}",
    "CRLF\r\nlines\r\nstay\r\n",
    "no final newline",
    "trailing blank lines\n\n\n",
    "   leading and trailing spaces   ",
    "\tTabs\t\n",
    "na\u00efve \u4e2d\u6587 \u05e2\u05d1 \U0001f469\u200d\U0001f4bb e\u0301",
    "<b>&amp;</b> \"quotes\" 'quotes' `code` **bold**",
    "lone\rcarriage return, form\x0cfeed, \x00 and \u2028",
]


@pytest.mark.parametrize("text", INERT)
def test_the_text_of_a_component_is_inert(tmp_path: Path, text: str) -> None:
    library = dict.fromkeys(("personas/p.md", "protocols/x.md", "constraints/c.md"), text)
    files = assembled(make_workspace(tmp_path / "work", library=library))
    assert text in files["00_PERSONA.md"]
    assert files["01_PROMPT_TEMPLATE.md"].count(text) == 2


@settings(max_examples=80, deadline=None)
@given(
    st.text()
    | st.lists(
        st.sampled_from(["{{", "}}", "{%", "%}", "{#", "#}", "\n", "\r\n", "\\", "$", " x ", "-"])
    ).map("".join)
)
def test_any_text_comes_out_byte_for_byte(text: str) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        library: dict[str, str | bytes] = {
            "personas/p.md": text.encode(),
            "templates/persona.md": "<{{ persona.text }}>",
        }
        workspace = make_workspace(folder / "work", library=library)
        need = only_goal(workspace.book()).needs[0]
        body = workspace.library.read(need).body
        assert body is not None
        assert assembled(workspace)["00_PERSONA.md"] == f"<{body}>"
        assert text.encode().endswith(body.encode())
        if not text.startswith("---"):
            assert body == text
    finally:
        shutil.rmtree(folder)


def test_what_names_a_toolkit_is_inert_too(tmp_path: Path) -> None:
    goals = "goals:\n  '{{ c }}':\n    '{{ g }}': {description: '{% d %}', persona: p.md, protocol: x.md}\n"
    files = assembled(make_workspace(tmp_path / "work", goals), project="{{ p }}")
    assert files["00_PERSONA.md"].startswith("# Persona: {{ p }}\n")
    assert "{% d %}" in files["00_PERSONA.md"]


def test_a_missing_component_becomes_a_visible_placeholder(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "work")
    (workspace.root / "library/protocols/x.md").unlink()
    text = assembled(workspace)["01_PROMPT_TEMPLATE.md"]
    assert "**MISSING: the protocol `library/protocols/x.md`**" in text
    assert "Never C." in text


def test_the_same_input_gives_the_same_text(tmp_path: Path) -> None:
    assert assembled(make_workspace(tmp_path / "a")) == assembled(make_workspace(tmp_path / "b"))


def test_front_matter_does_not_reach_a_toolkit(tmp_path: Path) -> None:
    library = {"personas/p.md": "---\nname: Secret name\n---\nYou are P.\n"}
    assert "Secret name" not in assembled(make_workspace(tmp_path / "work", library=library))["00_PERSONA.md"]


FOURTH = """\
kinds:
  persona:
  example: {many: true}
  tone: {folder: voices}
outputs:
  ALL.md: templates/all.md
  EXAMPLES.txt: templates/examples.txt
  AGAIN.md: templates/all.md
goals:
  C:
    G: {description: d, persona: p.md, examples: [b.md, a.md]}
"""


def test_a_fourth_kind_and_a_third_output_work_without_touching_python(tmp_path: Path) -> None:
    library = {
        "examples/a.md": "A", "examples/b.md": "B",
        "templates/all.md": "{% for k in kinds %}{{ k.title }}{{ k.components|length }} {% endfor %}{{ tone is none }}",
        "templates/examples.txt": "{% for one in examples %}{{ one.text }}{% endfor %}",
    }  # fmt: skip
    files = assembled(make_workspace(tmp_path / "work", FOURTH, library))
    assert files == {
        "ALL.md": "Persona1 Examples2 Tone0 True",
        "EXAMPLES.txt": "BA",
        "AGAIN.md": "Persona1 Examples2 Tone0 True",
    }


def test_a_kind_of_ones_own_shows_in_the_starters_layout(tmp_path: Path) -> None:
    goals = FOURTH.replace("  persona:\n", "  persona:\n  protocol:\n  constraint:\n").replace(
        "p.md,", "p.md, protocol: x.md,"
    )
    goals = "".join(
        part for part in goals.splitlines(keepends=True) if "templates/" not in part and "outputs" not in part
    )
    files = assembled(
        make_workspace(tmp_path / "work", goals, {"examples/a.md": "First.", "examples/b.md": "Second."})
    )
    text = files["01_PROMPT_TEMPLATE.md"]
    assert text.index("## Examples") < text.index("Second.") < text.index("First.")


def test_a_template_that_fails_is_told_and_gives_nothing(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "work", library={"templates/persona.md": "\n{{ persona.txet }}"})
    with pytest.raises(UserError, match=r"library/templates/persona\.md:2: fails: .*txet"):
        assembled(workspace)


@pytest.mark.parametrize(
    "kinds",
    [
        "kinds: {persona: {many: true}, protocol: {key: procedure}, constraint: {many: false}}",
        "kinds: {persona: {key: who}, protocol: {many: true, key: how}, constraint: {key: never}}",
        "kinds: {persona: {}, protocol: {}, example: {folder: constraints, many: true}}",
    ],
)
def test_the_starters_templates_show_every_component_however_its_kind_is_declared(
    tmp_path: Path, kinds: str
) -> None:
    root = tmp_path / "w"
    workspace = make_workspace(root)
    text = f"version: 1\n{kinds}\ngoals: {{}}\n"
    declared = goals_file.parse(text).kinds
    bodies = []
    goal = "version: 1\n" + kinds + "\ngoals:\n  C:\n    G:\n      description: d\n"
    for kind in declared.values():
        goal += f"      {kind.key}: one.md\n"
        folder = root / "library" / kind.folder
        folder.mkdir(exist_ok=True)
        (folder / "one.md").write_text(f"The {kind.name}.\n")
        bodies.append(f"The {kind.name}.\n")
    book = goals_file.parse(goal)
    components = [workspace.library.read(need) for need in only_goal(book).needs]
    files = "".join(assemble("p", only_goal(book), components, book, Templates(workspace)).values())
    assert all(body in files for body in bodies)
