"""Which hours of a cluster are asked for, and what becomes of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from bot.adapters.records import Records
from bot.cost_ports import CostHours
from bot.errors import PrometheusUnavailable
from bot.handlers.allocate_hours import Filled, Span, fill, settled_until, wanted
from estimators.allocation import BalancerHour, ClusterHour, as_nano

NOW = datetime(2026, 11, 20, 15, 20, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)
PRICE = Decimal("0.025")


@dataclass
class Past:
    """A cluster with one load balancer. `covered` is 1 for hours that it does not name."""

    covered: dict[datetime, float] = field(default_factory=dict)
    asked: list[Span] = field(default_factory=list)
    breaks_at: datetime | None = None
    currency: str = "USD"

    def read(self, start: datetime, end: datetime) -> Iterator[ClusterHour]:
        """As `ClusterHours`."""
        self.asked.append(Span(start, end))
        while start < end:
            if start == self.breaks_at:
                raise PrometheusUnavailable("502")
            covered = self.covered.get(start, 1.0)
            balancers = (BalancerHour("shop", "web", covered, PRICE),) if covered else ()
            yield ClusterHour(start, (), (), (), balancers, covered=covered)
            start += HOUR


@pytest.fixture
def costs(tmp_path: Path) -> Iterator[CostHours]:
    """A store in a file."""
    with closing(Records(f"sqlite:///{tmp_path / 'tuppence.db'}")) as records:
        records.prepare()
        yield records.costs


def fill_all(past: Past, costs: CostHours, now: datetime = NOW, days: int = 3) -> list[Filled]:
    """Everything that is wanted, in order."""
    spans = wanted("prod", costs=costs, now=now, days=days)
    return [fill("prod", span, source=past, costs=costs, now=lambda: now) for span in spans]


@pytest.mark.parametrize(
    ("now", "end"),
    [
        pytest.param("15:20", 15, id="an hour that is over and settled"),
        pytest.param("15:09", 14, id="one that is over and may get late samples"),
        pytest.param("15:10", 15, id="just settled"),
        pytest.param("00:09", -1, id="over midnight"),
    ],
)
def test_an_hour_is_asked_for_when_it_is_over_and_settled(now: str, end: int) -> None:
    """Ten minutes after its end."""
    hour, minute = map(int, now.split(":"))
    assert settled_until(MIDNIGHT.replace(hour=hour, minute=minute)) == MIDNIGHT + HOUR * end


def test_the_first_start_asks_for_days_from_the_newest_back(costs: CostHours) -> None:
    """So that today's question can be answered soon."""
    spans = wanted("prod", costs=costs, now=NOW)
    assert spans[:2] == [
        (MIDNIGHT, MIDNIGHT + HOUR * 15),
        (MIDNIGHT - HOUR * 24, MIDNIGHT),
    ]
    assert spans[-1] == (MIDNIGHT - HOUR * 24 * 35 + HOUR * 15, MIDNIGHT - HOUR * 24 * 34)
    assert sum((span.end - span.start) / HOUR for span in spans) == 35 * 24


def test_what_is_kept_is_not_asked_for_again(costs: CostHours) -> None:
    """An hour later there is one hour to ask for."""
    past = Past()
    assert fill_all(past, costs) == [(15, 0), (24, 0), (24, 0), (9, 0)]
    window = costs.window("prod", MIDNIGHT - HOUR * 24, MIDNIGHT)
    assert (window.covered, window.bill, window.currency) == (1.0, 24 * as_nano(PRICE), "USD")
    assert wanted("prod", costs=costs, now=NOW, days=3) == []
    assert wanted("prod", costs=costs, now=NOW + HOUR, days=3) == [
        (MIDNIGHT + HOUR * 15, MIDNIGHT + HOUR * 16)
    ]


def test_an_answer_that_breaks_off_keeps_nothing_of_that_day(costs: CostHours) -> None:
    """The hours stay missing, which is coverage and not $0; the other days are whole."""
    past = Past(breaks_at=MIDNIGHT + HOUR * 7)
    with pytest.raises(PrometheusUnavailable):
        fill_all(past, costs)
    assert costs.window("prod", MIDNIGHT, MIDNIGHT + HOUR * 15).covered == 0.0
    past.breaks_at = None
    assert fill_all(past, costs)[0] == (15, 0)


def test_a_poor_hour_is_asked_for_again_with_growing_pauses_until_it_is_two_days_old(
    costs: CostHours,
) -> None:
    """Then it is as it is: half of it was measured, and half is what it costs."""
    poor = MIDNIGHT + HOUR * 14
    past = Past(covered={poor: 0.5})
    fill_all(past, costs)
    asked = []
    for hours in range(1, 60):
        past.asked.clear()
        fill_all(past, costs, NOW + HOUR * hours)
        asked += [hours for span in past.asked if span.start <= poor < span.end]
    assert asked == [2, 6, 14, 30]
    found = costs.window("prod", poor, poor + HOUR)
    assert (found.covered, found.bill) == (0.5, as_nano(PRICE / 2))


def test_late_samples_mend_an_hour_and_leave_its_neighbours(costs: CostHours) -> None:
    """The repair costs one more question, and is not repeated."""
    poor = MIDNIGHT + HOUR * 3
    past = Past(covered={poor: 0.5, MIDNIGHT + HOUR * 9: 0.0})
    fill_all(past, costs)
    past.covered = {MIDNIGHT + HOUR * 9: 0.0}
    assert fill_all(past, costs, NOW + HOUR * 2)[0] == (3, 1)
    kept = {each.hour: each for each in costs.kept("prod", MIDNIGHT, MIDNIGHT + HOUR * 17)}
    assert (kept[poor].covered, kept[poor].asks) == (1.0, 2)
    assert kept[MIDNIGHT + HOUR * 4].asks == 1
    assert costs.window("prod", MIDNIGHT, MIDNIGHT + HOUR * 15).bill == 14 * as_nano(PRICE)


def test_an_hour_that_has_less_now_stays_as_it_was(costs: CostHours) -> None:
    """A Prometheus that was restarted has forgotten, and we have not."""
    poor = MIDNIGHT + HOUR * 3
    past = Past(covered={poor: 0.5})
    fill_all(past, costs)
    past.covered = {poor: 0.1}
    fill_all(past, costs, NOW + HOUR * 2)
    assert costs.window("prod", poor, poor + HOUR).covered == 0.5


def test_days_before_prometheus_began_are_asked_for_once(costs: CostHours) -> None:
    """They cover nothing, and nothing is known of them."""
    old = MIDNIGHT - HOUR * 48
    past = Past(covered={old + HOUR * index: 0.0 for index in range(24)})
    fill_all(past, costs)
    past.asked.clear()
    fill_all(past, costs, NOW + HOUR * 30, days=4)
    assert all(span.end <= old or span.start >= old + HOUR * 24 for span in past.asked)
    day = costs.days("prod", old, old + HOUR * 24)[0]
    assert (day.covered, day.bill) == (0.0, 0)
