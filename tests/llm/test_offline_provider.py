"""Without a model, the draft is the outline."""

from __future__ import annotations

from gitforge.llm import Message, Request
from gitforge.llm.offline_provider import OfflineProvider

REQUEST = Request((Message("user", "Write a persona."),), outline="# Persona\n\nTODO: who is it?\n")


def test_the_draft_is_the_outline_every_time() -> None:
    provider = OfflineProvider()
    drafts = {"".join(map(str, provider.stream(REQUEST))) for _ in range(3)}
    assert drafts == {"# Persona\n\nTODO: who is it?\n"}


def test_it_says_that_no_language_model_wrote_the_draft() -> None:
    provider = OfflineProvider()
    assert not provider.is_model
    assert "no language model" in provider.describe
    assert (provider.name, provider.label) == ("offline", "offline-outline")
