"""Week 47 of the made-up shop of tests/cost_samples.py: its hours, and what its records remember by then."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path

from bot.adapters.records import Records
from bot.cost_answer import CostRefusal
from bot.cost_memory import HoursInMemory
from bot.cost_ports import ChargedHours
from bot.digest import Digest
from bot.github_events import PullRequestRef, Repository
from bot.handlers.weekly_digest import weekly_digest
from bot.recommendation_json import left_alone_json, recommendation_json
from bot.recommendation_records import (
    KeptRecommendation,
    RecommendationDecision,
    RightSizingPull,
    Scan,
    id_of,
    subject_of,
)
from bot.records import Prediction
from bot.server_config import ServerConfig, SharedCosts, Team
from bot.unused import UnusedNow
from bot.weeks import IsoWeek, parse_week
from estimators.allocate import allocate
from estimators.objects import Identity, Source
from estimators.objects import Path as FieldPath
from estimators.recommendation import FieldChange, LeftAlone, Realisable, Reason, Recommendation
from estimators.report import Confidence, Verdict
from estimators.unused import CLAIM, SERVICE, VOLUME, Unused
from tests import cost_samples

WEEK = parse_week("2026-W47")
NOW = WEEK.end + timedelta(hours=9)
WEB = "https://github.example"
REPOSITORY = Repository(7, "shop", "manifests", "https://github.example/shop/manifests.git", "main")
CONFIG = ServerConfig(
    teams=(
        Team("checkout", budget_monthly=Decimal(600), channel="#checkout"),
        Team("research", budget_monthly=Decimal(8000)),
        Team("search", namespaces=("search",)),
    ),
    shared=SharedCosts(("kube-system",)),
)
_RESOURCES: FieldPath = ("spec", "template", "spec", "containers", 0, "resources")


@cache
def costs(weeks: int = 6) -> HoursInMemory:
    """The cluster `prod`, until the end of the week."""
    found = HoursInMemory(WEEK.end)
    found.add("prod", map(allocate, cost_samples.hours(7 * weeks, WEEK.end)), "USD")
    return found


def recommendation(
    name: str,
    allocated: str,
    *,
    realisable: str | None = "0",
    verdict: Verdict = Verdict.SAFE,
    confidence: Confidence = Confidence.HIGH,
    namespace: str = "payments",
    proposed: str = "512Mi",
) -> Recommendation:
    """Less memory for a deployment."""
    key = Identity("production", namespace, "Deployment", name)
    changes = tuple(
        FieldChange(key, (*_RESOURCES, bound, "memory"), "main", "2Gi", proposed)
        for bound in ("requests", "limits")
    )
    return Recommendation(
        finder="container-resources",
        environment="production",
        key=key,
        source=Source(f"apps/{name}/deployment.yaml", 21),
        changes=changes,
        allocated=Decimal(allocated),
        realisable=Realisable(None if realisable is None else Decimal(realisable), "node n3 goes away"),
        evidence={"highest working set": "402 MiB", "window": "35 days"},
        confidence=confidence,
        verdict=verdict,
        blast_radius="3 pods of service api",
        risks=("A peak that comes less than once in five weeks was not seen.",),
        undo="Set memory to 2Gi again and apply.",
    )


def kept(one: Recommendation, team: str = "checkout") -> KeptRecommendation:
    """As a scan keeps it."""
    key = one.key
    return KeptRecommendation(
        id=id_of(REPOSITORY.id, one),
        subject=subject_of(REPOSITORY.id, key),
        repository=REPOSITORY.id,
        place={"installation": 5, "repository": asdict(REPOSITORY)},
        head_sha="a" * 40,
        environment=one.environment,
        namespace=key.namespace,
        kind=key.kind,
        name=key.name,
        finder=one.finder,
        team=team,
        cluster="prod",
        recommendation={**recommendation_json(one), "currency": "USD"},
        open=True,
        found_at=NOW - timedelta(hours=5),
    )


OPEN = (
    kept(recommendation("api", "-83.20", realisable="-41.50")),
    kept(recommendation("web", "-120", namespace="shop", verdict=Verdict.CAUTION)),
    kept(recommendation("cart", "-12", confidence=Confidence.MEDIUM)),
    kept(recommendation("mail", "-9.5", realisable=None)),
    kept(recommendation("tax", "-8")),
    kept(recommendation("fraud", "-3")),
    kept(recommendation("audit", "-2", confidence=Confidence.LOW)),
    kept(recommendation("notebook", "-310", realisable="-310", namespace="ml"), "research"),
    kept(recommendation("orphan", "-5", namespace="lost"), ""),
)
APPROVED = kept(recommendation("queue", "-30"))
REJECTED = kept(recommendation("ledger", "-44"))
SNOOZED = kept(recommendation("batch", "-6"))
LEFT = (
    LeftAlone("production", Identity("production", "payments", "Deployment", "pay"), Reason.PROTECTED, "",
              {"reason": "INC-1234: heap dumps", "until": "2027-03-31"}),
    LeftAlone("production", Identity("production", "payments", "Deployment", "new"), Reason.TOO_YOUNG, "container-resources",
              {"days": "3", "needed": "14"}),
    LeftAlone("production", Identity("production", "payments", "Deployment", "new"), Reason.TOO_YOUNG, "replica-count",
              {"days": "3", "needed": "14"}),
    LeftAlone("production", Identity("production", "payments", "Deployment", "jobs"), Reason.MEMORY_GROWS, "container-resources"),
)  # fmt: skip


def _unused(kind: str, place: str, monthly: str, team: str = "checkout", **more: object) -> Unused:
    namespace, _, name = place.rpartition("/")
    found = Unused(
        "prod", team, kind, namespace, name, "", None, "", Decimal(monthly), "USD", date(2026, 10, 19)
    )
    return replace(found, **more)  # type: ignore[arg-type]  # handed on


UNUSED = UnusedNow(
    (
        _unused(CLAIM, "payments/data-ledger-old-0", "40", gib=Decimal(500), storage_class="gp3"),
        _unused(SERVICE, "shop/front-old", "18.25", since=date(2026, 11, 5)),
        _unused(
            VOLUME, "payments/pvc-0f3c2b1a", "8", claim="data-mysql-0", gib=Decimal(100), storage_class="gp3"
        ),
        *(
            _unused(CLAIM, f"payments/cache-{number}", "0.8", gib=Decimal(10), storage_class="gp3")
            for number in range(4)
        ),
        _unused(CLAIM, "ml/scratch", "120", "research", gib=Decimal(1500), storage_class="gp3"),
        _unused(CLAIM, "payments/declared", "300", gib=Decimal(3750), storage_class="gp3"),
        _unused(VOLUME, "pv-spare", "4", "", gib=Decimal(100)),
        _unused(CLAIM, "payments/archive-2025", "60", gib=Decimal(750), storage_class="gp3"),
        *(
            _unused(
                CLAIM, f"images/fedora-{n}", "2.4", "", gib=Decimal(30), left="DataImportCron fedora keeps it"
            )
            for n in range(4)
        ),
    )
)
"""What nothing uses in the cluster by then; `payments/declared` stands in a repository, whose policy protects
the archive; golden images are left as well."""


def scan(*, at: datetime = NOW - timedelta(hours=5), problems: tuple[str, ...] = ()) -> Scan:
    """The newest look at the repository."""
    return Scan(
        repository=REPOSITORY.id,
        full_name=REPOSITORY.full_name,
        head_sha="a" * 40,
        at=at,
        left_alone={"rows": [{**left_alone_json(one), "team": "checkout"} for one in LEFT]},
        problems={"rows": list(problems)},
        realisable={},
        declares={
            "rows": [["prod", CLAIM, "payments", "declared"]],
            "named": [],
            "clusters": ["prod"],
            "protect": [{"workload": "payments/archive-*", "reason": "audit of 2025", "until": "2027-03-31"}],
        },
    )


def decision(one: KeptRecommendation, what: str, at: datetime, reason: str = "") -> RecommendationDecision:
    """Ann's."""
    return RecommendationDecision(
        id=one.id,
        repository=one.repository,
        subject=one.subject,
        finder=one.finder,
        decision=what,  # type: ignore[arg-type]  # as a table has it
        actor="slack/T1/U1",
        said="Ann",
        reason=reason,
        about=f"{one.namespace}/{one.name}",
        at=at,
    )


