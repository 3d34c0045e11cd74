"""What commits say of adopted components: read from messages that anybody may have written."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from libraries_of_others import AUDITOR, Git, Place, make_place

from gitforge.adoptions import Origin, adoptions
from gitforge.store import origins
from gitforge.store.repo import Repo

NAME = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{1,10}", fullmatch=True)
PART = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_ .-]{0,10}[a-z]", fullmatch=True)


@given(NAME, st.lists(PART, min_size=1, max_size=3), st.from_regex(r"[0-9a-f]{40}", fullmatch=True))
def test_what_is_written_is_read_back(library: str, parts: list[str], commit: str) -> None:
    origin = Origin(library, "/".join(parts), commit)
    assert Origin.parse(str(origin)) == origin


@given(st.text())
def test_garbage_is_no_origin_and_no_error(text: str) -> None:
    found = Origin.parse(text)
    assert found is None or str(found) == text


@pytest.mark.parametrize("path", ["../x.md", "a/../../x.md", "/etc/passwd", "a//b.md", "a:b.md", ""])
def test_a_path_that_leads_elsewhere_is_none(path: str) -> None:
    assert Origin.parse(f"acme:{path}@{'ab' * 20}") is None


@pytest.fixture
def place(tmp_path: Path, git: Git) -> Place:
    return make_place(tmp_path, git)


@pytest.mark.parametrize(
    "origin", ["acme:../../goals.yaml@" + "ab" * 20, "acme:x.md", "@", "acme:personas/auditor.md@abc"]
)
def test_a_commit_that_says_nonsense_says_nothing(place: Place, origin: str) -> None:
    (place.ours / AUDITOR).write_text("Mine.\n")
    place.git("add", ".", cwd=place.ours)
    message = f"Adopt it\n\nComponent: {AUDITOR}\nAdopted-from: {origin}"
    place.git("commit", "-qm", message, cwd=place.ours)
    repo = Repo.discover(place.ours)
    assert adoptions(repo, origins.read(repo), {}) == {}
    assert place.run("list", "--components").code == 0
    assert place.run("show", "auditor.md", "--provenance").code == 0


def test_an_origin_that_the_library_never_had_is_left_as_it_is(place: Place) -> None:
    place.add()
    (place.ours / AUDITOR).write_text("Mine.\n")
    place.git("add", ".", cwd=place.ours)
    message = f"Adopt it\n\nComponent: {AUDITOR}\nAdopted-from: acme:personas/auditor.md@{'ab' * 20}"
    place.git("commit", "-qm", message, cwd=place.ours)
    place.acme.commit({AUDITOR: "Theirs.\n"})
    done = place.done("library", "update", "--yes")
    assert f"left as it is: {AUDITOR}: what it was merged with last is not here any more" in done.err
    assert place.head(AUDITOR) == "Mine.\n"
