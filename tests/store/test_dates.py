"""Dates as git tells them, also those that no calendar has."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitforge.store.dates import EPOCH, LATEST, from_iso, from_seconds, seconds


@pytest.mark.parametrize("hours", [-12, -1, 0, 5, 14])
def test_a_date_keeps_its_time_zone(hours: int) -> None:
    when = datetime(2024, 2, 29, 23, 59, 58, tzinfo=timezone(timedelta(hours=hours)))
    zone = f"{when:%z}"
    for found in (from_iso(when.isoformat()), from_seconds(str(int(when.timestamp())), zone)):
        assert (found, found.utcoffset()) == (when, when.utcoffset())


def test_a_time_zone_that_there_cannot_be_becomes_utc() -> None:
    when = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    for text in ("2023-11-15T22:13:20+24:00", "2023-12-06T12:13:20+518:00", "2023-11-10T17:34:20-99:99"):
        assert from_iso(text) == when
    assert from_seconds(str(int(when.timestamp())), "+9999") == when


def test_what_is_beyond_the_calendar_is_its_end_and_what_is_none_its_beginning() -> None:
    assert from_iso("10000-01-01T00:00:00+00:00") == LATEST == from_seconds("253402300800", "+0000")
    assert from_iso("%aI") == EPOCH == from_seconds("", "")
    assert (seconds(""), seconds("-5"), seconds("1700000000")) == (0, 0, 1700000000)


@given(st.one_of(st.text(), st.from_regex(r"\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d+:\d\d", fullmatch=True)))
def test_no_text_makes_it_fail(text: str) -> None:
    for found in (from_iso(text), from_seconds(text, text)):
        for zone in (timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))):
            assert found.astimezone(zone) == found
