"""The app, and the only table from a failure to an exit code."""

from __future__ import annotations

import errno
import gc
import importlib
import keyword
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer._click.shell_completion import CompletionItem
from typer.core import TyperGroup

from gitforge import __version__
from gitforge.cli import output
from gitforge.errors import (
    AnswerMissing,
    Cancelled,
    Conflict,
    GitforgeError,
    NotReviewed,
    ProviderError,
    UserError,
)
from gitforge.text import did_you_mean

DONE, FIXABLE, USAGE, PROBLEMS, CONFLICT, PROVIDER, BUG, INTERRUPTED = 0, 1, 2, 3, 4, 5, 70, 130

EXIT_CODES = {
    DONE: "done",
    FIXABLE: "something the user can fix",
    USAGE: "usage, or an answer missing without a terminal",
    PROBLEMS: "toolkit assembled degraded, or a check found problems",
    CONFLICT: "a conflict that needs a person",
    PROVIDER: "the provider failed",
    BUG: "a bug (with a report file)",
    INTERRUPTED: "interrupted",
}

_BY_ERROR: tuple[tuple[type[GitforgeError], int], ...] = (
    (AnswerMissing, USAGE),
    (Conflict, CONFLICT),
    (ProviderError, PROVIDER),
    (NotReviewed, PROBLEMS),
    (Cancelled, INTERRUPTED),
    (UserError, FIXABLE),
)

COMMANDS = (
    "init",
    "clone",
    "build",
    "generate",
    "regenerate",
    "review",
    "revert",
    "undo",
    "restore",
    "goal",
    "library",
    "adopt",
    "import",
    "export",
    "list",
    "show",
    "search",
    "log",
    "diff",
    "status",
    "blame",
    "sync",
    "drafts",
    "check",
    "doctor",
    "install-driver",
    "mcp",
    "completion",
)
HIDDEN = ("merge-driver",)  # for git, not for people


class Commands(TyperGroup):
    """The commands, each imported when it is used: what one needs, the others do not pay for."""

    def list_commands(self, ctx: Any) -> list[str]:
        """In the order in which a newcomer needs them."""
        return list(COMMANDS)

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """The names alone: for a line of help each would have to be imported."""
        options = super(TyperGroup, self).shell_complete(ctx, incomplete)
        return [CompletionItem(one) for one in COMMANDS if one.startswith(incomplete)] + options

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Imports `gitforge.cli.<name>`, with `_` for `-` and behind a word of Python's, and takes its app."""
        if cmd_name not in (*COMMANDS, *HIDDEN):
            hint = did_you_mean(cmd_name, list(COMMANDS))
            return ctx.fail(f"No such command {cmd_name!r}. {hint}") if hint else None
        module = f"{cmd_name}_" if keyword.iskeyword(cmd_name) else cmd_name.replace("-", "_")
        command = typer.main.get_command(importlib.import_module(f"gitforge.cli.{module}").app)
        command.name = cmd_name
        return command


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,  # `gitforge completion` has scripts of its own
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(value: bool) -> None:
    if value:
        output.result(f"gitforge {__version__}")
        raise typer.Exit


_CODES = " · ".join(f"{code} {meaning}" for code, meaning in EXIT_CODES.items())


