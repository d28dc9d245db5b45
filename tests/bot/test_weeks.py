"""Which week is meant, and when its digest is due: over years, zones and changes of the clock."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UserError
from bot.server_config import DigestTime
from bot.weeks import DAYS_OF_WEEK, SETTLED_AFTER, IsoWeek, due_at, last_due, last_ended, parse_week, week_of

ZONES = (
    "UTC", "Europe/Berlin", "America/New_York", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Auckland",
    "Pacific/Apia", "Pacific/Kiritimati", "Asia/Kathmandu", "Etc/GMT+12", "Africa/Casablanca",
)  # fmt: skip
MOMENTS = st.integers(980_000_000, 4_100_000_000).map(lambda second: datetime.fromtimestamp(second, UTC))
TIMES = st.builds(
    DigestTime,
    st.sampled_from(DAYS_OF_WEEK),
    st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    st.sampled_from(ZONES),
)


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    """A moment in UTC."""
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("2026-W47", utc(2026, 11, 16)),
        ("2026-W53", utc(2026, 12, 28)),
        ("2025-W01", utc(2024, 12, 30)),
        (" 2020-W53 ", utc(2020, 12, 28)),
    ],
    ids=["one of November", "week 53", "one that begins in the year before", "with white space"],
)
def test_a_week_is_seven_days_from_its_monday(text: str, start: datetime) -> None:
    """In UTC, and is written as it was read."""
    week = parse_week(text)
    assert (week.start, week.end) == (start, start + timedelta(days=7))
    assert str(week) == text.strip()


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("2026-W54", "2026-W01 to 2026-W53"),
        ("2025-W53", "2025-W01 to 2025-W52"),
        ("2026-W00", "2026-W01 to 2026-W53"),
        ("2026W47", "2026-W47"),
        ("2026-w47", "2026-W47"),
        ("2026-W4", "2026-W47"),
        ("٢٠٢٦-W47", "2026-W47"),
        ("0000-W01", "2026-W47"),
        ("last", "2026-W47"),
        ("", "2026-W47"),
        ("2026-W47\n; rm", "2026-W47"),
    ],
)
def test_what_is_no_week_is_told_what_would_be_one(text: str, right: str) -> None:
    """The weeks of its year, or an example."""
    with pytest.raises(UserError, match=right) as refused:
        parse_week(text)
    assert "\n" not in str(refused.value)


@given(MOMENTS)
def test_weeks_follow_each_other_without_a_gap(moment: datetime) -> None:
    """Each moment lies in one week, which begins where the one before it ends."""
    week = week_of(moment)
    assert week.start <= moment < week.end
    assert week.before.end == week.start
    assert parse_week(str(week)) == week
    assert last_ended(moment) == week.before


@pytest.mark.parametrize(
    ("week", "when", "due"),
    [
        ("2026-W47", DigestTime(), utc(2026, 11, 23, 9)),
        ("2026-W47", DigestTime("fri", time(16, 30), "Europe/Berlin"), utc(2026, 11, 27, 15, 30)),
        ("2026-W12", DigestTime("sun", time(2, 30), "Europe/Berlin"), utc(2026, 3, 29, 1)),
        ("2026-W42", DigestTime("sun", time(2, 30), "Europe/Berlin"), utc(2026, 10, 25, 0, 30)),
        ("2026-W13", DigestTime("mon", time(9), "Europe/Berlin"), utc(2026, 3, 30, 7)),
        ("2026-W43", DigestTime("mon", time(9), "Europe/Berlin"), utc(2026, 10, 26, 8)),
        ("2011-W51", DigestTime("fri", time(9), "Pacific/Apia"), utc(2011, 12, 30, 10)),
        ("2026-W47", DigestTime("mon", time(9), "Pacific/Auckland"), utc(2026, 11, 23, 1)),
        ("2026-W47", DigestTime("mon", time(0), "UTC"), utc(2026, 11, 23, 1)),
        ("2026-W53", DigestTime(), utc(2027, 1, 4, 9)),
    ],
    ids=[
        "Monday at nine",
        "another day and zone",
        "a time that the clock leaves out",
        "a time that the clock shows twice",
        "the Monday after the clock went forward",
        "the Monday after it went back",
        "a day that a zone left out",
        "a Monday that begins while the week goes on",
        "at midnight",
        "week 53",
    ],
)
def test_the_digest_is_due_at_its_local_time(week: str, when: DigestTime, due: datetime) -> None:
    """Once, and never before the week is measured."""
    assert due_at(parse_week(week), when) == due


@given(MOMENTS, TIMES)
def test_each_week_is_due_once_and_in_order(moment: datetime, when: DigestTime) -> None:
    """After it has ended, within eight days, and later than the one before it."""
    week = week_of(moment)
    due = due_at(week, when)
    assert week.end + SETTLED_AFTER <= due <= week.end + timedelta(days=8)
    assert due_at(week.before, when) < due
    assert last_due(due, when) == week
    assert last_due(due - timedelta(minutes=1), when) == week.before


@given(MOMENTS, TIMES)
def test_the_clock_shows_the_time_that_was_asked_for(moment: datetime, when: DigestTime) -> None:
    """Or one after it: behind a gap, or once the week is measured."""
    week = week_of(moment)
    due = due_at(week, when)
    wall = due.astimezone(ZoneInfo(when.time_zone)).replace(tzinfo=None)
    wanted = datetime.combine(week.end.date() + timedelta(days=DAYS_OF_WEEK.index(when.day)), when.at)
    late = due == week.end + SETTLED_AFTER
    assert wall == wanted or (wall > wanted and (late or wall - wanted <= timedelta(days=1)))


@given(MOMENTS, TIMES)
def test_the_last_due_week_is_due(moment: datetime, when: DigestTime) -> None:
    """And the week after it is not yet."""
    week = last_due(moment, when)
    following = IsoWeek(*week_of(week.end))
    assert due_at(week, when) <= moment < due_at(following, when)
