"""The report as JSON."""

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings

from bot.report_json import dump_report, report_json
from estimators.guardrail import CrossedGuardrail
from estimators.money import Range
from estimators.prices import Provenance
from estimators.report import Report
from tests.bot import sample_reports
from tests.bot.sample_reports import SAMPLES
from tests.bot.strangers import samples, written, written_by

SCHEMA = json.loads(Path(__file__).parents[2].joinpath("docs", "report.schema.json").read_text("utf-8"))


def checked(report: Report) -> Any:  # noqa: ANN401 - JSON
    """The object as a reader gets it, held against the schema."""
    read = json.loads(dump_report(report))
    jsonschema.validate(read, SCHEMA)
    return read


@pytest.mark.parametrize("name", SAMPLES)
def test_a_report_is_its_golden_file_and_keeps_to_the_schema(
    name: str, golden: Callable[[str, str], None]
) -> None:
    """One for every state."""
    checked(SAMPLES[name]())
    golden(f"{name}.json", dump_report(SAMPLES[name]()))


def test_the_schema_is_one() -> None:
    """A reader's validator takes it."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_amounts_are_exact_and_plain() -> None:
    """Unrounded, without exponents and without a minus before nothing."""
    report = replace(
        sample_reports.quiet(),
        before=Range.exactly(Decimal("1E+3")),
        after=Range(Decimal("1E-9"), Decimal("-0.00"), Decimal("1000.123456789012345")),
    )
    monthly = checked(report)["monthly"]

    assert monthly["before"] == {"floor": "1000", "expected": "1000", "ceiling": "1000"}
    assert monthly["after"] == {"floor": "0.000000001", "expected": "0", "ceiling": "1000.123456789012345"}
    assert monthly["percent"] == "-100.0"


@pytest.mark.parametrize(
    ("before", "after", "percent"), [("0", "5", None), ("3", "4", "33.3"), ("1000", "999.9999", "0.0"), ("10", "10", "0.0")]
)  # fmt: skip
def test_percent_has_one_decimal_or_is_null(before: str, after: str, percent: str | None) -> None:
    """Null where there was nothing before."""
    report = replace(
        sample_reports.quiet(), before=Range.exactly(Decimal(before)), after=Range.exactly(Decimal(after))
    )

    assert checked(report)["monthly"]["percent"] == percent


def test_every_number_of_a_side_carries_its_provenance() -> None:
    """Counts, sizes, rates; and the cost has the weakest of them."""
    row = next(row for row in sample_reports.the_story().rows if row.identity.name == "web" and row.after)
    assert row.after is not None
    pod = replace(row.after.pod, provenance={"memory_gib": Provenance.ASSUMED})
    report = sample_reports.report([replace(row, after=replace(row.after, pod=pod))])
    after = checked(report)["workloads"][0]["after"]

    assert after["replicas"]["provenance"] == "measured"
    assert after["pod"]["provenance"] == {
        "cpu_cores": "requested", "memory_gib": "assumed", "gpus": "requested", "storage_gib": "requested",
    }  # fmt: skip
    assert after["rates"]["provenance"] == "measured"
    assert after["monthly"]["provenance"] == "assumed"


def test_a_cost_that_is_not_known_is_null() -> None:
    """With the reason, and an entry under unpriced."""
    read = checked(sample_reports.nothing_priced())

    assert (read["workloads"][0]["before"], read["workloads"][0]["after"]) == (None, None)
    assert "--kube-context" in read["workloads"][0]["unknown_because"]
    assert [item["kind"] for item in read["unpriced"]] == ["DaemonSet", "File"]


def test_crossed_guardrails_are_listed() -> None:
    """For a pipeline that asks who may approve."""
    crossed = [CrossedGuardrail("why", "message", ("acme/sre",), "a")]

    assert report_json(sample_reports.quiet(), crossed)["guardrails"] == [
        {"why": "why", "message": "message", "approvers": ["acme/sre"], "key": "a"}
    ]


@settings(max_examples=60, deadline=None)
@given(samples, written)
def test_any_text_gives_valid_ascii(sample: str, texts: list[str]) -> None:
    """Strict readers take it, and no name reaches a terminal raw."""
    told = dump_report(written_by(sample, texts))

    assert told.isascii()
    assert "\x1b" not in told
    json.loads(told)["head"].encode("utf-8")
