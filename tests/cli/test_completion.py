"""Completion in real shells: what is offered, and that odd names come out as one word."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st
from program import build, gitforge

from gitforge.cli.typed import typed

Git = Callable[..., str]
BREAKS = " \t\n\"'><=;|&(:@"
ODD = {
    "spaces": "zspaces a b  c.md",
    "quote": "zquote it's odd.md",
    "dollar": "zdollar $HOME `id`.md",
    "colon": "zcolon:two three.md",
    "brackets": "zbrackets (1) [2] & {3}.md",
}


def offered(folder: Path, line: str, shell: str = "zsh") -> list[list[str]]:
    """What gitforge answers a shell: values with their help."""
    words = "\n".join(line.split(" "))
    asked = {"_GITFORGE_COMPLETE": shell, "_GITFORGE_WORDS": words, "_GITFORGE_LINE": line}
    done = gitforge(cwd=folder, **asked)
    assert done.err == ""
    assert done.code in {0, 1}
    assert (done.code == 0) is bool(done.out)
    return [one.split("\t") for one in done.out.splitlines()]


def values(folder: Path, line: str) -> list[str]:
    return [value for value, *_ in offered(folder, line)]


def test_commands_and_options_are_offered(workspace: Path) -> None:
    assert values(workspace, "gitforge sta") == ["status"]
    assert ["--provenance", "Where the component's text came from, with the exact prompt."] in offered(
        workspace, "gitforge show --pro"
    )


def test_goals_and_components_are_offered_with_what_they_are(workspace: Path) -> None:
    assert offered(workspace, "gitforge show digital") == [["digital_detective.md", "persona"]]
    ((name, help_),) = offered(workspace, "gitforge log DIAGNOSE_ROOT")
    assert name == "DIAGNOSE_ROOT_CAUSE"
    assert "underlying cause" in help_
    assert values(workspace, "gitforge build --goal DIAGNOSE_ROOT") == [name]
    assert values(workspace, "gitforge regenerate digital_detective.md rep") == []


def test_what_goals_lack_is_offered_too(incomplete: Path) -> None:
    (one,) = offered(incomplete, "gitforge generate root_cause")
    assert one == ["root_cause_analysis_drilldown.md", "protocol, missing"]


def test_toolkits_are_offered(workspace: Path) -> None:
    assert gitforge("build", "outage", "--goal", "DIAGNOSE_ROOT_CAUSE", cwd=workspace).code == 0
    assert values(workspace, "gitforge build ou") == ["outage"]


def test_a_toolkits_files_are_offered_from_where_one_stands(workspace: Path) -> None:
    assert gitforge("build", "outage", "--goal", "DIAGNOSE_ROOT_CAUSE", cwd=workspace).code == 0
    assert values(workspace / "library", "gitforge blame ../out") == [
        "../output/outage/00_PERSONA.md", "../output/outage/01_PROMPT_TEMPLATE.md",
    ]  # fmt: skip


def test_commits_are_offered_with_their_subjects(workspace: Path, git: Git) -> None:
    git("commit", "-q", "--allow-empty", "-m", "A subject", cwd=workspace)
    git("tag", "v1", cwd=workspace)
    short = git("rev-parse", "--short", "HEAD", cwd=workspace)
    assert offered(workspace, "gitforge diff ")[0] == [short, "A subject"]
    assert ["v1", "a tag"] in offered(workspace, "gitforge diff v")
    assert values(workspace, "gitforge show digital_detective.md@")[0] == f"digital_detective.md@{short}"
    assert values(workspace, f"gitforge diff {short} -- digital") == ["digital_detective.md"]


@pytest.mark.parametrize(
    "line", ["gitforge build outage --at ma", "gitforge diff HEAD..ma", "gitforge diff HEAD...ma"]
)
def test_commits_are_offered_wherever_one_can_stand(workspace: Path, line: str) -> None:
    assert values(workspace, line) == [line.rpartition(" ")[2] + "in"]


def test_choices_are_offered(workspace: Path) -> None:
    assert values(workspace, "gitforge build --provider ") == ["openai", "llm", "offline"]
    assert values(workspace, "gitforge completion ") == ["bash", "zsh", "fish"]


def test_another_folder_is_looked_at_where_the_command_will(workspace: Path, tmp_path: Path) -> None:
    for line in (
        "gitforge -C work show digital",
        "gitforge show -C work digital",
        "git forge -C work show digital",
    ):
        assert values(tmp_path, line) == ["digital_detective.md"]


def test_a_name_that_two_kinds_share_is_offered_with_its_folder(workspace: Path) -> None:
    (workspace / "library/protocols/digital_detective.md").write_text("Twice.\n")
    assert values(workspace, "gitforge show personas/") == ["personas/digital_detective.md"]
    assert values(workspace, "gitforge show digital") == []


@pytest.mark.parametrize(
    "line", ["gitforge show x", "gitforge build --goal ", "gitforge diff ", "gitforge nope x"]
)
def test_where_there_is_no_workspace_nothing_is_offered_and_nothing_said(tmp_path: Path, line: str) -> None:
    assert offered(tmp_path, line) == []


def test_a_broken_goals_file_is_not_complained_about(workspace: Path) -> None:
    (workspace / "goals.yaml").write_text("goals: [")
    assert offered(workspace, "gitforge show ") == []


def test_nothing_is_written(workspace: Path) -> None:
    before = sorted(workspace.rglob("*"))
    for line in ("gitforge show ", "gitforge diff ", "gitforge build "):
        offered(workspace, line)
    assert sorted(workspace.rglob("*")) == before


@pytest.mark.parametrize("asked", [{}, {"_GITFORGE_COMPLETE": "bash"}, {"_GITFORGE_COMPLETE": "tcsh"}])
def test_a_question_that_makes_no_sense_gets_no_answer(workspace: Path, asked: dict[str, str]) -> None:
    done = gitforge("show", cwd=workspace, **({"_GITFORGE_COMPLETE": "fish"} | asked))
    assert (done.code, done.out, done.err) == (1, "", "")


def test_a_name_with_hidden_characters_is_not_offered(workspace: Path) -> None:
    (workspace / "library/personas/evil\x1b[31m.md").write_text("x")
    assert values(workspace, "gitforge show evil") == []


def test_the_help_says_how_to_install_it(workspace: Path) -> None:
    told = gitforge("completion", "--help", cwd=workspace).out
    for place in ("bash-completion/completions", "_gitforge", "fish/completions"):
        assert place in told
    assert gitforge("completion", "tcsh", cwd=workspace).code == 2


# --- what was typed -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "words", "word", "ending"),
    [
        ("gitforge show a", ["gitforge", "show"], "a", r"a\ b"),
        ("gitforge show a\\ ", ["gitforge", "show"], "a ", r"a\ b"),
        ("gitforge show 'a ", ["gitforge", "show"], "a ", "a b"),
        ('gitforge show "a', ["gitforge", "show"], "a", "a b"),
        ("gitforge  'x y'  show ", ["gitforge", "x y", "show"], "", r"a\ b"),
    ],
)
def test_a_line_is_read_as_bash_reads_it(line: str, words: list[str], word: str, ending: str) -> None:
    found = typed(line, BREAKS)
    assert (list(found.words), found.word, found.ending("a b")) == (words, word, ending)


def test_behind_a_colon_only_the_rest_is_given() -> None:
    assert typed("gitforge show one:t", BREAKS).ending("one:two three") == r"two\ three"
    assert typed("gitforge show 'one:t", BREAKS).ending("one:two three") == "one:two three"


@given(st.text(alphabet=st.characters(exclude_characters="\0\n", exclude_categories=["Cs"]), max_size=20))
def test_every_value_comes_out_of_bash_as_one_word(value: str) -> None:
    for quote in ("", "'", '"'):
        found = typed(f"gitforge show {quote}", "")
        line = f"{quote}{found.ending(value)}{quote}"
        again = typed(f"gitforge show {line} ", "")
        if value or quote:
            assert again.words == ("gitforge", "show", value)


# --- in shells ----------------------------------------------------------------------------------------


@pytest.fixture
def odd(workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with odd names, and `gitforge` on the PATH."""
    for name in ODD.values():
        (workspace / "library/personas" / name).write_text("Odd.\n")
    scripts = tmp_path / "bin"
    scripts.mkdir()
    for name in ("gitforge", "git-forge"):
        (scripts / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" -m gitforge "$@"\n')
        (scripts / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{scripts}:{os.environ['PATH']}")
    return workspace


class Shell:
    """A shell on a terminal, taught to complete."""

    def __init__(self, folder: Path, *command: str, setup: str) -> None:
        if shutil.which(command[0]) is None:
            pytest.skip(f"{command[0]} is not installed")
        environment = {**os.environ, "TERM": "dumb", "PS1": "> "}
        self._child = pexpect.spawn(
            command[0], [*command[1:]], cwd=str(folder), env=environment, encoding="utf-8", timeout=60,
            dimensions=(50, 200),
        )  # fmt: skip
        self._child.sendline(f"{setup}; echo rea''dy")
        self._child.expect("ready\r?\n")

    def completed(self, line: str) -> list[str]:
        """Types a line and Tab, then Enter; the words that the program at its beginning is given."""
        self._child.send(f"{line}\t")
        self._child.send("\r")
        self._child.expect(r"\[\[(.*?)\]\]")
        return [one for one in re.split(r"[\r\n]+", str(self._child.match[1])) if one]

    def close(self) -> None:
        self._child.close(force=True)


SHOWS = "import sys; print('[[' + '\\n'.join(sys.argv[1:]) + ']]')"


@pytest.fixture(params=["bash", "zsh", "fish"])
def shell(request: pytest.FixtureRequest, odd: Path, tmp_path: Path) -> Iterator[Shell]:
    """Each shell in turn, where the word `gitforge` shows its arguments unless it is asked for completions."""
    script = tmp_path / "script"
    if shutil.which(request.param):
        script.write_text(gitforge("completion", request.param, cwd=odd).out)
    real = (tmp_path / "bin/gitforge").read_text().splitlines()[1]
    (tmp_path / "shows.py").write_text(SHOWS)
    told = f'exec "{sys.executable}" "{tmp_path / "shows.py"}" "$@"'
    (tmp_path / "bin/gitforge").write_text(f'#!/bin/sh\n[ -n "$_GITFORGE_COMPLETE" ] && {real}\n{told}\n')
    setups = {
        "bash": (["bash", "--norc", "--noprofile"], f"bind 'set bell-style none'; source {script}"),
        "zsh": (
            ["zsh", "-f"],
            f"autoload -Uz compinit; compinit -u; source {script}; PS1='> '; unsetopt beep",
        ),
        "fish": (["fish", "--no-config"], f"source {script}; function fish_prompt; echo '> '; end"),
    }
    command, setup = setups[request.param]
    one = Shell(odd, *command, setup=setup)
    yield one
    one.close()


@pytest.mark.parametrize("kind", ODD)
def test_an_odd_name_becomes_one_word(shell: Shell, kind: str) -> None:
    name = ODD[kind]
    assert shell.completed(f"gitforge show {name[:3]}") == ["show", name]


@pytest.mark.parametrize(("typed_", "kind"), [('"zspaces a', "spaces"), ("'zdollar $", "dollar")])
def test_inside_quotes_too(shell: Shell, typed_: str, kind: str) -> None:
    assert shell.completed(f"gitforge show {typed_}") == ["show", ODD[kind]]


def test_behind_a_colon_the_name_goes_on(shell: Shell) -> None:
    assert shell.completed("gitforge show zcolon:t") == ["show", ODD["colon"]]


def test_goals_are_completed(shell: Shell) -> None:
    assert shell.completed("gitforge log DIAGNOSE_RO") == ["log", "DIAGNOSE_ROOT_CAUSE"]


def test_an_empty_word_is_completed(shell: Shell, odd: Path) -> None:
    assert build(odd).code == 0
    (odd / "output/outage/01_PROMPT_TEMPLATE.md").unlink()
    path = "output/outage/00_PERSONA.md"
    assert shell.completed("gitforge blame ") == ["blame", path]


@pytest.mark.parametrize("joint", ["--goal=", "-g"])
def test_a_value_that_is_joined_to_its_option_is_completed(shell: Shell, joint: str) -> None:
    assert shell.completed(f"gitforge build {joint}DIAGNOSE_RO") == ["build", f"{joint}DIAGNOSE_ROOT_CAUSE"]


def test_git_forge_is_completed_in_bash_where_gits_own_completion_is_there(odd: Path) -> None:
    own = Path("/usr/share/bash-completion/completions/git")
    if not own.exists() or shutil.which("bash") is None:
        pytest.skip("git's completion is not installed")
    script = gitforge("completion", "bash", cwd=odd).out
    ask = 'COMP_WORDS=(git forge show digital); COMP_CWORD=3; COMP_LINE="git forge show digital"; COMP_POINT=${#COMP_LINE}'
    tell = '__git_wrap__git_main; printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(
        ["bash", "--norc", "-c", f"source {own}\n{script}\n{ask}\n{tell}"],
        cwd=odd, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.split() == ["digital_detective.md"]
