"""What stands behind --at: a revision, a date, or a word that is neither."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from gitforge.errors import UserError
from gitforge.reproduce import find_commit, parse_date
from gitforge.store.repo import Repo

Git = Callable[..., str]
NOW = datetime(2024, 3, 31, 12, 30, tzinfo=timezone(timedelta(hours=2)))


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("yesterday", (2024, 3, 30)),
        ("  Yesterday ", (2024, 3, 30)),
        ("1 day ago", (2024, 3, 30)),
        ("2 weeks ago", (2024, 3, 17)),
        ("1 month ago", (2024, 2, 29)),
        ("13 months ago", (2023, 2, 28)),
        ("4 months ago", (2023, 11, 30)),
        ("1 year ago", (2023, 3, 31)),
    ],
)
def test_a_time_span_is_taken_from_now(text: str, day: tuple[int, int, int]) -> None:
    assert parse_date(text, NOW) == NOW.replace(year=day[0], month=day[1], day=day[2])


def test_a_date_is_its_midnight_and_a_time_may_have_a_zone() -> None:
    assert parse_date("2024-03-01", NOW) == datetime(2024, 3, 1).astimezone()
    assert parse_date("2024-03-01T10:00", NOW) == datetime(2024, 3, 1, 10).astimezone()
    assert parse_date("2024-03-01 10:00:30+00:00", NOW) == datetime(2024, 3, 1, 10, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["", "tea", "noon", "last tuesday", "5", "2024-13-01", "9999 years ago", "-1 days ago", "99999 days ago",
     "0001-01-01T00:00:00+23:59", "1 fortnight ago", "yesterday tea", "\0", "days ago"],
)  # fmt: skip
def test_what_is_no_date_is_none(text: str) -> None:
    found = parse_date(text, NOW)
    assert found is None or found.year < 2


@pytest.fixture
def history(tmp_path: Path, git: Git) -> Path:
    """Three commits of 2020, 2021 and 2022; the second is older on a branch that was merged in."""
    root = tmp_path / "history"
    git("init", "-q", "-b", "main", str(root), cwd=tmp_path)
    for year in (2020, 2021, 2022):
        commit(git, root, str(year), year)
    git("checkout", "-q", "-b", "side", "HEAD~2", cwd=root)
    commit(git, root, "side", 2021, month=6)
    git("checkout", "-q", "main", cwd=root)
    git("-c", "user.name=a", "merge", "-q", "--no-ff", "-m", "merge", "side", cwd=root)
    return root


def commit(git: Git, root: Path, subject: str, year: int, month: int = 1) -> None:
    when = f"{year}-{month:02}-02T10:00:00+00:00"
    git("-c", f"alias.at=!GIT_COMMITTER_DATE={when} git commit", "at", "-q", "--allow-empty", "-m", subject,
        f"--date={when}", cwd=root)  # fmt: skip


@pytest.mark.parametrize(
    ("at", "subject"),
    [("HEAD", "merge"), ("HEAD~1", "2022"), ("side", "side"), ("2022-01-01", "2021"), ("2021-09-09", "2021"),
     ("2021-01-02T10:00:00+00:00", "2020"), ("2021-01-02T10:00:01+00:00", "2021")],
)  # fmt: skip
def test_a_revision_or_a_date_names_a_commit_of_heads_own_line(history: Path, at: str, subject: str) -> None:
    found = find_commit(Repo.discover(history), at, NOW)
    assert found is not None
    assert found.subject == subject


def test_a_branch_with_a_dates_name_is_the_branch(history: Path, git: Git) -> None:
    git("branch", "2021-09-09", "side", cwd=history)
    found = find_commit(Repo.discover(history), "2021-09-09", NOW)
    assert found is not None
    assert found.subject == "side"


@pytest.mark.parametrize("at", ["tea", "HEAD~99", "--all", "-1", "", "HEAD^{tree}", "main:README.md"])
def test_what_is_neither_is_none(history: Path, at: str) -> None:
    assert find_commit(Repo.discover(history), at, NOW) is None


def test_a_date_before_all_commits_is_an_error(history: Path, tmp_path: Path, git: Git) -> None:
    with pytest.raises(UserError, match="there is no commit before 2019-01-01"):
        find_commit(Repo.discover(history), "2019-01-01", NOW)
    git("clone", "-q", "--depth=1", history.as_uri(), str(tmp_path / "clone"), cwd=tmp_path)
    with pytest.raises(UserError, match="in this shallow clone") as raised:
        find_commit(Repo.discover(tmp_path / "clone"), "2021-01-01", NOW)
    assert raised.value.hint
    assert "--unshallow" in raised.value.hint
