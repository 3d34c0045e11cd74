"""What looks like a secret in a text."""

from __future__ import annotations

import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitforge import starter
from gitforge.drafting.secret_forms import secrets_in

CHARACTERS = string.ascii_letters + string.digits


def made_up(length: int, alphabet: str = CHARACTERS) -> str:
    """The same random token in every run; written out it would look like a secret in this repository too."""
    return "".join(random.Random(length).choices(alphabet, k=length))


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("-----BEGIN RSA PRIVATE " + "KEY-----", "a private key"),
        ("-----BEGIN PRIVATE " + "KEY-----", "a private key"),
        ("id: AKIA" + made_up(16, string.ascii_uppercase), "an AWS access key"),
        ("ghp_" + made_up(36), "a GitHub token"),
        ("github_pat_" + made_up(40), "a GitHub token"),
        ("glpat-" + made_up(20), "a GitLab token"),
        ("xoxb-" + made_up(24), "a Slack token"),
        ("AIza" + made_up(35), "a Google API key"),
        ("sk_live_" + made_up(24), "a Stripe key"),
        ("OPENAI_API_KEY=sk-proj-" + made_up(40), "a key of a model provider"),
        ("hf_" + made_up(34), "a Hugging Face token"),
        ("npm_" + made_up(36), "a package registry token"),
        (f"eyJ{made_up(20)}.eyJ{made_up(30)}.{made_up(43)}", "a JSON Web Token"),
        (f"postgres://admin:{made_up(12)}@db.internal/x", "a password in an address"),
        (f"the token is `{made_up(32)}`", "a random token"),
        (f'api_key = "{made_up(40, string.hexdigits)}"', "a random token"),
        (f"Authorization: Bearer {made_up(33)}", "a random token"),
    ],
)
def test_a_secret_is_found_by_its_form_and_line(text: str, form: str) -> None:
    assert list(secrets_in(f"# A heading\n\n{text} and more\n")) == [(3, form)]


@pytest.mark.parametrize(
    "text",
    [
        "sk-your-key-goes-here-please-1234567890",
        "AKIAIOSFODNN7EXAMPLE",
        "sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "the key is the_name_of_a_rather_long_variable_2",
        "token: principle_of_completeness_and_more",
        "postgres://user:password@example.org/x",
        "the commit 3f786850e387550fdab836ed7e6dc881de23001b",
        "the key question-that-everybody-asks-in-2024-01-05",
        "key: " + "a" * 100 + "1",
    ],
)
def test_a_name_a_placeholder_and_a_commit_are_no_secrets(text: str) -> None:
    assert list(secrets_in(text)) == []


def test_the_starter_library_has_no_secret() -> None:
    for path in starter.library().rglob("*.md"):
        assert list(secrets_in(path.read_text("utf-8"))) == [], path


@given(st.text())
def test_any_text_can_be_looked_through(text: str) -> None:
    assert all(1 <= line <= text.count("\n") + 1 for line, _ in secrets_in(text))
