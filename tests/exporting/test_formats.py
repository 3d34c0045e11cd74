"""Each format, read by its own tool: what the tool makes of a file is exactly our text."""

from __future__ import annotations

import asyncio
import json
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import llm.cli
import openai.types.chat
import prompty
import pydantic
import pytest
import yaml
from exported import SLOTTED, TEXTS, filled, prompt
from hypothesis import HealthCheck, assume, example, given, settings
from jinja2.sandbox import ImmutableSandboxedEnvironment
from skills_ref.parser import parse_frontmatter
from skills_ref.validator import validate

from gitforge.errors import UserError
from gitforge.exporting import dotprompt, fabric, formats, llm_template, messages, promptfoo, skill
from gitforge.exporting import prompty as prompty_format
from gitforge.exporting.prompt import Prompt

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from dotpromptz import Dotprompt
    from dotpromptz.typing import DataArgument

in_one_folder = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
VALUE = "the *value*: {{x}} $y"


def values(one: Prompt) -> dict[str, str]:
    return {slot.name: f"{VALUE} {slot.name}" for slot in one.slots}


def place(folder: Path, files: Mapping[str, str]) -> Path:
    """Writes the files; returns the first."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8", newline="")
    return folder / next(iter(files))


def lines(text: str) -> str:
    """With the ends of lines that only Python takes for such as Python joins them."""
    return "\n".join(text.splitlines())


# Agent Skills


@in_one_folder
@given(system=TEXTS, user=SLOTTED, description=TEXTS)
def test_a_skill_is_valid_and_has_our_text(tmp_path: Path, system: str, user: str, description: str) -> None:
    assume("!`" not in system + user)
    assume("```!" not in system + user)
    one = prompt(system, user, description=" ".join(description.split()) or "x")
    path = place(tmp_path, skill.files(one, "my-skill"))
    assert validate(path.parent) == []
    front, body = parse_frontmatter(path.read_text("utf-8"))
    assert body == f"{system}\n\n{user}"
    assert front["description"] == one.description
    assert front["metadata"]["gitforge-goal"] == "DIAGNOSE"


def test_a_skill_has_a_description_of_1024_characters_at_most_and_it_is_said(tmp_path: Path) -> None:
    one = prompt(description="word " * 400)
    path = place(tmp_path, skill.files(one, "my-skill"))
    assert validate(path.parent) == []
    assert len(parse_frontmatter(path.read_text("utf-8"))[0]["description"]) <= 1024
    assert "cut to 1,024" in skill.notes(one)[0]
    assert skill.notes(prompt()) == ()


@pytest.mark.parametrize(
    ("description", "wanted"),
    [
        ("To find out.", "To find out. Use it."),
        ("To find out", "To find out. Use it."),
        ("Why?", "Why? Use it."),
        ("word " * 400, f"{' '.join(['word'] * 202)}… Use it."),
    ],
)
def test_when_a_skill_is_used_stands_behind_its_description_and_is_never_cut(
    description: str, wanted: str, tmp_path: Path
) -> None:
    one = replace(prompt(description=description.strip()), when="Use it.")
    path = place(tmp_path, skill.files(one, "my-skill"))
    assert validate(path.parent) == []
    assert parse_frontmatter(path.read_text("utf-8"))[0]["description"] == wanted


def test_a_skill_that_is_long_to_read_is_said() -> None:
    assert "has 25 KiB, all of which an agent reads" in skill.notes(prompt(user="word " * 5120))[0]


@pytest.mark.parametrize("text", ["!`rm -rf x`", "see !`date`", "a\n```!\ndate\n```"])
def test_a_skill_has_nothing_that_claude_code_would_run(text: str) -> None:
    with pytest.raises(UserError, match="runs as a command"):
        skill.files(prompt(user=text), "my-skill")
    assert skill.files(prompt(user="never!`x` and ``` !a"), "my-skill")
    assert "place of $1" in skill.notes(prompt(user="awk '{print $1}'"))[0]


def test_a_skill_cannot_have_a_name_of_more_than_64_characters() -> None:
    with pytest.raises(UserError, match="64 characters"):
        skill.files(prompt(), "a" * 65)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("DIAGNOSE_ROOT_CAUSE", "diagnose-root-cause"),
        ("_A--B__C_", "a-b-c"),
        ("acme:GOAL", "acme-goal"),
        ("Prüfung İ 分析", "prüfung-i-分析"),
        ("Review & Audit", "review-audit"),
    ],
)
def test_a_goal_s_name_becomes_one_that_a_skill_can_have(tmp_path: Path, name: str, wanted: str) -> None:
    found = formats.find("skill").name_of(name)
    assert found == wanted
    assert validate(place(tmp_path, skill.files(prompt(), found)).parent) == []


@pytest.mark.parametrize("name", ["!!!", "CON", "---", " "])
def test_a_name_of_which_nothing_is_left_is_refused(name: str) -> None:
    with pytest.raises(UserError):
        formats.find("skill").name_of(name)


# dotprompt


def render(source: str, given_: dict[str, str]) -> Any:
    return asyncio.run(Dotprompt().render(source, DataArgument(input=given_)))


def rendered_by_dotprompt(source: str, given_: dict[str, str]) -> dict[str, str]:
    done = render(source, given_)
    return {one.role.value: "".join(part.text for part in one.content) for one in done.messages}


@in_one_folder
@given(system=TEXTS, user=SLOTTED)
@example(system="{", user="{«what»}")
@example(system="}", user="a\\«what»}}")
@example(system="{#}#}", user="{{{«what»{{")
def test_dotprompt_renders_exactly_our_text(system: str, user: str) -> None:
    one = prompt(system, user)
    source = dotprompt.files(one, "outage")["outage.prompt"]
    found = rendered_by_dotprompt(source, values(one))
    assert found == {"system": system, "user": filled(one, values(one))}


@pytest.mark.parametrize(
    ("user", "wanted"),
    [
        ("{«what»", "{ {{~what}}"),
        ("«what»}", "{{what~}} }"),
        ("\\«what»", r"\\{{what}}"),
        ("\\{{", r"\\{{!}}\{{"),
    ],
)
def test_braces_and_backslashes_beside_a_variable_are_kept_apart_from_it(user: str, wanted: str) -> None:
    """Google's JavaScript is stricter here than its Python."""
    assert dotprompt.files(prompt("", user), "x")["x.prompt"].endswith(
        f'---\n{{{{role "user"~}}}}\n{wanted}\n'
    )


