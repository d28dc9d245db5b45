"""Keep what clusters cost by the hour: ask for the hours that are missing, and again for those that are poor.

An hour that nothing answers for stays missing: it lowers the coverage of a window and costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import NamedTuple

from bot.cost_ports import ClusterHours, CostHours, KeptHour
from estimators.allocate import allocate

HOUR = timedelta(hours=1)
SETTLING = timedelta(minutes=10)
"""How long after its end an hour may still get samples, of agents that catch up and rules that run late."""
LOOK_BACK_DAYS = 35
"""How far the first start looks back: a month and what a trend needs before it."""
WHOLE = 0.99
"""A share of the samples below which an hour is asked for again."""
REPAIRED = timedelta(days=2)
"""For how long that is done: what is not there by then was not measured."""


class Span(NamedTuple):
    """Hours of one UTC day, `[start, end)`."""

    start: datetime
    end: datetime


class Filled(NamedTuple):
    """How many hours were kept, and how many gave no more than before."""

    kept: int
    in_vain: int


def settled_until(now: datetime) -> datetime:
    """The end of the newest hour whose samples are all there."""
    return (now.astimezone(UTC) - SETTLING).replace(minute=0, second=0, microsecond=0)


def wanted(cluster: str, *, costs: CostHours, now: datetime, days: int = LOOK_BACK_DAYS) -> list[Span]:
    """What is to be asked for, the newest first, a day or a part of one at a time."""
    end = settled_until(now)
    start = end - timedelta(days=days)
    kept = {each.hour: each for each in costs.kept(cluster, start, end)}
    hours = [hour for hour in _hours(start, end) if _is_due(kept.get(hour), now)]
    by_day = [list(some) for _, some in groupby(hours, key=datetime.date)]
    return [Span(some[0], some[-1] + HOUR) for some in reversed(by_day)]


def fill(
    cluster: str, span: Span, *, source: ClusterHours, costs: CostHours, now: Callable[[], datetime]
) -> Filled:
    """Ask for the hours of `span` and keep those that were missing, or that have more samples now.

    Raises OutsideError where the source or the store does not answer, UserError where they disagree.
    """
    at = now()
    kept = {each.hour: each for each in costs.kept(cluster, *span)}
    better, in_vain = [], []
    for measured in source.read(*span):
        known = kept.get(measured.hour)
        if known is None or (measured.covered > known.covered and _is_due(known, at)):
            better.append(allocate(measured))
        elif _is_due(known, at):
            in_vain.append(measured.hour)
    if better:
        costs.keep(cluster, better, currency=source.currency, at=at)
    if in_vain:
        costs.asked(cluster, in_vain, at)
    return Filled(len(better), len(in_vain))


def _hours(start: datetime, end: datetime) -> Iterator[datetime]:
    while start < end:
        yield start
        start += HOUR


def _is_due(known: KeptHour | None, now: datetime) -> bool:
    """A missing hour is; a poor one while it is young, 2 h after the first time, then 4 h, 8 h and so on."""
    if known is None:
        return True
    if known.covered >= WHOLE or now - known.hour >= REPAIRED:
        return False
    return now - known.asked_at >= HOUR * (1 << known.asks)
