"""Missing pins: fetched unasked only from where a stranger may send us, or where the user has been."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from libraries_of_others import Git, Place, make_other, make_place
from servers import git_daemon, raw_server, silent

from gitforge import libraries
from gitforge.store import pins
from gitforge.store.repo import Repo
from gitforge.unasked import MOST, Brought, Unasked
from gitforge.workspace import Workspace


@pytest.fixture
def place(tmp_path: Path, git: Git) -> Place:
    place = make_place(tmp_path, git)
    place.add()
    return place


@pytest.fixture
def clone(place: Place, tmp_path: Path) -> Path:
    """A plain clone of ours, in which nobody has fetched anything."""
    place.git("clone", "-q", "--no-local", str(place.ours), str(tmp_path / "clone"), cwd=tmp_path)
    return tmp_path / "clone"


def missing(root: Path) -> Brought:
    return Unasked(libraries.SILENTLY).fetch_missing(Workspace.find(root), Repo.discover(root))


class TestFetchMissing:
    def test_a_path_that_goals_yaml_names_is_not_fetched_unasked(self, clone: Path) -> None:
        found = missing(clone)
        assert found.fetched == ()
        (left,) = found.left
        assert left.pin.name == "acme"
        assert left.why.hint is not None
        assert "gitforge library fetch acme" in left.why.hint

    def test_it_is_once_the_user_has_named_it(self, place: Place, clone: Path) -> None:
        place.git("config", "gitforge-library.acme.url", str(place.acme.root), cwd=clone)
        (pin,) = missing(clone).fetched
        assert pin.commit == place.acme.head
        assert missing(clone) == Brought()
        place.git("gc", "-q", "--prune=now", cwd=clone)
        assert missing(clone) == Brought()

    def test_another_address_under_the_same_name_is_not(
        self, place: Place, clone: Path, tmp_path: Path
    ) -> None:
        place.git("config", "gitforge-library.acme.url", str(place.acme.root), cwd=clone)
        goals = clone / "goals.yaml"
        goals.write_text(goals.read_text().replace(str(place.acme.root), str(tmp_path / "elsewhere")))
        assert len(missing(clone).left) == 1

    @pytest.mark.parametrize(
        "url", ["ext::touch pwned", "--upload-pack=touch pwned", "ftp://example.org/x", "ssh://-oProxy/x"]
    )
    def test_an_address_that_would_start_something_is_left(self, place: Place, clone: Path, url: str) -> None:
        goals = clone / "goals.yaml"
        goals.write_text(goals.read_text().replace(f"url: {place.acme.root}", f'url: "{url}"'))
        place.git("config", "gitforge-library.acme.url", url, cwd=clone)
        assert len(missing(clone).left) == 1
        assert not (clone / "pwned").exists()

    def test_one_that_cannot_be_reached_does_not_keep_the_others_from_coming(
        self, place: Place, tmp_path: Path, git: Git, clone: Path
    ) -> None:
        other = make_other(tmp_path / "other", git)
        place.done("library", "add", "other", str(other.root))
        git("pull", "-q", cwd=clone)
        for name, url in (("acme", place.acme.root), ("other", other.root)):
            git("config", f"gitforge-library.{name}.url", str(url), cwd=clone)
        place.acme.root.rename(tmp_path / "gone")
        found = missing(clone)
        assert [pin.name for pin in found.fetched] == ["other"]
        assert [left.pin.name for left in found.left] == ["acme"]

    def test_too_much_is_stopped(self, place: Place, clone: Path) -> None:
        place.git("config", "gitforge-library.acme.url", str(place.acme.root), cwd=clone)
        found = Unasked(libraries.Terms(max_bytes=1)).fetch_missing(
            Workspace.find(clone), Repo.discover(clone)
        )
        assert len(found.left) == 1
        assert place.git("for-each-ref", "refs/gitforge", cwd=clone) == ""

    def test_a_server_that_sends_another_commit_cannot_stand_in_for_the_pin(
        self, place: Place, clone: Path, tmp_path: Path, git: Git
    ) -> None:
        make_other(tmp_path / "served/acme", git, files={"personas/auditor.md": "Not theirs.\n"})
        with git_daemon(tmp_path / "served") as url:
            goals = clone / "goals.yaml"
            goals.write_text(goals.read_text().replace(str(place.acme.root), f"{url}/acme"))
            git("config", "gitforge-library.acme.url", f"{url}/acme", cwd=clone)
            (left,) = missing(clone).left
        assert isinstance(left.why, libraries.Vanished)


def name_silent_libraries(root: Path, urls: list[str]) -> None:
    """Lets goals.yaml name many libraries."""
    goals = root / "goals.yaml"
    lines = [f'  many{number}: {{url: "{url}", commit: "{"1" * 40}"}}' for number, url in enumerate(urls)]
    goals.write_text(goals.read_text().replace("libraries:\n", "\n".join(["libraries:", *lines, ""])))


class TestWhatDoesNotAnswer:
    def test_a_host_that_is_silent_is_asked_once(self, clone: Path) -> None:
        asked: list[socket.socket] = []

        def answer(connection: socket.socket) -> None:
            asked.append(connection)
            silent(connection)

        with raw_server(answer) as port:
            name_silent_libraries(clone, [f"https://127.0.0.1:{port}/{number}.git" for number in range(5)])
            terms = libraries.Terms(silence=1.0)
            found = Unasked(terms).fetch_missing(Workspace.find(clone), Repo.discover(clone))
        many = [left for left in found.left if left.pin.name.startswith("many")]
        assert len(many) == 5
        assert len(asked) == 1
        assert "whose host has not answered" in many[1].why.message

    def test_all_libraries_share_one_budget(self, clone: Path) -> None:
        with raw_server(silent) as first, raw_server(silent) as second:
            name_silent_libraries(clone, [f"https://127.0.0.1:{port}/x.git" for port in (first, second)])
            unasked = Unasked(libraries.Terms(silence=1.0), patience=1.5)
            found = unasked.fetch_missing(Workspace.find(clone), Repo.discover(clone))
        assert ["waiting for too long" in left.why.message for left in found.left[:2]] == [False, True]

    def test_no_more_than_some_are_tried(self, clone: Path, tmp_path: Path) -> None:
        urls = [str(tmp_path / f"none{number}") for number in range(MOST + 3)]
        name_silent_libraries(clone, urls)
        repo = Repo.discover(clone)
        for number, url in enumerate(urls):
            libraries.trust(repo, f"many{number}", url)
        told: list[str] = []
        terms = libraries.Terms(before=lambda pin, _: told.append(pin.name))
        found = Unasked(terms).fetch_missing(Workspace.find(clone), repo)
        assert len(told) == MOST
        assert "too many" in found.left[MOST].why.message


class TestWhatIsKept:
    def test_an_older_pin_of_another_branch_needs_no_ref_of_its_own(self, place: Place) -> None:
        old = place.acme.head
        place.git("branch", "old", cwd=place.ours)
        new = place.acme.commit({"library/constraints/c.md": "More.\n"})
        place.done("library", "update", "--yes")
        place.git("checkout", "-q", "old", cwd=place.ours)
        place.done("library", "fetch")
        refs = place.git("for-each-ref", "--format=%(objectname) %(refname)", "refs/gitforge", cwd=place.ours)
        assert f"{new} refs/gitforge/libraries/acme" in refs.splitlines()
        assert "refs/gitforge/pins" not in refs
        place.git("gc", "-q", "--prune=now", cwd=place.ours)
        place.git("cat-file", "-e", f"{old}^{{tree}}", cwd=place.ours)

    def test_each_library_has_refs_of_its_own(self, place: Place) -> None:
        repo = Repo.discover(place.ours)
        commit = place.acme.head
        pins.keep(repo, "acme-two", commit)
        other = place.git("rev-parse", "HEAD", cwd=place.ours)
        pins.keep(repo, "acme-two", other)
        assert {*pins.refs_of(repo, "acme-two")} == {
            "refs/gitforge/libraries/acme-two",
            f"refs/gitforge/pins/{commit}-acme-two",
        }
        assert not any("two" in ref for ref in pins.refs_of(repo, "acme"))
        assert not any("acme" in ref for ref in pins.refs_of(repo, "two"))

    def test_a_commit_without_its_files_is_not_whole(self, place: Place, tmp_path: Path) -> None:
        repo = Repo.discover(place.ours)
        assert pins.is_whole(repo, place.acme.head)
        assert not pins.is_whole(repo, "ab" * 20)
        half = place.git("commit-tree", "-m", "x", place.git("mktree", "--missing", cwd=place.ours,
                         stdin=f"100644 blob {'ab' * 20}\tx"), cwd=place.ours)  # fmt: skip
        assert not pins.is_whole(repo, half)