def pull(one: KeptRecommendation, number: int, **more: object) -> RightSizingPull:
    """The pull request that was opened for it."""
    found = RightSizingPull(
        repository=one.repository,
        subject=one.subject,
        id=one.id,
        branch=f"tuppence/right-size-{one.name}",
        number=number,
        address=f"{WEB}/shop/manifests/pull/{number}",
        head_sha="b" * 40,
        state="open",
        opened_at=NOW - timedelta(days=5),
    )
    return replace(found, **more)  # type: ignore[arg-type]  # handed on


def prediction(
    number: int, rows: dict[tuple[str, str], str], merged_at: datetime, *, currency: str = "USD"
) -> Prediction:
    """What a merged pull request was said to change: amounts by namespace and name of a Deployment."""
    return Prediction(
        repository=REPOSITORY.id,
        number=number,
        report_hash="c" * 64,
        reference=asdict(PullRequestRef(5, REPOSITORY, number)),
        predicted={
            "currency": currency,
            "rows": [
                {
                    "environment": "production",
                    "cluster": "",
                    "workload": [namespace, "Deployment", name],
                    "was": [namespace, "Deployment", name],
                    "expected": amount,
                    "causes": ["memory request"],
                    "replicas": "2",
                    "mounted_by": [],
                }
                for (namespace, name), amount in rows.items()
            ],
        },
        merged_at=merged_at,
        due_at=merged_at + timedelta(days=7),
    )


