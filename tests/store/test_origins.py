"""Where texts come from and who has reviewed them."""

from __future__ import annotations

import hashlib
import os
import zlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import Git
from hypothesis import given
from hypothesis import strategies as st

from gitforge.errors import UserError
from gitforge.store import origins
from gitforge.store.messages import Group
from gitforge.store.origins import Origins
from gitforge.store.repo import Repo
from gitforge.store.spoken import Spoken, Statement
from gitforge.unreviewed import need_review

PATH = "library/personas/x.md"
ADA, BOB = "Ada <ada@example.org>", "Bob <bob@example.org>"


@pytest.fixture
def root(tmp_path: Path, git: Git) -> Path:
    git("init", "-q", "-b", "main", str(tmp_path / "r"), cwd=tmp_path)
    return tmp_path / "r"


def read(root: Path) -> Origins:
    return origins.read(Repo.discover(root))


def needs_review(root: Path, path: str, blob: str) -> bool:
    return need_review(Repo.discover(root), {path: blob}, read(root)) == [path]


def generate(root: Path, git: Git, text: str, reviewer: str | None = None, path: str = PATH) -> str:
    """Commits a generated text; returns its blob."""
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    blob = git("hash-object", "-w", "--", path, cwd=root)
    lines = [f"Component: {path}", "Assisted-by: gitforge:model-1", f"Blob: {blob}"]
    lines += [f"Reviewed-by: {reviewer}"] if reviewer else []
    git("add", "--", path, cwd=root)
    git("commit", "-qm", "Generate persona x\n\n" + "\n".join(lines), cwd=root)
    return blob


def approve(
    root: Path, git: Git, blob: str, reviewer: str, word: str = "Reviewed-by", path: str = PATH
) -> None:
    message = f"Approve persona x\n\nComponent: {path}\nBlob: {blob}\n{word}: {reviewer}\n"
    git("commit", "-q", "--allow-empty", "-m", message, cwd=root)


def test_a_generation_that_nobody_saw_needs_review(root: Path, git: Git) -> None:
    blob = generate(root, git, "one\n")
    found = read(root)
    assert needs_review(root, PATH, blob)
    statement = found.generation_of(blob)
    assert statement is not None
    assert statement.group.model == "model-1"
    assert statement.commit == git("rev-parse", "HEAD", cwd=root)


def test_a_text_that_people_wrote_needs_none(root: Path, git: Git) -> None:
    generate(root, git, "one\n")
    assert not needs_review(root, "library/personas/other.md", "1234")


def test_who_accepted_a_generation_or_approved_it_later_is_its_reviewer(root: Path, git: Git) -> None:
    seen = generate(root, git, "one\n", ADA)
    later = generate(root, git, "two\n")
    approve(root, git, later, BOB)
    approve(root, git, later, ADA)
    found = read(root)
    assert found.reviewers_of(seen) == (ADA,)
    assert found.reviewers_of(later) == (ADA, BOB)


def test_an_approval_is_for_one_text_and_an_edit_needs_another(root: Path, git: Git) -> None:
    approve(root, git, generate(root, git, "one\n"), ADA)
    (root / PATH).write_text("edited\n")
    git("commit", "-qam", "Edit", cwd=root)
    assert needs_review(root, PATH, git("rev-parse", f"HEAD:{PATH}", cwd=root))


def test_an_approval_holds_again_when_the_text_comes_back(root: Path, git: Git) -> None:
    blob = generate(root, git, "one\n")
    approve(root, git, blob, ADA)
    generate(root, git, "two\n")
    git("revert", "--no-edit", "HEAD", cwd=root)
    assert git("rev-parse", f"HEAD:{PATH}", cwd=root) == blob
    assert not needs_review(root, PATH, blob)


def test_an_approval_survives_a_rename_and_a_rebase(root: Path, git: Git) -> None:
    generate(root, git, "zero\n", path="library/personas/zero.md")
    git("branch", "upstream", cwd=root)
    blob = generate(root, git, "one\n")
    approve(root, git, blob, ADA)
    git("checkout", "-q", "upstream", cwd=root)
    git("commit", "-q", "--allow-empty", "-m", "Upstream", cwd=root)
    git("checkout", "-q", "main", cwd=root)
    git("rebase", "-q", "upstream", cwd=root)
    git("mv", PATH, "library/personas/y.md", cwd=root)
    git("commit", "-qm", "Rename", cwd=root)
    assert read(root).reviewers_of(blob) == (ADA,)


