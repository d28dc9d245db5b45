"""How often a CronJob runs, by cronsim."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from estimators.money import HOURS_PER_MONTH

_START = datetime(2027, 1, 1, tzinfo=UTC) - timedelta(seconds=1)
_FOUR_YEARS = timedelta(days=4 * 365 + 1)
"""Long enough for every weekday, month length and a leap day to fall as often as they do."""
_NAMED = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_EVERY = re.compile(r"@every (?:(\d{1,4})h)?(?:(\d{1,5})m)?(?:(\d{1,6})s)?")


@lru_cache(maxsize=4096)
def runs_per_month(schedule: str, _time_zone: str) -> Decimal | None:
    """Runs in an average month of 730 h, None for a schedule Kubernetes would refuse.

    The time zone moves runs, and at most two a year come or go with daylight saving.
    """
    every = _EVERY.fullmatch(schedule)
    if every:
        hours, minutes, seconds = (int(part or 0) for part in every.groups())
        interval = hours * 3600 + minutes * 60 + seconds
        return HOURS_PER_MONTH * 3600 / interval if interval else None
    fields = _NAMED.get(schedule, schedule).replace("?", "*").split()
    if len(fields) != 5 or any("l" in field.lower() and field.lower() != "jul" for field in fields[2:3]):
        return None
    per_day = _count(f"{fields[0]} {fields[1]} * * *", timedelta(days=1))
    days = _count(f"0 0 {' '.join(fields[2:])}", _FOUR_YEARS)
    if per_day is None or days is None:
        return None
    return Decimal(per_day * days) * HOURS_PER_MONTH / Decimal(_FOUR_YEARS / timedelta(hours=1))


def _count(expression: str, span: timedelta) -> int | None:
    """How often an expression comes up in the time after `_START`."""
    from cronsim import CronSim, CronSimError  # noqa: PLC0415 - only changes with CronJobs need it

    try:
        runs = CronSim(expression, _START)
    except CronSimError:
        return None
    count = 0
    for run in runs:
        if run > _START + span:
            break
        count += 1
    return count
