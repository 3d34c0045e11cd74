"""What looks like a secret in a text: the forms that services publish for their keys, and random tokens.

The table is in the code, not among a library's rules, so that no library can switch it off. A list of ten forms
and a measure of randomness is all that a few hundred words need; detect-secrets, which has more, scans files and
brings an HTTP client.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator

_FORMS = tuple(
    (name, re.compile(form))
    for name, form in (
        ("a private key", r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY"),
        ("an AWS access key", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
        ("a GitHub token", r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{30})"),
        ("a GitLab token", r"\bglpat-[A-Za-z0-9_-]{20}"),
        ("a Slack token", r"\bxox[abeoprs]-[A-Za-z0-9-]{10}"),
        ("a Google API key", r"\bAIza[0-9A-Za-z_-]{35}"),
        ("a Stripe key", r"\b[rs]k_live_[0-9A-Za-z]{16}"),
        ("a key of a model provider", r"\bsk-[A-Za-z0-9_-]{20}"),
        ("a Hugging Face token", r"\bhf_[A-Za-z0-9]{30}"),
        ("a package registry token", r"\b(?:npm_[A-Za-z0-9]{36}|pypi-AgEI[A-Za-z0-9_-]{20})"),
        ("a JSON Web Token", r"\beyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,2000}\.[A-Za-z0-9_-]{10}"),
        ("a password in an address", r"\b[a-z]{2,10}://[^\s:/@]{1,80}:[^\s:/@]{6,80}@"),
    )
)
_NEAR = re.compile(
    r"(?i)(?:key|token|secret|passw(?:or)?d|credential|bearer)\b[^\n]{0,20}?([A-Za-z0-9+/_=-]{20,200})"
)
_RANDOM = 3.6  # bits for each character: English words have about 3, hexadecimal digits 4
_EXAMPLE = re.compile(r"(?i)example|x{6}|0{6}|1234567|placeholder|your|dummy|redacted")


def secrets_in(text: str) -> Iterator[tuple[int, str]]:
    """The line, from 1, and the form of what looks like a secret; at most one for a line, and never the secret."""
    for number, line in enumerate(text.split("\n"), start=1):
        form = _form(line[:10_000])
        if form is not None:
            yield number, form


def _form(line: str) -> str | None:
    for name, form in _FORMS:
        found = form.search(line)
        if found and not _EXAMPLE.search(line[found.start() : found.end() + 40]):
            return name
    for found in _NEAR.finditer(line):
        if _is_random(found[1]) and not _EXAMPLE.search(found[1]):
            return "a random token"
    return None


def _is_random(token: str) -> bool:
    """Whether it has letters and digits mixed as no word has."""
    if not (re.search(r"[0-9]", token) and re.search(r"[A-Za-z]", token)):
        return False
    counts = Counter(token).values()
    bits = -sum(count / len(token) * math.log2(count / len(token)) for count in counts)
    changes = re.findall(r"(?<=[A-Za-z])[0-9]|(?<=[0-9])[A-Za-z]", token)  # a name with a date has none
    return bits >= _RANDOM and len(changes) >= 3
