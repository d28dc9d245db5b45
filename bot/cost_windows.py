"""The hours that a question is about, and those before them that it is compared with. All in UTC."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

DAYS = {"7d": 7, "30d": 30}
PROJECTED_FROM = timedelta(days=7)
"""How many days before today give the mean of a day."""
_SECOND = timedelta(seconds=1)


class Hours(NamedTuple):
    """Full hours, `[start, end)`."""

    start: datetime
    end: datetime


class Windows(NamedTuple):
    """What is asked about, and what it is compared with."""

    asked: Hours
    before: Hours


def windows_until(window: str, end: datetime) -> Windows:
    """The window of that name that ends at `end`, and the one before it.

    `mtd` is the month that the hour before `end` lies in, from its first hour, beside as many hours of
    the month before, or all of that where it is shorter.
    """
    if window in DAYS:
        length = timedelta(days=DAYS[window])
        return Windows(Hours(end - length, end), Hours(end - 2 * length, end - length))
    start = month_of(end)
    last_month = month_of(start)
    return Windows(Hours(start, end), Hours(last_month, min(last_month + (end - start), start)))


def hours_needed(window: str, end: datetime) -> Hours:
    """All hours that an answer reads: both windows, the days of a chart, and what projects a month."""
    before = windows_until(window, end).before
    return Hours(min(midnight(before.start), month_of(end), midnight(end) - PROJECTED_FROM), end)


def month_of(end: datetime) -> datetime:
    """When the month began that ended, or goes on, at `end`."""
    return (end - _SECOND).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def midnight(moment: datetime) -> datetime:
    """When its day began."""
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
