"""Where a model is served: the address to use, the one to show, and what must never be shown."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlsplit

from gitforge.errors import UserError
from gitforge.llm import DEFAULT_MODEL

QUOTE_LENGTH: Final = 300  # characters of a server's own words in a message


@dataclass(frozen=True)
class Endpoint:
    """Where the server is: the address to use, and the one to show, without userinfo, query and fragment."""

    url: str = field(repr=False)
    query: dict[str, str] = field(repr=False)
    shown: str
    secrets: tuple[str, ...] = field(repr=False)

    def quote(self, text: object) -> str:
        """A server's own words for a message: one short line, printable, without any secret."""
        return quoted(str(text), self.secrets)

    def is_betrayed_by(self, text: str) -> bool:
        """Whether a text has a secret in it. A short one is a dummy, and may be a word like any other."""
        return any(len(secret) >= 16 and secret in text for secret in self.secrets)


def endpoint_of(url: str, key: str | None) -> Endpoint:
    """Takes a base URL apart.

    Args:
        url: The address as the user set it, perhaps with userinfo or a query.
        key: The server's key, which is hidden wherever it turns up.

    Raises:
        UserError: It is no http or https address.
    """
    try:
        parts = urlsplit(url)
        right = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        right = False
    if not right or any(c.isspace() or not c.isprintable() for c in url):
        # What cannot be parsed is cut before its last "@": nothing tells where a password in it would end.
        scheme = re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", url)
        rest = re.split(r"[?#]", url.removeprefix(scheme[0] if scheme else "").rpartition("@")[2])[0]
        shown = _without([key or ""], (scheme[0] if scheme else "") + rest)
        raise UserError(
            f"the base URL is not an http or https address: {shown!r}",
            hint="Set it (GITFORGE_BASE_URL, git config gitforge.base-url or OPENAI_BASE_URL, whichever comes "
            "first) to an address such as http://localhost:11434/v1.",
        )
    query = dict(parse_qsl(parts.query))
    userinfo = unquote(parts.netloc.rpartition("@")[0])
    values = [parts.username, parts.password, userinfo, *query.values(), key]
    secrets = tuple({form for value in values if value for form in _forms(value)})
    shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    return Endpoint(re.split(r"[?#]", url)[0], query, _without(secrets, shown), secrets)


def _forms(secret: str) -> Iterator[str]:
    """A secret as it is, and as URLs and headers have it."""
    for value in (secret, unquote(secret)):
        yield from (value, quote(value), quote(value, safe=""), quote_plus(value))
        if len(value) >= 8:  # of a shorter one, base64 is a few letters like any others
            yield b64encode(value.encode("utf-8", "surrogateescape")).decode().rstrip("=")


def quoted(text: str, secrets: Iterable[str]) -> str:
    """Somebody's words for a message: one short line, printable, without any secret."""
    words = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    words = _without(secrets, words)
    return words if len(words) <= QUOTE_LENGTH else words[: QUOTE_LENGTH - 1] + "…"


def _without(secrets: Iterable[str], text: str) -> str:
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        # A short one is a dummy such as "x" or "none": only where it stands alone, to keep the text readable.
        pattern = re.escape(secret) if len(secret) >= 8 else rf"(?<!\w){re.escape(secret)}(?!\w)"
        text = re.sub(pattern, "[hidden]", text)
    return text


def check_key(key: str | None) -> None:
    """Raises UserError, which does not show the key, where it cannot be sent in a header."""
    if key and not re.fullmatch(r"[\x21-\x7e]+", key):
        raise UserError(
            "the key holds a character that no key has: a space, a line break or one outside ASCII",
            hint="Set OPENAI_API_KEY again, the key alone on one line.",
        )


def check_model(model: str, key: str | None) -> None:
    """Raises UserError where the model's name holds the key, or cannot stand on a line of a commit."""
    if key and len(key) >= 8 and key in model:
        raise UserError(
            "the model's name holds the key",
            hint=f"Set the model to a name such as {DEFAULT_MODEL}: it is shown, and recorded in commits.",
        )
    if not model.isprintable() or model != model.strip() or len(model) > 200:
        raise UserError(
            f"the model's name is not one short printable line: {model[:200]!r}",
            hint=f"Set the model to a name such as {DEFAULT_MODEL}.",
        )
