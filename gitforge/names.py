"""Names from strangers: what may become a file, a folder or a line of output."""

from __future__ import annotations

import re
import unicodedata

from gitforge.errors import UserError
from gitforge.text import hidden_characters, printable

COMPONENT_SUFFIXES = (".md", ".txt")
MAX_BYTES = 150  # file systems allow 255; gitforge's temporary names, and other systems, need the rest
_FORBIDDEN = re.compile(r'[/\\:*?"<>|]')
_ORDINARY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{4,80}\.(md|txt)", re.ASCII)
_ORDINARY_LABEL = re.compile(r"[A-Za-z0-9_]{1,100}")
_LIBRARY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{1,39}", re.ASCII)  # no single letter: C: is a drive
_NO_LIBRARY = {"gitforge", "library", "libraries", "goals", "file", "git", "http", "https", "ssh"}
_NO_REV = re.compile(r"^[-/.@]$|^[-/.]|[/.]$|\.\.|//|/\.|@\{|\.lock(/|$)|[\s~^:?*\[\\]")
_PASSED_OVER = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")  # Apple, TN1150
_WINDOWS = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


def file_name(name: str, what: str) -> str:
    """Returns the name if it can be a file name on every system, inside its folder.

    Args:
        name: The candidate.
        what: How the error calls it, for example "project".

    Raises:
        UserError: It cannot.
    """
    reason = _why_not(name)
    if reason is not None:
        raise UserError(
            f"the {what} name {printable(name[:60])!r} {reason}",
            hint="Use letters, digits, '_', '-', '.' and spaces inside, for example my_project.",
        )
    return name


def is_ordinary(name: str) -> bool:
    """Whether the name is so plain that a component can have it without a closer look."""
    return _ORDINARY.fullmatch(name) is not None


def component_name(name: str) -> str:
    """Returns the name if a component's file can have it.

    Raises:
        UserError: It cannot.
    """
    if is_ordinary(name):
        return name
    if not name.endswith(COMPONENT_SUFFIXES) or name in COMPONENT_SUFFIXES:
        reason = "contains a path" if "/" in name else f"does not end in {' or '.join(COMPONENT_SUFFIXES)}"
        raise UserError(
            f"the component name {printable(name[:60])!r} {reason}",
            hint="Name the file alone, for example code_review_pass.md.",
        )
    return file_name(name, "component")


def library_name(name: str) -> str:
    """Returns the name if another library can be called so.

    Raises:
        UserError: It cannot.
    """
    if _LIBRARY.fullmatch(name) is None:
        raise UserError(
            f"the library name {printable(name[:60])!r} is no plain word of 2 to 40 characters",
            hint="Use letters, digits, '_' and '-', for example acme.",
        )
    if name.casefold() in _NO_LIBRARY or _WINDOWS.fullmatch(name):
        raise UserError(f"the library name {name!r} is reserved", hint="Choose another name.")
    return name


def foreign_parts(name: str) -> tuple[str, str] | None:
    """The library and the rest of a name like `acme:file.md`; None where it is not of that form."""
    library, colon, rest = name.partition(":")
    return (library, rest) if colon and _LIBRARY.fullmatch(library) else None


def folded(path: str) -> str:
    """What a path comes to on a system that tells fewer names apart: those that some system takes for one come to one.

    APFS folds upper and lower case, and one character written in several ways (canonical equivalence); HFS+ passes
    over some invisible characters too; NTFS folds case alone. None of them takes `x²` for `x2`.
    Canonical caseless matching, The Unicode Standard, 3.13, D145.
    """
    if path.isascii():
        return path.lower()
    visible = _PASSED_OVER.sub("", unicodedata.normalize("NFD", path))
    return unicodedata.normalize("NFD", visible.casefold())


def folder_path(path: str, what: str) -> str:
    """Returns the relative POSIX path if each of its parts can be a file name.

    Raises:
        UserError: One cannot.
    """
    if path.startswith("/"):
        raise UserError(
            f"the {what} name {printable(path[:60])!r} is an absolute path", hint="Name a folder inside."
        )
    for part in path.split("/"):
        file_name(part, what)
    return path


def rev(name: str) -> str:
    """Returns the name if a branch or a tag can have it (git-check-ref-format(1)).

    Raises:
        UserError: It cannot.
    """
    label(name, "branch or tag")
    if _NO_REV.search(name):
        raise UserError(
            f"no branch or tag can be called {printable(name[:60])!r}", hint="Name one of the library's."
        )
    return name


def label(name: str, what: str, limit: int = MAX_BYTES) -> str:
    """Returns the name if it can stand on a line of its own: a goal's, a category's.

    Args:
        name: The candidate.
        what: How the error calls it.
        limit: How many characters it may have.

    Raises:
        UserError: It is empty, too long, padded, or has hidden characters.
    """
    if _ORDINARY_LABEL.fullmatch(name):
        return name
    if not name.strip():
        raise UserError(f"the {what} name is empty")
    if len(name) > limit:
        raise UserError(f"the {what} name {printable(name[:40])!r}... is longer than {limit} characters")
    if name != name.strip() or "\n" in name or "\t" in name or any(hidden_characters(name)):
        raise UserError(
            f"the {what} name {printable(name)!r} has hidden characters, or white space at its ends"
        )
    return name


def title(name: str) -> str:
    """`root_cause_analysis.md` and `ROOT_CAUSE_ANALYSIS` as people write them: `Root cause analysis`."""
    words = re.sub(r"[_\-\s]+", " ", re.sub(r"\.(md|txt)$", "", name)).strip()
    words = words.lower() if words.isupper() else words
    return words[:1].upper() + words[1:]


def _why_not(name: str) -> str | None:
    """Why the name cannot be a file name; None where it can."""
    checks = (
        (not name.strip(), "is empty"),
        (len(name.encode("utf-8", "replace")) > MAX_BYTES, f"is longer than {MAX_BYTES} bytes"),
        ("\n" in name or "\t" in name or any(hidden_characters(name)), "has control or hidden characters"),
        (_FORBIDDEN.search(name), 'has one of / \\ : * ? " < > |'),
        (name.startswith(("-", ".")), f"starts with {name[:1]!r}"),
        (
            name.endswith((" ", ".")) or name.startswith(" "),
            "starts or ends with a space, or ends with a dot",
        ),
        (_WINDOWS.fullmatch(name), "is reserved by Windows"),
        (name != unicodedata.normalize("NFC", name), "is not in Unicode normal form C"),
    )
    return next((reason for failed, reason in checks if failed), None)
