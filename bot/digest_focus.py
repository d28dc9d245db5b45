"""What a week cost as rows of FOCUS 1.2, the FinOps Open Cost and Usage Specification, as CSV.

Columns and their order are those that it makes mandatory (focus.finops.org/focus-specification/v1-2), with
those of its conditional ones that are known here, and `x_` columns for what it has no column for.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from bot.cost_json import decimal
from bot.inert import plain
from estimators.ownership import Labels
from estimators.showback_ledger import Line
from estimators.usage import WorkloadKey

COLUMNS = (
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ContractedCost",
    "EffectiveCost",
    "InvoiceIssuerName",
    "ListCost",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "ResourceId",
    "ResourceName",
    "ResourceType",
    "ServiceCategory",
    "ServiceName",
    "ServiceSubcategory",
    "SubAccountId",
    "SubAccountName",
    "Tags",
    "x_Namespace",
    "x_Workload",
    "x_CostKind",
)
KINDS = ("usage", "idle", "shared")
"""What `x_CostKind` may be: what was claimed, idle nodes, and a share of what serves everybody."""
_ACCOUNT, _ISSUER, _SERVICE = "kubernetes", "Tuppence", "Kubernetes"
_DESCRIBED = {"usage": "Claimed by", "idle": "Idle capacity of nodes of", "shared": "Shared costs of"}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would reckon with if it came first in a cell."""
_DAY = timedelta(days=1)

Row = dict[str, str]


class ClusterLedger(NamedTuple):
    """A cluster's lines; `covered` is the share of each day that was measured (0-1)."""

    name: str
    currency: str
    lines: Iterable[Line]
    covered: Mapping[date, float]


def focus_csv(clusters: Iterable[ClusterLedger], team_of: Callable[[WorkloadKey, Labels], str]) -> str:
    """A row for each day, workload and kind of cost, below the titles. Costs are unrounded."""
    file = io.StringIO()
    lines = csv.DictWriter(file, COLUMNS, lineterminator="\n")
    lines.writeheader()
    for cluster in clusters:
        for line in cluster.lines:
            lines.writerows(_rows(cluster, line, team_of))
    return file.getvalue()


def _rows(cluster: ClusterLedger, line: Line, team_of: Callable[[WorkloadKey, Labels], str]) -> Iterator[Row]:
    common = _common(cluster, line, team_of)
    for kind, amount in zip(KINDS, (line.usage, line.idle, line.shared), strict=True):
        if amount:
            cost = decimal(amount)
            whose = common["ResourceId"] or f"{cluster.name}, nobody's"
            yield {
                **common,
                "BilledCost": cost,
                "ContractedCost": cost,
                "EffectiveCost": cost,
                "ListCost": cost,
                "ChargeDescription": f"{_DESCRIBED[kind]} {whose}",
                "x_CostKind": kind,
            }


def _common(cluster: ClusterLedger, line: Line, team_of: Callable[[WorkloadKey, Labels], str]) -> Row:
    """What the rows of a line have in common. A resource that is nobody's is null, an empty cell."""
    start = datetime(line.day.year, line.day.month, line.day.day, tzinfo=UTC)
    month = start.replace(day=1)
    key = line.workload
    team = team_of(key, line.labels) if key else ""
    hours = Decimal(str(round(24 * cluster.covered.get(line.day, 0.0), 4)))
    return {
        "BillingAccountId": _ACCOUNT,
        "BillingAccountName": _SERVICE,
        "BillingCurrency": _cell(cluster.currency),
        "BillingPeriodStart": _moment(month),
        "BillingPeriodEnd": _moment((month + 31 * _DAY).replace(day=1)),
        "ChargeCategory": "Usage",
        "ChargeClass": "",
        "ChargeFrequency": "Usage-Based",
        "ChargePeriodStart": _moment(start),
        "ChargePeriodEnd": _moment(start + _DAY),
        "InvoiceIssuerName": _ISSUER,
        "PricingQuantity": f"{hours:f}",
        "PricingUnit": "Hours",
        "ProviderName": _SERVICE,
        "PublisherName": _SERVICE,
        "ResourceId": _cell("/".join((cluster.name, *key))) if key else "",
        "ResourceName": _cell(key.name) if key else "",
        "ResourceType": _cell(key.kind) if key else "",
        "ServiceCategory": "Compute",
        "ServiceName": _SERVICE,
        "ServiceSubcategory": "Containers",
        "SubAccountId": _cell(cluster.name),
        "SubAccountName": _cell(cluster.name),
        "Tags": json.dumps({"team": plain(team)} if team else {}),
        "x_Namespace": _cell(key.namespace) if key else "",
        "x_Workload": _cell(f"{key.namespace}/{key.name}") if key else "",
    }


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _cell(text: str) -> str:
    """A stranger's text as a cell that a spreadsheet shows and does not run."""
    line = plain(text)
    return f"'{line}" if line.startswith(_FORMULA) else line
