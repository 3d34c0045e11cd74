"""`gitforge export` of what `gitforge import` took: whole prompts come back as they were."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from making import make_repository
from program import GOAL, files, gitforge

Git = Callable[..., str]

RATE = "# IDENTITY\n\nYou rate what you are given.\n\n# INPUT\n\nINPUT:\n"
TEMPLATE = {
    "model": "m-1",
    "defaults": {"language": "English"},
    "schema_object": {"type": "object"},
    "system": "You write $language, and $$5 stays.",
    "prompt": "Summarize $input with ${x}.",
}


@pytest.fixture
def empty(tmp_path: Path, git: Git) -> Path:
    """A workspace without goals."""
    root = make_repository(tmp_path / "empty", git, {"goals.yaml": "version: 1\ngoals: {}\n"})
    (root / "library").mkdir()
    return root


def take(root: Path, **texts: str) -> Path:
    """Imports a folder with these files, `__` for `/` and `_d_` for `.`."""
    source = root.parent / "source"
    for name, text in texts.items():
        path = source / name.replace("__", "/").replace("_d_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    done = gitforge("import", str(source), "--yes", cwd=root)
    assert done.code == 0, done.err
    return source


def export(root: Path, to: str) -> dict[str, str]:
    """What all goals become."""
    out = root.parent / "exported" / to
    done = gitforge("export", "--all", "--to", to, "--out", str(out), cwd=root)
    assert done.code == 0, done.err
    return {name: text.decode() for name, text in files(out).items()}


def test_a_pattern_of_fabric_comes_back_byte_for_byte(empty: Path) -> None:
    source = take(empty, rate__system_d_md=RATE, sum__system_d_md="# IDENTITY\n\nSum up {{input}}.\n")
    assert export(empty, "fabric") == {name: text.decode() for name, text in files(source).items()}


def test_a_pattern_has_a_place_for_its_input_in_formats_that_need_one(empty: Path) -> None:
    take(empty, rate__system_d_md=RATE)
    (text,) = export(empty, "messages").values()
    system, user = yaml.safe_load(text)
    assert system["content"] == RATE.strip()
    assert user["content"] == "«What the instructions above are to be applied to.»"
    assert "inputs" in export(empty, "prompty")["rate.prompty"]
    assert yaml.safe_load(export(empty, "llm")["rate.yaml"]) == {"system": RATE.strip()}


def test_a_skill_comes_back_with_its_own_text_alone(empty: Path) -> None:
    body = "# PDF Guide\n\nRead «what they ask» in the file.\n"
    take(empty, pdf__SKILL_d_md=f"---\nname: pdf\ndescription: Use this skill for PDF files.\n---\n\n{body}")
    front, text = export(empty, "skill")["pdf/SKILL.md"].removeprefix("---\n").split("---\n\n", 1)
    assert text == body
    assert yaml.safe_load(front)["description"] == "Use this skill for PDF files."


def test_a_template_of_llm_comes_back_with_its_variables_and_settings(empty: Path) -> None:
    take(
        empty, sum_d_yaml=yaml.safe_dump(TEMPLATE), plain_d_yaml='prompt: "Do $input"\n',
        text_d_yaml="prompt: No variable.\n",
    )  # fmt: skip
    found = {name: yaml.safe_load(text) for name, text in export(empty, "llm").items()}
    assert found == {
        "sum.yaml": TEMPLATE,
        "plain.yaml": {"prompt": "Do $input"},
        "text.yaml": {"prompt": "No variable."},
    }


def test_dollars_in_other_components_are_still_no_variables(workspace: Path) -> None:
    path = workspace / "library/personas/digital_detective.md"
    path.write_text("You take $input for $5.\n")
    done = gitforge("export", "--goal", GOAL, "--to", "llm", "--out", "-", cwd=workspace)
    assert yaml.safe_load(done.out)["system"] == "You take $$input for $$5."


def test_code_that_llm_would_run_is_left_out_and_said(empty: Path) -> None:
    take(empty, sum_d_yaml="prompt: Go on.\nfunctions: |\n  import os\nmodel: m-1\n")
    done = gitforge("export", "--goal", "SUM", "--to", "llm", "--out", "-", cwd=empty)
    assert yaml.safe_load(done.out) == {"prompt": "Go on.", "model": "m-1"}
    assert "without functions, which llm would run" in done.err
    assert "has model as" in done.err


def test_a_toolkit_of_a_whole_prompt_has_nothing_around_it(empty: Path) -> None:
    take(empty, rate__system_d_md=RATE)
    take(empty, rate__system_d_md=RATE, ask__system_d_md="Ask.\n", ask__user_d_md="# ASK\n\nWhat?\n")
    assert gitforge("build", "x", "--goal", "RATE", cwd=empty).code == 0
    text = (empty / "output/x/01_PROMPT_TEMPLATE.md").read_text()
    assert "## Task" not in text
    assert "`00_PERSONA.md` is the whole prompt" in text
    assert gitforge("build", "y", "--goal", "ASK", cwd=empty).code == 0
    text = (empty / "output/y/01_PROMPT_TEMPLATE.md").read_text()
    assert "## " not in text
    assert text.rstrip().endswith("# ASK\n\nWhat?")


def test_a_component_with_a_title_of_its_own_gets_no_second_one(workspace: Path) -> None:
    book = workspace / "goals.yaml"
    data = yaml.safe_load(book.read_text())
    kinds = {"persona": {}, "protocol": {}, "constraint": {"many": True, "key": "constraints"}}
    data["kinds"] = {name: {"folder": f"{name}s", **more} for name, more in kinds.items()}
    data["kinds"]["format"] = {"folder": "formats"}
    for goals in data["goals"].values():
        if GOAL in goals:
            goals[GOAL]["format"] = "f.md"
    book.write_text(yaml.safe_dump(data))
    (workspace / "library/formats").mkdir()
    for body, count in (("# Format: a table\n", 0), ("### Columns\n", 1), ("A table.\n", 1)):
        (workspace / "library/formats/f.md").write_text(body)
        done = gitforge("export", "--goal", GOAL, "--to", "messages", "--out", "-", cwd=workspace)
        assert done.json[1]["content"].count("## Format\n") == count
        assert body.strip() in done.json[1]["content"]