def test_what_is_taken_back_does_not_hold_until_it_is_approved_again(root: Path, git: Git) -> None:
    blob = generate(root, git, "one\n", ADA)
    approve(root, git, blob, ADA, "Review-withdrawn-by")
    assert needs_review(root, PATH, blob)
    approve(root, git, blob, BOB)
    assert read(root).reviewers_of(blob) == (BOB,)


def test_an_amended_generation_was_reviewed_by_nobody(root: Path, git: Git) -> None:
    generate(root, git, "one\n", ADA)
    (root / PATH).write_text("amended\n")
    git("commit", "-qa", "--amend", "--no-edit", cwd=root)
    assert needs_review(root, PATH, git("rev-parse", f"HEAD:{PATH}", cwd=root))


def test_a_repository_without_a_commit_says_nothing(root: Path) -> None:
    found = read(root)
    assert (found.paths, list(found.reviews())) == (frozenset(), [])


def test_a_revision_that_does_not_exist_is_an_error(root: Path, git: Git) -> None:
    generate(root, git, "one\n")
    with pytest.raises(UserError, match="deadbeef"):
        origins.read(Repo.discover(root), "deadbeef" * 5)


def test_approvals_and_what_took_them_back_can_be_listed(root: Path, git: Git) -> None:
    blob = generate(root, git, "one\n", ADA)
    approve(root, git, blob, BOB)
    approve(root, git, blob, BOB, "Review-withdrawn-by")
    found = read(root)
    assert [one.group.trailers.get("Review-withdrawn-by") for one in found.reviews([PATH])] == [BOB, None]
    assert list(found.reviews(["library/personas/other.md"])) == []


