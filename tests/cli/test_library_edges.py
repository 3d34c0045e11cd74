"""Other libraries that are in an odd state, and names that are: what is told is right, and what is hinted at works."""

from __future__ import annotations

from pathlib import Path

import pytest
from libraries_of_others import Git, Place, make_place


@pytest.fixture
def place(tmp_path: Path, git: Git) -> Place:
    return make_place(tmp_path, git)


def test_a_library_that_goals_name_before_it_is_declared_can_be_added(place: Place) -> None:
    place.use()
    assert "`gitforge library add acme URL` declares it" in place.run("list").err
    assert place.add().code == 0
    assert "You are an auditor." in place.done("show", "acme:auditor.md").out


def test_other_errors_of_goals_yaml_refuse_it_still(place: Place) -> None:
    place.use()
    place.use("protocol: x.md", "protocol: other:x.md")
    done = place.run("library", "add", "acme", str(place.acme.root))
    assert done.code == 1
    assert "goals.yaml:" in done.err
    assert "libraries" not in place.head("goals.yaml")


@pytest.mark.parametrize("head", ["# yaml-language-server: $schema=x\ngoals:", "# A word first.\ngoals:"])
def test_a_comment_that_heads_the_file_stays_its_head(place: Place, head: str) -> None:
    goals = place.ours / "goals.yaml"
    goals.write_text(head + goals.read_text().partition("\ngoals:")[2])
    place.git("commit", "-qam", "Head it", cwd=place.ours)
    place.add()
    assert place.head("goals.yaml").startswith(head)


def test_a_shallow_library_is_called_that(place: Place, tmp_path: Path, git: Git) -> None:
    place.acme.commit({"library/constraints/c.md": "Newer.\n"})
    shallow = tmp_path / "shallow"
    git("clone", "-q", "--depth=1", place.acme.root.as_uri(), str(shallow), cwd=tmp_path)
    done = place.run("library", "add", "acme", str(shallow))
    assert done.code == 1
    assert "is a shallow clone" in done.err
    place.add()
    goals = place.ours / "goals.yaml"
    goals.write_text(goals.read_text().replace(str(place.acme.root), str(shallow)))
    place.git("commit", "-qam", "Use the shallow one", cwd=place.ours)
    for text in ("Newer still.\n", "The newest.\n"):
        place.acme.commit({"library/constraints/c.md": text})
    git("fetch", "-q", "--depth=1", "origin", cwd=shallow)
    git("reset", "-q", "--hard", "origin/main", cwd=shallow)
    assert "is a shallow clone" in place.run("library", "update", "--yes").err


@pytest.mark.parametrize("rev", ["v1^{}", "0" * 40])
@pytest.mark.parametrize("verb", ["add", "update"])
def test_a_rev_that_nothing_can_be_called_is_told_in_plain_words(place: Place, rev: str, verb: str) -> None:
    place.git("tag", "-a", "v1", "-m", "One", cwd=place.acme.root)
    if verb == "update":
        place.add()
    more = ("acme", str(place.acme.root)) if verb == "add" else ("acme", "--yes")
    done = place.run("library", verb, *more, "--rev", rev)
    assert done.code == 1
    assert "refspec" not in done.err
    assert "hint: Name " in done.err


def test_what_cannot_be_used_is_named_and_not_counted(place: Place) -> None:
    goals = (place.acme.root / "goals.yaml").read_text()
    more = "    ODD: {description: o, persona: auditor.md, protocol: audit.md, oaths: [o.md]}\n"
    kinds = (
        "kinds: {persona: {folder: personas}, protocol: {folder: protocols}, oath: {folder: oaths, many: true, key: oaths},"
        " constraint: {folder: constraints, many: true, key: constraints}}\n"
    )
    place.acme.commit({
        "goals.yaml": goals.replace("version: 1\n", f"version: 1\n{kinds}") + more,
        "library/personas/con.md": "C.\n", "library/personas/a*.md": "S.\n", "library/personas/\x1bx.md": "E.\n",
        "library/personas/bad.md": b"\xff\n",
    })  # fmt: skip
    done = place.done("library", "add", "acme", str(place.acme.root), "--json")
    listed = place.done("list", "--library", "acme", "--components", "--json").json
    usable = [one["path"].removeprefix("acme:") for one in listed if one["usable"]]
    assert sorted(done.json["components"]) == sorted(usable)
    assert done.json["goals"] == ["AUDIT"]
    for name in ("con.md", "a*.md", "bad.md", "acme:ODD"):
        assert name in done.err
    assert "\x1b" not in done.told
    told = place.done("list", "--library", "acme")
    assert "1 goal, 1 of them ready." in told.err
    assert "not usable: acme:ODD: the goal acme:ODD has a oath" in told.err.replace("\n", " ")
    assert "a kind that goals.yaml does not declare here" in place.run("show", "acme:ODD").err
    (line,) = (
        one
        for one in place.done("list", "--library", "acme", "--components").out.splitlines()
        if "bad.md" in one
    )
    assert "not usable" in line


def test_what_neither_of_us_has_is_not_to_be_adopted(place: Place) -> None:
    place.add()
    done = place.run("generate", "acme:auditr.md")
    assert done.code == 1
    assert "the library acme has no auditr.md at its pin" in done.err
    assert "adopt" not in done.err
    assert "acme:auditor.md" in done.err
    assert "gitforge adopt acme:auditor.md" in place.run("generate", "acme:auditor.md").err


def test_nothing_is_said_to_be_complete_while_a_library_is_not_fetched(place: Place, git: Git) -> None:
    place.add()
    place.use()
    clone = place.ours.parent / "clone"
    git("clone", "-q", "--no-local", str(place.ours), str(clone), cwd=place.ours.parent)
    done = Place(clone, place.acme, git).run("generate", "--all")
    assert done.code == 3
    assert "Nothing is missing." not in done.told
    assert "Nothing that could be generated is missing." in done.err


def test_an_adopted_component_without_a_description_is_listed_without_a_loose_colon(place: Place) -> None:
    place.add()
    place.done("adopt", "acme:constraints/be_fair.md")
    (line,) = (
        one for one in place.done("list", "--components").out.splitlines() if "be_fair" in one
    )  # fmt: skip
    assert "adopted from acme@" in line
    assert not line.rstrip().endswith(":")


def test_of_many_libraries_a_list_names_some(place: Place) -> None:
    goals = place.ours / "goals.yaml"
    many = "".join(
        f"  lib{n}: {{url: 'https://example.org/x.git', commit: {'ab' * 20}}}\n" for n in range(30)
    )
    goals.write_text(goals.read_text().replace("goals:\n", f"libraries:\n{many}\ngoals:\n", 1))
    said = place.done("list").err.replace("\n", " ")
    assert said.count("gitforge list --library") == 5
    assert "and 25 more, which `gitforge library list` shows" in said
