"""The provider for working without a language model: the outline, as it is."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from gitforge.llm import OUTLINE_LABEL, Piece, Request


@dataclass(frozen=True)
class OfflineProvider:
    """Returns the request's outline; the same request gives the same draft."""

    name: str = "offline"
    model: str = "outline"
    label: str = OUTLINE_LABEL
    is_model: bool = False
    describe: str = "the offline outline (no language model)"
    endpoint: None = None
    concurrency: int = 1

    def stream(self, request: Request) -> Generator[Piece]:
        """Yields the outline, whole."""
        yield request.outline

    def cancel(self) -> None:
        """Does nothing: nobody waits for an outline."""

    def close(self) -> None:
        """Does nothing: an outline holds nothing open."""
