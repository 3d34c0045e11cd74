"""Another library, read at its pin from git's objects alone."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from making import only_goal
from program import run
from two_libraries import THEIR_GOALS, make_two

from gitforge import goals_file, names
from gitforge.errors import InvalidFile, UserError
from gitforge.foreign import Foreign, InvalidLibrary, LibraryNotFetched
from gitforge.goals import DEFAULT_KINDS, GoalBook, Need, Pin
from gitforge.store.pins import library_ref
from gitforge.workspace import Workspace

Git = Callable[..., str]


def opened(root: Path) -> tuple[Foreign, GoalBook, Pin]:
    book = Workspace(root).book()
    return Foreign(root), book, book.libraries["acme"]


def test_a_component_is_read_at_the_pin_whatever_is_committed_later(tmp_path: Path, git: Git) -> None:
    two = make_two(tmp_path, git)
    two.commit_theirs({"library/personas/auditor.md": "Another.\n"})
    two.fetch("main")
    foreign, book, _ = opened(two.ours)
    need = book.goals["GOAL"].needs[0]
    assert (need.path, need.called, need.library) == ("acme:personas/auditor.md", "acme:auditor.md", "acme")
    found = foreign.file(need)
    assert found is not None
    assert "You are an auditor." in found.text
    assert found.blob == git("rev-parse", f"{two.pin}:library/personas/auditor.md", cwd=two.theirs)
    assert git("rev-parse", library_ref("acme"), cwd=two.ours) != two.pin


def test_a_plain_name_is_always_the_workspaces_own(tmp_path: Path, git: Git) -> None:
    two = make_two(tmp_path, git)
    workspace = Workspace(two.ours)
    constraints = [need for need in workspace.book().goals["GOAL"].needs if need.kind.name == "constraint"]
    assert [need.path for need in constraints] == ["constraints/c.md", "acme:constraints/c.md"]
    assert [workspace.library.read(need).body for need in constraints] == ["Never C.\n", "Their C.\n"]


@pytest.mark.parametrize("is_packed", [False, True])
def test_components_are_listed_by_our_kinds(tmp_path: Path, git: Git, *, is_packed: bool) -> None:
    two = make_two(tmp_path, git)
    if is_packed:
        git("repack", "-adq", cwd=two.ours)
        git("prune-packed", cwd=two.ours)
    foreign, book, pin = opened(two.ours)
    assert [need.path for need in foreign.all(pin, book.kinds.values())] == [
        "acme:personas/auditor.md", "acme:personas/p.md", "acme:protocols/audit.md", "acme:protocols/x.md",
        "acme:constraints/be_fair.md", "acme:constraints/c.md", "acme:constraints/d.md",
    ]  # fmt: skip


def test_their_goals_file_says_in_which_folder_they_have_a_kind(tmp_path: Path, git: Git) -> None:
    kinds = "kinds:\n  persona: {folder: roles}\n  protocol: {}\n  constraint: {}\n  example: {many: true}\n"
    goals = THEIR_GOALS.replace("goals:", kinds + "goals:", 1)
    theirs = {"roles/auditor.md": "A role.\n", "examples/e.md": "An example.\n"}
    two = make_two(tmp_path, git, their_goals=goals, theirs=theirs)
    foreign, book, pin = opened(two.ours)
    need = book.goals["GOAL"].needs[0]
    assert need.path == "acme:personas/auditor.md"
    assert foreign.text(need) == "A role.\n"
    assert foreign.path(need) == "library/roles/auditor.md"
    assert [kind.name for kind in foreign.unmatched(pin, book.kinds)] == ["example"]


def test_a_goal_of_theirs_is_a_goal_with_their_components(tmp_path: Path, git: Git) -> None:
    two = make_two(tmp_path, git)
    foreign, book, pin = opened(two.ours)
    goal = foreign.goal(pin, "audit", book)
    assert goal.name == "acme:AUDIT"
    assert [need.path for need in goal.needs] == [
        "acme:personas/auditor.md", "acme:protocols/audit.md", "acme:constraints/be_fair.md",
    ]  # fmt: skip
    assert [one.name for one in foreign.goals(pin, book)] == ["acme:AUDIT"]
    with pytest.raises(UserError, match="has no goal 'AUDITS'"):
        foreign.goal(pin, "AUDITS", book)


def test_a_goal_of_theirs_with_a_kind_that_ours_lacks_is_refused_and_says_why(
    tmp_path: Path, git: Git
) -> None:
    kinds = "kinds:\n  persona:\n  protocol:\n  constraint:\n  example: {many: true, key: examples}\n"
    goals = THEIR_GOALS.replace("goals:", kinds + "goals:", 1) + "      examples: [e.md]\n"
    two = make_two(tmp_path, git, their_goals=goals)
    foreign, book, pin = opened(two.ours)
    with pytest.raises(UserError, match=r"has a example, a kind that goals\.yaml does not declare here"):
        foreign.goal(pin, "AUDIT", book)
    assert list(foreign.goals(pin, book)) == []


def test_a_third_library_is_not_followed(tmp_path: Path, git: Git) -> None:
    pin = f"libraries:\n  beta: {{url: https://example.org/b.git, commit: '{'1' * 40}'}}\n"
    goals = pin + THEIR_GOALS.replace("audit.md", "beta:audit.md").replace("auditor.md", "beta:auditor.md")
    two = make_two(tmp_path, git, their_goals=goals)
    foreign, book, here = opened(two.ours)
    with pytest.raises(UserError, match=r"uses beta:auditor\.md of a third library, which is not followed"):
        foreign.goal(here, "AUDIT", book)


def test_a_pin_that_is_not_here_says_how_to_bring_it(tmp_path: Path, git: Git) -> None:
    two = make_two(tmp_path, git)
    foreign, book, pin = opened(two.ours)
    for commit in ("1" * 40, "1" * 64):
        gone = replace(pin, commit=commit)
        with pytest.raises(LibraryNotFetched) as caught:
            foreign.book(gone)
        assert caught.value.hint == "`gitforge library fetch acme` brings it."
        assert not foreign.is_here(gone)
    assert foreign.is_here(pin)
    assert foreign.text(book.goals["GOAL"].needs[0]) is not None  # one that fails does not spoil the rest


def test_a_pin_of_which_an_object_is_missing_is_told_apart_from_one_that_is_not_fetched(
    tmp_path: Path, git: Git
) -> None:
    two = make_two(tmp_path, git)
    id_ = git("rev-parse", f"{two.pin}:library/personas/auditor.md", cwd=two.ours)
    (two.ours / ".git/objects" / id_[:2] / id_[2:]).unlink()
    foreign, book, _ = opened(two.ours)
    with pytest.raises(InvalidLibrary, match=f"is not whole here: object {id_[:12]} is missing or damaged"):
        foreign.text(book.goals["GOAL"].needs[0])


def test_a_pin_that_is_no_commit_is_told(tmp_path: Path, git: Git) -> None:
    two = make_two(tmp_path, git)
    foreign, _, pin = opened(two.ours)
    for name, kind in ((f"{two.pin}^{{tree}}", "tree"), (f"{two.pin}:goals.yaml", "blob")):
        wrong = replace(pin, commit=git("rev-parse", name, cwd=two.ours))
        with pytest.raises(InvalidLibrary, match=f"is a {kind}, no commit"):
            foreign.book(wrong)


@pytest.mark.parametrize(
    ("goals", "said"),
    [
        ("version: 2\ngoals: {}\n", "is of version 2, and this gitforge knows version 1"),
        ("", "is empty"),
        ("goals: [\n", "cannot be used"),
        (None, "has no goals.yaml"),
        ("-> README", "is no regular file"),
    ],
)
def test_a_library_whose_goals_file_cannot_be_used_is_told(
    tmp_path: Path, git: Git, goals: str | None, said: str
) -> None:
    two = make_two(tmp_path, git)
    path = two.theirs / "goals.yaml"
    path.unlink()
    if goals is not None and goals.startswith("->"):
        path.symlink_to("library/personas/auditor.md")
    elif goals is not None:
        path.write_text(goals)
    commit = two.commit_theirs({"README": "x"})
    two.fetch(commit)
    two.move_pin(commit)
    foreign, _, pin = opened(two.ours)
    with pytest.raises(InvalidLibrary, match="the library acme at") as caught:
        foreign.book(pin)
    assert said in caught.value.message


def test_only_regular_files_of_bounded_size_are_components(tmp_path: Path, git: Git) -> None:
    theirs: dict[str, str | bytes] = {
        "constraints/large.md": "x" * 300_000, "constraints/latin.md": b"\xe9t\xe9\n",
        "constraints/-option.md": "x", "constraints/sub/deep.md": "x", "constraints/README": "x",
    }  # fmt: skip
    two = make_two(tmp_path, git, theirs=theirs)
    link = two.theirs / "library/constraints/link.md"
    link.symlink_to("/etc/passwd")
    commit = two.commit_theirs({})
    two.fetch(commit)
    two.move_pin(commit)
    foreign, book, pin = opened(two.ours)
    kind = book.kinds["constraint"]
    assert foreign.names(pin, kind) == {"be_fair.md", "c.md", "d.md", "large.md", "latin.md"}
    assert foreign.text(Need(kind, "link.md", pin=pin)) is None
    with pytest.raises(InvalidLibrary, match="is too large: 300,000 bytes"):
        foreign.text(Need(kind, "large.md", pin=pin))
    with pytest.raises(InvalidLibrary, match="is not UTF-8"):
        foreign.text(Need(kind, "latin.md", pin=pin))


def test_a_folder_that_is_a_link_has_no_components(tmp_path: Path, git: Git) -> None:
    two = make_two(tmp_path, git)
    git("mv", "library/personas", "library/people", cwd=two.theirs)
    (two.theirs / "library/personas").symlink_to("people")
    commit = two.commit_theirs({})
    two.fetch(commit)
    two.move_pin(commit)
    foreign, book, pin = opened(two.ours)
    assert foreign.names(pin, book.kinds["persona"]) == frozenset()


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_it_works_in_a_subfolder_a_linked_worktree_and_with_sha256(
    tmp_path: Path, git: Git, algorithm: str
) -> None:
    two = make_two(tmp_path, git, below="sub/dir", more=", folder: sub/dir", algorithm=algorithm)
    git("worktree", "add", "-q", "--detach", str(tmp_path / "linked"), cwd=two.ours)
    foreign, book, _ = opened(tmp_path / "linked")
    assert "an auditor" in (foreign.text(book.goals["GOAL"].needs[0]) or "")


def test_git_is_not_started_where_nothing_of_a_library_is_read(
    tmp_path: Path, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = make_two(tmp_path, git)
    monkeypatch.setenv("PATH", "")
    workspace = Workspace(two.ours)
    assert workspace.library.read(workspace.book().goals["PLAIN"].needs[0]).body == "You are P.\n"
    with pytest.raises(UserError, match="git is not installed"):
        workspace.library.read(workspace.book().goals["GOAL"].needs[0])


def test_outside_a_repository_git_says_so(tmp_path: Path) -> None:
    pin = Pin("acme", "https://example.org/x.git", "1" * 40)
    with pytest.raises(UserError, match="not a git repository"):
        Foreign(tmp_path).book(pin)


_READS_AND_ENDS = """
import gc, os, pathlib, gitforge.workspace
workspace = gitforge.workspace.Workspace(pathlib.Path.cwd())
assert "auditor" in workspace.library.text(workspace.book().goals["GOAL"].needs[0])
assert os.waitpid(-1, os.WNOHANG) == (0, 0)
del workspace
gc.collect()
try:
    os.waitpid(-1, os.WNOHANG)
