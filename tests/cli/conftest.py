"""No proxy between the program and the server on loopback, in any of these tests."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def always_direct(direct: None) -> None:
    """See `direct`."""