def test_dotprompt_knows_the_inputs_and_only_the_first_is_required() -> None:
    source = dotprompt.files(prompt(), "outage")["outage.prompt"]
    done = render(source, {"task": "it hangs"})
    assert done.name == "outage"
    assert done.description == "To find out."
    assert done.metadata["gitforge"]["goal"] == "DIAGNOSE"
    assert done.input.model_dump(by_alias=True)["schema"]["required"] == ["task"]
    assert "# Task\n\nit hangs\n\n# Context\n\n(none given)" in str(done.messages[1].content[0].text)


def test_what_dotprompt_would_take_for_its_own_marker_is_refused() -> None:
    with pytest.raises(UserError, match="marker"):
        dotprompt.files(prompt(user="see <<<dotprompt:role:system>>>"), "outage")


# Prompty


def rendered_by_prompty(path: Path, given_: dict[str, str]) -> dict[str, str]:
    found = prompty.prepare(prompty.load(path), given_)
    return {one.role: "".join(part.value for part in one.parts) for one in found}


@in_one_folder
@given(system=TEXTS, user=SLOTTED, description=TEXTS)
@example(system="{", user="{«what»}", description="---")
@example(system="}", user="{{{«what»{{", description="+++ a")
def test_prompty_renders_exactly_our_text(tmp_path: Path, system: str, user: str, description: str) -> None:
    one = prompt(system, user, description=" ".join(description.split()))
    path = place(tmp_path, prompty_format.files(one, "outage"))
    found = rendered_by_prompty(path, values(one))
    assert found == {"system": lines(system), "user": lines(filled(one, values(one)))}
    assert str(prompty.load(path).description).removeprefix(" ") == one.description


def test_prompty_takes_a_text_for_no_reference_to_a_variable_of_its_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "hush")
    path = place(tmp_path, prompty_format.files(prompt(description="${env:SECRET}"), "outage"))
    assert prompty.load(path).description == " ${env:SECRET}"


@pytest.mark.parametrize("line", ["User:", "  system :", "# Assistant:", 'user[name="ada"]:'])
def test_a_line_that_would_start_a_message_of_prompty_is_refused(line: str) -> None:
    with pytest.raises(UserError, match="starts a new message"):
        prompty_format.files(prompt(user=f"a\n{line}\nb"), "outage")


def test_prompty_s_inputs_have_defaults_but_for_the_first(tmp_path: Path) -> None:
    path = place(tmp_path, prompty_format.files(prompt(), "outage"))
    assert "(none given)" in rendered_by_prompty(path, {"task": "it hangs"})["user"]
    with pytest.raises(Exception, match="task"):
        prompty.prepare(prompty.load(path), {})


# llm


@in_one_folder
@given(system=TEXTS, user=SLOTTED)
def test_llm_renders_exactly_our_text(tmp_path: Path, system: str, user: str) -> None:
    one = prompt(system, user)
    path = place(tmp_path, llm_template.files(one, "outage"))
    template = llm.cli.load_template(str(path))
    variables = llm_template.variables(one)
    given_ = {slot.name: values(one)[slot.name] for slot in one.slots if variables[slot] != "$input"}
    asked = next((values(one)[slot.name] for slot in one.slots if variables[slot] == "$input"), "")
    found = template.evaluate(asked, dict(given_))
    assert found == (filled(one, values(one)), system)


def test_llm_s_input_is_the_first_slot_and_the_others_may_be_left_out(tmp_path: Path) -> None:
    path = place(tmp_path, llm_template.files(prompt(), "outage"))
    template = llm.cli.load_template(str(path))
    assert template.evaluate("it hangs") == (
        "# Task\n\nit hangs\n\n# Context\n\n(none given)", "You are a detective."
    )  # fmt: skip


