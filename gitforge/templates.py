"""Templates of the library, rendered by Jinja2 in a sandbox.

`library/templates/` lays out a toolkit's files, `library/generators/` is what a model is asked. Both are
written by people, perhaps strangers: they see nothing but the values given to them, an unknown name is an
error, and they can neither reach outside `library/` nor grow without bound. Values are inert: what stands in
a component is never taken for template syntax.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import resource
import stat
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jinja2
from jinja2.bccache import Bucket
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from gitforge import __version__, documents, names, starter
from gitforge.errors import InvalidFile, Problem, UserError
from gitforge.store.durable import Unreadable, read_own, replace_if_possible
from gitforge.workspace import Workspace

MAX_BYTES = 256 * 1024
MAX_PRODUCT = 1_000_000  # the longest text or list that a template may multiply up to
_HINT = "The comment at the top of the starter's template of that kind lists the names that it can use."
MAX_MEMORY = 512 * 1024 * 1024
MAX_RENDERED = 16 * 1024 * 1024
_MAX_COMPILED = 16 * 1024 * 1024
_DIGEST_BYTES = 32
_SYNTAX: Mapping[str, bool] = {
    "autoescape": False,  # the results are prompts, not HTML
    "keep_trailing_newline": True,
    "trim_blocks": True,
    "lstrip_blocks": True,
}
_CHECKED = frozenset({"*", "**"})  # operators that the sandbox looks at


class Renderer:
    """Renders templates by their name below `library/`.

    Args:
        find: Gives a template's text and the file that it is from; None where there is no such template.
        compiled: The folder in which compiled templates are kept; None: they are not.

    Attributes:
        loaded: The text of every template that was used, those that others include among them, by name.
    """

    def __init__(self, find: Callable[[str], tuple[str, str] | None], compiled: Path | None = None) -> None:
        self.loaded: dict[str, str] = {}
        self._find = find
        self._environment = _Environment(
            loader=jinja2.FunctionLoader(self._source),
            undefined=jinja2.StrictUndefined,
            cache_size=100,
            bytecode_cache=_Compiled(compiled, f"{_SYNTAX} {sorted(_CHECKED)}")
            if compiled is not None
            else None,
            **_SYNTAX,
        )

    def render(self, name: str, values: Mapping[str, Any]) -> str:
        """Renders a template as a whole.

        Raises:
            UserError: There is no such template, it does not compile, or uses a name that is not given.
        """
        with _translated(name), _little_memory:
            return _bounded(self._environment.get_template(name).generate(**values), name)

    def render_blocks(self, name: str, values: Mapping[str, Any]) -> dict[str, str]:
        """Renders each block of a template on its own: block name to text.

        Raises:
            UserError: As for `render`.
        """
        with _translated(name), _little_memory:
            template = self._environment.get_template(name)
            try:
                # The parents' blocks are known only once the template has been followed to its root.
                context = template.new_context(dict(values))
                for _ in template.root_render_func(context):
                    pass
                return {block: _bounded(parts[0](context), name) for block, parts in context.blocks.items()}
            except UserError:
                raise
            except Exception:  # noqa: BLE001 -- raised again, with lines of the template instead of its code's
                self._environment.handle_exception()

    def _source(self, name: str) -> tuple[str, str, Any] | None:
        found = self._find(name)
        if found is None:
            return None
        self.loaded[name] = found[0]
        return *found, None


class Templates(Renderer):
    """The templates of a workspace; where it has none of a name, the starter's.

    Args:
        workspace: Whose `library/` is looked in first.
        compiled: As for `Renderer`.
    """

    def __init__(self, workspace: Workspace, compiled: Path | None = None) -> None:
        super().__init__(self._read, compiled)
        self._library = workspace.library

    @property
    def folder(self) -> Path:
        """The workspace's own `library/`."""
        return self._library.folder

    def exists(self, name: str) -> bool:
        """Whether there is a template of that name, for example `generators/persona.md`."""
        return self.find(name) is not None

    def find(self, name: str) -> Path | None:
        """The template's file: the workspace's own, else the starter's; None where there is neither.

        Raises:
            UserError: The name or a symbolic link leads out of `library/`.
        """
        names.folder_path(name, "template")
        for folder in (self._library.folder, starter.library()):
            path = folder / name
            if path.is_file():
                if folder is self._library.folder:
                    self._library.refuse_escape(path, f"library/{name}")
                return path
        return None

    def own(self) -> list[str]:
        """The names of the workspace's own templates and generators, sorted."""
        folders = (self._library.folder / "templates", self._library.folder / "generators")
        return sorted(
            path.relative_to(self._library.folder).as_posix()
            for folder in folders
            for path in folder.rglob("*")
            if path.is_file() and not path.name.startswith(".")
        )

    def problem(self, name: str) -> Problem | None:
        """Why a template does not compile; None where it does."""
        try:
            with _translated(name):
                self._environment.get_template(name)
        except InvalidFile as error:
            return error.problems[0]
        except UserError as error:
            file = f"library/{name}"
            return Problem(file, error.message.removeprefix(f"{file}: "), hint=error.hint)
        return None

    def _read(self, name: str) -> tuple[str, str] | None:
        path = self.find(name)
        if path is None:
            return None
        return documents.read_text(path, f"library/{name}", MAX_BYTES), str(path)


