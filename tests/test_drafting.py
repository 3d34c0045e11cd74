"""From a missing component to a prompt and a draft."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from making import make_workspace, only_goal

from gitforge.drafting import Prompt, Retry, make_prompt, tidy, write_draft
from gitforge.errors import ProviderError
from gitforge.goals import DEFAULT_KINDS, Need
from gitforge.llm import Piece, Request
from gitforge.templates import Templates
from gitforge.workspace import Workspace

PERSONA, PROTOCOL, CONSTRAINT = DEFAULT_KINDS


@dataclass
class Speaker:
    """A provider that says what it is told to say, and remembers what it was asked."""

    pieces: tuple[str, ...]
    asked: list[Request] = field(default_factory=list)
    name: str = "speaker"
    model: str = "speaker-1"
    label: str = "speaker-1"
    is_model: bool = True
    describe: str = "a speaker"
    endpoint: None = None
    concurrency: int = 1

    def stream(self, request: Request) -> Generator[str]:
        self.asked.append(request)
        yield from self.pieces

    def cancel(self) -> None: ...

    def close(self) -> None: ...


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return make_workspace(tmp_path / "w")


def prompt_for(workspace: Workspace, need: Need, retry: Retry | None = None) -> Prompt:
    goal = only_goal(workspace.book())
    return make_prompt(Templates(workspace), workspace.library, need, goal, "To try  it\nout", retry)


def test_the_prompt_has_goal_purpose_rules_and_outline(workspace: Workspace) -> None:
    system, user = prompt_for(workspace, Need(PROTOCOL, "new_thing.md")).messages
    assert (system.role, user.role) == ("system", "user")
    assert "Return the component's text alone" in system.content
    for expected in ("new_thing.md", "To try it out", "To try it.", "Rules for a protocol", "## New thing"):
        assert expected in user.content


def test_the_prompt_has_the_goals_other_components_and_not_the_one_to_be_written(
    workspace: Workspace,
) -> None:
    user = prompt_for(workspace, Need(PROTOCOL, "x.md")).messages[1].content
    assert "You are P." in user
    assert "Never C." in user
    assert "Do X." not in user


def test_the_examples_are_the_two_of_the_kind_with_the_most_words_in_common(tmp_path: Path) -> None:
    library = {
        f"protocols/{name}.md": f"text of {name}\n" for name in ("alpha", "zebra_thing", "new_zebra_thing")
    }
    user = prompt_for(
        make_workspace(tmp_path / "w", library=library), Need(PROTOCOL, "zebra_new.md")
    ).messages[1]
    assert 'example name="new_zebra_thing.md"' in user.content
    assert 'example name="zebra_thing.md"' in user.content
    assert "text of alpha" not in user.content


def test_a_retry_has_the_earlier_draft_and_the_feedback(workspace: Workspace) -> None:
    retry = Retry("An earlier draft.", "Name the tools.")
    user = prompt_for(workspace, Need(PROTOCOL, "new.md"), retry).messages[1].content
    assert "An earlier draft." in user
    assert "Name the tools." in user


def test_what_a_component_says_is_not_taken_for_template_syntax(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w", library={"personas/p.md": "{{ 7 * 7 }} {% raw %}\n"})
    assert "{{ 7 * 7 }} {% raw %}" in prompt_for(workspace, Need(PROTOCOL, "x.md")).messages[1].content


def test_the_librarys_own_generator_takes_the_place_of_the_starters(tmp_path: Path) -> None:
    own = {
        "generators/protocol.md": "{% block system %}SYS{% endblock %}{% block user %}{{ name }}!{% endblock %}",
        "generators/protocol.outline.md": "OUTLINE {{ purpose }}\n",
    }
    prompt = prompt_for(make_workspace(tmp_path / "w", library=own), Need(PROTOCOL, "x.md"))
    assert [message.content for message in prompt.messages] == ["SYS", "x.md!"]
    assert prompt.outline == "OUTLINE To try it out\n"


def test_the_prompts_id_is_the_same_for_the_same_prompt_and_another_for_another(workspace: Workspace) -> None:
    first, again, other = (
        prompt_for(workspace, Need(PROTOCOL, name)).id for name in ("n.md", "n.md", "o.md")
    )
    assert first == again != other
    assert first.startswith("sha256:")


def test_a_draft_is_what_the_provider_says_in_all_its_pieces(workspace: Workspace) -> None:
    speaker = Speaker(("## New\n", "\nText ", "here."))
    heard: list[Piece] = []
    need = Need(PROTOCOL, "new.md")
    prompt = prompt_for(workspace, need)
    draft = write_draft(speaker, prompt, need, "purpose", heard.append)
    assert draft.text == "## New\n\nText here.\n"
    assert heard == list(speaker.pieces)
    assert speaker.asked == [Request(prompt.messages, prompt.outline)]
    assert (draft.label, draft.prompt_id, draft.is_edited) == ("speaker-1", prompt.id, False)


def test_a_draft_without_end_is_stopped(workspace: Workspace) -> None:
    need = Need(PROTOCOL, "new.md")
    speaker = Speaker(("x" * 100_000,) * 10)
    with pytest.raises(ProviderError, match="grew beyond 256 KiB"):
        write_draft(speaker, prompt_for(workspace, need), need, "purpose")


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("text", "text\n"),
        ("\r\n text\r\nmore  \r\n\r\n", "text\nmore\n"),
        ("```markdown\n## A\n\ntext\n```", "## A\n\ntext\n"),
        ("~~~\n## A\n~~~\n", "## A\n"),
        ("```\na\n```\ntext\n```\nb\n```", "```\na\n```\ntext\n```\nb\n```\n"),
        ("Use\n```\ncode\n```", "Use\n```\ncode\n```\n"),
        ("\u00fc \U0001f469\u200d\U0001f4bb", "\u00fc \U0001f469\u200d\U0001f4bb\n"),
    ],
)
def test_an_answer_is_tidied(answer: str, text: str) -> None:
    assert tidy(answer, "x.md") == text


@pytest.mark.parametrize("answer", ["", " \n\t", "```\n\n```"])
def test_an_empty_answer_is_refused(answer: str) -> None:
    with pytest.raises(ProviderError, match=r"the draft of x\.md is empty"):
        tidy(answer, "x.md")


@pytest.mark.parametrize("hidden", ["\x1b[31m", "\u202e", "\u200b", "\x00", "\ue000"])
def test_an_answer_with_hidden_characters_is_refused_with_their_place(hidden: str) -> None:
    with pytest.raises(ProviderError, match=r"hidden character U\+.* in line 2, column 3"):
        tidy(f"one\nab{hidden}c", "x.md")
