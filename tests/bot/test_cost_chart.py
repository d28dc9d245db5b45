"""The picture of an answer's days."""

from __future__ import annotations

import struct
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.cost_chart import cost_chart
from estimators.showback import Parts
from tests import cost_samples
from tests.bot.cost_answers import answered
from tests.bot.strangers import NASTY
from tests.cost_samples import HOUR

QUESTIONS = (
    "namespace payments chart",
    "team 30d chart",
    "workload payments/api mtd chart",
    "gpu chart",
    "idle chart",
)


def size(png: bytes) -> tuple[int, int]:
    """Its pixels."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    return width, height


@pytest.mark.parametrize("text", QUESTIONS)
def test_every_question_has_a_picture(text: str) -> None:
    """Always as large, and the same bytes for the same answer."""
    answer = answered(text)
    first, second = cost_chart(answer), cost_chart(answer)
    assert size(first.png) == (1200, 540)
    assert first == second


def test_the_alternative_text_says_what_is_seen() -> None:
    """Least and most, the largest part, and how it compares."""
    assert cost_chart(answered("namespace payments chart")).alt == (
        "Bar chart of what payments cost by day from 15 November to 22 November: from $10.02 on 15 November to "
        "$12.83 on 18 November; the largest part is CPU. 5 of 7 days cost more than those of the week "
        "before, drawn as a line."
    )


def test_days_are_whole_so_that_they_compare() -> None:
    """The first from its midnight, today as far as it was measured, each beside the same day a week earlier."""
    answer = answered("namespace payments chart")
    assert [day.day.day for day in answer.chart] == list(range(15, 23))
    assert [day.covered for day in answer.chart] == [*[1] * 7, pytest.approx(13 / 24)]
    whole = answered("namespace payments 30d chart")
    before = {day.day: sum(day.parts) for day in whole.chart}
    assert [day.previous for day in answer.chart[7:]] == [before[answer.chart[0].day]]


def test_a_day_that_nobody_measured_has_no_bar() -> None:
    """Nothing is drawn, and the text says what is known of the others."""
    gone = frozenset(
        datetime(2026, 11, day, tzinfo=UTC) + n * HOUR for day in range(8, 23) for n in range(24)
    )
    answer = answered(
        "namespace payments chart", costs=cost_samples.shop(16, missing=gone - {cost_samples.END - HOUR})
    )
    assert [day.covered > 0 for day in answer.chart] == [False] * 7 + [True]
    assert "no day was measured as a whole" in cost_chart(answer).alt
    assert all(day.previous is None for day in answer.chart)


@pytest.mark.parametrize("name", ["空間", "$x$ and $y$", *("".join(NASTY[n::6]) for n in range(6))])
def test_any_name_can_be_drawn(name: str) -> None:
    """No formula, no warning about signs that the font lacks, no name that fills the picture."""
    answer = answered("namespace payments chart")
    found = replace(answer.found, total=replace(answer.found.total, group=name))
    chart = cost_chart(replace(answer, found=found))
    assert size(chart.png) == (1200, 540)
    assert len(chart.alt) < 2000


def test_nothing_at_all_is_a_picture_too() -> None:
    """A namespace that is gone."""
    answer = answered("namespace payments chart")
    empty = tuple(day._replace(parts=Parts(), previous=None) for day in answer.chart)
    assert size(cost_chart(replace(answer, chart=empty)).png) == (1200, 540)
