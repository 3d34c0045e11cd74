"""`gitforge sync` where both sides have moved the pin of the same library: the newer one stands where it has the other."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from libraries_of_others import AUDITOR, LONG, Place, make_place_that_uses_it
from program import gitforge
from team import clone, share, subjects, sync

Git = Callable[..., str]


@pytest.fixture
def place(tmp_path: Path, git: Git) -> Place:
    """Our workspace pins theirs, and both are published."""
    place = make_place_that_uses_it(tmp_path, git)
    git("config", "uploadpack.allowAnySHA1InWant", "true", cwd=place.acme.root)
    return place


@pytest.fixture
def other(place: Place, git: Git) -> Path:
    """A colleague's clone, which trusts the library's address."""
    root = clone(share(place.ours, git), "other", git)
    assert gitforge("library", "fetch", "acme", cwd=root).code == 0
    return root


def updated(root: Path, *more: str) -> None:
    done = gitforge("library", "update", "--yes", *more, cwd=root)
    assert done.code == 0, done.told


def pin(root: Path, git: Git, rev: str = "HEAD") -> str:
    text = git("show", f"{rev}:goals.yaml", cwd=root)
    return text.split("commit: ", 1)[1][:40]


def assert_kept(root: Path, git: Git, commit: str) -> None:
    git("merge-base", "--is-ancestor", commit, "refs/gitforge/libraries/acme", cwd=root)


@pytest.mark.parametrize("newer", ["ours", "theirs"])
def test_the_newer_one_stands(place: Place, other: Path, git: Git, newer: str) -> None:
    first, last = (other, place.ours) if newer == "ours" else (place.ours, other)
    place.acme.commit({"library/personas/auditor.md": LONG.replace("First", "One")})
    updated(first)
    older = place.acme.head
    place.acme.commit({"library/personas/auditor.md": LONG.replace("First", "Two")})
    updated(last)
    assert sync(other).code == 0
    done = sync(place.ours)
    assert done.code == 0, done.told
    whose = "yours" if newer == "ours" else "the published one"
    assert (
        f"pinned: acme to {place.acme.head[:12]}: {whose} is newer, and has {older[:12]} of the other side"
        in done.out
    )
    assert pin(place.ours, git) == place.acme.head
    assert_kept(place.ours, git, place.acme.head)
    assert subjects(place.ours, git).count("Update library acme") == (2 if newer == "ours" else 1)
    assert git("status", "--porcelain", cwd=place.ours) == ""
    assert sync(other).code == 0
    assert pin(other, git) == place.acme.head
    assert gitforge("check", cwd=other).code == 0


def test_a_pin_that_a_colleague_has_moved_on_is_no_rewritten_history(place: Place, other: Path) -> None:
    place.acme.commit({"library/x.txt": "1\n"})
    updated(place.ours)
    place.acme.commit({"library/x.txt": "2\n"})
    updated(other)
    assert sync(other).code == 0
    assert sync(place.ours).code == 0
    (told,) = gitforge("library", "list", "--json", cwd=place.ours).json
    assert (told["commit"], told["behind"], told["rewritten"]) == (place.acme.head, 0, False)


def test_a_script_is_told(place: Place, other: Path) -> None:
    place.acme.commit({"library/x.txt": "1\n"})
    updated(other)
    older = place.acme.head
    place.acme.commit({"library/x.txt": "2\n"})
    updated(place.ours)
    assert sync(other).code == 0
    told = json.loads(sync(place.ours, "--json").out)
    assert told["pins"] == [{"library": "acme", "commit": place.acme.head, "older": older, "side": "ours"}]


def test_histories_of_which_neither_has_the_other_are_for_a_person(
    place: Place, other: Path, git: Git
) -> None:
    start = place.acme.head
    place.acme.commit({"library/x.txt": "1\n"})
    updated(other)
    git("reset", "-q", "--hard", start, cwd=place.acme.root)
    place.acme.commit({"library/x.txt": "2\n"})
    updated(place.ours)
    assert sync(other).code == 0
    done = sync(place.ours)
    assert (done.code, "libraries > acme" in done.err) == (4, True), done.told
    assert sync(place.ours, "--theirs").code == 0


def test_a_newer_pin_that_cannot_be_fetched_is_for_a_person(place: Place, other: Path, git: Git) -> None:
    place.acme.commit({"library/x.txt": "1\n"})
    updated(place.ours)
    place.acme.commit({"library/x.txt": "2\n"})
    updated(other)
    assert sync(other).code == 0
    place.acme.root.rename(place.acme.root.with_name("moved"))
    done = sync(place.ours)
    assert (done.code, "libraries > acme" in done.err) == (4, True), done.told


def test_a_dry_run_says_that_the_newer_one_is_known_once_it_is_fetched(place: Place, other: Path) -> None:
    place.acme.commit({"library/x.txt": "1\n"})
    updated(place.ours)
    place.acme.commit({"library/x.txt": "2\n"})
    updated(other)
    assert sync(other).code == 0
    done = sync(place.ours, "--dry-run")
    assert (done.code, "Which pin of acme is the newer one is known once it is fetched" in done.err) == (
        4,
        True,
    )
    assert sync(place.ours).code == 0


def test_another_branch_is_for_a_person(place: Place, other: Path, git: Git) -> None:
    place.acme.commit({"library/x.txt": "1\n"})
    updated(other)
    git("checkout", "-q", "-b", "next", cwd=place.acme.root)
    place.acme.commit({"library/x.txt": "2\n"})
    updated(place.ours, "acme", "--rev", "next")
    assert sync(other).code == 0
    assert sync(place.ours).code == 4


class TestAdopted:
    """A component that was adopted, edited here, and merged with two commits of its library on two clones."""

    @pytest.fixture
    def adopted(self, place: Place) -> Place:
        place.done("adopt", "acme:auditor.md")
        path = place.ours / AUDITOR
        path.write_text(path.read_text().replace("Fifth", "My fifth"))
        place.git("commit", "-qam", "Edit", cwd=place.ours)
        return place

    @pytest.mark.parametrize("newer", ["ours", "theirs"])
    def test_it_follows_the_newer_one(self, adopted: Place, other: Path, git: Git, newer: str) -> None:
        first, last = (other, adopted.ours) if newer == "ours" else (adopted.ours, other)
        adopted.acme.commit({AUDITOR: LONG.replace("First", "Their first")})
        updated(first)
        edited = LONG.replace("Fifth", "My fifth").replace("First", "Their first")
        assert (first / AUDITOR).read_text() == edited
        (first / AUDITOR).write_text(edited.replace("Third", "My third"))
        git("commit", "-qam", "Edit again", cwd=first)
        adopted.acme.commit({AUDITOR: LONG.replace("First", "Their very first")})
        updated(last)
        assert sync(other).code == 0
        done = sync(adopted.ours)
        assert done.code == 0, done.told
        wanted = LONG.replace("Fifth", "My fifth").replace("First", "Their very first")
        assert adopted.head(AUDITOR) == wanted.replace("Third", "My third")
        assert pin(adopted.ours, git) == adopted.acme.head
        listed = json.loads(gitforge("show", "auditor.md", "--json", cwd=adopted.ours).out)
        assert adopted.acme.head[:7] in json.dumps(listed)

    def test_the_next_update_goes_on_from_it(self, adopted: Place, other: Path, git: Git) -> None:
        path = adopted.ours / AUDITOR
        adopted.acme.commit({AUDITOR: LONG.replace("First", "Their first")})
        updated(adopted.ours)
        before = git("rev-parse", f"HEAD:{AUDITOR}", cwd=adopted.ours)
        path.write_text(path.read_text().replace("Third", "My third"))
        message = git("log", "-1", "--format=%B", cwd=adopted.ours)
        message = message.replace(before, git("hash-object", AUDITOR, cwd=adopted.ours))
        git("commit", "-qa", "--amend", "-m", message, cwd=adopted.ours)
        adopted.acme.commit({AUDITOR: LONG.replace("First", "Their very first")})
        updated(other)
        assert sync(other).code == sync(adopted.ours).code == 0
        assert "Third" in git("show", "--format=", "HEAD", cwd=adopted.ours)
        adopted.acme.commit({AUDITOR: LONG.replace("First", "Their last")})
        updated(adopted.ours)
        wanted = LONG.replace("Fifth", "My fifth").replace("First", "Their last")
        assert adopted.head(AUDITOR) == wanted.replace("Third", "My third")

    def test_what_both_have_changed_beside_it_is_for_a_person(
        self, adopted: Place, other: Path, git: Git
    ) -> None:
        for root, first in ((other, "One"), (adopted.ours, "Two")):
            adopted.acme.commit({AUDITOR: LONG.replace("First", first)})
            updated(root)
            (root / AUDITOR).write_text((root / AUDITOR).read_text().replace("Third", f"{first} third"))
            git("commit", "-qam", "Edit again", cwd=root)
        assert sync(other).code == 0
        done = sync(adopted.ours)
        assert (done.code, f"{AUDITOR}: changed on both sides" in done.err) == (4, True), done.told
        assert "libraries" not in done.err
        assert sync(adopted.ours, "--ours").code == 0
        wanted = LONG.replace("Fifth", "My fifth").replace("First", "Two")
        assert adopted.head(AUDITOR) == wanted.replace("Third", "Two third")
