"""What is kept of a report until it is measured."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from bot.predictions import predicted_rows, prediction_of
from bot.report_json import dump_report
from estimators.measured_change import PredictedRow
from estimators.objects import Identity, Source
from estimators.report import Estimate, FieldChange, Report, Row, Verdict
from estimators.showback_movers import Cause
from estimators.usage import WorkloadKey
from tests.bot.sample_reports import RATES, estimate, pods, report, row

BASE = estimate(pods("2"), "1", "2", storage="10")
CHEAP = replace(RATES, cpu_core_hour=Decimal("0.01"))


def kept(found: Report) -> Mapping[str, Any] | None:
    """As the database gives it back."""
    prediction = prediction_of(json.loads(dump_report(found)))
    return json.loads(json.dumps(prediction)) if prediction else None


def only(found: Row, clusters: Mapping[str, str] | None = None) -> PredictedRow:
    prediction = kept(replace(report([found]), clusters=clusters or {}))
    assert prediction is not None
    [one] = predicted_rows(prediction)
    return one


@pytest.mark.parametrize(
    ("before", "after", "status", "causes"),
    [
        (BASE, estimate(pods("3"), "1", "2", storage="10"), "changed", {Cause.REPLICAS, Cause.STORAGE}),
        (BASE, estimate(pods("2"), "2", "2", storage="10"), "changed", {Cause.CPU_REQUEST}),
        (BASE, estimate(pods("2"), "1", "1", storage="10"), "changed", {Cause.MEMORY_REQUEST}),
        (BASE, estimate(pods("2"), "1", "2", "1", storage="10"), "changed", {Cause.GPUS}),
        (BASE, estimate(pods("2"), "1", "2", storage="20"), "changed", {Cause.STORAGE}),
        (BASE, estimate(pods("2"), "1", "2", storage="10", rates=CHEAP), "changed", {Cause.PRICE}),
        (estimate(pods("0"), "1", "2"), estimate(pods("3"), "1", "2"), "changed", {Cause.REPLICAS, Cause.NEW}),
        (estimate(pods("3"), "1", "2"), estimate(pods("0"), "1", "2"), "changed", {Cause.REPLICAS, Cause.GONE}),
        (None, BASE, "added", {Cause.NEW}),
        (BASE, None, "removed", {Cause.GONE}),
    ],
    ids=[
        "replicas", "CPU", "memory", "GPUs", "storage", "another pool", "from nothing", "to nothing", "added",
        "removed",
    ],
)  # fmt: skip
def test_what_a_change_asks_for(
    before: Estimate | None, after: Estimate | None, status: str, causes: set[Cause]
) -> None:
    """Only that can be its doing."""
    found = row("shop/api", before, after, Verdict.SAFE, status=status)
    kept_row = only(found)

    assert kept_row.causes == causes
    assert kept_row.expected == found.change.expected
    assert kept_row.replicas == (after.replicas.count.expected if after else None)


def test_where_a_workload_runs_and_what_it_was_called() -> None:
    """The cluster of its environment; a namespace that changed too."""
    found = row("shop/api", BASE, estimate(pods("3"), "1", "2"), Verdict.SAFE, environment="production")
    renamed = replace(
        found, changes=(FieldChange("name", "old/web", "shop/api", "metadata.name", Source("a.yaml", 1)),)
    )
    kept_row = only(renamed, clusters={"production": "prod-eu"})

    assert (kept_row.environment, kept_row.cluster) == ("production", "prod-eu")
    assert kept_row.workload == WorkloadKey("shop", "Deployment", "api")
    assert kept_row.was == WorkloadKey("old", "Deployment", "web")


def test_a_claim_and_who_mounts_it() -> None:
    """In the claim's namespace."""
    found = row(
        "shop/data",
        BASE,
        estimate(pods("1"), "0", "0", storage="20"),
        Verdict.SAFE,
        kind="PersistentVolumeClaim",
    )
    kept_row = only(replace(found, mounted_by=("Deployment/api", "StatefulSet/db")))

    assert kept_row.mounted_by == (
        WorkloadKey("shop", "Deployment", "api"), WorkloadKey("shop", "StatefulSet", "db"),
    )  # fmt: skip
    assert Cause.STORAGE in kept_row.causes


def test_what_was_not_known_is_not_nothing() -> None:
    """A DaemonSet without nodes: it is measured all the same."""
    kept_row = only(row("shop/agent", None, None, Verdict.UNKNOWN, kind="DaemonSet"))

    assert kept_row.expected is None
    assert kept_row.replicas is None
    assert {Cause.REPLICAS, Cause.MEMORY_REQUEST} <= kept_row.causes


@pytest.mark.parametrize(
    "rows",
    [(), (row("shop/api", BASE, BASE, Verdict.CAUTION, [("memory limit", "2Gi", "1Gi")]),)],
    ids=["no rows", "a limit"],
)
def test_where_no_change_of_cost_was_predicted_nothing_is_kept(rows: tuple[Row, ...]) -> None:
    """There is nothing to come back to."""
    assert kept(report(rows)) is None


def test_what_an_earlier_version_kept_has_no_rows() -> None:
    """It did not say where its workloads run."""
    assert (
        predicted_rows({"currency": "USD", "expected": "1", "workloads": {"shop/Deployment/api": "1"}}) == ()
    )


def test_a_report_of_an_earlier_version_is_kept() -> None:
    """It names no cluster: it is the one of environments that name none."""
    told = json.loads(dump_report(report([row("shop/api", None, BASE, Verdict.SAFE, status="added")])))
    del told["clusters"], told["workloads"][0]["mounted_by"]
    prediction = prediction_of(told)

    assert prediction is not None
    assert [kept_row.cluster for kept_row in predicted_rows(prediction)] == [""]


def test_half_a_character_in_a_name_is_kept() -> None:
    """As U+FFFD: databases take nothing else."""
    broken = replace(
        row("shop/api", None, BASE, Verdict.SAFE, status="added"),
        identity=Identity("", "shop", "Deployment", "a\ud800"),
    )

    assert only(broken).workload.name == "a\ufffd"