def test_a_slot_with_a_letter_behind_it_is_still_a_variable_of_llm(tmp_path: Path) -> None:
    one = prompt(user="«unit»s and «rest»")
    template = llm.cli.load_template(str(place(tmp_path, llm_template.files(one, "outage"))))
    assert template.evaluate("more", {"unit": "hour"})[0] == "hours and more"


# fabric


def rendered_by_fabric(pattern: str, text: str) -> str:
    """As internal/plugins/db/fsdb/patterns.go and internal/plugins/template/template.go do it."""
    assert re.findall(r"\{\{[^{}]+\}\}", pattern) in ([], ["{{input}}"] * pattern.count("{{input}}"))
    return pattern.replace("{{input}}", text)


@given(system=TEXTS, user=SLOTTED)
def test_a_fabric_pattern_has_our_text_with_the_input_in_the_first_slot(system: str, user: str) -> None:
    one = prompt(system, user)
    try:
        pattern = fabric.files(one, "outage")["outage/system.md"]
    except UserError:
        assert re.search(r"\{\{(?!input\}\})[^{}]+\}\}", f"{system}\n{user}")
        return
    given_ = {slot.name: "X" if slot is one.slots[0] else "(none given)" for slot in one.slots}
    assume("{{input}}" not in filled(one, given_))
    assert rendered_by_fabric(pattern, "X") == f"{system}\n\n{filled(one, given_)}\n"


def test_a_pattern_that_has_an_input_of_its_own_keeps_it_and_it_is_said() -> None:
    one = prompt("Rate it.", "INPUT: {{input}}")
    assert fabric.files(one, "rate") == {"rate/system.md": "Rate it.\n\nINPUT: {{input}}\n"}
    assert "fabric puts its input" in fabric.notes(one)[0]
    assert fabric.notes(prompt()) == ()


# messages, promptfoo


@given(system=TEXTS, user=SLOTTED)
def test_messages_are_those_of_openai_with_exactly_our_text(system: str, user: str) -> None:
    data = json.loads(messages.files(prompt(system, user), "outage")["outage.json"])
    assert data == [{"role": "system", "content": system}, {"role": "user", "content": user}]
    kind = list[openai.types.chat.ChatCompletionMessageParam]
    assert pydantic.TypeAdapter(kind).validate_python(data, strict=False) == data


@given(system=TEXTS, user=SLOTTED)
@example(system="{", user="{«what»}")
@example(system="}", user="a\\«what»}}")
@example(system="{#}#}", user="{{{«what»{{")
def test_promptfoo_s_template_renders_to_exactly_our_text(system: str, user: str) -> None:
    """By Jinja2, of which Nunjucks is the port; promptfoo itself is 700 packages."""
    one = prompt(system, user)
    files = promptfoo.files(one, "outage")
    config = yaml.safe_load(files["outage/promptfooconfig.yaml"])
    render = ImmutableSandboxedEnvironment(keep_trailing_newline=True, newline_sequence="\n").from_string
    found = {
        part["role"]: render(part["content"]).render(values(one))
        for part in json.loads(files["outage/prompt.json"])
    }
    assert found == {"system": system, "user": filled(one, values(one))}
    asks = {name: render(text).render() for name, text in config["tests"][0].get("vars", {}).items()}
    assert asks == {slot.name: slot.written for slot in one.slots}


# all of them


EMPTY: list[Callable[[Prompt, str], Mapping[str, str]]] = [
    skill.files, dotprompt.files, prompty_format.files, llm_template.files, fabric.files, messages.files, promptfoo.files,
]  # fmt: skip


@pytest.mark.parametrize("files", EMPTY, ids=lambda one: one.__module__.rpartition(".")[2])
@pytest.mark.parametrize(("system", "user"), [("", "only asked"), ("only told", "")])
def test_a_part_that_is_empty_is_left_out(files: Any, system: str, user: str) -> None:
    (text, *_) = list(files(prompt(system, user), "outage").values())[-1:]
    assert (system or user) in text
    assert text.count("role") + text.count("system:") + text.count("user:") + text.count("prompt:") <= 1


@pytest.mark.parametrize("name", sorted(formats.FORMATS))
def test_every_format_says_what_it_is(name: str) -> None:
    assert formats.find(name).about
    with pytest.raises(UserError, match="no format"):
        formats.find(f"{name}x")


def test_settings_of_the_layout_stand_beside_ours_and_never_replace_them(tmp_path: Path) -> None:
    one = prompt(settings={"model": "m-1", "name": "evil", "system": "evil"})
    template = llm.cli.load_template(
        str(place(tmp_path, llm_template.files(prompt(settings={"model": "m-1"}), "t")))
    )
    assert template.model == "m-1"
    front = yaml.safe_load(dotprompt.files(one, "outage")["outage.prompt"].split("---")[1])
    assert front["model"] == "m-1"
    assert front["name"] == "outage"
