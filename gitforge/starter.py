"""Where the starter library is: packaged in a wheel, or the repository's own in a source checkout."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).resolve().parent


def directory() -> Path:
    """The folder that holds the starter `goals.yaml` and `library/`."""
    packaged = _HERE / "starter"
    return packaged if packaged.is_dir() else _HERE.parent


def library() -> Path:
    """The starter `library/`: also the fallback for templates and generators that a workspace has not got."""
    return directory() / "library"


def files() -> list[str]:
    """The starter's files, relative to `directory()`: `goals.yaml`, then what `library/` holds, sorted."""
    found = (path for path in library().rglob("*") if path.is_file() and not path.name.startswith("."))
    return ["goals.yaml", *sorted(path.relative_to(directory()).as_posix() for path in found)]