class TestKept:
    """What was read is kept in the git directory; every answer is what a repository without it gives."""

    @pytest.fixture
    def file(self, root: Path) -> Path:
        return root / ".git/gitforge/origins"

    def anew(self, root: Path, file: Path) -> str:
        """All that is said, as it is read where nothing is kept."""
        content = file.read_bytes() if file.exists() else None
        file.unlink(missing_ok=True)
        found = said(root)
        file.unlink(missing_ok=True)
        if content is not None:
            file.write_bytes(content)
        return found

    def test_the_history_is_read_once(self, root: Path, git: Git, file: Path) -> None:
        generate(root, git, "one\n", ADA)
        before = said(root)
        kept = file.read_bytes()
        for pack in (root / ".git/objects").glob("??"):
            if git("rev-parse", "HEAD", cwd=root)[:2] != pack.name:
                pack.rename(pack.with_name(f"hidden-{pack.name}"))
        assert said(root) == before
        assert file.read_bytes() == kept

    def test_of_a_history_that_went_on_only_the_new_part_is_read(
        self, root: Path, git: Git, file: Path
    ) -> None:
        first = generate(root, git, "one\n")
        said(root)
        content = file.read_bytes()
        head, _, rest = content.partition(b"\n")
        forged = rest.replace(b"model-1", b"model-9")
        about = head.split(b" ")
        about[-3] = b"%08x" % zlib.crc32(forged)
        file.write_bytes(b" ".join(about) + b"\n" + forged)
        second = generate(root, git, "two\n")
        found = read(root)
        models = [one.group.model for blob in (first, second) if (one := found.generation_of(blob))]
        assert models == ["model-9", "model-1"], "the older one is from the file"

    @pytest.mark.parametrize("how", ["amend", "reset", "rebase", "switch", "merge", "withdraw on a branch"])
    def test_whatever_becomes_of_the_history_the_answer_is_the_same(
        self, root: Path, git: Git, file: Path, how: str
    ) -> None:
        generate(root, git, "zero\n", ADA, "library/personas/zero.md")
        git("branch", "side", cwd=root)
        blob = generate(root, git, "one\n")
        approve(root, git, blob, ADA)
        said(root)
        if how == "amend":
            (root / PATH).write_text("amended\n")
            git("commit", "-qa", "--amend", "-m", "No trailers", cwd=root)
        elif how == "reset":
            git("reset", "-q", "--hard", "HEAD~2", cwd=root)
        else:
            git("switch", "-q", "side", cwd=root)
            approve(root, git, blob, ADA, "Review-withdrawn-by" if "withdraw" in how else "Reviewed-by")
            if how == "rebase":
                git("rebase", "-q", "main", cwd=root)
            elif how != "switch":
                git("switch", "-q", "main", cwd=root)
                git("merge", "-q", "--no-edit", "side", cwd=root)
        expected = self.anew(root, file)
        assert said(root) == expected
        assert said(root) == expected

    def test_a_replaced_commit_is_read_as_git_shows_it(self, root: Path, git: Git, file: Path) -> None:
        blob = generate(root, git, "one\n", ADA)
        said(root)
        commit = git("rev-parse", "HEAD", cwd=root)
        other = git("commit-tree", "-m", "Nothing is said", "HEAD^{tree}", cwd=root)
        git("replace", commit, other, cwd=root)
        assert read(root).generation_of(blob) is None
        git("replace", "-d", commit, cwd=root)
        assert read(root).generation_of(blob) is not None

    def test_a_history_that_is_cut_and_made_whole_again_is_read_anew(
        self, root: Path, git: Git, tmp_path: Path
    ) -> None:
        blob = generate(root, git, "one\n", ADA)
        generate(root, git, "two\n")
        git("clone", "-q", "--depth=1", root.as_uri(), "clone", cwd=tmp_path)
        assert read(tmp_path / "clone").generation_of(blob) is None
        git("fetch", "-q", "--unshallow", cwd=tmp_path / "clone")
        assert read(tmp_path / "clone").generation_of(blob) is not None

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"\0" * 500,
            b"gitforge origins 2 whole 0 00000000 abc 0\n",
            b"gitforge origins 2 whole 0 00000000 abc\n",
            b"garbage\n",
            None,
        ],
        ids=["empty", "torn", "forged", "short", "foreign", "cut"],
    )
    def test_a_damaged_file_is_made_anew(
        self, root: Path, git: Git, file: Path, content: bytes | None
    ) -> None:
        generate(root, git, "one\n", ADA)
        before = said(root)
        whole = file.read_bytes()
        file.write_bytes(whole[:-9] if content is None else content)
        assert said(root) == before
        assert file.read_bytes() == whole

    @pytest.mark.parametrize("what", ["file", "folder", "temporary"])
    def test_where_it_cannot_be_kept_it_is_read_each_time(
        self, root: Path, git: Git, file: Path, what: str
    ) -> None:
        generate(root, git, "one\n", ADA)
        expected = self.anew(root, file)
        in_the_way = {"file": file, "folder": file.parent, "temporary": file.with_name("origins.new")}[what]
        if what == "folder":
            in_the_way.rmdir()
            in_the_way.write_text("in the way")
        else:
            in_the_way.mkdir()
        assert said(root) == expected
        assert said(root) == expected

    def test_what_a_killed_process_was_writing_is_in_nobodys_way(
        self, root: Path, git: Git, file: Path
    ) -> None:
        generate(root, git, "one\n", ADA)
        file.parent.mkdir(exist_ok=True)
        left = file.with_name("origins.new")
        left.write_text("half")
        said(root)
        assert not file.exists(), "perhaps somebody is writing just now"
        os.utime(left, (0, 0))
        said(root)
        assert file.exists()
        assert not left.exists()

    def test_each_worktree_has_its_own(self, root: Path, git: Git, file: Path, tmp_path: Path) -> None:
        blob = generate(root, git, "one\n", ADA)
        git("worktree", "add", "-q", "-b", "linked", str(tmp_path / "linked"), cwd=root)
        assert read(root).reviewers_of(blob) == read(tmp_path / "linked").reviewers_of(blob) == (ADA,)
        assert (root / ".git/worktrees/linked/gitforge/origins").exists()

    def test_another_revision_is_read_and_not_kept(self, root: Path, git: Git, file: Path) -> None:
        first = generate(root, git, "one\n", ADA)
        older = git("rev-parse", "HEAD", cwd=root)
        second = generate(root, git, "two\n", ADA)
        said(root)
        kept = file.read_bytes()
        found = origins.read(Repo.discover(root), older)
        assert found.generation_of(first) is not None
        assert found.generation_of(second) is None
        assert file.read_bytes() == kept


