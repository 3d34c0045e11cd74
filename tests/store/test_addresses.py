"""What is an address of a repository, and what would be something else to git or ssh."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gitforge.errors import UserError
from gitforge.store import addresses

HERE = Path("/somewhere/here")


@pytest.mark.parametrize(
    ("text", "kind", "url"),
    [
        ("https://example.org/a/b.git", "https", "https://example.org/a/b.git"),
        ("HTTPS://example.org/a%20b", "https", "https://example.org/a%20b"),
        ("https://example.org:8443", "https", "https://example.org:8443"),
        ("ssh://git@example.org:2222/a/b.git", "ssh", "ssh://git@example.org:2222/a/b.git"),
        ("ssh://example.org/~ada/b.git", "ssh", "ssh://example.org/~ada/b.git"),
        ("ssh://[::1]:22/a", "ssh", "ssh://[::1]:22/a"),
        ("git@example.org:a/b.git", "ssh", "git@example.org:a/b.git"),
        ("example:a", "ssh", "example:a"),
        ("[example.org:2222]:a", "ssh", "[example.org:2222]:a"),
        ("[::1]:a", "ssh", "[::1]:a"),
        ("file:///srv/a.git", "file", "file:///srv/a.git"),
        ("/srv/a.git", "file", "/srv/a.git"),
        ("../a.git", "file", "/somewhere/a.git"),
        ("./a:b", "file", "/somewhere/here/a:b"),
        ("./ext::sh", "file", "/somewhere/here/ext::sh"),
        ("http://127.0.0.1:8080/a", "http", "http://127.0.0.1:8080/a"),
        ("http://localhost/a", "http", "http://localhost/a"),
        ("git://[::1]/a", "git", "git://[::1]/a"),
    ],
)
def test_an_address_is_taken_as_git_takes_it(text: str, kind: str, url: str) -> None:
    found = addresses.parse(text, base=HERE)
    assert (found.kind, found.url) == (kind, url)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ext::sh -c touch% /tmp/x",
        "ext::sh",
        "fd::3",
        "::x",
        "https::https://example.org/a",
        "--upload-pack=touch x",
        "-u",
        "ssh://-oProxyCommand=touch/x",
        "ssh://%2doProxyCommand=touch/x",
        "ssh://a@-oProxyCommand=touch/x",
        "ssh://-a@example.org/x",
        "ssh://example.org",
        "ssh://ada:secret@example.org/x",
        "ssh://$(touch x)/x",
        "ssh://example.org/-x",
        "ssh://example.org/%2dx",
        "-oProxyCommand=touch:x",
        "example.org:-x",
        "a@-example.org:x",
        "`touch x`@example.org:x",
        "a b:x",
        ":x",
        "example.org:",
        "https://example.org/a\nb",
        "https://example.org/%0ahost=evil.example",
        "https://exam\u202eple.org/a",
        "./a\0b",
        "https://",
        "https:///a",
        "https://-x/a",
        "https://good.example\\@evil.example/a",
        "https://example.org/a?b",
        "http://example.org/a",
        "http://127.0.0.1.example.org/a",
        "http://localhost@example.org/a",
        "git://example.org/a",
        "ftp://example.org/a",
        "git+ssh://example.org/a",
        "file://example.org/a",
        "file://",
        "https://example.org/" + "a" * 5000,
    ],
)
def test_all_else_is_refused_with_what_to_write_instead(text: str) -> None:
    with pytest.raises(UserError) as caught:
        addresses.parse(text, base=HERE)
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 500


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("https://ada:s3cret@example.org/a", "https://example.org/a"),
        ("https://token@example.org/a", "https://example.org/a"),
        ("https://ada:p@ss@example.org/a", None),
        ("git@example.org:a", "git@example.org:a"),
    ],
)
def test_a_secret_is_neither_stored_nor_shown(text: str, stored: str | None) -> None:
    if stored is None:
        with pytest.raises(UserError) as caught:
            addresses.parse(text, base=HERE)
        assert "p@ss" not in caught.value.message
        return
    found = addresses.parse(text, base=HERE)
    assert (found.url, found.stored, found.shown) == (text, stored, stored)
    assert found.has_secret is (text != stored)


@pytest.mark.parametrize(
    ("text", "is_safe"),
    [
        ("https://example.org/a", True),
        ("git@example.org:a", True),
        ("/srv/a", False),
        ("file:///srv/a", False),
        ("http://localhost/a", False),
        ("git://localhost/a", False),
    ],
)
def test_a_stranger_may_name_what_is_encrypted_and_elsewhere(text: str, is_safe: bool) -> None:
    assert addresses.safe_for_strangers(addresses.parse(text, base=HERE)) is is_safe


PIECES = st.sampled_from(
    [
        "-",
        "--upload-pack=x",
        "::",
        ":",
        "//",
        "/",
        "@",
        "ext",
        "ssh",
        "https",
        "file",
        "%2d",
        "%0a",
        "\n",
        "\x00",
        "~",
        "[",
        "]",
        "[::1]",
        "example.org",
        "localhost",
        "..",
        "$(x)",
        "`",
        ";",
        " ",
        "\\",
        "?",
        "#",
        "8",
        "é",
    ]
)


@given(st.one_of(st.text(max_size=40), st.lists(PIECES, max_size=9).map("".join)))
@example("a::b")
@example("ssh://%2d/x")
def test_nothing_that_is_accepted_starts_a_helper_or_an_option(text: str) -> None:
    try:
        found = addresses.parse(text, base=HERE)
    except UserError:
        return
    if found.kind == "file":
        assert found.url.startswith(("/", "file:///"))
        return
    starts = {"https": "https://", "http": "http://", "git": "git://"}
    if found.kind in starts:
        assert found.url.startswith(starts[found.kind])
        return
    place = found.url.removeprefix("ssh://")
    assert "::" not in place.replace("[::1]", "")[: place.find("/")]
    user, _, rest = place.rpartition("@") if "@" in place.partition("/")[0] else ("", "", place)
    assert not user.startswith("-")
    assert not rest.startswith("-")
    assert not set(" $`;\\'\"\n\0") & set(place.partition("/")[0].partition(":")[0])
