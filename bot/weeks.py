"""ISO weeks, and when the digest of one is due. Weeks go from Monday to Monday in UTC."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from bot.errors import UserError
from bot.server_config import DigestTime

DAYS_OF_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SETTLED_AFTER = timedelta(hours=1)
"""How long after a week its last hour is surely kept; no digest is made before."""
_WEEK, _MINUTE = timedelta(days=7), timedelta(minutes=1)
_SPELLED = re.compile(r"([0-9]{4})-W([0-9]{2})")
_YEARS = range(2000, 3000)


class IsoWeek(NamedTuple):
    """A week of ISO 8601; its year is that of its Thursday."""

    year: int
    number: int

    def __str__(self) -> str:
        """`2026-W47`."""
        return f"{self.year}-W{self.number:02}"

    @property
    def start(self) -> datetime:
        """Monday, 00:00 UTC."""
        return _midnight(date.fromisocalendar(self.year, self.number, 1))

    @property
    def end(self) -> datetime:
        """The next Monday, 00:00 UTC."""
        return self.start + _WEEK

    @property
    def before(self) -> IsoWeek:
        """The week before."""
        return week_of(self.start - _WEEK)


def week_of(moment: datetime) -> IsoWeek:
    """The week that a moment lies in."""
    year, number, _ = moment.astimezone(UTC).isocalendar()
    return IsoWeek(year, number)


def parse_week(text: str) -> IsoWeek:
    """The week that `text` names. Raises UserError, which says what would be right."""
    found = _SPELLED.fullmatch(text.strip())
    if found is None or int(found[1]) not in _YEARS:
        raise UserError(f"{text[:40]!r} is no week: write the ISO year and week, such as 2026-W47")
    year, number = int(found[1]), int(found[2])
    # The last week of a year is the one with its 28 December.
    last = date(year, 12, 28).isocalendar().week
    if not 1 <= number <= last:
        raise UserError(f"{text.strip()}: {year} has the weeks {year}-W01 to {year}-W{last}")
    return IsoWeek(year, number)


def last_ended(at: datetime) -> IsoWeek:
    """The newest week that is over at a moment."""
    return week_of(at - _WEEK)


def due_at(week: IsoWeek, when: DigestTime) -> datetime:
    """When the digest of a week is due, in UTC: on the day and at the time of the week after it.

    Both are local to the zone. A time that the clock leaves out is the moment after the gap; of a time
    that it shows twice the first is meant. Where a zone is so far east that the week still goes on in
    UTC, or its last hour is not kept yet, the digest waits for that.
    """
    day = week.end.date() + timedelta(days=DAYS_OF_WEEK.index(when.day))
    local = _moment(datetime.combine(day, when.at), ZoneInfo(when.time_zone))
    return max(local, week.end + SETTLED_AFTER)


def last_due(at: datetime, when: DigestTime) -> IsoWeek:
    """The newest week whose digest is due at a moment."""
    week = last_ended(at)
    while due_at(week, when) > at:
        week = week.before
    return week


def _moment(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first moment at which clocks of the zone show at least `wall`, near to it."""
    both = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    moment = min(both)
    while moment.astimezone(zone).replace(tzinfo=None) < wall:
        moment += _MINUTE
    return moment


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
