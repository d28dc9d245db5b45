"""Made-up weeks of teams, as Slack is told of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from bot.digest import (
    Approval,
    Digest,
    DigestItem,
    ItemState,
    LeftRow,
    MergedPull,
    ProposedValue,
    TeamWeek,
    WeekMover,
)
from bot.unused import UnusedThings
from estimators.unused import CLAIM, SERVICE, VOLUME, Unused

START, END = datetime(2026, 11, 16, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC)
PULL = "https://github.com/acme/shop/pull/{}"
_RESOURCES = "spec.template.spec.containers[0].resources"


def item(index: int, workload: str, *values: tuple[str, str, str], **more: object) -> DigestItem:
    """A recommendation about a workload; values are field, current, proposed."""
    made = DigestItem(
        id=f"{index:032x}",
        finder="container-resources",
        repository="acme/shop",
        environment="",
        workload=workload,
        values=tuple(ProposedValue(field, "main", now, then) for field, now, then in values),
        allocated=Decimal("-58.40"),
        realisable=Decimal(0),
        realisable_why="no node goes away, and the room is left for other pods",
        confidence="high",
        verdict="safe",
        evidence={
            "CPU p95": "0.81 cores a pod",
            "CPU peak": "0.97 cores a pod, Tue 2026-11-17 09:05 UTC",
            "CPU window": "14 days to 2026-11-22, 99 % measured",
            "profile": "production",
        },
        risks=("On a busy node a pod gets no more CPU than it requests.",),
        undo="Put the values back; the pods are replaced once more.",
        blast_radius="3 of 31 pods in search, behind Service indexer",
        source="apps/indexer.yaml:24",
        address=f"https://github.com/acme/shop/blob/{'a' * 40}/apps/indexer.yaml#L24",
    )
    return replace(made, **more)  # type: ignore[arg-type]


ITEMS = (
    item(
        1,
        "search/indexer",
        (f"{_RESOURCES}.requests.cpu", "2", "1200m"),
        realisable=Decimal("-58.40"),
        realisable_why="node node-7 is no longer needed; somebody, or an autoscaler of nodes, has to take it away",
    ),
    item(
        2,
        "payments/ledger",
        (f"{_RESOURCES}.requests.memory", "4Gi", "2560Mi"),
        (f"{_RESOURCES}.limits.memory", "4Gi", "2560Mi"),
        allocated=Decimal("-38.20"),
        confidence="medium",
        evidence={"memory peak": "2.1 GiB, Wed 2026-11-18 02:10 UTC", "profile": "production"},
    ),
    item(
        3,
        "ml/trainer",
        ("spec.replicas", "1", "0"),
        finder="idle-gpu",
        environment="staging",
        allocated=Decimal(-2482),
        realisable=None,
        realisable_why="no nodes are known",
        evidence={"GPU": "idle for 9 days", "longest gap before": "14 hours"},
    ),
)


def _trend() -> tuple[tuple[date, Decimal | None], ...]:
    first = (END - timedelta(days=28)).date()
    busy = (1300, 1310, 1340, 1350, 1330, 1190, 1180)
    days = [Decimal(busy[at % 7] + 4 * at) for at in range(28)]
    return tuple((first + timedelta(days=at), None if at == 9 else cost) for at, cost in enumerate(days))


def _unused(kind: str, place: str, monthly: str, **more: object) -> Unused:
    namespace, _, name = place.rpartition("/")
    made = Unused(
        "", "checkout", kind, namespace, name, "", None, "", Decimal(monthly), "USD", date(2026, 10, 19)
    )
    return replace(made, **more)  # type: ignore[arg-type]


UNUSED = UnusedThings(
    (
        _unused(CLAIM, "payments/data-ledger-old-0", "40", gib=Decimal(500), storage_class="gp3"),
        _unused(SERVICE, "shop/front-old", "18.25", since=date(2026, 11, 5)),
        _unused(
            VOLUME, "payments/pvc-0f3c2b1a", "8", claim="data-mysql-0", gib=Decimal(100), storage_class="gp3"
        ),
    )
)
TEAM = Digest(
    team="checkout",
    week="2026-W47",
    start=START,
    end=END,
    currency="USD",
    coverage=Decimal("0.99"),
    total=Decimal("9140.17"),
    previous=Decimal("9520.40"),
    budget_monthly=Decimal(39260),
    projected=Decimal("38400.12"),
    trend=_trend(),
    movers=(
        WeekMover("payments/api", Decimal("290.12"), "8 → 13 pods since Tuesday"),
        WeekMover("payments/ledger", Decimal("120.40"), "memory 2 → 4 GiB, acme/shop#1841"),
        WeekMover("search/indexer", Decimal("-790.75"), "switched off from Thursday on"),
    ),
    idle_share=Decimal("0.14"),
    unallocated_share=Decimal("0.03"),
    gpu_idle_hours=Decimal("31.2"),
    gpu_idle_cost=Decimal("105.40"),
    merged=(
        MergedPull("acme/shop#1841", PULL.format(1841), Decimal("120.40"), Decimal("96.10")),
        MergedPull(
            "acme/shop#1850",
            PULL.format(1850),
            Decimal("-61.20"),
            None,
            ours=True,
            approved_by="Bea Meyer",
        ),
    ),
    approvals=(
        Approval(
            "search/worker",
            "checkout",
            "Ana Schmidt",
            START,
            Decimal("-61.20"),
            None,
            "open",
            PULL.format(1852),
        ),
        Approval("payments/batch", "checkout", "automation", START, Decimal(-12), Decimal("-11.4"), "merged"),
    ),
    recommendations=ITEMS,
    more=4,
    more_saving=Decimal("-71.90"),
    unused=UNUSED,
    left_alone=(LeftRow("payments/api", "protected (INC-1234) until 31 March 2027"),),
    left_counts={"protected": 1, "younger-than-the-window": 5, "oom-killed": 1},
    left_names={
        "protected": ("payments/api",),
        "younger-than-the-window": ("payments/fraud", "search/suggest", "shop/cart"),
        "oom-killed": ("ml/notebook",),
    },
    notes=("2 right-sizing pull requests wait to be merged.",),
)
QUIET = replace(
    TEAM,
    previous=TEAM.total,
    movers=(),
    merged=(),
    approvals=(),
    recommendations=(),
    more=0,
    unused=None,
    left_alone=(),
    left_counts={},
    coverage=Decimal(1),
    notes=(),
    quiet=True,
)
UNMEASURED = Digest(
    team="checkout",
    week="2026-W53",
    start=datetime(2026, 12, 28, tzinfo=UTC),
    end=datetime(2027, 1, 4, tzinfo=UTC),
    currency="EUR",
    coverage=Decimal(0),
    total=None,
    previous=None,
    recommendations=ITEMS[:1],
    notes=("Not compared: nothing was measured the week before.",),
)
DECIDED: Mapping[str, ItemState] = {
    ITEMS[0].id: ItemState("opened", said="Ana Schmidt", address=PULL.format(1861)),
    ITEMS[1].id: ItemState("rejected", said="Bea Meyer", why="sized for the sale in December, INC-1234"),
}
EVERY_STATE: tuple[ItemState, ...] = (
    ItemState("approved", said="Ana Schmidt"),
    ItemState("opened", said="Ana Schmidt", address=PULL.format(1861)),
    ItemState("merged", said="Ana Schmidt", address=PULL.format(1861)),
    ItemState("closed", said="Ana Schmidt", address=PULL.format(1861), why="the value is there already"),
    ItemState("by-hand", said="Ana Schmidt", why="two values files set it: charts/api/values.yaml:12"),
    ItemState("rejected", said="Ana Schmidt", why="sized for the sale"),
    ItemState("snoozed", said="Ana Schmidt", until=date(2026, 12, 6)),
    ItemState("stale", why="the manifest has changed since"),
)


def finance(teams: int = 5) -> Digest:
    """The digest of all teams."""
    names = ("checkout", "research", "search", "platform", "data")
    rows = tuple(
        TeamWeek(
            names[at] if at < len(names) else f"team-{at}",
            Decimal(9140) / (at + 1),
            None if at == 3 else Decimal(9520) / (at + 1),
            None if at == 2 else Decimal(39260) / (at + 1) - 600 * (at == 1),
            Decimal(39000) / (at + 1) if at != 4 else None,
            Decimal("0.14") + Decimal(at % 7) / 100,
            Decimal(-58 * (at % 4)),
        )
        for at in range(teams)
    )
    rows += (
        TeamWeek("unallocated", Decimal(310), Decimal(290), None, None, None, Decimal(-6), "unallocated"),
        TeamWeek("idle", Decimal(1210), Decimal(1400), None, None, None, Decimal(0), "idle"),
    )
    total = sum((row.total for row in rows), Decimal(0))
    return replace(
        TEAM,
        team="",
        total=total,
        previous=total + 640,
        budget_monthly=None,
        projected=Decimal(86400),
        teams=rows,
        left_alone=(),
        left_counts={},
    )
