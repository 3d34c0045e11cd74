"""A model server on loopback, reached directly."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from llm_server import LlmServer


@pytest.fixture(autouse=True)
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name in {"SSL_CERT_FILE", "SSL_CERT_DIR"}:
            monkeypatch.delenv(name)


@pytest.fixture
def llm_server() -> Iterator[LlmServer]:
    """An `LlmServer` with an empty queue."""
    with LlmServer() as server:
        yield server
