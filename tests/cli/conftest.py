"""What these tests share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from team import clone, share


@pytest.fixture(autouse=True)
def always_direct(direct: None) -> None:
    """No proxy between the program and the server on loopback. See `direct`."""


@pytest.fixture
def bare(workspace: Path, git: Callable[..., str]) -> Path:
    """A bare repository, to which the workspace has been pushed."""
    return share(workspace, git)


@pytest.fixture
def other(bare: Path, git: Callable[..., str]) -> Path:
    """Another clone of it, of somebody else's."""
    return clone(bare, "bob", git)
