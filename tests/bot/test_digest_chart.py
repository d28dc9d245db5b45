"""The picture of a week's digest."""

from __future__ import annotations

import struct
from dataclasses import replace
from decimal import Decimal

import pytest

from bot.digest_chart import digest_chart
from tests.bot.strangers import NASTY
from tests.week_samples import NAMES, digest


@pytest.mark.parametrize("name", NAMES)
def test_the_picture_is_a_png_of_known_size_with_words_for_it(name: str) -> None:
    """Who does not see it is told the days, the least and the most."""
    chart = digest_chart(digest(name))
    assert chart.png.startswith(b"\x89PNG")
    assert struct.unpack(">II", chart.png[16:24]) == (1200, 432)
    if name == "unmeasured":
        assert chart.alt.endswith("no day was measured as a whole.")
    else:
        assert "by day from 26 October to 22 November: " in chart.alt


def test_days_that_were_not_measured_are_told() -> None:
    """They are no days that cost nothing."""
    found = digest("checkout")
    trend = tuple((day, None if index < 3 else cost) for index, (day, cost) in enumerate(found.trend))
    assert digest_chart(replace(found, trend=trend)).alt.endswith("3 of 28 days were not measured.")


def test_days_that_cost_the_same_are_told_once() -> None:
    """Without the least and the most."""
    found = digest("checkout")
    trend = tuple((day, Decimal(20) if index else None) for index, (day, _) in enumerate(found.trend))
    alt = digest_chart(replace(found, trend=trend)).alt
    assert alt.endswith("to 22 November: $20.00 each. 1 of 28 days was not measured.")


def test_any_team_can_be_drawn() -> None:
    """Whatever its name has in it: a formula, letters that no font knows, nothing that can be seen."""
    for name in NASTY:
        assert digest_chart(replace(digest("checkout"), team=name)).png
