"""Which provider the settings ask for, and which settings cannot be right."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gitforge.errors import UserError
from gitforge.llm import DEFAULT_MODEL, ProviderSettings, choose_provider

KEY = "sk-test-0123456789abcdef"


def test_without_key_and_base_url_the_offline_outline_is_chosen() -> None:
    assert choose_provider(ProviderSettings()).name == "offline"
    assert choose_provider(ProviderSettings(provider="", api_key="", base_url="")).name == "offline"


@pytest.mark.parametrize("settings", [{"api_key": KEY}, {"base_url": "http://localhost:1/v1"}])
def test_a_key_or_a_base_url_chooses_openai(settings: dict[str, str]) -> None:
    provider = choose_provider(ProviderSettings(**settings))  # type: ignore[arg-type]
    assert provider.name == "openai"
    assert provider.is_model


def test_offline_can_be_asked_for_although_a_key_is_set() -> None:
    assert choose_provider(ProviderSettings(provider="offline", api_key=KEY)).name == "offline"


def test_an_unknown_provider_is_refused_with_the_names_of_the_known_ones() -> None:
    with pytest.raises(UserError, match="'claude'") as caught:
        choose_provider(ProviderSettings(provider="claude"))
    assert caught.value.hint == "Choose one of: openai, llm, offline."


def test_openai_without_key_and_base_url_is_refused_with_how_to_set_them() -> None:
    with pytest.raises(UserError) as caught:
        choose_provider(ProviderSettings(provider="openai"))
    assert "OPENAI_API_KEY" in str(caught.value.hint)
    assert "OPENAI_BASE_URL" in str(caught.value.hint)


def test_the_model_labels_the_commit_and_has_a_default() -> None:
    assert choose_provider(ProviderSettings(api_key=KEY)).label == DEFAULT_MODEL
    assert choose_provider(ProviderSettings(api_key=KEY, model="gemma3:12b")).label == "gemma3:12b"


def test_describe_names_model_and_server_without_userinfo_query_and_fragment() -> None:
    settings = ProviderSettings(model="m", base_url="https://me:secret-word@example.org:8443/v1?token=hush#x")
    provider = choose_provider(settings)
    assert provider.describe == "m at https://example.org:8443/v1"
    assert "secret-word" not in repr(provider) + repr(settings)


def test_settings_and_provider_never_show_the_key() -> None:
    settings = ProviderSettings(api_key=KEY, base_url=f"https://example.org/{KEY}/v1")
    provider = choose_provider(settings)
    assert KEY not in repr(settings) + repr(provider) + str(provider) + provider.describe


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("localhost:8080/v1", "'localhost:8080/v1'"),
        ("file:///etc/passwd", "'file:///etc/passwd'"),
        ("ftp://me:pw@example.org", "'ftp://example.org'"),
        ("http://", "'http://'"),
        ("http://me:pw@:80/v1", "'http://:80/v1'"),
        ("http://me:p/w@host/v1", "'http://host/v1'"),
        ("http://me:p?w@host/v1", "'http://host/v1'"),
        ("me:pw@host/v1?key=pw", "'host/v1'"),
        ("http://host/ v1", "'http://host/ v1'"),
        ("http://me:pw@host\n/v1", r"'http://host\n/v1'"),
        ("http://host\x1b[31m/v1", r"'http://host\x1b[31m/v1'"),
        ("http://host:99999/v1", "'http://host:99999/v1'"),
        ("http://[::1/v1", "'http://[::1/v1'"),
        (" http://host/v1", "' http://host/v1'"),
    ],
)
def test_an_impossible_base_url_is_refused_and_named_without_its_userinfo(url: str, shown: str) -> None:
    with pytest.raises(UserError) as caught:
        choose_provider(ProviderSettings(base_url=url))
    assert caught.value.message == f"the base URL is not an http or https address: {shown}"
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize("key", ["sk-abc\ndef", "sk-abc ", "sk-ключ", "sk-abc\x00", " "])
def test_a_key_that_no_header_can_hold_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(UserError) as caught:
        choose_provider(ProviderSettings(api_key=key))
    assert "sk-" not in f"{caught.value.message}{caught.value.hint}"


@pytest.mark.parametrize("model", ["a\nSigned-off-by: me", " ", "m\x1b[0m", "m" * 201])
def test_a_model_name_that_is_not_one_short_line_is_refused(model: str) -> None:
    with pytest.raises(UserError, match="not one short printable line"):
        choose_provider(ProviderSettings(api_key=KEY, model=model))


def test_a_key_given_as_the_models_name_is_refused_without_showing_it() -> None:
    with pytest.raises(UserError) as caught:
        choose_provider(ProviderSettings(api_key=KEY, model=KEY))
    assert KEY not in f"{caught.value.message}{caught.value.hint}"


def test_the_sdk_is_imported_only_when_openai_is_chosen() -> None:
    code = (
        "import sys; from gitforge.llm import *\n"
        "list(choose_provider(ProviderSettings()).stream(Request((), 'x')))\n"
        "assert 'openai' not in sys.modules\n"
        "choose_provider(ProviderSettings(base_url='http://localhost/v1'))\n"
        "assert 'openai' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
