"""How a workload of a stored report is explained."""

from __future__ import annotations

import json
import re
from decimal import Decimal

import pytest

from bot.explanation import _explained, explain
from bot.report_json import report_json
from tests.bot import sample_reports
from tests.bot.sample_reports import SAMPLES


@pytest.mark.parametrize("sample", SAMPLES)
def test_every_report_can_be_explained(sample: str) -> None:
    """Whatever is unknown in it."""
    told = report_json(SAMPLES[sample]())
    names = [row["name"] for row in told["workloads"]]
    for name in ["", *names]:
        assert "is called" not in explain(told, name, "4f2c9ab")


def test_findings_come_with_evidence_and_amounts_with_their_arithmetic() -> None:
    """Of the one workload that was asked for."""
    told = report_json(sample_reports.the_story())
    row = next(row for row in told["workloads"] if row["findings"])
    text = explain(told, f"`{row['kind']}/{row['name']}`".upper(), "4f2c9ab")

    assert (
        text.count("Before: $175.57 a month, 12 pods") == text.count("After: $157.01 a month, 12 pods") == 1
    )
    assert "it peaked at. 832Mi is safe and saves $13.92 a month.<br>Evidence: container api" in text
    assert "13.92 USD" not in text
    assert "h × $" in text


def test_a_cost_that_is_not_known_is_not_nothing() -> None:
    """Though the stored change is 0 where a side has no estimate."""
    text = explain(report_json(sample_reports.unknown()), "jobs/worker")

    assert "Unknown, cost not known. Why: scales from zero and no history is known" in text
    assert "$0" not in text


def test_who_asks_for_what_is_not_there_is_told_what_is() -> None:
    """Both in code, where GitHub looks for nothing."""
    told = report_json(sample_reports.savings())

    assert "is called `@acme/all`. There are `search/" in explain(told, "@acme/all")


def test_a_strangers_name_stays_a_name() -> None:
    """The stored report holds names as they were written."""
    told = json.loads(json.dumps(report_json(sample_reports.savings())))
    row = told["workloads"][0]
    row |= {"name": "x`@all", "kind": "<b>@all", "environment": "[a](http://b)", "unknown_because": "@all"}
    text = explain(told, row["name"])

    assert "<b>" not in text
    assert "[a](" not in text
    assert text.replace("`search/x'@all`", "").count("@all") == 0


@pytest.mark.parametrize("sample", SAMPLES)
def test_the_cents_of_each_side_add_up_to_what_stands_under_them(sample: str) -> None:
    """As they do in the comment."""
    told = report_json(SAMPLES[sample]())
    for row in told["workloads"]:
        for side in _explained(row, told).sides:
            shown = [Decimal(re.sub(r"[^0-9.]", "", line.rpartition("=")[2])) for line in side.lines]
            month = Decimal(re.sub(r"[^0-9.]", "", side.monthly.partition("(")[0]))
            assert sum(shown) == month, (sample, row["name"], side)
