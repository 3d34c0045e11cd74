"""`gitforge completion`, and the answer to the shells that it has taught to ask.

The shells ask by an environment variable, as click's own completion does; what is offered comes from that. Their own
scripts are not used: one of them runs what it gets through `eval`, and here that would be names from strangers.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any

import typer
from typer._click.shell_completion import CompletionItem, ShellComplete

from gitforge.cli import output
from gitforge.cli.typed import Typed, typed
from gitforge.text import one_line, printable

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")

ASKED = "_GITFORGE_COMPLETE"
"""The environment variable by which a shell asks; it names the shell."""

_GOAL = "-g"  # the one short option that has a value to offer
_LINE, _BREAKS, _WORDS = "_GITFORGE_LINE", "_GITFORGE_BREAKS", "_GITFORGE_WORDS"


class Shell(StrEnum):
    """The shells that can be taught."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


_BASH = """\
# gitforge in bash, and `git forge` where git's own completion is loaded.
_gitforge() {
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        COMPREPLY+=("$line")
    done < <(_GITFORGE_COMPLETE=bash _GITFORGE_LINE="${COMP_LINE:0:COMP_POINT}" \\
        _GITFORGE_BREAKS="$COMP_WORDBREAKS" gitforge 2>/dev/null)
}
_git_forge() { _gitforge; }
complete -o nosort -o default -F _gitforge gitforge git-forge 2>/dev/null \\
    || complete -o default -F _gitforge gitforge git-forge
"""

_ZSH = """\
#compdef gitforge git-forge
# gitforge in zsh, as a file in $fpath or sourced.
_gitforge() {
    local value help
    local -a typed values shown
    typed=("${(@Q)words[1,CURRENT]}")
    typed[-1]="${(Q)PREFIX}"
    while IFS=$'\\t' read -r value help; do
        values+=("$value")
        shown+=("$value${help:+  -- $help}")
    done < <(_GITFORGE_COMPLETE=zsh _GITFORGE_WORDS="${(pj:\\n:)typed}" gitforge 2>/dev/null)
    if (( $#values )); then
        compadd -l -V gitforge -d shown -a values
    else
        _files
    fi
}
if [[ "$funcstack[1]" == "_gitforge" ]]; then
    _gitforge "$@"
else
    compdef _gitforge gitforge git-forge
fi
"""

_FISH = """\
# gitforge in fish.
function __gitforge_complete
    set -lx _GITFORGE_COMPLETE fish
    set -l word (commandline -ct)
    set -lx _GITFORGE_WORDS (string join \\n -- (commandline -opc) | string collect)\\n"$word"
    gitforge 2>/dev/null
    or __fish_complete_path (commandline -ct)
end
complete --command gitforge --no-files --keep-order --arguments '(__gitforge_complete)'
complete --command git-forge --no-files --keep-order --arguments '(__gitforge_complete)'
"""

_SCRIPTS = {Shell.BASH: _BASH, Shell.ZSH: _ZSH, Shell.FISH: _FISH}


@app.command(epilog='Example: eval "$(gitforge completion bash)"')
def completion(
    shell: Annotated[
        Shell, typer.Argument(metavar="bash|zsh|fish", help="For which shell.", show_default=False)
    ],
) -> None:
    """Print what teaches a shell to complete goals, components, toolkits and commits.

    bash: `gitforge completion bash > ~/.local/share/bash-completion/completions/gitforge`; for `git forge` too, put
    `eval "$(gitforge completion bash)"` into ~/.bashrc instead.

    zsh: `gitforge completion zsh > DIR/_gitforge`, where DIR is in $fpath before `compinit` runs.

    fish: `gitforge completion fish > ~/.config/fish/completions/gitforge.fish`.
    """
    output.result(_SCRIPTS[shell].removesuffix("\n"))


class _Asked(ShellComplete):
    """A shell's question.

    Args:
        app: The commands.
        shell: The shell's name.
    """

    def __init__(self, app: typer.Typer, shell: str) -> None:
        super().__init__(typer.main.get_command(app), {}, "gitforge", ASKED)
        self._line = _typed(shell)
        self._is_bash = shell == Shell.BASH
        self._option, self._value = _split_option(self._line.word)

    def source_vars(self) -> dict[str, Any]:
        """Nothing: the scripts are made without."""
        return {}

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the one at the cursor, and that one; of `--goal=X` and `-gX` both parts as words."""
        words = _arguments(self._line.words)
        return ([*words, self._option.removesuffix("=")] if self._option else words), self._value

    def format_completion(self, item: CompletionItem) -> str:
        """A value with a tab and help; for bash, which shows no help, its end as it has to stand on the line."""
        value = self._option + item.value
        if self._is_bash:
            return self._line.ending(value)
        help_ = printable(one_line(item.help or ""))
        return f"{value}\t{help_}" if help_ else value

    def lines(self) -> list[str]:
        """Everything that fits, once each; names with hidden characters are not offered."""
        words, word = self.get_completion_args()
        fitting = (one for one in self.get_completions(words, word) if one.type == "plain")
        shown = [one for one in fitting if one.value.startswith(word) and _is_plain(one.value)]
        return list(dict.fromkeys(map(self.format_completion, shown)))


def answer(app: typer.Typer) -> int:
    """Prints what fits to the command line that a shell has put into the environment, a line each.

    Returns the exit code: 1 where nothing fits, so that the shell can offer files.
    """
    try:
        lines = _Asked(app, os.environ[ASKED]).lines()
    except Exception:  # noqa: BLE001 -- somebody is typing
        return 1
    sys.stdout.buffer.write(b"".join(os.fsencode(line) + b"\n" for line in lines))
    return 0 if lines else 1


def _split_option(word: str) -> tuple[str, str]:
    """An option with what joins it to its value, if it has one behind it, and the rest of the word."""
    if word.startswith("--"):
        name, joint, value = word.partition("=")
        return (name + joint, value) if joint else ("", word)
    return (_GOAL, word.removeprefix(_GOAL)) if word.startswith(_GOAL) else ("", word)


def _is_plain(value: str) -> bool:
    return printable(value) == value and "\n" not in value and "\t" not in value


def _typed(shell: str) -> Typed:
    if shell == Shell.BASH:
        return typed(os.environ[_LINE], os.environ.get(_BREAKS, ""))
    *words, word = os.environ[_WORDS].split("\n")
    return Typed(tuple(words), word.lstrip("'\""), "", 0)


def _arguments(words: Sequence[str]) -> list[str]:
    """Without the program's name, and in `git forge` without what is git's."""
    is_git = words[:1] and words[0].rpartition("/")[2] == "git" and "forge" in words
    return list(words[words.index("forge") + 1 :] if is_git else words[1:])
