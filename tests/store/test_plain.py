"""What is read and written without git is what git would have read and written, or is left to git."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitforge.errors import UserError
from gitforge.store import configuration, plain
from gitforge.store.configuration import Configuration
from gitforge.store.edits import NewFile, Rewrite
from gitforge.store.objects import LooseObjects, Tree, commit_object
from gitforge.store.records import FILE, TREE, Entry, Head, Identity
from gitforge.store.recovery import recover_if_needed
from gitforge.store.repo import Repo
from gitforge.store.transaction import record

Git = Callable[..., str]

LETTERS = st.characters(codec="utf-8", exclude_characters="/\0")
NAMES = st.text(LETTERS, min_size=1, max_size=12)
BESIDE_GIT = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(params=["sha1", "sha256"])
def root(tmp_path: Path, git: Git, request: pytest.FixtureRequest) -> Path:
    git("init", "-q", "-b", "main", f"--object-format={request.param}", "work", cwd=tmp_path)
    return tmp_path / "work"


def objects_of(root: Path) -> LooseObjects:
    return LooseObjects(root / ".git/objects", Repo.discover(root).algorithm, 1)


def commit(git: Git, root: Path, *paths: str) -> str:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(path)
    git("add", "--", *paths, cwd=root)
    git("commit", "-qm", "all", cwd=root)
    return git("rev-parse", "HEAD", cwd=root)


class TestObjects:
    @given(content=st.binary(max_size=300))
    @BESIDE_GIT
    def test_a_blob_is_stored_as_git_stores_it(self, root: Path, content: bytes) -> None:
        loose = objects_of(root)
        id_ = loose.write("blob", content)
        asked = subprocess.run(
            ["git", "hash-object", "--stdin"], input=content, cwd=root, capture_output=True, check=True
        )
        assert asked.stdout.decode().strip() == id_
        shown = subprocess.run(["git", "cat-file", "blob", id_], cwd=root, capture_output=True, check=True)
        assert shown.stdout == content == loose.read("blob", id_)

    @given(names=st.lists(st.tuples(NAMES, st.booleans()), unique_by=lambda pair: pair[0], max_size=12))
    @BESIDE_GIT
    def test_a_tree_that_grew_name_by_name_is_the_one_that_git_makes(
        self, root: Path, names: list[tuple[str, bool]]
    ) -> None:
        loose = objects_of(root)
        blob = loose.write("blob", b"x")
        folder = loose.write("tree", b"")
        tree = Tree(b"", len(blob) // 2)
        lines = b""
        for name, is_folder in names:
            entry = Entry(TREE, folder) if is_folder else Entry(FILE, blob)
            tree = tree.edited(name, entry)
            kind = b"tree" if is_folder else b"blob"
            lines += b"%s %s %s\t%s\0" % (entry.mode.encode(), kind, entry.id.encode(), os.fsencode(name))
        made = subprocess.run(["git", "mktree", "-z"], input=lines, cwd=root, capture_output=True, check=True)
        assert loose.write("tree", tree.raw) == made.stdout.decode().strip()
        for name, is_folder in names:
            found = tree.get(name)
            assert found is not None
            assert found.is_file is not is_folder

    def test_a_commit_is_one_that_git_accepts(self, root: Path, git: Git) -> None:
        loose = objects_of(root)
        tree = loose.write("tree", b"")
        who = Identity("Ann Nö", "ann@example.org")
        first = loose.write("commit", commit_object(tree, None, "Première\n\nBody\n".encode(), who, who))
        second = loose.write("commit", commit_object(tree, first, b"Second\n", who, who))
        git("update-ref", "refs/heads/main", second, cwd=root)
        git("fsck", "--strict", cwd=root)
        assert git("log", "--format=%an <%ae>|%s", cwd=root).splitlines() == [
            "Ann Nö <ann@example.org>|Second",
            "Ann Nö <ann@example.org>|Première",
        ]

    def test_what_is_torn_or_packed_or_of_another_kind_is_not_read(self, root: Path, git: Git) -> None:
        loose = objects_of(root)
        id_ = loose.write("blob", b"x" * 1000)
        file = root / ".git/objects" / id_[:2] / id_[2:]
        assert loose.read("tree", id_) is None
        file.chmod(0o644)
        file.write_bytes(file.read_bytes()[:10])
        assert loose.read("blob", id_) is None
        packed = commit(git, root, "a.md")
        git("gc", "-q", "--prune=now", cwd=root)
        assert loose.read("commit", packed) is None


class TestHead:
    def test_a_branch_and_a_detached_head_are_read(self, root: Path, git: Git) -> None:
        made = commit(git, root, "a.md")
        assert plain.read_head(root / ".git", root / ".git") == Head("refs/heads/main", made)
        git("checkout", "-q", "--detach", cwd=root)
        assert plain.read_head(root / ".git", root / ".git") == Head(None, made)

    def test_a_linked_worktree_has_its_own(self, root: Path, git: Git, tmp_path: Path) -> None:
        made = commit(git, root, "a.md")
        git("worktree", "add", "-q", "-b", "side/x", str(tmp_path / "side"), cwd=root)
        repo = Repo.discover(tmp_path / "side")
        assert plain.read_head(repo.git_dir, repo.common_dir) == Head("refs/heads/side/x", made)

    @pytest.mark.parametrize("harm", ["unborn", "packed", "symbolic", "symlink", "absent", "climbs"])
    def test_whatever_is_not_plain_is_left_to_git(self, root: Path, git: Git, harm: str) -> None:
        head = root / ".git/HEAD"
        if harm != "unborn":
            commit(git, root, "a.md")
        if harm == "packed":
            git("pack-refs", "--all", cwd=root)
        elif harm == "symbolic":
            git("symbolic-ref", "refs/heads/alias", "refs/heads/main", cwd=root)
            git("symbolic-ref", "HEAD", "refs/heads/alias", cwd=root)
        elif harm == "symlink":
            head.unlink()
            head.symlink_to("refs/heads/main")
        elif harm == "absent":
            head.unlink()
        elif harm == "climbs":
            head.write_text("ref: refs/heads/../../../outside\n")
        assert plain.read_head(root / ".git", root / ".git") is None


class TestIndex:
    @given(names=st.lists(NAMES.filter(lambda n: n.lower().strip(". ") not in {"", "git"}), min_size=1, max_size=8),
           version=st.sampled_from([2, 4]))  # fmt: skip
    @BESIDE_GIT
    def test_nothing_that_is_tracked_is_called_absent(
        self, root: Path, git: Git, names: list[str], version: int
    ) -> None:
        blob = objects_of(root).write("blob", b"x")
        git("update-index", "--index-version", str(version), cwd=root)
        for name in names:
            path = f"some folder/{name}"
            done = subprocess.run(
                ["git", "update-index", "--add", "--replace", "--cacheinfo", f"100644,{blob},{path}"],
                cwd=root, capture_output=True, check=False,
            )  # fmt: skip
            listed = subprocess.run(
                ["git", "ls-files", "-z"], cwd=root, capture_output=True, check=True
            ).stdout
            content = (root / ".git/index").read_bytes()
            tracked = [os.fsdecode(one) for one in listed.split(b"\0")[:-1]]
            assert done.returncode == 0 or path not in tracked
            assert plain.absent(content, [*tracked, "some folder"] if tracked else []) == []
            assert version == 4 or plain.absent(content, ["nowhere"]) == ["nowhere"]

    def test_a_recorded_file_need_not_be_read_again_by_git(self, root: Path, git: Git) -> None:
        commit(git, root, "a.md", "b.md")
        repo = Repo.discover(root)
        record(repo, [NewFile("library/new.md", b"new\n")], "Add it")
        noted = git("ls-files", "--debug", "library/new.md", cwd=root)
        assert git("diff-files", cwd=root) == ""  # which trusts what is noted, and reads no file
        git("update-index", "--really-refresh", cwd=root)
        assert git("ls-files", "--debug", "library/new.md", cwd=root) == noted
        git("fsck", cwd=root)

    def test_an_executable_file_and_an_unhashed_index_are_left_to_git(self, root: Path, git: Git) -> None:
        commit(git, root, "a.md")
        entry = Entry(FILE, git("rev-parse", ":a.md", cwd=root))
        algorithm = Repo.discover(root).algorithm
        index = (root / ".git/index").read_bytes()
        assert plain.note_unchanged(bytearray(index), {"a.md": (entry, (root / "a.md").stat())}, algorithm)
        (root / "a.md").chmod(0o755)
        status = (root / "a.md").stat()
        assert not plain.note_unchanged(bytearray(index), {"a.md": (entry, status)}, algorithm)
        assert not plain.note_unchanged(bytearray(index), {"b.md": (entry, status)}, algorithm)
        unhashed = bytearray(index)
        size = len(entry.id) // 2
        unhashed[-size:] = bytes(size)
        assert not plain.note_unchanged(unhashed, {}, algorithm)


class TestConfiguration:
    @pytest.mark.parametrize(
        "name", ["Ann", "  Ann  ", "Ann.", "A <n>", '"Ann"', "Ann\nB", "", "Ünn Ö", "a,b", ";", "\tx"]
    )
    def test_an_identity_that_is_read_is_the_one_that_git_would_use(
        self, root: Path, git: Git, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        for variable in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL"):
            monkeypatch.delenv(variable, raising=False)
        git("config", "user.name", name, cwd=root)
        git("config", "author.email", "ann@example.org", cwd=root)
        found = Repo.discover(root).configuration.identity("author", os.environ)
        if found is None:
            assert name not in {"Ann", "Ünn Ö", "a,b"}
            return
        command = ["git", "var", "GIT_AUTHOR_IDENT"]
        asked = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
        assert asked.startswith(f"{found[0]} <{found[1]}> ")

    def test_the_environment_comes_first(self) -> None:
        values = Configuration({"user.name": "U", "user.email": "u@e.org"}, {})
        assert values.identity("author", {"GIT_AUTHOR_NAME": "A"}) == ("A", "u@e.org")
        assert values.identity("committer", {"GIT_AUTHOR_NAME": "A"}) == ("U", "u@e.org")

    @pytest.mark.parametrize(
        ("key", "value"),
        [("core.sharedRepository", "group"), ("extensions.refStorage", None), ("extensions.unknown", "1")],
    )
    def test_objects_are_left_to_git_where_their_form_is_not_known(
        self, tmp_path: Path, git: Git, key: str, value: str | None
    ) -> None:
        git("init", "-q", "work", cwd=tmp_path)
        listed = subprocess.run(
            ["git", *configuration.LIST], cwd=tmp_path / "work", capture_output=True, check=True
        )
        before = Configuration.parse(listed.stdout)
        own = dict(before.own) | {key.lower(): value or "files"}
        assert Configuration(dict(before.values) | own, own).stores_plainly is (value is None)


class TestFilters:
    @pytest.mark.parametrize(
        "where", ["root", "folder", "info", "user", "autocrlf", "chosen", "carriage return", "keyword"]
    )
    def test_a_file_that_git_may_convert_is_left_to_it(
        self, root: Path, git: Git, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, where: str
    ) -> None:
        content = {"carriage return": b"a\r\n", "keyword": b"$Id$\n"}.get(where, b"a\n")
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
        assert Repo.discover(root).objects.is_unfiltered(b"a\n", "library/new.md")
        files = {
            "root": root / ".gitattributes", "folder": root / "library/.gitattributes",
            "info": root / ".git/info/attributes", "user": tmp_path / "xdg/git/attributes",
        }  # fmt: skip
        if where in files:
            files[where].parent.mkdir(parents=True, exist_ok=True)
            files[where].write_text("* text\n")
        if where == "autocrlf":
            git("config", "core.autocrlf", "input", cwd=root)
        if where == "chosen":
            git("config", "core.attributesFile", "x", cwd=root)
        assert not Repo.discover(root).objects.is_unfiltered(content, "library/new.md")


def test_a_component_is_recorded_with_four_gits(
    root: Path, git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git("config", "user.name", "Ann", cwd=root)
    git("config", "user.email", "ann@example.org", cwd=root)
    commit(git, root, "a.md")
    repo = Repo.discover(root)
    monkeypatch.setenv("GIT_TRACE2", str(tmp_path / "trace"))
    record(repo, [NewFile("library/new.md", b"new\n")], "Add it")
    lines = (tmp_path / "trace").read_text().splitlines()
    # GitPython asks for git's version when it is first imported.
    started = [line for line in lines if " start " in line and not line.endswith("git version")]
    verbs = sorted(
        verb
        for line in started
        for verb in line.split()
        if verb in {"check-ignore", "config", "update-index", "update-ref"}
    )
    assert (len(started), verbs) == (4, ["check-ignore", "config", "update-index", "update-ref"])


class TestWhatAReviewBroke:
    """Repositories in which an earlier version did something else than git."""

    NEW = NewFile("library/new.md", b"new\n")

    @pytest.fixture
    def work(self, tmp_path: Path, git: Git) -> Path:
        git("init", "-q", "-b", "main", "work", cwd=tmp_path)
        root = tmp_path / "work"
        for key, value in (("user.name", "Ann"), ("user.email", "ann@example.org")):
            git("config", key, value, cwd=root)
        commit(git, root, "a.md", "library/z.md")
        return root

    def test_an_index_that_says_more_of_a_file_than_its_mode_keeps_that(self, work: Path, git: Git) -> None:
        git("config", "core.fileMode", "false", cwd=work)
        git("update-index", "--chmod=+x", "a.md", cwd=work)
        git("commit", "-qm", "x", cwd=work)
        record(Repo.discover(work), [Rewrite("a.md", lambda old: (old or b"") + b"more\n")], "Edit")
        assert git("ls-files", "--stage", "a.md", cwd=work).startswith("100755 ")
        assert git("status", "--porcelain", cwd=work) == ""

    def test_a_commit_is_built_on_what_git_shows_in_place_of_a_replaced_one(
        self, work: Path, git: Git
    ) -> None:
        (work / "a.md").write_text("old")
        git("commit", "-qam", "old", cwd=work)
        old = git("rev-parse", "HEAD", cwd=work)
        (work / "a.md").write_text("new")
        git("commit", "-qa", "--amend", "-m", "new", cwd=work)
        git("replace", old, git("rev-parse", "HEAD", cwd=work), cwd=work)
        git("reset", "-q", "--hard", old, cwd=work)
        record(Repo.discover(work), [self.NEW], "Add it")
        assert git("show", "--format=", "--name-only", "HEAD", cwd=work) == self.NEW.path
        assert git("status", "--porcelain", cwd=work) == ""

    def test_a_sparse_index_stays_one_that_git_can_commit_from(self, work: Path, git: Git) -> None:
        commit(git, work, "out/o.md")
        git("sparse-checkout", "set", "--sparse-index", "library", cwd=work)
        record(Repo.discover(work), [NewFile("out/new.md", b"new\n")], "Add it")
        (work / "a.md").write_text("changed")
        git("commit", "-qam", "mine", cwd=work)
        git("fsck", "--strict", cwd=work)
        assert git("ls-tree", "-r", "--name-only", "HEAD", "out/", cwd=work).split() == [
            "out/new.md",
            "out/o.md",
        ]

    def test_new_folders_in_a_shared_repository_with_long_ids(self, tmp_path: Path, git: Git) -> None:
        git("init", "-q", "--object-format=sha256", "--shared=group", "work", cwd=tmp_path)
        root = tmp_path / "work"
        for number in range(40):
            edits = [NewFile(f"library/{number}/{name}.md", f"{number} {name}".encode()) for name in "abcd"]
            record(Repo.discover(root), edits, f"Add {number}")
        git("fsck", "--strict", cwd=root)

    def test_a_setting_that_is_made_while_drafts_are_written_holds(self, work: Path, git: Git) -> None:
        repo = Repo.discover(work)
        git("config", "user.name", "Bea", cwd=work)
        record(repo, [self.NEW], "Add it")
        assert git("log", "-1", "--format=%an", cwd=work) == "Bea"

    def test_a_file_for_git_config_alone_is_not_a_setting(
        self, work: Path, git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "other").write_text("[user]\nname = Wrong\nemail = w@e.org\n")
        monkeypatch.setenv("GIT_CONFIG", str(tmp_path / "other"))
        record(Repo.discover(work), [self.NEW], "Add it")
        monkeypatch.delenv("GIT_CONFIG")
        assert git("log", "-1", "--format=%an", cwd=work) == "Ann"

    def test_a_message_with_a_nul_from_a_hook_is_refused_as_git_does(self, work: Path) -> None:
        hook = work / ".git/hooks/commit-msg"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\nprintf 'a\\0b\\n' >> \"$1\"\n")
        hook.chmod(0o755)
        with pytest.raises(UserError, match="NUL"):
            record(Repo.discover(work), [self.NEW], "Add it")

    def test_many_files_with_attributes_need_few_descriptors(self, work: Path) -> None:
        (work / ".gitattributes").write_text("*.x text\n")
        edits = [NewFile(f"library/n{number}.md", b"%d\n" % number) for number in range(100)]
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
        try:
            record(Repo.discover(work), edits, "Add them")
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    def test_a_torn_lock_never_becomes_the_index(self, work: Path, git: Git) -> None:
        commit(git, work, *(f"library/f{number}.md" for number in range(400)))
        (work / "library/staged.md").write_text("mine")
        git("add", "library/staged.md", cwd=work)
        script = (
            "import os\nfrom pathlib import Path\nfrom gitforge.store import transaction\n"
            "from gitforge.store.edits import NewFile\nfrom gitforge.store.repo import Repo\n"
            "transaction.reach_commit_point = lambda journal, publish: os._exit(9)\n"
            "transaction.record(Repo.discover(Path('.')), [NewFile('library/new.md', b'new\\n')], 'Add it')\n"
        )
        assert subprocess.run([sys.executable, "-c", script], cwd=work, check=False).returncode == 9
        lock = work / ".git/index.lock"
        content = lock.read_bytes()
        lock.write_bytes(content[:4096] + bytes(len(content) - 4096))
        recover_if_needed(Repo.discover(work))
        assert git("status", "--porcelain", "library/staged.md", cwd=work) == "A  library/staged.md"