except ChildProcessError:
    print("none is left")
"""


def test_no_process_is_left_behind(tmp_path: Path, git: Git) -> None:
    two = make_two(tmp_path, git)
    done = run(sys.executable, "-c", _READS_AND_ENDS, cwd=two.ours)
    assert (done.code, done.out.strip()) == (0, "none is left"), done.err


def test_a_goal_that_names_an_undeclared_library_is_a_problem_with_a_line() -> None:
    text = "goals:\n  C:\n    G:\n      description: d\n      persona: acmee:p.md\n      protocol: x.md\n"
    libraries = f"libraries: {{acme: {{url: u, commit: '{'1' * 40}'}}}}\n"
    (problem,) = goals_file.inspect(text).problems
    assert (problem.line, problem.message) == (
        5,
        "'acmee:p.md' is of the library 'acmee', which is not declared",
    )
    assert problem.hint == "`gitforge library add acmee URL` declares it."
    (problem,) = goals_file.inspect(libraries + text).problems
    assert "acme" in (problem.hint or "")


ONE = "libraries:\n  {name}: {{url: {url}, commit: '{commit}'{more}}}\ngoals: {{}}\n"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "C"}, "is no plain word of 2 to 40 characters"),
        ({"name": "'a b'"}, "is no plain word"),
        ({"name": "'a:b'"}, "is no plain word"),
        ({"name": "Library"}, "is reserved"),
        ({"name": "con"}, "is reserved"),
        ({"commit": "1234567"}, "has no full id of a commit"),
        ({"commit": "A" * 40}, "has no full id of a commit"),
        ({"commit": "1" * 41}, "has no full id of a commit"),
        ({"url": '"a\\nb"'}, "hidden characters"),
        ({"url": '"\\e[31m"'}, "hidden characters"),
        ({"url": "''"}, "is empty"),
        ({"url": "x" * 1001}, "longer than 1000"),
        ({"more": ", rev: --upload-pack=x"}, "no branch or tag can be called"),
        ({"more": ", rev: 'a..b'"}, "no branch or tag can be called"),
        ({"more": ", folder: ../up"}, "starts with '.'"),
        ({"more": ", folder: /etc"}, "is an absolute path"),
        ({"more": ", follow: main"}, "unknown key 'follow'"),
    ],
)
def test_what_is_wrong_with_a_library_is_told_with_its_line(change: dict[str, str], said: str) -> None:
    text = ONE.format(**{"name": "acme", "url": "u", "commit": "1" * 40, "more": "", **change})
    with pytest.raises(UserError) as caught:
        goals_file.parse(text)
    assert said in caught.value.message
    assert "goals.yaml:2" in caught.value.message


@pytest.mark.parametrize(
    "name", ["acme:b:c.md", "C:x.md", "acme:../x.md", "acme:other/x.md", "acme:x", "acme:"]
)
def test_a_name_that_can_be_no_component_is_refused(name: str) -> None:
    library = f"libraries: {{acme: {{url: u, commit: '{'1' * 40}'}}}}\n"
    text = f"goals:\n  C:\n    G:\n      description: d\n      persona: '{name}'\n      protocol: x.md\n"
    with pytest.raises(UserError, match=r"goals\.yaml:6: the component name"):
        goals_file.parse(library + text)


@example(name="p.md")
@example(name="acme:personas/p.md")
@given(name=st.text(max_size=60) | st.from_regex(r"\A[a-zA-Z:./\\-]{0,12}\.md\Z"))
def test_whatever_a_component_is_called_it_stays_in_its_kinds_folder(name: str) -> None:
    data = {
        "libraries": {"acme": {"url": "u", "commit": "1" * 40}},
        "goals": {"C": {"G": {"description": "d", "persona": name, "protocol": f"acme:{name}"}}},
    }
    try:
        goals = goals_file.inspect(json.dumps(data)).goals.values()
    except InvalidFile:
        return
    for need in [need for goal in goals for need in goal.needs]:
        library, _, path = need.path.rpartition(":")
        assert library in {"", "acme"}
        assert path.count("/") == 1
        assert path.startswith(("personas/", "protocols/"))
        assert names.component_name(need.name) == need.name


@example(name="acme", given={"url": "u", "commit": "1" * 40})
@given(
    name=st.text(max_size=20),
    given=st.dictionaries(st.sampled_from(["url", "commit", "rev", "folder"]), st.text()),
)
def test_garbage_for_a_library_is_a_problem_and_no_crash(name: str, given: dict[str, str]) -> None:
    try:
        book = goals_file.inspect(json.dumps({"libraries": {name: given}, "goals": {}}))
    except InvalidFile:
        return
    assert bool(book.libraries) is not bool(book.problems)


@example(mangled=THEIR_GOALS.encode())
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(mangled=st.binary(max_size=400))
def test_a_library_of_garbage_is_told_and_no_crash(
    tmp_path_factory: pytest.TempPathFactory, git: Git, mangled: bytes
) -> None:
    folder = tmp_path_factory.mktemp("garbage")
    git("init", "-q", ".", cwd=folder)
    (folder / "goals.yaml").write_bytes(mangled)
    (folder / "library/personas").mkdir(parents=True)
    (folder / "library/personas/p.md").write_bytes(mangled)
    git("add", "--all", cwd=folder)
    git("commit", "-qm", "x", cwd=folder)
    pin = Pin("acme", "u", git("rev-parse", "HEAD", cwd=folder))
    foreign = Foreign(folder)
    kind = DEFAULT_KINDS[0]
    try:
        assert foreign.all(pin, [kind]) in ([], [Need(kind, "p.md", pin=pin)])
        text = foreign.text(Need(kind, "p.md", pin=pin))
        assert text is None or text.encode() == mangled
    except InvalidLibrary:
        return


def test_libraries_that_differ_in_case_only_are_refused() -> None:
    one = f"{{url: u, commit: '{'1' * 40}'}}"
    with pytest.raises(UserError, match="differs from another in upper and lower case only"):
        goals_file.parse(f"libraries: {{acme: {one}, Acme: {one}}}\ngoals: {{}}\n")


def test_a_goal_of_ours_cannot_look_like_one_of_theirs() -> None:
    library = f"libraries: {{acme: {{url: u, commit: '{'1' * 40}'}}}}\n"
    goal = "goals: {C: {'acme:G': {description: d, persona: p.md, protocol: x.md}}}\n"
    with pytest.raises(UserError, match="reads like one of the library 'acme'"):
        goals_file.parse(library + goal)
    assert only_goal(goals_file.parse(goal)).name == "acme:G"


def test_a_purpose_is_of_the_component_that_it_names() -> None:
    text = (
        f"libraries: {{acme: {{url: u, commit: '{'1' * 40}'}}}}\n"
        "descriptions: {x.md: ours, 'acme:x.md': theirs}\n"
        "goals: {C: {G: {description: d, persona: 'acme:p.md', protocol: 'acme:x.md'},"
        " H: {description: d, persona: p.md, protocol: x.md}}}\n"
    )
    book = goals_file.parse(text)
    assert [goal.needs[1].purpose for goal in book.goals.values()] == ["theirs", "ours"]
    assert book.problems == ()