def compiled_folder(environment: Mapping[str, str], root: Path) -> Path | None:
    """Where compiled templates are kept: the user's cache, because a git directory may have come from somebody else.

    Args:
        environment: Of which XDG_CACHE_HOME and HOME count (XDG Base Directory Specification).
        root: The repository's: a cache in it may be somebody else's commit, so nothing is kept there.
    """
    cache = environment.get("XDG_CACHE_HOME", "")
    if not cache.startswith("/"):
        home = environment.get("HOME", "")
        cache = f"{home}/.cache" if home.startswith("/") else ""
    if not cache:
        return None
    folder = Path(cache, "gitforge", "templates")
    places = (os.path.normpath(folder), os.path.realpath(folder))
    return None if any(Path(place).is_relative_to(root) for place in places) else folder


class _Compiled(jinja2.BytecodeCache):
    """Templates as Jinja2 has compiled them, which takes longer than rendering them: a file for each.

    The files are code, and can be deleted at any time. One that is somebody else's, torn, or made by another version,
    with other settings or from another text is made anew. A folder that others can write to is not used.

    Args:
        folder: Where they are; it is made if it is missing.
        settings: All that decides what a text is compiled to.
    """

    def __init__(self, folder: Path, settings: str) -> None:
        self._folder = folder
        self._about = f"{__version__} {jinja2.__version__} {sys.version} {settings}\0".encode()

    def get_cache_key(self, name: str, filename: str | None = None) -> str:
        """The name of the file; unlike Jinja2's own, also of what is in a folder whose name is no UTF-8."""
        return hashlib.sha256(os.fsencode(f"{name}|{filename}")).hexdigest()

    def load_bytecode(self, bucket: Bucket) -> None:
        """Takes what is kept, if it can be relied on."""
        try:
            content = read_own(self._folder / bucket.key, _MAX_COMPILED) if self._is_ours() else b""
        except (OSError, Unreadable):
            return
        digest, compiled = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
        if digest == self._digest(compiled):  # of a torn one, Jinja2 would raise anything
            bucket.bytecode_from_string(compiled)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keeps it, where that can be."""
        compiled = bucket.bytecode_to_string()
        with contextlib.suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self._is_ours():
                replace_if_possible(self._folder / bucket.key, self._digest(compiled) + compiled)

    def _is_ours(self) -> bool:
        """Whether nobody else can put files there.

        Raises:
            OSError: Nobody can tell.
        """
        found = self._folder.stat()
        return found.st_uid == os.geteuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)

    def _digest(self, compiled: bytes) -> bytes:
        return hashlib.sha256(self._about + compiled).digest()


class _Environment(ImmutableSandboxedEnvironment):
    """The sandbox, with a bound on what `*` and `**` can build up."""

    intercepted_binops = _CHECKED

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "**":
            raise SecurityError("the operator ** is not available in a template")
        for many, times in ((left, right), (right, left)):
            is_repetition = isinstance(many, str | list | tuple) and isinstance(times, int)
            if is_repetition and len(many) * times > MAX_PRODUCT:
                raise SecurityError("a product is too long")
        return super().call_binop(context, operator, left, right)


def _bounded(parts: Iterator[str], name: str) -> str:
    """Joins what a template yields, up to a bound."""
    rendered, size = [], 0
    for part in parts:
        size += len(part)
        if size > MAX_RENDERED:
            raise UserError(f"library/{name}: renders to more than {MAX_RENDERED // 1024 // 1024} MiB")
        rendered.append(part)
    return "".join(rendered)


class _LittleMemory:
    """Lets the process grow by `MAX_MEMORY` at most: a template that builds up more gets a MemoryError.

    The limit is the process's: of several threads the first one sets it, and the last one takes it back. Where the
    system has no such limit (macOS) there is none. Source: getrlimit(2).
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._before: tuple[int, int] | None = None

    def __enter__(self) -> None:
        with self._lock:
            self._users += 1
            if self._users == 1:
                self._before = self._limit()

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0 and self._before is not None:
                resource.setrlimit(resource.RLIMIT_AS, self._before)

    @staticmethod
    def _limit() -> tuple[int, int] | None:
        """Sets the limit; returns what it was, or None where it could not be set."""
        before = soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        try:
            used = int(Path("/proc/self/statm").read_bytes().split()[0]) * resource.getpagesize()
            limits = [one for one in (used + MAX_MEMORY, soft, hard) if one != resource.RLIM_INFINITY]
            resource.setrlimit(resource.RLIMIT_AS, (min(limits), hard))
        except (OSError, ValueError):
            return None
        return before