def measured(workloads: dict[str, str], unmeasured: tuple[str, ...] = ()) -> dict[str, object]:
    """What a prediction came to."""
    total = sum(map(Decimal, workloads.values()), Decimal(0))
    return {"currency": "USD", "expected": str(total), "workloads": workloads, "unmeasured": list(unmeasured)}


def remember(records: Records, *, snoozed_until: datetime = NOW + timedelta(days=14)) -> None:
    """All that happened until the digest is made."""
    found, decisions = records.recommendations, records.recommendation_decisions
    found.replace(scan(), [*OPEN, APPROVED, REJECTED, SNOOZED])
    decisions.decide(decision(APPROVED, "approve", WEEK.start + timedelta(days=2)))
    decisions.decide(decision(REJECTED, "reject", WEEK.start - timedelta(days=9), "month end needs it"))
    found.snooze(SNOOZED.id, snoozed_until, actor="slack/T1/U1", said="Ann", at=NOW)
    merged = kept(recommendation("ledger", "-25", proposed="1Gi"))
    found_then = replace(merged, id="earlier", subject="earlier", open=False)
    records.right_sizing.keep(pull(APPROVED, 31))
    records.right_sizing.keep(pull(found_then, 28, state="merged"))
    decisions.decide(decision(found_then, "approve", WEEK.start - timedelta(days=12)))
    predictions = records.predictions
    predictions.keep(prediction(28, {("payments", "ledger"): "-25"}, WEEK.start - timedelta(days=6)))
    predictions.finish(
        7, 28, measured({"production: payments/ledger": "-22.75"}), WEEK.start + timedelta(days=1)
    )
    predictions.keep(
        prediction(
            30, {("payments", "api"): "60", ("search", "indexer"): "90"}, WEEK.start + timedelta(days=1)
        )
    )
    predictions.keep(prediction(12, {("payments", "api"): "5"}, WEEK.start - timedelta(days=30)))


@contextmanager
def records() -> Iterator[Records]:
    """A store of its own."""
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(Records(f"sqlite:///{Path(folder) / 'tuppence.db'}")) as found,
    ):
        found.prepare()
        yield found


def reply(
    team: str,
    store: Records,
    *,
    week: IsoWeek = WEEK,
    hours: ChargedHours | None = None,
    config: ServerConfig = CONFIG,
    at: datetime = NOW,
    unused: UnusedNow = UNUSED,
) -> Digest | CostRefusal:
    """The digest, from these records."""
    return weekly_digest(
        team,
        week,
        costs=hours or costs(),
        recommendations=store.recommendations,
        decisions=store.recommendation_decisions,
        pulls=store.right_sizing,
        predictions=store.predictions,
        config=config,
        at=at,
        unused=unused,
        web=WEB,
    )


@cache
def digest(name: str) -> Digest:
    """`checkout`, `all` (finance's), `unmeasured` or `quiet`."""
    with records() as store:
        if name != "quiet":
            remember(store)
        else:
            store.recommendations.replace(scan(), [])
        team = {"all": "", "unmeasured": "checkout", "quiet": "research"}.get(name, name)
        hours = HoursInMemory(WEEK.end) if name == "unmeasured" else None
        unused = UnusedNow(()) if name == "quiet" else UNUSED
        found = reply(team, store, hours=hours, unused=unused)
    assert isinstance(found, Digest)
    return found


NAMES = ("checkout", "all", "unmeasured", "quiet")
