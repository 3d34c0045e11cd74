"""`gitforge review`: what was recorded unseen is looked at, and each decision is one commit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from llm_server import LlmServer, Say
from program import DESCRIBE, GOAL, NAME, PERSONA, PROTOCOL, PURPOSE, gitforge
from terminal import Terminal

Git = Callable[..., str]
TEXT = "## Drill down\n\n1. Ask why.\n2. Test the answer.\n"


@pytest.fixture
def unseen(incomplete: Path, llm: LlmServer) -> Path:
    """A workspace with one generation that nobody has seen."""
    llm.queue(Say(TEXT))
    assert gitforge("generate", NAME, *DESCRIBE, "--no-review", cwd=incomplete).code == 0
    return incomplete


def waiting(root: Path) -> list[str]:
    done = gitforge("review", "--list", "--json", cwd=root)
    assert done.code == 0, done.told
    return [one["path"] for one in done.json]


def blob(root: Path, git: Git, rev: str = "HEAD") -> str:
    return git("rev-parse", f"{rev}:{PROTOCOL}", cwd=root)


def decide(root: Path, *answers: tuple[str, str], **environment: Any) -> str:
    """Runs the review on a terminal: each answer after what it waits for."""
    with Terminal("review", cwd=root, **environment) as terminal:
        for question, answer in answers:
            terminal.wait_for(question)
            terminal.enter(answer)
        assert terminal.ended() == 0, terminal.told
        return terminal.told


def test_what_was_accepted_unseen_is_listed_with_its_model(unseen: Path) -> None:
    done = gitforge("review", "--list", cwd=unseen)
    assert done.code == 0
    assert PROTOCOL in done.out
    assert "test-model" in done.out
    assert "1 component to review" in done.err


def test_an_approval_is_an_empty_commit_that_names_the_exact_text(unseen: Path, git: Git) -> None:
    tree = git("rev-parse", "HEAD^{tree}", cwd=unseen)
    told = decide(unseen, ("Approve this protocol?", "a"))
    assert "1 of 1" in told
    assert PURPOSE in told
    assert GOAL in told
    assert "test-model" in told
    assert "+1. Ask why." in told
    assert "Everything here is reviewed." in told
    assert git("rev-parse", "HEAD^{tree}", cwd=unseen) == tree
    message = git("log", "-1", "--format=%B", cwd=unseen)
    assert message.startswith("Approve protocol root_cause_analysis_drilldown\n")
    assert f"Blob: {blob(unseen, git)}" in message
    assert "Reviewed-by: " in message
    assert waiting(unseen) == []
    assert git("status", "--porcelain", cwd=unseen) == ""


def test_a_later_edit_needs_another_review_which_shows_what_changed_since_the_last(
    unseen: Path, git: Git
) -> None:
    decide(unseen, ("Approve this protocol?", "a"))
    (unseen / PROTOCOL).write_text(TEXT + "3. Trust me.\n")
    git("commit", "-qam", "Slip something in", cwd=unseen)
    assert waiting(unseen) == [PROTOCOL]
    told = decide(unseen, ("Approve this protocol?", "q"))
    assert "Slip something in" in told
    assert "+3. Trust me." in told
    assert "+1. Ask why." not in told, "that was reviewed"
    assert "1 left" in told


def test_an_approval_travels_with_the_branch(unseen: Path, git: Git, tmp_path: Path) -> None:
    decide(unseen, ("Approve this protocol?", "a"))
    git("clone", "-q", str(unseen), str(tmp_path / "clone"), cwd=tmp_path)
    assert waiting(tmp_path / "clone") == []


def test_an_edit_is_one_commit_and_reviewed_by_its_author(unseen: Path, git: Git) -> None:
    before = git("rev-list", "--count", "HEAD", cwd=unseen)
    decide(unseen, ("Approve this protocol?", "e"), EDITOR="sed -i 's/Ask why/Ask why twice/'")
    assert (unseen / PROTOCOL).read_text() == TEXT.replace("Ask why", "Ask why twice")
    assert git("show", "--format=%s", "--name-status", "HEAD", cwd=unseen) == (
        f"Edit protocol root_cause_analysis_drilldown\n\nM\t{PROTOCOL}"
    )
    assert int(git("rev-list", "--count", "HEAD", cwd=unseen)) == int(before) + 1
    assert waiting(unseen) == []


@pytest.mark.parametrize(
    ("editor", "told"), [("true", "Nothing was changed"), ("false", "The editor failed")]
)
def test_an_editor_that_changes_nothing_or_fails_decides_nothing(
    unseen: Path, git: Git, editor: str, told: str
) -> None:
    head = git("rev-parse", "HEAD", cwd=unseen)
    seen = decide(unseen, ("Approve this protocol?", "e"), (told, "q"), EDITOR=editor)
    assert told in seen
    assert git("rev-parse", "HEAD", cwd=unseen) == head


def test_a_revert_takes_the_generation_back_with_its_reason_which_the_next_one_is_told(
    unseen: Path, git: Git, llm: LlmServer
) -> None:
    told = decide(unseen, ("Approve this protocol?", "v"), ("Why?", "It is too short."))
    assert not (unseen / PROTOCOL).exists()
    assert f"{GOAL} now lacks it" in told
    message = git("log", "-1", "--format=%B", cwd=unseen)
    assert message.startswith('Revert "Generate protocol root_cause_analysis_drilldown"')
    assert "It is too short." in message
    llm.queue(Say(TEXT + "3. Ask again.\n"))
    assert gitforge("generate", NAME, *DESCRIBE, "--yes", cwd=unseen).code == 0
    assert "It is too short." in llm.requests[-1].prompt


def test_a_revert_goes_back_to_the_last_reviewed_text(unseen: Path, git: Git) -> None:
    decide(unseen, ("Approve this protocol?", "a"))
    for line in ("3. Trust me.\n", "3. Trust me more.\n"):
        (unseen / PROTOCOL).write_text(TEXT + line)
        git("commit", "-qam", "Slip something in", cwd=unseen)
    decide(unseen, ("Approve this protocol?", "v"), ("Why?", "I do not."))
    assert (unseen / PROTOCOL).read_text() == TEXT
    assert waiting(unseen) == []


def test_a_regeneration_with_feedback_is_reviewed_by_who_accepts_it(
    unseen: Path, llm: LlmServer, git: Git
) -> None:
    llm.queue(Say(TEXT.replace("Ask why", "Ask why it broke")))
    decide(
        unseen,
        ("Approve this protocol?", "r"),
        ("What should be different?", "Say what broke."),
        ("Record this protocol?", "a"),
    )
    assert "Say what broke." in llm.requests[-1].prompt
    assert "Ask why it broke" in (unseen / PROTOCOL).read_text()
    assert waiting(unseen) == []


def test_without_a_model_regenerating_says_so_and_asks_again(unseen: Path) -> None:
    told = decide(
        unseen, ("Approve this protocol?", "r"), ("What should be different?", "All."), ("no language model", "q"),
        OPENAI_BASE_URL="", OPENAI_API_KEY="",
    )  # fmt: skip
    assert "1 left" in told


def test_it_goes_on_where_it_was_left(unseen: Path, llm: LlmServer, git: Git) -> None:
    for path in (PERSONA, "library/constraints/principle_of_completeness.md"):
        git("rm", "-q", path, cwd=unseen)
    git("commit", "-qm", "Remove", cwd=unseen)
    for text in ("You are a detective who tests.\n", "Leave nothing out that matters.\n"):
        llm.queue(Say(text))
    done = gitforge(
        "generate", "--goal", GOAL, "--describe", "digital_detective.md=Who.",
        "--describe", "principle_of_completeness.md=What.", "--no-review", cwd=unseen,
    )  # fmt: skip
    assert done.code == 0, done.told
    assert len(waiting(unseen)) == 3
    with Terminal("review", cwd=unseen) as terminal:
        terminal.wait_for("1 of 3")
        terminal.enter("n")
        terminal.wait_for("2 of 3")
        terminal.enter("a")
        terminal.wait_for("3 of 3")
        terminal.enter("q")
        assert terminal.ended() == 0
        assert "2 left" in terminal.told
    assert len(waiting(unseen)) == 2


def test_a_long_text_is_shown_whole_in_the_pager(unseen: Path, git: Git, tmp_path: Path) -> None:
    (unseen / PROTOCOL).write_text("".join(f"{number}. Ask.\n" for number in range(200)))
    git("commit", "-qam", "Longer", cwd=unseen)
    seen = tmp_path / "seen"
    decide(unseen, ("Approve this protocol?", "q"), GIT_PAGER=f"tee {seen} >/dev/null")
    assert "199. Ask." in seen.read_text()


def test_a_pager_that_quits_at_once_does_not_end_the_review(unseen: Path, git: Git) -> None:
    (unseen / PROTOCOL).write_text("".join(f"{number}. Ask.\n" for number in range(5000)))
    git("commit", "-qam", "Longer", cwd=unseen)
    decide(unseen, ("Approve this protocol?", "a"), GIT_PAGER="true")
    assert waiting(unseen) == []


def test_edits_that_are_not_committed_are_said_and_left_alone(unseen: Path, git: Git) -> None:
    (unseen / PROTOCOL).write_text("Mine.\n")
    told = decide(unseen, ("edited, not committed", "v"), ("Why?", ""), ("not recorded", "a"))
    assert "hint: " in told
    assert (unseen / PROTOCOL).read_text() == "Mine.\n"
    assert git("status", "--porcelain", cwd=unseen) == f" M {PROTOCOL}"


def test_without_a_terminal_it_says_what_to_do(unseen: Path) -> None:
    done = gitforge("review", cwd=unseen)
    assert done.code == 2
    assert "--approve" in done.err


def test_what_was_read_elsewhere_is_approved_by_name_or_goal(unseen: Path, git: Git) -> None:
    assert gitforge("review", "--approve", cwd=unseen).code == 2
    done = gitforge("review", "--approve", GOAL, "--json", cwd=unseen)
    assert done.code == 0
    assert [one["path"] for one in done.json["approved"]] == [PROTOCOL]
    assert done.json["commit"] == git("rev-parse", "HEAD", cwd=unseen)
    again = gitforge("review", "--approve", NAME, cwd=unseen)
    assert again.code == 0
    assert "Nothing of that is to be reviewed" in again.err


def test_a_name_that_is_nothing_is_an_error(unseen: Path) -> None:
    done = gitforge("review", "nonsense.md", cwd=unseen)
    assert done.code == 1
    assert "nonsense.md" in done.err


def test_a_shallow_clone_cannot_tell(unseen: Path, git: Git, tmp_path: Path) -> None:
    git("clone", "-q", "--depth", "1", unseen.as_uri(), str(tmp_path / "clone"), cwd=tmp_path)
    done = gitforge("review", "--list", cwd=tmp_path / "clone")
    assert done.code == 3
    assert "shallow clone" in done.err


def test_in_the_middle_of_a_merge_nothing_is_recorded(unseen: Path, git: Git) -> None:
    (unseen / ".git/MERGE_HEAD").write_text(git("rev-parse", "HEAD", cwd=unseen) + "\n")
    done = gitforge("review", "--approve", NAME, cwd=unseen)
    assert done.code == 1
    assert "merge is in progress" in done.err


def test_what_somebody_commits_meanwhile_is_reviewed_too(unseen: Path, git: Git) -> None:
    with Terminal("review", cwd=unseen) as terminal:
        terminal.wait_for("Approve this protocol?")
        (unseen / PROTOCOL).write_text(TEXT + "3. Trust me.\n")
        git("commit", "-qam", "Slip something in", cwd=unseen)
        terminal.enter("a")
        terminal.wait_for("+3. Trust me.")
        terminal.wait_for("Approve this protocol?", times=2)
        terminal.enter("q")
        assert terminal.ended() == 0
        assert "1 left" in terminal.told
    assert waiting(unseen) == [PROTOCOL]


def test_nobody_cannot_review(unseen: Path, git: Git) -> None:
    for key in ("user.name", "user.email"):
        git("config", "--unset", key, cwd=unseen)
    head = git("rev-parse", "HEAD", cwd=unseen)
    done = gitforge("review", "--approve", NAME, cwd=unseen)
    assert done.code == 1
    assert "git does not know who you are" in done.err
    assert git("rev-parse", "HEAD", cwd=unseen) == head


def test_what_was_written_in_the_editor_survives_a_hook_that_refuses(unseen: Path) -> None:
    hook = unseen / ".git/hooks/pre-commit"
    hook.write_text("#!/bin/sh\necho no >&2\nexit 1\n")
    hook.chmod(0o755)
    told = decide(
        unseen,
        ("Approve this protocol?", "e"),
        ("not recorded", "q"),
        EDITOR="sed -i 's/Ask why/Ask why twice/'",
    )
    kept = Path(
        "".join(told.partition("what you wrote is in ")[2].splitlines()[:2]).partition(".md")[0].strip()
        + ".md"
    )
    assert "Ask why twice" in kept.read_text()
    kept.unlink()


def test_a_component_that_is_no_text_does_not_end_the_walk(unseen: Path, git: Git) -> None:
    (unseen / PROTOCOL).write_bytes(b"\xff\xfe\n")
    git("commit", "-qam", "Break it", cwd=unseen)
    with Terminal("review", cwd=unseen) as terminal:
        assert terminal.ended() == 0
        assert "passed over" in terminal.told
        assert "1 left" in terminal.told


def test_listing_and_approving_are_two_things(unseen: Path) -> None:
    assert gitforge("review", "--list", "--approve", NAME, cwd=unseen).code == 2