_little_memory = _LittleMemory()


@contextmanager
def _translated(name: str) -> Iterator[None]:
    """Turns Jinja2's errors, and those of the expressions in a template, into ours with file and line."""
    file = f"library/{name}"
    try:
        yield
    except UserError:
        raise
    except jinja2.TemplateNotFound as error:
        missing = f"library/{error.name}"
        raise UserError(
            f"{missing}: there is no such template" + ("" if missing == file else f" (used by {file})"),
            hint="Create it, or correct its name in goals.yaml.",
        ) from None
    except jinja2.TemplateSyntaxError as error:
        problem = Problem(f"library/{error.name or name}", f"does not compile: {error.message}", error.lineno)
        raise InvalidFile([problem]) from None
    except RecursionError:
        raise InvalidFile([Problem(file, "is nested too deeply, or includes itself")]) from None
    except Exception as error:  # noqa: BLE001 -- an expression in a template can raise anything
        place, line = _place(error.__traceback__) or (file, None)
        is_greedy = isinstance(error, SecurityError | MemoryError | OverflowError)
        what = "asks for more than a template may" if is_greedy else "fails"
        raise InvalidFile([Problem(place, f"{what}: {error or 'too much memory'}", line, _HINT)]) from None


def _place(trace: Any) -> tuple[str, int] | None:
    """The innermost template file and line in a traceback, which Jinja2 rewrites to point there."""
    found = None
    while trace is not None:
        path = Path(trace.tb_frame.f_code.co_filename)
        if "library" in path.parts and path.suffix != ".py":
            below = path.parts[len(path.parts) - path.parts[::-1].index("library") :]
            found = ("library/" + "/".join(below), trace.tb_lineno)
        trace = trace.tb_next
    return found
