"""From a prompt to a draft: what is asked, repaired, checked, asked for once more."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making import accept_any_draft, make_workspace, only_goal

from gitforge.drafting.draft import Draft, judged, tidy, write_draft
from gitforge.drafting.prompting import Brief, Prompt
from gitforge.errors import ProviderError
from gitforge.goals import DEFAULT_KINDS, Need
from gitforge.llm import Notice, Piece, Request, Usage
from gitforge.llm.offline_provider import OfflineProvider
from gitforge.templates import Templates
from gitforge.workspace import Workspace

_, PROTOCOL, _ = DEFAULT_KINDS


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

    def stream(self, request: Request) -> Generator[Piece]:
        self.asked.append(request)
        yield from self.pieces

    def cancel(self) -> None: ...

    def close(self) -> None: ...


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return make_workspace(tmp_path / "w")


def prompt_for(workspace: Workspace, need: Need) -> Prompt:
    goal = only_goal(workspace.book())
    return Brief(Templates(workspace), workspace.library, need, goal, "To try it out").prompt()


def test_a_draft_is_what_the_provider_says_in_all_its_pieces(workspace: Workspace) -> None:
    speaker = Speaker(("## New\n", "\nText ", "here."))
    heard: list[Piece] = []
    need = Need(PROTOCOL, "new.md")
    accept_any_draft(workspace.root)
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
        ("````\n```\n## A\n```\n````", "## A\n"),
        ("a\r\r\nb", "a\nb\n"),
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


GOOD = (
    "## New\n\nA procedure to try a thing. It is over when the thing was tried.\n\n### Inputs\n\n- **The thing**.\n\n"
    "### Steps\n\n"
    + "\n".join(
        f"{n}. Take part {n} of the thing, and write down its colour{n} and weight{n}." for n in range(1, 20)
    )
    + "\n\n### Output\n\nA table of parts.\n\n### Done when\n\n- [ ] Every part has a row.\n"
)
REFUSAL = "I'm sorry, but I can't help with that."


@dataclass
class Talker(Speaker):
    """A provider with an answer for each request, the last one for all that follow; an error is raised."""

    answers: tuple[str | ProviderError, ...] = ()

    def stream(self, request: Request) -> Generator[Piece]:
        self.asked.append(request)
        answer = self.answers[min(len(self.asked), len(self.answers)) - 1]
        if isinstance(answer, ProviderError):
            raise answer
        yield answer
        yield Usage(100, 10)


def drafted(workspace: Workspace, *answers: str | ProviderError) -> tuple[Draft, Talker, list[Piece]]:
    talker, heard, need = Talker((), answers=answers), list[Piece](), Need(PROTOCOL, "new.md")
    ticks = iter(range(100))
    draft = write_draft(
        talker, prompt_for(workspace, need), need, "purpose", heard.append, lambda: float(next(ticks))
    )
    return draft, talker, heard


def test_a_good_draft_is_asked_for_once(workspace: Workspace) -> None:
    draft, talker, heard = drafted(workspace, GOOD)
    assert (draft.text, draft.problems, draft.repairs) == (GOOD, (), ())
    assert (len(talker.asked), draft.usage, draft.seconds) == (1, Usage(100, 10), 1.0)
    assert heard == [GOOD, Usage(100, 10)]


def test_a_repaired_draft_says_what_was_mended_and_is_not_asked_for_again(workspace: Workspace) -> None:
    draft, talker, _ = drafted(workspace, f"Sure, here it is:\n\n```markdown\n{GOOD}```\n\nLet me know!")
    assert draft.text == GOOD
    assert draft.problems == ()
    assert len(draft.repairs) == 3
    assert len(talker.asked) == 1


def test_a_refused_draft_is_asked_for_once_more_with_the_reasons(workspace: Workspace) -> None:
    draft, talker, heard = drafted(workspace, REFUSAL, GOOD)
    assert (draft.text, draft.problems) == (GOOD, ())
    second = talker.asked[1].messages[1].content
    assert f"<draft>\n{REFUSAL}\n</draft>" in second
    assert 'it is a refusal: "I' in second
    assert draft.prompt_id == Prompt(talker.asked[1].messages, "").id
    assert draft.prompt == Prompt(talker.asked[1].messages, "").sent
    assert (draft.usage, draft.seconds) == (Usage(200, 20), 2.0)
    (notice,) = [one for one in heard if isinstance(one, Notice)]
    assert notice.text.startswith("refused: it is a refusal: ")
    assert notice.text.endswith("; asked again")


def test_it_is_asked_again_only_once_and_the_engineer_sees_what_is_wrong(workspace: Workspace) -> None:
    draft, talker, _ = drafted(workspace, REFUSAL, "I cannot do that.", GOOD)
    assert len(talker.asked) == 2
    assert draft.text == "I cannot do that.\n"
    assert draft.problems == ("it is a refusal: 'I cannot do that.'",)


def test_the_draft_with_fewer_problems_is_kept_whichever_it_was(workspace: Workspace) -> None:
    lacking, worse = GOOD.replace("### Output", "Output"), GOOD.replace("### Output", "TODO")
    draft, _, _ = drafted(workspace, lacking, worse)
    assert draft.text == lacking
    assert draft.problems == ("it lacks the heading 'Output'",)
    assert draft.usage == Usage(200, 20)
    assert drafted(workspace, worse, lacking)[0].text == lacking


def test_an_answer_that_cannot_be_used_is_asked_for_once_more(workspace: Workspace) -> None:
    for unusable in ("", "```\n```", f"{GOOD}\x1b[31m"):
        draft, talker, _ = drafted(workspace, unusable, GOOD)
        assert draft.text == GOOD
        assert "\x1b" not in talker.asked[1].messages[1].content


def test_an_answer_that_can_be_used_is_preferred_to_one_that_cannot(workspace: Workspace) -> None:
    draft, _, _ = drafted(workspace, REFUSAL, "")
    assert draft.text == f"{REFUSAL}\n"


def test_what_is_hidden_in_both_answers_is_taken_out_and_told(workspace: Workspace) -> None:
    draft, _, _ = drafted(workspace, f"{GOOD}\x1b", f"{GOOD}\x1b[31m")
    assert "\x1b" not in draft.text
    assert any("hidden character" in problem for problem in draft.problems)
    assert "hidden characters were replaced by spaces" in draft.repairs


@pytest.mark.parametrize("unusable", ["", " \x1b\n"])
def test_two_answers_that_cannot_be_used_are_an_error(workspace: Workspace, unusable: str) -> None:
    with pytest.raises(ProviderError, match=r"is empty|hidden character"):
        drafted(workspace, unusable)


def test_an_error_of_the_second_request_does_not_lose_the_first_draft(workspace: Workspace) -> None:
    draft, _, _ = drafted(workspace, REFUSAL, ProviderError("the server is gone"))
    assert draft.text == f"{REFUSAL}\n"
    assert draft.problems == (f'it is a refusal: "{REFUSAL}"',)


def test_an_error_behind_an_answer_that_cannot_be_used_tells_both(workspace: Workspace) -> None:
    with pytest.raises(
        ProviderError, match=r"the draft of new\.md is empty; asked again, the server is gone"
    ):
        drafted(workspace, "", ProviderError("the server is gone", hint="Try later."))


def test_the_offline_outline_is_left_as_it_is(workspace: Workspace) -> None:
    need = Need(PROTOCOL, "new.md")
    heard: list[Piece] = []
    prompt = prompt_for(workspace, need)
    draft = write_draft(OfflineProvider(), prompt, need, "To try it", heard.append)
    assert draft.text == prompt.outline
    assert (draft.problems, draft.repairs, draft.prompt, heard) == ((), (), "", [prompt.outline])


def test_what_there_is_to_say_about_a_prompt_is_said_first(workspace: Workspace) -> None:
    need = Need(PROTOCOL, "new.md")
    prompt = Brief(Templates(workspace), workspace.library, need, None, "x" * 5000).prompt()
    heard: list[Piece] = []
    write_draft(OfflineProvider(), prompt, need, "To try it", heard.append)
    assert heard[0] == Notice("the purpose has 5,000 characters: the prompt has the first 4,000")


def test_a_prompt_without_rules_takes_any_text(workspace: Workspace) -> None:
    need = Need(PROTOCOL, "new.md")
    draft = write_draft(Talker((), answers=(REFUSAL,)), Prompt((), ""), need, "purpose")
    assert (draft.text, draft.problems) == (f"{REFUSAL}\n", ())


def test_a_draft_of_an_earlier_run_is_judged_again_unless_a_person_edited_it(workspace: Workspace) -> None:
    need = Need(PROTOCOL, "new.md")
    prompt = prompt_for(workspace, need)
    kept = Draft(need, "purpose", f"{REFUSAL}\n", prompt.id, "m", is_model=True)
    assert judged(kept, prompt).problems == (f'it is a refusal: "{REFUSAL}"',)
    for other in (replace(kept, is_edited=True), replace(kept, is_model=False)):
        assert judged(other, prompt) == other


PIECES = st.sampled_from(
    ["```", "~~~~\n", "\n", "\r", "\r\n", "## A", "text", "\u200b", "\ufeff", "\x00", "I can't"]
)


@given(st.lists(PIECES | st.text(max_size=8), max_size=12).map("".join))
def test_a_tidied_text_is_tidy(answer: str) -> None:
    try:
        text = tidy(answer, "x.md")
    except ProviderError:
        return
    assert tidy(text, "x.md") == text
    assert text.endswith("\n")
    assert text.strip()


@given(st.lists(PIECES | st.text(max_size=8), max_size=12).map("".join))
@settings(max_examples=40)
def test_any_answer_is_a_draft_or_a_provider_error(
    tmp_path_factory: pytest.TempPathFactory, answer: str
) -> None:
    workspace = make_workspace(tmp_path_factory.mktemp("any") / "w")
    try:
        draft, _, _ = drafted(workspace, answer)
    except ProviderError:
        return
    assert tidy(draft.text, "new.md") == draft.text
    assert draft == drafted(workspace, answer)[0]