def said(root: Path) -> str:
    """All that is said, in one text."""
    found = read(root)
    blobs = git_blobs(root)
    lines = [f"{path} {found.is_generated(path, '')}" for path in sorted(found.paths)]
    for blob in blobs:
        lines.append(
            f"{blob} {found.generation_of(blob)} {found.reviewers_of(blob)} {found.is_outline(blob)}"
        )
    return "\n".join([*lines, *map(str, found.reviews())])


def git_blobs(root: Path) -> list[str]:
    """The ids of the texts that these tests write."""
    algorithm = hashlib.sha1
    texts = (b"zero\n", b"one\n", b"two\n", b"amended\n")
    return [algorithm(b"blob %d\0%s" % (len(text), text)).hexdigest() for text in texts]


_TEXT = st.text(alphabet=st.characters(exclude_characters="\0\n"), max_size=20)


@given(st.lists(st.tuples(_TEXT, _TEXT, _TEXT, st.sampled_from(["", "Reviewed-by", "Review-withdrawn-by"]))))
def test_what_is_kept_is_read_back_as_it_was(said_: list[tuple[str, str, str, str]]) -> None:
    statements = [
        Statement(
            "c" * 40, 1, datetime(2026, 1, 1, tzinfo=UTC), "Ada <ada@example.org>", text, text,
            Group(path, {"Component": path, "Blob": blob, **({word: text} if word else {})}),
        )
        for path, blob, text, word in said_
    ]  # fmt: skip
    spoken = Spoken.of(statements)
    again = Spoken.decode(spoken.encode(), spoken.details)
    assert again == spoken
    assert [again.statement(number) for number in range(len(statements))] == statements


@pytest.mark.parametrize("newest_first", [True, False])
def test_an_approval_and_its_withdrawal_in_one_squash_are_no_approval(
    root: Path, git: Git, newest_first: bool
) -> None:
    blob = generate(root, git, "one\n")
    said = [
        f"Component: {PATH}\nBlob: {blob}\n{word}: {ADA}\n" for word in ("Reviewed-by", "Review-withdrawn-by")
    ]
    message = "\n".join(["Approve persona x\n", *(reversed(said) if newest_first else said)])
    git("commit", "-q", "--allow-empty", "-m", message, cwd=root)
    assert needs_review(root, PATH, blob)
    approve(root, git, blob, BOB)
    assert read(root).reviewers_of(blob) == (BOB,)


@pytest.mark.parametrize(
    "when",
    ["253402300800 +0000", "1700000000 +051800", "1700000000 +9999", "1700000000 -9999", "1700000000 +2400",
     "253402300799 -1200", "99999999999999999999 +0000", "-5 +0000", ""],
)  # fmt: skip
def test_a_date_beyond_any_calendar_hides_nothing(root: Path, git: Git, when: str) -> None:
    blob = generate(root, git, "one\n")
    tree, parent = git("rev-parse", "HEAD^{tree}", cwd=root), git("rev-parse", "HEAD", cwd=root)
    message = f"Approve persona x\n\nComponent: {PATH}\nBlob: {blob}\nReviewed-by: {BOB}\n"
    who = f"Ada <ada@example.org> {when}".rstrip()
    commit = f"tree {tree}\nparent {parent}\nauthor {who}\ncommitter {who}\n\n{message}"
    (root / "commit").write_text(commit)
    id_ = git("hash-object", "-t", "commit", "-w", "--literally", "commit", cwd=root)
    git("update-ref", "HEAD", id_, cwd=root)
    for _ in range(2):  # from git, and from what is kept
        (said,) = read(root).reviews()
        assert said.group.reviewer == BOB
        assert said.date.tzinfo is not None
        assert said.date.astimezone(UTC).year in {1970, 2023, 9999}
