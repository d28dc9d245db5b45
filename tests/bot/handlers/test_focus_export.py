"""The week as rows of FOCUS, which spreadsheets and finance's tools read."""

from __future__ import annotations

import csv
import io
import json
from collections import defaultdict
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.digest_focus import COLUMNS, KINDS, ClusterLedger, focus_csv
from bot.handlers.focus_export import export_focus
from bot.server_config import ServerConfig, SharedCosts
from estimators.showback_ledger import Line
from estimators.showback_shared import Split
from estimators.usage import WorkloadKey
from tests.bot.strangers import NASTY
from tests.week_samples import CONFIG, WEEK, costs, digest

MANDATORY = {
    "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd", "BillingPeriodStart",
    "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargePeriodEnd", "ChargePeriodStart", "ContractedCost",
    "EffectiveCost", "InvoiceIssuerName", "ListCost", "PricingQuantity", "PricingUnit", "ProviderName", "PublisherName",
    "ServiceCategory", "ServiceName",
}  # fmt: skip
"""Of FOCUS 1.2."""
NULLABLE = {"ChargeClass", "ResourceId", "ResourceName", "ResourceType", "x_Namespace", "x_Workload"}


def rows(config: ServerConfig = CONFIG) -> list[dict[str, str]]:
    """Of the made-up week."""
    return list(csv.DictReader(io.StringIO(export_focus(WEEK, costs=costs(), config=config))))


def test_the_columns_are_those_of_the_specification() -> None:
    """All that are mandatory; what is not FOCUS's begins with x_."""
    assert set(COLUMNS) >= MANDATORY
    assert {name for name in COLUMNS if name.startswith("x_")} == {"x_Namespace", "x_Workload", "x_CostKind"}
    for row in rows():
        assert tuple(row) == COLUMNS
        assert not [name for name, value in row.items() if not value and name not in NULLABLE]
        assert row["ChargeCategory"] == "Usage"
        assert row["x_CostKind"] in KINDS
        json.loads(row["Tags"])


@pytest.mark.parametrize("split", Split)
def test_the_rows_add_up_to_the_bill(split: Split) -> None:
    """Exactly, however shared costs are split; and the four costs are one."""
    found = rows(
        ServerConfig(CONFIG.clusters, CONFIG.teams, shared=SharedCosts(("kube-system",), split.value))
    )
    assert sum(Decimal(row["BilledCost"]) for row in found) == digest("all").total
    for row in found:
        assert row["BilledCost"] == row["EffectiveCost"] == row["ListCost"] == row["ContractedCost"]
        assert Decimal(row["BilledCost"]) > 0


def test_each_team_adds_up_to_what_the_digest_says() -> None:
    """Exactly, and what is nobody's as well; the parts are those of the bill."""
    teams: defaultdict[str, Decimal] = defaultdict(Decimal)
    kinds: defaultdict[str, Decimal] = defaultdict(Decimal)
    nobodys = Decimal(0)
    for row in rows():
        cost = Decimal(row["BilledCost"])
        kinds[row["x_CostKind"]] += cost
        if row["ResourceId"]:
            teams[json.loads(row["Tags"]).get("team", "")] += cost
        else:
            nobodys += cost
    told = {row.team: row.total for row in digest("all").teams}
    assert teams.pop("") == told.pop("unallocated")
    assert nobodys == told.pop("idle")
    assert teams == told
    bill = digest("all").bill
    assert bill is not None
    assert tuple(kinds[kind] for kind in KINDS) == (bill.tenants, bill.idle, bill.shared)


def test_a_charge_is_of_one_day_within_its_month() -> None:
    """All days of the week, from midnight to midnight in UTC."""
    days = set()
    for row in rows():
        start, end, begin, close = (
            datetime.fromisoformat(row[name])
            for name in ("ChargePeriodStart", "ChargePeriodEnd", "BillingPeriodStart", "BillingPeriodEnd")
        )
        assert end - start == timedelta(days=1)
        assert (begin.isoformat(), close.isoformat()) == (
            "2026-11-01T00:00:00+00:00",
            "2026-12-01T00:00:00+00:00",
        )
        assert row["PricingQuantity"].rstrip("0").rstrip(".") == "24"
        days.add(start)
    assert sorted(days) == [WEEK.start + timedelta(days=day) for day in range(7)]


def test_a_workload_owes_nothing_on_days_that_it_did_not_run() -> None:
    """The share of shared costs goes with what it cost."""
    days = {row["ChargePeriodStart"][:10] for row in rows() if row["x_Workload"] == "search/indexer"}
    assert min(days) == "2026-11-17"


def strange(write: Callable[[], str]) -> list[dict[str, str]]:
    """A row in which a stranger wrote every name."""
    line = Line(date(2026, 12, 31), WorkloadKey(write(), write(), write()), {}, 1, 2, 3)
    ledger = ClusterLedger(write(), write(), [line], {line.day: 0.5})
    return list(csv.DictReader(io.StringIO(focus_csv([ledger], lambda _key, _labels: write()))))


@given(
    st.sampled_from(
        [*NASTY, "=cmd|' /C calc'!A0", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", " =1", "'", '"', ";"]
    )
)
def test_no_cell_is_a_formula(written: str) -> None:
    """A spreadsheet that opens the file runs nothing; rows stay rows."""
    found = strange(lambda: written)
    assert len(found) == 3
    for row in found:
        assert tuple(row) == COLUMNS
        for name, value in row.items():
            assert not value.startswith(("=", "+", "-", "@", "\t", "\r")), name
    assert found[0]["BillingPeriodEnd"] == "2027-01-01T00:00:00Z"
