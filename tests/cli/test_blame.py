"""`gitforge blame`: the component, commit, model or author, and reviewer of each line of a toolkit."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from llm_server import LlmServer, Say
from program import DESCRIBE, GOAL, NAME, PERSONA, PROTOCOL, build, files, gitforge
from terminal import Terminal

Git = Callable[..., str]
PROMPT = "output/outage/01_PROMPT_TEMPLATE.md"
LAYOUT = "library/templates/prompt_template.md"
DRAFT = "## Drill\n\n1. Ask why.\n2. Ask again.\n3. Test it.\n"


def blamed(root: Path, *arguments: str, file: str = PROMPT) -> list[dict[str, Any]]:
    done = gitforge("blame", file, "--json", *arguments, cwd=root)
    assert done.code == 0, done.told
    lines: list[dict[str, Any]] = done.json["lines"]
    return lines


def line(root: Path, text: str, file: str = PROMPT) -> dict[str, Any]:
    (found,) = [one for one in blamed(root, file=file) if one["text"] == text]
    return found


def head(git: Git, root: Path, name: str = "HEAD") -> str:
    return git("rev-parse", name, cwd=root)


@pytest.fixture
def generated(incomplete: Path, llm: LlmServer) -> Path:
    """A toolkit with a protocol that a model wrote and nobody has reviewed."""
    llm.queue(Say(DRAFT))
    assert build(incomplete, *DESCRIBE, "--yes").code == 0
    return incomplete


def test_every_line_is_there_once_and_as_it_is(generated: Path) -> None:
    text = (generated / PROMPT).read_text()
    lines = text.removesuffix("\n").split("\n")
    assert [one["text"] for one in blamed(generated)] == lines
    told = gitforge("blame", PROMPT, cwd=generated).out.removesuffix("\n").split("\n")
    assert [one.partition(") ")[2] for one in told] == lines


def test_a_models_line_names_component_commit_and_model(generated: Path, git: Git) -> None:
    found = line(generated, "2. Ask again.")
    assert found["source"] == "component"
    assert (found["path"], found["source_line"]) == (PROTOCOL, 4)
    assert found["commit"] == head(git, generated)
    assert found["model"] == "test-model"
    assert found["author"] == "Ada Engineer <ada@example.org>"
    assert found["subject"].startswith("Generate protocol")
    assert (found["reviewers"], found["needs_review"]) == ([], True)
    told = next(
        one for one in gitforge("blame", PROMPT, cwd=generated).out.splitlines() if "Ask again" in one
    )
    for shown in (head(git, generated)[:8], NAME, "test-model", "unreviewed"):
        assert shown in told


def test_a_templates_line_names_the_template(generated: Path, git: Git) -> None:
    found = line(generated, "## Context")
    assert (found["source"], found["path"]) == ("template", LAYOUT)
    lines = (generated / LAYOUT).read_text().split("\n")
    assert lines[found["source_line"] - 1] == "## Context"
    assert found["commit"] == head(git, generated, "HEAD~2")
    assert (found["model"], found["needs_review"]) == (None, False)


def test_what_people_changed_in_a_generated_text_is_theirs(generated: Path, git: Git) -> None:
    (generated / PROTOCOL).write_text(DRAFT.replace("Ask again.", "Ask once more."))
    git("-c", "user.name=Bob", "commit", "-qam", "Say it better", cwd=generated)
    assert build(generated).code == 0
    found = line(generated, "2. Ask once more.")
    assert (found["model"], found["author"]) == (None, "Bob <test@example.org>")
    assert (found["commit"], found["needs_review"]) == (head(git, generated), True)
    assert line(generated, "3. Test it.")["model"] == "test-model"
    assert line(generated, "3. Test it.")["commit"] == head(git, generated, "HEAD~1")


def test_what_was_changed_in_a_draft_before_it_was_recorded_is_not_the_models(
    incomplete: Path, llm: LlmServer, git: Git
) -> None:
    llm.queue(Say(DRAFT))
    editor = "sed -i 's/Ask again/Ask once more/'"
    with Terminal("build", "outage", "--goal", GOAL, *DESCRIBE, cwd=incomplete, EDITOR=editor) as terminal:
        terminal.wait_for("Record this protocol?")
        terminal.enter("e")
        terminal.wait_for("+2. Ask once more.")
        terminal.wait_for("Record this protocol?", times=2)
        terminal.enter("a")
        assert terminal.ended() == 0
    assert "\nDraft: " in git("log", "-1", "--format=%B", cwd=incomplete)
    changed, kept = line(incomplete, "2. Ask once more."), line(incomplete, "3. Test it.")
    assert (changed["model"], changed["author"]) == (None, "Ada Engineer <ada@example.org>")
    assert kept["model"] == "test-model"
    assert changed["commit"] == kept["commit"] == head(git, incomplete)


def test_who_reviewed_exactly_this_text_is_its_reviewer(generated: Path, git: Git) -> None:
    blob = head(git, generated, f"HEAD:{PROTOCOL}")
    trailers = f"Component: {PROTOCOL}\nBlob: {blob}\nReviewed-by: Eve <eve@example.org>"
    git("commit", "-q", "--allow-empty", "-m", f"Approve protocol x\n\n{trailers}", cwd=generated)
    found = line(generated, "1. Ask why.")
    assert (found["reviewers"], found["needs_review"]) == (["Eve <eve@example.org>"], False)
    assert "Eve" in gitforge("blame", PROMPT, cwd=generated).out
    (generated / PROTOCOL).write_text(DRAFT + "4. Stop.\n")
    git("commit", "-qam", "Add a step", cwd=generated)
    assert line(generated, "1. Ask why.")["reviewers"], "the toolkit has the text that was reviewed"
    assert build(generated).code == 0
    found = line(generated, "1. Ask why.")
    assert (found["reviewers"], found["needs_review"]) == ([], True)


def test_the_toolkits_texts_count_and_not_todays(generated: Path, git: Git) -> None:
    before = blamed(generated)
    (generated / PROTOCOL).write_text("## Another\n")
    (generated / LAYOUT).write_text("Nothing.\n")
    git("commit", "-qam", "Move on", cwd=generated)
    assert blamed(generated) == before
    git("mv", PROTOCOL, "library/protocols/moved.md", cwd=generated)
    git("commit", "-qm", "Move away", cwd=generated)
    assert [one["commit"] for one in blamed(generated)] == [one["commit"] for one in before]


def test_lines_polished_by_hand_are_yours(generated: Path) -> None:
    path = generated / PROMPT
    path.write_text(path.read_text().replace("2. Ask again.", "2. Ask me.\nAnd wait.") + "The end.\n")
    for text in ("2. Ask me.", "And wait.", "The end."):
        found = line(generated, text)
        assert (found["source"], found["author"], found["commit"]) == ("hand", "you (not committed)", None)
    assert line(generated, "3. Test it.")["source_line"] == 5
    told = gitforge("blame", PROMPT, cwd=generated).out
    assert "you (not committed)" in next(one for one in told.splitlines() if "Ask me." in one)


def test_lines_by_hand_of_a_toolkit_in_git_have_its_commit(generated: Path, git: Git) -> None:
    path = generated / PROMPT
    git("add", "-f", PROMPT, cwd=generated)
    git("commit", "-qm", "Track it", cwd=generated)
    path.write_text(path.read_text().replace("2. Ask again.", "2. Ask me."))
    git("-c", "user.name=Bob", "commit", "-qam", "Polish", cwd=generated)
    path.write_text(path.read_text() + "The end.\n")
    found = line(generated, "2. Ask me.")
    assert (found["source"], found["commit"], found["subject"]) == ("hand", head(git, generated), "Polish")
    assert line(generated, "The end.")["commit"] is None


def test_edits_of_a_component_that_no_commit_has_are_yours(generated: Path) -> None:
    (generated / PROTOCOL).write_text(DRAFT + "4. Mine.\n")
    (generated / PERSONA).unlink()
    (generated / PERSONA).write_text("You are mine.\n")
    assert build(generated).code == 0
    found = line(generated, "4. Mine.")
    assert (found["source"], found["path"], found["author"]) == ("component", PROTOCOL, "you (not committed)")
    assert line(generated, "3. Test it.")["model"] == "test-model"


def test_a_component_that_git_never_knew_is_yours(incomplete: Path) -> None:
    (incomplete / PROTOCOL).write_text("## My own\n")
    assert build(incomplete).code == 0
    found = line(incomplete, "## My own")
    assert (found["path"], found["commit"], found["author"]) == (PROTOCOL, None, "you (not committed)")


def test_front_matter_is_counted_in_the_lines_of_a_component(generated: Path, git: Git) -> None:
    (generated / PROTOCOL).write_text(f"---\nname: Drill\n---\n\n{DRAFT}")
    git("commit", "-qam", "Name it", cwd=generated)
    assert build(generated).code == 0
    found = line(generated, "3. Test it.")
    assert (found["source_line"], found["model"]) == (9, "test-model")


def test_gitforges_own_templates_are_gitforges(workspace: Path, git: Git) -> None:
    git("rm", "-qr", "library/templates", cwd=workspace)
    git("commit", "-qm", "Use gitforge's", cwd=workspace)
    assert build(workspace).code == 0
    found = line(workspace, "## Context")
    assert (found["source"], found["path"], found["author"]) == ("template", None, "gitforge")


def test_a_placeholders_lines_are_the_templates(incomplete: Path) -> None:
    assert build(incomplete, "--describe", f"{NAME}=").code == 3
    (found,) = [one for one in blamed(incomplete) if "MISSING" in one["text"]]
    assert (found["source"], found["path"]) == ("template", "library/templates/missing.md")


@pytest.mark.parametrize("how", ["amend", "squash", "rebase", "revert twice"])
def test_it_is_right_after_what_people_do_with_git(generated: Path, git: Git, how: str) -> None:
    if how == "amend":
        git("commit", "-q", "--amend", "-m", "Another message", cwd=generated)
        expected = None
    elif how == "squash":
        message = git("log", "-1", "--format=%B", cwd=generated)
        git("reset", "-q", "--soft", "HEAD~1", cwd=generated)
        git("commit", "-q", "-m", f"Squashed\n\n{message}", cwd=generated)
        expected = "test-model"
    elif how == "rebase":
        git("checkout", "-q", "-b", "other", "HEAD~1", cwd=generated)
        git("commit", "-q", "--allow-empty", "-m", "Other", cwd=generated)
        git("checkout", "-q", "main", cwd=generated)
        git("rebase", "-q", "other", cwd=generated)
        expected = "test-model"
    else:
        git("revert", "--no-edit", "HEAD", cwd=generated)
        git("revert", "--no-edit", "HEAD", cwd=generated)
        expected = "test-model"
    found = line(generated, "2. Ask again.")
    assert found["commit"] == head(git, generated)
    assert found["model"] == expected


def test_a_statement_about_another_text_says_nothing(generated: Path, git: Git) -> None:
    (generated / PROTOCOL).write_text(DRAFT + "4. Mine.\n")
    git("commit", "-qa", "--amend", "--no-edit", cwd=generated)
    assert build(generated).code == 0
    found = line(generated, "4. Mine.")
    assert (found["commit"], found["model"]) == (head(git, generated), None)


@pytest.mark.parametrize(
    ("ranges", "numbers"),
    [
        (("-L", "2,4"), [2, 3, 4]),
        (("-L", "/^## Task/,+2", "-L", "3,1"), [1, 2, 3, 7, 8]),
        (("-L", ",2"), [1, 2]),
    ],
)
def test_ranges_select_lines(generated: Path, ranges: tuple[str, ...], numbers: list[int]) -> None:
    assert [one["number"] for one in blamed(generated, *ranges)] == numbers


def test_a_range_beyond_the_file_is_an_error(generated: Path) -> None:
    done = gitforge("blame", PROMPT, "-L", "9999", cwd=generated)
    assert done.code == 1
    assert "-L 9999: the file has only" in done.err


def test_a_shallow_clone_marks_where_history_is_cut(generated: Path, git: Git, tmp_path: Path) -> None:
    git("commit", "-q", "--allow-empty", "-m", "More", cwd=generated)
    clone = tmp_path / "clone"
    git("clone", "-q", "--depth=1", generated.as_uri(), str(clone), cwd=tmp_path)
    shutil.copytree(generated / "output", clone / "output", dirs_exist_ok=True)
    found = line(clone, "2. Ask again.")
    assert (found["is_boundary"], found["commit"]) == (True, head(git, clone))
    told = gitforge("blame", PROMPT, cwd=clone).out
    assert f"^{head(git, clone)[:7]} " in told
    assert "^" not in gitforge("blame", PROMPT, cwd=generated).out.split(")")[0]


def test_a_shallow_clone_without_the_text_says_how_to_get_it(
    generated: Path, git: Git, tmp_path: Path
) -> None:
    (generated / PROTOCOL).write_text("## Another\n")
    git("commit", "-qam", "Move on", cwd=generated)
    clone = tmp_path / "clone"
    git("clone", "-q", "--depth=1", generated.as_uri(), str(clone), cwd=tmp_path)
    shutil.copytree(generated / "output", clone / "output", dirs_exist_ok=True)
    done = gitforge("blame", PROMPT, cwd=clone)
    assert done.code == 1
    assert "--unshallow" in done.err


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ("output/outage/notes.md", "is not made by gitforge"),
        ("output/outage/toolkit.json", "is not made by gitforge"),
        ("output/outage/none.md", "there is no such file"),
        ("output/other/x.md", "there is no such file"),
        ("output/bare/x.md", "output/bare/toolkit.json: there is no such file"),
        ("output/outage", "is not a file of a toolkit"),
        ("goals.yaml", "is not a file of a toolkit"),
        ("../outside.md", "is not a file of a toolkit"),
        (PERSONA, "is not a file of a toolkit"),
        ("output/outage/../../goals.yaml", "is not a file of a toolkit"),
    ],
)
def test_what_is_no_file_of_a_toolkit_is_refused(generated: Path, file: str, told: str) -> None:
    (generated / "output/bare").mkdir()
    for name in ("output/outage/notes.md", "output/bare/x.md", "../outside.md"):
        (generated / name).write_text("Mine.\n")
    done = gitforge("blame", file, cwd=generated)
    assert done.code == 1
    assert told in done.err


@pytest.mark.parametrize(
    ("change", "told"),
    [({"format": 3}, "Update gitforge"), ({"format": 1}, "an older gitforge"), ({"goal": 5}, "is not a manifest"),
     ({"description": "Other."}, "another text than was assembled")],
)  # fmt: skip
def test_a_manifest_that_does_not_fit_is_an_error(generated: Path, change: dict[str, Any], told: str) -> None:
    path = generated / "output/outage/toolkit.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    done = gitforge("blame", PROMPT, cwd=generated)
    assert done.code == 1
    assert told in done.err


def test_nothing_is_changed_by_it(generated: Path, git: Git) -> None:
    before = files(generated), git("for-each-ref", cwd=generated)
    blamed(generated)
    assert (files(generated), git("for-each-ref", cwd=generated)) == before


def test_it_works_from_any_folder(generated: Path) -> None:
    done = gitforge("blame", "../output/outage/00_PERSONA.md", cwd=generated / "library")
    assert done.code == 0
    assert gitforge("-C", "work", "blame", PROMPT, cwd=generated.parent).code == 0


def test_on_a_terminal_each_line_takes_one_row(generated: Path) -> None:
    path = generated / PROMPT
    wide = "\u4e2d\u6587 " * 60
    path.write_text(path.read_text() + wide + "\n\x1b[31mred\n")
    count = path.read_text().count("\n")
    with Terminal("blame", PROMPT, cwd=generated, columns=80, rows=200, PAGER="cat") as terminal:
        assert terminal.ended() == 0
        rows = [row for row in terminal.screen.split("\n") if row]
    assert len(rows) == count
    assert all(") " in row or row.endswith(")") for row in rows)
    assert any(row.endswith("\u2026") for row in rows)
    assert "\u2026" not in gitforge("blame", PROMPT, cwd=generated).out
    assert b"\x1b[31mred" not in terminal.raw


def test_a_user_who_knows_git_finds_the_options(generated: Path) -> None:
    told = gitforge("blame", "--help", cwd=generated).out
    assert "-L" in told
    assert "Example: gitforge blame" in told
    assert GOAL in (generated / "goals.yaml").read_text()


@pytest.fixture
def wrapping(generated: Path, git: Git) -> Path:
    """A toolkit whose template wraps the constraints, and includes another template."""
    (generated / "library/templates/foot.md").write_text("Foot by hand.\n")
    layout = (
        "# Layout\n\n{{ protocol.text }}\n{% for c in constraints %}\n{{ c.text | wordwrap(40) }}\n{% endfor %}\n"
        "{% include 'templates/foot.md' %}\n"
    )
    (generated / LAYOUT).write_text(layout)
    git("add", "library/templates", cwd=generated)
    git("commit", "-qm", "Wrap it", cwd=generated)
    assert build(generated).code == 0
    return generated


def test_where_one_text_cannot_be_marked_the_others_are(wrapping: Path, git: Git) -> None:
    found = line(wrapping, "2. Ask again.")
    assert (found["path"], found["source_line"], found["model"]) == (PROTOCOL, 4, "test-model")
    found = line(wrapping, "Foot by hand.")
    assert (found["path"], found["commit"]) == ("library/templates/foot.md", head(git, wrapping))
    assert line(wrapping, "# Layout")["path"] == LAYOUT


def test_what_is_committed_is_never_said_to_be_yours(wrapping: Path) -> None:
    lines = blamed(wrapping)
    assert not [one for one in lines if one["author"].startswith("you")]
    wrapped = [one for one in lines if one["source"] == "component" and "/constraints/" in one["path"]]
    assert len(wrapped) > len([one for one in lines if "/constraints/" in (one["path"] or "")]) / 2
    assert all(one["commit"] for one in wrapped)


def rename_in_history(git: Git, root: Path, old: str, new: str) -> None:
    """As `git filter-repo --path-rename`: no commit has the old name."""
    command = f"git ls-files -s | sed 's,\\t{old},\\t{new},' | GIT_INDEX_FILE=$GIT_INDEX_FILE.new git update-index --index-info"
    move = 'test -f "$GIT_INDEX_FILE.new" && mv "$GIT_INDEX_FILE.new" "$GIT_INDEX_FILE" || true'
    git("filter-branch", "--index-filter", f"{command} && {move}", "HEAD", cwd=root)


def test_a_text_that_history_has_under_another_name_alone_is_found(generated: Path, git: Git) -> None:
    new = PROTOCOL.replace("protocols/", "protocols/moved_")
    rename_in_history(git, generated, PROTOCOL, new)
    assert git("log", "--oneline", "HEAD", "--", PROTOCOL, cwd=generated) == ""
    found = line(generated, "2. Ask again.")
    assert found["commit"] == git("log", "-1", "--format=%H", "--", new, cwd=generated)
    assert found["model"] == "test-model"


def test_a_text_that_no_commit_has_any_more_is_said_to_be_so(generated: Path, git: Git) -> None:
    (generated / PROTOCOL).write_text("## Drill\n\n1. Another.\n")
    git("commit", "-q", "--amend", "--all", "--no-edit", cwd=generated)
    found = line(generated, "2. Ask again.")
    assert (found["commit"], found["author"]) == (None, "no commit has it any more")


def test_line_endings_of_windows_make_no_line_yours(generated: Path) -> None:
    path = generated / PROMPT
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert line(generated, "2. Ask again.")["path"] == PROTOCOL


@pytest.mark.parametrize("range_", ["x", "1;2", "/[/", "5,+0"])
def test_what_says_no_range_is_an_error_of_usage(generated: Path, range_: str) -> None:
    done = gitforge("blame", PROMPT, "-L", range_, cwd=generated)
    assert done.code == 2
    assert range_ in done.err


def test_what_was_renamed_and_edited_after_a_generation_is_unreviewed(generated: Path, git: Git) -> None:
    renamed = PROTOCOL.replace(NAME, "drill.md")
    git("mv", PROTOCOL, renamed, cwd=generated)
    (generated / renamed).write_text(DRAFT.replace("Test it", "Test it twice"))
    goals = generated / "goals.yaml"
    goals.write_text(goals.read_text().replace(NAME, "drill.md"))
    git("commit", "-qam", "Call it drill", cwd=generated)
    assert build(generated, "--force").code == 0
    for text in ("2. Ask again.", "3. Test it twice."):
        assert line(generated, text)["needs_review"]
    git("commit", "-q", "--allow-empty", "-m", "Approve protocol drill\n\n" + "\n".join([
        f"Component: {renamed}",
        f"Blob: {git('rev-parse', f'HEAD:{renamed}', cwd=generated)}",
        "Reviewed-by: Ada <ada@example.org>",
    ]), cwd=generated)  # fmt: skip
    assert not line(generated, "2. Ask again.")["needs_review"]
