"""Dates as git tells them, also those that no calendar of Python's has: a commit may hold any number.

Nothing here raises: a wrong clock, or a date that somebody made up, is no reason not to show a history.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(9999, 12, 31, tzinfo=UTC)

_EARLIEST = datetime(1, 1, 2, tzinfo=UTC)
_SHORT_OF_LATEST = LATEST - timedelta(days=1)  # so that it can be told in every time zone
_FORM = re.compile(r"(\d{4,9})-(\d\d-\d\dT\d\d:\d\d:\d\d)(?:Z|([+-])(\d{1,9}):(\d\d))", re.ASCII)


def from_iso(text: str) -> datetime:
    """A date in git's strict ISO form, with its time zone.

    One of no known time zone is in UTC; one beyond the calendar is its end; what is no date is the first of 1970.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        return EPOCH
    year, rest, sign, hours, minutes = found.groups()
    if int(year) > LATEST.year:
        return LATEST
    try:
        return _in_zone(
            datetime.fromisoformat(f"{year}-{rest}+00:00"), sign or "+", hours or "0", minutes or "0"
        )
    except (ValueError, OverflowError):
        return EPOCH


def from_seconds(text: str, zone: str) -> datetime:
    """A date as a commit's header has it.

    Args:
        text: Seconds since 1970.
        zone: `+0200` and its like.
    """
    when = EPOCH + timedelta(seconds=min(seconds(text), (LATEST - EPOCH) // timedelta(seconds=1)))
    found = re.fullmatch(r"([+-])(\d{1,9})(\d\d)", zone, re.ASCII)
    offset = _offset(*found.groups()) if found else None
    return when.astimezone(timezone(offset)) if offset is not None and when <= _SHORT_OF_LATEST else when


def seconds(text: str) -> int:
    """Seconds since 1970; 0 where a commit does not say."""
    return int(text) if re.fullmatch(r"\d{1,20}", text, re.ASCII) else 0


def _in_zone(local: datetime, sign: str, hours: str, minutes: str) -> datetime:
    """A time that a clock in a zone shows; OverflowError where it is before the calendar."""
    offset = _offset(sign, hours, minutes)
    if offset is not None and _EARLIEST <= local <= _SHORT_OF_LATEST:
        return local.replace(tzinfo=timezone(offset))
    shift = timedelta(hours=int(hours), minutes=int(minutes))
    if sign == "+":
        return max(local - shift, _EARLIEST)
    return local + shift if LATEST - local > shift else LATEST


def _offset(sign: str, hours: str, minutes: str) -> timedelta | None:
    """The offset of a time zone, where there can be such a one."""
    if int(hours) > 23 or int(minutes) > 59:
        return None
    return timedelta(hours=int(hours), minutes=int(minutes)) * (-1 if sign == "-" else 1)