@app.callback(epilog=f"`gitforge COMMAND --help` has an example of each. Exit codes: {_CODES}.")
def gitforge(
    ctx: typer.Context,
    directory: Annotated[
        Path, typer.Option("-C", metavar="DIR", help="Run as if started in DIR.", show_default=False)
    ] = Path(),
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Forge prompt toolkits from a component library that lives in git."""
    ctx.obj = directory


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code.

    Args:
        arguments: Without the program's name; those of the process by default.
    """
    gc.disable()  # a short life: what the imports allocate is never garbage
    output.prepare_streams()
    try:
        if "_GITFORGE_COMPLETE" in os.environ:  # a shell asks what it can offer
            code = int(importlib.import_module("gitforge.cli.completion").answer(app))
        else:
            code = _run(list(sys.argv[1:] if arguments is None else arguments))
        sys.stdout.flush()
    except OSError as error:
        return unsaid(error)
    return code


def unsaid(error: OSError) -> int:
    """The exit code where standard output takes no more: its reader went away, or there is no room."""
    output.discard_output()
    return DONE if isinstance(error, BrokenPipeError) else explain(translate(error))


def _run(arguments: list[str]) -> int:
    try:
        returned = app(args=arguments, prog_name="gitforge", standalone_mode=False)
    except GitforgeError as error:
        return explain(error)
    except typer.exceptions.TyperException as error:
        return _explain_usage(error)
    except (KeyboardInterrupt, typer.Abort):
        returned = INTERRUPTED
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # typer's own way out of a pipe that nobody reads
            raise end.__context__ from None
        raise
    except BrokenPipeError:
        raise
    except OSError as error:
        return explain(translate(error)) if error.errno in FIXABLE_ERRNO else _report_bug(error)
    except Exception as error:  # noqa: BLE001 -- the last resort
        return _report_bug(error)
    if returned == INTERRUPTED:  # typer turns Ctrl-C into this code and says nothing
        output.say("Interrupted: nothing is half-written.")
    return returned if isinstance(returned, int) else DONE


FIXABLE_ERRNO = {
    errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EMFILE, errno.ENFILE,
    errno.ENOTDIR, errno.EISDIR, errno.ENOENT, errno.ELOOP, errno.ENAMETOOLONG, errno.EIO,
}  # fmt: skip


def translate(error: OSError) -> UserError:
    """A failure of the file system that nobody nearer to it has put into words."""
    if error.errno == errno.ENOENT and not error.filename and _is_nowhere():
        return UserError("the folder that you are in is not there any more", hint="Change to another one.")
    where = f"{error.filename}: " if error.filename else ""
    return UserError(f"{where}{error.strerror or error}")


def _is_nowhere() -> bool:
    """Whether the folder in which the program was started is gone."""
    try:
        return not Path.cwd().exists()
    except OSError:
        return True


def explain(error: GitforgeError) -> int:
    """Tells what was wrong and what to do about it; returns the exit code of such an error."""
    code = next(code for kind, code in _BY_ERROR if isinstance(error, kind))
    label = "stopped" if isinstance(error, Cancelled) else "error"
    output.say((f"{label}: ", output.BAD), error.message)
    diff = getattr(error, "diff", None)
    if diff:
        output.diff(diff)
    if error.hint:
        output.say(("hint: ", output.WARN), error.hint)
    return code


def _explain_usage(error: typer.exceptions.TyperException) -> int:
    """A wrong command line; where nothing was asked for at all, the help is the answer."""
    context = getattr(error, "ctx", None)
    if not error.format_message() or context is None or type(error).__name__ == "NoArgsIsHelpError":
        error.show() if hasattr(error, "show") else output.say(str(error))
        return error.exit_code
    said = error.format_message().removesuffix(".")  # worded as click words it, not as our own errors are
    output.say(("error: ", output.BAD), said[:1].lower() + said[1:])
    output.say(("hint: ", output.WARN), f"`{context.command_path} --help` shows how it is used.")
    return error.exit_code


def _report_bug(error: Exception) -> int:
    where = bug_report(error)
    output.say(
        ("bug: ", output.BAD),
        "gitforge failed in a way that it should not: "
        + _without_secrets(f"{type(error).__name__}: {error}"),
    )
    output.say(where, " Please report it with that file; nothing of yours was half-written.")
    return BUG


def bug_report(error: Exception) -> str:
    """Writes down what a bug needs to be found, without secrets; says in a sentence where."""
    import tempfile  # noqa: PLC0415
    import traceback  # noqa: PLC0415

    report = _without_secrets("".join(traceback.format_exception(error)))
    try:
        with tempfile.NamedTemporaryFile(
            "w",
            prefix="gitforge-bug-",
            suffix=".txt",
            delete=False,
            encoding="utf-8",
            errors="backslashreplace",
        ) as file:
            file.write(f"gitforge {__version__}, Python {sys.version}\n\n{report}")
    except OSError as failure:
        return f"The details could not be written ({failure})."
    return f"The details are in {file.name}."


def _without_secrets(text: str) -> str:
    """The text without what the environment holds in secret, and without the userinfo of any URL."""
    for name, value in os.environ.items():
        if value and any(word in name.upper() for word in ("KEY", "TOKEN", "SECRET", "PASSWORD")):
            text = text.replace(value, f"[{name}]")
    return re.sub(r"(?<=://)[^\s/]+@", "[hidden]@", text)
