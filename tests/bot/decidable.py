"""A recommendation that can be decided about, the team that may, and a click."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from bot.recommendation_json import recommendation_json
from bot.recommendation_records import KeptRecommendation, Scan, id_of, subject_of
from bot.server_config import Approvers, Team
from bot.slack_events import Asker, ButtonPressed
from estimators.objects import Identity, Source
from estimators.recommendation import FieldChange, Realisable, Recommendation
from estimators.report import Confidence, Verdict

NOW = datetime(2026, 11, 23, 9, 5, tzinfo=UTC)
KEY = Identity("", "search", "Deployment", "indexer")
FOUND = Recommendation(
    finder="container-resources",
    environment="",
    key=KEY,
    source=Source("apps/indexer.yaml", 24),
    changes=(
        FieldChange(
            KEY,
            ("spec", "template", "spec", "containers", 0, "resources", "requests", "cpu"),
            "main",
            "2",
            "1200m",
        ),
    ),
    allocated=Decimal("-58.40"),
    realisable=Realisable(Decimal("-20.10"), "node pool-7 is no longer needed", ("pool-7",)),
    evidence={"CPU p95": "0.81 cores a pod", "CPU window": "14 days, 99 % measured"},
    confidence=Confidence.HIGH,
    verdict=Verdict.SAFE,
    blast_radius="3 of 31 pods in search",
    risks=("On a busy node a pod gets no more CPU than it requests.",),
    undo="Put the value back; the pods are replaced once more.",
)
KEPT = KeptRecommendation(
    id=id_of(7, FOUND),
    subject=subject_of(7, KEY),
    repository=7,
    place={},
    head_sha="a" * 40,
    environment="",
    namespace="search",
    kind="Deployment",
    name="indexer",
    finder=FOUND.finder,
    team="checkout",
    cluster="prod",
    recommendation={**recommendation_json(FOUND), "currency": "USD"},
    open=True,
    found_at=NOW - timedelta(days=1),
)
TEAM = Team("checkout", approvers=Approvers(slack_group="sre", slack_users=("UDORA",)))


def click(action: str, user: str, value: str) -> ButtonPressed:
    return ButtonPressed(Asker("T1", user, "C1"), action, value, "https://hooks.slack.com/x", "t.1", "1.1")


def scan(at: datetime) -> Scan:
    nothing: dict[str, object] = {"rows": []}
    return Scan(
        repository=7,
        full_name="acme/shop",
        head_sha="a" * 40,
        at=at,
        left_alone=nothing,
        problems=nothing,
        realisable={},
    )
